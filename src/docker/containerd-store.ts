import { containerdManifest, manifestDigest, type StoredLayer } from '../image/engines/synthesise.js';
import { storedBlob, type TarFile, tarFile } from '../image/engines/tar-file.js';
import type { Graph, Image, IndexNode, ManifestNode, Place } from '../image/graph.js';
import { nameOf } from '../image/names.js';
import type { Scan } from '../scan/scan.js';
import { grouped } from '../spec/grouped.js';
import { isObject, type Json, type JsonObject, own } from '../spec/json.js';
import { DOCKER_MANIFEST } from '../spec/media-types.js';
import { type Platform, platformMatches } from '../spec/platform.js';
import type { StorePart } from './classic-store.js';
import { namesOf, repoNames } from './repo-names.js';
import { HOST, runsOnHost, type StoredImage } from './stored-image.js';

interface Entry extends StorePart {
  readonly image: Image;
  readonly target: JsonObject | null;
  readonly names: readonly string[];
  readonly indexBytes: number;
}

/**
 * The images as containerd's store holds them: each entry of index.json is an image, and an index with all its platforms
 * is one. An archive without an index gets the manifests that `docker load` makes up. moby daemon/containerd
 * @param platform  as asked for: then an image is the manifest of that platform
 */
export function containerdImages(
  parts: readonly StorePart[],
  chosen: ReadonlySet<Image>,
  platform?: Platform,
): StoredImage[] {
  const groups = new Map<string | Image, Entry[]>();
  for (const part of parts) {
    const file = tarFile(part.scan);
    const parents = parentsIn(part.graph);
    for (const image of part.graph.images.filter(i => chosen.has(i))) {
      for (const entry of entriesOf(part, file, parents, image)) {
        const key = digestIn(entry.target) ?? image;
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [entry]);
        else group.push(entry);
      }
    }
  }
  return [...groups.values()].map(group => toImage(group, platform));
}

function toImage(group: readonly Entry[], platform: Platform | undefined): StoredImage {
  const best = group.toSorted((a, b) => rank(a.image) - rank(b.image))[0]!;
  const target = (platform === undefined ? null : listedIn(best)) ?? best.target;
  const names = group.flatMap(entry => entry.names);
  return {
    scan: best.scan,
    graph: best.graph,
    id: digestIn(target),
    ...repoNames(names, digestIn(best.target)),
    parent: '',
    image: best.image,
    platforms: group.map(entry => entry.image),
    target,
    indexBytes: best.indexBytes,
  };
}

const digestIn = (target: JsonObject | null) => (target === null ? null : String(target.digest));

/** What Docker's host runs comes first; an amd64 host runs 386 too. containerd/platforms (platformVector) */
function rank(image: Image): number {
  if (runsOnHost(image)) return 0;
  const { platform } = image;
  return platform !== null && platformMatches(platform, { ...HOST, architecture: '386' }) ? 1 : 2;
}

/** Every entry of index.json that leads to an image: itself, and indexes that it is in. */
function entriesOf(part: StorePart, file: TarFile, parents: Parents, image: Image): Entry[] {
  const { scan, graph } = part;
  const { manifest } = image;
  if (manifest === null) {
    return [{ ...part, image, target: madeUp(file, image), names: namesOf(graph, image), indexBytes: 0 }];
  }
  const ways = waysTo(parents, manifest.claimedDigest);
  const nested = new Set(graph.indexes.map(index => index.path));
  const direct = manifest.descriptors.filter(({ at }) => !nested.has(at.path));
  const own = { ...part, image, target: entryDescriptor(scan, manifest, direct), indexBytes: 0 };
  if (ways.length === 0) return [{ ...own, names: namesOf(graph, image) }];
  const only = direct.length === 0 && ways.length === 1;
  return [
    ...(direct.length === 0 ? [] : [{ ...own, names: direct.flatMap(d => nameOf(d.descriptor) ?? []) }]),
    ...ways.map(({ top, bytes }) => ({
      ...part,
      image,
      target: indexDescriptor(top),
      indexBytes: bytes,
      names: only ? namesOf(graph, image) : top.names,
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
  withoutNames({ mediaType, digest, size, annotations: Object.fromEntries(annotations) });

/** What the store keeps of an entry of index.json. containerd core/metadata/images.go (writeImage) */
function entryDescriptor(
  scan: Scan,
  manifest: ManifestNode,
  direct: readonly { readonly at: Place }[],
): JsonObject {
  const written = direct.map(({ at }) => jsonAt(scan, at)).find(isObject) ?? bareDescriptor(manifest);
  const kept = ['mediaType', 'digest', 'size', 'annotations'].flatMap(key => {
    const value = own(written, key);
    return value === undefined ? [] : [[key, value]];
  });
  return withoutNames(Object.fromEntries(kept));
}

/** The manifest's descriptor as the index has it that the store keeps; null without such an index. */
function listedIn({ scan, image: { manifest }, target }: Entry): JsonObject | null {
  if (manifest === null || digestIn(target) === manifest.claimedDigest) return null;
  return manifest.descriptors.map(({ at }) => jsonAt(scan, at)).findLast(isObject) ?? null;
}

const bareDescriptor = ({ mediaType, digest, claimedDigest, size }: ManifestNode): JsonObject => ({
  mediaType,
  digest: claimedDigest ?? digest,
  size,
});

function jsonAt(scan: Scan, { path, pointer }: Place): Json | undefined {
  const member = scan.file(path);
  let value: Json | undefined = member === null ? undefined : scan.document(member).value;
  for (const key of (pointer ?? '').split('/').slice(1)) {
    value = Array.isArray(value) ? value[Number(key)] : isObject(value) ? own(value, key) : undefined;
  }
  return value;
}

/** `docker save` writes an image's name into annotations that the image in the store has not. */
const NAMES = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

function withoutNames(descriptor: JsonObject): JsonObject {
  const { annotations, ...rest } = descriptor;
  const kept = Object.entries(isObject(annotations) ? annotations : {}).filter(
    ([key]) => !NAMES.includes(key),
  );
  return kept.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(kept) };
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
