import { containerdManifest, manifestDigest, type StoredLayer } from '../../engines/synthesise.js';
import { storedBlob, type TarFile, tarFile } from '../../engines/tar-file.js';
import type { Graph, Image, IndexNode, Location, ManifestNode } from '../../link/graph.js';
import { nameOf } from '../../link/names.js';
import type { Scan } from '../../scan/scan.js';
import { grouped } from '../../spec/grouped.js';
import { isObject, type Json, type JsonObject, own } from '../../spec/json.js';
import { DOCKER_MANIFEST } from '../../spec/media-types.js';
import type { Platform } from '../../spec/platform.js';
import { normalName } from '../../spec/reference.js';
import type { Dialect } from '../release.js';
import { snapshotsIn } from './sizes.js';
import {
  loadNames,
  namesOf,
  repoNames,
  runsOnHost,
  runsSecondBest,
  type Snapshots,
  type StoredImage,
  type StorePart,
  taggedName,
} from './stored-image.js';

/** The descriptors that containerd's store keeps of images, one under each name. containerd core/metadata/images.go */

/** The descriptor that the store keeps under a name, as JSON; null where its digest is not known. */
interface NamedTarget {
  /** The full name; null of what has none. */
  readonly name: string | null;
  /** The name as the index gives it; null of what has none. */
  readonly given?: string | null;
  readonly target: JsonObject | null;
}

/** By digest the entries of the outermost index.json. */
type Listed = ReadonlyMap<string, readonly NamedTarget[]>;

const IMAGE_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';
/** BuildKit notes it of an image that it builds into containerd's store. */
const CONFIG_DIGEST = 'config.digest';

function listedTargets(scan: Scan, { root }: Graph): Listed {
  const member = scan.file(`${root}index.json`);
  const document = member === null ? undefined : scan.document(member).value;
  const entries = isObject(document) ? own(document, 'manifests') : undefined;
  const listed = new Map<string, NamedTarget[]>();
  for (const entry of Array.isArray(entries) ? entries.filter(isObject) : []) {
    const digest = own(entry, 'digest');
    if (typeof digest !== 'string') continue;
    const given = nameIn(entry);
    const named = { name: given === null ? null : normalName(given), given, target: keptOf(entry) };
    const known = listed.get(digest);
    if (known === undefined) listed.set(digest, [named]);
    else known.push(named);
  }
  return listed;
}

function targetsOf(listed: Listed, digest: string | null): readonly NamedTarget[] | null {
  return (digest === null ? undefined : listed.get(digest)) ?? null;
}

/**
 * The descriptors that `docker load` makes up for an archive without an index. containerd
 * core/images/archive/importer.go
 */
function madeUpTargets(target: JsonObject | null, { docker }: Image): NamedTarget[] {
  const tags = docker?.repoTags ?? [];
  if (target === null || tags.length === 0) return [{ name: null, target }];
  return tags.map(tag => {
    const name = normalName(taggedName(tag));
    const annotations = { [IMAGE_NAME]: name, [REF_NAME]: refNameOf(name) };
    return { name, target: { ...target, annotations } };
  });
}

/**
 * The name of the last image record, in the order of containerd's database, where it is not a full name; null
 * otherwise.
 */
function shortNameOf(targets: readonly NamedTarget[]): string | null {
  const names = targets.flatMap(({ given }) => given ?? []);
  const last = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).at(-1) ?? null;
  return last === null || normalName(last) === last ? null : last;
}

/** The text behind the last colon or at sign. */
const refNameOf = (name: string) => name.slice(Math.max(name.lastIndexOf(':'), name.lastIndexOf('@')) + 1);

/**
 * The descriptor of an image under the name that was asked for; of anything else than a name, that of the first name.
 * moby daemon/containerd/image.go (resolveImage)
 */
function targetCalled(
  targets: readonly NamedTarget[],
  ref: string | undefined,
  words: Dialect['words'],
): JsonObject | null {
  const wanted = ref === undefined ? null : normalName(ref);
  const sorted = targets.toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
  const { target } = sorted.find(({ name }) => name !== null && name === wanted) ?? sorted[0]!;
  return target === null || words === 29 ? target : asBuilt(target);
}

/**
 * The recorded answers of Docker 28 about an image that its own store had built are from before it was loaded: without
 * the names that `docker save` adds.
 */
