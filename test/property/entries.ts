// Arbitrary layer tars, header by header, as no real writer makes them.
import fc from 'fast-check';
import { gnuLong, paxEntry, type RawHeader, rawEntry, rawTar } from '../support/tar-blocks.js';
import { entryName, nameBytesText } from './texts.js';

/** One entry with the records before it. Plain data, so that a failure can be printed and minimised. */
export interface EntryRecipe {
  readonly name: string;
  readonly flag: string;
  readonly content: string;
  readonly link: string;
  readonly mode: number;
  readonly owner: number;
  readonly mtime: number;
  readonly format: NonNullable<RawHeader['format']>;
  readonly pax: readonly (readonly [string, string])[];
  /** The format of names that are too long for a header. */
  readonly long: 'gnu' | 'pax';
  readonly device: readonly [number, number];
}

const FLAGS = [
  '0',
  '0',
  '0',
  '0',
  '\0',
  '7',
  '5',
  '5',
  '2',
  '2',
  '1',
  '1',
  '3',
  '4',
  '6',
  'S',
  'V',
  'M',
  'Z',
];

const latin1 = (text: string) => Buffer.from(text).toString('latin1');

/** Records that change the meaning of an entry, and some invalid ones. */
const paxRecord: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(fc.constant('path'), entryName),
  fc.tuple(fc.constant('linkpath'), entryName),
  fc.tuple(
    fc.constant('mtime'),
    fc.constantFrom('1.5', '-1.25', '0', '99999999999', '1e3', '', 'x', '1.0000000009'),
  ),
  fc.tuple(fc.constantFrom('uid', 'gid'), fc.constantFrom('0', '70000', '-1', '99999999999999999999', 'x')),
  fc.tuple(
    fc.constantFrom('SCHILY.xattr.user.a', 'SCHILY.xattr.security.capability', 'LIBARCHIVE.xattr.user.b'),
    nameBytesText,
  ),
  fc.tuple(fc.constantFrom('uname', 'gname', 'comment', '__proto__', 'hdrcharset'), nameBytesText),
  fc.constantFrom<readonly [string, string]>(
    ['size', '0'],
    ['size', '1'],
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.size', '4096'],
    ['GNU.sparse.realsize', '100'],
    ['GNU.sparse.numblocks', '1'],
    ['GNU.sparse.map', '0,1'],
    ['GNU.sparse.map', '1,2,3'],
    ['GNU.sparse.name', 'etc/sparse'],
    ['RHT.security.selinux', 'u:r:t'],
  ),
);

export const entryRecipe: fc.Arbitrary<EntryRecipe> = fc.record({
  name: entryName,
  flag: fc.constantFrom(...FLAGS),
  content: fc.oneof(
    fc.constantFrom('', 'a', 'ID=alpine\nVERSION_ID=3.20\n', 'x'.repeat(512), 'y'.repeat(700)),
    fc.string({ maxLength: 40 }).map(latin1),
  ),
  link: fc.oneof(entryName, fc.constantFrom('a', 'etc/a', '../../etc/passwd', '/etc', '')),
  mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o1777, 0o100644, 0),
  owner: fc.constantFrom(0, 1000, 0o7777777),
  mtime: fc.constantFrom(0, 1_700_000_000, 0o77777777777),
  format: fc.constantFrom('ustar', 'gnu', 'v7', 'star'),
  pax: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(paxRecord, { maxLength: 3 }) },
  ),
  long: fc.constantFrom('gnu', 'pax'),
  device: fc.tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 })),
});

const NAME = 100;
/** Types whose size field is the size of a content. */
const HAS_CONTENT = new Set(['0', '\0', '7', 'S', 'Z']);

export function entryBytes(recipe: EntryRecipe): Uint8Array {
  const { name, flag, link, format } = recipe;
  const pax = [...recipe.pax];
  const before: Uint8Array[] = [];
  const long = (key: 'path' | 'linkpath', kind: 'L' | 'K', text: string) => {
    if (text.length <= NAME) return;
    if (recipe.long === 'gnu') before.push(gnuLong(kind, text));
    else pax.unshift([key, text]);
  };
  long('path', 'L', name);
  long('linkpath', 'K', link);
  if (pax.length > 0) before.push(paxEntry(pax));
  const octal = (value: number) => `${value.toString(8).padStart(7, '0')}\0`;
  const header: RawHeader = {
    name: name.slice(0, NAME),
    flag: flag === '\0' ? '' : flag,
    link: '126'.includes(flag) ? link.slice(0, NAME) : '',
    mode: octal(recipe.mode),
    uid: octal(recipe.owner),
    gid: octal(recipe.owner),
    mtime: `${recipe.mtime.toString(8).padStart(11, '0')}\0`,
    format,
    ...(format !== 'v7' && '34'.includes(flag) && { device: recipe.device }),
  };
  return Buffer.concat([...before, rawEntry(header, HAS_CONTENT.has(flag) ? recipe.content : '')]);
}

export const layerEntries: fc.Arbitrary<readonly EntryRecipe[]> = fc.array(entryRecipe, { maxLength: 6 });

export const layerTar = (entries: readonly EntryRecipe[]): Uint8Array =>
  new Uint8Array(rawTar(...entries.map(entryBytes)));
