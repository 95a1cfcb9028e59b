import { CodecError, type Sink } from './codec.js';
import type { WasmInstance } from './wasm.js';

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  create_context(): number;
  destroy_context(context: number): void;
  supply_input(context: number, length: number): void;
  get_next_output(context: number): number;
}

/** What the package's one class keeps to itself: it only offers an asynchronous pull stream. */
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

export const isXzLoaded = (): boolean => exports !== null;

export async function loadXz(): Promise<void> {
  if (exports !== null) return;
  // A CommonJS bundle, in which Node does not see the names.
  const { default: bundle } = (await import('xz-decompress')) as unknown as { default: Package };
  const { XzReadableStream: stream } = bundle;
  if (stream._moduleInstance === undefined) await stream._getModuleInstance();
  exports = stream._moduleInstance?.exports as Exports;
  if (typeof exports?.create_context !== 'function') throw new Error('xz-decompress has changed inside');
}

/** One xz-embedded decoder (XZ_DYNALLOC, concatenated streams). All of them live in one WebAssembly memory. */
export class XzContext {
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
