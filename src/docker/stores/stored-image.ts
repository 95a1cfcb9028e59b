import type { Graph, Image, Layer } from '../../link/graph.js';
import type { Scan } from '../../scan/scan.js';
import { grouped } from '../../spec/grouped.js';
import type { JsonObject } from '../../spec/json.js';
import { type Platform, platformMatches } from '../../spec/platform.js';
import { familiarName, fullName, parseReference, type Reference } from '../../spec/reference.js';

/**
 * Docker's image stores: with a graph driver, where an image is its config and each driver measures layers in its own
 * way, or containerd's, where an image is what a registry has.
 */
export type Store = 'vfs' | 'overlay2' | 'containerd';

/** An image as one of Docker's stores holds it. */
export interface StoredImage {
  readonly scan: Scan;
  readonly graph: Graph;
  /**
   * Classic: the digest of the config. containerd: of the manifest or index; where a platform was asked for, of that
   * platform's manifest. null where it cannot be told.
   */
  readonly id: string | null;
  /** Like `id`, but always of the whole image, whatever platform was asked for. */
  readonly wholeId: string | null;
  /** As Docker shows them (`app:1.2`), in its order. */
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  /**
   * containerd: the name of the last image record, where it is not a full name (`app:1.2`, not
   * `docker.io/library/app:1.2`).
   */
  readonly shortName: string | null;
  /** ID of the parent image, where that is in the archive too; empty otherwise. */
  readonly parent: string;
  /** The image whose config speaks for it: of several platforms, the one of Docker's host. */
  readonly image: Image;
  /** All images behind it: several platforms, or just the one. */
  readonly platforms: readonly Image[];
  /** containerd: the descriptor that the store keeps, as JSON. */
  readonly target: JsonObject | null;
  /** containerd: bytes of the indexes from `target` down to the manifest. */
  readonly indexBytes: number;
  /** containerd: what is unpacked in the store; null in the classic store, which unpacks every image. */
  readonly snapshots: Snapshots | null;
}

/** By chain ID a layer that was unpacked to it. */
export type Snapshots = ReadonlyMap<string, { readonly scan: Scan; readonly layer: Layer }>;

/** The host that answers where nothing else is said. */
const HOST: Platform = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };

export const runsOnHost = ({ platform }: Image): boolean =>
  platform !== null && platformMatches(platform, HOST);

/** An amd64 host runs 386 too. containerd/platforms (platformVector) */
export const runsSecondBest = ({ platform }: Image): boolean =>
  platform !== null && platformMatches(platform, { ...HOST, architecture: '386' });

/** Names as Docker's stores keep and show them. https://github.com/distribution/reference */

interface RepoNames {
  /** `app:1.2`; a name that is no reference, or a mere tag as an OCI layout may have it, as it stands. */
  readonly tags: readonly string[];
  /** `app@sha256:…` */
  readonly digests: readonly string[];
}

/** A word such as `latest` that an index gives an image: a tag of nothing. */
const isBareTag = (name: string) => !/[/:@]/.test(name);

/**
 * The names of an image, those of an index that it is in among them. manifest.json always names a repository, though it
 * may leave its tag out.
 */
export function namesOf({ indexes }: Graph, image: Image): string[] {
  const { docker, indexDigests } = image;
  const tags = new Set(docker?.repoTags);
  const own = loadNames(image).map(name => (tags.has(name) ? taggedName(name) : name));
  const above = indexes.filter(index => indexDigests.includes(index.digest));
  return [...own, ...above.flatMap(loadNames)];
}

/** Docker does not look at the names that only skopeo goes by. */
export const loadNames = ({ names, refNames }: Pick<Image, 'names' | 'refNames'>): readonly string[] =>
  names.filter(name => refNames?.has(name) !== true);

/** A name of manifest.json, where a word is a repository. */
export const taggedName = (name: string): string => (isBareTag(name) ? `${name}:latest` : name);

/**
 * Sorted by their full names, as both stores do. moby reference/store.go; containerd's database sorts its keys.
 * @param target  digest under which containerd's store knows each name's repository; null in the classic store
 */
