/** What `GET /images/{name}/json` answers, as Docker's Go types hold it. moby api/types/image/image_inspect.go */
import {
  ANY,
  type Field,
  INT64,
  pointerTo,
  STRING,
  STRING_MAP,
  STRINGS,
  type StructType,
  sliceOf,
  struct,
  TIME,
  type Type,
} from '../template/types.js';
import { CONTAINER_CONFIG, DOCKER_IMAGE_CONFIG, writtenConfig } from './config-types.js';
import { DESCRIPTOR } from './manifest-types.js';
import type { Dialect } from './release.js';

const omitted = (name: string, type: Type, json = name): Field => ({ name, type, json, omitEmpty: true });

const GRAPH_DRIVER = struct('storage.DriverData', [
  { name: 'Data', type: STRING_MAP },
  { name: 'Name', type: STRING },
]);

const ROOT_FS = struct('image.RootFS', [omitted('Type', STRING), omitted('Layers', STRINGS)]);

const METADATA = struct('image.Metadata', [{ name: 'LastTagTime', type: TIME }]);

const MANIFESTS = omitted('Manifests', sliceOf(struct('image.ManifestSummary', [])));

/** @param size  `ANY` where the size is not known: `int64` cannot say so */
function fieldsUntil28(size: Type): readonly Field[] {
  return [
    { name: 'ID', type: STRING, json: 'Id' },
    { name: 'RepoTags', type: STRINGS },
    { name: 'RepoDigests', type: STRINGS },
    { name: 'Parent', type: STRING },
    { name: 'Comment', type: STRING },
    omitted('Created', STRING),
    omitted('Container', STRING),
    omitted('ContainerConfig', pointerTo(CONTAINER_CONFIG)),
    { name: 'DockerVersion', type: STRING },
    { name: 'Author', type: STRING },
    { name: 'Config', type: pointerTo(DOCKER_IMAGE_CONFIG) },
    { name: 'Architecture', type: STRING },
    omitted('Variant', STRING),
    { name: 'Os', type: STRING },
    omitted('OsVersion', STRING),
    { name: 'Size', type: size },
    omitted('VirtualSize', size),
    { name: 'GraphDriver', type: GRAPH_DRIVER },
    { name: 'RootFS', type: ROOT_FS },
    { name: 'Metadata', type: METADATA },
    omitted('Descriptor', pointerTo(DESCRIPTOR)),
    MANIFESTS,
  ];
}

/** Docker 29 leaves out what is empty, and what came from builders of old. */
function fieldsOf29(size: Type): readonly Field[] {
  return [
    { name: 'ID', type: STRING, json: 'Id' },
    { name: 'RepoTags', type: STRINGS },
    { name: 'RepoDigests', type: STRINGS },
    omitted('Comment', STRING),
    omitted('Created', STRING),
    omitted('Author', STRING),
    { name: 'Config', type: pointerTo(DOCKER_IMAGE_CONFIG) },
    { name: 'Architecture', type: STRING },
    omitted('Variant', STRING),
    { name: 'Os', type: STRING },
    omitted('OsVersion', STRING),
    { name: 'Size', type: size },
    omitted('GraphDriver', pointerTo(GRAPH_DRIVER)),
    { name: 'RootFS', type: ROOT_FS },
    { name: 'Metadata', type: METADATA },
    omitted('Descriptor', pointerTo(DESCRIPTOR)),
    MANIFESTS,
    omitted('Identity', pointerTo(struct('image.Identity', []))),
  ];
}

/** As Docker's client holds the answer, and templates see it. */
export function inspectResponse(sizeIsKnown: boolean, words: Dialect['words']): StructType {
  const size = sizeIsKnown ? INT64 : ANY;
  return struct('image.InspectResponse', words === 29 ? fieldsOf29(size) : fieldsUntil28(size));
}

/**
 * As the daemon wrote the answer until Docker 28: `Config` is put together anew with the fields that older clients expect, and so stands
 * last and in alphabetical order. moby api/server/router/image/inspect_response.go
 */
export function writtenResponse(sizeIsKnown: boolean, legacyConfig: boolean): StructType {
  const fields = fieldsUntil28(sizeIsKnown ? INT64 : ANY);
  return struct('image.resp', [
    ...fields.filter(field => field.name !== 'Config'),
    { name: 'Config', type: writtenConfig(legacyConfig) },
  ]);
}
