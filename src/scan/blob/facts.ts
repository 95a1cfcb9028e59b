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

/** Facts about one member. Computed from the bytes, never from metadata. Sizes are in bytes. */
export interface BlobFacts {
  /** Number of stored bytes that could be read. */
  readonly size: number;
  /** null if not all of the bytes could be read. */
  readonly digests: Digests | null;
  /** Present if the content differs from the size or checksum that a zip lists. */
  readonly listed?: ListedDifference;
  readonly compression: Compression;
  /** The unpacked content; its digest is the diff_id. null if it could not be unpacked to its end. */
  readonly unpacked: UnpackedFacts | null;
  /** The reason why unpacking or reading stopped early. */
  readonly failure: BlobFailure | null;
  /** The outer structure of the compressed stream; null for uncompressed content. */
  readonly stream: StreamShape | null;
  /**
   * The result of walking the unpacked content as a tar; null for JSON and other content that was not treated as a tar.
   */
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
  /** The stream looks valid, but uses a feature that our decoder does not support. */
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
      /** A lower bound of the unpacked size, from the headers that have been read. */
      readonly seen?: number;
      /** The limit that would be enough, if the codec knows the size. */
      readonly enough?: number;
    }
  | { readonly kind: 'unreadable'; readonly reason: string };

export interface TarFacts {
  /** Number of entries as a tar reader yields them, without PAX and GNU long-name records. */
  readonly entries: number;
  /** Number of global PAX headers, which engines ignore: they describe no entry. */
  readonly globalHeaders: number;
  /** The reason why the walk stopped early; null for a valid tar. Entries before that point were counted. */
  readonly error: string | null;
  /** The error is that the tar ends inside a header or an entry. */
  readonly isCut: boolean;
  /**
   * A path that two entries share after cleaning, for which docker and podman refuse a layer; null if there is none.
   */
  readonly duplicate: string | null;
  /** Facts from names and types about unpacking the layer. */
  readonly names: NameFacts;
  /** True if the tar has eStargz's table of contents. */
  readonly estargz: boolean;
  /** A lower bound of the tar's size: the end of the last entry that has begun. */
  readonly promised: number;
  /** Bytes by which the holes of sparse files exceed what is stored for them. */
  readonly holes: number;
  /**
   * Bytes behind the end of the tar; 0 where they are zeros, or eStargz's table of contents. No engine unpacks them.
   */
  readonly behind: number;
  /** Headers that readers of tars interpret differently, one of each kind. */
  readonly ambiguities: readonly Ambiguity[];
  /** The first malformed record; null if there is none. */
  readonly malformed: Malformed | null;
  /** Limits on entries and their records that were reached; data beyond them was skipped. */
  readonly reached: readonly LimitReached[];
  /** The entries up to the error, including the one that has it; null at every depth but `files`. */
  readonly table: EntryTable | null;
}

/** The hash algorithms for a member: sha256 always, sha512 if its path refers to it. */
export function algorithmsFor(path: string): readonly Algorithm[] {
  const named = digestOfBlobPath(path)?.startsWith('sha512:') === true || /(^|\/)[0-9a-f]{128}$/.test(path);
  return named ? ['sha256', 'sha512'] : ['sha256'];
}

type EntryLimits = Pick<Limits, 'archiveEntries' | 'layerEntries' | 'layerEntryBytes'>;

/**
 * Stores facts as they arrive, and the entries of layers up to the limit for the archive. Entries are kept for the
 * layers that come first in the archive, even if other layers were read earlier. If a layer has too many entries, none
 * of them are kept, because a partial list could be mistaken for the layer.
 */
export class FactsKept {
  readonly facts = new Map<Member, BlobFacts>();
  private left: number;
  /** The position of the first layer whose entries are not kept. */
  private end = Number.POSITIVE_INFINITY;
  /** Layers whose entries are kept, in the order of the archive. */
  private readonly kept: { readonly place: number; readonly member: Member; readonly count: number }[] = [];

  constructor(private readonly limits: EntryLimits) {
    this.left = limits.archiveEntries;
  }

  /** @param place  position of the member in the archive */
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

/** The facts about empty files, shared by all of them: a compressed tar of one megabyte can contain a million. */
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
