import { faultText, type Sink } from '../../codec/codec.js';
import { DEFLATE_RATIO, type LimitReached } from '../../limits.js';
import type { Algorithm } from '../../spec/digest.js';
import { type Analysis, type Examination, type Examined, Examiner } from './examiner.js';

import type { BlobFacts, BlobFailure } from './facts.js';
import { type UnpackedBlob, Unpacker } from './unpacker.js';

/**
 * Turns the bytes of one member into facts in a single pass: hashed as stored, unpacked, hashed unpacked, walked as a
 * tar. An uncompressed blob is hashed once for its digest and diff_id. The caller feeds the bytes. The codec must have
 * been loaded.
 */
export class BlobAnalyser {
  private readonly unpacker: Unpacker;
  private readonly examiner: Examiner;

  constructor(
    algorithms: readonly Algorithm[],
    analysis: Analysis,
    /**
     * Receives the unpacked content during the pass, for example to write it to a file. An error that it throws ends
     * the pass.
     */
    tap: Sink | null = null,
  ) {
    this.examiner = new Examiner(algorithms, analysis);
    this.unpacker = new Unpacker(analysis, tap === null ? this.examiner : tapped(this.examiner, tap));
  }

  /** @returns false if further bytes would be ignored */
  write(chunk: Uint8Array): boolean {
    return this.unpacker.write(chunk);
  }

  /** @param failure  the reason why the bytes end before the end of the member; null if they do not */
  end(failure: BlobFailure | null = null): BlobFacts {
    const unpacked = this.unpacker.end(failure);
    return blobFacts(unpacked, this.examiner.end());
  }
}

const tapped = (examiner: Examiner, tap: Sink): Examination => ({
  begin: (compression, isTar) => examiner.begin(compression, isTar),
  stored: bytes => examiner.stored(bytes),
  check: crc => examiner.check(crc),
  content(bytes) {
    tap(bytes);
    examiner.content(bytes);
  },
});

/** Combines both halves of the facts about a blob. */
export function blobFacts(unpacked: UnpackedBlob, examined: Examined): BlobFacts {
  const { size, compression, unpackedSize, whole, listed } = unpacked;
  const { failure: why, stream } = whole ? checked(unpacked, examined) : unpacked;
  const failure = why?.kind === 'limit' ? { ...why, ...needOf(why, unpacked, examined) } : why;
  return {
    size,
    digests: whole ? (examined.stored ?? examined.content) : null,
    compression,
    unpacked: failure === null ? { size: unpackedSize, digests: examined.content } : null,
    failure,
    stream,
    tar: examined.tar,
    ...(listed === undefined ? {} : { listed }),
  };
}

/** The size that the limit would have to allow, so that a user has to raise it only once. */
function needOf(
  { limit, value }: LimitReached,
  { size, compression }: UnpackedBlob,
  { tar }: Examined,
): { readonly seen?: number; readonly enough?: number } {
  const promised = tar?.promised ?? 0;
  if (limit === 'layerBytes') return promised > value ? { seen: promised } : {};
  if (limit !== 'unpackedRatio' || size === 0) return {};
  const seen = Math.ceil(promised / size);
  return { ...(seen > value ? { seen } : {}), ...(compression === 'gzip' ? { enough: DEFLATE_RATIO } : {}) };
}

/** A failed check takes precedence over errors that the unpacker reported after it. */
function checked(unpacked: UnpackedBlob, { failed }: Examined): Pick<BlobFacts, 'failure' | 'stream'> {
  if (failed === null) return unpacked;
  const fault = { code: 'crc32', expected: failed.expected, actual: failed.actual } as const;
  return {
    failure: { kind: 'corrupt', codec: 'gzip', reason: faultText(fault), fault, unpacked: failed.size },
    stream: { parts: failed.passed, skippable: 0, trailingZeros: 0, trailingGarbage: 0 },
  };
}
