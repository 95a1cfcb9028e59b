// Locks of results files: held by one process at a time, on one machine or on several.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type LockOptions, RunLock } from '../../src/write/run-lock.js';
import { abandon, removeUnfinished, temporaryBeside } from '../../src/write/unfinished.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { refusal } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const notes: string[] = [];
const OPTIONS: LockOptions = { shown: 'out.ndjson', note: line => void notes.push(line), watchedMs: 50 };
const isLinux = process.platform === 'linux';

interface LockContent {
  host: string;
  boot: string | null;
  pidNamespace: string | null;
  pid: number;
  started: string | null;
  token: string;
  beat: string;
}

const contentOf = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as LockContent;
const write = (path: string, content: object) => writeFileSync(path, `${JSON.stringify(content)}\n`);

const refused = async (step: () => Promise<unknown>, words: RegExp): Promise<void> =>
  assert.match((await refusal(step())).message, words);

/** Writes the content of a lock of this process, changed. */
async function forged(path: string, changes: Partial<LockContent>): Promise<void> {
  const lock = await RunLock.take(path, OPTIONS);
  const content = { ...contentOf(path), token: 'f'.repeat(16), ...changes };
  lock.release();
  write(path, content);
}

/** The identifier of a process that has ended. */
const deadPid = () => Number(spawnSync('sh', ['-c', 'echo $$']).stdout.toString());

test('a lock is there until it is released, with nothing beside it', async () => {
  const folder = temporary('lock');
  const path = join(folder, 'l');
  const lock = await RunLock.take(path, OPTIONS);
  assert.equal(readdirSync(folder), ['l']);
  const { host, pid, token, beat } = contentOf(path);
  assert.equal([host, pid, beat], [hostname(), process.pid, '0000000000']);
  assert.match(token, /^[0-9a-f]{16}$/);
  lock.requireHeld();
  lock.release();
  assert.equal(readdirSync(folder), []);
});

test('a lock of a running process is refused at once, with its holder', async () => {
  const path = join(temporary('lock'), 'l');
  const lock = await RunLock.take(path, OPTIONS);
  const before = notes.length;
  await refused(
    () => RunLock.take(path, OPTIONS),
    new RegExp(
      `^out\\.ndjson: another run writes it: process ${process.pid} on .*\nWait for it to end.*Its lock is .*/l\\.$`,
    ),
  );
  await refused(() => RunLock.requireFree(path, OPTIONS), /another run writes it/);
  assert.is(notes.length, before);
  lock.requireHeld();
  lock.release();
  await RunLock.requireFree(path, OPTIONS);
});

test('a lock is removed when the process ends before it is released', async () => {
  const folder = temporary('lock');
  await RunLock.take(join(folder, 'l'), OPTIONS);
  assert.equal(removeUnfinished(), []);
  assert.equal(readdirSync(folder), []);
});

test('a path with a NUL, which is no file, is not left to be removed', () => {
  abandon(temporaryBeside(join(temporary('lock'), 'report\0.html')));
  assert.equal(removeUnfinished(), []);
});

const linux = testWhen(test, isLinux, 'needs /proc');

linux('a lock of a process that has ended is taken over at once', async () => {
  const folder = temporary('lock');
  const path = join(folder, 'l');
  await forged(path, { pid: deadPid() });
  const before = notes.length;
  await RunLock.requireFree(path, OPTIONS);
  const lock = await RunLock.take(path, OPTIONS);
  assert.is(contentOf(path).pid, process.pid);
  assert.is(notes.length, before);
  assert.equal(readdirSync(folder), ['l']);
  lock.release();
  assert.equal(readdirSync(folder), []);
});

linux('a later process with the same identifier does not hold it', async () => {
  const path = join(temporary('lock'), 'l');
  await forged(path, { started: '1' });
  (await RunLock.take(path, OPTIONS)).release();
});

