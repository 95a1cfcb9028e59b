// Tars of layers in every dialect of real writers, with arbitrary entries.
import fc from 'fast-check';
import { gnuLong, paxEntry, type RawHeader, rawEntry } from '../support/tar-blocks.js';

/** One entry with the records before it. Strings are bytes, one per character. */
export interface Recipe {
  readonly name: string;
  readonly flag: string;
  readonly content: string;
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  /** A fraction of a second, as in PAX. */
  readonly fraction: string;
  readonly format: NonNullable<RawHeader['format']>;
  /** The format of names and numbers that do not fit into a header. */
  readonly records: 'gnu' | 'pax';
  /** Write records even for values that fit. */
  readonly always: boolean;
  readonly xattrs: readonly (readonly [name: string, value: string])[];
  readonly device: readonly [major: number, minor: number];
  /** The format of octal numbers: the number of leading blanks, and the terminator. */
  readonly octal: { readonly blanks: number; readonly end: string };
  readonly comment: string | null;
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1');

const segment = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-zA-Z0-9_+~-][a-zA-Z0-9_ .+~-]{0,30}$/) },
  fc.constantFrom('grüße', '日本語', 'a\nb', '.hidden', '..data', '...', ' ', 'a\\b').map(latin1),
  fc.stringMatching(/^[\x80-\xff]{1,8}$/),
  fc.stringMatching(/^[a-z]{90,140}$/),
);
const path = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 9 }), fc.constantFrom('', '', './', '/'))
  .map(([segments, lead]) => lead + segments.join('/'));
const FLAGS = ['0', '0', '0', '0', '', '7', '5', '5', '2', '2', '1', '3', '4', '6', 'Z'];
/** The largest number in octal digits of a field of 8 bytes. */
const OCTAL_8 = 8 ** 7 - 1;

export const recipe: fc.Arbitrary<Recipe> = fc.record({
  name: path,
  flag: fc.constantFrom(...FLAGS),
  content: fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    fc.integer({ min: 0, max: 3000 }).map(length => 'x'.repeat(length)),
    fc.constantFrom(0, 511, 512, 513, 1024).map(length => '\0'.repeat(length)),
  ),
  link: path,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.oneof(fc.integer({ min: 0, max: OCTAL_8 }), fc.integer({ min: OCTAL_8, max: 2 ** 31 - 1 })),
  gid: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: OCTAL_8, max: 2 ** 31 - 1 })),
  mtime: fc.oneof(fc.integer({ min: 0, max: 2 ** 33 - 1 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
  fraction: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, fc.stringMatching(/^\.[0-9]{1,11}$/)),
  format: fc.constantFrom('ustar', 'gnu', 'v7', 'star'),
  records: fc.constantFrom('gnu', 'pax'),
  always: fc.boolean(),
  xattrs: fc.uniqueArray(
    fc.tuple(
      fc.constantFrom('user.a', 'security.capability', 'user.with space'),
      fc.oneof(fc.constantFrom('a=b', 'a\nb\n', ''), fc.stringMatching(/^[ -~]{1,20}$/)),
    ),
    { maxLength: 2, selector: ([name]) => name },
  ),
  device: fc.tuple(fc.integer({ min: 0, max: 4095 }), fc.integer({ min: 0, max: 1_048_575 })),
  octal: fc.record({ blanks: fc.integer({ min: 0, max: 2 }), end: fc.constantFrom('\0', ' ', ' \0') }),
  comment: fc.option(fc.stringMatching(/^[ -~]{0,40}$/), { freq: 8 }),
});

/** The blocks of an entry: its header, and records for the values that do not fit. */
export function blocksOf(one: Recipe): Buffer {
  const name = one.flag === '5' ? `${one.name}/` : one.name;
  const isLink = one.flag === '1' || one.flag === '2';
  const [before, pax]: [Buffer[], [string, string][]] = [[], []];
  const hasContent = ['0', '', '7', 'Z'].includes(one.flag);
  const tell = (key: string, flag: 'L' | 'K', text: string) => {
    if (one.records === 'pax') pax.push([key, text]);
    else before.push(gnuLong(flag, text));
  };
  const split = splitName(one, name);
  if (split === null || one.always) tell('path', 'L', name);
  if (isLink && (one.link.length > 100 || one.always)) tell('linkpath', 'K', one.link);
  const number = (key: 'uid' | 'gid' | 'mtime', length: number) => {
    const value = one[key];
    const inPax = one.records === 'pax' && (one.always || (key === 'mtime' && one.fraction !== ''));
    const fits = value >= 0 && value < 8 ** (length - 1);
    if (inPax || (!fits && one.records === 'pax'))
      pax.push([key, value + (key === 'mtime' ? one.fraction : '')]);
    // A header field that cannot hold its value is 0, as in Go and GNU tar.
    return fits
      ? octal(value, length, one.octal)
      : one.records === 'pax'
        ? octal(0, length, one.octal)
        : base256(value, length);
  };
  const header: RawHeader = {
    name: split?.name ?? name.slice(0, 100),
    prefix: split?.prefix ?? '',
    flag: one.flag,
    format: one.format,
    mode: octal(one.mode, 8, one.octal),
    uid: number('uid', 8),
    gid: number('gid', 8),
    mtime: number('mtime', 12),
    link: isLink ? one.link.slice(0, 100) : '',
    ...((one.flag === '3' || one.flag === '4') && one.format !== 'v7' && { device: one.device }),
  };
  for (const [key, value] of one.xattrs) pax.push([`SCHILY.xattr.${key}`, value]);
  if (one.comment !== null) before.unshift(paxEntry([['comment', one.comment]], 'g'));
  if (pax.length > 0) before.push(paxEntry(pax));
  return Buffer.concat([...before, rawEntry(header, hasContent ? one.content : '')]);
}

/** A name as header fields; null if it does not fit. */
function splitName({ format }: Recipe, name: string): { name: string; prefix: string } | null {
  if (name.length <= 100) return { name, prefix: '' };
  const most = format === 'ustar' ? 155 : format === 'star' ? 131 : 0;
  for (let at = name.indexOf('/', 1); at > 0 && at <= most; at = name.indexOf('/', at + 1)) {
    const rest = name.slice(at + 1);
    if (rest.length <= 100 && rest !== '') return { name: rest, prefix: name.slice(0, at) };
  }
  return null;
}

function octal(value: number, length: number, { blanks, end }: Recipe['octal']): string {
  const digits = value.toString(8);
  const room = length - end.length;
  if (digits.length > room) return digits.padStart(length - 1, '0');
  return digits.padStart(Math.max(digits.length, room - blanks), '0').padStart(room, ' ') + end;
}

/** Two's complement, with the top bit set. */
export function base256(value: number, length: number): string {
  const bytes = Buffer.alloc(length);
  const wrapped = BigInt.asUintN(8 * length, BigInt(value));
  for (let i = 0; i < length; i++) bytes[i] = Number((wrapped >> BigInt(8 * (length - 1 - i))) & 0xffn);
  bytes[0]! |= 0x80;
  return bytes.toString('latin1');
}

/** The end of a tar: regular, with more zeros, or missing. */
export const ending = fc.constantFrom(1024, 1024, 10_240, 512, 0).map(length => Buffer.alloc(length));
