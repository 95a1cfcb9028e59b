import type { Limits } from '../limits.js';
import type { Observation } from './observation.js';

/** Observations of a code that weigh the same. An error must not be lost behind a hundred notes. */
const kindOf = ({ code, severity }: Observation) => `${code} ${severity ?? ''}`;

/**
 * Observations, each once, and of each kind no more than are ever told: a document of 20 MiB has room for ten million bad
 * fields. Those beyond are counted, whether or not they repeat one.
 */
export class Observations implements Iterable<Observation> {
  private readonly kept: Observation[] = [];
  private readonly keys = new Set<string>();
  private readonly counts = new Map<string, number>();
  private readonly last = new Map<string, Observation>();

  constructor(
    private readonly limits: Pick<Limits, 'findingsPerCode'>,
    observations: Iterable<Observation> = [],
  ) {
    for (const observation of observations) this.add(observation);
    if (observations instanceof Observations)
      for (const [kind, count] of observations.counts) this.counts.set(kind, count);
  }

  add(observation: Observation): void {
    const kind = kindOf(observation);
    const count = this.counts.get(kind) ?? 0;
    if (count < this.limits.findingsPerCode) {
      const { code, at, data } = observation;
      const key = JSON.stringify([code, at, data]);
      if (this.keys.has(key)) return;
      this.keys.add(key);
      this.kept.push(observation);
      this.last.set(kind, observation);
    }
    this.counts.set(kind, count + 1);
  }

  /** How many more there were of its kind, for the last that is kept; 0 for all others. */
  restAfter(observation: Observation): number {
    const kind = kindOf(observation);
    const isLast = this.last.get(kind) === observation;
    return isLast ? Math.max(0, this.counts.get(kind)! - this.limits.findingsPerCode) : 0;
  }

  some(test: (observation: Observation) => boolean): boolean {
    return this.kept.some(test);
  }

  [Symbol.iterator](): Iterator<Observation> {
    return this.kept[Symbol.iterator]();
  }
}
