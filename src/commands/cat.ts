import { deadlineIn } from '../containers/deadline.js';
import { streamOf } from '../containers/open.js';
import { InputError } from '../errors.js';
import { type FileTree, squash, type TreeNode } from '../filesystem/file-tree.js';
import { historyOf, type Presence } from '../filesystem/layer-changes.js';
import { layerFaults, tablesOf } from '../filesystem/layer-tables.js';
import type { Followed } from '../filesystem/tree-path.js';
import { decidingTree } from '../filesystem/upper-layers.js';
import type { Limits, Resources } from '../limits.js';
import { limitsOf } from '../limits.js';
import type { Layer } from '../link/graph.js';
import { type ArchiveReading, memberPlace, readArchive } from '../report/read.js';
import { type ChosenImage, oneListedImage, type Selection } from '../report/select.js';
import type { BlobFacts } from '../scan/blob/facts.js';
import { nameBytes, nameText, rootedPath } from '../scan/entries/name.js';
import type { Entry, EntryTable } from '../scan/entries/table.js';
import type { Scan } from '../scan/scan.js';
import { pathText, visible, visiblePath } from '../visible.js';
import { ContentQueue, readLayerFiles } from '../write/layer-files.js';
import { inPrivateDirectory, throughFile } from '../write/spool.js';

import { areLayersUnread, layerNamed, type ReadLayers, SingleLayers } from './single-layers.js';
import { unchanged } from './unchanged.js';

export interface CatOptions extends Selection, Resources {
  /** Show the file as it is after this layer is applied: a number from 1, or the beginning of a digest of the layer. */
  readonly in?: string | undefined;
  /** Ends reading with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called while reading, with the bytes read and the total (null for a pipe). */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

export interface CatResult {
  /** Lines for standard error. */
  readonly notes: readonly string[];
  /** 1 if the file is cut short, or a layer does not match the image's claims. */
  readonly exitCode: 0 | 1;
}

/**
 * `waybill cat ARCHIVE PATH`: the exact bytes of one file of an image. Links are followed, inside the image's root. An
 * archive that can only be read once is first copied to a temporary file, because the layer that has the file is known
 * only at its end.
 *
 * @param path  from the root, with or without a leading slash; may contain escapes as printed by `waybill files`
 * @param put   writes bytes; resolves when more can be written
 * @throws InputError if there is no such image, layer or file, or it has no content. Also if the archive changed since
 *   its files were listed, which is detected only after its layer was read: the bytes written until then must not be
 *   used
 */
export async function cat(
  input: string | AsyncIterable<Uint8Array>,
  path: string,
  put: (bytes: Uint8Array) => Promise<void>,
  options: CatOptions = {},
): Promise<CatResult> {
  const stream = await streamOf(input);
  const print = (file: string) => catFile(file, path, put, options);
  if (stream === null) return print(input as string);
  const limits = limitsOf(options.limits);
  return inPrivateDirectory(null, place => throughFile(stream, place, limits, print));
}

async function catFile(
  file: string,
  path: string,
  put: (bytes: Uint8Array) => Promise<void>,
  { limits, jobs, memory, signal, onProgress, ...selection }: CatOptions,
): Promise<CatResult> {
  const deadline = deadlineIn(limitsOf(limits).seconds);
  const resources = { limits, jobs, memory };
  const reading = await readArchive(file, {
    ...{ ...resources, depth: 'files', deadline, signal, onProgress },
    // Where layers can be read one by one, which ones are needed is known later.
    deepen: () => ({ depth: 'metadata' }),
  });
  const wanted = { ...selection, limits, signal };
  const chosen = oneListedImage(reading, selection);
  if (!areLayersUnread(chosen.part)) return catFrom(reading, path, put, wanted);
  const total = chosen.image.layers.reduce((sum, { member }) => sum + (member?.size ?? 0), 0);
  const layers = new SingleLayers(reading, resources);
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    onProgress?.(done, total);
  };
  const readLayers: ReadLayers = (of, some) =>
    layers.read(of, some, { deadline, signal, onProgress: onBytes });
  return catFromLayers(reading, path, put, readLayers, { ...wanted, checkBelowLinks: true });
}

