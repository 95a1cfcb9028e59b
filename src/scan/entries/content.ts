import { createHash, type Hash, hash as hashAtOnce } from 'node:crypto';
import { copyOf } from '../../containers/cursor.js';
import { pathFilter } from '../../containers/path-filter.js';
import type { Limits } from '../../limits.js';
import type { Effort } from '../../secrets/secret.js';
import type { ContentSink, ContentTaker, EntryHeader } from '../../tar/entry.js';
import { nameText, rootedPath } from './name.js';
import { type PackageLimits, PackageSearch } from './package-search.js';
import { type SecretLimits, SecretSearch } from './secret-search.js';
import type { EntryContents, EntryPlace, EntryTable } from './table.js';
import type { ContentWanted } from './wanted.js';

/**
 * The sha256 of a file's content, including its holes; null if it was not requested, or not all of it could be read.
 */
export function digestOf(table: EntryTable, index: number): string | null {
  const digest = digestBytes(table.contents, index);
  return digest === null ? null : `sha256:${Buffer.from(digest, 'latin1').toString('hex')}`;
}

/**
 * A key that is equal for equal contents, like `digestOf`, in a tenth of the time; null if a digest was not requested,
 * or not all of the file could be read.
 */
export function contentKey({ contents }: EntryTable, index: number): string | null {
  return digestBytes(contents, index) ?? loneKey(contents, index);
}

/** Bytes, one per character. */
function digestBytes(contents: EntryContents | null, index: number): string | null {
  if (contents === null || contents.digests.length === 0) return null;
  const digest = digestText(contents).slice(32 * index, 32 * index + 32);
  return digest === NO_DIGEST ? null : digest;
}

/**
 * A key of a large file that has no digest because no other is as long: it equals nothing but itself, which an image
 * has twice if it lists a layer twice.
 */
function loneKey(contents: EntryContents | null, index: number): string | null {
  if (contents === null || contents.later.length === 0) return null;
  let lone = loneFiles.get(contents);
  if (lone === undefined) {
    lone = { table: loneCount++, indexes: new Set(contents.later.map(place => place.index)) };
    loneFiles.set(contents, lone);
  }
  return lone.indexes.has(index) ? `${lone.table}:${index}` : null;
}

const loneFiles = new WeakMap<
  EntryContents,
  { readonly table: number; readonly indexes: ReadonlySet<number> }
>();
let loneCount = 0;

const NO_DIGEST = '\0'.repeat(32);

/** All digests of a layer's files as one string, bytes one per character. */
function digestText(contents: EntryContents): string {
  let text = digestTexts.get(contents);
  if (text === undefined) {
    const { buffer, byteOffset, length } = contents.digests;
    text = Buffer.from(buffer, byteOffset, length).toString('latin1');
    digestTexts.set(contents, text);
  }
  return text;
}

const digestTexts = new WeakMap<EntryContents, string>();

/** The content of a file that was to be kept; null if it was not requested, or exceeded the limit. */
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

const NOTHING = new Uint8Array(0);

/** With `duplicates`, hashing a shorter file at once, in bytes, is faster than coming back to it. */
export const LARGE_FILE = 64 * 1024;

/** Cap on the zeros that are hashed for the holes of a layer's sparse files. Real layers have fewer. */
const HOLES_CAP = 1024 * 1024 * 1024;
const ZEROS = new Uint8Array(64 * 1024);

/** Captures the requested contents of one layer's files. */
export class ContentCapture implements ContentTaker {
  private digests = new Uint8Array(0);
  private readonly kept: { index: number; bytes: Uint8Array }[] = [];
  private readonly missing: number[] = [];
  private readonly later: EntryPlace[] = [];
  private keptBytes = 0;
  private isFull = false;
  private holes = 0;
  private readonly isKept: ((path: string) => boolean) | null;
  private readonly secrets: SecretSearch | null;
  private readonly packages: PackageSearch | null;

  constructor(
    private readonly wanted: ContentWanted,
    private readonly limits: Pick<Limits, 'keptContentBytes'> & SecretLimits & PackageLimits,
    effort?: Effort,
    /** The layer is not compressed, so that its files can be read once more. */
    private readonly isReadable = false,
  ) {
    const { keep = [] } = wanted;
    this.isKept = keep.length === 0 ? null : pathFilter(keep);
    this.secrets = wanted.secrets === true ? new SecretSearch(limits, effort) : null;
    this.packages = wanted.packages === true ? new PackageSearch(limits) : null;
  }

