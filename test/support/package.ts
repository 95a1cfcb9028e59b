// The package as `npm install` would lay it out, without a registry.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canRun } from '../faults/harness.js';
import { repositoryRoot } from './corpus.js';
import { temporary } from './tmp.js';

export interface Packed {
  readonly files: readonly { readonly path: string }[];
  readonly unpackedSize: number;
}

export const hasNpm = canRun('npm', '--version');
export const NO_NPM = 'no npm';

/** The files that `npm pack` would put into the package. */
export function packed(): Packed {
  const json = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(json)[0];
}

/** The tarball that `npm pack` makes. */
export function tarball(): string {
  const folder = temporary('tarball');
  const name = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return join(folder, name.trim());
}

/** The package as it is installed, beside a project that uses it. */
export function installed(paths: readonly string[]): string {
  const project = temporary('package');
  const modules = join(project, 'node_modules');
  for (const path of paths) {
    mkdirSync(dirname(join(modules, 'waybill', path)), { recursive: true });
    cpSync(join(repositoryRoot, path), join(modules, 'waybill', path));
  }
  mkdirSync(join(modules, '@types'));
  symlinkSync(join(repositoryRoot, 'node_modules/@types/node'), join(modules, '@types/node'));
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  return project;
}
