import { checkInside, ZSTDDEC } from '../inside.js';
import { type Codec, CodecError, type Sink, type WasmInstance, wasm } from './codec.js';
import { flushing, type Input, type Step } from './input.js';
import { couldBe, openPush, readTail, type ShapeSoFar } from './push.js';

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
  malloc(size: number): number;
}

/** A block unpacks to at most 128 KiB (RFC 8878, 3.1.1.2.4); it is also the most that is given in at once. */
const BLOCK_MAX = 128 * 1024;
const OUTPUT_SIZE = 512 * 1024;

/**
 * WebAssembly memory never shrinks: an instance that once held a large window is left to the garbage collector, and
 * only small ones are kept for the next stream.
 */
const KEEP_MEMORY = 32 * 1024 * 1024;
const KEEP_INSTANCES = 4;

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
const UNSUPPORTED: readonly number[] = [12, 14, 16, 32, 64];

let module: object | null = null;
const idle: Instance[] = [];

const isZstdLoaded = (): boolean => module !== null;

async function loadZstd(): Promise<void> {
  if (module !== null) return;
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
}

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

/** A ZSTD_DCtx with its buffers. Feed it one frame header or one block at a time: see `feed`. */
class ZstdContext {
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

  /**
   * Decodes `bytes`, of which the caller sees to it that they end no block but the last of theirs: on an error zstd
   * does not report what the same call put out before it. Returns 0 when the frame is complete.
   */
  feed(bytes: Uint8Array): number {
    let result = 1;
    for (let at = 0; at < bytes.length; at += BLOCK_MAX) {
      const piece = bytes.subarray(at, at + BLOCK_MAX);
      this.#heap.set(piece, this.#instance.input);
      this.#setBuffer(12, this.#instance.input, piece.length);
      do {
        // Full-sized room for a block: zstd then never stops halfway with the rest of it still inside.
        if (this.#position(0) > OUTPUT_SIZE - BLOCK_MAX) this.flush();
        result = this.#step();
      } while (this.#position(12) < piece.length);
    }
    return result;
  }

  /** Hands what has been decoded to the sink. */
  flush(): void {
    const { output } = this.#instance;
    const filled = this.#position(0);
    this.#setBuffer(0, output, OUTPUT_SIZE);
    if (filled > 0) this.#sink(this.#heap.subarray(output, output + filled));
  }

  #step(): number {
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
    if (code < 120) {
      throw new CodecError('zstd', 'corrupt', ERRORS[code] ?? 'corrupted data', {
        unsupported: UNSUPPORTED.includes(code),
        cause: new Error(`ZSTD_decompressStream returned error ${code}`),
      });
    }
    return result;
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

// RFC 8878, 3.1.1 and 3.1.2. A skippable frame's first byte is anything from 0x50 to 0x5f.
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const SKIPPABLE = [0x50, 0x2a, 0x4d, 0x18];

/** The largest window that `zstd -d` accepts by default and that `zstd --long` makes. RFC 8878 asks for 8 MiB. */
const WINDOW_MAX = 128 * 1024 * 1024;

/**
 * Blocks are found here and only unpacked by zstd. That gives exact output before a fault, plain words for windows
 * and dictionaries, and the end of each frame; Node's own zstd stops silently after the first.
 */
export const zstd: Codec<'zstd'> = {
  name: 'zstd',
  // A block of 128 KiB takes four bytes.
  maxRatio: 32_768,
  matches: head =>
    head.length >= 4 && (couldBe(MAGIC, head.subarray(0, 4)) || isSkippable(head.subarray(0, 4))),
  load: loadZstd,
  isLoaded: isZstdLoaded,
  open: sink => openPush('zstd', (input, shape) => readFrames(input, shape, sink)),
};

/** Whether `head` could still become the magic of a skippable frame: equal as far as it goes. */
function isSkippable(head: Uint8Array): boolean {
  return head.every((byte, index) => (index === 0 ? byte & 0xf0 : byte) === SKIPPABLE[index]);
}

/**
 * Whether a stream begins with a skippable frame, which readers that know zstd by the magic of a data frame do not
 * know.
 */
export const beginsSkippable = (head: Uint8Array): boolean =>
  head.length >= 4 && isSkippable(head.subarray(0, 4));

function* readFrames(input: Input, shape: ShapeSoFar, sink: Sink): Step<void> {
  const context = new ZstdContext(sink);
  try {
    for (let frames = 0; ; ) {
      const head = yield* input.peek(4);
      if (head.length === 0 && frames + shape.skippable > 0) return;
      const data = couldBe(MAGIC, head);
      if (!data && !isSkippable(head)) {
        // Behind nothing but skippable frames this is no tail: the stream's data itself is unreadable.
        if (frames === 0) throw new CodecError('zstd', 'corrupt', 'unknown frame magic');
        yield* readTail(input, shape);
        return;
      }
      if (head.length < 4) throw input.truncated('within a frame magic');
      if (data) {
        yield* flushing(context, readFrame(input, context));
        frames += 1;
        shape.parts = frames;
      } else {
        input.at += 4;
        const size = readLittleEndian(yield* input.take(4, 'within a skippable frame'));
        yield* input.skip(size, 'within a skippable frame');
        shape.skippable += 1;
      }
    }
  } finally {
    context.close();
  }
}

function* readFrame(input: Input, context: ZstdContext): Step<void> {
  const hasChecksum = yield* readHeader(input, context);
  for (let last = false; !last; ) {
    const head = yield* input.take(3, 'within a frame');
    const word = readLittleEndian(head);
    last = (word & 1) === 1;
    let result = context.feed(head);
    // 3.1.1.2: a run-length block is one byte, whatever size it says. zstd has refused unknown types and oversize.
    let rest = ((word >> 1) & 3) === 1 ? 1 : word >> 3;
    while (rest > 0) {
      if (!(yield* input.more())) throw input.truncated('within a frame');
      const piece = input.bytes.subarray(input.at, Math.min(input.at + rest, input.bytes.length));
      result = context.feed(piece);
      input.at += piece.length;
      rest -= piece.length;
    }
    if (last && hasChecksum) result = context.feed(yield* input.take(4, 'within the frame checksum'));
    if (last && result !== 0)
      throw new CodecError('zstd', 'corrupt', 'the frame goes on after its last block');
  }
}

/** 3.1.1.1, frame header: the descriptor says which fields there are and how long. Returns its checksum flag. */
function* readHeader(input: Input, context: ZstdContext): Step<boolean> {
  const where = 'within a frame header';
  const start = yield* input.peek(5);
  if (start.length < 5) throw input.truncated(where);
  const descriptor = start[4] as number;
  const windowBytes = (descriptor >> 5) & 1 ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [1 - windowBytes, 2, 4, 8][descriptor >> 6] as number;
  const header = yield* input.take(5 + windowBytes + dictionaryBytes + sizeBytes, where);

  const dictionary = readLittleEndian(header.subarray(5 + windowBytes, 5 + windowBytes + dictionaryBytes));
  if (dictionary !== 0) {
    throw new CodecError('zstd', 'corrupt', `the frame needs dictionary ${dictionary}`, {
      unsupported: true,
    });
  }
  // A single-segment frame has no window of its own: it is as large as the content.
  const size = readLittleEndian(header.subarray(header.length - sizeBytes)) + (sizeBytes === 2 ? 256 : 0);
  const window = windowBytes === 0 ? size : windowSize(header[5] as number);
  if (window > WINDOW_MAX) {
    const reason = `the frame needs a window of ${window} bytes; the limit is ${WINDOW_MAX} (128 MiB)`;
    throw new CodecError('zstd', 'corrupt', reason, { unsupported: true });
  }
  context.feed(header);
  return (descriptor & 4) !== 0;
}

/** 3.1.1.1.2, window descriptor. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Not exact beyond 2^53, where it only has to be larger than a limit. */
function readLittleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
