// What a real Docker 28.5.2 and buildx 0.29.1 printed of the same images, through the real command line.
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
  readonly compare: 'text' | 'json';
  readonly exit: number;
  readonly ignore?: readonly string[];
  readonly stdout?: string;
}

const folder = join(sharedFolder, 'docker28');
const file = join(folder, 'cases.json');
const cases: readonly Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : [];
/** When the answers were recorded: "3 years ago" does not stay true. */
const RECORDED = Date.UTC(2026, 10, 20) / 1000;

let runs: Promise<ReadonlyMap<string, Run>> | null = null;

/** All cases, run once, a few at a time. */
function allRuns(): Promise<ReadonlyMap<string, Run>> {
  runs ??= each(cases, async ({ id, args }): Promise<[string, Run]> => {
    const run = await waybill(args, { cwd: folder, env: { SOURCE_DATE_EPOCH: String(RECORDED) } });
    return [id, run];
  }).then(pairs => new Map(pairs));
  return runs;
}

/**
 * Two layouts were filled by `skopeo copy`, which turned the Docker manifest that the registry had into an OCI manifest of
 * its own, with a config of its own: what Docker printed of the first is nowhere in these files.
 */
const CONVERTED: Readonly<Record<string, string>> = {
  'layout-team-app-docker28': 'cf287e0cbf186b178143739f555adffe14f05d88331087eb568ac28ce5f0d77d',
  'layout-team-app-docker28c': '99f90de649e76815efbdfd2d198bbb2d9978a5b900feff60795ef54f3ddf053e',
};

/** Whether an answer quotes the manifest or the config that the conversion lost. */
function isLost({ archive, stdout }: Case): boolean {
  const manifest = CONVERTED[archive];
  if (manifest === undefined || stdout === undefined) return false;
  if (existsSync(join(folder, archive, 'blobs/sha256', manifest))) return false;
  const expected = readFileSync(join(folder, stdout), 'utf8');
  return expected.includes(manifest) || expected.includes('application/vnd.docker.');
}

/** Rows of one image with several repositories: Docker takes these out of a Go map, in another order from run to run. */
const ROWS_IN_ANY_ORDER = ['021'];

const inOrder = (id: string, text: string) => (ROWS_IN_ANY_ORDER.includes(id) ? sortedLines(text) : text);

testWhen(
  test,
  cases.length > 0,
  'the shared folder is absent',
)('there are cases', () => {
  assert.ok(cases.length >= 129);
});

for (const one of cases) {
  const { id, docker, args, compare, exit, ignore, stdout } = one;
  testWhen(
    test,
    !isLost(one),
    `${id}: the archive holds another manifest than the registry had`,
  )(`${id} ${docker} = waybill ${args.join(' ')}`, async () => {
    const run = (await allRuns()).get(id)!;
    assert.is(run.status, exit, run.stderr);
    if (exit !== 0) {
      assert.is(run.stdout, '');
      assert.ok(run.stderr !== '', 'an error says why');
      return;
    }
    const expected = readFileSync(join(folder, stdout!), 'utf8');
    if (compare === 'text') assert.is(inOrder(id, bare(run.stdout)), inOrder(id, bare(expected)));
    else {
      assert.equal(
        without(JSON.parse(run.stdout), ignore ?? []),
        without(JSON.parse(expected), ignore ?? []),
      );
    }
  });
}

test.run();
