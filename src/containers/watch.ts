import { type BigIntStats, statSync } from 'node:fs';
import { reasonOf } from '../errors.js';
import type { SourceProblem } from './source.js';

type Change = Extract<SourceProblem, { kind: 'changed' }>;
type Seen = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/**
 * The state of files when they were opened, to be compared with their state when they have been read. A file that is
 * replaced, written or cut meanwhile is read as a mixture of two, and has no valid report. A change within the same
 * tick of the file system's clock, of the same size, is not detected.
 */
export class Watch {
  private readonly files: { readonly path: string | null; readonly file: string; readonly seen: Seen }[] = [];

  /** @param path  the path of the member; null where the file is the archive */
  add(path: string | null, file: string, { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): void {
    this.files.push({ path, file, seen: { dev, ino, size, mtimeNs, ctimeNs } });
  }

  /** Which files have changed since they were added. */
  changes(): SourceProblem[] {
    return this.files.flatMap(({ path, file, seen }): Change[] => {
      const difference = compare(file, seen);
      return difference === null ? [] : [{ kind: 'changed', path, ...difference }];
    });
  }
}

function compare(file: string, seen: Seen): Pick<Change, 'expected' | 'actual'> | null {
  let now: Seen;
  try {
    now = statSync(file, { bigint: true });
  } catch (error) {
    return { expected: sizeOf(seen), actual: reasonOf(error as Error) };
  }
  const differs = (...keys: readonly (keyof Seen)[]) => keys.some(key => seen[key] !== now[key]);
  const said = [
    differs('size') ? sizeOf : null,
    differs('dev', 'ino') ? ({ ino }: Seen) => `inode ${ino}` : null,
    differs('mtimeNs') ? ({ mtimeNs }: Seen) => `modified ${timeOf(mtimeNs)}` : null,
    differs('ctimeNs') ? ({ ctimeNs }: Seen) => `status of ${timeOf(ctimeNs)}` : null,
  ].filter(words => words !== null);
  if (said.length === 0) return null;
  // The status time changes with every other property; it is reported only where nothing else differs.
  const shown = said.length > 1 && differs('ctimeNs') ? said.slice(0, -1) : said;
  const words = (stats: Seen) => shown.map(word => word(stats)).join(', ');
  return { expected: words(seen), actual: words(now) };
}

const sizeOf = ({ size }: Seen): string => `${size} bytes`;

/** A time of a file, RFC 3339 in UTC with nanoseconds: two different times must not look alike. */
export function timeOf(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}Z`;
}
