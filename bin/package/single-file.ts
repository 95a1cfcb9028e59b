// The whole program as one file: the command line, its worker threads, and the licences of all packages in it.
import { readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import {
  lateStringWidth,
  licences,
  nodeCrc32,
  ownModules,
  type PackedPackage,
  packagesIn,
  RESULTS,
  root,
  source,
  sparedYargs,
} from '../modules.js';

/** A thread is started from the same file; the first argument says which module it runs. */
const THREAD = /new Worker\(new URL\('\.\/([\w-]+\.js)', import\.meta\.url\), \{/g;

/** Whether the file of a thread is there: in one file it is. */
const THERE = /\bisThere\(\(\) => new URL\('\.\/[\w-]+\.js', import\.meta\.url\)\)/g;

/** `module`: an ES module. `script`: CommonJS, as the main program of a single executable application has to be. */
type Form = 'module' | 'script';

const SELF: Readonly<Record<Form, string>> = {
  module: 'new URL(import.meta.url), {',
  script: `require('node:sea').getAsset('program', 'utf8'), { eval: true,`,
};

/** @throws Error for a module that starts a thread in another way: it would look for a file that is not there */
function withThreads(code: string, path: string, form: Form): string {
  const changed = code
    .replace(THERE, 'true')
    .replace(THREAD, (_, name) => `new Worker(${SELF[form]} argv: [${JSON.stringify(name)}],`);
  if (/import\.meta\.url/.test(changed.replaceAll(SELF.module, '')))
    throw new Error(`${path}: import.meta.url has no meaning in a single file`);
  return changed;
}

const ownIn = (form: Form): Plugin => ({
  name: 'own modules in one file',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) =>
      ownModules.includes(path)
        ? { contents: RESULTS.get(path) ?? withThreads(readFileSync(path, 'utf8'), path, form) }
        : null,
    );
  },
});

/** The modules that threads run, by the names that they are started with. */
function threadModules(): ReadonlyMap<string, string> {
  const modules = new Map<string, string>();
  for (const file of ownModules)
    for (const [, name] of readFileSync(file, 'utf8').matchAll(THREAD)) {
      const path = join(file, '..', name!);
      if (modules.has(name!)) throw new Error(`${name} is the name of two modules that threads run`);
      modules.set(basename(path), path);
    }
  return modules;
}

/** Starts the command line, or in a thread its module. Each is evaluated only then. */
function entry(): string {
  const load = (path: string) => `import('./${relative(source, path).split(sep).join('/')}')`;
  const threads = [...threadModules()].map(([name, path]) => `${JSON.stringify(name)}: () => ${load(path)}`);
  return [
    "import { isMainThread } from 'node:worker_threads';",
    `const threads = { ${threads.join(', ')} };`,
    `if (isMainThread) ${load(join(source, 'cli.js'))};`,
    'else threads[process.argv[2]]();',
  ].join('\n');
}

type Options = BuildOptions & { readonly write: false; readonly metafile: true };

const OPTIONS: Options = {
  write: false,
  metafile: true,
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.17',
  minifyWhitespace: true,
  minifySyntax: true,
  // Node prints the line in which an error was thrown, so lines are kept short.
  lineLimit: 160,
  logLevel: 'warning',
};

/** The program as text, and the packages in it. */
export interface SingleFile {
  readonly text: string;
  readonly packages: readonly PackedPackage[];
}

export async function singleFile(form: Form): Promise<SingleFile> {
  const result = await build<Options>({
    ...OPTIONS,
    stdin: { contents: entry(), resolveDir: source, sourcefile: 'waybill.js' },
    format: form === 'module' ? 'esm' : 'cjs',
    supported: form === 'module' ? NEWER_SYNTAX : {},
    // Packages ask for it to find files that the bundle does without; a script has no such value.
    define: form === 'module' ? {} : { 'import.meta.url': '"file:///waybill.js"' },
    plugins: [ownIn(form), nodeCrc32, lateStringWidth, sparedYargs],
  });
  const code = result.outputFiles[0]!.text;
  const packages = packagesIn([result]);
  const notice = `/*\n${licences(packages).trim().replaceAll('*/', '* /')}\n*/\n`;
  const text =
    form === 'script' ? `'use strict';\n${code}${notice}` : `${MODULE_HEAD}${withLateModules(code)}${notice}`;
  return { text, packages };
}

const MODULE_HEAD = `#!/usr/bin/env node
// waybill, in one file. The licences of the packages in it are at its end.
import { createRequire as requirer } from 'node:module';const require = requirer(import.meta.url);
{
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 17)) {
    process.stderr.write('waybill: Node ' + process.versions.node + ' is too old: waybill needs Node 20.17 or later\\n');
    process.exit(2);
  }
}
`;

/** Syntax that Node 14 cannot parse. It is written in another way, so that an older Node gets to the sentence above. */
const NEWER_SYNTAX = {
  'logical-assignment': false,
  'class-static-blocks': false,
  'class-private-brand-check': false,
  'regexp-match-indices': false,
  'regexp-set-notation': false,
};

const NAMED_IMPORT = /\bimport\{([^}]*)\}\s*from\s*"([^"]+)";/g;

/**
 * Takes Node's modules when they are run: an older Node that lacks one, or a name of one, would otherwise refuse to
 * link the file, before the sentence is printed.
 */
const withLateModules = (code: string): string =>
  code.replace(
    NAMED_IMPORT,
    (_, names: string, module: string) =>
      `const{${names.replaceAll(/\s+as\s+/g, ':')}}=require("${module}");`,
  );
