import type { Json } from '../../spec/json.js';
import { pointer } from '../../spec/json.js';
import type { JsonContext, JsonFault } from '../../spec/json-syntax.js';
import { daysIn, writtenTime } from '../time.js';
import type { GoField, GoStruct, GoType } from './types.js';

/**
 * The release of Go that an engine is built with, as far as its error texts differ: from 1.24 on they name embedded
 * structs, and from 1.27 on encoding/json stands on its second version, which names items too.
 */
export type GoVersion = 'go1.19' | 'go1.24' | 'go1.27';

/** The way to a value, from the inside out. */
export interface FaultPlace {
  readonly at: FaultPlace | null;
  readonly segment: string | number;
  /** Where a struct's field led here: that, by its name, and the struct. */
  readonly field: readonly [name: string, field: GoField] | null;
  readonly of: GoStruct | null;
}

/** Why Go refuses a document that is JSON. */
export interface Fault {
  readonly at: FaultPlace | null;
  /** The type of the struct's field. */
  readonly kind: GoType['kind'];
  /** Go stops here, and says this and not what it found before. */
  readonly fatal: boolean;
  /** The error of a type with its own UnmarshalJSON; null for a value of the wrong type. */
  readonly words: string | null;
  readonly wrong: {
    /** Go's word for the JSON type. */
    readonly actual: string;
    /** The number as the document writes it, where Go puts it into its error. */
    readonly number: string | null;
    readonly of: GoType;
  } | null;
  /** Told by another decoder within, which knows nothing of where it is. */
  readonly inner?: boolean;
}

/** The one that Go tells of several. */
export const toldFault = (faults: readonly Fault[]): Fault | undefined =>
  faults.find(({ fatal }) => fatal) ?? faults[0];

function wayTo(place: FaultPlace | null): FaultPlace[] {
  const way: FaultPlace[] = [];
  for (let at = place; at !== null; at = at.at) way.push(at);
  return way.reverse();
}

export const pointerTo = (place: FaultPlace | null): string =>
  pointer('', ...wayTo(place).map(({ segment }) => segment));

/** @param type  into which the document was decoded */
export function faultWords(fault: Fault, type: GoType, version: GoVersion): string {
  const { at, words, wrong } = fault;
  // From 1.27 on it says of bytes what it says of anything that does not fit.
  if (words !== null && (wrong === null || version !== 'go1.27')) return words;
  if (wrong === null) return '';
  const actual = wrong.number === null ? wrong.actual : `${wrong.actual} ${wrong.number}`;
  const [start, end] = [`json: cannot unmarshal ${actual} into `, ` of type ${wrong.of.name}`];
  const way = wayTo(at);
  const inner = way.findLast(({ of }) => of !== null);
  if (version === 'go1.27') {
    if (way.length === 0 || fault.inner === true) return `${start}Go value${end}`;
    const names = way.map(({ field, segment }) => field?.[0] ?? segment);
    const path = [type.kind === 'struct' ? shortName(type.name) : '', ...names].join('.');
    return `${start}${typeof way.at(-1)!.segment === 'number' ? '' : 'Go struct field '}${path}${end}`;
  }
  if (inner === undefined) return `${start}Go value${end}`;
  const names = way.flatMap(({ field }) => {
    if (field === null) return [];
    return version === 'go1.19' ? [field[0]] : [...field[1].via, field[0]];
  });
  return `${start}Go struct field ${[shortName(inner.of!.name), ...names].join('.')}${end}`;
}

/** Without its package; a struct without a name has none. */
const shortName = (name: string): string =>
  name.startsWith('struct ') ? '' : name.slice(name.lastIndexOf('.') + 1);

