import type { Archive } from './archive.js';
import type { Graph } from './graph.js';
import {
  annotationStarts,
  hasAnnotation,
  isCompact,
  isContainersText,
  isEncoded,
  isGgcr,
  isPlain,
  type LayoutMarks,
  layoutMarks,
} from './layout-marks.js';

type Linked = Omit<Graph, 'producer'>;

/** Who writes image layouts, the particular before the general. */
interface LayoutTrait {
  readonly name: string;
  marks(marks: LayoutMarks, graph: Linked, archive: Archive): readonly (string | false)[];
}

const CREATED = 'org.opencontainers.image.created';
const CACHE_CONFIG = 'application/vnd.buildkit.cacheconfig.v0';

const TRAITS: readonly LayoutTrait[] = [
  {
    name: 'cosign save',
    marks: marks => [
      annotationStarts(marks, 'kind', 'dev.cosignproject.cosign/') &&
        'entries of kind dev.cosignproject.cosign',
    ],
  },
  {
    name: 'hauler store save',
    marks: marks => [annotationStarts(marks, 'kind', 'dev.hauler/') && 'entries of kind dev.hauler'],
  },
  {
    name: 'apko',
    marks: (_, __, { scan, root }) => [
      scan.members.some(m => /^sboms\/sbom-.*\.spdx\.json$/.test(m.path.slice(root.length))) &&
        'SBOMs beside the layout',
    ],
  },
  {
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
    name: 'BuildKit (--cache-to type=local)',
    marks: (_, { artifacts, images, indexes }) => [
      images.length === 0 && 'no images',
      (artifacts.some(a => a.artifactType === CACHE_CONFIG) ||
        indexes.some(index => index.manifests.some(d => d.mediaType === CACHE_CONFIG))) &&
        CACHE_CONFIG,
    ],
  },
  {
    name: 'buildx or BuildKit (type=oci)',
    marks: marks => [
      isCompact(marks) && 'index.json as Go writes it',
      hasAnnotation(marks, CREATED) && `${CREATED} in index.json`,
    ],
  },
  {
    name: 'containerd: ctr images export, nerdctl or BuildKit (type=oci)',
    marks: marks => [
      isCompact(marks) && 'index.json as Go writes it',
      hasAnnotation(marks, 'io.containerd.image.name') && 'io.containerd.image.name',
    ],
  },
  {
    name: 'go-containerregistry: crane, ko, kaniko, pack or rules_docker',
    marks: marks => [isGgcr(marks) && 'oci-layout indented by four spaces'],
  },
  {
    name: 'umoci',
    marks: marks => [isEncoded(marks) && 'a newline at the end of index.json and oci-layout'],
  },
  {
    name: 'skopeo or podman (oci:, oci-archive:)',
    marks: marks => [isContainersText(marks) && 'a space in oci-layout and none in index.json'],
  },
  {
    name: 'oras',
    marks: (marks, graph) => [
      marks.layoutText === '{"imageLayoutVersion":"1.0.0"}' && 'oci-layout without a space',
      listsTwice(marks, graph) && 'index.json lists what an index in it lists',
    ],
  },
  {
    name: 'skopeo or podman (oci:, oci-archive:), oras or regctl',
    marks: marks => [
      isPlain(marks) && "an OCI layout as Go writes the specification's types, with no annotation but names",
    ],
  },
];

/** Those of image layouts that have nothing of Docker's in them. */
export function layoutProducer(archive: Archive, graph: Linked) {
  const marks = graph.layout === 'oci-layout' ? layoutMarks(archive) : null;
  if (marks === null) return null;
  for (const trait of TRAITS) {
    const found = trait.marks(marks, graph, archive);
    if (found.every(mark => mark !== false)) return { name: trait.name, marks: found as string[] };
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
