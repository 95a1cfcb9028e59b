/** Characters of a digest by its algorithm. */
const LENGTHS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/**
 * The error of go-digest for a text that is no digest; null for one that is. opencontainers/go-digest digest.go
 * (Validate)
 */
export function digestError(text: string): string | null {
  const [, algorithm = '', hex = ''] = ANY.exec(text) ?? [];
  if (algorithm === '') return 'invalid checksum digest format';
  const length = LENGTHS.get(algorithm);
  if (length === undefined) return 'unsupported digest algorithm';
  if (hex.length !== length) return 'invalid checksum digest length';
  return /[^0-9a-f]/.test(hex) ? 'invalid checksum digest format' : null;
}

const ANY = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/;
