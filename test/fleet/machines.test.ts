// The recipes for one machine run: GNU parallel, xargs, make, and Dask over standard input. Spark and Ray are not here:
// their recipes run with stand-ins that do what they do with a program's input and output, as their users see it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hasCommand } from '../support/compression.js';
import { testWhen } from '../support/corpus.js';
import { assertMerged, assertSameResults, RECIPES, recipeFleet, waybill, workplace } from './runs.js';

const { archives, whole, truths, folder: fleetFolder } = recipeFleet('machines');

for (const [name, command] of [
  ['parallel', 'parallel.sh'],
  ['xargs', 'xargs.sh'],
] as const)
  testWhen(
    test,
    hasCommand(name),
    `no ${name} is installed`,
  )(`${name} runs the shards and merges them, and a second time reads nothing again`, () => {
    const { folder, env } = workplace(name);
    const results = join(folder, 'results');
    for (let run = 0; run < 2; run++) {
      const { status, stderr } = spawnSync(join(RECIPES, command), [archives, results, '3'], {
        env,
        encoding: 'utf8',
      });
      assert.is(status, 2, stderr);
      assertSameResults(join(results, 'fleet.ndjson'), whole);
    }
    assert.match(readFileSync(join(results, 'fleet.html'), 'utf8'), /^<!doctype html>/i);
  });

testWhen(
  test,
  hasCommand('make'),
  'no make is installed',
)('make runs the shards, merges them, and leaves complete ones alone', () => {
  const { folder, env } = workplace('make');
  const results = join(folder, 'results');
  const args = ['-f', join(RECIPES, 'fleet.mk'), '-j', '2', 'SHARDS=3'];
  const make = (...more: string[]) =>
    spawnSync('make', [...args, `ARCHIVES=${archives}`, `RESULTS=${results}`, ...more], {
      env,
      encoding: 'utf8',
    });
  const scans = (run: ReturnType<typeof make>) => run.stdout.match(/^waybill scan/gm)?.length ?? 0;
  const first = make();
  assert.is(first.status, 2, first.stderr);
  assert.is(scans(first), 3, first.stdout);
  assertSameResults(join(results, 'fleet.ndjson'), whole);
  assert.is(scans(make()), 0);
  assert.is(scans(make('rescan')), 3);
  assertSameResults(join(results, 'fleet.ndjson'), whole);
});

/** Paths of a list, without those that hold a newline. */
const listed = truths
  .filter(({ kind }) => kind === 'archive')
  .map(({ path }) => path)
  .filter(path => !path.includes('\n'));
const list = join(fleetFolder, 'list');
writeFileSync(list, listed.map(path => `${path}\0`).join(''));
const lines = join(fleetFolder, 'lines');
writeFileSync(lines, listed.map(path => `${path}\n`).join(''));
/** The records of one run over the list. */
const named = join(fleetFolder, 'named.ndjson');
assert.is(waybill(['scan', '--root', archives, '--files-from', list, '-o', named]).status, 2);

/** The Debian package of Dask belongs to the system's Python. */
const PYTHON = '/usr/bin/python3';
const runs = (program: string) => spawnSync(PYTHON, ['-c', program]).status === 0;
const python = hasCommand('python3') && runs('');

/** Runs a recipe, `parts` archives at a time, with the list on standard input. */
function pipe(recipe: string, modules: Readonly<Record<string, string>>, args: readonly string[]): string {
  const { folder, env } = workplace(recipe);
  const results = join(folder, 'results');
  for (const [name, content] of Object.entries(modules)) {
    mkdirSync(join(folder, 'python', name, '..'), { recursive: true });
    writeFileSync(join(folder, 'python', name), content);
  }
  const source = readFileSync(join(RECIPES, recipe), 'utf8').replaceAll('200', '12');
  writeFileSync(join(folder, recipe), source);
  if (!recipe.startsWith('spark')) mkdirSync(results);
  const { status, stderr } = spawnSync(PYTHON, [join(folder, recipe), archives, ...args, results], {
    env: { ...env, PYTHONPATH: join(folder, 'python') },
    input: readFileSync(list),
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
  return results;
}

function assertParts(results: string, pattern: RegExp): void {
  const files = readdirSync(results).filter(name => pattern.test(name));
  assert.is(files.length, Math.ceil(listed.length / 12));
  const paths = files.sort().map(name => join(results, name));
  assertMerged(paths, named, ['--root', archives, '--list', list]);
  const { status, stderr } = waybill(['merge', '--root', archives, '--list', list, ...paths.slice(1)]);
  assert.is(status, 2);
  assert.match(stderr, /were not scanned/);
}

testWhen(
  test,
  python && runs('import dask.bag'),
  'no Dask is installed',
)(
  'Dask: each partition is a run over its own list, and the merge proves that together they are the list',
  () => {
    assertParts(pipe('dask_scan.py', {}, []), /\.ndjson$/);
  },
);

const RAY = `
import concurrent.futures
_pool = concurrent.futures.ThreadPoolExecutor(2)
class remote:
    def __init__(self, function): self.function = function
    def remote(self, *arguments): return _pool.submit(self.function, *arguments)
def init(): pass
def get(futures): return [future.result() for future in futures]
`;

testWhen(
  test,
  python,
  'no Python is installed',
)(
  'Ray (a stand-in): each task is a run over its own list, and the merge proves that together they are the list',
  () => {
    assertParts(pipe('ray_scan.py', { 'ray.py': RAY }, []), /\.ndjson$/);
  },
);

/** RDD.pipe splits its command as a shell does, writes a line for each element, and reads lines. */
const SPARK = `
import os, shlex, subprocess
class RDD:
    def __init__(self, parts): self.parts = parts
    def count(self): return sum(len(part) for part in self.parts)
    def repartition(self, number):
        all = [line for part in self.parts for line in part]
        return RDD([all[at::number] for at in range(number)])
    def pipe(self, command):
        def run(part):
            text = "".join(line + "\\n" for line in part)
            return subprocess.run(shlex.split(command), input=text, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        return RDD([run(part) for part in self.parts])
    def saveAsTextFile(self, folder):
        os.mkdir(folder)
        for number, part in enumerate(self.parts):
            with open(f"{folder}/part-{number:05}", "w") as file: file.write("".join(line + "\\n" for line in part))
class SparkContext:
    def textFile(self, path): return RDD([open(path).read().splitlines()])
class _Builder:
    sparkContext = SparkContext()
    def appName(self, name): return self
    def getOrCreate(self): return self
class SparkSession:
    builder = _Builder()
`;

testWhen(
  test,
  python,
  'no Python is installed',
)(
  'Spark (a stand-in): each partition is a run over its own list, and the merge proves that together they are the list',
  () => {
    assertParts(pipe('spark.py', { 'pyspark/sql.py': SPARK }, [lines]), /^part-/);
  },
);

test.run();
