import type { LimitName, LimitReached } from '../limits.js';
import { textOf } from '../source/tar-entry.js';
import type { SparseFault } from './sparse.js';

/** What a layer's tar says twice, and differently, so that one reader believes the one and another the other. */
export interface Ambiguity {
  readonly field: AmbiguousField;
  /** Path of the first entry with it; empty where it is not about an entry. */
  readonly path: string;
  /** What may be believed: first what engines believe, which all read layers with Go's archive/tar. */
  readonly readings: readonly string[];
  /** How often it was seen. */
  readonly count: number;
}

export type AmbiguousField =
  | 'name'
  | 'link target'
  | 'size'
  /** Content of an entry whose type has none for some readers. */
  | 'content'
  | 'PAX records'
  | 'PAX headers'
  | 'global PAX header'
  | 'records before a global PAX header';

/** A record that is not as POSIX wants it, for which Go refuses the whole layer. */
export interface Malformed {
  readonly reason: string;
  readonly path: string;
  readonly count: number;
  /** What Go says, where it is not that the header is invalid. */
  readonly words?: string;
}

/** What is odd about a tar: the first of each kind and how many there are, so that it takes no memory. */
export class TarOddities {
  private readonly byField = new Map<AmbiguousField, Ambiguity>();
  private readonly limits = new Map<LimitName, LimitReached>();
  malformed: Malformed | null = null;

  /** @param path, readings  bytes, one per character */
  isAmbiguous(field: AmbiguousField, path: string, readings: readonly string[]): void {
    const first = this.byField.get(field) ?? {
      field,
      path: shortened(path),
      readings: readings.map(shortened),
      count: 0,
    };
    this.byField.set(field, { ...first, count: first.count + 1 });
  }

  isMalformed(reason: string, path: string, words?: string): void {
    const first = this.malformed ?? {
      reason: shortened(reason),
      path: shortened(path),
      count: 0,
      ...(words !== undefined && { words }),
    };
    this.malformed = { ...first, count: first.count + 1 };
  }

  isMalformedSparse({ reason, words }: SparseFault, path: string): void {
    this.isMalformed(reason, path, words);
  }

  /** @param seen  how much there was, of which the most is kept; null where it is not counted */
  hasReached(limit: LimitName, value: number, seen: number | null): void {
    const before = this.limits.get(limit)?.seen ?? null;
    const most = before === null || seen === null ? seen : Math.max(before, seen);
    this.limits.set(limit, { limit, value, seen: most });
  }

  get ambiguities(): Ambiguity[] {
    return [...this.byField.values()];
  }

  get reached(): LimitReached[] {
    return [...this.limits.values()];
  }
}

/** A name in a finding need not be one of a megabyte. */
const shortened = (bytes: string) =>
  bytes.length <= 200 ? textOf(bytes) : `${textOf(bytes.slice(0, 200))}…`;
