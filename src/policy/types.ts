import { pathFilter } from '../containers/path-filter.js';
import { didYouMean, nearest } from '../spec/nearest.js';
import { ARCHITECTURE_NAMES, formatPlatform, type Platform, parsePlatform } from '../spec/platform.js';
import { parseSize, sizeText } from '../spec/size-text.js';
import { foundText, type SourceNode, type SourcePlace, type SourceProblem } from './source.js';

/** A JSON Schema (draft 2020-12), as far as a policy needs one. */
export type JsonSchema = { readonly [key: string]: unknown };

/**
 * A regular expression of a policy, in the syntax of RE2: without backreferences and lookaround, it takes a time that
 * is proportional to the text, whatever the expression. https://github.com/google/re2/wiki/Syntax
 */
export interface Pattern {
  /** As it is written in the policy. */
  readonly source: string;
  /** Whether it matches anywhere in a text; `^` and `$` anchor it. */
  readonly test: (text: string) => boolean;
}

/**
 * Makes a pattern of its text, or says why it is none. The engine is loaded where a policy is read, and not by what
 * tells of rules.
 */
export type CompilePattern = (source: string) => Pattern | string;

/** The type of an option: how its values are written in a policy, read, and described. */
export interface ValueType<T> {
  /** For "expected …": `a size such as 250MB`. */
  readonly expected: string;
  readonly schema: JsonSchema;
  read(node: SourceNode, compile: CompilePattern): Reading<T>;
  /** A value as a policy would write it, in YAML's flow style. */
  write(value: T): string;
}

/** The value that was read, or the errors in it. */
export type Reading<T> =
  | { readonly value: T; readonly problems?: undefined }
  | { readonly problems: readonly SourceProblem[]; readonly value?: undefined };

export const mismatch = (node: SourceNode, expected: string, more = ''): Reading<never> => ({
  problems: [{ at: node.at, message: `expected ${expected}, found ${foundText(node)}${more}` }],
});

/**
 * A type whose values are single words or numbers. @param parse  takes them as they are written; null for what is none
 */
function scalarType<T>(
  expected: string,
  schema: JsonSchema,
  parse: (text: string) => T | null,
  write: (value: T) => string,
): ValueType<T> {
  return {
    expected,
    schema,
    read(node) {
      const value = node.kind === 'scalar' && node.value !== null ? parse(node.text.trim()) : null;
      return value === null ? mismatch(node, expected) : { value };
    },
    write,
  };
}

const SIZE_SCHEMA = {
  type: ['string', 'integer'],
  pattern: '^[0-9]{1,16}(\\.[0-9]{1,9})? ?([kKmMgGtT][iI]?)?[bB]?$',
  minimum: 0,
};

/** Bytes. */
export const size = scalarType<number>(
  'a size such as 250MB, 1.5GiB or 1000 (bytes)',
  SIZE_SCHEMA,
  parseSize,
  bytes => sizeInPolicy(bytes),
);

/** `250MB` where that is exact, else the bytes. */
function sizeInPolicy(bytes: number): string {
  const short = sizeText(bytes).replace(' ', '');
  return parseSize(short) === bytes ? short : String(bytes);
}

/** A part of a whole, from 0 to 1. */
export const share = scalarType<number>(
  'a share such as 5% or 0.05',
  {
    type: ['string', 'number'],
    pattern: '^(100|[0-9]{1,2})(\\.[0-9]{1,6})? ?%$|^(0?\\.[0-9]{1,9}|0|1|1\\.0+|0\\.0*)$',
    minimum: 0,
    maximum: 1,
  },
  text => {
    const [, number, percent] = /^(\d{1,3}(?:\.\d{1,9})?|\.\d{1,9}) ?(%?)$/.exec(text) ?? [];
    const value = Number(number) / (percent === '%' ? 100 : 1);
    return number !== undefined && value <= 1 ? value : null;
  },
  part => percentText(part),
);

/** `5%`, with as many digits as it takes. */
export const percentText = (part: number): string => `${Number((part * 100).toPrecision(6))}%`;

/** How much more something may weigh than before: a part of what it was, or bytes. */
export type GrowthLimit = { readonly share: number } | { readonly bytes: number };

export const growth = scalarType<GrowthLimit>(
  'growth such as +5% or +10MB',
  {
    type: ['string', 'integer'],
    pattern: '^[+]?[0-9]{1,16}([.][0-9]{1,9})? ?(%|([kKmMgGtT][iI]?)?[bB]?)$',
    minimum: 0,
  },
  text => {
    const unsigned = text.replace(/^\+ ?/, '');
    const [, percent] = /^(\d{1,6}(?:\.\d{1,6})?) ?%$/.exec(unsigned) ?? [];
    if (percent !== undefined) return { share: Number(percent) / 100 };
    const bytes = parseSize(unsigned);
    return bytes === null ? null : { bytes };
  },
  limit => growthText(limit),
);

