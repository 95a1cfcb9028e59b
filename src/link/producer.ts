import type { DockerManifestItem } from '../spec/docker-archive.js';
import { isObject, type JsonObject, own } from '../spec/json.js';
import type { ScannedArchive } from './archive.js';
import type { Graph, Producer, ProducerId } from './graph.js';
import { v1Folders } from './layouts/docker-v1.js';

/** Marks of the writer in oci-layout and index.json. All other content is copied from writer to writer unchanged. */
interface LayoutMarks {
  readonly indexText: string;
  readonly layoutText: string;
  readonly entries: readonly JsonObject[];
}

/** Marks are at the beginning of an index, which may be of any length. */
const LOOKED_AT = 64 * 1024;

/** How many entries of an index are searched for marks. */
const ENTRIES = 1000;

function layoutMarks(archive: ScannedArchive): LayoutMarks | null {
  const [index, layout] = ['index.json', 'oci-layout'].map(name => {
    const member = archive.scan.file(archive.path(name));
    return member === null ? null : archive.scan.document(member);
  });
  if (index?.bytes == null || layout?.bytes == null) return null;
  const listed = isObject(index.value) ? own(index.value, 'manifests') : null;
  return {
    indexText: textOf(index.bytes),
    layoutText: textOf(layout.bytes),
    entries: Array.isArray(listed) ? listed.slice(0, ENTRIES).filter(isObject) : [],
  };
}

/** The beginning and the last byte. */
const textOf = (bytes: Uint8Array): string =>
  bytes.length <= LOOKED_AT
    ? Buffer.from(bytes).toString()
    : Buffer.concat([bytes.subarray(0, LOOKED_AT), bytes.subarray(-1)]).toString();

/** go-containerregistry writes this text and no other. */
const isGgcr = ({ layoutText }: LayoutMarks): boolean =>
  layoutText === '{\n    "imageLayoutVersion": "1.0.0"\n}';

/** Go's Encoder ends what it writes with a newline, where Marshal does not. */
const isEncoded = (marks: LayoutMarks): boolean =>
  marks.layoutText === '{"imageLayoutVersion":"1.0.0"}\n' &&
  isCompact(marks) &&
  marks.indexText.endsWith('}\n');

/** Before it used the specification's types, containers/image wrote the file from a constant. */
const isContainersText = (marks: LayoutMarks): boolean =>
  marks.layoutText === '{"imageLayoutVersion": "1.0.0"}' && isCompact(marks) && marks.indexText.endsWith('}');

/** As Go writes the types of the specification, with no annotation but names. */
function isPlain(marks: LayoutMarks): boolean {
  const { layoutText, indexText, entries } = marks;
  if (layoutText !== '{"imageLayoutVersion":"1.0.0"}') return false;
  if (!isCompact(marks) || !indexText.endsWith('}') || entries.length === 0) return false;
  return entries.every(entry => {
    const [first, second, third] = Object.keys(entry);
    const isOrdered = first === 'mediaType' && second === 'digest' && third === 'size';
    return isOrdered && annotationsOf(entry).every(key => key === 'org.opencontainers.image.ref.name');
  });
}

const isCompact = ({ indexText }: LayoutMarks): boolean => indexText.startsWith('{"schemaVersion":2,"');

function annotationsOf(entry: JsonObject): string[] {
  const annotations = own(entry, 'annotations');
  return isObject(annotations) ? Object.keys(annotations) : [];
}

const hasAnnotation = ({ entries }: LayoutMarks, key: string): boolean =>
  entries.some(entry => annotationsOf(entry).includes(key));

const annotationStarts = ({ entries }: LayoutMarks, key: string, prefix: string): boolean =>
  entries.some(entry => {
    const annotations = own(entry, 'annotations');
    const value = isObject(annotations) ? own(annotations, key) : undefined;
    return typeof value === 'string' && value.startsWith(prefix);
  });

/** Writers of image layouts, the specific before the general. */
interface LayoutTrait {
  readonly id: ProducerId;
  readonly name: string;
  marks(marks: LayoutMarks, graph: Linked, archive: ScannedArchive): readonly (string | false)[];
}

const CREATED = 'org.opencontainers.image.created';
const CACHE_CONFIG = 'application/vnd.buildkit.cacheconfig.v0';

