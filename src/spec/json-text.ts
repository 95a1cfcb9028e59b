import { type Json, pointer } from './json.js';
import { utf8Text } from './utf8.js';

/**
 * Properties of the text of a JSON document that its parsed value lacks: `JSON.parse` keeps only one of two equal keys.
 */
export interface JsonOddities {
  /**
   * Keys that an object has more than once, the first hundred of them, as JSON pointers. RFC 8259 section 4: readers
   * differ.
   */
  readonly duplicates: readonly string[];
  /** All of them. */
  readonly duplicateCount: number;
  /** An escape that names half a character, such as `\ud800` alone: readers keep, replace or refuse it. */
  readonly halfCharacters: boolean;
  /** Numbers that are more than their value, which is a double: see `NumberTexts`. */
  readonly numbers: NumberTexts;
  /** An estimate of the memory of its value, in bytes: `[]` is 2 bytes of text and 40 in memory. */
  readonly weight: number;
}

/**
 * The texts of numbers with a fraction or an exponent, of more than fifteen digits, and of `-0`, for a reader that
 * wants an integer refuses some of these that as doubles are integers (`397.0`). By key and item as they stand in the
 * document, with nothing but the way to them.
 */
export interface NumberTexts extends ReadonlyMap<string | number, string | NumberTexts> {}

export const NO_NUMBERS: NumberTexts = new Map();

export const NO_ODDITIES: JsonOddities = {
  duplicates: [],
  duplicateCount: 0,
  halfCharacters: false,
  numbers: NO_NUMBERS,
  weight: 0,
};

/**
 * Memory of a value in an object or array, and of a key, as measured with V8: a key that no other object has makes a
 * shape.
 */
const VALUE_BYTES = 40;
const KEY_BYTES = 60;
/** Memory of a number whose text is kept, with its share of the path to it. */
const NUMBER_BYTES = 200;

const KEPT = 100;

/** Objects with more keys than this have them in a set: up to here looking through them is quicker. */
const FEW = 16;

const [QUOTE, BACKSLASH, COMMA, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT, MINUS, ZERO, NINE] = [
  ...'"\\,[]{}-09',
].map(character => character.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/** Digits that any double holds. */
const SAFE_DIGITS = 15;

/** An object or array that is open. */
interface Level {
  readonly isObject: boolean;
  /** Where its keys begin among those of all open objects. */
  readonly start: number;
  /** Whether a string that comes now is a key. */
  atKey: boolean;
  /** In an array, the index of the current item. */
  item: number;
  keys: Set<string> | null;
  /** The texts of the numbers in it, at any depth; null where none is kept. */
  numbers: Map<string | number, string | NumberTexts> | null;
}

/**
 * The JSON value in bytes that are a part of a document, such as the payload of an envelope.
 * @returns undefined for bytes that are no JSON, and for JSON that nests deeper than `maxDepth`
 */
export function jsonOf(bytes: Uint8Array, maxDepth: number): Json | undefined {
  const text = utf8Text(bytes);
  if (jsonOddities(text, maxDepth) === null) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/**
 * Looks through a text once, without recursion: every character is passed over once, however it nests. What is no JSON
 * it passes over in some way, for `JSON.parse` to refuse.
 * @returns null where it nests deeper than `maxDepth`
 */
export function jsonOddities(text: string, maxDepth: number): JsonOddities | null {
  const levels: Level[] = [];
  const keys: string[] = [];
  const duplicates: string[] = [];
  let duplicateCount = 0;
  let [halfCharacters, weight] = [false, text.length];
  const roots = new Map<string | number, string | NumberTexts>();
  const mayHaveHalves = /\\u[dD][89a-fA-F]/.test(text);
  let level: Level | undefined;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at + 1);
      if (mayHaveHalves) halfCharacters ||= hasHalfCharacter(text.slice(at + 1, end));
      if (level?.atKey === true) {
        const key = keyOf(text.slice(at + 1, end));
        const isDuplicate = isKnown(level, keys, key);
        if (isDuplicate && ++duplicateCount <= KEPT) duplicates.push(pointerOf(levels, keys, key));
        weight += KEY_BYTES;
        keys.push(key);
        level.keys?.add(key);
        level.atKey = false;
      }
      at = end;
    } else if (code === COMMA) {
      if (level === undefined) continue;
      weight += VALUE_BYTES;
      level.atKey = level.isObject;
      level.item++;
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (levels.length === maxDepth) return null;
      weight += VALUE_BYTES;
      const isObject = code === OPEN_OBJECT;
      level = { isObject, start: keys.length, atKey: isObject, item: 0, keys: null, numbers: null };
      if (levels.length === 0) level.numbers = roots;
      levels.push(level);
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      keys.length = levels.pop()?.start ?? 0;
      level = levels.at(-1);
    } else if ((code >= ZERO && code <= NINE) || code === MINUS) {
      const end = endOfNumber(text, at + 1);
      if (level !== undefined && isOddNumber(text, at, end)) {
        keepNumber(levels, keys, text.slice(at, end));
        weight += NUMBER_BYTES;
      }
      at = end - 1;
    }
  }
  return { duplicates, duplicateCount, halfCharacters, numbers: roots, weight };
}

