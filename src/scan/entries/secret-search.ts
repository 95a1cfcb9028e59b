import type { Limits } from '../../limits.js';
import { secretsIn } from '../../secrets/search.js';
import { HEAD, isText, type Manner, mannerFor } from '../../secrets/searched-files.js';
import { ANY_EFFORT, type Effort } from '../../secrets/secret.js';
import type { ContentSink } from '../../tar/entry.js';
import type { EntrySecret, LayerSecrets } from './table.js';

export type SecretLimits = Pick<Limits, 'secretFileBytes' | 'layerSecrets'>;

/** A file with fewer bytes holds none. */
const SHORTEST = 8;

/**
 * Searches the files of one layer for secrets as they pass: those that can hold one by name and first bytes, up to a
 * limit of each. A file that comes in one piece, as nearly all do, is searched where it lies; the pieces of others are
 * put together.
 */
export class SecretSearch {
  private readonly found: EntrySecret[] = [];
  private cut = 0;
  private full = false;
  private pieces: Buffer = Buffer.alloc(0);

  private isSpent = false;
  private readonly effort: Effort;

  /** @param effort  what searching may cost, together with all other layers */
  constructor(
    private readonly limits: SecretLimits,
    effort: Effort = ANY_EFFORT,
  ) {
    this.effort = {
      spend: bytes => {
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
    const { found, cut, full, isSpent } = this;
    return { found, cut, full, spent: isSpent };
  }

  /** Bytes of one file that are searched at most. */
  get most(): number {
    return this.limits.secretFileBytes;
  }

  /** Room for the pieces of a file, with what is in it already. */
  room(length: number): Buffer {
    if (length > this.pieces.length) {
      const larger = Buffer.alloc(Math.min(this.most, Math.max(2 * length, 64 * 1024)));
      this.pieces.copy(larger);
      this.pieces = larger;
    }
    return this.pieces;
  }

  /** @param bytes  valid only during the call */
  search(bytes: Uint8Array, { index, path, manner, size }: Searched): void {
    const secrets = secretsIn(bytes, path, manner, this.effort);
    if (this.isSpent || (size > bytes.length && bytes.length >= this.most)) this.cut++;
    for (const secret of secrets) {
      this.full = this.found.length >= this.limits.layerSecrets;
      if (this.full) return;
      this.found.push({ index, ...secret });
    }
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
  private filled = 0;
  private isOver = false;

  constructor(
    private readonly layer: SecretSearch,
    private readonly file: Searched,
  ) {}

  write(bytes: Uint8Array): void {
    if (this.isOver) return;
    const wanted = Math.min(this.file.size, this.layer.most);
    if (this.filled === 0) {
      const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD));
      this.isOver = !isText(head);
      if (this.isOver) return;
      if (bytes.length >= wanted) {
        this.finish(bytes.subarray(0, wanted));
        return;
      }
    }
    const piece = bytes.subarray(0, wanted - this.filled);
    const filled = this.filled + piece.length;
    this.layer.room(filled).set(piece, this.filled);
    this.filled = filled;
    if (filled === wanted) this.finish(this.layer.room(filled).subarray(0, filled));
  }

  /** Zeros are no text: what has come before them is searched. */
  hole(): void {
    this.end();
  }

  /** If the tar is cut in a file, the part of that file that is there is searched. */
  end(): void {
    if (!this.isOver && this.filled > 0) this.finish(this.layer.room(this.filled).subarray(0, this.filled));
  }

  private finish(bytes: Uint8Array): void {
    this.isOver = true;
    this.layer.search(bytes, this.file);
  }
}
