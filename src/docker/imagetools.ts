import { posix } from 'node:path';
import {
  DESCRIPTOR,
  type DescriptorRaw,
  DIGEST,
  IMAGE,
  INDEX,
  type IndexRaw,
  MANIFEST,
  type ManifestRaw,
  PLATFORM,
  type PlatformRaw,
} from '../go/image-types.js';
import { tabwriter } from '../go/tabwriter.js';
import { decode, type Guard } from '../go/template/index.js';
import {
  ANY,
  type Field,
  INT,
  INT64,
  mapOf,
  pointerTo,
  STRING,
  STRING_MAP,
  sliceOf,
  struct,
  type Type,
  type Value,
} from '../go/template/types.js';
import { limitText } from '../limits.js';
import { readDocument } from '../scan/blob/document.js';
import type { Json } from '../spec/json.js';
import { DOCKER_MANIFEST, isIndexType, OCI_MANIFEST } from '../spec/media-types.js';
import { withDigest } from './manifest/entries.js';
import {
  type Found,
  fetchBlob,
  fetchManifest,
  isIndex,
  isManifest,
  isStored,
  listLength,
  type Store,
  type StoredDocument,
  troubleOf,
} from './manifest/store.js';

/** buildx util/imagetools/loader.go */
export const SBOM = struct('imagetools.sbomStub', [
  { name: 'SPDX', type: ANY, omitEmpty: true },
  { name: 'AdditionalSPDXs', type: sliceOf(ANY), omitEmpty: true },
]);
const PROVENANCE = struct('imagetools.provenanceStub', [{ name: 'SLSA', type: ANY, omitEmpty: true }]);
const SBOM_MAP = mapOf(SBOM);
const PROVENANCE_MAP = mapOf(PROVENANCE);

/** The predicates of attestations, as raw structs; null if there is none of that type. */
interface Attested {
  readonly raw: Readonly<Record<string, unknown>> | null;
  /** Statements that cannot be read. */
  readonly troubles: readonly string[];
}

const SPDX = 'https://spdx.dev/Document';
const SLSA = 'https://slsa.dev/provenance/';

/** The first SPDX document, and those of further scans. */
function sbomOf(store: Store, attestations: readonly ManifestRaw[]): Attested {
  const layers = attestations.flatMap(manifest => statements(manifest, type => type === SPDX));
  const { predicates, troubles } = readPredicates(store, layers);
  const [first, ...more] = predicates;
  return { raw: first === undefined ? null : { SPDX: first, AdditionalSPDXs: more }, troubles };
}

/** The first provenance of the last attestation that has one. */
function provenanceOf(store: Store, attestations: readonly ManifestRaw[]): Attested {
  const layers = attestations.flatMap(manifest =>
    statements(manifest, type => type.startsWith(SLSA)).slice(0, 1),
  );
  const { predicates, troubles } = readPredicates(store, layers);
  const last = predicates.at(-1);
  return { raw: last === undefined ? null : { SLSA: last }, troubles };
}

/** As the pattern `application/vnd\.in-toto\..*\+dsse`, which would look for its end from each of many beginnings. */
function isEnvelope(mediaType: string): boolean {
  const start = mediaType.indexOf(IN_TOTO);
  return start >= 0 && mediaType.includes('+dsse', start + IN_TOTO.length);
}

const IN_TOTO = 'application/vnd.in-toto.';

function statements({ Layers }: ManifestRaw, fits: (predicateType: string) => boolean): DescriptorRaw[] {
  return (Layers ?? []).filter(({ MediaType = '', Annotations }) => {
    const inToto = MediaType === 'application/vnd.in-toto+json' || isEnvelope(MediaType);
    return inToto && fits(Annotations?.get('in-toto.io/predicate-type') ?? '');
  });
}

const STATEMENT = struct('struct', [{ name: 'Predicate', type: ANY, json: 'predicate' }]);
const ENVELOPE = struct('struct', [{ name: 'Payload', type: STRING, json: 'payload' }]);

