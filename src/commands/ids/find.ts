import { UsageError } from '../../errors.js';
import { type ArchiveReading, pathIn } from '../../report/read.js';
import { startsWith } from '../../report/select.js';
import { soundChainIds } from '../../spec/digest.js';
import type { IdsReport, ImageIds } from './index.js';

/** An object in the archive that has the digest. */
export interface Match {
  readonly digest: string;
  /** The type of the digest: image ID, manifest digest, diff_id … */
  readonly what: string;
  /** The image that it belongs to. */
  readonly of: string | null;
  /** The member that contains it. */
  readonly path: string | null;
}

export interface DigestSearch {
  readonly query: string;
  readonly matches: readonly Match[];
  /** If nothing matches: the reason why the digest cannot be found in this file. */
  readonly reason: string | null;
}

/**
 * Finds the objects in this archive that have a digest, or one that begins with the query.
 * @throws UsageError if the query is not a digest
 */
export function find(reading: ArchiveReading, report: Omit<IdsReport, 'find'>, query: string): DigestSearch {
  if (!/^([a-z0-9]+:)?[0-9a-f]+$/.test(query) || query.replace(/^.*:/, '').length < 4) {
    throw new UsageError(
      `--find: expected a digest or its first digits, at least 4, found ${JSON.stringify(query)}`,
    );
  }
  const all = [...report.images.flatMap(ofImage), ...ofArchive(reading, report)];
  const matches = unique(all.filter(match => startsWith(match.digest, query)));
  return { query, matches, reason: matches.length > 0 ? null : whyNot(report) };
}

function ofImage(image: ImageIds): Match[] {
  const of = image.names[0] ?? image.imageId ?? image.manifestDigest ?? image.v1Id;
  const matches: Match[] = [];
  const add = (digest: string | null, what: string, path: string | null = null) => {
    if (digest !== null) matches.push({ digest, what, of, path });
  };
  add(image.imageId, 'image ID (digest of the config)');
  add(image.manifestDigest, 'manifest digest');
  for (const digest of image.indexDigests) add(digest, 'index digest');
  add(image.v1Id, 'v1 ID');
  for (const { value, from } of image.repoDigests)
    add(value.slice(value.indexOf('@') + 1), `RepoDigest ${value}, from ${from}`);
  for (const { engine, id } of image.engines) add(id, `ID in ${engine} (after loading this file)`);
  image.layers.forEach((layer, i) => {
    const n = `layer ${i + 1}`;
    add(layer.digest, `digest of ${n}`, layer.path);
    add(layer.diffId, `diff_id of ${n}`, layer.path);
    if (layer.claimedDigest !== layer.digest)
      add(layer.claimedDigest, `digest that the manifest claims for ${n}; its bytes are others`);
    if (layer.claimedDiffId !== layer.diffId)
      add(layer.claimedDiffId, `diff_id that the config claims for ${n}`);
    add(layer.v1Id, `v1 ID of ${n}`);
  });
  const diffIds = image.layers.map(layer => layer.claimedDiffId).filter(diffId => diffId !== null);
  soundChainIds(diffIds).forEach((digest, i) => {
    add(digest, `chain ID of layers 1 to ${i + 1}`);
  });
  for (const attestation of image.attestations) {
    add(attestation.digest, 'manifest digest of an attestation');
    for (const blob of attestation.blobs)
      add(blob.digest, `attestation (${blob.predicateType ?? 'unknown predicate'})`);
  }
  return matches;
}

function ofArchive({ parts }: ArchiveReading, report: Omit<IdsReport, 'find'>): Match[] {
  const matches: Match[] = [];
  for (const artifact of report.artifacts) {
    if (artifact.digest !== null)
      matches.push({
        digest: artifact.digest,
        what: `manifest digest of an ${artifact.kind}`,
        of: null,
        path: null,
      });
    for (const blob of artifact.blobs) {
      if (blob.digest !== null)
        matches.push({ digest: blob.digest, what: `blob of an ${artifact.kind}`, of: null, path: null });
    }
  }
  for (const { digest, platform } of report.absent) {
    matches.push({
      digest,
      what: `a manifest that an index lists (${platform ?? 'no platform'}) and this file does not hold`,
      of: null,
      path: null,
    });
  }
  for (const { part, scan, graph } of parts) {
    for (const index of graph.indexes)
      matches.push({ digest: index.digest, what: 'index digest', of: null, path: pathIn(part, index.path) });
    for (const member of scan.members) {
      const digests = scan.facts(member)?.digests;
      const path = pathIn(part, member.path);
      if (digests != null)
        matches.push({ digest: digests.sha256, what: 'digest of the file', of: null, path });
    }
  }
  return matches;
}

/** Removes the match "digest of the file" if there is a more specific one. */
function unique(matches: readonly Match[]): Match[] {
  const seen = new Set<string>();
  const told = new Set(matches.filter(m => m.what !== 'digest of the file').map(m => m.digest));
  return matches.filter(match => {
    if (match.what === 'digest of the file' && told.has(match.digest)) return false;
    const key = JSON.stringify([match.digest, match.what, match.of]);
    return seen.has(key) ? false : seen.add(key);
  });
}

function whyNot({ images, archive }: Omit<IdsReport, 'find'>): string {
  const withoutManifest = images.filter(image => image.manifestDigest === null);
  if (withoutManifest.length > 0) {
    return `If it is the digest that a registry gives the image, this file cannot tell: a ${archive.layout} archive has no registry manifest, and compressing its layers again would not give the same bytes. Compare image IDs instead: they survive pull, save and load.`;
  }
  return 'No image, manifest, index, config, layer or other blob here has it, under any name that an engine would give. It belongs to something that is not in this file: another build, another platform, or an image that was converted on its way.';
}
