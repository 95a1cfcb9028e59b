type Manager = 'apk' | 'dpkg' | 'rpm';

/** An installed package, as the database of its manager has it. */
export interface Package {
  readonly manager: Manager;
  readonly name: string;
  /** As the manager writes it: with epoch, and with release where there is one. */
  readonly version: string;
  readonly arch: string | null;
  /** As the database has it; left out where it has none, as dpkg's. */
  readonly license?: string;
  /** The source package that it was built from, where that has another name. */
  readonly source?: string;
  /**
   * The files that it owns: paths below the root without a leading slash, bytes as characters (latin1). Directories may
   * be among them. null where the database does not say.
   */
  readonly files: readonly string[] | null;
}

/** Why a database was not read, or not read to its end. */
export interface DatabaseNote {
  /** Path of the database inside the image. */
  readonly path: string;
  readonly reason: string;
}

/** The packages of one database: all of them, or those before the damage. */
export interface DatabaseReading {
  readonly packages: readonly Package[];
  readonly problems: readonly string[];
}

export const fromBytes = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** Bytes as characters, read as the UTF-8 that they are. */
export const asText = (bytes: string): string =>
  /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;

/**
 * Blocks of lines with empty lines between. No pattern splits them: it would run out of stack at millions of empty
 * ones.
 */
export function* paragraphs(text: string): Generator<string> {
  for (let at = 0, start = 0; at <= text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const isBlank = end === at || /^[ \t\r]+$/.test(text.slice(at, end));
    if (isBlank || newline < 0) {
      const block = text.slice(start, isBlank ? at : end);
      if (block.trim() !== '') yield block;
      start = end + 1;
    }
    at = end + 1;
  }
}

/** Longest path that a kernel takes (PATH_MAX of Linux). */
const PATH_MAX = 4096;

/**
 * Characters of paths that one database may list. A distribution with everything installed has some 50 MB; databases
 * spell a directory once for many files, so that a small hostile one could otherwise fill the memory.
 */
const PATHS_CAP = 256 * 1024 * 1024;

/**
 * Packages that one database may list. A whole distribution has fewer; in a hostile one, each takes ten times its
 * bytes.
 */
export const PACKAGES_CAP = 200_000;
export const MANY_PACKAGES = 'it lists more packages than are kept';

/** Gathers the files of packages, within the cap. */
export class FileList {
  private characters = 0;
  exceeded = false;

  /** The path as trees spell it; null where it is none or the cap is reached. */
  path(directory: string, name: string): string | null {
    const length = directory.length + name.length;
    if (length > PATH_MAX) return null;
    this.characters += length;
    if (this.characters > PATHS_CAP) this.exceeded = true;
    if (this.exceeded) return null;
    const path = `${directory}${name}`.replace(/^\/+/, '');
    return path === '' || path === '.' ? null : path;
  }

  /** The reason, for the list of the database's problems. */
  problems(): string[] {
    return this.exceeded ? ['it lists more files than are kept'] : [];
  }
}

/**
 * Which package owns which file.
 *
 * @param locate  where a path of a database leads in the tree, through links to directories (`bin/sh` is `usr/bin/sh`
 * where
 *                `bin` points to `usr/bin`); null where nothing is there
 */
export function ownersOf(
  packages: readonly Package[],
  locate: (path: string) => string | null,
): ReadonlyMap<string, Package> {
  const owners = new Map<string, Package>();
  for (const entry of packages) {
    for (const file of entry.files ?? []) {
      const path = locate(file);
      // Packages share directories; of two that claim one file the first stays.
      if (path !== null && !owners.has(path)) owners.set(path, entry);
    }
  }
  return owners;
}

/** A package that is not the same in two images. */
export interface PackageChange {
  readonly manager: Manager;
  readonly name: string;
  /** null where the manager says none. */
  readonly arch: string | null;
  /** Versions that only `a` has, or has more often; empty where it was added. */
  readonly a: readonly string[];
  readonly b: readonly string[];
}

/**
 * Lists packages that were added, removed or changed version, by manager and name. A package may have several versions,
 * such as kernels, and for several architectures.
 */
export function packageChanges(a: readonly Package[], b: readonly Package[]): PackageChange[] {
  const [left, right] = [grouped(a), grouped(b)];
  const changes: PackageChange[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [mine, theirs] = [left.get(key) ?? [], right.get(key) ?? []];
    const { manager, name, arch } = (mine[0] ?? theirs[0])!;
    const [x, y] = [versions(mine), versions(theirs)];
    const [onlyA, onlyB] = [without(x, y), without(y, x)];
    if (onlyA.length + onlyB.length > 0) changes.push({ manager, name, arch, a: onlyA, b: onlyB });
  }
  return changes.sort((x, y) => compare(x.manager, y.manager) || compare(x.name, y.name));
}

function grouped(packages: readonly Package[]): Map<string, Package[]> {
  const groups = new Map<string, Package[]>();
  for (const entry of packages) {
    const key = [entry.manager, entry.name, entry.arch].join('\0');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return groups;
}

const versions = (packages: readonly Package[]) => packages.map(({ version }) => version).sort();

/** The elements of the first that the second does not have as often. */
function without(all: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  return all.filter(item => {
    const count = left.get(item) ?? 0;
    left.set(item, count - 1);
    return count <= 0;
  });
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
