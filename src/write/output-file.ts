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
import { replaceFile } from './file.js';
import { unwritable, writing } from './system-error.js';

/** Where a report goes: a descriptor that is open, what is written as it is, what is added to, or a file that is replaced. */
export type OutputPlace = (
  | { readonly kind: 'descriptor'; readonly fd: number }
  | { readonly kind: 'special' | 'append' | 'file' }
) & {
  /** What the user called it. */
  readonly shown: string;
  readonly path: string;
  /** Equal for two names of one thing. */
  readonly identity: string;
};

const DESCRIPTOR = /^\/(?:dev|proc\/self)\/(?:fd\/(\d{1,9})|(stdin|stdout|stderr))$/;
const STREAMS = ['stdin', 'stdout', 'stderr'];

/**
 * Where an output goes, looked up before anything is read.
 * @param appended  the file that is added to instead of being replaced
 * @throws InputError for a directory, a place in no directory, and a descriptor that is not open
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

/** Equal for two names of one file, links included; null where there is none. */
export function fileIdentity(path: string): string | null {
  const stats = statusOf(path);
  return stats === null ? null : identityOf(stats);
}

function descriptor(fd: number, shown: string): OutputPlace {
  const { ino } = writing(shown, () => fstatSync(fd));
  if (fd !== 1 && fd !== 2 && !isForWriting(fd, ino))
    throw new InputError('is no descriptor that was opened for writing', shown, 'Open it first: `N> FILE`.');
  return { kind: 'descriptor', fd, shown, path: shown, identity: `descriptor ${fd}` };
}

/**
 * Whether a descriptor was handed to this process to be written to. Those of Node's own are counters, polls, and pipes of which it
 * has both ends: what is written to them breaks it. proc_pid_fdinfo(5)
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
    // Where the system does not tell, no more than standard output and standard error can be trusted.
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
  // What cannot be written is said before hours of reading.
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
 * Writes a report in one step: a reader of the file sees the old content or the new, never a part of it. A link is replaced.
 * @throws InputError where it cannot be written
 */
export const saveReport = (path: string, content: Iterable<string>): void => replaceFile(path, content);

/**
 * Writes a report. A file is replaced in one step: its readers see what was there before, or all of the report. What is added to, and
 * what is no regular file, is written as it is.
 * @throws InputError where it cannot be written
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

/** What the next step adds begins on a line of its own. */
const endedLine = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);

/** How long a pipe that takes nothing now is left alone, in milliseconds. */
const PAUSE_MS = 5;

/** A reader that has seen enough, as `head` has, is no error. */
function writeAll(fd: number, shown: string, content: Iterable<string>): void {
  try {
    for (const piece of content) {
      const bytes = Buffer.from(piece);
      for (let done = 0; done < bytes.length; ) done += writeSome(fd, bytes, done);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw unwritable(error, shown);
  }
}

/** A descriptor may be one that does not wait, such as a pipe that another program shares. */
function writeSome(fd: number, bytes: Uint8Array, from: number): number {
  try {
    return writeSync(fd, bytes, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    return 0;
  }
}
