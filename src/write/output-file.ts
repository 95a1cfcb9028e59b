import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { exists } from '../permission.js';
import { replaceFile } from './file.js';
import { unwritable, writing } from './system-error.js';

/**
 * The destination of a report: an open descriptor, a device or pipe that is written to, a file that is appended to, or
 * a file that is replaced.
 */
export type OutputPlace = (
  | { readonly kind: 'descriptor'; readonly fd: number }
  | { readonly kind: 'special' | 'append' | 'file' }
) & {
  /** The destination as the user named it. */
  readonly shown: string;
  readonly path: string;
  /** Equal for two names of one destination. */
  readonly identity: string;
};

const DESCRIPTOR = /^\/(?:dev|proc\/self)\/(?:fd\/(\d{1,9})|(stdin|stdout|stderr))$/;
const STREAMS = ['stdin', 'stdout', 'stderr'];

/**
 * Looks up the destination of an output before anything is read.
 * @param appended  the file that is appended to instead of being replaced
 * @throws InputError for a directory, a path in a directory that does not exist, and a descriptor that is not open
 */
export function outputPlace(shown: string, appended: string | undefined): OutputPlace {
  const [, digits, stream] = DESCRIPTOR.exec(shown) ?? [];
  if (shown === '-') return descriptor(1, shown);
  if (digits !== undefined || stream !== undefined)
    return descriptor(digits === undefined ? STREAMS.indexOf(stream!) : Number(digits), shown);
  const stats = statusOf(shown);
  if (stats?.isDirectory()) throw new InputError('is a directory', shown, 'Name a file in it.');
  if (stats === null) return newFile(shown, appended);
  const place = { shown, path: shown, identity: identityOf(stats) };
  if (!stats.isFile()) return { ...place, kind: 'special' };
  const isAppended = appended !== undefined && fileIdentity(appended) === place.identity;
  return { ...place, kind: isAppended ? 'append' : 'file' };
}

const identityOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`;

/** Equal for two names of one file, links included; null if the file does not exist, or may not be looked at. */
export function fileIdentity(path: string): string | null {
  const stats = exists(path) ? statusOf(path) : null;
  return stats === null ? null : identityOf(stats);
}

function descriptor(fd: number, shown: string): OutputPlace {
  const { ino } = writing(shown, () => fstatSync(fd));
  if (fd !== 1 && fd !== 2 && !isForWriting(fd, ino))
    throw new InputError('is no descriptor that was opened for writing', shown, 'Open it first: `N> FILE`.');
  return { kind: 'descriptor', fd, shown, path: shown, identity: `descriptor ${fd}` };
}

/**
 * True if a descriptor was passed to this process for writing. Hazard: Node's own descriptors are event counters, epoll
 * instances, and pipes with both ends in this process; writing to them breaks it. proc_pid_fdinfo(5)
 */
function isForWriting(fd: number, ino: number): boolean {
  try {
    const accessOf = (n: number) =>
      Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${n}`, 'latin1'))![1]!, 8) &
      3;
    if (accessOf(fd) === constants.O_RDONLY || (fstatSync(fd).mode & constants.S_IFMT) === 0) return false;
    if (!fstatSync(fd).isFIFO()) return true;
    const others = readdirSync('/proc/self/fd').map(Number);
    return !others.some(other => isOpenOn(other, ino) && accessOf(other) === constants.O_RDONLY);
  } catch {
    // If the system gives no information, only standard output and standard error are safe.
    return false;
  }
}

function isOpenOn(fd: number, ino: number): boolean {
  try {
    return fstatSync(fd).ino === ino;
  } catch {
    return false;
  }
}

function newFile(shown: string, appended: string | undefined): OutputPlace {
  const path = resolve(shown);
  const directory = dirname(path);
  // Missing permission is reported now, not after hours of reading.
  writing(shown, () => accessSync(directory, constants.W_OK));
  const stats = statusOf(directory);
  const identity = `${stats === null ? directory : identityOf(stats)}/${basename(path)}`;
  const kind = appended !== undefined && resolve(appended) === path ? 'append' : 'file';
  return { kind, shown, path: shown, identity };
}

function statusOf(path: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    throw unwritable(error, path);
  }
}

/**
 * Writes a report atomically: a reader of the file sees the old content or the new, never a part of it. A symbolic link
 * is replaced.
 * @throws InputError if writing fails
 */
export const saveReport = (path: string, content: Iterable<string>): void => replaceFile(path, content);

/**
 * Writes a report. A regular file is replaced atomically. A file that is appended to, and anything that is not a
 * regular file, is written to directly.
 * @throws InputError if writing fails
 */
export function writeOutput(place: OutputPlace, content: Iterable<string>): void {
  const { kind, shown, path } = place;
  if (kind === 'file') saveReport(path, content);
  else if (kind === 'append') writing(shown, () => appendFileSync(path, endedLine([...content].join(''))));
  else if (kind === 'descriptor') writeAll(place.fd, shown, content);
  else {
    const fd = writing(shown, () => openSync(path, constants.O_WRONLY));
    try {
      writeAll(fd, shown, content);
    } finally {
      closeSync(fd);
    }
  }
}

/** Ends with a line break, so that the text that the next step appends begins on a new line. */
const endedLine = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);

/** Milliseconds to wait before writing again to a pipe that is full. */
const PAUSE_MS = 5;

/** Writes all of the content. A reader that closes the pipe early, as `head` does, is not an error. */
function writeAll(fd: number, shown: string, content: Iterable<string>): void {
  try {
    for (const piece of content) writeWaiting(fd, Buffer.from(piece));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw unwritable(error, shown);
  }
}

/** Writes all bytes, and waits while a pipe is full. @throws the system's error */
export function writeWaiting(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSome(fd, bytes, done);
}

/** The descriptor may be non-blocking, such as a pipe that is shared with another program. */
function writeSome(fd: number, bytes: Uint8Array, from: number): number {
  try {
    return writeSync(fd, bytes, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    return 0;
  }
}