function asBuilt(target: JsonObject): JsonObject {
  const { annotations, ...rest } = target;
  if (!isObject(annotations) || own(annotations, CONFIG_DIGEST) === undefined) return target;
  const { [IMAGE_NAME]: _name, [REF_NAME]: _ref, ...kept } = annotations;
  return { ...rest, annotations: kept };
}

function nameIn(entry: JsonObject): string | null {
  const annotations = own(entry, 'annotations');
  if (!isObject(annotations)) return null;
  const name = own(annotations, IMAGE_NAME) ?? own(annotations, REF_NAME);
  return typeof name === 'string' && name !== '' ? name : null;
}

const KEPT = ['mediaType', 'digest', 'size', 'annotations'];

function keptOf(entry: JsonObject): JsonObject {
  return Object.fromEntries(
    KEPT.flatMap(key => {
      const value = own(entry, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

interface Entry extends StorePart {
  readonly image: Image;
  /** By the names that index.json gives it, in the order of their full spelling: what the store keeps under each. */
  readonly targets: readonly NamedTarget[];
  readonly names: readonly string[];
  readonly indexBytes: number;
}

interface ContainerdQuestion {
  /** As asked for: then an image is the manifest of that platform. */
  readonly platform?: Platform | undefined;
  /** As asked for: an image that has several names has a descriptor under each. */
  readonly ref?: string | undefined;
  /** Snapshots of everything that was loaded into the store; by default those of the parts. */
  readonly snapshots?: Snapshots | undefined;
  readonly words: Dialect['words'];
}

/**
 * The images as containerd's store holds them: each entry of index.json is an image, and an index with all its
 * platforms is one. An archive without an index gets the manifests that `docker load` makes up. moby daemon/containerd
 */
export function containerdImages(
  parts: readonly StorePart[],
  chosen: ReadonlySet<Image>,
  question: ContainerdQuestion,
): StoredImage[] {
  const groups = new Map<string | Image, Entry[]>();
  for (const part of parts) {
    const ways = waysIn(part);
    for (const image of loadedFrom(part).filter(i => chosen.has(i))) {
      for (const entry of entriesOf(part, ways, image)) {
        const key = digestIn(entry.targets[0]!.target) ?? image;
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [entry]);
        else group.push(entry);
      }
    }
  }
  const snapshots = question.snapshots ?? snapshotsIn(parts);
  return [...groups.values()].map(group => toImage(group, snapshots, question));
}

/** Where there is an index.json, a manifest.json beside it is not read. containerd core/images/archive/importer.go */
function loadedFrom({ graph: { images } }: StorePart): readonly Image[] {
  const listed = images.filter(({ manifest }) => manifest !== null);
  return listed.length === 0 ? images : listed;
}

function toImage(group: readonly Entry[], snapshots: Snapshots, question: ContainerdQuestion): StoredImage {
  const { platform, ref, words } = question;
  const best = group.toSorted((a, b) => rank(a.image) - rank(b.image))[0]!;
  const targets = group.flatMap(entry => entry.targets);
  const target = targetCalled(targets, ref, words);
  const shown = (platform === undefined ? null : listedIn(best)) ?? target;
  const names = group.flatMap(entry => entry.names);
  return {
    scan: best.scan,
    graph: best.graph,
    id: digestIn(shown),
    wholeId: digestIn(target),
    ...repoNames(names, digestIn(target)),
    shortName: shortNameOf(targets),
    parent: '',
    image: best.image,
    platforms: group.map(entry => entry.image),
    target: shown,
    indexBytes: best.indexBytes,
    snapshots,
  };
}

const digestIn = (target: JsonObject | null) => (target === null ? null : String(target.digest));

/** Platforms that Docker's host runs come first; an amd64 host runs 386 too. containerd/platforms (platformVector) */
function rank(image: Image): number {
  if (runsOnHost(image)) return 0;
  return runsSecondBest(image) ? 1 : 2;
}

/** Lookups that are made once for all images of an archive. */
interface Ways {
  readonly file: TarFile;
  readonly parents: Parents;
  readonly listed: Listed;
}

const waysIn = ({ scan, graph }: StorePart): Ways => ({
  file: tarFile(scan),
  parents: parentsIn(graph),
  listed: listedTargets(scan, graph),
});

/** Every entry of index.json that leads to an image: itself, and indexes that it is in. */
function entriesOf(part: StorePart, { file, parents, listed }: Ways, image: Image): Entry[] {
  const { graph } = part;
  const { manifest } = image;
  const names = namesOf(graph, image);
  if (manifest === null) {
    return [{ ...part, image, targets: madeUpTargets(madeUp(file, image), image), names, indexBytes: 0 }];
  }
  const ways = waysTo(parents, manifest.claimedDigest);
  const nested = new Set(graph.indexes.map(index => index.path));
  const direct = manifest.descriptors.filter(({ at }) => !nested.has(at.path));
  const targets = targetsOf(listed, manifest.claimedDigest ?? manifest.digest) ?? [
    { name: null, target: bareDescriptor(manifest) },
  ];
  const own = { ...part, image, targets, indexBytes: 0 };
  if (ways.length === 0) return [{ ...own, names }];
  const only = direct.length === 0 && ways.length === 1;
  return [
    ...(direct.length === 0 ? [] : [{ ...own, names: direct.flatMap(d => nameOf(d.descriptor) ?? []) }]),
    ...ways.map(({ top, bytes }) => ({
      ...part,
      image,
      targets: targetsOf(listed, top.digest) ?? [{ name: null, target: indexDescriptor(top) }],
      indexBytes: bytes,
      names: only ? names : loadNames(top),
    })),
  ];
}

/** Which indexes list a digest. */
type Parents = ReadonlyMap<string, readonly IndexNode[]>;

function parentsIn({ indexes }: Graph): Parents {
  const listed = indexes.flatMap(index =>
    [...new Set(index.manifests.map(({ digest }) => digest))].flatMap(digest =>
      digest === null ? [] : [{ digest, index }],
    ),
  );
  const parents = [...grouped(listed, ({ digest }) => digest)];
  return new Map(parents.map(([digest, found]) => [digest, found.map(({ index }) => index)]));
}

/** An outermost index, and the bytes of all on the way to it. */
interface Way {
  readonly top: IndexNode;
  readonly bytes: number;
}

/** One way to each outermost index; each index is gone through once, however they are entangled. */
function waysTo(parents: Parents, digest: string | null): Way[] {
  const ways: Way[] = [];
  const seen = new Set<IndexNode>();
  const todo: { digest: string; bytes: number; at: IndexNode | null }[] =
    digest === null ? [] : [{ digest, bytes: 0, at: null }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const above = parents.get(next.digest) ?? [];
    if (above.length === 0 && next.at !== null) ways.push({ top: next.at, bytes: next.bytes });
    for (const index of above.filter(parent => !seen.has(parent))) {
      seen.add(index);
      todo.push({ digest: index.digest, bytes: next.bytes + index.size, at: index });
    }
  }
  return ways;
}

const indexDescriptor = ({ mediaType, digest, size, annotations }: IndexNode): JsonObject =>
  annotations.size === 0
    ? { mediaType, digest, size }
    : { mediaType, digest, size, annotations: Object.fromEntries(annotations) };

const bareDescriptor = ({ mediaType, digest, claimedDigest, size }: ManifestNode): JsonObject => ({
  mediaType,
  digest: claimedDigest ?? digest,
  size,
});

/** The manifest's descriptor as the index has it that the store keeps; null without such an index. */
function listedIn({ scan, image: { manifest }, targets }: Entry): JsonObject | null {
  if (manifest === null || digestIn(targets[0]!.target) === manifest.claimedDigest) return null;
  return manifest.descriptors.map(({ at }) => jsonAt(scan, at)).findLast(isObject) ?? null;
}

function jsonAt(scan: Scan, { path, pointer }: Location): Json | undefined {
  const member = scan.file(path);
  let value: Json | undefined = member === null ? undefined : scan.document(member).value;
  for (const key of (pointer ?? '').split('/').slice(1)) {
    value = Array.isArray(value) ? value[Number(key)] : isObject(value) ? own(value, key) : undefined;
  }
  return value;
}

/** null where a digest is not known without reading every byte. */
function madeUp(file: TarFile, image: Image): JsonObject | null {
  const member = image.config?.member ?? null;
  const config = member === null ? null : storedBlob(file, member);
  const layers = image.layers.map((layer): StoredLayer | null => {
    const blob =
      layer.member === null ? null : storedBlob(file, layer.member, layer.claimedDiffId ?? undefined);
    if (blob === null) return null;
    const { compression } = file.scan.head(layer.member!);
    return { ...blob, packed: compression === 'gzip' || compression === 'zstd' };
  });
  if (image.kind === 'v1' || config === null || layers.some(layer => layer === null)) return null;
  const manifest = containerdManifest(config, layers as StoredLayer[]);
  return { mediaType: DOCKER_MANIFEST, digest: manifestDigest(manifest), size: manifest.length };
}