/**
 * The same of an archive that has been read: only the layer with the file is read again.
 * @param reading  of depth `files`, and of a file or directory
 */
export async function catFrom(
  reading: ArchiveReading,
  path: string,
  put: (bytes: Uint8Array) => Promise<void>,
  { limits, signal, in: layer, ...selection }: Omit<CatOptions, 'jobs' | 'memory' | 'onProgress'>,
): Promise<CatResult> {
  const chosen = oneListedImage(reading, selection);
  const { scan } = chosen.part;
  const last = await lastLayer(reading, chosen, layer, async () => scan);
  const tree = squash(tablesOf(scan, chosen.image).slice(0, last + 1));
  return putFile(reading, chosen, { scan, tree, lowest: 0, last }, path, put, { limits, signal });
}

/** The layers of an image whose entries are known: indexes of the lowest one, and of the last one that is applied. */
interface KnownLayers {
  readonly scan: Scan;
  /** The file system that the layers make. */
  readonly tree: FileTree;
  readonly lowest: number;
  readonly last: number;
}

interface CatLayersOptions extends Omit<CatOptions, 'jobs' | 'memory' | 'onProgress'> {
  /**
   * Where links lead to the file, note the faults of all layers, as `catFrom` does: also of those below the layers that
   * determine the file.
   */
  readonly checkBelowLinks?: boolean | undefined;
}

/**
 * The same of an archive whose documents have been read: layers are read from the last one down, until they determine
 * the file.
 * @param reading     of a source that is seekable
 * @param readLayers  keeps what it has read
 */
export async function catFromLayers(
  reading: ArchiveReading,
  path: string,
  put: (bytes: Uint8Array) => Promise<void>,
  readLayers: ReadLayers,
  { limits, signal, in: layer, checkBelowLinks = false, ...selection }: CatLayersOptions,
): Promise<CatResult> {
  const chosen = oneListedImage(reading, selection);
  const all = chosen.image.layers;
  const last = await lastLayer(reading, chosen, layer, readLayers);
  for (let lowest = last; lowest > 0; lowest = nextLowest(all, lowest, last)) {
    const scan = await readLayers(chosen, all.slice(lowest, last + 1));
    const tree = decidedTree(scan, chosen, { lowest, last }, path);
    if (tree === null) continue;
    if (checkBelowLinks && !literals(path).includes(tree.follow(nameBytes(path)).node!.path)) break;
    return putFile(reading, chosen, { scan, tree, lowest, last }, path, put, { limits, signal });
  }
  const applied = await readLayers(chosen, all.slice(0, last + 1));
  const tree = squash(tablesOf(applied, chosen.image).slice(0, last + 1));
  // The message for a file that is not there says which layer above the last one adds it.
  const isMissing = last < all.length - 1 && tree.follow(nameBytes(path)).node === null;
  const scan = isMissing ? await readLayers(chosen, all) : applied;
  return putFile(reading, chosen, { scan, tree, lowest: 0, last }, path, put, { limits, signal });
}

/** Layers and bytes that are read one layer at a time; more bytes are worth several threads. */
const SINGLY = { layers: 16, bytes: 32 * 1024 * 1024 };

/**
 * The lowest of the layers that are read next: one at a time, and when many were read, up to three times as many bytes
 * as those. Threads are started, and trees are made, for each reading: their number must not grow with the layers.
 * @param known  the lowest layer that was read
 */
