import type { Limits } from '../limits.js';
import { walkTar } from '../tar/walk-archive.js';
import type { StreamCursor } from './cursor.js';
import { FileWindow } from './read.js';
import type { ByteRange, SeekableMember, SeekableSource, SourceProblem, Visitor } from './source.js';

const NOTHING = new Uint8Array(0);

/** Indexes a tar in a file by its headers, without reading contents. @throws the system's error */
export function indexTar(range: ByteRange, limits: Limits): SeekableSource {
  const members: SeekableMember[] = [];
  const problems: SourceProblem[] = [];
  const window = new FileWindow(range);
  const { file, content: bytes } = range;
  try {
    const walk = walkTar(window, limits, problem => void problems.push(problem));
    for (let step = walk.next(NOTHING); step.done !== true; ) {
      const { value } = step;
      if (value.kind === 'bytes') {
        step = walk.next(window.read(value.at, value.length));
        continue;
      }
      // Without a spread, which would take as long as everything else for a member.
      const { path, name, type, size, target, flag, mtime } = value.member;
      const length = Math.max(0, Math.min(size, window.length - value.start));
      const start = range.start + value.start;
      const inMemory = bytes === undefined ? null : { file, content: bytes, start, length, deflated: false };
      const content = type === 'file' ? (inMemory ?? { file, start, length, deflated: false }) : null;
      const member = { path, name, type, size, target, mtime, range: content };
      members.push(flag === undefined ? member : { ...member, flag });
      step = walk.next(NOTHING);
    }
  } finally {
    window.close();
  }
  return { access: 'seekable', isDirectory: false, members, problems };
}

/** Visits the members of a tar stream. Content that a visit does not read is skipped. */
export async function passTar(
  cursor: StreamCursor,
  limits: Limits,
  report: (problem: SourceProblem) => void,
  visit: Visitor,
): Promise<void> {
  const walk = walkTar(cursor, limits, report);
  for (let step = walk.next(NOTHING); step.done !== true; ) {
    const { value } = step;
    if (value.kind === 'bytes') {
      const { at, length } = value;
      step = walk.next(cursor.arrived(at, length) ?? (await cursor.read(at, length)));
    } else {
      await visit(value.member, cursor.pieces(value.member.size));
      step = walk.next(NOTHING);
    }
  }
}

/** Bytes of a block. A pipe gives 64 KiB at a time: gathering them saves a turn through every stage that follows. */
export const BLOCK_BYTES = 512 * 1024;

/** Blocks that are kept for later: what is beyond was needed for a moment only. */
const SPARE = 128;

/**
 * The memory of chunks on their way, filled again and again. It is shared memory, so that another thread can look at a
 * chunk in place; a thread that does so holds the block, which is not filled again before all holders have released it.
 */
export class Blocks {
  private readonly spare: Uint8Array<SharedArrayBuffer>[] = [];

  /** An empty block, held by its taker. */
  take(): Uint8Array<SharedArrayBuffer> {
    const block = this.spare.pop() ?? new Uint8Array(new SharedArrayBuffer(BLOCK_BYTES));
    held.set(block.buffer, { holders: 1, owner: this });
    return block;
  }

  /** Called when the last holder of a block has released it. */
  give(memory: SharedArrayBuffer): void {
    if (this.spare.length < SPARE) this.spare.push(new Uint8Array(memory));
  }
}

const held = new WeakMap<ArrayBufferLike, { holders: number; readonly owner: Blocks }>();

/** Keeps a chunk as it is until `release`. @returns false for one that lies in no block and has to be copied */
export function hold(chunk: Uint8Array): boolean {
  const block = held.get(chunk.buffer);
  if (block !== undefined) block.holders++;
  return block !== undefined;
}

/** Lets go of a chunk that was taken or held. */
export function release({ buffer }: Uint8Array): void {
  const block = held.get(buffer);
  if (block === undefined || --block.holders > 0) return;
  held.delete(buffer);
  block.owner.give(buffer as SharedArrayBuffer);
}
