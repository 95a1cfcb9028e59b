import type { Dirent } from 'node:fs';
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Limits } from '../limits.js';
import { normalPath } from './path.js';
import type { SeekableMember, SeekableSource, SourceProblem } from './source.js';

/** Reads a directory as an archive: every file below it a member, in the order of their names. */
export async function openDirectory(root: string, limits: Limits): Promise<SeekableSource> {
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
        return { access: 'seekable', members, problems };
      }
      const member = await describe(root, path, entry, problems);
      if (member !== null) members.push(member);
    }
  }
  members.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { access: 'seekable', members, problems };
}

async function list(root: string, folder: string, problems: SourceProblem[]): Promise<Dirent[]> {
  try {
    return await readdir(join(root, folder), { withFileTypes: true });
  } catch (error) {
    problems.push({ kind: 'unreadable', path: folder, reason: (error as Error).message });
    return [];
  }
}

async function describe(
  root: string,
  path: string,
  entry: Dirent,
  problems: SourceProblem[],
): Promise<SeekableMember | null> {
  const file = join(root, path);
  const base = { path: normalPath(path), name: path, size: 0, target: null, range: null };
  try {
    if (entry.isDirectory()) return { ...base, type: 'directory' };
    if (entry.isSymbolicLink()) return { ...base, type: 'symlink', target: await readlink(file) };
    if (!entry.isFile()) return { ...base, type: 'other' };
    const { size } = await stat(file);
    return { ...base, type: 'file', size, range: { file, start: 0, length: size, deflated: false } };
  } catch (error) {
    problems.push({ kind: 'unreadable', path, reason: (error as Error).message });
    return null;
  }
}
