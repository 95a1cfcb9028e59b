// Aborting ends every reading call: it is rejected with the reason of the signal, no thread works on, no file stays
// open.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Archive,
  compareImages,
  findWaste,
  inspectImages,
  listFiles,
  listIds,
  listLayer,
  measureSizes,
  openArchive,
  type ReadingOptions,
  readFile,
  streamFile,
  verifyArchive,
} from '../../src/index.js';
import { repositoryRoot } from '../support/corpus.js';
import { image } from '../support/image.js';
import { dockerSave, skopeoOci } from '../support/layouts.js';
import { file } from '../support/members.js';
import { toTar, toZip } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const test = suite('AbortSignal');
const folder = temporary('abort');
const sample = join(repositoryRoot, 'samples/hello-docker-28.tar');
const REASON = new Error('no longer wanted');

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Every function that reads an open archive. */
const CALLS: Readonly<Record<string, (archive: Archive, options: ReadingOptions) => Promise<unknown>>> = {
  verifyArchive,
  listFiles: (archive, options) => all(listFiles(archive, options)),
  listLayer: (archive, options) => all(listLayer(archive, 1, options)),
  readFile: (archive, options) => readFile(archive, 'large', options),
  streamFile: (archive, options) => all(streamFile(archive, 'large', options)),
  measureSizes,
  findWaste,
  compareImages: (archive, options) => compareImages(archive, archive, options),
  listIds,
  inspectImages,
};

const reasonOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => assert.unreachable('expected to be aborted'),
    (reason: unknown) => reason,
  );

/** Files below the test's folder that this process has open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

/** Threads of workers that are alive; Node counts each as an active resource. */
const workers = (): number => process.getActiveResourcesInfo().filter(name => name === 'MessagePort').length;

/** Bytes that do not compress, the same every time. */
function noise(length: number): Uint8Array {
  const bytes = new Uint32Array(length / 4);
  for (let i = 0, x = 88_172_645; i < bytes.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x;
  }
  return new Uint8Array(bytes.buffer);
}

async function written(name: string, bytes: Uint8Array | Promise<Uint8Array>): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, await bytes);
  return path;
}

/** 48 MB in two layers: enough for workers. */
async function largeImage() {
  const made = await image({
    layers: [
      { files: { large: noise(28_000_000), small: 'base\n' }, compression: 'gzip' },
      { files: { other: noise(20_000_000), small: 'top\n' } },
    ],
  });
  return { image: made, tags: ['app:1'] };
}

let plain = '';
let compressed = '';

test.before(async () => {
  const bytes = await toTar(skopeoOci(await largeImage()));
  plain = await written('large.tar', bytes);
  compressed = await written('large.tar.gz', gzipSync(bytes, { level: 1 }));
});

test('a signal that is aborted already: no call begins to read', async () => {
  const archive = await openArchive(sample);
  const signal = AbortSignal.abort(REASON);
  assert.is(await reasonOf(openArchive('/no/such/file', { signal })), REASON);
  for (const [name, call] of Object.entries(CALLS))
    assert.is(await reasonOf(call(archive, { signal })), REASON, name);
  assert.is((await verifyArchive(archive)).verdicts.intact, true, 'the handle is as it was');
});

test('the reason is that of the signal, whatever it is', async () => {
  assert.is(await reasonOf(openArchive(sample, { signal: AbortSignal.abort('text') })), 'text');
  const error = await reasonOf(openArchive(sample, { signal: AbortSignal.abort() }));
  assert.is((error as DOMException).name, 'AbortError');
});

for (const jobs of [1, 2])
  test(`every call ends while it reads a large file, on ${jobs} ${jobs === 1 ? 'thread' : 'threads'}`, async () => {
    for (const [name, call] of Object.entries(CALLS)) {
      const controller = new AbortController();
      let read = 0;
      const archive = await openArchive(plain, {
        jobs,
        onProgress: done => {
          read = done;
          controller.abort(REASON);
        },
      });
      assert.is(await reasonOf(call(archive, controller)), REASON, name);
      assert.ok(read < 48_000_000, `${name} read ${read} bytes`);
      assert.equal(openFiles(), [], name);
      assert.is(workers(), 0, name);
    }
  });

for (const jobs of [1, 2])
  test(`opening a compressed file ends, on ${jobs} ${jobs === 1 ? 'thread' : 'threads'}`, async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(REASON);
    const { signal } = controller;
    assert.is(await reasonOf(openArchive(compressed, { jobs, signal, onProgress })), REASON);
    assert.equal(openFiles(), []);
  });

