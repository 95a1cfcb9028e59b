import {
  type ImpliedPath,
  type NameFacts,
  type OpenPath,
  type Refusal,
  RefusalList,
} from '../scan/names/facts.js';
import { HOPS, isDirectoryKind, join, PATH_MAX, PathHash, SymlinkTargets } from '../scan/names/paths.js';
import { kindOf, lookUp, NAME } from '../scan/names/table.js';
import type { Scan } from '../scan/scan.js';
import { isWhiteout } from '../spec/whiteout.js';

/**
 * The result of looking up a path in one layer: a type in `NAME`, that the layer hides the path in lower layers, or
 * nothing.
 */
const HIDES = -1;

/** The names of one layer, at the paths that they have once the links of lower layers have been followed. */
class LayerView {
  private readonly hash: PathHash;
  private links: SymlinkTargets | null = null;
  /** Paths as the layer writes them, with the paths that they have after links are followed, if these differ. */
  private readonly aliases = new Map<string, string>();
  private whiteouts: ReadonlySet<string> | null = null;
  private opaque: ReadonlySet<string> | null = null;

  /** @param real  returns a path with the links of lower layers followed; called when it is first needed */
  constructor(
    readonly names: NameFacts,
    private readonly real: (path: string) => string,
  ) {
    this.hash = new PathHash(names.seeds);
  }

  /** True if the layer has a whiteout of exactly this path. */
  removes(path: string): boolean {
    this.whiteouts ??= new Set(this.names.whiteouts.map(one => this.real(one.path)));
    return this.whiteouts.has(path);
  }

  private empties(path: string): boolean {
    this.opaque ??= new Set(this.names.opaque.map(one => this.real(one.path)));
    return this.opaque.has(path);
  }

  addAlias(written: string, real: string): void {
    this.aliases.set(written, real);
  }

  /** An upper bound of the bytes that looking up a path compares. */
  cost(path: string): number {
    let parts = 1;
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) parts++;
    return parts * (path.length + 16 * this.aliases.size);
  }

  /** The entry of the layer at a path: its type in `NAME`, `HIDES`, or 0 if the layers below decide. */
  at(path: string): number {
    const own = this.named(path);
    if (own !== 0) return own;
    return this.hides(path) ? HIDES : 0;
  }

  /** The target of a symbolic link of this layer. */
  target(path: string): string {
    this.links ??= new SymlinkTargets(this.names.symlinks);
    for (const written of this.spellings(path)) {
      const target = this.links.get(written);
      if (target !== null) return target;
    }
    return '';
  }

  private named(path: string): number {
    for (const written of this.spellings(path)) {
      this.hash.take(written);
      const kind = kindOf(lookUp(this.names.table, this.hash.low, this.hash.high));
      if (kind !== 0 && kind !== NAME.hidden && kind !== NAME.touched) return kind;
    }
    return 0;
  }

  private *spellings(path: string): Generator<string> {
    yield path;
    for (const [written, real] of this.aliases)
      if (path.startsWith(`${real}/`)) yield written + path.slice(real.length);
  }

  /** True if the path or a parent of it is a whiteout, an opaque directory or a file that is not a directory. */
  private hides(path: string): boolean {
    if (this.removes(path)) return true;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end);
      const kind = this.named(above);
      if (kind === NAME.leaf || kind === NAME.symlink) return true;
      if (this.removes(above) || this.empties(above)) return true;
    }
    return this.empties('');
  }
}

/** Cap on the bytes of names that are looked up for one archive. Layers that name all their directories need none. */
const WORK = 100_000_000;

/** A layer and the layers below it. */
interface Storey {
  readonly below: Storey | null;
  /** null for a layer whose names are not known, which might have any name. */
  readonly view: LayerView | null;
  readonly refusals: readonly Refusal[];
  readonly above: Map<NameFacts | null, Storey>;
  /** Paths that were looked up from here downwards: many directories have the same ones above them. */
  readonly known: Map<string, LowerEntry>;
}

/** Cap on the paths that a storey remembers. */
const MOST_KNOWN = 100_000;

