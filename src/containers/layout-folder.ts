import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { MARKERS, rootOf } from '../spec/markers.js';
import { reading } from './unreadable.js';

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
