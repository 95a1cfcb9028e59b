import type { Member } from '../containers/source.js';
import type { Graph } from '../link/graph.js';
import type { FindingCode, FindingData, Observation, Severity } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import type { Platform } from '../spec/platform.js';

/** The three verdicts. They are separate because an archive may omit blobs on purpose and still be intact. */
export type Verdict = 'intact' | 'complete' | 'conformant';

/** Severity, verdict and sentences of a finding code. */
export interface Rule<C extends FindingCode> {
  readonly severity: Severity;
  /** The verdict that the finding makes false; null where it affects none. */
  readonly verdict: Verdict | null;
  /** One line: expected before actual. */
  message(data: FindingData[C]): string;
  /** For `waybill explain`: what it means, what causes it, what to do. */
  readonly explain: string;
}

export type Rules<C extends FindingCode> = { readonly [K in C]: Rule<K> };

/** Bytes for people. */
export { sizeText as bytes } from '../spec/size-text.js';

export interface CheckOptions {
  /** Absent platforms are errors: all of them, or the one that is needed. */
  readonly requireComplete: boolean | Platform;
  /** An archive without an image is an error, also one with artifacts. */
  readonly requireImage: boolean;
}

/** Members sorted by path: a directory has no order, and findings must not depend on the order of a tar. */
export const byPath = (members: readonly Member[]): readonly Member[] =>
  [...members].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));

/** Compares what an archive claims with what its bytes are. Pure. */
export type Check = (scan: Scan, graph: Graph, options: CheckOptions) => Iterable<Observation>;
