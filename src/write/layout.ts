import { createHash } from 'node:crypto';
import { InputError } from '../errors.js';
import type { Limits } from '../limits.js';
import { blobPath, digestOf, splitDigest } from '../spec/digest.js';
import type { Writer } from './file.js';
import { type LayoutTarget, layoutDirectory, layoutTar } from './layout-target.js';
import { type MemberPlace, reread } from './reread.js';

interface BlobClaim {
  /** A digest with a supported algorithm. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Copies a blob and verifies it. At most the claimed size is written.
 * @returns a sentence about the mismatch; null if size and digest match
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
  /** A description of the blob, for messages. */
  readonly what: string;
}

/** The content of an image layout. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export interface LayoutContent {
  /** The bytes of index.json. */
  readonly index: Uint8Array;
  /** Manifests and indexes. */
  readonly documents: readonly (BlobClaim & { readonly bytes: Uint8Array })[];
  readonly copies: readonly CopiedBlob[];
  /** Files at the root that the specification does not know: manifest.json, by which `docker load` finds images. */
  readonly beside?: readonly { readonly path: string; readonly bytes: Uint8Array }[];
}

interface WriteOptions {
  readonly limits: Limits;
  /** Called with the number of bytes written and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const LAYOUT_FILE = Buffer.from('{"imageLayoutVersion":"1.0.0"}');

/**
 * Writes an image layout, each blob once: a tar if `output` ends in `.tar`, otherwise a directory. Every blob is
 * verified, and `output` is created only if all blobs match.
 * @throws InputError if writing fails, or a blob is missing or does not match its claim
 */
export async function writeLayout(
  output: string,
  layout: LayoutContent,
  options: WriteOptions,
): Promise<void> {
  const documents = [
    { path: 'index.json', size: layout.index.length, bytes: layout.index },
    { path: 'oci-layout', size: LAYOUT_FILE.length, bytes: LAYOUT_FILE },
    ...(layout.beside ?? []).map(({ path, bytes }) => ({ path, size: bytes.length, bytes })),
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

/**
 * Removes duplicates. Two blobs with one digest and different sizes are both kept: verification will show which claim
 * is wrong.
 */
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

/** The size and digest of some bytes. */
export const claimOf = (bytes: Uint8Array): BlobClaim => ({ digest: digestOf(bytes), size: bytes.length });
