/**
 * Packages whose undocumented inside waybill uses, and the only version of each that it is made for. package.json pins them
 * exactly; each use checks what it finds by `checkInside` before it relies on it.
 */
export const PINNED = {
  'xz-decompress': '0.2.3',
  'yauzl-promise': '4.0.0',
  yargs: '18.2.0',
  zstddec: '0.3.4',
} as const;

/**
 * Checks the inside of a package, or of Node, by the types of what is used of it.
 * @param found  the values by the names under which the package has them
 * @throws Error that names the package and the version that waybill is made for: the installation is at fault, not the input
 */
export function checkInside(
  name: keyof typeof PINNED | 'Node',
  type: 'function' | 'number' | 'boolean' | 'object',
  found: Readonly<Record<string, unknown>>,
): void {
  for (const [what, value] of Object.entries(found)) {
    const actual = value === null ? 'null' : typeof value;
    if (actual === type) continue;
    const difference = `expected ${what} to be of type ${type}, found ${actual}`;
    throw new Error(
      name === 'Node'
        ? `Node ${process.version} has changed inside: ${difference}; run waybill with a release that it is tested with (20, 22 or 24)`
        : `${name} has changed inside: ${difference}; waybill is made for ${name} ${PINNED[name]}: install that version`,
    );
  }
}
