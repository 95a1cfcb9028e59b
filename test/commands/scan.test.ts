// A record for each of many archives: what it says, whichever thread made it, and what happens to bad ones.
import { spawnSync } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Lane, type LaneAnswer, type LaneSetup, type LaneTask } from '../../src/commands/scan/lane.js';
import { ThreadLane } from '../../src/commands/scan/lanes.js';
import { prepareScan, type ScanRequest } from '../../src/commands/scan/prepare.js';
import { readArchive, sizesOf, verify } from '../../src/commands.js';
import type { ArchiveRecord, ResultLine, Trailer } from '../../src/fleet/record.js';
import { runLine } from '../../src/progress.js';
import { nameBytes } from '../../src/spec/byte-path.js';
import { waybill } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { image } from '../support/image.js';
import { dockerSave25 } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const sample = (name: string) => join(repositoryRoot, 'samples', name);
const SAMPLES = [
  'hello-docker-28.tar',
  'broken-layer.tar',
  'hello-oci.tar',
  'hello-oci.zip',
  'hello-podman.tar.gz',
];

/** A folder with an archive that cannot be read, and a file that is none. */
function fleet(): string {
  const folder = temporary('scan');
  mkdirSync(join(folder, 'sub'));
  for (const name of SAMPLES) copyFileSync(sample(name), join(folder, name));
  copyFileSync(sample('hello-docker-28.tar'), join(folder, 'sub/same.tar'));
  writeFileSync(join(folder, 'sub/broken.tar'), new Uint8Array(1024));
  writeFileSync(join(folder, 'notes.txt'), 'text');
  return folder;
}

