// Recorded output of a real Docker 28.5.2 and buildx 0.29.1 for the same images, compared with the command line.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each, type Run, waybill } from '../support/cli.js';
import { sharedFolder, testWhen } from '../support/corpus.js';
import { bare, sortedLines, without } from '../support/docker-cases.js';

interface Case {
  readonly id: string;
  readonly docker: string;
  readonly args: readonly string[];
  readonly archive: string;
  /** `lines`: text, with lines in any order. Docker takes rows of one image, or of one time, from a Go map. */
  readonly compare: 'text' | 'lines' | 'json';
  readonly exit: number;
  readonly ignore?: readonly string[];
  readonly stdout?: string;
}

const folder = join(sharedFolder, 'docker28');
const file = join(folder, 'cases.json');
const cases: readonly Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
/** The time of the recording, for relative times such as "3 years ago". */
const RECORDED = Date.UTC(2026, 10, 20) / 1000;

let runs: Promise<ReadonlyMap<string, Run>> | null = null;

/** Runs all cases once, a few at a time. */
function allRuns(): Promise<ReadonlyMap<string, Run>> {
  runs ??= each(cases, async ({ id, args }): Promise<[string, Run]> => {
    const run = await waybill([...args, '--docker', '28'], {
      cwd: folder,
      env: { SOURCE_DATE_EPOCH: String(RECORDED) },
    });
    return [id, run];
  }).then(pairs => new Map(pairs));
  return runs;
}

testWhen(
  test,
  cases.length > 0,
  'the shared folder is absent',
)('there are cases', () => {
  assert.ok(cases.length >= 129);
});

for (const { id, docker, args, compare, exit, ignore, stdout } of cases) {
  test(`${id} ${docker} = waybill ${args.join(' ')}`, async () => {
    const run = (await allRuns()).get(id)!;
    assert.is(run.status, exit, run.stderr);
    if (exit !== 0) {
      assert.is(run.stdout, '');
      assert.ok(run.stderr !== '', 'an error says why');
      return;
    }
    const expected = readFileSync(join(folder, stdout!), 'utf8');
    if (compare === 'text') assert.is(bare(run.stdout), bare(expected));
    else if (compare === 'lines') assert.is(sortedLines(bare(run.stdout)), sortedLines(bare(expected)));
    else {
      assert.equal(
        without(JSON.parse(run.stdout), ignore ?? []),
        without(JSON.parse(expected), ignore ?? []),
      );
    }
  });
}

test.run();
