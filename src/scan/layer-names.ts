import { posix } from 'node:path';
import type { Limits } from '../limits.js';
import { cleaned, rootedPath, withoutEnds } from './entry-name.js';
import { isDirectoryKind, join, LayerPaths, PATH_MAX, WORK } from './layer-paths.js';
import { type Refusal, RefusalList } from './layer-refusal.js';
import type { NameFacts, OpenPath } from './name-facts.js';
import { kindOf, NAME, NameTable, SEEDS, type Seeds } from './name-table.js';

/** Linux takes no longer name in a path. */
const NAME_MAX = 255;
/** Bytes of what is left for the layers below to answer, and of symbolic links. */
const OPEN_BYTES = 64 * 1024 * 1024;

/**
 * Follows the names of one layer as they pass: which of them are the same once cleaned, and whether an engine can put each
 * where it belongs. What only the layers below can tell is left open, for `image/layer-stack.ts` to close.
 */
export class LayerNames {
  /** The first name that two entries share, bytes one per character; null where there is none. */
  private first: string | null = null;
  private readonly paths: LayerPaths;
  /** Names that are another path than they say: `/a`, `../a`. Two of one path are no duplicates to tar-split. */
  private readonly odd: NameTable;
  private readonly refusals = new RefusalList();
  private readonly implied: OpenPath[] = [];
  private readonly needed: OpenPath[] = [];
  private readonly hardLinks: OpenPath[] = [];
  private readonly whiteouts: OpenPath[] = [];
  private readonly opaque: OpenPath[] = [];
  private readonly aufs = new Set<string>();
  private openBytes = 0;
  private at = 0;
  /** The directory of the last entry: most have the same as the one before. */
  private lastLow = 0;
  private lastHigh = 0;
  /** Where it is, if not where it says; null for there. */
  private lastReal: string | null = null;
  private hasLast = false;

  constructor(
    limits: Pick<Limits, 'layerEntries'>,
    private readonly seeds: Seeds = SEEDS,
  ) {
    this.paths = new LayerPaths(limits.layerEntries, seeds);
    this.odd = new NameTable(limits.layerEntries);
  }

  /** There were more names than are kept, and those that came later were compared with nothing. */
  get isFull(): boolean {
    return this.paths.table.isFull;
  }

  /** The first name that two entries share, as text; null where there is none. */
  get duplicate(): string | null {
    return this.first === null ? null : Buffer.from(this.first, 'latin1').toString();
  }

  /**
   * @param name    bytes, one per character
   * @param flag    the type
   * @param target  of a link
   */
  add(name: string, flag: number, target: string): void {
    this.at++;
    if (this.isFull || this.isSpent) return;
    const bare = withoutEnds(name);
    // What does not look odd on the way needs no cleaning, which takes longer than all else.
    if (this.paths.hash.take(bare)) this.place(bare, flag, target, NAME.listed);
    else this.addOdd(bare, flag, target);
  }

  finish(): NameFacts {
    const { refusals, implied, needed, whiteouts, opaque, seeds, paths } = this;
    if (this.isSpent) refusals.add('too-intricate', '', this.at);
    for (const { path, other, at } of whiteouts)
      if (isDirectoryKind(paths.kind(path)) && !isBare(other))
        refusals.add('whiteout-and-directory', other, at, path);
    const isWhole = !this.isFull && !this.isSpent;
    const hardLinks = this.hardLinks.map(link => ({ ...link, ahead: paths.has(link.other) }));
    return {
      refusals: refusals.all(),
      isWhole,
      seeds,
      table: paths.table.finish(),
      symlinks: paths.symlinks.finish(),
      implied,
      needed,
      hardLinks,
      whiteouts,
      opaque,
    };
  }

  /** More was to be looked up, or to be kept, than is good for anybody: what follows is not looked at. */
  private get isSpent(): boolean {
    return this.paths.work > WORK || this.openBytes > OPEN_BYTES;
  }