test('a stream of the caller ends, while it is read on workers', async () => {
  const controller = new AbortController();
  const stream = createReadStream(plain);
  const onProgress = () => controller.abort(REASON);
  assert.is(await reasonOf(openArchive(stream, { jobs: 2, signal: controller.signal, onProgress })), REASON);
  assert.ok(stream.destroyed);
  if (!stream.closed) await once(stream, 'close');
  assert.equal(openFiles(), []);
  assert.is(workers(), 0);
});

test('a pipe whose writer sends nothing ends at once', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // It holds the pipe open and writes nothing.
  const holder = spawn('sh', ['-c', `exec 3<>"${pipe}"; echo ready; exec sleep 60`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await new Promise(resolve => holder.stdout.once('data', resolve));
    for (const input of [pipe, createReadStream(pipe), silent()]) {
      const controller = new AbortController();
      const opened = reasonOf(openArchive(input, { signal: controller.signal }));
      await new Promise(resolve => setTimeout(resolve, 20));
      controller.abort(REASON);
      assert.is(await opened, REASON);
    }
  } finally {
    holder.kill('SIGKILL');
    rmSync(pipe);
  }
});

/** A source that never yields. */
async function* silent(): AsyncGenerator<Uint8Array> {
  await new Promise(() => {});
  yield new Uint8Array(0);
}

test('a zip of compressed tarballs: those that were not reached are closed too', async () => {
  const tar = gzipSync(await toTar(dockerSave([await largeImage()])), { level: 1 });
  const zip = await written(
    'parts.zip',
    toZip(['one', 'two', 'three'].map(name => file(`${name}.tar.gz`, tar))),
  );
  const controller = new AbortController();
  const onProgress = () => controller.abort(REASON);
  assert.is(await reasonOf(openArchive(zip, { jobs: 1, signal: controller.signal, onProgress })), REASON);
  assert.equal(openFiles(), []);
});

test('a reading that another call waits for goes on', async () => {
  const archive = await openArchive(plain, { jobs: 2 });
  const controller = new AbortController();
  const aborted = reasonOf(verifyArchive(archive, controller));
  const sizes = verifyArchive(archive);
  await new Promise(resolve => setImmediate(resolve));
  controller.abort(REASON);
  assert.is(await aborted, REASON);
  assert.is((await sizes).verdicts.intact, true);
});

test('one signal ends several calls that wait for one reading', async () => {
  const controller = new AbortController();
  const archive = await openArchive(plain, { jobs: 2, onProgress: () => controller.abort(REASON) });
  const calls = [verifyArchive(archive, controller), listIds(archive, controller)].map(reasonOf);
  assert.equal(await Promise.all(calls), [REASON, REASON]);
  assert.equal(openFiles(), []);
  assert.is(workers(), 0);
});

test('any number of calls may have one signal, without a warning of Node', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  for (const call of [
    ...Object.values(CALLS),
    (_: Archive, options: ReadingOptions) => openArchive(createReadStream(sample), options),
    (_: Archive, options: ReadingOptions) => openArchive(sample, options),
  ]) {
    const controller = new AbortController();
    const archive = await openArchive(sample);
    await Promise.allSettled(Array.from({ length: 12 }, () => call(archive, controller)));
  }
  await new Promise(resolve => setImmediate(resolve));
  process.off('warning', note);
  assert.equal(warnings, []);
});

test('after a call was aborted, the next one reads again', async () => {
  const controller = new AbortController();
  const archive = await openArchive(plain, { jobs: 2, onProgress: () => controller.abort(REASON) });
  assert.is(await reasonOf(verifyArchive(archive, controller)), REASON);
  assert.is((await verifyArchive(archive)).verdicts.intact, true);
});

test('files that are listed or read in pieces end between two of them', async () => {
  const archive = await openArchive(plain);
  for (const items of [
    (options: ReadingOptions) => listFiles(archive, options),
    (options: ReadingOptions) => streamFile(archive, 'large', options),
    (options: ReadingOptions) => listLayer(archive, 1, options),
  ]) {
    const controller = new AbortController();
    const first = items(controller)[Symbol.asyncIterator]();
    assert.is((await first.next()).done, false);
    controller.abort(REASON);
    assert.is(await reasonOf(first.next()), REASON);
    assert.equal(openFiles(), []);
  }
});

test.run();
