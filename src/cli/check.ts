import type { Argv } from 'yargs';
import type { CheckContext } from '../commands/check/index.js';
import type { Policy, Severity } from '../commands.js';
import { UsageError } from '../errors.js';
import { namedArchive } from './archives.js';
import { FAIL_ON, forOption, once } from './arguments.js';
import { baseOption, basesOf } from './base.js';
import { cacheOptions } from './cache.js';
import { type FindingArguments, findingOptions, openAudit } from './findings.js';
import { type FleetArguments, fleetOptions, isFleet, runFleet } from './fleet.js';
import { type ChosenArchives, namedIn, reportEach, someArchivesArguments, splitArchives } from './many.js';
import {
  checkOutputs,
  documentAnswer,
  documentPlace,
  hasJson,
  outputOption,
  refuseFindings,
} from './output.js';
import { type RequirementArguments, readingFor, requirementOptions, requirementsOf } from './requirements.js';
import type { Printing, Reporting, Terminal } from './terminal.js';

/** `waybill check`: the findings of `verify`, and the rules of a policy. */
export function checkCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'check [archives..]',
    'check that an archive is sound and keeps to the rules of a policy: sizes, waste, user, names and more',
    command => withExamples(runOptions(ruleOptions(command))),
    args => (isFleet(args) ? checkFleet(args, terminal) : check(args, terminal)),
  );
}

/** The archives, and the options that say which rules apply. */
const ruleOptions = <T>(command: Argv<T>) =>
  fleetOptions(
    policyOptions(
      requirementOptions(findingOptions(outputOption(baseOption(someArchivesArguments(command))))),
      'default@1, if no other option names rules',
    ),
  );

/**
 * The options that say which rules apply.
 * @param usual  what applies without them
 */