function readPredicates(store: Store, layers: readonly DescriptorRaw[]) {
  const predicates: (Value | null)[] = [];
  const troubles: string[] = [];
  for (const { Digest = '', MediaType = '' } of layers) {
    const found = fetchBlob(store, Digest, MediaType);
    const trouble = troubleOf(found);
    if (trouble !== null) troubles.push(trouble);
    if (!isStored(found)) continue;
    const statement = isEnvelope(MediaType) ? openEnvelope(found.value) : found.value;
    if (statement === undefined) troubles.push(`${found.path}: no statement in its envelope`);
    else predicates.push((decode(STATEMENT, statement) as { Predicate?: Value | null }).Predicate ?? null);
  }
  return { predicates, troubles };
}

/** https://github.com/secure-systems-lab/dsse/blob/master/envelope.md. Signatures are not checked here. */
function openEnvelope(value: Json): Json | undefined {
  const { Payload = '' } = decode(ENVELOPE, value) as { Payload?: string };
  return readDocument('', Buffer.from(Payload, 'base64')).value;
}

const SOURCE = struct('binfotypes.Source', [
  { name: 'Type', type: STRING, json: 'type', omitEmpty: true },
  { name: 'Ref', type: STRING, json: 'ref', omitEmpty: true },
  { name: 'Alias', type: STRING, json: 'alias', omitEmpty: true },
  { name: 'Pin', type: STRING, json: 'pin', omitEmpty: true },
]);

const fields: Field[] = [
  { name: 'Frontend', type: STRING, json: 'frontend', omitEmpty: true },
  { name: 'Attrs', type: mapOf(pointerTo(STRING)), json: 'attrs', omitEmpty: true },
  { name: 'Sources', type: sliceOf(SOURCE), json: 'sources', omitEmpty: true },
];

/** BuildKit 0.9 to 0.11, util/buildinfo/types. A build holds those that it depends on. */
const BUILD_INFO = struct('binfotypes.BuildInfo', fields);
fields.push({ name: 'Deps', type: mapOf(BUILD_INFO), json: 'deps', omitEmpty: true });

const BUILD_INFO_POINTER: Type = pointerTo(BUILD_INFO);
const BUILD_INFO_MAP: Type = mapOf(BUILD_INFO_POINTER);

const IN_CONFIG = struct('binfotypes.ImageConfig', [
  { name: 'BuildInfo', type: STRING, json: 'moby.buildkit.buildinfo.v1' },
]);

/** BuildKit's build info in an image's config, as a raw struct; null if there is none, or if it cannot be read. */
function buildInfoOf(config: Json): unknown {
  const { BuildInfo = '' } = decode(IN_CONFIG, config) as { BuildInfo?: string };
  const { value } = readDocument('', Buffer.from(BuildInfo, 'base64'));
  return value === undefined ? null : decode(BUILD_INFO, value);
}

/** The data of a template of imagetools, and the blobs that were found missing during its execution. */
interface TemplateInput {
  readonly data: Value;
  /** Filled while a template runs: attestations are read when they are asked for. */
  readonly troubles: Set<string>;
}

/**
 * buildx util/imagetools/printers.go: of one platform `tplInput`, of several `tplInputs`, with maps by platform. Both
 * have `.BuildInfo` besides, as buildx had until 0.10; as a method, so that it is not in the JSON of the whole.
 */
export function templateInput(
  store: Store,
  document: StoredDocument,
  name: string,
  loaded: Loaded,
): TemplateInput {
  const troubles = new Set<string>();
  const attested = (read: typeof sbomOf) => (image: LoadedImage) => {
    const found = read(store, image.attestations);
    for (const trouble of found.troubles) troubles.add(trouble);
    return found.raw;
  };
  const Manifest = manifestValue(document);
  const make = loaded.images.length > 1 ? severalPlatforms : onePlatform;
  const data = make(
    loaded.images,
    { Name: name, Manifest },
    { sbom: attested(sbomOf), provenance: attested(provenanceOf) },
  );
  return { data, troubles };
}

interface Readers {
  readonly sbom: (image: LoadedImage) => Attested['raw'];
  readonly provenance: (image: LoadedImage) => Attested['raw'];
}

interface Head {
  readonly Name: string;
  readonly Manifest: Value | null;
}

