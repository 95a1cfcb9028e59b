import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openArchive } from '../../src/containers/open.js';
import { defaultLimits } from '../../src/limits.js';
import { compare, type Line, nanoseconds, type Scope } from './line.js';

/** Listing the members of an outer tar, as many as there are entries. */
export async function outerLines({ tar, folder, rounds }: Scope): Promise<Line[]> {
  const file = join(folder, 'outer.tar');
  writeFileSync(file, tar);
  let count = 0;
  const [seconds] = await compare(rounds, async () => {
    const { parts } = await openArchive(file, defaultLimits);
    const { source } = parts[0]!;
    if (source.access !== 'seekable') throw new Error('an archive in a file is seekable');
    count = source.members.length;
  });
  return [
    {
      name: `index of ${count} members`,
      value: nanoseconds(count, seconds),
      unit: 'ns per entry',
      other: null,
      otherValue: null,
    },
  ];
}
