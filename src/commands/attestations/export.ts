import type { Attestation, AttestationKind } from '../../attestations/discover.js';
import { streamOf } from '../../containers/open.js';
import { InputError } from '../../errors.js';
import { limitsOf, type Resources } from '../../limits.js';
import type { Image } from '../../link/graph.js';
import type { Answer } from '../../report/doc.js';
import { type ArchiveReading, readArchive } from '../../report/read.js';
import { chosenImages, requireImages, type Selection } from '../../report/select.js';
import { formatPlatform } from '../../spec/platform.js';
import { visible } from '../../visible.js';
import { type CopiedDocument, copyDocuments, type DocumentPlace } from '../../write/documents.js';
import { throughFile } from '../../write/spool.js';
import { shownIn, stageDirectory } from '../../write/staged-directory.js';
import { unchanged } from '../unchanged.js';
import { attestationsReadOptions, documentsOf } from './report.js';

export interface ExportOptions extends Resources, Selection {
  /** Default: all. */
  readonly kinds?: readonly AttestationKind[] | undefined;
  /** Called while reading, with the bytes read and the total (null for a pipe). */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/**
 * `waybill attestations ARCHIVE --export KIND DIR`: writes the documents that are attached to images, as the archive
 * stores them, each once: `sbom-linux-amd64-<digest>.intoto.json`. Standard output has a line for each file: path, size
 * in bytes and digest. A document that is absent, or is not the one that its manifest names, leaves no file and makes
 * the exit code 1.
 *
 * @param directory  is created, or must be empty; it receives the files after all were written
 * @throws InputError if the archive cannot be read, nothing is to be written, or `directory` cannot be written; then
 *   nothing is written
 */
export async function exportAttestations(
  input: string | AsyncIterable<Uint8Array>,
  directory: string,
  options: ExportOptions = {},
): Promise<Answer> {
  const limits = limitsOf(options.limits);
  const stream = await streamOf(input);
  const staged = stageDirectory(directory);
  const output = { path: staged.path, shown: directory, limits };
  try {
    const copyFrom = async (file: string) => {
      const reading = await readArchive(file, { ...options, ...attestationsReadOptions({}) });
      const places = placesIn(reading, options);
      return answerOf(await unchanged(reading, () => copyDocuments(file, places, output)), directory);
    };
    const answer =
      stream === null ? await copyFrom(input as string) : await throughFile(stream, output, limits, copyFrom);
    if (answer.stdout === '') staged.discard();
    else staged.commit();
    return answer;
  } catch (error) {
    staged.discard();
    throw error;
  }
}

/** The documents to write; one that hangs on several images once. */
function placesIn(reading: ArchiveReading, options: ExportOptions): DocumentPlace[] {
  requireImages(reading);
  const places = chosenImages(reading, options).flatMap(({ part, image }) =>
    documentsOf(part, image, options).map(one => placeOf(one, image, part.part.inside)),
  );
  if (places.length === 0)
    throw new InputError('no such document is attached to its images', reading.opened.file, LIST);
  return [...new Map(places.map(place => [`${place.inside}\0${place.path}`, place])).values()];
}

const LIST = '`waybill attestations ARCHIVE` lists what is attached.';

function answerOf(copied: readonly CopiedDocument[], directory: string): Answer {
  const lines = copied.flatMap(one =>
    'reason' in one ? [] : [`${visible(shownIn(directory, one.place.name))}  ${one.size}  ${one.digest}\n`],
  );
  const notes = copied.flatMap(one =>
    'reason' in one ? [`not written: ${one.place.name}: ${one.reason}`] : [],
  );
  return { stdout: lines.join(''), notes, exitCode: notes.length === 0 ? 0 : 1 };
}

/** The ends of file names, by which other tools know the formats. */
const ENDS = {
  statement: '.intoto.json',
  dsse: '.dsse.json',
  bundle: '.sigstore.json',
  spdx: '.spdx.json',
  cyclonedx: '.cdx.json',
  syft: '.syft.json',
} as const;

function placeOf(attestation: Attestation, image: Image, inside: string | null): DocumentPlace {
  const { kind, form, artifact, layer, member, digest, sbomFormat, problem } = attestation;
  const claimed = artifact.layers[layer]?.claimedDigest ?? null;
  const platform = image.platform === null ? 'image' : formatPlatform(image.platform);
  const hex = (digest ?? claimed ?? '').replace(/^.*:/, '').replace(/[^0-9a-f]/g, '');
  const words = [kind, platform.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60), hex.slice(0, 16)];
  // SPDX tag-value and XML are exported too.
  const isText = form === 'plain' && problem?.code === 'not-json';
  const end = isText ? '.txt' : ENDS[form === 'plain' ? (sbomFormat ?? 'spdx') : form];
  return {
    inside,
    path: member?.path ?? `(absent) ${claimed}`,
    name: `${words.join('-')}${end}`,
    digest: claimed?.startsWith('sha256:') ? claimed : null,
  };
}
