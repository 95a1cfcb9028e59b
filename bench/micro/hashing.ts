import { createHash } from 'node:crypto';
import { chunksOf, compare, type Line, megabytesPerSecond, type Scope } from './line.js';

const KiB = 1024;
const UPDATES = [4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, 1024 * KiB];

/** sha256 by the size of its updates. */
export async function hashingLines({ content, rounds }: Scope): Promise<Line[]> {
  const seconds = await compare(
    rounds,
    ...UPDATES.map(size => () => {
      const hash = createHash('sha256');
      for (const chunk of chunksOf(content, size)) hash.update(chunk);
      hash.digest();
    }),
  );
  return UPDATES.map((size, i) => ({
    name: `sha256, ${size / KiB} KiB at a time`,
    value: megabytesPerSecond(content.length, seconds[i]!),
    unit: 'MB/s',
    other: null,
    otherValue: null,
  }));
}
