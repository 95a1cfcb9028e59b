// The content of the npm package: the program, the types of the library, and documents, without build tools and tests.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { hasNpm, installed, NO_NPM, packed } from '../support/package.js';

const { files, unpackedSize } = hasNpm ? packed() : { files: [], unpackedSize: 0 };
const paths = files.map(({ path }) => path);
const withNpm = testWhen(test, hasNpm, NO_NPM);

withNpm('few files, and only of these kinds', () => {
  const KINDS = [
    /^bin\/waybill\.js$/,
    /^dist\/bundle\/([\w-]+\.js|LICENSES\.txt)$/,
    /^dist\/types\/[\w/-]+\.d\.ts$/,
    /^docs\/(recipes\/[\w./-]+|[\w-]+\.md|schema\.json|policy\.schema\.json|lock\.schema\.json)$/,
    /^samples\/([\w.-]+\.(tar|tar\.gz|zip|pub|yaml)|README\.md)$/,
    /^(CHANGELOG\.md|LICENSE|README\.md|package\.json)$/,
  ];
  assert.equal(
    paths.filter(path => !KINDS.some(kind => kind.test(path))),
    [],
  );
  assert.ok(paths.length < 520, `${paths.length} files`);
  assert.ok(unpackedSize < 7e6, `${unpackedSize} bytes`);
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

const SAMPLE = join(repositoryRoot, 'samples/hello-docker-28.tar');
const PROGRAM = `
import { type Finding, InputError, openArchive, verifyArchive } from 'waybill';
import { outputFor, overview, overviewReadOptions, readArchive, reportOf } from 'waybill/commands';
const file: string = process.argv[2]!;
const { verdicts, findings } = reportOf(await readArchive(file));
const all: readonly Finding[] = [...findings, ...(await verifyArchive(await openArchive(file))).findings];
const page = outputFor('report.html')!(overview(await readArchive(file, overviewReadOptions), {}));
const refused: boolean = await readArchive('/no/such/file').then(() => false, error => error instanceof InputError);
console.log(JSON.stringify([verdicts.intact, all.every(({ code }) => code !== 'layer-missing'), page.includes('d3'), refused]));
`;

withNpm('the program and the library run as they are installed, and types resolve', () => {
  const project = installed(paths);
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(process.execPath, [program, ...args], { cwd: project, encoding: 'utf8' });
  const bin = join(project, 'node_modules/waybill/bin/waybill.js');
  assert.match(run(bin, 'verify', SAMPLE), /^verdict {2}intact yes/m);
  assert.match(run(bin, 'verify', join(repositoryRoot, 'samples/hello-oci.zip')), /^verdict {2}intact yes/m);
  writeFileSync(join(project, 'use.ts'), PROGRAM);
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    skipLibCheck: false,
    types: ['node'],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use.ts'] }));
  run(join(repositoryRoot, 'node_modules/typescript/bin/tsc'), '-p', project);
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
