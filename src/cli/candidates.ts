import yargs, { type Argv } from 'yargs';
import { checkInside, YARGS } from '../inside.js';
import { namedArchive } from './archives.js';
import { catalogue } from './catalogue.js';
import { COMMANDS } from './command-words.js';
import { FILES, SHELLS, type Shell } from './completion-scripts.js';
import { valueName } from './help.js';
import type { Terminal } from './terminal.js';

/** A word that the shell may insert at the cursor. */
interface Candidate {
  readonly word: string;
  readonly describe: string;
}

interface Handler {
  readonly original: string;
  readonly description: string | false;
  readonly builder: (command: Argv) => unknown;
}

/** Fields of a yargs command that its type declarations do not have. */
interface Declared {
  getInternalMethods(): {
    getCommandInstance(): { getCommandHandlers(): Readonly<Record<string, Handler>> };
    getUsageInstance(): { getDescriptions(): Readonly<Record<string, string | undefined>> };
    reset(): Argv;
  };
  getOptions(): {
    readonly key: Readonly<Record<string, unknown>>;
    readonly alias: Readonly<Record<string, readonly string[]>>;
    readonly boolean: readonly string[];
    readonly hiddenOptions: readonly string[];
    readonly choices: Readonly<Record<string, readonly string[]>>;
  };
}

/** A command line up to the cursor. */
interface Line {
  /** The command as it is declared, with its options. */
  readonly declared: Declared;
  readonly handler: Handler | null;
  /** Words of the command, such as `manifest create`. */
  readonly command: readonly string[];
  readonly positionals: readonly string[];
  /** Subcommands that may follow. */
  readonly next: Readonly<Record<string, Handler>>;
}

/**
 * Candidates at the cursor: commands, options, choices, finding codes, and the references and platforms of the archive
 * on the command line. `:files` stands for file names, after `--option=` too.
 * @param before   the words between the program and the cursor
 * @param current  the beginning of the word at the cursor
 */
export async function candidates(
  before: readonly string[],
  current: string,
  terminal: Terminal,
): Promise<readonly Candidate[]> {
  const line = lineOf(before, current, terminal);
  const [, option] = /^(--[^=]+=)/.exec(current) ?? [];
  const previous = before.at(-1) ?? '';
  const found =
    option !== undefined
      ? (await valuesOf(option.slice(2, -1), line, terminal)).map(one => ({
          ...one,
          word: one.word === FILES ? FILES : option + one.word,
        }))
      : takesValue(previous, line)
        ? await valuesOf(previous.replace(/^-+/, ''), line, terminal)
        : current.startsWith('-')
          ? optionsOf(line)
          : await wordsOf(line, current, terminal);
  return found.filter(({ word }) => word === FILES || word.startsWith(current));
}

function lineOf(before: readonly string[], current: string, terminal: Terminal): Line {
  const base = catalogue(yargs([], '/'), terminal);
  const declared = declaredBy(base);
  const handlersNow = () => declared.getInternalMethods().getCommandInstance().getCommandHandlers();
  const command: string[] = [];
  const positionals: string[] = [];
  let handler: Handler | null = null;
  let next = handlersNow();
  const enter = (entered: Handler) => {
    handler = entered;
    entered.builder(declared.getInternalMethods().reset());
    next = handlersNow();
  };
  for (const [i, word] of before.entries()) {
    if (word.startsWith('-') && word !== '-') continue;
    if (i > 0 && takesValue(before[i - 1]!, { declared })) continue;
    const entered = positionals.length === 0 ? next[word] : undefined;
    if (entered === undefined) positionals.push(word);
    else {
      command.push(word);
      enter(entered);
    }
  }
  // `waybill ARCHIVE` means `waybill show ARCHIVE`, also if its options come first.
  const isShow = positionals.length > 0 || current.startsWith('-');
  if (command.length === 0 && isShow && next.show !== undefined) enter(next.show);
  return { declared, handler, command, positionals, next };
}