function nextLowest(layers: readonly Layer[], known: number, last: number): number {
  const size = (index: number) => layers[index]?.member?.size ?? 0;
  let read = 0;
  for (let index = known; index <= last; index++) read += size(index);
  let lowest = known - 1;
  if (last - lowest <= SINGLY.layers && read < SINGLY.bytes) return lowest;
  for (let left = 3 * read - size(lowest); lowest > 0 && size(lowest - 1) <= left; ) left -= size(--lowest);
  return lowest;
}

/** The tree of layers, if they determine the file at a path as it is written; no fault of theirs may hide an entry. */
function decidedTree(
  scan: Scan,
  { image }: ChosenImage,
  { lowest, last }: Pick<KnownLayers, 'lowest' | 'last'>,
  path: string,
): FileTree | null {
  const isIncomplete = layerFaults(scan, image).some(
    ({ layer, kind }) => kind === 'incomplete' && layer >= lowest && layer <= last,
  );
  return isIncomplete
    ? null
    : decidingTree(tablesOf(scan, image).slice(0, last + 1), lowest, nameBytes(path));
}

async function putFile(
  reading: ArchiveReading,
  { part, image }: ChosenImage,
  { scan, tree, lowest, last }: KnownLayers,
  path: string,
  put: (bytes: Uint8Array) => Promise<void>,
  { limits, signal }: Pick<CatOptions, 'limits' | 'signal'>,
): Promise<CatResult> {
  const { file } = reading.opened;
  const tables = tablesOf(scan, image);
  const node = fileAt(tree, path, file, (absent, name) => elsewhere(historyOf(tables, absent), last, name));
  const { inode, path: found, entry } = node;
  const member = image.layers[inode.layer]!.member!;
  const allowed = limitsOf(limits);
  if (entry.size > allowed.unpackedFree && entry.size > allowed.unpackedRatio * member.size)
    throw tooLarge(path, entry, scan.facts(member)!, file, allowed);
  const queue = new ContentQueue(put);
  const sinks = new Map([[inode.index, () => queue]]);
  const layers = [{ ...memberPlace(part, member, scan), sinks, drain: queue.drain }];
  await unchanged(reading, () => readLayerFiles(file, layers, allowed, () => signal?.throwIfAborted()));
  const first = literals(path).includes(found)
    ? decidingFrom(tables.slice(0, last + 1), Math.min(inode.layer, node.layer), found, lowest)
    : lowest;
  const notes = layerFaults(scan, image)
    .filter(({ layer }) => layer >= first && layer <= last)
    .map(({ layer, reason }) => `layer ${layer + 1}: ${visible(reason)}`);
  if (queue.complete !== true) notes.unshift(`${visiblePath(nameText(found))} is cut short`);
  return { notes, exitCode: notes.length === 0 ? 0 : 1 };
}

/**
 * The lowest layer whose faults may make the file at a path another one. Hazard: a lower layer that lost a link to a
 * directory would lead there.
 * @param own     the layer that has the file
 * @param lowest  the lowest layer that was read
 */
function decidingFrom(
  tables: readonly (EntryTable | null)[],
  own: number,
  path: string,
  lowest: number,
): number {
  if (own <= lowest) return lowest;
  const upper = tables.map((table, layer) => (layer < own ? null : table));
  return decidingTree(upper, own, path) === null ? lowest : own;
}

/** A path from the root, as written and with its escapes decoded: bytes, one per character. */
const literals = (path: string) => [nameBytes(path), nameBytes(pathText(path))].map(rootedPath);

function tooLarge(path: string, entry: Entry, facts: BlobFacts, file: string, limits: Limits): InputError {
  const { size, failure } = facts;
  const ratio = Math.ceil(entry.size / size);
  const holes = entry.storedSize < entry.size / 2 ? ', mostly holes' : '';
  const layers = failure?.kind === 'limit' && failure.limit === 'unpackedRatio' ? (failure.enough ?? 0) : 0;
  return new InputError(
    `${JSON.stringify(path)} has ${entry.size} bytes${holes}: ${ratio} times the size of its layer`,
    file,
    `The limit unpackedRatio is ${limits.unpackedRatio} times (--limit unpackedRatio=${Math.max(ratio, layers)} allows more).`,
  );
}

