// Two machines, simulated by networks and host names of their own, with a shared folder: Slurm runs an array of 8 tasks
// on both, one is lost in the middle. The merge says what is missing, and the tasks that run again complete it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { testWhen } from '../support/corpus.js';
import { assertSameResults, RECIPES, testFleet, waybill, workplace } from './runs.js';
import { hasSlurm, NO_SLURM, type Node, Slurm } from './slurm.js';

const ID = process.pid % 100_000;
const BRIDGE = `wb${ID}`;
const NETWORK = `10.${64 + (ID % 64)}.213`;
const spaces = [1, 2].map(number => `wb${ID}n${number}`);
const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

function connect(): void {
  ip('link', 'add', BRIDGE, 'type', 'bridge');
  ip('addr', 'add', `${NETWORK}.1/24`, 'dev', BRIDGE);
  ip('link', 'set', BRIDGE, 'up');
  for (const [at, space] of spaces.entries()) {
    ip('netns', 'add', space);
    ip('link', 'add', `v${space}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    ip('link', 'set', `v${space}`, 'master', BRIDGE, 'up');
    ip('-n', space, 'addr', 'add', `${NETWORK}.${11 + at}/24`, 'dev', 'eth0');
    ip('-n', space, 'link', 'set', 'eth0', 'up');
    ip('-n', space, 'link', 'set', 'lo', 'up');
  }
}

const processesIn = (space: string) =>
  spawnSync('ip', ['netns', 'pids', space], { encoding: 'utf8' }).stdout.match(/\d+/g)?.map(Number) ?? [];

function disconnect(): void {
  for (const space of spaces) {
    for (const pid of processesIn(space)) process.kill(pid, 'SIGKILL');
    spawnSync('ip', ['netns', 'del', space]);
  }
  spawnSync('ip', ['link', 'del', BRIDGE]);
}

function canConnect(): boolean {
  if (!hasSlurm) return false;
  try {
    connect();
    return true;
  } catch {
    return false;
  } finally {
    disconnect();
  }
}

const nodes: readonly Node[] = spaces.map((space, at) => ({
  name: `node${at + 1}`,
  address: `${NETWORK}.${11 + at}`,
  within: ['nsenter', `--net=/run/netns/${space}`],
}));

/** Waits until a task on this host has written a part of its results. */
async function midway(shards: string, host: string): Promise<void> {
  for (let tries = 0; tries < 20_000; tries++) {
    const locks = existsSync(shards) ? readdirSync(shards).filter(name => name.endsWith('.lock')) : [];
    for (const lock of locks) {
      const partial = join(shards, lock.replace(/\.lock$/, '.partial'));
      try {
        const { host: holder } = JSON.parse(readFileSync(join(shards, lock), 'utf8'));
        if (holder === host && statSync(partial).size > 0) return;
      } catch {
        // Removed meanwhile, or just being written.
      }
    }
    await wait(3);
  }
  throw new Error(`no task ran on ${host}`);
}

/** Everything on the node ends at once, and it does not answer any more. */
function lose(at: number): void {
  ip('link', 'set', `v${spaces[at]}`, 'down');
  for (const pid of processesIn(spaces[at]!)) process.kill(pid, 'SIGKILL');
}

testWhen(
  test,
  canConnect(),
  `${NO_SLURM}, or networks cannot be made here`,
)('a node of two is lost: the merge says what is missing, and the resumed run completes it', async () => {
  const { folder, archives } = testFleet('two-nodes', 320);
  const place = workplace('two-nodes');
  const own = join(place.folder, 'slurm');
  mkdirSync(own);
  const results = join(place.folder, 'results');
  const shards = join(results, 'shards');
  connect();
  let slurm: Slurm | null = null;
  try {
    slurm = await Slurm.start(own, place.env, `${NETWORK}.1`, nodes);
    Object.assign(slurm.env, { ARCHIVES: archives, RESULTS: results });
    const [, array] = /^scan (\d+), merge \d+$/m.exec(slurm.run(join(RECIPES, 'slurm/submit.sh')))!;
    await midway(shards, 'node2');
    lose(1);
    slurm.run('scontrol', 'update', 'NodeName=node2', 'State=DOWN', 'Reason=lost');
    // All states at one time: a task that starts between two questions would be in no answer.
    const tasks = () => slurm!.output('squeue', '-h', '-r', '-n', 'waybill-scan', '-o', '%T %K %r');
    const isLater = (task: string) => /^PENDING \d+ (?!Resources|Priority|None)/.test(task);
    let left: string[] = [];
    await slurm.until(() => {
      left = tasks().split('\n').filter(Boolean);
      return left.every(isLater);
    });

    const waits = left.map(task => Number(task.split(' ')[1]) + 1);
    const done = readdirSync(shards).filter(name => name.endsWith('.ndjson'));
    // A task may have completed its file when its node was lost: Slurm starts it again all the same.
    const lost = waits.filter(number => !done.includes(`${number - 1}.ndjson`));
    assert.ok(lost.length > 0 && waits.length <= 2, `${waits}`);
    assert.is(done.length + lost.length, 8);
    const partly = waybill([
      'merge',
      ...done.map(name => join(shards, name)),
      '-o',
      join(folder, 'partly.ndjson'),
    ]);
    assert.is(partly.status, 2);
    for (const number of lost) assert.match(partly.stderr, new RegExp(`shard ${number}/8 is missing`));
    assert.not.ok(existsSync(join(folder, 'partly.ndjson')));

    // Slurm starts them again two minutes later, unless it is told to do so now.
    for (const number of waits)
      slurm.run('scontrol', 'update', `JobId=${array}_${number - 1}`, 'StartTime=now');
    await slurm.ended();
  } finally {
    await slurm?.stop();
    disconnect();
  }
  const whole = join(folder, 'whole.ndjson');
  waybill(['scan', '--root', archives, '--files-from', join(results, 'list'), '-o', whole]);
  assertSameResults(join(results, 'fleet.ndjson'), whole);
});

test.run();
