import type { Argv } from 'yargs';
import type { ScanOptions, ScanRequest } from '../commands/scan/index.js';
import type { Result, Severity } from '../commands.js';
import { UsageError } from '../errors.js';
import { namedArchive } from './archives.js';
import { once, requiredPlatform } from './arguments.js';
import type { FindingArguments } from './findings.js';
import { readTime } from './limits.js';
import { type LockArguments, lockOptionsOf } from './lock.js';
import type { ChosenArchives } from './many.js';
import { formatNamed, formatsOf } from './output.js';
import type { SignatureArguments } from './signatures.js';
import type { Reporting, Terminal } from './terminal.js';

/** The options that make a run of many archives. Any of them makes `verify`, `check` and `sizes` write records. */
const MAKING = {
  'files-from': {
    describe: 'a list of paths, one a line or each ended by a NUL; - for standard input',
    type: 'string',
    requiresArg: true,
    coerce: once('files-from'),
  },
  root: {
    describe:
      'paths in records and in the list are relative to this folder [default: the only folder named, or .]',
    type: 'string',
    requiresArg: true,
    coerce: once('root'),
  },
  shard: {
    describe:
      'only this part of the list, as in 3/10; auto takes both numbers from the variables of the scheduler; auto/10 only the first',
    type: 'string',
    requiresArg: true,
    coerce: once('shard'),
  },
  balance: {
    describe: 'shards of about equal size in bytes; all must see the same files',
    type: 'boolean',
    default: false,
  },
  resume: {
    describe: 'continue this results file: its complete records of unchanged files are kept',
    type: 'string',
    requiresArg: true,
    coerce: once('resume'),
  },
} as const;

/** Options that say how such a run is done. */
const DOING = {
  'trust-digest': {
    describe: 'with --resume: a file is unchanged if its sha256 is, whatever its time',
    type: 'boolean',
    default: false,
  },
  'archive-timeout': {
    describe: 'how long one archive may take, as in 5m; after that its record is an error',
    type: 'string',
    requiresArg: true,
    coerce: once('archive-timeout'),
  },
} as const;

const NAMES = [...Object.keys(MAKING), ...Object.keys(DOING)];

/** The options of a run over many archives. docs/fleet.md */
export const fleetOptions = <T>(command: Argv<T>) =>
  command.options(MAKING).options(DOING).group(NAMES, 'Many archives:');

/** The arguments of `fleetOptions`. */
export interface FleetArguments {
  readonly filesFrom?: string | undefined;
  readonly root?: string | undefined;
  readonly shard?: string | undefined;
  readonly balance?: boolean | undefined;
  readonly resume?: string | undefined;
  readonly trustDigest?: boolean | undefined;
  readonly archiveTimeout?: string | undefined;
}

/** Whether a command that also reports on single archives is to write records. */
export function isFleet(args: FleetArguments): boolean {
  const { filesFrom, root, shard, balance, resume, trustDigest, archiveTimeout } = args;
  const isRun = [filesFrom, root, shard, resume].some(given => given !== undefined) || balance === true;
  const alone = [trustDigest === true && 'trust-digest', archiveTimeout !== undefined && 'archive-timeout'];
  const named = alone.find(name => name !== false);
  if (!isRun && named !== undefined)
    throw new UsageError(
      `--${named} is about a run that writes records: name its list with --files-from, or use \`waybill scan\``,
    );
  return isRun;
}

/** The arguments that all commands with such runs have. */
export interface FleetCommandArguments
  extends FleetArguments,
    Omit<ChosenArchives, 'archives'>,
    Reporting,
    FindingArguments,
    InputArguments,
    LockArguments,
    Partial<SignatureArguments> {
  readonly archives?: readonly string[] | undefined;
  readonly preset?: readonly string[] | undefined;
  readonly failOn?: Severity | 'never' | undefined;
  readonly requireComplete?: string | undefined;
  readonly requireImage?: boolean | undefined;
}

/** Arguments that name a file, which may be standard input. */
interface InputArguments {
  readonly policy?: string | undefined;
  readonly diveCi?: string | undefined;
  readonly structureTest?: readonly string[] | undefined;
  readonly base?: readonly string[] | undefined;
  readonly against?: string | undefined;
}

/** Runs over many archives, and prints a summary. @param command  what is done for each */
export async function runFleet(
  command: ScanRequest['command'],
  args: FleetCommandArguments,
  terminal: Terminal,
): Promise<void> {
  const options = fleetRun(command, args, terminal);
  const { scan } = await import('../commands/scan/index.js');
  const result = await scan(options, {
    read: terminal.read,
    note: line => void (args.quiet !== true && terminal.note?.(line)),
    put: terminal.put,
    watch: (run, work) => terminal.watch?.(run, work, args.quiet === true) ?? work(),
    environment: terminal.environment?.() ?? {},
  });
  await printSummary(result, options, args, terminal);
}

function fleetRun(
  command: ScanRequest['command'],
  args: FleetCommandArguments,
  terminal: Terminal,
): ScanOptions {
  refuseContradictions(args);
  const { filesFrom, root, shard, balance = false, resume, trustDigest = false, archiveTimeout } = args;
  const { limits = {}, jobs, memory } = terminal.resources();
  const { seconds = 0, ...others } = limits;
  return {
    request: { ...requestOf(command, args, terminal), limits: others, memory },
    source: { paths: args.archives ?? [], filesFrom, root },
    shard: shard ?? null,
    balance,
    output: outputOf(args),
    resume: resume ?? null,
    trustDigest,
    resources: { jobs, memory },
    cache: terminal.cache(),
    archiveSeconds: archiveTimeout === undefined ? 0 : readTime('archive-timeout', archiveTimeout),
    runSeconds: seconds,
  };
}

