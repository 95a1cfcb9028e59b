import type { Argv } from 'yargs';
import type { Result } from '../commands.js';
import { InputError, UsageError } from '../errors.js';
import type { Audit } from '../report/reported.js';
import { once } from './arguments.js';
import { formatsOf, withoutBills } from './output.js';
import type { Reporting, Terminal } from './terminal.js';

/**
 * `--baseline`, `--update-baseline`, `--dockerfile` and `--target`, for commands whose exit code depends on findings.
 */
export function findingOptions<T>(command: Argv<T>) {
  return command
    .option('baseline', {
      describe: 'hide the findings that are in this file; they do not make the exit code 1',
      type: 'string',
      requiresArg: true,
      coerce: once('baseline'),
    })
    .option('update-baseline', {
      describe: 'write all findings to the file of --baseline',
      type: 'boolean',
      default: false,
    })
    .option('dockerfile', {
      describe: 'print the line of this Dockerfile that made the layer of a finding',
      type: 'string',
      requiresArg: true,
      coerce: once('dockerfile'),
    })
    .option('target', {
      describe: 'the stage of the Dockerfile that was built [default: the last one]',
      type: 'string',
      requiresArg: true,
      coerce: once('target'),
    });
}

/** The arguments of `findingOptions`. */
export interface FindingArguments {
  readonly baseline?: string | undefined;
  readonly updateBaseline?: boolean | undefined;
  readonly dockerfile?: string | undefined;
  readonly target?: string | undefined;
}

/**
 * Makes the state that all archives of a run share. @throws UsageError for contradicting options, InputError for
 * unusable files
 */
export async function openAudit(args: FindingArguments): Promise<Audit> {
  if (args.target !== undefined && args.dockerfile === undefined)
    throw new UsageError('--target names a stage of a Dockerfile: name the file with --dockerfile FILE');
  if (args.baseline === undefined && !args.updateBaseline && args.dockerfile === undefined)
    return new (await import('../report/reported.js')).Audit();
  return (await import('../commands/audit.js')).openAudit(args);
}

/** Writes the baseline with `--update-baseline`. */
export async function finishAudit(audit: Audit): Promise<void> {
  if (audit.baseline?.isUpdating) (await import('../commands/audit.js')).saveBaseline(audit);
}

/**
 * Prints the result of a run. With `--update-baseline` the baseline is written first: if that fails, no report claims
 * that it was written.
 */
export async function printAudited(
  result: Result,
  args: Reporting,
  audit: Audit,
  terminal: Terminal,
): Promise<void> {
  await finishAudit(audit);
  const notes = audit.notes();
  await terminal.print(notes.length === 0 ? result : withNotes(result, notes), args);
}

/** Keeps the getters of a result, which make the document and the data on demand. */
const withNotes = (result: Result, notes: readonly string[]): Result =>
  Object.create(result, { notes: { value: notes, enumerable: true } }) as Result;

/**
 * Prints the result of one archive. If it cannot be read, each requested output reports that, so that a CI system does
 * not take a missing report for one without findings; then the error is thrown.
 */
export async function printOrFail(
  file: string,
  make: () => Promise<Result>,
  args: Reporting,
  audit: Audit,
  terminal: Terminal,
): Promise<void> {
  const result = await orFail(file, make, args, audit, terminal);
  await printAudited(result, args, audit, terminal);
}

/** Makes a result; reports an InputError to each requested output, as `printOrFail` describes, and throws it. */
export async function orFail<T>(
  file: string,
  make: () => Promise<T>,
  args: Reporting,
  audit: Audit,
  terminal: Terminal,
): Promise<T> {
  try {
    return await make();
  } catch (error) {
    const told = await withoutBills(args);
    if (error instanceof InputError && isWanted(told)) {
      const { failedResult } = await import('../commands/many/index.js');
      await terminal.print(await failedResult(file, error, audit), { ...told, isSaid: true });
    }
    throw error;
  }
}

/** False for text and `--json` on standard output alone: then the error is only printed on standard error. */
const isWanted = (args: Reporting): boolean => {
  const format = formatsOf(args).at(-1);
  return (args.output ?? []).length > 0 || (args.quiet !== true && format !== undefined && format !== 'text');
};
