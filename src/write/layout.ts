import { createHash } from 'node:crypto';
import { InputError } from '../errors.js';
import type { Limits } from '../limits.js';
import { blobPath, digestOf, splitDigest } from '../spec/digest.js';
import type { Writer } from './file.js';
import { type LayoutTarget, layoutDirectory, layoutTar } from './layout-target.js';
import { type MemberPlace, reread } from './reread.js';

interface BlobClaim {
  /** A digest of an algorithm that waybill can compute. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Writes a blob and checks it on its way. Never more than the claimed size is written.
 * @returns what is wrong with it, for people; null when it is what it is claimed to be
 */
async function copyBlob(
  content: AsyncIterable<Uint8Array>,
  { digest, size }: BlobClaim,
  writer: Writer,
  onProgress: (bytes: number) => void,
): Promise<string | null> {
  const [algorithm] = splitDigest(digest);
  const hash = createHash(algorithm);
  let actual = 0;
  for await (const chunk of content) {
    actual += chunk.length;
    if (actual > size) return `expected ${size} bytes, found more`;
    hash.update(chunk);
    writer.write(chunk);
    onProgress(chunk.length);
  }
  if (actual < size) return `expected ${size} bytes, found ${actual}`;
  const found = `${algorithm}:${hash.digest('hex')}`;
  return found === digest ? null : `expected ${digest}, found ${found}`;
}

/** A blob that is copied from an archive. */
export interface CopiedBlob extends BlobClaim, MemberPlace {
  /** The archive's file. */
  readonly archive: string;
  /** What it is in the archive, for people. */
  readonly what: string;
}

/** What an image layout holds. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export interface Layout {
  /** The bytes of index.json. */
  readonly index: Uint8Array;
  /** Manifests and indexes. */
  readonly documents: readonly (BlobClaim & { readonly bytes: Uint8Array })[];
  readonly copies: readonly CopiedBlob[];
}

interface WriteOptions {
  readonly limits: Limits;
  /** Called while writing, with the bytes written and the bytes there are. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const LAYOUT_FILE = Buffer.from('{"imageLayoutVersion":"1.0.0"}');

/**
 * Writes an image layout, each blob once: a tar when `output` ends in `.tar`, else a directory. Every blob is checked
 * on its way, and `output` is there only when all of it is right.
 * @throws InputError when something cannot be written, or a blob is not there or not what it is claimed to be
 */
export async function writeLayout(output: string, layout: Layout, options: WriteOptions): Promise<void> {
  const documents = [
    { path: 'index.json', size: layout.index.length, bytes: layout.index },
    { path: 'oci-layout', size: LAYOUT_FILE.length, bytes: LAYOUT_FILE },
    ...unique(layout.documents).map(({ digest, size, bytes }) => ({ path: blobPath(digest), size, bytes })),
  ];
  const written = new Set(layout.documents.map(document => document.digest));
  const copies = unique(layout.copies).filter(({ digest }) => !written.has(digest));
  const files = [...documents, ...copies.map(({ digest, size }) => ({ path: blobPath(digest), size }))];
  const target = output.endsWith('.tar') ? await layoutTar(output, files) : layoutDirectory(output, files);
  try {
    for (const { path, bytes } of documents) {
      const writer = target.open(path);
      writer.write(bytes);
      writer.close();
    }
    await copyAll(copies, target, options);
    target.commit();
  } catch (error) {
    target.discard();
    throw error;
  }
}

/** Two that claim different sizes under one digest: the bytes will show which is wrong. */
function unique<B extends BlobClaim>(blobs: readonly B[]): B[] {
  return [...new Map([...blobs].reverse().map(blob => [blob.digest, blob])).values()].reverse();
}

async function copyAll(
  copies: readonly CopiedBlob[],
  target: LayoutTarget,
  { limits, onProgress }: WriteOptions,
): Promise<void> {
  const total = copies.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const count = (bytes: number) => {
    done += bytes;
    onProgress?.(done, total);
  };
  for (const archive of new Set(copies.map(copy => copy.archive))) {
    const wanted = copies.filter(copy => copy.archive === archive);
    const faults = new Map<CopiedBlob, string | null>();
    await reread(archive, wanted, limits, async (copy, content) => {
      const writer = target.open(blobPath(copy.digest));
      try {
        const fault = await copyBlob(content, copy, writer, count);
        faults.set(copy, fault);
        if (fault === null) writer.close();
      } finally {
        writer.drop();
      }
    });
    for (const copy of wanted) {
      const fault = faults.get(copy);
      if (fault === null) continue;
      const reason = fault === undefined ? 'it is not there' : fault;
      throw new InputError(
        `${copy.what} (${copy.path}) cannot be copied: ${reason}`,
        archive,
        'Either the archive is damaged (check with `waybill verify`), or it has changed since the list was made.',
      );
    }
  }
}

/** The claim that bytes make good. */
export const claimOf = (bytes: Uint8Array): BlobClaim => ({ digest: digestOf(bytes), size: bytes.length });
