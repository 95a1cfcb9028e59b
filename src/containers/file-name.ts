import { closeSync, constants, openSync } from 'node:fs';
import { InputError } from '../errors.js';
import { type BytePath, isUtf8, pathBuffer, shownPath } from '../spec/byte-path.js';

/**
 * Calls a function with a name by which Node opens a file or folder. Node passes text to the system as UTF-8, so that a
 * name that is not UTF-8 has no such name: the file is opened by its bytes, and the function gets the name that Linux
 * gives to the open descriptor. proc_pid_fd(5)
 *
 * Error messages have the file's own name in place of that of the descriptor.
 * @throws the system's error if it cannot be opened, and what `work` throws
 */
export async function withFileName<T>(file: BytePath, work: (name: string) => Promise<T>): Promise<T> {
  const bytes = pathBuffer(file);
  if (isUtf8(file)) return work(bytes.toString('utf8'));
  // A named pipe without a writer would block.
  const fd = openSync(bytes, constants.O_RDONLY | constants.O_NONBLOCK);
  const name = `/proc/self/fd/${fd}`;
  try {
    return await work(name);
  } catch (error) {
    throw error instanceof InputError ? renamed(error, name, shownPath(file)) : error;
  } finally {
    closeSync(fd);
  }
}

function renamed(error: InputError, name: string, shown: string): InputError {
  const { what, where, remedy, damaged } = error;
  const own = (text: string) => text.replaceAll(name, shown);
  return new InputError(own(what), own(where), remedy === null ? null : own(remedy), {
    cause: error.cause,
    damaged,
  });
}
