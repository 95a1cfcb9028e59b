import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parser } from './cli/parser.js';
import type { Reporting, Terminal } from './cli/terminal.js';
import { InputError, UsageError } from './errors.js';
import type { Answer, ReadOptions, Result } from './index.js';
import { Progress } from './progress.js';
import { version } from './version.js';
import { visible } from './visible.js';
import { removeUnfinished } from './write/unfinished.js';

/** The only file that reads arguments and the environment, prints, and sets the exit code. */

const EXIT_UNUSABLE = 2;
const EXIT_BUG = 3;

const progress = new Progress(process.stderr.isTTY ? process.stderr : null);

async function read(archive: string, options: ReadOptions) {
  const { readArchive } = await import('./commands/read.js');
  return withProgress(onProgress => readArchive(archive, { ...options, onProgress }));
}

const terminal: Terminal = {
  read,
  print,
  answer,
  put,
  exists: existsSync,
  lists: listsFolder,
  progress: withProgress,
  now,
  width: () => (process.stdout.isTTY ? process.stdout.columns || 80 : null),
};

async function withProgress<T>(work: (onProgress: Progress['update']) => Promise<T>): Promise<T> {
  try {
    return await work(progress.update);
  } finally {
    progress.clear();
  }
}

async function print(result: Result, args: Reporting): Promise<void> {
  if (args.output !== undefined && args.output.length > 0) {
    const { writeOutputs } = await import('./cli/output.js');
    await writeOutputs(args.output, result);
    if (!args.json) {
      for (const path of args.output) process.stderr.write(`waybill: wrote ${visible(path)}\n`);
      process.exitCode = result.exitCode;
      return;
    }
  }
  const { toText } = await import('./format/text.js');
  const text = args.json
    ? `${JSON.stringify(result.data, null, 2)}\n`
    : toText(result.doc, { width: terminal.width(), color: useColor(args.color, process.stdout) });
  process.stdout.write(text);
  process.exitCode = result.exitCode;
}

/** What Docker itself colours headings with. */
const ITS_OWN = /(\n|\t|\u001b\[(?:0|1|39)m)/;

/** Scripts get every byte as Docker would print it; a terminal gets no control characters of an archive's making. */
function answer({ stdout, notes, exitCode }: Answer): void {
  if (process.stdout.isTTY) {
    const text = typeof stdout === 'string' ? stdout : Buffer.from(stdout).toString();
    const pieces = text.split(ITS_OWN).map(piece => (ITS_OWN.test(piece) ? piece : visible(piece)));
    process.stdout.write(pieces.join(''));
  } else {
    process.stdout.write(stdout);
  }
  for (const note of notes) complain(note);
  process.exitCode = exitCode;
}

async function put(bytes: Uint8Array): Promise<void> {
  if (process.stdout.write(bytes)) return;
  // A reader that is gone takes no more, and is told of elsewhere.
  await new Promise<void>(resolve => {
    process.stdout
      .once('drain', resolve)
      .once('close', resolve)
      .once('error', () => resolve());
  });
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function now(): Date {
  const { SOURCE_DATE_EPOCH } = process.env;
  if (SOURCE_DATE_EPOCH === undefined || SOURCE_DATE_EPOCH === '') return new Date();
  if (/^\d{1,12}$/.test(SOURCE_DATE_EPOCH)) return new Date(Number(SOURCE_DATE_EPOCH) * 1000);
  throw new UsageError(`SOURCE_DATE_EPOCH: expected seconds, found ${JSON.stringify(SOURCE_DATE_EPOCH)}`);
}

/** XDG Base Directory Specification: state that outlives a run, but is not worth a backup. */
function listsFolder(): string {
  const { WAYBILL_HOME, XDG_STATE_HOME } = process.env;
  const home = WAYBILL_HOME || join(XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'waybill');
  return join(home, 'manifests');
}

/** --color wins; then FORCE_COLOR, then NO_COLOR (no-color.org); otherwise only on a terminal that can. */
function useColor(flag: boolean | undefined, stream: NodeJS.WriteStream): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  if (flag !== undefined) return flag;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  return stream.isTTY === true && TERM !== 'dumb';
}

const USAGE = 'waybill [command] <archive> [ref] [options]; waybill [command] --help';

/** Messages may quote an archive: its names are shown, never sent to the terminal. */
function complain(message: string): void {
  process.stderr.write(`waybill: ${message.split('\n').map(visible).join('\n')}\n`);
}

function fail(error: unknown): void {
  progress.clear();
  if (error instanceof InputError) {
    complain(error.message);
    process.exitCode = EXIT_UNUSABLE;
  } else if (error instanceof UsageError) {
    complain(`${error.message}\nusage: ${USAGE}`);
    process.exitCode = EXIT_UNUSABLE;
  } else {
    const detail = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`waybill ${version} has a bug; please report this:\n${detail}\n`);
    process.exitCode = EXIT_BUG;
  }
}

// A reader that has seen enough (`| head`) closes the pipe: that is no failure of ours.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return;
  complain(`the report cannot be written: ${error.message}`);
  process.exitCode = EXIT_UNUSABLE;
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    progress.clear();
    removeUnfinished();
    process.kill(process.pid, signal);
  });
}

// Until a command says how it went: should everything stop without a word, that must not look like success.
process.exitCode = EXIT_BUG;
try {
  await parser(process.argv.slice(2), terminal).parseAsync();
} catch (error) {
  fail(error);
}
