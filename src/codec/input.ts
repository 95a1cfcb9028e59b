import { CodecError } from './codec.js';

/** A step of a decoder written as a generator: `yield` means "I have used up the input, come back with more". */
export type Step<T> = Generator<void, T, void>;

/**
 * The bytes a decoder has been given and not used yet. Decoders read it in the order of their format's specification
 * and need not know where one `write` ends and the next begins.
 *
 * Hazard: the caller of `write` reuses its chunk, so whatever is left over when `write` returns has to be copied.
 */
export class Input {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  ended = false;
  readonly #codec: string;
  #held = new Uint8Array(0);

  constructor(codec: string) {
    this.#codec = codec;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  feed(chunk: Uint8Array): void {
    const left = this.left;
    if (left === 0) {
      this.bytes = chunk;
      this.at = 0;
      return;
    }
    // Grows by doubling: a caller that writes single bytes must not cost quadratic time.
    const end = this.at + left + chunk.length;
    if (end > this.#held.length) {
      const bigger = left + chunk.length > this.#held.length / 2;
      const target = bigger ? new Uint8Array(2 * (left + chunk.length)) : this.#held;
      target.set(this.bytes.subarray(this.at));
      this.#held = target;
      this.at = 0;
    }
    this.#held.set(chunk, this.at + left);
    this.bytes = this.#held.subarray(0, this.at + left + chunk.length);
  }

  /** To be called before `write` returns. */
  hold(): void {
    if (this.left === 0) {
      this.bytes = new Uint8Array(0);
      this.at = 0;
    } else if (this.bytes.buffer !== this.#held.buffer) {
      const left = this.left;
      if (left > this.#held.length) this.#held = new Uint8Array(2 * left);
      this.#held.set(this.bytes.subarray(this.at));
      this.bytes = this.#held.subarray(0, left);
      this.at = 0;
    }
  }

  /** Waits until at least one byte is left; false at the end of the input. */
  *more(): Step<boolean> {
    while (this.left === 0) {
      if (this.ended) return false;
      yield;
    }
    return true;
  }

  /** Waits until `count` bytes are left, or as many as there are before the end. Does not use them up. */
  *peek(count: number): Step<Uint8Array> {
    while (this.left < count && !this.ended) yield;
    return this.bytes.subarray(this.at, Math.min(this.at + count, this.bytes.length));
  }

  *byte(where: string): Step<number> {
    if (!(yield* this.more())) throw this.truncated(where);
    return this.bytes[this.at++] as number;
  }

  /** The next `count` bytes: valid until the next `yield`. */
  *take(count: number, where: string): Step<Uint8Array> {
    const bytes = yield* this.peek(count);
    if (bytes.length < count) throw this.truncated(where);
    this.at += count;
    return bytes;
  }

  *skip(count: number, where: string): Step<void> {
    for (let rest = count; rest > 0; ) {
      if (!(yield* this.more())) throw this.truncated(where);
      const step = Math.min(rest, this.left);
      this.at += step;
      rest -= step;
    }
  }

  truncated(where: string): CodecError {
    return new CodecError(this.#codec, 'truncated', `the stream ends ${where}`);
  }
}

/** Runs a step so that nothing decoded stays behind in the context when it pauses, ends or fails. */
export function* flushing(context: { flush(): void }, step: Step<void>): Step<void> {
  try {
    while (!step.next().done) {
      context.flush();
      yield;
    }
  } finally {
    context.flush();
  }
}