const LAYOUT_TRAITS: readonly LayoutTrait[] = [
  {
    id: 'cosign',
    name: 'cosign save',
    marks: marks => [
      annotationStarts(marks, 'kind', 'dev.cosignproject.cosign/') &&
        'entries of kind dev.cosignproject.cosign',
    ],
  },
  {
    id: 'hauler',
    name: 'hauler store save',
    marks: marks => [annotationStarts(marks, 'kind', 'dev.hauler/') && 'entries of kind dev.hauler'],
  },
  {
    id: 'apko',
    name: 'apko',
    marks: (_, __, { scan, root }) => [
      scan.members.some(m => /^sboms\/sbom-.*\.spdx\.json$/.test(m.path.slice(root.length))) &&
        'SBOMs beside the layout',
    ],
  },
  {
    id: 'buildx-history',
    name: 'buildx history export (build record)',
    marks: (_, { artifacts, images }) => [
      images.length === 0 && 'no images',
      artifacts.some(
        a =>
          /buildkit\.historyrecord/.test(a.artifactType ?? '') ||
          a.layers.some(l => /buildkit\.historyrecord/.test(l.mediaType ?? '')),
      ) && 'BuildKit records',
    ],
  },
  {
    id: 'buildkit-cache',
    name: 'BuildKit (--cache-to type=local)',
    marks: (_, { artifacts, images, indexes }) => [
      images.length === 0 && 'no images',
      (artifacts.some(a => a.artifactType === CACHE_CONFIG) ||
        indexes.some(index => index.manifests.some(d => d.mediaType === CACHE_CONFIG))) &&
        CACHE_CONFIG,
    ],
  },
  {
    id: 'buildkit-oci',
    name: 'buildx or BuildKit (type=oci)',
    marks: marks => [
      isCompact(marks) && 'index.json as Go writes it',
      hasAnnotation(marks, CREATED) && `${CREATED} in index.json`,
    ],
  },
  {
    id: 'containerd-oci',
    name: 'containerd: ctr images export, nerdctl or BuildKit (type=oci)',
    marks: marks => [
      isCompact(marks) && 'index.json as Go writes it',
      hasAnnotation(marks, 'io.containerd.image.name') && 'io.containerd.image.name',
    ],
  },
  {
    id: 'go-containerregistry-oci',
    name: 'go-containerregistry: crane, ko, kaniko, pack or rules_docker',
    marks: marks => [isGgcr(marks) && 'oci-layout indented by four spaces'],
  },
  {
    id: 'umoci',
    name: 'umoci',
    marks: marks => [isEncoded(marks) && 'a newline at the end of index.json and oci-layout'],
  },
  {
    id: 'containers-image-oci',
    name: 'skopeo or podman (oci:, oci-archive:)',
    marks: marks => [isContainersText(marks) && 'a space in oci-layout and none in index.json'],
  },
  {
    id: 'oras',
    name: 'oras',
    marks: (marks, graph) => [
      marks.layoutText === '{"imageLayoutVersion":"1.0.0"}' && 'oci-layout without a space',
      listsTwice(marks, graph) && 'index.json lists what an index in it lists',
    ],
  },
  {
    id: 'specification-types-oci',
    name: 'skopeo or podman (oci:, oci-archive:), oras or regctl',
    marks: marks => [
      isPlain(marks) && "an OCI layout as Go writes the specification's types, with no annotation but names",
    ],
  },
];

/** Marks of image layouts without files of Docker's. */
function layoutProducer(archive: ScannedArchive, graph: Linked) {
  const marks = graph.layout === 'oci-layout' ? layoutMarks(archive) : null;
  if (marks === null) return null;
  for (const trait of LAYOUT_TRAITS) {
    const found = trait.marks(marks, graph, archive);
    if (found.every(mark => mark !== false)) return producer(trait, found as string[]);
  }
  return null;
}

/** oras puts an index into index.json, and beside it the manifests that the index lists. */
function listsTwice({ entries }: LayoutMarks, { indexes }: Linked): boolean {
  const top = new Set(entries.map(entry => entry.digest));
  return indexes.some(
    ({ digest, manifests }) =>
      top.has(digest) && manifests.length > 0 && manifests.every(({ digestText }) => top.has(digestText)),
  );
}

type Linked = Omit<Graph, 'producer'>;

