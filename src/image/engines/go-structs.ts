import {
  ANY,
  BOOL,
  BYTES,
  DIGEST,
  DURATION,
  EMPTY_STRUCT,
  type GoType,
  INT,
  INT64,
  list,
  map,
  pointer,
  RAW,
  SET,
  STRING,
  STRING_MAP,
  STRINGS,
  struct,
  TIME,
  words,
} from './go-types.js';

const VERSIONED = struct('specs.Versioned', { schemaVersion: INT });

/** https://github.com/opencontainers/image-spec/tree/v1.1.1/specs-go/v1 */
export const PLATFORM = struct('v1.Platform', {
  architecture: STRING,
  os: STRING,
  'os.version': STRING,
  'os.features': STRINGS,
  variant: STRING,
});

const DESCRIPTOR = struct('v1.Descriptor', {
  mediaType: STRING,
  digest: DIGEST,
  size: INT64,
  urls: STRINGS,
  annotations: STRING_MAP,
  data: BYTES,
  platform: pointer(PLATFORM),
  artifactType: STRING,
});

export const OCI_INDEX_TYPE = struct(
  'v1.Index',
  {
    mediaType: STRING,
    artifactType: STRING,
    manifests: list(DESCRIPTOR),
    subject: pointer(DESCRIPTOR),
    annotations: STRING_MAP,
  },
  { Versioned: VERSIONED },
);

export const OCI_MANIFEST_TYPE = struct(
  'v1.Manifest',
  {
    mediaType: STRING,
    artifactType: STRING,
    config: DESCRIPTOR,
    layers: list(DESCRIPTOR),
    subject: pointer(DESCRIPTOR),
    annotations: STRING_MAP,
  },
  { Versioned: VERSIONED },
);

const OCI_RUN = struct('v1.ImageConfig', {
  User: STRING,
  ExposedPorts: SET,
  Env: STRINGS,
  Entrypoint: STRINGS,
  Cmd: STRINGS,
  Volumes: SET,
  WorkingDir: STRING,
  Labels: STRING_MAP,
  StopSignal: STRING,
  ArgsEscaped: BOOL,
});

const OCI_HISTORY = struct('v1.History', {
  created: pointer(TIME),
  created_by: STRING,
  author: STRING,
  comment: STRING,
  empty_layer: BOOL,
});

export const OCI_IMAGE = struct(
  'v1.Image',
  {
    created: pointer(TIME),
    author: STRING,
    config: OCI_RUN,
    rootfs: struct('v1.RootFS', { type: STRING, diff_ids: list(DIGEST) }),
    history: list(OCI_HISTORY),
  },
  { Platform: PLATFORM },
);

export const IMAGE_LAYOUT = struct('v1.ImageLayout', { imageLayoutVersion: STRING });

/** containers/image manifest/oci.go */
export const OCI1 = struct('manifest.OCI1', {}, { Manifest: OCI_MANIFEST_TYPE });

/** containers/image manifest/docker_schema2.go */
export const SCHEMA2_FIELDS = { mediaType: STRING, size: INT64, digest: DIGEST, urls: STRINGS };
const SCHEMA2_DESCRIPTOR = struct('manifest.Schema2Descriptor', SCHEMA2_FIELDS);

export const SCHEMA2 = struct('manifest.Schema2', {
  schemaVersion: INT,
  mediaType: STRING,
  config: SCHEMA2_DESCRIPTOR,
  layers: list(SCHEMA2_DESCRIPTOR),
});

/** containers/image internal/manifest/docker_schema2_list.go */
export const SCHEMA2_LIST = struct('manifest.Schema2ListPublic', {
  schemaVersion: INT,
  mediaType: STRING,
  manifests: list(
    struct(
      'manifest.Schema2ManifestDescriptor',
      {
        platform: struct('manifest.Schema2PlatformSpec', {
          architecture: STRING,
          os: STRING,
          'os.version': STRING,
          'os.features': STRINGS,
          variant: STRING,
          features: STRINGS,
        }),
      },
      { Schema2Descriptor: SCHEMA2_DESCRIPTOR },
    ),
  ),
});

