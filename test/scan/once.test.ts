// What is computed of a scan lives as long as the scan, and facts stay as they were made.
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { images, sizesOnly } from '../../src/commands/images.js';
import { readArchive } from '../../src/report/read.js';
import { keptResults } from '../../src/scan/once.js';
import { repositoryRoot } from '../support/corpus.js';

const HELLO = join(repositoryRoot, 'samples/hello-docker-28.tar');

const read = () => readArchive(HELLO, { depth: 'files' });

const tablesIn = ({ parts }: Awaited<ReturnType<typeof read>>) =>
  parts.flatMap(({ scan }) => scan.members.flatMap(member => scan.facts(member)?.tar?.table ?? []));

test('a rule is applied once to each argument', () => {
  const calls: object[] = [];
  const rule = (argument: object) => calls.push(argument);
  const other = (argument: object) => `other of ${Object.keys(argument).length}`;
  const once = keptResults();
  const [a, b] = [{ a: 1 }, {}];
  assert.equal([once(rule, a), once(rule, a), once(rule, b), once(other, a)], [1, 1, 2, 'other of 1']);
  assert.equal(calls, [a, b]);
});

test('a result of null or undefined is kept too', () => {
  let calls = 0;
  const once = keptResults();
  const rule = () => {
    calls++;
    return null;
  };
  const argument = {};
  assert.equal([once(rule, argument), once(rule, argument), calls], [null, null, 1]);
});

test('two readings of one file share no result', async () => {
  const [first, second] = await Promise.all([read(), read()]);
  const rule = () => ({});
  const of = ({ parts }: typeof first) => parts[0]!.scan.once(rule, parts[0]!.scan.members[0]!);
  assert.is(of(first), of(first));
  assert.is.not(of(first), of(second));
});

test('a reading of sizes has no entries, and the reading that it was made of keeps its own', async () => {
  const reading = await read();
  const before = tablesIn(reading);
  assert.ok(before.length > 0);
  const light = sizesOnly(reading, {});
  assert.equal(tablesIn(light), []);
  assert.equal(tablesIn(reading), before);
  assert.equal(light.parts[0]!.scan.members, reading.parts[0]!.scan.members);
});

test('the entries of layers are free when only their sizes are held', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const lightened = async () => {
    const reading = await read();
    const entries = tablesIn(reading).map(table => new WeakRef(table));
    return { entries, light: sizesOnly(reading, {}) };
  };
  const { entries, light } = await lightened();
  assert.ok(entries.length > 0);
  const held = () => entries.filter(entry => entry.deref() !== undefined).length;
  for (let turn = 0; turn < 20 && held() > 0; turn++) {
    // A WeakRef that was asked holds its target until the turn of the event loop ends.
    await new Promise(resolve => setTimeout(resolve, 5));
    collect();
  }
  assert.is(held(), 0);
  assert.is(light.parts.length, 1);
});

test('sizes that were computed before the entries went are those of the whole reading', async () => {
  const base = {
    filters: [],
    tree: false,
    format: '{{.Size}}',
    quiet: false,
    noTrunc: false,
    digests: false,
  };
  for (const store of ['classic', 'containerd'] as const) {
    const options = { ...base, store, docker: 28 };
    const reading = await read();
    const light = images([sizesOnly(reading, options)], options);
    assert.equal(light, images([reading], options), store);
    assert.match(light.stdout as string, /^\d/, store);
    assert.equal(light.notes, [], store);
  }
});

test.run();