const FIELDS: readonly Field[] = [
  { name: 'Name', type: STRING, json: 'name', omitEmpty: true },
  { name: 'Manifest', type: ANY, json: 'manifest', omitEmpty: true },
];
const IMAGE_POINTER = pointerTo(IMAGE);
const IMAGE_MAP = mapOf(IMAGE_POINTER);

function onePlatform(images: readonly LoadedImage[], head: Head, { sbom, provenance }: Readers): Value {
  const [image] = images;
  const config = image?.config ?? null;
  const type = struct(
    'imagetools.tplInput',
    [...FIELDS, { name: 'Image', type: IMAGE_POINTER, json: 'image', omitEmpty: true }],
    {
      SBOM: () => ({ type: SBOM, raw: (image && sbom(image)) ?? {} }),
      Provenance: () => ({ type: PROVENANCE, raw: (image && provenance(image)) ?? {} }),
      BuildInfo: () => ({ type: BUILD_INFO_POINTER, raw: config && buildInfoOf(config.value) }),
    },
  );
  return { type, raw: { ...head, Image: imageRaw(config) } };
}

function severalPlatforms(images: readonly LoadedImage[], head: Head, { sbom, provenance }: Readers): Value {
  const by = <T>(read: (image: LoadedImage) => T | null): ReadonlyMap<string, T> => {
    const entries = images.map((image): [string, T | null] => [image.platform, read(image)]);
    return new Map(entries.filter((entry): entry is [string, T] => entry[1] !== null));
  };
  const type = struct(
    'imagetools.tplInputs',
    [...FIELDS, { name: 'Image', type: IMAGE_MAP, json: 'image', omitEmpty: true }],
    {
      SBOM: () => ({ type: SBOM_MAP, raw: by(sbom) }),
      Provenance: () => ({ type: PROVENANCE_MAP, raw: by(provenance) }),
      BuildInfo: () => {
        const all = by(({ config }) => config && buildInfoOf(config.value));
        return { type: BUILD_INFO_MAP, raw: all.size === 0 ? null : all };
      },
    },
  );
  return { type, raw: { ...head, Image: by(({ config }) => imageRaw(config)) } };
}

const imageRaw = (config: StoredDocument | null): unknown =>
  config === null || config.value === null ? null : decode(IMAGE, config.value, config);

/** An index with its own digest and size, in a struct that has no name. */
const INDEX_VIEW = struct('struct', [
  { name: 'SchemaVersion', type: INT, json: 'schemaVersion' },
  { name: 'MediaType', type: STRING, json: 'mediaType', omitEmpty: true },
  { name: 'Digest', type: DIGEST, json: 'digest' },
  { name: 'Size', type: INT64, json: 'size' },
  { name: 'Manifests', type: sliceOf(DESCRIPTOR), json: 'manifests' },
  { name: 'Annotations', type: STRING_MAP, json: 'annotations', omitEmpty: true },
]);

function manifestValue(document: StoredDocument): Value | null {
  const { mediaType: MediaType, digest: Digest, bytes } = document;
  const own = { Digest, Size: bytes.length };
  if (isManifest(document)) return { type: DESCRIPTOR, raw: { MediaType, ...own } };
  if (!isIndex(document)) return null;
  return { type: INDEX_VIEW, raw: { ...(decode(INDEX, document.value, document) as IndexRaw), ...own } };
}

/**
 * Platforms as buildx prints them and as it names the keys of its maps.
 * https://pkg.go.dev/github.com/containerd/platforms (Format, Normalize)
 */
function printedPlatform({ OS = '', Architecture = '', Variant = '' }: PlatformRaw): string {
  return OS === '' ? 'unknown' : posix.join(OS, Architecture, Variant);
}

/** Without the version of the OS: of several Windows images, one stands for all. */
function platformKey({ OS = '', Architecture = '', Variant = '' }: PlatformRaw): string {
  const os = OS.toLowerCase() === 'macos' ? 'darwin' : OS.toLowerCase();
  const [architecture, variant] = normalArchitecture(Architecture.toLowerCase(), Variant.toLowerCase());
  // An absent OS is that of the machine that asks.
  return printedPlatform({ OS: os || 'linux', Architecture: architecture, Variant: variant });
}

