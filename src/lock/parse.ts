import { digestOf } from '../spec/digest.js';
import { isObject, type Json, own, typeName } from '../spec/json.js';
import { indexOfValue, jsonFault, jsonFaultText, textPosition } from '../spec/json-syntax.js';
import { jsonOddities } from '../spec/json-text.js';
import { didYouMean, nearest } from '../spec/nearest.js';
import { parseReference } from '../spec/reference.js';
import {
  contentKey,
  LOCK_TYPE,
  LOCK_VERSION,
  type Lock,
  type LockedFile,
  type LockedImage,
  type LockedReference,
} from './lock.js';
import { canonicalJson, rootfsDigests } from './projection.js';
import { LOCK_SCHEMA, type SchemaFault, schemaFault } from './schema.js';

/** Why a text is no lock, and where that stands in it, from 1; null where it is the text as a whole. */
export interface LockFault {
  readonly what: string;
  readonly at: { readonly line: number; readonly column: number } | null;
  readonly remedy: string | null;
}

const MAKE = 'Make one with `waybill lock ARCHIVE -o FILE`.';
const AGAIN = 'Make the lock again with `waybill lock`: what was edited in it cannot be trusted.';

/** A health check is kept as deep as a config may nest. */
const DEEPEST = 2100;

/** Reads a lock of `waybill lock`, a list of `name@sha256:…`, or the output of sha256sum. */
export function parseLock(text: string): Lock | LockFault {
  const start = text.trimStart();
  if (start === '')
    return { what: 'expected a lock, found nothing: the file is empty', at: null, remedy: MAKE };
  return '{["'.includes(start[0]!) ? parseJsonLock(text) : parseLines(text);
}

type FaultAt = (path: SchemaFault['path'], what: string, remedy?: string | null) => LockFault;

function parseJsonLock(text: string): Lock | LockFault {
  const syntax = jsonFault(text);
  if (syntax !== null) {
    const at = textPosition(text, syntax.at);
    const isCut = syntax.kind === 'end';
    const what = `expected a lock in JSON: ${isCut ? 'it is cut short: ' : ''}${jsonFaultText(syntax, at)}`;
    return { what, at, remedy: isCut ? 'Fetch the lock again.' : AGAIN };
  }
  const faultAt: FaultAt = (path, what, remedy = AGAIN) => {
    const place = path.length === 0 ? '' : `${pathText(path)}: `;
    return { what: `${place}${what}`, at: textPosition(text, indexOfValue(text, path)), remedy };
  };
  const oddities = jsonOddities(text, DEEPEST);
  if (oddities === null) return faultAt([], `expected at most ${DEEPEST} levels, found more`);
  const [twice] = oddities.duplicates;
  if (twice !== undefined)
    return faultAt(stepsOf(twice), 'the key stands twice, and readers differ about which counts');
  const value = JSON.parse(text) as Json;
  if (!isObject(value) || own(value, 'type') !== LOCK_TYPE) return notALock(value, faultAt);
  const version = own(value, 'schemaVersion');
  if (typeof version === 'number' && version > LOCK_VERSION)
    return faultAt(
      ['schemaVersion'],
      `a lock of schema version ${version}; this waybill reads version ${LOCK_VERSION}`,
      'Use the waybill that made the lock, or a newer one.',
    );
  return imagesIn(value, faultAt);
}

function imagesIn(value: Json, faultAt: FaultAt): Lock | LockFault {
  const fault = schemaFault(value, LOCK_SCHEMA);
  if (fault !== null) {
    const { path, expected, found, known } = fault;
    const near = known === undefined ? [] : nearest(String(path.at(-1)), known);
    return faultAt(path, `expected ${expected}, found ${found}${didYouMean(near)}`);
  }
  const { images: read } = value as unknown as { readonly images: readonly LockedImage[] };
  const images = read.map(image => ({ ...image, files: image.files ?? null }));
  return contradictionIn(images, faultAt) ?? { format: 'lock', images };
}

function notALock(value: Json, faultAt: FaultAt): LockFault {
  const type = isObject(value) ? own(value, 'type') : undefined;
  const found = !isObject(value) ? typeName(value) : type === undefined ? 'none' : JSON.stringify(type);
  return faultAt(
    type === undefined ? [] : ['type'],
    `not a lock: expected an object with "type": "${LOCK_TYPE}", found ${found}`,
    'Name a file that `waybill lock` wrote; a report, a baseline or a list of bases is none.',
  );
}

/** `images[2].diffIds[0]` */
const pathText = (path: SchemaFault['path']): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');

/** The steps of a JSON pointer. */
const stepsOf = (at: string): (string | number)[] =>
  at
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map(step => (/^\d+$/.test(step) ? Number(step) : step));

