import type { SourceProblem } from '../containers/source.js';
import { isEnginePath } from '../spec/markers.js';
import { type EntryHeader, type EntryRecords, hasPlainPrefix, headerName, textOf } from './entry.js';
import { GNU_NAME_FLAG, GNU_TARGET_FLAG, numericField, PAX_FLAG, PAX_GLOBAL_FLAG } from './header.js';
import { normalPath } from './path.js';
import { eachPaxRecord, goRecordFault, NO_PAX, type PaxRecords, paxSparse, readPax } from './pax.js';

/** PAX keys that decide what a member is, by what they are for people. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ['path', 'name'],
  ['linkpath', 'link target'],
  ['size', 'size'],
]);

/** Largest record that Go's archive/tar accepts, in bytes: maxSpecialFileSize in its format.go. */
const GO_LARGEST = 1024 * 1024;

/** The header of a record. */
interface RecordHeader {
  readonly flag: number;
  readonly name: string;
  /** Where it is. */
  readonly offset: number;
  /** How many members come before it. */
  readonly before: number;
}

/**
 * The records that stand before a member's header, and everything that they say, also where they contradict themselves.
 */
export class RecordReader {
  private pax: PaxRecords = NO_PAX;
  private paxHeaders = 0;
  private longName: string | null = null;
  private longTarget: string | null = null;
  /** By field. What is believed is at the end of `gnu`, or else of `pax`. */
  private readonly said = new Map<string, { readonly pax: string[]; readonly gnu: string[] }>();

  /** @returns what is wrong with the record */
  take({ flag, name, offset, before }: RecordHeader, bytes: Uint8Array): SourceProblem[] {
    const problem = (code: 'too-large' | 'malformed', reason: string): SourceProblem => {
      return { kind: 'tar-record', path: null, offset, code, reason, before };
    };
    const refused = (reason: string) => problem('malformed', reason);
    const isLarge = bytes.length > GO_LARGEST;
    const tooLarge = isLarge ? [problem('too-large', `it has ${bytes.length} bytes, more than 1 MiB`)] : [];
    if (flag === PAX_FLAG) return [...tooLarge, ...this.takePax(bytes).map(refused)];
    if (flag === PAX_GLOBAL_FLAG)
      return [...tooLarge, ...this.forget(), ...globalProblems(name, bytes, refused)];
    const text = Buffer.from(bytes).toString('latin1').split('\0', 1)[0]!;
    if (flag === GNU_NAME_FLAG) this.longName = text;
    if (flag === GNU_TARGET_FLAG) this.longTarget = text;
    this.about(flag === GNU_NAME_FLAG ? 'name' : 'link target').gnu.push(text);
    return tooLarge;
  }

  get records(): EntryRecords {
    return { pax: this.pax, longName: this.longName, longTarget: this.longTarget };
  }

  /** Whether there is one that describes the member to come. A global PAX header is none, to Go. */
  get describe(): boolean {
    return this.paxHeaders > 0 || this.longName !== null || this.longTarget !== null;
  }

  /** Fields about which readers disagree, because they take the first record, the last, or one of another kind. */
  ambiguities(path: string): SourceProblem[] {
    const problems: SourceProblem[] = [];
    for (const [field, { pax, gnu }] of this.said) {
      const readings = [...new Set([...gnu.reverse(), ...pax.reverse()])].map(textOf);
      if (readings.length > 1) problems.push({ kind: 'ambiguous', path, field, readings });
    }
    if (this.paxHeaders > 1) {
      const readings = [`the last of ${this.paxHeaders}`, 'all of them'];
      problems.push({ kind: 'ambiguous', path, field: 'PAX headers', readings });
    }
    return [...problems, ...this.sparseRecords(path)];
  }

  /** Records of a sparse file before a member that is none to Go; GNU tar takes its name from them all the same. */
  private sparseRecords(path: string): SourceProblem[] {
    if (this.pax.size === 0 || paxSparse(this.pax) !== null) return [];
    return [...this.pax]
      .filter(([key]) => key.startsWith('GNU.sparse.'))
      .map(([key, value]) => ({
        kind: 'ambiguous',
        path,
        field: `PAX ${key}`,
        readings: ['none', textOf(value)],
      }));
  }

  /**
   * To Go a global header is an entry, and what stood before it described that; others let it describe the next member.
   */
  private forget(): SourceProblem[] {
    if (this.said.size === 0 && this.paxHeaders === 0) return [];
    this.pax = NO_PAX;
    this.paxHeaders = 0;
    this.longName = null;
    this.longTarget = null;
    this.said.clear();
    const field = 'records before a global PAX header';
    return [{ kind: 'ambiguous', path: null, field, readings: ['none', 'all of them'] }];
  }

  /** @returns what Go refuses the records for */
  private takePax(bytes: Uint8Array): string[] {
    this.pax = readPax(bytes);
    this.paxHeaders++;
    let fault: string | null = null;
    const malformed = eachPaxRecord(bytes, (key, value) => {
      // A sparse file of version 0.0 has a pair of records for each piece.
      if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') return;
      // A size that is none ends the walk.
      if (key !== 'size') fault ??= goRecordFault(key, value);
      const { pax } = this.about(FIELDS.get(key) ?? key);
      pax.push(value);
    });
    const wrong = malformed ?? fault;
    return wrong === null ? [] : [wrong];
  }

  private about(field: string) {
    const known = this.said.get(field);
    if (known !== undefined) return known;
    const said = { pax: [], gnu: [] };
    this.said.set(field, said);
    return said;
  }
}

/**
 * Go, and all engines with it, let global PAX headers describe nothing; others apply them to every member that follows.
 */
function globalProblems(
  name: string,
  bytes: Uint8Array,
  refused: (reason: string) => SourceProblem,
): SourceProblem[] {
  const problems: SourceProblem[] = [];
  let own = name;
  const reason = eachPaxRecord(bytes, (key, value) => {
    if (key === 'path' && value !== '') own = value;
    if (!FIELDS.has(key) && !key.startsWith('GNU.sparse.')) return;
    const readings = ['none', textOf(value)];
    problems.push({ kind: 'ambiguous', path: null, field: `global PAX ${key}`, readings });
  });
  if (reason !== null) problems.push(refused(reason));
  // To Go it is an entry with a name, and containers/image and crane take what they look for by its name alone.
  const path = normalPath(textOf(own));
  const readings = ['a global PAX header', 'a file'];
  if (isEnginePath(path))
    problems.push({ kind: 'ambiguous', path, field: 'type', readings, code: 'global-header' });
  return problems;
}

/** Two values that readers take from one header. The first is that of Go's archive/tar, and so of every engine. */
export type Readings = readonly [first: string, second: string];

/**
 * The size field, where a NUL stands before its digits: Go, and in part GNU tar, pass over it, while Python and
 * libarchive read nothing. null where all read the same.
 */
export function sizeReadings(block: Uint8Array, size: number): Readings | null {
  if (block[SIZE] !== 0 && block[SIZE] !== SPACE) return null;
  let at = SIZE;
  while (at < SIZE_END && block[at] === SPACE) at++;
  return size !== 0 && block[at] === 0 ? [String(size), '0'] : null;
}

/**
 * The name, where there is a prefix that not all readers know of: Go believes one of a GNU header that has no times
 * there, GNU tar does not; Python believes one of any header, and of star's all 155 bytes. null where all read the
 * same.
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

/** Types that POSIX defines: a file, also by the NUL of old tars, links, devices, directories, pipes. */
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