function normalArchitecture(architecture: string, variant: string): [architecture: string, variant: string] {
  switch (architecture) {
    case 'i386':
      return ['386', ''];
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return ['amd64', variant === 'v1' ? '' : variant];
    case 'aarch64':
    case 'arm64':
      return ['arm64', variant === '8' || variant === 'v8' ? '' : variant];
    case 'armhf':
      return ['arm', 'v7'];
    case 'armel':
      return ['arm', 'v6'];
    case 'arm':
      return ['arm', variant === '' ? 'v7' : variant.replace(/^([5-8])$/, 'v$1')];
    default:
      return [architecture, variant];
  }
}

/** The image of one platform, as buildx loads it. */
interface LoadedImage {
  /** Key of buildx's maps, e.g. `linux/arm/v7`. */
  readonly platform: string;
  /** null where the archive does not hold it. */
  readonly config: StoredDocument | null;
  readonly attestations: readonly ManifestRaw[];
}

interface Loaded {
  /** By platform, in the order of Go's sort. */
  readonly images: readonly LoadedImage[];
  /** Requested blobs that are not in the archive. */
  readonly troubles: readonly string[];
}

/**
 * Follows an index, and indexes in it, to configs and attestations. buildx util/imagetools/loader.go: an image without
 * a platform in its descriptor has its config's; of two for one platform the last one counts; where buildx gives up
 * because something is missing, that is told and the rest is loaded.
 * @param within  an index whose attestations of `document` belong to it
 */
export function loadImages(store: Store, document: StoredDocument, within: StoredDocument | null): Loaded {
  const load = new Load(store);
  load.take({}, document, 0);
  if (within !== null) load.attestationsIn(within);
  return load.result();
}

class Load {
  private readonly byPlatform = new Map<string, { digest: string; config: StoredDocument | null }>();
  private readonly attestations = new Map<string, ManifestRaw[]>();
  private readonly troubles = new Set<string>();
  private followed = 0;
  private listed = 0;

  constructor(private readonly store: Store) {}

  result(): Loaded {
    const images = [...this.byPlatform]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([platform, { digest, config }]) => ({
        platform,
        config,
        attestations: this.attestations.get(digest) ?? [],
      }));
    return { images, troubles: [...this.troubles] };
  }

  take(descriptor: DescriptorRaw, document: StoredDocument, depth: number): void {
    if (isManifest(document)) this.manifest(descriptor, document);
    else if (isIndex(document) && this.mayList(document))
      for (const child of listed(document)) this.follow(child, depth + 1);
  }

  attestationsIn(index: StoredDocument): void {
    for (const descriptor of listed(index)) if (subjectOf(descriptor) !== null) this.follow(descriptor, 1);
  }

  private mayList({ value }: StoredDocument): boolean {
    const { descriptors } = this.store.graph.limits;
    this.listed += listLength(value);
    if (this.listed > descriptors) this.tooMuch('descriptors');
    return this.listed <= descriptors;
  }

  private tooMuch(limit: 'indexDepth' | 'manifests' | 'descriptors'): void {
    const value = this.store.graph.limits[limit];
    this.troubles.add(`not everything was loaded: ${limitText({ limit, value })}`);
  }

  private follow(descriptor: DescriptorRaw, depth: number): void {
    const { Digest: digest = '', MediaType: type = '', Platform } = descriptor;
    const isImage = type === OCI_MANIFEST || type === DOCKER_MANIFEST;
    if (!isImage && !isIndexType(type)) return;
    const { limits } = this.store.graph;
    const limit = depth > limits.indexDepth ? 'indexDepth' : 'manifests';
    if (limit === 'indexDepth' || ++this.followed > limits.manifests) {
      this.tooMuch(limit);
      return;
    }
    const found = fetchManifest(this.store, digest, type);
    this.tell(found, descriptor);
    if (isStored(found)) this.take(descriptor, found, depth);
    else if (isImage && Platform != null && subjectOf(descriptor) === null) {
      this.byPlatform.set(platformKey(Platform), { digest, config: null });
    }
  }

  private manifest(descriptor: DescriptorRaw, document: StoredDocument): void {
    const manifest = decode(MANIFEST, document.value, document) as ManifestRaw;
    const subject = subjectOf(descriptor);
    if (subject !== null) {
      const known = this.attestations.get(subject);
      if (known === undefined) this.attestations.set(subject, [manifest]);
      else known.push(manifest);
      return;
    }
    const { Config = {} } = manifest;
    const found = fetchBlob(this.store, Config.Digest ?? '', Config.MediaType ?? null);
    this.tell(found, Config);
    const config = isStored(found) ? found : null;
    const platform =
      descriptor.Platform ?? (config === null ? null : (decode(PLATFORM, config.value) as PlatformRaw));
    if (platform !== null) this.byPlatform.set(platformKey(platform), { digest: document.digest, config });
  }

  /** buildx takes nothing whose size is not the descriptor's. */
  private tell(found: Found, { Size }: DescriptorRaw): void {
    const trouble = troubleOf(found);
    if (trouble !== null) this.troubles.add(trouble);
    else if (isStored(found) && found.bytes.length !== Number(Size ?? 0)) {
      this.troubles.add(`${found.path}: it has ${found.bytes.length} bytes, expected ${Size ?? 0}`);
    }
  }
}

