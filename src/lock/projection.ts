import { rfc3339Nano } from '../go/time.js';
import { digestOf } from '../spec/digest.js';
import { foldKey, goField, isObject, type Json, type JsonObject, pointer, typeName } from '../spec/json.js';
import type { NumberTexts } from '../spec/json-text.js';

/**
 * A JSON value in the one form that RFC 8785 gives it: no white space, keys in the order of their UTF-16 code units,
 * numbers and strings as ECMAScript writes them. null for a string with half a character, which section 3.2.2.2
 * refuses.
 */
export function canonicalJson(value: Json): string | null {
  if (typeof value === 'string') return isWellFormed(value) ? JSON.stringify(value) : null;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return joined('[', value.map(canonicalJson), ']');
  // Array.prototype.sort compares strings by their code units.
  const keys = Object.keys(value).sort();
  const members = keys.map(key => {
    const [name, item] = [canonicalJson(key), canonicalJson(value[key]!)];
    return name === null || item === null ? null : `${name}:${item}`;
  });
  return joined('{', members, '}');
}

const joined = (open: string, parts: readonly (string | null)[], close: string): string | null =>
  parts.includes(null) ? null : `${open}${parts.join(',')}${close}`;

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** The digest of a value's canonical JSON; null where it has none. */
export function canonicalDigest(value: Json): string | null {
  const text = canonicalJson(value);
  return text === null ? null : digestOf(text);
}

/** The part of a config that says what an image is and how it runs. */
export interface Projection {
  /** The digest of the canonical JSON of the OCI fields. */
  readonly runs: string;
  /** The digest of each OCI field that is not empty, by its name: `architecture`, `config.Env`. */
  readonly fields: Readonly<Record<string, string>>;
  /** The fields that Docker has and OCI has not, as they are written. */
  readonly dockerOnly: JsonObject;
}

/** A field of a config that engines read differently, or refuse. */
export interface ConfigFault {
  readonly pointer: string;
  readonly expected: string;
  readonly actual: string;
}

/** Normalises the value of a field. undefined where it is empty; notes a fault where its type is another. */
type Reader = (value: Json, at: string, faults: ConfigFault[]) => Json | undefined;

function refuse(faults: ConfigFault[], at: string, expected: string, value: Json): undefined {
  const actual = typeof value === 'string' ? JSON.stringify(value) : typeName(value);
  faults.push({ pointer: at, expected, actual });
  return undefined;
}

const text: Reader = (value, at, faults) =>
  typeof value === 'string' ? value || undefined : refuse(faults, at, 'a string', value);

const flag: Reader = (value, at, faults) =>
  typeof value === 'boolean' ? value || undefined : refuse(faults, at, 'true or false', value);

/** Go writes this for a time that is not set. */
const ZERO_TIME = '0001-01-01T00:00:00Z';

/** Engines write a time as Go does, without zeros at the end of its fraction. */
const time: Reader = (value, at, faults) => {
  const written = typeof value === 'string' ? rfc3339Nano(value) : null;
  if (written === null) return refuse(faults, at, 'a time as in RFC 3339', value);
  return written === ZERO_TIME ? undefined : written;
};

/** The only one that there is; engines refuse others. */
const ROOTFS_TYPE = 'layers';

const rootfsType: Reader = (value, at, faults) =>
  value === '' || value === ROOTFS_TYPE
    ? value || undefined
    : refuse(faults, at, JSON.stringify(ROOTFS_TYPE), value);

const texts: Reader = (value, at, faults) => {
  if (!Array.isArray(value)) return refuse(faults, at, 'an array', value);
  for (const [i, item] of value.entries())
    if (typeof item !== 'string') refuse(faults, pointer(at, i), 'a string', item);
  return value.length === 0 ? undefined : value;
};

/** Docker before 1.3 wrote one string for a list of one. */
const words: Reader = (value, at, faults) =>
  typeof value === 'string' ? (value === '' ? undefined : [value]) : texts(value, at, faults);

