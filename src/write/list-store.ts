import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError, isSystemError, reasonOf } from '../errors.js';
import { replaceFile } from './file.js';
import type { ManifestList } from './list.js';
import { fromFile, toFile } from './list-file.js';
import { writing } from './system-error.js';

/**
 * The lists that wait, each a file of a directory. A name may hold anything that a reference may, and more than a file's
 * name may: files are called by its hash, and say it inside.
 */
export interface ListStore {
  /** @throws InputError when what is stored is no list */
  get(name: string): ManifestList | null;
  has(name: string): boolean;
  put(list: ManifestList): void;
  /** @returns whether it was there */
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
      // Docker too keeps them where other users do not look.
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

/** Node's own way says of any obstacle that something is not there, and tries for ever where nothing can be made, as in /proc. */
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
