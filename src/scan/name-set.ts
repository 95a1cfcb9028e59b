import { posix } from 'node:path';
import { UNCLEAN } from './entry-name.js';

/** Names that are remembered, which bounds memory: an honest layer seldom has more entries. */
const NAMES_CAP = 300_000;

/** Finds two names of one layer that are the same once cleaned. */
export class NameSet {
  private readonly names = new Set<string>();
  /** The first such name, as text; null where there is none. */
  duplicate: string | null = null;

  /** @param name  bytes, one per character */
  add(name: string): void {
    if (this.duplicate !== null || this.names.size >= NAMES_CAP) return;
    const clean = cleaned(name);
    if (this.names.has(clean)) this.duplicate = Buffer.from(clean, 'latin1').toString();
    this.names.add(clean);
  }
}

/** As Go's path.Clean. Nearly every name is clean, but for the slash at a directory's end. */
function cleaned(name: string): string {
  const bare = name.length > 1 && name.endsWith('/') ? name.slice(0, -1) : name;
  return UNCLEAN.test(bare) ? posix.normalize(bare).replace(/(.)\/$/, '$1') : bare;
}
