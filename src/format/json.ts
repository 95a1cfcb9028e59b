import { visibleJson } from '../visible.js';

/** Elements of a list that are rendered at once. */
const RUN = 500;
/** Characters of a piece, or few more. */
const PIECE = 64 * 1024;

/** Renders as JSON. Hidden characters are escaped in it too: it may be read on a terminal before any program reads it. */
export const toJson = (data: unknown): string => [...jsonPieces(data)].join('');

/** The same in pieces: a list of a million files is longer than a string may be. */
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

/** The same on one line, for a file of many: https://jsonlines.org */
export function* jsonLinePieces(data: unknown): Generator<string> {
  // Text in JSON has no line breaks: what stands before and behind one is the layout.
  for (const piece of jsonPieces(data)) yield piece.replace(/\n */g, '');
  yield '\n';
}

/**
 * What `JSON.stringify(value, null, 2)` gives, long lists in runs.
 * @param line  a new line, with the indent of what the value is in
 * @param long  what is taken apart
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

/** Characters of one text; a hostile one has more, and stands in several places. What is cut ends in `…`. */
const TEXT = 1024 * 1024;

/** null where it is longer than a string may be, and has to be taken apart. */
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

/** Values in one piece of text, at the most. */
const VALUES = 10_000;

/** Long lists, what holds very many values, and all that these are in: each is looked at once, however deep it lies. */
function longIn(data: unknown): ReadonlySet<unknown> {
  const long = new Set<unknown>();
  /** Returns the number of values, itself included. */
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