const folder = fleet();
const linesOf = (text: string): ResultLine[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
const archivesIn = (lines: readonly ResultLine[]) =>
  lines.filter((line): line is ArchiveRecord => line.kind === 'archive');

async function recordsOf(...args: readonly string[]): Promise<readonly ResultLine[]> {
  const { stdout, stderr } = await waybill(args);
  assert.is.not(stdout, '', stderr);
  return linesOf(stdout);
}

test('a record for each archive; one that cannot be read hides no other, and its exit code wins', async () => {
  const output = join(temporary('scan'), 'r.ndjson');
  const { status, stdout, stderr } = await waybill(['scan', folder, '-o', output]);
  assert.is(status, 2, stderr);
  assert.is(stdout, '');
  assert.match(
    stderr,
    /7 archives: 5 sound, 1 with findings that fail, 1 without a report, 1 other file left out/,
  );
  assert.match(stderr, /sub\/broken\.tar: a tar with nothing in it/);
  const lines = linesOf(readFileSync(output, 'utf8'));
  assert.equal(
    lines.map(line => ('path' in line ? [line.kind, line.path] : [line.kind])),
    [
      ['archive', 'broken-layer.tar'],
      ['archive', 'hello-docker-28.tar'],
      ['archive', 'hello-oci.tar'],
      ['archive', 'hello-oci.zip'],
      ['archive', 'hello-podman.tar.gz'],
      ['other', 'notes.txt'],
      ['archive', 'sub/broken.tar'],
      ['archive', 'sub/same.tar'],
      ['end'],
    ],
  );
  const end = lines.at(-1) as Trailer;
  assert.is(end.exitCode, 2);
  assert.not.ok(existsSync(`${output}.partial`) || existsSync(`${output}.lock`));
});

test('a record says what verify and sizes say', async () => {
  const lines = archivesIn(await recordsOf('scan', folder, '-o', '-'));
  for (const name of SAMPLES) {
    const record = lines.find(({ path }) => path === name)!;
    const reading = await readArchive(sample(name), { depth: 'files', sha256: true });
    const verified = verify(reading, { failOn: 'error' });
    const { images, verdicts, archive } = sizesOf(reading);
    assert.is(record.sha256, `sha256:${reading.sha256}`);
    assert.is(record.exitCode, verified.exitCode);
    assert.equal(record.verdicts, verdicts);
    assert.is(record.layout, archive.layout);
    assert.equal(
      record.findings!.map(({ code, fingerprint, message }) => [code, fingerprint, message]),
      verified.findings!.map(({ code, fingerprint, message }) => [code, fingerprint, message]),
    );
    assert.equal(
      record.images!.map(image => [image.imageId, image.names, image.sizes.unpacked, image.sizes.docker]),
      images.map(image => [image.imageId, image.names, image.sizes.unpacked, image.sizes.docker]),
    );
  }
  const broken = lines.find(({ path }) => path === 'broken-layer.tar')!;
  assert.ok(broken.findings!.some(({ failing, image }) => failing && image === 0));
});

test('records do not depend on threads', async () => {
  const untimed = async (...args: readonly string[]) =>
    [...(await recordsOf('scan', folder, '-o', '-', ...args))]
      .map(line => JSON.stringify({ ...line, durationMs: 0 }))
      .sort();
  const all = await untimed();
  assert.equal(await untimed('--jobs', '1'), all);
  assert.equal(await untimed('--jobs', '3', '--archive-timeout', '10m'), all);
});

test('the policy and other inputs are read once, and known by their content', async () => {
  const rules = 'rules:\n  layer-count: 2\n';
  const run = (policy: string, input: string) =>
    archivesIn(
      linesOf(
        spawnSync(
          process.execPath,
          [join(repositoryRoot, 'bin/waybill.js'), 'scan', folder, '--policy', policy, '-o', '-'],
          { input, encoding: 'utf8' },
        ).stdout,
      ),
    );
  const file = join(temporary('scan'), 'p.yaml');
  writeFileSync(file, rules);
  const [piped, named] = [run('-', rules), run(file, '')];
  assert.match(piped[0]!.policy!, /^sha256:/);
  assert.is(piped[0]!.policy, named[0]!.policy);
  writeFileSync(file, `${rules}# another\n`);
  assert.is.not(run(file, '')[0]!.policy, named[0]!.policy);
  const hello = piped.find(({ path }) => path === 'hello-docker-28.tar')!;
  assert.is(hello.passed, false);
  assert.ok(hello.findings!.some(({ code, failing }) => code === 'layer-count' && failing));
});

test('options that change records change the digest of the settings, and others do not', async () => {
  const settings = async (...args: readonly string[]) =>
    (await recordsOf('scan', folder, '-o', '-', ...args))[0]!.settings;
  const plain = await settings();
  assert.is(await settings('--jobs', '1', '--timeout', '10m', '--archive-timeout', '5m'), plain);
  for (const args of [['--fail-on', 'warning'], ['--limit', 'members=7'], ['--require-signature']])
    assert.is.not(await settings(...args), plain, args.join(' '));
});

test('requirements are judged in threads', async () => {
  const lines = archivesIn(await recordsOf('scan', folder, '--require-signature', '-o', '-'));
  for (const { findings, error } of lines)
    assert.ok(error !== null || findings!.some(({ code }) => code === 'image-unsigned'));
});

test('verify, check and sizes write records with the options of many archives', async () => {
  for (const command of ['verify', 'check', 'sizes'] as const) {
    const lines = await recordsOf(command, folder, '--root', folder, '--json');
    assert.ok(lines.every(line => line.command === command));
    assert.is(archivesIn(lines).length, 7);
    assert.is('passed' in archivesIn(lines)[0]!, command === 'check');
  }
});

test('a listed file that is not there is an error, and no other file is', async () => {
  const list = join(temporary('scan'), 'list');
  writeFileSync(list, 'hello-oci.tar\nno-such.tar\n');
  const { stdout, status } = await waybill(['scan', '--files-from', list, '--root', folder, '-o', '-']);
  assert.is(status, 2);
  const [one, other] = archivesIn(linesOf(stdout)).sort((a, b) => (a.path < b.path ? -1 : 1));
  assert.is(one!.exitCode, 0);
  assert.is(other!.error!.what, 'no such file or directory');
});

test('files that a run writes are no items of its list', async () => {
  const place = temporary('scan');
  copyFileSync(sample('hello-oci.tar'), join(place, 'one.tar'));
  const args = [
    'scan',
    place,
    '-o',
    join(place, 'results'),
    '--cache',
    join(place, 'cache'),
    '--root',
    place,
  ];
  for (let i = 0; i < 2; i++) {
    const { status, stderr } = await waybill(args);
    assert.is(status, 0, stderr);
    const records = linesOf(readFileSync(join(place, 'results'), 'utf8')).slice(0, -1);
    assert.equal(
      records.map(record => 'path' in record && record.path),
      ['one.tar'],
    );
  }
});

test('without a results file the worst archives are printed', async () => {
  const { stdout, status } = await waybill(['scan', folder]);
  assert.is(status, 2);
  assert.match(
    stdout,
    /archive +exit +why\n +sub\/broken\.tar +2 +a tar with nothing in it\n +broken-layer\.tar +1 /,
  );
  assert.is((await waybill(['scan', folder, '--quiet'])).stdout, '');
});

const WRONG: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['scan'], /which archives\?/],
  [['scan', folder, '--shard', '0/3'], /shards have numbers from 1/],
  [['scan', folder, '--shard', '4/3'], /--shard/],
  [['scan', folder, '--archive-timeout', 'soon'], /--archive-timeout: expected a time/],
  [['scan', folder, '--trust-digest'], /--resume/],
  [['scan', folder, '--json', '-o', 'x.ndjson'], /name one of them/],
  [['scan', folder, '-o', 'r.html'], /merge RESULTS\.ndjson -o r\.html/],
  [['scan', folder, '-o', 'sarif=r.out'], /merge RESULTS\.ndjson -o r\.out/],
  [['scan', folder, '--lock', 'waybill.lock.json'], /--partial/],
  [['scan', folder, '--files-from', '-', '--policy', '-'], /standard input is named twice/],
  [['scan', folder, '-o', '/no/such/folder/r.ndjson'], /Make its directory first/],
  [['scan', folder, '--policy', '/no/such/policy.yaml'], /there is no such file/],
  [['verify', sample('hello-oci.tar'), '--archive-timeout', '5s'], /waybill scan/],
  [['verify', folder, '--root', folder, '--format', 'sarif'], /waybill merge/],
  [['verify', folder, '--root', folder, '--baseline', 'b', '--update-baseline'], /--update-baseline/],
  [['check', folder, '--root', folder, '--init'], /--init/],
  [['sizes', folder, '--root', folder, '--by', 'file'], /--by/],
];

