import { UsageError } from '../errors.js';
import { didYouMean, nearest } from '../spec/nearest.js';

import type { Files } from './archives.js';
import { COMMANDS, GROUPS, habitsFor } from './command-words.js';
import { typed } from './typed.js';

/** The state of a command line about which yargs reports an error. */
export interface Situation {
  /** The arguments as they were typed. */
  readonly args: readonly string[];
  /** The words of the command; empty for `waybill ARCHIVE`. */
  readonly words: readonly string[];
  /** The command as it is declared: `cat <archive> <path>`. */
  readonly declared: string;
  /** Names of its options, without hidden ones. */
  readonly options: readonly string[];
  /** Names of its options, including hidden ones. */
  readonly known: readonly string[];
}

/** Options of Docker's commands that need data which a file does not have, with that data. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['builder', 'no builder is asked'],
  ['context', 'no daemon is asked'],
  ['host', 'no daemon is asked'],
  ['tls', 'no daemon is asked'],
  ['tlsverify', 'no daemon is asked'],
]);

/** Descriptions of positional arguments, for the error about a missing one. */
const MISSING: Readonly<Record<string, string>> = {
  archive: 'which archive? Name a file, a directory, or - for standard input',
  files: 'which results? Name files that `waybill scan` wrote, folders of them, or - for standard input',
  archives: 'which archive? Name files, directories, or - for standard input',
  path: 'the path is missing: which file of the image?',
  a: 'both archives are missing: which two images are compared?',
  b: 'the second archive is missing: with which image is the first compared?',
  list: 'the name of the list is missing, such as app:1.2',
  lists: 'which lists? Name them as `manifest create` did',
  manifest: 'which image of the list? Name its archive, or a digest',
  shell: 'for which shell? bash, zsh or fish',
};

/** Translates an error message of yargs. */
export function complaint(message: string, situation: Situation): string {
  for (const [pattern, say] of COMPLAINTS) {
    const match = pattern.exec(message);
    if (match !== null) return say(match, situation);
  }
  return typed(message);
}

type Say = (match: RegExpExecArray, situation: Situation) => string;

/**
 * Patterns of the error messages of yargs, and their translations.
 * https://github.com/yargs/yargs/blob/main/locales/en.json
 */
const COMPLAINTS: readonly (readonly [pattern: RegExp, say: Say])[] = [
  [/^Not enough non-option arguments: got (\d+)/, ([, got], situation) => missing(Number(got), situation)],
  [
    /^Missing required arguments?: ([^\n]*)(?:\n([\s\S]*))?$/,
    ([, names, own]) => own ?? `--${names} is missing`,
  ],
  [/^Not enough arguments following: (.+)$/, ([, name]) => withoutValue(name!)],
  [/^Invalid values:\n([\s\S]*)$/, ([, lines]) => lines!.split('\n').map(invalid).join('\n')],
  [/^Unknown (?:argument|command)s?: ([\s\S]*)$/, ([, names], situation) => unknown(names!, situation)],
];

export const withoutValue = (name: string) =>
  `${dashed(name)} has no value: expected ${dashed(name)} VALUE (${dashed(name)}=VALUE for one that begins with -)`;

const dashed = (name: string) => (name.length === 1 ? `-${name}` : `--${name}`);

/** Error for a missing positional argument. It may have been read as the value of an unknown option. */
function missing(got: number, { args, declared, options, known }: Situation): string {
  const strangers = optionsIn(args).filter(arg => !isKnown(arg, known));
  if (strangers.length > 0) return unknownOptions(strangers, options);
  const names = [...declared.matchAll(/<(\w+)(?:\.\.)?>/g)].map(([, name]) => name!);
  // One archive is enough if none is given.
  const name = got === 0 && names[0] === 'archives' ? 'archive' : (names[got] ?? 'archive');
  return MISSING[name] ?? `${name} is missing`;
}

/** `Argument: fail-on, Given: "eror", Choices: "error", "warning"` */
function invalid(line: string): string {
  const [, name, given, list = ''] = /^ *Argument: (.+?), Given: (.*), Choices: (.*)$/.exec(line) ?? [];
  if (name === undefined) return line.trim();
  const choices = [...list.matchAll(/"([^"]*)"/g)].map(([, choice]) => choice!);
  const word = /^"([^"]*)"$/.exec(given!)?.[1] ?? '';
  const which = choices.length > 1 ? `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}` : list;
  const subject = name === 'shell' ? 'completion' : dashed(name);
  return `${subject}: expected ${which}, found ${typed(given!)}${didYouMean(nearest(word, choices))}`;
}

