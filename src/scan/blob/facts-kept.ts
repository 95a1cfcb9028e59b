import type { Member } from '../../containers/source.js';
import type { Limits } from '../../limits.js';
import type { Algorithm } from '../../spec/digest.js';
import { EntryTableBuilder } from '../entries/builder.js';
import { BlobAnalyser } from './analyser.js';
import type { Analysis } from './examiner.js';
import type { BlobFacts } from './facts.js';

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
