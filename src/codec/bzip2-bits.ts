/**
 * Bits, highest first. Beyond the last byte it reads zeros and says so afterwards: one comparison for a whole block
 * instead of one for every read.
 */
export class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array, skip: number) {
    this.#bytes = bytes;
    this.read(skip);
  }

  get position(): number {
    return this.#at * 8 - this.#count;
  }

  get overrun(): boolean {
    return this.position > this.#bytes.length * 8;
  }

  /** Up to 24 bits, without using them up. */
  peek(count: number): number {
    while (this.#count < count) {
      const byte = this.#at < this.#bytes.length ? (this.#bytes[this.#at] as number) : 0;
      this.#held = (this.#held << 8) | byte;
      this.#at += 1;
      this.#count += 8;
    }
    return (this.#held >>> (this.#count - count)) & ((1 << count) - 1);
  }

  drop(count: number): void {
    this.#count -= count;
  }

  read(count: number): number {
    const value = this.peek(count);
    this.#count -= count;
    return value;
  }

  readUint32(): number {
    return (this.read(16) * 65536 + this.read(16)) >>> 0;
  }
}
