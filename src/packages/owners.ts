import type { Package } from './package.js';

/**
 * Which package owns which file.
 *
 * @param locate  where a path of a database leads in the tree, through links to directories (`bin/sh` is `usr/bin/sh` where
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
