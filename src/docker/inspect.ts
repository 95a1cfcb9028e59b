import { field, listField, objectField, textField } from '../decoding/go-json.js';
import { DESCRIPTOR, IMAGE_CONFIG, PORT_SET, SET } from '../go/image-types.js';
import { type DecodeOptions, decode, encodeJson } from '../go/template/index.js';
import { DURATION } from '../go/template/time.js';
import {
  ANY,
  BOOL,
  type Field,
  INT,
  INT64,
  mapOf,
  pointerTo,
  STRING,
  STRING_MAP,
  STRINGS,
  type StructType,
  sliceOf,
  struct,
  TIME,
  type Type,
  type Value,
  value,
} from '../go/template/types.js';
import { rfc3339Nano } from '../go/time.js';
import { isObject, type Json, type JsonObject } from '../spec/json.js';
import type { Dialect } from './release.js';
import type { Store, StoredImage } from './stores/stored-image.js';

/**
 * The run configuration of an image as Docker's Go types hold it, field by field in their order.
 * moby docker-image-spec specs-go/v1/image.go, OCI image-spec specs-go/v1/config.go, moby api/types/container/config.go
 */

const omitted = (name: string, type: Type, json = name): Field => ({ name, type, json, omitEmpty: true });

const HEALTHCHECK_FIELDS: readonly Field[] = [
  omitted('Test', STRINGS),
  omitted('Interval', DURATION),
  omitted('Timeout', DURATION),
  omitted('StartPeriod', DURATION),
  omitted('StartInterval', DURATION),
  omitted('Retries', INT),
];

const HEALTHCHECK = pointerTo(struct('v1.HealthcheckConfig', HEALTHCHECK_FIELDS));

const DOCKER_EXTENSION = struct('v1.DockerOCIImageConfigExt', [
  omitted('Healthcheck', HEALTHCHECK),
  omitted('OnBuild', STRINGS),
  omitted('Shell', STRINGS),
]);

/** `Config` of an image since API 1.50, and all of it that Docker's own client knows. */
const DOCKER_IMAGE_CONFIG = struct('v1.DockerOCIImageConfig', [
  { name: 'ImageConfig', type: IMAGE_CONFIG, embedded: true },
  { name: 'DockerOCIImageConfigExt', type: DOCKER_EXTENSION, embedded: true },
]);

const alphabetical = (fields: readonly Field[]) => [...fields].sort((a, b) => (a.name < b.name ? -1 : 1));

const WRITTEN_HEALTHCHECK = pointerTo(struct('map[string]interface {}', alphabetical(HEALTHCHECK_FIELDS)));

/** Fields that every client receives even if they are empty. moby api/server/router/image/inspect_response.go */
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
function writtenConfig(legacy: boolean): StructType {
  const fields = [...IMAGE_CONFIG.fields, ...DOCKER_EXTENSION.fields].map((field): Field => {
    if (field.name === 'Healthcheck') return { ...field, type: WRITTEN_HEALTHCHECK };
    return ALWAYS.has(field.name) ? { name: field.name, type: field.type } : field;
  });
  return struct('map[string]interface {}', alphabetical(legacy ? [...fields, ...CONTAINERS_OWN] : fields));
}

const STR_SLICE: Type = { ...STRINGS, name: 'strslice.StrSlice' } as Type;