function requestOf(
  command: ScanRequest['command'],
  args: FleetCommandArguments,
  terminal: Terminal,
): Omit<ScanRequest, 'limits' | 'memory'> {
  const { ref, platform, requireComplete, base, against, archives, requireSignature = false } = args;
  return {
    command,
    ref,
    platform,
    failOn: args.failOn ?? 'error',
    requireComplete: requiredPlatform(requireComplete),
    requireImage: args.requireImage ?? false,
    policy: policyOf(command, args),
    lock: lockOptionsOf({ ...args, archives, platform }),
    trust: { ...trustOf(args), requireSignature },
    baseline: args.baseline ?? null,
    base,
    against: against === undefined ? undefined : namedArchive(against, terminal),
    now: terminal.now().getTime(),
    epoch: terminal.sourceDateEpoch?.() ?? null,
  };
}

/** `scan` checks rules if any are named, `check` always. */
function policyOf(
  command: ScanRequest['command'],
  { policy, preset: presets, diveCi, structureTest: structureTests, against }: FleetCommandArguments,
): ScanRequest['policy'] {
  if (policy === '') throw new UsageError('--policy: expected a file or -, found an empty name');
  const isAsked = [policy, presets, diveCi, structureTests, against].some(given => given !== undefined);
  if (command !== 'check' && !isAsked) return null;
  return { policy, presets, diveCi, structureTests, compares: against !== undefined };
}

const trustOf = ({
  key,
  certificateIdentity,
  certificateIdentityRegexp,
  certificateOidcIssuer,
  certificateOidcIssuerRegexp,
  trustedRoot,
  notationTrustStore,
}: FleetCommandArguments) => ({
  key,
  certificateIdentity,
  certificateIdentityRegexp,
  certificateOidcIssuer,
  certificateOidcIssuerRegexp,
  trustedRoot,
  notationTrustStore,
});

/** `--resume` alone continues the file itself; `--json` alone prints the records. */
function outputOf({ output, resume, json }: FleetCommandArguments): string | null {
  const files = output ?? [];
  if (files.length > 1)
    throw new UsageError(
      `--output: expected one results file, found ${files.map(file => JSON.stringify(file)).join(' and ')}; \`waybill merge\` makes reports of it`,
    );
  const [file] = files;
  if (file === '') throw new UsageError('--output: expected a file, found an empty name');
  return file?.replace(/^ndjson=/, '') ?? resume ?? (json ? '-' : null);
}

/** The name of an output that asks for another format than records; null for any other. */
function otherFormatOf(file: string): string | null {
  const [, format, name = file] = /^(\w+)=(.*)$/s.exec(file) ?? [];
  if (format !== undefined && formatNamed(format) !== null) return format === 'ndjson' ? null : name;
  return /\.(?:html|md|json|txt|sarif|xml|tap|csv)$/.test(file) ? file : null;
}

function refuseContradictions(args: FleetCommandArguments): void {
  const { archives = [], filesFrom, resume, json, trustDigest, baseline, updateBaseline } = args;
  const [file] = args.output ?? [];
  if (archives.length === 0 && filesFrom === undefined)
    throw new UsageError('which archives? Name files, folders or patterns, or a list with --files-from');
  if (filesFrom === '') throw new UsageError('--files-from: expected a file or -, found an empty name');
  if (resume === '' || resume === '-')
    throw new UsageError(`--resume: expected a results file, found ${resume === '' ? 'an empty name' : '-'}`);
  if (trustDigest && resume === undefined)
    throw new UsageError(
      '--trust-digest is about the records of an earlier run: name its file with --resume',
    );
  if (json && file !== undefined && file !== '-')
    throw new UsageError('--json prints the records, and --output writes them: name one of them');
  const format = formatsOf(args).find(name => name !== 'ndjson' && name !== 'json');
  if (format !== undefined)
    throw new UsageError(
      `--format ${format}: a run over many archives writes records (ndjson); \`waybill merge\` makes ${format} of them`,
    );
  const other = file === undefined ? null : otherFormatOf(file);
  if (other !== null)
    throw new UsageError(
      `--output ${file}: a run over many archives writes records (.ndjson); \`waybill merge RESULTS.ndjson -o ${other}\` makes reports of them`,
    );
  if (updateBaseline)
    throw new UsageError(
      `--update-baseline: a part of a run cannot know all findings; write ${baseline ?? 'the baseline'} with \`waybill verify\``,
    );
  if (args.dockerfile !== undefined)
    throw new UsageError('--dockerfile is about the images of one build, and records have no lines of it');
  if (args.lock !== undefined && !args.partial)
    throw new UsageError(
      '--lock: a part of a run cannot know that an image of the lock is nowhere: add --partial',
    );
  refuseStandardInputTwice(args);
}

function refuseStandardInputTwice(args: FleetCommandArguments): void {
  const { filesFrom, lock, policy, diveCi, structureTest, base, against } = args;
  const readers = [filesFrom, lock, policy, diveCi, structureTest, base, against].flat();
  if (readers.filter(file => file === '-').length > 1)
    throw new UsageError('standard input is named twice, and can be read once');
}

/** A run that writes records says on standard error what it wrote; the text of one that does not is its answer. */
async function printSummary(
  result: Result,
  { output }: ScanOptions,
  { quiet, color, json }: FleetCommandArguments,
  terminal: Terminal,
): Promise<void> {
  if (output === null) return terminal.print(result, { json, color, quiet });
  const notes = quiet ? [] : (result.notes ?? []);
  return terminal.answer({ stdout: '', notes, exitCode: result.exitCode });
}
