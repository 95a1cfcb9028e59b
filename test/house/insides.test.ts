// What is used of packages and of Node that they do not document: versions are pinned, and a changed inside is a loud
// error.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import yargs from 'yargs';
import { ZSTDDecoder } from 'zstddec/stream';
import { checkVersions, PINNED, spareYargs, YARGS_SPARED } from '../../bin/insides.js';
import { declaredBy } from '../../src/cli/candidates.js';
import { Inflater } from '../../src/codec/inflate.js';
import type * as xzCodec from '../../src/codec/xz.js';
import type * as zstdDecoders from '../../src/codec/zstd-decoders.js';
import { type CreateZstd, nodeZstdBy } from '../../src/codec/zstd-decoders.js';
import { directoryOf } from '../../src/containers/zip.js';
import { checkInside, YARGS, YAUZL_PROMISE } from '../../src/inside.js';
import { repositoryRoot } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const json = <T>(...path: readonly string[]) =>
  JSON.parse(readFileSync(join(repositoryRoot, ...path), 'utf8')) as T;

const versionsIn = ({ dependencies, devDependencies }: Manifest) => ({ ...dependencies, ...devDependencies });

test('the packages whose inside is used are pinned to the version that is installed', () => {
  const { packages } = json<{ packages: Record<string, Manifest> }>('package-lock.json');
  for (const { name, version } of PINNED) {
    assert.is(versionsIn(json('package.json'))[name], version, `${name} in package.json`);
    assert.is(versionsIn(packages['']!)[name], version, `${name} in package-lock.json`);
    assert.is(packages[`node_modules/${name}`]!.version, version, `${name} that package-lock.json installs`);
    const installed = json<Manifest>('node_modules', name, 'package.json').version;
    assert.is(installed, version, `${name} that is installed`);
  }
});

test('the build refuses another version of such a package', () => {
  checkVersions(repositoryRoot);
  const elsewhere = temporary('insides');
  assert.throws(() => checkVersions(elsewhere), /xz-decompress/);
});

test('every piece of yargs that the bundle does without stands in yargs once', () => {
  const folder = join(repositoryRoot, 'node_modules');
  const files = ['yargs', 'y18n'].flatMap(name =>
    readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }).map(file => join(name, file)),
  );
  for (const [file, before, after] of YARGS_SPARED) {
    const [found, ...more] = files.filter(name => file.test(name));
    assert.equal([found === undefined, more], [false, []], file.source);
    const text = readFileSync(join(folder, found!), 'utf8');
    assert.is(spareYargs(text, found!, before, after).length, text.length - before.length + after.length);
  }
});

test('the build says which code of yargs is not there any more', () => {
  for (const [text, times] of [
    ['', 0],
    ['abab', 2],
  ] as const)
    assert.throws(
      () => spareYargs(text, 'lib/a.js', 'ab', 'c'),
      (error: Error) =>
        error.message.includes(`lib/a.js: expected "ab" once, found it ${times} times`) &&
        error.message.includes(`yargs ${YARGS.version}`),
    );
});

test('an error names the package, the version, what was expected and what was found', () => {
  assert.throws(
    () => checkInside(YAUZL_PROMISE, 'number', { 'Zip.a': 1, 'Zip.b': null }),
    /^yauzl-promise has changed inside: expected Zip\.b to be of type number, found null; waybill is made for yauzl-promise 4\.0\.0: install that version$/,
  );
  assert.throws(
    () => checkInside('Node', 'function', { handle: undefined }),
    (error: Error) => error.message.startsWith(`Node ${process.version} has changed inside: expected handle`),
  );
});

test('yauzl-promise: the fields of a Zip', () => {
  const zip = { isZip64: false, centralDirectoryOffset: 1, centralDirectorySize: 2, footerOffset: 3 };
  assert.is(directoryOf(zip), zip);
  for (const field of Object.keys(zip))
    assert.throws(
      () => directoryOf({ ...zip, [field]: undefined }),
      new RegExp(`yauzl-promise.*Zip\\.${field}`),
    );
});

