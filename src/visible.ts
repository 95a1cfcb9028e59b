/**
 * Characters that could move a cursor, hide or reorder text, or end a line: controls, formats (bidirectional overrides and
 * isolates, zero-width marks, tags), separators of lines and paragraphs, whatever else shows as nothing, halves of surrogate
 * pairs, and what is no character at all. They are shown, never sent. https://www.unicode.org/reports/tr44/#General_Category_Values
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;
/** Nearly all text is ASCII, and this is much the faster test. */
const UNUSUAL = /[^\n -~]/;

/** Text from an archive, safe for a terminal. */
export function visible(text: string): string {
  return UNUSUAL.test(text) || text.includes('\n') ? text.replace(HIDDEN, named) : text;
}

/** Text in double quotes, hidden characters spelled as `visible` spells them everywhere. */
export const quoted = (text: string): string => `"${visible(text.replace(/[\\"]/g, '\\$&'))}"`;

const JSON_ESCAPES: Readonly<Record<string, string>> = { b: '\\u{8}', f: '\\u{c}', r: '\\u{d}' };

/** A text with strings of JSON in it, hidden characters spelled as `visible` spells them. */
export const oneSpelling = (text: string): string =>
  text.replace(/\\(?:([bfr\\])|u([0-9a-f]{4}))/g, (whole, letter, code) =>
    code === undefined ? (JSON_ESCAPES[letter] ?? whole) : `\\u{${Number.parseInt(code, 16).toString(16)}}`,
  );

/** What people read of one text; a hostile one has megabytes. */
const BRIEF = 8192;

/** Text from an archive for people: safe for a terminal, and of bounded length. */
export const legible = (text: string): string =>
  visible(text.length <= BRIEF ? text : `${text.slice(0, BRIEF).replace(/[\ud800-\udbff]$/, '')}…`);

/**
 * JSON without the hidden characters that JSON may have in its strings, and without what commands a build service, where it can
 * spell them as numbers.
 */
export function visibleJson(json: string): string {
  const quiet = json.includes('##') ? json.replace(HASHES, '\\u0023') : json;
  if (!UNUSUAL.test(quiet)) return quiet;
  return quiet.replace(HIDDEN, character =>
    character === '\n' ? character : character.replace(/[\s\S]/g, unit => `\\u${hex(unit.charCodeAt(0), 4)}`),
  );
}

/**
 * Build services take some lines of a log for commands to them: GitHub those that begin with `::`, Azure Pipelines and TeamCity
 * those with `##vso[`, `##[` or `##teamcity[` anywhere. An image called so would give them.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export const HASHES = /#(?=#(?:vso|teamcity)?\[)/g;
const COLONS = /^([^\S\n]*):(?=:)/gm;

/** Lines of output that no build service takes for commands. */
export function uncommanding(lines: string): string {
  if (!lines.includes('::') && !lines.includes('##')) return lines;
  return lines.replace(HASHES, '\\u{23}').replace(COLONS, '$1\\u{3a}');
}

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');

function named(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/**
 * A path from an archive, so that two which differ are shown as two: a byte that is not UTF-8 as `\\xNN`, a backslash twice.
 * What `pathText` reads.
 * @param path  as text, with lone surrogates U+DC80 to U+DCFF for such bytes
 */
export function visiblePath(path: string): string {
  if (!ODD_IN_PATH.test(path)) return path;
  return visible(
    path
      .replaceAll('\\', '\\\\')
      .replace(/[\udc80-\udcff]/gu, stray => `\\x${(stray.charCodeAt(0) - 0xdc00).toString(16)}`),
  );
}

const ODD_IN_PATH = /[^ -[\]-~]/;

/** A path as text, from how `visiblePath` shows it. */
export function pathText(shown: string): string {
  return shown.replace(/\\(?:\\|n|t|x([89a-f][0-9a-f])|u\{([0-9a-f]{1,6})\})/g, (whole, byte, code) => {
    if (byte !== undefined) return String.fromCharCode(0xdc00 + Number.parseInt(byte, 16));
    if (code !== undefined) return codePoint(Number.parseInt(code, 16)) ?? whole;
    return whole === '\\n' ? '\n' : whole === '\\t' ? '\t' : '\\';
  });
}

const codePoint = (code: number) => (code <= 0x10ffff ? String.fromCodePoint(code) : null);
