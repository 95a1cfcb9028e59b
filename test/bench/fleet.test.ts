// The fleet of the benchmarks and tests: what its truth says about a file is what the file is.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DAMAGES, FORMS, OTHERS } from '../../bench/fleet/forms.js';
import { makeFleet, type Truth } from '../../bench/fleet.js';
import { readArchive, reportOf } from '../../src/commands.js';
import { InputError } from '../../src/errors.js';
import { temporary } from '../support/tmp.js';

const PLAN = { small: 128, large: 8, largeBytes: 200_000, seed: 7 };
const root = temporary('fleet');
const truths = makeFleet(root, PLAN);
const archives = truths.filter(({ kind }) => kind === 'archive');

/** Paths as bytes: some of them are not UTF-8. */
function filesBelow(folder: Buffer): Buffer[] {
  return readdirSync(folder, { encoding: 'buffer', withFileTypes: true })
    .sort((a, b) => Buffer.compare(a.name, b.name))
    .flatMap(entry => {
      const path = Buffer.concat([folder, Buffer.from('/'), entry.name]);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

/** Hash of the names, bytes and times of all files. */
function hashOf(folder: string): string {
  const hash = createHash('sha256');
  for (const path of filesBelow(Buffer.from(folder)))
    hash
      .update(path.subarray(folder.length))
      .update(`\0${statSync(path).mtimeMs}\0`)
      .update(readFileSync(path));
  return hash.digest('hex');
}

test('every form, every damage and every file that is no archive is there', () => {
  const all = [...Object.keys(FORMS), ...Object.keys(DAMAGES), ...Object.keys(OTHERS)];
  assert.equal([...new Set(truths.map(({ is }) => is))].sort(), all.sort());
  assert.is(truths.length, PLAN.small + PLAN.large);
  assert.is(new Set(truths.map(({ path, pathBytes }) => pathBytes ?? path)).size, truths.length);
  const ids = archives
    .flatMap(({ images }) => images.map(({ imageId }) => imageId))
    .filter(id => id !== null);
  assert.ok(new Set(ids).size < ids.length - 10, 'images are saved more than once');
});

test('the same plan makes the same bytes and times', () => {
  const again = temporary('fleet-again');
  assert.equal(makeFleet(again, PLAN), truths);
  assert.is(hashOf(join(again, 'archives')), hashOf(join(root, 'archives')));
});

/** The file of a truth; a name that is not UTF-8 has no path as text. */
const fileOf = ({ path }: Truth) => join(root, 'archives', path);

test('archives are as sound or as broken as their truth says', async () => {
  for (const truth of archives.filter(({ pathBytes }) => pathBytes === undefined)) {
    const report = await readArchive(fileOf(truth)).then(reportOf, error => {
      if (error instanceof InputError) return null;
      throw error;
    });
    if (truth.verdicts === null) assert.is(report, null, truth.is);
    else {
      const { intact, complete, conformant } = report!.verdicts;
      assert.equal({ intact, complete, conformant }, truth.verdicts, `${truth.is}: ${truth.path}`);
    }
    if (truth.images.length === 0) continue;
    assert.equal(
      report!.images.map(({ imageId }) => imageId),
      truth.images.map(({ imageId }) => imageId),
      truth.path,
    );
  }
});

test.run();
