import type { Seeds } from './name-table.js';

/** The hash of a path in two halves. That of the directory above it comes by on the way. */
export class PathHash {
  low = 0;
  high = 0;
  /** Hash of the part before the last slash; not set where `slash` is -1. */
  parentLow = 0;
  parentHigh = 0;
  slash = -1;

  constructor(private readonly seeds: Seeds) {}

  /** Starts with the empty path, from which `extend` continues. */
  start(): void {
    [this.low, this.high] = this.seeds;
  }

  /** Goes on with a piece of a path, whose hash so far this is: every directory above one takes no more time than the path. */
  extend(text: string, from: number, end: number): void {
    let { low, high } = this;
    for (let i = from; i < end; i++) {
      const byte = text.charCodeAt(i);
      low = Math.imul(low ^ byte, 0x5bd1e995);
      low ^= low >>> 15;
      high = Math.imul(high ^ byte, 0x2c1b3c6d);
      high ^= high >>> 13;
    }
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  /**
   * @param end  of the path in the text
   * @returns false where the path may not be clean: a part of it begins with a dot, or is empty
   */
  take(text: string, end = text.length): boolean {
    let [low, high] = this.seeds;
    let isPlain = end > 0;
    let previous = SLASH;
    let slash = -1;
    let [parentLow, parentHigh] = [0, 0];
    for (let i = 0; i < end; i++) {
      const byte = text.charCodeAt(i);
      if (byte === SLASH) {
        slash = i;
        parentLow = low;
        parentHigh = high;
      }
      if (previous === SLASH && (byte === SLASH || byte === DOT)) isPlain = false;
      previous = byte;
      low = Math.imul(low ^ byte, 0x5bd1e995);
      low ^= low >>> 15;
      high = Math.imul(high ^ byte, 0x2c1b3c6d);
      high ^= high >>> 13;
    }
    this.slash = slash;
    this.parentLow = parentLow >>> 0;
    this.parentHigh = parentHigh >>> 0;
    this.low = low >>> 0;
    this.high = high >>> 0;
    return isPlain && previous !== SLASH;
  }
}

const SLASH = '/'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);
