// Writes a tar from front to back, where the name of a member may depend on its content, because it is the digest.
import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { headerBlocks, paddingOf } from './header.js';

const BUFFER = 1024 * 1024;
const HEADER = 512;

/** The place of a member's content in the archive, in bytes, and its sha256 in hex. */
export interface Member {
  readonly start: number;
  readonly size: number;
  readonly hex: string;
}

export class ArchiveWriter {
  private readonly descriptor: number;
  private readonly buffer = Buffer.alloc(BUFFER);
  private filled = 0;
  private written = 0;
  private start = 0;
  /** Hash of the current member's content; null between members. */
  private hash: Hash | null = null;

  /** The file is renamed to `path` when it is complete. */
  constructor(private readonly path: string) {
    this.descriptor = openSync(`${path}.part`, 'w');
  }

  directory(name: string): void {
    this.put(headerBlocks({ name: `${name}/`, type: 'directory', mode: 0o755, mtime: 0 }));
  }

  file(name: string | ((hex: string) => string), content: string): Member {
    this.begin();
    this.put(Buffer.from(content));
    return this.end(typeof name === 'string' ? () => name : name);
  }

  /** Reserves space for a header; everything that is put afterwards is content. */
  begin(): void {
    this.put(Buffer.alloc(HEADER));
    this.flush();
    this.start = this.written;
    this.hash = createHash('sha256');
  }

  put(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.copy(this.buffer, this.filled, at);
      this.filled += length;
      at += length;
      if (this.filled === BUFFER) this.flush();
    }
  }

  /** Ends the content, and writes the header before it. */
  end(nameOf: (hex: string) => string): Member {
    this.flush();
    const member = { start: this.start, size: this.written - this.start, hex: this.hash!.digest('hex') };
    this.hash = null;
    const header = headerBlocks({
      name: nameOf(member.hex),
      type: 'file',
      mode: 0o644,
      size: member.size,
      mtime: 0,
    });
    writeSync(this.descriptor, header, 0, HEADER, member.start - HEADER);
    this.put(Buffer.alloc(paddingOf(member.size)));
    return member;
  }

  finish(): void {
    this.put(Buffer.alloc(2 * HEADER));
    this.flush();
    closeSync(this.descriptor);
    renameSync(`${this.path}.part`, this.path);
  }

  private flush(): void {
    const bytes = this.buffer.subarray(0, this.filled);
    this.hash?.update(bytes);
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.descriptor, bytes, at, bytes.length - at, this.written + at);
    this.written += bytes.length;
    this.filled = 0;
  }
}
