import { UsageError } from './errors.js';

/**
 * Every cap on what an archive may make us hold or do, with its reason. Everything in an archive is hostile; a cap that
 * is hit becomes the finding `limit-reached`, which names the limit, and the rest of the archive is still reported.
 */
export interface Limits {
  /** Largest JSON document that is read into memory, in bytes. containerd's own cap on an archive's JSON is 20 MiB. */
  readonly documentBytes: number;
  /** All JSON documents that are kept, in bytes of memory and about: 60 for each key, 40 for each value, and their text. */
  readonly keptDocumentBytes: number;
  /** How deep a JSON document may nest. Honest ones nest ten deep; JSON.stringify overflows the stack at some 4000. */
  readonly documentDepth: number;
  /** How deep indexes may nest. Real ones nest twice; a cycle is cut by its digest before this is reached. */
  readonly indexDepth: number;
  /** How many images, manifests and indexes are looked at in all. Ten thousand is ten times the largest release seen. */
  readonly manifests: number;
  /**
   * Entries of all indexes and layers of all images together, each as often as something lists it: links let a thousand
   * manifests be one file of a hundred thousand layers. Ten thousand images have as many.
   */
  readonly descriptors: number;
  /**
   * Names of all images and indexes together, each as often as a document gives it. A mirror of a registry has some ten thousand.
   */
  readonly names: number;
  /**
   * JSON documents that several images share, in bytes, each time but the first: links let a thousand images have one config
   * of 20 MiB. Real ones share some kilobytes.
   */
  readonly linkedBytes: number;
  /**
   * Members of the outer archive, where 32 bytes of a path count as one. A saved image has a few hundred, a mirror of a registry
   * some ten thousand.
   */
  readonly members: number;
  /** Length of a path and of a link's target, of members and of layers' entries, in bytes. Linux takes none beyond 4096. */
  readonly pathBytes: number;
  /** PAX or GNU long-name record of the outer archive, in bytes; tar-stream's own cap. */
  readonly tarMetadataBytes: number;
  /** PAX or GNU record inside a layer, in bytes. Go's archive/tar, with which engines read layers, refuses more. */
  readonly paxBytes: number;
  /** Bytes after the end marker that are looked at for anything but zeros. */
  readonly trailingBytes: number;
  /** A blob may unpack to this many bytes with any ratio. */
  readonly unpackedFree: number;
  /** Beyond `unpackedFree`, a blob that unpacks to more than this many times its size is taken for a bomb. */
  readonly unpackedRatio: number;
  /** What one compressed layer may unpack to whatever its stored size, in bytes. No registry takes larger layers. */
  readonly layerBytes: number;
  /** What all compressed layers of an archive may unpack to, in bytes: some ten minutes' work at 1 GiB/s and two cores. */
  readonly archiveBytes: number;
  /** Entries kept of a layer, where they are kept: ten times the most that a layer seen had, in some 100 MB of memory. */
  readonly layerEntries: number;
  /** Names, link targets and extended attributes kept of a layer's entries, in bytes: 64 for each of a million. */
  readonly layerEntryBytes: number;
  /** Entries kept of all layers of an archive. */
  readonly archiveEntries: number;
  /** Entries of one image, each as often as it lists the layer, where 64 bytes of names count as one. */
  readonly imageEntries: number;
  /** Content kept of one layer's files, where a command wants to look into them, in bytes. An rpm database has 100 MB. */
  readonly keptContentBytes: number;
  /** Findings kept per code; the rest is counted in the last one. */
  readonly findingsPerCode: number;
  /** How long the content of an archive may take to read, in seconds; 0 for as long as it takes. */
  readonly seconds: number;
}

export type LimitName = keyof Limits;

/** How much of the machine reading an archive may use. An archive cannot raise it. */
export interface Resources {
  /** Those that differ from `defaultLimits`. */
  readonly limits?: Partial<Limits> | undefined;
  /** How many threads work at a time, from 1. By default as many as there are cores to use. */
  readonly jobs?: number | undefined;
  /** Budget for buffers and workers, in bytes. By default a share of the memory there is to use. */
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
  findingsPerCode: 100,
  seconds: 0,
};

/**
 * How far a limit can be raised: beyond it our own code would overflow its stack, or the language a string or a buffer.
 * Any other can be as large as a number can be counted.
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
};

/** The lowest values. Hazard: a limit of no findings at all would hide the faults of an archive. */
export const limitFloors: Partial<Limits> = { findingsPerCode: 1 };

export const isLimitName = (name: string): name is LimitName => Object.hasOwn(defaultLimits, name);

