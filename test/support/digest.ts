// Digests and JSON as the producers write them.
import { createHash } from 'node:crypto';

export type Algorithm = 'sha256' | 'sha512';

export const hexOf = (bytes: Uint8Array | string, algorithm: Algorithm = 'sha256'): string =>
  createHash(algorithm).update(bytes).digest('hex');

export const digestOf = (bytes: Uint8Array | string, algorithm: Algorithm = 'sha256'): string =>
  `${algorithm}:${hexOf(bytes, algorithm)}`;

/** The part of a digest after the colon. */
export const encodedOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1);

export const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === 'string' ? new TextEncoder().encode(value) : value;

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/** JSON as Go's encoding/json writes it: compact unless `indent` is given, and escaped for HTML. */
export function goJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(/[<>&\u2028\u2029]/g, found => ESCAPES[found] as string);
}

/** encoding/json sorts the keys of a Go map. Absent values are left out. */
export function sortedKeys<T extends object>(value: T): T {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) as T;
}