async function lastLayer(
  { opened: { file } }: ArchiveReading,
  chosen: ChosenImage,
  layer: string | undefined,
  readLayers: ReadLayers,
): Promise<number> {
  if (layer === undefined) return chosen.image.layers.length - 1;
  return layerNamed(chosen, layer, file, readLayers);
}

/**
 * @param historyText  a sentence about the layers that have something at a path that does not exist; null if there are
 *   none
 */
function fileAt(
  tree: FileTree,
  path: string,
  file: string,
  historyText: (path: string, name: string) => Elsewhere | null,
): TreeNode {
  const [literal, unescaped] = [tree.follow(nameBytes(path)), tree.follow(nameBytes(pathText(path)))];
  const found = literal.node === null && unescaped.node !== null ? unescaped : literal;
  const quoted = JSON.stringify(path);
  if (found.node === null) {
    const ways = [literal, unescaped].flatMap(way => (way.node === null ? [placeOf(way)] : []));
    const places = new Set([...ways, ...literals(path)]);
    const nameOf = (place: string) => (ways.includes(place) ? 'it' : visiblePath(nameText(place)));
    const other = [...places].reduce<Elsewhere | null>(
      (known, place) => known ?? historyText(place, nameOf(place)),
      null,
    );
    const isWhole = found.reason === 'missing' && literals(path).includes(found.at);
    const why = isWhole ? `there is no ${visiblePath(nameText(found.at))}` : `${quoted} ${reasonOf(found)}`;
    throw new InputError(other === null ? why : `${why}; ${other.what}`, file, other?.remedy);
  }
  const { type } = found.node.inode;
  if (type === 'file') return found.node;
  const why = type === 'hardlink' ? HARD_LINK : `is a ${NOUNS[type] ?? type}, which has no content`;
  throw new InputError(`${quoted} ${why}`, file);
}

/** The path at which following a path ended without finding a file. */
const placeOf = ({ at, rest }: Extract<Followed, { node: null }>) => rootedPath(`${at}/${rest}`);

/** The state of a path before a layer deleted it, or after a later layer. */
interface Elsewhere {
  readonly what: string;
  readonly remedy: string;
}

/**
 * @param last  the last layer that was applied
 * @param name  the file's name in the message
 */
function elsewhere(history: readonly (Presence | null)[], last: number, name: string): Elsewhere | null {
  const read = ({ type, layer }: Presence) =>
    type === 'directory'
      ? `It is a directory there: \`waybill files --in ${layer + 1}\` lists what that layer has in it.`
      : `Read it as that layer has it: --in ${layer + 1}`;
  if (history[last] !== null) return null;
  const before = history.slice(0, last + 1).findLastIndex(presence => presence !== null);
  if (before >= 0) {
    const presence = history[before]!;
    const what = `layer ${before + 2} deletes ${name}, layer ${presence.layer + 1} has it`;
    return { what, remedy: read(presence) };
  }
  const later = history.find(presence => presence !== null);
  return later == null ? null : { what: `layer ${later.layer + 1} adds ${name}`, remedy: read(later) };
}

const HARD_LINK = 'is a hard link to what is not there';

const reasonOf = ({ reason, at }: Extract<Followed, { node: null }>) =>
  REASONS[reason](visiblePath(nameText(at)));

const REASONS = {
  missing: (at: string) => `is not in it: there is no ${at}`,
  'not-a-directory': (at: string) => `is not in it: ${at} is no directory`,
  loop: (at: string) => `cannot be reached: the links at ${at} lead in a circle`,
} as const;

const NOUNS: Readonly<Partial<Record<TreeNode['type'], string>>> = {
  directory: 'directory',
  char: 'character device',
  block: 'block device',
  fifo: 'named pipe',
  other: 'file of an unknown type',
};
