import type { Compression } from '../../codec/registry.js';
import type { ByteRange } from '../../containers/source.js';
import type { Algorithm } from '../../spec/digest.js';
import type { Analysis, Examined } from '../blob/examiner.js';

import type { BlobFailure } from '../blob/facts.js';
import type { Unpacked } from '../blob/unpacker.js';

export type WorkerSetup = Analysis;

/** The memory of the ring through which a partner gets what is to be examined; null where the worker does that itself. */
type RingMemory = SharedArrayBuffer | null;

/** What is answered with facts. */
export type Order =
  | {
      readonly kind: 'range';
      readonly id: number;
      readonly range: ByteRange;
      readonly algorithms: readonly Algorithm[];
      readonly ring: RingMemory;
    }
  /** The end of a stream. */
  | { readonly kind: 'end'; readonly id: number; readonly failure: BlobFailure | null }
  /** What comes through a ring is to be examined. */
  | {
      readonly kind: 'examine';
      readonly id: number;
      readonly ring: SharedArrayBuffer;
      readonly algorithms: readonly Algorithm[];
    };

export type ToWorker =
  | Order
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly algorithms: readonly Algorithm[];
      readonly compression: Compression;
      readonly ring: RingMemory;
    }
  /** The bytes lie in shared memory, and stay as they are until they are said to be taken. */
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes: Uint8Array };

/** The halves of a blob's facts; what this thread has not done is null. */
export interface Halves {
  readonly unpacked: Unpacked | null;
  readonly examined: Examined | null;
}

export type FromWorker =
  | ({ readonly kind: 'facts'; readonly id: number } & Halves)
  /** So many of the oldest chunks that were sent and not taken yet may be filled again. */
  | { readonly kind: 'taken'; readonly chunks: number }
  | { readonly kind: 'progress'; readonly bytes: number };
