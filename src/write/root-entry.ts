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

/** What of an entry besides its content is wanted. */
export interface Attributes {
  /** Its owner, and with that setuid and setgid, which lend the rights of the owner. */
  readonly owner: boolean;
}

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
/** Windows has neither of these, and no links to be wary of. */
const NO_LINK = O_NOFOLLOW ?? 0;

/** Until it is complete, no other user can write to it. */
export const makeDirectory = (path: Buffer): void => mkdirSync(path, 0o700);

/** Gives a directory its owner, mode and time, once nothing more will be made in it. */
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

/** A new file for content. The name must be free: an existing file or link is neither followed nor changed. */
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

/** The owner first: changing it takes setuid and setgid away. */
function finishFile(fd: number, entry: Entry, attributes: Attributes): void {
  if (attributes.owner) fchownSync(fd, entry.uid, entry.gid);
  fchmodSync(fd, modeOf(entry, attributes));
  futimesSync(fd, timeOf(entry), timeOf(entry));
}

/** The target is written as it is given: waybill does not follow it. */
export function makeSymbolicLink(path: Buffer, { entry }: TreeNode, { owner }: Attributes): void {
  symlinkSync(bytesOf(entry.target ?? ''), path);
  if (owner) lchownSync(path, entry.uid, entry.gid);
  lutimesSync(path, timeOf(entry), timeOf(entry));
}

/** Some systems follow a symbolic link here, which is made once more instead. */
export function makeHardLink(path: Buffer, first: Buffer, node: TreeNode, attributes: Attributes): void {
  if (node.inode.type === 'symlink') makeSymbolicLink(path, node, attributes);
  else linkSync(first, path);
}

/** A path below a directory, as the bytes that the layer has. */
export const pathBelow = (root: string, path: string): Buffer =>
  Buffer.concat([Buffer.from(`${root}/`), bytesOf(path)]);

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

const PERMISSIONS = 0o777;
const STICKY = 0o1000;

const modeOf = ({ mode }: Entry, { owner }: Attributes) => (owner ? mode : mode & (PERMISSIONS | STICKY));

/** Milliseconds of the first moment that a Date can be. ECMAScript, TimeClip */
const EARLIEST = -8.64e15;

/**
 * The time of an entry for `utimes` and its like. Node takes a negative number for the present, but not a Date, of whole
 * milliseconds: what lies before 1970 is rounded down to one.
 */
export function timeOf({ mtime, mtimeNanos }: Entry): number | Date {
  return mtime >= 0
    ? mtime + mtimeNanos / 1e9
    : new Date(Math.max(mtime * 1000, EARLIEST) + Math.floor(mtimeNanos / 1e6));
}
