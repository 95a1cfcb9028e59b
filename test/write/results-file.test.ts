// Results files: appended while they are made, sorted when they are complete, resumed when they are not.
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { itemState } from '../../src/containers/work-list.js';
import { InputError } from '../../src/errors.js';
import { recordedPath } from '../../src/fleet/list.js';
import type { Provenance, ResultLine } from '../../src/fleet/record.js';
import { archiveLine, parseLine, RecordSummary } from '../../src/fleet/results.js';
import { nameBytes } from '../../src/spec/byte-path.js';
import { openResults, type Results, type ResultsOptions } from '../../src/write/results-file.js';
import { repositoryRoot } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { temporary } from '../support/tmp.js';

const PATHS = ['a.tar', 'b.tar', 'c.tar', 'd.tar', 'e.tar'];

interface Bench {
  readonly folder: string;
  readonly output: string;
  readonly partial: string;
  readonly notes: string[];
  readonly options: ResultsOptions;
}

/** A folder of files, and the options of a run over them. */
function bench(changes: Partial<ResultsOptions> = {}): Bench {
  const [root, folder] = [temporary('fleet'), temporary('results')];
  for (const path of PATHS) writeFileSync(join(root, path), `content of ${path}`);
  const notes: string[] = [];
  const output = join(folder, 'out.ndjson');
  const options: ResultsOptions = {
    output,
    resume: null,
    trustDigest: false,
    provenance: {
      schemaVersion: 1,
      tool: 'waybill 0.1.0',
      command: 'scan',
      policy: null,
      settings: 'sha256:1',
      shard: { number: 1, of: 2, by: 'path', list: 'sha256:2' },
    },
    root: nameBytes(root),
    paths: PATHS,
    listCount: 10,
    put: () => Promise.reject(new Error('nothing is printed')),
    note: line => void notes.push(line),
    ...changes,
  };
  return { folder, output, partial: `${output}.partial`, notes, options };
}

/** The report of an archive in which nothing is found. */
const REPORT = {
  verdicts: { intact: true, complete: true, conformant: true },
  images: [],
  findings: [],
};

/** Makes a record as a run does. */
async function lineFor(
  { root, paths, provenance }: ResultsOptions,
  index: number,
  { exitCode = 0, durationMs = 1 } = {},
): Promise<string> {
  const path = paths[index]!;
  const { size, mtime } = itemState(root, path);
  const state = { size, mtime };
  const content = state.size === null ? null : readFileSync(`${root}/${path}`);
  const error = exitCode === 2 ? { what: 'damaged', remedy: null } : null;
  const report = exitCode === 2 ? {} : REPORT;
  const body = JSON.stringify({ sha256: content && digestOf(content), exitCode, error, ...report });
  return archiveLine({ ...recordedPath(path), ...state }, provenance, durationMs, body);
}

async function addAll(
  results: Results,
  options: ResultsOptions,
  only: readonly number[] = [...results.missing()],
) {
  for (const index of only) await results.add(index, await lineFor(options, index, { durationMs: index }), 0);
}

/** A run from beginning to end. */
async function complete(options: ResultsOptions): Promise<Results> {
  const results = await openResults(options);
  await addAll(results, options);
  await results.finish(5);
  return results;
}

/** A run that ends after some records, without a trace but its partial file, as a kill leaves it. */
async function interrupted({ options, output, partial }: Bench, only: readonly number[]): Promise<void> {
  const results = await openResults(options);
  await addAll(results, options, only);
  results.stop();
  assert.not.ok(existsSync(output));
  assert.ok(existsSync(partial));
}

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => parseLine(line) as ResultLine);
const pathsIn = (file: string) => linesOf(file).map(line => (line.kind === 'end' ? 'end' : line.path));
const withoutDurations = (file: string) =>
  readFileSync(file, 'utf8').replace(/"durationMs":\d+/g, '"durationMs":0');

async function refused(step: () => Promise<unknown>, words: RegExp): Promise<InputError> {
  try {
    await step();
  } catch (error) {
    assert.instance(error, InputError);
    assert.match((error as InputError).message, words);
    return error as InputError;
  }
  return assert.unreachable('expected an InputError') as never;
}

