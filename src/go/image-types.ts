import { splitDigest } from '../spec/digest.js';
import { CallError } from './template/errors.js';
import {
  BOOL,
  INT,
  INT64,
  mapOf,
  pointerTo,
  STRING,
  STRING_MAP,
  STRINGS,
  sliceOf,
  struct,
  TIME,
  type Type,
  type Value,
  value,
} from './template/types.js';

/**
 * The Go structs of the image specification, field by field in their order, which is the order of the JSON that Docker
 * and buildx print. https://github.com/opencontainers/image-spec/tree/v1.1.1/specs-go/v1
 */

/** Bytes of the hashes that go-digest has registered. algorithm.go */
const HASH_BYTES: ReadonlyMap<string, number> = new Map([
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
]);

/** digest.go (DigestRegexpAnchored) */
const GRAMMAR = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

const ALGORITHM: Type = {
  kind: 'string',
  name: 'digest.Algorithm',
  methods: {
    Available: (raw: string) => value(BOOL, HASH_BYTES.has(raw)),
    Size: (raw: string) => value(INT, HASH_BYTES.get(raw) ?? 0),
    String: (raw: string) => value(STRING, raw),
  },
};

/** A nil `error`: it is printed as `<nil>`, and is false. */
const NO_ERROR = pointerTo(struct('errors.errorString', []));

/** Go's `error` as the only result of a method. */
const errorValue = (message: string | null): Value =>
  message === null ? value(NO_ERROR, null) : value(STRING, message);

/** @throws CallError where Go panics: without a colon there are no two parts */
function partsOf(digest: string): [algorithm: string, encoded: string] {
  if (!digest.includes(':')) throw new CallError(`no ':' separator in digest ${JSON.stringify(digest)}`);
  return splitDigest(digest);
}

const encoded = (raw: string): Value => value(STRING, partsOf(raw)[1]);

/**
 * `digest.Digest` with its methods that take no argument and whose result a template can print.
 * https://pkg.go.dev/github.com/opencontainers/go-digest
 */
export const DIGEST: Type = {
  kind: 'string',
  name: 'digest.Digest',
  methods: {
    Algorithm: (raw: string) => value(ALGORITHM, partsOf(raw)[0]),
    Encoded: encoded,
    Hex: encoded,
    String: (raw: string) => value(STRING, raw),
    Validate: (raw: string) => digestError(raw),
  },
};

/** Errors of go-digest. A template prints the text of an error, and `<nil>` where there is none. */
function digestError(digest: string): Value {
  const colon = digest.indexOf(':');
  if (colon <= 0 || colon + 1 === digest.length) return errorValue('invalid checksum digest format');
  const [algorithm, hex] = splitDigest(digest);
  const bytes = HASH_BYTES.get(algorithm);
  if (bytes === undefined)
    return errorValue(
      GRAMMAR.test(digest) ? 'unsupported digest algorithm' : 'invalid checksum digest format',
    );
  if (hex.length !== bytes * 2) return errorValue('invalid checksum digest length');
  return errorValue(/^[a-f0-9]+$/.test(hex) ? null : 'invalid checksum digest format');
}

const BYTES: Type = { kind: 'slice', elem: { kind: 'uint', bits: 8 } };

/** descriptor.go */
export const PLATFORM = struct('v1.Platform', [
  { name: 'Architecture', type: STRING, json: 'architecture' },
  { name: 'OS', type: STRING, json: 'os' },
  { name: 'OSVersion', type: STRING, json: 'os.version', omitEmpty: true },
  { name: 'OSFeatures', type: STRINGS, json: 'os.features', omitEmpty: true },
  { name: 'Variant', type: STRING, json: 'variant', omitEmpty: true },
]);

export interface PlatformRaw {
  readonly Architecture?: string;
  readonly OS?: string;
  readonly OSVersion?: string;
  readonly OSFeatures?: readonly string[] | null;
  readonly Variant?: string;
}

/** descriptor.go */
export const DESCRIPTOR = struct('v1.Descriptor', [
  { name: 'MediaType', type: STRING, json: 'mediaType' },
  { name: 'Digest', type: DIGEST, json: 'digest' },
  { name: 'Size', type: INT64, json: 'size' },
  { name: 'URLs', type: STRINGS, json: 'urls', omitEmpty: true },
  { name: 'Annotations', type: STRING_MAP, json: 'annotations', omitEmpty: true },
  { name: 'Data', type: BYTES, json: 'data', omitEmpty: true },
  { name: 'Platform', type: pointerTo(PLATFORM), json: 'platform', omitEmpty: true },
  { name: 'ArtifactType', type: STRING, json: 'artifactType', omitEmpty: true },
]);

export interface DescriptorRaw {
  readonly MediaType?: string;
  readonly Digest?: string;
  readonly Size?: number | bigint;
  readonly URLs?: readonly string[] | null;
  readonly Annotations?: ReadonlyMap<string, string> | null;
  readonly Platform?: PlatformRaw | null;
}

