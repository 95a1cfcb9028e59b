// `waybill scan --cache` and the cache of other commands, as processes.
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadExaminer } from '../../src/commands/scan/examine.js';
import { waybill } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { image } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { toDirectory, toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('scan-cache');
const SAMPLES = join(repositoryRoot, 'samples');
const fleet = join(folder, 'fleet');
mkdirSync(fleet);
for (const name of [
  'hello-docker-28.tar',
  'hello-oci.tar',
  'broken-layer.tar',
  'truncated.tar',
  'hello-oci.zip',
])
  copyFileSync(join(SAMPLES, name), join(fleet, name));
const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24);
for (const own of ['a', 'b', 'c', 'd', 'e', 'f']) {
  const made = await image({
    layers: [{ files: { shared: content }, compression: 'gzip' }, { files: { own: own.repeat(9) } }],
  });
  writeFileSync(
    join(fleet, `${own}.tar`),
    await toTar(layouts.dockerSave25({ image: made, tags: [`app:${own}`] })),
  );
}
writeFileSync(join(fleet, 'notes.txt'), 'no archive');
writeFileSync(join(fleet, 'empty.tar'), new Uint8Array(10_240));
writeFileSync(join(fleet, 'cut.zip'), readFileSync(join(SAMPLES, 'hello-oci.zip')).subarray(0, -20));
const layout = layouts.skopeoOci({ image: await image({ layers: [{ files: { own: 'folder' } }] }) });
toDirectory(layout, join(fleet, 'layout'));
await new Promise(resolve => setTimeout(resolve, 100));

let number = 0;
const fresh = () => join(folder, `cache${number++}`);

/** The records of a run, without the values that differ between two. */
async function scanned(...args: readonly string[]) {
  const { stdout, stderr, status } = await waybill(['scan', fleet, '-o', '-', ...args]);
  assert.match(String(status), /^[012]$/, stderr);
  const lines = stdout
    .replaceAll(/"durationMs":\d+/g, '"durationMs":0')
    .trimEnd()
    .split('\n');
  return { records: lines.slice(0, -1).sort(), end: lines.at(-1), stderr };
}

async function used(dir: string, ...args: readonly string[]): Promise<string> {
  const { stderr } = await waybill(['verify', fleet, '--cache', dir, '-v', ...args]);
  return /^waybill: cache: .*$/m.exec(stderr)?.[0] ?? '';
}

test('records are the same without a cache, with an empty one and with a full one', async () => {
  const policy = ['--preset', 'strict@1'];
  for (const args of [[], policy, ['--jobs', '1']]) {
    const dir = fresh();
    const without = await scanned(...args);
    assert.equal((await scanned(...args, '--cache', dir)).records, without.records);
    const before = entriesIn(dir);
    assert.ok(before.length >= 12, `${before.length} entries`);
    const third = await scanned(...args, '--cache', dir);
    assert.equal(third.records, without.records);
    assert.equal(third.end, without.end);
    assert.equal(entriesIn(dir), before, 'nothing was added or replaced');
  }
});

/** Name, inode and time of each entry. */
const entriesIn = (dir: string): string[] =>
  readdirSync(join(dir, 'entries'), { recursive: true, encoding: 'utf8' })
    .map(name => ({ name, stats: statSync(join(dir, 'entries', name)) }))
    .filter(({ stats }) => stats.isFile())
    .map(({ name, stats: { ino, mtimeMs } }) => `${name} ${ino} ${mtimeMs}`)
    .sort();

test('a layer that several archives share is unpacked once, and --verbose says so', async () => {
  const dir = fresh();
  assert.match(await used(dir), /blobs 5 known, 1 unpacked, 1 kept$/);
  assert.match(await used(dir), /blobs 6 known, 0 unpacked, 0 kept$/);
});

test('a folder, and an error that lies in the bytes, are kept as well; what cannot be read is not', async () => {
  const dir = fresh();
  await scanned('--cache', dir);
  const archives = ['empty.tar', 'cut.zip', 'layout'].map(name => join(fleet, name));
  const known = async (...files: readonly string[]) => {
    const { stderr } = await waybill(['verify', '--root', fleet, ...files, '-o', '-', '--cache', dir, '-v']);
    return /archives (\d+) known/.exec(stderr)?.[1];
  };
  // Records of `scan` and `verify` are kept apart.
  assert.is(await known(...archives), '0');
  assert.is(await known(...archives), '3');
  writeFileSync(join(fleet, 'layout/blobs/sha256/other'), 'x');
  assert.is(await known(...archives), '2');
  unlinkSync(join(fleet, 'layout/blobs/sha256/other'));
  if (process.platform !== 'linux') return;
  const unreadable = join(folder, 'unreadable');
  toDirectory(layout, unreadable);
  writeFileSync(
    Buffer.concat([Buffer.from(`${unreadable}/blobs/`), Buffer.of(0xff)]),
    'no name that Node can open',
  );
  await new Promise(resolve => setTimeout(resolve, 100));
  for (let i = 0; i < 2; i++) assert.is(await known(unreadable), '0');
});

