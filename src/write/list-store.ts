import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listText } from '../docker/manifest/inspect.js';
import { InputError, isSystemError, reasonOf } from '../errors.js';
import type { DescriptorRaw } from '../go/image-types.js';
import { digestKind, digestOf, splitDigest } from '../spec/digest.js';
import { isObject, type Json, type JsonObject, own } from '../spec/json.js';
import { replaceFile } from './file.js';
import { writing } from './system-error.js';

/** Version of the format of stored lists. A file with another number is not read. */
const VERSION = 1;

export function toFile({ name, entries }: ManifestList): string {
  const stored = entries.map(entry => ({
    ...entry,
    manifest: Buffer.from(entry.manifest).toString('base64'),
  }));
  return `${JSON.stringify({ version: VERSION, name, entries: stored }, null, 2)}\n`;
}

/** @returns null if it is not a stored list: another version, damaged, or changed by hand */
export function fromFile(text: string): ManifestList | null {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  if (!isObject(value) || own(value, 'version') !== VERSION) return null;
  const name = own(value, 'name');
  const entries = listOf(own(value, 'entries'), toEntry);
  return typeof name === 'string' && entries !== null ? { name, entries } : null;
}

function toEntry(value: JsonObject): ListEntry | null {
  const archive = textOf(value, 'archive');
  const name = textOf(value, 'name');
  const mediaType = textOf(value, 'mediaType');
  const digest = digestIn(value);
  const encoded = textOf(value, 'manifest');
  const platform = toPlatform(own(value, 'platform'));
  const blobs = listOf(own(value, 'blobs'), toBlob);
  const ref = textOrNull(value, 'ref');
  const inside = textOrNull(value, 'inside');
  if (archive === null || name === null || mediaType === null || digest === null || encoded === null)
    return null;
  if (platform === null || blobs === null || ref === undefined || inside === undefined) return null;
  const manifest = Buffer.from(encoded, 'base64');
  if (digestOf(manifest, splitDigest(digest)[0] === 'sha512' ? 'sha512' : 'sha256') !== digest) return null;
  return { archive, ref, inside, name, mediaType, digest, manifest, platform, blobs };
}

function toPlatform(value: Json | undefined): ListPlatform | null {
  if (!isObject(value)) return null;
  const [architecture, os] = [textOf(value, 'architecture'), textOf(value, 'os')];
  const [osVersion, variant] = [textOf(value, 'osVersion'), textOf(value, 'variant')];
  const features = own(value, 'osFeatures');
  const osFeatures = Array.isArray(features) ? features.filter(feature => typeof feature === 'string') : null;
  if (architecture === null || os === null || osVersion === null || variant === null) return null;
  return osFeatures === null ? null : { architecture, os, osVersion, osFeatures, variant };
}

function toBlob(value: JsonObject): ListedBlob | null {
  const digest = digestIn(value);
  const size = own(value, 'size');
  const path = textOrNull(value, 'path');
  const what = textOf(value, 'what');
  if (digest === null || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return null;
  return path === undefined || what === null ? null : { digest, size, path, what };
}

/** The digest is used as a file name and must be computable. */
function digestIn(value: JsonObject): string | null {
  const digest = textOf(value, 'digest');
  return digest !== null && digestKind(digest) === 'computable' ? digest : null;
}

function textOf(value: JsonObject, key: string): string | null {
  const text = own(value, key);
  return typeof text === 'string' ? text : null;
}

/** Returns undefined if the value is neither text nor null. */
function textOrNull(value: JsonObject, key: string): string | null | undefined {
  return own(value, key) === null ? null : (textOf(value, key) ?? undefined);
}

function listOf<T>(value: Json | undefined, read: (item: JsonObject) => T | null): T[] | null {
  if (!Array.isArray(value)) return null;
  const items = value.map(item => (isObject(item) ? read(item) : null));
  return items.includes(null) ? null : (items as T[]);
}

/**
 * The manifest lists that are not yet pushed, each in a file of a directory. The name of a list may contain characters
 * that a file name may not, so the file is named by a hash of it and contains the name.
 */
interface ListStore {
  /** @throws InputError if the stored file is not a list */
  get(name: string): ManifestList | null;
  has(name: string): boolean;
  put(list: ManifestList): void;
  /** @returns true if the list existed */
  remove(name: string): boolean;
}

export function listStore(directory: string): ListStore {
  const fileOf = (name: string) => join(directory, `${createHash('sha256').update(name).digest('hex')}.json`);
  const has = (name: string) => existsSync(fileOf(name));
  return {
    has,
    get(name) {
      const text = read(fileOf(name));
      if (text === null) return null;
      const list = fromFile(text);
      if (list?.name === name) return list;
      throw new InputError(
        'no manifest list that can be read: another version wrote it, or it is damaged',
        fileOf(name),
        `Forget it with \`waybill manifest rm ${name}\` and create it again.`,
      );
    },
    put(list) {
      // Docker too keeps them in a directory that other users cannot read.
      writing(directory, () => makeDirectory(directory));
      replaceFile(fileOf(list.name), toFile(list));
    },
    remove(name) {
      if (!has(name)) return false;
      writing(fileOf(name), () => rmSync(fileOf(name)));
      return true;
    },
  };
}

/**
 * Creates a directory and its parents. Node's recursive mkdir reports every obstacle as ENOENT, and loops for ever
 * where nothing can be created, as in /proc.
 */
function makeDirectory(path: string): void {
  const make = () => mkdirSync(path, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    make();
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new InputError(`cannot be read: ${reasonOf(error)}`, file, null, { cause: error });
  }
}

/** A list of manifests that is not yet written, as `docker manifest create` starts one. */
export interface ManifestList {
  /** The full name, as Docker keeps it: `docker.io/library/app:1.2`. */
  readonly name: string;
  readonly entries: readonly ListEntry[];
}

/** One image of a list. */
export interface ListEntry {
  /** Absolute path of the archive from which the image will be copied. */
  readonly archive: string;
  /** The reference that selected the image in the archive; null if none was needed. */
  readonly ref: string | null;
  /** Path of the image tarball inside a zip; null if the file itself is the archive. */
  readonly inside: string | null;
  /** The full name that Docker would give the image. */
  readonly name: string;
  readonly mediaType: string;
  readonly digest: string;
  readonly manifest: Uint8Array;
  readonly platform: ListPlatform;
  /** Config and layers, without non-distributable layers. */
  readonly blobs: readonly ListedBlob[];
}

/** Fields are empty if they are not given. */
export interface ListPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly osVersion: string;
  readonly osFeatures: readonly string[];
  readonly variant: string;
}

export interface ListedBlob {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Path in the archive; null if the blob is absent. */
  readonly path: string | null;
  /** `config`, `layer 3` */
  readonly what: string;
}

/** The descriptor of an entry as Docker keeps it. */
export function descriptorOf({ mediaType, digest, manifest, platform }: ListEntry): DescriptorRaw {
  const { architecture, os, osVersion, osFeatures, variant } = platform;
  return {
    MediaType: mediaType,
    Digest: digest,
    Size: manifest.length,
    Platform: {
      Architecture: architecture,
      OS: os,
      OSVersion: osVersion,
      OSFeatures: osFeatures,
      Variant: variant,
    },
  };
}

/** The bytes of the list, as Docker pushes them. */
export const listBytes = ({ entries }: ManifestList): Uint8Array =>
  Buffer.from(listText(entries.map(descriptorOf)));