interface Trait {
  readonly id: ProducerId;
  readonly name: string;
  /** Every mark that was found; without marks there is no producer. */
  marks(archive: ScannedArchive, graph: Linked): readonly (string | false)[];
}

/**
 * The tools that write archives. The producer is the first trait all of whose marks are present, so the specific come
 * before the general. docs/formats.md describes how each is recognised.
 */
const TRAITS: readonly Trait[] = [
  {
    id: 'docker-save-1.9',
    name: 'docker save 1.9 or older',
    marks: (archive, { layout, images }) => [
      layout === 'docker-v1' && images.length > 0 && 'v1 images without a manifest.json',
      (archive.has('repositories') && 'repositories') || 'no names',
    ],
  },
  {
    id: 'containers-image-dir',
    name: 'skopeo or podman (dir:)',
    marks: (archive, { layout }) => [
      layout === 'skopeo-dir' && 'manifest.json is a registry manifest',
      archive.has('version') && 'a file called version',
    ],
  },
  {
    id: 'containerify',
    name: 'containerify',
    marks: (_, { docker }) => [
      docker?.some(item => item.oddKeys.some(({ keys }) => keys.includes('config'))) === true &&
        'manifest.json with lower-case keys',
    ],
  },
  {
    id: 'regctl',
    name: 'regctl image export',
    marks: (_, graph) => [
      graph.layout === 'docker-hybrid' && 'manifest.json beside index.json',
      sourcesByBlob(graph) && 'LayerSources keyed by blob digest',
    ],
  },
  {
    id: 'docker-save-25',
    name: 'docker save 25 to 28 (graph driver store)',
    marks: (archive, graph) => [
      graph.layout === 'docker-hybrid' && 'manifest.json beside index.json',
      (archive.has('repositories') && 'repositories') ||
        (everyItem(graph.docker, item => item.repoTags.length === 0) && 'no tags'),
      (graph.docker?.some(item => item.layerSources.size > 0) === true && 'LayerSources') ||
        (everyItem(graph.docker, item => item.layers.length === 0) && 'no layers'),
    ],
  },
  {
    id: 'containerd-docker',
    name: 'docker save with the containerd store (default in 29), buildx type=docker, nerdctl save or ctr images export',
    marks: (archive, graph) => [
      graph.layout === 'docker-hybrid' && 'manifest.json beside index.json',
      everyItem(graph.docker, item => item.layerSources.size === 0) && 'no LayerSources',
      (namedByContainerd(archive) && 'io.containerd.image.name') ||
        (everyItem(graph.docker, item => item.repoTags.length === 0) && 'no tags'),
    ],
  },
  {
    id: 'rules-oci',
    name: 'rules_oci (format = docker)',
    marks: (_, { docker, layout }) => [
      layout === 'docker-archive' && 'no index.json',
      everyLayer(docker, /^blobs\/sha256\/[0-9a-f]{64}\.tar(\.\w+)?$/) && 'layers blobs/sha256/<hex>.tar.gz',
    ],
  },
  {
    id: 'go-containerregistry-docker',
    name: 'go-containerregistry: crane, ko, kaniko, apko or rules_docker',
    marks: (_, { docker }) => [
      everyItem(docker, item => item.config?.startsWith('sha256:') === true) && 'config named sha256:<hex>',
    ],
  },
  {
    id: 'jib',
    name: 'jib',
    marks: (_, { docker }) => [
      everyItem(docker, item => item.config === 'config.json') && 'config.json',
      everyLayer(docker, /^[0-9a-f]{64}\.tar\.gz$/) && 'layers <hex>.tar.gz',
    ],
  },
  {
    id: 'containers-image-docker',
    name: 'podman save or skopeo (docker-archive:)',
    marks: (archive, { docker }) => [
      everyLayer(docker, /^[0-9a-f]{64}\.tar$/) && 'layers <diff_id>.tar',
      archive.scan.members.some(
        m => m.type === 'symlink' && /^\.\.\/[0-9a-f]{64}\.tar$/.test(m.target ?? ''),
      ) && 'legacy layer.tar links to them',
    ],
  },
  {
    id: 'rules-docker',
    name: 'rules_docker (Bazel)',
    marks: (archive, { docker, images, root }) => [
      everyLayer(docker, /^[0-9a-f]{64}\/layer\.tar$/) && 'layers <checksum>/layer.tar',
      images.every(image => image.config?.parsed?.created?.startsWith('1970-01-01T00:00:00') === true) &&
        'created at the epoch',
      images.some(image => v1Folders(archive.scan, root, image).some(f => f.computed !== f.folder)) &&
        "folders that are not Docker's v1 IDs",
    ],
  },
  {
    id: 'go-containerregistry-legacy',
    name: 'go-containerregistry: crane pull --format=legacy',
    marks: (archive, { docker, layout }) => [
      layout === 'docker-archive' && 'no index.json',
      everyLayer(docker, /^[0-9a-f]{64}\/layer\.tar$/) && 'layers <v1 ID>/layer.tar',
      topV1Rootfs(archive, docker) && 'an empty rootfs in their v1 JSON',
    ],
  },
  {
    id: 'docker-save-1.10',
    name: 'docker save 1.10 to 24',
    marks: (archive, { docker, layout }) => [
      layout === 'docker-archive' && 'no index.json',
      everyLayer(docker, /^[0-9a-f]{64}\/layer\.tar$/) && 'layers <v1 ID>/layer.tar',
      topV1Files(archive, docker) && 'VERSION and json beside them',
    ],
  },
  {
    id: 'nix',
    name: 'nix dockerTools',
    marks: (archive, { docker, images }) => [
      everyLayer(docker, /^[0-9a-f]{64}\/layer\.tar$/) && 'layers <checksum>/layer.tar',
      !topV1Files(archive, docker) && 'no VERSION or json beside them',
      everyItem(docker, item => /^[0-9a-z]+\.json$/.test(item.config ?? '')) && 'config <hash>.json',
      images.every(image =>
        /^\{\s*\n/.test(Buffer.from(image.config?.document?.bytes?.subarray(0, 8) ?? []).toString()),
      ) && 'indented config',
    ],
  },
];

/**
 * The tool that most probably wrote an archive. Content that is copied with an image is no evidence: its history and
 * its attestations are the same in every copy.
 */
export function detectProducer(archive: ScannedArchive, graph: Linked): Producer | null {
  for (const trait of TRAITS) {
    const marks = trait.marks(archive, graph);
    if (marks.every(mark => mark !== false)) return producer(trait, marks as string[]);
  }
  return layoutProducer(archive, graph);
}

const producer = ({ id, name }: Trait | LayoutTrait, marks: string[]): Producer => ({ id, name, marks });

function everyItem(docker: Graph['docker'], holds: (item: DockerManifestItem) => boolean): boolean {
  return docker !== null && docker.length > 0 && docker.every(holds);
}

function everyLayer(docker: Graph['docker'], pattern: RegExp): boolean {
  const layers = docker?.flatMap(item => item.layers) ?? [];
  return layers.length > 0 && layers.every(layer => pattern.test(layer));
}

function topV1Files(archive: ScannedArchive, docker: Graph['docker']): boolean {
  const folder = docker?.[0]?.layers.at(-1)?.split('/')[0];
  return folder !== undefined && archive.has(`${folder}/VERSION`) && archive.has(`${folder}/json`);
}

function sourcesByBlob(graph: Linked): boolean {
  const keys = new Set(graph.docker?.flatMap(item => [...item.layerSources.keys()]));
  const diffIds = new Set(graph.images.flatMap(image => image.layers.map(layer => layer.claimedDiffId)));
  return keys.size > 0 && [...keys].every(key => !diffIds.has(key));
}

/** go-containerregistry writes its own type for configs, whose rootfs Docker takes out. */
function topV1Rootfs(archive: ScannedArchive, docker: Graph['docker']): boolean {
  const folder = docker?.[0]?.layers[0]?.split('/')[0];
  const json = folder === undefined ? null : archive.scan.file(archive.path(`${folder}/json`));
  const value = json === null ? undefined : archive.scan.document(json).value;
  const rootfs = isObject(value) ? own(value, 'rootfs') : undefined;
  return isObject(rootfs) && own(rootfs, 'type') === '' && own(rootfs, 'diff_ids') === null;
}

function namedByContainerd(archive: ScannedArchive): boolean {
  const marks = layoutMarks(archive);
  return marks !== null && hasAnnotation(marks, 'io.containerd.image.name');
}
