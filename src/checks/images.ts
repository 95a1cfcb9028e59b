import type { Member } from '../containers/source.js';
import { CONFIG_BYTES, MANIFEST_JSON_BYTES } from '../engines/tar-file.js';
import type { Graph, Image } from '../link/graph.js';
import { v1Folders } from '../link/layouts/docker-v1.js';
import { type FindingData, memberAt, type Observation, observe } from '../link/observation.js';
import { notJsonText } from '../scan/blob/document.js';
import type { Scan } from '../scan/scan.js';
import { layerHistory } from '../spec/config.js';
import { isObject, own } from '../spec/json.js';
import { V1_JSON } from '../spec/markers.js';
import { brokenLinkAt } from './container.js';
import { byPath, type CheckOptions } from './rule.js';

/** Images as a whole: the config is present, counts agree, and names are the digests that they claim to be. */
export function* checkImages(scan: Scan, graph: Graph, options: CheckOptions): Generator<Observation> {
  const missing = (path: string) => ({ ref: path, target: brokenLinkAt(scan, graph.root, path) });
  for (const image of graph.images) yield* checkImage(image, missing);
  for (const artifact of [...graph.images.flatMap(i => i.attestations), ...graph.artifacts]) {
    const { config } = artifact;
    if (config !== null && config.member === null)
      yield observe('config-missing', config.at, missing(config.path));
  }
  for (const image of graph.images) yield* checkUrls(image);
  yield* checkSizes(scan, graph);
  yield* checkPresence(graph, options);
}

/**
 * An archive without images or artifacts. Manifests that an index lists and the archive lacks are reported elsewhere.
 */
function* checkPresence(graph: Graph, { requireImage }: CheckOptions): Generator<Observation> {
  const { images, artifacts, absent, root } = graph;
  if (images.length > 0) return;
  const at = memberAt(root.slice(0, -1));
  if (artifacts.length === 0 && absent.length === 0) yield observe('no-image', at, {});
  if (artifacts.length > 0)
    yield observe('artifacts-only', at, { artifacts: artifacts.length }, requireImage ? 'error' : undefined);
}

/** containers/image goes to the network for a blob with URLs, whether or not the archive holds it. */
function* checkUrls({ manifest, layers }: Image): Generator<Observation> {
  if (manifest === null) return;
  const { config, layers: descriptors } = manifest.parsed;
  const held = descriptors.filter((_, i) => layers[i]?.member != null);
  for (const { digestText, pointer, urls } of config === null ? held : [config, ...held]) {
    const fetched = urls.filter(url => /^https?:/i.test(url));
    const at = { path: manifest.path, pointer: `${pointer}/urls` };
    if (fetched.length > 0) yield observe('blob-fetched', at, { digest: digestText, urls: fetched });
  }
}

/** Documents that are larger than engines read into memory. */
function* checkSizes(scan: Scan, { images, root }: Graph): Generator<Observation> {
  const large = (member: Member | null, most: number) =>
    member === null || member.size <= most
      ? []
      : [observe('document-oversize', memberAt(member.path), { size: member.size, most, engines: ENGINES })];
  yield* large(scan.file(`${root}manifest.json`), MANIFEST_JSON_BYTES);
  for (const config of new Set(images.map(image => image.config?.member ?? null)))
    yield* large(config, CONFIG_BYTES);
}

const ENGINES = ['podman', 'skopeo'];

function* checkImage(
  image: Image,
  missing: (path: string) => FindingData['config-missing'],
): Generator<Observation> {
  const { config, layers } = image;
  if (config === null) {
    yield observe('config-missing', image.at, { ref: '(none named)', target: null });
    return;
  }
  if (config.member === null) {
    if (image.kind === 'image') yield observe('config-missing', config.at, missing(config.path));
    return;
  }
  if (image.kind === 'v1' || config.parsed === null) return;
  const at = memberAt(config.path);
  const { diffIds, history } = config.parsed;
  if (diffIds === null || diffIds.length === 0) {
    if (layers.length > 0) yield observe('diff-ids-missing', { ...at, pointer: '/rootfs/diff_ids' }, {});
    if (diffIds === null) return;
  }
  if (diffIds.length > 0 && diffIds.length !== layers.length) {
    yield observe('layer-count-mismatch', image.at, { layers: layers.length, diffIds: diffIds.length });
  }
  const made = layerHistory(config.parsed).length;
  if (history.length > 0 && made !== layers.length) {
    yield observe(
      'history-count-mismatch',
      { ...at, pointer: '/history' },
      { layers: layers.length, history: made },
    );
  }
  yield* checkConfigName(image);
  yield* checkConfigDescriptor(image);
}

