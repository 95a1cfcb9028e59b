// Node itself: versions that are too old, warnings of new ones, and the permission model, by which an auditor proves
// that reading an archive needs nothing but the archive.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { singleFile } from '../../bin/package/single-file.js';
import { COMMANDS } from '../../src/cli/command-words.js';
import type { Run } from '../support/cli.js';
import { compress } from '../support/compression.js';
import { repositoryRoot } from '../support/corpus.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { runNode, testWithNode } from '../support/nodes.js';
import { toDirectory, toTar, toZip } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

// The permission model compares real paths.
const folder = realpathSync(temporary('node-versions'));
const root = realpathSync(repositoryRoot);
const bin = join(root, 'bin/waybill.js');
const single = join(folder, 'waybill.mjs');
writeFileSync(single, (await singleFile('module')).text);
const sample = join(folder, 'sample.tar');
writeFileSync(sample, readFileSync(join(root, 'samples/hello-docker-28.tar')));
const results = join(folder, 'results.ndjson');
runNode(process.execPath, [bin, 'scan', sample, '-o', results]);

const needed = /^>=(\d+\.\d+)\.0$/.exec(
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node,
)![1];
const tooOld = (version: string) =>
  `waybill: Node ${version} is too old: waybill needs Node ${needed} or later\n`;

test('a Node that is too old is told so in one sentence', () => {
  const pretend = join(folder, 'pretend.cjs');
  for (const [version, isOld] of [
    ['8.17.0', true],
    ['18.20.8', true],
    ['20.16.0', true],
    ['20.17.0', false],
    ['22.0.0', false],
    ['100.0.0', false],
  ] as const) {
    const versions = { ...process.versions, node: version };
    writeFileSync(
      pretend,
      `Object.defineProperty(process, 'versions', { value: ${JSON.stringify(versions)} });`,
    );
    for (const program of [bin, single]) {
      const { stdout, stderr, status } = runNode(process.execPath, [
        '-r',
        pretend,
        program,
        'verify',
        sample,
      ]);
      assert.equal([stderr, status], isOld ? [tooOld(version), 2] : ['', 0], `${program} ${version}`);
      assert.is(stdout === '', isOld);
    }
  }
});

for (const major of [14, 16, 18])
  testWithNode(major, 'is too old', node => {
    const version = runNode(node, ['-p', 'process.versions.node']).stdout.trim();
    for (const program of [bin, single]) {
      const { stdout, stderr, status } = runNode(node, [program, 'verify', sample]);
      assert.equal({ stdout, stderr, status }, { stdout: '', stderr: tooOld(version), status: 2 }, program);
    }
  });

/** A command line of each command that reads. A command that only writes has none. */
const READING: Readonly<Record<string, readonly (readonly string[])[] | null>> = {
  show: [['show', sample], [sample]],
  verify: [
    ['verify', sample],
    ['verify', sample, '--json'],
    ['verify', sample, '--timeout', '60s', '--jobs', '4'],
    ['verify', `${sample}#hello:1.0`],
    ['verify', `docker-archive:${sample}`],
  ],
  check: [
    ['check', sample],
    ['check', sample, '--preset', 'strict@1'],
  ],
  ids: [['ids', sample]],
  sizes: [['sizes', sample]],
  waste: [['waste', sample]],
  base: [['base', sample]],
  diff: [['diff', sample, sample]],
  report: [
    ['report', sample],
    ['report', sample, '--format', 'html'],
  ],
  explain: [['explain']],
  lock: [['lock', sample]],
  signatures: [['signatures', sample]],
  attestations: [['attestations', sample]],
  packages: [['packages', sample]],
  files: [['files', sample]],
  cat: [
    ['cat', sample, '/etc/os-release'],
    ['cat', sample, '/absent'],
  ],
  extract: null,
  scan: null,
  merge: [['merge', results]],
  images: [['images', sample]],
  history: [['history', sample]],
  inspect: [
    ['inspect', sample],
    ['inspect', sample, 'absent'],
  ],
  image: [
    ['image', 'inspect', sample],
    ['image', 'ls', sample],
    ['image', 'history', sample],
  ],
  imagetools: [['imagetools', 'inspect', sample]],
  buildx: [['buildx', 'imagetools', 'inspect', sample]],
  manifest: [['manifest', 'inspect', sample]],
  config: [['config', sample]],
  completion: [['completion', 'bash']],
};

test('every command stands in the list of this test', () => {
  assert.equal(Object.keys(READING).sort(), [...COMMANDS].sort());
});

const commandLines = Object.values(READING).flatMap(lines => lines ?? []);

/** Node with the permission model: only these paths may be read, and nothing is written, started or connected to. */
const restricted = (node: string, allowed: readonly string[]) => {
  const { stdout } = runNode(node, ['-p', "process.allowedNodeEnvironmentFlags.has('--permission')"]);
  const flag = stdout.trim() === 'true' ? '--permission' : '--experimental-permission';
  // Node's own warning, on versions on which the model is an experiment.
  return [flag, '--disable-warning=ExperimentalWarning', ...allowed.map(path => `--allow-fs-read=${path}`)];
};

const PROGRAMS = {
  'the npm package': { program: bin, own: [bin, join(root, 'dist/bundle/')] },
  'the single file': { program: single, own: [single] },
} as const;

const MAJORS = [20, 22, 24, 26];

