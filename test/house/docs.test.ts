// The documents match the program: generated pages are up to date, and commands print the shown output.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FLEET_PAGE,
  findingsPage,
  root,
  schemaText,
  shown,
  withOutputs,
  withRecipes,
} from '../../docs/make.js';
import { longLines } from '../../docs/prose.js';
import { defaultLimits, openArchive, verifyArchive, version } from '../../src/index.js';
import { type LimitName, limitCeilings } from '../../src/limits.js';
import { layoutNames } from '../../src/link/layouts/registry.js';

const page = (name: string) => readFileSync(join(root, name), 'utf8');

test('comments end at 120 columns', () => {
  const isComment = (line: string) => /^\s*(?:\/\/|\/\*|\*) /.test(line);
  const long = ['src', 'bin', 'bench', 'test'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => /\.[jt]s$/.test(name))
      .flatMap(name => page(join(folder, name)).split('\n').filter(isComment))
      .filter(line => line.length > 120),
  );
  assert.equal(long, []);
});

test('lines of prose end at 120 columns', () => {
  assert.equal(longLines(`${'a '.repeat(70)}\n`), ['a '.repeat(70)]);
  assert.equal(longLines(`\`\`\`\n${'a '.repeat(70)}\n\`\`\`\n| ${'a '.repeat(70)}|\n`), []);
  const folders = ['', 'docs', 'bench', 'samples'];
  const pages = folders.flatMap(folder =>
    readdirSync(join(root, folder))
      .filter(name => name.endsWith('.md'))
      .map(name => join(folder, name)),
  );
  assert.ok(pages.length > 30);
  for (const name of pages) assert.equal(longLines(page(name)), [], name);
});

test('docs/findings.md is made from the rules', () => {
  assert.is(page('docs/findings.md'), findingsPage(), 'run `npm run docs`');
});

test('docs/schema.json lists every layout and compression', () => {
  const schema = page('docs/schema.json');
  assert.is(schema, schemaText(schema), 'run `npm run docs`');
  assert.match(schema, JSON.stringify(layoutNames).replaceAll(',', ', '));
});

for (const name of shown.filter(name => name !== FLEET_PAGE)) {
  test(`${name} shows what the commands print`, () => {
    const text = page(name);
    assert.ok((text.match(/^\$ .*\n(?![$`])/gm) ?? []).length >= 3, 'its commands have output');
    assert.is(text, withOutputs(text), 'run `npm run docs`');
  });
}

test(`${FLEET_PAGE} has the recipes as they are, and shows what the commands print`, () => {
  const text = page(FLEET_PAGE);
  assert.ok((text.match(/^<!-- recipe /gm) ?? []).length > 10);
  assert.is(text, withOutputs(withRecipes(text)), 'run `npm run docs`');
});

test('docs/limits.md names every limit once, with its default and its highest value, and no other', () => {
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

test('docs/architecture.md names only existing files and folders, and every room', () => {
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

/** Symbols that rows of "How to add" name, with their files: the symbol must be in the file. */
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

test('docs/architecture.md names the lists for new parts, and they exist', () => {
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

test('the example of CONTRIBUTING.md is a test that passes, and its commands exist', () => {
  const text = page('CONTRIBUTING.md');
  const example = /```ts\n([\s\S]*?)```/.exec(text)![1]!;
  const folder = mkdtempSync(join(root, 'dist/test/contributing-'));
  try {
    writeFileSync(join(folder, 'example.js'), transformSync(example, { loader: 'ts', format: 'esm' }).code);
    const output = execFileSync(process.execPath, [join(folder, 'example.js')], { encoding: 'utf8' });
    assert.match(output, /Passed:\s+1\b/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const { scripts } = JSON.parse(page('package.json')) as { scripts: Record<string, string> };
  for (const [, script] of text.matchAll(/npm run ([\w-]+)/g))
    assert.ok(scripts[script!] !== undefined, script);
});

/** Paths of text files below some folders of the repository, without recorded data. */
const textFiles = (...folders: readonly string[]): string[] =>
  folders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(path => /\.(?:ts|js|go|sh|md)$/.test(path) && !/(?:^|\/)recorded\//.test(path))
      .map(path => `${folder}/${path}`),
  );

/** Lines of files that match, with their places. A pattern may also match the line before. */
const linesWith = (pattern: RegExp, paths: readonly string[]): string[] =>
  paths.flatMap(path =>
    [...page(path).matchAll(pattern)].map(({ 0: match, index, input }) => {
      const line = input.slice(0, index + match.length).split('\n').length;
      return `${path}:${line}: ${input.split('\n')[line - 1]!.trim()}`;
    }),
  );

test('docstrings are statements: none begins with "What" or "Of"', () => {
  const files = textFiles('src');
  assert.ok(files.length > 100);
  const all = [...files, ...textFiles('test', 'bench', 'bin')];
  assert.equal(linesWith(/\/\*\*\s+(?:\* )?(?:What|Of)\b/g, all), []);
});

test('comments, messages and documents name the subject instead of a person without a name', () => {
  const words = [...['no', 'any', 'some'].map(quantity => `${quantity}body`), `who${'ever'}`];
  // After a quote or in a line of /etc/passwd it is the name of a Unix user, in test data.
  const pattern = new RegExp(`(?<!'|\\\\n|:)\\b(?:${words.join('|')})\\b`, 'gi');
  assert.equal(linesWith(pattern, textFiles('src', 'test', 'docs', 'bench', 'bin')), []);
});

test.run();