export const policyOptions = <T>(command: Argv<T>, usual: string) =>
  command
    .option('policy', {
      describe: 'a policy in YAML or JSON (docs/rules.md), or - for standard input',
      type: 'string',
      requiresArg: true,
      coerce: once('policy'),
    })
    .option('preset', {
      describe: `rules by name, below those of the policy; may be repeated [default: ${usual}]`,
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
    .option('structure-test', {
      describe: 'tests of container-structure-test: files and metadata; may be repeated',
      type: 'string',
      array: true,
      requiresArg: true,
    })
    .option('against', {
      describe:
        'an earlier archive, or its report (check --json), to compare with: growth, and new files, ports and packages',
      type: 'string',
      requiresArg: true,
      coerce: once('against'),
    });

/** The options that say what a run does with the rules. */
const runOptions = <T>(command: Argv<T>) =>
  cacheOptions(command)
    .option('fail-on', FAIL_ON)
    .option('all', {
      describe: 'list every finding, and those that the policy hides; of folders every file left out',
      type: 'boolean',
      default: false,
    })
    .option('init', {
      describe:
        'print a policy that this archive passes, or write it to -o FILE: its present values become the limits',
      type: 'boolean',
      default: false,
    })
    .option('print-policy', {
      describe: 'print what applies and where each part was written, and check nothing',
      type: 'boolean',
      default: false,
    });

const withExamples = <T>(command: Argv<T>): Argv<T> =>
  command
    .example('$0 check image.tar', 'the default rules: default@1')
    .example('$0 check image.tar --init -o waybill.yaml', "a policy with today's values as its budgets")
    .example('$0 check image.tar --policy waybill.yaml', 'the rules of a policy')
    .example('docker save app:1.2 | $0 check - --policy waybill.yaml', 'straight from a pipe')
    .example('$0 check image.tar --dive-ci .dive-ci', "dive's rules as a team has them")
    .example(
      '$0 check new.tar --against old.tar',
      'what grew, and what is new: setuid files, ports, packages',
    )
    .example('$0 check image.tar --structure-test tests.yaml', 'file and metadata tests, without an engine');

interface CheckArguments
  extends Omit<ChosenArchives, 'archives'>,
    FindingArguments,
    FleetArguments,
    Reporting,
    RequirementArguments {
  readonly archives?: readonly string[] | undefined;
  readonly policy?: string | undefined;
  readonly preset?: readonly string[] | undefined;
  readonly diveCi?: string | undefined;
  readonly structureTest?: readonly string[] | undefined;
  readonly base?: readonly string[] | undefined;
  readonly against?: string | undefined;
  readonly failOn: Severity | 'never';
  readonly all: boolean;
  readonly init: boolean;
  readonly printPolicy: boolean;
}

async function checkFleet(args: CheckArguments, terminal: Terminal): Promise<void> {
  if (args.init || args.printPolicy)
    throw new UsageError(
      `--${args.init ? 'init' : 'print-policy'} checks no archive: leave the options of many archives out`,
    );
  return runFleet('check', args, terminal);
}

async function check(args: CheckArguments, terminal: Terminal): Promise<void> {
  const archives = args.archives ?? [];
  refuseContradictions(args, terminal);
  const context = {
    now: Math.floor(terminal.now().getTime() / 1000),
    epoch: terminal.sourceDateEpoch?.() ?? null,
  };
  if (args.init) return writePolicy({ ...args, archives }, context, terminal);
  const { loadBaseLists, loadPolicy } = await import('../commands/check/load.js');
  const { preset: presets, structureTest: structureTests, failOn, all } = args;
  const compares = args.against !== undefined;
  const policy = await loadPolicy({ ...args, presets, structureTests, compares });
  for (const line of policy.notes) terminal.note?.(line);
  await checkOutputs(args, await filesNamedBy(policy), terminal);
  if (args.printPolicy) {
    await refuseFindings(args, '--print-policy');
    const { printedPolicy } = await import('../commands/check/printed.js');
    return terminal.print(printedPolicy(policy), args);
  }
  const { Check, checkReadOptions } = await import('../commands/check/index.js');
  const known = {
    bases: await basesOf(args, terminal),
    baseLists: await loadBaseLists(policy, terminal.read),
    against: await againstOf(args, terminal),
  };
  const inventory = hasJson(args);
  const audit = await openAudit(args);
  const requirements = await requirementsOf(args, terminal);
  const { limits } = terminal.resources();
  const checking = new Check({
    policy,
    context: { ...context, ...known },
    failOn,
    all,
    inventory,
    audit,
    requirements,
    limits,
  });
  await reportEach({ ...args, archives, audit }, terminal, {
    options: await readingFor(requirements, checkReadOptions(policy, inventory || compares)),
    report: (reading, selection) => checking.archive(reading, selection),
    alone: (reading, selection) => checking.alone(reading, selection),
    tally: async () => (await import('../commands/many/tallies.js')).checkTally(requirements),
    closing: () => checking.closing(),
  });
}

/** The files that the policy extends and names, which no output may overwrite. */
async function filesNamedBy(policy: Policy): Promise<readonly string[]> {
  const { filesOf } = await import('../commands/check/load.js');
  return filesOf(policy);
}

async function againstOf({ against }: CheckArguments, terminal: Terminal) {
  if (against === undefined) return undefined;
  const { loadAgainst } = await import('../commands/check/against.js');
  return forOption('--against', () => loadAgainst(namedArchive(against, terminal), terminal.read));
}

/** @throws UsageError for options that exclude each other, and for what is asked of no archive */
function refuseContradictions(args: CheckArguments, terminal: Terminal): void {
  const { init, policy, diveCi, preset, structureTest, json, format, output = [], archives = [] } = args;
  if (init && (output.length > 1 || json || format !== undefined))
    throw new UsageError(
      '--init writes one policy and no report: leave --format, --json and further --output out: --init -o waybill.yaml',
    );
  if (init && [policy, diveCi, preset, structureTest, args.against].some(given => given !== undefined))
    throw new UsageError(
      '--init writes a policy, and reads none: leave --policy, --preset, --dive-ci, --structure-test and --against out',
    );
  if (init && args.printPolicy)
    throw new UsageError('--init and --print-policy contradict each other: name one of them');
  if (policy === '') throw new UsageError('--policy: expected a file or -, found an empty name');
  const isPiped = archives.some(name => namedIn(name, [], terminal).archive === '-');
  const readsInput = [policy, diveCi, ...(structureTest ?? []), ...(args.base ?? []), args.against].filter(
    name => name === '-',
  );
  if (readsInput.length > 0 && isPiped && policy === '-')
    throw new UsageError(
      '--policy -: standard input is the archive, and can be read once; put the policy into a file',
    );
  if (readsInput.length > (isPiped ? 0 : 1))
    throw new UsageError('standard input is named twice, and can be read once');
  if (archives.length === 0 && !args.printPolicy)
    throw new UsageError('which archive? Name files, directories, or - for standard input');
}

/** `--init`: a policy on standard output, or in the file that --output names. */
async function writePolicy(
  args: ChosenArchives & Reporting,
  context: CheckContext,
  terminal: Terminal,
): Promise<void> {
  const { names, loose } = splitArchives(args.archives, args.ref, terminal);
  const [only, another] = names;
  if (another !== undefined)
    throw new UsageError('--init writes a policy from one archive: leave the others out');
  const place = await documentPlace(args.output?.[0], [only!.archive]);
  const { initialPolicy, initReadOptions } = await import('../commands/check/init.js');
  const reading = await terminal.read(only!.archive, initReadOptions);
  const selection = { ref: only!.ref, platform: args.platform, refMayBeFile: loose !== undefined };
  const text = await initialPolicy(reading, selection, context);
  await terminal.answer(await documentAnswer(text, place, {}));
}
