import { squash } from '../../filesystem/file-tree.js';
import type { Image, Layer } from '../../link/graph.js';
import type { BlobFacts } from '../../scan/blob/facts.js';
import { rootedPath } from '../../scan/entries/name.js';
import { type EntryTable, nameAt } from '../../scan/entries/table.js';
import { isObject, type Json, type JsonObject, own } from '../../spec/json.js';
import {
  areTimes,
  isReordered,
  isUnset,
  type KindCount,
  type Pairing,
  pairUp,
  sameField,
  sameJson,
  shown,
} from './changes.js';
import { fileChanges, kindOf } from './files.js';

/** A setting whose value differs between two documents. */
export interface Change {
  /** The kind of difference: the setting's own key, or a broader kind such as `times`. */
  readonly kind: string;
  /** E.g. `config.env.PATH`. */
  readonly key: string;
  /** null if it is not set. */
  readonly a: Json;
  readonly b: Json;
}

/**
 * Differences between two image configurations, by meaning: environment variables and labels by name, ports and volumes
 * as sets. Unset and empty values are equal. History and diff_ids are not compared here.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export function configChanges(a: Json | undefined, b: Json | undefined): Change[] {
  const [x, y] = [objectOf(a), objectOf(b)];
  return keysOf(x, y).flatMap(key => {
    if (SEPARATE.has(key)) return [];
    const [left, right] = [own(x, key), own(y, key)];
    if (key === 'config') return runChanges(objectOf(left), objectOf(right));
    if (PLATFORM.has(key)) return valueChange(`platform.${key}`, left, right);
    if (key === 'rootfs') return rootfsChange(objectOf(left), objectOf(right));
    return membersChanges(`config.${key.toLowerCase()}`, left, right);
  });
}

/**
 * Differences between two maps of annotations.
 * @param prefix  of the keys, such as `manifest.annotations`
 */
function annotationChanges(
  prefix: string,
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
): Change[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap(key =>
    valueChange(`${prefix}.${key}`, a.get(key), b.get(key)),
  );
}

/** These are compared separately, with the layers. */
const SEPARATE = new Set(['history']);
const PLATFORM = new Set(['architecture', 'os', 'variant', 'os.version', 'os.features']);

/** Names of the `config` object's keys as in a Dockerfile; any other key is used in lower case. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['Env', 'env'],
  ['Labels', 'labels'],
  ['ExposedPorts', 'ports'],
  ['Volumes', 'volumes'],
  ['WorkingDir', 'workdir'],
  ['Healthcheck', 'healthcheck'],
]);

/** Sets and maps whose keys the user chose. Here a key with an empty value differs from no key. */
const SETS = new Set(['Labels', 'ExposedPorts', 'Volumes']);

function runChanges(a: JsonObject, b: JsonObject): Change[] {
  return keysOf(a, b).flatMap(key => {
    const [left, right] = [own(a, key), own(b, key)];
    const name = `config.${WORDS.get(key) ?? key.toLowerCase()}`;
    if (key === 'Env') return envChanges(name, left, right);
    return membersChanges(name, left, right, SETS.has(key));
  });
}

/**
 * Compares objects by key, any other value as a whole.
 * @param presence  whether a key with an empty value differs from an absent one
 */
function membersChanges(name: string, a: Json | undefined, b: Json | undefined, presence = false): Change[] {
  const isMap = (value: Json | undefined) => isUnset(value) || isObject(value);
  if (!isMap(a) || !isMap(b)) return valueChange(name, a, b);
  const [x, y] = [objectOf(a), objectOf(b)];
  return keysOf(x, y).flatMap(key => {
    const [left, right] = [own(x, key), own(y, key)];
    const isOnlyOne = presence && (left === undefined) !== (right === undefined);
    return isOnlyOne ? [change(`${name}.${key}`, left, right)] : valueChange(`${name}.${key}`, left, right);
  });
}

