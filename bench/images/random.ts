/** Marsaglia's xorshift32: the same numbers on every machine, and fast enough for pools of many megabytes. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) | 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** From 0 to 2^32-1. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** From 0 to `limit`-1, uniformly. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  /** From 0 to `limit`-1, low numbers much more often, like the words of a language. */
  low(limit: number): number {
    const u = this.next() / 2 ** 32;
    return Math.floor(u * u * u * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }
}
