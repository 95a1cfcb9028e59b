import type { ByteRange } from '../../containers/source.js';
import type { Algorithm, Digests } from '../../spec/digest.js';
import type { Seeds } from '../names/table.js';
import type { Analysis } from './examiner.js';
import type { BlobFacts } from './facts.js';
import { UnpackedTotal } from './unpacked-total.js';

/** Facts about blobs of this and of earlier runs, which a scan may use in place of unpacking a blob again. */
export interface KnownBlobs {
  /** The seeds of all names in its facts: those of the whole scan. */
  readonly seeds: Seeds;
  /** Looks for facts about a blob like this one. null for one that facts are not kept of. */
  lookUp(range: ByteRange, algorithms: readonly Algorithm[], analysis: Analysis): BlobLookup | null;
}

export interface BlobLookup {
  /**
   * Facts about a blob of the same size that begins and ends with the same bytes; null if there are none. Hazard: they
   * are about this blob only if all of its bytes have the same digest.
   */
  readonly candidate: BlobFacts | null;
  /** Whether the candidate is used. */
  readonly used: (isUsed: boolean) => void;
  /** Takes the facts about this blob, for the next one like it. */
  readonly keep: (facts: BlobFacts) => void;
}

/**
 * The candidate, if it is about the bytes with these digests and counts no more than the archive may cost.
 * @param digests  of all stored bytes, computed now; null where they could not be read
 */
export function confirmed(
  { candidate, used }: BlobLookup,
  digests: Digests | null,
  analysis: Analysis,
): BlobFacts | null {
  const { sha256, sha512 } = candidate?.digests ?? {};
  const isSame = digests !== null && digests.sha256 === sha256 && digests.sha512 === sha512;
  const isUsed = isSame && charge(candidate!, analysis);
  used(isUsed);
  return isUsed ? candidate : null;
}

/**
 * Whether facts are the same in any archive and at any time: nothing stopped the analysis, neither a fault of the bytes
 * nor a bound that all blobs of an archive share.
 */
export function dependsOnlyOnBytes({ digests, unpacked, failure, listed, tar }: BlobFacts): boolean {
  if (digests === null || unpacked === null || failure !== null || listed !== undefined) return false;
  return tar?.table?.contents?.secrets?.spent !== true;
}

/**
 * Counts what a blob would have cost to unpack and to search, so that the bounds on a whole archive hold with facts
 * that are known as they do without.
 * @returns false if a bound would have been reached: then the blob has to be analysed
 */
function charge({ compression, unpacked, tar }: BlobFacts, { unpacked: memory, limits }: Analysis): boolean {
  if (memory === undefined) return true;
  const total = new UnpackedTotal(memory);
  const bytes = compression === 'none' ? 0 : (unpacked?.size ?? 0);
  const effort = tar?.table?.contents?.secrets?.effort ?? 0;
  const fits = total.add(bytes) <= Math.min(limits.archiveBytes, total.allowance(limits));
  const isSearched = total.spend(effort);
  if (fits && isSearched) return true;
  total.add(-bytes);
  total.spend(-effort);
  return false;
}
