import { visibleJson } from '../visible.js';

/** Elements of a list that are rendered at a time. */
const RUN = 500;
/** Approximate number of characters in one piece. */
const PIECE = 64 * 1024;

/** Renders as JSON. Hidden characters are escaped, because the output may be shown on a terminal. */
export const toJson = (data: unknown): string => [...jsonPieces(data)].join('');

/** Renders as JSON, in pieces: the text of a list of a million files can exceed the maximum length of a string. */
export function* jsonPieces(data: unknown): Generator<string> {
  let piece = '';
  for (const part of partsOf(data, '\n', longIn(data))) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield visibleJson(piece);
    piece = '';
  }
  yield `${visibleJson(piece)}\n`;
}

/** Renders as JSON on one line, for JSON Lines. https://jsonlines.org */
export function* jsonLinePieces(data: unknown): Generator<string> {
  // Strings in JSON contain no line breaks: a line break and the spaces after it are layout.
  for (const piece of jsonPieces(data)) yield piece.replace(/\n */g, '');
  yield '\n';
}

/**
 * The pieces of `JSON.stringify(value, null, 2)`.
 * @param line  a line break with the indent of the surrounding value
 * @param long  the lists and objects that are rendered in pieces
 */
function* partsOf(value: unknown, line: string, long: ReadonlySet<unknown>): Generator<string> {
  const whole = long.has(value) ? null : stringified(value);
  if (whole !== null) {
    yield whole.replaceAll('\n', line);
    return;
  }
  const isList = Array.isArray(value);
  let before = isList ? '[' : '{';
  if (isList && value.length > RUN && !long.has(value[0])) {
    for (let at = 0; at < value.length; at += RUN) {
      const items = value.slice(at, at + RUN);
      const run = stringified(items);
      if (run !== null) yield before + run.slice('['.length, -'\n]'.length).replaceAll('\n', line);
      for (const item of run === null ? items : []) {
        yield `${before}${line}  `;
        yield* partsOf(item ?? null, `${line}  `, long);
        before = ',';
      }
      before = ',';
    }
  } else {
    for (const [key, member] of Object.entries(value as object)) {
      if (member === undefined && !isList) continue;
      yield `${before}${line}  ${isList ? '' : `${JSON.stringify(key)}: `}`;
      yield* partsOf(member ?? null, `${line}  `, long);
      before = ',';
    }
  }
  yield line + (isList ? ']' : '}');
}

/**
 * Characters of one string; a hostile string has more, and occurs in several places. Longer ones are cut and end in
 * `…`.
 */
const TEXT = 1024 * 1024;

/** Returns null if the text would exceed the maximum length of a string, so that it has to be made in pieces. */
function stringified(value: unknown): string | null {
  try {
    const text = JSON.stringify(value, null, 2);
    return text.length <= TEXT ? text : JSON.stringify(value, withinText, 2);
  } catch {
    return null;
  }
}

const withinText = (_: string, value: unknown) =>
  typeof value === 'string' && value.length > TEXT ? `${value.slice(0, TEXT)}…` : value;

/** Maximum number of values in one piece of text. */
const VALUES = 10_000;

/** Returns long lists, objects with very many values, and everything that contains them. Each value is visited once. */
function longIn(data: unknown): ReadonlySet<unknown> {
  const long = new Set<unknown>();
  /** Returns the number of values, including the value itself. */
  const look = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 1;
    let count = 1;
    let isLong = Array.isArray(value) && value.length > RUN;
    for (const member of Object.values(value)) {
      count += look(member);
      isLong ||= long.has(member);
    }
    if (isLong || count > VALUES) long.add(value);
    return count;
  };
  look(data);
  return long;
}
