import type { Limits } from '../../limits.js';
import {
  AUFS_LINKS,
  isWhiteout,
  OPAQUE_HIDDEN,
  OPAQUE_WHITEOUT,
  WHITEOUT,
  WHITEOUT_META,
} from '../../spec/whiteout.js';
import { cleanPath } from '../../tar/path.js';
import { rootedPath, withoutEnds } from '../entries/name.js';
import {
  type ImpliedPath,
  type NameFacts,
  type OpenPath,
  type Refusal,
  type RefusalKind,
  RefusalList,
} from './facts.js';
import { isDirectoryKind, join, LayerPaths, PATH_MAX } from './paths.js';
import { kindOf, NAME, NameTable, SEEDS, type Seeds } from './table.js';

/** Cap on the bytes of paths that the layers below have to resolve, and of symbolic links. */
const OPEN_BYTES = 64 * 1024 * 1024;

/** Placeholder for a path that is not kept because of the cap. */
const NOTHING: OpenPath = { path: '', other: '', at: 0 };

/** The directories on the way to one path that a layer does not have. */
class MissingPath {
  path = '';
  first = 0;

  /** @param path  of the next one below those before it */
  add(path: string): void {
    if (this.path === '') this.first = path.length;
    this.path = path;
  }
}

/** The state of a layer's names up to the current entry. */
class LayerState {
  readonly paths: LayerPaths;
  readonly refusals = new RefusalList();
  readonly implied: ImpliedPath[] = [];
  readonly needed: OpenPath[] = [];
  /** The first path that two entries share, bytes one per character; null if there is none. */
  duplicate: string | null = null;
  /** Number of the current entry, from 1. */
  at = 0;
  openBytes = 0;

  constructor(most: number, seeds: Seeds) {
    this.paths = new LayerPaths(most, seeds);
  }

  /** True if the bounds on lookups or on kept names were reached: the rest of the layer is not examined. */
  get isSpent(): boolean {
    return this.paths.isSpent || this.openBytes > OPEN_BYTES;
  }

  /** Records the type of a path. */
  mark(path: string, value: number): void {
    this.marked(path, value, this.paths.mark(path, value));
  }

  /** @param before  the value recorded for the path until now */
  marked(path: string, value: number, before: number): void {
    if ((before & NAME.listed & value) !== 0) this.duplicate ??= path;
    if (isDirectoryKind(kindOf(value)) || !isDirectoryKind(kindOf(before))) return;
    this.paths.hasReplaced = true;
    // Engines set the times of a layer's directories at its end, which fails if one was replaced.
    if ((before & NAME.holdsListed) !== 0) this.refuse('directory-replaced', path);
  }

  /**
   * The directory at a path, created if it is missing; null if there cannot be one.
   * @param entry  the entry that needs it
   */
  walk(path: string, entry: string): string | null {
    const own = new MissingPath();
    const { paths } = this;
    const found = paths.follow(path, (missing, link, isHere) => {
      const before = isHere ? paths.markHere(NAME.implied) : paths.mark(missing, NAME.implied);
      this.marked(missing, NAME.implied, before);
      if (isHere) paths.holdHere(NAME.holdsImplied);
      else paths.hold(missing, NAME.holdsImplied);
      if (link === null) own.add(missing);
      else this.needed.push(this.open(missing, link));
    });
    this.imply(own, entry);
    if (typeof found === 'string') return found;
    this.refuse(found.isLoop ? 'link-loop' : 'file-as-directory', found.path, entry);
    return null;
  }

  /** Records directories that are missing, and the entry that needs them. */
  imply({ path, first }: MissingPath, entry: string): void {
    if (path !== '') this.implied.push({ ...this.open(path, entry), first });
  }

  open(path: string, other: string): OpenPath {
    return this.hasRoom(path.length + other.length + 64) ? { path, other, at: this.at } : NOTHING;
  }

  hasRoom(bytes: number): boolean {
    this.openBytes += bytes;
    return this.openBytes <= OPEN_BYTES;
  }

  refuse(kind: Refusal['kind'], path: string, other = ''): void {
    this.refusals.add(kind, path, this.at, other);
  }
}

/** Collects the whiteouts of one layer during the pass over its entries. */
class LayerWhiteouts {
  readonly removed: OpenPath[] = [];
  readonly opaque: OpenPath[] = [];

  constructor(private readonly state: LayerState) {}

