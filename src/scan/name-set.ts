import { posix } from 'node:path';
import { UNCLEAN } from './entry-name.js';

/** Room for this many names to begin with. */
const FIRST_SLOTS = 256;

/** Nobody can make up names that collide without knowing them. */
const [SEED, OTHER_SEED] = [Math.floor(Math.random() * 2 ** 31), Math.floor(Math.random() * 2 ** 31)];

/**
 * Finds two names of one layer that are the same once cleaned. It keeps 64 bits of each, so that a million names take 16 MB:
 * that two others share these by chance happens once in ten million such layers.
 */
export class NameSet {
  /** The first such name, bytes one per character; null where there is none. */
  private first: string | null = null;
  private count = 0;
  /** The halves of the last hash. */
  private low = 0;
  private high = 0;
  /** Two halves for each slot; the second is 0 where it is free. */
  private slots = new Uint32Array(2 * FIRST_SLOTS);
  /** There were more names than are kept, and those that came later were compared with nothing. */
  isFull = false;

  /** @param most  names that are kept */
  constructor(private readonly most: number) {}

  /** The first such name, as text; null where there is none. */
  get duplicate(): string | null {
    return this.first === null ? null : Buffer.from(this.first, 'latin1').toString();
  }

  /** @param name  bytes, one per character */
  add(name: string): void {
    if (this.first !== null || this.isFull) return;
    const bare = withoutEnds(name);
    // What does not look odd on the way needs no cleaning, which takes longer than all else.
    const clean = this.hash(bare) ? bare : cleaned(bare);
    if (clean !== bare) this.hash(clean);
    if (!this.keep(this.low, this.high)) this.first = clean;
  }

  /** @returns false where the name may not be clean: a part of it begins with a dot, or is empty */
  private hash(name: string): boolean {
    let [low, high] = [SEED, OTHER_SEED];
    let isPlain = name !== '';
    let previous = SLASH;
    for (let i = 0; i < name.length; i++) {
      const byte = name.charCodeAt(i);
      if (previous === SLASH && (byte === SLASH || byte === DOT)) isPlain = false;
      previous = byte;
      low = Math.imul(low ^ byte, 0x5bd1e995);
      low ^= low >>> 15;
      high = Math.imul(high ^ byte, 0x2c1b3c6d);
      high ^= high >>> 13;
    }
    this.low = low >>> 0;
    this.high = high >>> 0 || 1;
    return isPlain && previous !== SLASH;
  }

  /** @returns false where it is there already */
  private keep(low: number, high: number): boolean {
    const { slots } = this;
    const mask = slots.length / 2 - 1;
    let slot = low & mask;
    while (slots[2 * slot + 1] !== 0) {
      if (slots[2 * slot] === low && slots[2 * slot + 1] === high) return false;
      slot = (slot + 1) & mask;
    }
    if (this.count === this.most) {
      this.isFull = true;
      this.slots = new Uint32Array(0);
      return true;
    }
    slots[2 * slot] = low;
    slots[2 * slot + 1] = high;
    if (++this.count > (mask + 1) / 2) this.grow();
    return true;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(2 * old.length);
    const mask = this.slots.length / 2 - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      let slot = old[i]! & mask;
      while (this.slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
      this.slots[2 * slot] = old[i]!;
      this.slots[2 * slot + 1] = old[i + 1]!;
    }
  }
}

const SLASH = '/'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);

/** Without the slash at a directory's end, and the dot that all names of a layer may begin with. */
function withoutEnds(name: string): string {
  const start = name.startsWith('./') && name.length > 2 && name[2] !== '/' ? 2 : 0;
  const end = name.length > start + 1 && name.endsWith('/') ? name.length - 1 : name.length;
  return name.slice(start, end);
}

/** As Go's path.Clean. */
const cleaned = (name: string): string =>
  UNCLEAN.test(name) ? posix.normalize(name).replace(/(.)\/$/, '$1') : name;
