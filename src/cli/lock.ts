import type { Argv } from 'yargs';
import type { LockOptions as RequiredLock } from '../commands/lock/requirement.js';
import type { ReadResult } from '../commands/many/read.js';
import type { LockedImage, LockGrade, Requirement } from '../commands.js';
import { deadlineIn } from '../containers/deadline.js';
import { UsageError } from '../errors.js';
import type { Platform } from '../spec/platform.js';
import { once } from './arguments.js';
import { allOption, archivesArguments, type ChosenArchives, splitArchives } from './many.js';
import { documentAnswer, documentPlace } from './output.js';
import type { Printing, Terminal } from './terminal.js';

/** The grades of `--grade`. That of a file is for lists of sha256sum alone, which have no other. */
const GRADES = ['manifest', 'config', 'repacked', 'files'] as const satisfies readonly LockGrade[];

/** `--lock`, and how it is judged. */
export const lockOptions = <T>(command: Argv<T>) =>
  command
    .option('lock', {
      describe:
        'images must be those of this lock (docs/lock.md): of `waybill lock`, sha256sum, or a list of name@sha256:…',
      type: 'string',
      requiresArg: true,
      coerce: once('lock'),
    })
    .option('grade', {
      describe: 'the least that is accepted as the image of the lock [default: repacked]',
      choices: GRADES,
      requiresArg: true,
    })
    .option('names', {
      describe: 'other names than those of the lock are errors',
      type: 'boolean',
      default: false,
    })
    .option('partial', {
      describe: 'an image of the lock that no archive holds is a note, not an error',
      type: 'boolean',
      default: false,
    })
    .group(['lock', 'grade', 'names', 'partial'], 'Lock:');

/** The arguments of `lockOptions`. */
export interface LockArguments {
  readonly lock?: string | undefined;
  readonly grade?: LockGrade | readonly LockGrade[] | undefined;
  readonly names?: boolean | undefined;
  readonly partial?: boolean | undefined;
}

/** The archives that are verified, and which of their images. */
export interface VerifiedArchives {
  readonly archives?: readonly string[] | undefined;
  readonly platform?: Platform | undefined;
}

/** The requirement that `--lock` states; none without it. @throws InputError for what is no lock */
export async function lockRequirements(
  args: LockArguments & VerifiedArchives,
): Promise<readonly Requirement[]> {
  const options = lockOptionsOf(args);
  if (options === null) return [];
  const { loadLock } = await import('../commands/lock/index.js');
  return [await loadLock(options)];
}

/**
 * The lock that is asked for, and how; null without one. @throws UsageError for options that need or exclude another
 */
export function lockOptionsOf(args: LockArguments & VerifiedArchives): RequiredLock | null {
  const { lock: file, grade, names = false, partial = false, platform, archives = [] } = args;
  if (file === undefined) {
    const given = [grade !== undefined && 'grade', names && 'names', partial && 'partial'].find(Boolean);
    if (given) throw new UsageError(`--${given} is about a lock: name the file with --lock FILE`);
    return null;
  }
  if (file === '') throw new UsageError('--lock: expected a file or -, found an empty name');
  if (file === '-' && archives.some(name => name === '-' || name.startsWith('-#')))
    throw new UsageError(
      '--lock -: standard input is the archive, and can be read once; put the lock into a file',
    );
  return { file, least: [grade ?? 'repacked'].flat().at(-1)!, names, partial, platform };
}

/** `waybill lock`: what images are, for `verify --lock`. */
export function lockCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'lock <archives..>',
    'write a lock of the images: verify --lock knows them again after any tool has repacked them',
    command =>
      allOption(archivesArguments(command))
        .option('output', {
          alias: 'o',
          describe: 'write the lock to this file [default: standard output]',
          type: 'string',
          requiresArg: true,
          coerce: once('output'),
        })
        .option('files', {
          describe: 'hash the files of each layer too, so that layers with other tars can be compared',
          type: 'boolean',
          default: false,
        })
        .example('$0 lock image.tar -o waybill.lock.json', 'outside, where the image was approved')
        .example('$0 verify --lock waybill.lock.json image.tar', 'inside, after any engine repacked it')
        .example('$0 lock delivery/ --files', 'every image of a folder, with the trees of its layers'),
    args => lock(args, terminal),
  );
}

interface LockCommand extends ChosenArchives {
  readonly output?: string | undefined;
  readonly files: boolean;
}

async function lock(args: LockCommand, terminal: Terminal): Promise<void> {
  const { names, loose } = splitArchives(args.archives, args.ref, terminal);
  const place = await documentPlace(
    args.output,
    names.map(({ archive }) => archive),
  );
  const { lockedImages, lockReadOptions, madeLock } = await import('../commands/lock/index.js');
  const { readEach } = await import('../commands/many/read.js');
  const { remarksOf } = await import('../commands/many/index.js');
  const images: LockedImage[] = [];
  const others: Extract<ReadResult, { kind: 'other' }>[] = [];
  const again: Extract<ReadResult, { kind: 'again' }>[] = [];
  const deadline = deadlineIn(terminal.resources().limits?.seconds ?? 0);
  const read = (file: string) => terminal.read(file, lockReadOptions(args.files));
  for await (const item of readEach(names, { read, deadline })) {
    // A lock that leaves out an archive would refuse its images.
    if (item.kind === 'failed') throw item.error;
    if (item.kind === 'other') others.push(item);
    else if (item.kind === 'again') again.push(item);
    else {
      const selection = { ref: item.ref, platform: args.platform, refMayBeFile: loose !== undefined };
      images.push(...lockedImages(item.read, { ...selection, withFiles: args.files }));
    }
  }
  const { text, images: count } = madeLock(images);
  const { notes } = remarksOf({ failed: [], others, again });
  const told = `: ${count} ${count === 1 ? 'image' : 'images'}`;
  await terminal.answer(await documentAnswer(text, place, { notes, told }));
}
