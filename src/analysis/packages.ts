import type { FileTree } from '../filesystem/file-tree.js';
import { DATABASE_PATHS, isDatabase, packageDatabases, packagesOf } from '../packages/databases.js';
import { type Distribution, distributionOf, OS_RELEASE } from '../packages/os-release.js';
import type { DatabaseNote, Package } from '../packages/package.js';
import type { PackageIdentity, PackageType } from '../packages/purl.js';
import { contentOf } from '../scan/entries/content.js';
import { nameText } from '../scan/entries/name.js';
import type { EntryPackage, EntryTable } from '../scan/entries/table.js';
import { grouped } from '../spec/grouped.js';
import { type ImageFiles, unpack } from './hidden-files.js';
import { installedIn } from './installed.js';

/** The contents that must be read for `packagesIn`. */
export const WANTED_FOR_PACKAGES = { packages: true, keep: [...packageDatabases, ...OS_RELEASE] };

/** A package of an image: of its distribution, or of a language. Once, however many files state it. */
export interface ImagePackage extends PackageIdentity {
  readonly license: string | null;
  /** The source package of a package of the distribution, where that has another name; null for others. */
  readonly source: string | null;
  /** The layer that brought it, an index into the image's: from there on, each layer leaves it in the image. */
  readonly layer: number;
  /** The files that state it, as text: databases, metadata, executables, jars (`app.jar!/lib/a.jar`). At least one. */
  readonly paths: readonly string[];
  /** The package of the distribution that has the first of these files; null for none. */
  readonly owner: string | null;
}

/** All packages of an image. */
export interface ImagePackages {
  readonly distribution: Distribution | null;
  /** By type, name and version. */
  readonly packages: readonly ImagePackage[];
  /** Files that could not be read, or not to their end. Paths are text. */
  readonly notes: readonly DatabaseNote[];
}

/** @param tables  of the image's layers, read with `WANTED_FOR_PACKAGES`; null for one that cannot be read */
export function packagesIn(tables: readonly (EntryTable | null)[]): ImagePackages {
  const files = unpack(tables);
  const lives = livesOf(files);
  const distribution = distributionIn(files);
  const list = new PackageList();
  const installed = installedIn(files.tree, tables);
  const since = new DatabaseStates(tables, lives).since();
  for (const { path, packages } of installed.databases)
    for (const entry of packages) {
      const layer = since.get(databaseKey(entry)) ?? Math.max(0, tables.length - 1);
      const { license = null, source = null } = entry;
      list.add({ ...identityOf(entry), license, source, layer, owner: null }, nameText(path));
    }
  const languages = new LanguageStates(tables, lives);
  for (const { life, entry, layer } of languages.visible()) {
    const path = nameText(life.path);
    const owner = installed.ownerOf(life.path)?.name ?? null;
    const { ecosystem: type, group, name, version, license, inside } = entry;
    const own = { type, group, name, version, arch: null, license, source: null, layer, owner };
    list.add(own, inside === null ? path : `${path}!/${inside}`);
  }
  const notes = [...linkedDatabases(files.tree), ...installed.notes, ...languages.notes()];
  return { distribution, packages: list.sorted(), notes };
}

const TYPES: Readonly<Record<Package['manager'], PackageType>> = { apk: 'apk', dpkg: 'deb', rpm: 'rpm' };

const identityOf = ({ manager, name, version, arch }: Package): PackageIdentity => ({
  type: TYPES[manager],
  group: null,
  name,
  version,
  arch,
});

/** The distribution of the final file system. */
function distributionIn({ tree, tables }: ImageFiles): Distribution | null {
  for (const path of OS_RELEASE) {
    const inode = tree.follow(path).node?.inode;
    const table = inode?.type === 'file' ? (tables[inode.layer] ?? null) : null;
    const content = table === null ? null : contentOf(table, inode!.index);
    const distribution = content === null ? null : distributionOf(content);
    if (distribution !== null) return distribution;
  }
  return null;
}

