// Roots with only what a delivery says it needs, and commands in them, without a network and without root's right to
// write anywhere.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { librariesOf } from '../../bin/package/image.js';
import { canRun } from '../faults/harness.js';
import { ended, type Run } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('roots');

const MOUNT = ['unshare', '-rnm', 'mount', '-t', 'tmpfs', 'none', '/mnt'] as const;

/** Whether roots can be entered here, with a directory of devices and a small disk. */
export const hasRoots =
  process.platform === 'linux' &&
  process.arch === 'x64' &&
  canRun('ldd', '--version') &&
  canRun('setpriv', '--version') &&
  canRun(...MOUNT);

/** The archive in every root, under a name that a shell would take apart. */
export const SAMPLE = "samples with 'quotes' and spaces/hello.tar";

const sample = (name: string) => join(repositoryRoot, 'samples', name);

/** In every root. `disk`: where a small disk is mounted. `locked`: nothing can be written there. */
const FILES: Readonly<Record<string, string>> = {
  [SAMPLE]: sample('hello-docker-28.tar'),
  'broken.tar': sample('broken-layer.tar'),
  'packed.tar.gz': sample('hello-podman.tar.gz'),
  'layout.zip': sample('hello-oci.zip'),
};

/** A delivery in a root of its own. */
export interface Root {
  readonly path: string;
  /** Its path there. */
  readonly program: string;
}

/**
 * Makes a root with the samples and with files at their paths.
 * @param files  a path there, and the file or directory that is copied; existing ones are kept
 */
export function makeRoot(path: string, files: Readonly<Record<string, string>>): string {
  for (const [name, source] of Object.entries({ ...FILES, ...files })) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    cpSync(source, join(path, name), { recursive: true, verbatimSymlinks: true });
  }
  for (const name of ['dev', 'disk', 'locked']) mkdirSync(join(path, name), { recursive: true });
  // Node opens it in place of a closed descriptor.
  writeFileSync(join(path, 'dev/null'), '');
  return path;
}

export const emptyRoot = (name: string, files: Readonly<Record<string, string>>): string =>
  makeRoot(join(folder, name), files);

/** Puts the shared libraries of a binary where it looks for them. */
export function withLibraries(root: string, binary: string): string {
  for (const { path, content, mode } of librariesOf(binary)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content as Uint8Array, { mode });
  }
  return root;
}

/** A root with Node, with env(1) that finds it, and with what else is named. */
export function rootWithNode(name: string, files: Readonly<Record<string, string>>): string {
  const node = realpathSync(process.execPath);
  const root = emptyRoot(name, {
    ...files,
    'usr/bin/node': node,
    'usr/bin/env': realpathSync('/usr/bin/env'),
  });
  return withLibraries(root, node);
}

/**
 * The commands that a shell line may use: `waybill`, and `full SIZE`, which runs it with a small disk and prints what
 * is left on it. Without the capabilities of root, permissions hold for it too.
 */
const PRELUDE = `
root=$1; program=$2
waybill() {
  setpriv --bounding-set=-all,+sys_chroot chroot "$root" "$program" "$@"
}
full() {
  mount -t tmpfs -o "size=$1" none disk; shift
  waybill "$@"; code=$?
  ls -A disk >&2
  return $code
}
mount --bind /dev/null "$root/dev/null"
chmod 555 "$root/locked"
cd "$root"
`;

/** Runs a line of shell in the root's directory, where `waybill` is the delivery. */
export function inRoot({ path, program }: Root, line: string, env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const shell = ['-rnm', 'sh', '-c', `${PRELUDE}${line}`, 'sh', path, program];
  const child = spawn('unshare', shell, {
    env: { PATH: process.env.PATH, SAMPLE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return ended(child);
}

/** The paths of all files in a root. */
export const filesIn = ({ path }: Root): readonly string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
