// Recorded output of a real Docker 29.8 after loading an archive into an empty store, compared with the command line:
// mostly without a process, for speed, and for some cases with one.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each, type Run, waybill } from '../support/cli.js';
import { sharedFolder, testWhen } from '../support/corpus.js';
import { bare, sortedLines, without } from '../support/docker-cases.js';
import { type Said, said } from '../support/terminal.js';

interface Case {
  readonly id: string;
  readonly docker: string;
  readonly args: readonly string[];
  readonly archive: string;
  readonly compare: 'text' | 'lines' | 'json';
  readonly exit: number;
  readonly ignore?: readonly string[];
  readonly stdout?: string;
}

interface Cases {
  /** The time of the recording, in seconds, for relative times such as "3 years ago". */
  readonly epoch: number;
  readonly cases: readonly Case[];
}

const folder = join(sharedFolder, 'docker29');
const file = join(folder, 'cases.json');
const { epoch, cases }: Cases = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { epoch: 0, cases: [] };

/** buildx takes the annotations of a table from a Go map, in another order every time. */
const UNORDERED = /^imagetools inspect --docker 29 \S+$/;

const isSample = (i: number) => i % 20 === 0;
let samples: Promise<ReadonlyMap<string, Run>> | null = null;

/** Runs some of the cases as processes, once, a few at a time. */
function sampleRuns(): Promise<ReadonlyMap<string, Run>> {
  samples ??= each(
    cases.filter((_, i) => isSample(i)),
    async ({ id, args }): Promise<[string, Run]> => {
      return [id, await waybill(args, { cwd: folder, env: { SOURCE_DATE_EPOCH: String(epoch) } })];
    },
  ).then(pairs => new Map(pairs));
  return samples;
}

async function runOf({ id, args, archive }: Case): Promise<Said> {
  const sample = isSample(cases.findIndex(one => one.id === id)) ? (await sampleRuns()).get(id) : undefined;
  if (sample !== undefined) return { ...sample, status: sample.status as Said['status'] };
  const located = args.map(arg => (arg === archive ? join(folder, arg) : arg));
  return said(located, { now: new Date(epoch * 1000) });
}

testWhen(
  test,
  cases.length > 0,
  'the shared folder is absent',
)('there are cases', () => {
  assert.ok(cases.length >= 616);
});

for (const one of cases) {
  const { id, docker, args, compare, exit, ignore, stdout } = one;
  test(`${id} ${docker} = waybill ${args.join(' ')}`, async () => {
    const run = await runOf(one);
    assert.is(run.status, exit, run.stderr);
    if (exit !== 0) {
      assert.is(run.stdout, '');
      assert.ok(run.stderr !== '', 'an error says why');
      return;
    }
    const expected = readFileSync(join(folder, stdout!), 'utf8');
    const isUnordered = compare === 'lines' || UNORDERED.test(args.join(' '));
    if (compare === 'json') {
      assert.equal(
        without(JSON.parse(run.stdout), ignore ?? []),
        without(JSON.parse(expected), ignore ?? []),
      );
    } else if (isUnordered) assert.is(sortedLines(bare(run.stdout)), sortedLines(bare(expected)));
    else assert.is(bare(run.stdout), bare(expected));
  });
}

testWhen(
  test,
  cases.length > 0,
  'the shared folder is absent',
)('keys stand in the order of Docker', async () => {
  const keys = (text: string) => [...text.matchAll(/^ {8}"(\w+)":/gm)].map(match => match[1]);
  // The case says which keys are compared; the graph driver depends on the engine.
  const compared = (text: string) => keys(text).filter(key => key !== 'GraphDriver');
  for (const one of cases.filter(({ compare }) => compare === 'json')) {
    const { stdout } = await runOf(one);
    assert.equal(compared(stdout), compared(readFileSync(join(folder, one.stdout!), 'utf8')));
  }
});

test.run();
