// Runs the contestants of a race in turn, round after round, so that a slow phase of the machine affects all of them.
// Every second round runs in reverse order, so that no contestant always follows the one that heats up the machine.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Contestant } from './contestants.js';
import type { Result } from './report.js';
import { CommandFailed, run, type Sample } from './run.js';

export interface Rules {
  readonly rounds: number;
  /** A contestant whose runs took this many seconds in all is left out of the remaining rounds. */
  readonly patience: number;
  /** Emptied before every run. */
  readonly output: string;
  readonly say: (text: string) => void;
}

export async function alternate(contestants: readonly Contestant[], rules: Rules): Promise<Result[]> {
  const samples = contestants.map((): Sample[] => []);
  const problems = contestants.map((): string | null => null);
  for (let round = 1; round <= rules.rounds; round++) {
    const order = [...contestants.entries()];
    for (const [i, { id, command }] of round % 2 === 0 ? order.reverse() : order) {
      const spent = samples[i]!.reduce((sum, { seconds }) => sum + seconds, 0);
      if (problems[i] !== null || spent > rules.patience) continue;
      rules.say(`  round ${round} of ${rules.rounds}: ${id}`);
      empty(rules.output);
      try {
        samples[i]!.push(await run(command));
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        problems[i] = error.message;
        rules.say(`  ${id} failed: ${error.message}`);
      }
    }
  }
  empty(rules.output);
  return contestants.map(({ id }, i) => ({ id, samples: samples[i]!, problem: problems[i]! }));
}

function empty(folder: string): void {
  // A podman that failed may leave its store mounted.
  spawnSync('umount', ['-l', join(folder, 'root/overlay')], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
