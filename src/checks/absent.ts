import type { Graph, IndexNode, Location } from '../link/graph.js';
import { isAttestation, subjectOf } from '../link/manifests.js';
import { type FindingData, memberAt, type Observation, observe } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import type { Descriptor } from '../spec/descriptor.js';
import { fullPlatform, mayRunFor, type Platform } from '../spec/platform.js';
import { IndexOrder, type PlatformsHere } from './index-order.js';
import type { CheckOptions } from './rule.js';

type Required = CheckOptions['requireComplete'];

/**
 * Manifests that an index lists and the archive does not hold. `docker save` and `ctr export` keep an index whole and
 * save only the platforms that the machine had: all that such an index lacks is one note. Any other absent manifest is
 * an error of its own.
 */
export function* checkAbsent(_scan: Scan, graph: Graph, options: CheckOptions): Generator<Observation> {
  const { requireComplete } = options;
  const indexes = new Set(graph.indexes.map(index => index.path));
  for (const { digest, descriptors } of graph.absent)
    for (const { at } of descriptors)
      if (!indexes.has(at.path)) yield observe('manifest-missing', at, { digest });
  const here = new Map(
    graph.images.flatMap(i => (i.manifest === null ? [] : [[keyOf(i.manifest), i.platform]])),
  );
  const absent = new Set(graph.absent.map(({ digest }) => digest));
  const artifacts = new Set(graph.artifacts.map(keyOf));
  const configs = new Map(
    graph.images.map(({ manifest, config }) => [manifest && keyOf(manifest), config?.claimedDigest]),
  );
  for (const index of graph.indexes) {
    const order = new IndexOrder(index, here);
    yield* checkIndex(index, order, here, absent, requireComplete);
    yield* checkOrder(index, order, artifacts);
    yield* checkDivided(index, order, here, configs);
  }
  yield* checkRequired(graph, requireComplete);
}

const keyOf = ({ claimedDigest, digest }: { claimedDigest: string | null; digest: string | null }) =>
  claimedDigest ?? digest;

function* checkIndex(
  index: IndexNode,
  order: IndexOrder,
  here: PlatformsHere,
  absent: ReadonlySet<string>,
  required: Required,
): Generator<Observation> {
  const lacking = index.manifests.filter(({ digestText }) => absent.has(digestText));
  if (lacking.length === 0) return;
  const missing = new Set(missingOf(index, order, here, lacking));
  const place = (pointer: string | null): Location => ({ path: index.path, pointer });
  for (const { pointer, digestText } of missing)
    yield observe('manifest-missing', place(pointer), { digest: digestText });
  const left = lacking.filter(descriptor => !missing.has(descriptor));
  if (left.length === 0) return;
  const data = leftOut(index, here, left, required);
  const severity = data.required.length > 0 ? 'error' : undefined;
  yield observe('platform-absent', place('/manifests'), data, severity);
}

/**
 * Artifacts that engines take in place of an image. Hazard: the image is shown and compared with a lock, and no engine
 * gets it.
 */
function* checkOrder(
  index: IndexNode,
  order: IndexOrder,
  artifacts: ReadonlySet<string | null>,
): Generator<Observation> {
  const told = new Set<Descriptor>();
  for (const entry of index.manifests.filter(({ digestText }) => artifacts.has(digestText))) {
    const image = order.behind(entry);
    if (image === null || told.has(image)) continue;
    told.add(image);
    const platform = entry.platform === null ? null : fullPlatform(entry.platform);
    const data = { artifact: entry.digestText, image: image.digestText, platform };
    yield observe('artifact-before-image', { path: index.path, pointer: image.pointer }, data);
  }
}

/**
 * Images that podman and skopeo take for a platform, where other engines take another one.
 * @param configs  the digests of the images' configs, by those of their manifests
 */
function* checkDivided(
  index: IndexNode,
  order: IndexOrder,
  here: PlatformsHere,
  configs: ReadonlyMap<string | null, string | null | undefined>,
): Generator<Observation> {
  for (const [image, zstd] of order.divided()) {
    if (configs.get(image.digestText) === configs.get(zstd.digestText)) continue;
    const platform = fullPlatform(zstd.platform ?? here.get(zstd.digestText) ?? NO_PLATFORM);
    const data = { platform, image: image.digestText, zstd: zstd.digestText };
    yield observe('platform-ambiguous', { path: index.path, pointer: zstd.pointer }, data);
  }
}

/**
 * Absent manifests that no writer omits on purpose: all, where the index has no image here; else those without a
 * platform, and those that an engine takes before an image that is here, because they have the same platform and come
 * before it.
 */
function missingOf(
  index: IndexNode,
  order: IndexOrder,
  here: PlatformsHere,
  lacking: readonly Descriptor[],
): readonly Descriptor[] {
  if (!index.manifests.some(({ digestText }) => here.has(digestText))) return lacking;
  return lacking.filter(
    descriptor =>
      (descriptor.platform === null && !isAttestation(descriptor)) || order.behind(descriptor) !== null,
  );
}

/** The absent manifests of an index as data: the platforms, and separately the attestations. */
function leftOut(
  { manifests }: IndexNode,
  present: PlatformsHere,
  left: readonly Descriptor[],
  required: Required,
): FindingData['platform-absent'] {
  const text = ({ platform, digestText }: Descriptor) =>
    fullPlatform(platform ?? present.get(digestText) ?? NO_PLATFORM);
  const platforms = new Map(manifests.map(descriptor => [descriptor.digestText, text(descriptor)]));
  const here = manifests.filter(({ digestText }) => present.has(digestText)).map(text);
  const images = left.filter(descriptor => !isAttestation(descriptor));
  const attestations = left.filter(isAttestation).map(descriptor => {
    const subject = subjectOf(descriptor);
    const platform = subject === null ? null : (platforms.get(subject) ?? null);
    return { digest: descriptor.digestText, subject, platform };
  });
  const wanted = images.filter(({ platform }) => isRequired(platform, required)).map(text);
  const attested = required === true ? attestations.map(({ digest }) => digest) : [];
  return {
    here: [...new Set(here)],
    absent: images.map(descriptor => ({ digest: descriptor.digestText, platform: text(descriptor) })),
    attestations,
    required: [...new Set(wanted), ...attested],
  };
}

const NO_PLATFORM: Platform = { os: '', architecture: '', variant: null, osVersion: null };

function isRequired(platform: Platform | null, required: Required): boolean {
  if (typeof required === 'boolean') return required;
  return platform !== null && mayRunFor(platform, required);
}

/** A required platform that no image has and no index lists. */
function* checkRequired(graph: Graph, required: Required): Generator<Observation> {
  if (typeof required === 'boolean') return;
  const listed = graph.absent.flatMap(({ descriptors }) => descriptors.map(d => d.descriptor.platform));
  const all = [...graph.images.map(({ platform }) => platform), ...listed];
  if (all.some(platform => isRequired(platform, required))) return;
  const here = [...new Set(graph.images.map(({ platform }) => fullPlatform(platform ?? NO_PLATFORM)))];
  const data = { here, absent: [], attestations: [], required: [fullPlatform(required)] };
  yield observe('platform-absent', memberAt(`${graph.root}index.json`), data, 'error');
}
