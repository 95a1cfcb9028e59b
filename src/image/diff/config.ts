import { isObject, type Json, type JsonObject, own } from '../../spec/json.js';
import { isReordered } from './sequence.js';
import { areTimes, isUnset, sameField, sameJson, shown } from './value.js';

/** A setting that is not the same in two documents. */
export interface Change {
  /** What kind of difference it is: its own key, or what it is about, such as `times`. */
  readonly kind: string;
  /** E.g. `config.env.PATH`. */
  readonly key: string;
  /** null where it is not set. */
  readonly a: Json;
  readonly b: Json;
}

/**
 * What two image configurations say differently, by meaning: environment variables and labels by name, ports and volumes as
 * sets. History and diff_ids are not looked at. What is unset in one and empty in the other is the same.
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

/** What two maps of annotations say differently. @param prefix  of the keys, such as `manifest.annotations` */
export function annotationChanges(
  prefix: string,
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
): Change[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap(key =>
    valueChange(`${prefix}.${key}`, a.get(key), b.get(key)),
  );
}

/** Compared on their own, with the layers. */
const SEPARATE = new Set(['history']);
const PLATFORM = new Set(['architecture', 'os', 'variant', 'os.version', 'os.features']);

/** Keys of the `config` object by the words of a Dockerfile; any other goes by itself in lower case. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['Env', 'env'],
  ['Labels', 'labels'],
  ['ExposedPorts', 'ports'],
  ['Volumes', 'volumes'],
  ['WorkingDir', 'workdir'],
  ['Healthcheck', 'healthcheck'],
]);

/** Sets and maps of the user's own: that a member is there is what it says, though its value be empty. */
const SETS = new Set(['Labels', 'ExposedPorts', 'Volumes']);

function runChanges(a: JsonObject, b: JsonObject): Change[] {
  return keysOf(a, b).flatMap(key => {
    const [left, right] = [own(a, key), own(b, key)];
    const name = `config.${WORDS.get(key) ?? key.toLowerCase()}`;
    if (key === 'Env') return envChanges(name, left, right);
    return membersChanges(name, left, right, SETS.has(key));
  });
}

/** Objects member by member, anything else as it is. @param presence  whether to have a member is to say something */
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

/** `NAME=value`; of two with one name the last counts, as for a process. */
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

export function valueChange(key: string, a: Json | undefined, b: Json | undefined): Change[] {
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
