import { isatty } from 'node:tty';
import yargs, { type Argv } from 'yargs';
import { InputError, UsageError } from './errors.js';
import { toText } from './format/text.js';
import {
  explain,
  ids,
  type Platform,
  parsePlatform,
  type ReadOptions,
  type Result,
  readArchive,
  type Severity,
  show,
  verify,
  version,
} from './index.js';
import { Progress } from './progress.js';
import { visible } from './visible.js';

/** The only file that reads arguments and the environment, prints, and sets the exit code. */

const EXIT_UNUSABLE = 2;
const EXIT_BUG = 3;

interface Common {
  readonly json: boolean;
  readonly color: boolean | undefined;
}

interface ImageArguments extends Common {
  readonly archive: string;
  readonly ref: string | undefined;
  readonly platform: Platform | undefined;
}

const progress = new Progress(process.stderr.isTTY ? process.stderr : null);

function imageArguments<T>(command: Argv<T>) {
  return command
    .positional('archive', {
      describe: 'image archive: a file, a directory, or - for standard input',
      type: 'string',
      demandOption: true,
      coerce: readArchiveName,
    })
    .positional('ref', { describe: 'tag, name, image ID or digest (or its beginning)', type: 'string' })
    .option('platform', {
      describe: 'only images for os/arch[/variant]',
      type: 'string',
      requiresArg: true,
      coerce: readPlatform,
    });
}

/** yargs loses a positional `-`, so it travels under a name that no file can have. */
const STDIN = '\0stdin';

const PLATFORM =
  /^(linux|windows|darwin|freebsd|netbsd|openbsd|solaris|illumos|aix|android|wasip1|js)\/[a-z0-9_]+/;

/** What yargs cannot be told: a positional `-`, and that --require-complete takes a platform, but not the archive. */
function prepared(args: readonly string[]): string[] {
  return args.flatMap((arg, i) => {
    if (arg === '-') return [STDIN];
    if (args[i - 1] === '--require-complete' && PLATFORM.test(arg)) return [];
    if (arg !== '--require-complete') return [arg];
    const next = args[i + 1] ?? '';
    return [`${arg}=${PLATFORM.test(next) ? next : ''}`];
  });
}

function readArchiveName(name: string): string {
  if (name === '') throw new UsageError('the name of the archive is empty');
  return name === STDIN ? '-' : name;
}

function readPlatform(value: string | string[]): Platform {
  const text = Array.isArray(value) ? value.at(-1)! : value;
  const platform = parsePlatform(text);
  if (platform === null)
    throw new UsageError(`--platform: expected os/arch[/variant], found ${JSON.stringify(text)}`);
  return platform;
}

async function read(args: ImageArguments, options: ReadOptions) {
  if (args.archive === '-' && isatty(0)) {
    throw new UsageError('standard input is a terminal: pipe an archive into it, or name a file');
  }
  try {
    return await readArchive(args.archive, { ...options, onProgress: progress.update });
  } finally {
    progress.clear();
  }
}

function print(result: Result, args: Common): void {
  const { stdout } = process;
  const text = args.json
    ? `${JSON.stringify(result.data, null, 2)}\n`
    : toText(result.doc, {
        width: stdout.isTTY ? stdout.columns || 80 : null,
        color: useColor(args.color, stdout),
      });
  stdout.write(text);
  process.exitCode = result.exitCode;
}

/** --color wins; then FORCE_COLOR, then NO_COLOR (no-color.org); otherwise only on a terminal that can. */
function useColor(flag: boolean | undefined, stream: NodeJS.WriteStream): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  if (flag !== undefined) return flag;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  return stream.isTTY === true && TERM !== 'dumb';
}

function parser() {
  return yargs(prepared(process.argv.slice(2)))
    .scriptName('waybill')
    .usage('waybill: what a container image archive holds, and whether it is what it claims to be')
    .parserConfiguration({ 'duplicate-arguments-array': false, 'parse-positional-numbers': false })
    .option('json', { describe: 'print the report as JSON (docs/json.md)', type: 'boolean', default: false })
    .option('color', { describe: 'colour, or --no-color; by default only on a terminal', type: 'boolean' })
    .command(
      ['$0 <archive> [ref]', 'show <archive> [ref]'],
      'what is inside: images, layers, where it came from',
      command =>
        imageArguments(command)
          .example('$0 image.tar', 'everything in a saved image')
          .example('$0 layout/ app:1.2 --platform linux/arm64', 'one image of an OCI layout')
          .example('curl -s URL | $0 -', 'straight from a pipe'),
      async args => print(show(await read(args, { depth: 'metadata' }), args), args),
    )
    .command(
      'verify <archive> [ref]',
      'whether it is intact, complete and conformant',
      command =>
        imageArguments(command)
          .option('fail-on', {
            describe: 'the least severity that makes the exit code 1',
            choices: ['error', 'warning', 'info', 'never'] as const,
            default: 'error' as Severity | 'never',
          })
          .option('require-complete', {
            describe: 'platforms that the archive lacks are errors: all of them, or the one named',
            type: 'string',
          })
          .example('$0 verify image.tar', 'every byte against every claim')
          .example('$0 verify image.tar --json | jq .verdicts', 'for scripts')
          .example('$0 verify image.tar --fail-on warning', 'strict'),
      async args => {
        const requireComplete =
          args.requireComplete === undefined
            ? false
            : args.requireComplete === '' || readPlatform(args.requireComplete);
        print(verify(await read(args, { requireComplete }), args), args);
      },
    )
    .command(
      'ids <archive> [ref]',
      'every name and digest of the images, and what each engine will call them',
      command =>
        imageArguments(command)
          .option('find', {
            describe: 'say what this digest, or its beginning, is here',
            type: 'string',
            requiresArg: true,
          })
          .example('$0 ids image.tar', 'IDs in Docker, containerd, podman and skopeo')
          .example('$0 ids image.tar --find sha256:d2c94e', 'what that digest is'),
      async args => print(ids(await read(args, {}), args), args),
    )
    .command(
      'explain [code]',
      'what a finding means and what to do; without a code, all of them',
      command => command.positional('code', { describe: 'the code of a finding', type: 'string' }),
      args => print(explain(args.code), args),
    )
    .epilogue('Exit codes: 0 sound, 1 findings at or above --fail-on, 2 no report possible or bad usage.')
    .strict()
    .version(version)
    .help()
    .alias('h', 'help')
    .wrap(process.stdout.isTTY ? Math.min(100, process.stdout.columns || 80) : 100)
    .fail((message, error) => {
      // yargs wraps what a coerce function throws in an error class of its own.
      if (error !== undefined && error.name !== 'YError') throw error;
      throw new UsageError(
        message.startsWith('Not enough non-option arguments')
          ? 'which archive? Name a file, a directory, or - for standard input'
          : message,
      );
    });
}

const USAGE = 'waybill [show|verify|ids] <archive> [ref] [options]; waybill explain [code]; waybill --help';

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

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    progress.clear();
    process.kill(process.pid, signal);
  });
}

// Until a command says how it went: should everything stop without a word, that must not look like success.
process.exitCode = EXIT_BUG;
try {
  await parser().parseAsync();
} catch (error) {
  fail(error);
}