test('records are appended as they are made, and sorted in the completed file', async () => {
  const { options, output, partial, folder } = bench();
  const results = await openResults(options);
  assert.equal(readdirSync(folder).sort(), ['out.ndjson.lock', 'out.ndjson.partial']);
  for (const index of [3, 0, 4, 1, 2]) {
    await results.add(index, await lineFor(options, index), index === 4 ? 1 : 0);
    assert.is(pathsIn(partial).at(-1), PATHS[index]);
    assert.not.ok(existsSync(output));
  }
  assert.is(await results.finish(5), 1);
  assert.equal(readdirSync(folder), ['out.ndjson']);
  assert.equal(pathsIn(output), [...PATHS, 'end']);
  const { count, listCount, exitCode } = linesOf(output).at(-1) as Extract<ResultLine, { kind: 'end' }>;
  assert.equal([count, listCount, exitCode], [5, 10, 1]);
});

test('a shard without an item has a results file too', async () => {
  const { options, output } = bench({ paths: [] });
  const results = await openResults(options);
  assert.equal([...results.missing()], []);
  assert.is(await results.finish(0), 0);
  assert.equal(pathsIn(output), ['end']);
});

test('a run whose records are not all there is not completed', async () => {
  const { options, output } = bench();
  const results = await openResults(options);
  await addAll(results, options, [0, 1]);
  try {
    await results.finish(0);
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /3 of 5 paths have no record/);
  }
  assert.not.ok(existsSync(output));
  results.stop();
});

test('a resumed run makes what is missing, and its file is that of an uninterrupted run', async () => {
  const first = bench();
  await complete({ ...first.options, output: join(first.folder, 'whole.ndjson') });
  await interrupted(first, [4, 1]);
  const options = { ...first.options, resume: first.output };
  const results = await openResults(options);
  assert.is(results.kept, 2);
  assert.equal([...results.missing()], [0, 2, 3]);
  await addAll(results, options);
  await results.finish(1);
  assert.is(withoutDurations(first.output), withoutDurations(join(first.folder, 'whole.ndjson')));
  assert.equal(readdirSync(first.folder).sort(), ['out.ndjson', 'whole.ndjson']);
  assert.equal(first.notes, [`${first.output}: 2 of 5 records are kept`]);
});

test('a resumed run can be interrupted and resumed, again and again', async () => {
  const one = bench();
  await interrupted(one, [2]);
  for (const next of [4, 0]) {
    const options = { ...one.options, resume: one.output };
    const results = await openResults(options);
    await addAll(results, options, [next]);
    results.stop();
  }
  assert.equal(pathsIn(one.partial), ['c.tar', 'e.tar', 'a.tar']);
  const results = await openResults({ ...one.options, resume: one.output });
  assert.equal([...results.missing()], [1, 3]);
  results.stop();
});

test('with nothing to resume it begins anew, and says so: one command line for every attempt', async () => {
  const { options, output, notes } = bench();
  await complete({ ...options, resume: output });
  assert.equal(notes, [`${output}: there is no earlier run to resume: beginning anew`]);
  assert.equal(pathsIn(output), [...PATHS, 'end']);
});

test('a completed file is resumed too: nothing is left to do', async () => {
  const { options, output } = bench();
  await complete(options);
  const before = withoutDurations(output);
  const results = await openResults({ ...options, resume: output });
  assert.equal([...results.missing()], []);
  await results.finish(9);
  assert.is(withoutDurations(output), before);
});

test('a last line that was torn is dropped, wherever it was torn', async () => {
  const one = bench();
  await interrupted(one, [0, 1]);
  const whole = readFileSync(one.partial);
  const second = whole.indexOf(10) + 1;
  for (const end of [second, second + 1, second + 9, second + 40, whole.length - 2, whole.length - 1]) {
    writeFileSync(one.partial, whole.subarray(0, end));
    const results = await openResults({ ...one.options, resume: one.output });
    assert.equal([...results.missing()], [1, 2, 3, 4], `${end}`);
    results.stop();
    assert.equal(pathsIn(one.partial), ['a.tar']);
  }
  assert.ok(
    one.notes.some(note => note.endsWith('1 line is not used: the last line was not written to its end')),
  );
});

test('a file with nothing but a torn line, or nothing at all, is begun anew', async () => {
  const one = bench();
  await interrupted(one, [0]);
  for (const size of [0, 1, 5, 9, 30]) {
    truncateSync(one.partial, size);
    const results = await openResults({ ...one.options, resume: one.output });
    assert.is(results.kept, 0);
    await addAll(results, one.options, [0]);
    results.stop();
  }
});

