/** A package whose undocumented inside waybill uses, and the only version of it that waybill is made for. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
}

// package.json pins them exactly. Each is a constant of its own, so that a bundle has only those that it uses.
export const XZ_DECOMPRESS: PinnedPackage = { name: 'xz-decompress', version: '0.2.3' };
export const YAUZL_PROMISE: PinnedPackage = { name: 'yauzl-promise', version: '4.0.0' };
export const YARGS: PinnedPackage = { name: 'yargs', version: '18.2.0' };
export const ZSTDDEC: PinnedPackage = { name: 'zstddec', version: '0.3.4' };

/**
 * Checks the inside of a package, or of Node, by the types of what is used of it.
 * @param found  the values by the names under which the package has them
 * @throws Error that names the package and the version that waybill is made for: the installation is at fault, not the
 * input
 */
export function checkInside(
  used: PinnedPackage | 'Node',
  type: 'function' | 'number' | 'boolean' | 'object',
  found: Readonly<Record<string, unknown>>,
): void {
  for (const [what, value] of Object.entries(found)) {
    const actual = value === null ? 'null' : typeof value;
    if (actual === type) continue;
    const difference = `expected ${what} to be of type ${type}, found ${actual}`;
    throw new Error(
      used === 'Node'
        ? `Node ${process.version} has changed inside: ${difference}; run waybill with a release that it is tested with (20, 22, 24 or 26)`
        : `${used.name} has changed inside: ${difference}; waybill is made for ${used.name} ${used.version}: install that version`,
    );
  }
}
