import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { flush } from './flush.js';
import { writing } from './system-error.js';
import { abandon, finished, temporaryBeside } from './unfinished.js';

/** An open file to write to. Every method may throw an InputError that names the file as the user does. */
export interface Writer {
  write(chunk: Uint8Array): void;
  /** Flushes the file to disk and closes it. A full disk may be reported only here. */
  close(): void;
  /** Closes the file without finishing it. Safe after `close`. */
  drop(): void;
}

/**
 * Opens a new file.
 * @param shown  the name of the file in messages
 */
export function createFile(path: string, shown: string): Writer {
  let fd: number | null = writing(shown, () => openSync(path, 'w'));
  const drop = () => {
    const open = fd;
    fd = null;
    if (open !== null) writing(shown, () => closeSync(open));
  };
  return {
    write: chunk => writing(shown, () => writeAt(fd!, chunk, null)),
    close() {
      writing(shown, () => flush(fd!));
      drop();
    },
    drop,
  };
}

/**
 * Writes all of a chunk; the system may write less at a time.
 * @param position  null for the end of the last write
 */
export function writeAt(fd: number, chunk: Uint8Array, position: number | null): void {
  for (let done = 0; done < chunk.length; ) {
    const at = position === null ? null : position + done;
    done += writeSync(fd, chunk, done, chunk.length - done, at);
  }
}

/**
 * Replaces a file atomically: a reader sees the old content or the new, never a part of it.
 * @param content       whole, or in pieces
 * @param beforeRename  may throw when all of it is on the disk: the old file then stays
 */
export function replaceFile(
  path: string,
  content: Uint8Array | Iterable<string>,
  beforeRename = () => {},
): void {
  const temporary = temporaryBeside(path);
  const file = createFile(temporary, path);
  try {
    for (const piece of typeof content === 'string' || content instanceof Uint8Array ? [content] : content)
      file.write(Buffer.from(piece));
    file.close();
    beforeRename();
    writing(path, () => renameSync(temporary, path));
    finished(temporary);
  } catch (error) {
    file.drop();
    abandon(temporary);
    throw error;
  }
}
