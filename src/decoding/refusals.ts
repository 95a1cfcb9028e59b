import type { Fault } from '../go/json/faults.js';
import { pointerTo } from '../go/json/faults.js';
import type { GoType } from '../go/json/types.js';
import type { Document } from '../scan/blob/document.js';
import { type FieldProblem, isObject, type Json, typeName } from '../spec/json.js';

import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../spec/media-types.js';
import { tolerant } from './go-json.js';
import {
  CONTAINERD_ITEMS,
  CRANE_CONFIG,
  CRANE_ITEMS,
  GUESS,
  MOBY_IMAGE,
  MOBY_ITEMS,
  MOBY_REPOSITORIES,
  MOBY_V1_IMAGE,
  OCI_IMAGE,
  OCI_INDEX_TYPE,
  OCI_MANIFEST_TYPE,
  SCHEMA2,
  SCHEMA2_IMAGE,
  SCHEMA2_LIST,
  TARFILE_ITEMS,
} from './structs.js';

/** The use of a document in an engine. Other engines read a config where manifest.json names it. */
export type Role =
  | 'index'
  | 'manifest'
  | 'config'
  | 'manifest.json'
  | 'manifest.json-config'
  | 'repositories'
  | 'v1-json';

type Reader = readonly [engines: readonly string[], type: GoType];

const READERS: Readonly<Record<Role, readonly Reader[]>> = {
  index: [
    [['docker', 'podman', 'skopeo', 'crane'], OCI_INDEX_TYPE],
    [['podman', 'skopeo'], SCHEMA2_LIST],
  ],
  manifest: [
    [['docker', 'podman', 'skopeo', 'crane'], OCI_MANIFEST_TYPE],
    [['podman', 'skopeo'], SCHEMA2],
  ],
  config: [
    [['docker', 'podman'], OCI_IMAGE],
    [['skopeo'], SCHEMA2_IMAGE],
  ],
  'manifest.json': [
    [['docker'], MOBY_ITEMS],
    [['docker'], CONTAINERD_ITEMS],
    [['podman', 'skopeo'], TARFILE_ITEMS],
    [['crane'], CRANE_ITEMS],
  ],
  'manifest.json-config': [
    [['docker'], MOBY_IMAGE],
    [['podman'], OCI_IMAGE],
    [['podman', 'skopeo'], SCHEMA2_IMAGE],
    [['crane'], CRANE_CONFIG],
  ],
  repositories: [[['docker'], MOBY_REPOSITORIES]],
  'v1-json': [[['docker'], MOBY_V1_IMAGE]],
};

/** Most faults that are reported of one document: every engine stops at the first. */
const TOLD = 100;

/**
 * The values for which engines refuse a document, because Go's encoding/json cannot put them into their structs.
 * Digests that crane alone refuses are left out: their form and algorithm are judged where they are used.
 */
export function refusals(document: Document, role: Role): FieldProblem[] {
  const { value } = document;
  if (value === undefined || value === null) return [];
  const found = new Map<string, FieldProblem & { readonly engines: string[] }>();
  for (const [engines, type] of readersOf(role, value)) {
    for (const fault of tolerant(document, type).faults) {
      const problem = problemOf(fault, value);
      if (problem === null) continue;
      const known = found.get(problem.pointer);
      const names = engines.filter(engine => known?.engines.includes(engine) !== true);
      if (known !== undefined) known.engines.push(...names);
      else if (found.size < TOLD) found.set(problem.pointer, { ...problem, engines: names });
    }
  }
  return [...found.values(), ...(role === 'manifest' ? unknownManifest(document) : [])];
}

/** An index is decoded by its media type, a manifest into one struct by some and another by others. */
function readersOf(role: Role, value: Json): readonly Reader[] {
  const readers = READERS[role];
  const type = isObject(value) ? value.mediaType : undefined;
  if (role === 'index' && type !== DOCKER_LIST) return readers.slice(0, 1);
  if (role === 'manifest' && type !== DOCKER_MANIFEST) return readers.slice(0, 1);
  return readers;
}

function problemOf({ at, kind, wrong }: Fault, root: Json): FieldProblem | null {
  if (kind === 'hash') return null;
  const value = valueAt(root, at);
  const text = typeof value === 'string' ? JSON.stringify(value) : typeName(value);
  const isText = kind === 'time' || kind === 'bytes';
  return {
    pointer: pointerTo(at),
    expected: EXPECTED[kind],
    actual: wrong?.number ?? (isText ? text : typeName(value)),
    grave: true,
  };
}

function valueAt(root: Json, at: Fault['at']): Json | undefined {
  if (at === null) return root;
  const above = valueAt(root, at.at);
  if (Array.isArray(above)) return above[Number(at.segment)];
  return isObject(above) ? above[at.segment] : undefined;
}

const EXPECTED: Readonly<Record<GoType['kind'], string>> = {
  string: 'a string',
  hash: 'a string',
  bool: 'true or false',
  int: 'an integer, written with digits alone',
  time: 'a time as in RFC 3339',
  bytes: 'base64 (RFC 4648 section 4)',
  words: 'a list of strings',
  list: 'an array',
  map: 'an object',
  struct: 'an object',
  pointer: 'an object',
  any: 'a number below 1.8e308',
  raw: 'anything',
};

const KNOWN: ReadonlySet<string> = new Set([OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST]);

/** Before podman stores a manifest it guesses what it is from its own bytes. containers/image manifest/manifest.go */
function unknownManifest(document: Document): FieldProblem[] {
  const { value, faults } = tolerant(document, GUESS);
  if (faults.length > 0 || !isObject(value)) return [];
  const { mediaType, schemaVersion = 0 } = value;
  const isKnown = typeof mediaType === 'string' && KNOWN.has(mediaType);
  if (isKnown || schemaVersion === 2 || schemaVersion === 1) return [];
  const actual =
    isObject(document.value) && document.value.schemaVersion === undefined
      ? 'nothing'
      : String(schemaVersion);
  const expected = 'the schemaVersion 2, or a mediaType in its place';
  return [{ pointer: '/schemaVersion', expected, actual, grave: true, engines: ['podman'] }];
}
