// Bundles the compiled command line into dist/bundle, which bin/waybill.js starts: two hundred fewer files to find,
// read and link save 80 ms at every start. The two doors of the library, which package.json exports, are bundled too,
// so that an installation of waybill has neither the bundled packages nor their dependencies.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { checkVersions } from './insides.js';
import {
  checkYargs,
  lateStringWidth,
  licences,
  nodeCrc32,
  ownModules,
  packagesIn,
  RESULTS,
  root,
  STARTED,
  source,
  sparedYargs,
} from './modules.js';

const target = join(root, 'dist/bundle');
const main = join(source, 'cli.js');

/**
 * Modules with large packages that only a policy, or the verification of signatures, needs: each in its own file, which
 * the command line and the library share.
 */
const SHARED = ['policy/yaml.js', 'policy/pattern.js', 'signatures/verify/verify.js'].map(file =>
  join(source, file),
);

/** The modules that `waybill FILE`, and with it nearly every other command, loads. */
const WANTED_BY_MOST = ['report/read.js', 'commands/show.js', 'format/text.js'].map(file =>
  join(source, file),
);

/** The thread that reads whole archives: it needs nearly all of the library, and shares its files. */
const LANE = 'commands/scan/lane-thread.js';

const LATE = /\bimport\('(\.[^']+\.js)'\)/g;
const STATIC = /^import [^;]*?'(\.[^']+\.js)';$/gm;

/** The modules that a module names in this way. */
const named = (by: RegExp, file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(by)].map(match => resolve(dirname(file), match[1]!));
const namedByAny = (by: RegExp) => [...new Set(ownModules.flatMap(file => named(by, file)))];

const started = namedByAny(STARTED);

/** The file of a thread's module. Copied to a folder of a package that is CommonJS, it is a module by its name. */
const startedFile = (name: string): string =>
  join(source, LANE).endsWith(name.slice(1)) ? name : name.replace(/\.js$/, '.mjs');

const late = namedByAny(LATE).filter(file => !WANTED_BY_MOST.includes(file));
/**
 * A bundler puts modules into one file if exactly the same entries need them, and each file adds half a millisecond to
 * the start. So every module that is loaded late is made to depend on what the start has already loaded.
 */
const shared = [...named(STATIC, main), ...WANTED_BY_MOST];

function bundled(path: string): string {
  const result = RESULTS.get(path);
  if (result !== undefined) return result;
  const imports: string[] = late.includes(path) ? shared.map(file => `import ${JSON.stringify(file)};`) : [];
  const atOnce = (statement: string, name: string) => {
    const file = resolve(dirname(path), name);
    if (!WANTED_BY_MOST.includes(file)) return statement;
    const module = `wanted${imports.length}`;
    imports.push(`import * as ${module} from ${JSON.stringify(file)};`);
    return `Promise.resolve(${module})`;
  };
  const code = placed(readFileSync(path, 'utf8'), path).replace(LATE, atOnce);
  return imports.join('') + code;
}

/**
 * Replaces `import.meta.url` in a module by its original location, except where it names a module that is started. That
 * name is no constant: webpack would otherwise put the module into files of its own, in a form that does not start.
 */
function placed(code: string, path: string): string {
  const place = JSON.stringify(relative(target, path).split(sep).join('/'));
  // Every second piece is the name of a module that is started.
  const pieces = code
    .split(STARTED)
    .map((piece, i) =>
      i % 2 === 0
        ? piece.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`)
        : `new URL(['${startedFile(piece)}'].join(), import.meta.url)`,
    );
  return pieces.join('');
}

const own: Plugin = {
  name: 'own modules',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) =>
      ownModules.includes(path) ? { contents: bundled(path) } : null,
    );
  },
};

const sharedFiles: Plugin = {
  name: 'shared files',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path, importer }) => {
      const file = resolve(dirname(importer), path);
      return SHARED.includes(file) ? { path: `./${basename(file)}`, external: true } : null;
    });
  },
};

/** The library's start-up time does not matter: every module that it loads late gets its own file. */
const ownOfLibrary: Plugin = {
  name: 'own modules of the library',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) =>
      ownModules.includes(path)
        ? { contents: RESULTS.get(path) ?? placed(readFileSync(path, 'utf8'), path) }
        : null,
    );
  },
};

const OPTIONS = {
  absWorkingDir: root,
  outdir: target,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.17',
  plugins: [own, sharedFiles, nodeCrc32, lateStringWidth, sparedYargs],
  // Function names are kept, so that the stack trace in a bug report is readable.
  minifyWhitespace: true,
  minifySyntax: true,
  // Node prints the line in which an error was thrown, so lines are kept short.
  lineLimit: 160,
  // esbuild's translation of `require` in CommonJS packages needs a `require` function, for Node's own modules. This
  // one works in a bundle of a caller that is CommonJS too, which has no `import.meta.url` for `createRequire`.
  banner: { js: 'const require = process.getBuiltinModule;' },
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions;

checkVersions(root);

const results: readonly { readonly metafile: Metafile }[] = [
  await build({
    ...OPTIONS,
    entryPoints: [main],
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    splitting: true,
  }),
  await build({
    ...OPTIONS,
    plugins: [ownOfLibrary, sharedFiles, nodeCrc32, lateStringWidth],
    entryPoints: ['index.js', 'commands.js', LANE].map(file => join(source, file)),
    entryNames: '[name]',
    chunkNames: 'library-[hash]',
    splitting: true,
  }),
  // The names in a stack trace inside these packages are of no use to us.
  await build({
    ...OPTIONS,
    plugins: [],
    entryPoints: SHARED,
    entryNames: '[name]',
    minifyIdentifiers: true,
  }),
  // Each thread has its own copy of every module anyway.
  await build({
    ...OPTIONS,
    entryPoints: started.filter(file => file !== join(source, LANE)),
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
  }),
];
checkYargs();
const licenceFile = join(target, 'LICENSES.txt');
writeFileSync(licenceFile, licences(packagesIn(results)));

// Files of an earlier build are removed last, because a running program may still load them.
const written = results.flatMap(({ metafile }) =>
  Object.keys(metafile.outputs).map(file => resolve(root, file)),
);
for (const file of readdirSync(target).map(name => join(target, name)))
  if (file !== licenceFile && !written.includes(file)) rmSync(file);
