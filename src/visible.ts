/**
 * Characters that could move a cursor, hide or reorder text, or end a line: controls, format characters (bidirectional
 * overrides and isolates, zero-width marks, tags), line and paragraph separators, other invisible characters, lone
 * surrogates and noncharacters. They are shown as escapes and never written as they are.
 * https://www.unicode.org/reports/tr44/#General_Category_Values
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;
/** A fast test: nearly all text is printable ASCII. */
const UNUSUAL = /[^\n -~]/;

/** Escapes hidden characters, so that text from an archive is safe for a terminal. */
export function visible(text: string): string {
  return UNUSUAL.test(text) || text.includes('\n') ? text.replace(HIDDEN, named) : text;
}

/** Text in double quotes, with hidden characters escaped as by `visible`. */
export const quoted = (text: string): string => `"${visible(text.replace(/[\\"]/g, '\\$&'))}"`;

const JSON_ESCAPES: Readonly<Record<string, string>> = { b: '\\u{8}', f: '\\u{c}', r: '\\u{d}' };

/** Escapes the hidden characters of a text that contains JSON strings in the same way as `visible`. */
export const oneSpelling = (text: string): string =>
  text.replace(/\\(?:([bfr\\])|u([0-9a-f]{4}))/g, (whole, letter, code) =>
    code === undefined ? (JSON_ESCAPES[letter] ?? whole) : `\\u{${Number.parseInt(code, 16).toString(16)}}`,
  );

/** Characters of one text that are shown; a hostile one may have megabytes. */
const BRIEF = 8192;

/** Text from an archive for a report: safe for a terminal, and cut at `BRIEF` characters. */
export const legible = (text: string): string =>
  visible(text.length <= BRIEF ? text : `${text.slice(0, BRIEF).replace(/[\ud800-\udbff]$/, '')}…`);

/**
 * Spells hidden characters inside the strings of a JSON text as `\u` escapes, and the characters that would begin a
 * command of a build service.
 */
export function visibleJson(json: string): string {
  const quiet = json.includes('##') ? json.replace(HASHES, '\\u0023') : json;
  if (!UNUSUAL.test(quiet)) return quiet;
  return quiet.replace(HIDDEN, character =>
    character === '\n' ? character : character.replace(/[\s\S]/g, unit => `\\u${hex(unit.charCodeAt(0), 4)}`),
  );
}

/**
 * Matches the beginning of build service commands in a log: `::` at the beginning of a line for GitHub; `##vso[`, `##[`
 * or `##teamcity[` anywhere for Azure Pipelines and TeamCity. Hazard: the name of an image could be such a command.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export const HASHES = /#(?=#(?:vso|teamcity)?\[)/g;
const COLONS = /^([^\S\n]*):(?=:)/gm;

/** Changes lines of output so that build services do not read them as commands. */
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
 * Shows a path from an archive so that two different paths never look the same: a byte that is not UTF-8 becomes
 * `\\xNN`, a backslash becomes two. `pathText` is the inverse.
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

/** Returns the path whose shown form is `shown`: the inverse of `visiblePath`. */
export function pathText(shown: string): string {
  return shown.replace(/\\(?:\\|n|t|x([89a-f][0-9a-f])|u\{([0-9a-f]{1,6})\})/g, (whole, byte, code) => {
    if (byte !== undefined) return String.fromCharCode(0xdc00 + Number.parseInt(byte, 16));
    if (code !== undefined) return codePoint(Number.parseInt(code, 16)) ?? whole;
    return whole === '\\n' ? '\n' : whole === '\\t' ? '\t' : '\\';
  });
}

const codePoint = (code: number) => (code <= 0x10ffff ? String.fromCodePoint(code) : null);