/** A container's configuration, which older versions of the API showed of images too. */
const CONTAINER_CONFIG = struct('container.Config', [
  { name: 'Hostname', type: STRING },
  { name: 'Domainname', type: STRING },
  { name: 'User', type: STRING },
  { name: 'AttachStdin', type: BOOL },
  { name: 'AttachStdout', type: BOOL },
  { name: 'AttachStderr', type: BOOL },
  omitted('ExposedPorts', PORT_SET),
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

/** The response to `GET /images/{name}/json`, as Docker's Go types hold it. moby api/types/image/image_inspect.go */

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
function inspectResponse(sizeIsKnown: boolean, words: Dialect['words']): StructType {
  const size = sizeIsKnown ? INT64 : ANY;
  return struct('image.InspectResponse', words === 29 ? fieldsOf29(size) : fieldsUntil28(size));
}

/**
 * As the daemon wrote the answer until Docker 28: `Config` is put together anew with the fields that older clients
 * expect, and so stands last and in alphabetical order. moby api/server/router/image/inspect_response.go
 */
function writtenResponse(sizeIsKnown: boolean, legacyConfig: boolean): StructType {
  const fields = fieldsUntil28(sizeIsKnown ? INT64 : ANY);
  return struct('image.resp', [
    ...fields.filter(field => field.name !== 'Config'),
    { name: 'Config', type: writtenConfig(legacyConfig) },
  ]);
}

/**
 * Fields that Docker 29 adds to `GET /images/{name}/json` for clients of older versions of the API. moby
 * daemon/internal/compat
 */

export type Raw = Readonly<Record<string, unknown>>;

/** moby daemon/server/router/image/inspect_response.go */
const SINCE_150: Raw = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
};
const BEFORE_150: Raw = {
  ...SINCE_150,
  AttachStderr: false,
  AttachStdin: false,
  AttachStdout: false,
  Domainname: '',
  Hostname: '',
  Image: '',
  OpenStdin: false,
  StdinOnce: false,
  Tty: false,
};

/**
 * The answer with what a version adds, which makes a map of it: its keys are sorted then.
 * moby daemon/server/router/image/image_routes.go (getImagesByName)
 */
function withOlderFields(answer: Value, fields: Raw, minor: number): Value {
  const extra = minor >= 52 ? presentOnly(fields) : olderFields(fields, minor);
  if (Object.keys(extra).length === 0) return answer;
  const base = decode(ANY, JSON.parse(encodeJson(answer))) as Value;
  const merged = new Map(base.raw as ReadonlyMap<string, Value | null>);
  for (const [key, added] of Object.entries(extra)) {
    const known = merged.get(key);
    if (known === undefined) merged.set(key, asValue(key, added));
    else if (key === 'Config' && known !== null) merged.set(key, withDefaults(known, added as Raw));
  }
  return value(mapOf(ANY), merged);
}

const presentOnly = ({ Parent, DockerVersion }: Raw): Raw => ({
  ...(Parent ? { Parent } : {}),
  ...(DockerVersion ? { DockerVersion } : {}),
});

function olderFields(fields: Raw, minor: number): Raw {
  const { Parent, Comment, DockerVersion, Author, Container = '', ContainerConfig = null, Size } = fields;
  return {
    ...(minor < 44 ? { VirtualSize: Size } : {}),
    ...(minor < 45 ? { Container, ContainerConfig } : {}),
    Parent,
    Comment,
    DockerVersion: DockerVersion ?? '',
    Author,
    Config: minor < 50 ? BEFORE_150 : SINCE_150,
  };
}

const asValue = (key: string, added: unknown): Value | null =>
  key === 'ContainerConfig'
    ? value(pointerTo(CONTAINER_CONFIG), added)
    : (decode(ANY, added) as Value | null);

function withDefaults(config: Value, defaults: Raw): Value {
  const merged = new Map(config.raw as ReadonlyMap<string, Value | null>);
  for (const [key, added] of Object.entries(defaults)) {
    if (!merged.has(key)) merged.set(key, asValue(key, added));
  }
  return value(mapOf(ANY), merged);
}

/**
 * The daemon's response about an image in two forms: as it is written, and as Docker's client decodes it for templates.
 */
export interface Inspected {
  readonly written: Value;
  readonly typed: Value;
}

/**
 * `GET /images/{name}/json` as Docker answers it to a client of a version of the API.
 * moby daemon/images/image_inspect.go, daemon/containerd/image_inspect.go; the versions in
 * daemon/server/router/image/image_routes.go (getImagesByName)
 * @param size  bytes, null where unknown: then the field is null
 */
export function inspectImage(stored: StoredImage, dialect: Dialect, size: number | null): Inspected {
  const { store, api, words } = dialect;
  const minor = Number(api.split('.')[1]);
  const document = configOf(stored);
  const config = runConfig(objectField(document, 'config'), store, numbersIn(stored, 'config'));
  const fields = {
    ...commonFields(stored, document, store),
    ...(store !== 'containerd' ? classicFields(document, stored) : containerdFields(stored)),
    Size: size,
  };
  const Config = { ImageConfig: config.image, DockerOCIImageConfigExt: config.docker };
  const known = size !== null;
  if (words === 29) return answer29({ ...fields, Config }, dialect, minor, known);
  const shaped = { ...fields, ...versionFields(fields, minor) };
  const ofContainer = emptyAsNull({ ...config.image, ...config.docker });
  return {
    written: value(writtenResponse(known, minor < 50), { ...shaped, Config: ofContainer }),
    typed: value(inspectResponse(known, 28), { ...shaped, Config }),
  };
}

/** containerd's store has no graph driver, which versions before 1.52 were told all the same. */
function answer29(fields: Raw, { store }: Dialect, minor: number, sizeIsKnown: boolean): Inspected {
  const shaped = {
    ...fields,
    ...(minor < 44 && fields.Created === '' ? { Created: '0001-01-01T00:00:00Z' } : {}),
    ...(minor < 48 ? { Descriptor: null } : {}),
    ...(store === 'containerd' && minor >= 52 ? { GraphDriver: null } : {}),
  };
  const typed = value(inspectResponse(sizeIsKnown, 29), shaped);
  return { written: withOlderFields(typed, shaped, minor), typed };
}

/** The config's document, or an empty one where it is absent, unreadable or no object. */
export function configOf({ image }: StoredImage): JsonObject {
  const parsed = image.config?.document?.value;
  return isObject(parsed) ? parsed : {};
}

function commonFields(stored: StoredImage, document: JsonObject, store: Store): Raw {
  const rootfs = objectField(document, 'rootfs');
  const created = textField(document, 'created');
  const os = textField(document, 'os');
  return {
    ID: stored.id ?? '',
    RepoTags: stored.tags,
    RepoDigests: stored.digests,
    Parent: stored.parent,
    Comment: lastComment(document),
    Created: rfc3339Nano(created) ?? '',
    Author: textField(document, 'author'),
    Architecture: textField(document, 'architecture'),
    Variant: textField(document, 'variant'),
    Os: os === '' && store !== 'containerd' ? 'linux' : os,
    OsVersion: textField(document, 'os.version'),
    GraphDriver: { Data: null, Name: store !== 'containerd' ? 'overlay2' : 'overlayfs' },
    RootFS:
      stored.image.kind === 'v1'
        ? { Type: 'layers', Layers: unpackedDigests(stored) }
        : { Type: textField(rootfs, 'type'), Layers: listField(rootfs, 'diff_ids').map(String) },
    Metadata: { LastTagTime: '' },
  };
}

/** The diff_ids of an image from before there were any, where its layers were read. */
function unpackedDigests({ scan, image }: StoredImage): readonly string[] {
  const digests = image.layers.map(layer =>
    layer.member === null ? null : (scan.facts(layer.member)?.unpacked?.digests.sha256 ?? null),
  );
  return digests.includes(null) ? [] : (digests as string[]);
}

function lastComment(document: JsonObject): string {
  const last = listField(document, 'history').at(-1);
  return isObject(last) ? textField(last, 'comment') : '';
}

function classicFields(document: JsonObject, stored: StoredImage): Raw {
  const numbers = numbersIn(stored, 'container_config');
  const own = textField(document, 'comment');
  return {
    ...(own === '' ? {} : { Comment: own }),
    Container: textField(document, 'container'),
    ContainerConfig: decode(CONTAINER_CONFIG, withLists(objectField(document, 'container_config')), numbers),
    DockerVersion: textField(document, 'docker_version'),
  };
}

const containerdFields = ({ target }: StoredImage): Raw => ({
  Descriptor: target === null ? null : decode(DESCRIPTOR, target),
});

/** Fields that depend on the version of the API. */
function versionFields(fields: Raw, minor: number): Raw {
  return {
    ...(minor < 44 ? { VirtualSize: fields.Size } : {}),
    ...(minor < 44 && fields.Created === '' ? { Created: '0001-01-01T00:00:00Z' } : {}),
    ...(minor >= 45 ? { Container: '', ContainerConfig: null } : {}),
    ...(minor < 48 ? { Descriptor: null } : {}),
  };
}

function runConfig(config: JsonObject, store: Store, options: DecodeOptions): { image: Raw; docker: Raw } {
  const source = store !== 'containerd' ? withLists(config) : config;
  return {
    image: decode(IMAGE_CONFIG, source, options) as Raw,
    docker: decode(DOCKER_EXTENSION, source, options) as Raw,
  };
}

/** The texts of a run configuration's numbers. */
function numbersIn({ image }: StoredImage, key: 'config' | 'container_config'): DecodeOptions {
  const texts = image.config?.document?.oddities.numbers.get(key);
  return { texts: typeof texts === 'string' ? undefined : texts };
}

/** Docker before 1.3 wrote a bare string where a list belongs, and its Go type accepts both. moby strslice */
function withLists(config: JsonObject): JsonObject {
  const lists: JsonObject = {};
  for (const key of ['Cmd', 'Entrypoint', 'Shell']) {
    const text: Json | undefined = field(config, key);
    if (typeof text === 'string') lists[key] = [text];
  }
  return { ...config, ...lists };
}

/** An empty list was left out as empty before it was put back as null. */
function emptyAsNull(fields: Raw): Raw {
  const isEmpty = (v: unknown) => (Array.isArray(v) && v.length === 0) || (v instanceof Map && v.size === 0);
  return Object.fromEntries(Object.entries(fields).map(([key, v]) => [key, isEmpty(v) ? null : v]));
}
