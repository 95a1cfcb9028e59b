import { isObject, type Json, type JsonObject } from '../../spec/json.js';
import { field, listField, objectField, textField } from './go-json.js';

/** The little that engines look at in a config. */
export interface EngineConfig {
  readonly os: string;
  /** null where there is no rootfs at all. */
  readonly diffIds: readonly string[] | null;
  /** History entries that claim a layer. */
  readonly layerSteps: number;
}

/** A config as moby's image.Image and containers/image's Schema2Image hold it. */
export function engineConfig(value: JsonObject): EngineConfig {
  const known = read.get(value);
  if (known !== undefined) return known;
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

export const diffIdsOf = (config: JsonObject, most = Number.POSITIVE_INFINITY): string[] =>
  listField(objectField(config, 'rootfs'), 'diff_ids').slice(0, most).map(String);
