import type { Graph, Image } from '../image/graph.js';
import { memberAt, type Observation, observe } from '../image/observation.js';
import { v1Folders } from '../image/v1-ids.js';
import type { Scan } from '../scan/scan.js';
import { isObject, own } from '../spec/json.js';
import { V1_JSON } from '../spec/markers.js';
import { byPath } from './check.js';

/** v1 layer IDs, where an archive has them: does each folder hold what its name, its JSON and the chain say? */
export function* checkV1Ids(scan: Scan, graph: Graph): Generator<Observation> {
  if (graph.layout !== 'docker-v1') yield* checkReadable(scan, graph);
  for (const image of graph.images) {
    if (image.kind === 'v1') yield* checkNamedAlike(scan, graph, image);
    else if (graph.layout === 'docker-archive') yield* checkComputed(scan, graph, image);
  }
}

/** Nothing reads them any more, but what cannot be read at all was damaged. Where they are all there is, linking says it. */
function* checkReadable(scan: Scan, { root }: Graph): Generator<Observation> {
  for (const { path } of byPath(scan.members)) {
    const file = V1_JSON.test(path.slice(root.length)) ? scan.file(path) : null;
    const error = file === null ? null : scan.document(file).error;
    if (error?.kind === 'not-json') yield observe('json-invalid', memberAt(path), { reason: error.reason });
    if (error?.kind === 'limit') {
      const { limit, value, actual } = error;
      yield observe('limit-reached', memberAt(path), { limit, value, seen: actual });
    }
  }
}

/** Before Docker 1.10 IDs were drawn by lot: all that can be said is that folder and JSON agree. */
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
  // Bazel's rules and others name the folders by digests of their own; only Docker's can be computed.
  const byDocker = graph.producer?.name.startsWith('docker save') === true;
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
