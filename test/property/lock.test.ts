// A lock holds for every repacking of an image, and for no other image.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockedImages, lockReadOptions, madeLock } from '../../src/commands/lock/index.js';
import type { LockReport } from '../../src/commands/lock/requirement.js';
import { type VerifyReport, verify } from '../../src/commands/verify.js';
import { InputError, manifestCreate, manifestPush } from '../../src/commands.js';
import { parseLock } from '../../src/lock/parse.js';
import { readOptionsFor } from '../../src/report/requirement.js';
import { bytesOf, goJson } from '../support/digest.js';
import { assemble, type Image, type ImageConfig, layerOf } from '../support/image.js';
import { requirementOf } from '../support/locks.js';
import { temporary } from '../support/tmp.js';
import { type ArchiveRecipe, archiveRecipe, LAYOUTS, layoutOf, membersOf } from './archives.js';
import { tarOf } from './containers.js';
import { imageOf, imageRecipe, packedOnce } from './images.js';
import { isReading, kept, outcomeOf, piped } from './readings.js';
import { always } from './runs.js';

const root = temporary('property-lock');

type Input = string | AsyncIterable<Uint8Array>;

/** The lock of an archive; null where it is refused, or has no image. */
async function lockOf(input: Input, withFiles = false): Promise<string | null> {
  const reading = await outcomeOf(input, lockReadOptions(withFiles));
  if (!isReading(reading)) return null;
  try {
    return madeLock(lockedImages(reading, { withFiles })).text;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

async function judgedBy(lock: string, input: Input): Promise<LockReport | null> {
  const requirements = [requirementOf(lock)];
  const reading = await outcomeOf(input, readOptionsFor({}, requirements));
  if (!isReading(reading)) return null;
  const { data, exitCode } = verify(reading, { failOn: 'error', requirements });
  const report = (data as VerifyReport).lock as LockReport;
  if (report.met !== true) assert.is(exitCode, 1);
  return report;
}

/** Images from before image IDs have another config. */
const layout = fc.constantFrom(...LAYOUTS.filter(name => name !== 'dockerV1' && name !== 'nested'));
const compression = fc.constantFrom('none', 'gzip', 'zstd') as fc.Arbitrary<'none' | 'gzip' | 'zstd'>;

const recompressed = ({ configBytes, layers }: Image, how: 'none' | 'gzip' | 'zstd'): Image =>
  assemble(
    configBytes,
    layers.map(({ tar }) => layerOf(tar, packedOnce(tar, how), how)),
  );

test('any repacking keeps the lock: layout, compression, names', async () => {
  let judged = 0;
  const what = fc.record({ recipe: imageRecipe, from: layout, to: layout, how: compression });
  await always(what, 80, async ({ recipe, from, to, how }) => {
    const image = imageOf(recipe);
    const lock = await lockOf(kept(tarOf(layoutOf(from, [{ image, tags: recipe.tags }]))));
    const again = [{ image: recompressed(image, how), tags: ['renamed:1'] }];
    const bytes = tarOf(layoutOf(to, again));
    if (lock === null) {
      // What cannot be locked in one layout cannot be in another.
      assert.is(await lockOf(kept(bytes)), null, `${from} to ${to}`);
      return;
    }
    const report = await judgedBy(lock, piped(bytes));
    assert.is(report?.met, true, `${from} to ${to}: ${JSON.stringify(report)}`);
    for (const { grade, lost } of report!.images)
      assert.ok((grade === 'config' || grade === 'manifest') && lost.length === 0, JSON.stringify(report));
    judged++;
  });
  assert.ok(judged > 20, `${judged} of them were judged`);
});

test('what the own writer pushes keeps the lock', async () => {
  let pushed = 0;
  await always(fc.record({ recipe: imageRecipe, tar: fc.boolean() }), 30, async ({ recipe, tar }) => {
    const archive = kept(tarOf(layoutOf('dockerSave25', [{ image: imageOf(recipe), tags: ['app:1'] }])));
    const lock = await lockOf(archive);
    if (lock === null) return;
    const folder = join(root, String(pushed++));
    const output = join(folder, tar ? 'out.tar' : 'out');
    try {
      await manifestCreate(join(folder, 'lists'), 'app:1', [archive], {});
      await manifestPush(join(folder, 'lists'), 'app:1', { output });
    } catch (error) {
      if (error instanceof InputError) return;
      throw error;
    }
    assert.is((await judgedBy(lock, output))?.met, true);
    rmSync(folder, { recursive: true });
  });
  assert.ok(pushed > 5, `${pushed} of them were pushed`);
});

type Change = (image: Image, at: number) => Image | null;

const withConfig = (image: Image, change: Partial<ImageConfig>): Image =>
  assemble(bytesOf(goJson({ ...image.config, ...change })), image.layers);

const withRun = (image: Image, change: object): Image =>
  withConfig(image, { config: { ...image.config.config, ...change } });

/** An image with other layers, of which the config tells the truth. */
const withLayers = (image: Image, layers: Image['layers']): Image =>
  assemble(
    bytesOf(
      goJson({
        ...image.config,
        rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      }),
    ),
    layers,
  );

/** Each makes another image, with digests that fit. null where there is nothing to change. */
const CHANGES: Readonly<Record<string, Change>> = {
  byte: (image, at) => {
    const layer = image.layers[at % Math.max(1, image.layers.length)];
    if (layer === undefined || layer.tar.length === 0) return null;
    const tar = layer.tar.slice();
    tar[at % tar.length]! ^= 1;
    return withLayers(
      image,
      image.layers.map(one => (one === layer ? layerOf(tar) : one)),
    );
  },
  remove: image => (image.layers.length === 0 ? null : withLayers(image, image.layers.slice(1))),
  reorder: image => {
    const reversed = [...image.layers].reverse();
    const isSame = reversed.every(({ diffId }, i) => diffId === image.layers[i]!.diffId);
    return isSame ? null : withLayers(image, reversed);
  },
  repeat: image =>
    image.layers.length === 0 ? null : withLayers(image, [...image.layers, image.layers[0]!]),
  user: image => withRun(image, { User: `${image.config.config.User}0` }),
  env: image => withRun(image, { Env: [...(image.config.config.Env as string[]), 'EVIL=1'] }),
  entrypoint: image => withRun(image, { Entrypoint: ['/evil'] }),
  cmd: image => withRun(image, { Cmd: ['/evil'] }),
  label: image => withRun(image, { Labels: { ...(image.config.config.Labels as object), evil: '1' } }),
  volume: image => withRun(image, { Volumes: { '/evil': {} } }),
  health: image => withRun(image, { Healthcheck: { Test: ['CMD', '/evil'] } }),
  shell: image => withRun(image, { Shell: ['/evil'] }),
  os: image => withConfig(image, { os: 'plan9' }),
  architecture: image => withConfig(image, { architecture: 'evil' }),
  created: image => withConfig(image, { created: '2031-01-01T00:00:00Z' }),
  author: image => withConfig(image, { author: 'evil' }),
  history: image => withConfig(image, { history: [...image.config.history, { empty_layer: true }] }),
};

test('any change of content is refused, in every layout', async () => {
  let judged = 0;
  const change = fc.constantFrom(...Object.keys(CHANGES));
  const what = fc.record({ recipe: imageRecipe, from: layout, to: layout, change, at: fc.nat() });
  await always(what, 250, async ({ recipe, from, to, change: name, at }) => {
    const image = imageOf(recipe);
    const { tags } = recipe;
    const lock = await lockOf(kept(tarOf(layoutOf(from, [{ image, tags }]))));
    const changed = CHANGES[name]!(image, at);
    if (lock === null || changed === null) return;
    const report = await judgedBy(lock, kept(tarOf(layoutOf(to, [{ image: changed, tags }]))));
    assert.ok(report === null || report.met !== true, `${name}, ${from} to ${to}`);
    assert.ok(
      report === null || report.images.every(({ grade }) => grade === null),
      `${name}, ${from} to ${to}: ${JSON.stringify(report)}`,
    );
    judged++;
  });
  assert.ok(judged > 40, `${judged} of them were judged`);
});

test('a lock of anything is read again, and holds for what it was made of', async () => {
  await always(archiveRecipe, 60, async (recipe: ArchiveRecipe) => {
    const archive = kept(tarOf(membersOf(recipe)));
    for (const withFiles of [false, true]) {
      const lock = await lockOf(archive, withFiles);
      if (lock === null) continue;
      const parsed = parseLock(lock);
      assert.ok('format' in parsed, JSON.stringify(parsed));
      assert.is((await judgedBy(lock, archive))?.met, true, recipe.layout);
    }
  });
});

test.run();