  /** @param slash  index of the last slash of the path; -1 if it has none */
  add(path: string, slash: number, listed: number): void {
    const { state } = this;
    const directory = path.slice(0, Math.max(0, slash));
    state.mark(path, NAME.hidden | listed);
    const hidden = path.slice(slash + 1 + WHITEOUT.length);
    if (hidden === OPAQUE_HIDDEN) this.addOpaque(path, directory);
    else {
      const real = this.walk(directory, path);
      if (real === null) return;
      if (real !== directory) state.refuse('whiteout-through-link', path, directory);
      this.remove(path, hidden, real);
    }
  }

  /** Applies the whiteouts after all entries have been seen. */
  finish(): void {
    const { state } = this;
    for (const { path, other, at } of this.removed) {
      const kind = isBare(other) ? 0 : state.paths.kind(path);
      if (kind === NAME.directory) state.refusals.add('whiteout-and-directory', other, at, path);
      else if (kind === NAME.implied) state.refusals.add('below-whiteout', other, at, path);
    }
  }

  /** Entries of this layer in directories that no entry names are removed together with those of lower layers. */
  private addOpaque(path: string, directory: string): void {
    const { state } = this;
    // The path need not be a directory, but its parents must be.
    const above = directory.slice(0, Math.max(0, directory.lastIndexOf('/')));
    const real = this.walk(above, path);
    if (real === null) return;
    const value = state.paths.value(directory);
    if (real !== above || kindOf(value) === NAME.symlink)
      state.refuse('whiteout-through-link', path, directory);
    if ((value & NAME.holdsImplied) !== 0) state.refuse('opaque-after-own', path, directory);
    if (kindOf(value) === 0) state.mark(directory, NAME.touched);
    this.opaque.push(state.open(directory, path));
  }

  /** @param directory  of the whiteout */
  private remove(path: string, hidden: string, directory: string): void {
    const { state } = this;
    const isDots = hidden === '.' || hidden === '..';
    const removed = isDots || hidden === '' ? rootedPath(`${directory}/${hidden}`) : join(directory, hidden);
    if (removed === '') state.refuse('whiteout-of-root', path);
    else if (isDots) state.refuse('whiteout-of-dots', path);
    else if (hidden === '') state.refuse('whiteout-without-name', path);
    else this.removeOwn(path, removed);
    if (removed !== '') this.removed.push(state.open(removed, path));
  }

  private removeOwn(path: string, removed: string): void {
    const { state } = this;
    const kind = kindOf(state.paths.value(removed));
    if (kind === 0 || kind === NAME.hidden) return;
    state.refuse(kind === NAME.touched ? 'whiteout-after-below' : 'whiteout-of-own', path, removed);
    if (kind === NAME.directory) state.refuse('directory-replaced', removed);
    state.mark(removed, NAME.hidden);
  }

  /** The directory of a whiteout. It need not exist to remove something in it, but nothing else may be in its place. */
  private walk(path: string, entry: string): string | null {
    const { state } = this;
    if (path === '') return '';
    const own = new MissingPath();
    const { paths } = state;
    const found = paths.follow(path, (missing, link, isHere) => {
      if (link !== null) state.refuse('link-to-lower', link, entry);
      else own.add(missing);
      const before = isHere ? paths.markHere(NAME.touched) : paths.mark(missing, NAME.touched);
      state.marked(missing, NAME.touched, before);
    });
    state.imply(own, entry);
    if (typeof found === 'string') return found;
    state.refuse(found.isLoop ? 'link-loop' : 'whiteout-below-file', found.path, entry);
    return null;
  }
}

/** The first directory above a path that has the name of a whiteout; null if there is none. */
function whiteoutAbove(path: string): string | null {
  const at = path.startsWith(WHITEOUT) ? 0 : path.indexOf(`/${WHITEOUT}`) + 1;
  const end = path.indexOf('/', at);
  return end < 0 || !path.startsWith(WHITEOUT, at) ? null : path.slice(0, end);
}

/** True for a whiteout that removes its own directory. */
const isBare = (path: string) => /(^|\/)\.wh\.{1,3}$/.test(path);

/** Linux's limit on the length of a name, in bytes. */
const NAME_MAX = 255;

/**
 * Processes the names of one layer: finds names that are equal after cleaning, and decides whether an engine can create
 * each entry. Cases that depend on the layers below are left open for `filesystem/layer-stack.ts`.
 */
