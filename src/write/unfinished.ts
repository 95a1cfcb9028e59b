import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** What is being written and must not stay if this process ends before it is whole. */
const unfinished = new Set<string>();

let changed: (any: boolean) => void = () => {};

/** Calls back before the first unfinished thing is made, and when none is left. */
export function watchUnfinished(listener: (any: boolean) => void): void {
  changed = listener;
}

/**
 * A name beside `target`, on the same file system, that becomes `target` by renaming it. Hidden, and told from the names
 * of other processes by chance.
 */
export function temporaryBeside(target: string): string {
  const full = resolve(target);
  return temporaryIn(dirname(full), basename(full));
}

export function temporaryIn(directory: string, name: string): string {
  // A name may be as long as the file system allows already.
  const path = join(directory, `.${name.slice(0, 40)}.${randomBytes(6).toString('hex')}.unfinished`);
  if (unfinished.size === 0) changed(true);
  unfinished.add(path);
  return path;
}

/** It has its name, and stays. */
export function finished(path: string): void {
  if (unfinished.delete(path) && unfinished.size === 0) changed(false);
}

/** Removes something unfinished, if it is there. What cannot be removed now is tried once more at the end. */
export function abandon(path: string): void {
  try {
    removeTree(Buffer.from(path));
  } catch {
    return;
  }
  finished(path);
}

/** Removes a file, or a directory with all in it, even where directories are locked to their owner. */
export function removeTree(path: Buffer): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    unlock(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function unlock(path: Buffer): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path, { encoding: 'buffer' }))
    unlock(Buffer.concat([path, Buffer.from('/'), name]));
}

/**
 * Removes everything unfinished, before the process ends. Synchronous, so that it is done by then.
 * @returns what cannot be removed
 */
export function removeUnfinished(): readonly string[] {
  for (const path of [...unfinished]) abandon(path);
  return [...unfinished];
}
