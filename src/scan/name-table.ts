/** Room for this many names to begin with. */
const FIRST_SLOTS = 256;

/** What a name of a layer is. */
export const NAME = {
  directory: 1,
  /** Anything but a directory and a symbolic link. */
  leaf: 2,
  symlink: 3,
  /** A directory that entries lie in and no entry names. */
  implied: 4,
  /** A whiteout, which is no name of the file system. */
  hidden: 5,
  /** Added to a kind: an entry has this very name, once cleaned. */
  listed: 8,
} as const;

/** So many names in all for each entry that may be named: its directories have names too. */
const OTHERS = 4;

const KIND = 7;
const BITS = 15;

export const kindOf = (value: number): number => value & KIND;

export type Seeds = readonly [number, number];

/** Nobody can make up names that collide without knowing them. One pair for all threads, so that their facts are the same. */
export const SEEDS: Seeds = [Math.floor(Math.random() * 2 ** 31), Math.floor(Math.random() * 2 ** 31)];

/**
 * Names by their hashes, each with four bits that say what it is. It keeps 60 bits of a hash, so that a million names take 16 MB:
 * that two names of these share them by chance happens once in two million such layers.
 */
export class NameTable {
  private count = 0;
  /** Of those, names of entries. */
  private listed = 0;
  /** Two halves for each slot; the second, with the four bits, is 0 where it is free. */
  private slots = new Uint32Array(2 * FIRST_SLOTS);
  /** There were more names than are kept. */
  isFull = false;

  /** @param most  names of entries that are kept */
  constructor(private readonly most: number) {}

  /** What was said of a name; 0 where it is not there. */
  get(low: number, high: number): number {
    const { slots } = this;
    return slots.length === 0 ? 0 : slots[2 * this.find(low, high) + 1]! & BITS;
  }

  set(low: number, high: number, value: number): void {
    if (this.isFull) return;
    const slot = this.find(low, high);
    const isNew = this.slots[2 * slot + 1] === 0;
    const isListed = (value & ~this.slots[2 * slot + 1]! & NAME.listed) !== 0;
    if ((isListed && this.listed === this.most) || this.count >= OTHERS * this.most) {
      this.isFull = true;
      this.slots = new Uint32Array(0);
      return;
    }
    if (isListed) this.listed++;
    this.slots[2 * slot] = low;
    this.slots[2 * slot + 1] = (high & ~BITS) | value;
    if (isNew && ++this.count > this.slots.length / 4) this.grow();
  }

  /** All names, packed: to be read by `lookUp`. */
  packed(): Uint32Array<ArrayBuffer> {
    const packed = new Uint32Array(2 * Math.ceil(this.count * 1.25));
    eachName(this.slots, (low, high) => {
      const slot = freeSlot(packed, low);
      packed[slot] = low;
      packed[slot + 1] = high;
    });
    return packed;
  }

  /** The slot of a name, or the free one where it belongs. */
  private find(low: number, high: number): number {
    const { slots } = this;
    const mask = slots.length / 2 - 1;
    const wanted = (high & ~BITS) >>> 0;
    let slot = low & mask;
    for (let found = slots[2 * slot + 1]!; found !== 0; found = slots[2 * slot + 1]!) {
      if (slots[2 * slot] === low && (found & ~BITS) >>> 0 === wanted) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(2 * old.length);
    eachName(old, (low, high) => {
      const slot = this.find(low, high);
      this.slots[2 * slot] = low;
      this.slots[2 * slot + 1] = high;
    });
  }
}

function eachName(slots: Uint32Array, take: (low: number, high: number) => void): void {
  for (let i = 0; i < slots.length; i += 2) if (slots[i + 1] !== 0) take(slots[i]!, slots[i + 1]!);
}

function freeSlot(packed: Uint32Array, low: number): number {
  let slot = 2 * (low % (packed.length / 2));
  while (packed[slot + 1] !== 0) slot = slot + 2 === packed.length ? 0 : slot + 2;
  return slot;
}

/** What a packed table says of a name; 0 where it is not there. */
export function lookUp(packed: Uint32Array, low: number, high: number): number {
  if (packed.length === 0) return 0;
  const wanted = (high & ~BITS) >>> 0;
  let slot = 2 * (low % (packed.length / 2));
  for (let found = packed[slot + 1]!; found !== 0; found = packed[slot + 1]!) {
    if (packed[slot] === low && (found & ~BITS) >>> 0 === wanted) return found & BITS;
    slot = slot + 2 === packed.length ? 0 : slot + 2;
  }
  return 0;
}
