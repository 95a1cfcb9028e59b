import {
  type DocumentName,
  type Entry,
  entriesBelow,
  isAttestation,
  isWhole,
  nameOfDocument,
  platformOf,
  rootEntry,
  topEntries,
  typedName,
  withDigest,
} from '../docker/manifest/entries.js';

import { isIndex, isStored, type Store, type StoredDocument, troubleOf } from '../docker/manifest/store.js';
import { InputError } from '../errors.js';
import { ambiguous, arePlatformsOfOne, choiceList } from '../report/ambiguity.js';
import type { Answer } from '../report/doc.js';
import type { ArchiveReading } from '../report/read.js';
import { imageIdOf } from '../report/report.js';
import { noImage, type Selection, startsWith } from '../report/select.js';

import type { Depth } from '../scan/scan.js';
import { fullPlatform, type Platform, platformMatches } from '../spec/platform.js';
import { normalName } from '../spec/reference.js';
import { visible } from '../visible.js';

/** The manifest or index that was selected. */
export interface SelectedDocument {
  readonly store: Store;
  readonly document: StoredDocument;
  readonly name: DocumentName;
  /** The index from which --platform selected the document. */
  readonly within: StoredDocument | null;
}

/**
 * Selects one document of an archive as a registry would serve it: an index if index.json refers to one, otherwise a
 * manifest.
 *
 * Without a reference it is the only document at the top of the archive: entries that are also below another entry do
 * not count, and a single named entry is preferred to unnamed ones. If index.json lists the platforms of one image,
 * each once, it is itself the index. A reference is a name, a tag, an image ID, or a digest (or its beginning) of a
 * document at or below the top.
 * @throws InputError if none or several match, with a list of the documents; or if the document cannot be read
 */
export function selectDocument(reading: ArchiveReading, { ref, platform }: Selection): SelectedDocument {
  const { file } = reading.opened;
  const archive = openStores(reading);
  const [chosen, called] =
    ref === undefined ? [theOnly(archive, platform), null] : byReference(archive, ref, platform);
  const inside = archive.inside.get(chosen.store) ?? file;
  const name = called ?? nameOfDocument(bestName(chosen.names), inside, chosen.digest);
  const within = chosen.open();
  if (platform === undefined) return { ...opened(file, chosen), name, within: null };
  if (!isStored(within) || !isIndex(within)) {
    checkPlatform(file, [chosen], platform);
    return { ...opened(file, chosen), name, within: null };
  }
  const fitting = checkPlatform(file, entriesBelow([chosen]).filter(isImage), platform);
  const entry = fitting.find(({ open }) => isStored(open())) ?? fitting[0]!;
  return { ...opened(file, entry), name: below(name, entry.digest), within };
}

/**
 * The depth that reading documents needs: `digests` if a manifest has to be synthesised, because the digests of its
 * layers are only known from their bytes.
 */
export function documentDepth(reading?: ArchiveReading): Depth {
  if (reading === undefined) return 'metadata';
  const unread = openStores(reading).tops.some(({ image, open }) => {
    if (image === null || image.kind === 'v1' || image.manifest !== null || isStored(open())) return false;
    return image.config?.member != null && image.layers.every(({ member }) => member !== null);
  });
  return unread ? 'digests' : 'metadata';
}

/** The archives of a reading, and the entries at their tops. */
interface Stores {
  readonly reading: ArchiveReading;
  readonly file: string;
  readonly tops: readonly Entry[];
  /** The stores inside a zip, with their paths. */
  readonly inside: ReadonlyMap<Store, string | null>;
}

function openStores(reading: ArchiveReading): Stores {
  const inside = new Map(reading.parts.map(({ scan, graph, part }) => [{ scan, graph }, part.inside]));
  return { reading, file: reading.opened.file, inside, tops: [...inside.keys()].flatMap(topEntries) };
}

const bestName = (names: readonly string[]) => names.find(isWhole) ?? names[0] ?? null;

const isImage = (entry: Entry) => !isAttestation(entry);

function opened(file: string, entry: Entry): Pick<SelectedDocument, 'store' | 'document'> {
  const document = entry.open();
  if (!isStored(document)) {
    const why = document.digest === '' && document.path === null ? document.reason : troubleOf(document)!;
    throw new InputError(why, file, null, { damaged: document.path !== null });
  }
  return { store: entry.store, document };
}

function theOnly({ reading, file, tops, inside }: Stores, platform: Platform | undefined): Entry {
  const children = new Set(entriesBelow(tops).map(({ digest }) => digest));
  const roots = tops.filter(({ digest }) => !children.has(digest));
  const named = roots.filter(({ names }) => names.length > 0);
  const choice = named.length === 1 ? named : roots;
  const entry = oneOf(choice, platform);
  if (entry !== null) return entry;
  if (choice.length > 0) throw ambiguous(file, `it holds ${choice.length} images`, listOf(choice));
  for (const store of inside.keys()) {
    const root = rootEntry(store, []);
    if (root !== null) opened(file, root);
  }
  throw noImage(reading);
}

/** The single entry, or the one for a platform, or index.json if it is the index of all entries. */
function oneOf(entries: readonly Entry[], platform: Platform | undefined): Entry | null {
  if (entries.length <= 1) return entries[0] ?? null;
  const root = platformsOfOne(entries);
  if (root !== null || platform === undefined) return root;
  const fitting = entries.filter(entry => fits(entry, platform));
  return fitting.length === 1 ? fitting[0]! : null;
}