test('lines that are no records are made anew and counted', async () => {
  const one = bench();
  await interrupted(one, [0, 1, 2]);
  const lines = readFileSync(one.partial, 'utf8').split('\n');
  // As a loss of power leaves it, and as an editor does.
  const damaged = [lines[0], '\0'.repeat(200), lines[2]!.replace('"size":', '"size":-')].join('\n');
  writeFileSync(one.partial, Buffer.concat([Buffer.from(`${damaged}\n`), Buffer.from([0xff, 0x0a])]));
  const results = await openResults({ ...one.options, resume: one.output });
  assert.equal([...results.missing()], [1, 2, 3, 4]);
  assert.ok(
    one.notes.includes(`${one.output}: 3 lines are not used: the line is no record`),
    one.notes.join(),
  );
  results.stop();
});

test('what failed is done again', async () => {
  const one = bench();
  const results = await openResults(one.options);
  await results.add(0, await lineFor(one.options, 0, { exitCode: 2 }), 2);
  await results.add(1, await lineFor(one.options, 1, { exitCode: 1 }), 1);
  results.stop();
  const again = await openResults({ ...one.options, resume: one.output });
  assert.equal([...again.missing()], [0, 2, 3, 4]);
  assert.match(one.notes.join('\n'), /1 line is not used: the archive could not be read/);
  await addAll(again, one.options);
  // The exit code of a record that is kept counts, that of one that is done again does not.
  assert.is(await again.finish(0), 1);
});

test('a file that has changed since is read again: size, time, or gone', async () => {
  const one = bench();
  const { options, output } = one;
  await complete(options);
  appendFileSync(`${options.root}/a.tar`, 'x');
  utimesSync(`${options.root}/b.tar`, 1, 1);
  rmSync(`${options.root}/c.tar`);
  const results = await openResults({ ...options, resume: output });
  assert.equal([...results.missing()], [0, 1, 2]);
  assert.match(one.notes.join('\n'), /3 lines are not used: the file has changed since/);
  results.stop();
});

test('--trust-digest keeps a file of the same content whatever its time, and its record has the new time', async () => {
  const one = bench();
  const { options, output } = one;
  await complete(options);
  const file = (path: string) => `${options.root}/${path}`;
  utimesSync(file('a.tar'), 1, 1);
  writeFileSync(file('b.tar'), readFileSync(file('b.tar'), 'latin1').toUpperCase());
  const { atime, mtime } = statSync(file('c.tar'));
  writeFileSync(file('c.tar'), readFileSync(file('c.tar'), 'latin1').toUpperCase());
  utimesSync(file('c.tar'), atime, mtime);
  const trusting = { ...options, resume: output, trustDigest: true };
  const results = await openResults(trusting);
  assert.equal([...results.missing()], [1, 2]);
  await addAll(results, options);
  await results.finish(0);
  assert.match(
    linesOf(output).map(line => line.kind !== 'end' && line.mtime)[0] as string,
    /^1970-01-01T00:00:01/,
  );
  await complete({ ...options, output: join(one.folder, 'whole.ndjson') });
  assert.is(withoutDurations(output), withoutDurations(join(one.folder, 'whole.ndjson')));
});

for (const [member, change, words] of [
  ['tool', { tool: 'waybill 0.2.0' }, /5 lines are not used: made by another version of waybill/],
  ['command', { command: 'verify' }, /made by another command/],
  ['policy', { policy: 'sha256:9' }, /made with another policy/],
  ['settings', { settings: 'sha256:9' }, /made with other options/],
] as const)
  test(`records with another ${member} are made anew`, async () => {
    const { options, output, notes } = bench();
    await complete(options);
    const provenance: Provenance = { ...options.provenance, ...change };
    const results = await openResults({ ...options, provenance, resume: output });
    assert.is(results.kept, 0);
    assert.match(notes.join('\n'), words);
    results.stop();
  });

test('records of another schema version are made anew', async () => {
  const one = bench();
  await complete(one.options);
  writeFileSync(
    one.output,
    readFileSync(one.output, 'utf8').replaceAll('"schemaVersion":1', '"schemaVersion":2'),
  );
  const results = await openResults({ ...one.options, resume: one.output });
  assert.is(results.kept, 0);
  assert.match(one.notes.join('\n'), /6 lines are not used: made by another schema version/);
  results.stop();
});