linux('a process that was killed and whose parent has not noticed does not hold it', async () => {
  // The parent of the process that ends is a sleep, which waits for no child.
  const parent = spawn('sh', ['-c', 'cat <&3 >&2 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  try {
    const pid = Number(
      await new Promise(resolve => parent.stdout!.once('data', data => resolve(String(data)))),
    );
    const nameOf = (process: number) => readFileSync(`/proc/${process}/comm`, 'latin1').trim();
    const stat = () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    const until = async (isDone: () => boolean) => {
      while (!isDone()) await new Promise(resolve => setTimeout(resolve, 5));
    };
    await until(() => nameOf(parent.pid!) === 'sleep');
    (parent.stdio[3] as Writable).end();
    await until(() => stat()[0] === 'Z');
    const path = join(temporary('lock'), 'l');
    await forged(path, { pid, started: stat()[19]! });
    (await RunLock.take(path, OPTIONS)).release();
  } finally {
    parent.kill('SIGKILL');
  }
});

const ELSEWHERE: readonly (readonly [what: string, change: Partial<LockContent>])[] = [
  ['another machine', { host: 'node-7', boot: 'b0075000-0000-4000-8000-000000000000' }],
  ['another container', { host: 'pod-7', pidNamespace: 'pid:[1]' }],
  ['an unknown system', { host: 'mac', boot: null, pidNamespace: null, started: null }],
];

for (const [what, change] of ELSEWHERE) {
  test(`a lock of ${what} whose beat stands still is taken over, and a note says why it takes so long`, async () => {
    const path = join(temporary('lock'), 'l');
    await forged(path, change);
    const before = notes.length;
    const lock = await RunLock.take(path, OPTIONS);
    assert.match(
      notes.slice(before).join('\n'),
      new RegExp(
        `^out\\.ndjson: .*/l is of process ${process.pid} on ${change.host}, which cannot be looked up here: waiting 1 s for a sign of it`,
      ),
    );
    assert.is(contentOf(path).host, hostname());
    lock.release();
  });

  test(`a lock of ${what} whose beat goes on is refused`, async () => {
    const path = join(temporary('lock'), 'l');
    await forged(path, change);
    const content = contentOf(path);
    let beat = 0;
    const timer = setInterval(() => write(path, { ...content, beat: String(++beat).padStart(10, '0') }), 5);
    try {
      await refused(
        () => RunLock.take(path, { ...OPTIONS, watchedMs: 60_000 }),
        new RegExp(`another run writes it: process \\d+ on ${change.host}`),
      );
    } finally {
      clearInterval(timer);
    }
    assert.is(contentOf(path).host, change.host);
  });

  test(`a lock of ${what} that is released while it is watched is free`, async () => {
    const path = join(temporary('lock'), 'l');
    await forged(path, change);
    setTimeout(() => rmSync(path), 20);
    const lock = await RunLock.take(path, { ...OPTIONS, watchedMs: 60_000 });
    lock.requireHeld();
    lock.release();
  });
}

test('a lock that is not written yet is watched like that of an unknown process', async () => {
  for (const content of [
    '',
    '{"host":"a"',
    '{}',
    '{"token":"x","pid":-1}',
    '{"token":"x","pid":"1"}',
    '[]',
  ]) {
    const path = join(temporary('lock'), 'l');
    writeFileSync(path, content);
    const before = notes.length;
    (await RunLock.take(path, OPTIONS)).release();
    assert.match(notes.slice(before).join('\n'), /is of an unknown process/);
  }
});

test('what is no lock file stays, and is refused without waiting for it', async () => {
  const folder = temporary('lock');
  const [target, path] = [join(folder, 'target'), join(folder, 'l')];
  writeFileSync(target, 'precious');
  const places: readonly (() => void)[] = [
    () => symlinkSync(target, path),
    () => symlinkSync(join(folder, 'nothing'), path),
    () => mkdirSync(path),
    () => assert.is(spawnSync('mkfifo', [path]).status, 0),
    () => writeFileSync(path, 'x'.repeat(5000)),
  ];
  for (const place of places) {
    place();
    await refused(
      () => RunLock.take(path, OPTIONS),
      /l: expected a lock file of waybill\nIf no run writes there, remove it/,
    );
    assert.ok(lstatSync(path));
    rmSync(path, { recursive: true });
  }
  assert.is(readFileSync(target, 'utf8'), 'precious');
  assert.not.ok(existsSync(join(folder, 'nothing')));
  assert.equal(readdirSync(folder), ['target']);
});

test('a forged lock cannot name a file outside of its folder, nor lead a message astray', async () => {
  const folder = temporary('lock');
  const path = join(folder, 'l');
  await forged(path, {
    token: '../../../../etc/passwd',
    host: '\x1b[31m\n::error::x',
    boot: 'other',
    pid: 2 ** 40,
  });
  const before = notes.length;
  (await RunLock.take(path, OPTIONS)).release();
  assert.equal(readdirSync(folder), []);
  // A note is made visible where it is printed.
  assert.is(notes.length, before + 1);
});

test('a lock that another run has taken over, or that was removed, is not held any more', async () => {
  for (const happens of [
    (path: string) => write(path, { ...contentOf(path), token: 'other' }),
    (path: string) => rmSync(path),
    (path: string) => writeFileSync(path, ''),
  ]) {
    const folder = temporary('lock');
    const path = join(folder, 'l');
    const lock = await RunLock.take(path, OPTIONS);
    happens(path);
    const left = readdirSync(folder);
    await refused(
      async () => lock.requireHeld(),
      /^out\.ndjson: the lock .*\/l is not held any more.*\nThis run stops/,
    );
    lock.release();
    // Releasing it does not remove the lock of the other.
    assert.equal(readdirSync(folder), left);
  }
});

test('a run that loses its lock once has lost it for good', async () => {
  const path = join(temporary('lock'), 'l');
  const lock = await RunLock.take(path, OPTIONS);
  const own = readFileSync(path);
  rmSync(path);
  await refused(async () => lock.requireHeld(), /not held any more/);
  writeFileSync(path, own);
  await refused(async () => lock.requireHeld(), /not held any more/);
  lock.release();
});

test('a beat changes the lock, and notices that it is lost', async () => {
  const path = join(temporary('lock'), 'l');
  const lock = await RunLock.take(path, { ...OPTIONS, beatMs: 2 });
  const { size } = lstatSync(path);
  while (contentOf(path).beat < '0000000003') await new Promise(resolve => setTimeout(resolve, 2));
  assert.is(lstatSync(path).size, size);
  assert.is(lock.isHeld, true);
  rmSync(path);
  while (lock.isHeld) await new Promise(resolve => setTimeout(resolve, 2));
  lock.release();
  lock.release();
});

const RUN_LOCK = JSON.stringify(pathToFileURL(join(repositoryRoot, 'dist/src/write/run-lock.js')).href);

/** Runs a script in several processes that begin it at the same time, and returns what each of them prints. */
async function inProcesses(count: number, script: string): Promise<string[]> {
  const start = join(temporary('start'), 'go');
  const source = `
    import { RunLock } from ${RUN_LOCK};
    import fs from 'node:fs';
    const options = { shown: 'out', note() {}, watchedMs: 50 };
    console.log('ready');
    while (!fs.existsSync(${JSON.stringify(start)})) await new Promise(resolve => setImmediate(resolve));
    ${script}`;
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const texts = children.map(() => '');
  const until = (child: ChildProcess, i: number, word: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => texts[i]!.includes(word) && resolve();
      child.stdout!.on('data', look);
      child.on('close', () => (texts[i]!.includes(word) ? resolve() : reject(new Error(texts[i]))));
      look();
    });
  for (const [i, child] of children.entries())
    child.stdout.setEncoding('utf8').on('data', text => {
      texts[i] += text;
    });
  await Promise.all(children.map((child, i) => until(child, i, 'ready')));
  writeFileSync(start, '');
  await Promise.all(children.map((child, i) => until(child, i, 'done')));
  // What they hold is held until all have tried.
  for (const child of children) child.stdin.end();
  await Promise.all(
    children.map(
      child => new Promise(resolve => (child.exitCode === null ? child.on('close', resolve) : resolve(null))),
    ),
  );
  return texts;
}

