import type { SourceProblem } from './source.js';
import { type EntryHeader, type EntryRecords, hasPlainPrefix, headerName, textOf } from './tar-entry.js';
import { numericField } from './tar-header.js';

/** What readers of a header believe that disagree. The first is what Go's archive/tar believes, and with it every engine. */
export type Readings = readonly [first: string, second: string];

/**
 * The size field, where a NUL stands before its digits: Go, and in part GNU tar, pass over it, while Python and libarchive
 * read nothing. null where all read the same.
 */
export function sizeReadings(block: Uint8Array, size: number): Readings | null {
  if (block[SIZE] !== 0 && block[SIZE] !== SPACE) return null;
  let at = SIZE;
  while (at < SIZE_END && block[at] === SPACE) at++;
  return size !== 0 && block[at] === 0 ? [String(size), '0'] : null;
}

/**
 * The name, where there is a prefix that not all readers know of: Go believes one of a GNU header that has no times there,
 * GNU tar does not; Python believes one of any header, and of star's all 155 bytes. null where all read the same.
 */
export function nameReadings(block: Uint8Array, { pax, longName }: EntryRecords): Readings | null {
  if (hasPlainPrefix(block) || longName || pax.get('path')) return null;
  const { name, prefix, others } = headerName(block);
  if (prefix === others) return null;
  const whole = (one: string) => (one === '' ? name : `${one}/${name}`);
  return [whole(prefix), whole(others)];
}

const [SIZE, SIZE_END, SPACE] = [124, 136, 0x20];

/** Types of files in a mode (stat(2)), as Go's FileInfo knows them, by which containers/image goes. */
const MODE_TYPES: ReadonlyMap<number, string> = new Map([
  [0o040000, 'a directory'],
  [0o120000, 'a symbolic link'],
  [0o010000, 'a named pipe'],
  [0o060000, 'a block device'],
  [0o020000, 'a character device'],
  [0o140000, 'a socket'],
]);

/** What POSIX names: a file, also by the NUL of old tars, links, devices, directories, pipes. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [0, 'a file'],
  [0x30, 'a file'],
  [0x31, 'a hard link'],
  [0x32, 'a symbolic link'],
  [0x33, 'a character device'],
  [0x34, 'a block device'],
  [0x35, 'a directory'],
  [0x36, 'a named pipe'],
]);

/** Whether every reader knows what a type is. One that is not known is a file to some. */
export const isKnownType = (flag: number): boolean => TYPES.has(flag);

/** Tells of the name and the type of an outer tar's member, where readers disagree about them. */
export function tellReadings(
  block: Uint8Array,
  header: EntryHeader,
  records: EntryRecords,
  path: string,
  report: (problem: SourceProblem) => void,
): void {
  const tell = (field: string, readings: Readings | null) => {
    if (readings !== null) report({ kind: 'ambiguous', path, field, readings: readings.map(textOf) });
  };
  tell('name', nameReadings(block, records));
  tell('type', typeReadings(block, header));
}

function typeReadings(block: Uint8Array, { flag, name }: EntryHeader): Readings | null {
  const type = TYPES.get(flag);
  if (type === undefined) return ['nothing', `a file (type ${JSON.stringify(String.fromCharCode(flag))})`];
  if (type === 'a file' && name.endsWith('/')) return [type, 'a directory, for its name ends in a slash'];
  const mode = MODE_TYPES.get((numericField(block, 100, 108) ?? 0) & 0o170000);
  return mode === undefined || mode === type ? null : [type, `${mode}, by its mode`];
}
