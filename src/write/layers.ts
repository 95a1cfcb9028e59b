import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadCodecs } from '../codec/registry.js';
import { failureReason } from '../filesystem/layer-tables.js';
import type { Limits } from '../limits.js';
import { BlobAnalyser } from '../scan/blob/analyser.js';
import type { BlobFacts } from '../scan/blob/facts.js';
import { type Algorithm, digestKind, sameAlgorithm, splitDigest } from '../spec/digest.js';
import { createFile } from './file.js';
import { reread } from './reread.js';
import { writing } from './system-error.js';

/** The claims about a layer; null if there is none. */
export interface LayerClaims {
  /** From 1, the base. */
  readonly place: number;
  /** Path in the archive; null if the layer is absent. */
  readonly path: string | null;
  /** Digest of the stored bytes. */
  readonly digest: string | null;
  readonly size: number | null;
  /** Digest of the unpacked tar. */
  readonly diffId: string | null;
  readonly encrypted: boolean;
}

export interface WrittenLayer {
  readonly place: number;
  /** Name of the file. */
  readonly name: string;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  readonly diffId: string;
  /** False if there is no diff_id, or its algorithm is not supported. */
  readonly checked: boolean;
}

export interface LostLayer {
  readonly place: number;
  readonly reason: string;
}

export interface LayerSource {
  /** The archive's file. */
  readonly archive: string;
  /** Path of the image tarball inside a zip; null if the file itself is the archive. */
  readonly inside: string | null;
  readonly layers: readonly LayerClaims[];
}

export interface LayerOutput {
  /** Path of the directory to write to. */
  readonly path: string;
  /** The name of the directory in messages. */
  readonly shown: string;
  readonly limits: Limits;
  /** Called with the bytes read since the last call. */
  readonly onProgress: (bytes: number) => void;
}

/**
 * Writes layers as uncompressed tars, named by their position (at least two digits) and diff_id. Each is verified while
 * it is written; the file of a layer that does not match is removed.
 * @throws InputError if the archive cannot be read or the files cannot be written
 */
export async function writeLayers(
  { archive, inside, layers }: LayerSource,
  output: LayerOutput,
): Promise<(WrittenLayer | LostLayer)[]> {
  await loadCodecs();
  const outcomes = new Map<LayerClaims, WrittenLayer | LostLayer>();
  const paths = [...new Set(layers.map(layer => layer.path))].filter(path => path !== null);
  const places = paths.map(path => ({ inside, path, layers: layers.filter(layer => layer.path === path) }));
  const digits = Math.max(2, String(layers.length).length);
  const temporary = join(output.path, '.layer');
  await reread(archive, places, output.limits, async (place, content, size) => {
    for (const layer of place.layers) remove(output, outcomes.get(layer));
    const facts = await unpack(content, place.layers, temporary, output);
    let first: string | null = null;
    for (const layer of place.layers) {
      const outcome = judge(layer, facts, size, digits);
      outcomes.set(layer, outcome);
      if (!isWritten(outcome)) continue;
      const to: string = join(output.path, outcome.name);
      const from = first ?? temporary;
      writing(output.shown, () => (first === null ? renameSync(from, to) : copyFileSync(from, to)));
      first ??= to;
    }
    writing(output.shown, () => rmSync(temporary, { force: true }));
  });
  return layers.map(
    layer => outcomes.get(layer) ?? { place: layer.place, reason: 'the archive does not hold it' },
  );
}

export const isWritten = (outcome: WrittenLayer | LostLayer): outcome is WrittenLayer => 'name' in outcome;

/** If two members have one path, the later one is used, so the file of the first is removed. */
function remove({ path, shown }: LayerOutput, outcome: WrittenLayer | LostLayer | undefined): void {
  if (outcome === undefined || !isWritten(outcome)) return;
  writing(shown, () => rmSync(join(path, outcome.name), { force: true }));
}

async function unpack(
  content: AsyncIterable<Uint8Array>,
  layers: readonly LayerClaims[],
  file: string,
  { shown, limits, onProgress }: LayerOutput,
): Promise<BlobFacts> {
  const writer = createFile(file, shown);
  const named = layers.some(({ digest, diffId }) => [digest, diffId].some(d => d?.startsWith('sha512:')));
  const algorithms: Algorithm[] = named ? ['sha256', 'sha512'] : ['sha256'];
  const analyser = new BlobAnalyser(algorithms, { limits, files: false }, chunk => writer.write(chunk));
  try {
    for await (const chunk of content) {
      analyser.write(chunk);
      onProgress(chunk.length);
    }
    const facts = analyser.end();
    writer.close();
    return facts;
  } finally {
    writer.drop();
  }
}

/** @param size  the size of the member that the container claims, in bytes */
function judge(layer: LayerClaims, facts: BlobFacts, size: number, digits: number): WrittenLayer | LostLayer {
  const { place, diffId } = layer;
  const reason = storedFault(layer, facts, size);
  if (reason !== null) return { place, reason };
  const { unpacked } = facts;
  if (unpacked === null) return { place, reason: failureReason(facts.failure) };
  const checked = diffId !== null && digestKind(diffId) === 'computable';
  const actual = (checked ? sameAlgorithm(unpacked.digests, diffId) : null) ?? unpacked.digests.sha256;
  if (checked && actual !== diffId) {
    return { place, reason: `expected the diff_id ${diffId}, found ${actual}` };
  }
  const name = `${String(place).padStart(digits, '0')}-${splitDigest(actual)[1]}.tar`;
  return { place, name, size: unpacked.size, diffId: actual, checked };
}

function storedFault(layer: LayerClaims, { size, digests }: BlobFacts, expected: number): string | null {
  if (layer.encrypted) return 'it is encrypted';
  if (size < expected) return `it is cut short: expected ${expected} bytes, found ${size}`;
  if (layer.size !== null && size !== layer.size) return `expected ${layer.size} bytes, found ${size}`;
  if (layer.digest === null || digests === null) return null;
  const actual = sameAlgorithm(digests, layer.digest);
  return actual === null || actual === layer.digest ? null : `expected ${layer.digest}, found ${actual}`;
}