  private addOdd(bare: string, flag: number, target: string): void {
    const { hash } = this.paths;
    const clean = cleaned(bare);
    const path = rootedPath(clean);
    let listed: number = NAME.listed;
    if (path !== clean) {
      listed = 0;
      hash.take(clean);
      if (this.odd.put(hash.low, hash.high, NAME.listed) !== 0) this.first ??= clean;
    }
    hash.take(path);
    if (path === '') {
      if (flag !== DIRECTORY) this.refuse('root-replaced', bare);
    } else if (path.startsWith(WHITEOUT_META) && path !== OPAQUE_NAME) this.addMeta(path, flag, listed);
    else if (path.startsWith(WHITEOUT, hash.slash + 1)) this.addWhiteout(path, hash.slash, listed);
    else this.place(path, flag, target, listed);
  }

  /** What AUFS kept for itself is not unpacked; files among it may be linked to. */
  private addMeta(path: string, flag: number, listed: number): void {
    if (path.startsWith(AUFS_LINKS) && flag === REGULAR) this.aufs.add(baseOf(path));
    this.mark(path, NAME.hidden | listed);
  }

  private addWhiteout(path: string, slash: number, listed: number): void {
    const directory = path.slice(0, Math.max(0, slash));
    this.mark(path, NAME.hidden | listed);
    const hidden = path.slice(slash + 1 + WHITEOUT.length);
    // What is marked opaque is not looked into where it is no directory.
    const above = hidden === OPAQUE ? directory.slice(0, Math.max(0, directory.lastIndexOf('/'))) : directory;
    const real = above === '' ? '' : this.walk(above, path);
    if (real === null) return;
    if (hidden === OPAQUE) this.opaque.push(this.open(directory, path));
    else this.addHidden(path, hidden, real);
  }

  /** @param directory  where the whiteout is */
  private addHidden(path: string, hidden: string, directory: string): void {
    const isDots = hidden === '.' || hidden === '..';
    const removed = isDots || hidden === '' ? rootedPath(`${directory}/${hidden}`) : join(directory, hidden);
    if (removed === '') this.refuse('whiteout-of-root', path);
    else if (isDots) this.refuse('whiteout-of-dots', path);
    else if (hidden === '') this.refuse('whiteout-without-name', path);
    else if (this.paths.has(removed)) {
      this.refuse('whiteout-of-own', path, removed);
      this.mark(removed, NAME.hidden);
    }
    if (removed !== '') this.whiteouts.push(this.open(removed, path));
  }

  /** Puts an entry where it belongs. Its path has just been hashed. */
  private place(path: string, flag: number, target: string, listed: number): void {
    const { hash, table } = this.paths;
    const { low, high, slash } = hash;
    const real =
      slash < 0 ? path : this.isBelowLast() ? this.realPath(path, slash) : this.belowOther(path, slash);
    if (path.length > NAME_MAX && isTooLong(path)) this.refuse('name-too-long', path);
    const kind = this.kindFor(real, flag, target);
    // Where links lead elsewhere, only that there is an entry of this name.
    const before = table.put(low, high, (real === path ? kind : NAME.hidden) | listed);
    if ((before & NAME.listed & listed) !== 0) this.first ??= path;
    if (kind !== NAME.directory && isDirectoryKind(kindOf(before))) this.isReplaced();
    if (real !== path) this.mark(real, kind);
  }

  private mark(path: string, value: number): void {
    const before = this.paths.mark(path, value);
    if ((before & NAME.listed & value) !== 0) this.first ??= path;
    if (!isDirectoryKind(kindOf(value)) && isDirectoryKind(kindOf(before))) this.isReplaced();
  }

  private isReplaced(): void {
    this.paths.hasReplaced = true;
    this.hasLast = false;
  }

  private isBelowLast(): boolean {
    const { hash } = this.paths;
    return this.hasLast && hash.parentLow === this.lastLow && hash.parentHigh === this.lastHigh;
  }

  private realPath(path: string, slash: number): string {
    return this.lastReal === null ? path : join(this.lastReal, path.slice(slash + 1));
  }

  private belowOther(path: string, slash: number): string {
    const { hash, table, hasReplaced } = this.paths;
    const { parentLow, parentHigh } = hash;
    let real: string | null = null;
    if (hasReplaced || !isDirectoryKind(kindOf(table.get(parentLow, parentHigh)))) {
      const directory = path.slice(0, slash);
      real = this.walk(directory, path);
      if (real === null) return path;
      if (real === directory) real = null;
    }
    this.lastLow = parentLow;
    this.lastHigh = parentHigh;
    this.lastReal = real;
    this.hasLast = true;
    return this.realPath(path, slash);
  }