/** Compares lists of `NAME=value`. If a name is repeated, the last value counts, as for a process. */
function envChanges(name: string, a: Json | undefined, b: Json | undefined): Change[] {
  if (!isEnv(a) || !isEnv(b)) return valueChange(name, a, b);
  const [x, y] = [variablesOf(a), variablesOf(b)];
  const changes = [...new Set([...x.keys(), ...y.keys()])].flatMap(key =>
    x.get(key) === y.get(key) ? [] : [change(`${name}.${key}`, x.get(key), y.get(key))],
  );
  const order: Change = { kind: 'order', key: name, a: [...x.keys()], b: [...y.keys()] };
  return isReordered([...x.keys()], [...y.keys()]) ? [...changes, order] : changes;
}

const isEnv = (value: Json | undefined): value is string[] | null | undefined =>
  isUnset(value) || (Array.isArray(value) && value.every(item => typeof item === 'string'));

function variablesOf(env: readonly string[] | null | undefined): Map<string, string> {
  const variables = new Map<string, string>();
  for (const item of env ?? []) {
    const end = item.indexOf('=');
    const name = end < 0 ? item : item.slice(0, end);
    variables.set(name, end < 0 ? '' : item.slice(end + 1));
  }
  return variables;
}

function rootfsChange(a: JsonObject, b: JsonObject): Change[] {
  const { diff_ids: _a, ...x } = a;
  const { diff_ids: _b, ...y } = b;
  return sameJson(x, y) ? [] : [change('config.rootfs', x, y)];
}

function valueChange(key: string, a: Json | undefined, b: Json | undefined): Change[] {
  return sameField(a, b) ? [] : [change(key, a, b)];
}

const change = (key: string, a: Json | undefined, b: Json | undefined): Change => ({
  kind: areTimes(a, b) ? 'times' : key,
  key,
  a: shown(a),
  b: shown(b),
});

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const keysOf = (a: JsonObject, b: JsonObject): string[] => [
  ...new Set([...Object.keys(a), ...Object.keys(b)]),
];

/**
 * Steps in which two histories differ. A step that was repeated at another time is reported as a difference in time.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md (history)
 */
export function historyChanges(a: readonly Json[], b: readonly Json[]): Change[] {
  const changes: Change[] = [];
  for (const [i, j] of pairUp(a.map(stepKey), b.map(stepKey))) {
    const [left, right] = [i === null ? null : a[i]!, j === null ? null : b[j]!];
    if (left === null || right === null)
      changes.push({ kind: 'history', key: `history.${i ?? j}`, a: shown(left), b: shown(right) });
    else if (!sameField(timeOf(left), timeOf(right)))
      changes.push({ kind: 'times', key: `history.${i}.created`, a: timeOf(left), b: timeOf(right) });
  }
  return changes;
}

const timeOf = (step: Json): Json =>
  isObject(step) && typeof step.created === 'string' ? step.created : null;

/** A step without its time, with sorted keys; unset fields are left out. */
function stepKey(step: Json): string {
  if (!isObject(step)) return JSON.stringify(shown(step));
  const { created: _, ...rest } = shown(step) as JsonObject;
  const entries = Object.entries(rest).filter(
    ([, value]) => value !== '' && value !== false && value !== null,
  );
  return JSON.stringify(entries.sort(([x], [y]) => (x < y ? -1 : 1)));
}

/** Differences between two manifests, except digests and sizes. Empty if an image has no manifest. */
export function manifestChanges(a: Image, b: Image): Change[] {
  const [x, y] = [a.manifest?.parsed, b.manifest?.parsed];
  if (x === undefined || y === undefined) return [];
  return [
    ...valueChange('manifest.mediatype', a.manifest!.mediaType, b.manifest!.mediaType),
    ...valueChange('manifest.artifacttype', x.artifactType, y.artifactType),
    ...annotationChanges('manifest.annotations', x.annotations, y.annotations),
    ...x.layers.flatMap((layer, i) => {
      const other = y.layers[i];
      // A layer with another digest may have another media type and other annotations.
      if (other === undefined || layer.digestText !== other.digestText) return [];
      const key = `manifest.layers.${i}`;
      return [
        ...valueChange(`${key}.mediatype`, layer.mediaType, other.mediaType),
        ...annotationChanges(`${key}.annotations`, layer.annotations, other.annotations),
      ];
    }),
  ];
}

