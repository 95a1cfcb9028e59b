// sizes, waste, files, cat, extract and diff on the command line.
import { copyFileSync, existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each, waybill } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { said } from '../support/terminal.js';
import { temporary } from '../support/tmp.js';

const sample = (name: string) => join(repositoryRoot, 'samples', name);
const hello = sample('hello-docker-28.tar');
const folder = temporary('cli-weigh');

async function json(...args: readonly string[]): Promise<Record<string, never>> {
  const { stdout, status, stderr } = await said([...args, '--json']);
  assert.ok(status < 2, stderr);
  return JSON.parse(stdout);
}

async function unusable(args: readonly string[], ...words: readonly string[]): Promise<void> {
  const { stdout, stderr, status } = await said(args);
  assert.is(status, 2, stderr);
  assert.is(stdout, '');
  for (const word of words) assert.ok(stderr.includes(word), `${JSON.stringify(stderr)} names ${word}`);
}

test('sizes has its documented names for the archive, each image and each layer', async () => {
  const { images } = (await json('sizes', hello)) as unknown as {
    images: { sizes: object; layers: { sizes: Record<string, number | null> }[] }[];
  };
  const [image] = images;
  const names = ['stored', 'compressed', 'estimated', 'unpacked', 'content', 'docker'];
  for (const { sizes } of [image!, ...image!.layers]) {
    assert.equal(
      names.filter(name => !(name in sizes)),
      [],
    );
  }
  assert.equal(
    image!.layers.map(layer => layer.sizes.docker),
    [235, 114, 36],
  );
});

test('sizes by every key, filtered, in every unit', async () => {
  const by = (...args: readonly string[]) => said(['sizes', hello, ...args]);
  assert.match((await by('--by', 'extension')).stdout, /\.conf/);
  assert.match((await by('--depth', '1', '--where', 'etc')).stdout, /\/etc/);
  assert.match((await by('--top', '1')).stdout, /and \d+ more/);
  assert.match((await by('--bytes')).stdout, /7680/);
  assert.match((await by('--binary')).stdout, /7\.5 KiB/);
  assert.match((await by('--estimate')).stdout, /~\d/);
  await unusable(['sizes', hello, '--top', '0'], '--top');
  await unusable(['sizes', hello, '--by', 'colour'], 'colour');
  await unusable(['sizes', hello, '--depth', '1', '--by', 'package'], 'depth');
});

test('waste has both scores', async () => {
  const { images } = (await json('waste', hello)) as unknown as {
    images: { dive: { wastedBytes: number }; waste: { deleted: number; overwritten: number } }[];
  };
  assert.is(images[0]!.dive.wastedBytes, 125);
  assert.is(images[0]!.waste.deleted, 78);
  assert.is(images[0]!.waste.overwritten, 11);
  assert.not.match((await said(['waste', hello, '--score', 'dive'])).stdout, 'instead:');
});

test('files lists the image, or the changes of a layer', async () => {
  const { images } = (await json('files', hello)) as unknown as { images: { files: { path: string }[] }[] };
  assert.ok(images[0]!.files.some(({ path }) => path === 'app/LICENSE'));
  assert.not.ok(images[0]!.files.some(({ path }) => path === 'app/notes.txt'));
  assert.match((await said(['files', hello, '--in', '3'])).stdout, /removed .*notes\.txt/);
  assert.match((await said(['files', hello, '--tree'])).stdout, '└');
  assert.not.match((await said(['files', hello, '--where', 'etc'])).stdout, 'app/greet');
  await unusable(['files', hello, '--in', '9'], '9');
});

test('cat prints the bytes of one file, as in the image or after a layer', async () => {
  assert.is((await said(['cat', hello, '/app/LICENSE'])).stdout.length, 36);
  assert.is((await said(['cat', hello, 'app/LICENSE', '--in', '2'])).stdout.length, 11);
  await unusable(['cat', hello, 'app/notes.txt'], 'app/notes.txt');
  await unusable(['cat', hello, 'app'], 'directory');
});