/** Statements of one image that cannot both be true: no `waybill lock` writes them. */
function contradictionIn(images: readonly LockedImage[], faultAt: FaultAt): LockFault | null {
  const seen = new Map<string, number>();
  for (const [i, image] of images.entries()) {
    const fault = imageContradiction(image, i, faultAt);
    if (fault !== null) return fault;
    const key = contentKey(image);
    const first = seen.get(key);
    if (first !== undefined)
      return faultAt(['images', i], `the same image as images[${first}], which a lock has once`);
    seen.set(key, i);
  }
  return null;
}

/** The digest of `{}`, for an image without layers and without a `rootfs`. */
const EMPTY_OBJECT = digestOf('{}');

function imageContradiction(image: LockedImage, i: number, faultAt: FaultAt): LockFault | null {
  const { diffIds, fields, files, dockerOnly } = image;
  const at = (step: string) => ['images', i, step];
  if (!rootfsDigests(diffIds).includes(fields.rootfs ?? EMPTY_OBJECT))
    return faultAt(at('diffIds'), 'not the layers of fields.rootfs: one of them was changed');
  if (files !== null && files.length !== diffIds.length)
    return faultAt(
      at('files'),
      `expected ${diffIds.length} of them, one for each diff_id, found ${files.length}`,
    );
  if (dockerOnly !== null && canonicalJson(dockerOnly) === null)
    return faultAt(at('dockerOnly'), 'expected text in Unicode, found half a character');
  return null;
}

const SUM = /^\\?([0-9a-f]+) [ *](.+)$/i;
const BSD_SUM = /^(?:SHA\d+|MD5) \((.+)\) = ([0-9a-f]+)$/i;
const SHA256_DIGITS = 64;
const OTHER_SUMS: ReadonlyMap<number, string> = new Map([
  [32, 'MD5'],
  [40, 'SHA-1'],
  [56, 'SHA-224'],
  [96, 'SHA-384'],
  [128, 'SHA-512'],
]);

const KINDS =
  'A lock is what `waybill lock` writes, the output of sha256sum, or a list of name@sha256:… with one on each line.';

/** One entry on each line; empty lines and lines that begin with `#` are left out. */
function parseLines(text: string): Lock | LockFault {
  const lines = text.split('\n').map((line, i) => ({ line: line.replace(/\r$/, ''), number: i + 1 }));
  const entries = lines.filter(({ line }) => line.trim() !== '' && !line.startsWith('#'));
  const [first] = entries;
  if (first === undefined)
    return { what: 'expected a lock, found only comments and empty lines', at: null, remedy: MAKE };
  const isSums = SUM.test(first.line) || BSD_SUM.test(first.line);
  const sums: LockedFile[] = [];
  const references: LockedReference[] = [];
  for (const { line, number } of entries) {
    const entry = isSums ? sumIn(line) : referenceIn(line);
    if (typeof entry === 'string') return { what: entry, at: { line: number, column: 1 }, remedy: KINDS };
    if ('file' in entry) sums.push(entry);
    else references.push(entry);
  }
  return isSums ? { format: 'sums', sums } : { format: 'references', references };
}

/** @returns why it is none, in place of the entry */
function sumIn(line: string): LockedFile | string {
  const [, sum, name] = SUM.exec(line) ?? [];
  const [, bsdName, bsdSum] = BSD_SUM.exec(line) ?? [];
  const [hex, written] = [sum ?? bsdSum, name ?? bsdName];
  if (hex === undefined || written === undefined)
    return `expected a line of sha256sum, 64 hexadecimal digits and a file, found ${brief(line)}`;
  if (hex.length !== SHA256_DIGITS) {
    const other = OTHER_SUMS.get(hex.length);
    return `expected a SHA-256 of 64 digits, found ${hex.length}${other === undefined ? '' : `, as ${other} has`}`;
  }
  // sha256sum marks a line whose file name has a backslash or a line feed by a backslash in front.
  const file = line.startsWith('\\')
    ? written.replace(/\\([\\nr])/g, (_, code: string) => (code === 'n' ? '\n' : code === 'r' ? '\r' : '\\'))
    : written;
  return { file, digest: `sha256:${hex.toLowerCase()}` };
}

/** @returns why it is none, in place of the entry */
function referenceIn(line: string): LockedReference | string {
  const text = line.trim();
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return { name: '', digest: text };
  const reference = /^\S+@sha256:[0-9a-f]{64}$/.test(text) ? parseReference(text) : 'no digest';
  if (typeof reference === 'string' || reference.digest === null)
    return `expected name@sha256: and 64 hexadecimal digits, found ${brief(text)}`;
  return { name: text.slice(0, text.lastIndexOf('@')), digest: reference.digest };
}

const LINE = 80;
const brief = (line: string): string =>
  JSON.stringify(line.length <= LINE ? line : `${line.slice(0, LINE)}…`);
