// What the documents show is what happens: pages made from the code are up to date, commands print what stands there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findingsPage, root, schemaText, shown, withOutputs } from '../../docs/make.js';
import { defaultLimits, openArchive, verifyArchive, version } from '../../src/index.js';
import { type LimitName, limitCeilings } from '../../src/limits.js';
import { layoutNames } from '../../src/link/layouts/registry.js';

const page = (name: string) => readFileSync(join(root, name), 'utf8');

test('docs/findings.md is made from the rules', () => {
  assert.is(page('docs/findings.md'), findingsPage(), 'run `npm run docs`');
});

test('docs/schema.json lists every layout and compression', () => {
  const schema = page('docs/schema.json');
  assert.is(schema, schemaText(schema), 'run `npm run docs`');
  assert.match(schema, JSON.stringify(layoutNames).replaceAll(',', ', '));
});

for (const name of shown) {
  test(`${name} shows what the commands print`, () => {
    const text = page(name);
    assert.ok((text.match(/```console\n\$ waybill .*\n[^`]/g) ?? []).length >= 3, 'its commands have output');
    assert.is(text, withOutputs(text), 'run `npm run docs`');
  });
}

test('docs/limits.md names every limit once, with its default and how high it goes, and none that there is not', () => {
  const row = /^\| `(\w+)` \| (\d+) \| (\d* ?)\| [^|]+ \| [^|]+ \|$/gm;
  const rows = [...page('docs/limits.md').matchAll(row)];
  assert.equal(
    rows.map(([, name, value, highest]) => [name, Number(value), highest!.trim() && Number(highest)]),
    Object.entries(defaultLimits).map(([name, value]) => [
      name,
      value,
      limitCeilings[name as LimitName] ?? '',
    ]),
  );
});

const existsBelow = (folders: readonly string[], path: string) =>
  folders.some(folder => existsSync(join(root, folder, path)));

test('docs/architecture.md names only files and folders that there are, and every room', () => {
  const text = page('docs/architecture.md');
  const named = [...text.matchAll(/`([\w/.*-]+)`/g)]
    .map(([, path]) => path!)
    .filter(path => /\.ts$|\/$|^src\//.test(path));
  const gone = named
    .filter(path => !/NAME|\*/.test(path) && path.includes('/'))
    .filter(
      path => !existsBelow(['.', 'src', ...readdirSync(join(root, 'src')).map(room => `src/${room}`)], path),
    );
  assert.equal(gone, []);
  assert.ok(named.length > 30);
  const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter(entry => entry.isDirectory());
  assert.equal(
    rooms
      .map(({ name }) => name)
      .filter(name => !text.includes(`| \`src/${name}/\``) && !text.includes(`, \`src/${name}/\``)),
    [],
  );
});

/** What a row of "How to add" names, and where: the symbol must be in the file. */
const LISTS: readonly (readonly [symbol: string, file: string])[] = [
  ['codecs', 'src/codec/registry.ts'],
  ['openRegular', 'src/containers/open.ts'],
  ['layouts', 'src/link/layouts/registry.ts'],
  ['MARKERS', 'src/spec/markers.ts'],
  ['FindingData', 'src/link/observation.ts'],
  ['CHECKS', 'src/checks/findings.ts'],
  ['ENGINES', 'src/engines/predict.ts'],
  ['OUTPUTS', 'src/format/outputs.ts'],
  ['Limits', 'src/limits.ts'],
];

test('docs/architecture.md says where to list what is added, and there it is listed', () => {
  const rows = page('docs/architecture.md')
    .split('\n')
    .filter(line => line.startsWith('| a'));
  for (const [symbol, file] of LISTS) {
    assert.ok(
      rows.some(row => row.includes(`\`${file}\``) && row.includes(symbol)),
      `a row names ${symbol} in ${file}`,
    );
    assert.match(page(file), new RegExp(`(const|function|interface|type) ${symbol}\\b`));
  }
});

test('the library example of the README works', async () => {
  assert.match(page('README.md'), "import { openArchive, verifyArchive } from 'waybill';");
  const { verdicts } = await verifyArchive(await openArchive(join(root, 'samples/hello-oci.tar')));
  assert.is(verdicts.intact, true);
  const own = JSON.parse(page('package.json')) as { version: string };
  assert.is(version, own.version);
});

test('every document that a page links to is there', () => {
  for (const name of [
    'README.md',
    'docs/json.md',
    'docs/library.md',
    'docs/formats.md',
    'docs/architecture.md',
    'docs/docker.md',
  ]) {
    const folder = name.startsWith('docs/') ? 'docs' : '.';
    for (const [, target] of page(name).matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      assert.ok(page(join(folder, target!)).length > 0, `${name} links to ${target}`);
    }
  }
});

test.run();
