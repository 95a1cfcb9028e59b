// The help as it is printed, and what the man page is made of: options with the names of their values.
import { grouped } from './command-words.js';

/** The names of values of options in the help. `FILE` and `DIR` are completed by the shell. */
const VALUES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    FILE: 'against base baseline cache-key dive-ci dockerfile files-from key list lock policy resume structure-test trusted-root output',
    DIR: 'cache layers notation-trust-store root',
    'OS/ARCH': 'platform',
    '=OS/ARCH': 'require-complete',
    REF: 'ref',
    TIME: 'timeout archive-timeout',
    SIZE: 'cache-size memory',
    N: 'jobs top depth',
    'NAME=VALUE': 'limit',
    'K/N': 'shard',
    LAYER: 'in',
    DIGEST: 'find',
    PATTERN: 'name where files',
    FILTER: 'filter',
    STAGE: 'target',
    NAME: 'preset',
    KINDS: 'ignore',
    TYPE: 'type kind export',
    IDENTITY: 'certificate-identity',
    ISSUER: 'certificate-oidc-issuer',
    REGEXP: 'certificate-identity-regexp certificate-oidc-issuer-regexp',
    RELEASE: 'docker',
    VERSION: 'api os-version',
    OS: 'os',
    ARCH: 'arch',
    VARIANT: 'variant',
    FEATURE: 'os-features',
    SEVERITY: 'fail-on',
    GRADE: 'grade',
    STORE: 'store',
    FORMAT: 'format',
    WORD: 'by score sort',
  }).flatMap(([value, names]) => names.split(' ').map(name => [name, value])),
);

/** The name of an option's value; null for an option that has no such name. */
export const valueName = (option: string): string | null => VALUES.get(option) ?? null;

/** `--format` takes a template where it has no choices, and `--output` not everywhere a format. */
function valueIn(option: string, value: string, description: string): string {
  if (option === 'format' && !description.includes('[choices:')) return 'TEMPLATE';
  return option === 'output' && description.includes('FORMAT=FILE') ? '[FORMAT=]FILE' : value;
}

/** Types, and the values of options that are not given, which a reader can do without. */
const KNOWN = /\s*\[(?:boolean|string|array|required|default: (?:\[\]|false))\]/g;

/** An entry of the help: what is named, and its description; null for another line. */
function entryOf(line: string): readonly [name: string, description: string] | null {
  if (!line.startsWith('  ')) return null;
  const [name = '', ...rest] = line.trim().split(/\s{2,}/);
  const text = rest.join(' ');
  const option = /--([a-z-]+)$/.exec(name)?.[1];
  const description = text.replace(KNOWN, '').trim();
  const value = option === undefined || text.includes('[boolean]') ? null : valueName(option);
  if (value === null) return [name, description];
  const shown = valueIn(option!, value, text);
  return [`${name}${shown.startsWith('=') ? `[${shown}]` : ` ${shown}`}`, description];
}

/** The help of yargs that was not wrapped: every entry is a line, with two spaces before its description. */
export const named = (help: string): string =>
  help
    .split('\n')
    .map(line => entryOf(line)?.join('  ').replace(/^/, '  ').trimEnd() ?? line)
    .join('\n');

/** A narrower column would be hard to read. */
const LEAST = 24;

const WIDEST = 100;

/**
 * Lays out the help of yargs that was not wrapped, with the commands in groups.
 * @param width  of the terminal; null for none
 */
export function helpPage(help: string, width: number | null): string {
  const columns = Math.min(WIDEST, width ?? WIDEST);
  const sections = grouped(help).split('\n\n');
  return sections.map(section => laidOutSection(section.split('\n'), columns)).join('\n\n');
}

function laidOutSection(lines: readonly string[], columns: number): string {
  const entries = lines.map(line => entryOf(line));
  const hasShort = entries.some(entry => entry !== null && /^-\w, /.test(entry[0]));
  const names = entries.map(entry => (entry === null ? '' : shifted(entry[0], hasShort)));
  const width = Math.max(0, ...names.map(({ length }) => length).filter(length => length <= columns / 2));
  const indent = ' '.repeat(Math.max(2, Math.min(width + 4, columns - LEAST)));
  return lines
    .flatMap((line, i) => {
      const entry = entries[i];
      if (entry === null || entry === undefined) return wrapped(line, columns);
      const head = `  ${names[i]!}`;
      const [first = '', ...more] = wrapped(entry[1], columns - indent.length);
      const rest = more.map(text => indent + text);
      if (first === '') return [head];
      return head.length + 2 > indent.length
        ? [head, indent + first, ...rest]
        : [head.padEnd(indent.length) + first, ...rest];
    })
    .join('\n');
}

/** Long names stand below each other where some options have a short one before. */
const shifted = (name: string, hasShort: boolean): string =>
  hasShort && name.startsWith('--') ? `    ${name}` : name;

function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
