import { failureReason, mismatch } from '../filesystem/layer-tables.js';
import { type Artifact, type Graph, type Image, type Layer, referrerName } from '../link/graph.js';
import type { LockDoubt } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import { digestKind, sameAlgorithm } from '../spec/digest.js';
import { OCI_CONFIG } from '../spec/media-types.js';
import { formatPlatform, fullPlatform, type Platform, platformsAgree } from '../spec/platform.js';
import type { Attached, LockedImage } from './lock.js';
import { projected } from './projection.js';
import { treeHash } from './tree-hash.js';

/** An image as a lock has it, or the reasons why what it is cannot be said. */
export type Identity = { readonly image: LockedImage } | { readonly doubts: readonly LockDoubt[] };

/**
 * Computes what an image is, from the bytes of its documents and layers alone.
 * @param withFiles  whether the trees of its layers are hashed too
 */
export function identityOf(scan: Scan, graph: Graph, image: Image, withFiles: boolean): Identity {
  const layers = image.layers.map(layer => diffIdOf(scan, layer));
  const diffIds = layers.map(found => ('diffId' in found ? found.diffId : ''));
  const files = withFiles ? treesOf(scan, image) : null;
  const doubts: LockDoubt[] = [
    ...platformDoubts(image),
    ...layers.flatMap((found, layer) =>
      'reason' in found
        ? [{ what: 'layer' as const, layer, reason: found.reason }]
        : files?.[layer] === null
          ? [{ what: 'layer' as const, layer, reason: 'its files are not all known' }]
          : [],
    ),
    ...countDoubts(image),
  ];
  const document = image.config?.document ?? null;
  if (document === null || document.value === undefined) return { doubts: [...doubts, { what: 'config' }] };
  if (!document.oddities.utf8) doubts.push({ what: 'text' });
  const projection = projected(document.value, diffIds, document.oddities.numbers);
  if ('faults' in projection)
    return { doubts: [...doubts, ...projection.faults.map(fault => ({ what: 'field' as const, ...fault }))] };
  if (doubts.length > 0) return { doubts };
  const { runs, fields, dockerOnly } = projection;
  const isSilent = Object.keys(dockerOnly).length === 0 && isOciConfig(image);
  return {
    image: {
      names: [...image.names],
      platform: image.platform === null ? null : formatPlatform(image.platform),
      indexes: indexesOf(scan, graph, image),
      manifests: manifestDigests(scan, image),
      config: image.kind === 'v1' ? null : document.digest,
      runs,
      fields,
      dockerOnly: isSilent ? null : dockerOnly,
      diffIds,
      files: files as string[] | null,
      attached: attachedTo(scan, graph, image),
    },
  };
}

/**
 * Engines choose an image by the platform of the index, and run it as its config says. Hazard: an index may list one
 * manifest for two platforms, so that the image of the other one is passed over.
 */
function platformDoubts({ manifest, config }: Image): LockDoubt[] {
  const own = config?.parsed?.platform ?? null;
  const declared = (manifest?.descriptors ?? []).flatMap(({ descriptor }) => descriptor.platform ?? []);
  const wrong = own === null ? undefined : declared.find(platform => !areOne(platform, own));
  if (own === null || wrong === undefined) return [];
  return [{ what: 'platform', declared: fullPlatform(wrong), config: fullPlatform(own) }];
}

/** Windows chooses by the version of the system too. */
const areOne = (a: Platform, b: Platform): boolean =>
  platformsAgree(a, b) && (a.osVersion === null || b.osVersion === null || a.osVersion === b.osVersion);

function* countDoubts({ kind, layers, config }: Image): Generator<LockDoubt> {
  const claimed = config?.parsed?.diffIds ?? [];
  if (kind === 'image' && claimed.length !== layers.length)
    yield { what: 'layers', layers: layers.length, diffIds: claimed.length };
}

