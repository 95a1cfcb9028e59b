import { isUtf8 } from 'node:buffer';
import { defaultLimits, type LimitName, type Limits } from '../limits.js';
import { looksLikeJson } from '../source/kind.js';
import { digestOf } from '../spec/digest.js';
import type { Json } from '../spec/json.js';
import { type JsonFault, jsonFault } from '../spec/json-syntax.js';
import { type JsonOddities, jsonOddities, NO_ODDITIES } from '../spec/json-text.js';

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
  /** What other readers may see differently. */
  readonly oddities: JsonOddities & { readonly utf8: boolean };
}

export type DocumentError =
  /** `fault` says where the text stops being JSON. */
  | { readonly kind: 'not-json'; readonly reason: string; readonly fault: JsonFault }
  | {
      readonly kind: 'limit';
      readonly limit: LimitName;
      readonly value: number;
      /** Bytes of the document; null where these are not what the limit is about. */
      readonly actual: number | null;
    }
  | { readonly kind: 'unreadable'; readonly reason: string };

const NOTHING_ODD: Document['oddities'] = { ...NO_ODDITIES, utf8: true };

/** @param kept  what the documents weigh that are kept already */
export function readDocument(
  path: string,
  bytes: Uint8Array,
  { documentDepth, keptDocumentBytes }: Pick<Limits, 'documentDepth' | 'keptDocumentBytes'> = defaultLimits,
  kept = 0,
): Document {
  const refused = (error: DocumentError): Document => {
    return { path, bytes, digest: digestOf(bytes), value: undefined, error, oddities: NOTHING_ODD };
  };
  const text = textOf(bytes);
  try {
    if (bytes.length === 0) throw new SyntaxError('it is empty');
    const oddities = jsonOddities(text, documentDepth);
    if (oddities === null)
      return refused({ kind: 'limit', limit: 'documentDepth', value: documentDepth, actual: null });
    if (kept + bytes.length + oddities.weight > keptDocumentBytes) {
      const limit = 'keptDocumentBytes';
      return refusedDocument(path, { kind: 'limit', limit, value: keptDocumentBytes, actual: null });
    }
    const value = JSON.parse(text) as Json;
    return {
      path,
      bytes,
      digest: digestOf(bytes),
      value,
      error: null,
      oddities: { ...oddities, utf8: isUtf8(bytes) },
    };
  } catch (error) {
    const fault = jsonFault(text) ?? { kind: 'character', at: 0, context: '' };
    return refused({ kind: 'not-json', reason: (error as Error).message, fault });
  }
}

/** ignoreBOM keeps a byte order mark in the text, where it is the error that Go's decoder makes of it too. */
export const textOf = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** The value before the bytes that make a text no JSON document, and how many these are; null where they are not the fault. */
export function firstValue({
  bytes,
  error,
}: Document): { readonly value: Json; readonly rest: number } | null {
  if (bytes === null || error?.kind !== 'not-json' || error.fault.kind !== 'after') return null;
  const text = textOf(bytes);
  const value = JSON.parse(text.slice(0, error.fault.at)) as Json;
  return { value, rest: Buffer.byteLength(text.slice(error.fault.at)) };
}

/** What a document takes of memory, in bytes and about. */
export const weightOf = ({ bytes, oddities }: Document): number => (bytes?.length ?? 0) + oddities.weight;

export function refusedDocument(path: string, error: DocumentError): Document {
  return { path, bytes: null, digest: null, value: undefined, error, oddities: NOTHING_ODD };
}

/** Whether a member is worth keeping as a document: it opens like JSON, or its name says that it must be JSON. */
export function mayBeDocument(path: string, head: Uint8Array): boolean {
  return (
    looksLikeJson(head) ||
    /(^|\/)(index\.json|oci-layout|manifest\.json|repositories|json|[^/]+\.json)$/.test(path)
  );
}
