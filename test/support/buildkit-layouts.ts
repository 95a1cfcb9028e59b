// Archives of BuildKit and the containerd store: FORMATS section 1, rows D and E.
import { goJson, sortedKeys } from './digest.js';
import type { Image } from './image.js';
import { file, type Member, without } from './members.js';
import { familiarName, fullName, splitName } from './names.js';
import {
  attestation,
  type Content,
  type DocumentOptions,
  indexOf,
  NAME_ANNOTATION,
  platformManifest,
  REF_ANNOTATION,
  sparse,
} from './oci.js';
import { blobPath, layoutFile, ociLayout } from './oci-layout.js';
import { entriesOf, type Images, tagsOrNull } from './tagged.js';

const CREATED_ANNOTATION = 'org.opencontainers.image.created';

/** One name with one or more platforms of an image. */
export interface MultiPlatform {
  readonly platforms: readonly Image[];
  readonly tags?: readonly string[];
  /** BuildKit's attestation manifest for each platform. */
  readonly attestations?: boolean;
  readonly ociArtifact?: boolean;
  /** Platforms that the index lists and the archive does not contain. */
  readonly missing?: readonly Image[];
  /** `<registry>` to `<repository>`: containerd's record of a pull. */
  readonly sources?: Readonly<Record<string, string>>;
}

export type Builds = Images | MultiPlatform | readonly MultiPlatform[];

export function buildsOf(builds: Builds): MultiPlatform[] {
  const list = (Array.isArray(builds) ? builds : [builds]) as readonly object[];
  return list.flatMap(item =>
    'platforms' in item
      ? [item as MultiPlatform]
      : entriesOf(item as Images).map(({ image, tags }) => ({ platforms: [image], tags })),
  );
}

const BUILDKIT: DocumentOptions = { indent: 2 };

/** A single manifest if that is enough, otherwise an index: platforms first, then their attestations. */
function buildkitContent(build: MultiPlatform): Content {
  const { platforms, missing = [], attestations = false, ociArtifact = false } = build;
  const present = platforms.map(image => platformManifest(image, BUILDKIT));
  const absent = missing.map(image => sparse(platformManifest(image, BUILDKIT), () => true));
  if (present.length === 1 && absent.length === 0 && !attestations) return present[0] as Content;
  const proofs = attestations ? present.map(content => attestation(content, { ociArtifact })) : [];
  return indexOf([...present, ...absent, ...proofs], BUILDKIT);
}

/** One entry of index.json per name; annotations are a Go map, so they are sorted. */
function namedEntries(build: MultiPlatform, more: Readonly<Record<string, string>>): Content[] {
  const content = buildkitContent(build);
  const sources = Object.entries(build.sources ?? {}).map(([host, repository]) => [
    `containerd.io/distribution.source.${host}`,
    repository,
  ]);
  const base = { ...more, ...Object.fromEntries(sources) };
  const tags = build.tags ?? [];
  const sets = tags.map(tag => ({
    ...base,
    [NAME_ANNOTATION]: fullName(tag),
    [REF_ANNOTATION]: splitName(tag).tag,
  }));
  return (sets.length > 0 ? sets : [base]).map(set =>
    Object.keys(set).length > 0 ? withAnnotations(content, sortedKeys(set)) : content,
  );
}

/** Annotations precede the platform in a descriptor. */
function withAnnotations(content: Content, annotations: Readonly<Record<string, string>>): Content {
  const { platform, ...rest } = content.descriptor;
  return { ...content, descriptor: { ...rest, annotations, ...(platform && { platform }) } };
}

const BLOB_MODE = 0o444;

/** Row E: buildx `type=oci`. */
export function buildxOci(builds: Builds): Member[] {
  const manifests = buildsOf(builds).flatMap(build =>
    namedEntries(build, { [CREATED_ANNOTATION]: (build.platforms[0] as Image).created }),
  );
  return ociLayout({ manifests, blobMode: BLOB_MODE });
}

/** Row D: the containerd store's export. Like E with a manifest.json for one platform; sorted by name. */
export function dockerContainerd(builds: Builds): Member[] {
  const list = buildsOf(builds);
  // The store's own descriptors have no platforms; only the exporter's do.
  const entries = list.flatMap(build => namedEntries(build, {})).map(withoutPlatform);
  const layout = ociLayout({ manifests: entries, blobMode: BLOB_MODE });
  const items = list.map(({ platforms: [first], tags = [] }) => ({
    Config: blobPath((first as Image).imageId),
    RepoTags: tagsOrNull(tags.map(familiarName)),
    Layers: (first as Image).layers.map(({ digest }) => blobPath(digest)),
  }));
  const withoutLayout = without(layout, 'oci-layout');
  return [...withoutLayout, file('manifest.json', goJson(items)), layoutFile()];
}

function withoutPlatform(content: Content): Content {
  const { platform: _, ...descriptor } = content.descriptor;
  return { ...content, descriptor };
}
