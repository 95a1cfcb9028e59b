import yargs, { type Argv } from 'yargs';
import type { Cache } from '../cache/cache.js';
import type { Resources } from '../commands.js';
import { UsageError } from '../errors.js';
import { version } from '../version.js';
import { chosenArchive, namedArchive } from './archives.js';
import { type CacheArguments, openCacheOf } from './cache.js';
import { catalogue } from './catalogue.js';
import { COMMANDS, DAEMON_WORDS, GROUPS } from './command-words.js';
import { complaint, refuseSlip, type Situation, unknownCommand, withoutValue } from './complaints.js';
import { completionCommand } from './completion.js';
import { type LimitArguments, resourcesOf } from './limits.js';
import { checkOutputs } from './output.js';
import type { Reporting, Terminal, World } from './terminal.js';
import { prepared, restored } from './typed.js';

const USAGE = 'waybill [command] <archive> [ref] [options]; waybill [command] --help';

/**
 * The parser of the whole command line.
 * @param onUsage  called with the usage line of the command that was given
 */
export function parser(args: readonly string[], world: World, onUsage: (usage: string) => void = () => {}) {
  let resources: Resources = {};
  let cache: Cache | null = null;
  let isVerbose = false;
  const terminal = within(
    world,
    () => resources,
    () => cache,
    () => isVerbose,
  );
  onUsage(USAGE);
  refuseUnknownHelp(args, world);
  const situation = () => {
    const now = situationIn(base, args);
    onUsage(usageOf(now));
    return now;
  };
  const base = bare(args)
    .middleware(() => refuseValues(situation()), true)
    .middleware((given: Record<string, unknown>) => {
      const { words } = situation();
      understand(given, words, world);
      // `manifest inspect -v` is Docker's own option, which prints more.
      isVerbose = given.verbose === true && words[0] !== 'manifest';
      if (isVerbose && given.all === false) given.all = true;
    })
    .middleware(async given => {
      await refuseOutputs(given, world);
      resources = await resourcesOf(given as LimitArguments);
      const { seconds = 0 } = resources.limits ?? {};
      if (seconds > 0) await world.within(seconds);
      if (world.openCache !== undefined)
        cache = await openCacheOf(given as CacheArguments, isVerbose, world.openCache);
    });
  return presented(completionCommand(catalogue(base, terminal), terminal)).fail((message, error) => {
    const now = situation();
    // yargs wraps an error thrown by a coerce function in its own error class.
    if (error !== undefined && error.name !== 'YError') throw error;
    const [first = '', after] = args.filter(arg => !arg.startsWith('-') || arg === '-');
    if (now.words.length === 0) refuseSlip(first, world, after);
    throw new UsageError(complaint(message, now));
  });
}

const bare = (args: readonly string[]) =>
  // The base directory is not used, and process.cwd() fails if the current directory was removed.
  yargs(prepared(args), '/')
    .scriptName('waybill')
    // Messages of yargs in another language would be mixed with ours, and some of them are matched by pattern.
    .detectLocale(false)
    .usage('waybill: inspect, verify and compare container image files, without Docker, root or a network')
    .parserConfiguration({
      'greedy-arrays': false,
      'parse-positional-numbers': false,
    });

/** The help is laid out by `helpPage`. */
function presented<T>(commands: Argv<T>): Argv<T> {
  return commands
    .strict()
    .version(version)
    .alias('V', 'version')
    .help()
    .alias('h', 'help')
    .describe({ version: 'show the version', help: 'show this help' })
    .wrap(null);
}

/**
 * Normalises the parsed arguments for the command.
 * @throws UsageError or InputError for invalid arguments
 */
function understand(given: Record<string, unknown>, words: readonly string[], world: World): void {
  restored(given);
  const [first, after] = [given.archive ?? given.archives].flat();
  if (words.length === 0 && typeof first === 'string') refuseSlip(first, world, after as string | undefined);
  Object.assign(given, chosenArchive(given, world));
}

/** Reading with the limits of the command line. */
const within = (
  world: World,
  resources: () => Resources,
  cache: () => Cache | null,
  isVerbose: () => boolean,
): Terminal => ({
  ...world,
  async read(archive, options) {
    const start = performance.now();
    const known = cache()?.blobs;
    const reading = await world.read(archive, { ...options, ...resources(), ...(known && { known }) });
    const seconds = ((performance.now() - start) / 1000).toFixed(2);
    if (isVerbose())
      world.note?.(
        `read ${archive === '-' ? 'standard input' : archive}: ${reading.size} bytes, in ${seconds} s`,
      );
    return reading;
  },
  resources,
  cache,
});

