import { createHash } from 'node:crypto';
import type { Member } from '../containers/source.js';
import type { BlobFacts } from '../scan/blob/facts.js';
import { digestOf } from '../scan/entries/content.js';
import { nameText, rootedPath } from '../scan/entries/name.js';
import { type Entry, type EntryTable, entryAt, nameAt, targetAt, typeAt } from '../scan/entries/table.js';
import type { Scan } from '../scan/scan.js';
import { isWhiteout } from '../spec/whiteout.js';

/**
 * The hash of a layer's files: the same for two tars of one tree, whatever their order, headers and times. null where
 * not all entries and contents were read: at another depth than `files` with digests, and after a fault.
 */
export function treeHash(scan: Scan, member: Member): string | null {
  const known = scan.once(hashesOf, scan);
  if (!known.has(member)) known.set(member, hashOf(scan.facts(member)));
  return known.get(member)!;
}

const hashesOf = (_: Scan) => new Map<Member, string | null>();

function hashOf(facts: BlobFacts | null): string | null {
  if (facts === null || facts.failure !== null) return null;
  // An empty file is a layer without files to every engine.
  if (facts.unpacked?.size === 0) return `sha256:${createHash('sha256').digest('hex')}`;
  const { tar } = facts;
  const table = tar?.table ?? null;
  if (tar === null || tar.error !== null || table === null || table.truncated !== null) return null;
  // Beyond `layerEntries` only names were not compared; beyond other limits data is missing.
  if (tar.reached.some(({ limit }) => limit !== 'layerEntries')) return null;
  return tableHash(table);
}

/** @param table  all entries of a layer, with the digests of their contents */
function tableHash(table: EntryTable): string | null {
  const paths = Array.from({ length: table.count }, (_, i) => rootedPath(nameAt(table, i)));
  const links = new HardLinks(table, paths);
  const order = paths.map((_, i) => i);
  // Entries of one path stay in their order, because the later one replaces the earlier.
  order.sort((a, b) => (paths[a]! < paths[b]! ? -1 : paths[a]! > paths[b]! ? 1 : a - b));
  const isOrdered = links.areOrdered || hasBelowFile(table, paths, order);
  const hash = createHash('sha256');
  for (const i of isOrdered ? paths.keys() : order) {
    const line = lineOf(table, i, paths[i]!, links);
    if (line === null) return null;
    hash.update(line);
  }
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Whether a path lies below one that an entry names as a link or a file. Two names can then be one path, and which
 * entry comes later decides what is there.
 * @param order  the entries by their paths
 */
function hasBelowFile(table: EntryTable, paths: readonly string[], order: readonly number[]): boolean {
  return paths.some((path, index) => {
    if (path === '' || typeAt(table, index) === 'directory' || isWhiteout(path)) return false;
    const folder = `${path}/`;
    let low = 0;
    for (let high = order.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (paths[order[middle]!]! < folder) low = middle + 1;
      else high = middle;
    }
    return low < order.length && paths[order[low]!]!.startsWith(folder);
  });
}

/** An entry as a line of JSON; null where its content is not known. docs/lock.md describes it. */
function lineOf(table: EntryTable, index: number, path: string, links: HardLinks): string | null {
  const name = nameText(path);
  // A whiteout hides what lies below. Its mode, owner and content mean nothing, and each tool writes others.
  if (isWhiteout(path)) return `${JSON.stringify([name, 'whiteout'])}\n`;
  const root = links.rootOf(index);
  const held = entryAt(table, root ?? index);
  const content = held.type === 'file' ? digestOf(table, root ?? index) : detailOf(held);
  if (held.type === 'file' && content === null) return null;
  const group = root === null ? null : links.groupOf(root);
  const [mode, owner, attributes] = propertiesOf(table, index);
  return `${JSON.stringify([name, held.type, mode, owner, content, group, attributes])}\n`;
}

/** The mode, owner and extended attributes of an entry. */
function propertiesOf(table: EntryTable, index: number): [mode: string, owner: string, attributes: object] {
  const { mode, uid, gid, xattrs } = entryAt(table, index);
  const attributes = Object.fromEntries(
    [...xattrs]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(attribute => [attribute.name, Buffer.from(attribute.value).toString('base64')]),
  );
  return [mode.toString(8).padStart(4, '0'), `${uid}:${gid}`, attributes];
}

/** The target of a link, the number of a device; null for a directory. */
function detailOf({ type, target, device, flag }: Entry): string | null {
  if (target !== null) return nameText(target);
  if (device !== null) return `${device.major}:${device.minor}`;
  return type === 'other' ? flag : null;
}

/**
 * The hard links of a layer. Which of several names holds the content depends on the tool that wrote the tar, so that
 * all of them are one file with several names.
 */
class HardLinks {
  private readonly byPath = new Map<string, number>();
  private readonly names = new Map<number, string>();
  private readonly counts = new Map<number, number>();
  private readonly roots = new Map<number, number | null>();
  /**
   * True if the order of the entries says what a link is: one that has other properties than its file, of which engines
   * set the last, and one whose target no earlier entry has.
   */
  areOrdered = false;

  constructor(
    private readonly table: EntryTable,
    paths: readonly string[],
  ) {
    for (let i = 0; i < table.count; i++) {
      const isLink = typeAt(table, i) === 'hardlink';
      const root = isLink ? this.targetOf(i) : i;
      this.areOrdered ||= isLink && (root === null || !this.isLike(root, i));
      this.roots.set(i, root);
      if (root !== null) this.join(root, paths[i]!);
      this.byPath.set(paths[i]!, i);
    }
  }

  /** The entry that holds the content of an entry; null for a link to a path that no earlier entry of the layer has. */
  rootOf(index: number): number | null {
    return this.roots.get(index) ?? null;
  }

  /** The first of the names of a file that has several; null for a file with one name. */
  groupOf(root: number): string | null {
    return (this.counts.get(root) ?? 0) > 1 ? nameText(this.names.get(root)!) : null;
  }

  private isLike(root: number, link: number): boolean {
    const [one, other] = [root, link].map(index => JSON.stringify(propertiesOf(this.table, index)));
    return one === other;
  }

  private targetOf(index: number): number | null {
    const target = this.byPath.get(rootedPath(targetAt(this.table, index)));
    return target === undefined ? null : this.rootOf(target);
  }

  private join(root: number, path: string): void {
    const first = this.names.get(root);
    if (first === undefined || path < first) this.names.set(root, path);
    this.counts.set(root, (this.counts.get(root) ?? 0) + 1);
  }
}
