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

const omitted = (name: string, type: Type, json = name): Field => ({ name, type, json, omitEmpty: true });

/** OCI image-spec specs-go/v1/descriptor.go */
const PLATFORM = struct('v1.Platform', [
  { name: 'Architecture', type: STRING, json: 'architecture' },
  { name: 'OS', type: STRING, json: 'os' },
  omitted('OSVersion', STRING, 'os.version'),
  omitted('OSFeatures', STRINGS, 'os.features'),
  omitted('Variant', STRING, 'variant'),
]);

export const DESCRIPTOR = struct('v1.Descriptor', [
  { name: 'MediaType', type: STRING, json: 'mediaType' },
  { name: 'Digest', type: { kind: 'string', name: 'digest.Digest' }, json: 'digest' },
  { name: 'Size', type: INT64, json: 'size' },
  omitted('URLs', STRINGS, 'urls'),
  omitted('Annotations', STRING_MAP, 'annotations'),
  omitted('Data', sliceOf({ kind: 'uint', bits: 8 }), 'data'),
  omitted('Platform', pointerTo(PLATFORM), 'platform'),
  omitted('ArtifactType', STRING, 'artifactType'),
]);

const GRAPH_DRIVER = struct('storage.DriverData', [
  { name: 'Data', type: STRING_MAP },
  { name: 'Name', type: STRING },
]);

const ROOT_FS = struct('image.RootFS', [omitted('Type', STRING), omitted('Layers', STRINGS)]);

const METADATA = struct('image.Metadata', [{ name: 'LastTagTime', type: TIME }]);

/** @param size  `ANY` where the size is not known: `int64` cannot say so */
function inspectFields(size: Type): readonly Field[] {
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
    omitted('Manifests', sliceOf(struct('image.ManifestSummary', []))),
  ];
}

/** As Docker's client holds the answer, and templates see it. */
export function inspectResponse(sizeIsKnown: boolean): StructType {
  return struct('image.InspectResponse', inspectFields(sizeIsKnown ? INT64 : ANY));
}

/**
 * As the daemon writes the answer: `Config` is put together anew with the fields that older clients expect, and so stands
 * last and in alphabetical order. moby api/server/router/image/inspect_response.go
 */
export function writtenResponse(sizeIsKnown: boolean, legacyConfig: boolean): StructType {
  const fields = inspectFields(sizeIsKnown ? INT64 : ANY);
  return struct('image.resp', [
    ...fields.filter(field => field.name !== 'Config'),
    { name: 'Config', type: writtenConfig(legacyConfig) },
  ]);
}
