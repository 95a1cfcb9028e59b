import { nameOf } from '../../tar/entry.js';
import { BLOCK, firstNonZero, hasValidChecksum, headerSize } from '../../tar/header.js';

/**
 * The name of eStargz's table of contents. https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md
 */
export const ESTARGZ_TOC = 'stargz.index.json';

/**
 * The bytes behind the end of a layer's tar. Zeros there are the padding of the last record (POSIX, pax, "ustar
 * Interchange Format"). A tar that was converted to eStargz has the table of contents there, which containerd's
 * snapshotter reads and all other engines pass over.
 */
export class TarEnd {
  private readonly first = Buffer.alloc(BLOCK);
  private filled = 0;
  /** Bytes of the table of contents that are to come, with their padding. */
  private skip = 0;
  private length = 0;
  private isOther = false;
  hasToc = false;

  write(bytes: Uint8Array): void {
    this.length += bytes.length;
    const step = Math.min(BLOCK - this.filled, bytes.length);
    if (step > 0) {
      this.first.set(bytes.subarray(0, step), this.filled);
      this.filled += step;
      if (this.filled === BLOCK) this.takeFirst();
    }
    const passed = Math.min(this.skip, bytes.length - step);
    this.skip -= passed;
    this.isOther ||= firstNonZero(bytes.subarray(step + passed)) >= 0;
  }

  private takeFirst(): void {
    const size = headerSize(this.first);
    this.hasToc = hasValidChecksum(this.first) && nameOf(this.first) === ESTARGZ_TOC && size >= 0;
    if (this.hasToc) this.skip = size + (-size & (BLOCK - 1));
  }

  /** How many bytes there are, the table of contents included; 0 where there are only this and zeros. */
  get bytes(): number {
    const { isOther, hasToc, skip, first, filled } = this;
    // A table of contents that is cut is none.
    const isAllowed = hasToc ? skip === 0 : firstNonZero(first.subarray(0, filled)) < 0;
    return isOther || !isAllowed ? this.length : 0;
  }
}
