// The rooms of docs/architecture.md: the allowed imports, and access to files, threads and the process.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot } from '../support/corpus.js';

const root = join(repositoryRoot, 'src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => file.endsWith('.ts'))
  .sort();
const textOf = new Map(files.map(file => [file, readFileSync(join(root, file), 'utf8')]));

/** From the bottom up: a room imports from itself and from rooms on its own floor or below. docs/architecture.md */
const FLOORS: readonly (readonly string[])[] = [
  ['spec'],
  ['go', 'packages', 'secrets'],
  ['codec'],
  ['tar', 'containers'],
  ['scan'],
  ['cache'],
  ['decoding'],
  ['link', 'filesystem'],
  ['engines', 'analysis'],
  ['lock', 'signatures', 'attestations'],
  ['checks'],
  ['fleet'],
  ['docker', 'write'],
  ['report'],
  ['policy'],
  ['commands'],
  ['format', 'commands.ts', 'library', 'index.ts'],
  ['progress.ts'],
  ['cli'],
  ['cli.ts'],
];
/** Every room may import these; they import from none. */
const COMMON = ['errors.ts', 'inside.ts', 'limits.ts', 'permission.ts', 'visible.ts', 'version.ts'];

const roomOf = (file: string) => file.split('/')[0]!;
const floorOf = (file: string) => FLOORS.findIndex(rooms => rooms.includes(roomOf(file)));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Static and dynamic imports, re-exports, and the modules that workers run. */
function importsOf(file: string): Import[] {
  const text = textOf.get(file)!;
  const patterns = [
    /^(?:import|export)\s+(type\s)?[^;'"]*?\bfrom\s+'([^']+)'/gm,
    /^import\s+()'([^']+)'/gm,
    /\bimport\(()'([^']+)'\)/g,
    /\bnew URL\(()'([^']+)'/g,
  ];
  return patterns
    .flatMap(pattern => [...text.matchAll(pattern)])
    .filter(([, , specifier]) => specifier!.startsWith('.'))
    .map(([, type, specifier]) => ({
      from: file,
      to: posix.join(dirname(file), specifier!).replace(/\.js$/, '.ts'),
      typeOnly: Boolean(type),
    }));
}

const imports = files.flatMap(importsOf).filter(({ to }) => !to.startsWith('..'));
const say = ({ from, to }: Import) => `${from} imports ${to}`;

test('this test sees every import of the source', () => {
  assert.ok(files.length > 60 && imports.length > 200, `${files.length} files, ${imports.length} imports`);
  assert.equal(imports.filter(({ to }) => !textOf.has(to)).map(say), []);
  // This test must see every import that the compiler sees.
  for (const file of files) {
    const lines = textOf.get(file)!.match(/from '\.[^']*'/g)?.length ?? 0;
    assert.ok(importsOf(file).length >= lines, file);
  }
});

test('every file of src has a room', () => {
  assert.equal(
    files.filter(file => floorOf(file) < 0 && !COMMON.includes(file)),
    [],
  );
});

test('imports point one way', () => {
  const wrong = imports.filter(({ from, to }) => {
    if (COMMON.includes(to)) return false;
    return COMMON.includes(from) || floorOf(to) > floorOf(from);
  });
  assert.equal(wrong.map(say), []);
});

test('commands do not import formats, and formats import only the blocks of a document', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      roomOf(from) === 'format' && roomOf(to) !== 'format' && !COMMON.includes(to) && to !== 'report/doc.ts',
  );
  assert.equal(wrong.map(say), []);
  assert.not.ok(
    imports.some(({ from, to }) => ['report', 'commands'].includes(roomOf(from)) && roomOf(to) === 'format'),
  );
});

