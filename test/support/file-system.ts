// A directory of this machine as data, to compare it with another one or with a report.
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';

export interface Found {
  readonly type: 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'other';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size of a file in bytes; 0 for any other type. */
  readonly size: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  readonly target: string | null;
  /** `major,minor` of a device. */
  readonly device: string | null;
  /** The first name, in byte order, of a file with several. */
  readonly first: string;
}

/** Everything below a directory by its path; paths and targets are bytes, one per character. */
export function walked(root: string): Map<string, Found> {
  const found = new Map<string, Found>();
  const names = new Map<string, string>();
  const walk = (directory: Buffer, prefix: string) => {
    const entries = readdirSync(directory, { encoding: 'buffer' }).sort(Buffer.compare);
    for (const name of entries) {
      const full = Buffer.concat([directory, Buffer.from('/'), name]);
      const path = prefix + name.toString('latin1');
      const stats = lstatSync(full);
      const type = typeOf(stats);
      const inode = `${stats.dev}:${stats.ino}`;
      if (type !== 'directory' && !names.has(inode)) names.set(inode, path);
      found.set(path, {
        type,
        mode: type === 'symlink' ? 0o777 : stats.mode & 0o7777,
        uid: stats.uid,
        gid: stats.gid,
        size: type === 'file' ? stats.size : 0,
        mtime: Math.floor(stats.mtimeMs / 1000),
        target: type === 'symlink' ? readlinkSync(full, { encoding: 'buffer' }).toString('latin1') : null,
        device: type === 'char' || type === 'block' ? numbers(stats.rdev) : null,
        first: type === 'directory' ? path : names.get(inode)!,
      });
      if (type === 'directory') walk(full, `${path}/`);
    }
  };
  walk(Buffer.from(root), '');
  return found;
}

function typeOf(stats: ReturnType<typeof lstatSync>): Found['type'] {
  if (stats!.isFile()) return 'file';
  if (stats!.isDirectory()) return 'directory';
  if (stats!.isSymbolicLink()) return 'symlink';
  if (stats!.isCharacterDevice()) return 'char';
  if (stats!.isBlockDevice()) return 'block';
  return stats!.isFIFO() ? 'fifo' : 'other';
}

/** Decoded like glibc's major() and minor(), for numbers below 4096 and 256. */
const numbers = (device: number) => `${(device >> 8) & 0xfff},${device & 0xff}`;
