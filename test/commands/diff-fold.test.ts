// `waybill diff`: one line for a new or removed directory, and for one with many changes.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type DiffLine, foldMany, foldWhole } from '../../src/commands/diff/fold.js';
import { type DiffOptions, diff, diffReadOptions, textNote } from '../../src/commands/diff/index.js';
import type { DiffReport } from '../../src/commands/diff/report.js';
import { readArchive } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { type FileSpec, image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';

type Files = Record<string, FileSpec>;

const numbered = (folder: string, count: number, bytes: string): Files =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${folder}/d${i % 7}/f${i}`, bytes]));

async function side(files: Files) {
  const made = await image({ layers: [{ files }] });
  const file = saved(await toTar(layouts.dockerSave([{ image: made, tags: ['app:1'] }])));
  return { reading: await readArchive(file, diffReadOptions()), selection: {} };
}

async function compare(a: Files, b: Files, options: DiffOptions = {}) {
  const result = diff(await side(a), await side(b), options);
  const text = toText(result.doc, { width: null, color: false });
  const lines = text.split('\n').map(line => line.trim().replace(/ +/g, ' '));
  return { report: result.data as DiffReport, lines };
}

const PACKAGE = 'app/node_modules/date-fns';

test('a new or removed directory is one line with its size and number of files', async () => {
  const some = numbered(PACKAGE, 1340, 'x'.repeat(1000));
  const added = await compare({ one: '1' }, { one: '1', ...some });
  assert.ok(added.lines.includes('+1.34 MB app (1,340 files)'), added.lines.join('\n'));
  assert.ok(added.lines.some(line => line.startsWith('--all lists every file')));
  // If the parent directory existed before.
  const inside = await compare({ 'app/node_modules/x': '1' }, { 'app/node_modules/x': '1', ...some });
  assert.ok(inside.lines.includes(`+1.34 MB ${PACKAGE} (1,340 files)`), inside.lines.join('\n'));
  assert.is(inside.report.images[0]!.files.added.length, 1340 + 7 + 1, 'JSON has each');
  const removed = await compare({ 'app/node_modules/x': '1', ...some }, { 'app/node_modules/x': '1' });
  assert.ok(removed.lines.includes(`-1.34 MB ${PACKAGE} (1,340 files)`), removed.lines.join('\n'));
});

test('--all lists every file; --top sets the number of lines', async () => {
  const files = { one: '1', ...numbered('lib', 30, 'x') };
  const all = await compare({ one: '1' }, files, { all: true });
  assert.is(all.lines.filter(line => /^\+1 B lib\/d\d\/f\d+ file$/.test(line)).length, 30);
  const some = await compare({ one: '1' }, files, { all: true, top: 4 });
  assert.is(some.lines.filter(line => line.startsWith('+1 B')).length, 4);
  assert.ok(some.lines.includes('and 34 more: --top 38 shows all'), some.lines.join('\n'));
});

test('a new directory of one or two files is listed file by file', async () => {
  const { lines } = await compare({ one: '1' }, { one: '1', 'new/a': 'a', 'new/b': 'bb' });
  assert.ok(lines.includes('+2 B new/b file'), lines.join('\n'));
  assert.ok(lines.includes('+ new directory'));
});

test('a directory with many changes is summed up if the list is too long; new directories keep their lines', async () => {
  const before = { 'app/own': '1', ...numbered('app/node_modules/left', 60, 'a') };
  const after = {
    'app/own': '2',
    ...numbered('app/node_modules/left', 60, 'b'),
    ...numbered(PACKAGE, 50, 'cc'),
  };
  const { lines } = await compare(before, after);
  assert.ok(lines.includes(`+100 B ${PACKAGE} (50 files)`), lines.join('\n'));
  assert.ok(lines.includes('~60 B app/node_modules/left (60 files)'), lines.join('\n'));
  assert.ok(lines.includes('~1 B app/own content'), lines.join('\n'));
});

test('the reason why files are not compared line by line is noted', async () => {
  const few = await compare({ a: '1' }, { a: '2' }, { note: 'a note' });
  assert.ok(few.lines.includes('a note'));
  assert.is(textNote(few.report, true), null);
  assert.match(textNote(few.report, false)!, /--text: .* standard input cannot be read a second time/);
  const many = await compare(numbered('d', 250, 'a'), numbered('d', 250, 'b'));
  assert.match(textNote(many.report, true)!, /--text: 200 of 250 changed files/);
  const same = await compare({ a: '1' }, { a: '1' });
  assert.is(textNote(same.report, false), null);
});

const line = (mark: DiffLine['mark'], path: string, isDirectory = false): DiffLine => ({
  mark,
  path,
  weight: 1,
  what: '',
  isDirectory,
  files: null,
});

test('summed lines have the number of files of each kind', () => {
  const lines = Array.from({ length: 24 }, (_, i) => line(i % 2 === 0 ? '~' : '-', `etc/f${i}`));
  const folded = foldMany([...lines, line('+', 'a')], 20);
  assert.equal(folded.map(({ path, mark, what, weight }) => [path, mark, what, weight]).sort(), [
    ['a', '+', '', 1],
    ['etc', '~', '12 removed, 12 changed', 24],
  ]);
  assert.is(foldMany(lines, 24).length, 24, 'a list that is short enough stays');
});

test('the root is never summed up, nor a file whose name looks like a directory', () => {
  const lines = Array.from({ length: 30 }, (_, i) => line('+', `f${i}`));
  assert.is(foldMany(foldWhole(lines), 20).length, 30);
  assert.is(foldWhole([line('+', 'a'), line('+', 'a/b'), line('+', 'a/c'), line('+', 'a/d')]).length, 4);
});

test('the number of files stays the same in any order of lines', () => {
  const paths = Array.from({ length: 500 }, (_, i) => `${i % 3}/${i % 11}/${i % 29}/f${i}`);
  const folded = foldMany(
    paths.map(path => line('~', path)),
    20,
  );
  const count = folded.reduce((sum, { files }) => sum + (files === null ? 1 : (files.get('~') ?? 0)), 0);
  assert.is(count, 500);
  assert.ok(folded.length <= 30, String(folded.length));
});

test.run();
