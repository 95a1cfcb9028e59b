// The walk compared with other readers of tar: tar-stream on every layer of the corpus and on tars that GNU tar writes,
// and the files given to GNU tar.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codecFor, loadCodecs, sniff } from '../../src/codec/registry.js';
import { openArchive } from '../../src/containers/open.js';
import { readRange } from '../../src/containers/read.js';
import type { Part } from '../../src/containers/source.js';
import { InputError } from '../../src/errors.js';
import { defaultLimits } from '../../src/limits.js';
import { type Entry, entriesOf } from '../../src/scan/entries/table.js';
import { hasCommand } from '../support/compression.js';
import { corpus, docker28, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { entriesIn, layerFacts } from '../support/layer-facts.js';
import { readByTarStream, toRead } from '../support/tar-stream.js';
import { temporary } from '../support/tmp.js';

await loadCodecs();

function unpacked(bytes: Uint8Array): Uint8Array | null {
  const compression = sniff(bytes);
  if (compression === 'none') return bytes;
  const pieces: Uint8Array[] = [];
  const decoder = codecFor(compression).open(piece => pieces.push(new Uint8Array(piece)));
  try {
    decoder.write(bytes);
    decoder.end();
  } catch {
    return null;
  } finally {
    decoder.close();
  }
  return Buffer.concat(pieces);
}

/** The content of every file of an archive. */
async function contentsOf({ source }: Part): Promise<Uint8Array[]> {
  const contents: Uint8Array[] = [];
  if (source.access === 'seekable') {
    for (const { range } of source.members) {
      const pieces: Uint8Array[] = [];
      if (range !== null) readRange(range, piece => pieces.push(new Uint8Array(piece)) > 0);
      contents.push(Buffer.concat(pieces));
    }
  } else {
    await source.walk(async (_, content) => {
      const pieces: Uint8Array[] = [];
      for await (const chunk of content) pieces.push(new Uint8Array(chunk));
      contents.push(Buffer.concat(pieces));
    });
  }
  return contents;
}

/** Empty for files that are not archives, as some of the corpus. */
const partsOf = (file: string): Promise<readonly Part[]> =>
  openArchive(file, defaultLimits).then(
    ({ parts }) => parts,
    error => (error instanceof InputError ? [] : Promise.reject(error)),
  );

/** @returns the numbers of layers and of entries that were compared */
async function compareLayers(file: string): Promise<[layers: number, entries: number]> {
  let layers = 0;
  let entries = 0;
  const parts = await partsOf(file);
  for (const content of (await Promise.all(parts.map(contentsOf))).flat()) {
    const { tar, failure } = layerFacts(content);
    const bytes = unpacked(content);
    if (bytes === null || failure !== null || tar === null || tar.error !== null || tar.entries === 0)
      continue;
    // tar-stream reads on after the end marker, where eStargz has its table of contents; Go and Python do not.
    const theirs = (await readByTarStream(bytes)).slice(0, tar.entries);
    assert.equal([...entriesOf(tar.table!)].map(toRead), theirs, file);
    layers++;
    entries += tar.entries;
  }
  return [layers, entries];
}

const archives = [
  ...corpus().map(({ file }) => file),
  ...(hasDocker28
    ? ['docker28-save.tar', 'podman-oci-archive.tar', 'buildx-oci-zstd.tar'].map(name => docker28(name))
    : []),
];

testWhen(
  test,
  archives.length > 0,
  NO_SHARED_FOLDER,
)('every layer of the corpus, as tar-stream reads it', async () => {
  let layers = 0;
  let entries = 0;
  for (const file of archives) {
    const compared = await compareLayers(file);
    layers += compared[0];
    entries += compared[1];
  }
  assert.ok(layers > 150 && entries > 10_000, `${layers} layers, ${entries} entries`);
});

const MTIME = 1_700_000_000;

/** Files of every type, for GNU tar to pack. */
function sourceFolder(): string {
  const folder = temporary('gnu-tar');
  const at = (...names: string[]) => join(folder, ...names);
  const deep = Array.from({ length: 3 }, (_, i) => String(i).repeat(90)).join('/');
  mkdirSync(at(deep), { recursive: true });
  writeFileSync(at('plain'), 'hello\n', { mode: 0o600 });
  writeFileSync(at(deep, 'n'.repeat(120)), 'deep');
  writeFileSync(Buffer.from(at('n\xfff'), 'latin1'), 'not UTF-8');
  writeFileSync(at('grüße'), 'x'.repeat(2000));
  writeFileSync(at('setuid'), '');
  chmodSync(at('setuid'), 0o4755);
  writeFileSync(at('sparse'), 'beginning');
  truncateSync(at('sparse'), 5_000_000);
  linkSync(at('plain'), at('linked'));
  symlinkSync('plain', at('symlink'));
  symlinkSync('t'.repeat(150), at('to-a-long-name'));
  spawnSync('mkfifo', [at('pipe')]);
  for (const name of ['plain', 'grüße', 'setuid', 'sparse']) utimesSync(at(name), MTIME, MTIME + 0.25);
  return folder;
}

const source = hasCommand('tar') && hasCommand('mkfifo') ? sourceFolder() : null;
const withTar = testWhen(test, source !== null, 'there is no tar command');

function packed(...options: readonly string[]): Buffer {
  const { stdout, status, stderr } = spawnSync('tar', ['-c', ...options, '.'], {
    cwd: source!,
    maxBuffer: 1 << 28,
  });
  assert.is(status, 0, stderr.toString());
  return stdout;
}

/** The attributes of an entry's file in the file system. */
function onDisk({ name, type, flag }: Entry): Partial<Entry> {
  const path = Buffer.concat([Buffer.from(`${source!}/`), Buffer.from(name, 'latin1')]);
  const stats = lstatSync(path);
  return {
    size: type === 'file' ? stats.size : 0,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtime: Math.floor(stats.mtimeMs / 1000),
    target: flag === '2' ? readlinkSync(path, 'latin1') : null,
  };
}

const FORMATS: readonly (readonly string[])[] = [
  ['--format=gnu'],
  ['--format=oldgnu'],
  ['--format=posix'],
  ['--format=gnu', '--sparse'],
  ['--format=posix', '--sparse', '--sparse-version=0.0'],
  ['--format=posix', '--sparse', '--sparse-version=0.1'],
  ['--format=posix', '--sparse', '--sparse-version=1.0'],
  ['--format=gnu', '--owner=someone:3000000', '--group=others:2999999'],
  ['--format=posix', '--owner=someone:3000000', '--group=others:2999999'],
];

for (const options of FORMATS) {
  withTar(`what GNU tar packs with ${options.join(' ')}`, async () => {
    const tar = packed(...options);
    const entries = entriesIn(tar);
    const owned = options.some(option => option.startsWith('--owner'));
    assert.is(entries.length, 14);
    for (const entry of entries) {
      const { size, mode, uid, gid, mtime, target, type } = entry;
      const expected = { ...onDisk(entry), ...(owned && { uid: 3_000_000, gid: 2_999_999 }) };
      const actual = { size, mode, uid, gid, mtime, target: type === 'symlink' ? target : null };
      assert.equal(actual, expected, entry.name);
    }
    const named = (name: string) => entries.find(entry => entry.name === `./${name}`)!;
    const [plain, linked] = [named('plain'), named('linked')].sort((a, b) => (a.type < b.type ? -1 : 1));
    assert.equal([plain!.type, linked!.type, linked!.target], ['file', 'hardlink', plain!.name]);
    assert.is(named('sparse').storedSize < 50_000, options.includes('--sparse'));
    assert.is(named('pipe').type, 'fifo');
    assert.is(
      named('grüße'.replace(/[^\0-\x7f]/g, c => Buffer.from(c).toString('latin1'))).mtimeNanos,
      options[0] === '--format=posix' ? 250_000_000 : 0,
    );
    if (!options.includes('--sparse')) assert.equal(entries.map(toRead), await readByTarStream(tar));
  });
}

test.run();
