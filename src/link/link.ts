import type { Limits } from '../limits.js';
import type { Scan } from '../scan/scan.js';
import { rootOf } from '../spec/markers.js';
import { isCut, ScannedArchive } from './archive.js';
import type { Graph } from './graph.js';
import { NOTHING_LINKED } from './layouts/layout.js';
import { detectLayout } from './layouts/registry.js';
import { areDocumentsLost } from './observation.js';
import { detectProducer } from './producer.js';

/**
 * Links the documents of a scanned archive into a graph. Its only side effect is to ask the scan for documents.
 * @param deadline  time after which no more images are read, on the clock of `containers/deadline.ts`
 * @returns null when nothing in the archive marks an image
 */
export function link(scan: Scan, limits: Limits, deadline = Number.POSITIVE_INFINITY): Graph | null {
  const root = rootOf(scan.members.filter(m => m.type !== 'directory').map(m => m.path));
  if (root === null) return looksCut(scan) ? remains(scan, limits) : null;
  const archive = new ScannedArchive(scan, root, limits, deadline);
  if (root !== '') archive.observe('nested-root', { path: root, pointer: null }, { root });
  const layout = detectLayout(archive);
  const linked = layout.link(archive);
  const graph = {
    layout: layout.name,
    root,
    ...linked,
    claims: archive.claims,
    referenced: archive.referenced,
    leftovers: archive.leftovers,
    observations: archive.observations,
    limits,
  };
  // An archive without its documents would be attributed to the wrong producer.
  const isLost = areDocumentsLost(archive.observations);
  return { ...graph, producer: isLost ? null : detectProducer(archive, graph) };
}

const BLOB = /^([^/]+\/)?blobs\/sha256\/[0-9a-f]{64}|^[0-9a-f]{64}(\.json|\.tar|\/)|^sha256:[0-9a-f]{64}$/;

/** Whether a cut archive has blobs of an image, whose documents would have followed the cut. */
const looksCut = (scan: Scan) => isCut(scan) && scan.members.some(member => BLOB.test(member.path));

/** The graph of an archive whose documents are lost: observations and no images. */
function remains(scan: Scan, limits: Limits): Graph {
  const archive = new ScannedArchive(scan, '', limits);
  archive.observeLostDocuments();
  const layout = scan.members.some(m => m.path.startsWith('blobs/')) ? 'oci-layout' : 'docker-archive';
  const { claims, referenced, leftovers, observations } = archive;
  const found = { claims, referenced, leftovers, observations };
  return { layout, root: '', ...NOTHING_LINKED, producer: null, ...found, limits };
}
