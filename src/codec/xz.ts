import { checkInside, XZ_DECOMPRESS } from '../inside.js';
import { type Codec, CodecError, loadedOnce, type Sink, type WasmInstance } from './codec.js';
import { flushing, type Input, type Step } from './input.js';
import { couldBe, openPush, readTail, type ShapeSoFar } from './push.js';

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  create_context(): number;
  destroy_context(context: number): void;
  supply_input(context: number, length: number): void;
  get_next_output(context: number): number;
}

/** Internals of the package's one class, whose public API is only an asynchronous pull stream. */
interface Package {
  readonly XzReadableStream: {
    _moduleInstance?: WasmInstance;
    _getModuleInstance(): Promise<void>;
  };
}

const OUTPUT_SIZE = 256 * 1024;

// enum xz_ret of xz-embedded's xz.h. 0 and 1 are success.
const ERRORS: Readonly<Record<number, string>> = {
  2: 'unsupported integrity check',
  3: 'out of memory',
  4: 'the dictionary is larger than the decoder allows (64 MiB)',
  5: 'bad stream magic',
  6: 'uses an integrity check or a filter that is not supported (SHA-256, BCJ and delta are not)',
  7: 'corrupted data',
  8: 'corrupted data',
};
const UNSUPPORTED: readonly number[] = [2, 3, 4, 6];

let exports: Exports | null = null;

const isXzLoaded = (): boolean => exports !== null;

const loadXz = loadedOnce(async () => {
  // A CommonJS bundle, in which Node does not see the names.
  const { default: bundle } = (await import('xz-decompress')) as unknown as { default: Package };
  const { XzReadableStream: stream } = bundle;
  checkInside(XZ_DECOMPRESS, 'function', {
    'XzReadableStream._getModuleInstance': stream?._getModuleInstance,
  });
  if (stream._moduleInstance === undefined) await stream._getModuleInstance();
  exports = checkedExports(stream._moduleInstance?.exports);
});

/** @throws Error where the module does not export what is used of it */
function checkedExports(found: object | undefined): Exports {
  const { memory, create_context, destroy_context, supply_input, get_next_output } = (found ??
    {}) as Partial<Exports>;
  checkInside(XZ_DECOMPRESS, 'object', { 'exports.memory.buffer': memory?.buffer });
  checkInside(XZ_DECOMPRESS, 'function', {
    'exports.create_context': create_context,
    'exports.destroy_context': destroy_context,
    'exports.supply_input': supply_input,
    'exports.get_next_output': get_next_output,
  });
  return found as Exports;
}

/** One xz-embedded decoder (XZ_DYNALLOC, concatenated streams). All of them live in one WebAssembly memory. */
class XzContext {
  readonly #exports: Exports;
  readonly #context: number;
  readonly #sink: Sink;
  // Not a view of the WebAssembly memory: a sink that opens another decoder may let that grow, which detaches views.
  readonly #output = new Uint8Array(OUTPUT_SIZE);
  #filled = 0;
  #open = true;

  constructor(sink: Sink) {
    if (exports === null) throw new Error('xz: load() has not been awaited');
    this.#exports = exports;
    this.#sink = sink;
    this.#context = exports.create_context();
  }

