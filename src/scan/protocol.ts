import type { ByteRange } from '../source/source.js';
import type { Algorithm } from '../spec/digest.js';
import type { Analysis } from './analyser.js';
import type { BlobFacts, BlobFailure } from './facts.js';

export type WorkerSetup = Analysis;

export type ToWorker =
  | {
      readonly kind: 'range';
      readonly id: number;
      readonly range: ByteRange;
      readonly algorithms: readonly Algorithm[];
    }
  | { readonly kind: 'open'; readonly id: number; readonly algorithms: readonly Algorithm[] }
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly id: number; readonly failure: BlobFailure | null };

export type FromWorker =
  | { readonly kind: 'facts'; readonly id: number; readonly facts: BlobFacts }
  /** The parcel goes back to be filled again. */
  | { readonly kind: 'taken'; readonly length: number; readonly parcel: ArrayBuffer }
  | { readonly kind: 'progress'; readonly bytes: number };
