// The content of the npm package: the program, the types of the library, and documents, without build tools and tests.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { hasNpm, installed, NO_NPM, packed, tarball } from '../support/package.js';

const { files, unpackedSize } = hasNpm ? packed() : { files: [], unpackedSize: 0 };
const paths = files.map(({ path }) => path);
const withNpm = testWhen(test, hasNpm, NO_NPM);

withNpm('few files, and only of these kinds', () => {
  const KINDS = [
    /^bin\/waybill\.js$/,
    /^dist\/bundle\/([\w-]+\.m?js|LICENSES\.txt)$/,
    /^dist\/types\/[\w/-]+\.d\.ts$/,
    // Made by `npm run package`.
    /^dist\/waybill\.1$/,
    /^docs\/(recipes\/[\w./-]+|[\w-]+\.md|schema\.json|policy\.schema\.json|lock\.schema\.json)$/,
    /^samples\/([\w.-]+\.(tar|tar\.gz|zip|pub|yaml)|README\.md)$/,
    /^(CHANGELOG\.md|LICENSE|README\.md|package\.json)$/,
  ];
  assert.equal(
    paths.filter(path => !KINDS.some(kind => kind.test(path))),
    [],
  );
  assert.ok(paths.length < 600, `${paths.length} files`);
  assert.ok(unpackedSize < 8e6, `${unpackedSize} bytes`);
});

withNpm('no package is installed with it, and no script runs', () => {
  const read = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  for (const field of ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies'])
    assert.is(read[field], undefined, field);
  const atInstall = Object.keys(read.scripts).filter(name => /^(pre|post)?install$/.test(name));
  assert.equal(atInstall, []);
  const asked = paths
    .filter(path => path.startsWith('dist/bundle/') && path.endsWith('.js'))
    .flatMap(path => [
      ...readFileSync(join(repositoryRoot, path), 'utf8').matchAll(
        /(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*"([@a-z][^"\s]*)"/g,
      ),
    ])
    .map(match => match[1]!.replace(/^node:/, ''));
  assert.equal(
    [...new Set(asked)].filter(name => !builtinModules.includes(name)),
    [],
  );
});

withNpm(
  'publint and Are The Types Wrong have nothing to say: the package is an ES module, and says so',
  () => {
    const file = tarball();
    const lint = (program: string, ...args: readonly string[]) => {
      const { status, stdout } = spawnSync(
        process.execPath,
        [join(repositoryRoot, 'node_modules', program), ...args],
        { encoding: 'utf8' },
      );
      assert.is(status, 0, stdout);
      return stdout;
    };
    assert.match(lint('publint/src/cli.js', 'run', file, '--strict'), 'All good!');
    const report = lint('@arethetypeswrong/cli/dist/index.js', file, '--profile', 'esm-only', '--no-color');
    assert.match(report, /^node16 \(from ESM\): 🟢 \(ESM\)$/m);
    assert.is(JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')).type, 'module');
    assert.match(readFileSync(join(repositoryRoot, 'docs/library.md'), 'utf8'), /^ES modules only/m);
  },
);

const SAMPLE = join(repositoryRoot, 'samples/hello-docker-28.tar');
const PROGRAM = `
import { type Finding, InputError, listFiles, openArchive, type OpenOptions, verifyArchive } from 'waybill';
import { outputFor, overview, overviewReadOptions, readArchive, reportOf } from 'waybill/commands';
const file: string = process.argv[2]!;
const { verdicts, findings } = reportOf(await readArchive(file));
const options: OpenOptions = { signal: undefined, jobs: undefined, limits: undefined, onProgress: undefined };
const archive = await openArchive(file, options);
const nothing = { image: undefined, platform: undefined, signal: undefined };
const all: readonly Finding[] = [...findings, ...(await verifyArchive(archive, nothing)).findings];
for await (const _ of listFiles(archive, { ...nothing, layer: undefined, where: undefined })) break;
const page = outputFor('report.html')!(overview(await readArchive(file, overviewReadOptions), {}));
const refused: boolean = await readArchive('/no/such/file').then(() => false, error => error instanceof InputError);
console.log(JSON.stringify([verdicts.intact, all.every(({ code }) => code !== 'layer-missing'), page.includes('d3'), refused]));
`;

/** The strictest options, which apply to the types of the package too. */
const STRICTEST = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  isolatedModules: true,
  skipLibCheck: false,
  types: ['node'],
};

/** How projects find modules, and the globals that they have: of Node alone, and of browsers besides. */
const COMPILER_OPTIONS = [
  { module: 'preserve', moduleResolution: 'bundler', lib: ['es2022', 'dom'] },
  { module: 'nodenext', lib: ['es2022'] },
];

withNpm('the program and the library run as they are installed, and types resolve', () => {
  const project = installed(paths);
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(process.execPath, [program, ...args], { cwd: project, encoding: 'utf8' });
  const bin = join(project, 'node_modules/waybill/bin/waybill.js');
  assert.match(run(bin, 'verify', SAMPLE), /^verdict {2}intact yes/m);
  assert.match(run(bin, 'verify', join(repositoryRoot, 'samples/hello-oci.zip')), /^verdict {2}intact yes/m);
  writeFileSync(join(project, 'use.ts'), PROGRAM);
  for (const options of COMPILER_OPTIONS) {
    const compilerOptions = { ...STRICTEST, ...options };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use.ts'] }));
    run(join(repositoryRoot, 'node_modules/typescript/bin/tsc'), '-p', project);
  }
  assert.equal(JSON.parse(run(join(project, 'use.js'), SAMPLE)), [true, true, true, true]);
});

test('`npm ci` has no warning about an install script: each is allowed or refused in package.json', () => {
  const json = (name: string) => JSON.parse(readFileSync(join(repositoryRoot, name), 'utf8'));
  const { packages } = json('package-lock.json') as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const withScript = Object.keys(packages).filter(path => packages[path]!.hasInstallScript === true);
  const names = withScript.map(path =>
    path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  );
  assert.equal(Object.keys(json('package.json').allowScripts).sort(), names.sort());
});

test.run();
