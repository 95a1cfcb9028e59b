import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { InputError, isSystemError } from '../errors.js';
import { isObject } from '../spec/json.js';
import { flush, flushLater } from './flush.js';
import { unwritable, writing } from './system-error.js';
import { abandon, finished, removeAtEnd, temporaryBeside } from './unfinished.js';

/** How often the holder of a lock changes it, in milliseconds. */
const BEAT_MS = 5000;
/** A lock of an unknown process that does not change for so long is of a process that has ended. */
const WATCHED_MS = 20_000;
const POLL_MS = 500;

/** The content of a lock file. */
interface Holder {
  readonly host: string;
  /** The start of the kernel, which a process identifier belongs to; null where the system does not tell. */
  readonly boot: string | null;
  /** The namespace of process identifiers: a container has its own. */
  readonly pidNamespace: string | null;
  readonly pid: number;
  /** Start of the process in ticks since the boot: a later process may get the same identifier. */
  readonly started: string | null;
  /** Random. */
  readonly token: string;
}

export interface LockOptions {
  /** The file that is locked, as the user named it. */
  readonly shown: string;
  /** Says why nothing happens for a while. */
  readonly note: (line: string) => void;
  /** How long the lock of an unknown process is watched, in milliseconds. */
  readonly watchedMs?: number;
  /** Milliseconds between two beats. */
  readonly beatMs?: number;
}

/**
 * A lock file that one process at a time has, on one machine or on several that share the folder. It is created by
 * link(2), which is atomic on NFS too (open(2), O_EXCL).
 *
 * A holder on this machine is looked up. That of another one is known to live by its beat, a number in the file that
 * changes. A holder that was stopped for longer than others watch loses its lock: `requireHeld` tells it.
 */
export class RunLock {
  private beat = 0;
  private isLost = false;
  private isReleased = false;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly path: string,
    private readonly shown: string,
    private readonly fd: number,
    private readonly self: Holder,
    beatMs: number,
  ) {
    this.timer = setInterval(() => this.tick(), beatMs).unref();
  }

  /**
   * @param path  the lock file
   * @throws InputError if another process holds it, or it cannot be created
   */
  static async take(path: string, options: LockOptions): Promise<RunLock> {
    const own = temporaryBeside(path);
    const self = holderHere();
    const fd = writing(options.shown, () => openSync(own, 'wx+', 0o644));
    try {
      writing(options.shown, () => writeHolder(fd, self, 0));
      while (!create(own, path, fd, options.shown)) {
        const found = await abandoned(path, options);
        if (found !== null && (await replaced(path, found, own, options))) break;
      }
      removeAtEnd(path, () => read(path)?.holder?.token === self.token);
      return new RunLock(path, options.shown, fd, self, options.beatMs ?? BEAT_MS);
    } catch (error) {
      closeSync(fd);
      throw error;
    } finally {
      abandon(own);
    }
  }

  /**
   * Waits until it is known that no process holds a lock, for a file that is only read.
   * @throws InputError if one does
   */
  static async requireFree(path: string, options: LockOptions): Promise<void> {
    await abandoned(path, options);
  }

  /** Whether it was held at the last beat. */
  get isHeld(): boolean {
    return !this.isLost;
  }

  private look(): void {
    this.isLost ||= read(this.path)?.holder?.token !== this.self.token;
  }

  /** @throws InputError if another process has taken it over */
  requireHeld(): void {
    this.look();
    if (this.isLost)
      throw new InputError(
        `the lock ${this.path} is not held any more: it was removed, or taken over by another run`,
        this.shown,
        'This run stops, and the other one completes the file. Were they both started on purpose?',
      );
  }

  /** Safe to be called again. */
  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    clearInterval(this.timer);
    closeSync(this.fd);
    abandon(this.path);
  }

  private tick(): void {
    try {
      writeHolder(this.fd, this.self, ++this.beat);
      flushLater(this.fd);
      this.look();
    } catch {
      // A full disk does not end the run here: writing a record does.
    }
  }
}

/** Gives the file its name as a lock. @returns false if another file has it */
function create(own: string, path: string, fd: number, shown: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // NFS may have linked it, and lost the answer.
    if (error.code === 'EEXIST') return isSameFile(path, fd);
    if (!NO_LINKS.includes(error.code)) throw unwritable(error, shown);
    return createWithoutLink(own, path, shown);
  }
}

/** File systems without hard links: FAT, some of FUSE. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'];

function createWithoutLink(own: string, path: string, shown: string): boolean {
  try {
    closeSync(openSync(path, 'wx'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unwritable(error, shown);
  }
  writing(shown, () => renameSync(own, path));
  return true;
}

function isSameFile(path: string, fd: number): boolean {
  try {
    const [named, open] = [statSync(path, { bigint: true }), fstatSync(fd, { bigint: true })];
    return named.ino === open.ino && named.dev === open.dev;
  } catch {
    return false;
  }
}

/** A lock file as it was read. */
interface ReadLock {
  readonly text: string;
  /** null for a file that is being written, or is no lock. */
  readonly holder: Holder | null;
}

