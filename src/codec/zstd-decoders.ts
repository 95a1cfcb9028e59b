// libzstd's streaming decoder, behind one interface: Node's own, and the WebAssembly of zstddec.
import * as zlib from 'node:zlib';
import { checkInside, ZSTDDEC } from '../inside.js';
import {
  CodecError,
  loadedOnce,
  type Outlet,
  ROOM_BYTES,
  type Sink,
  type WasmInstance,
  wasm,
} from './codec.js';
import type { ZlibHandle } from './inflate.js';

/** Decodes the frames of one stream, which its caller has found the parts of. */
export interface FrameDecoder {
  /**
   * Decodes a frame header, a block header, a block or a checksum, or the next part of one. Hazard: bytes that end one
   * block and go on in the next would lose output, because on an error zstd does not report what the call put out.
   * @throws CodecError for a fault in the bytes
   */
  feed(bytes: Uint8Array): void;
  /** Hands what has been decoded to the sink. */
  flush(): void;
  close(): void;
}

/** An implementation of zstd. */
export interface Zstd {
  /** Must have resolved before `open` is called. @throws Error where the implementation has changed inside */
  load(): Promise<void>;
  isLoaded(): boolean;
  open(sink: Sink, outlet?: Outlet): FrameDecoder;
}

/** A block unpacks to at most 128 KiB (RFC 8878, 3.1.1.2.4); it is also the most that is given in at once. */
const BLOCK_MAX = 128 * 1024;

// zstd_errors.h: the codes that it promises to keep.
const ERRORS: Readonly<Record<number, string>> = {
  10: 'unknown frame magic',
  12: 'unsupported version',
  14: 'unsupported frame parameter',
  16: 'the window is too large',
  20: 'corrupted block',
  22: 'the content checksum does not match',
  24: 'corrupted literals header',
  30: 'corrupted dictionary',
  32: 'wrong dictionary',
  64: 'out of memory',
  70: 'the frame unpacks to another size than it says',
  72: 'the frame has another size than it says',
};
const MAGIC_UNKNOWN = 10;
const CORRUPTED_BLOCK = 20;
const UNSUPPORTED: readonly number[] = [12, 14, 16, 32, 64];

/** @param code  ZSTD_ErrorCode */
const zstdError = (code: number): CodecError =>
  new CodecError('zstd', 'corrupt', ERRORS[code] ?? 'corrupted data', {
    unsupported: UNSUPPORTED.includes(code),
    cause: new Error(`ZSTD_decompressStream returned error ${code}`),
  });

interface NodeStream {
  /** Its errors are zstd's codes. */
  readonly _handle: ZlibHandle;
  readonly _writeState: Uint32Array;
  close(): void;
}

/** Makes a stream of node:zlib. */
export type CreateZstd = (options: { readonly chunkSize: number }) => NodeStream;

// Since 22.15 and 23.8; the types are of Node 20.
const { createZstdDecompress } = zlib as { readonly createZstdDecompress?: CreateZstd };

class NodeFrameDecoder implements FrameDecoder {
  readonly #stream: NodeStream;
  readonly #sink: Sink;
  readonly #nextRoom: () => Uint8Array;
  #room: Uint8Array | null = null;
  #filled = 0;
  #fault: number | null = null;

