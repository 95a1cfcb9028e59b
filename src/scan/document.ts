import { looksLikeJson } from '../source/kind.js';
import { digestOf } from '../spec/digest.js';
import type { Json } from '../spec/json.js';

/** A JSON document of the archive, read whole, or why it could not be. */
export interface Document {
  readonly path: string;
  /** null when it was not read: too large, or not JSON at all. */
  readonly bytes: Uint8Array | null;
  /** sha256 of the bytes, where they were read. */
  readonly digest: string | null;
  /** undefined when there is an error. */
  readonly value: Json | undefined;
  readonly error: DocumentError | null;
}

export type DocumentError =
  | { readonly kind: 'not-json'; readonly reason: string }
  | { readonly kind: 'limit'; readonly limit: string; readonly value: number; readonly actual: number }
  | { readonly kind: 'unreadable'; readonly reason: string };

export function readDocument(path: string, bytes: Uint8Array): Document {
  const base = { path, bytes, digest: digestOf(bytes) };
  if (bytes.length === 0)
    return { ...base, value: undefined, error: { kind: 'not-json', reason: 'it is empty' } };
  try {
    // ignoreBOM keeps a byte order mark in the text, where it is the error that Go's decoder makes of it too.
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    if (nestsTooDeep(text)) {
      const reason = `it is nested more than ${MAX_DEPTH} deep`;
      return { ...base, value: undefined, error: { kind: 'not-json', reason } };
    }
    return { ...base, value: JSON.parse(text) as Json, error: null };
  } catch (error) {
    return { ...base, value: undefined, error: { kind: 'not-json', reason: (error as Error).message } };
  }
}

/** Honest documents nest ten deep. JavaScript's JSON.stringify overflows the stack at some 4000, and Go refuses 10,000. */
const MAX_DEPTH = 1000;

function nestsTooDeep(text: string): boolean {
  if (text.length < 2 * MAX_DEPTH) return false;
  let inString = false;
  for (let i = 0, depth = 0; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === '\\') i++;
      else inString = character !== '"';
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      if (++depth > MAX_DEPTH) return true;
    } else if (character === '}' || character === ']') depth--;
  }
  return false;
}

export function refusedDocument(path: string, error: DocumentError): Document {
  return { path, bytes: null, digest: null, value: undefined, error };
}

/** Whether a member is worth keeping as a document: it opens like JSON, or its name says that it must be JSON. */
export function mayBeDocument(path: string, head: Uint8Array): boolean {
  return (
    looksLikeJson(head) ||
    /(^|\/)(index\.json|oci-layout|manifest\.json|repositories|json|[^/]+\.json)$/.test(path)
  );
}