/** index.go; its `specs.Versioned` is never shown, so its one field stands here. */
export const INDEX = struct('v1.Index', [
  { name: 'SchemaVersion', type: INT, json: 'schemaVersion' },
  { name: 'MediaType', type: STRING, json: 'mediaType', omitEmpty: true },
  { name: 'Manifests', type: sliceOf(DESCRIPTOR), json: 'manifests' },
  { name: 'Annotations', type: STRING_MAP, json: 'annotations', omitEmpty: true },
]);

export interface IndexRaw {
  readonly SchemaVersion?: number;
  readonly MediaType?: string;
  readonly Manifests?: readonly DescriptorRaw[] | null;
  readonly Annotations?: ReadonlyMap<string, string> | null;
}

/** manifest.go */
export const MANIFEST = struct('v1.Manifest', [
  { name: 'Config', type: DESCRIPTOR, json: 'config' },
  { name: 'Layers', type: sliceOf(DESCRIPTOR), json: 'layers' },
]);

export interface ManifestRaw {
  readonly Config?: DescriptorRaw;
  readonly Layers?: readonly DescriptorRaw[] | null;
}

/** A set, as Go writes it: `map[string]struct{}`. */
export const SET = mapOf(struct('struct {}', []));

/** config.go; fields that only Docker knows, such as Healthcheck, are not in it. */
export const IMAGE_CONFIG = struct('v1.ImageConfig', [
  { name: 'User', type: STRING, omitEmpty: true },
  { name: 'ExposedPorts', type: SET, omitEmpty: true },
  { name: 'Env', type: STRINGS, omitEmpty: true },
  { name: 'Entrypoint', type: STRINGS, omitEmpty: true },
  { name: 'Cmd', type: STRINGS, omitEmpty: true },
  { name: 'Volumes', type: SET, omitEmpty: true },
  { name: 'WorkingDir', type: STRING, omitEmpty: true },
  { name: 'Labels', type: STRING_MAP, omitEmpty: true },
  { name: 'StopSignal', type: STRING, omitEmpty: true },
  { name: 'ArgsEscaped', type: BOOL, omitEmpty: true },
]);

const ROOT_FS = struct('v1.RootFS', [
  { name: 'Type', type: STRING, json: 'type' },
  { name: 'DiffIDs', type: sliceOf(DIGEST), json: 'diff_ids' },
]);

const HISTORY = struct('v1.History', [
  { name: 'Created', type: pointerTo(TIME), json: 'created', omitEmpty: true },
  { name: 'CreatedBy', type: STRING, json: 'created_by', omitEmpty: true },
  { name: 'Author', type: STRING, json: 'author', omitEmpty: true },
  { name: 'Comment', type: STRING, json: 'comment', omitEmpty: true },
  { name: 'EmptyLayer', type: BOOL, json: 'empty_layer', omitEmpty: true },
]);

/** config.go */
export const IMAGE = struct('v1.Image', [
  { name: 'Created', type: pointerTo(TIME), json: 'created', omitEmpty: true },
  { name: 'Author', type: STRING, json: 'author', omitEmpty: true },
  { name: 'Platform', type: PLATFORM, embedded: true },
  { name: 'Config', type: IMAGE_CONFIG, json: 'config', omitEmpty: true },
  { name: 'RootFS', type: ROOT_FS, json: 'rootfs' },
  { name: 'History', type: sliceOf(HISTORY), json: 'history', omitEmpty: true },
]);

/**
 * `container.Config`'s sets of ports have methods on their keys.
 * https://pkg.go.dev/github.com/docker/go-connections/nat
 */
const PORT: Type = {
  kind: 'string',
  name: 'nat.Port',
  methods: {
    Int: (raw: string) => value(INT, portNumber(portParts(raw).port)),
    Port: (raw: string) => value(STRING, portParts(raw).port),
    Proto: (raw: string) => value(STRING, portParts(raw).protocol),
  },
};

export const PORT_SET: Type = { ...mapOf(struct('struct {}', []), PORT), name: 'nat.PortSet' } as Type;

/** nat.go (SplitProtoPort): `8080/udp`, where tcp is what is meant without a protocol. */
function portParts(text: string): { readonly port: string; readonly protocol: string } {
  const slash = text.indexOf('/');
  const port = slash < 0 ? text : text.slice(0, slash);
  if (port === '') return { port: '', protocol: '' };
  return { port, protocol: (slash < 0 ? '' : text.slice(slash + 1)) || 'tcp' };
}

/** strconv.ParseUint of 16 bits, whose error nat.Port.Int drops: of a number that is too large the largest is left. */
const portNumber = (text: string): number => (/^\d+$/.test(text) ? Math.min(Number(text), 65535) : 0);
