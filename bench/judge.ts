// Compares measurements with the goals.
import type { Amount, Goal } from './goals.js';
import type { Summary } from './report.js';

export interface Verdict {
  readonly goal: string;
  /** In the unit of the goal: a ratio, seconds or bytes; null if something was not measured. */
  readonly measured: number | null;
  readonly most: number;
  readonly unit: 'times' | 'seconds' | 'bytes';
  readonly met: boolean | null;
  /** For a ratio of times, the same ratio of CPU times, which a busy machine affects less. Informational. */
  readonly cpu: number | null;
  readonly absent: readonly string[];
}

/** Measurements by RACE/CONTESTANT. */
export type Measured = ReadonlyMap<string, Summary>;

/** A step that takes less than this, in seconds, is within the noise and is not used. */
const SMALLEST_STEP = 0.05;

/** @param suffix  of contestants' IDs, which identifies their Node; a peer without that suffix is used without it */
export function judge(goal: Goal, measured: Measured, suffix = ''): Verdict {
  const absent: string[] = [];
  const find = (name: string): Summary | null => {
    const found = measured.get(name + suffix) ?? (name.includes('/waybill') ? undefined : measured.get(name));
    if (found === undefined) absent.push(name);
    return found ?? null;
  };
  const value = measure(goal, find);
  return {
    goal: words(goal) + suffix,
    measured: value,
    most: goal.most,
    unit: goal.kind === 'beyond' ? 'seconds' : goal.kind === 'memory' ? 'bytes' : 'times',
    met: value === null ? null : value <= goal.most,
    cpu: goal.kind === 'ratio' && value !== null ? find(goal.of)!.cpu / find(goal.to)!.cpu : null,
    absent,
  };
}

/** The race that measures everything in the goal. */
export function raceOf(goal: Goal): string {
  const name = goal.kind === 'linear' ? goal.of[0]!.of : goal.kind === 'flat' ? goal.of[0]! : goal.of;
  return name.slice(0, name.indexOf('/'));
}

type Find = (name: string) => Summary | null;

function measure(goal: Goal, find: Find): number | null {
  switch (goal.kind) {
    case 'ratio':
    case 'beyond': {
      const [of, to] = [find(goal.of), find(goal.to)];
      if (of === null || to === null) return null;
      return goal.kind === 'ratio' ? of.seconds / to.seconds : of.seconds - to.seconds;
    }
    case 'memory':
      return find(goal.of)?.peak ?? null;
    case 'flat': {
      const peaks = goal.of.map(name => find(name)?.peak ?? null);
      const known = peaks.filter(peak => peak !== null);
      return known.length < peaks.length ? null : Math.max(...known) / Math.min(...known);
    }
    case 'linear':
      return growth(goal.of, find);
  }
}

/**
 * The highest time per unit, divided by that of the first step above the noise. The time for the smallest amount is
 * subtracted on both sides, because it is the start-up time.
 */
function growth(amounts: readonly Amount[], find: Find): number | null {
  const seconds = amounts.map(({ of }) => find(of)?.seconds ?? null);
  const first = seconds[0];
  if (first === null || first === undefined || seconds.includes(null)) return null;
  const steps = amounts.slice(1).flatMap(({ units }, i) => {
    const step = seconds[i + 1]! - first;
    return step < SMALLEST_STEP ? [] : [step / (units - amounts[0]!.units)];
  });
  return steps.length === 0 ? null : Math.max(...steps) / steps[0]!;
}

function words(goal: Goal): string {
  switch (goal.kind) {
    case 'ratio':
      return `${goal.of} against ${contestant(goal.to)}`;
    case 'beyond':
      return `${goal.of} beyond ${contestant(goal.to)}`;
    case 'memory':
      return `${goal.of}, peak memory`;
    case 'flat':
      return `${raceOf(goal)}, peak memory, highest against lowest`;
    case 'linear':
      return `${raceOf(goal)}, time per unit`;
  }
}

const contestant = (name: string) => name.slice(name.indexOf('/') + 1);
