import { type Descriptor, parseDescriptor } from './descriptor.js';
import { digestOf, splitDigest } from './digest.js';
import {
  type FieldProblem,
  Fields,
  isObject,
  type Json,
  type JsonObject,
  note,
  type OddKeys,
  pointer,
  typeName,
} from './json.js';
import { escapedForHtml } from './json-text.js';

/**
 * The documents of `docker save`: manifest.json (Docker 1.10 and later) and repositories (all versions).
 * https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 */

export interface DockerManifestItem {
  readonly index: number;
  /** Path of the config in the archive. */
  readonly config: string | null;
  readonly repoTags: readonly string[];
  /** Paths of the layers, base first. */
  readonly layers: readonly string[];
  /** Image ID of the parent image in the same archive. */
  readonly parent: string | null;
  /** By diff_id, but by blob digest in regctl's archives. */
  readonly layerSources: ReadonlyMap<string, Descriptor>;
  /** Keys in another case than Docker writes; Go accepts them. */
  readonly oddKeys: readonly OddKeys[];
}

interface DockerManifest {
  readonly items: readonly DockerManifestItem[];
  readonly problems: readonly FieldProblem[];
}

const KEYS = ['Config', 'RepoTags', 'Layers', 'Parent', 'LayerSources'];

/** @returns null when `value` is no array. */
export function parseDockerManifest(value: Json): DockerManifest | null {
  if (!Array.isArray(value)) return null;
  const problems: FieldProblem[] = [];
  const items = value.map((item, i) => parseItem(item, i, problems)).filter(item => item !== null);
  return { items, problems };
}

function parseItem(value: Json, index: number, problems: FieldProblem[]): DockerManifestItem | null {
  const at = pointer('', index);
  const fields = Fields.of(value, at, problems);
  if (fields === null) return null;
  const sources = new Map<string, Descriptor>();
  const rawSources = fields.any('LayerSources');
  for (const [key, source] of Object.entries(isObject(rawSources) ? rawSources : {})) {
    const descriptor = parseDescriptor(source, pointer(at, 'LayerSources', key), problems);
    if (descriptor !== null) sources.set(key, descriptor);
  }
  return {
    index,
    config: fields.string('Config', 'required'),
    repoTags: fields.strings('RepoTags') ?? [],
    layers: fields.strings('Layers') ?? [],
    parent: fields.string('Parent') || null,
    layerSources: sources,
    oddKeys: fields.oddCase(KEYS),
  };
}

/** Names by what they point at: a v1 image ID, or since Docker 25 the hex of the top layer's diff_id. */
interface Repositories {
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** How many names there are. */
  readonly count: number;
  readonly problems: readonly FieldProblem[];
}

export function parseRepositories(value: Json): Repositories {
  const problems: FieldProblem[] = [];
  const names = new Map<string, string[]>();
  let count = 0;
  if (!isObject(value)) {
    note(problems, { pointer: '', expected: 'an object', actual: typeName(value), grave: false });
    return { names, count: 0, problems };
  }
  for (const [repository, tags] of Object.entries(value)) {
    for (const [tag, id] of Object.entries(isObject(tags) ? tags : {})) {
      if (typeof id === 'string') {
        count++;
        const given = names.get(id);
        if (given === undefined) names.set(id, [`${repository}:${tag}`]);
        else given.push(`${repository}:${tag}`);
      } else
        note(problems, {
          pointer: pointer('', repository, tag),
          expected: 'a string',
          actual: typeName(id),
          grave: false,
        });
    }
  }
  return { names, count, problems };
}

/**
 * The v1 ID of a layer, by which Docker 1.10 to 24 named its folder in `docker save`: the sha256 of the layer's v1
 * JSON, without the ID itself, keys sorted, with the chain ID and the v1 ID of the layer below. From moby's
 * image/v1/imagev1.go, CreateID; confirmed on archives of those versions.
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
  return splitDigest(digestOf(escapedForHtml(JSON.stringify(sorted))))[1];
}