const listed = (index: StoredDocument) => (decode(INDEX, index.value, index) as IndexRaw).Manifests ?? [];

/** Older BuildKit's first. */
const REFERENCES = ['com.docker.reference.digest', 'vnd.docker.reference.digest'];

/** The digest of the manifest that an attestation is about; null for an image. */
function subjectOf({ Annotations }: DescriptorRaw): string | null {
  return REFERENCES.map(key => Annotations?.get(key)).find(digest => digest !== undefined) ?? null;
}

/** The output of `docker buildx imagetools inspect` without a format, and with one that begins with `{{.Manifest`. */
export function imagetoolsTable(ref: string, document: StoredDocument, guard: Guard = text => text): string {
  const { mediaType, digest } = document;
  const head = rows([`Name:\t${guard(ref)}`, `MediaType:\t${guard(mediaType)}`, `Digest:\t${guard(digest)}`]);
  if (!isIndex(document)) return head;
  const { Manifests } = decode(INDEX, document.value, document) as IndexRaw;
  return `${head}${rows(['\t', 'Manifests:\t'])}${manifestRows(ref, Manifests ?? [], guard)}`;
}

/** Columns are aligned anew behind every block of annotations, which is aligned by itself. */
function manifestRows(ref: string, manifests: readonly DescriptorRaw[], guard: Guard): string {
  const out: string[] = [];
  let section: string[] = [];
  for (const [i, manifest] of manifests.entries()) {
    if (i > 0) section.push('\t');
    section.push(...describe(ref, manifest).map(([title, text]) => `  ${title}:\t${guard(text)}`));
    const annotations = manifest.Platform == null ? [] : [...(manifest.Annotations ?? [])];
    if (annotations.length === 0) continue;
    section.push('  Annotations:\t');
    // buildx takes them as Go's map gives them, in another order every time.
    const sorted = annotations.sort(([a], [b]) => (a < b ? -1 : 1));
    out.push(rows(section), rows(sorted.map(([key, value]) => `    ${guard(key)}:\t${guard(value)}`)));
    section = [];
  }
  return out.join('') + rows(section);
}

function describe(ref: string, manifest: DescriptorRaw): (readonly [title: string, text: string])[] {
  const { Digest = '', MediaType = '', Platform, URLs } = manifest;
  const lines: (readonly [string, string])[] = [
    ['Name', withDigest(ref, Digest)],
    ['MediaType', MediaType],
  ];
  // Without a platform, buildx leaves out what else it knows.
  if (Platform == null) return lines;
  lines.push(['Platform', printedPlatform(Platform)]);
  if (Platform.OSVersion) lines.push(['OSVersion', Platform.OSVersion]);
  if (Platform.OSFeatures?.length) lines.push(['OSFeatures', Platform.OSFeatures.join(', ')]);
  if (URLs?.length) lines.push(['URLs', URLs.join(', ')]);
  return lines;
}

function rows(lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return tabwriter(lines.map(line => `${line}\n`).join(''), { minWidth: 0, tabWidth: 0, padding: 1 });
}
