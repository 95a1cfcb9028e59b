import type { Argv } from 'yargs';
import type { CheckContext } from '../commands/check/index.js';
import { UsageError } from '../errors.js';
import { FAIL_ON, once } from './arguments.js';
import { ARCHIVES, type ChosenArchives, choiceOptions, namedIn, reportEach, splitArchives } from './many.js';
import { outputOption } from './output.js';
import type { Printing, Terminal } from './terminal.js';

/** `waybill check`: the findings of `verify`, and the rules of a policy. */
export function checkCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'check [archives..]',
    'check that it is sound and keeps to the rules of a policy: sizes, waste, user, names and more',
    command =>
      outputOption(choiceOptions(command).positional('archives', ARCHIVES))
        .option('policy', {
          describe: 'a policy in YAML or JSON (docs/rules.md), or - for standard input',
          type: 'string',
          requiresArg: true,
          coerce: once('policy'),
        })
        .option('preset', {
          describe: 'rules by name, below those of the policy; may be repeated [default: default@1]',
          type: 'string',
          array: true,
          requiresArg: true,
        })
        .option('dive-ci', {
          describe: "a .dive-ci file: dive's three rules, with its numbers and verdicts",
          type: 'string',
          requiresArg: true,
          coerce: once('dive-ci'),
        })
        .option('fail-on', FAIL_ON)
        .option('all', {
          describe: 'list every finding, and those that the policy hides; of folders every file left out',
          type: 'boolean',
          default: false,
        })
        .option('init', {
          describe: 'write a policy that this archive passes: what it is today becomes the budget',
          type: 'boolean',
          default: false,
        })
        .option('print-policy', {
          describe: 'print what applies and where each part was written, and check nothing',
          type: 'boolean',
          default: false,
        })
        .example('$0 check image.tar', 'the default rules: default@1')
        .example('$0 check image.tar --init > waybill.yaml', "a policy with today's values as its budgets")
        .example('$0 check image.tar --policy waybill.yaml', 'the rules of a policy')
        .example('docker save app:1.2 | $0 check - --policy waybill.yaml', 'straight from a pipe')
        .example('$0 check image.tar --dive-ci .dive-ci', "dive's rules as a team has them"),
    async args => {
      const names = args.archives ?? [];
      const { output = [] } = args;
      if (args.init && (output.length > 0 || args.json || args.format !== undefined))
        throw new UsageError(
          '--init prints a policy and no report: leave --output, --format and --json out, and redirect it: --init > waybill.yaml',
        );
      if (args.init && (args.policy !== undefined || args.diveCi !== undefined || args.preset !== undefined))
        throw new UsageError(
          '--init writes a policy, and reads none: leave --policy, --preset and --dive-ci out',
        );
      if (args.init && args.printPolicy)
        throw new UsageError('--init and --print-policy contradict each other: name one of them');
      if (args.policy === '') throw new UsageError('--policy: expected a file or -, found an empty name');
      if (args.policy === '-' && names.some(name => namedIn(name, [], terminal).archive === '-'))
        throw new UsageError(
          '--policy -: standard input is the archive, and can be read once; put the policy into a file',
        );
      if (names.length === 0 && !args.printPolicy)
        throw new UsageError('which archive? Name files, directories, or - for standard input');
      const context = {
        now: Math.floor(terminal.now().getTime() / 1000),
        epoch: terminal.sourceDateEpoch?.() ?? null,
      };
      if (args.init) return writePolicy({ ...args, archives: names }, context, terminal);
      const { loadPolicy } = await import('../commands/check/load.js');
      const { policy: file, preset: presets, diveCi, failOn, all } = args;
      const policy = await loadPolicy({ policy: file, presets, diveCi });
      for (const line of policy.notes) terminal.note?.(line);
      if (args.printPolicy) {
        const { printedPolicy } = await import('../commands/check/printed.js');
        return terminal.print(printedPolicy(policy), args);
      }
      const { Check, checkReadOptions } = await import('../commands/check/index.js');
      const check = new Check({ policy, context, failOn, all });
      await reportEach({ ...args, archives: names }, terminal, {
        options: checkReadOptions(policy),
        report: (reading, selection) => check.archive(reading, selection),
        only: (reading, selection) => check.only(reading, selection),
        tally: async () => (await import('../commands/many/tallies.js')).checkTally(),
        closing: () => check.closing(),
      });
    },
  );
}

/** `--init`: a policy on standard output, or in the file that --output names. */
async function writePolicy(args: ChosenArchives, context: CheckContext, terminal: Terminal): Promise<void> {
  const { names, loose } = splitArchives(args.archives, args.ref, terminal);
  const [only, another] = names;
  if (another !== undefined)
    throw new UsageError('--init writes a policy from one archive: leave the others out');
  const { initialPolicy, initReadOptions } = await import('../commands/check/init.js');
  const reading = await terminal.read(only!.archive, initReadOptions);
  const selection = { ref: only!.ref, platform: args.platform, refMayBeFile: loose !== undefined };
  const text = await initialPolicy(reading, selection, context);
  await terminal.answer({ stdout: text, notes: [], exitCode: 0 });
}
