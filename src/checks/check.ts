import type { Graph } from '../image/graph.js';
import type { Observation } from '../image/observation.js';
import type { Scan } from '../scan/scan.js';
import type { Member } from '../source/source.js';
import type { Platform } from '../spec/platform.js';

export interface CheckOptions {
  /** Absent platforms are errors: all of them, or the one that is needed. */
  readonly requireComplete: boolean | Platform;
  /** An archive without an image is an error, also one with artifacts. */
  readonly requireImage: boolean;
}

/** Members by path. A directory has no order of its own, and findings must not depend on that of a tar. */
export const byPath = (members: readonly Member[]): readonly Member[] =>
  [...members].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));

/** Compares what an archive claims with what its bytes are. Pure. */
export type Check = (scan: Scan, graph: Graph, options: CheckOptions) => Iterable<Observation>;
