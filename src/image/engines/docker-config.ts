import { isObject, type Json, type JsonObject } from '../../spec/json.js';
import { refuse } from './answer.js';
import { field, goKind, listField, objectField, textField } from './go-json.js';

/** The little that engines look at in a config. */
export interface EngineConfig {
  readonly os: string;
  /** null where there is no rootfs at all. */
  readonly diffIds: readonly string[] | null;
  /** History entries that claim a layer. */
  readonly layerSteps: number;
}

/** A config as moby's image.Image and containers/image's schema 2 image take it. moby image/image.go */
export function engineConfig(value: Json): EngineConfig {
  const known = isObject(value) ? read.get(value) : undefined;
  if (known !== undefined) return known;
  if (!isObject(value)) {
    return refuse(`json: cannot unmarshal ${goKind(value)} into Go value of type image.Image`);
  }
  const created = field(value, 'created');
  if (typeof created === 'string' && !RFC3339.test(created))
    refuse(`parsing time "${created}" as "2006-01-02T15:04:05Z07:00"`);
  const rootfs = field(value, 'rootfs') ?? null;
  const isLayer = (step: Json) => !isObject(step) || field(step, 'empty_layer') !== true;
  const config = {
    os: textField(value, 'os') || 'linux',
    diffIds: rootfs === null ? null : diffIdsOf(value),
    layerSteps: listField(value, 'history').filter(isLayer).length,
  };
  read.set(value, config);
  return config;
}

/** Many items may share one config, and it may be long. */
const read = new WeakMap<JsonObject, EngineConfig>();

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export const diffIdsOf = (config: JsonObject, most = Number.POSITIVE_INFINITY): string[] =>
  listField(objectField(config, 'rootfs'), 'diff_ids').slice(0, most).map(String);