/** The computed diff_id of a layer, in the algorithm of the claim. */
function diffIdOf(scan: Scan, layer: Layer): { readonly diffId: string } | { readonly reason: string } {
  const facts = layer.member === null ? null : scan.facts(layer.member);
  if (layer.member === null) return { reason: 'the archive does not hold it' };
  if (facts === null || facts.failure !== null || facts.unpacked === null || facts.digests === null)
    return { reason: failureReason(facts?.failure ?? null) };
  const wrong = mismatch(layer, facts);
  if (wrong !== null) return { reason: wrong };
  const claim = layer.claimedDiffId;
  const diffId =
    claim === null ? facts.unpacked.digests.sha256 : sameAlgorithm(facts.unpacked.digests, claim);
  return diffId === null ? { reason: `its digest ${claim} cannot be computed` } : { diffId };
}

const treesOf = (scan: Scan, { layers }: Image): (string | null)[] =>
  layers.map(({ member }) => (member === null ? null : treeHash(scan, member)));

/** Whether a conversion to OCI may have removed the fields that only Docker has. */
const isOciConfig = ({ manifest }: Image): boolean => manifest?.parsed.config?.mediaType === OCI_CONFIG;

/** The computed digests of a document, also in the algorithm by which the archive calls it. */
function digestsAt(scan: Scan, path: string, sha256: string | null): string[] {
  const member = scan.file(path);
  const facts = member === null ? null : (scan.facts(member)?.digests ?? null);
  const digests = [facts?.sha256 ?? sha256, facts?.sha512];
  return digests.filter(digest => digest != null);
}

const manifestDigests = (scan: Scan, { manifest }: Image): string[] =>
  manifest === null ? [] : digestsAt(scan, manifest.path, manifest.digest);

function indexesOf(scan: Scan, graph: Graph, { indexDigests }: Image): string[] {
  const paths = scan.once(indexPaths, graph);
  return indexDigests.flatMap(digest => {
    const path = paths.get(digest);
    return path === undefined ? [] : digestsAt(scan, path, null);
  });
}

const indexPaths = ({ indexes }: Graph): ReadonlyMap<string, string> =>
  new Map(indexes.map(({ digest, path }) => [digest, path]));

/** The manifests that are about an image, or about an index that leads to it. */
function attachedTo(scan: Scan, graph: Graph, image: Image): Attached[] {
  const { byName, bySubject } = scan.once(artifactsOf, graph);
  const referrers = image.referrers.flatMap(name => byName.get(name) ?? []);
  const ofIndexes = image.indexDigests.flatMap(digest => bySubject.get(digest) ?? []);
  return [...image.attestations, ...referrers, ...ofIndexes].flatMap(artifact => {
    const { digest, subject } = artifact;
    if (digest === null || subject === null || digestKind(subject) !== 'computable') return [];
    return [{ type: typeOf(artifact), subject, digest }];
  });
}

function artifactsOf({ artifacts }: Graph) {
  const byName = new Map<string, Artifact>();
  const bySubject = new Map<string, Artifact[]>();
  for (const artifact of artifacts) {
    byName.set(referrerName(artifact), artifact);
    const { subject } = artifact;
    if (subject === null) continue;
    const about = bySubject.get(subject);
    if (about === undefined) bySubject.set(subject, [artifact]);
    else about.push(artifact);
  }
  return { byName, bySubject };
}

/** in-toto's annotation of a layer that is a statement. https://docs.docker.com/build/metadata/attestations/ */
const PREDICATE_TYPE = 'in-toto.io/predicate-type';

function typeOf({ artifactType, mediaType, layers, kind }: Artifact): string {
  const contents = layers.map(({ annotations, mediaType: type }) => annotations.get(PREDICATE_TYPE) ?? type);
  const types = [...new Set(contents.filter(type => type !== null))].sort();
  return artifactType ?? (types.join(', ') || (mediaType ?? kind));
}
