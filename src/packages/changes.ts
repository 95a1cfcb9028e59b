import type { Manager, Package } from './package.js';

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
 * What was added, removed or has another version, by manager and name. A package may be there in several versions at once,
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
