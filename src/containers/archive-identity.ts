import { type BigIntStats, type Dirent, readdirSync, statSync } from 'node:fs';
import { type BytePath, pathBuffer } from '../spec/byte-path.js';

/** The state of a file or folder, by which it is told from another one in its place, and from itself after a change. */
export type FileState = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** An archive as it is at one moment: a file, or a folder with everything below it. */
export interface ArchiveIdentity {
  /** Absolute. */
  readonly path: BytePath;
  /** The state of the file or folder itself. */
  readonly state: FileState;
  /** Everything below a folder, by its path there, in the order of names. Empty for a file. */
  readonly members: readonly (readonly [path: BytePath, state: FileState])[];
}

/** A file or folder that was looked up. */
export interface FoundArchive {
  readonly stats: BigIntStats;
  /** The latest modification of it and all that is below, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** Bytes of all files. */
  readonly bytes: bigint;
  /**
   * null for anything that its state does not tell from another one: a device or pipe, and a folder with links, such
   * files, folders that cannot be listed or very many members.
   */
  readonly identity: ArchiveIdentity | null;
}

/** Looking up more of them could take longer than reading them. */
const MOST_MEMBERS = 10_000;

/**
 * Looks up a file, or a folder and everything below it, through symlinks. Synchronously: a file takes microseconds in
 * place of a tenth of a millisecond.
 * @returns null where nothing is there
 */
export function findArchive(path: BytePath): FoundArchive | null {
  const stats = statsOf(path);
  if (stats === null) return null;
  if (!stats.isDirectory()) {
    const identity = stats.isFile() ? { path, state: stateOf(stats), members: [] } : null;
    return { stats, mtimeNs: stats.mtimeNs, bytes: stats.size, identity };
  }
  const members: (readonly [BytePath, FileState])[] = [];
  let isPlain = true;
  let { mtimeNs } = stats;
  let bytes = 0n;
  const onUnread = () => {
    isPlain = false;
  };
  for (const [member, entry] of below(path, '', onUnread)) {
    const found = statsOf(`${path}/${member}`);
    if (found === null || entry.isSymbolicLink() || !(found.isFile() || found.isDirectory())) isPlain = false;
    if (found === null) continue;
    if (found.mtimeNs > mtimeNs) ({ mtimeNs } = found);
    if (found.isFile()) bytes += found.size;
    if (members.length < MOST_MEMBERS) members.push([member, stateOf(found)]);
    else isPlain = false;
  }
  return { stats, mtimeNs, bytes, identity: isPlain ? { path, state: stateOf(stats), members } : null };
}

/**
 * Everything below a folder, with its path there. Symlinks are not followed: they may lead back.
 * @param onUnread  called for a folder that cannot be listed
 */
function* below(
  root: BytePath,
  folder: BytePath,
  onUnread: () => void,
): Generator<readonly [BytePath, Dirent<Buffer>]> {
  let entries: Dirent<Buffer>[];
  try {
    entries = readdirSync(pathBuffer(`${root}/${folder}`), { withFileTypes: true, encoding: 'buffer' });
  } catch {
    onUnread();
    return;
  }
  const named = entries.map(entry => [`${folder}${entry.name.toString('latin1')}`, entry] as const);
  for (const [path, entry] of named.sort(([a], [b]) => (a < b ? -1 : 1))) {
    yield [path, entry];
    if (entry.isDirectory()) yield* below(root, `${path}/`, onUnread);
  }
}

function statsOf(path: BytePath): BigIntStats | null {
  try {
    return statSync(pathBuffer(path), { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

const stateOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileState => ({
  dev,
  ino,
  size,
  mtimeNs,
  ctimeNs,
});
