// The result of a run, which is written as JSON and shown as tables.
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Verdict } from './judge.js';
import type { Line } from './micro/line.js';
import type { Sample } from './run.js';

export interface Result {
  readonly id: string;
  /** Empty if it was not measured. */
  readonly samples: readonly Sample[];
  /** The reason why it was not measured, or stopped; null if there is none. */
  readonly problem: string | null;
}

export interface RaceResult {
  readonly id: string;
  readonly title: string;
  readonly images: readonly { readonly name: string; readonly form: string; readonly bytes: number }[];
  readonly results: readonly Result[];
}

export interface Report {
  readonly date: string;
  readonly machine: Machine;
  /** Versions of the commands that took part: the first line of their output. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  readonly races: readonly RaceResult[];
  readonly goals: readonly Verdict[];
  readonly micro: readonly Line[];
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly system: string;
  /** Load average of the minute before the run: above a few tenths, times are not reliable. */
  readonly load: number;
}

export const machine = (): Machine => ({
  processor: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memory: totalmem(),
  system: `${type()} ${release()} ${arch()}`,
  load: loadavg()[0] ?? 0,
});

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Summary {
  readonly seconds: number;
  readonly min: number;
  readonly max: number;
  readonly cpu: number;
  /** Bytes; null if the system does not report it. */
  readonly peak: number | null;
}

/** Medians of times, and the highest peak; null if nothing was measured. */
export function summary(samples: readonly Sample[]): Summary | null {
  if (samples.length === 0) return null;
  const seconds = samples.map(sample => sample.seconds);
  const peaks = samples.flatMap(({ peak }) => (peak === null ? [] : [peak]));
  return {
    seconds: median(seconds),
    min: Math.min(...seconds),
    max: Math.max(...seconds),
    cpu: median(samples.map(sample => sample.cpu)),
    peak: peaks.length === 0 ? null : Math.max(...peaks),
  };
}
