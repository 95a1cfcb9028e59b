import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { InputError } from '../errors.js';
import { writing } from './system-error.js';
import { abandon, finished, removeTree, temporaryBeside, temporaryIn } from './unfinished.js';

/** A directory that is written under another name and gets its own when it is whole. */
export interface StagedDirectory {
  /** Where to write. */
  readonly path: string;
  /** There was no such directory before. */
  readonly isNew: boolean;
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
  return { path, isNew: !inPlace, commit, discard: () => abandon(path) };
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
  const moved: Buffer[] = [];
  // As bytes: a file system takes names that are no text.
  const below = (directory: string, name: Buffer) => Buffer.concat([Buffer.from(`${directory}/`), name]);
  try {
    writing(to, () => {
      for (const name of readdirSync(from, { encoding: 'buffer' }).sort(Buffer.compare)) {
        move(below(from, name), below(to, name));
        moved.push(name);
      }
      rmdirSync(from);
    });
  } catch (error) {
    for (const name of moved) removeTree(below(to, name));
    throw error;
  }
}

/** A directory that its owner may not write to cannot be moved: the way back up, which is in it, changes. */
function move(from: Buffer, to: Buffer): void {
  const stats = lstatSync(from);
  const locked = stats.isDirectory() && (stats.mode & 0o200) === 0;
  if (locked) chmodSync(from, (stats.mode & 0o7777) | 0o200);
  renameSync(from, to);
  if (locked) chmodSync(to, stats.mode & 0o7777);
}
