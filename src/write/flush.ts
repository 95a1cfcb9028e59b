// What was written is put on the disk, as far as it is allowed. fsync(2)
import { fdatasync, fsyncSync } from 'node:fs';
import { isDenial } from '../permission.js';

/**
 * Flushes an open file to disk. Node's permission model forbids this whatever it allows otherwise: what is written is
 * then there for every other program, but not safe from a loss of power.
 * @throws the system's error
 */
export function flush(fd: number): void {
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!isDenial(error)) throw error;
  }
}

/** The same without waiting. @param onError  called with the system's error */
export function flushLater(fd: number, onError: (error: NodeJS.ErrnoException) => void = () => {}): void {
  fdatasync(fd, error => {
    if (error !== null && !isDenial(error)) onError(error);
  });
}
