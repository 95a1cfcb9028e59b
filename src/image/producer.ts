import type { DockerManifestItem } from '../spec/docker-archive.js';
import { isObject, own } from '../spec/json.js';
import type { Archive } from './archive.js';
import type { Graph, Producer } from './graph.js';
import { hasAnnotation, layoutMarks } from './layout-marks.js';
import { layoutProducer } from './layout-producers.js';
import { v1Folders } from './v1-ids.js';

type Linked = Omit<Graph, 'producer'>;

interface Trait {
  readonly name: string;
  /** Every mark that was found; no mark, no producer. */
  marks(archive: Archive, graph: Linked): readonly (string | false)[];
}

/**
 * Who most probably wrote an archive: the first trait all of whose marks are there. Order matters: the particular
 * before the general. How each is known stands in docs/formats.md.
 */
const TRAITS: readonly Trait[] = [
  {
    name: 'docker save 1.9 or older',
    marks: (archive, { layout, images }) => [
      layout === 'docker-v1' && images.length > 0 && 'v1 images without a manifest.json',
      (archive.has('repositories') && 'repositories') || 'no names',
    ],
  },
  {
    name: 'skopeo or podman (dir:)',
    marks: (archive, { layout }) => [
      layout === 'skopeo-dir' && 'manifest.json is a registry manifest',
      archive.has('version') && 'a file called version',
    ],
  },
  {
    name: 'containerify',
    marks: (_, { docker }) => [
      docker?.some(item => item.oddKeys.some(({ keys }) => keys.includes('config'))) === true &&
        'manifest.json with lower-case keys',
    ],
  },
  {
    name: 'regctl image export',
    marks: (_, graph) => [
      graph.layout === 'docker-hybrid' && 'manifest.json beside index.json',
      sourcesByBlob(graph) && 'LayerSources keyed by blob digest',
    ],
  },
  {
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
    name: 'docker save with the containerd store (default in 29), buildx type=docker, nerdctl save or ctr images export',
    marks: (archive, graph) => [
      graph.layout === 'docker-hybrid' && 'manifest.json beside index.json',
      everyItem(graph.docker, item => item.layerSources.size === 0) && 'no LayerSources',
      (namedByContainerd(archive) && 'io.containerd.image.name') ||
        (everyItem(graph.docker, item => item.repoTags.length === 0) && 'no tags'),
    ],
  },
  {
    name: 'rules_oci (format = docker)',
    marks: (_, { docker, layout }) => [
      layout === 'docker-archive' && 'no index.json',
      everyLayer(docker, /^blobs\/sha256\/[0-9a-f]{64}\.tar(\.\w+)?$/) && 'layers blobs/sha256/<hex>.tar.gz',
    ],
  },
  {
    name: 'go-containerregistry: crane, ko, kaniko, apko or rules_docker',
    marks: (_, { docker }) => [
      everyItem(docker, item => item.config?.startsWith('sha256:') === true) && 'config named sha256:<hex>',
    ],
  },
  {
    name: 'jib',
    marks: (_, { docker }) => [
      everyItem(docker, item => item.config === 'config.json') && 'config.json',
      everyLayer(docker, /^[0-9a-f]{64}\.tar\.gz$/) && 'layers <hex>.tar.gz',
    ],
  },
  {
    name: 'podman save or skopeo (docker-archive:)',
    marks: (archive, { docker }) => [
      everyLayer(docker, /^[0-9a-f]{64}\.tar$/) && 'layers <diff_id>.tar',
      archive.scan.members.some(
        m => m.type === 'symlink' && /^\.\.\/[0-9a-f]{64}\.tar$/.test(m.target ?? ''),
      ) && 'legacy layer.tar links to them',
    ],
  },
  {
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
    name: 'go-containerregistry: crane pull --format=legacy',
    marks: (archive, { docker, layout }) => [
      layout === 'docker-archive' && 'no index.json',
      everyLayer(docker, /^[0-9a-f]{64}\/layer\.tar$/) && 'layers <v1 ID>/layer.tar',
      topV1Rootfs(archive, docker) && 'an empty rootfs in their v1 JSON',
    ],
  },
  {
    name: 'docker save 1.10 to 24',
    marks: (archive, { docker, layout }) => [
      layout === 'docker-archive' && 'no index.json',
      everyLayer(docker, /^[0-9a-f]{64}\/layer\.tar$/) && 'layers <v1 ID>/layer.tar',
      topV1Files(archive, docker) && 'VERSION and json beside them',
    ],
  },
  {
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
 * Who most probably wrote an archive, of those who write like that. Nothing that travels with an image tells: its history and its
 * attestations are the same in every copy.
 */
export function detectProducer(archive: Archive, graph: Linked): Producer | null {
  for (const trait of TRAITS) {
    const marks = trait.marks(archive, graph);
    if (marks.every(mark => mark !== false)) return { name: trait.name, marks: marks as string[] };
  }
  return layoutProducer(archive, graph);
}

function everyItem(docker: Graph['docker'], holds: (item: DockerManifestItem) => boolean): boolean {
  return docker !== null && docker.length > 0 && docker.every(holds);
}

function everyLayer(docker: Graph['docker'], pattern: RegExp): boolean {
  const layers = docker?.flatMap(item => item.layers) ?? [];
  return layers.length > 0 && layers.every(layer => pattern.test(layer));
}

function topV1Files(archive: Archive, docker: Graph['docker']): boolean {
  const folder = docker?.[0]?.layers.at(-1)?.split('/')[0];
  return folder !== undefined && archive.has(`${folder}/VERSION`) && archive.has(`${folder}/json`);
}

function sourcesByBlob(graph: Linked): boolean {
  const keys = new Set(graph.docker?.flatMap(item => [...item.layerSources.keys()]));
  const diffIds = new Set(graph.images.flatMap(image => image.layers.map(layer => layer.claimedDiffId)));
  return keys.size > 0 && [...keys].every(key => !diffIds.has(key));
}

/** go-containerregistry writes its own type for configs, whose rootfs Docker takes out. */
function topV1Rootfs(archive: Archive, docker: Graph['docker']): boolean {
  const folder = docker?.[0]?.layers[0]?.split('/')[0];
  const json = folder === undefined ? null : archive.scan.file(archive.path(`${folder}/json`));
  const value = json === null ? undefined : archive.scan.document(json).value;
  const rootfs = isObject(value) ? own(value, 'rootfs') : undefined;
  return isObject(rootfs) && own(rootfs, 'type') === '' && own(rootfs, 'diff_ids') === null;
}

function namedByContainerd(archive: Archive): boolean {
  const marks = layoutMarks(archive);
  return marks !== null && hasAnnotation(marks, 'io.containerd.image.name');
}
