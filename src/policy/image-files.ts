import type { FileTree, TreeNode } from '../filesystem/file-tree.js';
import type { Gone } from '../filesystem/layer-changes.js';
import { contentOf } from '../scan/entries/content.js';
import { nameBytes, nameText, rootedPath } from '../scan/entries/name.js';
import {
  type Entry,
  type EntryTable,
  type EntryType,
  entryAt,
  hasDetails,
  typeAt,
} from '../scan/entries/table.js';
import type { ImageSubject } from './subject.js';

/** Where rules look for files: in the image as it runs, or also at what later layers deleted or replaced. */
export type Extent = 'image' | 'layers';

/** A name in the file system of an image, or an entry of a layer that a later layer hides. */
export class ImageFile {
  constructor(
    /** That of the file: a hard link has the type of what it is a name of. */
    readonly type: EntryType,
    /** The layer that put this name there: an index into the image's. */
    readonly layer: number,
    /** null for what can be seen in the image. */
    readonly gone: Gone | null,
    private readonly table: EntryTable | null,
    private readonly index: number,
    private readonly source: { readonly path: string; readonly entry: Entry },
    /**
     * The name, as bytes, of the hard link whose entry has these attributes; null for the file's own. See
     * `Inode.linkEntries`.
     */
    private readonly linkName: string | null = null,
  ) {}

  /** The index of the entry in the table of its layer. */
  get entryIndex(): number {
    return this.index;
  }

  /** As text, without a leading slash; see `nameText`. */
  get path(): string {
    return nameText(this.source.path);
  }

  /** The hard link whose entry has these attributes, as text; null if they are the file's own. */
  get link(): string | null {
    return this.linkName === null ? null : nameText(this.linkName);
  }

  /** Permission bits with setuid, setgid and sticky. */
  get mode(): number {
    return this.table === null ? this.source.entry.mode : this.table.modes[this.index]!;
  }

  get entry(): Entry {
    return this.source.entry;
  }

  /** Whether it may have extended attributes or a device number. */
  get hasDetails(): boolean {
    return this.table !== null && hasDetails(this.table, this.index);
  }

  /** The content, where it was kept; null where it was not. */
  get content(): Uint8Array | null {
    return this.table === null ? null : contentOf(this.table, this.index);
  }
}

/** A name of the tree. */
export function fileOf({ tables }: ImageSubject, node: TreeNode): ImageFile {
  const { inode } = node;
  const table = inode.index < 0 ? null : (tables[inode.layer] ?? null);
  return new ImageFile(inode.type, node.layer, null, table, inode.index, node);
}

/**
 * Every name in an image, and with `layers` every entry that a later layer hides. Each name of a file comes by itself.
 */
export function* imageFiles(subject: ImageSubject, extent: Extent): Generator<ImageFile> {
  for (const node of subject.unpacked.tree.nodes) yield fileOf(subject, node);
  if (extent === 'image') return;
  for (const entry of subject.hiddenEntries) {
    const { table, index } = entry.at;
    yield new ImageFile(entry.type, entry.layer, entry.gone, table, index, entry);
  }
}

/**
 * Files that may have setuid, setgid, capabilities or a device number, or that any user may write: few have, and the
 * rules about them look at these alone.
 */
export function unusualFilesOf(subject: ImageSubject, extent: Extent): readonly ImageFile[] {
  const { unpacked } = subject;
  const unusualEntries = subject.tables.map(unusualIn);
  const seen: ImageFile[] = [];
  const isUnusual = (layer: number, index: number) => index >= 0 && unusualEntries[layer]?.[index] === 1;
  if (unusualEntries.every(flags => flags === null)) return seen;
  for (const node of unpacked.tree.passing) {
    const { layer, index } = node.inode;
    if (isUnusual(layer, index)) seen.push(fileOf(subject, node));
    if (subject.differingLinks.size > 0)
      seen.push(...linkedFiles(subject, node).filter(file => isUnusual(file.layer, file.entryIndex)));
  }
  if (extent === 'image') return seen;
  for (const entry of subject.hiddenEntries) {
    const { table, index } = entry.at;
    if (isUnusual(entry.layer, index))
      seen.push(new ImageFile(entry.type, entry.layer, entry.gone, table, index, entry));
  }
  return seen;
}

/** Different attributes that hard links give to one file, and names of it with these. More have no honest use. */
const MOST_LINKED = 8;
const MOST_LINKED_NAMES = 10_000;

