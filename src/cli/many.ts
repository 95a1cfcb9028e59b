import type { Argv } from 'yargs';
import type { Closing } from '../commands/many/index.js';
import type { Named } from '../commands/many/read.js';
import type { Tally } from '../commands/many/tallies.js';
import type { ArchiveReading, ReadOptions, Result } from '../commands.js';
import { deadlineIn } from '../containers/deadline.js';
import { InputError, UsageError } from '../errors.js';
import type { Audit } from '../report/reported.js';
import { isArchiveName } from '../spec/archive-name.js';
import type { Platform } from '../spec/platform.js';
import { namedArchive, oneReference } from './archives.js';
import { platformOption, references } from './arguments.js';
import {
  type FindingArguments,
  finishAudit,
  openAudit,
  orFail,
  printAudited,
  printOrFail,
} from './findings.js';
import { limitOptions } from './limits.js';
import { formatsOf, hasJson } from './output.js';
import type { Reporting, Terminal } from './terminal.js';

/** The positional of commands that take any number of archives. */
export const ARCHIVES = {
  describe:
    'image archives: files, folders, or - for standard input; a reference may follow a single archive',
  type: 'string',
  array: true,
} as const;

/** `--ref --platform`, for commands that take any number of archives. */
export const choiceOptions = <T>(command: Argv<T>) =>
  platformOption(limitOptions(command)).option('ref', {
    describe: 'tag, name, image ID or digest (or its beginning); also ARCHIVE#REF',
    type: 'string',
    coerce: references,
  });

/** `ARCHIVES.. --ref --platform`, for commands that need an archive. */
export const archivesArguments = <T>(command: Argv<T>) =>
  choiceOptions(command).positional('archives', { ...ARCHIVES, demandOption: true });

/** `[ARCHIVES..] --ref --platform`, for commands that can get a list of archives in another way. */
export const someArchivesArguments = <T>(command: Argv<T>) =>
  choiceOptions(command).positional('archives', ARCHIVES);

/** @throws UsageError if none is named */
export function requireArchives(archives: readonly string[] | undefined): readonly string[] {
  if (archives !== undefined && archives.length > 0) return archives;
  throw new UsageError('which archive? Name a file, a directory, or - for standard input');
}

/**
 * Includes files that are left out of folders by default. `verify` has an option of this name with additional meaning.
 */
export const allOption = <T>(command: Argv<T>) =>
  command.option('all', {
    describe: 'list the files of folders that are not archives',
    type: 'boolean',
    default: false,
  });

interface Archives {
  readonly names: readonly Named[];
  /** The argument in the place of a second archive that is read as a reference. */
  readonly loose: string | undefined;
}

/**
 * Determines which arguments are archives. In `verify image.tar app:1.2` the second of two arguments is a reference, if
 * no such file exists and it does not look like the name of an archive.
 */
export function splitArchives(
  texts: readonly string[],
  ref: string | undefined,
  terminal: Terminal,
): Archives {
  const [first = '', second] = texts;
  const isPair = texts.length === 2 && second !== undefined && isReference(second, terminal);
  const loose = isPair ? second : undefined;
  const names = (isPair ? [first] : texts).map(text => namedIn(text, [ref, loose], terminal));
  if (names.filter(({ archive }) => archive === '-').length > 1)
    throw new UsageError('standard input is named twice, and can be read once');
  return { names, loose };
}

