/**
 * Kinds of differences between two images. A kind may be more particular, behind a dot: `files.content`, `config.env.PATH`.
 * IDs and sizes only follow from others, and never count by themselves.
 */
export const KINDS = [
  'names',
  'platform',
  'config',
  'history',
  'layers',
  'files',
  'packages',
  'mode',
  'owner',
  'times',
  'order',
  'encoding',
  'compression',
  'manifest',
  'attestations',
  'artifacts',
  'images',
  'ids',
  'sizes',
] as const;

/** How often a kind of difference was seen. */
export interface KindCount {
  readonly kind: string;
  readonly count: number;
}

/** Whether a word of `--ignore` names a kind: itself, or one that it is a particular of. */
export const isKind = (word: string): boolean =>
  KINDS.some(kind => word === kind || word.startsWith(`${kind}.`));

/** Counts differences, and apart from them those that are to be ignored. */
export class Tally {
  private readonly counted = new Map<string, number>();
  private readonly passedOver = new Map<string, number>();

  /** @param ignored  kinds, or particulars of them */
  constructor(private readonly ignored: readonly string[]) {}

  ignores(kind: string): boolean {
    return this.ignored.some(word => kind === word || kind.startsWith(`${word}.`));
  }

  /**
   * @param key  another name that it may be ignored by: a label that holds a time differs in its time
   * @returns whether it counts
   */
  add(kind: string, count = 1, key = kind): boolean {
    const isIgnored = this.ignores(kind) || this.ignores(key);
    const counts = isIgnored ? this.passedOver : this.counted;
    counts.set(kind, (counts.get(kind) ?? 0) + count);
    return !isIgnored;
  }

  /** Whether it was seen, ignored or not. */
  has(kind: string): boolean {
    return this.counted.has(kind) || this.passedOver.has(kind);
  }

  differences(): KindCount[] {
    return sorted(this.counted);
  }

  ignoredDifferences(): KindCount[] {
    return sorted(this.passedOver);
  }
}

/** Counts of several comparisons together. */
export function together(counts: readonly (readonly KindCount[])[]): KindCount[] {
  const all = new Map<string, number>();
  for (const { kind, count } of counts.flat()) all.set(kind, (all.get(kind) ?? 0) + count);
  return sorted(all);
}

function sorted(counts: ReadonlyMap<string, number>): KindCount[] {
  const rank = (kind: string) => KINDS.findIndex(known => kind === known || kind.startsWith(`${known}.`));
  return [...counts]
    .map(([kind, count]) => ({ kind, count }))
    .sort((a, b) => rank(a.kind) - rank(b.kind) || (a.kind < b.kind ? -1 : 1));
}