/** The commands and options that yargs has declared. @throws Error if yargs has no such functions inside */
export function declaredBy(base: object): Declared {
  const declared = base as Declared;
  checkInside(YARGS, 'function', {
    getInternalMethods: declared.getInternalMethods,
    getOptions: declared.getOptions,
  });
  const { getCommandInstance, getUsageInstance, reset } = declared.getInternalMethods();
  checkInside(YARGS, 'function', { getCommandInstance, getUsageInstance, reset });
  checkInside(YARGS, 'function', {
    getCommandHandlers: getCommandInstance().getCommandHandlers,
    getDescriptions: getUsageInstance().getDescriptions,
  });
  const { key, alias, boolean, hiddenOptions, choices } = declared.getOptions();
  checkInside(YARGS, 'object', { key, alias, boolean, hiddenOptions, choices });
  return declared;
}

/** True if the word after an option is its value. */
function takesValue(option: string, { declared }: Pick<Line, 'declared'>): boolean {
  const [, dashes, name] = /^(--?)([^=]+)$/.exec(option) ?? [];
  if (dashes === undefined) return false;
  const { key, boolean } = declared.getOptions();
  const full = fullName(name!, declared);
  return full in key && !boolean.includes(full);
}

/** The full name of an option that was given as a single letter. */
function fullName(name: string, declared: Declared): string {
  const { alias } = declared.getOptions();
  return Object.keys(alias).find(key => alias[key]!.includes(name)) ?? name;
}

const plain = (words: Iterable<string>, describe = ''): Candidate[] =>
  [...words].map(word => ({ word, describe }));

const FILE_VALUES = ['FILE', 'DIR'];

async function presets(): Promise<readonly Candidate[]> {
  const { PRESETS } = await import('../commands/check/load.js');
  return [...PRESETS].map(([word, { what }]) => ({ word, describe: what }));
}

async function valuesOf(name: string, line: Line, terminal: Terminal): Promise<readonly Candidate[]> {
  const full = fullName(name, line.declared);
  const choices = line.declared.getOptions().choices[full];
  if (choices !== undefined) return plain(choices);
  if (FILE_VALUES.includes(valueName(full) ?? '')) return plain([FILES]);
  if (full === 'preset') return presets();
  const archive = line.positionals[0];
  if (archive === undefined || !['ref', 'platform'].includes(full)) return [];
  const { refs, platforms } = await choicesOf(archive, terminal);
  return plain(full === 'ref' ? refs : platforms);
}

function optionsOf({ declared, handler, command }: Line): readonly Candidate[] {
  const { key, hiddenOptions } = declared.getOptions();
  const positionals = handler === null ? '' : handler.original;
  const describe = declared.getInternalMethods().getUsageInstance().getDescriptions();
  const names = Object.keys(key).filter(
    name =>
      name.length > 1 &&
      !hiddenOptions.includes(name) &&
      (name === 'ref' || !new RegExp(`[<[]${name}(?:\\.\\.)?[>\\]]`).test(positionals)),
  );
  const options = names.map(name => ({ word: `--${name}`, describe: describe[name] ?? '' }));
  const version = command.length === 0 ? [{ word: '--version', describe: 'show the version' }] : [];
  const help = { word: '--help', describe: 'show help' };
  const others = options.filter(({ word }) => word !== '--help' && word !== '--version');
  return [...others, help, ...version];
}