/** Where a string ends: at a quote that an even number of backslashes stands before. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', end + 1)) {
    let slash = end;
    while (slash > start && text.charCodeAt(slash - 1) === BACKSLASH) slash--;
    if ((end - slash) % 2 === 0) return end;
  }
  return text.length;
}

function endOfNumber(text: string, start: number): number {
  let end = start;
  while (end < text.length && isNumberPart(text.charCodeAt(end))) end++;
  return end;
}

const [PLUS, POINT, SMALL_E, LARGE_E] = [0x2b, 0x2e, 0x65, 0x45];

const isNumberPart = (code: number): boolean =>
  (code >= ZERO && code <= NINE) ||
  code === POINT ||
  code === MINUS ||
  code === PLUS ||
  code === SMALL_E ||
  code === LARGE_E;

function isOddNumber(text: string, start: number, end: number): boolean {
  if (end - start > SAFE_DIGITS) return true;
  const first = text.charCodeAt(start);
  if (first === MINUS && text.charCodeAt(start + 1) === ZERO) return true;
  for (let at = start + 1; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return true;
  }
  return false;
}

/** Every open object and array gets at most one table, so that a number costs the same however deep it stands. */
function keepNumber(levels: readonly Level[], keys: readonly string[], number: string): void {
  let found: string | NumberTexts = number;
  for (let depth = levels.length - 1; depth >= 0; depth--) {
    const level = levels[depth]!;
    const isNew = level.numbers === null || level.numbers.size === 0;
    level.numbers ??= new Map();
    level.numbers.set(placeIn(levels, keys, depth), found);
    if (!isNew) return;
    found = level.numbers;
  }
}

/** The key or item that is open in an open object or array: the last of its keys. */
function placeIn(levels: readonly Level[], keys: readonly string[], depth: number): string | number {
  const { isObject, item } = levels[depth]!;
  return isObject ? keys[(levels[depth + 1]?.start ?? keys.length) - 1]! : item;
}

function isKnown(level: Level, keys: readonly string[], key: string): boolean {
  if (level.keys !== null) return level.keys.has(key);
  if (keys.length - level.start >= FEW) {
    level.keys = new Set(keys.slice(level.start));
    return level.keys.has(key);
  }
  return keys.indexOf(key, level.start) >= 0;
}

/** Two spellings of one key are one key. */
function keyOf(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

/** The last key of each open object is the one whose value is open. */
function pointerOf(levels: readonly Level[], keys: readonly string[], key: string): string {
  const segments = levels.slice(0, -1).map((_, depth) => placeIn(levels, keys, depth));
  return pointer('', ...segments, key);
}

/** A surrogate that no other makes a character of. */
function hasHalfCharacter(raw: string): boolean {
  if (!raw.includes('\\u')) return false;
  const units = raw.replace(/\\(?:u([0-9a-fA-F]{4})|[\s\S])/g, (_, hex?: string) =>
    hex === undefined ? ' ' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return /\p{Surrogate}/u.test(units);
}

/**
 * JSON as Go's encoding/json escapes it by default, so that it may stand in HTML. Outside strings these characters
 * cannot occur. https://pkg.go.dev/encoding/json#HTMLEscape
 */
export const escapedForHtml = (json: string): string =>
  json.replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