linux('of several processes that take over one abandoned lock, one gets it', async () => {
  const folder = temporary('lock');
  const paths = Array.from({ length: 40 }, (_, i) => join(folder, `l${i}`));
  const pid = deadPid();
  for (const [i, path] of paths.entries()) {
    const other = i % 2 === 0 ? {} : { boot: 'another machine' };
    await forged(path, { pid, token: String(i).padStart(16, '0'), ...other });
  }
  const texts = await inProcesses(
    4,
    `const held = [];
    for (const path of ${JSON.stringify(paths)}) {
      try {
        held.push(await RunLock.take(path, options));
        console.log('got', path);
      } catch (error) {
        if (error.name !== 'InputError' || !/another run writes it/.test(error.message)) console.log('wrong', error.stack);
      }
    }
    for (const lock of held) lock.requireHeld();
    console.log('done');
    process.stdin.on('end', () => held.forEach(lock => lock.release())).resume();`,
  );
  const got = texts.flatMap(text => text.match(/^got .*$/gm) ?? []);
  assert.equal(texts.join('').match(/wrong .*/g), null);
  assert.equal(got.sort(), paths.map(path => `got ${path}`).sort());
  assert.equal(readdirSync(folder), []);
});

linux('processes that take and release one lock again and again never hold it together', async () => {
  const folder = temporary('lock');
  const [path, witness] = [join(folder, 'l'), join(temporary('witness'), 'w')];
  const texts = await inProcesses(
    3,
    `let count = 0;
    while (count < 30) {
      try {
        const lock = await RunLock.take(${JSON.stringify(path)}, options);
        fs.closeSync(fs.openSync(${JSON.stringify(witness)}, 'wx'));
        lock.requireHeld();
        fs.rmSync(${JSON.stringify(witness)});
        lock.release();
        count++;
      } catch (error) {
        if (error.name !== 'InputError' || !/another run writes it/.test(error.message)) { console.log('wrong', error.stack); break; }
      }
      await new Promise(resolve => setImmediate(resolve));
    }
    console.log('done');
    process.stdin.resume();`,
  );
  assert.equal(texts.join('').match(/wrong [\s\S]*/g), null);
  assert.equal(readdirSync(folder), []);
});

linux('a process that is killed while it takes a lock over does not block the others', async () => {
  const folder = temporary('lock');
  const path = join(folder, 'l');
  const token = 'a'.repeat(16);
  await forged(path, { pid: deadPid(), token });
  // The lock of the replacement, left behind by a process that has ended too.
  await forged(`${path}.${token}`, { pid: deadPid(), token: 'b'.repeat(16) });
  const lock = await RunLock.take(path, OPTIONS);
  lock.requireHeld();
  assert.equal(readdirSync(folder), ['l']);
  lock.release();
});

linux(
  'a lock is of the namespace of its process, so that a container does not mistake its processes',
  async () => {
    const path = join(temporary('lock'), 'l');
    const lock = await RunLock.take(path, OPTIONS);
    assert.is(contentOf(path).pidNamespace, readlinkSync('/proc/self/ns/pid'));
    assert.match(contentOf(path).boot!, /^[0-9a-f-]{36}$/);
    assert.match(contentOf(path).started!, /^\d+$/);
    lock.release();
  },
);

test.run();