for (const [args, says] of WRONG)
  test(`refused: ${args.slice(0, 1)} ${args.slice(2).join(' ')}`, async () => {
    const { status, stderr, stdout } = await waybill(args);
    assert.is(status, 2, stderr);
    assert.match(stderr, says);
    assert.is(stdout, '');
  });

const REQUEST: ScanRequest = {
  command: 'scan',
  failOn: 'error',
  requireComplete: false,
  requireImage: false,
  policy: null,
  lock: null,
  trust: {},
  baseline: null,
  base: undefined,
  against: undefined,
  now: 0,
  epoch: null,
  limits: {},
  memory: undefined,
};

async function laneSetup(): Promise<LaneSetup> {
  const { examination, files } = await prepareScan(REQUEST, readArchive);
  const progress = new SharedArrayBuffer(8);
  return { examination, files, jobs: 1, memory: undefined, cache: null, progress };
}

const TASK: LaneTask = { file: sample('hello-docker-28.tar'), shown: 'hello', named: true };
const errorOf = (body: string): string => JSON.parse(body).error.what;

test('an archive that takes too long, or all memory of its thread, has a record, and the next one a new thread', async () => {
  const setup = await laneSetup();
  const small = new ThreadLane(setup, { heapMegabytes: 4, archiveSeconds: 0 });
  const short = new ThreadLane(setup, { heapMegabytes: 512, archiveSeconds: 0.001 });
  const bodyOf = async (lane: ThreadLane) => {
    const answer = await lane.answer(TASK);
    assert.is(answer?.kind, 'archive');
    return answer?.kind === 'archive' ? answer.body : '';
  };
  try {
    for (let i = 0; i < 2; i++) {
      assert.match(errorOf(await bodyOf(small)), /ran out of memory, at 4 MiB/);
      assert.match(errorOf(await bodyOf(short)), /not read in time/);
    }
  } finally {
    await Promise.all([small.close(), short.close()]);
  }
  const lane = new ThreadLane(setup, { heapMegabytes: 512, archiveSeconds: 0 });
  assert.is(JSON.parse(await bodyOf(lane)).exitCode, 0);
  const pending = lane.answer(TASK);
  await lane.close();
  assert.is(await pending, null);
});

