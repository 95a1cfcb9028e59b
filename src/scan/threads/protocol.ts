import type { Compression } from '../../codec/registry.js';
import type { ByteRange } from '../../containers/source.js';
import type { Algorithm, Digests } from '../../spec/digest.js';
import type { Analysis, Examined } from '../blob/examiner.js';

import type { BlobFailure } from '../blob/facts.js';
import type { UnpackedBlob } from '../blob/unpacker.js';
import type { FileDigest } from './range.js';

export type WorkerSetup = Analysis;

/** The memory of the ring through which a partner receives what it examines; null if the worker examines it itself. */
type RingMemory = SharedArrayBuffer | null;

/** Messages that are answered with facts. */
export type WorkOrder =
  | {
      readonly kind: 'range';
      readonly id: number;
      readonly range: ByteRange;
      readonly algorithms: readonly Algorithm[];
      readonly ring: RingMemory;
    }
  /** Digests of the stored bytes of a range, and nothing else. */
  | {
      readonly kind: 'digest';
      readonly id: number;
      readonly range: ByteRange;
      readonly algorithms: readonly Algorithm[];
    }
  /** The sha256 of each of these ranges. */
  | { readonly kind: 'files'; readonly id: number; readonly ranges: readonly ByteRange[] }
  /** The end of a stream. */
  | { readonly kind: 'end'; readonly id: number; readonly failure: BlobFailure | null }
  /** Examine what comes through a ring. */
  | {
      readonly kind: 'examine';
      readonly id: number;
      readonly ring: SharedArrayBuffer;
      readonly algorithms: readonly Algorithm[];
    };

export type ToWorker =
  | WorkOrder
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly algorithms: readonly Algorithm[];
      readonly compression: Compression;
      readonly ring: RingMemory;
    }
  /** The bytes are in shared memory, and are not changed until they are reported as taken. */
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes: Uint8Array };

/** The halves of a blob's facts, or its digests or those of files alone; what this thread did not compute is null. */
export interface Halves {
  readonly unpacked: UnpackedBlob | null;
  readonly examined: Examined | null;
  readonly digests?: Digests | null;
  /** As of `sha256Of`. */
  readonly files?: readonly FileDigest[];
}

export type FromWorker =
  | ({ readonly kind: 'facts'; readonly id: number } & Halves)
  /** The number of the oldest untaken chunks that may be filled again. */
  | { readonly kind: 'taken'; readonly chunks: number }
  | { readonly kind: 'progress'; readonly bytes: number };
