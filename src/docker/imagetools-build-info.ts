import { readDocument } from '../scan/document.js';
import type { Json } from '../spec/json.js';
import { decode } from '../template/index.js';
import { type Field, mapOf, pointerTo, STRING, sliceOf, struct, type Type } from '../template/types.js';

const SOURCE = struct('binfotypes.Source', [
  { name: 'Type', type: STRING, json: 'type', omitEmpty: true },
  { name: 'Ref', type: STRING, json: 'ref', omitEmpty: true },
  { name: 'Alias', type: STRING, json: 'alias', omitEmpty: true },
  { name: 'Pin', type: STRING, json: 'pin', omitEmpty: true },
]);

const fields: Field[] = [
  { name: 'Frontend', type: STRING, json: 'frontend', omitEmpty: true },
  { name: 'Attrs', type: mapOf(pointerTo(STRING)), json: 'attrs', omitEmpty: true },
  { name: 'Sources', type: sliceOf(SOURCE), json: 'sources', omitEmpty: true },
];

/** BuildKit 0.9 to 0.11, util/buildinfo/types. A build holds those that it depends on. */
const BUILD_INFO = struct('binfotypes.BuildInfo', fields);
fields.push({ name: 'Deps', type: mapOf(BUILD_INFO), json: 'deps', omitEmpty: true });

export const BUILD_INFO_POINTER: Type = pointerTo(BUILD_INFO);
export const BUILD_INFO_MAP: Type = mapOf(BUILD_INFO_POINTER);

const IN_CONFIG = struct('binfotypes.ImageConfig', [
  { name: 'BuildInfo', type: STRING, json: 'moby.buildkit.buildinfo.v1' },
]);

/** What BuildKit left in an image's config, as a raw struct; null where there is nothing, or nothing that can be read. */
export function buildInfoOf(config: Json): unknown {
  const { BuildInfo = '' } = decode(IN_CONFIG, config) as { BuildInfo?: string };
  const { value } = readDocument('', Buffer.from(BuildInfo, 'base64'));
  return value === undefined ? null : decode(BUILD_INFO, value);
}