test('an archive that was changed in place, with its old time, is read again', async () => {
  const dir = fresh();
  const file = join(fleet, 'a.tar');
  const good = readFileSync(file);
  await scanned('--cache', dir);
  const { atime, mtime } = statSync(file);
  const evil = Buffer.from(good);
  evil[evil.indexOf('aaaaaaaaa')]! ^= 1;
  writeFileSync(file, evil);
  utimesSync(file, atime, mtime);
  const { records } = await scanned('--cache', dir);
  const record = JSON.parse(records.find(line => line.includes('"path":"a.tar"'))!);
  assert.is(record.verdicts.intact, false);
  assert.is(record.exitCode, 1);
  writeFileSync(file, good);
});

test('what the time of the run decides is not kept', async () => {
  const rules = { age: 'rules:\n  image-age: 90d\n', form: 'rules:\n  user-not-root: on\n' };
  const isLasting = async (text: string, trust = {}) => {
    const policy = join(folder, 'rules.yaml');
    writeFileSync(policy, text);
    const examine = await loadExaminer({
      command: 'check',
      failOn: 'error',
      requireComplete: false,
      requireImage: false,
      policy: { policy },
      lock: null,
      trust,
      baseline: null,
      bases: undefined,
      baseLists: new Map(),
      against: undefined,
      now: Date.now(),
      epoch: null,
      limits: {},
    });
    return (await examine(join(fleet, 'a.tar'), { jobs: 1 })).isLasting;
  };
  assert.is(await isLasting(rules.form), true);
  assert.is(await isLasting(rules.age), false);
  const expiring = 'exceptions:\n  - rule: user-not-root\n    reason: old\n    expires: 2099-01-01\n';
  assert.is(await isLasting(`${rules.form}${expiring}`), false, 'an exception that ends');
  assert.is(
    await isLasting(rules.form, { requireSignature: true, key: [join(SAMPLES, 'cosign.pub')] }),
    false,
  );
});

test('four processes on one empty cache give the records of one without', async () => {
  const dir = fresh();
  const without = await scanned();
  const runs = await Promise.all([1, 2, 3, 4].map(() => scanned('--cache', dir, '--cache-size', '1Mi')));
  for (const { records, stderr } of runs) {
    assert.equal(records, without.records);
    assert.not.match(stderr, /cache/);
  }
  assert.equal(readdirSync(join(dir, 'unfinished')), []);
});

test('a cache that cannot be made is said once, and changes nothing', async () => {
  if (process.platform !== 'linux') return;
  const without = await scanned();
  const { records, stderr } = await scanned('--cache', '/proc/cache');
  assert.equal(records, without.records);
  assert.is(stderr.match(/the cache \/proc\/cache is not used/g)?.length, 1);
});

test('options that mean nothing are errors', async () => {
  const file = join(fleet, 'a.tar');
  for (const [args, words] of [
    [['--cache-size', '1G'], /--cache-size is about a cache: name its directory with --cache/],
    [['--cache-key', 'k'], /--cache-key is about a cache/],
    [['--cache', ''], /--cache: expected a directory, found an empty name/],
    [['--cache', fresh(), '--cache-size', '1x'], /--cache-size: expected a size from 1Mi/],
    [['--cache', fresh(), '--cache-key', join(folder, 'none')], /--cache-key: there is no such file/],
    [
      ['--cache', fresh(), '--cache-key', join(fleet, '../empty')],
      /--cache-key: expected at least 16 bytes, found 0/,
    ],
    [['--cache', fleet], /expected an empty directory or a cache, found other files/],
  ] as const) {
    writeFileSync(join(folder, 'empty'), '');
    const { stderr, status } = await waybill(['verify', file, ...args]);
    assert.is(status, 2, args.join(' '));
    assert.match(stderr, words);
  }
});

test.run();
