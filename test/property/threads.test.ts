// The numbers of threads and the memory do not change the result: archives that are large enough for threads, sound and
// damaged.
import fc from 'fast-check';
import { test } from 'uvu';
import type { ReadOptions } from '../../src/commands.js';
import { MIN_MEMORY } from '../../src/scan/resources.js';
import { sample } from '../codec/sample.js';
import { type Compression, canCompress } from '../support/compression.js';
import { bytesOf, goJson } from '../support/digest.js';
import { assemble, layerOf } from '../support/image.js';
import { dockerSave25, isFile, type Member, skopeoOci } from '../support/layouts.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';
import { tarOf } from './containers.js';
import { byteDamage, damagedBytes } from './damage.js';
import { packedOnce } from './images.js';
import { contentsOf, kept, outcomeOf, piped } from './readings.js';
import { always } from './runs.js';
import { assertSame } from './same.js';

const MiB = 1024 * 1024;
const how = fc
  .constantFrom<Compression>('none', 'gzip', 'zstd')
  .map(name => (canCompress(name) ? name : 'gzip'));

/** Noise, so that compressed data is large too. */
const NOISE = sample(30 * MiB, 5);

/** A layer of some files, and of as many small ones as real layers have. */
function layer(megabytes: number, seed: number, compression: Compression) {
  const big = NOISE.subarray(seed * 4096, seed * 4096 + megabytes * MiB);
  const small = Array.from({ length: 200 }, (_, i) => rawEntry({ name: `d${seed}/f${i}` }, `${i}`.repeat(i)));
  const tar = new Uint8Array(rawTar(rawEntry({ name: `big${seed}` }, big), ...small));
  return layerOf(tar, packedOnce(tar, compression), compression);
}

const archive = fc.record({
  layers: fc.array(fc.record({ size: fc.integer({ min: 9, max: 11 }), how }), { minLength: 4, maxLength: 4 }),
  hybrid: fc.boolean(),
});

function membersOf({
  layers,
  hybrid,
}: {
  readonly layers: readonly { size: number; how: Compression }[];
  readonly hybrid: boolean;
}) {
  const made = layers.map(({ size, how }, i) => layer(size, i, hybrid ? 'none' : how));
  const diffIds = made.map(({ diffId }) => diffId);
  const config = {
    architecture: 'amd64',
    os: 'linux',
    created: '2023-11-14T22:13:20Z',
    history: [],
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  const image = assemble(bytesOf(goJson(config)), made);
  return (hybrid ? dockerSave25 : skopeoOci)({ image, tags: ['app:1'] });
}

const WAYS = [{ jobs: 2 }, { jobs: 5, memory: 2 * MIN_MEMORY }];
const OPTIONS: ReadOptions = { depth: 'files', files: { digests: true } };

async function agree(bytes: Uint8Array): Promise<void> {
  const expected = contentsOf(await outcomeOf(kept(bytes), { ...OPTIONS, jobs: 1 }));
  for (const way of WAYS) {
    assertSame(
      contentsOf(await outcomeOf(kept(bytes), { ...OPTIONS, ...way })),
      expected,
      `a file with ${JSON.stringify(way)}`,
    );
    assertSame(
      contentsOf(await outcomeOf(piped(bytes, 1e6), { ...OPTIONS, ...way })),
      expected,
      `a pipe with ${JSON.stringify(way)}`,
    );
  }
}

test('threads and memory do not change the result of sound archives', async () => {
  await always(archive, 1, async recipe => agree(tarOf(membersOf(recipe))));
});

test('threads and memory do not change the result of damaged or cut archives', async () => {
  const what = fc.record({
    recipe: archive,
    at: fc.nat(),
    damage: byteDamage,
    cut: fc.option(fc.double({ min: 0.3, max: 1, noNaN: true }), { freq: 3 }),
  });
  await always(what, 1, async ({ recipe, at, damage, cut }) => {
    const members = membersOf(recipe);
    const large = members.filter(member => isFile(member) && member.bytes.length > MiB);
    const chosen = large[at % large.length];
    const changed = members.map(
      (member): Member =>
        member === chosen && isFile(member)
          ? { ...member, bytes: damagedBytes(member.bytes, damage) }
          : member,
    );
    const tar = tarOf(changed);
    await agree(cut === null ? tar : tar.subarray(0, cut * tar.length));
  });
});

test.run();
