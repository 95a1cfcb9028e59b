import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { InputError } from '../errors.js';
import { writing } from './system-error.js';
import { abandon, finished, removeTree, temporaryBeside, temporaryIn } from './unfinished.js';

/** The name of a file in a directory, as it is printed: the directory as the user named it, with or without a slash. */
export const shownIn = (directory: string, name: string): string =>
  `${directory.replace(/\/+$/, '')}/${name}`;

/** A directory that is held open, so that it stays the same one if its name is changed. */
interface HeldDirectory {
  /** A path to the open directory; its name if the system has no other way. */
  readonly path: string;
  /** True if a name still leads to this directory, and is not a link. */
  isAt(path: string): boolean;
  close(): void;
}

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const NO_LINK = O_NOFOLLOW ?? 0;

/**
 * Opens a directory to write below it. Hazard: a user who can write to a parent directory could replace this one by a
 * link while it is filled, so that everything is written elsewhere. On Linux the path in /proc refers to the open
 * directory, which cannot be replaced. proc_pid_fd(5)
 * @param links  whether the name may be a link
 */
function holdDirectory(path: string, links: 'followed' | 'refused'): HeldDirectory {
  const fd = openSync(path, O_RDONLY | (O_DIRECTORY ?? 0) | (links === 'refused' ? NO_LINK : 0));
  const stats = fstatSync(fd);
  // By number and not as `self`: for a command that is started, `self` is its own process.
  const open = `/proc/${process.pid}/fd/${fd}`;
  let isOpen = true;
  return {
    path: isSame(stats, () => statSync(open)) ? open : path,
    isAt: name => isSame(stats, () => lstatSync(name)),
    close() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

function isSame({ dev, ino }: Stats, look: () => Stats): boolean {
  try {
    const stats = look();
    return stats.dev === dev && stats.ino === ino;
  } catch {
    return false;
  }
}

/** A directory that is written under a temporary name and renamed when it is complete. */
interface StagedDirectory {
  /** The path to write to. It stays the same directory, even if another user renames its parents. */
  readonly path: string;
  /** The temporary name. */
  readonly name: string;
  /** True if the target did not exist. */
  readonly isNew: boolean;
  /** Moves the content to the target. */
  commit(): void;
  /** Removes everything that was written. */
  discard(): void;
}

/** Mode of a directory: writable by the owner and the group, readable by others, less the umask. */
const READABLE = 0o775;

/**
 * Creates a staged directory. An existing target must be empty and is filled in place, because a mount point cannot be
 * replaced.
 * @param mode  of the directory, less the umask
 * @throws InputError if `target` is something else, or cannot be written
 */
export function stageDirectory(target: string, mode = READABLE): StagedDirectory {
  const inPlace = isEmptyDirectory(target);
  const name = inPlace ? temporaryIn(target, 'waybill') : temporaryBeside(target);
  let held: HeldDirectory | null = null;
  try {
    held = writing(target, () => {
      mkdirSync(name, { mode });
      return holdDirectory(name, 'refused');
    });
  } catch (error) {
    abandon(name);
    throw error;
  }
  const { path, isAt, close } = held;
  const commit = () => {
    if (!isAt(name))
      throw new InputError('another program replaced it while waybill wrote to it', target, ALONE);
    if (inPlace) moveUp(path, target);
    writing(target, () => (inPlace ? rmdirSync(name) : renameSync(name, target)));
    finished(name);
    close();
  };
  const discard = () => {
    close();
    abandon(name);
  };
  return { path, name, isNew: !inPlace, commit, discard };
}

const ALONE = 'Choose a directory that no other user can write to.';

/**
 * @returns false if it does not exist
 * @throws InputError if it is anything but an empty directory
 */
function isEmptyDirectory(target: string): boolean {
  if (!isThere(target)) return false;
  const stats = writing(target, () => statSync(target, { throwIfNoEntry: false }));
  const isDirectory = stats?.isDirectory() === true;
  if (!isDirectory) throw new InputError('exists, and is not a directory', target, 'Choose another name.');
  if (writing(target, () => readdirSync(target)).length > 0) {
    throw new InputError('the directory is not empty', target, 'Choose another name, or empty it first.');
  }
  return true;
}

/** True if the name exists, even as a link that leads nowhere. */
export const isThere = (path: string): boolean => {
  const look = () => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  return writing(path, look);
};

/** Moves everything from one directory into another. If a move fails, the earlier ones are undone. */
function moveUp(from: string, target: string): void {
  const moved: Buffer[] = [];
  const held = writing(target, () => holdDirectory(target, 'followed'));
  // As bytes, because file names may not be valid UTF-8.
  const below = (directory: string, name: Buffer) => Buffer.concat([Buffer.from(`${directory}/`), name]);
  try {
    writing(target, () => {
      for (const name of readdirSync(from, { encoding: 'buffer' }).sort(Buffer.compare)) {
        move(below(from, name), below(held.path, name));
        moved.push(name);
      }
    });
  } catch (error) {
    for (const name of moved) removeTree(below(held.path, name));
    throw error;
  } finally {
    held.close();
  }
}

/**
 * Moving a directory changes its `..` entry, so it must be writable by its owner. It is made so through an open
 * descriptor, because its name can be replaced by other users once it is moved.
 */
function move(from: Buffer, to: Buffer): void {
  const { mode } = lstatSync(from);
  const isLocked = (mode & constants.S_IFMT) === constants.S_IFDIR && (mode & 0o200) === 0;
  if (!isLocked) {
    renameSync(from, to);
    return;
  }
  chmodSync(from, 0o700);
  const fd = openSync(from, constants.O_RDONLY);
  try {
    renameSync(from, to);
    fchmodSync(fd, mode & 0o7777);
  } finally {
    closeSync(fd);
  }
}