test('extract writes the file system, or a part of it, and overwrites nothing', async () => {
  const out = join(folder, 'rootfs');
  const run = await said(['extract', hello, out]);
  assert.is(run.status, 0, run.stderr);
  assert.equal(readdirSync(out).sort(), ['app', 'bin', 'etc', 'tmp']);
  assert.is(lstatSync(join(out, 'bin/hello')).mode & 0o777, 0o755);
  assert.is(readFileSync(join(out, 'etc/arch'), 'utf8').trim(), 'amd64');
  await unusable(['extract', hello, out], 'rootfs');
  const some = join(folder, 'some');
  await said(['extract', hello, 'hello:1.0', some, '--files', 'etc/*.conf']);
  assert.equal(readdirSync(some, { recursive: true }).sort(), ['etc', 'etc/hello.conf']);
  await unusable(['extract', hello], 'where to?');
  await unusable(['extract', hello, 'a', 'b', 'c'], 'references');
});

/** Requests that contradict each other: nothing is read, and the message says why. */
const CONTRADICTIONS: readonly (readonly [args: readonly string[], ...words: string[]])[] = [
  [['extract', 'x.tar', '--layers', 'l', '--where', '*.js'], '--where', '--layers', 'whole'],
  [['extract', 'x.tar', '--layers', 'l', '--files', '*.js'], '--files', '--layers', 'whole'],
  [['extract', 'x.tar', '--layers', 'l', '--owner'], '--owner', '--layers'],
  [['extract', 'x.tar', '--layers', 'l', '--devices'], '--devices', '--layers'],
  [['extract', 'x.tar', 'app:1', 'dir', '--layers', 'l'], 'one directory'],
  [['extract', 'x.tar', 'dir', '--json'], '--json', 'no report'],
  [['cat', 'x.tar', 'etc/passwd', '--json'], '--json', 'as they are'],
  [['files', 'x.tar', '--all-layers', '--tree'], '--all-layers', '--tree'],
  [['files', 'x.tar', '--all-layers', '--in', '1'], '--all-layers', '--in'],
  [['files', 'x.tar', '--depth', '0'], '--depth'],
  ...['files', 'sizes', 'extract'].map(word => [[word, 'x.tar', '--where', ''], '--where', 'empty'] as const),
  [['packages', 'x.tar', '--type', 'npn'], '--type', 'npm', 'npn'],
  [['packages', 'x.tar', '--ours'], '--ours', '--base'],
  [['packages', 'x.tar', '--name', ''], '--name', 'empty'],
  [['sizes', 'x.tar', '-o', 'x.cdx.json'], 'x.cdx.json', 'waybill packages'],
  [['diff', 'x.tar', 'y.tar', '-o', 'spdx=x'], 'spdx=x', 'waybill packages'],
  [['files', 'x.tar', '--sort', 'colour'], 'colour'],
  [['sizes', 'x.tar', '--by', 'file', '--depth', '2'], '--depth', 'directories'],
  ...['sizes', 'waste', 'files', 'report'].map(
    word => [[word, 'x.tar', '--binary', '--bytes'], '--binary', '--bytes'] as const,
  ),
  [['diff', 'x.tar', 'y.tar', '--ignore', 'taste'], '--ignore', 'taste'],
  [['report', 'x.tar', '--top', 'many'], '--top', 'many'],
];

for (const [args, ...words] of CONTRADICTIONS) {
  test(`refused with the reason: ${args.join(' ')}`, async () => {
    await unusable(args, ...words);
  });
}

test('every option of files has an effect, also with --in', async () => {
  const lines = async (...args: readonly string[]) => (await said(['files', hello, ...args])).stdout;
  assert.match(await lines('--in', '3', '--tree'), /36 B +└── app\n/);
  assert.match(await lines('--tree', '--depth', '1'), /└── tmp\n/);
  assert.not.match(await lines('--tree', '--depth', '1'), 'greet');
  assert.match(await lines('--in', '3', '--top', '1'), 'and 1 more: --top 2 shows all');
  assert.match(await lines('--where', '*.conf'), 'etc/hello.conf');
  assert.match(await lines('--where', 'LICENSE', '--sort', 'size'), 'app/LICENSE');
  assert.match(await lines('--all-layers'), /deleted by 3 .*app\/notes\.txt\n/);
  const listed = (await json('files', hello, '--all-layers', '--top', '1')) as unknown as {
    images: { entries: { path: string }[]; count: number }[];
  };
  assert.equal([listed.images[0]!.entries.length, listed.images[0]!.count], [1, 15]);
});

