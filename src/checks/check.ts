import type { Graph } from '../image/graph.js';
import type { Observation } from '../image/observation.js';
import type { Scan } from '../scan/scan.js';
import type { Platform } from '../spec/platform.js';

export interface CheckOptions {
  /** Absent platforms are errors: all of them, or the one that is needed. */
  readonly requireComplete: boolean | Platform;
}

/** Compares what an archive claims with what its bytes are. Pure. */
export type Check = (scan: Scan, graph: Graph, options: CheckOptions) => Iterable<Observation>;