  constructor(create: CreateZstd, sink: Sink, { room }: Outlet = {}) {
    const own = room === undefined ? new Uint8Array(ROOM_BYTES) : null;
    this.#nextRoom = room ?? (() => own!);
    this.#sink = sink;
    // Its own buffer is never used here.
    this.#stream = create({ chunkSize: 64 });
    this.#stream._handle.onerror = (_message, errno) => {
      this.#fault = errno;
    };
  }

  close(): void {
    this.#stream.close();
  }

  feed(bytes: Uint8Array): void {
    const { _handle: handle, _writeState: state } = this.#stream;
    for (let left = bytes.length; left > 0; ) {
      if (this.#filled > ROOM_BYTES - BLOCK_MAX) this.flush();
      this.#room ??= this.#nextRoom();
      const free = ROOM_BYTES - this.#filled;
      handle.writeSync(0, bytes, bytes.length - left, left, this.#room, this.#filled, free);
      if (this.#fault !== null) throw zstdError(this.#fault);
      const [room, unused] = state as unknown as [number, number];
      // Behind a frame, Node neither reads nor refuses what is no frame: a loop would not end.
      if (unused === left && room === free) throw zstdError(MAGIC_UNKNOWN);
      this.#filled = ROOM_BYTES - room;
      left = unused;
    }
  }

  flush(): void {
    const [room, filled] = [this.#room, this.#filled];
    this.#room = null;
    this.#filled = 0;
    if (room !== null && filled > 0) this.#sink(room.subarray(0, filled));
  }
}

/** A frame of one byte (RFC 8878, 3.1.1): header, block header, block. */
const PROBE = ['28b52ffd2001', '090000', '61'].map(part => Buffer.from(part, 'hex'));
/** A block header of a type that does not exist. */
const FAULTY = Buffer.from('0f0000', 'hex');

/**
 * Whether streams are as expected, tried on two frames and a fault. Their inside is not documented, and WebAssembly is
 * there in their place, so a difference is no error.
 */
function isAsExpected(create: CreateZstd): boolean {
  const found: number[] = [];
  let decoder: FrameDecoder | null = null;
  try {
    decoder = new NodeFrameDecoder(create, chunk => found.push(...chunk));
    for (const part of [...PROBE, ...PROBE]) decoder.feed(part);
    decoder.flush();
    for (const part of [PROBE[0]!, FAULTY]) decoder.feed(part);
  } catch (error) {
    return (
      error instanceof CodecError && error.reason === ERRORS[CORRUPTED_BLOCK] && String(found) === '97,97'
    );
  } finally {
    decoder?.close();
  }
  return false;
}

/**
 * The zstd of node:zlib. It takes two thirds of the time of WebAssembly, starts 80 ms earlier, and frees a large
 * window.
 *
 * Hazard: it does not check that Huffman-coded literals end where their stream ends (RFC 8878, 4.2.2), as WebAssembly's
 * does, because libzstd's faster loop for 64 bits does not. Such damage is then found by the checksum of the frame,
 * after its content; in a frame without a checksum, only by the digest of the blob.
 */
export function nodeZstdBy(create: CreateZstd | undefined): Zstd {
  let isUsable: boolean | null = null;
  return {
    async load() {
      isUsable ??= create !== undefined && isAsExpected(create);
      if (!isUsable) throw new Error(`Node ${process.version} has no zstd of the expected kind`);
    },
    isLoaded: () => isUsable === true,
    open: (sink, outlet) => new NodeFrameDecoder(create!, sink, outlet),
  };
}

export const nodeZstd: Zstd = nodeZstdBy(createZstdDecompress);

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
  malloc(size: number): number;
}

const OUTPUT_SIZE = 512 * 1024;

/**
 * WebAssembly memory never shrinks: an instance that once held a large window is left to the garbage collector, and
 * only small ones are kept for the next stream.
 */
const KEEP_MEMORY = 32 * 1024 * 1024;
const KEEP_INSTANCES = 4;

let module: object | null = null;
const idle: Instance[] = [];

const loadWebAssembly = loadedOnce(async () => {
  const { ZSTDDecoder } = await import('zstddec/stream');
  checkInside(ZSTDDEC, 'function', { 'ZSTDDecoder._init': ZSTDDecoder?.prototype?._init });
  let captured: object | null = null;
  // zstddec hands its instantiation to this method without a `this`, and only on the first `init` of a process.
  class Capture extends ZSTDDecoder {
    override _init(result: { readonly module: object; readonly instance: WasmInstance }): void {
      checkExports(result.instance.exports);
      captured = result.module;
      super._init(result as Parameters<typeof this._init>[0]);
    }
  }
  await new Capture().init();
  // Also where other code of the process has used zstddec before: it instantiates its module once.
  checkInside(ZSTDDEC, 'object', { 'the module that init() hands to _init()': captured });
  module = captured;
});

/** @throws Error where the module does not export what is used of it */
function checkExports(found: object): void {
  const { memory, ZSTD_createDCtx, ZSTD_freeDCtx, ZSTD_decompressStream, malloc } = found as Partial<Exports>;
  checkInside(ZSTDDEC, 'object', { 'exports.memory.buffer': memory?.buffer });
  checkInside(ZSTDDEC, 'function', {
    'exports.ZSTD_createDCtx': ZSTD_createDCtx,
    'exports.ZSTD_freeDCtx': ZSTD_freeDCtx,
    'exports.ZSTD_decompressStream': ZSTD_decompressStream,
    'exports.malloc': malloc,
  });
}

/**
 * One instance per open stream, so that one stream's memory growth never detaches the chunk that another one's sink is
 * still reading, and a trap affects only its own stream.
 */
class Instance {
  readonly exports: Exports;
  readonly input: number;
  readonly output: number;
  readonly structs: number;

  constructor(from: object) {
    // No work to do on growth: views are made anew where the buffer has changed.
    const imports = { env: { emscripten_notify_memory_growth: () => {} } };
    this.exports = new wasm.Instance(from, imports).exports as Exports;
    this.input = this.exports.malloc(BLOCK_MAX);
    this.output = this.exports.malloc(OUTPUT_SIZE);
    this.structs = this.exports.malloc(24);
  }
}

/** A ZSTD_DCtx with its buffers. */
class WebAssemblyFrameDecoder implements FrameDecoder {
  readonly #instance: Instance;
  readonly #context: number;
  readonly #sink: Sink;
  #view: DataView;
  #heap: Uint8Array;
  #sound = true;

  constructor(sink: Sink) {
    if (module === null) throw new Error('zstd: load() has not been awaited');
    this.#instance = idle.pop() ?? new Instance(module);
    this.#sink = sink;
    this.#context = this.#instance.exports.ZSTD_createDCtx();
    if (this.#context === 0) throw new CodecError('zstd', 'corrupt', 'out of memory', { unsupported: true });
    this.#heap = new Uint8Array(this.#instance.exports.memory.buffer);
    this.#view = new DataView(this.#heap.buffer);
    this.#setBuffer(0, this.#instance.output, OUTPUT_SIZE);
  }

  close(): void {
    if (!this.#sound) return;
    const { exports } = this.#instance;
    exports.ZSTD_freeDCtx(this.#context);
    if (exports.memory.buffer.byteLength <= KEEP_MEMORY && idle.length < KEEP_INSTANCES)
      idle.push(this.#instance);
    this.#sound = false;
  }

  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += BLOCK_MAX) {
      const piece = bytes.subarray(at, at + BLOCK_MAX);
      this.#heap.set(piece, this.#instance.input);
      this.#setBuffer(12, this.#instance.input, piece.length);
      do {
        // Full-sized room for a block: zstd then never stops halfway with the rest of it still inside.
        if (this.#position(0) > OUTPUT_SIZE - BLOCK_MAX) this.flush();
        this.#step();
      } while (this.#position(12) < piece.length);
    }
  }

  flush(): void {
    const { output } = this.#instance;
    const filled = this.#position(0);
    this.#setBuffer(0, output, OUTPUT_SIZE);
    if (filled > 0) this.#sink(this.#heap.subarray(output, output + filled));
  }

  #step(): void {
    const { exports, structs } = this.#instance;
    this.#sound = false; // a trap leaves it so
    const result = exports.ZSTD_decompressStream(this.#context, structs, structs + 12) >>> 0;
    this.#sound = true;
    if (this.#heap.buffer !== exports.memory.buffer) {
      this.#heap = new Uint8Array(exports.memory.buffer);
      this.#view = new DataView(exports.memory.buffer);
    }
    // ZSTD_isError: size_t values from -119 to -1 are error codes.
    const code = 2 ** 32 - result;
    if (code < 120) throw zstdError(code);
  }

  // ZSTD_inBuffer and ZSTD_outBuffer: pointer, size, position. Position is only moved by a call that succeeds.
  #setBuffer(struct: number, pointer: number, size: number): void {
    const at = this.#instance.structs + struct;
    this.#view.setUint32(at, pointer, true);
    this.#view.setUint32(at + 4, size, true);
    this.#view.setUint32(at + 8, 0, true);
  }

  #position(struct: number): number {
    return this.#view.getUint32(this.#instance.structs + struct + 8, true);
  }
}

/** The zstd of zstddec, on every version of Node. */
export const webAssemblyZstd: Zstd = {
  load: loadWebAssembly,
  isLoaded: () => module !== null,
  open: sink => new WebAssemblyFrameDecoder(sink),
};

/** `preferred` where it can be loaded, `other` elsewhere. */
export function eitherZstd(preferred: Zstd, other: Zstd): Zstd {
  let chosen: Zstd | null = null;
  return {
    load: loadedOnce(async () => {
      const found = await preferred.load().then(
        () => preferred,
        () => other,
      );
      await found.load();
      chosen = found;
    }),
    isLoaded: () => chosen?.isLoaded() === true,
    open(sink, outlet) {
      if (chosen === null) throw new Error('zstd: load() has not been awaited');
      return chosen.open(sink, outlet);
    },
  };
}
