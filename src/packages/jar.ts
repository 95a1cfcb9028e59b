import { inflateRawSync } from 'node:zlib';
import {
  checkedPackage,
  headerFields,
  type LanguagePackage,
  type LanguageReading,
  licenseLine,
} from './language.js';

/** How much the jars in the jars of a layer may unpack to, in bytes. */
export interface UnpackBudget {
  /** Bytes left for all of them. */
  left: number;
  /** One of them: several are in memory at a time, each in the other. */
  readonly most: number;
}

/** Jars in wars in ears nest three deep. */
const DEEPEST = 4;
/** Bytes of a manifest or a pom.properties that are read; real ones have some hundreds. */
const TEXT_BYTES = 256 * 1024;

interface ZipEntry {
  readonly name: string;
  readonly isEncrypted: boolean;
  readonly method: number;
  readonly storedSize: number;
  /** The offset of its local header. */
  readonly offset: number;
}

const WANTED =
  /^META-INF\/MANIFEST\.MF$|^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$|[^/]\.(?:jar|war|ear)$/i;

/**
 * The packages of a Java archive: those that its Maven metadata state (several where libraries are merged into it),
 * else the one that its manifest or its name tells, and those of the jars in it. A damaged archive gives what can be
 * read.
 * @param name  of the file, which has the version of most libraries
 */
export function jarPackages(bytes: Buffer, name: string, budget: UnpackBudget): LanguageReading {
  const reading = { packages: [] as LanguagePackage[], problems: new Set<string>() };
  readJar(bytes, { name, inside: null, depth: 1 }, budget, reading);
  return { packages: reading.packages, problems: [...reading.problems] };
}

interface Jar {
  readonly name: string;
  readonly inside: string | null;
  readonly depth: number;
}

interface Gathered {
  readonly packages: LanguagePackage[];
  readonly problems: Set<string>;
}

function readJar(bytes: Buffer, jar: Jar, budget: UnpackBudget, gathered: Gathered): void {
  const tell = (reason: string) =>
    gathered.problems.add(jar.inside === null ? reason : `${jar.inside}: ${reason}`);
  const { entries, problem } = zipEntries(bytes);
  if (problem !== null) tell(problem);
  let manifest: Fields = new Map();
  const poms: Fields[] = [];
  for (const entry of entries) {
    const isNested = !entry.name.startsWith('META-INF/maven/') && !/\.MF$/i.test(entry.name);
    if (isNested && jar.depth >= DEEPEST) {
      tell(`jars nest more than ${DEEPEST} deep, and deeper ones were not read`);
      continue;
    }
    const content = contentOf(bytes, entry, isNested ? budget.most : TEXT_BYTES, budget);
    if (typeof content === 'string') tell(`${entry.name}: ${content}`);
    else if (isNested) {
      const inside = jar.inside === null ? entry.name : `${jar.inside}!/${entry.name}`;
      readJar(content, { name: entry.name, inside, depth: jar.depth + 1 }, budget, gathered);
    } else if (/\.MF$/i.test(entry.name)) manifest = new Map(headerFields(content.toString('utf8'), ''));
    else poms.push(propertiesOf(content.toString('latin1')));
  }
  for (const stated of statedBy(jar, manifest, poms)) {
    const { packages, problems } = checkedPackage(stated);
    gathered.packages.push(...packages);
    for (const reason of problems) tell(reason);
  }
}

type Fields = ReadonlyMap<string, string>;