/** Go's error for a text that is not JSON. @param bytes  null if it was not read */
export function syntaxWords(
  { kind, at, context }: JsonFault,
  text: string | null,
  mode: 'whole' | 'first',
  version: GoVersion,
): string {
  if (kind === 'empty') return mode === 'whole' ? 'unexpected end of JSON input' : 'EOF';
  if (kind === 'end') {
    if (mode === 'first') return 'unexpected EOF';
    // Go before 1.27 tries a space, which a string may hold, and what is between tokens, but no word, number or escape.
    const isMidWord = version !== 'go1.27' && !['', 'in string literal'].includes(context);
    return isMidWord ? `invalid character ' ' ${context}` : 'unexpected end of JSON input';
  }
  if (text === null) return 'invalid character';
  const character = String.fromCodePoint(text.codePointAt(at)!);
  if (version !== 'go1.27') return `invalid character ${quoted(firstByte(character))} ${context}`;
  if (ESCAPES.has(context)) {
    const sequence = /^\\(?:u[^"]{0,4}|[^"])/.exec(text.slice(text.lastIndexOf('\\', at)))?.[0];
    return `invalid escape sequence \`${sequence}\` in string`;
  }
  return `invalid character ${quoted(character)} ${NEWER.get(context) ?? context}`;
}

const ESCAPES: ReadonlySet<JsonContext> = new Set([
  'in string escape code',
  'in \\u hexadecimal character escape',
]);

/** The contexts for which Go has other words from 1.27 on. */
const NEWER: ReadonlyMap<JsonContext, string> = new Map([
  ['in string literal', 'in string'],
  ['after decimal point in numeric literal', 'in numeric literal'],
  ['in exponent of numeric literal', 'in numeric literal'],
]);

/** Go before 1.27 looks at bytes. */
const firstByte = (character: string): string => String.fromCharCode(Buffer.from(character)[0]!);

function quoted(character: string): string {
  if (character === "'") return `'\\''`;
  const code = character.codePointAt(0)!;
  if (code >= 0x20 && code !== 0x7f && !(code >= 0x80 && code < 0xa1) && code !== 0xfeff)
    return `'${character}'`;
  const short = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r' }[code];
  if (short !== undefined) return `'\\${short}'`;
  return code < 0x80
    ? `'\\x${code.toString(16).padStart(2, '0')}'`
    : `'\\u${code.toString(16).padStart(4, '0')}'`;
}

/** go-containerregistry pkg/v1/hash.go. @returns null for a digest that it takes */
export function hashFault(text: string): string | null {
  const colon = text.indexOf(':');
  if (colon < 0) return `cannot parse hash: ${JSON.stringify(text)}`;
  const [algorithm, hex] = [text.slice(0, colon), text.slice(colon + 1)];
  const odd = /[^0-9a-f]/u.exec(hex)?.[0];
  if (odd !== undefined) return `found non-hex character in hash: ${odd}`;
  if (algorithm !== 'sha256') return `unsupported hash: ${JSON.stringify(algorithm)}`;
  return hex.length === 64 ? null : `wrong number of hex digits for sha256: ${hex}`;
}

const LAYOUT = '2006-01-02T15:04:05Z07:00';

/**
 * time.Time, which takes a little more than RFC 3339: a comma for the point, an hour of one digit, a zone of 24 hours.
 * The beginning of Go's error; the rest quotes the part that it could not read.
 */
export function timeFault(json: Json): string | null {
  if (typeof json !== 'string') return 'Time.UnmarshalJSON: input is not a JSON string';
  const time = writtenTime(json);
  if (time === null) return `parsing time "${json}" as "${LAYOUT}"`;
  const { year, month, day, hour, minute, second, zoneHour, zoneMinute } = time;
  const isMonth = month >= 1 && month <= 12;
  const days = isMonth ? daysIn(year, month) : 31;
  const odd = (
    [
      ['month', isMonth],
      ['hour', hour < 24],
      ['minute', minute < 60],
      ['second', second < 60],
      ['time zone offset hour', zoneHour <= 24],
      ['time zone offset minute', zoneMinute <= 60],
      ['day', day >= 1 && day <= days],
    ] as const
  ).find(([, fits]) => !fits);
  return odd === undefined ? null : `parsing time "${json}": ${odd[0]} out of range`;
}

/**
 * The release of Go that the modelled engines are built with: Docker 28.5.2, podman 5.8.6, skopeo 1.22.0, crane 0.21,
 * umoci 0.6.0.
 */
export const BUILT_WITH = {
  docker: 'go1.24',
  podman: 'go1.27',
  skopeo: 'go1.24',
  crane: 'go1.27',
  umoci: 'go1.24',
} as const satisfies Readonly<Record<string, GoVersion>>;