test('the command line imports commands and formats, and of lower rooms only the parsers of arguments', () => {
  const allowed = ({ to }: Import) =>
    [
      ...COMMON,
      'commands.ts',
      'progress.ts',
      'docker/release.ts',
      'write/unfinished.ts',
      'write/output-file.ts',
      'write/system-error.ts',
      'cache/cache.ts',
      // The clock.
      'containers/deadline.ts',
    ].includes(to) || ['report', 'commands', 'format', 'spec', 'cli'].includes(roomOf(to));
  const ofTheCommandLine = ({ from }: Import) => from === 'cli.ts' || roomOf(from) === 'cli';
  assert.equal(imports.filter(i => ofTheCommandLine(i) && !allowed(i)).map(say), []);
  // A command is imported when it is called, and the library as a whole never: every start would pay for it.
  const eager = [...textOf].flatMap(([file, text]) =>
    file === 'cli.ts' || roomOf(file) === 'cli'
      ? [
          ...text.matchAll(
            /^import (?!type )[^;]*? from '[./]+(report\/|commands\/|format\/|index\.|commands\.|library\/)[^']*'/gm,
          ),
        ].map(m => `${file}: ${m[0]}`)
      : [],
  );
  assert.equal(eager, []);
});

test('imports have no circles', () => {
  const next = new Map(
    files.map(file => [file, imports.filter(i => i.from === file && !i.typeOnly).map(i => i.to)]),
  );
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]) => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' > '));
    else if (!done.has(file)) for (const to of next.get(file) ?? []) walk(to, [...way, file]);
    done.add(file);
  };
  for (const file of files) walk(file, []);
  assert.equal(circles, []);
});

