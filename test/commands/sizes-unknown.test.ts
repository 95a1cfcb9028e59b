// `waybill sizes` for layers of unknown size: encrypted, absent, cut by a limit.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type SizesOptions, sizes, sizesReadOptions } from '../../src/commands/sizes/index.js';
import type { SizesReport } from '../../src/commands/sizes/report.js';
import { type Limits, readArchive } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { assemble, image, type LayerSpec, layerOf } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';

const BASE: LayerSpec = {
  files: { 'bin/base': 'b'.repeat(3000) },
  createdBy: 'ADD base /',
  compression: 'gzip',
};
const MORE: LayerSpec = {
  files: { 'bin/more': 'm'.repeat(100), 'bin/most': 'n'.repeat(100) },
  createdBy: 'COPY more /',
  compression: 'gzip',
};

async function weigh(file: string, options: SizesOptions = {}, limits: Partial<Limits> = {}) {
  const reading = await readArchive(file, { ...sizesReadOptions(options), limits });
  const result = sizes(reading, options);
  const text = toText(result.doc, { width: null, color: false });
  const rows = text.split('\n').map(line => line.trim().replace(/ {2,}/g, ' | '));
  return { report: result.data as SizesReport, rows, text, exitCode: result.exitCode };
}

const one = await image({ layers: [BASE, MORE] });
/** As OCIcrypt writes it: bytes that are not a tar. */
const hidden = assemble(
  one.configBytes,
  one.layers.map(({ tar, blob, spec }) =>
    layerOf(
      tar,
      blob.map(byte => byte ^ 0x5a),
      'gzip',
      [],
      spec,
    ),
  ),
);
const PLAIN = saved(await toTar(layouts.ociLayout({ manifests: [layouts.manifestOf(one)] })), 'plain.tar');
const ALL = saved(
  await toTar(layouts.ociLayout({ manifests: [layouts.manifestOf(hidden, { encrypted: true })] })),
  'encrypted.tar',
);
const ABSENT = saved(
  await toTar(
    layouts.ociLayout({
      manifests: [layouts.manifestOf(await image({ layers: [BASE, { ...MORE, absent: true }] }))],
    }),
  ),
  'absent.tar',
);

test('encrypted layers: the content is unknown, the stored size is known', async () => {
  const { rows, text, report, exitCode } = await weigh(ALL);
  const [first, second] = one.layers.map(({ size }) => `${size} B`);
  assert.ok(rows.includes(`1 | ${first} | ${first} | unknown | unknown | unknown | ADD base /`), text);
  assert.ok(rows.includes(`2 | ${second} | ${second} | unknown | unknown | unknown | COPY more /`), text);
  assert.not.match(text, / 0 B/);
  for (const { sizes: own, unpackedSize, diffId } of report.images[0]!.layers) {
    assert.equal([own.unpacked, own.content, own.docker, own.overlay2], [null, null, null, null]);
    assert.equal([unpackedSize, diffId], [null, null]);
  }
  assert.is(exitCode, 1);
});

test('partial sums say at least, in every table and in JSON', async () => {
  const { rows, text, report } = await weigh(ABSENT);
  const { size, tar } = one.layers[0]!;
  assert.ok(
    rows.some(row =>
      /^\d.* B \| .* \| at least 5\.12 kB \| at least 3 kB \| at least 3 kB \| 2 layers$/.test(row),
    ),
    text,
  );
  assert.ok(
    rows.some(row => /^2 \| absent \| .* \| unknown \| unknown \| unknown \| COPY more \/$/.test(row)),
    text,
  );
  assert.match(
    text,
    /layers +\d+ B stored, .*at least 5\.12 kB unpacked, at least 3 kB content, at least 3 kB in Docker/,
  );
  const sums = report.images[0]!.sizes;
  assert.equal([sums.stored, sums.unpacked, sums.content], [size, tar.length, 3000]);
  assert.equal(sums.partial, ['unpacked', 'content', 'docker', 'overlay2']);
  assert.is('partial' in (await weigh(PLAIN)).report.images[0]!.sizes, false);
});

for (const by of ['file', 'directory', 'extension', 'package', 'layer'] as const) {
  test(`by ${by}: the sum says at least`, async () => {
    const { text, report } = await weigh(ABSENT, { by, where: ['*'] });
    assert.is(report.images[0]!.breakdown!.partial, true);
    assert.match(text, /\n +at least 3 kB +at least 3 kB +(at least 1 +)?at least 1 file\n/);
    if (by === 'layer') assert.match(text, /\n +unknown +unknown +unknown +layer 2 +COPY more \/\n/);
  });
}

test('a layer with more entries than a limit allows', async () => {
  const { rows, text, report } = await weigh(PLAIN, {}, { layerEntries: 2 });
  assert.ok(
    rows.some(row => /^2 \| .* B \| .* B \| 3\.58 kB \| unknown \| unknown \| COPY more \/$/.test(row)),
    text,
  );
  assert.match(text, /layer 2: it has more entries than --limit layerEntries allows/);
  assert.is(report.images[0]!.layers[1]!.sizes.content, null);
});

test('a layer that unpacks to more than a limit allows', async () => {
  const { report, text } = await weigh(PLAIN, {}, { layerBytes: 4000, unpackedFree: 100, unpackedRatio: 1 });
  const [first] = report.images[0]!.layers;
  assert.equal([first!.sizes.unpacked, first!.sizes.content, first!.sizes.docker], [null, null, null]);
  assert.match(text, /unknown +unknown +unknown +ADD base \//);
});

test("a damaged layer's content is at least what precedes the damage", async () => {
  const cut = one.layers[0]!.tar.subarray(0, 2500);
  const members = layouts.dockerSave([{ image: await image({ layers: [{ tar: cut }] }), tags: ['a:1'] }]);
  const { text } = await weigh(saved(await toTar(members), 'cut.tar'));
  assert.match(text, /\n +1 .* at least 3 kB +unknown +\S/, text);
});

test('--by layer with --sort is sorted by that, and --top prints the number of the others', async () => {
  const names = async (options: SizesOptions) =>
    (await weigh(PLAIN, options)).report.images[0]!.breakdown!.rows.map(({ name }) => name);
  assert.equal(await names({ by: 'layer', sort: 'files' }), ['1', '0']);
  assert.equal(await names({ by: 'layer', sort: 'bytes' }), ['0', '1']);
  assert.match((await weigh(PLAIN, { by: 'layer', top: 1 })).text, /\n {2}and 1 more: --top 2 shows all\n/);
});

test.run();
