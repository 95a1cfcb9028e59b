import { digestOf, splitDigest } from './digest.js';
import type { JsonObject } from './json.js';

/**
 * The v1 ID of a layer, by which Docker 1.10 to 24 named its folder in `docker save`: the sha256 of the layer's v1 JSON,
 * without the ID itself, keys sorted, with the chain ID and the v1 ID of the layer below.
 * From moby's image/v1/imagev1.go, CreateID; confirmed on archives of those versions.
 *
 * @param json      the layer's `json` as it stands in the archive
 * @param chainId   chain ID up to and including this layer
 * @param parent    v1 ID of the layer below; null for the base
 * @param top       whether this is the topmost layer, whose JSON is the image's
 * @returns the ID as bare hex
 */
export function v1Id(json: JsonObject, chainId: string, parent: string | null, top: boolean): string {
  const config: JsonObject = { ...json, layer_id: chainId };
  delete config.id;
  delete config.parent;
  // Written into the file of every layer, but no part of what the lower ones were hashed from.
  if (!top) delete config.os;
  if (parent !== null) config.parent = `sha256:${parent}`;
  const sorted = Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
  return splitDigest(digestOf(goJson(sorted)))[1];
}

/** Go escapes these in JSON strings so that they may stand in HTML; outside strings they cannot occur. */
function goJson(value: JsonObject): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
