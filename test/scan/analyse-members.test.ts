// Work on the main thread and on worker threads goes on side by side; an error of either ends both, and only once.
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ByteRange, SeekableMember } from '../../src/containers/source.js';
import { defaultLimits } from '../../src/limits.js';
import { analyseMembers, POOL_FROM, WORKER_FROM } from '../../src/scan/analyse-members.js';
import { UnpackedTotal } from '../../src/scan/blob/unpacked-total.js';
import type { ScanOptions } from '../../src/scan/scan.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('analyse-members');
const file = join(folder, 'zeros');
writeFileSync(file, '');
truncateSync(file, 2 * POOL_FROM);

const member = (path: string, range: ByteRange): SeekableMember => ({
  path,
  name: path,
  type: 'file',
  size: range.length,
  target: null,
  range,
});

const plain = (length: number): ByteRange => ({ file, start: 0, length, deflated: false });

const OPTIONS: ScanOptions = { depth: 'digests', limits: defaultLimits, jobs: 3, onProgress: () => {} };
const ANALYSIS = {
  limits: defaultLimits,
  files: false,
  deadline: Number.POSITIVE_INFINITY,
  unpacked: new UnpackedTotal().memory,
};

/** The reason why a promise was rejected, and the rejections that had no handler meanwhile. */
async function rejectionsOf(work: Promise<unknown>) {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listen);
  try {
    const error = await work.then(
      () => null,
      (reason: unknown) => reason as Error,
    );
    await new Promise(resolve => setTimeout(resolve));
    return { error, unhandled };
  } finally {
    process.off('unhandledRejection', listen);
  }
}

test('a job that cannot be sent to a worker rejects once, while small members are still read', async () => {
  // A range with a function in it cannot be cloned: sending it throws a DataCloneError.
  const large = { ...plain(POOL_FROM), extra: () => {} };
  const small = Array.from({ length: 300 }, (_, i) => member(`small-${i}`, plain(WORKER_FROM - 1)));
  const members = [member('large', large), ...small];
  let bytes = 0;
  const onProgress = (read: number) => {
    bytes += read;
  };
  const { error, unhandled } = await rejectionsOf(
    analyseMembers(members, { ...OPTIONS, onProgress }, ANALYSIS),
  );
  assert.is(error?.name, 'DataCloneError');
  assert.equal(unhandled, []);
  assert.ok(bytes < small.length * (WORKER_FROM - 1), 'the main thread stops too');
});

test('an error on the main thread rejects once, and no worker takes another job', async () => {
  const broken = {
    ...plain(1),
    get start(): number {
      throw new Error('broken range');
    },
  };
  const large = Array.from({ length: 40 }, (_, i) => member(`large-${i}`, plain(POOL_FROM)));
  const members = [...large, member('small', broken)];
  const { error, unhandled } = await rejectionsOf(analyseMembers(members, OPTIONS, ANALYSIS));
  assert.is(error?.message, 'broken range');
  assert.equal(unhandled, []);
});

test.run();
