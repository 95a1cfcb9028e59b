import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';
import { number, once, unitsOf, unitsOption } from './arguments.js';
import { outputOption } from './output.js';
import type { Printing, Reporting, Terminal } from './terminal.js';

/** `waybill merge`: the results of all shards as one report, or what is missing. */
export function mergeCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'merge <files..>',
    'put the results of `scan` together, and prove that no archive was lost',
    command =>
      outputOption(unitsOption(command), { table: true })
        .positional('files', {
          describe: 'results files, folders of them (*.ndjson), or - for standard input',
          type: 'string',
          array: true,
          demandOption: true,
        })
        .option('list', {
          describe: 'the results must be exactly the archives of this list, whatever lists their runs had',
          type: 'string',
          requiresArg: true,
          coerce: once('list'),
        })
        .option('root', {
          describe: 'with --list: the folder that the paths of the list are relative to',
          type: 'string',
          requiresArg: true,
          coerce: once('root'),
        })
        .option('allow-partial', {
          describe: 'report what there is, although something is missing or does not agree; exit 2',
          type: 'boolean',
          default: false,
        })
        .option('top', { ...number('top', 'rows of each table [default: 20]') })
        .example('$0 merge results-*.ndjson', 'the worst archives first, totals, bytes, bases')
        .example('$0 merge results-*.ndjson -o fleet.html -o waybill.sarif', 'a page, and code scanning')
        .example('$0 merge results-*.ndjson -o all.ndjson', 'what one run without shards would have written')
        .example('$0 merge results-*.ndjson -o images.csv -o images.rows.ndjson', 'a row for each image')
        .example(
          '$0 merge part-* --list archives.txt',
          'runs that each had a list of its own: Spark, Ray, Dask',
        )
        .example('$0 merge results-*.ndjson --allow-partial', 'what there is, when a shard was lost'),
    args => merge(args, terminal),
  );
}

interface MergeArguments extends Reporting {
  readonly files: readonly string[];
  readonly list?: string | undefined;
  readonly root?: string | undefined;
  readonly allowPartial: boolean;
  readonly top?: number | undefined;
  readonly binary: boolean;
  readonly bytes: boolean;
}

/** Rows of each table that are not folded. */
const ROWS = 20;

async function merge(args: MergeArguments, terminal: Terminal): Promise<void> {
  const { files, list, root, allowPartial, top = ROWS } = args;
  if (root !== undefined && list === undefined)
    throw new UsageError(
      '--root says what the paths of --list are relative to: name the list with --list FILE',
    );
  if (files.filter(file => file === '-').length > 1)
    throw new UsageError('standard input is named twice, and can be read once');
  if (files.includes('-') && list === '-')
    throw new UsageError('standard input has either results or the list, not both');
  const { mergeFiles } = await import('../commands/merge/index.js');
  const { exists } = terminal;
  await mergeFiles(
    {
      files,
      list: list ?? null,
      root: root ?? null,
      allowPartial,
      view: { units: unitsOf(args), top: args.verbose === true ? Number.MAX_SAFE_INTEGER : top },
      exists,
      within: work => terminal.progress(work),
    },
    result => terminal.print(result, args),
  );
}
