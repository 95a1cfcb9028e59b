// The steps of "How to add" in docs/architecture.md, taken in a copy of the source: a layout, a codec, a check with a
// finding, an output format and a command. The copy is compiled, and reads an archive of that layout in that
// compression.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot } from '../support/corpus.js';
import { image } from '../support/image.js';
import { skopeoOci } from '../support/layouts.js';
import { file, isFile } from '../support/members.js';
import { toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

/** New files, and in each list the text that a line goes behind. */
interface Step {
  readonly write?: Readonly<Record<string, string>>;
  readonly list: Readonly<Record<string, readonly (readonly [after: string, line: string])[]>>;
}

const LAYOUT = `
import { splitDigest } from '../../spec/digest.js';
import { classify } from '../classify.js';
import { ManifestWalk } from '../manifests.js';
import { type LayoutReader, NOTHING_LINKED } from './layout.js';

const path = (digest: string) => \`toy/\${splitDigest(digest)[1]}\`;

export const toy: LayoutReader<'toy-layout'> = {
  name: 'toy-layout',
  detect: archive => archive.has('toy.json'),
  link(archive) {
    const walk = new ManifestWalk(archive, path);
    const member = archive.file('toy.json')!;
    walk.index(archive.json(member)!, member.path);
    const { images, artifacts } = classify(archive, walk, path);
    return { ...NOTHING_LINKED, images, artifacts, indexes: walk.indexes, absent: walk.absent };
  },
  blobPaths: digest => [path(digest)],
};
`;

const CODEC = `
import type { Codec } from './codec.js';
import { openPush } from './push.js';

export const toy: Codec<'toy'> = {
  name: 'toy',
  maxRatio: 1,
  matches: head => Buffer.from(head.subarray(0, 4)).toString() === 'TOY!',
  load: async () => {},
  isLoaded: () => true,
  open: sink =>
    openPush('toy', function* (input, shape) {
      yield* input.skip(4, 'in its magic');
      while (yield* input.more()) sink((yield* input.take(input.left, 'in its data')).map(byte => byte ^ 0x5a));
      shape.parts = 1;
    }),
};
`;

const CHECK = `
import type { Graph } from '../link/graph.js';
import { memberAt, type Observation, observe } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';

export function* checkToys({ members }: Scan, _graph: Graph): Generator<Observation> {
  for (const { path } of members) if (path === 'toy.json') yield observe('toy-found', memberAt(path), { toys: 1 });
}
`;

const FORMAT = `
import type { Result } from '../report/doc.js';

export const toToy = ({ doc }: Result): string => \`toy \${doc.length > 0}\\n\`;
`;

const COMMAND = `
import type { Result } from '../report/doc.js';
import { text } from '../report/doc.js';
import type { ArchiveReading } from '../report/read.js';

export const play = ({ parts }: ArchiveReading): Result => {
  const toys = parts.map(({ graph }) => graph.layout);
  return { data: { toys }, doc: [text(toys.join())], exitCode: 0 };
};
`;

/** By the first cell of the row. */
const STEPS: Readonly<Record<string, Step>> = {
  'a layout': {
    write: { 'src/link/layouts/toy.ts': LAYOUT },
    list: {
      'src/link/layouts/registry.ts': [
        ["import { skopeoDir } from './skopeo-dir.js';", "import { toy } from './toy.js';"],
        ['layouts = [', 'toy,'],
      ],
      'src/spec/markers.ts': [['MARKERS = [', "'toy.json',"]],
    },
  },
  'a codec': {
    write: { 'src/codec/toy.ts': CODEC },
    list: {
      'src/codec/registry.ts': [
        ["import { gzip } from './gzip.js';", "import { toy } from './toy.js';"],
        ['codecs = [', 'toy,'],
      ],
    },
  },
  'a finding': {
    list: {
      'src/link/observation.ts': [['interface FindingData {', "'toy-found': { toys: number };"]],
      'src/checks/rules-documents.ts': [
        ["  | 'key-case'", "| 'toy-found'"],
        [
          '> = {',
          "'toy-found': { severity: 'info', verdict: null, message: () => 'found', explain: 'A toy.' },",
        ],
      ],
    },
  },
  'a check': {
    write: { 'src/checks/toys.ts': CHECK },
    list: {
      'src/checks/findings.ts': [
        ["import { checkBlobs } from './blobs.js';", "import { checkToys } from './toys.js';"],
        ['const CHECKS: readonly Check[] = [', 'checkToys,'],
      ],
    },
  },
  'an output format': {
    write: { 'src/format/toy.ts': FORMAT },
    list: {
      'src/format/outputs.ts': [
        ["import { toHtml } from './html.js';", "import { toToy } from './toy.js';"],
        ['const OUTPUTS = {', 'toy: result => [toToy(result)],'],
        ['const DOCUMENTS: Readonly<Record<string, OutputFormat>> = {', "'.toy': 'toy',"],
      ],
      'src/cli/output.ts': [['Object.keys({', 'toy: 1,']],
    },
  },
  'a command': {
    write: { 'src/commands/play.ts': COMMAND },
    list: {
      'src/cli/reports.ts': [
        ['return [', 'playCommand,'],
        [
          'type Commands = Argv<Printing>;',
          `const playCommand = (commands: Commands, terminal: Terminal): Commands =>
             commands.command('play <archive>', 'the layout', c => outputOption(imageArguments(c)), async args => {
               const { play } = await import('../commands/play.js');
               await terminal.print(play(await terminal.read(args.archive, { depth: 'metadata' })), args);
             });`,
        ],
      ],
      'src/cli/command-words.ts': [["'Reports:': [", "'play',"]],
      'src/commands.ts': [
        ["export { explain } from './commands/explain.js';", "export { play } from './commands/play.js';"],
      ],
    },
  },
};

const page = readFileSync(join(repositoryRoot, 'docs/architecture.md'), 'utf8');

/** The files of the source that a row names, its new file called like the toy. */
function filesIn(row: string, name: string): string[] {
  return [...row.matchAll(/`(src\/[^`*]+\.ts)`/g)].map(match => match[1]!.replace('NAME', name));
}

for (const [title, { write = {}, list }] of Object.entries(STEPS)) {
  test(`"How to add" names the files for ${title}`, () => {
    const row = page.split('\n').find(line => line.startsWith(`| ${title} |`)) ?? '';
    const [own] = Object.keys(write);
    const named = filesIn(row, own?.replace(/.*\/|\.ts$/g, '') ?? '');
    const changed = [...Object.keys(write), ...Object.keys(list)];
    assert.equal(
      changed.filter(path => !named.includes(path) && !/rules-/.test(path)),
      [],
    );
    // A command is listed in one of several files; anything else in all that are named.
    if (title !== 'a command')
      assert.equal(
        named.filter(path => !changed.includes(path)),
        [],
      );
  });
}

/** Takes the steps in a copy of the source, and compiles it. @returns the compiled program */
function extended(): string {
  const folder = temporary('extension');
  cpSync(join(repositoryRoot, 'src'), join(folder, 'src'), { recursive: true });
  for (const name of ['package.json', 'tsconfig.json'])
    cpSync(join(repositoryRoot, name), join(folder, name));
  symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'));
  for (const { write = {}, list } of Object.values(STEPS)) {
    for (const [path, text] of Object.entries(write)) writeFileSync(join(folder, path), text);
    for (const [path, lines] of Object.entries(list)) addLines(join(folder, path), lines);
  }
  const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', folder], { cwd: folder, encoding: 'utf8' });
  return join(folder, 'dist/src/cli.js');
}

function addLines(path: string, lines: readonly (readonly [after: string, line: string])[]): void {
  let text = readFileSync(path, 'utf8');
  for (const [after, line] of lines) {
    assert.is(text.split(after).length, 2, `${path} has "${after}" once`);
    text = text.replace(after, () => `${after}\n${line}`);
  }
  writeFileSync(path, text);
}

const toyBytes = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from('TOY!'), Buffer.from(bytes).map(byte => byte ^ 0x5a)]);

/** An OCI layout with its blobs and its index elsewhere. */
async function toyArchive(): Promise<Uint8Array> {
  const made = await image({ layers: [{ files: { 'etc/toy': 'a toy\n' } }] });
  const members = skopeoOci({ image: made, tags: ['app:1'] }).filter(isFile);
  return toTar(
    members.flatMap(({ path, bytes }) => {
      if (path === 'index.json') return [file('toy.json', bytes)];
      return path.startsWith('blobs/') ? [file(path.replace(/^blobs\/sha256/, 'toy'), bytes)] : [];
    }),
  );
}

test('a layout, a codec, a check, a format and a command work once they are listed', async () => {
  const program = extended();
  const folder = temporary('extension-archive');
  const archive = join(folder, 'image.tar.toy');
  writeFileSync(archive, toyBytes(await toyArchive()));
  const run = (...args: readonly string[]) =>
    execFileSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  const report = JSON.parse(run('verify', archive, '--json'));
  assert.is(report.archive.compression, 'toy');
  assert.is(report.archive.layout, 'toy-layout');
  assert.equal(report.verdicts, { intact: true, complete: true, conformant: true });
  assert.is(report.images.length, 1);
  assert.ok(report.findings.some(({ code }: { code: string }) => code === 'toy-found'));
  assert.match(run('explain', 'toy-found'), 'A toy.');
  assert.match(run('files', archive), 'etc/toy');
  assert.is(run('show', archive, '--format', 'toy'), 'toy true\n');
  assert.match(run('play', archive), 'toy-layout');
  assert.match(run('--help'), 'waybill play');
  mkdirSync(join(folder, 'out'));
  run('show', archive, '--output', 'out/report.toy');
  assert.is(readFileSync(join(folder, 'out/report.toy'), 'utf8'), 'toy true\n');
});

test('a thread is told every compression by its place in the registry', async () => {
  const { Ring } = await import('../../src/scan/threads/ring.js');
  const { compressions } = await import('../../src/codec/registry.js');
  for (const compression of compressions) {
    const ring = new Ring();
    ring.begin(compression, true);
    ring.end();
    let told: string | null = null;
    ring.read({
      begin: name => {
        told = name;
      },
      stored: () => {},
      content: () => {},
      check: () => {},
    });
    assert.is(told, compression);
  }
});

test.run();
