// Several archives in one call: a row for each, and other files of a folder.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { reportMany } from '../../src/commands/many/index.js';
import {
  idsTally,
  showTally,
  sizesTally,
  type Tally,
  verifyTally,
  wasteTally,
} from '../../src/commands/many/tallies.js';
import {
  type ArchiveReading,
  ids,
  type Result,
  readArchive,
  show,
  sizes,
  verify,
  waste,
} from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { type Ended, FAILS, run } from '../faults/harness.js';
import { waybill } from '../support/cli.js';
import { corpusFolder, hasCorpus, NO_SHARED_FOLDER, repositoryRoot, testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import { dockerSave25 } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const sample = (name: string) => join(repositoryRoot, 'samples', name);
const [SAVED, BROKEN, OCI, ZIP, PODMAN, TRUNCATED] = [
  'hello-docker-28.tar',
  'broken-layer.tar',
  'hello-oci.tar',
  'hello-oci.zip',
  'hello-podman.tar.gz',
  'truncated.tar',
].map(sample) as [string, string, string, string, string, string];

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

interface Line {
  readonly file: string;
  readonly sha256: string | null;
  readonly exitCode: number;
  readonly error: { readonly what: string; readonly remedy: string | null } | null;
  readonly [property: string]: unknown;
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));

const jsonLines = async (...args: readonly string[]) => linesOf((await waybill([...args, '--json'])).stdout);

