import { isObject, type Json, typeName } from '../spec/json.js';
import { LOCK_TYPE, LOCK_VERSION } from './lock.js';
import { DOCKER_ONLY_FIELDS, OCI_FIELDS } from './projection.js';

/** The keywords of JSON Schema that describe a lock: it is published, and the parser reads locks by it. */
export interface Schema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: Json;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly pattern?: string;
}

const text = (description: string): Schema => ({ description, type: 'string' });

/** The only pattern of a lock, in words. */
const A_DIGEST = 'a digest, as sha256: and 64 hexadecimal digits';

const digest = (description: string): Schema => ({
  description,
  type: 'string',
  pattern: '^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$',
});

const list = (description: string, items: Schema): Schema => ({ description, type: 'array', items });

const object = (
  description: string,
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema => ({
  description,
  type: 'object',
  properties,
  required: Object.keys(properties).filter(name => !optional.includes(name)),
  additionalProperties: false,
});

const WORDS = list('Words.', { type: 'string' });

const DOCKER_ONLY: Schema = {
  ...object(
    'The fields that Docker has and OCI has not, as they are written. null: an OCI config without them, from which a conversion may have removed them.',
    { Healthcheck: { type: 'object' }, Shell: WORDS, OnBuild: WORDS, StopTimeout: { type: 'integer' } },
    DOCKER_ONLY_FIELDS,
  ),
  type: ['object', 'null'],
};

const ATTACHED = object('A manifest.', {
  type: text('Its artifactType, or the types of its content.'),
  subject: digest('Of the manifest or index that it is about.'),
  digest: digest('Of its own manifest.'),
});

const IMAGE = object(
  'An image. Every digest is computed from bytes.',
  {
    names: list('As the archives write them.', text('A name.')),
    platform: {
      description: 'os/architecture[/variant]; null where nothing names one.',
      type: ['string', 'null'],
    },
    indexes: list('Digests of the indexes that lead to it.', digest('Of an index.')),
    manifests: list(
      'Digests of its manifests, one for each way in which it was packed.',
      digest('Of a manifest.'),
    ),
    config: { ...digest('Digest of the config; null before image IDs.'), type: ['string', 'null'] },
    runs: digest(
      'Digest of the canonical JSON (RFC 8785) of the OCI fields of the config, empty ones left out.',
    ),
    fields: object(
      'The digest of each of these fields by itself, so that a difference has a name.',
      Object.fromEntries(OCI_FIELDS.map(name => [name, digest(`Of ${name}.`)])),
      OCI_FIELDS,
    ),
    dockerOnly: DOCKER_ONLY,
    diffIds: list('The diff_ids of its layers, base first.', digest('Of an unpacked layer.')),
    files: list('The tree hash of each layer: docs/lock.md.', digest('Of the files of a layer.')),
    attached: list('Manifests that are about it: signatures, attestations, SBOMs.', ATTACHED),
  },
  ['files'],
);

/** docs/lock.schema.json. JSON Schema draft 7. */
export const LOCK_SCHEMA: Schema & { readonly $schema: string; readonly title: string } = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'waybill lock',
  ...object('The images that `waybill verify --lock` expects: docs/lock.md.', {
    type: { description: 'Tells this file from others.', const: LOCK_TYPE },
    schemaVersion: { description: 'Version of the format.', const: LOCK_VERSION },
    images: { ...list('Sorted by name, platform and digests.', IMAGE), minItems: 1 },
  }),
};

/** A place in a document that its schema does not allow. */
export interface SchemaFault {
  /** Keys and indexes from the root. */
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly found: string;
  /** The names of which one may have been meant, where an unknown name stands there. */
  readonly known?: readonly string[];
}

/** The first fault of a value, in the order of the document; null where it has none. */
export function schemaFault(value: Json, schema: Schema, path: SchemaFault['path'] = []): SchemaFault | null {
  const types = [schema.type ?? []].flat();
  if (schema.const !== undefined && value !== schema.const)
    return { path, expected: JSON.stringify(schema.const), found: brief(value) };
  if (types.length > 0 && !types.some(type => isOfType(value, type)))
    return { path, expected: types.map(type => TYPES[type]).join(' or '), found: typeName(value) };
  if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
    return { path, expected: A_DIGEST, found: brief(value) };
  if (Array.isArray(value)) return listFault(value, schema, path);
  return isObject(value) ? objectFault(value, schema, path) : null;
}

function listFault(
  value: readonly Json[],
  { items, minItems = 0 }: Schema,
  path: SchemaFault['path'],
): SchemaFault | null {
  if (value.length < minItems)
    return { path, expected: `at least ${minItems} of them`, found: 'an empty array' };
  for (const [i, item] of value.entries()) {
    const fault = items === undefined ? null : schemaFault(item, items, [...path, i]);
    if (fault !== null) return fault;
  }
  return null;
}

function objectFault(
  value: Readonly<Record<string, Json>>,
  { properties = {}, required = [], additionalProperties }: Schema,
  path: SchemaFault['path'],
): SchemaFault | null {
  for (const [key, item] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key) ? properties[key]! : undefined;
    if (known === undefined && additionalProperties === false) {
      const names = Object.keys(properties);
      const found = `the key ${brief(key)}`;
      return { path: [...path, key], expected: `one of ${names.join(', ')}`, found, known: names };
    }
    const fault = known === undefined ? null : schemaFault(item, known, [...path, key]);
    if (fault !== null) return fault;
  }
  const missing = required.find(key => !Object.hasOwn(value, key));
  return missing === undefined ? null : { path, expected: `the key "${missing}"`, found: 'none' };
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  array: 'an array',
  object: 'an object',
  null: 'null',
  integer: 'a whole number',
};

function isOfType(value: Json, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

const BRIEF = 100;
const brief = (value: Json): string => {
  const shown = JSON.stringify(value);
  return shown.length <= BRIEF ? shown : `${shown.slice(0, BRIEF)}…`;
};
