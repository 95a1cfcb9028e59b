/**
 * The run configuration of an image as Docker's Go types hold it, field by field in their order.
 * moby docker-image-spec specs-go/v1/image.go, OCI image-spec specs-go/v1/config.go, moby api/types/container/config.go
 */
import { DURATION } from '../template/duration.js';
import {
  BOOL,
  type Field,
  INT,
  mapOf,
  pointerTo,
  STRING,
  STRING_MAP,
  STRINGS,
  type StructType,
  struct,
  type Type,
} from '../template/types.js';

/** A set, as Go writes it: `map[string]struct{}`. */
const SET = mapOf(struct('struct {}', []));

const omitted = (name: string, type: Type): Field => ({ name, type, omitEmpty: true });

const HEALTHCHECK_FIELDS: readonly Field[] = [
  omitted('Test', STRINGS),
  omitted('Interval', DURATION),
  omitted('Timeout', DURATION),
  omitted('StartPeriod', DURATION),
  omitted('StartInterval', DURATION),
  omitted('Retries', INT),
];

const HEALTHCHECK = pointerTo(struct('v1.HealthcheckConfig', HEALTHCHECK_FIELDS));

export const IMAGE_CONFIG = struct('v1.ImageConfig', [
  omitted('User', STRING),
  omitted('ExposedPorts', SET),
  omitted('Env', STRINGS),
  omitted('Entrypoint', STRINGS),
  omitted('Cmd', STRINGS),
  omitted('Volumes', SET),
  omitted('WorkingDir', STRING),
  omitted('Labels', STRING_MAP),
  omitted('StopSignal', STRING),
  omitted('ArgsEscaped', BOOL),
]);

export const DOCKER_EXTENSION = struct('v1.DockerOCIImageConfigExt', [
  omitted('Healthcheck', HEALTHCHECK),
  omitted('OnBuild', STRINGS),
  omitted('Shell', STRINGS),
]);

/** `Config` of an image since API 1.50, and all of it that Docker's own client knows. */
export const DOCKER_IMAGE_CONFIG = struct('v1.DockerOCIImageConfig', [
  { name: 'ImageConfig', type: IMAGE_CONFIG, embedded: true },
  { name: 'DockerOCIImageConfigExt', type: DOCKER_EXTENSION, embedded: true },
]);

const alphabetical = (fields: readonly Field[]) => [...fields].sort((a, b) => (a.name < b.name ? -1 : 1));

const WRITTEN_HEALTHCHECK = pointerTo(struct('map[string]interface {}', alphabetical(HEALTHCHECK_FIELDS)));

/** What every client was always sent, be it empty. moby api/server/router/image/inspect_response.go */
const ALWAYS = new Set(['Cmd', 'Entrypoint', 'Env', 'Labels', 'OnBuild', 'User', 'Volumes', 'WorkingDir']);

/** A container's fields, always empty in an image, that went away with API 1.50. */
const CONTAINERS_OWN: readonly Field[] = [
  ...['AttachStderr', 'AttachStdin', 'AttachStdout', 'OpenStdin', 'StdinOnce', 'Tty'].map(name => ({
    name,
    type: BOOL,
  })),
  ...['Domainname', 'Hostname', 'Image'].map(name => ({ name, type: STRING })),
];

/** `Config` as the daemon sends it: put together from maps, whose keys Go sorts. */
export function writtenConfig(legacy: boolean): StructType {
  const fields = [...IMAGE_CONFIG.fields, ...DOCKER_EXTENSION.fields].map((field): Field => {
    if (field.name === 'Healthcheck') return { ...field, type: WRITTEN_HEALTHCHECK };
    return ALWAYS.has(field.name) ? { name: field.name, type: field.type } : field;
  });
  return struct('map[string]interface {}', alphabetical(legacy ? [...fields, ...CONTAINERS_OWN] : fields));
}

const STR_SLICE: Type = { ...STRINGS, name: 'strslice.StrSlice' } as Type;

/** A container's configuration, which older versions of the API showed of images too. */
export const CONTAINER_CONFIG = struct('container.Config', [
  { name: 'Hostname', type: STRING },
  { name: 'Domainname', type: STRING },
  { name: 'User', type: STRING },
  { name: 'AttachStdin', type: BOOL },
  { name: 'AttachStdout', type: BOOL },
  { name: 'AttachStderr', type: BOOL },
  omitted('ExposedPorts', SET),
  { name: 'Tty', type: BOOL },
  { name: 'OpenStdin', type: BOOL },
  { name: 'StdinOnce', type: BOOL },
  { name: 'Env', type: STRINGS },
  { name: 'Cmd', type: STR_SLICE },
  omitted('Healthcheck', HEALTHCHECK),
  omitted('ArgsEscaped', BOOL),
  { name: 'Image', type: STRING },
  { name: 'Volumes', type: SET },
  { name: 'WorkingDir', type: STRING },
  { name: 'Entrypoint', type: STR_SLICE },
  omitted('NetworkDisabled', BOOL),
  omitted('MacAddress', STRING),
  { name: 'OnBuild', type: STRINGS },
  { name: 'Labels', type: STRING_MAP },
  omitted('StopSignal', STRING),
  omitted('StopTimeout', pointerTo(INT)),
  omitted('Shell', STR_SLICE),
]);
