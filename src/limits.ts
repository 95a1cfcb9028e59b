import { UsageError, valueText } from './errors.js';

/**
 * Caps on the memory and work that one archive may cost, each with its reason. An archive is untrusted input. A cap
 * that is reached becomes the finding `limit-reached`, which names the limit; the rest of the archive is still
 * reported.
 */
export interface Limits {
  /**
   * Size of the largest JSON document that is read into memory, in bytes. containerd's own cap on an archive's JSON is
   * 20 MiB.
   */
  readonly documentBytes: number;
  /**
   * Memory for all JSON documents that are kept, in bytes, estimated as 60 for each key, 40 for each value, and their
   * text.
   */
  readonly keptDocumentBytes: number;
  /** Nesting depth of a JSON document. Real ones nest ten deep; JSON.stringify overflows the stack at some 4000. */
  readonly documentDepth: number;
  /** Nesting depth of indexes. Real ones nest twice. Cycles are detected by digest before this is reached. */
  readonly indexDepth: number;
  /** Images, manifests and indexes that are read in all. Ten thousand is ten times the largest release seen. */
  readonly manifests: number;
  /**
   * Entries of all indexes and layers of all images together, each counted as often as it is listed: with links, a
   * thousand manifests can be one file that lists a hundred thousand layers. Ten thousand real images have as many.
   */
  readonly descriptors: number;
  /**
   * Names of all images and indexes together, each counted as often as a document gives it. A mirror of a registry has
   * some ten thousand.
   */
  readonly names: number;
  /**
   * Bytes of JSON documents that several images or signatures share, counted each time but the first: with links, a
   * thousand images can have one config of 20 MiB. Real images share some kilobytes.
   */
  readonly linkedBytes: number;
  /**
   * Members of the outer archive; every 32 bytes of a path count as another one. A saved image has a few hundred, a
   * mirror of a registry some ten thousand.
   */
  readonly members: number;
  /**
   * Length of a path and of a link target, in bytes, for members and for entries of layers. Linux accepts up to 4096.
   */
  readonly pathBytes: number;
  /** Size of a PAX or GNU long-name record of the outer archive, in bytes; the same as tar-stream's cap. */
  readonly tarMetadataBytes: number;
  /** Size of a PAX or GNU record inside a layer, in bytes. Go's archive/tar, which engines use, refuses larger ones. */
  readonly paxBytes: number;
  /** Bytes after the end marker that are searched for anything but zeros. */
  readonly trailingBytes: number;
  /** Bytes that a blob may unpack to at any ratio. */
  readonly unpackedFree: number;
  /**
   * A blob that unpacks to more than `unpackedFree` bytes and more than this many times its size is treated as a
   * decompression bomb.
   */
  readonly unpackedRatio: number;
  /** Bytes that one compressed layer may unpack to, at any stored size. No registry accepts larger layers. */
  readonly layerBytes: number;
  /** Bytes that all compressed layers of an archive may unpack to: some ten minutes of work at 1 GiB/s on two cores. */
  readonly archiveBytes: number;
  /**
   * Entries that are kept for one layer, if entries are kept: ten times the largest layer seen, in some 100 MB of
   * memory.
   */
  readonly layerEntries: number;
  /**
   * Bytes of names, link targets and extended attributes that are kept for one layer's entries: 64 for each of a
   * million.
   */
  readonly layerEntryBytes: number;
  /** Entries that are kept for all layers of an archive. */
  readonly archiveEntries: number;
  /**
   * Entries of one image, counted each time the image lists the layer; every 64 bytes of names count as another one.
   */
  readonly imageEntries: number;
  /** Bytes of file contents that are kept for one layer, for commands that read files. An rpm database has 100 MB. */
  readonly keptContentBytes: number;
  /** Bytes of one file, from its start, that are searched for secrets. Logs and dumps of databases can be large. */
  readonly secretFileBytes: number;
  /** Secrets that are kept of one layer's files. A file with more than 100 counts with the first 100. */
  readonly layerSecrets: number;
  /** Signatures of one archive that are read and verified. A release has a few for each image. */
  readonly signatures: number;
  /**
   * Bytes of one file that states packages of a language. Such a file is in memory while it is read; the largest are
   * jars with all libraries of an application.
   */
  readonly packageFileBytes: number;
  /** Findings that are kept for each code; the last one has the number of the others. */
  readonly findingsPerCode: number;
  /** Seconds that reading the content of an archive may take; 0 for no limit. */
  readonly seconds: number;
}

export type LimitName = keyof Limits;

/** How much of the machine reading an archive may use. Nothing in an archive can raise it. */
export interface Resources {
  /** Limits that differ from `defaultLimits`. */
  readonly limits?: Partial<Limits> | undefined;
  /** Number of threads that work at a time, at least 1. Default: the number of available cores. */
  readonly jobs?: number | undefined;
  /** Memory for buffers and workers, in bytes. Default: a share of the available memory. */
  readonly memory?: number | undefined;
}

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

