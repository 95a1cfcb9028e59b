/** Keys to values, as bytes, one per character. */
export type PaxRecords = ReadonlyMap<string, string>;

export const NO_PAX: PaxRecords = new Map();

/**
 * Reads a PAX extended header: `LENGTH KEY=VALUE\n`, where the length counts the whole record, so that a value may hold
 * newlines. Of two records with one key the later stands; what follows a malformed record is not read.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html ("pax Extended Header")
 */
export function readPax(bytes: Uint8Array): PaxRecords {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const records = new Map<string, string>();
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const length = /\d{1,9} /y;
    length.lastIndex = at;
    const claimed = Number(length.exec(text)?.[0] ?? 0);
    const end = at + claimed;
    const equals = text.indexOf('=', length.lastIndex);
    if (claimed === 0 || end > text.length || text[end - 1] !== '\n') break;
    if (equals <= length.lastIndex || equals >= end - 1) break;
    const key = text.slice(length.lastIndex, equals);
    const value = text.slice(equals + 1, end - 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') pieces.push(value);
    records.set(key, value);
    at = end;
  }
  // Version 0.0 has a pair of records for each piece of a sparse file, where 0.1 has all of them in one.
  if (pieces.length > 0) records.set('GNU.sparse.map', pieces.join(','));
  return records;
}

/**
 * The sparse file that GNU tar wrote with PAX records: its name and real size; null for any other entry. GNU tar manual,
 * "Storing Sparse Files"; versions 0.0, 0.1 and 1.0, of which the first had no record of its version.
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

/** A decimal integer; null where there is none, or none that is one. */
export function paxInteger(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,19}$/.test(text) ? Number(text) : null;
}

/** Seconds with a fraction, as whole seconds and the nanoseconds that follow, also before 1970. Digits past nine are cut. */
export function paxTime(
  text: string | undefined,
): { readonly seconds: number; readonly nanos: number } | null {
  const match = /^(-?)(\d{1,19})(?:\.(\d*))?$/.exec(text ?? '');
  if (match === null) return null;
  const [, sign, whole, fraction = ''] = match;
  const nanos = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds: Number(whole), nanos };
  return nanos === 0
    ? { seconds: -Number(whole) || 0, nanos }
    : { seconds: -Number(whole) - 1, nanos: 1_000_000_000 - nanos };
}
