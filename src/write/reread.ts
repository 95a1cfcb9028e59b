import { openArchive } from '../containers/open.js';
import type { OnceSource, SeekableSource } from '../containers/source.js';
import { streamRange } from '../containers/unpack.js';
import { reading } from '../containers/unreadable.js';
import type { Limits } from '../limits.js';
import { Members } from '../scan/extraction.js';

/** A file of an archive. */
export interface MemberPlace {
  /** Path of the image tarball inside a zip; null if the file itself is the archive. */
  readonly inside: string | null;
  readonly path: string;
}

/**
 * Receives the content of a member, which should have `size` bytes. If another member of the same path was received
 * before, it is superseded.
 */
export type Take<P> = (place: P, content: AsyncIterable<Uint8Array>, size: number) => Promise<void>;

/**
 * Reads members of an archive again, in the order in which the archive has them. A damaged container results in
 * contents that end too early; members that do not exist are not received.
 * @param file    a file or directory that can be read again
 * @param places  each path once
 * @throws InputError if the archive cannot be opened or read any more
 */
export async function reread<P extends MemberPlace>(
  file: string,
  places: readonly P[],
  limits: Limits,
  take: Take<P>,
): Promise<void> {
  // An error of writing was already converted to an InputError.
  await reading(file, async () => {
    const { parts } = await openArchive(file, limits);
    for (const part of parts) {
      const wanted = places.filter(place => place.inside === part.inside);
      if (part.source.access === 'seekable') await fromSeekable(part.source, wanted, limits, take);
      else await fromOnce(part.source, wanted, take);
    }
  });
}

async function fromSeekable<P extends MemberPlace>(
  source: SeekableSource,
  places: readonly P[],
  limits: Limits,
  take: Take<P>,
): Promise<void> {
  const members = new Members(source.members);
  for (const place of places) {
    const member = members.file(place.path);
    const ignore = () => {};
    if (member?.range == null) continue;
    await take(place, streamRange(member.range, limits, ignore, ignore), member.size);
  }
}

async function fromOnce<P extends MemberPlace>(
  source: OnceSource,
  places: readonly P[],
  take: Take<P>,
): Promise<void> {
  const byPath = new Map(places.map(place => [place.path, place]));
  const stop = new Error('enough');
  try {
    await source.walk(async (member, content) => {
      // The file is already open, and is closed by the walk.
      if (byPath.size === 0) throw stop;
      const place = byPath.get(member.path);
      if (place !== undefined && member.type === 'file') await take(place, content, member.size);
    });
  } catch (error) {
    if (error !== stop) throw error;
  }
}
