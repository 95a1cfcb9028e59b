import type { Member } from '../containers/source.js';
import type { Scan } from '../scan/scan.js';
import { type ImageConfig, layerHistory } from '../spec/config.js';
import type { Descriptor } from '../spec/descriptor.js';
import { soundChainIds } from '../spec/digest.js';
import type { ImageManifest } from '../spec/manifest.js';
import { isConfigType, isSchema1Type, layerType, OCI_ARTIFACT, OCI_CONFIG } from '../spec/media-types.js';
import { type Platform, platformsAgree } from '../spec/platform.js';
import type { ScannedArchive } from './archive.js';
import {
  type Artifact,
  type ConfigNode,
  type Image,
  type Layer,
  type Location,
  type ManifestNode,
  referrerName,
} from './graph.js';
import { type Locate, type ManifestWalk, REFERENCE_TYPE, type Reached, subjectOf } from './manifests.js';

interface Classified {
  readonly images: Image[];
  readonly artifacts: Artifact[];
}

/** Attaches manifests to the image that is their subject: BuildKit's as attestations, all others as referrers. */
function attach(images: readonly Image[], others: readonly Artifact[]): Classified {
  const bySubject = new Map<string, Artifact[]>();
  for (const artifact of others) {
    if (artifact.subject === null) continue;
    const about = bySubject.get(artifact.subject);
    if (about === undefined) bySubject.set(artifact.subject, [artifact]);
    else about.push(artifact);
  }
  const attached = images.map(image => {
    const digests = new Set([image.manifest?.claimedDigest, image.manifest?.digest]);
    const about = [...digests].flatMap(digest => (digest == null ? [] : (bySubject.get(digest) ?? [])));
    return {
      ...image,
      attestations: about.filter(({ kind }) => kind === 'attestation'),
      referrers: about.filter(({ kind }) => kind !== 'attestation').map(referrerName),
    };
  });
  const claimed = new Set(attached.flatMap(image => image.attestations));
  return { images: attached, artifacts: others.filter(artifact => !claimed.has(artifact)) };
}

const ATTESTATION_TYPE = 'application/vnd.docker.attestation.manifest.v1+json';

/** Layer media types that never make an image, even under an image's config type, as cosign writes them. */
const NOT_LAYERS =
  /^application\/(vnd\.in-toto|vnd\.dsse|vnd\.dev\.cosign|vnd\.cyclonedx|spdx|vnd\.syft)|^text\/spdx/;
const IN_TOTO = /^application\/vnd\.in-toto/;

/**
 * Sorts the manifests that a walk reached into images and artifacts, and attaches attestations and referrers to their
 * subjects.
 */
export function classify(archive: ScannedArchive, walk: ManifestWalk, locate: Locate): Classified {
  const images: Image[] = [];
  const others: Artifact[] = [];
  for (const reached of walk.reached) {
    const parts = readParts(archive, reached, locate);
    const kind = kindOf(archive, reached, parts);
    // No engine loads a manifest that is found only by its own `subject`, whatever its content.
    if (kind === 'image' && reached.listed) images.push(toImage(archive, reached, parts));
    else others.push(toArtifact(kind === 'image' ? 'artifact' : kind, reached, parts));
  }
  return attach(images, others);
}

interface Parts {
  readonly config: ConfigNode | null;
  readonly layers: readonly Layer[];
}

function readParts(archive: ScannedArchive, reached: Reached, locate: Locate): Parts {
  const { manifest, path } = reached;
  if (manifest === null || manifest.isSchema1) return { config: null, layers: [] };
  const config = manifest.config === null ? null : readConfig(archive, manifest.config, path, locate);
  return { config, layers: readLayers(archive, manifest.layers, path, locate, config?.parsed ?? null) };
}

function readConfig(
  archive: ScannedArchive,
  descriptor: Descriptor,
  path: string,
  locate: Locate,
): ConfigNode | null {
  const { digest, mediaType } = descriptor;
  if (digest === null) return null;
  const relative = locate(digest, false);
  const member = archive.file(relative);
  const at: Location = { path, pointer: descriptor.pointer };
  if (member === null) {
    return { path: archive.path(relative), claimedDigest: digest, at, member, document: null, parsed: null };
  }
  archive.claim(member, descriptor, path);
  // An artifact's config may be of any type; only an image's has to be JSON.
  const mustParse = isConfigType(mediaType);
  const document = archive.document(member);
  if (!archive.mayLook(document, at))
    return { path: member.path, claimedDigest: digest, at, member, document: null, parsed: null };
  if (mustParse) archive.json(member);
  const parsed = archive.config(document, mediaType === OCI_CONFIG);
  if (parsed === null && mustParse) archive.notAnObject(member);
  if (parsed !== null && mustParse) archive.documentProblems(member.path, 'config', parsed.problems);
  return { path: member.path, claimedDigest: digest, at, member, document, parsed };
}

function readLayers(
  archive: ScannedArchive,
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
      foreign: type.foreign,
      encrypted: type.encrypted,
      annotations,
      v1Id: null,
      ...told(i),
    };
  });
}

/**
 * The config's claims about each of `count` layers. History is used only where its length fits: a guess would assign
 * every instruction to the wrong layer.
 */
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

