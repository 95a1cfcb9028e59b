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
} from '../../go/template/types.js';
import { splitDigest } from '../../spec/digest.js';

/**
 * The Go structs of the image specification, field by field in their order, which is the order of the JSON that Docker
 * and buildx print. https://github.com/opencontainers/image-spec/tree/v1.1.1/specs-go/v1
 */
const ALGORITHM: Type = { kind: 'string', name: 'digest.Algorithm' };

const encoded = (raw: string): Value => ({ type: STRING, raw: splitDigest(raw)[1] });

/** Its methods as far as templates can want them. https://pkg.go.dev/github.com/opencontainers/go-digest */
export const DIGEST: Type = {
  kind: 'string',
  name: 'digest.Digest',
  methods: {
    Algorithm: (raw: string) => ({ type: ALGORITHM, raw: splitDigest(raw)[0] }),
    Encoded: encoded,
    Hex: encoded,
    String: (raw: string) => ({ type: STRING, raw }),
  },
};

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

const SET = mapOf(struct('struct {}', []));

/** config.go; fields that only Docker knows, such as Healthcheck, are not in it and are not shown. */
const IMAGE_CONFIG = struct('v1.ImageConfig', [
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
