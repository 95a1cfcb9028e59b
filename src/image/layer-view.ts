import type { NameFacts } from '../scan/name-facts.js';
import { kindOf, lookUp, NAME } from '../scan/name-table.js';
import { PathHash } from '../scan/path-hash.js';
import { SymlinkTargets } from '../scan/symlink-targets.js';

/** What one layer makes of a path: its own kind of it, that it hides what is below, or nothing. */
export const HIDES = -1;

/** The names of one layer among others, by where they end up once the links of lower layers have been followed. */
export class LayerView {
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
