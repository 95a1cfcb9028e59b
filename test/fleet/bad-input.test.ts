// What lies in real folders and lists, and what happens to machines while a fleet is read.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';
import { assertSameResults, linesOf, testFleet, WAYBILL, waybill } from './runs.js';

const SAMPLE = join(repositoryRoot, 'samples/hello-docker-28.tar');

/** Paths that are equal as bytes, with their records. */
const recordsOf = (file: string) =>
  new Map(
    linesOf(file)
      .slice(0, -1)
      .map(record => [record.path as string, record]),
  );

/** A folder with this many copies of a sample. */
function copies(name: string, count: number): string {
  const folder = join(temporary(name), 'archives');
  mkdirSync(folder);
  for (let at = 0; at < count; at++) copyFileSync(SAMPLE, join(folder, `${at}.tar`));
  return folder;
}

test('an archive that cannot be read is reported among good ones, and exit 2 wins over 1 and 0', () => {
  const archives = copies('unreadable', 2);
  copyFileSync(join(repositoryRoot, 'samples/broken-layer.tar'), join(archives, 'broken.tar'));
  const sound = join(archives, '../sound.ndjson');
  assert.is(waybill(['scan', archives, '-o', sound]).status, 1);
  const zip = readFileSync(join(repositoryRoot, 'samples/hello-oci.zip'));
  writeFileSync(join(archives, '1-cut.zip'), zip.subarray(0, zip.length - 30));
  const results = join(archives, '../results.ndjson');
  const { status, stderr } = waybill(['scan', archives, '-o', results]);
  assert.is(status, 2);
  assert.match(stderr, '1-cut.zip');
  const records = recordsOf(results);
  assert.equal(
    [...records].map(([path, { exitCode }]) => [path, exitCode]),
    [
      ['0.tar', 0],
      ['1-cut.zip', 2],
      ['1.tar', 0],
      ['broken.tar', 1],
    ],
  );
  assert.match(JSON.stringify(records.get('1-cut.zip')!.error), 'End of Central Directory');
  assert.is(linesOf(results).at(-1)!.exitCode, 2);
});

test('a list names files twice, by links, and by names with newlines and bytes that are not UTF-8', () => {
  const archives = copies('list', 1);
  const odd = Buffer.concat([Buffer.from(`${archives}/`), Buffer.from('caf\xe9\n.tar', 'latin1')]);
  copyFileSync(SAMPLE, odd as never);
  symlinkSync('0.tar', join(archives, 'link.tar'));
  linkSync(join(archives, '0.tar'), join(archives, 'hard.tar'));
  symlinkSync('nowhere.tar', join(archives, 'dangling.tar'));
  const paths = [
    '0.tar',
    './0.tar',
    'link.tar',
    'sub/../0.tar',
    'hard.tar',
    'dangling.tar',
    `${archives}/0.tar`,
  ];
  const list = Buffer.concat([
    Buffer.from(paths.map(path => `${path}\0`).join('')),
    Buffer.from('caf\xe9\n.tar\0', 'latin1'),
  ]);
  const results = join(archives, '../results.ndjson');
  const { status, stderr } = waybill(['scan', '--root', archives, '--files-from', '-', '-o', results], {
    input: list,
  });
  assert.is(status, 2, stderr);
  assert.match(stderr, /3 .*(twice|more than once|duplicate|repeated)/i);
  const lines = linesOf(results).slice(0, -1);
  assert.equal(
    lines.map(({ path, pathBytes, exitCode }) => [path, pathBytes, exitCode]),
    [
      ['0.tar', undefined, 0],
      ['caf\ufffd\n.tar', Buffer.from('caf\xe9\n.tar', 'latin1').toString('base64'), 0],
      ['dangling.tar', undefined, 2],
      ['hard.tar', undefined, 0],
      ['link.tar', undefined, 0],
    ],
  );
  const merged = join(archives, '../merged.ndjson');
  waybill(['merge', results, '-o', merged]);
  assertSameResults(merged, results);
});

test('a file that grows while it is read has a record, and the run goes on', async () => {
  const archives = copies('growing', 3);
  const growing = join(archives, '1.tar');
  truncateSync(growing, 400_000_000);
  const results = join(archives, '../results.ndjson');
  const child = spawn(process.execPath, [WAYBILL, 'scan', archives, '-o', results], { stdio: 'ignore' });
  while (child.exitCode === null && child.signalCode === null) {
    appendFileSync(growing, Buffer.alloc(4096, 1));
    await wait(5);
  }
  assert.ok(child.exitCode === 1 || child.exitCode === 2, `${child.exitCode}`);
  const records = recordsOf(results);
  assert.equal([...records.keys()], ['0.tar', '1.tar', '2.tar']);
  assert.is.not(records.get('1.tar')!.exitCode, 0);
  // What a changed file was is not known: it is read again.
  const before = records.get('1.tar');
  copyFileSync(SAMPLE, growing);
  assert.is(waybill(['scan', archives, '--resume', results]).status, 0);
  assert.is(before!.exitCode === 0, false);
  assert.is(recordsOf(results).get('1.tar')!.exitCode, 0);
});

const mounts = (args: readonly string[]) => spawnSync('mount', args).status === 0;

