import { limitText } from '../limits.js';
import { DOCKER_MANIFEST, isIndexType, OCI_MANIFEST } from '../spec/media-types.js';
import { decode } from '../template/index.js';
import { platformKey } from './imagetools-platform.js';
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
} from './manifest-store.js';
import {
  type DescriptorRaw,
  INDEX,
  type IndexRaw,
  MANIFEST,
  type ManifestRaw,
  PLATFORM,
  type PlatformRaw,
} from './manifest-types.js';

/** The image of one platform, as buildx loads it. */
export interface LoadedImage {
  /** Key of buildx's maps, e.g. `linux/arm/v7`. */
  readonly platform: string;
  /** null where the archive does not hold it. */
  readonly config: StoredDocument | null;
  readonly attestations: readonly ManifestRaw[];
}

export interface Loaded {
  /** By platform, in the order of Go's sort. */
  readonly images: readonly LoadedImage[];
  /** What is wanted and not in the archive. */
  readonly troubles: readonly string[];
}

/**
 * Follows an index, and indexes in it, to configs and attestations. buildx util/imagetools/loader.go: an image without a
 * platform in its descriptor has its config's; of two for one platform the last one counts; where buildx gives up because
 * something is missing, that is told and the rest is loaded.
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
