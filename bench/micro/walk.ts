import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { TarWalk } from '../../src/scan/entries/walk-layer.js';
import { chunksOf, compare, type Line, nanoseconds, type Scope } from './line.js';

/** Our walk of a layer compared with tar-stream's, over the same chunks. */
export async function walkLines({ tar, rounds }: Scope): Promise<Line[]> {
  let [ours, theirs] = [0, 0];
  const [walk, stream] = await compare(
    rounds,
    () => {
      const walk = new TarWalk();
      for (const chunk of chunksOf(tar)) walk.write(chunk);
      ours = walk.end().entries;
    },
    async () => {
      theirs = await streamedEntries(tar);
    },
  );
  if (ours !== theirs) throw new Error(`${ours} entries, but ${theirs} by tar-stream`);
  return [
    {
      name: `walk of ${ours} entries`,
      value: nanoseconds(ours, walk),
      unit: 'ns per entry',
      other: 'tar-stream',
      otherValue: nanoseconds(ours, stream),
    },
  ];
}

async function streamedEntries(tar: Uint8Array): Promise<number> {
  let count = 0;
  const entries = extract();
  entries.on('entry', (_, content, next) => {
    count++;
    content.on('end', next);
    content.resume();
  });
  await pipeline(Readable.from(chunksOf(tar)), entries as never);
  return count;
}
