// The image IDs of Docker's first format, from which later producers still compute the names of directories.

import { digestOf, encodedOf, goJson, hexOf, sortedKeys } from './digest.js';
import { chainIdsOf, type ImageConfig } from './image.js';

export interface V1Layer {
  readonly id: string;
  /** The `json` file. */
  readonly json: string;
}

/** moby api/types/container.Config: Go writes a struct's fields in this order; marked fields may be absent. */
const RUN_CONFIG: readonly (readonly [field: string, empty: unknown])[] = [
  ['Hostname', ''],
  ['Domainname', ''],
  ['User', ''],
  ['AttachStdin', false],
  ['AttachStdout', false],
  ['AttachStderr', false],
  ['ExposedPorts', undefined],
  ['Tty', false],
  ['OpenStdin', false],
  ['StdinOnce', false],
  ['Env', null],
  ['Cmd', null],
  ['Healthcheck', undefined],
  ['ArgsEscaped', undefined],
  ['Image', ''],
  ['Volumes', null],
  ['WorkingDir', ''],
  ['Entrypoint', null],
  ['NetworkDisabled', undefined],
  ['MacAddress', undefined],
  ['OnBuild', null],
  ['Labels', null],
  ['StopSignal', undefined],
  ['StopTimeout', undefined],
  ['Shell', undefined],
];

/** moby image.V1Image, without `id` and `parent`, which come first. */
const V1_FIELDS = [
  'comment',
  'created',
  'container',
  'container_config',
  'docker_version',
  'author',
  'config',
  'architecture',
  'variant',
  'os',
] as const;

export function runConfig(config: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(RUN_CONFIG.map(([field, empty]) => [field, config[field] ?? empty]));
}

function v1Image(config: ImageConfig, top: boolean, epoch: string): Record<string, unknown> {
  if (!top) return { created: epoch, container_config: runConfig() };
  const values: Record<string, unknown> = {
    ...config,
    container_config: runConfig(config.container_config as ImageConfig['config'] | undefined),
    config: runConfig(config.config),
  };
  return Object.fromEntries(V1_FIELDS.map(field => [field, values[field]]).filter(([, value]) => value));
}

/**
 * The directories of `docker save`, base first: moby image/tarexport/save.go and image/v1/imagev1.go (CreateID).
 * `epoch` is time zero in the time zone of the daemon.
 */
export function v1Layers(config: ImageConfig, epoch = '1970-01-01T00:00:00Z'): V1Layer[] {
  const chain = chainIdsOf(config.rootfs.diff_ids);
  const made: V1Layer[] = [];
  for (const [index, chainId] of chain.entries()) {
    const fields = v1Image(config, index === chain.length - 1, epoch);
    const parent = made.at(-1)?.id;
    const named = { ...fields, layer_id: chainId, parent: parent && `sha256:${parent}` };
    const id = hexOf(goJson(sortedKeys(named)));
    const { os: _, ...rest } = fields;
    made.push({ id, json: goJson({ id, parent, ...rest, os: config.os }) });
  }
  return made;
}

const PODMAN_FIELDS = [
  'architecture',
  'config',
  'container',
  'container_config',
  'created',
  'docker_version',
  'os',
] as const;

/** The directories of podman and skopeo: containers/image docker/internal/tarfile/writer.go, writeLegacyMetadata. */
export function podmanLayers(config: ImageConfig, diffIds = config.rootfs.diff_ids): V1Layer[] {
  const made: V1Layer[] = [];
  for (const [index, chainId] of chainIdsOf(diffIds).entries()) {
    const top = index === diffIds.length - 1;
    const own = top ? PODMAN_FIELDS.map(field => [field, config[field] ?? null]) : [];
    const fields: Record<string, unknown> = { ...Object.fromEntries(own), parent: made.at(-1)?.id };
    const id = hexOf(goJson(sortedKeys({ ...fields, layer_id: chainId })));
    made.push({ id, json: goJson(sortedKeys({ ...fields, id })) });
  }
  return made;
}

export interface LegacyLayer extends V1Layer {
  /** Undefined if the step created no layer: Docker 1.9 wrote an empty tar for it. */
  readonly layer: number | undefined;
}

/** Docker up to 1.9: one image for every step, with random IDs (here derived from the content, to be reproducible). */
export function legacyLayers(config: ImageConfig): LegacyLayer[] {
  const made: LegacyLayer[] = [];
  let layer = 0;
  for (const [index, step] of config.history.entries()) {
    const parent = made.at(-1)?.id;
    const own = step.empty_layer === true ? undefined : layer++;
    const id = encodedOf(digestOf(`${parent} ${config.rootfs.diff_ids[own ?? -1]} ${step.created_by}`));
    const fields = {
      id,
      parent,
      created: step.created ?? config.created,
      container_config: runConfig({ Cmd: ['/bin/sh', '-c', step.created_by ?? ''] }),
      docker_version: '1.9.1',
      config: runConfig(index === config.history.length - 1 ? config.config : {}),
      architecture: config.architecture,
      os: config.os,
    };
    made.push({ id, layer: own, json: goJson(fields) });
  }
  return made;
}
