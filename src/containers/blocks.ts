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