test('every command has --where for patterns, and its help describes them', async () => {
  for (const word of ['files', 'sizes', 'extract']) {
    const { stdout } = await waybill([word, '--help']);
    assert.match(stdout, '--where');
    assert.match(stdout, /Patterns: /);
    assert.not.match(stdout, /--files\b(?!-)/);
  }
  assert.match((await waybill(['diff', '--help'])).stdout, /--top/);
  assert.not.match((await waybill(['diff', '--help'])).stdout, /--rows/);
});

test('report accepts the --top that its output mentions', async () => {
  const { stdout } = await said(['report', hello, '--top', '1']);
  assert.match(stdout, 'and 6 more: --top 7 shows all');
  assert.match(stdout, 'and 1 more, 11 B in all: --top 2 shows all');
});

test('cat of a deleted file names the layer that has it', async () => {
  await unusable(['cat', hello, 'app/notes.txt'], 'layer 3 deletes it, layer 2 has it', '--in 2');
  assert.match((await said(['cat', hello, 'app/notes.txt', '--in', '2'])).stdout, 'Ship it on Friday.');
});

test('diff: equal and different images', async () => {
  const same = await said(['diff', hello, sample('hello-docker-24.tar')]);
  assert.is(same.status, 0);
  assert.match(same.stdout, 'the same');
  const platforms = await said([
    'diff',
    hello,
    `${sample('hello-oci.tar')}#hello:1.0`,
    '--platform',
    'linux/amd64',
  ]);
  assert.ok(platforms.status < 2, platforms.stderr);
  const other = await said(['diff', hello, sample('hello-oci.tar'), '--json']);
  assert.is(other.status, 1);
  assert.is(JSON.parse(other.stdout).same, false);
  await unusable(['diff', hello, hello, '--ignore', 'taste'], 'taste');
  await unusable(['diff', hello, join(folder, 'nowhere.tar')], 'nowhere.tar');
});

test('--output writes every format, several at once, and never over its input', async () => {
  const out = (name: string) => join(folder, name);
  const names = ['r.html', 'r.md', 'r.json', 'r.txt'];
  const { status, stdout, stderr } = await waybill([
    'report',
    hello,
    ...names.flatMap(name => ['-o', out(name)]),
  ]);
  assert.is(status, 0, stderr);
  assert.is(stdout, '');
  const texts = names.map(name => readFileSync(out(name), 'utf8'));
  assert.match(texts[0]!, '<!doctype html>');
  assert.match(texts[1]!, '## Verification');
  assert.is(JSON.parse(texts[2]!).images.length, 1);
  assert.match(texts[3]!, 'Verification');
  for (const word of ['show', 'verify', 'ids', 'sizes', 'waste', 'packages', 'files']) {
    const run = await waybill([word, sample('broken-layer.tar'), '--output', out('one.md')]);
    assert.is(run.stdout, '', word);
    assert.match(readFileSync(out('one.md'), 'utf8'), 'hello:1.0');
  }
  await unusable(['verify', hello, '--output', 'x.pdf'], 'x.pdf', '.html');
  const copy = out('archive.md');
  copyFileSync(hello, copy);
  await unusable(['verify', copy, '--output', copy], 'is read by this command');
  const nowhere = await waybill(['verify', hello, '--output', out('no/where.md')]);
  assert.is(nowhere.status, 2);
  assert.match(nowhere.stderr, 'where.md');
});

test('as processes: help, a damaged archive, and no files left behind', async () => {
  const words = ['sizes', 'waste', 'packages', 'attestations', 'files', 'cat', 'diff', 'extract'];
  const helps = await each(words, word => waybill([word, '--help']));
  for (const { stdout, status } of helps) {
    assert.is(status, 0);
    assert.match(stdout, 'Examples:');
  }
  for (const word of ['sizes', 'waste', 'packages', 'files']) {
    const { status, stdout } = await waybill([word, sample('truncated.tar')]);
    assert.is(status, 1, word);
    assert.match(stdout, 'hello:1.0');
  }
  const { status, stderr } = await waybill(['extract', sample('truncated.tar'), join(folder, 'cut')]);
  assert.ok(status === 1 && stderr !== '', stderr);
  assert.not.ok(readdirSync(folder).some(name => name.includes('unfinished')));
  assert.ok(existsSync(join(folder, 'cut/app')));
});

test.run();
