import { isUtf8 } from 'node:buffer';
import type { Compression } from '../../codec/registry.js';
import { sniff } from '../../codec/registry.js';
import { beginsSkippable } from '../../codec/zstd.js';
import { isTar, isTarToo, looksLikeJson } from '../../containers/kind.js';
import type { Member } from '../../containers/source.js';
import { defaultLimits, type LimitName, type Limits } from '../../limits.js';
import { digestOf } from '../../spec/digest.js';
import type { Json } from '../../spec/json.js';
import {
  type JsonFault,
  jsonFault,
  jsonFaultText,
  type TextPosition,
  textPosition,
} from '../../spec/json-syntax.js';
import { type JsonOddities, jsonOddities, NO_ODDITIES } from '../../spec/json-text.js';
import { utf8Text } from '../../spec/utf8.js';

/** A JSON document of the archive, read completely, or the reason why it was not. */
export interface Document {
  readonly path: string;
  /** null if it was not read: too large, or not JSON at all. */
  readonly bytes: Uint8Array | null;
  /** sha256 of the bytes, if they were read. */
  readonly digest: string | null;
  /** undefined if there is an error. */
  readonly value: Json | undefined;
  readonly error: DocumentError | null;
  /** Properties that other JSON readers may interpret differently. */
  readonly oddities: JsonOddities & { readonly utf8: boolean };
}

type DocumentError =
  /** `fault` says where the text stops being JSON; `position` is null where the text was not read. */
  | { readonly kind: 'not-json'; readonly fault: JsonFault; readonly position: TextPosition | null }
  | {
      readonly kind: 'limit';
      readonly limit: LimitName;
      readonly value: number;
      /** Size of the document, in bytes; null if the limit is about something else. */
      readonly actual: number | null;
    }
  | { readonly kind: 'unreadable'; readonly reason: string };

const NOTHING_ODD: Document['oddities'] = { ...NO_ODDITIES, utf8: true };

/** @param kept  memory of the documents that are already kept, in bytes */
export function readDocument(
  path: string,
  bytes: Uint8Array,
  { documentDepth, keptDocumentBytes }: Pick<Limits, 'documentDepth' | 'keptDocumentBytes'> = defaultLimits,
  kept = 0,
): Document {
  const refused = (error: DocumentError): Document => {
    return { path, bytes, digest: digestOf(bytes), value: undefined, error, oddities: NOTHING_ODD };
  };
  const text = utf8Text(bytes);
  const notJson = (): Document => {
    const fault = jsonFault(text) ?? { kind: 'character', at: 0, context: '' };
    return refused({ kind: 'not-json', fault, position: textPosition(text, fault.at) });
  };
  if (bytes.length === 0) return notJson();
  const oddities = jsonOddities(text, documentDepth);
  if (oddities === null)
    return refused({ kind: 'limit', limit: 'documentDepth', value: documentDepth, actual: null });
  if (kept + bytes.length + oddities.weight > keptDocumentBytes) {
    const limit = 'keptDocumentBytes';
    return refusedDocument(path, { kind: 'limit', limit, value: keptDocumentBytes, actual: null });
  }
  const value = parsed(text);
  if (value === undefined) return notJson();
  return {
    path,
    bytes,
    digest: digestOf(bytes),
    value,
    error: null,
    oddities: { ...oddities, utf8: isUtf8(bytes) },
  };
}

/** JSON.parse. The words of its error are those of a release of V8, so that `jsonFault` says what is wrong. */
function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Why a document is no JSON, in words. */
export function notJsonText({ fault, position }: Extract<DocumentError, { kind: 'not-json' }>): string {
  if (position !== null) return jsonFaultText(fault, position);
  if (fault.kind === 'empty') return 'it is empty';
  return fault.kind === 'end' ? 'it is cut short' : 'it does not begin like a JSON document';
}

