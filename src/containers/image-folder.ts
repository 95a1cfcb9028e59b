import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { isObject } from '../spec/json.js';
import { MARKERS, rootOf, V1_JSON } from '../spec/markers.js';
import { reading } from './unreadable.js';

/** A larger manifest.json or index.json is taken for an image's: no web application has one of that size. */
const DOCUMENT_BYTES = 8 * 1024 * 1024;

/** Names of configs, layers and v1 images in image folders. */
const BLOB_NAME = /^(sha256:)?[0-9a-f]{64}(\.|$)/;

/**
 * Whether a folder is itself an image: an OCI layout, an unpacked `docker save`, or what skopeo's `dir:` wrote. One
 * marker is not enough: a folder of archives may hold an index.json or a manifest.json that has nothing to do with
 * images.
 * @param names  what lies in it
 */
export async function isImageFolder(folder: string, names: readonly string[]): Promise<boolean> {
  if (names.includes('oci-layout')) return true;
  const marks = MARKERS.filter(name => names.includes(name));
  const isV1 = await anyOf(names.filter(isV1Name), name => isFile(join(folder, name, 'json')));
  if (marks.length === 0) return isV1;
  if (isV1 || names.some(name => BLOB_NAME.test(name)) || names.includes('blobs')) return true;
  return anyOf(marks, name => isImageDocument(join(folder, name)));
}

const isV1Name = (name: string) => V1_JSON.test(`${name}/json`);

async function anyOf(names: readonly string[], test: (name: string) => Promise<boolean>): Promise<boolean> {
  for (const name of names) if (await test(name)) return true;
  return false;
}

const isFile = async (file: string) => (await stat(file).catch(() => null))?.isFile() === true;

async function isImageDocument(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => null);
  if (!stats?.isFile()) return false;
  if (stats.size > DOCUMENT_BYTES) return true;
  const value = await jsonIn(file);
  if (Array.isArray(value)) return value.some(one => isObject(one) && ('Layers' in one || 'Config' in one));
  return isObject(value) && (Array.isArray(value.manifests) || Array.isArray(value.layers));
}

async function jsonIn(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * The entries of an image folder that belong to the image: other archives may lie beside them.
 * @param names  what lies in the folder
 */
export async function membersOf(folder: string, names: readonly string[]): Promise<ReadonlySet<string>> {
  const own = names.filter(
    name => OWN_NAME.test(name) || (MARKERS as readonly string[]).includes(name) || BLOB_NAME.test(name),
  );
  const list = names.includes('manifest.json') ? await jsonIn(join(folder, 'manifest.json')) : null;
  const listed = (Array.isArray(list) ? list : []).flatMap((image): unknown[] =>
    isObject(image) ? [image.Config, ...(Array.isArray(image.Layers) ? image.Layers : [])] : [],
  );
  const paths = listed.filter(path => typeof path === 'string');
  return new Set([...own, ...paths.map(path => path.replace(/^(\.?\/)+/, '').split('/')[0]!)]);
}

/** Names in layouts and skopeo's directories besides documents and blobs. */
const OWN_NAME = /^(blobs|ingest|version|VERSION|([0-9a-f]{64,128}\.)?signature-\d+)$/;

/** @throws InputError when a folder cannot be read, or nothing in it marks an image layout */
export async function requireLayout(file: string): Promise<void> {
  const names = await reading(file, () => listFolder(file));
  if (!(await holdsLayout(file, names))) throw notALayout(file, names);
}

const listFolder = (folder: string): Promise<string[]> => readdir(folder);

/** Looks two levels down before a whole tree is walked: the user may have named a home directory. */
const holdsLayout = async (root: string, names: readonly string[]): Promise<boolean> =>
  rootOf(await namesTwoLevelsDown(root, names)) !== null;

/**
 * Paths in a folder that can mark it as an image layout.
 * @param names  what lies in it
 */
export async function namesTwoLevelsDown(root: string, names: readonly string[]): Promise<string[]> {
  const paths = [...names];
  for (const name of names.slice(0, 1000)) {
    const below = await listFolder(join(root, name)).catch((): string[] => []);
    paths.push(...below.slice(0, 1000).map(child => `${name}/${child}`));
    const blobs = below.includes('blobs')
      ? await listFolder(join(root, name, 'blobs', 'sha256')).catch(() => [])
      : [];
    paths.push(...blobs.slice(0, 1).map(blob => `${name}/blobs/sha256/${blob}`));
  }
  return paths;
}

function notALayout(file: string, names: readonly string[]): InputError {
  const archives = names.filter(name => /\.(tar|tgz|zip|tar\.\w+)$/.test(name)).sort();
  return new InputError(
    `a directory that is no image layout: none of ${MARKERS.join(', ')} is in it`,
    file,
    archives.length > 0
      ? `It holds ${archives.slice(0, 5).join(', ')}: name one of these.`
      : 'Name the directory that `skopeo copy … oci:DIR` or `tar -x` of an image archive made, or the archive itself.',
  );
}