export class LayerNames {
  private readonly state: LayerState;
  private readonly whiteouts: LayerWhiteouts;
  /**
   * Names whose path is not clean: `/a`, `../a`. tar-split compares names as written, so two of one path are not
   * duplicates.
   */
  private readonly odd: NameTable;
  private readonly hardLinks: OpenPath[] = [];
  private readonly aufs = new Set<string>();
  /** The directory of the previous entry: most entries have the same one. */
  private lastLow = 0;
  private lastHigh = 0;
  /** The real path of that directory if links change it; null if it is the written one. */
  private lastReal: string | null = null;
  private hasLast = false;

  constructor(
    limits: Pick<Limits, 'layerEntries'>,
    private readonly seeds: Seeds = SEEDS,
  ) {
    this.state = new LayerState(limits.layerEntries, seeds);
    this.whiteouts = new LayerWhiteouts(this.state);
    this.odd = new NameTable(limits.layerEntries);
  }

  /** True if more names occurred than are kept; later names were not compared. */
  get isFull(): boolean {
    return this.state.paths.table.isFull;
  }

  /** The first path that two entries share, as text; null if there is none. */
  get duplicate(): string | null {
    const { duplicate } = this.state;
    return duplicate === null ? null : Buffer.from(duplicate, 'latin1').toString();
  }

  /**
   * @param name    bytes, one per character
   * @param flag    the type
   * @param target  of a link
   */
  add(name: string, flag: number, target: string): void {
    const { state } = this;
    state.at++;
    if (this.isFull || state.isSpent) return;
    const bare = withoutEnds(name);
    // Cleaning takes longer than everything else, so a name that cannot be unclean is used as it is.
    if (state.paths.hash.take(bare)) this.place(bare, flag, target, NAME.listed);
    else this.addOdd(bare, flag, target);
  }

  /**
   * Records a refusal of the last entry that is not about its name. A whiteout is not unpacked, so it is not refused.
   */
  refuse(kind: RefusalKind, name: string, other: string): void {
    const bare = withoutEnds(name);
    if (!isWhiteout(bare)) this.state.refuse(kind, bare, other);
  }

  /** tar-split treats a global PAX header as an entry, although it describes none. */
  addGlobal(name: string): void {
    const { paths } = this.state;
    const path = cleanPath(withoutEnds(name));
    if (!this.isFull) this.state.mark(path, kindOf(paths.value(path)) | NAME.listed);
  }

  finish(): NameFacts {
    const { state, whiteouts, seeds } = this;
    const { paths, refusals, implied, needed } = state;
    if (state.isSpent) refusals.add('too-intricate', '', state.at);
    whiteouts.finish();
    return {
      refusals: refusals.all(),
      isWhole: !this.isFull && !state.isSpent,
      seeds,
      table: paths.table.finish(),
      symlinks: paths.symlinks.finish(),
      implied,
      needed,
      hardLinks: this.hardLinks.map(link => ({ ...link, ahead: paths.has(link.other) })),
      whiteouts: whiteouts.removed,
      opaque: whiteouts.opaque,
    };
  }

  private addOdd(bare: string, flag: number, target: string): void {
    const { state } = this;
    const { hash } = state.paths;
    const clean = cleanPath(bare);
    const path = rootedPath(clean);
    let listed: number = NAME.listed;
    if (path !== clean) {
      listed = 0;
      hash.take(clean);
      if (this.odd.put(hash.low, hash.high, NAME.listed) !== 0) state.duplicate ??= clean;
    }
    hash.take(path);
    const odd = whiteoutAbove(path);
    if (odd !== null)
      state.refuse(odd.startsWith(WHITEOUT_META) ? 'aufs-metadata' : 'whiteout-as-directory', odd, path);
    if (path === '') {
      if (flag !== DIRECTORY) state.refuse('root-replaced', bare);
    } else if (path.startsWith(WHITEOUT_META) && path !== OPAQUE_WHITEOUT) this.addMeta(path, flag, listed);
    else if (path.startsWith(WHITEOUT, hash.slash + 1)) this.whiteouts.add(path, hash.slash, listed);
    else this.place(path, flag, target, listed);
  }