/** One of several arguments that does not name a file gets an error of its own. */
export function namedIn(text: string, refs: readonly (string | undefined)[], terminal: Terminal): Named {
  try {
    const { archive, ref } = namedArchive(text, terminal);
    return { archive, ref: oneReference([ref, ...refs]) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { archive: text, error };
  }
}

/** Matches text that begins as a path does, ends as a directory does, or stands for standard input. */
const PATH = /^(\.{0,2}\/|~|\.{1,2}$)|\/$|^-(#|$)/;

/** True if an argument after an archive is a reference to an image in it, not a file. */
export function isReference(text: string, terminal: Terminal): boolean {
  if (PATH.test(text)) return false;
  const { archive, error } = namedIn(text, [], terminal);
  return error === undefined && !isArchiveName(archive) && !terminal.exists(archive);
}

/** The work that a command does for each archive. */
export interface EachArchive<R> {
  readonly options: ReadOptions;
  readonly report: (reading: ArchiveReading, selection: ImageSelection) => Result | Promise<Result>;
  /** Called instead of `report` if there is one archive and no folder of them. */
  readonly alone?: EachArchive<R>['report'];
  /** Called if there are several archives, or a folder of them. */
  readonly tally: () => Promise<Tally<R>>;
  /** Called after the last of several archives. */
  readonly closing?: () => Closing | null;
}

export interface ImageSelection {
  readonly ref: string | undefined;
  readonly platform: Platform | undefined;
  readonly refMayBeFile: boolean;
  /** The state that all archives of the run share. */
  readonly audit: Audit;
}

/** The archives of a command line, and the choice of their images. */
export interface ChosenArchives {
  readonly archives: readonly string[];
  readonly ref: string | undefined;
  readonly platform: Platform | undefined;
}

interface Arguments extends Reporting, FindingArguments, ChosenArchives {
  readonly all: boolean;
  /** Made from the arguments by default. */
  readonly audit?: Audit;
}

/** Prints a report about one archive, or for any other number a row for each. */
export async function reportEach<R>(
  args: Arguments,
  terminal: Terminal,
  { options, report, alone = report, tally, closing }: EachArchive<R>,
): Promise<void> {
  const deadline = deadlineIn(terminal.resources().limits?.seconds ?? 0);
  const { names, loose } = splitArchives(args.archives, args.ref, terminal);
  const audit = args.audit ?? (await openAudit(args));
  const { platform, json, output = [] } = args;
  const about = (reading: ArchiveReading, ref: string | undefined, reportOn = report) =>
    reportOn(reading, { ref, platform, refMayBeFile: loose !== undefined, audit });
  const only = await onlyArchive(names);
  if (only !== null) {
    const { archive, ref, error } = only;
    const make = async () => {
      if (error !== undefined) throw error;
      return about(await terminal.read(archive, options), ref, alone);
    };
    return printOrFail(archive, make, args, audit, terminal);
  }
  const { reportMany } = await import('../commands/many/index.js');
  const { isPrinted, lines, keep, keepFindings } = outputsOf(args);
  const manyOptions = {
    names,
    read: (file: string) => terminal.read(file, { ...options, sha256: true }),
    report: async (reading: ArchiveReading, ref: string | undefined) => about(reading, ref),
    tally: await tally(),
    closing,
    all: args.all,
    deadline,
    keep,
    keepFindings,
    audit,
    onLine: (line: object) => (lines ? putLine(line, terminal) : Promise.resolve()),
  };
  const { remarks, ...result } = await orFail(
    names[0]!.archive,
    () => reportMany(manyOptions),
    args,
    audit,
    terminal,
  );
  if (output.length > 0 || !lines)
    await printAudited(result, { ...args, json: json && isPrinted }, audit, terminal);
  else {
    await finishAudit(audit);
    await terminal.answer({ stdout: '', notes: [...remarks, ...audit.notes()], exitCode: result.exitCode });
  }
}

/**
 * The only name, if it is one archive or cannot be read, with the error; null for several, and for a folder of
 * archives.
 */
async function onlyArchive([only, ...more]: readonly Named[]): Promise<Named | null> {
  if (only === undefined || more.length > 0) return null;
  if (only.error !== undefined) return only;
  const { isOneArchive } = await import('../commands/many/read.js');
  try {
    return (await isOneArchive(only.archive)) ? only : null;
  } catch (error) {
    if (error instanceof InputError) return { ...only, error };
    throw error;
  }
}

/** Where the report of several archives goes, and the data that must be kept for it. */
function outputsOf(args: Reporting) {
  const { json, output = [] } = args;
  const format = formatsOf(args).at(-1);
  const isPrinted = output.some(path => /^(?:\w+=)?(?:-$|\/dev\/)/.test(path));
  return {
    isPrinted,
    /** Each archive is a line of JSON, printed as soon as it is done. */
    lines: !isPrinted && (json || (output.length === 0 && format === 'json')),
    keep: hasJson(args) || isPrinted,
    keepFindings: output.length > 0 || (format !== undefined && format !== 'json' && format !== 'text'),
  };
}

async function putLine(line: object, { put }: Terminal): Promise<void> {
  const { jsonLinePieces } = await import('../format/json.js');
  for (const piece of jsonLinePieces(line)) await put(Buffer.from(piece));
}
