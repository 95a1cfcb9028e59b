import type { Argv } from 'yargs';
import type { Named, ReadResult } from '../commands/many/read.js';
import type { BaseImage } from '../commands/sizes/report.js';
import { deadlineIn } from '../containers/deadline.js';
import { forOption } from './arguments.js';
import { allOption, archivesArguments, type ChosenArchives, splitArchives } from './many.js';
import type { Printing, Terminal } from './terminal.js';

/** `--base`, of reports that tell apart what is above the base. */
export const baseOption = <T>(command: Argv<T>) =>
  command.option('base', {
    describe:
      'a list of `waybill base`, or an archive: what is above the base is reported separately; may be repeated',
    type: 'string',
    array: true,
    requiresArg: true,
  });

/** The bases that `--base` names; undefined where it was not given. */
export async function basesOf(
  { base }: { readonly base?: readonly string[] | undefined },
  terminal: Terminal,
): Promise<readonly BaseImage[] | undefined> {
  if (base === undefined) return undefined;
  const { loadBases } = await import('../commands/base.js');
  return forOption('--base', () => loadBases(base, terminal.read));
}

/** `waybill base`: the list for `--base`. */
export function baseCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'base <archives..>',
    'make a list of base images, for --base of check, scan, sizes, waste and packages',
    command =>
      allOption(archivesArguments(command))
        .example('$0 base delivery/ > bases.json', 'every image of a folder')
        .example('$0 sizes app.tar --base image.tar', 'an archive by itself is a list too'),
    args => listBases(args, terminal),
  );
}

async function listBases(args: ChosenArchives, terminal: Terminal): Promise<void> {
  const { baseAnswer, basesIn, baseReadOptions } = await import('../commands/base.js');
  const { readEach } = await import('../commands/many/read.js');
  const { remarksOf } = await import('../commands/many/index.js');
  const { names, loose } = splitArchives(args.archives, args.ref, terminal);
  const bases: BaseImage[] = [];
  const notes: string[] = [];
  const rest = { failed: [] as Failed[], others: [] as Other[], again: [] as Again[] };
  const deadline = deadlineIn(terminal.resources().limits?.seconds ?? 0);
  const read = (file: string) => terminal.read(file, baseReadOptions);
  for await (const item of readEach(names, { read, deadline })) {
    if (item.kind === 'archive') {
      const found = basesIn(item.read, selectionOf(args, item, loose));
      bases.push(...found.bases);
      for (const { name, reason } of found.leftOut) notes.push(`left out: ${item.file}: ${name}: ${reason}`);
    } else if (item.kind === 'failed') rest.failed.push(item);
    else if (item.kind === 'other') rest.others.push(item);
    else rest.again.push(item);
  }
  throwOnly(names, rest.failed);
  const remarks = remarksOf(rest);
  const exitCode = remarks.exitCode === 0 && notes.length > 0 ? 1 : remarks.exitCode;
  await terminal.answer(baseAnswer(bases, { notes: [...notes, ...remarks.notes], exitCode }));
}

type Failed = Extract<ReadResult, { kind: 'failed' }>;
type Other = Extract<ReadResult, { kind: 'other' }>;
type Again = Extract<ReadResult, { kind: 'again' }>;

const selectionOf = (
  { platform }: ChosenArchives,
  { ref }: Extract<ReadResult, { kind: 'archive' }>,
  loose: string | undefined,
) => ({ ref, platform, refMayBeFile: loose !== undefined });

/** One archive that cannot be read is the error of the command. */
function throwOnly(names: readonly Named[], [first]: readonly Failed[]): void {
  if (names.length === 1 && first?.isNamed) throw first.error;
}