/** As a policy writes it: `+5%`, `+10MB`. */
export const growthText = (limit: GrowthLimit): string =>
  `+${'share' in limit ? percentText(limit.share) : sizeInPolicy(limit.bytes)}`;

export const isWithinGrowth = (
  { before, after }: { readonly before: number; readonly after: number },
  limit: GrowthLimit,
): boolean => after - before <= ('share' in limit ? before * limit.share : limit.bytes);

export const whole = (least: number): ValueType<number> =>
  scalarType<number>(
    `a whole number from ${least}`,
    { type: 'integer', minimum: least },
    text => (/^\d{1,9}$/.test(text) && Number(text) >= least ? Number(text) : null),
    String,
  );

export const flag = scalarType<boolean>(
  'true or false',
  { type: 'boolean' },
  text => ({ true: true, false: false })[text] ?? null,
  String,
);

const DAY = 24 * 60 * 60;
const PERIODS: Readonly<Record<string, number>> = { h: 60 * 60, d: DAY, w: 7 * DAY };

/** Seconds. */
export const period = scalarType<number>(
  'a time such as 90d, 12w or 48h',
  { type: 'string', pattern: '^[0-9]{1,5}[hdw]$' },
  text => {
    const [, count, unit] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
    return count === undefined ? null : Number(count) * PERIODS[unit!]!;
  },
  seconds => (seconds % DAY === 0 ? `${seconds / DAY}d` : `${seconds / 3600}h`),
);

