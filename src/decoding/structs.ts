import {
  ANY,
  BOOL,
  BYTES,
  DIGEST,
  DURATION,
  EMPTY_STRUCT,
  type GoType,
  HASH,
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
} from '../go/json/types.js';

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
const SCHEMA2_FIELDS = { mediaType: STRING, size: INT64, digest: DIGEST, urls: STRINGS };
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

/** The fields by which containers/image guesses the type of a manifest. manifest/manifest.go (GuessMIMEType) */
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

const health = (name: string, more: Readonly<Record<string, GoType>> = {}): GoType =>
  struct(name, {
    Test: STRINGS,
    Interval: DURATION,
    Timeout: DURATION,
    StartPeriod: DURATION,
    Retries: INT,
    ...more,
  });

const v1Image = (name: string, run: GoType) =>
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

const imageFields = (prefix: string, of: string) => ({
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

/** The fields of manifest.json that all readers know. */
const ITEM = { Config: STRING, RepoTags: STRINGS, Layers: STRINGS };

/** containers/image docker/internal/tarfile/types.go */
export const TARFILE_ITEMS = list(
  struct('tarfile.ManifestItem', {
    ...ITEM,
    Parent: { kind: 'string', name: 'tarfile.imageID' },
    LayerSources: map(SCHEMA2_DESCRIPTOR, DIGEST),
  }),
);

/** moby image/image.go, image/rootfs.go, api/types/container/config.go */
const MOBY_PORTS = map(EMPTY_STRUCT, { kind: 'string', name: 'nat.Port' }, 'nat.PortSet');
export const MOBY_V1_IMAGE = v1Image(
  'image.V1Image',
  runConfig(
    'container.Config',
    words('strslice.StrSlice'),
    MOBY_PORTS,
    health('container.HealthConfig', { StartInterval: DURATION }),
  ),
);
export const MOBY_IMAGE = struct('image.Image', imageFields('', 'image'), { V1Image: MOBY_V1_IMAGE });

/** moby image/tarexport/load.go (legacyLoadImage) */
export const MOBY_LEGACY = struct('', { OS: STRING, Parent: STRING });
export const MOBY_REPOSITORIES = map(map(STRING));

/** moby image/tarexport/tarexport.go */
export const MOBY_ITEMS = list(
  struct('tarexport.manifestItem', {
    ...ITEM,
    Parent: { kind: 'string', name: 'image.ID' },
    LayerSources: map(
      struct('distribution.Descriptor', {
        ...SCHEMA2_FIELDS,
        annotations: STRING_MAP,
        platform: pointer(PLATFORM),
      }),
      { kind: 'string', name: 'layer.DiffID' },
    ),
  }),
);

/** containerd core/images/archive/importer.go */
export const CONTAINERD_ITEMS = list(
  struct('struct { Config string; RepoTags []string; Layers []string }', ITEM),
);

const MEDIA_TYPE: GoType = { kind: 'string', name: 'types.MediaType' };

/** go-containerregistry pkg/v1/platform.go, manifest.go */
const CRANE_PLATFORM = struct('v1.Platform', {
  architecture: STRING,
  os: STRING,
  'os.version': STRING,
  'os.features': STRINGS,
  variant: STRING,
  features: STRINGS,
});

const CRANE_DESCRIPTOR = struct('v1.Descriptor', {
  mediaType: MEDIA_TYPE,
  size: INT64,
  digest: HASH,
  data: BYTES,
  urls: STRINGS,
  annotations: STRING_MAP,
  platform: pointer(CRANE_PLATFORM),
  artifactType: STRING,
});

/** go-containerregistry pkg/v1/tarball/image.go */
export const CRANE_ITEMS = list(
  struct('tarball.Descriptor', { ...ITEM, LayerSources: map(CRANE_DESCRIPTOR, HASH) }),
  'tarball.Manifest',
);

const CRANE_RUN = struct('v1.Config', {
  AttachStderr: BOOL,
  AttachStdin: BOOL,
  AttachStdout: BOOL,
  Cmd: STRINGS,
  Healthcheck: pointer(health('v1.HealthConfig')),
  Domainname: STRING,
  Entrypoint: STRINGS,
  Env: STRINGS,
  Hostname: STRING,
  Image: STRING,
  Labels: STRING_MAP,
  OnBuild: STRINGS,
  OpenStdin: BOOL,
  StdinOnce: BOOL,
  Tty: BOOL,
  User: STRING,
  Volumes: SET,
  WorkingDir: STRING,
  ExposedPorts: SET,
  ArgsEscaped: BOOL,
  NetworkDisabled: BOOL,
  MacAddress: STRING,
  StopSignal: STRING,
  Shell: STRINGS,
});

/** go-containerregistry pkg/v1/config.go */
export const CRANE_CONFIG = struct('v1.ConfigFile', {
  architecture: STRING,
  author: STRING,
  container: STRING,
  created: TIME,
  docker_version: STRING,
  history: list(history('v1.History')),
  os: STRING,
  rootfs: struct('v1.RootFS', { type: STRING, diff_ids: list(HASH) }),
  config: CRANE_RUN,
  'os.version': STRING,
  variant: STRING,
  'os.features': STRINGS,
});

/** go-containerregistry pkg/v1/manifest.go */
export const CRANE_INDEX = struct('v1.IndexManifest', {
  schemaVersion: INT64,
  mediaType: MEDIA_TYPE,
  manifests: list(CRANE_DESCRIPTOR),
  annotations: STRING_MAP,
  subject: pointer(CRANE_DESCRIPTOR),
});

export const CRANE_MANIFEST = struct('v1.Manifest', {
  schemaVersion: INT64,
  mediaType: MEDIA_TYPE,
  config: CRANE_DESCRIPTOR,
  layers: list(CRANE_DESCRIPTOR),
  annotations: STRING_MAP,
  subject: pointer(CRANE_DESCRIPTOR),
});
