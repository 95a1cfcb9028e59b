// The image that an engine loaded, read from its output: config, layers, and the file that tells the images apart.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { digestOf, encodedOf } from '../support/digest.js';

const NONE = Buffer.alloc(0);

/** An image in an engine's hands. */
export interface Loaded {
  /** The digest of the config. */
  readonly imageId: string;
  /** Digests of the bytes that it unpacked; null for a layer that it did not copy. */
  readonly diffIds: readonly (string | null)[];
  /** The content of `/who` in the topmost layer that has it. */
  readonly who: string;
  readonly manifestDigest: string | null;
  readonly names: readonly string[];
}

/** The digests that a manifest lists. */
export interface ManifestParts {
  readonly config: string;
  readonly layers: readonly string[];
}

const KEYS = new Set([
  ...['schemaVersion', 'mediaType', 'config', 'layers', 'digest', 'size', 'annotations', 'urls'],
  ...['artifactType', 'subject', 'data', 'platform', 'architecture', 'os', 'manifests'],
]);

/** Returns null if the text is not JSON, has a repeated key, or a key that Go's decoder may read as another one. */
export function plainParts(text: string): ManifestParts | null {
  let odd = false;
  const look = (key: string, item: unknown) => {
    if (key !== '' && !/^\d+$/.test(key) && !KEYS.has(key)) odd = true;
    return item;
  };
  try {
    const value = JSON.parse(text, look) as Manifest;
    if (odd || JSON.stringify(value) !== text.replaceAll(/\s/g, '')) return null;
    return { config: value.config.digest, layers: (value.layers ?? []).map(({ digest }) => digest) };
  } catch {
    return null;
  }
}

/** The parts in the first JSON value of a text. */
export function firstParts(text: string): ManifestParts | null {
  for (let end = text.indexOf('}'); end >= 0; end = text.indexOf('}', end + 1)) {
    const parts = plainParts(text.slice(0, end + 1));
    if (parts !== null) return parts;
  }
  return null;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
}

const MAGIC: readonly (readonly [bytes: readonly number[], command: string | null])[] = [
  [[0x1f, 0x8b, 0x08], null],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz'],
  [[0x42, 0x5a, 0x68], 'bzip2'],
];

/** By the checksum of the first header; no bytes, and zeros, are empty tars. */
function isTar(bytes: Buffer): boolean {
  const header = bytes.subarray(0, 512);
  if (header.every(byte => byte === 0)) return true;
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  return Number.parseInt(header.toString('latin1', 148, 156), 8) === sum;
}

/** Unpacks as containers/image does, by the first bytes alone; null if that fails or the result is not a tar. */
export function unpackedBytes(bytes: Buffer): Buffer | null {
  const found = MAGIC.find(([magic]) => magic.every((byte, i) => bytes[i] === byte));
  if (found === undefined) return isTar(bytes) ? bytes : null;
  const [, command] = found;
  if (command === null) {
    try {
      return gunzipSync(bytes);
    } catch {
      return null;
    }
  }
  const { status, stdout } = spawnSync(command, ['-d', '-c', '-q'], { input: bytes, maxBuffer: 1 << 28 });
  return status === 0 ? stdout : null;
}

/** The text after the name `who` in a tar of small files. */
function whoIn(tar: Buffer | null): string | null {
  if (tar === null) return null;
  const at = tar.indexOf('who\0', 0, 'latin1');
  return at < 0 || at % 512 !== 0 ? null : tar.subarray(at + 512, at + 516).toString('latin1');
}

/** An image whose manifest was read, with a function that reads blobs by digest. */
function described(
  bytes: Buffer,
  { config, layers }: ManifestParts,
  blob: (digest: string) => Buffer | null,
): Loaded {
  const tars = layers.map(digest => {
    const layer = blob(digest);
    return layer === null ? null : unpackedBytes(layer);
  });
  return {
    imageId: digestOf(blob(config) ?? NONE),
    diffIds: tars.map(tar => (tar === null ? null : digestOf(tar))),
    who: tars.map(whoIn).findLast(who => who !== null) ?? '',
    manifestDigest: digestOf(bytes),
    names: [],
  };
}

/** The output of `skopeo copy` to `dir:`. */
export const inDir = (folder: string, parts: ManifestParts): Loaded =>
  described(readFileSync(join(folder, 'manifest.json')), parts, digest =>
    bytesOf(join(folder, encodedOf(digest))),
  );

const bytesOf = (path: string): Buffer | null => (existsSync(path) ? readFileSync(path) : null);

/** A manifest of a layout that umoci has unpacked. */
export const inLayout = (folder: string, digest: string, parts: ManifestParts): Loaded => {
  const blob = (name: string) => bytesOf(join(folder, 'blobs', ...name.split(':')));
  return described(blob(digest) ?? NONE, parts, blob);
};

interface StoredImage {
  readonly id: string;
  readonly digest: string;
  readonly names?: readonly string[];
  readonly layer?: string;
}

interface StoredLayer {
  readonly id: string;
  readonly parent?: string;
  readonly 'diff-digest': string;
}

const records = <T>(path: string): readonly T[] =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T[]) : [];

/** The images in a podman storage with driver vfs. */
export function inStorage(root: string): Loaded[] {
  const layers = new Map(
    records<StoredLayer>(join(root, 'vfs-layers/layers.json')).map(layer => [layer.id, layer]),
  );
  return records<StoredImage>(join(root, 'vfs-images/images.json')).map(({ id, digest, names, layer }) => {
    const diffIds: string[] = [];
    for (let at = layers.get(layer ?? ''); at !== undefined; at = layers.get(at.parent ?? ''))
      diffIds.unshift(at['diff-digest']);
    const who = join(root, 'vfs/dir', layer ?? '', 'who');
    return {
      imageId: configIn(join(root, 'vfs-images', id)) ?? `sha256:${id}`,
      diffIds,
      who: existsSync(who) ? readFileSync(who, 'latin1').trim() : '',
      manifestDigest: digest,
      names: names ?? [],
    };
  });
}

/** The digest of the config that is stored with the image. */
function configIn(folder: string): string | null {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const key = /^=(.+)$/.exec(name)?.[1];
    const said = key === undefined ? name : Buffer.from(key, 'base64').toString();
    if (/^sha256:[0-9a-f]{64}$/.test(said)) return digestOf(readFileSync(join(folder, name)));
  }
  return null;
}