/**
 * Returns index.json if it lists the platforms of one image: each platform declared, none twice, and at most one name.
 */
function platformsOfOne(entries: readonly Entry[]): Entry | null {
  const images = entries.filter(isImage);
  const [first] = images;
  const variants = images.map(({ descriptor, names }) => {
    return { platform: descriptor?.platform ?? null, names, indexDigests: [] };
  });
  const isOne = variants.every(({ platform }) => platform !== null) && arePlatformsOfOne(variants);
  return first === undefined || !isOne ? null : rootEntry(first.store, first.names);
}

function byReference(
  archive: Stores,
  ref: string,
  platform: Platform | undefined,
): [Entry, DocumentName | null] {
  const { file, tops } = archive;
  const called = (entry: Entry, name: string | null) =>
    nameOfDocument(name, archive.inside.get(entry.store) ?? file, entry.digest);
  const means = (entry: Entry, name: string) =>
    name === ref || called(entry, name).name === ref || normalName(name) === normalName(ref);
  const named = tops.filter(entry => entry.names.some(name => means(entry, name)));
  if (named.length > 0) {
    const entry = oneOf(named, platform);
    if (entry === null) throw severalCalled(file, ref, named);
    const tag = entry.names.find(
      name => !isWhole(name) && (name === ref || called(entry, name).name === ref),
    );
    return [entry, tag === undefined ? typedName(ref) : called(entry, tag)];
  }
  const entry = byDigest(archive, ref);
  if (ref.includes('@')) return [entry, typedName(ref)];
  if (entry.within === null) return [entry, null];
  const above = called(entry, bestName(entry.names));
  return [entry, below(above, entry.digest)];
}

function byDigest({ reading, file, tops, inside }: Stores, ref: string): Entry {
  const digest = ref.slice(ref.indexOf('@') + 1);
  const roots = [...inside.keys()].flatMap(store => rootEntry(store, []) ?? []);
  // An entry at the top may also be listed below another one; the one at the top has a name of its own.
  const all = [...roots, ...entriesBelow(tops), ...tops];
  const found = new Map(all.filter(entry => isCalled(entry, digest)).map(entry => [entry.digest, entry]));
  if (found.size > 1) throw severalCalled(file, ref, [...found.values()]);
  const [entry] = found.values();
  if (entry !== undefined) return entry;
  const what = `no image ${JSON.stringify(ref)} in it`;
  throw tops.length === 0 ? noImage(reading, what) : new InputError(what, file, `It holds:\n${listOf(tops)}`);
}

const below = ({ name, ref }: DocumentName, digest: string): DocumentName => ({
  name: withDigest(name, digest),
  ref: withDigest(ref, digest),
});

/** True if the query is the entry's digest, or the ID of its image. */
function isCalled({ digest, image }: Entry, query: string): boolean {
  if (startsWith(digest, query)) return true;
  const id = image === null ? null : imageIdOf(image);
  return id !== null && startsWith(id, query);
}

const severalCalled = (file: string, ref: string, entries: readonly Entry[]): InputError =>
  ambiguous(
    file,
    `${JSON.stringify(ref)} means ${entries.length} documents`,
    listOf(entries),
    ', by its digest',
  );

function fits(entry: Entry, wanted: Platform): boolean {
  const platform = platformOf(entry);
  return platform !== null && platformMatches(platform, wanted);
}

function checkPlatform(file: string, entries: readonly Entry[], wanted: Platform): readonly Entry[] {
  const fitting = entries.filter(entry => fits(entry, wanted));
  if (fitting.length > 0) return fitting;
  const here = new Set(entries.map(entry => platformText(entry) ?? 'an unknown platform'));
  const hint = `It has ${[...here].join(', ') || 'none'}.`;
  throw new InputError(`no image for ${fullPlatform(wanted)} in it`, file, hint);
}

function platformText(entry: Entry): string | null {
  const platform = platformOf(entry);
  return platform === null ? null : visible(fullPlatform(platform));
}

const listOf = (entries: readonly Entry[]): string =>
  choiceList(
    entries.map(entry => {
      const document = entry.open();
      const type = isStored(document) && isIndex(document) ? 'index' : '';
      return { id: entry.digest || '(no manifest)', platform: platformOf(entry), names: entry.names, type };
    }),
  );

/** Notes to print before the content of a document. */
export function notesOn({ document }: SelectedDocument): readonly string[] {
  const trouble = troubleOf(document);
  return [...(document.path === null ? [MADE_UP] : []), ...(trouble === null ? [] : [trouble])];
}

const MADE_UP =
  'the archive holds no registry manifest; this is the one that containerd makes up when it loads the file';

/**
 * The stored bytes of a document.
 * @throws InputError for a synthesised manifest
 */
export function exactBytes({ opened: { file } }: ArchiveReading, { document }: SelectedDocument): Answer {
  if (document.path === null) {
    throw new InputError(
      '--raw prints stored bytes, and the archive holds no manifest',
      file,
      'Without --raw, waybill prints the manifest that containerd makes up when it loads the file. `docker save` writes manifests since Docker 25, and an OCI layout always has them.',
    );
  }
  const trouble = troubleOf(document);
  return {
    stdout: document.bytes,
    notes: trouble === null ? [] : [trouble],
    exitCode: trouble === null ? 0 : 1,
  };
}
