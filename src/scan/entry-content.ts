import { createHash, type Hash } from 'node:crypto';
import type { Limits } from '../limits.js';
import type { ContentSink, ContentTaker } from './content.js';
import { nameText, rootedPath } from './entry-name.js';
import type { EntryContents, EntryTable } from './entry-table.js';
import { pathFilter } from './path-filter.js';
import type { EntryHeader } from './tar-entry.js';

/** What is wanted of the files' content, besides what describes them. Plain data. */
export interface ContentWanted {
  /** The digest of every file. */
  readonly digests?: boolean;
  /** The content of files whose paths match one of these; see `pathFilter`. */
  readonly keep?: readonly string[];
}

/** The sha256 of a file's content, its holes included; null where it was not asked for, or not all of it could be read. */
export function digestOf({ contents }: EntryTable, index: number): string | null {
  const digests = contents?.digests.subarray(32 * index, 32 * index + 32) ?? NOTHING;
  const isKnown = digests.some(byte => byte !== 0);
  return isKnown ? `sha256:${Buffer.from(digests).toString('hex')}` : null;
}

/** The content of a file that was to be kept; null where it was not, or there was too much of it. */
export function contentOf({ contents }: EntryTable, index: number): Uint8Array | null {
  const kept = contents?.kept ?? [];
  let low = 0;
  for (let high = kept.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (kept[middle]!.index < index) low = middle + 1;
    else high = middle;
  }
  return kept[low]?.index === index ? kept[low]!.bytes : null;
}

/** Whether a file was to be kept, and could not be: it is cut short, or there is more to keep than a limit allows. */
export const isContentMissing = ({ contents }: EntryTable, index: number): boolean =>
  contents?.missing.includes(index) ?? false;

const NOTHING = new Uint8Array(0);

/** Zeros that are hashed for the holes of a layer's sparse files; more have no honest use. */
const HOLES_CAP = 1024 * 1024 * 1024;
const ZEROS = new Uint8Array(64 * 1024);

/** Takes what is wanted of the content of one layer's files. */
export class ContentCapture implements ContentTaker {
  private digests = new Uint8Array(0);
  private readonly kept: { index: number; bytes: Uint8Array }[] = [];
  private readonly missing: number[] = [];
  private keptBytes = 0;
  private holes = 0;
  private readonly isKept: (path: string) => boolean;

  constructor(
    private readonly wanted: ContentWanted,
    private readonly limits: Pick<Limits, 'keptContentBytes'>,
  ) {
    const { keep = [] } = wanted;
    this.isKept = keep.length === 0 ? () => false : pathFilter(keep);
  }

  begin(index: number, { name, size }: EntryHeader): ContentSink | null {
    const keep = this.isKept(nameText(rootedPath(name)));
    const fits = keep && this.keptBytes + size <= this.limits.keptContentBytes;
    if (keep && !fits) this.missing.push(index);
    if (!fits && this.wanted.digests !== true) return null;
    if (fits) this.keptBytes += size;
    const hash = this.wanted.digests === true ? createHash('sha256') : null;
    const parts: Uint8Array[] | null = fits ? [] : null;
    return {
      write(bytes) {
        hash?.update(bytes);
        parts?.push(bytes.slice());
      },
      hole: length => {
        this.holes += length;
        if (this.holes <= HOLES_CAP) fill(length, hash, parts);
      },
      end: complete => {
        const isWhole = complete && this.holes <= HOLES_CAP;
        if (isWhole && hash !== null) this.note(index, hash.digest());
        if (isWhole && parts !== null) this.kept.push({ index, bytes: new Uint8Array(Buffer.concat(parts)) });
        else if (parts !== null) this.missing.push(index);
      },
    };
  }

  /** @param count  of the layer's entries */
  finish(count: number): EntryContents {
    const digests = this.wanted.digests === true ? new Uint8Array(32 * count) : NOTHING.slice();
    digests.set(this.digests.subarray(0, digests.length));
    return { digests, kept: this.kept, missing: this.missing };
  }

  private note(index: number, digest: Uint8Array): void {
    const end = 32 * index + 32;
    if (end > this.digests.length) {
      const larger = new Uint8Array(Math.max(2 * end, 2048));
      larger.set(this.digests);
      this.digests = larger;
    }
    this.digests.set(digest, end - 32);
  }
}

function fill(length: number, hash: Hash | null, parts: Uint8Array[] | null): void {
  for (let left = length; left > 0 && hash !== null; left -= ZEROS.length)
    hash.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  parts?.push(new Uint8Array(length));
}