  /** AUFS metadata is not unpacked, but hard links may refer to files in it. */
  private addMeta(path: string, flag: number, listed: number): void {
    if (path.startsWith(AUFS_LINKS) && flag === REGULAR) this.aufs.add(baseOf(path));
    this.state.mark(path, NAME.hidden | listed);
  }

  /** Records an entry at its real path. Its written path has just been hashed. */
  private place(path: string, flag: number, target: string, listed: number): void {
    const { state } = this;
    const { hash, table } = state.paths;
    const { low, high, slash } = hash;
    const real =
      slash < 0 ? path : this.isBelowLast() ? this.realPath(path, slash) : this.belowOther(path, slash);
    if (path.length > NAME_MAX && isTooLong(path)) state.refuse('name-too-long', path);
    const kind = this.kindFor(real, flag, target);
    // If links lead elsewhere, the written path only records that there is an entry of this name.
    const value = (real === path ? kind : NAME.hidden) | listed;
    state.marked(path, value, table.put(low, high, value));
    if (real !== path) state.mark(real, kind);
    if (kind === NAME.directory) state.paths.hold(real, NAME.holdsListed);
  }

  private isBelowLast(): boolean {
    const { hash, hasReplaced } = this.state.paths;
    const isSame = hash.parentLow === this.lastLow && hash.parentHigh === this.lastHigh;
    return this.hasLast && isSame && !hasReplaced;
  }

  private realPath(path: string, slash: number): string {
    return this.lastReal === null ? path : join(this.lastReal, path.slice(slash + 1));
  }

  private belowOther(path: string, slash: number): string {
    const { hash, table, hasReplaced } = this.state.paths;
    const { parentLow, parentHigh } = hash;
    let real: string | null = null;
    if (hasReplaced || !isDirectoryKind(kindOf(table.get(parentLow, parentHigh)))) {
      const directory = path.slice(0, slash);
      real = this.state.walk(directory, path);
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
      const isWrong = target.length === 0 || target.length >= PATH_MAX;
      if (isWrong) this.state.refuse('link-without-target', path, target);
      return this.addSymlink(path, target);
    }
    if (flag === HARD_LINK) return this.hardLink(path, target);
    if (!(flag >= FIRST_TYPE && flag <= LAST_TYPE))
      this.state.refuse('unknown-type', path, String.fromCharCode(flag));
    return NAME.leaf;
  }

  private addSymlink(path: string, target: string): number {
    const { state } = this;
    if (state.hasRoom(path.length + target.length)) state.paths.symlinks.add(path, target);
    return NAME.symlink;
  }

  private hardLink(path: string, written: string): number {
    const { state } = this;
    if (cleanPath(written).startsWith(AUFS_LINKS)) {
      if (!this.aufs.has(baseOf(written))) state.refuse('aufs-link', path, written);
      return NAME.leaf;
    }
    const target = rootedPath(written);
    // An existing object of that name is removed before the link is created, with everything below it.
    if (target === path || target.startsWith(`${path}/`)) {
      state.refuse(target === path ? 'hard-link-to-itself' : 'hard-link-to-nothing', path, target);
      return NAME.leaf;
    }
    const real = this.targetOf(target);
    const kind = real === null ? 0 : state.paths.kind(real);
    if (target === '' || isDirectoryKind(kind)) state.refuse('hard-link-to-directory', path, target);
    else if (real === null) state.refuse('hard-link-to-nothing', path, target);
    else if (kind === NAME.symlink) return this.addSymlink(path, state.paths.symlinks.get(real) ?? '');
    else if (kind !== NAME.leaf) this.hardLinks.push(state.open(path, real));
    return NAME.leaf;
  }

  /**
   * The real path of a hard link's target as far as this layer determines it; null if a file of this layer blocks it.
   */
  private targetOf(target: string): string | null {
    const { paths } = this.state;
    const slash = target.lastIndexOf('/');
    if (slash < 0 || (!paths.hasReplaced && paths.has(target))) return target;
    const directory = paths.follow(target.slice(0, slash), () => {});
    return typeof directory === 'string' ? join(directory, target.slice(slash + 1)) : null;
  }
}

const [REGULAR, HARD_LINK, SYMLINK, DIRECTORY] = [0x30, 0x31, 0x32, 0x35];
const [FIRST_TYPE, LAST_TYPE] = [0x30, 0x36];

const baseOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

const isTooLong = (path: string) =>
  path.length + 1 >= PATH_MAX || path.split('/').some(part => part.length > NAME_MAX);