export function repoNames(names: readonly string[], target: string | null): RepoNames {
  const references = new Map<string, Reference>();
  const odd: string[] = [];
  const hasFull = names.some(name => !isBareTag(name));
  for (const name of names) {
    const reference = isBareTag(name) ? name : parseReference(name);
    if (typeof reference !== 'string') references.set(fullName(reference), reference);
    else if (!hasFull || !isBareTag(name)) odd.push(name);
  }
  const sorted = [...references].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reference]) => reference);
  const pinned = sorted
    .filter(reference => reference.digest !== null || target !== null)
    .map(reference => familiarName({ ...reference, tag: null, digest: reference.digest ?? target }));
  return {
    tags: [...sorted.filter(r => r.tag !== null || r.digest === null).map(familiarTag), ...new Set(odd)],
    digests: [...new Set(pinned)],
  };
}

const familiarTag = (reference: Reference) => familiarName({ ...reference, digest: null });

/** The parts that `docker images` shows in columns. */
export interface RepoTag {
  readonly repository: string;
  /** null for a digest alone, which is no tag. */
  readonly tag: string | null;
  readonly digest: string | null;
}

/** Splits what `repoNames` gave. Of a mere tag the repository is `<none>`. */
export function splitRepoName(name: string): RepoTag {
  if (isBareTag(name)) return { repository: '<none>', tag: name, digest: null };
  const reference = parseReference(name);
  if (typeof reference === 'string') {
    const colon = name.lastIndexOf(':');
    return colon > name.lastIndexOf('/')
      ? { repository: name.slice(0, colon), tag: name.slice(colon + 1), digest: null }
      : { repository: name, tag: '<none>', digest: null };
  }
  const { tag, digest } = reference;
  return { repository: repositoryOf(reference), tag, digest };
}

const repositoryOf = (reference: Reference) =>
  // With a tag of its own, so that no `latest` is added; then without it.
  familiarName({ ...reference, tag: 'x', digest: null }).slice(0, -2);

export interface StorePart {
  readonly scan: Scan;
  readonly graph: Graph;
}

/** The image ID: the digest of the config, as it is or, where it is absent, as it is called. */
function classicId(image: Image): string | null {
  if (image.kind === 'v1') return image.v1Id;
  return image.config?.document?.digest ?? image.config?.claimedDigest ?? null;
}

const v1Parent = ({ layers }: Image) => layers.at(-2)?.v1Id;

/**
 * The images as the graph driver store holds them: each config is an image of its own, whatever index it was listed in,
 * and two manifests of one config are one image. Of a file that has a manifest.json only what that lists is loaded, and
 * by its names. moby daemon/images, image/tarexport/load.go
 */
export function classicImages(parts: readonly StorePart[], chosen: ReadonlySet<Image>): StoredImage[] {
  const all = parts.flatMap(part =>
    part.graph.images.filter(isLoadedFrom(part)).map(image => ({ ...part, image })),
  );
  const ids = new Set(all.map(({ image }) => classicId(image)));
  const groups = grouped(
    all.filter(({ image }) => chosen.has(image)),
    ({ image }) => classicId(image) ?? image,
  );
  return [...groups.values()].map(group => {
    const { scan, graph, image } = group[0]!;
    const names = repoNames(
      group.flatMap(entry => classicNames(entry.graph, entry.image)),
      null,
    );
    const parent = (image.kind === 'v1' ? v1Parent(image) : image.docker?.parent) ?? '';
    const id = classicId(image);
    return {
      scan,
      graph,
      id,
      wholeId: id,
      tags: names.tags,
      digests: names.digests,
      shortName: null,
      parent: image.kind === 'v1' || ids.has(parent) ? parent : '',
      image,
      platforms: [image],
      target: null,
      indexBytes: 0,
      snapshots: null,
    };
  });
}

const isLoadedFrom =
  ({ graph }: StorePart) =>
  ({ docker, kind }: Image) =>
    graph.docker === null || docker !== null || kind === 'v1';

function classicNames(graph: Graph, image: Image): readonly string[] {
  const { docker } = image;
  if (docker === null) return namesOf(graph, image);
  const items = (graph.docker ?? []).filter(({ config }) => config === docker.config);
  return items.flatMap(({ repoTags }) => repoTags.map(taggedName));
}
