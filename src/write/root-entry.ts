import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import type { TreeNode } from '../filesystem/file-tree.js';
import type { Entry } from '../scan/entries/table.js';
import type { ContentSink } from '../tar/entry.js';
import { writeAt } from './file.js';

/** Attributes of an entry that are restored in addition to its content. */
export interface Attributes {
  /** The owner, and with it setuid and setgid, which give the owner's rights. */
  readonly owner: boolean;
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
/** Windows has neither of these constants. */
const NO_LINK = O_NOFOLLOW ?? 0;

/** Creates a directory that no other user can write to until it is complete. */
export const makeDirectory = (path: Buffer): void => mkdirSync(path, 0o700);

/** Sets the owner, mode and time of a directory, after everything in it was created. */
export function finishDirectory(path: Buffer, { entry, inode }: TreeNode, attributes: Attributes): void {
  const fd = openSync(path, O_RDONLY | (O_DIRECTORY ?? 0) | NO_LINK);
  try {
    if (attributes.owner) fchownSync(fd, entry.uid, entry.gid);
    if (inode.index >= 0) futimesSync(fd, timeOf(entry), timeOf(entry));
    fchmodSync(fd, modeOf(entry, attributes));
  } finally {
    closeSync(fd);
  }
}

/** Opens a new file for content. The name must not exist: an existing file or link is neither followed nor changed. */
export function openNew(path: Buffer, { entry }: TreeNode, attributes: Attributes): ContentSink {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | NO_LINK, 0o600);
  let size = 0;
  return {
    write(bytes) {
      writeAt(fd, bytes, size);
      size += bytes.length;
    },
    hole(length) {
      size += length;
      if (!Number.isSafeInteger(size)) throw new Error('it is larger than any file can be');
      ftruncateSync(fd, size);
    },
    end(complete) {
      try {
        if (complete) finishFile(fd, entry, attributes);
        else unlinkSync(path);
      } finally {
        closeSync(fd);
      }
    },
  };
}

/** The owner is set first: changing it clears setuid and setgid. */
function finishFile(fd: number, entry: Entry, attributes: Attributes): void {
  if (attributes.owner) fchownSync(fd, entry.uid, entry.gid);
  fchmodSync(fd, modeOf(entry, attributes));
  futimesSync(fd, timeOf(entry), timeOf(entry));
}

/** The target is written unchanged; waybill does not follow it. */
export function makeSymbolicLink(path: Buffer, { entry }: TreeNode, { owner }: Attributes): void {
  symlinkSync(bytesOf(entry.target ?? ''), path);
  if (owner) lchownSync(path, entry.uid, entry.gid);
  lutimesSync(path, timeOf(entry), timeOf(entry));
}

/** Some systems follow a symbolic link here; then the symbolic link is created again instead. */
export function makeHardLink(path: Buffer, first: Buffer, node: TreeNode, attributes: Attributes): void {
  if (node.inode.type === 'symlink') makeSymbolicLink(path, node, attributes);
  else linkSync(first, path);
}

/** A path below a directory, with the bytes of the layer's entry. */
export const pathBelow = (root: string, path: string): Buffer =>
  Buffer.concat([Buffer.from(`${root}/`), bytesOf(path)]);

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

const PERMISSIONS = 0o777;
const STICKY = 0o1000;

const modeOf = ({ mode }: Entry, { owner }: Attributes) => (owner ? mode : mode & (PERMISSIONS | STICKY));

/** The earliest time of a Date, in milliseconds. ECMAScript, TimeClip */
const EARLIEST = -8.64e15;

/**
 * The time of an entry for `utimes` and similar calls. Node reads a negative number as the current time, but accepts a
 * Date before 1970, which has whole milliseconds: such a time is rounded down.
 */
export function timeOf({ mtime, mtimeNanos }: Entry): number | Date {
  return mtime >= 0
    ? mtime + mtimeNanos / 1e9
    : new Date(Math.max(mtime * 1000, EARLIEST) + Math.floor(mtimeNanos / 1e6));
}