test('the line that shows how far a run is', () => {
  const run = { archives: 250, ofArchives: 1000, bytes: 0, ofBytes: null, failed: 0 };
  assert.is(runLine(run, 60_000), '25%  250 of 1000 archives, 0 B read, about 3 min left');
  assert.match(
    runLine({ ...run, bytes: 5e8, ofBytes: 1e9, failed: 2 }, 1000),
    /500 MB of 1 GB, 2 without a report, about \d s/,
  );
  assert.match(runLine({ ...run, archives: 0 }, 1000), /^0% {2}0 of 1000 archives, 0 B read$/);
});

test('an answer of a thread that was abandoned is not taken for that about the next archive', async () => {
  const lane = new ThreadLane(await laneSetup(), { heapMegabytes: 512, archiveSeconds: 0.001 });
  const first = lane.answer(TASK);
  const { worker } = lane as unknown as { readonly worker: EventEmitter };
  assert.match(errorOf(await bodyIn(first)), /not read in time/);
  const second = lane.answer(TASK);
  worker.emit('message', { kind: 'archive', body: '{"exitCode":0}', exitCode: 0, isLasting: true });
  assert.match(errorOf(await bodyIn(second)), /not read in time/);
  await lane.close();
});

async function bodyIn(answer: Promise<LaneAnswer | null>): Promise<string> {
  const given = await answer;
  assert.ok(given?.kind === 'archive');
  return given.body;
}

test('an archive of a folder without the image that is asked for is an error, not another file', async () => {
  for (const args of [
    ['scan', folder, '--ref', 'nosuch:1'],
    ['verify', folder, '--shard', '1/1', '--platform', 'linux/riscv64'],
  ]) {
    const lines = await recordsOf(...args, '-o', '-');
    assert.equal(
      archivesIn(lines).map(({ exitCode }) => exitCode),
      archivesIn(lines).map(() => 2),
    );
    assert.is(archivesIn(lines).length, 7, args.join(' '));
  }
});

test('a file that vanishes after it was found in a folder is an error', async () => {
  const lane = await Lane.open(await laneSetup());
  const answer = await lane.answer({
    file: nameBytes(join(folder, 'gone.tar')),
    shown: 'gone.tar',
    named: false,
  });
  assert.equal([answer.kind, answer.kind === 'archive' && answer.exitCode], ['archive', 2]);
});

test('names of bases are a part of the settings', async () => {
  const based = await image({ layers: [{ files: { a: 'a' } }] });
  const settingsWith = async (tag: string) => {
    const base = join(temporary('scan'), 'base.tar');
    writeFileSync(base, await toTar(dockerSave25({ image: based, tags: [tag] })));
    return (await recordsOf('scan', sample('hello-oci.tar'), '--base', base, '-o', '-'))[0]!.settings;
  };
  assert.is(await settingsWith('good:1'), await settingsWith('good:1'));
  assert.is.not(await settingsWith('good:1'), await settingsWith('evil:1'));
});

test('an archive is not overwritten by results', async () => {
  const place = temporary('scan');
  const archive = join(place, 'broken.tar');
  copyFileSync(sample('broken-layer.tar'), archive);
  const { status, stderr } = await waybill(['scan', '-o', archive, sample('hello-oci.tar')]);
  assert.is(status, 2);
  assert.match(stderr, /expected a new name or a results file/);
  assert.equal(readFileSync(archive), readFileSync(sample('broken-layer.tar')));
});