/** A file system of so many bytes; null where it cannot be mounted. */
function smallDisk(kilobytes: number): string | null {
  const folder = temporary('disk');
  return mounts(['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'none', folder]) ? folder : null;
}

const disk = smallDisk(64);

testWhen(
  test,
  disk !== null,
  'no file system can be mounted here',
)('a disk that is full in the middle is an error, and what was written is resumed', () => {
  try {
    const { folder, archives } = testFleet('full', 128);
    const results = join(disk!, 'results.ndjson');
    const { status, stderr } = waybill(['scan', archives, '-o', results]);
    assert.is(status, 2);
    assert.match(stderr, /no space|full/i);
    assert.not.match(stderr, /\n\s+at /);
    assert.not.ok(existsSync(results));
    assert.ok(statSync(`${results}.partial`).size > 4096);
    assert.not.ok(existsSync(`${results}.lock`));
    assert.ok(mounts(['-o', 'remount,size=4m', disk!]));
    const resumed = waybill(['scan', archives, '--resume', results]);
    assert.is(resumed.status, 2, resumed.stderr);
    const whole = join(folder, 'whole.ndjson');
    waybill(['scan', archives, '-o', whole]);
    assertSameResults(results, whole);
  } finally {
    spawnSync('umount', [disk!]);
  }
});

test('a shard outside its total is an error that says what is expected', () => {
  for (const [shard, expected] of [
    ['0/10', '1'],
    ['11/10', '11'],
    ['3', '3'],
    ['auto', 'auto'],
    ['-1/3', '-1'],
    ['1/0', '0'],
  ] as const) {
    const results = join(temporary('shard'), 'results.ndjson');
    const { status, stderr } = waybill(['scan', SAMPLE, `--shard=${shard}`, '-o', results]);
    assert.is(status, 2, shard);
    assert.match(stderr, expected);
    assert.not.ok(existsSync(results) || existsSync(`${results}.partial`), shard);
  }
});

test('results of another list are neither resumed nor merged', () => {
  const archives = copies('other', 2);
  const [first, second] = ['first.ndjson', 'second.ndjson'].map(name => join(archives, '..', name)) as [
    string,
    string,
  ];
  waybill(['scan', archives, '--shard', '1/2', '-o', first]);
  copyFileSync(SAMPLE, join(archives, 'added.tar'));
  waybill(['scan', archives, '--shard', '2/2', '-o', second]);
  const { status, stderr } = waybill(['merge', first, second]);
  assert.is(status, 2);
  assert.match(stderr, /list/);
  const other = copies('foreign', 0);
  copyFileSync(SAMPLE, join(other, 'foreign.tar'));
  const before = readFileSync(first);
  const resumed = waybill(['scan', other, '--resume', first]);
  assert.is(resumed.status, 2, resumed.stderr);
  assert.ok(readFileSync(first).equals(before), 'nothing is overwritten');
});

test('a million paths on standard input are listed with bounded memory', async () => {
  const folder = temporary('million');
  const paths = Array.from(
    { length: 1_000_000 },
    (_, at) => `releases/2024/team-${at % 97}/application-${at}.tar\n`,
  );
  writeFileSync(join(folder, 'list'), paths.join(''));
  const results = join(folder, 'results.ndjson');
  // V8 ends a process whose heap grows beyond this.
  const args = [
    '--max-old-space-size=400',
    WAYBILL,
    'scan',
    '--root',
    folder,
    '--files-from',
    '-',
    '--shard',
    '1/200000',
  ];
  const child = spawnSync(
    'sh',
    ['-c', `"$@" -o ${results} < ${folder}/list`, 'sh', process.execPath, ...args],
    {
      encoding: 'utf8',
    },
  );
  assert.is(child.status, 2, child.stderr);
  const trailer = linesOf(results).at(-1) as { count: number; listCount: number };
  assert.is(trailer.listCount, 1_000_000);
  assert.ok(trailer.count > 0 && trailer.count < 30, `${trailer.count}`);
});

test('two runs on one results file refuse each other', async () => {
  const archives = copies('twice', 1);
  truncateSync(join(archives, '0.tar'), 2_000_000_000);
  const results = join(archives, '../results.ndjson');
  const first = spawn(process.execPath, [WAYBILL, 'scan', archives, '-o', results], { stdio: 'ignore' });
  while (!existsSync(`${results}.lock`)) await wait(5);
  const second = waybill(['scan', archives, '--resume', results]);
  assert.is(second.status, 2);
  assert.match(second.stderr, `${first.pid}`);
  first.kill('SIGTERM');
  await once(first, 'exit');
  assert.not.ok(existsSync(`${results}.lock`));
});

test('a folder that is renamed while it is read gives errors, and no run without an end', async () => {
  const archives = copies('renamed', 200);
  const results = join(archives, '../results.ndjson');
  const child = spawn(process.execPath, [WAYBILL, 'scan', archives, '-o', results], { stdio: 'ignore' });
  while (!existsSync(`${results}.partial`) && child.exitCode === null) await wait(1);
  renameSync(archives, `${archives}-moved`);
  await once(child, 'exit');
  assert.is(linesOf(results).length, 201);
});

test.run();
