import type { Dirent } from 'node:fs';
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../errors.js';
import type { Limits } from '../limits.js';
import { normalPath } from '../tar/path.js';
import type { SeekableMember, SeekableSource, SourceProblem } from './source.js';
import type { Watch } from './watch.js';

/**
 * Reads a directory as an archive: every file below it a member, in the order of their names.
 * @param watch  gets every file
 * @throws the system's error when it cannot be listed; a folder below it that cannot be listed is a problem
 */
export async function openDirectory(root: string, limits: Limits, watch: Watch): Promise<SeekableSource> {
  const members: SeekableMember[] = [];
  const problems: SourceProblem[] = [];
  const pending = [''];
  while (pending.length > 0) {
    const folder = pending.pop()!;
    for (const entry of await list(root, folder, problems)) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) pending.push(path);
      if (members.length >= limits.members) {
        problems.push({ kind: 'limit', path: null, limit: 'members', value: limits.members });
        return { access: 'seekable', isDirectory: true, members, problems };
      }
      const member = await describe(root, path, entry, watch, problems);
      if (member !== null) members.push(member);
    }
  }
  members.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { access: 'seekable', isDirectory: true, members, problems };
}

async function list(root: string, folder: string, problems: SourceProblem[]): Promise<Dirent[]> {
  try {
    return await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (folder === '') throw error;
    problems.push({ kind: 'unreadable', path: folder, reason: reasonFor(folder, error as Error) });
    return [];
  }
}

async function describe(
  root: string,
  path: string,
  entry: Dirent,
  watch: Watch,
  problems: SourceProblem[],
): Promise<SeekableMember | null> {
  const file = join(root, path);
  const base = { path: normalPath(path), name: path, size: 0, target: null, range: null };
  try {
    if (entry.isDirectory()) return { ...base, type: 'directory' };
    if (entry.isSymbolicLink()) return { ...base, type: 'symlink', target: await readlink(file) };
    if (!entry.isFile()) return { ...base, type: 'other' };
    const stats = await stat(file, { bigint: true });
    watch.add(base.path, file, stats);
    const size = Number(stats.size);
    return { ...base, type: 'file', size, range: { file, start: 0, length: size, deflated: false } };
  } catch (error) {
    problems.push({ kind: 'unreadable', path, reason: reasonFor(path, error as Error) });
    return null;
  }
}

/** Node replaces bytes that are not UTF-8 by U+FFFD, and such a name opens no file. */
const reasonFor = (path: string, error: Error) =>
  path.includes('\ufffd') ? 'its name is not UTF-8' : reasonOf(error);