/** A deprecated function, even one whose deprecation is still pending, is an error. */
const STRICT = ['--pending-deprecation', '--throw-deprecation'];

const free = new Map<readonly string[], Run>();
/** The outcome without restrictions; it does not depend on the version of Node. */
function expected(line: readonly string[]): Run {
  const known = free.get(line) ?? runNode(process.execPath, [bin, ...line]);
  free.set(line, known);
  return known;
}

function checkLine(node: string, flags: readonly string[], program: string, line: readonly string[]): void {
  const { stdout, stderr, status } = runNode(node, [...flags, program, ...line]);
  const { stdout: output, ...rest } = expected(line);
  assert.equal([stderr, status], [rest.stderr, rest.status], line.join(' '));
  assert.is(stdout, output, line.join(' '));
}

for (const major of MAJORS) {
  testWithNode(
    major,
    'every reading command works with the right to read the archive, without a warning',
    node => {
      for (const { program, own } of Object.values(PROGRAMS)) {
        const flags = [...STRICT, ...restricted(node, [...own, sample, results])];
        for (const line of program === bin ? commandLines : commandLines.slice(0, 3))
          checkLine(node, flags, program, line);
      }
    },
  );
}

/** Above the size from which threads are used. */
const noise = (seed: number) => {
  const bytes = Buffer.alloc(18 << 20);
  let state = seed;
  for (let at = 0; at < bytes.length; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
};

test('permission model: other archives, one thread in place of many, and standard input', async () => {
  const item = await image({ layers: [1, 2].map(seed => ({ files: { [`data${seed}`]: noise(seed) } })) });
  const members = layouts.skopeoOci({ image: item, tags: ['app:1'] });
  const tar = Buffer.from(await toTar(members));
  const files: Readonly<Record<string, Uint8Array>> = {
    'large.tar': tar,
    'large.tar.gz': compress(tar, 'gzip'),
    'large.zip': await toZip(members),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  const directory = toDirectory(members, join(folder, 'layout'));
  const { program, own } = PROGRAMS['the npm package'];
  for (const archive of [...Object.keys(files).map(name => join(folder, name)), directory]) {
    const flags = restricted(process.execPath, [...own, archive]);
    checkLine(process.execPath, flags, program, ['verify', archive]);
  }
  const flags = restricted(process.execPath, own);
  const { stdout, status } = runNode(
    process.execPath,
    [...flags, program, 'verify', '-'],
    readFileSync(sample),
  );
  assert.is(status, 0);
  assert.match(stdout, /intact yes {3}complete yes/);
});

for (const major of MAJORS)
  testWithNode(major, 'permission model: reports, scans and layers are written where it is allowed', node => {
    const place = join(folder, `written by ${major}`);
    const delivery = join(place, 'delivery');
    mkdirSync(delivery, { recursive: true });
    // More than a thread would be started for.
    for (const n of [1, 2, 3, 4, 5, 6]) copyFileSync(sample, join(delivery, `${n}.tar`));
    const { program, own } = PROGRAMS['the npm package'];
    const flags = [
      ...restricted(node, [...own, sample, `${place}/`]),
      `--allow-fs-write=${place}/`,
      '--disable-warning=SecurityWarning',
    ];
    const run = (...line: readonly string[]) => runNode(node, [...flags, program, ...line]);
    for (const [line, made] of [
      [['report', sample, '-o', join(place, 'page.html')], 'page.html'],
      [['lock', sample, '-o', join(place, 'a.lock.json')], 'a.lock.json'],
      [['scan', delivery, '-o', join(place, 'results.ndjson')], 'results.ndjson'],
      [['extract', sample, '--layers', join(place, 'layers')], 'layers'],
    ] as const) {
      const { stderr, status } = run(...line);
      assert.is(status, 0, stderr);
      assert.ok(existsSync(join(place, made)), made);
    }
    const all = ['a.lock.json', 'delivery', 'layers', 'page.html', 'results.ndjson'];
    assert.equal(readdirSync(place).sort(), all);
    const { stderr, status } = run('extract', sample, join(place, 'files'));
    assert.is(status, 2);
    assert.match(stderr, /allows no program to set the modes and times of files\n.*--layers DIR/);
  });

test('permission model: what is not allowed is an error that names the option', () => {
  const { program, own } = PROGRAMS['the npm package'];
  const flags = restricted(process.execPath, [...own, sample]);
  const other = join(folder, 'other.tar');
  const absent = 'no/such.tar';
  const why = (option: string, path: string) =>
    `Node's permission model does not allow it: start Node with ${option}=${path} too`;
  for (const [line, message] of [
    [['verify', other], `${other}: cannot be read: ${why('--allow-fs-read', other)}`],
    [['verify', absent], `${absent}: cannot be read: ${why('--allow-fs-read', absent)}`],
    [['check', sample, '--policy', other], `${other}: cannot be read: ${why('--allow-fs-read', other)}`],
    [
      ['verify', sample, '-o', other],
      `${other}: cannot be written: ${why('--allow-fs-read', `${folder}/ --allow-fs-write=${folder}/`)}`,
    ],
  ] as const) {
    const { stdout, stderr, status } = runNode(process.execPath, [...flags, program, ...line]);
    assert.equal([stdout, status], ['', 2]);
    assert.is(stderr.split('\n')[0], `waybill: ${message}`);
  }
});

test.run();
