// The full report: the results of `verify`, `sizes`, `files` and `waste` together.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { filesReport } from '../../src/commands/files/index.js';
import { overview, overviewReadOptions, overviewReport } from '../../src/commands/report.js';
import { sizesOf } from '../../src/commands/sizes/index.js';
import { wasteReport } from '../../src/commands/waste/index.js';
import { toText } from '../../src/format/text.js';
import { readArchive } from '../../src/report/read.js';
import { reportOf } from '../../src/report/report.js';
import { image } from '../support/image.js';
import { dockerSave25, isFile, type Member } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';

const read = async (members: readonly Member[]) =>
  readArchive(saved(await toTar(members)), overviewReadOptions);

const archive = async () =>
  dockerSave25({
    image: await image({
      layers: [
        { files: { 'app/': '', 'app/tool': 'T'.repeat(500), 'app/\\n': 'x' }, createdBy: 'COPY app /app' },
        {
          files: { 'app/tool': 'U'.repeat(70) },
          entries: [{ path: 'app/same', type: 'link', link: 'app/tool' }],
          createdBy: 'RUN make',
        },
      ],
    }),
    tags: ['a:1'],
  });

test('the report has the results of the other commands', async () => {
  const reading = await read(await archive());
  const [it] = overviewReport(reading).images;
  const [sizes] = sizesOf(reading).images;
  const [waste] = wasteReport(reading).images;
  assert.equal(it!.sizes, sizes!.sizes);
  assert.equal(it!.layers, sizes!.layers);
  assert.equal(it!.waste, waste!.waste);
  assert.equal(it!.dive, waste!.dive);
  assert.equal(it!.files, filesReport(reading).images[0]!.files);
  assert.is(it!.waste.overwritten, 500);
  assert.equal(overviewReport(reading).findings, reportOf(reading).findings);
});

test('the document has every section', async () => {
  const { doc, exitCode } = overview(await read(await archive()));
  assert.is(exitCode, 0);
  const words = toText(doc, { width: null, color: false });
  const chapters = ['Verification', 'Layers', 'Files', 'Waste'];
  assert.equal(
    words.split('\n').filter(line => chapters.includes(line)),
    chapters,
  );
  assert.match(words, 'RUN make');
  assert.match(words, '/app/tool');
});

test('the map has every file, its bytes counted once', async () => {
  const { doc } = overview(await read(await archive()));
  const maps = doc.flatMap(block => (block.kind === 'map' ? [block.map] : []));
  assert.equal(maps, [
    {
      names: ['app', '\\\\n', 'same', 'tool'],
      parents: [-1, 0, 0, 0],
      sizes: [0, 1, 0, 70],
      layers: [1, 0, 1, 1],
      layerNames: ['layer 1: COPY app /app', 'layer 2: RUN make'],
    },
  ]);
});

test('a damaged layer makes the exit code 1, and the rest is shown', async () => {
  const members = await archive();
  const sizeOf = (member: Member) => (isFile(member) ? member.bytes.length : 0);
  const largest = members.reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a));
  const broken = members.map(member =>
    member === largest && isFile(member) ? { ...member, bytes: member.bytes.slice(0, 600) } : member,
  );
  const { doc, exitCode } = overview(await read(broken));
  assert.is(exitCode, 1);
  assert.match(toText(doc, { width: null, color: false }), /the files of layer 1 are not all known/);
});

test('top cuts only the lists in the document', async () => {
  const reading = await read(await archive());
  const words = toText(overview(reading, { top: 1 }).doc, { width: null, color: false });
  assert.match(words, /\n {2}and 1 more: --top 2 shows all\n/);
  assert.equal(overview(reading, { top: 1 }).data, overviewReport(reading));
  assert.is(overviewReport(reading).images[0]!.layers.length, 2);
});

test.run();