/** Bytes of a lock file. */
const LARGEST = 4096;

/** null where there is none. @throws InputError for something that waybill does not write */
function read(path: string): ReadLock | null {
  let fd: number;
  try {
    // Neither a link nor a pipe that someone put there.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw noLock(path, error);
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > LARGEST) throw noLock(path, null);
    const buffer = Buffer.alloc(LARGEST);
    const text = buffer.toString('utf8', 0, readSync(fd, buffer, 0, LARGEST, 0));
    return { text, holder: holderIn(text) };
  } finally {
    closeSync(fd);
  }
}

const noLock = (path: string, cause: unknown) =>
  new InputError('expected a lock file of waybill', path, 'If no run writes there, remove it.', { cause });

function holderIn(text: string): Holder | null {
  try {
    const value: unknown = JSON.parse(text);
    const isHolder = isObject(value) && typeof value.token === 'string' && isPid(value.pid);
    return isHolder ? (value as unknown as Holder) : null;
  } catch {
    return null;
  }
}

const isPid = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

/** One length whatever the beat, so that it is written over in place. */
function writeHolder(fd: number, self: Holder, beat: number): void {
  writeSync(fd, `${JSON.stringify({ ...self, beat: String(beat).padStart(10, '0') })}\n`, 0);
  if (beat === 0) flush(fd);
}

/**
 * Waits until it is known whether the holder of a lock lives.
 * @returns the lock if it does not; null if the lock was removed
 * @throws InputError if it lives
 */
async function abandoned(path: string, { shown, note, watchedMs = WATCHED_MS }: LockOptions) {
  const first = read(path);
  if (first === null) return null;
  const isAlive = first.holder === null ? null : isRunning(first.holder);
  if (isAlive === true) throw held(shown, path, first);
  if (isAlive === false) return first;
  note(
    `${shown}: ${path} is of ${describe(first)}, which cannot be looked up here: waiting ${Math.ceil(watchedMs / 1000)} s for a sign of it`,
  );
  for (let waited = 0; waited < watchedMs; waited += POLL_MS) {
    await setTimeout(Math.min(POLL_MS, watchedMs));
    const now = read(path);
    if (now === null) return null;
    if (now.text !== first.text) throw held(shown, path, now);
  }
  return first;
}

const describe = ({ holder }: ReadLock) =>
  holder === null ? 'an unknown process' : `process ${holder.pid} on ${holder.host}`;

const held = (shown: string, path: string, lock: ReadLock) =>
  new InputError(
    `another run writes it: ${describe(lock)}`,
    shown,
    `Wait for it to end, or name another file with -o. Its lock is ${path}.`,
  );

/**
 * Puts the own file in the place of an abandoned lock. Of several processes that try, the one does it that gets the
 * lock of that replacement, whose name contains the token of the abandoned lock.
 * @returns false if the lock is another one meanwhile
 */
async function replaced(path: string, found: ReadLock, own: string, options: LockOptions): Promise<boolean> {
  const token = found.holder?.token.replace(/[^0-9a-f]/g, '').slice(0, TOKEN_DIGITS) || 'none';
  const replacement = await RunLock.take(`${path}.${token}`, options);
  try {
    if (read(path)?.text !== found.text) return false;
    writing(options.shown, () => renameSync(own, path));
    finished(own);
    return true;
  } finally {
    replacement.release();
  }
}

const TOKEN_DIGITS = 16;

function holderHere(): Holder {
  return {
    host: hostname(),
    boot: bootHere(),
    pidNamespace: namespaceHere(),
    pid: process.pid,
    started: processStat(process.pid)?.started ?? null,
    token: randomBytes(TOKEN_DIGITS / 2).toString('hex'),
  };
}

function orNull(step: () => string): string | null {
  try {
    return step();
  } catch {
    return null;
  }
}

const bootHere = () => orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
const namespaceHere = () => orNull(() => readlinkSync('/proc/self/ns/pid'));

/** State and start of a process; null where it is not to be seen. proc_pid_stat(5) */
function processStat(pid: number): { readonly state: string; readonly started: string } | null {
  const text = orNull(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (text === null) return null;
  // The name of the command is in brackets, and may contain any character.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, started: fields[STARTTIME]! };
}

/** Field 22, of which the state is field 3. */
const STARTTIME = 19;

/** Whether the process of a lock is running; null if it cannot be known here. */
function isRunning({ host, boot, pidNamespace, pid, started }: Holder): boolean | null {
  const [ownBoot, ownNamespace] = [bootHere(), namespaceHere()];
  const isHere =
    ownBoot === null || ownNamespace === null
      ? boot === ownBoot && pidNamespace === ownNamespace && host === hostname()
      : boot === ownBoot && pidNamespace === ownNamespace;
  if (!isHere) return null;
  const found = processStat(pid);
  if (found !== null) return found.started === started && found.state !== 'Z' && found.state !== 'X';
  try {
    process.kill(pid, 0);
    return null;
  } catch (error) {
    // /proc may hide the processes of others.
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? false : null;
  }
}