function unknown(names: string, situation: Situation): string {
  const { args, words, options, known } = situation;
  const list = names.split(', ').map(typed);
  const strangers = optionsIn(args).filter(arg => !isKnown(arg, known) && isNamed(arg, list));
  if (strangers.length > 0) return unknownOptions(strangers, options);
  const group = words.at(-1) ?? '';
  if (GROUPS.has(group)) return unknownWord(words, list[0]!);
  return list.map(name => `unexpected argument ${JSON.stringify(name)}`).join('\n');
}

function optionsIn(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).filter(arg => /^-[^#]/.test(arg));
}

const unknownOptions = (strangers: readonly string[], options: readonly string[]) =>
  [...new Set(strangers)].map(arg => unknownOption(arg, options)).join('\n');

const nameOf = (arg: string) => /^-{1,2}(?:no-)?([^=]*)/.exec(arg)![1]!;

const isKnown = (arg: string, known: readonly string[]) =>
  arg.startsWith('--')
    ? known.includes(nameOf(arg)) || known.includes(arg.slice(2).replace(/=.*$/s, ''))
    : [...nameOf(arg)].every(letter => known.includes(letter));

/** True if an argument is among the names that yargs reports as unknown; for `-abc` yargs reports single letters. */
const isNamed = (arg: string, names: readonly string[]) =>
  arg.startsWith('--')
    ? names.includes(nameOf(arg))
    : [...nameOf(arg)].some(letter => names.includes(letter));

function unknownOption(arg: string, options: readonly string[]): string {
  const name = nameOf(arg);
  if (ELSEWHERE.has(name))
    return `--${name} means nothing here: ${ELSEWHERE.get(name)}, everything is in the file`;
  const shown = arg.startsWith('--') || name.length === 1 ? arg.replace(/=.*$/s, '') : arg;
  const near = nearest(
    name,
    options.filter(option => option.length > 1),
  ).map(option => `--${option}`);
  return `unknown option ${shown}${didYouMean(name.length === 1 ? [] : near)}`;
}

/** Error for an unknown subcommand of `image`, `manifest`, `imagetools` or `buildx`. */
function unknownWord(words: readonly string[], word: string): string {
  const { known, others } = GROUPS.get(words.at(-1)!)!;
  const whole = [...words, word].join(' ');
  const there = `waybill has ${words.join(' ')} ${known.join(', ')}`;
  if (others.includes(word)) return `${needsDaemon(whole)}; ${there}`;
  const near = nearest(
    word,
    known.map(one => one.split(' ')[0]!),
  );
  return `unknown command \`${whole}\`${near.length > 0 ? didYouMean(near) : `; ${there}`}`;
}

export const needsDaemon = (word: string) =>
  `\`${word}\` needs a running Docker daemon, and waybill reads image files`;

/**
 * @param word   the first argument, in the place of an archive
 * @param after  the next one, if any
 * @throws UsageError if the word looks like a misspelt command; before an archive any word is one that cannot be the
 *   name of another archive
 */
export function refuseSlip(word: string, files: Files, after?: string): void {
  if (files.exists(word)) return;
  const habits = habitsFor(word.toLowerCase());
  const near = !/^[a-z-]+$/i.test(word) ? [] : habits.length > 0 ? habits : nearest(word, COMMANDS);
  if (near.length > 0) throw new UsageError(`unknown command \`${word}\`${didYouMean(near)}`);
  if (/^[^-./\\:#][^./\\:#]*$/.test(word) && after !== undefined && isArchive(after, files))
    throw new UsageError(unknownCommand(word));
}

export const unknownCommand = (word: string) => `unknown command \`${word}\`; \`waybill --help\` lists them`;

function isArchive(text: string, files: Files): boolean {
  if (text === '-' || files.exists(text)) return true;
  const [, file] = /^(.+)#/.exec(text) ?? [];
  return file !== undefined && files.exists(file);
}
