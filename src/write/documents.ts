import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../limits.js';
import { createFile } from './file.js';
import { type MemberPlace, reread } from './reread.js';
import { writing } from './system-error.js';

/** A blob to copy out of an archive. */
export interface DocumentPlace extends MemberPlace {
  /** Name of the file to write. */
  readonly name: string;
  /** The sha256 by which the archive names the blob, as `sha256:…`; null if it does not. */
  readonly digest: string | null;
}

/** A blob after the copy. Sizes are bytes. */
export type CopiedDocument =
  | { readonly place: DocumentPlace; readonly size: number; readonly digest: string }
  | { readonly place: DocumentPlace; readonly reason: string };

/**
 * Copies blobs as they are stored, each verified while it is written: one with another digest leaves no file.
 * @param output  the directory, and its name in messages
 * @throws InputError if the archive cannot be read or the files cannot be written
 */
export async function copyDocuments(
  archive: string,
  places: readonly DocumentPlace[],
  output: { readonly path: string; readonly shown: string; readonly limits: Limits },
): Promise<CopiedDocument[]> {
  const copied = new Map<DocumentPlace, CopiedDocument>();
  await reread(archive, places, output.limits, async (place, content, size) => {
    copied.set(place, await copy(place, content, size, output));
  });
  return places.map(place => copied.get(place) ?? { place, reason: 'the archive does not hold it' });
}

async function copy(
  place: DocumentPlace,
  content: AsyncIterable<Uint8Array>,
  expected: number,
  { path, shown }: { readonly path: string; readonly shown: string },
): Promise<CopiedDocument> {
  const file = join(path, place.name);
  const writer = createFile(file, shown);
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      writer.write(chunk);
      size += chunk.length;
    }
    writer.close();
  } finally {
    writer.drop();
  }
  const digest = `sha256:${hash.digest('hex')}`;
  const isCut = size !== expected;
  if (!isCut && (place.digest === null || place.digest === digest)) return { place, size, digest };
  writing(shown, () => rmSync(file, { force: true }));
  const reason = isCut
    ? `it is cut short: expected ${expected} bytes, found ${size}`
    : `expected ${place.digest}, found ${digest}`;
  return { place, reason };
}
