import { CodecError, CodecNotLoaded, type Decoder } from '../../codec/codec.js';
import { type Compression, codecFor, sniff } from '../../codec/registry.js';
import { isOver } from '../../containers/deadline.js';
import { isTar, looksLikeJson } from '../../containers/kind.js';
import { BLOCK } from '../../tar/header.js';
import { RingBroken } from '../threads/ring.js';
import type { Analysis, Examination } from './examiner.js';
import type { BlobFacts, BlobFailure } from './facts.js';
import { GRID, UnpackedTotal } from './unpacked-total.js';

/** Facts about a blob that do not depend on its content. */
export interface UnpackedBlob
  extends Pick<BlobFacts, 'size' | 'listed' | 'compression' | 'failure' | 'stream'> {
  readonly unpackedSize: number;
  /** True if all bytes were read. */
  readonly whole: boolean;
}

/**
 * The first half of the work on a blob: unpacks it, within the limits, and passes the content to the second half. The
 * result depends only on the blob, not on how it is divided into chunks.
 */
export class Unpacker {
  private readonly head = new Uint8Array(BLOCK);
  private size = 0;
  private compression: Compression | null = null;
  private decoder: Decoder | null = null;
  /** Number of bytes passed to the decoder. */
  private taken = 0;
  private unpackedSize = 0;
  /** The reason why the content ends early. */
  private failure: BlobFailure | null = null;
  /** True if the stored bytes were not examined to their end. */
  private cut = false;
  private readonly total: UnpackedTotal | null;

  constructor(
    private readonly analysis: Analysis,
    private readonly target: Examination,
  ) {
    this.total = analysis.unpacked === undefined ? null : new UnpackedTotal(analysis.unpacked);
  }

  /**
   * @returns false if further bytes would be ignored
   * @throws CodecNotLoaded at the first bytes, before anything is done with them
   */
  write(chunk: Uint8Array): boolean {
    if (this.cut || this.isLate()) return false;
    const before = this.size;
    this.size += chunk.length;
    if (this.compression !== null) {
      this.take(chunk);
    } else {
      this.head.set(chunk.subarray(0, BLOCK - before), before);
      if (this.size < BLOCK) return true;
      this.begin(this.head);
      this.take(chunk.subarray(BLOCK - before));
    }
    return !this.cut;
  }

  /** @param failure  the reason why the bytes end before the end of the blob; null if they do not */
  end(failure: BlobFailure | null = null): UnpackedBlob {
    if (this.compression === null) this.begin(this.head.subarray(0, this.size));
    // After a failure of reading, the decoder would wrongly report a stream that is cut short.
    if (failure === null) this.guard(() => this.decoder?.end());
    this.decoder?.close();
    return {
      size: this.size,
      compression: this.compression!,
      failure: failure ?? this.failure,
      stream: this.decoder?.shape ?? null,
      unpackedSize: this.decoder === null ? this.size : this.unpackedSize,
      whole: failure === null && !this.cut,
    };
  }

  private begin(head: Uint8Array): void {
    const compression = sniff(head);
    const { target } = this;
    if (compression === 'none') {
      // JSON is not a layer; anything else may be intended as one.
      target.begin(compression, !looksLikeJson(head) || isTar(head));
    } else {
      const codec = codecFor(compression);
      if (!codec.isLoaded()) throw new CodecNotLoaded(codec);
      target.begin(compression, true);
      const outlet = { room: target.room?.bind(target), crc32: (crc: number) => target.check(crc) };
      this.decoder = codec.open(piece => this.unpack(piece), outlet);
    }
    this.compression = compression;
    this.take(head);
  }

  private take(bytes: Uint8Array): void {
    const { decoder, target } = this;
    if (decoder === null) {
      this.guard(() => target.content(bytes));
      return;
    }
    this.guard(() => target.stored(bytes), true);
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + GRID - (this.taken % GRID));
      this.taken += piece.length;
      at += piece.length;
      this.guard(() => decoder.write(piece));
    }
  }

  private unpack(piece: Uint8Array): void {
    // A few stored bytes may unpack to very many, so the clock is checked for each piece.
    if (this.isLate()) throw new Stopped();
    const { limit, value, allowed } = this.allowance(piece.length);
    const within = piece.subarray(0, allowed);
    this.unpackedSize += within.length;
    this.target.content(within);
    if (piece.length <= allowed) return;
    // Content that was not passed on does not count for other blobs.
    this.total?.add(within.length - piece.length);
    this.failure = { kind: 'limit', limit, value, unpacked: this.unpackedSize };
    throw new Stopped();
  }

  /** The number of the next bytes that may still be passed on. */
  private allowance(length: number) {
    const { unpackedFree, unpackedRatio, layerBytes, archiveBytes } = this.analysis.limits;
    const begun = Math.ceil(this.taken / GRID) * GRID;
    const left = (cap: number) => Math.max(0, cap - this.unpackedSize);
    const total = this.total?.add(length) ?? 0;
    const within = (cap: number) => Math.max(0, length - Math.max(0, total - cap));
    const whole = this.total?.allowance(this.analysis.limits) ?? Number.POSITIVE_INFINITY;
    const caps = [
      ['unpackedRatio', unpackedRatio, left(Math.max(unpackedFree, unpackedRatio * begun))],
      ['unpackedRatio', unpackedRatio, within(whole)],
      ['layerBytes', layerBytes, left(layerBytes)],
      ['archiveBytes', archiveBytes, within(archiveBytes)],
    ] as const;
    const [limit, value, allowed] = caps.reduce((a, b) => (b[2] < a[2] ? b : a));
    return { limit, value, allowed };
  }

  private isLate(): boolean {
    const { deadline, limits } = this.analysis;
    if (deadline === undefined || !isOver(deadline)) return false;
    this.cut = true;
    this.failure = { kind: 'limit', limit: 'seconds', value: limits.seconds, unpacked: this.unpackedSize };
    return true;
  }

  /** @param always  examine the stored bytes to their end, even after the content has ended */
  private guard(step: () => void, always = false): void {
    if (this.cut || (this.failure !== null && !always)) return;
    try {
      step();
    } catch (error) {
      if (error instanceof Stopped) return;
      if (error instanceof RingBroken) {
        this.cut = true;
        this.failure = { kind: 'unreadable', reason: 'the thread that looked at it ended' };
      } else if (error instanceof CodecError) {
        const { codec, reason, fault } = error;
        const kind = error.unsupported ? 'unsupported' : error.kind;
        const unpacked = this.unpackedSize;
        this.failure = { kind, codec, reason, unpacked, ...(fault !== null && { fault }) };
      } else throw error;
    }
  }
}

class Stopped extends Error {}