export const defaultLimits: Limits = {
  documentBytes: 20 * MiB,
  keptDocumentBytes: 256 * MiB,
  documentDepth: 1000,
  indexDepth: 20,
  manifests: 10_000,
  descriptors: 200_000,
  names: 100_000,
  linkedBytes: 64 * MiB,
  members: 250_000,
  pathBytes: 4096,
  tarMetadataBytes: 4 * MiB,
  paxBytes: 1 * MiB,
  trailingBytes: 64 * MiB,
  unpackedFree: 1 * GiB,
  unpackedRatio: 200,
  layerBytes: 256 * GiB,
  archiveBytes: 1024 * GiB,
  layerEntries: 1_000_000,
  layerEntryBytes: 64 * MiB,
  archiveEntries: 5_000_000,
  imageEntries: 5_000_000,
  keptContentBytes: 256 * MiB,
  secretFileBytes: 64 * MiB,
  layerSecrets: 10_000,
  signatures: 1000,
  packageFileBytes: 256 * MiB,
  findingsPerCode: 100,
  seconds: 0,
};

/**
 * The highest value of some limits: beyond it, our own code would overflow its stack, or a string or buffer would
 * exceed the language's maximum. Any other limit can be as large as `Number.MAX_SAFE_INTEGER`.
 */
export const limitCeilings: Partial<Limits> = {
  documentBytes: 256 * MiB,
  keptDocumentBytes: 4 * GiB,
  documentDepth: 2000,
  indexDepth: 500,
  tarMetadataBytes: 256 * MiB,
  paxBytes: 256 * MiB,
  layerEntries: 64_000_000,
  layerEntryBytes: 2 * GiB,
  keptContentBytes: 2 * GiB,
  secretFileBytes: 1024 * MiB,
  packageFileBytes: 2 * GiB,
};

/** The lowest value of some limits. Hazard: a limit of 0 findings would hide the faults of an archive. */
export const limitFloors: Partial<Limits> = { findingsPerCode: 1 };

export const isLimitName = (name: string): name is LimitName => Object.hasOwn(defaultLimits, name);

/** The highest value that a limit accepts. */
export const ceilingOf = (name: LimitName): number => limitCeilings[name] ?? Number.MAX_SAFE_INTEGER;

/** Limits on what is held in memory for an archive, or computed from it. */
const HELD: readonly LimitName[] = [
  'members',
  'manifests',
  'descriptors',
  'names',
  'keptDocumentBytes',
  'linkedBytes',
  'layerEntries',
  'layerEntryBytes',
  'archiveEntries',
  'imageEntries',
  'keptContentBytes',
  'packageFileBytes',
];

/**
 * Lowers the limits on what is held in memory, if less memory is available than the defaults may take.
 * @param given  limits that the caller set; these are not changed
 * @param share  available memory, as a fraction of what the defaults may take
 */
export function lowered(given: Partial<Limits>, share: number): Limits {
  const limits = limitsOf(given);
  if (!(share < 1)) return limits;
  const lower = HELD.filter(name => given[name] === undefined);
  return { ...limits, ...Object.fromEntries(lower.map(name => [name, Math.floor(limits[name] * share)])) };
}

/**
 * Divides the limits among the archives in one zip: a zip may hold ten thousand archives, which together may use as
 * much as one archive.
 */
export function sharedAmong(limits: Limits, parts: number): Limits {
  if (parts < 2) return limits;
  const shared = [...HELD, 'unpackedFree'] as const;
  return { ...limits, ...Object.fromEntries(shared.map(name => [name, Math.ceil(limits[name] / parts)])) };
}

/**
 * Limits that depend on the size of the file: the amount for a file of any size, and the number of bytes that each
 * allow one more. Hazard: a small file can list one layer a hundred thousand times, and each becomes a row of a report.
 */
const BY_SIZE = [
  ['descriptors', 32_768, 64],
  ['archiveEntries', 1_000_000, 32],
  ['imageEntries', 1_000_000, 32],
] as const;

/**
 * Lowers the limits that depend on the size of the file.
 * @param given  limits that the caller set; these are not changed
 */
export function forSize(limits: Limits, given: Partial<Limits>, size: number): Limits {
  const lower = BY_SIZE.filter(([name]) => given[name] === undefined).map(([name, least, bytes]) => [
    name,
    Math.min(limits[name], Math.floor(least + size / bytes)),
  ]);
  return { ...limits, ...Object.fromEntries(lower) };
}

/** A limit that was reached. */
export interface LimitReached {
  readonly limit: LimitName;
  readonly value: number;
  /** The amount that was found, or that had been processed when the work stopped; null if it was not counted. */
  readonly seen?: number | null;
  /** The lowest value of the limit that would have been enough, if it is known. */
  readonly enough?: number;
  /** Present if the file's own outer compression reached the limit, not a blob in it. */
  readonly outer?: true;
}

/** The maximum ratio of a deflate stream: 258 bytes cost two bits. RFC 1951 */
export const DEFLATE_RATIO = 1032;

