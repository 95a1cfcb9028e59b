import { createHash, type Hash } from 'node:crypto';
import type { Algorithm, Digests } from '../spec/digest.js';

/** Several digests of the same bytes in one pass. */
export class Hasher {
  private readonly hashes: readonly Hash[];

  constructor(algorithms: readonly Algorithm[]) {
    this.hashes = algorithms.map(algorithm => createHash(algorithm));
  }

  update(bytes: Uint8Array): void {
    for (const hash of this.hashes) hash.update(bytes);
  }

  digests(): Digests {
    const [sha256, sha512] = this.hashes.map(hash => hash.digest('hex'));
    return { sha256: `sha256:${sha256}`, sha512: sha512 === undefined ? null : `sha512:${sha512}` };
  }
}