test('a list that has grown or shrunk keeps what is still in it, and its records are of the new list', async () => {
  const one = bench();
  await complete(one.options);
  writeFileSync(`${one.options.root}/f.tar`, 'f');
  const { shard } = one.options.provenance;
  const options: ResultsOptions = {
    ...one.options,
    resume: one.output,
    paths: ['b.tar', 'c.tar', 'f.tar'],
    provenance: { ...one.options.provenance, shard: { ...shard, list: 'sha256:other' } },
  };
  const results = await openResults(options);
  assert.equal([...results.missing()], [2]);
  assert.match(
    one.notes.join('\n'),
    /3 lines are not used: the archive is not in the list of this shard any more/,
  );
  await addAll(results, options);
  await results.finish(0);
  assert.equal(new Set(linesOf(one.output).map(line => line.shard.list)), new Set(['sha256:other']));
  await complete({ ...options, resume: null, output: join(one.folder, 'whole.ndjson') });
  assert.is(withoutDurations(one.output), withoutDurations(join(one.folder, 'whole.ndjson')));
});

test('results of another shard, of another list and other files are refused, and stay as they are', async () => {
  const one = bench();
  await complete(one.options);
  const before = readFileSync(one.output, 'utf8');
  const { provenance } = one.options;
  const inShard = (number: number, of: number) => ({
    ...provenance,
    shard: { ...provenance.shard, number, of },
  });
  const resume = one.output;
  const attempt = (changes: Partial<ResultsOptions>) => () =>
    openResults({ ...one.options, resume, ...changes });
  await refused(
    attempt({ provenance: inShard(2, 2) }),
    /out\.ndjson: expected results of shard 2\/2, found those of 1\/2\n/,
  );
  await refused(
    attempt({ provenance: inShard(1, 3) }),
    /expected results of shard 1\/3, found those of 1\/2/,
  );
  await refused(
    attempt({ paths: ['x/a.tar', 'x/b.tar'] }),
    /results of another list: none of its 5 archives is in the list of this shard\nWas another --root given/,
  );
  assert.is(readFileSync(one.output, 'utf8'), before);
  assert.equal(readdirSync(one.folder), ['out.ndjson']);
  for (const content of [
    'hello\n',
    '{"kind":\n',
    '{}\n{}\n',
    '[]',
    '\x1f\x8b\x08',
    '{"kind":"vehicle"}\n',
    '\0\0\0\n',
  ]) {
    writeFileSync(one.output, content, 'latin1');
    await refused(attempt({}), /out\.ndjson: expected a results file of waybill\nNothing was changed/);
    assert.is(readFileSync(one.output, 'latin1'), content);
    assert.equal(readdirSync(one.folder), ['out.ndjson']);
  }
  rmSync(one.output);
  mkdirSync(`${one.output}.partial`);
  await refused(attempt({}), /expected a results file/);
});

test('a partial file is never overwritten without --resume', async () => {
  const one = bench();
  await interrupted(one, [0, 1]);
  const before = readFileSync(one.partial, 'utf8');
  await refused(
    () => openResults(one.options),
    /out\.ndjson: an earlier run was not completed: its records are in .*out\.ndjson\.partial\nContinue it with --resume .*out\.ndjson, or remove/,
  );
  const other = join(one.folder, 'other.ndjson');
  await complete({ ...one.options, output: other });
  await refused(() => openResults({ ...one.options, resume: other }), /an earlier run was not completed/);
  assert.is(readFileSync(one.partial, 'utf8'), before);
  assert.equal(readdirSync(one.folder).sort(), ['other.ndjson', 'out.ndjson.partial']);
});

test('an earlier run can be resumed into another file, and stays', async () => {
  const one = bench();
  await interrupted(one, [0, 1]);
  const other = join(one.folder, 'other.ndjson');
  const options = { ...one.options, resume: one.output, output: other };
  const results = await openResults(options);
  assert.is(results.kept, 2);
  await addAll(results, options);
  await results.finish(0);
  assert.equal(readdirSync(one.folder).sort(), ['other.ndjson', 'out.ndjson.partial']);
});

test('of a partial and a completed file both are used, the partial first', async () => {
  const one = bench();
  await complete(one.options);
  appendFileSync(`${one.options.root}/a.tar`, 'x');
  const options = { ...one.options, resume: one.output };
  const results = await openResults(options);
  await addAll(results, options, [0]);
  results.stop();
  assert.ok(existsSync(one.partial) && existsSync(one.output));
  rmSync(one.partial);
  writeFileSync(one.partial, `${await lineFor(one.options, 0, { durationMs: 77 })}\n`);
  const again = await openResults(options);
  assert.equal([...again.missing()], []);
  await again.finish(0);
  assert.match(readFileSync(one.output, 'utf8').split('\n')[0]!, /"durationMs":77/);
});