/** What containers/image looks at of a manifest of which it knows no type. manifest/manifest.go (GuessMIMEType) */
export const GUESS = struct('', {
  mediaType: STRING,
  schemaVersion: INT,
  signatures: ANY,
});
export const GUESS_CONFIG = struct('', { config: struct('', { mediaType: STRING }) });
export const GUESS_INDEX = struct('', { manifests: list(DESCRIPTOR) });

/** A schema 1 manifest: only its version matters here. */
export const SCHEMA1 = struct('manifest.Schema1', { schemaVersion: INT });

/** Fields by which a document is another than it is called. containers/image internal/manifest/common.go */
export const AMBIGUOUS = struct('', {
  config: ANY,
  fsLayers: ANY,
  history: ANY,
  layers: ANY,
  manifests: ANY,
});

/** The same of containerd. core/images/image.go (unknownDocument) */
export const UNKNOWN_DOCUMENT = struct('images.unknownDocument', {
  mediaType: STRING,
  config: RAW,
  layers: RAW,
  manifests: RAW,
  fsLayers: RAW,
});

/** How a container runs, as moby and containers/image hold it: the one has copied the other. */
export function runConfig(name: string, wordList: GoType, ports: GoType, health: GoType): GoType {
  return struct(name, {
    Hostname: STRING,
    Domainname: STRING,
    User: STRING,
    AttachStdin: BOOL,
    AttachStdout: BOOL,
    AttachStderr: BOOL,
    ExposedPorts: ports,
    Tty: BOOL,
    OpenStdin: BOOL,
    StdinOnce: BOOL,
    Env: STRINGS,
    Cmd: wordList,
    Healthcheck: pointer(health),
    ArgsEscaped: BOOL,
    Image: STRING,
    Volumes: SET,
    WorkingDir: STRING,
    Entrypoint: wordList,
    NetworkDisabled: BOOL,
    MacAddress: STRING,
    OnBuild: STRINGS,
    Labels: STRING_MAP,
    StopSignal: STRING,
    StopTimeout: pointer(INT),
    Shell: wordList,
  });
}

export const health = (name: string, more: Readonly<Record<string, GoType>> = {}): GoType =>
  struct(name, {
    Test: STRINGS,
    Interval: DURATION,
    Timeout: DURATION,
    StartPeriod: DURATION,
    Retries: INT,
    ...more,
  });

export const v1Image = (name: string, run: GoType) =>
  struct(name, {
    id: STRING,
    parent: STRING,
    comment: STRING,
    created: TIME,
    container: STRING,
    container_config: run,
    docker_version: STRING,
    author: STRING,
    config: pointer(run),
    architecture: STRING,
    variant: STRING,
    os: STRING,
    Size: INT64,
  });

export const history = (name: string): GoType =>
  struct(name, {
    created: TIME,
    author: STRING,
    created_by: STRING,
    comment: STRING,
    empty_layer: BOOL,
  });

export const imageFields = (prefix: string, of: string) => ({
  parent: DIGEST,
  rootfs: pointer(struct(`${of}.${prefix}RootFS`, { type: STRING, diff_ids: list(DIGEST) })),
  history: list(history(`${of}.${prefix}History`)),
  'os.version': STRING,
  'os.features': STRINGS,
});

/** containers/image manifest/docker_schema2.go */
const SCHEMA2_PORTS = map(
  EMPTY_STRUCT,
  { kind: 'string', name: 'manifest.Schema2Port' },
  'manifest.Schema2PortSet',
);
export const SCHEMA2_V1_IMAGE = v1Image(
  'manifest.Schema2V1Image',
  runConfig(
    'manifest.Schema2Config',
    words('strslice.StrSlice'),
    SCHEMA2_PORTS,
    health('manifest.Schema2HealthConfig'),
  ),
);
export const SCHEMA2_IMAGE = struct('manifest.Schema2Image', imageFields('Schema2', 'manifest'), {
  Schema2V1Image: SCHEMA2_V1_IMAGE,
});

/** What all readers of manifest.json know. */
export const ITEM = { Config: STRING, RepoTags: STRINGS, Layers: STRINGS };

/** containers/image docker/internal/tarfile/types.go */
export const TARFILE_ITEMS = list(
  struct('tarfile.ManifestItem', {
    ...ITEM,
    Parent: { kind: 'string', name: 'tarfile.imageID' },
    LayerSources: map(SCHEMA2_DESCRIPTOR, DIGEST),
  }),
);
