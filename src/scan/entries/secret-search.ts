import type { Limits } from '../../limits.js';
import { type Encoding, encodingOf, secretsIn, type TextPart } from '../../secrets/search.js';
import { HEAD, type Manner, mannerFor } from '../../secrets/searched-files.js';
import { ANY_EFFORT, type Effort } from '../../secrets/secret.js';
import type { ContentSink } from '../../tar/entry.js';
import type { EntrySecret, LayerSecrets } from './table.js';

export type SecretLimits = Pick<Limits, 'secretFileBytes' | 'layerSecrets'>;

/** A file with fewer bytes holds none. */
const SHORTEST = 8;

/** A larger file is searched window by window: bytes of one. */
const WINDOW = 1024 * 1024;

/** Bytes that a window shares with the next one: more than a private key in PEM has. An even number, for UTF-16. */
const OVERLAP = 32 * 1024;

/**
 * Searches the files of one layer for secrets as they pass: those that can hold one by name and first bytes, up to a
 * limit of each, a window at a time. A file that comes in one piece, as nearly all do, is searched where it lies; the
 * pieces of others are put together.
 */
export class SecretSearch {
  private readonly found: EntrySecret[] = [];
  private cut = 0;
  private full = false;
  private pieces: Buffer = Buffer.alloc(0);

  private isSpent = false;
  private spent = 0;
  private readonly effort: Effort;

  /** @param effort  what searching may cost, together with all other layers */
  constructor(
    private readonly limits: SecretLimits,
    effort: Effort = ANY_EFFORT,
  ) {
    this.effort = {
      spend: bytes => {
        this.spent += bytes;
        this.isSpent ||= !effort.spend(bytes);
        return !this.isSpent;
      },
    };
  }

  /**
   * @param path  bytes, one per character, without a leading slash
   * @returns null for a file that is not searched
   */
  begin(index: number, path: string, size: number): ContentSink | null {
    if (size < SHORTEST || this.full) return null;
    const manner = mannerFor(path);
    if (manner !== null && this.isSpent) this.cut++;
    if (this.isSpent) return null;
    return manner === null ? null : new FileSearch(this, { index, path, manner, size });
  }

  finish(): LayerSecrets {
    const { found, cut, full, isSpent, spent: effort } = this;
    return { found, cut, full, spent: isSpent, effort };
  }

  /** Bytes of one file that are searched at most. */
  get most(): number {
    return this.limits.secretFileBytes;
  }

  /** Room for the pieces of a file, with what is in it already. */
  room(length: number): Buffer {
    if (length > this.pieces.length) {
      const larger = Buffer.alloc(Math.min(WINDOW, Math.max(2 * length, 64 * 1024)));
      this.pieces.copy(larger);
      this.pieces = larger;
    }
    return this.pieces;
  }

  /** @param bytes  valid only during the call */
  search(bytes: Uint8Array, { index, path, manner }: Searched, part: TextPart): void {
    for (const secret of secretsIn(bytes, path, manner, this.effort, part)) {
      this.full = this.found.length >= this.limits.layerSecrets;
      if (this.full) return;
      this.found.push({ index, ...secret });
    }
  }

  /** @param isWhole  whether all bytes of a file were given to `search` */
  searched(isWhole: boolean): void {
    if (this.isSpent || !isWhole) this.cut++;
  }
}

interface Searched {
  readonly index: number;
  readonly path: string;
  readonly manner: Manner;
  readonly size: number;
}

/** Takes the content of one file. */
class FileSearch implements ContentSink {
  /** Told by the first window. */
  private encoding: Encoding | null | undefined;
  private line = 1;
  /** Bytes of the file that were taken, and those of the window that is being filled. */
  private taken = 0;
  private filled = 0;
  private isOver = false;

  constructor(
    private readonly layer: SecretSearch,
    private readonly file: Searched,
  ) {}

  private get wanted(): number {
    return Math.min(this.file.size, this.layer.most);
  }

  write(bytes: Uint8Array): void {
    if (this.isOver) return;
    const { wanted } = this;
    if (this.taken === 0) {
      const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD));
      this.isOver = encodingOf(head) === null;
      if (this.isOver) return;
      if (bytes.length >= wanted && wanted <= WINDOW) {
        this.taken = wanted;
        this.finish(bytes.subarray(0, wanted));
        return;
      }
    }
    for (let at = 0; at < bytes.length && this.taken < wanted; ) {
      const length = Math.min(bytes.length - at, WINDOW - this.filled, wanted - this.taken);
      this.layer.room(this.filled + length).set(bytes.subarray(at, at + length), this.filled);
      at += length;
      this.taken += length;
      this.filled += length;
      if (this.filled === WINDOW && this.taken < wanted) this.pass();
    }
    if (this.taken === wanted) this.end();
  }

  /** Zeros are no text: what has come before them is searched. */
  hole(): void {
    this.end();
  }

  /** If the tar is cut in a file, the part of that file that is there is searched. */
  end(): void {
    if (!this.isOver && this.taken > 0) this.finish(this.layer.room(this.filled).subarray(0, this.filled));
  }

  /** Searches a full window, and begins the next one with its end. */
  private pass(): void {
    const window = this.layer.room(WINDOW).subarray(0, WINDOW);
    const end = WINDOW - OVERLAP;
    this.search(window, end);
    for (let at = window.indexOf(10); at >= 0 && at < end; at = window.indexOf(10, at + 1)) this.line++;
    window.copyWithin(0, end);
    this.filled = OVERLAP;
  }

  private finish(bytes: Uint8Array): void {
    this.isOver = true;
    this.search(bytes, bytes.length);
    this.layer.searched(this.file.size === this.taken || this.taken < this.layer.most);
  }

  private search(window: Uint8Array, end: number): void {
    if (this.encoding === undefined)
      this.encoding = encodingOf(Buffer.from(window.buffer, window.byteOffset, window.length));
    this.layer.search(window, this.file, { encoding: this.encoding, line: this.line, end });
  }
}
