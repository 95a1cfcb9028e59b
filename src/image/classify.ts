import { soundChainIds } from '../spec/chain-id.js';
import { type ImageConfig, layerHistory } from '../spec/config.js';
import type { Descriptor } from '../spec/descriptor.js';
import { isConfigType, isSchema1Type, layerType, OCI_ARTIFACT, OCI_CONFIG } from '../spec/media-types.js';
import { platformsAgree } from '../spec/platform.js';
import type { Archive } from './archive.js';
import type { Artifact, ConfigNode, Image, Layer, ManifestNode, Place } from './graph.js';
import type { Locate, ManifestWalk, Reached } from './manifests.js';

/** BuildKit's mark on the index entry of an attestation, and the subject it names. */
const REFERENCE_TYPE = 'vnd.docker.reference.type';
const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const ATTESTATION_TYPE = 'application/vnd.docker.attestation.manifest.v1+json';

/** Layer media types that never make an image, even under an image's config type, as cosign writes them. */
const NOT_LAYERS =
  /^application\/(vnd\.in-toto|vnd\.dsse|vnd\.dev\.cosign|vnd\.cyclonedx|spdx|vnd\.syft)|^text\/spdx/;

export interface Classified {
  readonly images: Image[];
  readonly artifacts: Artifact[];
}

/** Sorts what a walk reached into images and everything else, and attaches attestations and referrers to their subjects. */
export function classify(archive: Archive, walk: ManifestWalk, locate: Locate): Classified {
  const images: Image[] = [];
  const others: Artifact[] = [];
  for (const reached of walk.reached) {
    const parts = readParts(archive, reached, locate);
    const kind = kindOf(reached, parts.config);
    if (kind === 'image') images.push(toImage(archive, reached, parts));
    else others.push(toArtifact(kind, reached, parts));
  }
  return attach(images, others);
}

interface Parts {
  readonly config: ConfigNode | null;
  readonly layers: readonly Layer[];
}

function readParts(archive: Archive, reached: Reached, locate: Locate): Parts {
  const { manifest, path } = reached;
  if (manifest === null || manifest.schemaVersion === 1) return { config: null, layers: [] };
  const config = manifest.config === null ? null : readConfig(archive, manifest.config, path, locate);
  return { config, layers: readLayers(archive, manifest.layers, path, locate, config?.parsed ?? null) };
}

function readConfig(
  archive: Archive,
  descriptor: Descriptor,
  path: string,
  locate: Locate,
): ConfigNode | null {
  const { digest, mediaType } = descriptor;
  if (digest === null) return null;
  const relative = locate(digest, false);
  const member = archive.file(relative);
  const at: Place = { path, pointer: descriptor.pointer };
  if (member === null) {
    return { path: archive.path(relative), claimedDigest: digest, at, member, document: null, parsed: null };
  }
  archive.claim(member, descriptor, path);
  // An artifact's config may be anything at all; only an image's has to be JSON.
  const mustParse = isConfigType(mediaType);
  const document = archive.document(member);
  if (!archive.mayLook(document, at))
    return { path: member.path, claimedDigest: digest, at, member, document: null, parsed: null };
  if (mustParse) archive.json(member);
  const parsed = archive.config(document, mediaType === OCI_CONFIG);
  if (parsed === null && mustParse) archive.notAnObject(member);
  if (parsed !== null && mustParse) archive.fieldProblems(member.path, parsed.problems);
  return { path: member.path, claimedDigest: digest, at, member, document, parsed };
}

function readLayers(
  archive: Archive,
  descriptors: readonly Descriptor[],
  path: string,
  locate: Locate,
  config: ImageConfig | null,
): Layer[] {
  const told = layersOf(config, descriptors.length);
  return descriptors.map((descriptor, i) => {
    const { digest, mediaType, urls, annotations, size } = descriptor;
    const member = digest === null ? null : archive.file(locate(digest, false));
    if (member !== null) archive.claim(member, descriptor, path);
    const type = layerType(mediaType);
    return {
      ref: descriptor.digestText,
      at: { path, pointer: descriptor.pointer },
      member,
      claimedDigest: digest,
      claimedSize: size,
      mediaType,
      urls,
      foreign: type.foreign || urls.length > 0,
      encrypted: type.encrypted,
      annotations,
      v1Id: null,
      ...told(i),
    };
  });
}

/** What a config says about each of `count` layers. History counts only where it fits: guessing shifts every line. */
export function layersOf(config: ImageConfig | null, count: number) {
  const diffIds = config?.diffIds ?? [];
  const chain = soundChainIds(diffIds);
  const history = config === null ? [] : layerHistory(config);
  const fits = history.length === count;
  return (layer: number) => ({
    claimedDiffId: diffIds[layer] ?? null,
    chainId: chain[layer] ?? null,
    createdBy: fits ? (history[layer]?.createdBy ?? null) : null,
  });
}