/** `key=value` lines; Maven writes no escapes in these. */
function propertiesOf(text: string): Fields {
  const lines = text.split(/\r?\n/).flatMap(line => {
    const [, key, value] = /^\s*([A-Za-z]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    return key === undefined ? [] : [[key, value!] as const];
  });
  return new Map(lines);
}

function statedBy(jar: Jar, manifest: Fields, poms: readonly Fields[]): LanguagePackage[] {
  const stem = jar.name.replace(/^.*\//, '').replace(/\.[^.]*$/, '');
  const license = licenseLine(manifest.get('bundle-license')?.split(/[;,]/)[0]);
  const stated = poms.flatMap((pom): LanguagePackage[] => {
    const [group, name, version] = ['groupId', 'artifactId', 'version'].map(key => pom.get(key) || null);
    if (name == null) return [];
    const isOwn = poms.length === 1 || stem === name || stem.startsWith(`${name}-`);
    return [
      {
        ecosystem: 'maven',
        group: group ?? null,
        name,
        version: version ?? null,
        license: isOwn ? license : null,
        inside: jar.inside,
      },
    ];
  });
  return stated.length > 0 ? stated : ofManifest(stem, manifest, license, jar.inside);
}

/** A library without Maven's metadata. Its name is that of the file: titles of manifests are written for people. */
function ofManifest(
  stem: string,
  manifest: Fields,
  license: string | null,
  inside: string | null,
): LanguagePackage[] {
  const [, named, numbered] = /^(.+?)-(\d[\w.+-]*)$/.exec(stem) ?? [];
  const symbolic = manifest.get('bundle-symbolicname')?.split(';')[0]?.trim() ?? '';
  const name = named ?? stem;
  const version =
    numbered ??
    manifest.get('implementation-version') ??
    manifest.get('bundle-version') ??
    manifest.get('specification-version');
  if (!version) return [];
  const vendor = manifest.get('implementation-vendor-id')?.trim() ?? '';
  const bundle = symbolic.endsWith(`.${name}`) ? symbolic.slice(0, -name.length - 1) : null;
  const group = /^[\w-]+(?:\.[\w-]+)+$/.test(vendor) ? vendor : bundle;
  return [{ ecosystem: 'maven', group, name, version, license, inside }];
}

/** @returns why the content cannot be read, in place of it */
function contentOf(zip: Buffer, entry: ZipEntry, most: number, budget: UnpackBudget): Buffer | string {
  const { offset, storedSize, method } = entry;
  if (entry.isEncrypted) return 'it is encrypted';
  const isThere = offset + LOCAL_BYTES <= zip.length && zip.readUInt32LE(offset) === LOCAL;
  if (!isThere) return 'its local header is damaged or cut off';
  const start = offset + LOCAL_BYTES + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
  if (start + storedSize > zip.length) return 'it is cut off';
  const stored = zip.subarray(start, start + storedSize);
  // Stored bytes are a part of the jar that is in memory already.
  if (method === 0) return stored;
  if (method !== 8) return `it is compressed by method ${method}, which jars do not use`;
  const room = Math.min(most, budget.left);
  if (room < 1) return SPENT;
  try {
    const content = inflateRawSync(stored, { maxOutputLength: room });
    budget.left -= content.length;
    return content;
  } catch (error) {
    const isTooLong = error instanceof RangeError;
    if (isTooLong) budget.left -= room;
    if (!isTooLong) return 'it cannot be unpacked';
    return room === most ? 'it is longer than is read' : SPENT;
  }
}

const SPENT = 'it was not unpacked: the jars of the layer unpack to more than is read';

const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const LONGEST_COMMENT = 0xffff;
const ZIP64 = 1;
const FULL = 0xffffffff;

/** The entries that tell packages. APPNOTE.TXT 4.3 (zip, zip64) */
function zipEntries(zip: Buffer): { entries: ZipEntry[]; problem: string | null } {
  const directory = directoryOf(zip);
  if (directory === null)
    return { entries: [], problem: 'expected a jar (a zip file), found none, or one that is cut short' };
  const entries: ZipEntry[] = [];
  let at = directory.start;
  for (let i = 0; i < directory.count; i++) {
    const isWhole = at + CENTRAL_BYTES <= zip.length && zip.readUInt32LE(at) === CENTRAL;
    if (!isWhole) return { entries, problem: 'its central directory is damaged' };
    const nameEnd = at + CENTRAL_BYTES + zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + CENTRAL_BYTES, nameEnd);
    if (WANTED.test(name))
      entries.push({
        name,
        isEncrypted: (zip.readUInt16LE(at + 8) & 1) !== 0,
        method: zip.readUInt16LE(at + 10),
        ...placeOf(zip, at, nameEnd, directory.shift),
      });
    at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return { entries, problem: null };
}

/**
 * The size and place of an entry. Values of 32 bits that are full stand in the extra field for zip64, in this order:
 * unpacked size, stored size, offset; those that are not full are left out there. APPNOTE.TXT 4.5.3
 */
function placeOf(
  zip: Buffer,
  at: number,
  extra: number,
  shift: number,
): Pick<ZipEntry, 'storedSize' | 'offset'> {
  const plain = [24, 20, 42].map(field => zip.readUInt32LE(at + field));
  const end = Math.min(zip.length, extra + zip.readUInt16LE(at + 30));
  let field = extra;
  while (field + 4 <= end && zip.readUInt16LE(field) !== ZIP64) field += 4 + zip.readUInt16LE(field + 2);
  let next = field + 4;
  const [, storedSize, offset] = plain.map(value => {
    if (value !== FULL || next + 8 > end) return value;
    next += 8;
    return Number(zip.readBigUInt64LE(next - 8));
  });
  return { storedSize: storedSize!, offset: shift + offset! };
}

/** @returns `shift`: bytes before the zip, as those of a script that starts the jar */
function directoryOf(zip: Buffer): { start: number; count: number; shift: number } | null {
  for (let at = zip.length - END_BYTES; at >= Math.max(0, zip.length - END_BYTES - LONGEST_COMMENT); at--) {
    if (zip.readUInt32LE(at) !== END) continue;
    const large = directory64(zip, at);
    const count = large?.count ?? zip.readUInt16LE(at + 10);
    const bytes = large?.bytes ?? zip.readUInt32LE(at + 12);
    const claimed = large?.start ?? zip.readUInt32LE(at + 16);
    const start = (large?.end ?? at) - bytes;
    if (start < 0) return null;
    return { start, count, shift: Math.max(0, start - claimed) };
  }
  return null;
}

/** The end record of a jar with more than 65,535 entries. Its locator stands before the other end record. */
function directory64(zip: Buffer, end: number) {
  const locator = end - 20;
  if (locator < 0 || zip.readUInt32LE(locator) !== 0x07064b50) return null;
  const at = Number(zip.readBigUInt64LE(locator + 8));
  if (!(at + 56 <= zip.length) || zip.readUInt32LE(at) !== END64) return null;
  const [count, bytes, start] = [32, 40, 48].map(field => Number(zip.readBigUInt64LE(at + field)));
  return { count: count!, bytes: bytes!, start: start!, end: at };
}
