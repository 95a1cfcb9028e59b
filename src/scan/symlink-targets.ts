/** Where the symbolic links of a layer lead, as `PATH NUL TARGET NUL` one after the other: that takes little, and is seldom asked for. */
export class SymlinkTargets {
  private bytes: Buffer;
  private used = 0;
  private known: Map<string, string> | null = null;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.used = bytes.length;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.used;
  }

  /** @param path, target  bytes, one per character */
  add(path: string, target: string): void {
    const end = this.used + path.length + target.length + 2;
    if (end > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(1024, 2 * end));
      larger.set(this.bytes.subarray(0, this.used));
      this.bytes = larger;
    }
    this.used += this.bytes.write(`${path}\0${target}\0`, this.used, 'latin1');
    this.known?.set(path, target);
  }

  /** Where the last link of this path leads; null where there is none. */
  get(path: string): string | null {
    this.known ??= this.parsed();
    return this.known.get(path) ?? null;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.subarray(0, this.used));
  }

  private parsed(): Map<string, string> {
    const parts = this.bytes.toString('latin1', 0, this.used).split('\0');
    const known = new Map<string, string>();
    for (let i = 0; i + 1 < parts.length; i += 2) known.set(parts[i]!, parts[i + 1]!);
    return known;
  }
}
