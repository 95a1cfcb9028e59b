// Every entry of every layer: the visible ones are those of the squashed tree.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readArchive } from '../../src/commands.js';
import { squash } from '../../src/filesystem/file-tree.js';
import { layerEntries } from '../../src/filesystem/layer-changes.js';
import { tablesOf } from '../../src/filesystem/layer-tables.js';
import { corpus, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { image, type LayerSpec } from '../support/image.js';
import { dockerSave25 } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';

async function entriesOf(...layers: readonly LayerSpec[]): Promise<string[]> {
  const members = dockerSave25({ image: await image({ layers }), tags: ['a:1'] });
  const { parts } = await readArchive(saved(await toTar(members)), { depth: 'files' });
  const [part] = parts;
  const { entries } = layerEntries(
    tablesOf(part!.scan, part!.graph.images[0]!),
    path => !/(^|\/)d$/.test(path),
  );
  return entries.map(({ path, layer, gone, isWhiteout }) =>
    [`${layer} ${path}`, isWhiteout ? 'whiteout' : gone === null ? 'here' : `${gone.how} ${gone.by}`].join(
      ': ',
    ),
  );
}

test('every entry has its fate, layer by layer', async () => {
  assert.equal(
    await entriesOf(
      { files: { a: '1', b: '1', 'd/x': '1', 'd/y': '1' } },
      { files: { a: '2', '.wh.b': '' } },
      { files: { a: '3', b: '2', 'd/.wh..wh..opq': '', 'd/y': '2' } },
    ),
    [
      '0 a: replaced 1',
      '0 b: deleted 1',
      '0 d/x: deleted 2',
      '0 d/y: replaced 2',
      '1 a: replaced 2',
      '1 .wh.b: whiteout',
      '2 a: here',
      '2 b: here',
      '2 d/.wh..wh..opq: whiteout',
      '2 d/y: here',
    ],
  );
});

test('removing one name of a file leaves the other', async () => {
  assert.equal(
    await entriesOf(
      { files: { first: 'f' }, entries: [{ path: 'second', type: 'link', link: 'first' }] },
      { files: { '.wh.first': '' } },
    ),
    ['0 first: deleted 1', '0 second: here', '1 .wh.first: whiteout'],
  );
});

test('a directory that becomes a file hides its contents', async () => {
  assert.equal(await entriesOf({ files: { 'x/a': '1' } }, { entries: [{ path: 'x', bytes: 'f' }] }), [
    '0 x: replaced 1',
    '0 x/a: deleted 1',
    '1 x: here',
  ]);
});

const items = corpus();
testWhen(
  test,
  items.length > 0,
  NO_SHARED_FOLDER,
)('what is still there of real images is what they show', async () => {
  let seen = 0;
  for (const { id, file } of items) {
    const reading = await readArchive(file, { depth: 'files' }).catch(() => null);
    for (const { scan, graph } of reading?.parts ?? []) {
      for (const one of graph.images) {
        const tables = tablesOf(scan, one);
        const { entries } = layerEntries(tables, () => true);
        const here = entries.filter(
          ({ gone, isWhiteout, type }) => gone === null && !isWhiteout && type !== 'directory',
        );
        const shown = squash(tables).nodes.filter(({ inode }) => inode.type !== 'directory');
        assert.is(here.length, shown.length, id);
        seen += shown.length;
      }
    }
  }
  assert.ok(seen > 1000, `${seen} files`);
});

test.run();
