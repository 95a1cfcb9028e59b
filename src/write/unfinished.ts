import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * Paths that are being written and must be removed if the process ends before they are complete, each with a function
 * that tells whether it is still this process's own.
 */
const unfinished = new Map<string, () => boolean>();

let changed: (any: boolean) => void = () => {};

/** Sets a function that is called before the first unfinished path is created, and when none is left. */
export function watchUnfinished(listener: (any: boolean) => void): void {
  changed = listener;
}

/** A hidden, random name beside `target`, on the same file system, to be renamed to `target`. */
export function temporaryBeside(target: string): string {
  const full = resolve(target);
  return temporaryIn(dirname(full), basename(full));
}

export function temporaryIn(directory: string, name: string): string {
  // The name may already have the maximum length of the file system.
  const path = join(directory, `.${name.slice(0, 40)}.${randomBytes(6).toString('hex')}.unfinished`);
  removeAtEnd(path);
  return path;
}

/**
 * Removes a path on every way out of the process but a kill.
 * @param isOwn  asked before it is removed: another process may have put its own there
 */
export function removeAtEnd(path: string, isOwn: () => boolean = () => true): void {
  if (unfinished.size === 0) changed(true);
  unfinished.set(path, isOwn);
}

/** Called when the path is complete and renamed. */
export function finished(path: string): void {
  if (unfinished.delete(path) && unfinished.size === 0) changed(false);
}

/** Removes something unfinished, if it exists. If that fails, it is tried again when the process ends. */
export function abandon(path: string): void {
  try {
    if (unfinished.get(path)?.() !== false) removeTree(Buffer.from(path));
  } catch {
    // No file has a NUL in its name: there is nothing to remove, now or later.
    if (!path.includes('\0')) return;
  }
  finished(path);
}

/** Removes a file, or a directory with its contents, even if directories in it are not writable. */
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
 * Removes everything unfinished before the process ends. Synchronous, so that it is complete by then.
 * @returns paths that could not be removed
 */
export function removeUnfinished(): readonly string[] {
  for (const path of [...unfinished.keys()]) abandon(path);
  return [...unfinished.keys()];
}