test('yargs: the methods that tell its commands and options', () => {
  assert.is(typeof declaredBy(yargs([], '/')).getOptions, 'function');
  assert.throws(
    () => declaredBy({}),
    /yargs has changed inside: expected getInternalMethods.*yargs 18\.2\.0/,
  );
});

/** Puts another value in a place while something is done. */
async function replaced<T extends object, K extends keyof T>(
  owner: T,
  key: K,
  value: unknown,
  run: () => unknown,
): Promise<void> {
  const before = owner[key];
  owner[key] = value as T[K];
  try {
    await run();
  } finally {
    owner[key] = before;
  }
}

const rejects = async (work: () => Promise<unknown>, pattern: RegExp) => {
  const error = await work().then(
    () => null,
    (reason: Error) => reason,
  );
  assert.match(String(error?.message), pattern);
};

/** A module of a codec as a process has it that has not loaded it yet. */
async function unloaded<T>(name: string): Promise<T> {
  const { href } = new URL(`../../src/codec/${name}.js?unloaded`, import.meta.url);
  return (await import(href)) as T;
}

test('zstddec: a decoder that hands out no module, and one whose module lacks a function', async () => {
  const { prototype } = ZSTDDecoder;
  const { webAssemblyZstd: zstd } = await unloaded<typeof zstdDecoders>('zstd-decoders');
  await replaced(
    prototype,
    'init',
    async () => {},
    () => rejects(() => zstd.load!(), /zstddec has changed inside: expected the module.*zstddec 0\.3\.4/),
  );
  const incomplete = { module: {}, instance: { exports: { memory: { buffer: new ArrayBuffer(0) } } } };
  const init = function (this: { _init(result: object): void }) {
    this._init(incomplete);
  };
  await replaced(prototype, 'init', init, () =>
    rejects(async () => zstd.load!(), /zstddec has changed inside: expected exports\.ZSTD_createDCtx/),
  );
});

test('xz-decompress: a class without its module, and a module that lacks a function', async () => {
  const { default: bundle } = (await import('xz-decompress')) as unknown as {
    default: { XzReadableStream: { _moduleInstance?: object; _getModuleInstance: unknown } };
  };
  const { XzReadableStream: stream } = bundle;
  const { xz } = await unloaded<typeof xzCodec>('xz');
  await replaced(stream, '_getModuleInstance', undefined, () =>
    rejects(
      () => xz.load!(),
      /xz-decompress has changed inside: expected XzReadableStream\._getModuleInstance/,
    ),
  );
  const exports = { memory: { buffer: new ArrayBuffer(0) }, create_context: () => 0 };
  await replaced(stream, '_moduleInstance', { exports }, () =>
    rejects(() => xz.load!(), /xz-decompress.*expected exports\.destroy_context.*xz-decompress 0\.2\.3/),
  );
});

test('Node: the step of its zlib module', () => {
  const { prototype } = zlib.InflateRaw as unknown as { prototype: object };
  // What the constructor assigns goes nowhere.
  Object.defineProperty(prototype, '_handle', { configurable: true, get: () => ({}), set: () => {} });
  try {
    assert.throws(() => new Inflater(), /^Node v\d.* has changed inside: expected zlib _handle\.writeSync/);
  } finally {
    Reflect.deleteProperty(prototype, '_handle');
  }
  new Inflater().close();
});

test('Node: zstd of another kind than expected is not used', async () => {
  const close = () => {};
  const kinds: Readonly<Record<string, unknown>> = {
    'a stream without a handle': () => ({ close }),
    'one that decodes nothing': () => ({
      _handle: { writeSync() {} },
      _writeState: new Uint32Array(2),
      close,
    }),
    'one that fails': () => {
      throw new Error('no memory');
    },
  };
  for (const [name, create] of Object.entries(kinds)) {
    const zstd = nodeZstdBy(create as CreateZstd);
    await rejects(() => zstd.load(), /has no zstd of the expected kind/);
    assert.is(zstd.isLoaded(), false, name);
  }
});

test.run();