/** The facts about a layer that comparing it needs. */
export interface ComparedLayer {
  readonly layer: Layer;
  /** null if the layer's blob is absent. */
  readonly facts: BlobFacts | null;
  /** The layer's entries, if they are known. */
  readonly table: EntryTable | null;
}

/**
 * Identifies a layer by its content: the digest of its tar (the diff_id as computed). If the layer cannot be unpacked,
 * the digest of the stored blob; if it is absent, the diff_id that the config claims.
 */
export function layerKey({ layer, facts }: ComparedLayer): string {
  if (facts === null) return layer.claimedDiffId ?? layer.claimedDigest ?? layer.ref;
  if (facts.unpacked !== null) return facts.unpacked.digests.sha256;
  return `stored ${facts.digests?.sha256 ?? layer.ref}`;
}

/**
 * Pairs layers. Equal layers are paired first. Between them, layers are paired by position if both images have equally
 * many there, and otherwise by the instruction that created them.
 */
export function pairLayers(a: readonly ComparedLayer[], b: readonly ComparedLayer[]): Pairing[] {
  const pairs: Pairing[] = [];
  let left: number[] = [];
  let right: number[] = [];
  const flush = () => {
    for (const pair of pairBetween(a, left, b, right)) pairs.push(pair);
    [left, right] = [[], []];
  };
  for (const [i, j] of pairUp(a.map(layerKey), b.map(layerKey))) {
    if (i !== null && j !== null) {
      flush();
      pairs.push([i, j]);
    } else if (i !== null) left.push(i);
    else right.push(j!);
  }
  flush();
  return pairs;
}

function pairBetween(
  a: readonly ComparedLayer[],
  left: readonly number[],
  b: readonly ComparedLayer[],
  right: readonly number[],
): Pairing[] {
  if (left.length === right.length) return left.map((i, n) => [i, right[n]!]);
  const makers = (layers: readonly ComparedLayer[], places: readonly number[]) =>
    places.map(place => layers[place]!.layer.createdBy ?? '');
  return pairUp(makers(a, left), makers(b, right)).map(([i, j]) => [
    i === null ? null : left[i]!,
    j === null ? null : right[j]!,
  ]);
}

/**
 * The kinds of differences between two layers that are not the same tar: names, as in a tree of the layer alone, and
 * whiteouts (`files.deleted`).
 * @returns null if the entries of one of them are not known
 */
export function layerDifferences(
  { facts: a, table: x }: ComparedLayer,
  { facts: b, table: y }: ComparedLayer,
): KindCount[] | null {
  if (a === null || b === null || x === null || y === null) return null;
  const counts = new Map<string, number>();
  const add = (kind: string, count = 1) => {
    if (count > 0) counts.set(kind, (counts.get(kind) ?? 0) + count);
  };
  const { added, removed, changed, unread } = fileChanges(alone(x), alone(y));
  add('files.added', added.length);
  add('files.removed', removed.length);
  for (const { aspects } of changed) for (const aspect of aspects) add(kindOf(aspect));
  const [left, right] = [namesOf(x), namesOf(y)];
  const [gone, goneToo] = [whiteoutsIn(left), whiteoutsIn(right)];
  add('files.deleted', [...gone].filter(path => !goneToo.has(path)).length);
  add('files.deleted', [...goneToo].filter(path => !gone.has(path)).length);
  if (isReordered(left, right)) add('order');
  if (counts.size === 0) {
    if (!isWhole(a, x) || !isWhole(b, y) || unread > 0) return null;
    // Equal files in equal order: only padding, header formats or owner names differ.
    add('encoding');
  }
  return [...counts].map(([kind, count]) => ({ kind, count }));
}

const isWhole = ({ failure, tar }: BlobFacts, { truncated }: EntryTable) =>
  failure === null && truncated === null && tar?.error === null;

const alone = (table: EntryTable) => ({ tables: [table], tree: squash([table]) });

const namesOf = (table: EntryTable): string[] =>
  Array.from({ length: table.count }, (_, index) => rootedPath(nameAt(table, index)));

const whiteoutsIn = (names: readonly string[]): Set<string> =>
  new Set(names.filter(path => /(?:^|\/)\.wh\.[^/]*$/.test(path)));