  begin(index: number, { name, size }: EntryHeader, at: number | null): ContentSink | null {
    const path = rootedPath(name);
    const fits = this.takes(index, path, size);
    const searches = [this.secrets, this.packages].flatMap(all => all?.begin(index, path, size) ?? []);
    const place = this.isForLater(size, at) ? { index, at } : null;
    if (!fits && !this.hasDigests) return searches.length < 2 ? (searches[0] ?? null) : allOf(searches);
    return allOf([this.capture(index, size, fits, place), ...searches]);
  }

  private get hasDigests(): boolean {
    return this.wanted.digests !== undefined && this.wanted.digests !== false;
  }

  private isForLater(size: number, at: number | null): at is number {
    return at !== null && size >= LARGE_FILE && this.isReadable && this.wanted.digests === 'duplicates';
  }

  /** Takes the digest of a file, or notes its place, and its bytes if they are kept. */
  private capture(index: number, size: number, isKept: boolean, place: EntryPlace | null): ContentSink {
    if (isKept) this.keptBytes += size;
    const digest = this.hasDigests && place === null ? new Digest(size) : null;
    const parts: Uint8Array[] | null = isKept ? [] : null;
    return {
      write(bytes) {
        digest?.update(bytes);
        parts?.push(copyOf(bytes));
      },
      hole: length => {
        this.holes += length;
        if (this.holes <= HOLES_CAP) fill(length, digest, parts);
      },
      end: complete => {
        const isWhole = complete && this.holes <= HOLES_CAP;
        if (isWhole && digest !== null) this.note(index, digest.finish());
        else if (complete && place !== null) this.later.push(place);
        if (isWhole && parts !== null) this.kept.push({ index, bytes: new Uint8Array(Buffer.concat(parts)) });
        else if (parts !== null) this.missing.push(index);
      },
    };
  }

  /** True if a file is wanted, and there is room to keep it. */
  private takes(index: number, path: string, size: number): boolean {
    if (this.isKept === null || !this.isKept(nameText(path))) return false;
    const isShort = size <= (this.wanted.keepBytes ?? Number.POSITIVE_INFINITY);
    const fits = this.keptBytes + size <= this.limits.keptContentBytes;
    if (!isShort || !fits) this.missing.push(index);
    this.isFull ||= isShort && !fits;
    return isShort && fits;
  }

  /** @param count  number of the layer's entries */
  finish(count: number): EntryContents {
    const digests = this.hasDigests ? new Uint8Array(32 * count) : NOTHING.slice();
    digests.set(this.digests.subarray(0, digests.length));
    const secrets = this.secrets?.finish() ?? null;
    const packages = this.packages?.finish() ?? null;
    const { later, kept, missing, isFull: full } = this;
    return { digests, later, kept, missing, full, secrets, packages };
  }

  /** @param digest  bytes, one per character */
  private note(index: number, digest: string): void {
    const end = 32 * index + 32;
    if (end > this.digests.length) {
      const larger = new Uint8Array(Math.max(2 * end, 2048));
      larger.set(this.digests);
      this.digests = larger;
    }
    for (let i = 0; i < 32; i++) this.digests[end - 32 + i] = digest.charCodeAt(i);
  }
}

/** Gives the content of a file to several sinks. */
function allOf(sinks: readonly ContentSink[]): ContentSink {
  if (sinks.length === 1) return sinks[0]!;
  return {
    write(bytes) {
      for (const sink of sinks) sink.write(bytes);
    },
    hole(length) {
      for (const sink of sinks) sink.hole(length);
    },
    end(complete) {
      for (const sink of sinks) sink.end(complete);
    },
  };
}

/** The sha256 of one file. Most files arrive in one piece, and hashing it at once takes half as long. */
class Digest {
  private hash: Hash | null = null;
  private whole: string | null = null;

  /** @param size  of the file, in bytes */
  constructor(private readonly size: number) {}

  update(bytes: Uint8Array): void {
    if (this.hash === null && bytes.length === this.size) this.whole = hashAtOnce('sha256', bytes, 'binary');
    else this.begun().update(bytes);
  }

  /** Bytes, one per character. */
  finish(): string {
    return this.whole ?? this.begun().digest('binary');
  }

  private begun(): Hash {
    this.hash ??= createHash('sha256');
    return this.hash;
  }
}

function fill(length: number, digest: Digest | null, parts: Uint8Array[] | null): void {
  for (let left = length; left > 0 && digest !== null; left -= ZEROS.length)
    digest.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
  parts?.push(new Uint8Array(length));
}