/** Seconds since 1970. */
export const instant = scalarType<number>(
  'a date such as 2026-12-31, a time such as 2026-12-31T12:00:00Z, or seconds since 1970',
  { type: ['string', 'integer'], pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?$` },
  text => {
    if (/^\d{1,12}$/.test(text)) return Number(text);
    const [, date, time = '00:00:00'] = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)Z)?$/.exec(text) ?? [];
    return date === undefined ? null : secondsOf(date, time);
  },
  seconds => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'),
);

/** null for a day that is not in the calendar: JavaScript takes 30 February for 1 March. */
function secondsOf(date: string, time: string): number | null {
  const milliseconds = Date.parse(`${date}T${time}Z`);
  if (Number.isNaN(milliseconds)) return null;
  return new Date(milliseconds).toISOString().startsWith(date) ? milliseconds / 1000 : null;
}

/** A day, as the seconds since 1970 at which it begins in UTC. */
export const day = scalarType<number>(
  'a date such as 2026-12-31',
  { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' },
  text => (/^\d{4}-\d\d-\d\d$/.test(text) ? secondsOf(text, '00:00:00') : null),
  seconds => new Date(seconds * 1000).toISOString().slice(0, 10),
);

export function choice<const C extends string>(...choices: readonly C[]): ValueType<C> {
  const listed =
    choices.length === 1 ? choices[0]! : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return {
    expected: listed,
    schema: { enum: choices },
    read(node) {
      const text = node.kind === 'scalar' && node.value !== null ? node.text : '';
      const value = choices.find(one => one === text);
      return value === undefined ? mismatch(node, listed, didYouMean(nearest(text, choices))) : { value };
    },
    write: value => value,
  };
}

/** Any text that is not empty; a number or a date is taken as it is written. */
export const textLike = (what: string): ValueType<string> => ({
  expected: what,
  schema: { type: ['string', 'number'], minLength: 1 },
  read: node =>
    node.kind === 'scalar' && node.value !== null && node.text !== ''
      ? { value: node.text }
      : mismatch(node, what),
  write: quotedInYaml,
});

/** A file that a policy names. */
export interface NamedFile {
  /** As it is written. */
  readonly name: string;
  readonly at: SourcePlace | null;
  /** Where it lies: relative to the policy that names it. Until that is known, the name. */
  readonly path: string;
  /** As the option's parser reads it; null where it is not read with the policy. */
  readonly content: unknown;
}

/** Files, or one alone. @param expected  what is in them, for "expected …" */
export function namedFiles(expected: string): ValueType<readonly NamedFile[]> {
  const named = textLike(`a file: ${expected}`);
  const file: ValueType<NamedFile> = {
    ...named,
    read(node, compile) {
      const { value: name, problems } = named.read(node, compile);
      return problems === undefined
        ? { value: { name, at: node.at, path: name, content: null } }
        : { problems };
    },
    write: ({ name }) => quotedInYaml(name),
  };
  return listOf(file, `a list of files: ${expected}`);
}

/** A pattern of paths or names, as `pathFilter` takes them. */
export function glob(what: string): ValueType<string> {
  const type = textLike(what);
  return {
    ...type,
    read(node, compile) {
      const reading = type.read(node, compile);
      if (reading.problems !== undefined) return reading;
      try {
        pathFilter([reading.value]);
        return reading;
      } catch (error) {
        // Braces that stand for too many patterns.
        return { problems: [{ at: node.at, message: (error as Error).message }] };
      }
    },
  };
}

/** A regular expression. */
export const pattern: ValueType<Pattern> = {
  expected: 'a regular expression (RE2)',
  schema: { type: ['string', 'number'], minLength: 1, format: 'regex' },
  read(node, compile) {
    if (node.kind !== 'scalar' || node.value === null || node.text === '')
      return mismatch(node, this.expected);
    const value = compile(node.text);
    if (typeof value !== 'string') return { value };
    return mismatch(node, this.expected, `: ${value}`);
  },
  write: ({ source }) => quotedInYaml(source),
};

export const platform: ValueType<Platform> = scalarType<Platform>(
  'a platform such as linux/amd64',
  {
    type: 'string',
    pattern: `^[A-Za-z0-9_.()-]+(/[A-Za-z0-9_.-]+){1,2}$|^(${ARCHITECTURE_NAMES.join('|')})$`,
  },
  parsePlatform,
  formatPlatform,
);

/** A list; one item may stand alone. */
export function listOf<T>(item: ValueType<T>, expected: string): ValueType<readonly T[]> {
  return {
    expected,
    schema: { anyOf: [item.schema, { type: 'array', items: item.schema }] },
    read(node, compile) {
      if (node.kind === 'mapping') return mismatch(node, expected);
      if (node.kind === 'scalar') {
        if (node.value === null) return mismatch(node, expected);
        const one = item.read(node, compile);
        return one.problems === undefined ? { value: [one.value] } : one;
      }
      const read = node.items.map(each => item.read(each, compile));
      const problems = read.flatMap(one => one.problems ?? []);
      return problems.length > 0 ? { problems } : { value: read.map(one => one.value as T) };
    },
    write: values => `[${values.map(value => item.write(value)).join(', ')}]`,
  };
}

/** A list that is not empty: for scopes, where a list that a template left empty would mean everything. */
export function someOf<T>(item: ValueType<T>, expected: string): ValueType<readonly T[]> {
  const list = listOf(item, expected);
  return {
    ...list,
    schema: { anyOf: [item.schema, { type: 'array', items: item.schema, minItems: 1 }] },
    read(node, compile) {
      if (node.kind !== 'sequence' || node.items.length > 0) return list.read(node, compile);
      const message = `expected ${expected} with at least one in it, found an empty list`;
      return { problems: [{ at: node.at, message }] };
    },
  };
}

/** Names with a pattern each; a list of names, or one alone, asks for any value. */
export const namesWithPatterns: ValueType<ReadonlyMap<string, Pattern | null>> = {
  expected: 'names with patterns (name: pattern), or a list of names',
  schema: {
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', items: { type: 'string', minLength: 1 } },
      { type: 'object', additionalProperties: { anyOf: [pattern.schema, { type: 'null' }] } },
    ],
  },
  read(node, compile) {
    if (node.kind !== 'mapping') {
      const names = listOf(textLike('a name'), this.expected).read(node, compile);
      return names.problems === undefined ? { value: new Map(names.value.map(name => [name, null])) } : names;
    }
    const read = node.entries.map(({ key, value }) => {
      const isAny = value.kind === 'scalar' && value.value === null;
      const reading: Reading<Pattern | null> = isAny ? { value: null } : pattern.read(value, compile);
      return { key, reading };
    });
    const problems = read.flatMap(({ reading }) => reading.problems ?? []);
    if (problems.length > 0) return { problems };
    return { value: new Map(read.map(({ key, reading }) => [key, reading.value ?? null])) };
  },
  write: names =>
    `{${[...names].map(([name, value]) => `${quotedInYaml(name)}: ${value === null ? 'null' : quotedInYaml(value.source)}`).join(', ')}}`,
};

/** A port, or a range of ports, with its protocol: tcp where none is said. */
export interface Ports {
  readonly from: number;
  readonly to: number;
  readonly protocol: string;
}

export const ports = scalarType<Ports>(
  'a port such as 8080, 53/udp or 8000-8999/tcp',
  { type: ['string', 'integer'], pattern: '^[0-9]{1,5}(-[0-9]{1,5})?(/(tcp|udp|sctp))?$' },
  parsePorts,
  ({ from, to, protocol }) => `${from}${from === to ? '' : `-${to}`}/${protocol}`,
);

const LAST_PORT = 65535;

/** As an image lists them and as a policy names them; null for what is no port. */
export function parsePorts(text: string): Ports | null {
  const [, first, last = first, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  if (first === undefined) return null;
  const [from, to] = [Number(first), Number(last)];
  return from > 0 && from <= to && to <= LAST_PORT ? { from, to, protocol: protocol.toLowerCase() } : null;
}

/** A text as YAML takes it for that text. */
export function quotedInYaml(text: string): string {
  const isPlain = /^[\w./*][\w./*@+-]*$/.test(text) && !/^([\d.+-]|true$|false$|null$|\*)/i.test(text);
  return isPlain ? text : JSON.stringify(text);
}
