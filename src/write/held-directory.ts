import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, statSync } from 'node:fs';

/** A directory that is held open, so that it stays the same one when the names that lead to it change. */
export interface HeldDirectory {
  /** Leads there. By its name only where the system has no other way. */
  readonly path: string;
  /** Whether a name still leads there, and is no link. */
  isAt(path: string): boolean;
  close(): void;
}

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const NO_LINK = O_NOFOLLOW ?? 0;

/**
 * Opens a directory to write below it. Hazard: a user who can write to a directory above could replace it by a link while it is
 * filled, so that everything is written elsewhere. Linux names the open files of a process, which cannot be replaced. proc_pid_fd(5)
 * @param links  whether the name may be a link
 */
export function holdDirectory(path: string, links: 'followed' | 'refused'): HeldDirectory {
  const fd = openSync(path, O_RDONLY | (O_DIRECTORY ?? 0) | (links === 'refused' ? NO_LINK : 0));
  const stats = fstatSync(fd);
  // By number and not as `self`: a command that is run has a self of its own.
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