test('records that were changed by hand are not kept', async () => {
  const output = join(temporary('scan'), 'r.ndjson');
  const archive = sample('broken-layer.tar');
  assert.is((await waybill(['scan', archive, '-o', output])).status, 1);
  const forged = readFileSync(output, 'utf8').replace('"exitCode":1', '"exitCode":0');
  writeFileSync(output, forged);
  const { status, stderr } = await waybill(['scan', archive, '--resume', output]);
  assert.is(status, 1, stderr);
  assert.match(stderr, /not used: its records are not those/);
  // A partial file has no digest, but its records must agree with themselves.
  rmSync(output);
  writeFileSync(`${output}.partial`, `${forged.split('\n')[0]}\n`);
  const again = await waybill(['scan', archive, '--resume', output]);
  assert.is(again.status, 1, again.stderr);
  assert.match(again.stderr, /0 of 1 records are kept/);
});

test('the summary names the files that are left out, and says of kept records how many fail', async () => {
  const place = temporary('scan');
  const output = join(temporary('scan'), 'r.ndjson');
  for (const name of ['hello-oci.tar', 'broken-layer.tar']) copyFileSync(sample(name), join(place, name));
  for (let i = 0; i < 30; i++) writeFileSync(join(place, `${i}`.padStart(2, '0')), 'no archive');
  const { stdout } = await waybill(['scan', place]);
  assert.match(stdout, /^ {2}00 +not an image archive but text, beginning "no archive"$/m);
  assert.match(stdout, /^ {2}09 +not[^\n]*\nand 20 more files\n/m);
  assert.is((await waybill(['scan', place, '-o', output])).status, 1);
  const { stderr, status } = await waybill(['scan', place, '--resume', output]);
  assert.is(status, 1);
  assert.match(
    stderr,
    '2 records kept of an earlier run, 1 of them with findings that fail; read now: 0 archives',
  );
});

test('a file that was left out of a folder is read again when it is named', async () => {
  const place = temporary('scan');
  const output = join(temporary('scan'), 'r.ndjson');
  copyFileSync(sample('hello-oci.tar'), join(place, 'one.tar'));
  writeFileSync(join(place, 'login.html'), '<html>');
  assert.is((await waybill(['scan', place, '-o', output])).status, 0);
  const named = ['one.tar', 'login.html'].map(name => join(place, name));
  const { status, stderr } = await waybill(['scan', ...named, '--root', place, '--resume', output]);
  assert.is(status, 2, stderr);
});

test('a list without a single archive does not pass, in a run and in its merge', async () => {
  const place = temporary('scan');
  symlinkSync('/no/such/mount/app', join(place, 'app'));
  const output = join(temporary('scan'), 'r.ndjson');
  const run = await waybill(['scan', place, '-o', output]);
  assert.is(run.status, 2, run.stderr);
  assert.match(run.stderr, /no file of the list is an archive: is the folder mounted/);
  assert.is((await waybill(['scan', place, '--resume', output])).status, 2);
  assert.is((await waybill(['scan', place])).status, 2);
  assert.is((await waybill(['merge', output])).status, 2);
  // One of several shards may have none.
  assert.is((await waybill(['scan', place, '--shard', '1/2'])).status, 0);
});

test('a record on which the time decided is kept for a day', async () => {
  const output = join(temporary('scan'), 'r.ndjson');
  const args = ['scan', sample('signed.tar'), '--require-signature', '--fail-on', 'never'];
  assert.is((await waybill([...args, '-o', output])).status, 0);
  assert.is(linesOf(readFileSync(output, 'utf8'))[0]!.kind === 'archive', true);
  assert.match(readFileSync(output, 'utf8'), /"timed":true/);
  assert.match((await waybill([...args, '--resume', output])).stderr, /1 of 1 records are kept/);
  const days = Date.now() / 1000 - 2 * 24 * 3600;
  utimesSync(output, days, days);
  const { stderr } = await waybill([...args, '--resume', output]);
  assert.match(stderr, /0 of 1 records are kept/);
  assert.match(stderr, /the time of the run decided/);
});

test.run();
