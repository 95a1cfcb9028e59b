// A layer with the files of a directory of this machine: real names, sizes and contents, which no generator has.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, rmSync } from 'node:fs';

/** A layer with the files of a directory. */
export interface TreePlan {
  /** An absolute path. */
  readonly directory: string;
}

/** Directories as distributions have them in an image, if this machine has them. One is there twice: it is wasted. */
export const realTrees = (): TreePlan[] =>
  ['/usr/include', `/usr/lib/${MULTIARCH[process.arch]}`, '/usr/share', '/usr/include']
    .filter(directory => existsSync(directory))
    .map(directory => ({ directory }));

/** https://wiki.debian.org/Multiarch/Tuples */
const MULTIARCH: Partial<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

const CHUNK = 1024 * 1024;

/**
 * Writes the tar of a directory.
 * @param scratch  a file for it, which is deleted
 * @param put      receives the pieces, each valid until the next one
 */
export function writeTree({ directory }: TreePlan, scratch: string, put: (piece: Buffer) => void): void {
  const options = ['--sort=name', '--numeric-owner', '--owner=0', '--group=0', '--format=pax'];
  const times = ['--pax-option=delete=atime,delete=ctime'];
  const { status } = spawnSync('tar', [...options, ...times, '-cf', scratch, '-C', '/', directory.slice(1)], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  // 1: a file changed while it was read.
  if (status !== 0 && status !== 1) throw new Error(`tar cannot pack ${directory}`);
  const file = openSync(scratch, 'r');
  try {
    const buffer = Buffer.alloc(CHUNK);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
      put(buffer.subarray(0, read));
  } finally {
    closeSync(file);
    rmSync(scratch);
  }
}
