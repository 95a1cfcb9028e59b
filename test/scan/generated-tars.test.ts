// The walk of layers on arbitrary tars: the same for chunks of any size, and equal to tar-stream and Go's archive/tar.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodecs } from '../../src/codec/registry.js';
import type { TarFacts } from '../../src/scan/blob/facts.js';
import { contentOf } from '../../src/scan/entries/content.js';
import type { Entry } from '../../src/scan/entries/table.js';
import { testWhen } from '../support/corpus.js';
import { entriesIn, entryData, layerFacts, tarFacts } from '../support/layer-facts.js';
import { readByTarStream, toRead } from '../support/tar-stream.js';
import { blocksOf, ending, type Recipe, recipe } from './generated-tars.js';
import { type GoEntry, hasGo, readByGo } from './go-tar.js';

await loadCodecs();

/** Fixed, so that a failure is reproducible; fast-check prints the smallest failing value. */
const SEED = 20_261_121;
const RUNS = 150;

const recipes = fc.array(recipe, { minLength: 1, maxLength: 12 });
const tarOf = (entries: readonly Recipe[], end: Uint8Array) => Buffer.concat([...entries.map(blocksOf), end]);

const holds = (property: fc.IAsyncProperty<never> | fc.IProperty<never>, runs = RUNS) =>
  fc.assert(property as fc.IAsyncProperty<never>, { seed: SEED, numRuns: runs });

const contents = { digests: true, keep: ['**', '*'] };
const readAll = (tar: Uint8Array, piece = tar.length) => tarFacts(tar, { contents, piece });

test('a tar in chunks gives the same entries', () => {
  const pieces = fc.constantFrom(1, 7, 100, 511, 512, 513, 1000, 1024, 5000);
  return holds(
    fc.property(recipes, ending, pieces, (entries, end, piece) => {
      const tar = tarOf(entries, end);
      assert.equal(readAll(tar, piece), readAll(tar));
    }) as never,
  );
});

test('entries that are only counted', () =>
  holds(
    fc.property(recipes, ending, (entries, end) => {
      const tar = tarOf(entries, end);
      assert.equal(tarFacts(tar, { files: false }), { ...tarFacts(tar), table: null });
    }) as never,
  ));

test('a tar that is cut: entries before the cut are read, and the cut is reported', () =>
  holds(
    fc.property(recipes, fc.double({ min: 0, max: 1, noNaN: true }), (entries, part) => {
      const whole = tarOf(entries, new Uint8Array(0));
      const cut = Math.floor(part * (whole.length - 512));
      const facts = readAll(whole.subarray(0, cut));
      const all = entryData(readAll(whole).table!);
      assert.equal(entryData(facts.table!), all.slice(0, facts.table!.count));
      // Only a cut between two entries looks like an end.
      if (facts.error === null) assert.is(readAll(whole.subarray(0, cut + 1)).entries, facts.entries);
    }) as never,
  ));

test('tars of real writers have no oddities', () =>
  holds(
    fc.property(recipes, ending, (entries, end) => {
      const { ambiguities, malformed, reached, error } = tarFacts(tarOf(entries, end));
      assert.equal({ ambiguities, malformed, reached, error }, NOTHING_ODD);
    }) as never,
  ));
const NOTHING_ODD = { ambiguities: [], malformed: null, reached: [], error: null };

test('entries equal those of tar-stream', () =>
  holds(
    fc.asyncProperty(recipes, async entries => {
      const known = entries.map(asTarStreamCan);
      const tar = tarOf(known, new Uint8Array(1024));
      assert.equal(entriesIn(tar).map(toRead), await readByTarStream(tar));
    }) as never,
  ));

/**
 * Avoids what tar-stream reads differently from Go: base 256 of negative numbers (one less), global PAX headers (which
 * it applies to entries), and 155 bytes of a prefix (where star has times at its end).
 */
function asTarStreamCan(one: Recipe): Recipe {
  const records = one.mtime < 0 ? 'pax' : one.records;
  return { ...one, records, comment: null, format: one.format === 'star' ? 'ustar' : one.format };
}

const go = testWhen(test, hasGo, 'Go is not installed');

const base64 = (bytes: string | Uint8Array) =>
  (typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes)).toString('base64');

/** Our entry, in Go's terms. */
function asGo(table: NonNullable<TarFacts['table']>, entry: Entry, index: number): GoEntry {
  return {
    name: base64(entry.name),
    flag: base64(entry.flag),
    size: entry.claimedSize,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    seconds: entry.mtime,
    nanos: entry.mtimeNanos,
    target: base64(entry.target ?? ''),
    major: entry.device?.major ?? 0,
    minor: entry.device?.minor ?? 0,
    xattrs: entry.xattrs
      .map(({ name, value }) => [base64(name), base64(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    contents: base64(contentOf(table, index) ?? ''),
  };
}

go('as Go reads them', () => {
  const samples = fc.sample(fc.tuple(recipes, ending), { seed: SEED, numRuns: 400 });
  const tars = samples.map(([entries, end]) => tarOf(entries, end));
  let compared = 0;
  for (const [i, { entries, error }] of readByGo(tars).entries()) {
    compared += entries.length;
    const { tar } = layerFacts(tars[i]!, { contents });
    const table = tar!.table!;
    const ours = entryData(table).map((entry, index) => asGo(table, entry, index));
    assert.is(error, '', `tar ${i}`);
    // Only Go keeps the content of an unknown type.
    assert.equal(
      ours,
      entries.map(one => (one.flag === base64('Z') ? { ...one, contents: '' } : one)),
      `tar ${i}`,
    );
  }
  assert.ok(compared > 2000, String(compared));
});

test.run();