/** A field by which the documents mark a manifest as something other than an image. */
interface Mark {
  readonly kind: Exclude<Artifact['kind'], 'unknown'>;
  /** The field and its value. */
  readonly field: string;
  readonly value: string;
}

function kindOf(archive: ScannedArchive, reached: Reached, parts: Parts): Artifact['kind'] | 'image' {
  const { manifest } = reached;
  if (manifest === null) return 'unknown';
  const mark = markOf(reached);
  if (!holdsImage(archive, manifest, parts)) {
    return mark?.kind ?? (manifest.config === null ? 'unknown' : 'artifact');
  }
  if (mark !== null) {
    const { kind, field, value } = mark;
    archive.observe('image-disguised', { path: reached.path, pointer: null }, { as: kind, field, value });
  }
  return 'image';
}

/**
 * Whether engines load a manifest as an image, whatever the index and the media types say: they read the config and
 * unpack the layers. BuildKit's attestations and cosign's signatures have a config of an image's type too, with a
 * rootfs; their layers are JSON or text, which no engine can unpack.
 */
function holdsImage(archive: ScannedArchive, { config, layers }: ImageManifest, parts: Parts): boolean {
  const isConfig =
    isConfigType(config?.mediaType ?? null) || (parts.config?.parsed?.diffIds ?? null) !== null;
  if (!isConfig) return false;
  const isDocument = ({ mediaType }: Descriptor, i: number) => {
    const member = parts.layers[i]?.member ?? null;
    return NOT_LAYERS.test(mediaType ?? '') && (member === null || isText(archive.scan, member));
  };
  return layers.length === 0 || !layers.every(isDocument);
}

/** Content that is present and that no engine can unpack as a layer. */
export function isText(scan: Scan, member: Member): boolean {
  const { compression, tar } = scan.head(member);
  return member.size > 0 && compression === 'none' && !tar;
}

function markOf({ manifest, descriptors }: Reached): Mark | null {
  const { layers, artifactType, schemaVersion } = manifest!;
  const reference = descriptors
    .map(d => d.descriptor.annotations.get(REFERENCE_TYPE))
    .find(t => t !== undefined);
  if (reference !== undefined) {
    const kind = reference === 'attestation-manifest' ? 'attestation' : 'docker-reference';
    return { kind, field: REFERENCE_TYPE, value: reference };
  }
  const type = manifest!.mediaType ?? descriptors[0]?.descriptor.mediaType ?? null;
  if (isSchema1Type(type)) return { kind: 'schema1', field: 'mediaType', value: type! };
  if (schemaVersion === 1) return { kind: 'schema1', field: 'schemaVersion', value: '1' };
  if (artifactType === ATTESTATION_TYPE)
    return { kind: 'attestation', field: 'artifactType', value: artifactType };
  if (type === OCI_ARTIFACT) return { kind: 'artifact', field: 'mediaType', value: type };
  const of = (pattern: RegExp) => layers.length > 0 && layers.every(l => pattern.test(l.mediaType ?? ''));
  const first = layers[0]?.mediaType ?? '';
  if (of(IN_TOTO)) return { kind: 'attestation', field: 'layers/0/mediaType', value: first };
  return of(NOT_LAYERS) ? { kind: 'artifact', field: 'layers/0/mediaType', value: first } : null;
}

function toImage(archive: ScannedArchive, reached: Reached, { config, layers }: Parts): Image {
  const declared = reached.descriptors.find(d => d.descriptor.platform !== null);
  const declaredPlatform =
    declared === undefined
      ? null
      : {
          platform: declared.descriptor.platform!,
          at: { path: declared.at.path, pointer: `${declared.at.pointer}/platform` },
        };
  const configPlatform = config?.parsed?.platform ?? null;
  // An index may list one manifest for several platforms, and a reader takes the first that fits its own.
  for (const { descriptor, at } of configPlatform === null ? [] : reached.descriptors) {
    const { platform } = descriptor;
    if (platform === null || platformsAgree(platform, configPlatform!)) continue;
    archive.observe(
      'platform-mismatch',
      { path: at.path, pointer: `${at.pointer}/platform` },
      { expected: platformText(configPlatform!), actual: platformText(platform) },
    );
  }
  return {
    kind: 'image',
    config,
    manifest: toManifestNode(reached),
    docker: null,
    v1Id: null,
    names: reached.names,
    refNames: reached.refNames,
    indexDigests: reached.indexDigests,
    platform: bothPlatforms(declaredPlatform?.platform ?? null, configPlatform),
    declaredPlatform,
    layers,
    attestations: [],
    referrers: [],
    at: { path: reached.path, pointer: null },
  };
}

/** The platform by the index; an os.version that the index omits is taken from the config. */
function bothPlatforms(declared: Platform | null, own: Platform | null): Platform | null {
  if (declared === null) return own;
  return declared.osVersion === null && own?.os === declared.os
    ? { ...declared, osVersion: own.osVersion }
    : declared;
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
  const annotated = descriptors.map(d => subjectOf(d.descriptor)).find(subject => subject !== null);
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
    // The digest covers the fields of the manifest, but not the annotations of its descriptor.
    subject: manifest?.subject?.digest ?? annotated ?? cosignSubject(reached.names),
    descriptors,
    listed: reached.listed,
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
