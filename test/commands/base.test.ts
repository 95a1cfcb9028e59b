// Lists of bases, and what is told apart by them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type BaseImage, baseOf, mergedBases, parseBases } from '../../src/analysis/base.js';
import { KEPT_FOR_PACKAGES } from '../../src/analysis/installed.js';
import { baseAnswer, basesIn, loadBases } from '../../src/commands/base.js';
import { sizesOf } from '../../src/commands/sizes/index.js';
import { wasteReadOptions, wasteReport } from '../../src/commands/waste/index.js';
import { waybill } from '../support/cli.js';
import { image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { checked, policyOf } from '../support/policy.js';
import { readMembers } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const ROOT: LayerSpec = {
  files: {
    'lib/apk/db/installed': 'P:musl\nV:1\nA:x86_64\nF:lib\nR:libc.so\n\n',
    'lib/libc.so': 'l'.repeat(500),
    'var/old': 'o'.repeat(300),
  },
  createdBy: 'ADD rootfs.tar /',
};
const TOOLS: LayerSpec = { files: { 'usr/bin/tool': 't'.repeat(200) }, createdBy: 'RUN install tool' };
const APP: LayerSpec = {
  files: { 'app/run': 'a'.repeat(1000), 'var/.wh.old': '' },
  createdBy: 'COPY app /app',
};
const MORE: LayerSpec = { files: { 'app/run': 'b'.repeat(1000) }, createdBy: 'COPY more /app' };

const archiveOf = async (tag: string, ...layers: readonly LayerSpec[]) =>
  layouts.dockerSave({ image: await image({ layers }), tags: [tag] });

async function bases(tag: string, ...layers: readonly LayerSpec[]): Promise<readonly BaseImage[]> {
  const { reading } = await readMembers(await archiveOf(tag, ...layers), { depth: 'digests' });
  return basesIn(reading).bases;
}

test('the longest base that is a prefix counts, and none that only begins alike', async () => {
  const [small] = await bases('small:1', ROOT);
  const [large] = await bases('large:1', ROOT, TOOLS);
  const [other] = await bases('other:1', ROOT, MORE);
  const { layers } = await image({ layers: [ROOT, TOOLS, APP] });
  const image3 = {
    layers: layers.map(({ diffId }) => ({ diffId, claimedDiffId: null })),
    platform: 'linux/amd64',
  };
  assert.equal(baseOf(image3, [small!, large!, other!])?.names, ['large:1']);
  assert.equal(baseOf(image3, [other!]), null);
  assert.equal(baseOf({ layers: [], platform: null }, [small!]), null);
});

test('a list is the same whatever the order, names of one image together', async () => {
  const all = [...(await bases('b:1', ROOT)), ...(await bases('a:1', TOOLS)), ...(await bases('a:2', ROOT))];
  const rest = { notes: [], exitCode: 0 } as const;
  const text = baseAnswer(all, rest).stdout as string;
  assert.is(text, baseAnswer([...all].reverse(), rest).stdout);
  assert.equal(
    (JSON.parse(text) as { bases: BaseImage[] }).bases.map(({ names }) => names),
    [['a:1'], ['a:2', 'b:1']],
  );
  assert.equal(parseBases(text), { bases: mergedBases(all) });
});

const GOOD = {
  names: [],
  platform: null,
  created: null,
  diffIds: [`sha256:${'a'.repeat(64)}`],
  chainId: `sha256:${'a'.repeat(64)}`,
};
const BAD: Readonly<Record<string, readonly [text: string, reason: RegExp]>> = {
  'cut short': [
    JSON.stringify({ schemaVersion: 1, bases: [GOOD] }).slice(0, -9),
    /found other text, or one that is cut short$/,
  ],
  'another version': ['{"schemaVersion": 2, "bases": []}', /^expected schemaVersion 1, found 2/],
  'no version': ['{"bases": []}', /^expected schemaVersion 1, found none/],
  'no object': ['[]', /found an array$/],
  'no list': ['{"schemaVersion": 1}', /^\/bases: expected an array, found nothing$/],
  'no layers': [
    JSON.stringify({ schemaVersion: 1, bases: [{ ...GOOD, diffIds: [] }] }),
    /^\/bases\/0\/diffIds: expected an array of at least one string/,
  ],
  'no digest': [
    JSON.stringify({ schemaVersion: 1, bases: [{ ...GOOD, diffIds: ['x'] }] }),
    /^\/bases\/0\/diffIds\/0: expected a digest, found "x"$/,
  ],
  'another chain ID': [
    JSON.stringify({ schemaVersion: 1, bases: [GOOD, { ...GOOD, chainId: 'x' }] }),
    /^\/bases\/1\/chainId: expected sha256:a+, which its diffIds make, found "x"$/,
  ],
  'no names': [
    JSON.stringify({ schemaVersion: 1, bases: [{ ...GOOD, names: [1] }] }),
    /^\/bases\/0\/names: expected an array of strings/,
  ],
};
for (const [name, [text, reason]] of Object.entries(BAD))
  test(`a list with a fault: ${name}`, () => {
    const parsed = parseBases(text);
    assert.match('reason' in parsed ? parsed.reason : '', reason);
  });

test('an image without layers, and one whose bytes are others than claimed, is no base', async () => {
  const { reading } = await readMembers(await archiveOf('none:1'), { depth: 'digests' });
  assert.equal(basesIn(reading), {
    bases: [],
    leftOut: [{ name: 'none:1', reason: 'it has no layers, and every image would begin with it' }],
  });
  const members = await archiveOf('bad:1', ROOT);
  const layer = members.find(member => 'bytes' in member && Buffer.from(member.bytes).includes('llll'))!;
  const damaged = layouts.replaceBytes(members, layer.path, bytes =>
    bytes.map(byte => (byte === 0x6c ? 0x6d : byte)),
  );
  const { reading: other } = await readMembers(damaged, { depth: 'digests' });
  assert.match(
    basesIn(other).leftOut[0]?.reason ?? '',
    /^layer 1 is not what the config claims: expected sha256/,
  );
});

test('sizes, rows and packages tell apart what is above the base', async () => {
  const base = await bases('base:1', ROOT, TOOLS);
  const members = await archiveOf('app:1', ROOT, TOOLS, APP, MORE);
  const { reading } = await readMembers(members, { depth: 'files', files: KEPT_FOR_PACKAGES });
  const [sizes] = sizesOf(reading, { by: 'directory', depth: 1, bases: base }).images;
  assert.equal(sizes!.base?.names, ['base:1']);
  assert.is(sizes!.base?.layers, 2);
  assert.is(sizes!.baseSizes?.ours.content, 2000);
  assert.is(sizes!.baseSizes!.theirs.content! + 2000, sizes!.sizes.content);
  const ours = new Map(sizes!.breakdown!.rows.map(row => [row.name, row.ours]));
  assert.equal(ours.get('app'), { bytes: 1000, shipped: 2000, files: 1 });
  assert.equal(ours.get('lib'), { bytes: 0, shipped: 0, files: 0 });
  assert.equal(sizes!.breakdown!.ours, { bytes: 1000, shipped: 2000, files: 1 });
  const [packages] = sizesOf(reading, { by: 'package', bases: base }).images;
  assert.equal(packages!.breakdown!.rows.find(({ name }) => name === 'musl')?.ours?.shipped, 0);
  const [without] = sizesOf(reading, { by: 'directory' }).images;
  assert.not.ok('base' in without! || 'ours' in without!.breakdown!.rows[0]!);
});

test('waste is that of the layer that ships it', async () => {
  const { reading } = await readMembers(await archiveOf('app:1', ROOT, APP, MORE), wasteReadOptions);
  const [waste] = wasteReport(reading, { bases: await bases('base:1', ROOT) }).images;
  assert.is(waste!.baseWaste?.theirs.deleted, 300);
  assert.is(waste!.baseWaste?.theirs.total, 300);
  assert.is(waste!.baseWaste?.ours.overwritten, 1000);
  assert.is(waste!.baseWaste?.ours.total, 1000);
  const [none] = wasteReport(reading, { bases: await bases('base:1', TOOLS) }).images;
  assert.is(none!.base, null);
});

test('check tells the base of each image, and a policy names its list', async () => {
  const place = temporary('bases');
  writeFileSync(
    join(place, 'bases.json'),
    baseAnswer(await bases('base:1', ROOT), { notes: [], exitCode: 0 }).stdout,
  );
  const list = join(place, 'bases.json');
  const policy = await policyOf(`rules:\n  base-image: ${JSON.stringify(list)}\n`);
  const baseLists = new Map([[list, await loadBases([list], () => Promise.reject(new Error('no archive')))]]);
  const { report, exitCode } = await checked(await archiveOf('app:1', ROOT, APP), policy, {
    context: { baseLists },
  });
  assert.is(exitCode, 0);
  assert.equal(report.images[0]?.base?.names, ['base:1']);
});

test('the command line: a folder, a list, an archive as a list', async () => {
  const place = temporary('base-command');
  mkdirSync(join(place, 'delivery'));
  writeFileSync(join(place, 'delivery', 'base.tar'), await toTar(await archiveOf('base:1', ROOT)));
  writeFileSync(join(place, 'app.tar'), await toTar(await archiveOf('app:1', ROOT, APP)));
  const list = await waybill(['base', join(place, 'delivery')]);
  assert.is(list.status, 0, list.stderr);
  writeFileSync(join(place, 'bases.json'), list.stdout);
  for (const base of ['bases.json', join('delivery', 'base.tar')]) {
    const { stdout, status } = await waybill(['sizes', join(place, 'app.tar'), '--base', join(place, base)]);
    assert.is(status, 0);
    assert.match(stdout, /base: base:1, 1 layer\n/);
  }
  const wrong = await waybill(['check', join(place, 'app.tar'), '--base', join(place, 'app.json')]);
  assert.is(wrong.status, 2);
  assert.match(wrong.stderr, /app\.json/);
});

test.run();