  private kindFor(path: string, flag: number, target: string): number {
    if (flag === DIRECTORY) return NAME.directory;
    if (flag === SYMLINK) {
      if (target.length === 0 || target.length >= PATH_MAX) this.refuse('link-without-target', path, target);
      return this.addSymlink(path, target);
    }
    if (flag === HARD_LINK) return this.hardLink(path, target);
    if (!(flag >= FIRST_TYPE && flag <= LAST_TYPE))
      this.refuse('unknown-type', path, String.fromCharCode(flag));
    return NAME.leaf;
  }

  private addSymlink(path: string, target: string): number {
    this.openBytes += path.length + target.length;
    if (this.openBytes <= OPEN_BYTES) this.paths.symlinks.add(path, target);
    return NAME.symlink;
  }

  private hardLink(path: string, written: string): number {
    if (posix.normalize(written).startsWith(AUFS_LINKS)) {
      if (!this.aufs.has(baseOf(written))) this.refuse('aufs-link', path, written);
      return NAME.leaf;
    }
    const target = rootedPath(written);
    // It is removed before it is linked to.
    if (target === path) {
      this.refuse('hard-link-to-itself', path, target);
      return NAME.leaf;
    }
    const real = this.targetOf(target);
    const kind = real === null ? 0 : this.paths.kind(real);
    if (target === '' || isDirectoryKind(kind)) this.refuse('hard-link-to-directory', path, target);
    else if (real === null) this.refuse('hard-link-to-nothing', path, target);
    else if (kind === NAME.symlink) return this.addSymlink(path, this.paths.symlinks.get(real) ?? '');
    else if (kind !== NAME.leaf) this.hardLinks.push(this.open(path, real));
    return NAME.leaf;
  }

  /** Where the target of a hard link is as far as this layer tells; null where a file of it is in the way. */
  private targetOf(target: string): string | null {
    const { paths } = this;
    const slash = target.lastIndexOf('/');
    if (slash < 0 || (!paths.hasReplaced && paths.has(target))) return target;
    const directory = paths.follow(target.slice(0, slash), () => {});
    return typeof directory === 'string' ? join(directory, target.slice(slash + 1)) : null;
  }

  /** The directory at a path, which is made where it is missing; null where it cannot be one. */
  private walk(path: string, entry: string): string | null {
    let deepest = '';
    const found = this.paths.follow(path, (missing, link) => {
      this.mark(missing, NAME.implied);
      if (link === null) deepest = missing;
      else this.needed.push(this.open(missing, link));
    });
    if (deepest !== '') this.implied.push(this.open(deepest, entry));
    if (typeof found === 'string') return found;
    this.refuse(found.isLoop ? 'link-loop' : 'file-as-directory', found.path, entry);
    return null;
  }

  private open(path: string, other: string): OpenPath {
    this.openBytes += path.length + other.length + 64;
    return this.openBytes > OPEN_BYTES ? NOTHING : { path, other, at: this.at };
  }

  private refuse(kind: Refusal['kind'], path: string, other = ''): void {
    this.refusals.add(kind, path, this.at, other);
  }
}

/** In place of what is too much to be kept. */
const NOTHING: OpenPath = { path: '', other: '', at: 0 };

const WHITEOUT = '.wh.';
const WHITEOUT_META = '.wh..wh.';
const OPAQUE = '.wh..opq';
const OPAQUE_NAME = '.wh..wh..opq';
const AUFS_LINKS = '.wh..wh.plnk';

const [REGULAR, HARD_LINK, SYMLINK, DIRECTORY] = [0x30, 0x31, 0x32, 0x35];
const [FIRST_TYPE, LAST_TYPE] = [0x30, 0x36];

const baseOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** A whiteout that removes the directory that it is in. */
const isBare = (path: string) => /(^|\/)\.wh\.{1,3}$/.test(path);

const isTooLong = (path: string) =>
  path.length + 1 >= PATH_MAX || path.split('/').some(part => part.length > NAME_MAX);