/** A folder with copies of archives under new names; a folder becomes a folder. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = temporary('many');
  for (const [name, from] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    cpSync(from, join(folder, name), { recursive: true });
  }
  return folder;
}

function unpacked(archive: string, to: string): void {
  mkdirSync(to, { recursive: true });
  execFileSync('tar', ['-xf', archive, '-C', to]);
}

const rowOf = (stdout: string, file: string) =>
  stdout
    .split('\n')
    .find(line => line.startsWith(`  ${file} `))
    ?.trim()
    .split(/ {2,}/);

test('a folder of a thousand files with three archives', async () => {
  const folder = folderWith({ 'a.dat': SAVED, 'deep/er/b': ZIP, 'c.txt': PODMAN });
  for (let i = 0; i < 990; i++) writeFileSync(join(folder, `file-${i}`), `no archive ${i}`);
  for (let i = 0; i < 7; i++) writeFileSync(join(folder, 'deep', `${i}.tar.sig`), `no archive ${i}`);
  const { stdout, stderr, status } = await waybill(['verify', folder]);
  assert.equal([stderr, status], ['', 0]);
  for (const [name, file] of [
    ['a.dat', SAVED],
    ['deep/er/b', ZIP],
    ['c.txt', PODMAN],
  ] as const)
    assert.equal(rowOf(stdout, join(folder, name)), [
      join(folder, name),
      '1',
      'yes',
      'yes',
      'yes',
      '-',
      sha256(file),
    ]);
  assert.match(stdout, /^3 archives\n/);
  assert.equal(rowOf(stdout, 'total'), ['total', '3', '3 of 3', '3 of 3', '3 of 3', '-']);
  // Five of the files with a name as of an archive are listed with the reason, the others are counted.
  assert.is(stdout.match(/^left out: .*\.tar\.sig: not an image archive but text/gm)?.length, 5);
  assert.match(stdout, /^992 other files left out \(--all lists them\)$/m);
  for (const command of ['show', 'ids', 'sizes', 'waste', 'packages', 'verify']) {
    const listed = (await waybill([command, folder, '--all'])).stdout;
    assert.is(listed.match(/^left out: /gm)?.length, 997, command);
    assert.not.match(listed, 'other files left out');
  }
  const json = await waybill(['verify', folder, '--json']);
  assert.is(linesOf(json.stdout).length, 3);
  assert.match(json.stderr, /^waybill: 992 other files left out \(--all lists them\)$/m);
});

test('an archive in a folder that is itself an image is read', async () => {
  const folder = folderWith({});
  unpacked(OCI, folder);
  assert.is(
    (await waybill(['verify', folder, '--json'])).stdout.split('\n')[0],
    '{',
    'one archive, one report',
  );
  copyFileSync(BROKEN, join(folder, 'broken.tar'));
  const lines = await jsonLines('verify', folder);
  assert.equal(
    lines.map(({ file, exitCode }) => [basename(file), exitCode]),
    [
      [basename(folder), 0],
      ['broken.tar', 1],
    ],
  );
});

test('layout folders and archives beside and inside one another are all found', async () => {
  const folder = folderWith({ 'x.tar': SAVED, 'sub/y.zip': ZIP });
  unpacked(OCI, join(folder, 'layout'));
  unpacked(SAVED, join(folder, 'sub/saved'));
  copyFileSync(PODMAN, join(folder, 'layout/z.tar.gz'));
  // A list of files, not an image's manifest.
  writeFileSync(join(folder, 'manifest.json'), '{"files": ["x.tar"]}');
  writeFileSync(join(folder, 'index.json'), '[]');
  const expected = [
    ['layout', null],
    ['layout/z.tar.gz', sha256(PODMAN)],
    ['sub/saved', null],
    ['sub/y.zip', sha256(ZIP)],
    ['x.tar', sha256(SAVED)],
  ];
  const lines = await jsonLines('verify', folder);
  const found = lines.map(line => [line.file.slice(folder.length + 1), line.sha256]);
  assert.equal(found, expected);
  const listed = await waybill(['images', folder, '--format', '{{.File}}', '--docker', '28']);
  for (const [name] of expected) assert.match(listed.stdout, join(folder, name!));
  assert.is(listed.status, 0);
  // The files of a layout are not listed as left out.
  assert.match(
    listed.stderr,
    /^waybill: left out: .*index\.json[^\n]*\nwaybill: left out: .*manifest\.json[^\n]*\n$/,
  );
  const { stdout } = await waybill(['verify', folder]);
  assert.equal(rowOf(stdout, join(folder, 'layout'))?.at(-1), '-');
});

test('a folder that is itself an image is one archive, also in another folder', async () => {
  const folder = temporary('many');
  unpacked(OCI, join(folder, 'outer/layout'));
  for (const file of [join(folder, 'outer/layout'), join(folder, 'outer')]) {
    const { stdout, status } = await waybill(['verify', file, '--json']);
    assert.equal([JSON.parse(stdout).archive.file, status], [file, 0]);
  }
  copyFileSync(SAVED, join(folder, 'outer/beside'));
  assert.is((await jsonLines('verify', join(folder, 'outer'))).length, 2);
});

test('an archive that is given by several paths is read once, and that is noted', async () => {
  const folder = folderWith({ 'a.tar': SAVED, 'sub/b.tar': OCI });
  symlinkSync('a.tar', join(folder, '0-link.tar'));
  linkSync(join(folder, 'sub/b.tar'), join(folder, 'sub/c.tar'));
  symlinkSync('sub', join(folder, 'other-way'));
  const [a, link, b] = ['a.tar', '0-link.tar', 'sub/b.tar'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const names = [a, a, link, join(folder, 'sub/../a.tar'), folder, b];
  const { stdout, status } = await waybill(['verify', ...names]);
  assert.is(status, 0);
  assert.match(stdout, /^2 archives\n/);
  assert.match(stdout, `${a} is named twice, and read once`);
  assert.is(stdout.match(/^.*, and read once$/gm)?.length, 5);
  assert.match(stdout, /^and 3 more that are named twice \(--all lists them\)$/m);
  const all = (await waybill(['verify', a, folder, b, '--all'])).stdout;
  assert.match(all, `${link} is the same file as ${a}, and read once`);
  assert.match(all, `${join(folder, 'sub/c.tar')} is the same file as ${b}, and read once`);
  assert.match(all, `${b} is named twice, and read once`);
  assert.match(
    all,
    `${join(folder, 'other-way')} is the same folder as ${join(folder, 'sub')}, and read once`,
  );
  // Two images of one file are two requests.
  assert.is((await jsonLines('show', `${OCI}#9540`, `${OCI}#a0688`)).length, 2);
});

test('a missing archive among ten hides none of the others', async () => {
  const good = [
    SAVED,
    BROKEN,
    OCI,
    ZIP,
    PODMAN,
    TRUNCATED,
    sample('hello-docker-24.tar'),
    sample('hello-docker-1.9.tar'),
  ];
  const names = [...good.slice(0, 4), 'missing.tar', ...good.slice(4), 'absent'];
  const lines = await jsonLines('verify', ...names);
  assert.equal(
    lines.map(({ file, exitCode }) => [file, exitCode]),
    names.map(file => [file, /missing|absent/.test(file) ? 2 : /broken|truncated/.test(file) ? 1 : 0]),
  );
  assert.equal(lines[4], {
    file: 'missing.tar',
    sha256: null,
    exitCode: 2,
    error: { what: 'no such file or directory', remedy: null },
  });
  for (const command of ['show', 'verify', 'ids', 'sizes', 'waste', 'packages']) {
    const { stdout, stderr, status } = await waybill([command, ...names]);
    assert.equal([stderr, status], ['', 2], command);
    assert.match(stdout, /^10 archives, 2 without a report\n/);
    assert.match(stdout, /^missing\.tar\nno report {2}no such file or directory$/m);
    for (const file of good) assert.match(stdout, sha256(file), `${command} ${file}`);
  }
  const images = await waybill(['images', ...names.slice(0, -1), '-q', '--no-trunc']);
  assert.is(images.status, 2);
  assert.match(images.stderr, /^waybill: missing\.tar: no such file or directory$/m);
  assert.is(images.stdout.match(/^sha256:/gm)?.length, 4);
});

test('exit codes combine: 2 has precedence over 1, and 1 over 0', async () => {
  const status = async (...args: readonly string[]) => (await waybill(args)).status;
  assert.is(await status('verify', SAVED, OCI), 0);
  assert.is(await status('verify', BROKEN, SAVED), 1);
  assert.is(await status('verify', 'no.tar', BROKEN, SAVED), 2);
  assert.is(await status('verify', BROKEN, SAVED, '--fail-on', 'never'), 0);
  assert.is(await status('verify', SAVED, OCI, '--require-complete', 'linux/s390x'), 1);
  assert.is(await status('show', SAVED, OCI, '--platform', 'linux/arm64'), 2);
  assert.is(await status('sizes', TRUNCATED, SAVED), 1);
});

test('links in circles or to nothing, pipes, sockets and devices do not hang and hide nothing', async () => {
  const folder = folderWith({ 'in/a.tar': SAVED });
  const place = join(folder, 'in');
  mkdirSync(join(place, 'down'));
  copyFileSync(OCI, join(place, 'down/b.tar'));
  copyFileSync(ZIP, join(folder, 'outside.zip'));
  symlinkSync('.', join(place, 'here'));
  symlinkSync('..', join(place, 'up'));
  symlinkSync('..', join(place, 'down/up'));
  symlinkSync('nowhere', join(place, 'dead'));
  symlinkSync('itself', join(place, 'itself'));
  symlinkSync('/dev/zero', join(place, 'zero'));
  execFileSync('mkfifo', [join(place, 'fifo')]);
  const server = createServer().listen(join(place, 'socket'));
  try {
    const { stdout, status } = await waybill(['verify', place, '--all']);
    assert.is(status, 0);
    assert.match(stdout, /^2 archives\n/);
    const reasons = [...stdout.matchAll(/^left out: (.*): (.*)$/gm)].map(([, file, why]) => [
      file!.slice(place.length + 1),
      why,
    ]);
    assert.equal(Object.fromEntries(reasons), {
      dead: 'a symlink to what is not there',
      'down/up': 'a symlink to a folder that it lies in',
      fifo: 'a named pipe',
      here: 'a symlink to a folder that it lies in',
      itself: 'a symlink to itself',
      socket: 'a socket',
      up: 'a symlink to a folder that it lies in',
      zero: 'a device',
    });
  } finally {
    server.close();
  }
});

const inPlace = (args: readonly string[], faults: Parameters<typeof run>[1] & object): Promise<Ended> =>
  run(args, {
    ...faults,
    before(work) {
      for (const name of ['one', 'sub', 'two']) mkdirSync(join(work, 'box', name), { recursive: true });
      copyFileSync(SAVED, join(work, 'box/one/a.tar'));
      copyFileSync(OCI, join(work, 'box/sub/b.tar'));
      copyFileSync(ZIP, join(work, 'box/two/c.zip'));
    },
  });

test('a folder or a file that cannot be read is a row, and hides none of the others', async () => {
  const [folder, file] = await Promise.all([
    inPlace(['verify', 'box', '--json'], {
      faults: [{ call: 'fs.readdirSync', path: 'sub', onwards: true, does: FAILS('EACCES') }],
    }),
    inPlace(['verify', 'box', '--json'], {
      faults: [{ call: 'fs.openSync', path: 'b.tar', onwards: true, does: FAILS('EACCES') }],
    }),
  ]);
  for (const [{ stdout, status }, name] of [
    [folder, 'box/sub'],
    [file, 'box/sub/b.tar'],
  ] as const) {
    const lines = linesOf(stdout);
    assert.equal(
      lines.map(line => [line.file, line.exitCode]),
      [
        ['box/one/a.tar', 0],
        [name, 2],
        ['box/two/c.zip', 0],
      ],
    );
    assert.match(lines[1]!.error!.what, 'cannot be read: permission denied');
    assert.is(status, 2);
  }
});

test('a file that changes between its digest and its report is reported as changed', async () => {
  // A smaller file is read once for both.
  const large = await image({ layers: [{ files: { data: new Uint8Array(1_200_000) } }] });
  const bytes = await toTar(dockerSave25({ image: large, tags: ['large:1'] }));
  const { stdout, status, struck } = await run(['verify', 'a.tar', 'b.tar'], {
    faults: [
      {
        call: 'fs.promises.open',
        path: 'a.tar',
        does: { kind: 'overwrite', file: 'a.tar', at: 30_000, text: 'changed' },
      },
    ],
    before(work) {
      writeFileSync(join(work, 'a.tar'), bytes);
      copyFileSync(OCI, join(work, 'b.tar'));
    },
  });
  assert.equal([struck, status], [1, 1]);
  assert.match(stdout, /^a\.tar\n(.*\n)*?error file-changed/m);
});

test('a damaged archive of a folder is a row with its digest', async () => {
  const folder = folderWith({ 'a.tar': SAVED });
  writeFileSync(join(folder, 'cut.zip'), readFileSync(ZIP).subarray(0, 700));
  const lines = await jsonLines('ids', folder);
  assert.equal(
    lines.map(line => [basename(line.file), line.exitCode, line.sha256]),
    [
      ['a.tar', 0, sha256(SAVED)],
      ['cut.zip', 2, sha256(join(folder, 'cut.zip'))],
    ],
  );
  assert.match(lines[1]!.error!.what, 'the zip cannot be read');
});

test('each line of JSON has the report of the archive alone', async () => {
  for (const command of [
    ['show'],
    ['verify'],
    ['ids', '--find', '2e930d'],
    ['sizes', '--by', 'file'],
    ['waste'],
    ['packages'],
    ['attestations', '--compare'],
  ]) {
    const [line] = await jsonLines(...command, SAVED, OCI);
    const alone = await waybill([...command, SAVED, '--json']);
    const { file, sha256: digest, exitCode, error, ...report } = line!;
    assert.equal(report, JSON.parse(alone.stdout), command.join(' '));
    assert.equal([file, digest, exitCode, error], [SAVED, sha256(SAVED), alone.status, null]);
  }
});

test('standard input is one of the archives, with the digest of what came in', async () => {
  const { stdout, status } = await run(['show', '-', SAVED, '--json'], { stdin: readFileSync(PODMAN) });
  assert.is(status, 0);
  assert.equal(
    linesOf(stdout).map(line => [line.file, line.sha256]),
    [
      ['-', sha256(PODMAN)],
      [SAVED, sha256(SAVED)],
    ],
  );
  const table = await run(['show', '-', SAVED], { stdin: readFileSync(PODMAN) });
  assert.is(rowOf(table.stdout, 'standard input')?.at(-1), sha256(PODMAN));
});

test('all archives share the timeout', async () => {
  const { stdout, status } = await run(['verify', SAVED, '-', OCI, '--timeout', '1s', '--json'], {
    stdin: () => {},
  });
  const lines = linesOf(stdout);
  assert.equal([lines.map(line => line.exitCode), status], [[0, 2, 2], 2]);
  assert.is(lines[2]!.error?.what, 'not read: the time is over');
});

test('the second of two arguments is a reference if it cannot be a file', async () => {
  const { stdout } = await waybill(['show', OCI, 'hello:1.0', '--json']);
  assert.is(JSON.parse(stdout).archive.file, OCI);
  const refused = await waybill(['verify', OCI, 'nope']);
  assert.equal([refused.stdout, refused.status], ['', 2]);
  assert.match(refused.stderr, /no image "nope" .*in it, and no such file\nIt holds:/);
  const alone = await waybill(['verify', OCI, '--ref', 'nope']);
  assert.match(alone.stderr, 'no image "nope"');
  assert.not.match(alone.stderr, 'no such file');
  for (const path of [
    './nope',
    '../nope',
    '/nope',
    '~/nope',
    'nope/',
    'nope.tar',
    'nope.TGZ',
    'no.tar.zst',
    'no.zip#a',
  ])
    assert.match((await waybill(['verify', OCI, path])).stdout, '2 archives, 1 without a report', path);
  assert.match((await waybill(['verify', OCI, 'nope', 'none'])).stdout, '3 archives, 2 without a report');
});

test('a reference for one archive, and one for all of them', async () => {
  const chosen = (lines: readonly Line[]) =>
    lines.map(({ error, images }) => error?.what ?? (images as readonly object[]).length);
  assert.equal(chosen(await jsonLines('show', `${OCI}#9540`, SAVED)), [1, 1]);
  assert.equal(chosen(await jsonLines('show', OCI, SAVED, '--ref', 'hello:1.0')), [2, 1]);
  assert.equal(chosen(await jsonLines('show', OCI, SAVED, '--platform', 'linux/arm64')), [
    1,
    'no image for linux/arm64 in it',
  ]);
  const two = await waybill(['show', `${OCI}#a`, 'b.tar', '--ref', 'c']);
  assert.is(two.status, 2);
  assert.match(two.stderr, 'expected one reference, found "a" and "c"');
});

test('verify prints why each archive fails', async () => {
  const { stdout } = await waybill(['verify', SAVED, BROKEN]);
  assert.match(stdout, new RegExp(`^${BROKEN}\nerror digest-mismatch `, 'm'));
  assert.not.match(stdout, new RegExp(`^${SAVED}\n`, 'm'));
  assert.equal(rowOf(stdout, BROKEN)?.slice(1, 6), ['1', 'no', 'yes', 'yes', '2 errors']);
});

test('ids has the IDs and digests of every image, and finds the archive that has a digest', async () => {
  const { stdout } = await waybill(['ids', OCI, SAVED]);
  const report = JSON.parse((await waybill(['ids', OCI, '--json'])).stdout);
  for (const { imageId, manifestDigest } of report.images)
    for (const digest of [imageId, manifestDigest]) assert.match(stdout, digest);
  const found = await waybill(['ids', OCI, SAVED, '--find', report.images[1].manifestDigest.slice(0, 20)]);
  assert.is(rowOf(found.stdout, OCI)?.[1], 'yes');
  assert.match(rowOf(found.stdout, OCI)?.[2] ?? '', /^manifest digest of /);
  assert.is(rowOf(found.stdout, SAVED)?.[1], 'no');
  assert.equal([rowOf(found.stdout, 'total')?.[1], found.status], ['1 of 2', 1]);
  const refused = await waybill(['ids', OCI, SAVED, '--find', 'xyz']);
  assert.equal([refused.stdout, refused.status], ['', 2]);
});

test('sizes and waste have sums, and the requested rows below them', async () => {
  const sizes = await waybill(['sizes', SAVED, OCI, '--bytes']);
  const reports = await jsonLines('sizes', SAVED, OCI);
  const stored = reports.map(report => (report.sizes as { stored: number }).stored);
  assert.is(rowOf(sizes.stdout, SAVED)?.[2], String(stored[0]));
  assert.is(rowOf(sizes.stdout, 'total')?.[2], String(stored[0]! + stored[1]!));
  assert.not.match(sizes.stdout, /\/etc\/os-release/);
  const files = await waybill(['sizes', SAVED, OCI, '--top', '2']);
  assert.match(
    files.stdout,
    new RegExp(`^${SAVED}\n(.*\n)*.*/etc/os-release(.*\n)*${OCI}\n(.*\n)*.*/etc/os-release`, 'm'),
  );
  const waste = await waybill(['waste', SAVED, OCI]);
  assert.match(
    rowOf(waste.stdout, SAVED)?.join(' ') ?? '',
    /^\S+ 1 \d+ ?B [\d.]+ % \d+ ?B [\d.]+ % [0-9a-f]{64}$/,
  );
  assert.is(
    (await waybill(['waste', SAVED, OCI, '--score', 'dive'])).stdout.includes('dive efficiency'),
    true,
  );
  assert.match(
    (await waybill(['waste', SAVED, OCI, '--top', '1'])).stdout,
    new RegExp(`^${SAVED}\nhello:1.0`, 'm'),
  );
});

const onTerminal = async <R>(
  files: readonly string[],
  tally: Tally<R>,
  report: (reading: ArchiveReading) => Result,
) => {
  const { doc } = await reportMany({
    names: files.map(archive => ({ archive })),
    read: file => readArchive(file, { depth: 'files', files: { digests: true }, sha256: true }),
    report: async reading => report(reading),
    tally,
    all: false,
    onLine: async () => {},
    keep: false,
  });
  return toText(doc, { width: 80, color: false });
};

test('on a terminal of 80 columns no digest and no path is cut, and no line is longer', async () => {
  const long = folderWith({ [`${'a-long-name-'.repeat(4)}.tar`]: SAVED });
  const files = [SAVED, OCI, join(long, readdirSync(long)[0]!), 'no-such-file.tar'];
  const texts = [
    await onTerminal(files, showTally(), reading => show(reading, {})),
    await onTerminal(files, verifyTally({ failOn: 'error' }), reading =>
      verify(reading, { failOn: 'error' }),
    ),
    await onTerminal(files, idsTally(undefined), reading => ids(reading, {})),
    await onTerminal(files, sizesTally({ units: 'si' }), reading => sizes(reading, {})),
    await onTerminal(files, wasteTally({}), reading => waste(reading, {})),
  ];
  for (const text of texts) {
    // The length of paths depends on the test's directory.
    for (const line of text.split('\n')) assert.ok(line.length <= 80 || files.includes(line.trim()), line);
    for (const file of files) assert.match(text, new RegExp(`^ *${file}`, 'm'));
    for (const file of files.slice(0, 3)) assert.match(text, new RegExp(`^ +${sha256(file)}$`, 'm'));
    // The titles of the lines are above them.
    assert.match(text, /^ {2}archive\b.*\n(.*\n){0,3} +sha256\n/m);
  }
  const { images } = JSON.parse((await waybill(['ids', OCI, '--json'])).stdout);
  for (const { imageId, manifestDigest } of images)
    assert.match(texts[2]!, new RegExp(`^ +${imageId}\n +${manifestDigest}$`, 'm'));
});

test('the table is written to files in every format', async () => {
  const folder = temporary('many');
  const paths = ['r.md', 'r.html', 'r.json', 'r.txt'].map(name => join(folder, name));
  const { status } = await waybill([
    'verify',
    SAVED,
    BROKEN,
    'no.tar',
    ...paths.flatMap(path => ['-o', path]),
  ]);
  assert.is(status, 2);
  assert.equal(readdirSync(folder).sort(), ['r.html', 'r.json', 'r.md', 'r.txt']);
  const [md, html, json, txt] = paths.map(path => readFileSync(path, 'utf8')) as [
    string,
    string,
    string,
    string,
  ];
  for (const text of [md, html, json, txt])
    for (const part of [sha256(SAVED), sha256(BROKEN), 'digest-mismatch', 'no such file or directory'])
      assert.match(text, part);
  assert.match(md, /^\| archive \| images \| .* \| sha256 \|$/m);
  assert.match(html, /<title>[^<]*3 archives/);
  assert.equal(
    (JSON.parse(json) as Line[]).map(({ file, exitCode }) => [file, exitCode]),
    [
      [SAVED, 0],
      [BROKEN, 1],
      ['no.tar', 2],
    ],
  );
});

test('a failed copy of an archive in a folder is an error, other files are left out', async () => {
  const folder = folderWith({ 'good.tar': SAVED });
  const failed: Readonly<Record<string, string | Uint8Array>> = {
    'empty.tar': '',
    'cut.tar': readFileSync(SAVED).subarray(0, 300),
    'page.TGZ': '<!doctype html><html>',
    'deep.tar.zst': 'not found',
    'text.zip': 'not found',
  };
  for (const [name, content] of Object.entries(failed)) writeFileSync(join(folder, name), content);
  symlinkSync('/no/such/mount/app.tar', join(folder, 'dead.tar'));
  symlinkSync('/no/such/mount/notes', join(folder, 'dead'));
  for (const name of ['good.tar.sig', 'good.tar.sha256', 'notes', 'page.html'])
    writeFileSync(join(folder, name), 'x');
  writeFileSync(
    join(folder, 'sources.tar'),
    await toTar([{ path: 'main.c', bytes: Buffer.from('int main;') }]),
  );
  for (const command of ['verify', 'check', 'show', 'sizes', 'scan']) {
    const { stdout, status } = await waybill([command, folder]);
    assert.is(status, 2, command);
    for (const name of [...Object.keys(failed), 'dead.tar']) assert.match(stdout, name, command);
    assert.match(
      stdout,
      command === 'scan' ? '6 other files left out' : 'sources.tar: a tar without an image in it',
    );
  }
});

test('a folder without an archive is described', async () => {
  const folder = temporary('many');
  writeFileSync(join(folder, 'page.oci'), '<!doctype html><html>');
  writeFileSync(join(folder, 'notes'), 'text');
  for (const args of [['verify'], ['ids', '--json']]) {
    const { stdout, stderr, status } = await waybill([...args, folder]);
    assert.equal([stdout, status], ['', 2]);
    assert.match(
      stderr,
      /nor is any of the 2 files below it an archive\n.*page\.oci: not an image archive but an HTML page/,
    );
  }
});

const withCorpus = testWhen(test, hasCorpus, NO_SHARED_FOLDER);

withCorpus('the whole corpus in one call: nothing is dropped, and every digest is the file’s', async () => {
  const archives = join(corpusFolder, 'archives');
  const [lines, { stdout, stderr }] = [
    await jsonLines('show', archives),
    await waybill(['show', archives, '--all']),
  ];
  assert.is(stderr, '');
  const leftOut = [...stdout.matchAll(/^left out: (\S+): /gm)].map(([, file]) => file!);
  const told = new Set(
    [...lines.map(line => line.file), ...leftOut].map(file => file.slice(archives.length + 1).split('/')[0]),
  );
  assert.equal(
    readdirSync(archives).filter(name => !told.has(name)),
    [],
  );
  for (const { file, sha256: digest } of lines)
    if (!file.endsWith('.d')) assert.is(digest, sha256(file), file);
    else assert.is(digest, null, file);
});

test('sizes: rows that are requested besides the totals are below the table', async () => {
  const files = [SAVED, OCI];
  const plain = (await waybill(['sizes', ...files])).stdout;
  const estimated = (await waybill(['sizes', ...files, '--estimate'])).stdout;
  assert.not.match(plain, /~\d/);
  assert.match(estimated, /~\d+ B/);
  assert.match((await waybill(['sizes', ...files, '--by', 'layer'])).stdout, /COPY rootfs/);
});

test.run();
