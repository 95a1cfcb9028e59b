// The files that one layer adds, modifies and removes.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { squash } from '../../src/filesystem/file-tree.js';
import { changesBetween } from '../../src/filesystem/layer-changes.js';
import type { EntryTable } from '../../src/scan/entries/table.js';
import { tarFacts } from '../support/layer-facts.js';
import { type TarEntry, tarBytes } from '../support/tar.js';

const BASE: readonly TarEntry[] = [
  { path: 'd/', mode: 0o755 },
  { path: 'd/kept', bytes: '1' },
  { path: 'd/changed', bytes: '2' },
  { path: 'gone/' },
  { path: 'gone/x', bytes: '3' },
  { path: 'gone/y/' },
  { path: 'e/' },
  { path: 'f', bytes: 'f' },
];

const layerChanges = (layers: readonly (EntryTable | null)[], index: number) =>
  changesBetween(squash(layers.slice(0, index)), squash(layers.slice(0, index + 1)), index);

async function changes(entries: readonly TarEntry[]) {
  const tables = await Promise.all([BASE, entries].map(async layer => tarFacts(await tarBytes(layer)).table));
  const { added, modified, removed } = layerChanges(tables, 1);
  return {
    added: added.map(({ path }) => path),
    modified: modified.map(({ before, after }) => [after.path, before.type, after.type].join(' ')),
    removed: removed.map(({ path }) => path),
  };
}

test('the base layer adds everything', async () => {
  const tables = [tarFacts(await tarBytes(BASE)).table];
  const { added, modified, removed } = layerChanges(tables, 0);
  assert.equal([added.length, modified.length, removed.length], [8, 0, 0]);
});

test('added, modified, removed', async () => {
  const layer = [
    { path: 'd/' },
    { path: 'd/changed', bytes: '2' },
    { path: 'd/new', bytes: 'n' },
    { path: '.wh.gone' },
  ];
  assert.equal(await changes(layer), {
    added: ['d/new'],
    modified: ['d/changed file file'],
    removed: ['gone', 'gone/x', 'gone/y'],
  });
});

test('a directory is modified if its attributes change', async () => {
  assert.equal(await changes([{ path: 'd/' }, { path: 'e/', mode: 0o700 }]), {
    added: [],
    modified: ['e directory directory'],
    removed: [],
  });
  assert.equal((await changes([{ path: 'd/', pax: { 'SCHILY.xattr.user.x': 'y' } }])).modified, [
    'd directory directory',
  ]);
});

test('a change of type removes the contents', async () => {
  assert.equal(
    await changes([{ path: 'gone', bytes: 'a file now' }, { path: 'f/' }, { path: 'f/x', bytes: '' }]),
    {
      added: ['f/x'],
      modified: ['f file directory', 'gone directory file'],
      removed: ['gone/x', 'gone/y'],
    },
  );
});

test('a file that is removed and added again is modified', async () => {
  assert.equal(await changes([{ path: '.wh.f' }, { path: 'f', bytes: 'again' }]), {
    added: [],
    modified: ['f file file'],
    removed: [],
  });
});

test('a layer whose entries are not known changes nothing', async () => {
  const tables = [tarFacts(await tarBytes(BASE)).table, null];
  assert.equal(layerChanges(tables, 1), { added: [], modified: [], removed: [] });
});

test.run();