test('a link in the place of a partial file is replaced, and its target stays', async () => {
  const one = bench();
  await interrupted(one, [0]);
  const elsewhere = join(temporary('target'), 'file');
  renameSync(one.partial, elsewhere);
  symlinkSync(elsewhere, one.partial);
  const before = readFileSync(elsewhere, 'utf8');
  const results = await openResults({ ...one.options, resume: one.output });
  assert.is(results.kept, 1);
  await addAll(results, one.options);
  await results.finish(0);
  assert.is(readFileSync(elsewhere, 'utf8'), before);
});

test('records that another program changes in the partial file are not passed on', async () => {
  const one = bench();
  const results = await openResults(one.options);
  await addAll(results, one.options);
  const content = readFileSync(one.partial, 'utf8');
  writeFileSync(one.partial, content.replace('"exitCode":0', '"exitCode":1'));
  await refused(
    () => results.finish(0),
    /out\.ndjson\.partial: another program has changed it during the run/,
  );
  truncateSync(one.partial, 100);
  await refused(() => results.finish(0), /another program has changed it/);
  assert.not.ok(existsSync(one.output));
  results.stop();
});

test('on standard output records come as they are made, with the trailer of a file', async () => {
  const one = bench();
  await complete(one.options);
  let printed = '';
  const options: ResultsOptions = {
    ...one.options,
    output: '-',
    put: async bytes => {
      printed += Buffer.from(bytes).toString();
    },
  };
  const results = await openResults(options);
  for (const index of [3, 0, 4, 1, 2])
    await results.add(index, await lineFor(options, index, { durationMs: index }), 0);
  assert.is(await results.finish(5), 0);
  const lines = printed.trimEnd().split('\n');
  assert.is(parseLine(lines[0]!) !== 'not-json' && JSON.parse(lines[0]!).path, 'd.tar');
  const expected = readFileSync(one.output, 'utf8').trimEnd().split('\n');
  assert.equal([...lines].sort(), expected.sort());
  // An earlier run is resumed there too.
  printed = '';
  const resumed = await openResults({ ...options, resume: one.output });
  assert.equal([...resumed.missing()], []);
  await resumed.finish(5);
  assert.equal(printed.trimEnd().split('\n').sort(), expected);
});

test('a reader of a named pipe gets all lines, and its end once', async () => {
  const one = bench();
  const pipe = join(one.folder, 'pipe');
  assert.is(spawnSync('mkfifo', [pipe]).status, 0);
  const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
  let read = '';
  reader.stdout.setEncoding('utf8').on('data', text => {
    read += text;
  });
  await complete({ ...one.options, output: pipe });
  await new Promise(resolve => reader.on('close', resolve));
  assert.is(read.trimEnd().split('\n').length, PATHS.length + 1);
  assert.equal(readdirSync(one.folder), ['pipe']);
});

const module = (name: string) => JSON.stringify(pathToFileURL(join(repositoryRoot, 'dist/src', name)).href);

/** A program that makes records of 4000 bytes, as fast as it can, and prints what becomes of them. */
const program = (options: ResultsOptions, delayMs = 0) => `
  import { archiveLine } from ${module('fleet/results.js')};
  import { itemState } from ${module('containers/work-list.js')};
  import { openResults } from ${module('write/results-file.js')};
  const options = { ...${JSON.stringify(options)}, note() {} };
  const report = ${JSON.stringify(REPORT)};
  const body = JSON.stringify({ sha256: null, exitCode: 0, error: null, ...report, filler: 'x'.repeat(4000) });
  let results;
  try {
    results = await openResults(options);
    console.log('kept', results.kept);
    for (const index of results.missing()) {
      const path = options.paths[index];
      const { size, mtime } = itemState(options.root, path);
      const line = archiveLine({ path, size, mtime }, options.provenance, 0, body);
      await results.add(index, line, 0);
      console.log('added');
      await new Promise(resolve => setTimeout(resolve, ${delayMs}));
    }
    console.log('exit', await results.finish(0));
  } catch (error) {
    console.log(error.name, error.message);
    results?.stop();
  }`;

