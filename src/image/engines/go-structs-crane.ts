import { health, history, ITEM } from './go-structs.js';
import {
  BOOL,
  BYTES,
  type GoType,
  HASH,
  INT64,
  list,
  map,
  pointer,
  SET,
  STRING,
  STRING_MAP,
  STRINGS,
  struct,
  TIME,
} from './go-types.js';

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
