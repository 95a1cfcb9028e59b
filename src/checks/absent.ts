import type { Graph, IndexNode, Location } from '../link/graph.js';
import { isAttestation, subjectOf } from '../link/manifests.js';
import { type FindingData, memberAt, type Observation, observe } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import type { Descriptor } from '../spec/descriptor.js';
import { fullPlatform, type Platform, platformKey, platformMatches } from '../spec/platform.js';
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
  for (const index of graph.indexes) yield* checkIndex(index, here, absent, requireComplete);
  yield* checkRequired(graph, requireComplete);
}

const keyOf = ({ claimedDigest, digest }: { claimedDigest: string | null; digest: string | null }) =>
  claimedDigest ?? digest;

/** @param here  the platforms of images that are in the archive, by the digests of their manifests */
function* checkIndex(
  index: IndexNode,
  here: ReadonlyMap<string | null, Platform | null>,
  absent: ReadonlySet<string>,
  required: Required,
): Generator<Observation> {
  const lacking = index.manifests.filter(({ digestText }) => absent.has(digestText));
  if (lacking.length === 0) return;
  const missing = new Set(missingOf(index, here, lacking));
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
 * Absent manifests that no writer omits on purpose: all, where the index has no image here; else those without a
 * platform, and those that an engine takes before an image that is here, because they have the same platform and come
 * before it.
 */
function missingOf(
  { manifests }: IndexNode,
  here: ReadonlyMap<string | null, Platform | null>,
  lacking: readonly Descriptor[],
): readonly Descriptor[] {
  const isHere = ({ digestText }: Descriptor) => here.has(digestText);
  if (!manifests.some(isHere)) return lacking;
  const first = new Map<string, number>();
  for (const [position, descriptor] of manifests.entries()) {
    const platform = descriptor.platform ?? here.get(descriptor.digestText) ?? null;
    const key = platform === null ? null : platformKey(platform);
    if (key !== null && isHere(descriptor) && !first.has(key)) first.set(key, position);
  }
  const positions = new Map(manifests.map((descriptor, position) => [descriptor, position]));
  return lacking.filter(descriptor => {
    if (isAttestation(descriptor)) return false;
    if (descriptor.platform === null) return true;
    return positions.get(descriptor)! < (first.get(platformKey(descriptor.platform)) ?? -1);
  });
}

/** The absent manifests of an index as data: the platforms, and separately the attestations. */
function leftOut(
  { manifests }: IndexNode,
  present: ReadonlyMap<string | null, Platform | null>,
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
  return platform !== null && platformMatches(platform, required);
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