async function wordsOf(line: Line, current: string, terminal: Terminal): Promise<readonly Candidate[]> {
  const { command, positionals, next, handler } = line;
  const place = positionals.length;
  if (command[0] === 'explain') return place === 0 ? codes() : [];
  const words = Object.entries(next)
    .filter(([, { description }]) => description !== false)
    .map(([word, { description }]) => ({ word, describe: description || '' }));
  if (command.length === 0 && place === 0)
    return [
      ...words,
      ...plain(['completion', 'help']),
      ...(await inArchive(current, terminal)),
      ...plain([FILES]),
    ];
  if (words.length > 0) return place === 0 ? words : [];
  if (positionals[0] === 'completion') return place === 1 ? plain(SHELLS) : [];
  if (positionals[0] === 'help') return place === 1 ? plain(COMMANDS) : [];
  if (place > 0 && handler?.original.includes('<path>'))
    return place === 1 ? pathsIn(positionals[0]!, current, terminal) : [];
  const found = await inArchive(current, terminal);
  if (place === 0 || !MAY_HAVE_REF.test(handler?.original ?? '')) return [...found, ...plain([FILES])];
  const { refs } = await choicesOf(positionals[0]!, terminal);
  const mayBeFile = !/\[refs?\b/.test(handler!.original);
  return [...plain(refs), ...(mayBeFile ? [...found, ...plain([FILES])] : [])];
}

/** Matches the declaration of commands whose second argument may be a reference to an image of the first. */
const MAY_HAVE_REF =
  /\[(?:refs?|names)(?:\.\.)?\]|^(?:show|verify|check|ids|sizes|waste) [<[]archives\.\.[>\]]/;

/** Candidates after `ARCHIVE#`: the references in the archive. */
async function inArchive(current: string, terminal: Terminal): Promise<readonly Candidate[]> {
  const hash = current.lastIndexOf('#');
  if (hash <= 0 || !terminal.exists(current.slice(0, hash))) return [];
  const archive = current.slice(0, hash);
  return plain((await choicesOf(archive, terminal)).refs.map(ref => `${archive}#${ref}`));
}

async function codes(): Promise<readonly Candidate[]> {
  const { explain } = await import('../commands/explain.js');
  const all = explain(undefined).data as readonly { readonly code: string; readonly severity: string }[];
  return all.map(({ code, severity }) => ({ word: code, describe: severity }));
}

/** Seconds that reading an archive for completion may take. */
const PATIENCE_SECONDS = 2;

async function choicesOf(text: string, terminal: Terminal) {
  const { choicesIn } = await import('../report/select.js');
  try {
    const { archive } = namedArchive(text, terminal);
    // At an interactive prompt nothing is piped to standard input, so `-` cannot be read.
    if (archive === '-' || !terminal.exists(archive)) return { refs: [], platforms: [] };
    const limits = { seconds: PATIENCE_SECONDS };
    return choicesIn(await terminal.read(archive, { depth: 'metadata', limits }));
  } catch {
    return { refs: [], platforms: [] };
  }
}

/** The paths of the image in an archive, up to the next `/` behind what was typed. */
async function pathsIn(text: string, current: string, terminal: Terminal): Promise<readonly Candidate[]> {
  const { filesReport } = await import('../commands/files/index.js');
  try {
    const { archive, ref } = namedArchive(text, terminal);
    if (archive === '-' || !terminal.exists(archive)) return [];
    const limits = { seconds: PATIENCE_SECONDS };
    const { images } = filesReport(await terminal.read(archive, { depth: 'files', limits }), { ref });
    const root = current.startsWith('/') ? '/' : '';
    const paths = (images[0]?.files ?? []).map(
      ({ path, type }) => `${root}${path}${type === 'directory' ? '/' : ''}`,
    );
    const shown = paths
      .filter(path => path.startsWith(current))
      .map(path => /^[^/]*\/?/.exec(path.slice(current.length))![0]);
    return plain(new Set(shown.filter(rest => rest !== '').map(rest => current + rest)));
  } catch {
    return [];
  }
}

/** The candidates in the form that a shell reads; zsh and fish also show their descriptions. */
export function linesFor(shell: Shell, found: readonly Candidate[]): string {
  const line = ({ word, describe }: Candidate): string => {
    if (word === FILES || shell === 'bash') return word;
    const text = describe.replace(/\s+/g, ' ');
    if (shell === 'fish') return text === '' ? word : `${word}\t${text}`;
    const escaped = word.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
    return text === '' ? escaped : `${escaped}:${text}`;
  };
  // A name from the archive that contains a line break is left out.
  return found
    .filter(({ word }) => !/\p{Cc}/u.test(word))
    .map(candidate => `${line(candidate)}\n`)
    .join('');
}