const labels: Reader = (value, at, faults) => {
  if (!isObject(value)) return refuse(faults, at, 'an object', value);
  for (const [name, item] of Object.entries(value))
    if (typeof item !== 'string') refuse(faults, pointer(at, name), 'a string', item);
  return Object.keys(value).length === 0 ? undefined : value;
};

/** Go's `map[string]struct{}`: only the keys count. */
const keys: Reader = (value, at, faults) => {
  if (!isObject(value)) return refuse(faults, at, 'an object', value);
  const names = Object.keys(value);
  return names.length === 0 ? undefined : objectOf(names.map(name => [name, {}]));
};

/** Hazard: assigned as a property, `__proto__` would be lost. */
const objectOf = (entries: readonly (readonly [string, Json])[]): JsonObject => Object.fromEntries(entries);

/** An object of which only the fields in the table count. */
const struct =
  (table: Readonly<Record<string, Reader>>, isKept = false): Reader =>
  (value, at, faults) => {
    if (!isObject(value)) return refuse(faults, at, 'an object', value);
    const entries = readFields(value, table, at, faults);
    return entries.length === 0 && !isKept ? undefined : objectOf(entries);
  };

/** Reads the fields of an object as Go finds them, in whatever case; two keys for one field are a fault. */
function readFields(
  value: JsonObject,
  table: Readonly<Record<string, Reader>>,
  at: string,
  faults: ConfigFault[],
): (readonly [string, Json])[] {
  return Object.entries(table).flatMap(([key, reader]) => {
    const spelt = Object.keys(value).filter(name => foldKey(name) === foldKey(key));
    if (spelt.length > 1)
      faults.push({
        pointer: pointer(at, spelt[1]!),
        expected: `one key "${key}"`,
        actual: `${spelt.length}`,
      });
    const item = goField(value, key);
    const read = item === undefined || item === null ? undefined : reader(item, pointer(at, key), faults);
    return read === undefined ? [] : [[key, read] as const];
  });
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties (history) */
const HISTORY = struct(
  { created: time, created_by: text, author: text, comment: text, empty_layer: flag },
  // An entry stands for an instruction, even if it says nothing.
  true,
);

const history: Reader = (value, at, faults) => {
  if (!Array.isArray(value)) return refuse(faults, at, 'an array', value);
  const entries = value.map((item, i) => HISTORY(item ?? {}, pointer(at, i), faults) ?? {});
  return entries.length === 0 ? undefined : entries;
};

const RUN: Readonly<Record<string, Reader>> = {
  User: text,
  ExposedPorts: keys,
  Env: texts,
  Entrypoint: words,
  Cmd: words,
  Volumes: keys,
  WorkingDir: text,
  Labels: labels,
  StopSignal: text,
  ArgsEscaped: flag,
};

/** The fields of an OCI config. https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties */
const FIELDS: Readonly<Record<string, Reader>> = {
  created: time,
  author: text,
  architecture: text,
  variant: text,
  os: text,
  'os.version': text,
  'os.features': texts,
  config: struct(RUN),
  rootfs: struct({ type: rootfsType, diff_ids: texts }),
  history,
};

const isEmpty = (value: Json): boolean =>
  value === null || (typeof value === 'object' && Object.keys(value).length === 0);

/** A field as it is written, where it says anything. */
const verbatim =
  (expected: string, isRight: (value: Json) => boolean): Reader =>
  (value, at, faults) => {
    if (!isRight(value)) return refuse(faults, at, expected, value);
    return isEmpty(value) ? undefined : value;
  };

const isTexts = (value: Json): boolean =>
  Array.isArray(value) && value.every(item => typeof item === 'string');

/** The fields of Docker's config that change how an image runs or is built upon, and that OCI's has not. */
const DOCKER_ONLY: Readonly<Record<string, Reader>> = {
  Healthcheck: verbatim('an object', isObject),
  Shell: verbatim('an array of strings', isTexts),
  OnBuild: verbatim('an array of strings', isTexts),
  StopTimeout: verbatim('a whole number', value => Number.isInteger(value)),
};

export const DOCKER_ONLY_FIELDS: readonly string[] = Object.keys(DOCKER_ONLY);

/** The names of the fields that `Projection.fields` may have. */
export const OCI_FIELDS: readonly string[] = Object.keys(FIELDS).flatMap(name =>
  name === 'config' ? Object.keys(RUN).map(key => `config.${key}`) : [name],
);

/**
 * Projects a config onto what its repackagings keep. Empty fields are left out, as Go leaves them out.
 * @param diffIds  as computed, in place of those that the config claims
 * @param numbers  of the config's document: a number that a double does not hold is a fault
 * @returns the faults, where engines may read the config in different ways
 */
export function projected(
  config: Json,
  diffIds: readonly string[],
  numbers: NumberTexts,
): Projection | { readonly faults: readonly ConfigFault[] } {
  const faults: ConfigFault[] = [];
  if (!isObject(config)) refuse(faults, '', 'an object', config);
  const object = isObject(config) ? config : {};
  const entries = new Map(readFields(object, FIELDS, '', faults));
  const claimed = entries.get('rootfs');
  const rootfs = rootfsOf(diffIds, isObject(claimed) && claimed.type !== undefined);
  if (isEmpty(rootfs)) entries.delete('rootfs');
  else entries.set('rootfs', rootfs);
  const run = goField(object, 'config');
  const dockerOnly = isObject(run) ? objectOf(readFields(run, DOCKER_ONLY, '/config', faults)) : {};
  for (const at of inexact(numbers))
    faults.push({ pointer: at, expected: 'a number that is exact', actual: 'another' });
  const fields = fieldDigests(entries);
  const runs = canonicalDigest(objectOf([...entries]));
  if (runs === null || fields === null || canonicalJson(dockerOnly) === null)
    faults.push({ pointer: '', expected: 'text in Unicode', actual: 'half a character' });
  return faults.length > 0 ? { faults } : { runs: runs!, fields: fields!, dockerOnly };
}

const rootfsOf = (diffIds: readonly string[], hasType: boolean): JsonObject => ({
  ...(hasType && { type: ROOTFS_TYPE }),
  ...(diffIds.length > 0 && { diff_ids: [...diffIds] }),
});

/** The digests that the field `rootfs` may have for some layers. */
export const rootfsDigests = (diffIds: readonly string[]): readonly (string | null)[] =>
  [true, false].map(hasType => canonicalDigest(rootfsOf(diffIds, hasType)));

function fieldDigests(entries: ReadonlyMap<string, Json>): Projection['fields'] | null {
  const flat = [...entries].flatMap(([name, value]) =>
    name === 'config' && isObject(value)
      ? Object.entries(value).map(([key, item]) => [`config.${key}`, item] as const)
      : [[name, value] as const],
  );
  const digests = flat.map(([name, value]) => [name, canonicalDigest(value)] as const);
  if (digests.some(([, digest]) => digest === null)) return null;
  return Object.fromEntries(digests) as Projection['fields'];
}

/** Numbers in the fields that are kept as they are written which a double does not hold. */
function inexact(numbers: NumberTexts): string[] {
  const of = (found: string | NumberTexts, at: string): string[] => {
    if (typeof found !== 'string') return [...found].flatMap(([key, item]) => of(item, pointer(at, key)));
    const value = Number(found);
    return Number.isSafeInteger(value) && String(value) === found ? [] : [at];
  };
  const run = numberBelow(numbers, 'config');
  if (run === undefined || typeof run === 'string') return [];
  return DOCKER_ONLY_FIELDS.flatMap(key => {
    const found = numberBelow(run, key);
    return found === undefined ? [] : of(found, pointer('/config', key));
  });
}

const numberBelow = (numbers: NumberTexts, field: string) =>
  [...numbers].find(([key]) => typeof key === 'string' && foldKey(key) === foldKey(field))?.[1];
