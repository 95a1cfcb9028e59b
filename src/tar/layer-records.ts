import type { LimitName, LimitReached } from '../limits.js';
import { type EntryRecords, goHeaderFault, NO_RECORDS, nameOf, textOf } from './entry.js';
import { GNU_NAME_FLAG, isMetadataFlag, PAX_FLAG, PAX_GLOBAL_FLAG } from './header.js';
import { eachPaxRecord, goRecordFault, isGoKey, NO_PAX, type PaxRecords, paxInteger } from './pax.js';
import type { SparseFault } from './sparse.js';

type Readings = readonly [field: AmbiguousField, readings: readonly string[]];

/** The records before an entry of a layer. What they contradict each other in waits for the entry's name. */
export class LayerRecords {
  private pax: PaxRecords = NO_PAX;
  private longName: string | null = null;
  private longTarget: string | null = null;
  private paxHeaders = 0;
  private ambiguous: Readings[] = [];
  private malformed: string[] = [];
  /** Whether there are any. */
  isEmpty = true;

  constructor(private readonly oddities: TarOddities) {}

  get current(): EntryRecords {
    if (this.isEmpty) return NO_RECORDS;
    return { pax: this.pax, longName: this.longName, longTarget: this.longTarget };
  }

  /** Tells of a header for which Go refuses the tar, an entry's or a record's. */
  checkHeader(block: Uint8Array): void {
    const field = goHeaderFault(block);
    if (field === null) return;
    const { longName, pax } = this;
    const path = isMetadataFlag(block[156]!) ? '' : longName || pax.get('path') || nameOf(block);
    this.oddities.isMalformed(`Go does not take the field ${field} of its header`, path);
  }

  take(flag: number, bytes: Uint8Array): void {
    if (flag === PAX_GLOBAL_FLAG) {
      this.takeGlobal(bytes);
      return;
    }
    this.isEmpty = false;
    if (flag === PAX_FLAG) this.takePax(bytes);
    else this.takeGnu(flag, bytes);
  }

  /** Tells of what was odd about the records of an entry, and forgets them. */
  finish(path: string): void {
    if (this.isEmpty) return;
    const { pax, longName, longTarget, oddities } = this;
    const agree = (field: AmbiguousField, gnu: string | null, other: string | undefined) => {
      if (gnu && other && gnu !== other) oddities.isAmbiguous(field, path, [gnu, other]);
    };
    agree('name', longName, pax.get('path'));
    agree('link target', longTarget, pax.get('linkpath'));
    for (const [field, readings] of this.ambiguous) oddities.isAmbiguous(field, path, readings);
    for (const reason of this.malformed) oddities.isMalformed(reason, path);
    if (this.paxHeaders > 1)
      oddities.isAmbiguous('PAX headers', path, [`the last of ${this.paxHeaders}`, 'all of them']);
    this.clear();
  }

  private clear(): void {
    this.pax = NO_PAX;
    this.longName = null;
    this.longTarget = null;
    this.paxHeaders = 0;
    if (this.ambiguous.length > 0) this.ambiguous = [];
    if (this.malformed.length > 0) this.malformed = [];
    this.isEmpty = true;
  }

  private takePax(bytes: Uint8Array): void {
    this.paxHeaders++;
    const records = new Map<string, string>();
    const pieces: string[] = [];
    const wrong = eachPaxRecord(bytes, (key, value) => {
      if (isSparsePiece(key)) pieces.push(value);
      else this.check(key, value, records.get(key));
      records.set(key, value);
    });
    if (wrong !== null) this.malformed.push(wrong);
    // Version 0.0 has a pair of records for each piece of a sparse file, where 0.1 has all of them in one.
    if (pieces.length > 0) records.set('GNU.sparse.map', pieces.join(','));
    this.pax = records;
  }

  private check(key: string, value: string, before: string | undefined): void {
    if (before !== undefined && before !== value)
      this.ambiguous.push(
        FIELDS[key] === undefined
          ? ['PAX records', [`${key}=${value}`, `${key}=${before}`]]
          : [FIELDS[key], [value, before]],
      );
    // A size that is none ends the walk.
    const fault = key === 'size' ? null : goRecordFault(key, value);
    if (fault !== null) this.malformed.push(fault);
  }

