// `npm run package`: everything that is given to users, into dist/packages. The same sources give the same bytes.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SCRIPTS } from '../../src/cli/completion-scripts.js';
import { lockedImages, lockReadOptions, madeLock } from '../../src/commands/lock/index.js';
import { readArchive } from '../../src/report/read.js';
import { version } from '../../src/version.js';
import { licences, root } from '../modules.js';
import { debianPackage } from './debian.js';
import { makeExecutable } from './executable.js';
import { librariesOf, writeImage } from './image.js';
import { manualPage } from './manual.js';
import { billOfMaterials, nodeLicence } from './notices.js';
import { whyNot, withNodeOf } from './other-systems.js';
import { type SingleFile, singleFile } from './single-file.js';
import { recordsOf, systemPackagesOf } from './system-packages.js';
import type { TreeFile } from './tree.js';

const { values } = parseArgs({
  options: {
    /** The folder of the deliveries. What is in it is deleted. */
    output: { type: 'string', default: join(root, 'dist/packages') },
    /** The binary of Node that the executable and the image contain. */
    node: { type: 'string', default: process.execPath },
    /** Other systems for which an executable is made too. */
    executable: { type: 'string', multiple: true, default: [] },
  },
});
const target = resolve(values.output);

/** The architectures of Node by Go's names, which images have. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Samples that come with a delivery. */
const SAMPLES = /\.(?:tar|tar\.gz|zip|pub|yaml|md)$/;

async function makeAll(): Promise<void> {
  const binary = realpathSync(values.node);
  const nodeVersion = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  const seconds = secondsOfRelease();
  const [problem] = values.executable.flatMap(system => whyNot(system, nodeVersion) ?? []);
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`);
    process.exitCode = 2;
    return;
  }
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const program = await singleFile('module');
  const { packages } = program;
  put('waybill.mjs', program.text, 0o755);
  const manual = await manualPage(new Date(seconds * 1000));
  put('waybill.1', manual);
  const notices = `${licences(packages)}\n${'-'.repeat(72)}\n\nNode.js ${nodeVersion}\n\n${nodeLicence(binary)}`;
  put('THIRD-PARTY-LICENCES.txt', notices);
  npmPackage(manual);
  const executable = join(target, `waybill-${process.platform}-${process.arch}`);
  const script = (await singleFile('script')).text;
  makeExecutable(executable, script, binary);
  for (const system of values.executable)
    await withNodeOf(system, nodeVersion, node =>
      makeExecutable(join(target, `waybill-${system}`), script, node, binary),
    );
  put(`waybill_${version}_all.deb`, await debian(program, seconds));
  const libraries = librariesOf(executable);
  const system = systemPackagesOf(libraries.map(({ path }) => `/${path}`));
  put('waybill.cdx.json', billOfMaterials({ version, packages, node: nodeVersion, system, seconds }));
  await image(executable, libraries, system === null ? [] : recordsOf(system), notices, seconds);
  put('SHA256SUMS', sums());
}

/** The time of the last commit, or SOURCE_DATE_EPOCH. https://reproducible-builds.org/specs/source-date-epoch/ */
function secondsOfRelease(): number {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  const text = given ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  return Number(text);
}

function put(name: string, content: string | Uint8Array, mode = 0o644): void {
  writeFileSync(join(target, name), content);
  chmodSync(join(target, name), mode);
}

const textOf = (name: string): string => readFileSync(join(root, name), 'utf8');

const samples = (): readonly TreeFile[] =>
  readdirSync(join(root, 'samples'))
    .filter(name => SAMPLES.test(name))
    .map(name => ({ path: name, content: readFileSync(join(root, 'samples', name)) }));

/**
 * npm gives every file of its archive the same time, so that the bytes depend on the contents alone.
 * @param manual  the man page, which npm links when it installs the package
 */
function npmPackage(manual: string): void {
  writeFileSync(join(root, 'dist/waybill.1'), manual);
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', target], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function debian({ text, packages }: SingleFile, seconds: number): Promise<Buffer> {
  const { engines } = JSON.parse(textOf('package.json')) as { readonly engines: { readonly node: string } };
  return debianPackage({
    version,
    program: text,
    manual: readFileSync(join(target, 'waybill.1'), 'utf8'),
    completions: SCRIPTS,
    changes: textOf('CHANGELOG.md'),
    licences: licences(packages),
    samples: samples(),
    node: engines.node.replace('>=', ''),
    seconds,
  });
}

/** The image of this system, and the lock by which it is recognised after it was carried. */
async function image(
  executable: string,
  libraries: readonly TreeFile[],
  records: readonly TreeFile[],
  notices: string,
  seconds: number,
): Promise<void> {
  const architecture = ARCHITECTURES[process.arch];
  if (process.platform !== 'linux' || architecture === undefined) return;
  const output = join(target, `waybill-${version}-image-${architecture}.tar`);
  const documents: readonly TreeFile[] = [
    { path: 'usr/share/doc/waybill/LICENSE', content: textOf('LICENSE') },
    { path: 'usr/share/doc/waybill/THIRD-PARTY-LICENCES.txt', content: notices },
    ...samples().map(file => ({ ...file, path: `samples/${file.path}` })),
  ];
  await writeImage(output, {
    version,
    executable: readFileSync(executable),
    architecture,
    libraries: [...libraries, ...records],
    documents,
    seconds,
  });
  const reading = await readArchive(output, lockReadOptions(true));
  put('waybill.lock.json', madeLock(lockedImages(reading, { withFiles: true })).text);
}

function sums(): string {
  const lines = readdirSync(target)
    .sort()
    .map(
      name =>
        `${createHash('sha256')
          .update(readFileSync(join(target, name)))
          .digest('hex')}  ${name}\n`,
    );
  return lines.join('');
}

await makeAll();
