// The waste of images, as data and as text; and dive's numbers.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type WasteOptions, waste, wasteReadOptions, wasteReport } from '../../src/commands/waste/index.js';
import { toText } from '../../src/format/text.js';
import { imagesIn, readArchive } from '../../src/report/read.js';
import { corpus, NO_SHARED_FOLDER, peerExpectations, testWhen } from '../support/corpus.js';
import { image, type LayerSpec } from '../support/image.js';
import { dockerSave, dockerSave25, type Member, ociLayout, platformManifest } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';

const read = async (members: readonly Member[]) => readArchive(saved(await toTar(members)), wasteReadOptions);

async function text(members: readonly Member[], options: WasteOptions = {}): Promise<string> {
  return toText(waste(await read(members), options).doc, { width: null, color: false });
}

const LAYERS: readonly LayerSpec[] = [
  {
    files: {
      'app/tool': 'T'.repeat(5000),
      'app/config': 'old',
      'app/junk/a': 'J'.repeat(700),
      'app/junk/b': 'K'.repeat(300),
    },
    createdBy: 'COPY app /app # buildkit',
  },
  {
    files: {
      'app/tool': { bytes: 'T'.repeat(5000), mode: 0o755 },
      'app/config': 'newer',
      'app/.wh.junk': '',
    },
    createdBy: 'RUN |1 A=1 /bin/sh -c chmod +x /app/tool; rm -r /app/junk # buildkit',
  },
  {
    files: { 'copy/tool': 'T'.repeat(5000), 'var/lib/apt/lists/x': 'L'.repeat(50) },
    createdBy: '/bin/sh -c apt-get update',
  },
];

const archive = async () => dockerSave25({ image: await image({ layers: LAYERS }), tags: ['a:1'] });

test('the names are as documented', async () => {
  const [it] = wasteReport(await read(await archive())).images;
  assert.equal(Object.keys(it!.dive!), [
    'efficiency',
    'wastedBytes',
    'userWastedPercent',
    'sizeBytes',
    'userSizeBytes',
    'inefficient',
  ]);
  assert.equal(Object.keys(it!.dive!.inefficient[0]!), ['path', 'bytes', 'count']);
  const { files, ...numbers } = it!.waste;
  assert.equal(numbers, {
    overwritten: 5003,
    metadataOnly: 5000,
    deleted: 1000,
    duplicated: 5000,
    cached: 50,
    total: 11_053,
    efficiency: 1 - 11_053 / 16_058,
  });
  assert.equal(
    files.map(({ path, kind, layer, hiddenBy }) => [path, kind, layer, hiddenBy]),
    [
      ['app/tool', 'overwritten', 0, 1],
      ['copy/tool', 'duplicated', 2, null],
      ['app/junk/a', 'deleted', 0, 1],
      ['app/junk/b', 'deleted', 0, 1],
      ['var/lib/apt/lists/x', 'cached', 2, null],
      ['app/config', 'overwritten', 0, 1],
    ],
  );
  assert.is(files[1]!.copyOf, 'app/tool');
  assert.is(files[4]!.rule, 'apt-lists');
});

test('the largest waste is printed first, with its cause and a remedy', async () => {
  const said = await text(await archive());
  const order = [
    '5 kB  overwritten with the same bytes',
    '5 kB  the same as /app/tool',
    '1 kB  deleted',
    '50 B  package lists',
    '3 B  overwritten',
  ];
  const places = order.map(words => said.indexOf(words));
  assert.ok(
    places.every(place => place >= 0),
    said,
  );
  assert.equal(
    [...places].sort((a, b) => a - b),
    places,
  );
  assert.match(
    said,
    /shipped by layer 1: COPY app \/app\n +overwritten by layer 2: RUN chmod \+x \/app\/tool; rm -r \/app\/junk\n +instead: .*--chmod/,
  );
  assert.match(
    said,
    /\/app\/junk {2}2 files\n.*\n +deleted by layer 2: RUN chmod.*\n +instead: .*dockerignore/,
  );
  assert.match(said, /shipped by layer 3: RUN apt-get update\n +instead: rm -rf \/var\/lib\/apt\/lists/);
});

test('--top prints only the largest', async () => {
  const said = await text(await archive(), { top: 2 });
  assert.match(said, /and 3 more, 1\.05 kB in all: --top 5 shows all/);
  assert.not.match(said, /deleted by/);
});

test("dive's score alone, and ours alone", async () => {
  const members = await archive();
  const dive = await text(members, { score: 'dive' });
  assert.match(dive, /dive +efficiency/);
  assert.match(dive, /\n +count +wasted +file\n +2 +10 kB +\/app\/tool\n/);
  assert.not.match(dive, /instead/);
  const ours = await text(members, { score: 'ours' });
  assert.not.match(ours, /dive/);
});

test('without waste, that is printed', async () => {
  const one = await image({ layers: [{ files: { a: 'a' } }] });
  assert.match(await text(dockerSave25(one)), /wasted +nothing found/);
});

