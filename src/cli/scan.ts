import type { Argv } from 'yargs';
import { once, verdictOptions } from './arguments.js';
import { baseOption } from './base.js';
import { cacheOptions } from './cache.js';
import { policyOptions } from './check.js';
import { fleetOptions, runFleet } from './fleet.js';
import { choiceOptions } from './many.js';
import { requirementOptions } from './requirements.js';
import type { Printing, Terminal } from './terminal.js';

/** `waybill scan`: a record for each of many archives. */
export function scanCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'scan [archives..]',
    'a record for each of many archives: verdicts, sizes, findings; in shards, resumable (docs/fleet.md)',
    command => withExamples(scanOptions(command)),
    args => {
      const output = args.output === undefined ? undefined : [args.output];
      return runFleet('scan', { ...args, output }, terminal);
    },
  );
}

const scanOptions = <T>(command: Argv<T>) =>
  verdictOptions(
    cacheOptions(
      fleetOptions(policyOptions(baseOption(requirementOptions(choiceOptions(command))), 'no rules')),
    ),
  )
    .positional('archives', {
      describe: 'files, folders, or patterns such as releases/**/*.tar',
      type: 'string',
      array: true,
    })
    .option('output', {
      alias: 'o',
      describe: 'write the records to this file, or to - for standard output [default: only a summary]',
      type: 'string',
      requiresArg: true,
      coerce: once('output'),
    })
    .option('quiet', {
      alias: 'q',
      describe: 'print no summary and no remarks',
      type: 'boolean',
      default: false,
    })
    .option('verbose', {
      alias: 'v',
      describe: 'say at the end what the cache did',
      type: 'boolean',
      default: false,
    })
    .option('baseline', {
      describe: 'hide the findings that are in this file; they do not make the exit code 1',
      type: 'string',
      requiresArg: true,
      coerce: once('baseline'),
    });

const withExamples = <T>(command: Argv<T>): Argv<T> =>
  command
    .example('$0 scan mirror/ -o results.ndjson', 'a record for each archive of a folder')
    .example('$0 scan mirror/ --resume results.ndjson', 'what an interrupted run has left')
    .example(
      '$0 scan mirror/ --shard 3/10 -o results-3.ndjson',
      'a tenth of them; waybill merge joins the parts',
    )
    .example(
      'find . -name "*.tar" -print0 | $0 scan --files-from - -o -',
      'a list, and records on standard output',
    )
    .example('$0 scan mirror/ --policy waybill.yaml -o results.ndjson', 'with the rules of a policy');