test('on a full disk what was written is kept, without a torn line, and the message says how to go on', async () => {
  const one = bench();
  // The limit of 16 blocks of 512 or 1024 bytes: two records fit, or four.
  const run = (resume: string | null, limit: string) =>
    spawnSync('sh', [
      '-c',
      `ulimit -f ${limit}; exec "$0" --input-type=module -e "$1"`,
      process.execPath,
      program({ ...one.options, resume }),
    ]).stdout.toString();
  const first = run(null, '16');
  assert.match(
    first,
    /InputError .*out\.ndjson: cannot be written: file too large\nRaise the limit.*\nThen continue with --resume .*out\.ndjson: the records so far are kept in .*out\.ndjson\.partial\.$/m,
  );
  const kept = readFileSync(one.partial, 'utf8');
  assert.ok(kept.endsWith('\n'));
  assert.is(kept.trimEnd().split('\n').length, first.match(/added/g)!.length);
  assert.equal(readdirSync(one.folder), ['out.ndjson.partial']);
  const second = run(one.output, 'unlimited');
  assert.match(second, new RegExp(`^kept ${first.match(/added/g)!.length}\n`));
  assert.match(second, /exit 0/);
  assert.equal(pathsIn(one.output), [...PATHS, 'end']);
});

test('a run that is killed is resumed: no record is lost, none is there twice', async () => {
  const one = bench();
  const resume = one.output;
  const outputs: string[] = [];
  for (let attempt = 0; attempt < 20 && !existsSync(one.output); attempt++) {
    const child = spawn(
      process.execPath,
      ['--input-type=module', '-e', program({ ...one.options, resume }, 5)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let text = '';
    child.stdout.setEncoding('utf8').on('data', chunk => {
      text += chunk;
      // As soon as it has added something.
      if (text.includes('added')) child.kill('SIGKILL');
    });
    await new Promise(resolve => child.on('close', resolve));
    outputs.push(text);
  }
  assert.ok(outputs.length > 1, outputs.join());
  assert.equal(pathsIn(one.output), [...PATHS, 'end']);
  const summary = new RecordSummary(PATHS.length);
  const lines = readFileSync(one.output, 'utf8').trimEnd().split('\n');
  for (const [i, line] of lines.slice(0, -1).entries()) summary.add(i, line, 0);
  assert.is((linesOf(one.output).at(-1) as { readonly records: string }).records, summary.recordsDigest());
  assert.equal(readdirSync(one.folder), ['out.ndjson']);
});

test('two runs on one file refuse each other', async () => {
  const one = bench();
  const results = await openResults(one.options);
  for (const resume of [null, one.output])
    await refused(
      () => openResults({ ...one.options, resume }),
      /out\.ndjson: another run writes it: process \d+ on .*\nWait for it to end, or name another file with -o\. Its lock is .*out\.ndjson\.lock\./,
    );
  // Nor is it read while it is written.
  await refused(
    () => openResults({ ...one.options, resume: one.output, output: join(one.folder, 'x') }),
    /another run writes it/,
  );
  await addAll(results, one.options);
  await results.finish(0);
  assert.equal(readdirSync(one.folder), ['out.ndjson']);
});

test('a run whose lock was taken over does not complete the file', async () => {
  const one = bench();
  const results = await openResults(one.options);
  await addAll(results, one.options);
  const lock = `${one.output}.lock`;
  writeFileSync(lock, readFileSync(lock, 'utf8').replace(/"token":"\w+"/, '"token":"other"'));
  await refused(
    () => results.finish(0),
    /the lock .* is not held any more: it was removed, or taken over by another run\nThis run stops/,
  );
  results.stop();
  // The lock is that of the other run now.
  assert.equal(readdirSync(one.folder).sort(), ['out.ndjson.lock', 'out.ndjson.partial']);
});

test('a run that loses its lock while it looks at an earlier run leaves the partial file as it is', async () => {
  const one = bench();
  await interrupted(one, [0]);
  const before = readFileSync(one.partial, 'utf8');
  const note = () => rmSync(`${one.output}.lock`, { force: true });
  await refused(() => openResults({ ...one.options, resume: one.output, note }), /not held any more/);
  assert.is(readFileSync(one.partial, 'utf8'), before);
  assert.equal(readdirSync(one.folder), ['out.ndjson.partial']);
});

test('a results file in a folder that is not there is refused before anything is read', async () => {
  const { options, folder } = bench();
  await refused(
    () => openResults({ ...options, output: join(folder, 'no/out.ndjson') }),
    /cannot be written: no such file or directory\nMake its directory first/,
  );
  await refused(() => openResults({ ...options, output: folder }), /is a directory/);
});

test.run();
