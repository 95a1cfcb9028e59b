import type { Limits } from '../limits.js';
import type { Scan } from '../scan/scan.js';
import { blobPath, splitDigest } from '../spec/digest.js';
import { type FieldProblem, Fields, goField, isObject } from '../spec/json.js';

import { rootOf, V1_JSON } from '../spec/markers.js';
import { normalName } from '../spec/reference.js';
import { Archive } from './archive.js';
import { classify } from './classify.js';
import type { Graph, Layout } from './graph.js';
import { compareRepositories, linkDocker } from './layouts/docker-archive.js';
import { linkV1 } from './layouts/docker-v1.js';
import { merge } from './layouts/hybrid.js';
import { ManifestWalk } from './manifests.js';
import { CONTAINERD_NAME, isAttached, refName } from './names.js';
import { detectProducer } from './producer.js';
import { linkReferrers } from './referrers.js';

/**
 * Links the JSON of a scanned archive into a graph. Pure but for the documents it asks the scan for.
 * @param deadline  when no more images are looked at, on the clock of `source/deadline.ts`
 * @returns null when nothing in the archive marks an image
 */
export function link(scan: Scan, limits: Limits, deadline = Number.POSITIVE_INFINITY): Graph | null {
  const root = rootOf(scan.members.filter(m => m.type !== 'directory').map(m => m.path));
  if (root === null) return looksCut(scan) ? remains(scan, limits) : null;
  const archive = new Archive(scan, root, limits, deadline);
  if (root !== '') archive.observe('nested-root', { path: root, pointer: null }, { root });
  const linked = linkLayout(archive);
  const layout = layoutOf(archive);
  const graph = {
    layout,
    root,
    ...linked,
    claims: archive.claims,
    referenced: archive.referenced,
    leftovers: archive.leftovers,
    observations: archive.observations,
    limits,
  };
  // Half an archive bears the marks of another producer.
  const lost = archive.observations.some(o => o.code === 'documents-missing');
  return { ...graph, producer: lost ? null : detectProducer(archive, graph) };
}

const isCut = ({ problems }: Scan) =>
  problems.some(p =>
    ['tar-truncated', 'tar-header', 'outer-compression', 'end-marker-missing'].includes(p.kind),
  );

const BLOB = /^([^/]+\/)?blobs\/sha256\/[0-9a-f]{64}|^[0-9a-f]{64}(\.json|\.tar|\/)|^sha256:[0-9a-f]{64}$/;

/** An image archive whose documents were to come after the cut. */
const looksCut = (scan: Scan) => isCut(scan) && scan.members.some(member => BLOB.test(member.path));

/** What is left of an archive whose documents are lost: a report with findings, and no images. */
function remains(scan: Scan, limits: Limits): Graph {
  const archive = new Archive(scan, '', limits);
  observeLost(archive);
  const layout = scan.members.some(m => m.path.startsWith('blobs/')) ? 'oci-layout' : 'docker-archive';
  const { claims, referenced, leftovers, observations } = archive;
  const nothing = { images: [], artifacts: [], indexes: [], absent: [], docker: null, producer: null };
  return { layout, root: '', ...nothing, claims, referenced, leftovers, observations, limits };
}

function observeLost(archive: Archive): void {
  const files = archive.scan.members.filter(member => member.type === 'file').length;
  archive.observe('documents-missing', { path: '', pointer: null }, { files });
}

type Linked = Pick<Graph, 'images' | 'artifacts' | 'indexes' | 'absent' | 'docker'>;

function linkLayout(archive: Archive): Linked {
  const nothing: Linked = { images: [], artifacts: [], indexes: [], absent: [], docker: null };
  if (isSkopeoDir(archive)) return { ...nothing, ...linkSkopeoDir(archive) };
  const oci = archive.has('index.json') || archive.has('oci-layout') ? linkOci(archive) : null;
  const docker = archive.has('manifest.json') ? linkDocker(archive) : null;
  if (docker !== null) compareRepositories(archive, docker.images);
  if (oci === null && docker === null) {
    // docker save 1.10 to 24 writes v1 files too, and its manifest.json after them.
    if (!archive.has('repositories') && isCut(archive.scan)) observeLost(archive);
    return { ...nothing, images: linkV1(archive) };
  }
  if (oci === null) {
    const v1 = docker!.images.length === 0 && docker!.items.length === 0 && hasV1(archive);
    return { ...nothing, images: v1 ? linkV1(archive) : docker!.images, docker: docker!.items };
  }
  if (docker === null) return { ...nothing, ...oci };
  return { ...oci, images: merge(archive, docker.images, oci.images), docker: docker.items };
}

