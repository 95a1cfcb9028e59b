import type { Seeds } from './name-table.js';

/** The hash of a path in two halves. That of the directory above it comes by on the way. */
export class PathHash {
  low = 0;
  high = 0;
  /** Of all before the last slash; it has none where `slash` is -1. */
  parentLow = 0;
  parentHigh = 0;
  slash = -1;

  constructor(private readonly seeds: Seeds) {}

  /** @returns false where the path may not be clean: a part of it begins with a dot, or is empty */
  take(path: string): boolean {
    let [low, high] = this.seeds;
    let isPlain = path !== '';
    let previous = SLASH;
    this.slash = -1;
    for (let i = 0; i < path.length; i++) {
      const byte = path.charCodeAt(i);
      if (byte === SLASH) {
        this.slash = i;
        this.parentLow = low >>> 0;
        this.parentHigh = high >>> 0;
      }
      if (previous === SLASH && (byte === SLASH || byte === DOT)) isPlain = false;
      previous = byte;
      low = Math.imul(low ^ byte, 0x5bd1e995);
      low ^= low >>> 15;
      high = Math.imul(high ^ byte, 0x2c1b3c6d);
      high ^= high >>> 13;
    }
    this.low = low >>> 0;
    this.high = high >>> 0;
    return isPlain && previous !== SLASH;
  }
}

const SLASH = '/'.charCodeAt(0);
const DOT = '.'.charCodeAt(0);
