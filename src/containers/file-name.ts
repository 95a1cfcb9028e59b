import { closeSync, constants, openSync, readFileSync, statSync } from 'node:fs';
import { InputError, isSystemError } from '../errors.js';
import { type BytePath, isUtf8, nameText, pathBuffer, shownPath } from '../spec/byte-path.js';

/**
 * Calls a function with a name by which Node opens a file or folder. Node passes text to the system as UTF-8, so that a
 * name that is not UTF-8 has no such name: the file is opened by its bytes, and the function gets the name that Linux
 * gives to the open descriptor. proc_pid_fd(5)
 *
 * Error messages have the file's own name in place of that of the descriptor.
 * @throws the system's error if it cannot be opened, InputError if its name is not UTF-8 and proc(5) is not mounted,
 * and what `work` throws
 */
export async function withFileName<T>(file: BytePath, work: (name: string) => Promise<T>): Promise<T> {
  const bytes = pathBuffer(file);
  if (isUtf8(file)) return work(bytes.toString('utf8'));
  // A named pipe without a writer would block.
  const fd = openSync(bytes, constants.O_RDONLY | constants.O_NONBLOCK);
  const name = `/proc/self/fd/${fd}`;
  try {
    checkProc(name, shownPath(file));
    return await work(name);
  } catch (error) {
    throw error instanceof InputError ? renamed(error, name, shownPath(file)) : error;
  } finally {
    closeSync(fd);
  }
}

/** Without it the file would be taken for one that is not there, and left out. */
function checkProc(name: string, shown: string): void {
  try {
    statSync(name);
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') return;
    throw new InputError(
      'its name is not UTF-8, and /proc is not mounted, by which such a file is read',
      shown,
      'Mount /proc, rename the file, or pipe it: `waybill verify - < FILE`.',
      { damaged: true },
    );
  }
}

function renamed(error: InputError, name: string, shown: string): InputError {
  const { what, where, remedy, damaged, isNoArchive, isLasting } = error;
  const own = (text: string) => text.replaceAll(name, shown);
  return new InputError(own(what), own(where), remedy === null ? null : own(remedy), {
    cause: error.cause,
    damaged,
    isNoArchive,
    isLasting,
  });
}

/**
 * Arguments of this process with all their bytes. In the texts that Node makes of them, bytes that are not UTF-8 have
 * become U+FFFD. proc_pid_cmdline(5)
 * @returns texts as of `nameText`; those that are no arguments, or where the system does not tell, as they are
 */
export function wholeArguments(texts: readonly string[]): string[] {
  if (!texts.some(text => text.includes('\ufffd'))) return [...texts];
  const args = commandLine();
  return texts.map(text => {
    const at = args.findIndex(arg => pathBuffer(arg).toString('utf8') === text);
    // The next argument that looks the same is another one.
    return at < 0 ? text : nameText(args.splice(at, 1)[0]!);
  });
}

/** The arguments of this process, as bytes. */
function commandLine(): BytePath[] {
  try {
    return readFileSync('/proc/self/cmdline', 'latin1').split('\0');
  } catch {
    return [];
  }
}