  /** A name ends at its first NUL. A reader that uses the whole record, not a C string, sees more. */
  private takeGnu(flag: number, bytes: Uint8Array): void {
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const end = whole.indexOf('\0');
    const text = end < 0 ? whole : whole.slice(0, end);
    const field = flag === GNU_NAME_FLAG ? 'name' : 'link target';
    const before = flag === GNU_NAME_FLAG ? this.longName : this.longTarget;
    if (before !== null && before !== text) this.ambiguous.push([field, [text, before]]);
    if (end >= 0 && /[^\0]/.test(whole.slice(end))) this.ambiguous.push([field, [text, whole]]);
    if (flag === GNU_NAME_FLAG) this.longName = text;
    else this.longTarget = text;
  }

  /**
   * Go, and all engines with it, let global headers describe nothing; others apply them to every entry that follows.
   */
  private takeGlobal(bytes: Uint8Array): void {
    if (!this.isEmpty) {
      // To Go it is an entry, and what stood before it described that.
      this.oddities.isAmbiguous('records before a global PAX header', '', ['none', 'all of them']);
      this.clear();
    }
    const wrong = eachPaxRecord(bytes, (key, value) => {
      if (!isGoKey(key) && !key.startsWith('GNU.sparse.')) return;
      this.oddities.isAmbiguous('global PAX header', '', ['nothing', `${key}=${value}`]);
    });
    if (wrong !== null) this.oddities.isMalformed(wrong, '');
  }
}

const isSparsePiece = (key: string) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes';

const FIELDS: Readonly<Record<string, AmbiguousField>> = Object.assign(Object.create(null), {
  path: 'name',
  linkpath: 'link target',
  size: 'size',
});

/** Whether Go takes a PAX record of a size, without which it reads no further. */
export function isSizeText(text: string): boolean {
  const size = paxInteger(text);
  return size !== null && size >= 0 && Number.isSafeInteger(size);
}

/** A fact that a layer's tar states twice and differently, so that two readers see different layers. */
export interface Ambiguity {
  readonly field: AmbiguousField;
  /** Path of the first entry with it; empty where it is not about an entry. */
  readonly path: string;
  /** The values that readers take: first that of the engines, which all read layers with Go's archive/tar. */
  readonly readings: readonly string[];
  /** How often it was seen. */
  readonly count: number;
}

type AmbiguousField =
  | 'name'
  | 'link target'
  | 'size'
  /** Content of an entry whose type has none for some readers. */
  | 'content'
  | 'PAX records'
  | 'PAX headers'
  | 'global PAX header'
  | 'records before a global PAX header';

/** A record that is not as POSIX wants it, for which Go refuses the whole layer. */
export interface Malformed {
  readonly reason: string;
  readonly path: string;
  readonly count: number;
  /** Go's message, where it differs from that for an invalid header. */
  readonly words?: string;
}

/** Oddities of a tar: the first of each kind and how many there are, so that it takes no memory. */
export class TarOddities {
  private readonly byField = new Map<AmbiguousField, Ambiguity>();
  private readonly limits = new Map<LimitName, LimitReached>();
  malformed: Malformed | null = null;

  /** @param path, readings  bytes, one per character */
  isAmbiguous(field: AmbiguousField, path: string, readings: readonly string[]): void {
    const first = this.byField.get(field) ?? {
      field,
      path: shortened(path),
      readings: readings.map(shortened),
      count: 0,
    };
    this.byField.set(field, { ...first, count: first.count + 1 });
  }

  isMalformed(reason: string, path: string, words?: string): void {
    const first = this.malformed ?? {
      reason: shortened(reason),
      path: shortened(path),
      count: 0,
      ...(words !== undefined && { words }),
    };
    this.malformed = { ...first, count: first.count + 1 };
  }

  isMalformedSparse({ reason, words }: SparseFault, path: string): void {
    this.isMalformed(reason, path, words);
  }

  /** @param seen  how much there was, of which the most is kept; null where it is not counted */
  hasReached(limit: LimitName, value: number, seen: number | null): void {
    const before = this.limits.get(limit)?.seen ?? null;
    const most = before === null || seen === null ? seen : Math.max(before, seen);
    this.limits.set(limit, { limit, value, seen: most });
  }

  get ambiguities(): Ambiguity[] {
    return [...this.byField.values()];
  }

  get reached(): LimitReached[] {
    return [...this.limits.values()];
  }
}

/** A name in a finding need not be one of a megabyte. */
const shortened = (bytes: string) =>
  bytes.length <= 200 ? textOf(bytes) : `${textOf(bytes.slice(0, 200))}…`;