/** Databases that a link puts at another path: their contents were not kept. */
function linkedDatabases(tree: FileTree): DatabaseNote[] {
  return DATABASE_PATHS.flatMap(path => {
    const { node } = tree.follow(path);
    if (node === null || node.inode.type !== 'file' || isDatabase(node.path)) return [];
    return [{ path, reason: `it was not read: it is a link to ${nameText(node.path)}` }];
  });
}

class PackageList {
  private readonly byIdentity = new Map<
    string,
    Omit<ImagePackage, 'paths'> & { paths: string[]; layer: number }
  >();

  /** The layer of a package in several places is that of the first. */
  add(entry: Omit<ImagePackage, 'paths'>, path: string): void {
    const { type, group, name, version, arch } = entry;
    const key = [type, group, name, version, arch].join('\0');
    const known = this.byIdentity.get(key);
    if (known === undefined) this.byIdentity.set(key, { ...entry, paths: [path] });
    else {
      known.layer = Math.min(known.layer, entry.layer);
      // Two databases of one manager, and a jar twice in a jar.
      if (known.paths.at(-1) !== path) known.paths.push(path);
    }
  }

  sorted(): ImagePackage[] {
    const order = ({ type, group, name, version, arch }: ImagePackage) =>
      [type, group ?? '', name, version ?? '', arch ?? ''].join('\0');
    const keyed = [...this.byIdentity.values()].map(entry => ({ entry, key: order(entry) }));
    return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ entry }) => entry);
  }
}

/** A file of interest, from the layer that brings it up to the one that removes or replaces it. */
interface Life {
  /** Bytes, one per character. */
  readonly path: string;
  readonly table: EntryTable;
  readonly index: number;
  readonly from: number;
  /** The layer that hides it; Infinity for a file that is there. */
  readonly until: number;
}

/** Package databases and files that state packages, in the order of the layers. */
function livesOf({ tables, tree, stowaways }: ImageFiles): Life[] {
  const stating = tables.map(table => {
    const { found = [], problems = [] } = table?.contents?.packages ?? {};
    return new Set([...found, ...problems].map(({ index }) => index));
  });
  const lives: Life[] = [];
  const add = (layer: number, index: number, path: string, until: number) => {
    if (stating[layer]!.has(index) || isDatabase(path))
      lives.push({ path, table: tables[layer]!, index, from: layer, until });
  };
  for (const { inode, path, linkedTo } of tree.passing)
    if (inode.type === 'file' && linkedTo === null)
      add(inode.layer, inode.index, path, Number.POSITIVE_INFINITY);
  for (const { layer, index, path, hiddenBy } of stowaways)
    if (hiddenBy > layer) add(layer, index, path, hiddenBy);
  return lives.sort((a, b) => a.from - b.from);
}

/** Packages that are compared in all layers of an image; hostile images list one layer a hundred thousand times. */
const COMPARED = 20_000_000;

const databaseKey = ({ manager, name, version, arch }: Package) => [manager, name, version, arch].join('\0');

/** The package databases after each layer, to find the layer that brought a package. */
class DatabaseStates {
  private readonly lives: readonly Life[];
  /** Packages of a set of database files, by the identity of these: a layer may be listed again and again. */
  private readonly known = new Map<string, ReadonlySet<string>>();
  private readonly numbers = new Map<EntryTable, number>();

  constructor(
    private readonly tables: readonly (EntryTable | null)[],
    lives: readonly Life[],
  ) {
    this.lives = lives.filter(({ path }) => isDatabase(path));
  }

