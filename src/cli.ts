import { fstatSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { StringDecoder } from 'node:string_decoder';
import { cacheWords, type OpenCache } from './cli/cache.js';
import { colorIn, epochIn, isControlledIn, listsFolderIn, timeIn } from './cli/environment.js';
import { deliver } from './cli/output.js';
import { parser } from './cli/parser.js';
import { Signals } from './cli/signals.js';
import type { Reporting, World } from './cli/terminal.js';
import { prepared } from './cli/typed.js';
import type { Watchdog } from './cli/watchdog.js';
import type { Watched } from './commands/scan/index.js';
import type { Answer, ReadOptions, Result } from './commands.js';
import { deadlineIn } from './containers/deadline.js';
import { InputError, isSystemError, reasonOf, UsageError } from './errors.js';
import { exists } from './permission.js';
import { Progress, runLine } from './progress.js';
import { version } from './version.js';
import { legible, uncommanding, visible } from './visible.js';
import { removeUnfinished, watchUnfinished } from './write/unfinished.js';

/** The only module that reads the process's arguments and environment, prints, and sets the exit code. */

const EXIT_UNUSABLE = 2;
const EXIT_BUG = 3;

const signals = new Signals(interrupted, signal => {
  process.kill(process.pid, signal);
  // The kernel does not deliver the signal's default action to process 1 of a container.
  process.exit(128 + constants.signals[signal]);
});
/** The bar is redrawn in place, which a dumb terminal cannot do. */
const canRedraw = isControlledIn(process.env, process.stderr.isTTY === true);
const progress = new Progress(canRedraw ? process.stderr : null, () => signals.hold('progress'));
watchUnfinished(any => void (any ? signals.hold('unfinished') : signals.release('unfinished')));

async function read(archive: string, options: ReadOptions) {
  const { readArchive } = await import('./report/read.js');
  return withProgress(onProgress => readArchive(archive, { ...options, onProgress, deadline }));
}

/** The time at which the whole command must end; all archives of a command share it. */
let deadline: number | undefined;
let watchdog: Watchdog | null = null;

async function within(seconds: number): Promise<void> {
  deadline = deadlineIn(seconds);
  const { Watchdog } = await import('./cli/watchdog.js');
  const words = `not done in time: the limit seconds is ${seconds} s (--timeout ${2 * seconds}s allows more)`;
  watchdog ??= new Watchdog(deadline, words, () => process.exit());
}

/** Ends the use of the cache of this command. */
let closeCache = (): void => {};

const openCache: OpenCache = async (dir, { size, keyFile, isVerbose }) => {
  const { openCache, readSecret } = await import('./cache/cache.js');
  const key = keyFile === undefined ? undefined : await readSecret(keyFile);
  const cache = openCache(dir, { size, key });
  closeCache = () => {
    closeCache = () => {};
    cache.close();
    const { statistics } = cache;
    // A cache that cannot be used is no error: what it would have saved was done.
    if (statistics.problem !== null) note(statistics.problem);
    if (isVerbose) note(`cache: ${cacheWords(statistics)}`);
  };
  return cache;
};

const terminal: World = {
  read,
  within,
  print,
  answer,
  put,
  exists,
  lists: () => listsFolderIn(process.env),
  progress: withProgress,
  watch,
  environment: () => process.env,
  now: () => timeIn(process.env),
  sourceDateEpoch: () => epochIn(process.env),
  note,
  openCache,
  summaryFile: process.env.GITHUB_STEP_SUMMARY || undefined,
  width: () => (process.stdout.isTTY ? process.stdout.columns || 80 : null),
};

async function withProgress<T>(work: (onProgress: Progress['update']) => Promise<T>): Promise<T> {
  try {
    return await work(progress.update);
  } finally {
    progress.clear();
    await signals.release('progress');
  }
}

/** How often the state of a run is shown on a terminal, and in a log, in milliseconds. */
const [SHOWN_MS, LOGGED_MS] = [200, 60_000];

/** Said when a run over many archives is ended by a signal. */
let lastWords: (() => string) | null = null;

async function watch<T>(run: Watched, work: () => Promise<T>, isQuiet: boolean): Promise<T> {
  const start = Date.now();
  const show = () => {
    // From the first time that it is shown.
    void run.learnSizes().catch(() => {});
    if (canRedraw) progress.updateRun(run.progress());
    else note(runLine(run.progress(), Date.now() - start));
  };
  const timer = isQuiet ? null : setInterval(show, canRedraw ? SHOWN_MS : LOGGED_MS);
  signals.hold('run');
  lastWords = run.lastWords;
  try {
    return await withProgress(work);
  } finally {
    lastWords = null;
    if (timer !== null) clearInterval(timer);
    await signals.release('run');
  }
}

async function print(result: Result, args: Reporting): Promise<void> {
  await deliver(result, args, {
    write,
    note,
    summaryFile: terminal.summaryFile,
    text: made => textOf(made, args, process.stdout, terminal.width()),
    complain: async made => {
      const { columns, isTTY } = process.stderr;
      const pieces = await textOf(made, args, process.stderr, isTTY ? columns || 80 : null);
      for (const piece of pieces) process.stderr.write(piece);
    },
  });
  process.exitCode = result.exitCode;
}

/** The document of a result is built when it is needed, because it may be large. */
async function textOf(
  { doc }: Result,
  { color }: Reporting,
  stream: NodeJS.WriteStream,
  width: number | null,
) {
  const { textPieces } = await import('./format/text.js');
  return textPieces(doc, { width, color: colorIn(process.env, color, stream.isTTY === true) });
}

function note(line: string): void {
  process.stderr.write(`waybill: ${visible(line)}\n`);
}

const LINES = /(\n|\t)/;
/** Matches the escape sequences with which Docker colours headings. */
const PAINTED = /(\n|\t|\u001b\[(?:0|1|39)m)/;
const COLOURS = /\u001b\[(?:0|1|39)m/g;

/**
 * For a file or pipe, every byte is written as Docker prints it. For a terminal, control characters from the archive
 * are escaped.
 */
async function answer({ stdout, painted = false, color, notes, exitCode }: Answer): Promise<void> {
  const isRead = process.stdout.isTTY;
  const isPainted = painted && colorIn(process.env, color, process.stdout.isTTY === true);
  const given = isRead && typeof stdout !== 'string' ? Buffer.from(stdout).toString() : stdout;
  const text = painted && !isPainted ? String(given).replace(COLOURS, '') : given;
  await write(isRead ? shown(text as string, isPainted ? PAINTED : LINES) : text);
  for (const note of notes) complain(note);
  process.exitCode = exitCode;
}

const shown = (text: string, kept: RegExp) =>
  text
    .split(kept)
    .map(piece => (kept.test(piece) ? piece : visible(piece)))
    .join('');

/** The reader of standard output has closed it, as after `| head`: the rest of the output is not needed. */
class ReaderGone extends Error {}

const decoder = new StringDecoder();

/** Writes the bytes of a file. For a terminal they are escaped, because it might obey them. */
async function put(bytes: Uint8Array): Promise<void> {
  const content = process.stdout.isTTY ? shown(decoder.write(Buffer.from(bytes)), LINES) : bytes;
  if (!(await write(content))) throw new ReaderGone();
}

/**
 * @returns false if the reader has closed standard output, which is not an error.
 * @throws InputError if writing fails
 */
async function write(content: string | Uint8Array): Promise<boolean> {
  try {
    if (isFile(STDOUT)) writeAll(STDOUT, Buffer.from(content));
    else
      await new Promise<void>((resolve, reject) =>
        process.stdout.write(content, e => (e ? reject(e) : resolve())),
      );
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return false;
    const { unwritable } = await import('./write/system-error.js');
    throw unwritable(error, 'standard output');
  }
}

const STDOUT = 1;

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Node's stream writes to a file only once and ignores a short write, which happens on a disk that is almost full. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

const NO_DIRECTORY = 'the current directory is not there any more\nChange to one that is, and try again.';

/** Prints a message. It may quote an archive, so hidden characters are escaped and long text is cut. */
function complain(message: string): void {
  const lines = message.split('\n').map(line => uncommanding(legible(line)));
  process.stderr.write(`waybill: ${lines.join('\n')}\n`);
}

function fail(error: unknown): void {
  progress.clear();
  if (error instanceof ReaderGone) {
    process.exitCode = 0;
  } else if (error instanceof InputError) {
    complain(error.message);
    process.exitCode = EXIT_UNUSABLE;
  } else if (isSystemError(error)) {
    const { syscall, path, resource } = error as typeof error & { readonly resource?: string };
    complain(syscall === 'uv_cwd' ? NO_DIRECTORY : `${path ?? resource ?? syscall}: ${reasonOf(error)}`);
    process.exitCode = EXIT_UNUSABLE;
  } else if (error instanceof UsageError) {
    complain(`${error.message}\nusage: ${usage}`);
    process.exitCode = EXIT_UNUSABLE;
  } else {
    const detail = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`waybill ${version} has a bug; please report this:\n${detail}\n`);
    process.exitCode = EXIT_BUG;
  }
}

function interrupted(): void {
  tidy();
  if (lastWords !== null) complain(lastWords());
}

function tidy(): void {
  progress.clear();
  for (const path of removeUnfinished()) complain(`${path}: cannot be removed`);
}

// `write` reports the same error.
process.stdout.on('error', () => {});
// stderr is closed: ignore the error.
process.stderr.on('error', () => {});
process.on('exit', () => {
  tidy();
  if (isOver) return;
  // The watchdog may have terminated the current computation, which then throws an arbitrary error.
  if (watchdog?.isOver) {
    complain(watchdog.words);
    if (lastWords !== null) complain(lastWords());
    process.exitCode = EXIT_UNUSABLE;
  } else if (process.exitCode === EXIT_BUG) fail(new Error('it stopped before it had come to an end'));
});
process.on('uncaughtException', error => {
  isOver = true;
  fail(error);
  process.exit();
});

// The exit code until a command reports its own: if the event loop ends unexpectedly, that must not look like success.
process.exitCode = EXIT_BUG;
let isOver = false;
/** The usage line of the current command. */
let usage = '';

/** Not awaited at the top of the module: an executable has this program as CommonJS, where that is not possible. */
async function run(): Promise<void> {
  try {
    const args = process.argv.slice(2);
    let help = '';
    // Given a callback, yargs passes it the help or the version instead of printing it, so that errors of printing can
    // be handled.
    const given = parser(args, terminal, line => {
      usage = line;
    });
    await given.parseAsync(prepared(args), {}, (_error, _given, output) => {
      help = output;
    });
    closeCache();
    if (help !== '') {
      const { helpPage } = await import('./cli/help.js');
      await write(`${helpPage(help, terminal.width())}\n`);
      process.exitCode = 0;
    }
  } catch (error) {
    closeCache();
    fail(error);
  }
  isOver = true;
}

void run();