/** The work that was not done because of a limit. `seen` is null if it was not counted. */
const UNDONE: { readonly [N in LimitName]: (seen: string | null) => string } = {
  documentBytes: seen => `the document has ${seen ?? 'more'} and was not read`,
  keptDocumentBytes: () => 'the documents before it were kept, and this one was not read',
  documentDepth: () => 'the document nests deeper and was not read',
  indexDepth: () => 'deeper levels of this index were not read',
  manifests: () => 'the images, manifests and indexes from here on were not read',
  linkedBytes: () => 'several images or signatures share this document, and it was not read for this one',
  descriptors: () => 'the layers or manifests that this document lists were not read',
  names: () => 'the names that this document gives were not read',
  members: () => 'the members of the archive from here on were not read',
  pathBytes: seen => `a path has ${seen ?? 'more'}, and its member was not read`,
  tarMetadataBytes: seen => `a record of the archive has ${seen ?? 'more'} and was not read`,
  paxBytes: seen => `a record in the layer has ${seen ?? 'more'} and was not read`,
  trailingBytes: () => 'more data after the end of the archive was not read',
  unpackedFree: () => 'the blob was unpacked no further',
  unpackedRatio: seen =>
    `the blob unpacks to ${seen === null ? 'more' : `at least ${seen}`} and was unpacked no further`,
  layerBytes: seen =>
    `the layer unpacks to ${seen === null ? 'more' : `at least ${seen}`} and was unpacked no further`,
  archiveBytes: () => 'the layers unpack to more and were unpacked no further',
  layerEntries: () => 'the layer has more entries, which are not listed or compared',
  layerEntryBytes: () => 'the names in the layer are longer, and the other entries are not listed',
  archiveEntries: () => 'the layers have more entries, which are not listed',
  imageEntries: () => 'the layers of the image have more entries, which are not applied',
  keptContentBytes: () => 'the files to search are larger, and some were not searched',
  secretFileBytes: () => 'not all of the layer was searched for secrets',
  layerSecrets: () => 'the layer has more secrets, which are not listed',
  signatures: seen =>
    `the archive has ${seen ?? 'more'} signatures, and those beyond the limit were not read`,
  packageFileBytes: () => 'the packages in larger files are not listed',
  findingsPerCode: () => 'more findings are counted, not listed',
  seconds: () => 'the rest was not read',
};

const ENDINGS: readonly (readonly [string, number])[] = [
  ['Gi', GiB],
  ['Mi', MiB],
  ['Ki', 1024],
];

/** The same for the file as a whole, which counts as one blob. */
const OUTER_UNDONE: Partial<typeof UNDONE> = {
  unpackedRatio: seen =>
    `the archive unpacks to ${seen === null ? 'more' : `at least ${seen}`} and was unpacked no further`,
  archiveBytes: () => 'the archive unpacks to more and was unpacked no further',
};

/** A sentence about a limit: its value, what was not done, and the flag that raises it. */
export function limitText({ limit, value, seen = null, enough, outer }: LimitReached): string {
  const words = (outer && OUTER_UNDONE[limit]) ?? UNDONE[limit];
  const undone = words(seen === null ? null : amountOf(limit, seen));
  const more = Math.min(ceilingOf(limit), enough ?? Math.max(2 * value, seen ?? 0, 1));
  const flag = more > value ? ` (--limit ${limit}=${flagValue(limit, more)} allows more)` : '';
  return `${undone}: the limit ${limit} is ${amountOf(limit, value)}${flag}`;
}

const isBytes = (limit: LimitName) => limit.endsWith('Bytes') || limit === 'unpackedFree';

function amountOf(limit: LimitName, amount: number): string {
  if (limit === 'seconds') return `${amount} s`;
  if (limit === 'unpackedRatio') return `${amount} times its size`;
  if (!isBytes(limit)) return String(amount);
  const [ending, factor] = ENDINGS.find(([, size]) => amount >= size) ?? ['', 1];
  return ending === '' ? `${amount} bytes` : `${Math.round((amount / factor) * 10) / 10} ${ending}B`;
}

/** The value to give to the flag: in the flag's syntax, and not less than `value`. */
function flagValue(limit: LimitName, value: number): string {
  const [ending, factor] = (isBytes(limit) && ENDINGS.find(([, size]) => value >= 10 * size)) || ['', 1];
  return `${Math.ceil(value / factor)}${ending}`;
}

/**
 * All limits: the given ones, and the defaults of the others.
 * @throws UsageError for an unknown limit and for a value out of range
 */
export function limitsOf(given: Partial<Limits> = {}): Limits {
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of known) {
    if (!isLimitName(name))
      throw new UsageError(
        `no limit ${JSON.stringify(name)}; there are ${Object.keys(defaultLimits).join(', ')}`,
      );
    const ceiling = ceilingOf(name);
    const floor = limitFloors[name] ?? 0;
    if (!Number.isSafeInteger(value) || value < floor || value > ceiling)
      throw new UsageError(
        `${name}: expected a whole number from ${floor} to ${ceiling}, found ${valueText(value)}`,
      );
  }
  return { ...defaultLimits, ...Object.fromEntries(known) };
}
