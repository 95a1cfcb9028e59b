import { createHash } from 'node:crypto';

/**
 * Digests as the OCI image specification defines them: `algorithm ":" encoded`, with component separators `+._-`.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */
const GRAMMAR = /^[a-z0-9+._-]+:[a-zA-Z0-9=_-]+$/;
/** Separators stand alone, between components. No pattern that repeats a group: a digest may be of megabytes. */
const BAD_SEPARATOR = /^[+._-]|[+._-][+._:-]/;

/** Registered algorithms and the hex digits that they take. blake3 is registered but cannot be computed by Node. */
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha512', 128],
  ['blake3', 64],
]);

/** The algorithms that blobs are hashed with. */
export type Algorithm = 'sha256' | 'sha512';

/** Digests of one run of bytes. sha512 only where a name or a claim asks for it. */
export interface Digests {
  readonly sha256: string;
  readonly sha512: string | null;
}

/** Algorithms for which two contents of one digest can be made. */
const BROKEN: ReadonlySet<string> = new Set([
  'md2',
  'md4',
  'md5',
  'sha',
  'sha1',
  'ripemd',
  'adler32',
  'crc32',
  'crc32c',
]);

/** Whether the algorithm of a digest is broken, so that the digest proves nothing. */
export const isWeak = (digest: string): boolean => BROKEN.has(splitDigest(digest)[0]);

type DigestKind = 'computable' | 'unknown-algorithm' | 'malformed';

/** Whether a digest string is well-formed, and whether we can compute its algorithm. Unknown algorithms SHOULD pass. */
export function digestKind(digest: string): DigestKind {
  if (!GRAMMAR.test(digest) || BAD_SEPARATOR.test(algorithmOf(digest))) return 'malformed';
  const [algorithm, encoded] = splitDigest(digest);
  const digits = HEX_DIGITS.get(algorithm);
  if (digits === undefined) return 'unknown-algorithm';
  if (encoded.length !== digits || !/^[0-9a-f]+$/.test(encoded)) return 'malformed';
  return algorithm === 'blake3' ? 'unknown-algorithm' : 'computable';
}

/** With its colon. */
const algorithmOf = (digest: string) => digest.slice(0, digest.indexOf(':') + 1);

export function splitDigest(digest: string): [algorithm: string, encoded: string] {
  const colon = digest.indexOf(':');
  return [digest.slice(0, colon), digest.slice(colon + 1)];
}

/** The digest of `bytes`, e.g. `sha256:44136fa3…`. */
export function digestOf(bytes: Uint8Array | string, algorithm: Algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** Picks the digest of the same algorithm as `claim`, or null where that was not computed. */
export function sameAlgorithm(digests: Digests, claim: string): string | null {
  if (claim.startsWith('sha256:')) return digests.sha256;
  if (claim.startsWith('sha512:')) return digests.sha512;
  return null;
}

/**
 * The digest that a member's name promises: `blobs/<algorithm>/<encoded>`.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#blobs
 */
export function digestOfBlobPath(path: string): string | null {
  const match = /(?:^|\/)blobs\/([^/]+)\/([^/]+)$/.exec(path);
  if (match === null) return null;
  const digest = `${match[1]}:${match[2]}`;
  return digestKind(digest) === 'malformed' ? null : digest;
}

/** Where the image layout keeps the blob of `digest`, below the layout's root. */
export function blobPath(digest: string): string {
  const [algorithm, encoded] = splitDigest(digest);
  return `blobs/${algorithm}/${encoded}`;
}

/** `sha256:0123456789ab` for people; never for comparing. */
export function shortDigest(digest: string): string {
  const [algorithm, encoded] = splitDigest(digest);
  return encoded.length > 12 ? `${algorithm}:${encoded.slice(0, 12)}` : digest;
}

/**
 * The chain IDs of a stack of layers: ChainID(L₀) = DiffID(L₀), ChainID(L₀|…|Lₙ) = SHA256(ChainID(L₀|…|Lₙ₋₁) + " " +
 * DiffID(Lₙ)). https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#layer-chainid
 */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}

/** Those of the layers up to the first whose diff_id is no digest: above it there are none. */
export function soundChainIds(diffIds: readonly string[]): string[] {
  const end = diffIds.findIndex(diffId => digestKind(diffId) === 'malformed');
  return chainIds(end < 0 ? diffIds : diffIds.slice(0, end));
}