test('with an absent layer the others are analysed, and dive has no score', async () => {
  const absent: LayerSpec = { files: { b: 'b' }, absent: true };
  const one = await image({ layers: [{ files: { a: 'old' } }, absent, { files: { a: 'new' } }] });
  const reading = await read(ociLayout({ manifests: [platformManifest(one)] }));
  const [it] = wasteReport(reading).images;
  assert.is(it!.dive, null);
  assert.is(it!.waste.overwritten, 3);
  assert.equal(it!.unknown, [{ layer: 1, reason: 'the archive does not hold it' }]);
  const { exitCode, doc } = waste(reading);
  assert.is(exitCode, 1);
  assert.match(
    toText(doc, { width: null, color: false }),
    /layer 2 is not looked at.*the archive does not hold it/,
  );
});

test('a layer that is cut short is analysed up to the cut', async () => {
  const whole = rawTar(rawEntry({ name: 'a' }, 'new'), rawEntry({ name: 'b' }, 'x'.repeat(5000)));
  const cut = new Uint8Array(whole.subarray(0, 2048));
  const one = await image({ layers: [{ files: { a: 'old' } }, { tar: cut }] });
  const [it] = wasteReport(await read(dockerSave(one))).images;
  assert.is(it!.dive, null);
  assert.is(it!.waste.overwritten, 3);
  assert.is(it!.unknown[0]?.layer, 1);
});

test('hostile names are escaped', async () => {
  const name = '\x1b[31m\xff<b>';
  const tar = (content: string) => new Uint8Array(rawTar(rawEntry({ name }, content)));
  const layers = [{ tar: tar('1'), createdBy: 'RUN \x1b[2J' }, { tar: tar('2') }];
  const members = dockerSave25(await image({ layers }));
  assert.not.match(await text(members), /\x1b/);
  const [it] = wasteReport(await read(members)).images;
  assert.is(it!.waste.files[0]!.path, '\x1b[31m\udcff<b>');
  assert.is(it!.dive!.inefficient[0]!.path, '/\x1b[31m\udcff<b>');
});

const withCorpus = testWhen(test, corpus().length > 0, NO_SHARED_FOLDER);

withCorpus("what dive's own tests expect", async () => {
  const expectations = peerExpectations().filter(({ what }) => what.startsWith('dive'));
  assert.ok(expectations.length >= 2);
  for (const { fixture, what, value } of expectations) {
    const { file } = corpus().find(({ id }) => id === fixture)!;
    const { dive } = wasteReport(await readArchive(file, wasteReadOptions)).images[0]!;
    const { efficiency, sizeBytes, userSizeBytes, wastedBytes, userWastedPercent, inefficient } = dive!;
    const files = inefficient.map(({ count, bytes, path }) => [count, bytes, path]);
    const numbers = {
      efficiency,
      sizeBytes,
      userSizeBytes,
      wastedBytes,
      wastedUserPercent: userWastedPercent,
    };
    assert.equal(what === 'dive' ? numbers : files, value);
  }
});

withCorpus('every real archive has an answer, and dive has one where it can have one', async () => {
  for (const { id, file, truth } of corpus()) {
    const reading = await readArchive(file, wasteReadOptions).catch(() => null);
    if (reading === null) continue;
    if (imagesIn(reading) === 0) {
      assert.throws(() => waste(reading), /no image in it/, id);
      continue;
    }
    const { doc, data, exitCode } = waste(reading);
    assert.ok(toText(doc, { width: 80, color: true }).length > 100, id);
    const { images } = data as ReturnType<typeof wasteReport>;
    const isWhole = images.every(({ dive }) => dive !== null);
    if (truth.counts.images === truth.counts.images_verified) assert.ok(isWhole, id);
    assert.is(exitCode, images.some(({ unknown }) => unknown.length > 0) ? 1 : 0, id);
  }
});

test("dive's list is cut by default", async () => {
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, 'x'.repeat(i + 1)]));
  const members = dockerSave25({ image: await image({ layers: [{ files }, { files }] }), tags: ['a:1'] });
  const rows = (words: string) => words.split('\n').filter(line => /^ +2 .* \/f\d+$/.test(line)).length;
  const cut = await text(members, { score: 'dive' });
  assert.equal([rows(cut), /and 30 more: --top 50 shows all/.test(cut)], [20, true]);
  const all = await text(members, { score: 'dive', top: 50 });
  assert.equal([rows(all), /more/.test(all)], [50, false]);
});

test('if a layer cannot be read, the waste is a lower bound and has no percentage', async () => {
  const made = await image({ layers: [...LAYERS, { files: { x: 'x' }, compression: 'gzip', absent: true }] });
  const words = await text(ociLayout({ manifests: [platformManifest(made)] }));
  assert.match(words, /wasted +at least 11\.1 kB: /);
  const none = await image({ layers: [{ files: { x: 'x' }, compression: 'gzip', absent: true }] });
  assert.match(
    await text(ociLayout({ manifests: [platformManifest(none)] })),
    /wasted +unknown: not every layer can be read, and those that can have none\n/,
  );
});

test.run();
