import type { FindingCode, FindingData, Severity } from '../image/observation.js';

/** The three questions that an archive is judged by. They are kept apart: an archive may omit blobs and still be sound. */
export type Verdict = 'intact' | 'complete' | 'conformant';

/** Everything there is to say about a kind of finding. */
export interface Rule<C extends FindingCode> {
  readonly severity: Severity;
  /** The verdict that the finding speaks against; null where it speaks against none. */
  readonly verdict: Verdict | null;
  /** One line: expected before actual. */
  message(data: FindingData[C]): string;
  /** For `waybill explain`: what it means, how it comes about, what to do. */
  readonly explain: string;
}

export type Rules<C extends FindingCode> = { readonly [K in C]: Rule<K> };

/** Bytes for people. */
export { sizeText as bytes } from '../spec/size-text.js';
