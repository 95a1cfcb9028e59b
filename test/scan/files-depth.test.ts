// Reading at depth `files`: the same facts in every delivery, everything that `digests` gives, and the counts of
// independent tools.
import { createReadStream } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { InputError } from '../../src/errors.js';
import { defaultLimits } from '../../src/limits.js';
import { type ReadOptions, readArchive } from '../../src/report/read.js';
import type { BlobFacts, TarFacts } from '../../src/scan/blob/facts.js';
import { rootedPath } from '../../src/scan/entries/name.js';
import { type Entry, type EntryType, entriesOf } from '../../src/scan/entries/table.js';
import { planOf } from '../../src/scan/resources.js';
import { Pool } from '../../src/scan/threads/pool.js';
import { corpus, NO_SHARED_FOLDER, type TruthLayer, type TruthTar, testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import { layerFacts } from '../support/layer-facts.js';
import * as layouts from '../support/layouts.js';
import { deliveries, toTar } from '../support/pack.js';
import { saved, streamOf } from '../support/reading.js';
import { tarBytes } from '../support/tar.js';
import { temporary } from '../support/tmp.js';

type Facts = ReadonlyMap<string, BlobFacts>;

/** The facts of every member that has some, or the error. */
async function factsOf(input: string | AsyncIterable<Uint8Array>, options: ReadOptions = { depth: 'files' }) {
  try {
    const { parts } = await readArchive(input, options);
    const facts = parts.flatMap(({ scan }) =>
      scan.members.flatMap(member => {
        const fact = scan.facts(member);
        return fact === null ? [] : [[member.path, fact] as const];
      }),
    );
    return new Map(facts);
  } catch (error) {
    if (error instanceof InputError) return error.what;
    throw error;
  }
}

const withoutTables = (facts: Facts) =>
  new Map(
    [...facts].map(([path, fact]) => [path, { ...fact, tar: fact.tar && { ...fact.tar, table: null } }]),
  );

const items = corpus();
const run = testWhen(test, items.length > 0, NO_SHARED_FOLDER);
if (items.length === 0) run('the corpus', () => {});

for (const { id, file, truth } of items) {
  run(`files of ${id}`, async () => {
    const facts = await factsOf(file);
    if (truth.input.form === 'tar')
      assert.equal(await factsOf(createReadStream(file, { highWaterMark: 10_007 })), facts, 'streamed');
    const digests = await factsOf(file, { depth: 'digests' });
    if (typeof facts === 'string' || typeof digests === 'string') return assert.is(facts, digests);
    assert.equal(withoutTables(facts), digests, 'all that depth digests gives');
    const byDigest = new Map([...facts.values()].map(fact => [fact.digests?.sha256, fact]));
    const layers = Object.values(truth.views).flatMap(images => images.flatMap(({ layers }) => layers ?? []));
    for (const layer of layers) sameTar(byDigest.get(layer.blob_digest ?? ''), layer);
  });
}

function sameTar(facts: BlobFacts | undefined, { blob_digest, tar, is_tar }: TruthLayer): void {
  if (blob_digest === null || tar === null || is_tar !== true) return;
  assert.ok(facts?.tar?.table, `${blob_digest} has entries`);
  assert.equal(countsOf(facts.tar), tar, blob_digest);
}

/** truth.py's counts of a layer, in its terms. */
function countsOf({ table, entries }: TarFacts): TruthTar {
  const all = [...entriesOf(table!)];
  const of = (...types: EntryType[]) => all.filter(({ type }) => types.includes(type)).length;
  const base = ({ name }: Entry) => rootedPath(name).split('/').at(-1)!;
  const names = all.filter(({ type }) => type !== 'directory').map(({ name }) => rootedPath(name));
  return {
    entries,
    files: of('file'),
    dirs: of('directory'),
    symlinks: of('symlink'),
    hardlinks: of('hardlink'),
    devices: of('char', 'block'),
    fifos: of('fifo'),
    other: of('other'),
    whiteouts: all.filter(entry => /^\.wh\.(?!\.wh\.)/.test(base(entry))).length,
    opaques: all.filter(entry => base(entry) === '.wh..wh..opq').length,
    regular_bytes: all.reduce((sum, { size }) => sum + size, 0),
    duplicate_paths: names.length - new Set(names).size,
  };
}

const item = await image({
  layers: [
    {
      files: { 'etc/os-release': 'ID=one\n', 'bin/sh': { mode: 0o755, bytes: 'x'.repeat(2000) } },
      compression: 'gzip',
    },
    { files: { 'etc/.wh.os-release': '' } },
  ],
});

test('every delivery has the same entries', async () => {
  const members = layouts.dockerSave25({ image: item, tags: ['app:1'] });
  const made = await deliveries(members, temporary('files-depth'));
  const byName = (facts: Facts | string) => [...(facts as Facts)].sort(([a], [b]) => (a < b ? -1 : 1));
  const expected = byName(await factsOf(made[0]!.file));
  assert.is(expected.filter(([, { tar }]) => (tar?.table?.count ?? 0) > 0).length, 2);
  for (const { kind, file } of made) assert.equal(byName(await factsOf(file)), expected, kind);
  const tar = await toTar(members);
  for (const piece of [1, 511, 100_000]) assert.equal(byName(await factsOf(streamOf(tar, piece))), expected);
});

/** Above the size from which worker threads are started: two layers of many entries and some bytes. */
const large = await image({
  layers: await Promise.all(
    [1, 2].map(async n => ({
      tar: await tarBytes([
        ...Array.from({ length: 3000 }, (_, i) => ({
          path: `dir${n}/${i}`,
          bytes: `${i}`.repeat(20),
          uid: i,
        })),
        { path: 'large', bytes: Buffer.alloc(18_000_000, n) },
        { path: 'cap', pax: { 'SCHILY.xattr.user.n': 'x' } },
      ]),
    })),
  ),
});

test('workers give the same facts as the main thread, from a file and from a pipe', async () => {
  const bytes = await toTar(layouts.dockerSave25({ image: large, tags: ['app:1'] }));
  assert.ok(bytes.length > 32 * 1024 * 1024);
  const seekable = (await factsOf(saved(bytes, 'large.tar'))) as Facts;
  assert.equal(await factsOf(streamOf(bytes)), seekable);
  for (const { digest, tar } of large.layers) {
    const facts = [...seekable.values()].find(({ digests }) => digests?.sha256 === digest);
    assert.equal(facts, layerFacts(tar));
    assert.is(facts!.tar!.table!.count, 3002);
  }
});

test('a worker sends tables at this depth only', async () => {
  for (const files of [true, false]) {
    const pool = new Pool({ limits: defaultLimits, files }, planOf({ jobs: 2 }), () => {});
    const chunks = streamOf(large.layers[0]!.tar);
    const { facts } = await pool.analyseStream({
      chunks,
      algorithms: ['sha256'],
      compression: 'none',
      size: large.layers[0]!.tar.length,
      failure: () => null,
    });
    assert.is((await facts).tar!.table?.count, files ? 3002 : undefined);
    await pool.close();
  }
});

test.run();
