import { posix } from 'node:path';
import type { Member } from '../containers/source.js';
import {
  decodeObject,
  field,
  type Item,
  listField,
  manifestItems,
  objectField,
  textField,
} from '../decoding/go-json.js';
import { attempt, cannotTell, refuse, within } from '../decoding/refused.js';
import { SCHEMA2_IMAGE, TARFILE_ITEMS } from '../decoding/structs.js';
import type { GoVersion } from '../go/json/faults.js';
import { isObject, type Json, type JsonObject } from '../spec/json.js';
import { cleanPath } from '../tar/path.js';
import type { StoredBlob } from './synthesise.js';
import {
  CONFIG_BYTES,
  checkKind,
  checkKnown,
  checkSize,
  containersLayer,
  MANIFEST_JSON_BYTES,
  storedBlob,
  type TarFile,
} from './tar-file.js';
import type { LoadedImage } from './verdict.js';

/** The fields of a config that engines read. */
interface EngineConfig {
  readonly os: string;
  /** null where there is no rootfs at all. */
  readonly diffIds: readonly string[] | null;
  /** History entries that claim a layer. */
  readonly layerSteps: number;
}

/** A config as moby's image.Image and containers/image's Schema2Image hold it. */
export function engineConfig(value: JsonObject): EngineConfig {
  const known = read.get(value);
  if (known !== undefined) return known;
  const rootfs = field(value, 'rootfs') ?? null;
  const isLayer = (step: Json) => !isObject(step) || field(step, 'empty_layer') !== true;
  const config = {
    os: textField(value, 'os') || 'linux',
    diffIds: rootfs === null ? null : diffIdsOf(value),
    layerSteps: listField(value, 'history').filter(isLayer).length,
  };
  read.set(value, config);
  return config;
}

/** Many items may share one config, and it may be long. */
const read = new WeakMap<JsonObject, EngineConfig>();

export const diffIdsOf = (config: JsonObject, most = Number.POSITIVE_INFINITY): string[] =>
  listField(objectField(config, 'rootfs'), 'diff_ids').slice(0, most).map(String);

/** A docker-archive as containers/image reads it, for skopeo and podman: entries by name, the first of a name. */
export interface DockerArchive {
  readonly file: TarFile;
  readonly items: readonly Item[];
  readonly first: ReadonlyMap<string, Member>;
  readonly go: GoVersion;
}

/** containers/image docker/internal/tarfile/reader.go */
export function openDockerArchive(file: TarFile, go: GoVersion): DockerArchive {
  within(
    message => `loading tar component "manifest.json": ${message}`,
    () => checkKind(file),
  );
  const packError = file.packError ?? file.lateError;
  if (packError !== null) refuse(`copying contents to temporary file "FILE": ${packError}`);
  const first = new Map<string, Member>();
  for (const member of file.members) {
    const name = cleanPath(member.name);
    if (!first.has(name)) first.set(name, member);
  }
  checkKnown(file, 'manifest.json');
  const manifest = component(first, 'manifest.json');
  if (manifest === null) {
    return refuse(`loading tar component "manifest.json": ${file.error ?? 'file does not exist'}`);
  }
  if (file.cut?.member === manifest) refuse('unexpected EOF');
  checkRegular(manifest, 'manifest.json');
  checkSize(manifest, MANIFEST_JSON_BYTES);
  const items = within(
    message => `decoding tar manifest.json: ${message}`,
    () => manifestItems(file.scan.document(manifest), 'whole', TARFILE_ITEMS, go),
  );
  for (const { config, layers } of items ?? [])
    for (const path of [config, ...layers]) checkKnown(file, component(first, path)?.path ?? cleanPath(path));
  return { file, items: items ?? [], first, go };
}

/** A hard link is a file of no bytes to it, and a type that only some readers know a file with its content. */
function checkRegular({ type, name, flag }: Member, wanted: string): void {
  if (type === 'file' || type === 'hardlink') return;
  if (flag !== undefined) cannotTell({ code: 'tar-type', path: name });
  refuse(
    `loading tar component "${wanted}": Error reading tar archive component "${name}": not a regular file`,
  );
}

/** One symbolic link is followed, no more. */
export function component(first: ReadonlyMap<string, Member>, path: string): Member | null {
  const member = path === '' ? null : (first.get(cleanPath(path)) ?? null);
  if (member?.type !== 'symlink') return member;
  const target = (member.target ?? '').replace(/^\/+/, '');
  return first.get(cleanPath(posix.join(posix.dirname(path), target))) ?? null;
}

interface DockerSource {
  readonly config: StoredBlob;
  readonly member: Member;
  readonly layers: readonly {
    readonly diffId: string;
    readonly size: number | null;
    readonly path: string;
  }[];
}

/**
 * An item of manifest.json with the layers' sizes, as containers/image prepares them. docker/internal/tarfile/src.go
 */
export function openItem({ file, first, go }: DockerArchive, item: Item): DockerSource {
  const member = component(first, item.config);
  if (member === null) return refuse(`loading tar component "${item.config}": file does not exist`);
  checkRegular(member, item.config);
  checkSize(member, CONFIG_BYTES);
  const { diffIds } = within(
    message => `decoding tar config "${item.config}": ${message}`,
    () => engineConfig(decodeObject(file.scan.document(member), 'whole', SCHEMA2_IMAGE, go)),
  );
  if (diffIds === null) return refuse(`Invalid image config (rootFS is not set): "${item.config}"`);
  const count = item.layers.length;
  if (diffIds.length !== count) {
    refuse(`Inconsistent layer count: ${count} in manifest, ${diffIds.length} in config`);
  }
  const paths = pathsOf(diffIds, item.layers);
  const sizes = new Map([...paths].map(([diffId, path]) => [diffId, sizeOf(file, first, path)]));
  if (file.error !== null) refuse(file.error);
  return {
    config: storedBlob(file, member) ?? cannotTell({ code: 'not-read', path: member.path }),
    member,
    layers: diffIds.map(diffId => ({ diffId, size: sizes.get(diffId)!, path: paths.get(diffId)! })),
  };
}

/** The config and layers that containers/image copies for an item; null where it would fail. */
export function loadedItem(archive: DockerArchive, item: Item): LoadedImage | null {
  let loaded: LoadedImage | null = null;
  attempt(() => {
    const { member, layers } = openItem(archive, item);
    loaded = { config: member, layers: layers.map(({ path }) => layerAt(archive, path)) };
  });
  return loaded;
}

function layerAt({ first }: DockerArchive, path: string): Member {
  return component(first, path) ?? refuse('file does not exist');
}

function pathsOf(diffIds: readonly string[], layers: readonly string[]): Map<string, string> {
  const paths = new Map<string, string>();
  const used = new Set<string>();
  for (const [i, diffId] of diffIds.entries()) {
    if (paths.has(diffId)) continue;
    const path = cleanPath(layers[i]!);
    if (used.has(path)) refuse(`Layer tarfile "${path}" used for two different DiffID values`);
    used.add(path);
    paths.set(diffId, path);
  }
  return paths;
}

/** The unpacked size; 0 of a link, whose own header says so; null where that was not read. */
function sizeOf(file: TarFile, first: ReadonlyMap<string, Member>, path: string): number | null {
  const member = first.get(path) ?? refuse('Some layer tarfiles are missing in the tarball');
  if (member.type !== 'file') return 0;
  const { packError, size } = containersLayer(file, member);
  if (packError !== null) refuse(`reading "${path}" to find its size: ${packError}`);
  return size;
}