/** The highest value that a limit can have. */
export const ceilingOf = (name: LimitName): number => limitCeilings[name] ?? Number.MAX_SAFE_INTEGER;

/** Limits on what is held of an archive, and made of it. */
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
];

/**
 * Limits on what is held, lower where there is less memory than the defaults may take.
 * @param given  which stay as they are
 * @param share  of that memory
 */
export function lowered(given: Partial<Limits>, share: number): Limits {
  const limits = limitsOf(given);
  if (!(share < 1)) return limits;
  const lower = HELD.filter(name => given[name] === undefined);
  return { ...limits, ...Object.fromEntries(lower.map(name => [name, Math.floor(limits[name] * share)])) };
}

/** A zip may hold ten thousand archives, which together may hold and unpack to no more than one. */
export function sharedAmong(limits: Limits, parts: number): Limits {
  if (parts < 2) return limits;
  const shared = [...HELD, 'unpackedFree'] as const;
  return { ...limits, ...Object.fromEntries(shared.map(name => [name, Math.ceil(limits[name] / parts)])) };
}

/**
 * What a file of any size may list and make, and for how many of its bytes one more: what is small can list one layer a hundred
 * thousand times, and each time is a row of a report.
 */
const BY_SIZE = [
  ['descriptors', 32_768, 64],
  ['archiveEntries', 1_000_000, 32],
  ['imageEntries', 1_000_000, 32],
] as const;

/** @param given  which stay as they are */
export function forSize(limits: Limits, given: Partial<Limits>, size: number): Limits {
  const lower = BY_SIZE.filter(([name]) => given[name] === undefined).map(([name, least, bytes]) => [
    name,
    Math.min(limits[name], Math.floor(least + size / bytes)),
  ]);
  return { ...limits, ...Object.fromEntries(lower) };
}

/** A limit that was hit. */
export interface LimitReached {
  readonly limit: LimitName;
  readonly value: number;
  /** How much there was, or how much had passed when the work was ended; null where it was not counted. */
  readonly seen?: number | null;
  /** What the limit would have to be for this to be no question of it, where that can be told. */
  readonly enough?: number;
  /** Given where the limit was hit by the file itself, as its outer compression was undone, and not by a blob in it. */
  readonly outer?: true;
}

/** No deflate stream unpacks to more times its size: 258 bytes cost two bits. RFC 1951 */
export const DEFLATE_RATIO = 1032;

/** The work that a limit prevented. `seen` is null where it was not counted. */
const UNDONE: { readonly [N in LimitName]: (seen: string | null) => string } = {
  documentBytes: seen => `the document has ${seen ?? 'more'} and was not read`,
  keptDocumentBytes: () => 'the documents before it were kept, and this one was not read',
  documentDepth: () => 'the document nests deeper and was not read',
  indexDepth: () => 'deeper levels of this index were not read',
  manifests: () => 'the images, manifests and indexes from here on were not read',
  linkedBytes: () => 'several images share this document, and it was not read for this one',
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
  layerEntries: () => 'the layer has more entries, which are not listed',
  layerEntryBytes: () => 'the names in the layer are longer, and the other entries are not listed',
  archiveEntries: () => 'the layers have more entries, which are not listed',
  imageEntries: () => 'the layers of the image have more entries, which are not applied',
  keptContentBytes: () => 'the files to search are larger, and some were not searched',
  findingsPerCode: () => 'more findings are counted, not listed',
  seconds: () => 'the rest was not read',
};

const ENDINGS: readonly (readonly [string, number])[] = [
  ['Gi', GiB],
  ['Mi', MiB],
  ['Ki', 1024],
];

/** The same of a whole archive, which counts as one blob. */
const OUTER_UNDONE: Partial<typeof UNDONE> = {
  unpackedRatio: seen =>
    `the archive unpacks to ${seen === null ? 'more' : `at least ${seen}`} and was unpacked no further`,
  archiveBytes: () => 'the archive unpacks to more and was unpacked no further',
};

/** What a limit is, what it kept from being done, and the flag that allows more. */
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

/** As the flag takes it, and no less than asked for. */
function flagValue(limit: LimitName, value: number): string {
  const [ending, factor] = (isBytes(limit) && ENDINGS.find(([, size]) => value >= 10 * size)) || ['', 1];
  return `${Math.ceil(value / factor)}${ending}`;
}

/**
 * All limits, those that are given and the defaults of the others.
 * @throws UsageError for a name that is no limit's, and for a value that none can have
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
      throw new UsageError(`${name}: expected a whole number from ${floor} to ${ceiling}, found ${value}`);
  }
  return { ...defaultLimits, ...Object.fromEntries(known) };
}