  /** The first layer from which on all layers have a package, by its key. */
  since(): ReadonlyMap<string, number> {
    let since = new Map<string, number>();
    let before: ReadonlySet<string> = new Set();
    let compared = 0;
    const changes = [...new Set(this.lives.flatMap(({ from, until }) => [from, until]))].sort(
      (a, b) => a - b,
    );
    for (const layer of changes.filter(change => change < this.tables.length)) {
      const present = this.lives.filter(({ from, until }) => from <= layer && layer < until);
      const now = this.packagesOf(present);
      if (now === before) continue;
      const last = since;
      since = new Map();
      for (const key of now) since.set(key, last.get(key) ?? layer);
      compared += now.size + this.lives.length;
      before = now;
      if (compared > COMPARED) break;
    }
    return since;
  }

  private packagesOf(present: readonly Life[]): ReadonlySet<string> {
    const key = present.map(({ table, index }) => `${this.numberOf(table)}:${index}`).join(' ');
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const files = new Map(present.map(life => [life.path, life]));
    const read = (path: string) => {
      const life = files.get(path);
      return life === undefined ? null : contentOf(life.table, life.index);
    };
    const { packages } = packagesOf({ paths: [...files.keys()].sort(), read });
    const keys = new Set(packages.map(databaseKey));
    this.known.set(key, keys);
    return keys;
  }

  private numberOf(table: EntryTable): number {
    const number = this.numbers.get(table) ?? this.numbers.size;
    this.numbers.set(table, number);
    return number;
  }
}

interface VisiblePackage {
  readonly life: Life;
  readonly entry: EntryPackage;
  readonly layer: number;
}

/** The files that state packages of languages, version by version of each path. */
class LanguageStates {
  private readonly byPath = new Map<string, Life[]>();
  private readonly byTable = new Map<EntryTable, ReadonlyMap<number, readonly EntryPackage[]>>();
  private readonly problems = new Map<
    EntryTable,
    ReadonlyMap<number, readonly { readonly reason: string }[]>
  >();

  constructor(
    tables: readonly (EntryTable | null)[],
    private readonly lives: readonly Life[],
  ) {
    for (const table of tables) if (table !== null) this.index(table);
    for (const life of lives) {
      if (this.statedBy(life).length === 0) continue;
      const others = this.byPath.get(life.path);
      if (others === undefined) this.byPath.set(life.path, [life]);
      else others.push(life);
    }
  }

  /** Packages of files that are there, with the layer since which the file at that path has stated them. */
  *visible(): Generator<VisiblePackage> {
    let compared = 0;
    for (const lives of this.byPath.values()) {
      let since = new Map<string, number>();
      let end = -1;
      for (const life of lives) {
        const entries = this.statedBy(life);
        compared += entries.length;
        if (compared > COMPARED && life.until !== Number.POSITIVE_INFINITY) continue;
        const last = life.from === end ? since : new Map<string, number>();
        since = new Map(
          entries.map(entry => [languageKey(entry), last.get(languageKey(entry)) ?? life.from]),
        );
        end = life.until;
        if (end !== Number.POSITIVE_INFINITY) continue;
        for (const entry of entries) yield { life, entry, layer: since.get(languageKey(entry))! };
      }
    }
  }

  /** Files that could not be read, of those that are there. */
  notes(): DatabaseNote[] {
    const there = this.lives.filter(({ until }) => until === Number.POSITIVE_INFINITY);
    return there.flatMap(({ path, table, index }) =>
      (this.problems.get(table)?.get(index) ?? []).map(({ reason }) => ({ path: nameText(path), reason })),
    );
  }

  private statedBy({ table, index }: Life): readonly EntryPackage[] {
    return this.byTable.get(table)?.get(index) ?? [];
  }

  private index(table: EntryTable): void {
    if (this.byTable.has(table)) return;
    const { found = [], problems = [] } = table.contents?.packages ?? {};
    this.byTable.set(
      table,
      grouped(found, ({ index }) => index),
    );
    this.problems.set(
      table,
      grouped(problems, ({ index }) => index),
    );
  }
}

const languageKey = ({ group, name, version, inside }: EntryPackage) =>
  [group, name, version, inside].join('\0');
