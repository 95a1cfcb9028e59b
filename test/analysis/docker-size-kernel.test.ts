// The rule for overlay2 against a real file system: random layers, unpacked with the same system calls as moby and
// measured in the same way.
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { overlaySize, snapshotUsage } from '../../src/analysis/weigh.js';
import { testWhen } from '../support/corpus.js';
import { layerFacts } from '../support/layer-facts.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('kernel');

interface Made {
  readonly name: string;
  readonly flag: '0' | '1' | '2' | '5';
  readonly size: number;
  readonly link: string;
}

/** xorshift: the same layers every time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return below => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Few names, so that entries collide; links only lead downwards, because this file system has no root of its own. */
function randomLayer(seed: number): Made[] {
  const random = randomFrom(seed);
  const pick = <T>(from: readonly T[]) => from[random(from.length)]!;
  const path = () => Array.from({ length: 1 + random(3) }, () => pick(['a', 'b', 'c'])).join('/');
  return Array.from({ length: 3 + random(8) }, () => {
    const flag = pick(['0', '0', '0', '0', '1', '2', '5', '5'] as const);
    const hidden = random(25) === 0 ? `${posix.dirname(path())}/.wh.${pick(['a', 'b', '.wh..opq'])}` : null;
    return {
      name: hidden ?? pick(['', './', '/']) + path(),
      flag: hidden ? '0' : flag,
      size: random(9000),
      link: path(),
    };
  });
}

const exists = (path: string) => lstatSync(path, { throwIfNoEntry: false }) ?? null;

/**
 * Creates one entry as moby's Unpack and its overlay converter do, with an empty file for a device. Throws if that
 * fails.
 */
function place(root: string, { name, flag, size, link }: Made): void {
  const path = join(root, posix.join('/', name));
  const parent = dirname(path);
  if (exists(parent) === null) mkdirSync(parent, { recursive: true });
  const old = exists(path);
  if (old !== null && !(old.isDirectory() && flag === '5')) rmSync(path, { recursive: true });
  const base = posix.basename(name);
  // An attribute of its directory, which must exist.
  if (base === '.wh..wh..opq') readdirSync(parent);
  else if (base.startsWith('.wh.')) writeFileSync(join(parent, base.slice(4)), '', { flag: 'wx' });
  else if (flag === '0') writeFileSync(path, Buffer.alloc(size, 1));
  else if (flag === '1') linkSync(join(root, link), path);
  else if (flag === '2') symlinkSync(link, path);
  else if (exists(path)?.isDirectory() !== true) mkdirSync(path);
}

/** Sizes of everything except directories, and blocks of everything, each inode once. */
function measure(root: string): { size: number; blocks: number } {
  const seen = new Set<number>();
  let size = 0;
  let blocks = 0;
  const walk = (path: string) => {
    const stats = lstatSync(path);
    if (!seen.has(stats.ino)) {
      seen.add(stats.ino);
      blocks += stats.blocks * 512;
      if (!stats.isDirectory()) size += stats.size;
    }
    if (stats.isDirectory()) for (const child of readdirSync(path)) walk(join(path, child));
  };
  walk(root);
  return { size, blocks };
}

function unpack(layer: readonly Made[]): { size: number; blocks: number; refused: boolean } {
  const root = mkdtempSync(join(folder, 'layer-'));
  let refused = false;
  for (const entry of layer) {
    try {
      place(root, entry);
    } catch {
      refused = true;
    }
  }
  const measured = measure(root);
  rmSync(root, { recursive: true });
  return { ...measured, refused };
}

const LAYERS = 600;
const layers = Array.from({ length: LAYERS }, (_, i) => randomLayer(i + 1));
const tarOf = (layer: readonly Made[]) =>
  rawTar(
    ...layer.map(({ size, ...header }) => rawEntry(header, header.flag === '0' ? Buffer.alloc(size, 1) : '')),
  );

/** An empty directory's blocks differ from one file system to the next; 0xef53 is ext2 to ext4. */
const isExt4 = statfsSync(folder).type === 0xef53;

test('computed sizes of random layers equal their sizes on a real disk', () => {
  let refusals = 0;
  for (const [i, layer] of layers.entries()) {
    const facts = layerFacts(tarOf(layer));
    const ours = overlaySize(facts)!;
    const theirs = unpack(layer);
    assert.equal(
      [ours.bytes, ours.doubt !== null],
      [theirs.size, theirs.refused],
      `layer ${i}: ${JSON.stringify(layer)}`,
    );
    if (theirs.refused) refusals++;
  }
  assert.ok(refusals > LAYERS / 10 && refusals < LAYERS * 0.9, `${refusals} of ${LAYERS} are refused`);
});

testWhen(
  test,
  isExt4,
  'the temporary folder is not on ext4',
)('and take the blocks that they take there', () => {
  for (const [i, layer] of layers.slice(0, 200).entries()) {
    assert.is(snapshotUsage(layerFacts(tarOf(layer)))!.bytes, unpack(layer).blocks, `layer ${i}`);
  }
});

test.run();
