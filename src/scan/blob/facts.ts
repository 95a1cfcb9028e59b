import type { CodecFault, StreamShape } from '../../codec/codec.js';
import type { Compression } from '../../codec/registry.js';
import type { ListedDifference } from '../../containers/listed.js';
import type { Member } from '../../containers/source.js';
import type { LimitName, LimitReached, Limits } from '../../limits.js';
import { type Algorithm, type Digests, digestOfBlobPath } from '../../spec/digest.js';
import type { Ambiguity, Malformed } from '../../tar/layer-records.js';
import { EntryTableBuilder } from '../entries/builder.js';
import type { EntryTable } from '../entries/table.js';
import type { NameFacts } from '../names/facts.js';
import { BlobAnalyser } from './analyser.js';
import type { Analysis } from './examiner.js';

/**
 * What the bytes of one member are. Computed from the bytes, never from metadata.
 * Sizes are bytes.
 */
export interface BlobFacts {
  /** Stored bytes that were there to be read. */
  readonly size: number;
  /** null when not all of its bytes could be read. */
  readonly digests: Digests | null;
  /** Where a zip lists another content than it has. */
  readonly listed?: ListedDifference;
  readonly compression: Compression;
  /** The unpacked content: its digest is the diff_id. null when it could not be unpacked to its end. */
  readonly unpacked: UnpackedFacts | null;
  /** Why unpacking or reading stopped early. */
  readonly failure: BlobFailure | null;
  /** The outer shape of the compressed stream; null for plain content. */
  readonly stream: StreamShape | null;
  /** What walking the unpacked content as a tar gave; null for JSON and other content that was never taken for a tar. */
  readonly tar: TarFacts | null;
}

interface UnpackedFacts {
  readonly size: number;
  readonly digests: Digests;
}

export type BlobFailure =
  | {
      readonly kind: 'truncated' | 'corrupt';
      readonly codec: string;
      readonly reason: string;
      /** The fault as data, where readers of the format differ about it. */
      readonly fault?: CodecFault;
      readonly unpacked: number;
    }
  /** The stream looks sound, but uses what our decoder does not know. */
  | {
      readonly kind: 'unsupported';
      readonly codec: string;
      readonly reason: string;
      readonly unpacked: number;
    }
  | {
      readonly kind: 'limit';
      readonly limit: LimitName;
      readonly value: number;
      readonly unpacked: number;
      /** How much there is at least, by the headers that have been read. */
      readonly seen?: number;
      /** What the limit would have to be, where the codec tells. */
      readonly enough?: number;
    }
  | { readonly kind: 'unreadable'; readonly reason: string };

export interface TarFacts {
  /** Entries that a tar reader yields; PAX and GNU long-name records are none. */
  readonly entries: number;
  /** Global PAX headers, which engines pass over: they describe no entry. */
  readonly globalHeaders: number;
  /** Why the walk stopped before an end; null for a sound tar. An entry before that point was still counted. */
  readonly error: string | null;
  /** The error is that the tar ends inside a header or an entry. */
  readonly isCut: boolean;
  /** A name that two entries share once cleaned, for which docker and podman refuse a layer; null where there is none. */
  readonly duplicate: string | null;
  /** What its names and types say about unpacking it. */
  readonly names: NameFacts;
  /** The tar has eStargz's table of contents. */
  readonly estargz: boolean;
  /** Bytes that it has at least: up to the end of the last entry that has begun. */
  readonly promised: number;
  /** Bytes that the holes of sparse files add to what is stored of them. */
  readonly holes: number;
  /** What readers of tars disagree about, one of each kind. */
  readonly ambiguities: readonly Ambiguity[];
  /** The first record that is malformed; null where none is. */
  readonly malformed: Malformed | null;
  /** Limits on entries and their records that were hit: what is beyond them was passed over. */
  readonly reached: readonly LimitReached[];
  /** The entries up to the error, the one that it is in included; null at every depth but `files`. */
  readonly table: EntryTable | null;
}

/** The algorithms to hash a member with: sha256 always, sha512 where its name says that it is called by it. */
export function algorithmsFor(path: string): readonly Algorithm[] {
  const named = digestOfBlobPath(path)?.startsWith('sha512:') === true || /(^|\/)[0-9a-f]{128}$/.test(path);
  return named ? ['sha256', 'sha512'] : ['sha256'];
}

type EntryLimits = Pick<Limits, 'archiveEntries' | 'layerEntries' | 'layerEntryBytes'>;

/**
 * Keeps facts as they come, and the entries of layers as long as all of them together may be kept: those of the layers that
 * stand first in the archive, however fast the others were read. Of a layer that has too many none are kept, for half a list
 * would be taken for the layer.
 */
export class FactsKept {
  readonly facts = new Map<Member, BlobFacts>();
  private left: number;
  /** Where the first layer stands whose entries are not kept. */
  private end = Number.POSITIVE_INFINITY;
  /** Layers whose entries are kept, as they stand in the archive. */
  private readonly kept: { readonly place: number; readonly member: Member; readonly count: number }[] = [];

  constructor(private readonly limits: EntryLimits) {
    this.left = limits.archiveEntries;
  }

  /** @param place  of the member in the archive */
  add(member: Member, place: number, facts: BlobFacts): void {
    const count = facts.tar?.table?.count ?? 0;
    if (place >= this.end || count > this.limits.archiveEntries) {
      this.facts.set(member, this.withoutEntries(facts));
      return;
    }
    this.facts.set(member, facts);
    if (count === 0) return;
    let at = this.kept.length;
    while (at > 0 && this.kept[at - 1]!.place > place) at--;
    this.kept.splice(at, 0, { place, member, count });
    this.left -= count;
    while (this.left < 0) this.drop();
  }

  private drop(): void {
    const { place, member, count } = this.kept.pop()!;
    this.left += count;
    this.end = place;
    this.facts.set(member, this.withoutEntries(this.facts.get(member)!));
  }

  private withoutEntries(facts: BlobFacts): BlobFacts {
    if (facts.tar === null || facts.tar.table === null) return facts;
    const table = { ...new EntryTableBuilder(this.limits).finish(), truncated: 'archiveEntries' } as const;
    return { ...facts, tar: { ...facts.tar, table } };
  }
}

/** The facts about files of no bytes, which are the same for all: a tar of a megabyte, packed, has a million of them. */
export class EmptyFacts {
  private readonly known = new Map<number, BlobFacts>();

  constructor(private readonly analysis: Analysis) {}

  of(algorithms: readonly Algorithm[]): BlobFacts {
    const known = this.known.get(algorithms.length);
    if (known !== undefined) return known;
    const facts = new BlobAnalyser(algorithms, this.analysis).end();
    this.known.set(algorithms.length, facts);
    return facts;
  }
}