  close(): void {
    if (this.#open) this.#exports.destroy_context(this.#context);
    this.#open = false;
  }

  feed(bytes: Uint8Array): void {
    const inputSize = this.#fields()[0] as number;
    for (let at = 0; at < bytes.length; at += inputSize) {
      const piece = bytes.subarray(at, at + inputSize);
      const inputAt = this.#fields()[1] as number;
      new Uint8Array(this.#exports.memory.buffer, inputAt, piece.length).set(piece);
      this.#exports.supply_input(this.#context, piece.length);
      while (!this.#step());
    }
  }

  flush(): void {
    const filled = this.#filled;
    this.#filled = 0;
    if (filled > 0) this.#sink(this.#output.subarray(0, filled));
  }

  /** True when the piece is used up and nothing more comes of it. */
  #step(): boolean {
    const result = this.#exports.get_next_output(this.#context);
    const fields = this.#fields();
    const [bufferSize, , inputUsed, inputSize, outputAt, produced] = fields;
    this.#gather(outputAt as number, produced as number);
    fields[5] = 0;
    if (result > 1) {
      throw new CodecError('xz', 'corrupt', ERRORS[result] ?? 'corrupted data', {
        unsupported: UNSUPPORTED.includes(result),
        cause: new Error(`xz_dec_run returned ${result}`),
      });
    }
    return inputUsed === inputSize && (produced as number) < (bufferSize as number);
  }

  #gather(at: number, length: number): void {
    if (this.#filled + length > OUTPUT_SIZE) this.flush();
    this.#output.set(new Uint8Array(this.#exports.memory.buffer, at, length), this.#filled);
    this.#filled += length;
  }

  // struct of the package's C part: buffer size, then xz_buf (in, in_pos, in_size, out, out_pos).
  #fields(): Uint32Array {
    return new Uint32Array(this.#exports.memory.buffer, this.#context, 6);
  }
}

// The .xz file format, version 1.2.1 (https://tukaani.org/xz/xz-file-format.txt), whose section numbers these are.
const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];

// 2.1.1.2: the size of the check after each block, by its ID.
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/**
 * The decoder is given exactly one part of a stream after another. By itself it does not distinguish a finished stream
 * from a cut one, nor trailing bytes from a next stream; and it never reports that it is done.
 */
export const xz: Codec<'xz'> = {
  name: 'xz',
  // A match of 273 bytes takes 14 bits of a range coder, each 0.022 bits long at the least.
  maxRatio: 7200,
  matches: head => head.length >= 6 && couldBe(MAGIC, head.subarray(0, 6)),
  load: loadXz,
  isLoaded: isXzLoaded,
  open: sink => openPush('xz', (input, shape) => readStreams(input, shape, sink)),
};

function* readStreams(input: Input, shape: ShapeSoFar, sink: Sink): Step<void> {
  const context = new XzContext(sink);
  try {
    for (let streams = 0; ; ) {
      // 2.2: padding between and after streams is a multiple of four zeros. Other zeros belong to no stream.
      const padding = streams === 0 ? 0 : yield* readZeros(input);
      const head = yield* input.peek(6);
      if (streams > 0 && (head.length === 0 || padding % 4 !== 0 || !couldBe(MAGIC, head))) {
        shape.trailingZeros = padding - (padding % 4);
        shape.trailingGarbage = padding % 4;
        yield* readTail(input, shape);
        return;
      }
      if (!couldBe(MAGIC, head)) throw new CodecError('xz', 'corrupt', 'does not begin with an xz stream');
      yield* flushing(context, readStream(input, context));
      streams += 1;
      shape.parts = streams;
    }
  } finally {
    context.close();
  }
}

function* readZeros(input: Input): Step<number> {
  let zeros = 0;
  while (yield* input.more()) {
    if (input.bytes[input.at] !== 0) break;
    input.at += 1;
    zeros += 1;
  }
  return zeros;
}

/** 2.1, stream: header, blocks, index, footer. Faults inside of them are found by the decoder. */
function* readStream(input: Input, context: XzContext): Step<void> {
  const header = yield* input.take(12, 'within a stream header');
  const checkSize = CHECK_SIZES[(header[7] as number) & 15] as number;
  context.feed(header);
  for (;;) {
    const size = yield* input.peek(1);
    if (size.length === 0) throw input.truncated('between blocks');
    if (size[0] === 0) break;
    yield* readBlock(input, context, checkSize);
  }
  yield* readIndex(input, context);
  context.feed(yield* input.take(12, 'within a stream footer'));
}

/** 3, block: header, LZMA2 data, padding to four bytes, check. */
function* readBlock(input: Input, context: XzContext, checkSize: number): Step<void> {
  const size = ((yield* input.peek(1))[0] as number) * 4 + 4;
  context.feed(yield* input.take(size, 'within a block header'));
  const length = yield* readLzma2(input, context);
  yield* pass(input, context, ((4 - (length % 4)) % 4) + checkSize, 'within a block');
}

/**
 * 5.3.1, LZMA2. Each chunk begins with a control byte: 0 ends the data, 1 and 2 are stored, from 0x80 on compressed,
 * from 0xc0 on with a byte of properties. LZMA2 is always the last filter, so this holds whatever precedes it.
 */
function* readLzma2(input: Input, context: XzContext): Step<number> {
  const where = 'within a block';
  for (let total = 0; ; ) {
    const control = (yield* input.peek(1))[0];
    if (control === undefined) throw input.truncated(where);
    if (control > 2 && control < 0x80) throw new CodecError('xz', 'corrupt', 'invalid LZMA2 control byte');
    const headLength = control === 0 ? 1 : control < 0x80 ? 3 : control < 0xc0 ? 5 : 6;
    const head = yield* input.take(headLength, where);
    const sizeAt = control < 0x80 ? 1 : 3;
    const size = control === 0 ? 0 : (head[sizeAt] as number) * 256 + (head[sizeAt + 1] as number) + 1;
    context.feed(head);
    // A chunk at a time, however the owner cuts the stream into writes: what the decoder has decoded of a piece that it
    // then refuses is lost, and so the same is lost each time.
    const chunk = yield* input.peek(size);
    context.feed(chunk);
    if (chunk.length < size) throw input.truncated(where);
    input.at += size;
    total += headLength + size;
    if (control === 0) return total;
  }
}

/** 4, index: indicator, number of records, two numbers for each, padding to four bytes, CRC-32. */
function* readIndex(input: Input, context: XzContext): Step<void> {
  let length = 1;
  yield* pass(input, context, 1, 'within the index');
  const read = function* (): Step<number> {
    // 1.2, variable-length integer: seven bits a byte, lowest first, at most nine bytes.
    for (let value = 0, shift = 1, count = 1; ; count += 1, shift *= 128) {
      const byte = (yield* input.take(1, 'within the index'))[0] as number;
      context.feed(Uint8Array.of(byte));
      length += 1;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
      if (count === 9) throw new CodecError('xz', 'corrupt', 'invalid number in the index');
    }
  };
  // The decoder compares the records with the blocks it saw, and refuses an index that has more.
  for (let rest = 2 * (yield* read()); rest > 0; rest -= 1) yield* read();
  yield* pass(input, context, ((4 - (length % 4)) % 4) + 4, 'within the index');
}

function* pass(input: Input, context: XzContext, count: number, where: string): Step<void> {
  for (let rest = count; rest > 0; ) {
    if (!(yield* input.more())) throw input.truncated(where);
    const piece = input.bytes.subarray(input.at, Math.min(input.at + rest, input.bytes.length));
    context.feed(piece);
    input.at += piece.length;
    rest -= piece.length;
  }
}
