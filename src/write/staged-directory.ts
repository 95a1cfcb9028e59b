import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { writing } from './system-error.js';
import { abandon, finished, temporaryBeside, temporaryIn } from './unfinished.js';

/** A directory that is written under another name and gets its own when it is whole. */
export interface StagedDirectory {
  /** Where to write. */
  readonly path: string;
  /** Puts everything written where the user wants it. */
  commit(): void;
  /** Leaves nothing behind. */
  discard(): void;
}

/**
 * Begins a directory. One that exists must be empty, and is filled in place: it may be a mount point, which cannot be
 * replaced.
 * @throws InputError when `target` is something else, or cannot be written
 */
export function stageDirectory(target: string): StagedDirectory {
  const inPlace = isEmptyDirectory(target);
  const path = inPlace ? temporaryIn(target, 'waybill') : temporaryBeside(target);
  try {
    writing(target, () => mkdirSync(path));
  } catch (error) {
    finished(path);
    throw error;
  }
  const commit = () => {
    if (inPlace) moveUp(path, target);
    else writing(target, () => renameSync(path, target));
    finished(path);
  };
  return { path, commit, discard: () => abandon(path) };
}

/** @returns false when there is nothing at all. @throws InputError when there is anything but an empty directory */
function isEmptyDirectory(target: string): boolean {
  if (!isThere(target)) return false;
  const isDirectory = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isDirectory) throw new InputError('exists, and is no directory', target, 'Choose another name.');
  if (writing(target, () => readdirSync(target)).length > 0) {
    throw new InputError('the directory is not empty', target, 'Choose another name, or empty it first.');
  }
  return true;
}

/** Something has this name, be it a link that leads nowhere. */
export const isThere = (path: string): boolean => {
  const look = () => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  return writing(path, look);
};

function moveUp(from: string, to: string): void {
  const moved: string[] = [];
  try {
    writing(to, () => {
      for (const name of readdirSync(from).sort()) {
        renameSync(join(from, name), join(to, name));
        moved.push(name);
      }
      rmdirSync(from);
    });
  } catch (error) {
    for (const name of moved) rmSync(join(to, name), { recursive: true, force: true });
    throw error;
  }
}
