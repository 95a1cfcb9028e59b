// Fleets for tests, and runs of `waybill scan` and `waybill merge` over them as processes.
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import * as assert from 'uvu/assert';
import { makeFleet, type Truth } from '../../bench/fleet.js';
import { repositoryRoot } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

export const WAYBILL = join(repositoryRoot, 'bin/waybill.js');

export interface TestFleet {
  /** A folder for results, with the archives below it. */
  readonly folder: string;
  readonly archives: string;
  readonly truths: readonly Truth[];
}

export function testFleet(name: string, small: number, seed = 1): TestFleet {
  const folder = temporary(name);
  return {
    folder,
    archives: join(folder, 'archives'),
    truths: makeFleet(folder, { small, large: 0, largeBytes: 0, seed }),
  };
}

export const waybill = (
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string | Uint8Array } = {},
): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [WAYBILL, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    ...options,
  } as never) as unknown as SpawnSyncReturns<string>;

/** The lines of a results file without durations, in which alone two runs over the same files differ. */
const comparable = (file: string) =>
  readFileSync(file, 'utf8')
    .replace(/"durationMs":[\d.]+/g, '"durationMs":0')
    .split('\n');

/** Compares two results files byte by byte, apart from durations, and shows the first line that differs. */
export function assertSameResults(actual: string, expected: string): void {
  const [seen, wanted] = [comparable(actual), comparable(expected)];
  const at = wanted.findIndex((line, index) => line !== seen[index]);
  if (at >= 0) assert.is(seen[at], wanted[at], `line ${at + 1}`);
  assert.is(seen.length, wanted.length);
}

/** The records of a results file, and its trailer. */
export function linesOf(file: string): Record<string, unknown>[] {
  const text = readFileSync(file, 'utf8');
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));
}

/** A folder of programs before all others on the PATH: `waybill` of this build, and those of `scripts` by name. */
export function programs(folder: string, scripts: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const all = { waybill: `exec "${process.execPath}" "${WAYBILL}" "$@"`, ...scripts };
  for (const [name, script] of Object.entries(all)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
}

export const RECIPES = join(repositoryRoot, 'docs/recipes');

/** A fleet for recipes, of which one archive cannot be read, with the results of one run over all of it. */
export interface RecipeFleet extends TestFleet {
  /** Results without a policy. */
  readonly whole: string;
  readonly policy: string;
  /** Results with the policy. */
  readonly judged: string;
}

export function recipeFleet(name: string): RecipeFleet {
  const fleet = testFleet(name, 32);
  const inFolder = (file: string) => join(fleet.folder, file);
  const [whole, judged, policy] = ['whole.ndjson', 'judged.ndjson', 'policy.yaml'].map(inFolder) as [
    string,
    string,
    string,
  ];
  writeFileSync(policy, 'extends: default@1\n');
  // The second archive that is damaged cannot be read, and neither can the download that failed.
  assert.is(waybill(['scan', fleet.archives, '-o', whole]).status, 2);
  assert.is(waybill(['scan', fleet.archives, '--policy', policy, '-o', judged]).status, 2);
  return { ...fleet, whole, judged, policy };
}

/** A folder in which an engine runs a recipe, with the programs that the recipe calls. */
export interface Workplace {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

export function workplace(name: string, scripts: Readonly<Record<string, string>> = {}): Workplace {
  const folder = temporary(`recipe-${name}`);
  return { folder, env: programs(folder, scripts) };
}

/** Runs a command in a workplace, as an engine starts a task, and returns its exit code. */
export async function task(
  { folder, env }: Workplace,
  [program, ...args]: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): Promise<number> {
  const child = spawn(program!, args, { cwd: folder, env: { ...env, ...variables }, stdio: 'ignore' });
  const [status] = await once(child, 'exit');
  return status as number;
}

/** Merges results files, and compares them with those of one run. */
export function assertMerged(files: readonly string[], expected: string, more: readonly string[] = []): void {
  const merged = join(temporary('merged'), 'merged.ndjson');
  const { status, stderr } = waybill(['merge', ...more, ...files, '-o', merged]);
  assert.is(status, 2, stderr);
  assertSameResults(merged, expected);
}
