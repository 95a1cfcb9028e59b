// Builds an image from an object literal: layers as tars, compressed, and a config that matches them.
import { type Compression, compress } from './compression.js';
import { type Algorithm, bytesOf, digestOf, goJson, sortedKeys, textOf } from './digest.js';
import { type TarEntry, tarBytes } from './tar.js';

export type { TarEntry } from './tar.js';

/** A file's content, or the fields of its tar entry. */
export type FileSpec = string | Uint8Array | Omit<TarEntry, 'path'>;

export interface LayerSpec {
  /** Written in this order, each after its missing parent directories; a path that ends in a slash is a directory. */
  readonly files?: Readonly<Record<string, FileSpec>>;
  /** Written after `files`, exactly as given. */
  readonly entries?: readonly TarEntry[];
  /** The layer's uncompressed bytes, instead of `files` and `entries`. */
  readonly tar?: Uint8Array;
  readonly createdBy?: string;
  readonly compression?: Compression;
  /** Overrides the media type of the compression. */
  readonly mediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** A foreign layer: the URLs of its bytes. */
  readonly urls?: readonly string[];
  /** A foreign layer is often not in the archive. */
  readonly absent?: boolean;
}

/** A history step without a layer. */
export interface EmptyStep {
  readonly emptyLayer: true;
  readonly createdBy: string;
}

export interface HistoryItem {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface ImageConfig {
  readonly architecture: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly created: string;
  readonly history: readonly HistoryItem[];
  readonly os: string;
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly string[] };
  readonly variant?: string;
  readonly [other: string]: unknown;
}

export interface ImageSpec {
  readonly layers: readonly (LayerSpec | EmptyStep)[];
  /** Fields that override the computed ones of the config document; `undefined` removes a field. */
  readonly config?: { readonly [Field in keyof ImageConfig]?: ImageConfig[Field] | undefined };
  readonly platform?: Platform;
  readonly history?: readonly HistoryItem[];
  readonly created?: string;
  /** Spaces of indentation, for producers that indent their config (Nix: 4). */
  readonly indent?: number;
}

export interface Layer {
  readonly tar: Uint8Array;
  readonly diffId: string;
  readonly blob: Uint8Array;
  readonly digest: string;
  readonly size: number;
  readonly compression: Compression;
  readonly entries: readonly TarEntry[];
  readonly spec: LayerSpec;
}

export interface Image {
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly imageId: string;
  readonly diffIds: readonly string[];
  readonly chainIds: readonly string[];
  readonly platform: Platform;
  readonly created: string;
}

export const CREATED = '2023-11-14T22:13:20Z';
export const PATH_ENV = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const AMD64: Platform = { os: 'linux', architecture: 'amd64' };

export async function image(spec: ImageSpec): Promise<Image> {
  const created = spec.created ?? CREATED;
  const mtime = Math.floor(Date.parse(created) / 1000);
  const layers: Layer[] = [];
  for (const step of spec.layers) if (!isEmpty(step)) layers.push(await layer(step, mtime));
  const diffIds = layers.map(({ diffId }) => diffId);
  const config = configOf(spec, created, diffIds);
  const configBytes = bytesOf(goJson(config, spec.indent));
  return { ...assemble(configBytes, layers), platform: spec.platform ?? AMD64, created };
}

/** An image from parts, such as those of a real one. */
export function assemble(configBytes: Uint8Array, layers: readonly Layer[]): Image {
  const config = JSON.parse(textOf(configBytes)) as ImageConfig;
  const diffIds = layers.map(({ diffId }) => diffId);
  const { os, architecture, variant, created } = config;
  return {
    layers,
    config,
    configBytes,
    imageId: digestOf(configBytes),
    diffIds,
    chainIds: chainIdsOf(diffIds),
    platform: { os, architecture, ...(variant !== undefined && { variant }) },
    created,
  };
}

/** An image of `count` layers whose bytes depend on `seed`, for tests in which the content does not matter. */
export function plainImage(seed = 'plain', count = 2, compression: Compression = 'none'): Promise<Image> {
  return image({
    layers: Array.from({ length: count }, (_, index) => ({
      files: { [`${seed}/file-${index}`]: `${seed} ${index}\n` },
      createdBy: `COPY file-${index} /${seed}/ # buildkit`,
      compression,
    })),
  });
}

const isEmpty = (step: LayerSpec | EmptyStep): step is EmptyStep => 'emptyLayer' in step;

export async function layer(spec: LayerSpec, mtime = 0): Promise<Layer> {
  const entries = [...entriesOf(spec.files ?? {}, mtime), ...(spec.entries ?? [])];
  const tar = spec.tar ?? (await tarBytes(entries));
  const compression = spec.compression ?? 'none';
  return layerOf(tar, compress(tar, compression), compression, entries, spec);
}

/** A layer from its uncompressed and stored bytes. */
export function layerOf(
  tar: Uint8Array,
  blob = tar,
  compression: Compression = 'none',
  entries: readonly TarEntry[] = [],
  spec: LayerSpec = {},
): Layer {
  const [diffId, digest] = [digestOf(tar), digestOf(blob)];
  return { tar, diffId, blob, digest, size: blob.length, compression, entries, spec };
}

/** config.md: ChainID(L0) = diff_id 0; ChainID(n) = sha256(ChainID(n-1) + " " + diff_id n). */
export function chainIdsOf(diffIds: readonly string[], algorithm: Algorithm = 'sha256'): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const previous = chain.at(-1);
    chain.push(previous === undefined ? diffId : digestOf(`${previous} ${diffId}`, algorithm));
  }
  return chain;
}

function entriesOf(files: Readonly<Record<string, FileSpec>>, mtime: number): TarEntry[] {
  const made = new Set<string>();
  const entries: TarEntry[] = [];
  const add = (entry: TarEntry) => {
    if (entry.path.endsWith('/')) made.add(entry.path);
    entries.push(entry);
  };
  for (const [path, spec] of Object.entries(files)) {
    for (const parent of parentsOf(path)) if (!made.has(parent)) add({ path: parent, mtime });
    const more = typeof spec === 'string' || spec instanceof Uint8Array ? { bytes: spec } : spec;
    if (!made.has(path)) add({ mtime, ...more, path });
  }
  return entries;
}

/** The parents of a path: `etc/` and `etc/app/` for `etc/app/x`. */
function parentsOf(path: string): string[] {
  const parts = path.replace(/\/$/, '').split('/');
  return parts
    .slice(0, -1)
    .map((_, index) => `${parts.slice(0, index + 1).join('/')}/`)
    .filter(parent => parent !== '/');
}

function configOf(spec: ImageSpec, created: string, diffIds: readonly string[]): ImageConfig {
  const { os, architecture, variant } = spec.platform ?? AMD64;
  const computed = {
    architecture,
    config: { Env: [PATH_ENV], Cmd: ['/bin/sh'], WorkingDir: '/' },
    created,
    history: spec.history ?? historyOf(spec.layers, created),
    os,
    rootfs: { type: 'layers', diff_ids: diffIds },
    variant,
  };
  return sortedKeys({ ...computed, ...spec.config }) as ImageConfig;
}

function historyOf(steps: readonly (LayerSpec | EmptyStep)[], created: string): HistoryItem[] {
  return steps.map((step, index) => ({
    created,
    created_by: step.createdBy ?? `COPY layer-${index} / # buildkit`,
    comment: 'buildkit.dockerfile.v0',
    ...(isEmpty(step) && { empty_layer: true }),
  }));
}