/** The value that precedes trailing bytes, and the number of these bytes; null if the document has another fault. */
export function firstValue({
  bytes,
  error,
}: Document): { readonly value: Json; readonly rest: number } | null {
  if (bytes === null || error?.kind !== 'not-json' || error.fault.kind !== 'after') return null;
  const text = utf8Text(bytes);
  const value = JSON.parse(text.slice(0, error.fault.at)) as Json;
  return { value, rest: Buffer.byteLength(text.slice(error.fault.at)) };
}

/** Approximate memory of a document, in bytes. */
export const weightOf = ({ bytes, oddities }: Document): number => (bytes?.length ?? 0) + oddities.weight;

export function refusedDocument(path: string, error: DocumentError): Document {
  return { path, bytes: null, digest: null, value: undefined, error, oddities: NOTHING_ODD };
}

/**
 * True if a member should be kept as a document: its content begins like JSON, a file of this name must be JSON, or it
 * is a signature. Signatures in binary formats are documents that are not JSON.
 */
export function mayBeDocument(path: string, head: Uint8Array): boolean {
  return (
    looksLikeJson(head) ||
    /(^|\/)(index\.json|oci-layout|manifest\.json|repositories|json|[^/]+\.json)$/.test(path) ||
    isSignatureFile(path) ||
    isCose(head)
  );
}

/**
 * A file in which skopeo's `dir:` keeps a signature: of its manifest, or of a manifest of its list
 * (`<hex>.signature-1`).
 */
export const isSignatureFile = (path: string): boolean =>
  /(^|\/)(?:[0-9a-f]{64,128}\.)?signature-\d+$/.test(path);

/**
 * Whether bytes begin as a COSE_Sign1 message with its tag: an array of four, of which the first is a string. RFC 9052
 */
const isCose = (head: Uint8Array): boolean =>
  head[0] === 0xd2 && head[1] === 0x84 && (head[2] ?? 0) >> 5 === 2 && !isTar(head);

/** Properties of a member that are known from its first bytes. */
export interface Head {
  readonly compression: Compression;
  readonly json: boolean;
  readonly tar: boolean;
  /** True for a compressed stream that is also a tar. */
  readonly tarToo: boolean;
  /** True for a zstd stream that begins with a skippable frame, which not every reader recognises as zstd. */
  readonly skippable: boolean;
  /** True for an xz stream without an integrity check. The .xz File Format, 2.1.1.2 */
  readonly xzUnchecked: boolean;
}

export const toHead = (head: Uint8Array): Head => ({
  compression: sniff(head),
  json: looksLikeJson(head),
  tar: isTar(head),
  tarToo: isTarToo(head),
  skippable: beginsSkippable(head),
  xzUnchecked: sniff(head) === 'xz' && (head[7]! & 15) === 0,
});

export const NO_HEAD: Head = toHead(new Uint8Array(0));

export const cutDocument = (path: string): Document =>
  refusedDocument(path, {
    kind: 'not-json',
    fault: { kind: 'end', at: 0, context: '' },
    position: null,
  });

export const notJson = ({ path, size }: Member): Document =>
  refusedDocument(
    path,
    size === 0
      ? { kind: 'not-json', fault: { kind: 'empty', at: 0, context: '' }, position: null }
      : {
          kind: 'not-json',
          fault: { kind: 'character', at: 0, context: 'looking for beginning of value' },
          position: null,
        },
  );

/**
 * Returns null if a document may be read, and otherwise the error: it is too large, or the documents that are already
 * kept take too much memory.
 */
export function tooLarge(path: string, limits: Limits, actual: number, kept: number): Document | null {
  const limit: LimitName = actual > limits.documentBytes ? 'documentBytes' : 'keptDocumentBytes';
  if (actual + (limit === 'documentBytes' ? 0 : kept) <= limits[limit]) return null;
  return refusedDocument(path, { kind: 'limit', limit, value: limits[limit], actual });
}