function kindOf(reached: Reached, config: ConfigNode | null): Artifact['kind'] | 'image' {
  const { manifest, descriptors } = reached;
  if (manifest === null) return 'unknown';
  const type = manifest.mediaType ?? descriptors[0]?.descriptor.mediaType ?? null;
  if (isSchema1Type(type) || manifest.schemaVersion === 1) return 'schema1';
  const reference = descriptors
    .map(d => d.descriptor.annotations.get(REFERENCE_TYPE))
    .find(t => t !== undefined);
  const { layers } = manifest;
  const isAttestation =
    reference === 'attestation-manifest' ||
    manifest.artifactType === ATTESTATION_TYPE ||
    (layers.length > 0 && layers.every(l => l.mediaType?.startsWith('application/vnd.in-toto')));
  if (isAttestation) return 'attestation';
  if (reference !== undefined) return 'docker-reference';
  const configType = manifest.config?.mediaType ?? null;
  if (type === OCI_ARTIFACT || (manifest.artifactType !== null && !isConfigType(configType)))
    return 'artifact';
  if (layers.length > 0 && layers.every(l => NOT_LAYERS.test(l.mediaType ?? ''))) return 'artifact';
  if (isConfigType(configType) || (config?.parsed?.diffIds ?? null) !== null) return 'image';
  return manifest.config === null ? 'unknown' : 'artifact';
}

function toImage(archive: Archive, reached: Reached, { config, layers }: Parts): Image {
  const declared = reached.descriptors.find(d => d.descriptor.platform !== null);
  const declaredPlatform =
    declared === undefined
      ? null
      : {
          platform: declared.descriptor.platform!,
          at: { path: declared.at.path, pointer: `${declared.at.pointer}/platform` },
        };
  const configPlatform = config?.parsed?.platform ?? null;
  if (
    declaredPlatform !== null &&
    configPlatform !== null &&
    !platformsAgree(declaredPlatform.platform, configPlatform)
  ) {
    archive.observe('platform-mismatch', declaredPlatform.at, {
      expected: platformText(configPlatform),
      actual: platformText(declaredPlatform.platform),
    });
  }
  return {
    kind: 'image',
    config,
    manifest: toManifestNode(reached),
    docker: null,
    v1Id: null,
    names: reached.names,
    indexDigests: reached.indexDigests,
    platform: declaredPlatform?.platform ?? configPlatform,
    declaredPlatform,
    layers,
    attestations: [],
    referrers: [],
    at: { path: reached.path, pointer: null },
  };
}

const platformText = (p: { os: string; architecture: string; variant: string | null }) =>
  [p.os, p.architecture, ...(p.variant === null ? [] : [p.variant])].join('/');

function toManifestNode(reached: Reached): ManifestNode {
  return {
    path: reached.path,
    claimedDigest: reached.claimedDigest,
    digest: reached.document.digest,
    size: reached.member.size,
    descriptors: reached.descriptors,
    mediaType: reached.manifest!.mediaType ?? reached.descriptors[0]?.descriptor.mediaType ?? null,
    parsed: reached.manifest!,
  };
}

function toArtifact(kind: Artifact['kind'], reached: Reached, { config, layers }: Parts): Artifact {
  const { manifest, descriptors, member } = reached;
  const annotated = descriptors
    .map(d => d.descriptor.annotations.get(REFERENCE_DIGEST))
    .find(d => d !== undefined);
  return {
    kind,
    digest: reached.document.digest,
    claimedDigest: reached.claimedDigest,
    path: reached.path,
    size: member.size,
    mediaType: manifest?.mediaType ?? descriptors[0]?.descriptor.mediaType ?? null,
    artifactType: artifactType(reached),
    names: reached.names,
    indexDigests: reached.indexDigests,
    subject: annotated ?? manifest?.subject?.digest ?? cosignSubject(reached.names),
    layers,
    config,
    annotations: manifest?.annotations ?? new Map(),
    at: { path: reached.path, pointer: null },
  };
}

/** Without an artifactType of its own a manifest's type is its config's (manifest.md, "artifact usage"). */
function artifactType({ manifest, descriptors }: Reached): string | null {
  const own = manifest?.artifactType ?? descriptors[0]?.descriptor.artifactType ?? null;
  if (own !== null) return own;
  const configType = manifest?.config?.mediaType ?? null;
  return isConfigType(configType) ? (manifest?.layers[0]?.mediaType ?? null) : configType;
}

/** cosign names what belongs to `sha256:<hex>` by the tag `sha256-<hex>.sig`, `.att` or `.sbom`. */
function cosignSubject(names: readonly string[]): string | null {
  for (const name of names) {
    const match = /sha256-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?$/.exec(name);
    if (match !== null) return `sha256:${match[1]}`;
  }
  return null;
}

function attach(images: readonly Image[], others: readonly Artifact[]): Classified {
  const isSubject = (image: Image, artifact: Artifact) =>
    artifact.subject !== null &&
    (artifact.subject === image.manifest?.claimedDigest || artifact.subject === image.manifest?.digest);
  const attached = images.map(image => ({
    ...image,
    attestations: others.filter(a => a.kind === 'attestation' && isSubject(image, a)),
    referrers: others
      .filter(a => a.kind !== 'attestation' && isSubject(image, a))
      .map(a => a.claimedDigest ?? a.digest ?? a.path),
  }));
  const claimed = new Set(attached.flatMap(image => image.attestations));
  return { images: attached, artifacts: others.filter(artifact => !claimed.has(artifact)) };
}
