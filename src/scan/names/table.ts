/** Initial number of slots. */
const FIRST_SLOTS = 256;

/** The type of a name in a layer. */
export const NAME = {
  directory: 1,
  /** Anything but a directory and a symbolic link. */
  leaf: 2,
  symlink: 3,
  /** A directory that contains entries and that no entry names. */
  implied: 4,
  /** A whiteout, which is not a name of the file system. */
  hidden: 5,
  /** A directory that contains only whiteouts. */
  touched: 6,
  /** Flag: an entry has this name, after cleaning. */
  listed: 8,
  /** Flag of a directory: there is another directory below it, named by an entry or implied. */
  holdsListed: 16,
  holdsImplied: 32,
} as const;

/** Names that are kept for each named entry: its directories need names too. */
const OTHERS = 4;

const KIND = 7;
const BITS = 63;
const HOLDS = 48;

export const kindOf = (value: number): number => value & KIND;

const isDirectory = (value: number) =>
  kindOf(value) === NAME.directory || kindOf(value) === NAME.implied || kindOf(value) === NAME.touched;

export type Seeds = readonly [number, number];

/**
 * Random, so that an archive cannot contain names whose hashes collide. All threads use one pair, so that their facts
 * agree.
 */
export const SEEDS: Seeds = [Math.floor(Math.random() * 2 ** 31), Math.floor(Math.random() * 2 ** 31)];

/** Most blobs are not tars and have no names. */
const NONE = new Uint32Array(0);

/**
 * Names by their hashes, each with six bits for its type. 58 bits of a hash are kept, so that a million names take 16
 * MB; the probability that two of these names share them is about one in half a million.
 */
export class NameTable {
  private count = 0;
  /** Number of names that entries have. */
  private listed = 0;
  /** Two halves for each slot; the second, with the six bits, is 0 if the slot is free. */
  private slots = NONE;
  /** True if there were more names than are kept. */
  isFull = false;

  /** @param most  maximum number of entries' names */
  constructor(private readonly most: number) {}

  /** The value of a name; 0 if it does not exist. */
  get(low: number, high: number): number {
    return lookUp(this.slots, low, high);
  }

  /**
   * Sets the type of a name. The flag `listed` is kept.
   * @returns the value before
   */
  put(low: number, high: number, value: number): number {
    if (this.isFull) return 0;
    if (this.slots.length === 0) this.slots = new Uint32Array(2 * FIRST_SLOTS);
    const { slots } = this;
    const slot = find(slots, low, high);
    const old = slots[2 * slot + 1]!;
    if (old === 0) {
      const isListed = (value & NAME.listed) !== 0;
      if ((isListed && this.listed === this.most) || this.count >= OTHERS * this.most) {
        this.isFull = true;
        this.slots = NONE;
        return 0;
      }
      if (isListed) this.listed++;
      this.count++;
    }
    slots[2 * slot] = low;
    slots[2 * slot + 1] =
      (high & ~BITS) | value | (old & (isDirectory(value) ? NAME.listed | HOLDS : NAME.listed));
    if (this.count > slots.length / 4) this.grow();
    return old & BITS;
  }

  /**
   * Adds a flag to an existing name.
   * @returns the value before
   */
  add(low: number, high: number, bit: number): number {
    const { slots } = this;
    if (slots.length === 0) return 0;
    const at = 2 * find(slots, low, high) + 1;
    const old = slots[at]!;
    if (old !== 0) slots[at] = old | bit;
    return old & BITS;
  }

  /** All names, to be read by `lookUp`. */
  finish(): Uint32Array {
    return this.slots;
  }

  private grow(): void {
    const old = this.slots;
    const slots = new Uint32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      const value = old[i + 1]!;
      if (value === 0) continue;
      const slot = find(slots, old[i]!, value);
      slots[2 * slot] = old[i]!;
      slots[2 * slot + 1] = value;
    }
    this.slots = slots;
  }
}

/** The slot of a name, or the free slot for it. */
function find(slots: Uint32Array, low: number, high: number): number {
  const mask = slots.length / 2 - 1;
  const wanted = (high & ~BITS) >>> 0;
  let slot = low & mask;
  for (let found = slots[2 * slot + 1]!; found !== 0; found = slots[2 * slot + 1]!) {
    if (slots[2 * slot] === low && (found & ~BITS) >>> 0 === wanted) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

/** The value of a name in a table returned by `finish`; 0 if it does not exist. */
export const lookUp = (slots: Uint32Array, low: number, high: number): number =>
  slots.length === 0 ? 0 : slots[2 * find(slots, low, high) + 1]! & BITS;
