import { type BigIntStats, statSync } from 'node:fs';
import { reasonOf } from '../errors.js';
import type { SourceProblem } from './source.js';

type Change = Extract<SourceProblem, { kind: 'changed' }>;
type Seen = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/**
 * What files were when they were opened, to be compared with what they are when they have been read: who replaces, writes
 * or cuts a file meanwhile makes a mixture of two, of which nothing can be said. A change within the same tick of the
 * file system's clock, of the same size, goes unseen.
 */
export class Watch {
  private readonly files: { readonly path: string | null; readonly file: string; readonly seen: Seen }[] = [];

  /** @param path  the member that the file is; null where it is the archive */
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
  // A status changes with everything else; by itself it is all there is to tell.
  const shown = said.length > 1 && differs('ctimeNs') ? said.slice(0, -1) : said;
  const words = (stats: Seen) => shown.map(word => word(stats)).join(', ');
  return { expected: words(seen), actual: words(now) };
}

const sizeOf = ({ size }: Seen): string => `${size} bytes`;

/** A moment with all of its digits: two that differ must not look alike. */
function timeOf(nanoseconds: bigint): string {
  const seconds = new Date(Number(nanoseconds / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}Z`;
}
