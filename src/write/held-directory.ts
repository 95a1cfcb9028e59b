import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, statSync } from 'node:fs';

/** A directory that stays the same one, whatever becomes of the names that lead to it. */
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
 * Takes hold of a directory. Whoever may write in a directory above could put a link in its place while it is filled, and have
 * everything written elsewhere; Linux has names for what a process has open, which nobody can exchange. proc_pid_fd(5)
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
