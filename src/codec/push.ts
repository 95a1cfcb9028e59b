import { CodecError, type Decoder, type StreamShape, wasm } from './codec.js';
import { Input, type Step } from './input.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type ShapeSoFar = Mutable<StreamShape>;

/** Reads a stream of a format from its first byte to its last. It frees its resources in `try … finally`. */
export type Body = (input: Input, shape: ShapeSoFar) => Step<void>;

/** Runs a format's generator as a push decoder: every `write` resumes it, `close` unwinds it through its `finally`. */
class PushDecoder implements Decoder {
  readonly shape: ShapeSoFar = { parts: 0, skippable: 0, trailingZeros: 0, trailingGarbage: 0 };
  readonly #codec: string;
  readonly #input: Input;
  readonly #body: Step<void>;
  #failure: { readonly error: unknown } | null = null;
  #running = false;
  #closed = false;

  constructor(codec: string, body: Body) {
    this.#codec = codec;
    this.#input = new Input(codec);
    this.#body = body(this.#input, this.shape);
  }

  write(chunk: Uint8Array): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#closed || this.#input.ended) throw new Error('write() after end() or close()');
    if (chunk.length === 0) return;
    this.#input.feed(chunk);
    this.#resume();
    this.#input.hold();
  }

  end(): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#closed) throw new Error('end() after close()');
    if (this.#input.ended) return;
    this.#input.ended = true;
    this.#resume();
  }

  close(): void {
    this.#closed = true;
    // A sink that throws may be closed by its owner while the generator still runs; it unwinds by the throw itself.
    if (!this.#running) this.#body.return();
  }

  #resume(): void {
    this.#running = true;
    try {
      this.#body.next();
    } catch (error) {
      // WebAssembly traps in an impossible state. The caller sees that as bad input.
      const told =
        error instanceof wasm.RuntimeError
          ? new CodecError(this.#codec, 'corrupt', 'the decoder gave up', { cause: error })
          : error;
      this.#failure = { error: told };
      throw told;
    } finally {
      this.#running = false;
      if (this.#closed) this.#body.return();
    }
  }
}

export function openPush(codec: string, body: Body): Decoder {
  return new PushDecoder(codec, body);
}

/** Everything after the last part: zeros as long as there is nothing else, then garbage. */
export function* readTail(input: Input, shape: ShapeSoFar): Step<void> {
  while (yield* input.more()) {
    const rest = input.bytes.subarray(input.at);
    input.at = input.bytes.length;
    let zeros = 0;
    if (shape.trailingGarbage === 0) {
      while (zeros < rest.length && rest[zeros] === 0) zeros += 1;
      shape.trailingZeros += zeros;
    }
    shape.trailingGarbage += rest.length - zeros;
  }
}

/** Whether `head` could still become `magic`: equal as far as it goes. */
export function couldBe(magic: readonly number[], head: Uint8Array): boolean {
  return head.every((byte, index) => byte === magic[index]);
}
