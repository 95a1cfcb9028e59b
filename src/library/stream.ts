import { InputError, reasonOf, UsageError, valueText } from '../errors.js';

const THE_STREAM = 'the stream';

interface Ending {
  destroy?(): void;
  cancel?(): Promise<void>;
  return?(): Promise<unknown>;
  on?(event: 'error', listener: () => void): void;
}

/**
 * A stream that a caller passed: of Node, of the web, or any iterable. Its pieces are checked, and its errors have the
 * library's class.
 */
export class CallersStream implements AsyncIterableIterator<Uint8Array> {
  private iterator: AsyncIterator<unknown> | null = null;

  constructor(private readonly stream: AsyncIterable<unknown> & Ending) {
    // Hazard: Node ends the process for an `error` event without a listener, and reading begins later. The iterator
    // throws the error.
    stream.on?.('error', () => {});
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws InputError when the stream fails; UsageError for a piece that is no bytes */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { done, value } = await this.following();
    return done === true ? { done, value: undefined } : { done: false, value: bytesOf(value) };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    if (this.iterator === null) this.destroy();
    else await this.iterator.return?.();
    return { done: true, value: undefined };
  }

  /** Ends it, without waiting for a piece that is on its way. */
  destroy(): void {
    const { stream, iterator } = this;
    if (stream.destroy !== undefined) stream.destroy();
    else void ended(iterator ?? stream).catch(() => {});
  }

  private async following(): Promise<IteratorResult<unknown>> {
    try {
      this.iterator ??= this.stream[Symbol.asyncIterator]();
      return await this.iterator.next();
    } catch (error) {
      const reason = error instanceof Error ? reasonOf(error) : valueText(error);
      throw new InputError(`it failed: ${reason}`, THE_STREAM, null, { cause: error, damaged: true });
    }
  }
}

const ended = async (one: Ending): Promise<unknown> => (one.cancel ? one.cancel() : one.return?.());

function bytesOf(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  if (piece instanceof ArrayBuffer) return new Uint8Array(piece);
  const cause =
    typeof piece === 'string'
      ? '; the stream has an encoding, by setEncoding or as an option: leave it out'
      : '';
  throw new UsageError(
    `input: expected a stream of bytes (Uint8Array), found ${pieceText(piece)} in it${cause}`,
  );
}

/** Not the text itself, which may be the beginning of the archive. */
const pieceText = (piece: unknown) => (typeof piece === 'string' ? 'text' : valueText(piece));
