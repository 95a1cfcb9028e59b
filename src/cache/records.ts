import { statfsSync } from 'node:fs';
import { type ArchiveIdentity, type FileState, findArchive } from '../containers/archive-identity.js';
import { pathBuffer } from '../spec/byte-path.js';
import type { RecordCounts } from './cache.js';
import type { EntryStore } from './store.js';

/** Records of archives, by file and settings. */
export interface RecordCache {
  /**
   * The body of a record made earlier of the same unchanged file or folder with the same settings; null if there is
   * none that can be trusted. Call it before the file is read, also where the result is not wanted: `keep` takes the
   * time from it.
   */
  find(file: ArchiveIdentity, settings: string): string | null;
  /** @param file  the same object that `find` was called with */
  keep(file: ArchiveIdentity, settings: string, body: string): void;
}

const MS = 1_000_000n;
const SECOND = 1000n * MS;
/** Ticks of the clocks by which kernels set times. */
const TICK = 20n * MS;
/** FAT and some network file systems have times in steps of one or two seconds. */
const COARSE = 2n * SECOND;

/**
 * Types of file systems whose kernel sets the change time of a file (ctime) with every write, and no program can set
 * it: ext2 to ext4, XFS, Btrfs, tmpfs, ZFS, F2FS, bcachefs, NFS, Ceph, Lustre, GPFS, BeeGFS. Of others two
 * different files can look the same: images of file systems that are made with fixed times (squashfs, erofs, ISO 9660),
 * and FUSE. statfs(2)
 */
const WITH_CHANGE_TIME: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x2fc12fc1, 0xf2f52010, 0xca451a4e, 0x6969, 0x00c36400,
  0x0bd00bd0, 0x47504653, 0x19830326,
]);
/** It shows files of other file systems with their times. Those of images with fixed times have whole seconds. */
const OVERLAYFS = 0x794c7630;

export class FileRecords implements RecordCache {
  readonly counts: RecordCounts = { hits: 0, misses: 0, kept: 0, tooNew: 0, changed: 0, untimed: 0 };
  /** When each file was looked for: before it was read. */
  private readonly lookedFor = new WeakMap<ArchiveIdentity, bigint>();
  /** The type of the file system of each device. */
  private readonly devices = new Map<bigint, number>();

  constructor(private readonly store: EntryStore) {}

  find(file: ArchiveIdentity, settings: string): string | null {
    this.lookedFor.set(file, BigInt(Date.now()) * MS);
    const content = this.hasChangeTime(file) ? this.store.read(this.nameOf(file, settings)) : null;
    this.counts[content === null ? 'misses' : 'hits']++;
    return content === null ? null : Buffer.from(content).toString();
  }

  keep(file: ArchiveIdentity, settings: string, body: string): void {
    const before = this.lookedFor.get(file);
    if (before === undefined) return;
    if (!this.hasChangeTime(file)) this.counts.untimed++;
    else if (!isSettled(file, before)) this.counts.tooNew++;
    else if (!isUnchanged(file)) this.counts.changed++;
    else if (this.store.write(this.nameOf(file, settings), Buffer.from(body))) this.counts.kept++;
  }

  private nameOf(file: ArchiveIdentity, settings: string): Buffer {
    return this.store.nameOf('record', JSON.stringify([...stateTexts(file), settings]));
  }

  private hasChangeTime(file: ArchiveIdentity): boolean {
    if (process.platform !== 'linux') return true;
    return statesOf(file).every(({ dev, ctimeNs }) => {
      // A file system that is mounted below a folder is not asked for.
      if (dev !== file.state.dev) return false;
      const type = this.devices.get(dev) ?? fileSystemOf(file.path);
      if (type === null) return false;
      this.devices.set(dev, type);
      return type === OVERLAYFS ? ctimeNs % SECOND !== 0n : WITH_CHANGE_TIME.has(type);
    });
  }
}

const statesOf = ({ state, members }: ArchiveIdentity): FileState[] => [
  state,
  ...members.map(([, of]) => of),
];

/** Everything that distinguishes two archives. */
function stateTexts({ path, state, members }: ArchiveIdentity): unknown[] {
  const numbers = ({ dev, ino, size, mtimeNs, ctimeNs }: FileState) =>
    [dev, ino, size, mtimeNs, ctimeNs].map(String);
  return [path, ...numbers(state), members.map(([member, of]) => [member, ...numbers(of)])];
}

/**
 * Whether any change after `before` gives the file another time. Hazard: within one tick of the clock a file can be
 * written, read and written again, and all of its times stay the same.
 */
const isSettled = (file: ArchiveIdentity, before: bigint): boolean =>
  statesOf(file).every(({ mtimeNs, ctimeNs }) => {
    const last = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
    const isCoarse = mtimeNs % SECOND === 0n && ctimeNs % SECOND === 0n;
    return before - last > (isCoarse ? COARSE : TICK);
  });

function isUnchanged(file: ArchiveIdentity): boolean {
  const now = findArchive(file.path)?.identity ?? null;
  return now !== null && JSON.stringify(stateTexts(now)) === JSON.stringify(stateTexts(file));
}

/** The number of a file system's type; null where it cannot be asked for. */
function fileSystemOf(path: string): number | null {
  try {
    // It is signed on some systems.
    return statfsSync(pathBuffer(path)).type >>> 0;
  } catch {
    return null;
  }
}
