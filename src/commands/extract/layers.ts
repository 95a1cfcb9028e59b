import { streamOf } from '../../containers/open.js';
import type { Resources } from '../../limits.js';
import { limitsOf } from '../../limits.js';
import type { Image } from '../../link/graph.js';
import type { Answer } from '../../report/doc.js';
import { readArchive } from '../../report/read.js';
import { oneListedImage, type Selection } from '../../report/select.js';
import {
  isWritten,
  type LayerClaims,
  type LostLayer,
  type WrittenLayer,
  writeLayers,
} from '../../write/layers.js';
import { throughFile } from '../../write/spool.js';
import { shownIn, stageDirectory } from '../../write/staged-directory.js';

import { unchanged } from '../unchanged.js';

export interface ExtractOptions extends Resources {
  /** Called while reading, with the bytes read and the total (null for a pipe). */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/**
 * `waybill extract ARCHIVE [REF] --layers DIR`: writes each layer of an image as an uncompressed tar,
 * `<position>-<diff_id>.tar`, with the position from 01 and the diff_id in hex. Stored and unpacked bytes are verified
 * while they are written. A layer that is damaged or absent is noted, leaves no file and makes the exit code 1; the
 * others are written. Standard output has a line for each file: its path, its size in bytes and its diff_id.
 *
 * @param directory  is created, or must be empty; it receives the files after all were written
 * @throws InputError if there is no such image, `directory` cannot be written, or the archive changes meanwhile; then
 *   nothing is written
 */
export async function extractLayers(
  input: string | AsyncIterable<Uint8Array>,
  selection: Selection,
  directory: string,
  options: ExtractOptions = {},
): Promise<Answer> {
  const limits = limitsOf(options.limits);
  const stream = await streamOf(input);
  const staged = stageDirectory(directory);
  try {
    const extract = async (file: string) => {
      const reading = await readArchive(file, { ...options, depth: 'metadata' });
      const { part, image } = oneListedImage(reading, selection);
      const layers = image.layers.map(claimsOf);
      const source = { archive: file, inside: part.part.inside, layers };
      const total = image.layers.reduce((sum, { member }) => sum + (member?.size ?? 0), 0);
      let done = 0;
      const onProgress = (bytes: number) => {
        done += bytes;
        options.onProgress?.(done, total);
      };
      const output = { path: staged.path, shown: directory, limits, onProgress };
      const outcomes = await unchanged(reading, () => writeLayers(source, output));
      return answerOf(outcomes, image, directory);
    };
    // A source that can only be read once is copied to a file beside the layers, because the documents that name them
    // come last.
    const answer =
      stream === null
        ? await extract(input as string)
        : await throughFile(stream, { path: staged.path, shown: directory }, limits, extract);
    if (answer.stdout === '' && answer.exitCode === 1) staged.discard();
    else staged.commit();
    return answer;
  } catch (error) {
    staged.discard();
    throw error;
  }
}

function claimsOf(
  { member, claimedDigest, claimedSize, claimedDiffId, encrypted }: Image['layers'][number],
  i: number,
) {
  const claims: LayerClaims = {
    place: i + 1,
    path: member?.path ?? null,
    digest: claimedDigest,
    size: claimedSize,
    diffId: claimedDiffId,
    encrypted,
  };
  return claims;
}

function answerOf(outcomes: readonly (WrittenLayer | LostLayer)[], image: Image, directory: string): Answer {
  const written = outcomes.filter(isWritten);
  const width = written.reduce((most, { size }) => Math.max(most, String(size).length), 0);
  const lines = written.map(({ name, size, diffId }) => {
    return `${shownIn(directory, name)}  ${String(size).padStart(width)}  ${diffId}\n`;
  });
  // Images of Docker before 1.10 have no diff_ids.
  const unchecked = image.kind === 'v1' ? [] : written.filter(({ checked }) => !checked);
  const notes = outcomes.flatMap(outcome => {
    const { ref, urls } = image.layers[outcome.place - 1]!;
    const layer = `layer ${outcome.place} (${ref})`;
    if (!isWritten(outcome)) {
      const from = urls.length === 0 ? '' : `; it is fetched from ${urls.join(', ')}`;
      return [`${layer} is not written: ${outcome.reason}${from}`];
    }
    return unchecked.includes(outcome)
      ? [`${layer} is written, but the config has no diff_id to check it with`]
      : [];
  });
  return { stdout: lines.join(''), notes, exitCode: notes.length === 0 ? 0 : 1 };
}