/** The entry of the layers below at a path: a type in `NAME`, or the reason why there is none. */
type LowerEntry = { readonly kind: number; readonly path: string; readonly view: LayerView | null };

const UNKNOWN = -2;
const NOWHERE = 0;

const NONE: readonly Refusal[] = [];

/** The layer stacks of one archive, kept because images share layers and each engine needs the same stacks. */
class Stacks {
  readonly bases: Storey['above'] = new Map();
  work = 0;
}

const stacksOf = (_scan: Scan) => new Stacks();

/**
 * Finds out why engines refuse the layers of an image, each applied to those below it: a path that the layer's own
 * names do not settle is looked up in the layers below, as moby's UnpackLayer finds it when it unpacks them one upon
 * the other.
 */
export class LayerStack {
  private readonly all: Stacks;
  private top: Storey | null = null;

  constructor(scan: Scan) {
    this.all = scan.once(stacksOf, scan);
  }

  /**
   * @param names  null for a layer whose names are not known
   * @returns the reasons why engines refuse the layer on top of the layers added before
   */
  add(names: NameFacts | null): readonly Refusal[] {
    const above = this.top?.above ?? this.all.bases;
    const storey = above.get(names) ?? this.build(names);
    above.set(names, storey);
    this.top = storey;
    return storey.refusals;
  }

  private build(names: NameFacts | null): Storey {
    const below = this.top;
    if (names === null || !names.isWhole)
      return { below, view: null, refusals: names?.refusals ?? NONE, above: new Map(), known: new Map() };
    const view = new LayerView(names, path => this.realPath(path, below));
    const found = new RefusalList();
    for (const one of names.refusals) found.add(one.kind, one.path, one.at, one.other, one.lower);
    // The base layer has no lower layers that could conflict with it.
    if (below !== null) {
      for (const open of names.implied) this.settleDirectory(view, open, found);
      for (const open of names.opaque) this.settleOpaque(view, open, found);
    }
    for (const open of names.needed) this.settleNeeded(open, found);
    for (const open of names.hardLinks) this.settleLink(view, open, found);
    if (this.all.work > WORK) found.add('too-intricate', '', Number.MAX_SAFE_INTEGER);
    return { below, view, refusals: found.all(), above: new Map(), known: new Map() };
  }

  private settleDirectory(
    view: LayerView,
    { path, other, at, first }: ImpliedPath,
    found: RefusalList,
  ): void {
    const end = this.resolve(path, this.top, (written, real) => {
      view.addAlias(written, real);
      // The layer itself has what is above the first missing directory.
      if (written.length >= first) found.add('lower-as-directory', written, at, other, true);
    });
    if (end.kind === NAME.leaf)
      found.add(isWhiteout(other) ? 'whiteout-below-file' : 'file-as-directory', end.path, at, other, true);
    else if (end.kind === NAME.symlink) found.add('link-loop', end.path, at, other, true);
    else if (end.kind === HIDES) found.add('dangling-directory', end.path, at, other, true);
  }

  /** An opaque whiteout in a directory that no entry of the layer names. */
  private settleOpaque(view: LayerView, { path, other, at }: OpenPath, found: RefusalList): void {
    if (path !== '' && isDirectoryKind(view.at(path))) return;
    let isThrough = false;
    const end = this.resolve(path, this.top, () => {
      isThrough = true;
    });
    if (end.kind === UNKNOWN) return;
    const isBlocked = isThrough || !(isDirectoryKind(end.kind) || end.kind === NOWHERE);
    if (isBlocked) found.add('lower-as-directory', path, at, other, true);
    if (end.path === '') found.add('opaque-root', other, at, '', true);
  }

  /**
   * The target of a hard link of the layer must exist. A driver that unpacks each layer by itself only has the layer's
   * own files.
   */
  private settleNeeded({ path, other, at }: OpenPath, found: RefusalList): void {
    if (path === '') return;
    const end = this.resolve(path, this.top, () => {});
    if (end.kind === NAME.leaf) found.add('file-as-directory', end.path, at, other, true);
    const isThere = end.kind === UNKNOWN || end.kind === NAME.leaf || isDirectoryKind(end.kind);
    found.add(isThere ? 'link-to-lower' : 'dangling-directory', other, at, path, isThere);
  }

