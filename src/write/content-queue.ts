import type { ContentSink } from '../scan/content.js';
import { copyOf } from '../source/cursor.js';

/** Zeros that go out at a time. */
const ZEROS = new Uint8Array(64 * 1024);

/** Holds content until it can be put away: what one chunk of an archive unpacks to. */
export class ContentQueue implements ContentSink {
  private pieces: (Uint8Array | number)[] = [];
  /** null until the content has ended; whether it did so completely. */
  complete: boolean | null = null;

  constructor(private readonly put: (bytes: Uint8Array) => Promise<void>) {}

  write(bytes: Uint8Array): void {
    this.pieces.push(copyOf(bytes));
  }

  hole(length: number): void {
    this.pieces.push(length);
  }

  end(complete: boolean): void {
    this.complete = complete;
  }

  readonly drain = async (): Promise<void> => {
    const ready = this.pieces;
    this.pieces = [];
    for (const piece of ready) {
      if (typeof piece !== 'number') await this.put(piece);
      else {
        for (let left = piece; left > 0; left -= ZEROS.length)
          await this.put(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
      }
    }
  };
}
