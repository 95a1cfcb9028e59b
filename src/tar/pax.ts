/** Keys to values, as bytes, one per character. */
export type PaxRecords = ReadonlyMap<string, string>;

export const NO_PAX: PaxRecords = new Map();

/**
 * Reads a PAX extended header, record by record: `LENGTH KEY=VALUE\n`, where the length counts the whole record, so
 * that a value may hold newlines. What follows a malformed record is not read.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html ("pax Extended Header")
 * @returns what is wrong with the record that ended it; null where all were read
 */
export function eachPaxRecord(bytes: Uint8Array, take: (key: string, value: string) => void): string | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  for (let at = 0; at < text.length; ) {
    let claimed = 0;
    let start = at;
    for (; start < at + 9; start++) {
      const digit = text.charCodeAt(start) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      claimed = claimed * 10 + digit;
    }
    if (claimed === 0 || text.charCodeAt(start) !== SPACE) return `no length at byte ${at}`;
    start++;
    const end = at + claimed;
    if (end > text.length)
      return `the record at byte ${at} claims ${claimed} bytes, but ${text.length - at} are left`;
    if (text[end - 1] !== '\n') return `the record at byte ${at} does not end where its length says`;
    const equals = text.indexOf('=', start);
    if (equals <= start || equals >= end - 1) return `the record at byte ${at} has no key`;
    take(text.slice(start, equals), text.slice(equals + 1, end - 1));
    at = end;
  }
  return null;
}

const SPACE = 0x20;

/** All records of a PAX extended header that can be read. Of two with one key the later stands. */
export function readPax(bytes: Uint8Array): PaxRecords {
  const records = new Map<string, string>();
  const pieces: string[] = [];
  eachPaxRecord(bytes, (key, value) => {
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') pieces.push(value);
    records.set(key, value);
  });
  // Version 0.0 has a pair of records for each piece of a sparse file, where 0.1 has all of them in one.
  if (pieces.length > 0) records.set('GNU.sparse.map', pieces.join(','));
  return records;
}

/**
 * The sparse file that GNU tar wrote with PAX records: its name and real size; null for any other entry. GNU tar
 * manual, "Storing Sparse Files"; versions 0.0, 0.1 and 1.0, of which the first had no record of its version.
 */
export function paxSparse(
  pax: PaxRecords,
): { readonly name: string | null; readonly size: number | null } | null {
  if (pax.size === 0) return null;
  const major = pax.get('GNU.sparse.major') ?? '';
  const minor = pax.get('GNU.sparse.minor') ?? '';
  const version = `${major}.${minor}`;
  const unversioned = version === '.' && (pax.has('GNU.sparse.map') || pax.has('GNU.sparse.offset'));
  if (!unversioned && !['0.0', '0.1', '1.0'].includes(version)) return null;
  const size = pax.get('GNU.sparse.size') || pax.get('GNU.sparse.realsize');
  return { name: pax.get('GNU.sparse.name') || null, size: paxInteger(size) };
}

/** A decimal integer that 64 bits hold, as Go reads one; null where there is none, or none that is one. */
export function paxInteger(text: string | undefined): number | null {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return null;
  if (text.length < 19) return Number(text);
  const digits = text.replace(/^[+-]?0*/, '');
  const most = text.startsWith('-') ? '9223372036854775808' : '9223372036854775807';
  return digits.length < most.length || (digits.length === most.length && digits <= most)
    ? Number(text)
    : null;
}

const isText = (value: string) => !value.includes('\0');
const isInteger = (value: string) => paxInteger(value) !== null;
const isTime = (value: string) => paxTime(value) !== null;

/** Checks of the values of the keys that Go knows. archive/tar reader.go (mergePAX), strconv.go (validPAXRecord) */
const GO_VALUES: ReadonlyMap<string, (value: string) => boolean> = new Map([
  ...['path', 'linkpath', 'uname', 'gname'].map(key => [key, isText] as const),
  ...['uid', 'gid', 'size'].map(key => [key, isInteger] as const),
  ...['mtime', 'atime', 'ctime'].map(key => [key, isTime] as const),
]);

/** Whether a key is one that Go takes into the header of the entry. */
export const isGoKey = (key: string): boolean => GO_VALUES.has(key);

/** Why Go's archive/tar refuses the whole tar for a record; null where it takes it. */
export function goRecordFault(key: string, value: string): string | null {
  if (key.includes('\0')) return 'a PAX record has a key with a NUL in it';
  if (value === '' || GO_VALUES.get(key)?.(value) !== false) return null;
  return `the PAX record ${key} is ${JSON.stringify(value.slice(0, 40))}`;
}

/**
 * Seconds with a fraction, as whole seconds and the nanoseconds that follow, also before 1970. Digits past nine are
 * cut.
 */
export function paxTime(
  text: string | undefined,
): { readonly seconds: number; readonly nanos: number } | null {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text ?? '');
  if (match === null || paxInteger(match[1]! + match[2]!) === null) return null;
  const [, sign, whole, fraction = ''] = match;
  const nanos = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign !== '-') return { seconds: Number(whole), nanos };
  return nanos === 0
    ? { seconds: -Number(whole) || 0, nanos }
    : { seconds: -Number(whole) - 1, nanos: 1_000_000_000 - nanos };
}
