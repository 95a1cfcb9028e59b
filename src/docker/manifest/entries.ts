import type { Image } from '../../link/graph.js';
import { layoutNamed } from '../../link/layouts/registry.js';
import { nameOf } from '../../link/names.js';
import type { Descriptor } from '../../spec/descriptor.js';
import { parseIndex } from '../../spec/manifest.js';
import { OCI_INDEX } from '../../spec/media-types.js';
import type { Platform } from '../../spec/platform.js';
import { fullName, normalName, parseReference } from '../../spec/reference.js';
import {
  type Found,
  fetchManifest,
  fromDocument,
  isIndex,
  isStored,
  listLength,
  type Store,
  type StoredDocument,
  synthesise,
} from './store.js';

/** A manifest or an index that a reference may mean, whether or not the archive holds it. */
export interface Entry {
  readonly store: Store;
  readonly digest: string;
  /** The names of this entry, or of the top entry above it. */
  readonly names: readonly string[];
  readonly descriptor: Descriptor | null;
  /** null for an index, and for anything that is no image. */
  readonly image: Image | null;
  /** The index that lists it; null at the top. */
  readonly within: StoredDocument | null;
  readonly open: () => Found;
}

/** The entries at the top of an archive, each once. */
export function topEntries(store: Store): readonly Entry[] {
  const { rootManifest } = layoutNamed(store.graph.layout);
  const listed = rootManifest === undefined ? indexEntries(store) : rootManifestEntries(store, rootManifest);
  // An index that lists a manifest which is not here speaks of the same image as manifest.json does under that name.
  const spoken = new Set(listed.flatMap(({ names }) => names.map(normalName)));
  const alone = store.graph.images.filter(
    ({ manifest, names }) => manifest === null && !names.some(name => spoken.has(normalName(name))),
  );
  return [...listed, ...alone.map(image => imageEntry(store, image))];
}

/** Everything below these entries, each once: manifests of an index, and of indexes within it. */
export function entriesBelow(entries: readonly Entry[]): readonly Entry[] {
  const found: Entry[] = [];
  const seen = new Set<string>();
  let listed = 0;
  const visit = (above: Entry, depth: number) => {
    const index = above.open();
    const { indexDepth, manifests, descriptors } = above.store.graph.limits;
    if (!isStored(index) || !isIndex(index) || depth >= indexDepth) return;
    listed += listLength(index.value);
    if (listed > descriptors) return;
    for (const descriptor of parseIndex(index.value).manifests ?? []) {
      const { digestText: digest } = descriptor;
      if (seen.has(digest) || seen.size >= manifests) continue;
      seen.add(digest);
      const child = listedEntry(above.store, descriptor, above.names, index);
      found.push(child);
      visit(child, depth + 1);
    }
  };
  for (const entry of entries) visit(entry, 0);
  return found;
}

/** index.json itself, for layouts in which it is the index of one image's platforms. null where there is none. */
export function rootEntry(store: Store, names: readonly string[]): Entry | null {
  const member = store.scan.file(`${store.graph.root}index.json`);
  if (member === null) return null;
  const open = () => fromDocument(store, store.scan.document(member), null, OCI_INDEX);
  return { store, digest: open().digest, names, descriptor: null, image: null, within: null, open };
}

/** As the index says, or else the config. */
export const platformOf = ({ descriptor, image }: Entry): Platform | null =>
  descriptor?.platform ?? image?.platform ?? null;

export const isAttestation = ({ descriptor }: Entry) =>
  descriptor?.annotations.get('vnd.docker.reference.type') === 'attestation-manifest';

function indexEntries(store: Store): Entry[] {
  const root = rootEntry(store, []);
  const index = root?.open();
  if (index === undefined || !isStored(index)) return [];
  const byDigest = new Map<string, Descriptor[]>();
  for (const descriptor of parseIndex(index.value).manifests ?? []) {
    const same = byDigest.get(descriptor.digestText);
    if (same === undefined) byDigest.set(descriptor.digestText, [descriptor]);
    else same.push(descriptor);
  }
  return [...byDigest].map(([digest, descriptors]) => {
    const names = descriptors.map(nameOf).filter(name => name !== null);
    return listedEntry(store, descriptors[0]!, [...new Set([...names, ...imageNames(store, digest)])], null);
  });
}

/** manifest.json knows names too, and index.json may have only their tags. */
function imageNames({ graph }: Store, digest: string): readonly string[] {
  return graph.images
    .filter(image => (image.indexDigests[0] ?? image.manifest?.claimedDigest) === digest)
    .flatMap(image => image.names);
}

function listedEntry(
  store: Store,
  descriptor: Descriptor,
  names: readonly string[],
  within: StoredDocument | null,
): Entry {
  const { digestText: digest, mediaType } = descriptor;
  const open = () => fetchManifest(store, digest, mediaType);
  return { store, digest, names, descriptor, image: imageOf(store, digest), within, open };
}

const imageOf = ({ graph }: Store, digest: string): Image | null =>
  graph.images.find(({ manifest }) => (manifest?.claimedDigest ?? manifest?.digest) === digest) ?? null;

/** skopeo's dir holds one manifest or one list, and no name. */
function rootManifestEntries(store: Store, path: string): Entry[] {
  const member = store.scan.file(store.graph.root + path);
  if (member === null) return [];
  const open = () => fromDocument(store, store.scan.document(member), null, null);
  const { digest } = open();
  return [{ store, digest, names: [], descriptor: null, image: imageOf(store, digest), within: null, open }];
}

function imageEntry(store: Store, image: Image): Entry {
  const made = synthesise(store, image);
  return {
    store,
    digest: made.digest,
    names: image.names,
    descriptor: null,
    image,
    within: null,
    open: () => made,
  };
}

/** How a document is called: Docker prints names as they were typed, and in full. */
export interface DocumentName {
  /** As the user typed it, or as the archive writes it. */
  readonly name: string;
  /** In full: `docker.io/library/app:latest`. */
  readonly ref: string;
}

const EXTENSION = /\.(tar|tgz|tbz2?|txz|tzst|zip|oci|dockerbuild)(\.(gz|bz2|xz|zst|zstd))?$/i;

/**
 * The name of a document. A whole name is normalised as Docker does; a mere tag, as `org.opencontainers.image.ref.name`
 * may be, is the tag of a repository that is called like the archive; and without any name, it is called by its digest.
 * @param file  name of the archive, with its folders
 */
export function nameOfDocument(name: string | null, file: string, digest: string): DocumentName {
  if (name !== null && isWhole(name)) return typedName(name);
  const base = file === '-' ? 'stdin' : file.replace(/\/+$/, '').replace(/^.*\//, '').replace(EXTENSION, '');
  const text = name === null ? `${base || 'archive'}@${digest}` : `${base || 'archive'}:${name}`;
  return { name: text, ref: text };
}

/** A name that says which repository: a bare word is a tag. */
export const isWhole = (name: string) => /[/:@]/.test(name);

export function typedName(name: string): DocumentName {
  const reference = parseReference(name);
  return { name, ref: typeof reference === 'string' ? name : fullName(reference) };
}

/** `reference.WithDigest`: a tag stays, a digest is replaced. https://pkg.go.dev/github.com/distribution/reference */
export const withDigest = (ref: string, digest: string): string => `${ref.replace(/@.*$/s, '')}@${digest}`;
