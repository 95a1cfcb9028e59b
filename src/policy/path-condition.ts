import { exactPathFilter } from '../containers/path-filter.js';
import type { EntryType } from '../scan/entries/table.js';
import { didYouMean, nearest } from '../spec/nearest.js';
import type { ImageFile } from './image-files.js';
import type { SourceNode, SourceProblem } from './source.js';
import {
  type CompilePattern,
  choice,
  glob,
  type JsonSchema,
  mismatch,
  type Pattern,
  pattern,
  quotedInYaml,
  type Reading,
  type ValueType,
  whole,
} from './types.js';

/** A path or pattern, and how what is there has to be. Each part that is null may be anything. */
export interface PathCondition {
  /** A pattern; see `pathFilter`. */
  readonly path: string;
  readonly type: EntryType | null;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** The content of a regular file matches it anywhere. */
  readonly content: Pattern | null;
}

const TYPES = ['file', 'directory', 'symlink', 'char', 'block', 'fifo'] as const satisfies EntryType[];

/** `0640`. */
export const modeText = (mode: number): string => mode.toString(8).padStart(4, '0');

/** Octal, as chmod takes it. YAML reads 0640 as a decimal number: the text counts. */
const modeType: ValueType<number> = {
  expected: 'a mode in octal digits such as 0640',
  schema: { type: ['string', 'integer'], pattern: '^(0o)?[0-7]{3,5}$' },
  read(node) {
    const [, digits] =
      node.kind === 'scalar' && node.value !== null ? (/^(?:0o)?([0-7]{3,5})$/.exec(node.text) ?? []) : [];
    const value = digits === undefined ? Number.NaN : Number.parseInt(digits, 8);
    return value <= 0o7777 ? { value } : mismatch(node, this.expected);
  },
  write: mode => JSON.stringify(modeText(mode)),
};

const pathType = glob('a path or pattern such as /etc/shadow');

/** A user or a group. */
const idType = whole(0);

const PARTS = {
  path: pathType,
  type: choice(...TYPES),
  mode: modeType,
  uid: idType,
  gid: idType,
  content: pattern,
} as const satisfies { readonly [K in keyof PathCondition]: ValueType<NonNullable<PathCondition[K]>> };

const ANYTHING: Omit<PathCondition, 'path'> = { type: null, mode: null, uid: null, gid: null, content: null };

const EXPECTED = 'a path, or a mapping with path, type, mode, uid, gid and content';

/** A path by itself, or a mapping of what it has to be. */
export const pathCondition: ValueType<PathCondition> = {
  expected: EXPECTED,
  schema: {
    anyOf: [
      pathType.schema,
      {
        type: 'object',
        properties: Object.fromEntries(
          Object.entries(PARTS).map(([key, { schema }]): [string, JsonSchema] => [key, schema]),
        ),
        required: ['path'],
        additionalProperties: false,
      },
    ],
  },
  read(node, compile) {
    if (node.kind === 'mapping') return readMapping(node, compile);
    if (node.kind === 'sequence') return mismatch(node, EXPECTED);
    const path = pathType.read(node, compile);
    return path.problems === undefined ? { value: { ...ANYTHING, path: path.value } } : path;
  },
  write(condition) {
    const parts = Object.entries(PARTS).flatMap(([key, type]) => {
      const value = condition[key as keyof PathCondition];
      return value === null ? [] : [[key, (type as ValueType<unknown>).write(value)] as const];
    });
    if (parts.length === 1) return quotedInYaml(condition.path);
    return `{${parts.map(([key, text]) => `${key}: ${text}`).join(', ')}}`;
  },
};

function readMapping(
  node: SourceNode & { kind: 'mapping' },
  compile: CompilePattern,
): Reading<PathCondition> {
  const problems: SourceProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const { key, at, value } of node.entries) {
    const type = Object.hasOwn(PARTS, key) ? (PARTS[key as keyof typeof PARTS] as ValueType<unknown>) : null;
    if (type === null) {
      const near = nearest(key, Object.keys(PARTS));
      const hint = near.length > 0 ? didYouMean(near) : `; there are ${Object.keys(PARTS).join(', ')}`;
      problems.push({ at, message: `unknown key ${JSON.stringify(key)} of a path${hint}` });
      continue;
    }
    const reading = type.read(value, compile);
    if (reading.problems === undefined) values[key] = reading.value;
    else problems.push(...reading.problems);
  }
  const isNamed = node.entries.some(({ key }) => key === 'path');
  if (!isNamed) problems.push({ at: node.at, message: 'path is missing' });
  if (problems.length > 0) return { problems };
  return { value: { ...ANYTHING, ...values } as PathCondition };
}

/** Whether anything at the path is meant, whatever it is. */
export const isUnconditional = ({ type, mode, uid, gid, content }: PathCondition): boolean =>
  [type, mode, uid, gid, content].every(part => part === null);

/** The differences between a file and a condition: `mode 0644, expected 0640`. */
export interface Deviation {
  readonly part: 'type' | 'mode' | 'uid' | 'gid' | 'content';
  readonly expected: string;
  readonly found: string;
}

/** The conditions that the file does not meet; `unknown` if the content is needed and was not kept. */
export function deviationsOf(
  file: Pick<ImageFile, 'type' | 'mode' | 'entry' | 'content'>,
  condition: PathCondition,
): readonly Deviation[] | 'unknown' {
  const { type, mode, uid, gid, content } = condition;
  const found: Deviation[] = [];
  if (type !== null && file.type !== type) found.push({ part: 'type', expected: type, found: file.type });
  // The mode of a symbolic link has no meaning.
  if (mode !== null && file.mode !== mode && file.type !== 'symlink')
    found.push({ part: 'mode', expected: modeText(mode), found: modeText(file.mode) });
  for (const [part, wanted] of [['uid', uid] as const, ['gid', gid] as const]) {
    const actual = wanted === null ? null : file.entry[part];
    if (actual !== wanted) found.push({ part, expected: String(wanted), found: String(actual) });
  }
  if (content === null || found.length > 0) return found;
  if (file.type !== 'file') return [{ part: 'content', expected: content.source, found: `a ${file.type}` }];
  const bytes = file.content;
  if (bytes === null) return 'unknown';
  return content.test(textOf(bytes))
    ? []
    : [{ part: 'content', expected: content.source, found: 'other content' }];
}

/** Bytes that are not UTF-8 become U+FFFD, as they are to Go's regular expressions. */
export const textOf = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

export const deviationText = ({ part, expected, found }: Deviation): string =>
  part === 'content' && found === 'other content'
    ? `its content does not match ${expected}`
    : `its ${part} is ${found}, expected ${expected}`;

/**
 * For `needs`: the contents that conditions look at. A path may lead through links, so a file of that name is kept
 * anywhere.
 */
export function keptFor(conditions: readonly PathCondition[]): readonly string[] {
  return conditions.flatMap(({ path, content }) => (content === null ? [] : keptPatterns(path)));
}

/** @param path  a path, or a pattern with a slash */
export function keptPatterns(path: string): readonly string[] {
  const name = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return name === '' || name === '**' || /^[*?]+$/.test(name) ? [path] : [path, name];
}

/** Takes a path, as text, that a condition is about; what lies below it is not meant. */
export const conditionFilter = ({ path }: PathCondition): ((text: string) => boolean) =>
  exactPathFilter([path]);
