// Packages whose undocumented inside is used: the build stops where one is not the version, or not the code, that it is
// made for.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { XZ_DECOMPRESS, YARGS, YAUZL_PROMISE, ZSTDDEC } from '../src/inside.js';

/** All packages whose inside is used. */
export const PINNED = [XZ_DECOMPRESS, YARGS, YAUZL_PROMISE, ZSTDDEC];

/**
 * Code of yargs, and of y18n, which is a part of it, that a bundle does without: where below node_modules, what stands
 * there, and what stands there in the bundle.
 */
export const YARGS_SPARED: readonly (readonly [file: RegExp, before: string, after: string])[] = [
  // It asks for the current directory to find a version that it is told anyway; the directory may be gone.
  [
    /yargs[\\/]lib[\\/]platform-shims[\\/]esm\.mjs$/,
    'mainFilename || process.cwd()',
    'mainFilename || __dirname',
  ],
  // Beside every command it writes the help that would be printed if the command asked for it: 30 ms. None does.
  [
    /yargs[\\/]build[\\/]lib[\\/]command\.js$/,
    'yargs.getInternalMethods().getUsageInstance().cacheHelpMessage();',
    '',
  ],
  // It looks for translations in a directory beside its own, which in a bundle is another one.
  [/y18n[\\/]build[\\/]lib[\\/]platform-shims[\\/]node\.js$/, '        readFileSync,\n', ''],
];

/**
 * Replaces code of yargs.
 * @param file  its path, for the message
 * @throws Error where the code does not stand in the text exactly once
 */
export function spareYargs(text: string, file: string, before: string, after: string): string {
  const pieces = text.split(before);
  if (pieces.length === 2) return pieces.join(after);
  throw new Error(
    `yargs has changed inside: ${file}: expected ${JSON.stringify(before)} once, found it ${pieces.length - 1} times; ` +
      `bin/insides.ts is made for yargs ${YARGS.version}: install that version with npm ci`,
  );
}

/** @throws Error for a package of which another version is installed than the one that waybill is made for */
export function checkVersions(root: string): void {
  for (const { name, version: expected } of PINNED) {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
    if (version !== expected)
      throw new Error(
        `${name}: expected version ${expected}, whose inside waybill uses, found ${version}: run npm ci`,
      );
  }
}