/** Lines of code that match, without comments. */
function uses(pattern: RegExp, but: readonly string[]): string[] {
  return files
    .filter(file => !but.includes(file) && !but.includes(roomOf(file)))
    .flatMap(file =>
      textOf
        .get(file)!
        .replace(/\/\*[\s\S]*?\*\//g, comment => comment.replace(/[^\n]/g, ' '))
        .split('\n')
        .map((line, i) => ({ line: line.replace(/(^|\s)\/\/.*$/, ''), at: `${file}:${i + 1}` })),
    )
    .filter(({ line }) => pattern.test(line))
    .map(({ at, line }) => `${at} ${line.trim()}`);
}

test('only the command line prints, reads the environment or exits', () => {
  assert.equal(
    uses(/\bprocess\.(stdout|stderr|stdin|env|exit|exitCode|argv)\b|\bconsole\./, [
      'cli.ts',
      'progress.ts',
      // It prints if the main thread cannot.
      'cli/watchdog-thread.ts',
    ]),
    [],
  );
});

test('only containers, scan, cache and write touch files and threads', () => {
  assert.equal(
    uses(/'node:(fs|fs\/promises|worker_threads|child_process|net|http|https|dns)'/, [
      'containers',
      'scan',
      'cache',
      'write',
      'cli.ts',
      // Whether a file may be looked at.
      'permission.ts',
      'cli/watchdog.ts',
      'cli/watchdog-thread.ts',
      // Threads that each read whole archives.
      'commands/scan/lanes.ts',
      'commands/scan/lane-thread.ts',
      // The scripts of a page, from the installation directory.
      'format/page-scripts.ts',
    ]),
    [],
  );
  // A pipe is one of Node's sockets.
  assert.equal(
    uses(/'node:(net|http|https|dns|tls|dgram)'|\bfetch\(/, ['containers/pipe.ts']),
    [],
    'no network',
  );
  assert.equal(uses(/\bconnect\(/, []), [], 'no network, nor through a socket that is there');
  // Node cannot create devices and pipes; `mknod` does, on request.
  assert.equal(uses(/'node:child_process'/, ['write/special-file.ts']), [], 'no commands');
});

test('rooms that only read data never throw', () => {
  const pure = uses(/\bthrow\b/, [
    'codec',
    'tar',
    'containers',
    'scan',
    'cache',
    'write',
    'go',
    'report',
    'commands',
    'library',
    'cli',
    'cli.ts',
    'progress.ts',
    'limits.ts',
    'inside.ts',
  ]);
  // A modelled engine throws the refusal, and catches it itself.
  assert.equal(
    pure.filter(line => !/^(engines|decoding)\//.test(line)),
    [],
  );
});

/** These rooms and files take apart command lines, templates, Dockerfile lines and prose, which are no facts. */
const SPLITTERS = [
  'analysis/instruction.ts',
  'commands/diff/words.ts',
  'format/markdown.ts',
  'go/template/parse.ts',
];

test('no text of a fact is parsed back: facts carry codes and data', () => {
  const text = '(?:refusal|message|reason|words|note|error|passed|stop|fault|context)';
  const asked = '(?:startsWith|endsWith|includes|indexOf|match|search|replace|slice)';
  const parses = new RegExp(
    `\\b${text}(?:\\?\\.|!\\.|\\.)${asked}\\(|\\.(?:test|exec)\\([\\w.?!]*\\b${text}\\b`,
  );
  assert.equal(uses(parses, ['cli', 'cli.ts', ...SPLITTERS]), []);
  // The names of producers and of engines are for people.
  assert.equal(uses(/\bproducer\??\.name\??\.\w+\(|\bengine\.split\(/, []), []);
});

/**
 * Stores of a module that change, each with the reason why its memory is bounded. Results about an archive belong to
 * `Scan.once`.
 */
const MODULE_STORES: Readonly<Record<string, string>> = {
  'cli/signals.ts': 'listeners of the process',
  'containers/deadline.ts': 'by signal of a caller: what waits for it',
  'containers/pipe.ts': 'descriptors of the process',
  'containers/tar-file.ts': 'who holds a block of memory, until it is released',
  'decoding/go-json.ts': 'by document',
  'engines/docker-archive.ts': 'by document',
  'engines/tar-file.ts': 'by reading',
  'go/json/decode.ts': 'by type: as many as the program has',
  'go/template/encode.ts': 'by type: as many as the program has',
  'library/archive.ts': 'by the archive that a caller of the library holds',
  'secrets/credential-files.ts': 'by name of a file: filled once from a constant table',
  'scan/entries/content.ts': 'by the table of entries that it is the text of',
  'scan/entries/table.ts': 'by the table of entries that it is the text of',
  'scan/threads/blob-thread.ts': 'blobs that the thread works on',
  'spec/json.ts': 'by list of field names: as many as the program has',
  'write/unfinished.ts': 'files that are to be removed',
};

test('no module keeps what it computes of an archive', () => {
  const stores = uses(/^(export )?(const|let) \w+(: [^=]+)? = new (Weak)?(Map|Set)(<.*>)?\(\)/, []).filter(
    // A constant that is empty.
    store => !/ NO_[A-Z]+: /.test(store),
  );
  const wrong = stores.filter(store => !Object.keys(MODULE_STORES).includes(store.split(':')[0]!));
  assert.equal(wrong, []);
});

test('what is readonly stays so', () => {
  assert.equal(uses(/ as \{ (?!readonly )[^}]*\}\)[.\w]* = /, []), []);
});

/** Rules of specifications that are easily written again: the only file of each. */
const RULES: readonly (readonly [rule: string, pattern: RegExp, file: string])[] = [
  ['names of whiteouts', /'\.wh\.(\.wh\.|\.opq)?[\w.]*'/, 'spec/whiteout.ts'],
  ['characters of JSON that Go escapes for HTML', /\[<>&\\u2028/, 'spec/json-text.ts'],
  ["Go's reading of RFC 3339", /\(\\d\{4\}\)-\(\\d\\d\)/, 'go/time.ts'],
  ["Go's path.Clean", /at\(-1\) !== '\.\.'/, 'tar/path.ts'],
  ['the type digest.Digest', /'digest\.Digest'/, 'go/image-types.ts'],
  ['which images are platforms of one', /platforms\.size !== /, 'report/ambiguity.ts'],
  ['the message that asks which one is meant', /`Say which one/, 'report/ambiguity.ts'],
];

test('a rule is written once', () => {
  for (const [rule, pattern, file] of RULES) {
    assert.equal(uses(pattern, [file, 'filesystem/unloadable.ts', 'go/json/types.ts']), [], rule);
    assert.is.not(uses(pattern, []).length, 0, `${rule}: ${file} has it no more`);
  }
});

test('no default exports, no enums, no utils', () => {
  assert.equal(uses(/^export default\b|^(export )?(const )?enum\b/, []), []);
  assert.equal(
    files.filter(file => /(utils?|helpers?|manager)\b/i.test(file) || !/^[a-z0-9/-]+\.ts$/.test(file)),
    [],
  );
});

test('no file is longer than 500 lines', () => {
  const long = files
    .map(file => ({ file, lines: textOf.get(file)!.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > 500);
  assert.equal(long, []);
});

test('the binary only checks the version of Node and starts the bundle', () => {
  const binary = join(repositoryRoot, 'bin/waybill.js');
  assert.ok(existsSync(binary));
  assert.ok(readFileSync(binary, 'utf8').trim().split('\n').length <= 12);
});

test.run();
