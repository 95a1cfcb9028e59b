import { type NameFacts, type OpenPath, type Refusal, RefusalList } from '../scan/names/facts.js';
import { isWhiteout } from '../scan/names/layer-names.js';
import { HOPS, isDirectoryKind, join, PATH_MAX, PathHash, SymlinkTargets } from '../scan/names/paths.js';
import { kindOf, lookUp, NAME } from '../scan/names/table.js';
import type { Scan } from '../scan/scan.js';

/** What one layer makes of a path: its own kind of it, that it hides what is below, or nothing. */
const HIDES = -1;

/** The names of one layer among others, by where they end up once the links of lower layers have been followed. */
class LayerView {
  private readonly hash: PathHash;
  private links: SymlinkTargets | null = null;
  /** Directories that the layer writes into by one path, and which lie at another. */
  private readonly aliases = new Map<string, string>();
  private whiteouts: ReadonlySet<string> | null = null;
  private opaque: ReadonlySet<string> | null = null;

  /** @param real  where a path lies, once the links of lower layers on the way have been followed; asked when it is first wanted */
  constructor(
    readonly names: NameFacts,
    private readonly real: (path: string) => string,
  ) {
    this.hash = new PathHash(names.seeds);
  }

  /** Whether the layer has a whiteout of exactly this path. */
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

  /** Bytes that are looked at, at most, to say what is at a path. */
  cost(path: string): number {
    let parts = 1;
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) parts++;
    return parts * (path.length + 16 * this.aliases.size);
  }

  /** What the layer has at a path: its kind in `NAME`, `HIDES`, or 0 where the layers below tell. */
  at(path: string): number {
    const own = this.named(path);
    if (own !== 0) return own;
    return this.hides(path) ? HIDES : 0;
  }

  /** Where a symbolic link of this layer leads. */
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

  /** Whether a whiteout, an opaque directory or something that is no directory stands at the path or above it. */
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

/** Bytes of names that are looked up for one archive: layers that name their directories need none. */
const WORK = 100_000_000;

/** A layer on those below it. */
interface Storey {
  readonly below: Storey | null;
  /** null for a layer whose names are not known, which might have anything. */
  readonly view: LayerView | null;
  readonly refusals: readonly Refusal[];
  readonly above: Map<NameFacts | null, Storey>;
}

/** What is at a path in the layers below: a kind in `NAME`, or why there is none. */
type Found = { readonly kind: number; readonly path: string; readonly view: LayerView | null };

const UNKNOWN = -2;
const NOWHERE = 0;

const NONE: readonly Refusal[] = [];

/** What is known of the stacks of one archive. Images share them, and every engine asks of the same ones. */
class Stacks {
  readonly bases: Storey['above'] = new Map();
  work = 0;
}

const stacksOf = (_scan: Scan) => new Stacks();

/**
 * Why engines refuse the layers of an image, each with those below it: what a layer's own names leave open is looked up in the
 * layers below, as moby's UnpackLayer finds them when it unpacks one upon the other.
 */
export class LayerStack {
  private readonly all: Stacks;
  private top: Storey | null = null;

  constructor(scan: Scan) {
    this.all = scan.once(stacksOf, scan);
  }

  /**
   * @param names  null for a layer whose names are not known
   * @returns why engines refuse the layer on top of those before it
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
      return { below, view: null, refusals: names?.refusals ?? NONE, above: new Map() };
    const view = new LayerView(names, path => this.realPath(path, below));
    const found = new RefusalList();
    for (const one of names.refusals) found.add(one.kind, one.path, one.at, one.other, one.lower);
    // Below a base is nothing that could be in the way.
    if (below !== null) for (const open of names.implied) this.settleDirectory(view, open, found);
    for (const open of names.needed) this.settleNeeded(open, found);
    for (const open of names.hardLinks) this.settleLink(view, open, found);
    if (this.all.work > WORK) found.add('too-intricate', '', Number.MAX_SAFE_INTEGER);
    return { below, view, refusals: found.all(), above: new Map() };
  }

  private settleDirectory(view: LayerView, { path, other, at }: OpenPath, found: RefusalList): void {
    const end = this.resolve(path, this.top, (written, real) => view.addAlias(written, real));
    if (end.kind === NAME.leaf)
      found.add(isWhiteout(other) ? 'whiteout-below-file' : 'file-as-directory', end.path, at, other, true);
    else if (end.kind === NAME.symlink) found.add('link-loop', end.path, at, other, true);
    else if (end.kind === HIDES) found.add('dangling-directory', end.path, at, other, true);
  }

  /** What a link of the layer leads to must be there; a driver that unpacks the layer by itself has nothing but the layer. */
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
    const end = view.removes(target) ? nothing(target) : this.find(target, this.top);
    if (end.kind === UNKNOWN || this.all.work > WORK) return;
    if (isDirectoryKind(end.kind)) found.add('hard-link-to-directory', path, at, other, true);
    else if (end.kind > 0) found.add('hard-link-to-lower', path, at, other, true);
    else if (ahead) found.add('hard-link-ahead', path, at, other);
    // By another name of its directory the layer itself may have it.
    else if (!isFile(view.at(target))) found.add('hard-link-to-nothing', path, at, other);
  }

  /** Where a path lies: the links on the way to its last part followed, as far as they lead. */
  private realPath(path: string, below: Storey | null): string {
    const slash = path.lastIndexOf('/');
    if (slash < 0 || below === null) return path;
    const end = this.resolve(path.slice(0, slash), below, () => {});
    const isThere = isDirectoryKind(end.kind) || end.kind === NOWHERE;
    return isThere ? join(end.path, path.slice(slash + 1)) : path;
  }

  /** What the layers up to `top` have at exactly this path. */
  private find(path: string, top: Storey | null): Found {
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
   * Follows a path to a directory through the layers up to `top`. What is not there would be made, but not where a link leads.
   * @param through  is told of directories that are written by a link and lie elsewhere
   * @returns the directory, or what is in its way: a file, a link in a circle, or with `HIDES` a link that leads nowhere
   */
  private resolve(path: string, top: Storey | null, through: (written: string, real: string) => void): Found {
    const parts = path.split('/');
    const todo = parts.toReversed();
    let end: Found = ROOT;
    let hops = 0;
    /** The link whose target is being followed, and how many parts are left once it has been. */
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

const ROOT: Found = { kind: NAME.directory, path: '', view: null };
const isFile = (kind: number) => kind === NAME.leaf || kind === NAME.symlink;

const nothing = (path: string): Found => ({ kind: NOWHERE, path, view: null });
