import { constants, createInflateRaw, type InflateRaw } from 'node:zlib';
import { checkInside } from '../inside.js';
import { CodecError, type Decoder, type Outlet, ROOM_BYTES, type Sink } from './codec.js';
import type { Input, Step } from './input.js';
import { openPush } from './push.js';

/**
 * The part of Node's zlib binding that does one synchronous step. Node's documented synchronous calls want the whole
 * input at once; this is what they, pngjs and minizlib are built on. It is used directly because minizlib gathers all
 * the output of one write before it hands it on: 1 MiB of hostile input would become 1 GiB of memory.
 */
export interface ZlibHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void;
  onerror: (message: string, errno: number, code: string) => void;
}

type Internals = InflateRaw & { readonly _handle: ZlibHandle; readonly _writeState: Uint32Array };

// How much input zlib is given at once: see the hazard below.
const PIECE_SIZE = 32 * 1024;

/**
 * Raw deflate (RFC 1951), one stream after another with the same memory.
 *
 * Hazard: where the deflate data itself is invalid, Node does not say how much of the output buffer the failing call
 * had filled, so what it decoded just before the fault never reaches the sink. Truncation and checksum faults are
 * exact. To make at least the loss the same for one and the same stream, however its owner cuts it into writes, zlib
 * gets its input in pieces that are counted from the start of the deflate data.
 */
export class Inflater {
  readonly #zlib: Internals;
  readonly #room: () => Uint8Array;
  #fault: { readonly message: string; readonly errno: number; readonly code: string } | null = null;

  constructor({ room }: Outlet = {}) {
    const own = room === undefined ? new Uint8Array(ROOM_BYTES) : null;
    this.#room = room ?? (() => own!);
    // zlib's own buffer is never used here: the smallest keeps many open decoders cheap.
    this.#zlib = createInflateRaw({ chunkSize: 64 }) as Internals;
    const { _handle: handle, _writeState: state } = this.#zlib;
    checkInside('Node', 'function', { 'zlib _handle.writeSync': handle?.writeSync });
    checkInside('Node', 'number', { 'zlib _writeState[0]': state?.[0], 'zlib _writeState[1]': state?.[1] });
    handle.onerror = (message, errno, code) => {
      this.#fault = { message, errno, code };
    };
  }

  reset(): void {
    this.#zlib.reset();
    this.#fault = null;
  }

  close(): void {
    this.#zlib.close();
  }

  /** Decodes one deflate stream to its end and leaves `input` at the byte after it. */
  *run(input: Input, sink: Sink): Step<void> {
    for (;;) {
      const piece = yield* input.peek(PIECE_SIZE);
      if (piece.length === 0) {
        if (this.#hasEnded()) return;
        throw input.truncated('within the deflate data');
      }
      // zlib has no "end" to ask for. But it only leaves input unused, with room in the output, when it has ended;
      // where both ran out together, the next byte (there always is one: a trailer, or the probe above) tells.
      const left = this.#step(piece, sink);
      input.at += piece.length - left;
      if (left > 0) return;
    }
  }

  #step(piece: Uint8Array, sink: Sink): number {
    for (let left = piece.length; ; ) {
      const at = piece.length - left;
      // Never more room than this: what is lost before a fault must not depend on where the output lies.
      const output = this.#room();
      this.#zlib._handle.writeSync(constants.Z_NO_FLUSH, piece, at, left, output, 0, ROOM_BYTES);
      if (this.#fault !== null) throw this.#error(this.#fault);
      const [room, unused] = this.#zlib._writeState as unknown as [number, number];
      left = unused;
      if (room < ROOM_BYTES) sink(output.subarray(0, ROOM_BYTES - room));
      if (room > 0) return left;
    }
  }

  /** A finishing flush without input: zlib complains exactly when the stream is not complete. */
  #hasEnded(): boolean {
    const nothing = new Uint8Array(0);
    this.#zlib._handle.writeSync(constants.Z_FINISH, nothing, 0, 0, this.#room(), 0, ROOM_BYTES);
    return this.#fault === null;
  }

  #error(fault: { readonly message: string; readonly errno: number; readonly code: string }): CodecError {
    return new CodecError('gzip', 'corrupt', fault.message, {
      unsupported: fault.errno === constants.Z_MEM_ERROR,
      cause: Object.assign(new Error(fault.message), { code: fault.code, errno: fault.errno }),
    });
  }
}

/** Bare deflate data, as zip keeps it: no header, no checksum. Its errors are named gzip's, the nearest there is. */
export function openInflateRaw(sink: Sink): Decoder {
  return openPush('gzip', function* (input, shape) {
    const inflater = new Inflater();
    try {
      yield* inflater.run(input, sink);
      shape.parts = 1;
      while (yield* input.more()) {
        shape.trailingGarbage += input.left;
        input.at = input.bytes.length;
      }
    } finally {
      inflater.close();
    }
  });
}