/**
 * `<hex>.json` and `sha256:<hex>` are the image ID by habit; `blobs/<alg>/<hex>` by promise, which is checked
 * elsewhere.
 */
function* checkConfigName(image: Image): Generator<Observation> {
  const ref = image.docker?.config ?? '';
  const hex = ref.startsWith('blobs/') ? undefined : /(?:^|[/:])([0-9a-f]{64})(?:\.json)?$/.exec(ref)?.[1];
  const digest = image.config?.document?.digest ?? null;
  if (hex === undefined || digest === null || digest === `sha256:${hex}`) return;
  yield observe('config-name-mismatch', memberAt(image.config!.path), {
    expected: `sha256:${hex}`,
    actual: digest,
  });
}

/** Docker before 26.1 put the platform into the config's descriptor, which some registries refuse. */
function* checkConfigDescriptor(image: Image): Generator<Observation> {
  if (image.manifest?.parsed.config?.platform == null) return;
  yield observe(
    'producer-bug',
    { path: image.manifest.path, pointer: '/config/platform' },
    {
      bug: 'platform-in-config-descriptor',
      producer: 'docker save before 26.1',
      detail: 'the config descriptor carries a platform, for which ECR refuses the image',
    },
  );
}

/** v1 layer IDs, where an archive has them: does each folder hold what its name, its JSON and the chain say? */
export function* checkV1Ids(scan: Scan, graph: Graph): Generator<Observation> {
  if (graph.layout !== 'docker-v1') yield* checkReadable(scan, graph);
  for (const image of graph.images) {
    if (image.kind === 'v1') yield* checkNamedAlike(scan, graph, image);
    else if (graph.layout === 'docker-archive') yield* checkComputed(scan, graph, image);
  }
}

/**
 * v1 JSON is no longer read by engines, but JSON that does not parse shows damage. In the v1 layout, linking reports
 * it.
 */
function* checkReadable(scan: Scan, { root }: Graph): Generator<Observation> {
  for (const { path } of byPath(scan.members)) {
    const file = V1_JSON.test(path.slice(root.length)) ? scan.file(path) : null;
    const error = file === null ? null : scan.document(file).error;
    if (error?.kind === 'not-json')
      yield observe('json-invalid', memberAt(path), { reason: notJsonText(error) });
    if (error?.kind === 'limit') {
      const { limit, value, actual } = error;
      yield observe('limit-reached', memberAt(path), { limit, value, seen: actual });
    }
  }
}

/** Before Docker 1.10 IDs were random: only the folder and its JSON can be compared. */
function* checkNamedAlike(scan: Scan, graph: Graph, image: Image): Generator<Observation> {
  for (const [i, { v1Id }] of image.layers.entries()) {
    const file = v1Id === null ? null : scan.file(`${graph.root}${v1Id}/json`);
    const value = file === null ? undefined : scan.document(file).value;
    const actual = isObject(value) ? own(value, 'id') : undefined;
    if (v1Id === null || typeof actual !== 'string' || actual === v1Id) continue;
    yield observe(
      'v1-id-mismatch',
      { path: file!.path, pointer: '/id' },
      { layer: i, expected: v1Id, actual },
    );
  }
}

function* checkComputed(scan: Scan, graph: Graph, image: Image): Generator<Observation> {
  // Bazel's rules and others name the folders by digests of their own; only those of Docker 1.10 to 24 can be computed.
  const byDocker = graph.producer?.id === 'docker-save-1.10';
  for (const { layer, json, folder, computed, claimedId, claimedParent, parent } of v1Folders(
    scan,
    graph.root,
    image,
  )) {
    const at = (pointer: string) => ({ path: json.path, pointer });
    if (claimedId !== null && claimedId !== folder) {
      yield observe('v1-id-mismatch', at('/id'), { layer, expected: folder, actual: claimedId });
    }
    if (claimedParent !== parent) {
      yield observe('v1-id-mismatch', at('/parent'), {
        layer,
        expected: parent ?? '(none)',
        actual: claimedParent ?? '(none)',
      });
    }
    if (!byDocker || computed === folder) continue;
    yield observe('v1-id-mismatch', memberAt(json.path), { layer, expected: folder, actual: computed });
    // Each ID is hashed into the next: the rest of the chain would only repeat the first mismatch.
    return;
  }
}