function refuseUnknownHelp(args: readonly string[], world: World): void {
  const [help = '', word] = args;
  if (args.some(arg => arg === '--help' || arg === '-h') && !COMMANDS.includes(help))
    refuseSlip(help, world, word);
  if (help !== 'help' || word === undefined || word.startsWith('-')) return;
  if (COMMANDS.includes(word) || DAEMON_WORDS.includes(word)) return;
  refuseSlip(word, world);
  throw new UsageError(unknownCommand(word));
}

/** Outputs are checked before anything is read. */
async function refuseOutputs(given: object, world: World): Promise<void> {
  const {
    output,
    archive,
    archives = [],
    a,
    b,
    base = [],
    against = [],
    baseline = [],
    dockerfile = [],
    policy = [],
    'dive-ci': diveCi = [],
    'structure-test': structureTests = [],
    lock = [],
    files: results = [],
    list = [],
  } = given as Readonly<Record<string, string | readonly string[] | undefined>>;
  const { init } = given as { readonly init?: boolean };
  // `manifest push` has an `--output` of another type, and `check --init` writes no report.
  if (!Array.isArray(output) || init === true) return;
  const inputs = [archive, archives, a, b, base, against].flat().filter(text => text !== undefined);
  const files = inputs.map(text => (text === '-' ? '-' : namedArchive(text, world).archive));
  const others = [baseline, dockerfile, policy, diveCi, structureTests, lock, results, list].flat();
  await checkOutputs(given as Reporting, [...files, ...others], world);
}

/** State of yargs during the parsing of a command that its type declarations do not have. */
interface Parsing {
  getInternalMethods(): { getContext(): { readonly commands: string[]; readonly fullCommands: string[] } };
  getOptions(): {
    readonly key: Readonly<Record<string, unknown>>;
    readonly alias: Readonly<Record<string, readonly string[]>>;
    readonly boolean: readonly string[];
    readonly hiddenOptions: readonly string[];
  };
}

function situationIn(
  base: unknown,
  args: readonly string[],
): Situation & { readonly switches: readonly string[] } {
  const parsing = base as Parsing;
  const { commands, fullCommands } = parsing.getInternalMethods().getContext();
  const { key, alias, boolean, hiddenOptions } = parsing.getOptions();
  const names = Object.keys(key).filter(name => !hiddenOptions.includes(name));
  const withAliases = (list: readonly string[]) => list.flatMap(name => [name, ...(alias[name] ?? [])]);
  return {
    args,
    words: [...commands],
    declared: fullCommands.at(-1) ?? 'show <archives..>',
    options: withAliases(names),
    known: withAliases(Object.keys(key)),
    switches: withAliases(boolean),
  };
}

function usageOf({ words, declared }: Situation): string {
  const command = words.join(' ');
  if (words.length === 0 || DAEMON_WORDS.includes(command)) return USAGE;
  const isGroup = GROUPS.has(declared);
  const positionals = isGroup
    ? '<command>'
    : declared.replace(/^\S+ ?/, '').replace('[names..]', '[ref] <dir>');
  return `waybill ${[command, positionals, '[options]'].join(' ')}; waybill ${command} --help`;
}

/** Options that may have no value, and those that yargs does not list as boolean. */
const OPTIONAL_VALUES = ['require-complete', 'help', 'version'];

/**
 * Refuses values that yargs misinterprets: it reads `--json=maybe` as false, `--no-platform` as a platform of false,
 * and `--fail-on` without a value as absent.
 */
function refuseValues({ args, options, switches }: ReturnType<typeof situationIn>): void {
  for (const [i, arg] of args.entries()) {
    if (arg === '--') return;
    const [, no = '', name = '', value] = /^--(no-)?([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const isSwitch = switches.includes(name) || switches.includes(no + name);
    if (isSwitch && value !== undefined && !/^(?:true|false)$/.test(value))
      throw new UsageError(`--${no}${name}: expected no value, found ${JSON.stringify(value)}`);
    if (no !== '' && !isSwitch && options.includes(name))
      throw new UsageError(`--no-${name}: --${name} takes a value; leave it out`);
    const isAlone = value === undefined && /^-./.test(args[i + 1] ?? '--');
    if (isAlone && !isSwitch && options.includes(name) && !OPTIONAL_VALUES.includes(name))
      throw new UsageError(withoutValue(name));
  }
}
