import type { Argv } from 'yargs';
import type { Tally } from '../commands/tallies.js';
import type { ArchiveReading, ReadOptions, Result } from '../index.js';
import { deadlineIn } from '../source/deadline.js';
import { isArchiveName } from '../spec/archive-name.js';
import type { Platform } from '../spec/platform.js';
import { type NamedArchive, namedArchive, oneReference } from './archives.js';
import { last, platformOption } from './arguments.js';
import { limitOptions } from './limits.js';
import type { Reporting, Terminal } from './terminal.js';

/** `ARCHIVES.. --ref --platform`, of commands that take any number of archives. */
export function archivesArguments<T>(command: Argv<T>) {
  return platformOption(limitOptions(command))
    .positional('archives', {
      describe:
        'image archives: files, folders of them, or - for standard input; of one, a reference may follow',
      type: 'string',
      array: true,
      demandOption: true,
    })
    .option('ref', {
      describe: 'tag, name, image ID or digest (or its beginning); also ARCHIVE#REF',
      type: 'string',
      requiresArg: true,
      coerce: last<string>,
    });
}

/** What is left out of folders. `verify` has an option of this name that means this too. */
export const allOption = <T>(command: Argv<T>) =>
  command.option('all', {
    describe: 'of folders: list the files that are no archives',
    type: 'boolean',
    default: false,
  });

interface Archives {
  readonly names: readonly NamedArchive[];
  /** What stands where a second archive could, and is taken for a reference. */
  readonly loose: string | undefined;
}

/**
 * Which of the arguments are archives. The second of two is a reference, as in `verify image.tar app:1.2`, where there is no such
 * file and it is not called as an archive is.
 */
export function splitArchives(
  texts: readonly string[],
  ref: string | undefined,
  terminal: Terminal,
): Archives {
  const [first = '', second] = texts;
  const isPair = texts.length === 2 && second !== undefined && isReference(second, terminal);
  const loose = isPair ? second : undefined;
  const names = (isPair ? [first] : texts).map(text => {
    const named = namedArchive(text, terminal);
    return { ...named, ref: oneReference([named.ref, ref, loose]) };
  });
  return { names, loose };
}

/** What begins as paths do, ends as folders do, or stands for standard input. */
const PATH = /^(\.{0,2}\/|~|\.{1,2}$)|\/$|^\0/;

/** Whether an argument behind an archive names an image of it, and no file. */
export function isReference(text: string, terminal: Terminal): boolean {
  const hash = text.lastIndexOf('#');
  const file = hash > 0 ? text.slice(0, hash) : text;
  return !(PATH.test(text) || isArchiveName(file) || terminal.exists(text) || terminal.exists(file));
}

/** What a command does with each archive. */
export interface EachArchive<R> {
  readonly options: ReadOptions;
  readonly report: (reading: ArchiveReading, selection: ImageSelection) => Result | Promise<Result>;
  /** Made where there are several archives, or a folder of them. */
  readonly tally: () => Promise<Tally<R>>;
}

export interface ImageSelection {
  readonly ref: string | undefined;
  readonly platform: Platform | undefined;
  readonly refMayBeFile: boolean;
}

interface Arguments extends Reporting {
  readonly archives: readonly string[];
  readonly ref: string | undefined;
  readonly platform: Platform | undefined;
  readonly all: boolean;
}

/** One archive gives the report about it, and any other number a row for each. */
export async function reportEach<R>(
  args: Arguments,
  terminal: Terminal,
  { options, report, tally }: EachArchive<R>,
): Promise<void> {
  const deadline = deadlineIn(terminal.resources().limits?.seconds ?? 0);
  const { names, loose } = splitArchives(args.archives, args.ref, terminal);
  const { platform } = args;
  const about = (reading: ArchiveReading, ref: string | undefined) =>
    report(reading, { ref, platform, refMayBeFile: loose !== undefined });
  const { isOneArchive } = await import('../commands/read-many.js');
  const [only] = names;
  if (names.length === 1 && (await isOneArchive(only!.archive))) {
    await terminal.print(await about(await terminal.read(only!.archive, options), only!.ref), args);
    return;
  }
  const { reportMany } = await import('../commands/many.js');
  const { output = [], json } = args;
  const { remarks, ...result } = await reportMany({
    names,
    read: file => terminal.read(file, { ...options, sha256: true }),
    report: async (reading, ref) => about(reading, ref),
    tally: await tally(),
    all: args.all,
    deadline,
    keep: output.some(path => /\.json$/i.test(path)),
    onLine: line => (json ? putLine(line, terminal) : Promise.resolve()),
  });
  if (output.length > 0 || !json) await terminal.print(result, { ...args, json: false });
  else await terminal.answer({ stdout: '', notes: remarks, exitCode: result.exitCode });
}

async function putLine(line: object, { put }: Terminal): Promise<void> {
  const { jsonLinePieces } = await import('../format/json.js');
  for (const piece of jsonLinePieces(line)) await put(Buffer.from(piece));
}
