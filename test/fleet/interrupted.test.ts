// A run that is killed again and again, at random times, and resumed: its results are those of one that was not.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../../bench/images/random.js';
import { assertSameResults, linesOf, testFleet, WAYBILL, waybill } from './runs.js';

const KILLS = 20;
const SHARDS = 2;
const fleet = testFleet('interrupted', 200);
const { folder, archives } = fleet;

const start = (args: readonly string[]) =>
  spawn(process.execPath, [WAYBILL, 'scan', archives, '--jobs', '1', ...args], { stdio: 'ignore' });

const sizeOf = (file: string) => (existsSync(file) ? statSync(file).size : 0);

/** Waits until the results have grown by so many bytes, or the process ended. */
async function grown(child: ChildProcess, partial: string, bytes: number): Promise<void> {
  const before = sizeOf(partial);
  while (child.exitCode === null && sizeOf(partial) < before + bytes) await wait(2);
}

/** @returns whether the process was killed before it ended */
async function killed(child: ChildProcess): Promise<boolean> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  const [, signal] = await ended;
  return signal === 'SIGKILL';
}

test(`results of a run that is killed ${KILLS} times are those of one that is not`, async () => {
  const whole = join(folder, 'whole.ndjson');
  assert.is(waybill(['scan', archives, '-o', whole]).status, 2, 'some archives cannot be read');
  const random = new Random(15);
  const files = Array.from({ length: SHARDS }, (_, at) => join(folder, `shard-${at + 1}.ndjson`));
  const argsOf = (at: number) => ['--shard', `${at + 1}/${SHARDS}`, '--resume', files[at]!];
  /** Bytes of results that a run writes before it is killed: together less than there are. */
  const share = Math.floor(statSync(whole).size / KILLS);
  let kills = 0;
  for (let round = 0; kills < KILLS; round++) {
    const at = round % SHARDS;
    const child = start(argsOf(at));
    // Every fourth is killed at any time of its start, the others while records are written.
    if (round % 4 === 3) await wait(random.below(400));
    else await grown(child, `${files[at]}.partial`, random.below(share));
    if (child.exitCode === null && (await killed(child))) kills++;
    else assert.ok(round < 4 * KILLS, 'runs end before they can be killed');
  }
  for (const at of files.keys()) {
    const [status] = await once(start(argsOf(at)), 'exit');
    assert.ok(status === 2 || status === 1 || status === 0, `${status}`);
    assert.not.ok(existsSync(`${files[at]}.partial`));
    assert.not.ok(existsSync(`${files[at]}.lock`));
  }
  const merged = join(folder, 'merged.ndjson');
  const { status, stderr } = waybill(['merge', ...files, '-o', merged]);
  assert.is(status, 2, stderr);
  assertSameResults(merged, whole);
  assert.is(linesOf(merged).length, fleet.truths.length + 1);
});

test.run();
