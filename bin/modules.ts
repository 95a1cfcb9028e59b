// Shared by the bundles: our own modules, the changes that a bundle makes to packages, and the packages' licences.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile, Plugin } from 'esbuild';
import { mapScripts } from '../src/format/page-scripts.js';
import { YARGS } from '../src/inside.js';
import { grouped } from '../src/spec/grouped.js';
import { version } from '../src/version.js';
import { spareYargs, YARGS_SPARED } from './insides.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));
/** The compiled modules. */
export const source = join(root, 'dist/src');

export const ownModules = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.js') && !file.startsWith(join('format', 'page', sep)))
  .map(file => join(source, file));

/** `new URL('./blob-thread.js', import.meta.url)`: a module that runs by itself, beside whatever file starts it. */
export const STARTED = /new URL\('(\.\/[\w-]+\.js)', import\.meta\.url\)/g;

/** The licence texts of packages that have no such file, from the root of the repository. */
const LICENCE_FILES: ReadonlyMap<string, string> = new Map([
  // Of the same repository, and under the same licence.
  ['@sigstore/verify', 'node_modules/@sigstore/core/LICENSE'],
  ['xz-decompress', 'bin/licences/xz-decompress.txt'],
  ['spdx-license-ids', 'bin/licences/spdx.txt'],
  ['spdx-exceptions', 'bin/licences/spdx.txt'],
]);

/**
 * string-width creates an `Intl.Segmenter` or a pattern of all emoji, which takes 5 to 20 ms; yargs loads it to measure
 * its help, and cli-table3 for every cell. In the bundle it is loaded for the first text that is not ASCII; the width
 * of an ASCII text is its length.
 */
export const lateStringWidth: Plugin = {
  name: 'late string-width',
  setup({ onResolve, onLoad, resolve: find }) {
    onResolve({ filter: /^string-width$/ }, async ({ path, pluginData, ...asked }) => {
      if (pluginData === 'itself') return null;
      const real = await find(path, { ...asked, pluginData: 'itself' });
      // Relative, so that the bundle does not depend on where it is made.
      return { path: relative(root, real.path).split(sep).join('/'), namespace: 'late' };
    });
    onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
      resolveDir: root,
      contents: `
        const real = () => require(${JSON.stringify(`./${path}`)});
        module.exports = (text, options) =>
          typeof text === 'string' && /^[ -~]*$/.test(text) ? text.length : (real().default ?? real())(text, options);
      `,
    }));
  },
};

/** Code of yargs that was found in a file of the bundle. */
const touched = new Set<string>();

export const sparedYargs: Plugin = {
  name: 'spared yargs',
  setup({ onLoad }) {
    for (const [file, before, after] of YARGS_SPARED)
      onLoad({ filter: new RegExp(`node_modules[\\\\/]${file.source}`) }, ({ path }) => {
        touched.add(before);
        return { contents: spareYargs(readFileSync(path, 'utf8'), path, before, after) };
      });
  },
};

/**
 * yauzl-promise takes CRC-32 from a native add-on with a binary for each system. Node has the function since 20.15.
 */
export const nodeCrc32: Plugin = {
  name: "Node's crc32",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@node-rs\/crc32$/ }, ({ path }) => ({ path, namespace: 'crc32' }));
    onLoad({ filter: /.*/, namespace: 'crc32' }, () => ({
      contents: "exports.crc32 = require('node:zlib').crc32;",
    }));
  },
};

/** The digest of our own modules and of the versions of all packages. */
function buildDigest(): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const file of [...ownModules].sort())
    hash.update(`${relative(source, file)}\0`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 32);
}

/** Modules that read files of the build, or are about it: a bundle has their results. */
export const RESULTS: ReadonlyMap<string, string> = new Map([
  [join(source, 'cache/build.js'), `export const build = ${JSON.stringify(buildDigest())};`],
  [join(source, 'version.js'), `export const version = ${JSON.stringify(version)};`],
  [
    join(source, 'format/page-scripts.js'),
    `export const mapScripts = () => ${JSON.stringify(mapScripts())};`,
  ],
]);

/** A package of which a bundle has code. */
export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  /** The licence's text, which must be distributed too. */
  readonly text: string;
}

/** The packages in bundles, by name. */
export function packagesIn(results: readonly { readonly metafile: Metafile }[]): readonly PackedPackage[] {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const folders = inputs.flatMap(
    input => /^(?:late:)?(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? [],
  );
  const found = [...new Set(folders.map(folder => resolve(root, folder)))].sort().map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const text = readFileSync(licenceFileOf(folder, name), 'utf8').trim();
    return { name, version, licence: license, text };
  });
  // npm may install one version in several folders.
  return [...new Map(found.map(one => [`${one.name}@${one.version}`, one])).values()];
}

/** The licences of packages, each text once. */
export function licences(packages: readonly PackedPackage[]): string {
  const texts = [...grouped(packages, ({ text }) => text)].map(
    ([text, those]) => `${those.map(({ name, version }) => `${name} ${version}`).join('\n')}\n\n${text}\n`,
  );
  return `waybill has code of the packages below, each under its licence.\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`;
}

function licenceFileOf(folder: string, name: string): string {
  const file = readdirSync(folder).find(entry => /^(licen[cs]e|copying)/i.test(entry));
  const known = LICENCE_FILES.get(name);
  if (file !== undefined) return join(folder, file);
  if (known === undefined) throw new Error(`${folder} has no licence file: it cannot be bundled`);
  return join(root, known);
}

/** @throws Error if the bundles that were made have not all of the code of yargs that they do without */
export function checkYargs(): void {
  const untouched = YARGS_SPARED.filter(([, before]) => !touched.has(before));
  if (untouched.length > 0)
    throw new Error(
      `yargs ${YARGS.version} has changed inside: the bundle has no file ${untouched.map(([file]) => file.source).join(', ')}`,
    );
}