function layoutOf(archive: Archive): Layout {
  if (isSkopeoDir(archive)) return 'skopeo-dir';
  const oci = archive.has('index.json') || archive.has('oci-layout');
  if (archive.has('manifest.json')) return oci ? 'docker-hybrid' : 'docker-archive';
  return oci ? 'oci-layout' : 'docker-v1';
}

const hasV1 = (archive: Archive) =>
  archive.scan.members.some(m => V1_JSON.test(m.path.slice(archive.root.length)));

/** skopeo's dir: its manifest.json is a registry's manifest, an object, where docker save has an array. */
function isSkopeoDir(archive: Archive): boolean {
  if (archive.has('index.json') || archive.has('oci-layout')) return false;
  const member = archive.file('manifest.json');
  return member !== null && isObject(archive.document(member).value);
}

function linkOci(archive: Archive): Omit<Linked, 'docker'> {
  checkLayoutFile(archive);
  const walk = new ManifestWalk(archive, blobPath);
  const member = archive.file('index.json');
  if (member === null) {
    archive.observe('index-missing', { path: archive.path('index.json'), pointer: null }, {});
  } else {
    const value = archive.json(member);
    if (value !== undefined) checkRefNames(archive, member.path, walk.index(value, member.path, [], []));
  }
  linkReferrers(archive, walk);
  const { images, artifacts } = classify(archive, walk, blobPath);
  return { images, artifacts, indexes: walk.indexes, absent: walk.absent };
}

/** `imageLayoutVersion` MUST be present and 1.0.0. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file */
function checkLayoutFile(archive: Archive): void {
  const member = archive.file('oci-layout');
  const at = { path: archive.path('oci-layout'), pointer: null };
  if (member === null) {
    archive.observe('layout-file-missing', at, {});
    return;
  }
  const value = archive.json(member);
  if (value === undefined) return;
  const problems: FieldProblem[] = [];
  const fields = Fields.of(value, '', problems);
  fields?.checkCase(['imageLayoutVersion']);
  archive.fieldProblems(member.path, problems);
  const actual = fields?.string('imageLayoutVersion') ?? null;
  if (actual !== '1.0.0') {
    archive.observe(
      'layout-version',
      { ...at, pointer: '/imageLayoutVersion' },
      { expected: '1.0.0', actual },
    );
  }
}

/**
 * A name that stands for two things means one of them to each reader: skopeo takes the first, in containerd the last keeps it.
 * What is attached to an image has that one's name.
 */
function checkRefNames(archive: Archive, path: string, descriptors: ReturnType<ManifestWalk['index']>): void {
  const seen = new Map<
    string,
    { readonly name: string; readonly platform: string; readonly digests: Set<string> }
  >();
  for (const descriptor of descriptors.filter(d => !isAttached(d))) {
    // Docker's hybrid repeats a bare tag for every repository; there the containerd name tells them apart.
    const name = descriptor.annotations.get(CONTAINERD_NAME) ?? refName(descriptor);
    if (name === null) continue;
    const platform = JSON.stringify(descriptor.platform);
    const key = normalName(name);
    const before = seen.get(key) ?? { name, platform, digests: new Set([descriptor.digestText]) };
    const isRepeated = seen.has(key) && before.platform === platform;
    if (isRepeated) archive.observe('name-duplicate', { path, pointer: descriptor.pointer }, { name });
    else before.digests.add(descriptor.digestText);
    seen.set(key, before);
  }
  for (const { name, digests } of seen.values()) {
    if (digests.size > 1)
      archive.observe('name-ambiguous', { path, pointer: '' }, { name, images: [...digests] });
  }
}

function linkSkopeoDir(archive: Archive): Omit<Linked, 'docker'> {
  const locate = (digest: string, manifest: boolean): string => {
    const [, hex] = splitDigest(digest);
    if (manifest) return `${hex}.manifest.json`;
    return !archive.has(hex) && archive.has(`${hex}.tar`) ? `${hex}.tar` : hex;
  };
  const walk = new ManifestWalk(archive, locate);
  const member = archive.file('manifest.json')!;
  const value = archive.json(member)!;
  if (isObject(value) && Array.isArray(goField(value, 'manifests'))) walk.index(value, member.path, [], []);
  else walk.root(member, value);
  for (const name of ['version', ...signatures(archive)]) archive.file(name);
  const { images, artifacts } = classify(archive, walk, locate);
  return { images, artifacts, indexes: walk.indexes, absent: walk.absent };
}

function signatures(archive: Archive): string[] {
  return archive.scan.members
    .map(m => m.path.slice(archive.root.length))
    .filter(path => /^signature-\d+$/.test(path));
}
