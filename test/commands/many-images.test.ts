// `waybill images` for several archives: the file of each image, and that none is left out.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { images, readArchive } from '../../src/commands.js';
import { type ImageSpec, image } from '../support/image.js';
import { buildxOci, dockerSave25 } from '../support/layouts.js';
import { toDirectory, toTar } from '../support/pack.js';
import { said } from '../support/terminal.js';
import { temporary } from '../support/tmp.js';

const NOW = new Date('2026-11-21T00:00:00Z');
const OPTIONS = { noTrunc: false, quiet: false, digests: false, filters: [], tree: false, now: NOW } as const;
/** Longer than a terminal of 80 columns can show. */
const folder = join(temporary('many-images'), 'a-folder-with-a-long-name');

async function saved(name: string, of: Partial<ImageSpec>, tags: readonly string[]): Promise<string> {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  const one = await image({ layers: [{ files: { a: 'a' } }], ...of });
  writeFileSync(file, await toTar(dockerSave25({ image: one, tags })));
  return file;
}

const [A, B, C] = await Promise.all([
  saved('a.tar', {}, ['app:1']),
  saved('deep/b', {}, ['app:2', 'app:1']),
  saved('deep/c.tar', { layers: [{ files: { c: 'c' } }] }, ['web:1']),
]);

const answer = (...args: readonly string[]) => said(['images', ...args], { now: NOW });

async function told(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await answer(...args);
  assert.equal([stderr, status], ['', 0], args.join(' '));
  return stdout;
}

const cells = (line: string) => line.trim().split(/ {2,}/);

test('for one archive the tables and the JSON are Docker’s own', async () => {
  for (const args of [[], ['--docker', '28'], ['--json'], ['--tree'], ['--digests']])
    assert.not.match(await told(A, ...args), /file/i, args.join(' '));
});

test('for several archives the table has a column with the file of each name', async () => {
  const [titles, ...rows] = (await told(A, B, C)).trimEnd().split('\n');
  assert.equal(cells(titles!), ['IMAGE', 'ID', 'DISK USAGE', 'CONTENT SIZE', 'FILE']);
  assert.equal(
    rows.map(row => [cells(row)[0], cells(row).at(-1)]),
    [
      ['app:1', `${A}, ${B}`],
      ['app:2', B],
      ['web:1', C],
    ],
  );
  const tree = await told(A, B, C, '--tree');
  assert.match(tree, /^IMAGE .* FILE$/m);
  assert.match(tree, new RegExp(`^web:1 .* ${C}$`, 'm'));
});

test('for a folder, the table of Docker 28 and custom tables have that column too', async () => {
  for (const args of [['--docker', '28'], ['--digests'], ['--no-trunc'], ['--format', 'table']]) {
    const [titles, ...rows] = (await told(folder, ...args)).trimEnd().split('\n');
    assert.is(cells(titles!).at(-1), 'FILE', args.join(' '));
    assert.equal(rows.map(row => cells(row).at(-1)).sort(), [`${A}, ${B}`, B, C].sort());
  }
});

test("with --docker, files that are named give that release's own table", async () => {
  const [titles] = (await told(A, C, '--docker', '28')).split('\n');
  assert.equal(cells(titles!), ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE']);
});

test('templates always have the file, JSON has it with several archives', async () => {
  assert.is(await told(A, '--format', '{{.File}}'), `${A}\n`);
  assert.is(await told(A, '--format', 'table {{.Tag}}\\t{{.File}}'), `TAG       FILE\n1         ${A}\n`);
  const rows = (await told(folder, '--json')).trimEnd().split('\n');
  assert.equal(
    rows.map(row => [JSON.parse(row).Repository, JSON.parse(row).File]).sort(),
    [
      ['app', `${A}, ${B}`],
      ['app', B],
      ['web', C],
    ].sort(),
  );
});

test('--quiet prints only IDs, without a file', async () => {
  const quiet = await told(A, B, C, '--quiet');
  assert.match(quiet, /^([0-9a-f]{12}\n){3}$/);
});

test('an archive is listed even if a layout folder lies beside it', async () => {
  const place = temporary('beside');
  const one = await image({ layers: [{ files: { l: 'l' } }] });
  toDirectory(buildxOci({ platforms: [one], tags: ['lay:1'] }), join(place, 'layout'));
  copyFileSync(A, join(place, 'a.tar'));
  copyFileSync(C, join(place, 'c.tar'));
  const files = (await told(place, '--format', '{{.File}}', '--all')).trimEnd().split('\n');
  assert.equal(
    files.sort(),
    ['a.tar', 'c.tar', 'layout'].map(name => join(place, name)),
  );
});

test('a missing archive hides none of the others', async () => {
  const { stdout, stderr, status } = await answer(A, join(folder, 'gone.tar'), C, '--format', '{{.File}}');
  assert.equal([stdout.trimEnd().split('\n').sort(), status], [[A, C], 2]);
  assert.match(stderr, /gone\.tar: no such file or directory$/);
  const none = await answer('gone.tar', 'lost.tar');
  assert.equal([none.stdout, none.status], ['', 2]);
  assert.match(none.stderr, /^gone\.tar: no such file or directory\nlost\.tar: no such file or directory$/);
});

test('on a narrow terminal the end of a path is shown', async () => {
  const reading = await readArchive(A, { depth: 'files' });
  const { stdout } = images([reading], { ...OPTIONS, width: 80, files: true });
  const [, titles, row] = (stdout as string).split('\n');
  assert.equal(cells(titles!), ['IMAGE', 'ID', 'DISK USAGE', 'CONTENT SIZE', 'FILE']);
  assert.match(row!, /…\S*\/a\.tar$/);
  assert.is(row!.length, 80);
});

test('three and more arguments are all archives, even if the last one does not exist', async () => {
  const { stdout, stderr, status } = await answer(A, C, 'nosuch', '--format', '{{.File}}');
  assert.equal([stdout.trimEnd().split('\n').sort(), status], [[A, C], 2]);
  assert.match(stderr, /^nosuch: no such file/);
});

test.run();