/** The entries of hard links that give their file other attributes, by file: of equal ones the first. */
export type LinkedFiles = ReadonlyMap<TreeNode['inode'], TreeNode['inode']['linkEntries']>;

/** @param tables  of the layers that the tree was made of */
export function differingLinks({ relinked }: FileTree, tables: readonly (EntryTable | null)[]): LinkedFiles {
  const found = new Map<TreeNode['inode'], TreeNode['inode']['linkEntries']>();
  for (const inode of relinked) {
    const seen = new Set([attributesAt(tables[inode.layer]!, inode.index)]);
    const differing = inode.linkEntries.filter(({ layer, index }) => {
      const attributes = attributesAt(tables[layer]!, index);
      return !seen.has(attributes) && seen.add(attributes) && seen.size <= MOST_LINKED + 2;
    });
    if (differing.length > 0) found.set(inode, differing);
  }
  return found;
}

function attributesAt(table: EntryTable, index: number): string {
  const { mode, uid, gid, xattrs } = entryAt(table, index);
  return JSON.stringify([mode, uid, gid, ...xattrs.map(({ name, value }) => [name, [...value]])]);
}

const isOverlinked = ({ links }: TreeNode['inode'], differing: number): boolean =>
  differing > MOST_LINKED || differing * links > MOST_LINKED_NAMES;

/**
 * A name of the tree with the attributes of each hard link that gives its file others; none for a file with more than
 * are looked at: see `overlinkedFile`.
 */
export function linkedFiles(subject: ImageSubject, { path, inode }: TreeNode): readonly ImageFile[] {
  const differing = subject.differingLinks.get(inode) ?? [];
  if (isOverlinked(inode, differing.length)) return [];
  return differing.map(({ layer, index }) => {
    const table = subject.tables[layer]!;
    const entry = entryAt(table, index);
    return new ImageFile(inode.type, layer, null, table, index, { path, entry }, rootedPath(entry.name));
  });
}

/** A file to which hard links give more attributes than are looked at; null if there is none. */
export function overlinkedFile({ differingLinks: links, unpacked }: ImageSubject): string | null {
  const over = [...links].find(([inode, { length }]) => isOverlinked(inode, length))?.[0];
  const node = over && unpacked.tree.nodes.find(({ inode }) => inode === over);
  return node === undefined ? null : nameText(node.path);
}

const UNUSUAL_MODE = 0o6002;
const UNUSUAL_TYPES: ReadonlySet<EntryType> = new Set(['char', 'block']);

/** Marks what of a layer may be unusual; null for a layer that has nothing of it. */
function unusualIn(table: EntryTable | null): Uint8Array | null {
  if (table === null) return null;
  let flags: Uint8Array | null = null;
  for (let index = 0; index < table.count; index++) {
    const type = typeAt(table, index);
    const isOdd = (table.modes[index]! & UNUSUAL_MODE) !== 0 && type !== 'symlink';
    if (!isOdd && !UNUSUAL_TYPES.has(type) && !hasDetails(table, index)) continue;
    flags ??= new Uint8Array(table.count);
    flags[index] = 1;
  }
  return flags;
}

/** The file at a path as lstat(2) in the image finds it: links on the way are followed, but not one at the end. */
export function lstat(subject: ImageSubject, path: string): TreeNode | null {
  const { tree } = subject.unpacked;
  const names = nameBytes(path)
    .split('/')
    .filter(name => name !== '' && name !== '.');
  const last = names.pop();
  if (last === undefined) return tree.root;
  if (last === '..') return tree.follow(nameBytes(path)).node;
  return tree.follow(names.join('/')).node?.children?.get(last) ?? null;
}

/** The file at a path as stat(2) in the image finds it: all links are followed. */
export const stat = (subject: ImageSubject, path: string): TreeNode | null =>
  subject.unpacked.tree.follow(nameBytes(path)).node;

/** For people: the hard link whose entry sets an attribute. */
export const linkText = ({ link }: { readonly link: string | null }): string =>
  link === null ? '' : `, by the entry of the hard link /${link}`;

/** For people: what became of an entry of a layer. */
export const goneText = ({ gone }: { readonly gone: Gone | null }): string =>
  gone === null ? '' : `, ${gone.how} by layer ${gone.by + 1} and still shipped`;
