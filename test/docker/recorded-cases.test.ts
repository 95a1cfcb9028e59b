// Recorded output of a real Docker 28.5.2 for archives that were loaded into it: inspect, history and images, in both
// stores.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  corpusFolder,
  docker28,
  hasCorpus,
  NO_SHARED_FOLDER,
  repositoryRoot,
  testWhen,
} from '../support/corpus.js';
import { bare, sortedLines, without } from '../support/docker-cases.js';
import { said } from '../support/terminal.js';

interface RecordedCase {
  readonly id: string;
  readonly args: readonly string[];
  readonly compare: 'text' | 'json';
  readonly exit: number;
  readonly ignore?: readonly string[];
  /** True if Docker prints rows in another order from run to run. */
  readonly unordered?: boolean;
  readonly stdout?: string;
  readonly stderr?: string;
}

const { now, cases } = JSON.parse(
  readFileSync(join(repositoryRoot, 'test/docker/recorded/cases.json'), 'utf8'),
) as { readonly now: string; readonly cases: readonly RecordedCase[] };

/** Archives are recorded without their directory, and no other argument has the name of one. */
function located(arg: string): string {
  const candidates = [docker28(arg), join(corpusFolder, 'archives', arg)];
  return candidates.find(existsSync) ?? arg;
}

/** Cases in which waybill prints more than Docker, on purpose. */
const KNOWN: Readonly<Record<string, string>> = {
  'snyk.alpine-3.12.0.tar':
    'of an image with a damaged layer Docker shows nothing; waybill shows what is known',
  'stereoscope.valid-oci.tar': 'a name that is spelled in two ways gives two rows in Docker, and one here',
};

const isKnown = ({ args }: RecordedCase) =>
  args.includes('containerd') && args.some(arg => arg in KNOWN) && args[0] !== 'history';

for (const one of cases) {
  const { id, args, compare, exit, ignore = [], unordered = false, stdout, stderr } = one;
  testWhen(
    test,
    hasCorpus && !isKnown(one),
    hasCorpus ? `${id} differs, as it should` : NO_SHARED_FOLDER,
  )(`${id} waybill ${args.join(' ')}`, async () => {
    const run = await said([...args.map(located), '--docker', '28'], { now: new Date(now) });
    if (exit !== 0) {
      assert.is.not(run.status, 0);
      assert.is(run.stdout, '');
      if (stderr!.includes('template')) assert.is(run.stderr, stderr!.trimEnd());
      return;
    }
    assert.is(run.status, 0, run.stderr);
    if (compare === 'json') {
      assert.equal(without(JSON.parse(run.stdout), ignore), without(JSON.parse(stdout!), ignore));
      return;
    }
    const order = unordered ? sortedLines : (text: string) => text;
    assert.is(order(bare(run.stdout)), order(bare(stdout!)));
  });
}

test.run();