  private settleLink(
    view: LayerView,
    { path, other, at, ahead }: NameFacts['hardLinks'][number],
    found: RefusalList,
  ): void {
    if (other === '') return;
    const target = this.realPath(other, this.top);
    const end = view.at(target) === HIDES ? nothing(target) : this.find(target, this.top);
    if (end.kind === UNKNOWN || this.all.work > WORK) return;
    if (isDirectoryKind(end.kind)) found.add('hard-link-to-directory', path, at, other, true);
    else if (end.kind > 0) found.add('hard-link-to-lower', path, at, other, true);
    else if (ahead) found.add('hard-link-ahead', path, at, other);
    // The layer itself may have the target under another path of its directory.
    else if (!isFile(view.at(target))) found.add('hard-link-to-nothing', path, at, other);
  }

  /** Follows the links in all segments of a path but the last, as far as they resolve. */
  private realPath(path: string, below: Storey | null): string {
    const slash = path.lastIndexOf('/');
    if (slash < 0 || below === null) return path;
    const end = this.resolve(path.slice(0, slash), below, () => {});
    const isThere = isDirectoryKind(end.kind) || end.kind === NOWHERE;
    return isThere ? join(end.path, path.slice(slash + 1)) : path;
  }

  /** Looks up exactly this path in the layers up to `top`. */
  private find(path: string, top: Storey | null): LowerEntry {
    const known = top?.known.get(path);
    if (known !== undefined) return known;
    const found = this.search(path, top);
    if (top !== null && top.known.size < MOST_KNOWN && this.all.work <= WORK) top.known.set(path, found);
    return found;
  }

  private search(path: string, top: Storey | null): LowerEntry {
    for (let storey = top; storey !== null; storey = storey.below) {
      const { view } = storey;
      if (view === null || this.all.work > WORK) return { kind: UNKNOWN, path, view };
      this.all.work += view.cost(path);
      const kind = view.at(path);
      if (kind === HIDES) break;
      if (kind !== 0) return { kind, path, view };
    }
    return nothing(path);
  }

  /**
   * Follows a path to a directory through the layers up to `top`. A missing directory would be created, except where a
   * link leads.
   * @param through  called for each directory that is written through a link and so is at another path
   * @returns the directory, or what blocks the path: a file, a link in a circle, or with `HIDES` a link that leads
   *   nowhere
   */
  private resolve(
    path: string,
    top: Storey | null,
    through: (written: string, real: string) => void,
  ): LowerEntry {
    const parts = path.split('/');
    const todo = parts.toReversed();
    let end: LowerEntry = ROOT;
    let hops = 0;
    /** The link whose target is being followed, and the number of segments that remain after it. */
    let link = '';
    let rest = -1;
    while (todo.length > 0) {
      if (todo.length <= rest) {
        through(parts.slice(0, parts.length - rest).join('/'), end.path);
        rest = -1;
      }
      const part = todo.pop()!;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        end = { ...ROOT, path: end.path.slice(0, Math.max(0, end.path.lastIndexOf('/'))) };
        continue;
      }
      const next = this.find(join(end.path, part), top);
      if (next.kind === UNKNOWN || next.kind === NAME.leaf) return next;
      if (next.kind !== NAME.symlink) {
        if (next.kind === NOWHERE && rest >= 0) return { ...next, kind: HIDES, path: link };
        end = next;
        continue;
      }
      const target = next.view!.target(next.path);
      this.all.work += target.length;
      if (++hops > HOPS || target.length >= PATH_MAX) return next;
      if (rest < 0) [link, rest] = [next.path, todo.length];
      if (target.startsWith('/')) end = ROOT;
      for (const step of target.split('/').reverse()) todo.push(step);
    }
    if (rest >= 0) through(path, end.path);
    return end;
  }
}

const ROOT: LowerEntry = { kind: NAME.directory, path: '', view: null };
const isFile = (kind: number) => kind === NAME.leaf || kind === NAME.symlink;

const nothing = (path: string): LowerEntry => ({ kind: NOWHERE, path, view: null });
