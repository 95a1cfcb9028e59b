import type { Compression } from '../codec/codec.js';
import { sniff } from '../codec/registry.js';
import { beginsSkippable } from '../codec/zstd.js';
import type { LimitName, Limits } from '../limits.js';
import { isTar, isTarToo, looksLikeJson } from '../source/kind.js';
import type { Member } from '../source/source.js';
import { type Document, refusedDocument } from './document.js';

/** What a member's first bytes tell. */
export interface Head {
  readonly compression: Compression;
  readonly json: boolean;
  readonly tar: boolean;
  /** A compressed stream that is a tar as well. */
  readonly tarToo: boolean;
  /** A zstd stream that begins with a skippable frame, by which not every reader knows one. */
  readonly skippable: boolean;
  /** An xz stream without an integrity check (2.1.1.2). */
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
    reason: 'it is cut short',
    fault: { kind: 'end', at: 0, context: '' },
  });

export const notJson = ({ path, size }: Member): Document =>
  refusedDocument(
    path,
    size === 0
      ? { kind: 'not-json', reason: 'it is empty', fault: { kind: 'empty', at: 0, context: '' } }
      : {
          kind: 'not-json',
          reason: 'it does not begin like a JSON document',
          fault: { kind: 'character', at: 0, context: 'looking for beginning of value' },
        },
  );

/** Whether a document may be read, by its size and by what the documents weigh that are kept already; null where it may. */
export function tooLarge(path: string, limits: Limits, actual: number, kept: number): Document | null {
  const limit: LimitName = actual > limits.documentBytes ? 'documentBytes' : 'keptDocumentBytes';
  if (actual + (limit === 'documentBytes' ? 0 : kept) <= limits[limit]) return null;
  return refusedDocument(path, { kind: 'limit', limit, value: limits[limit], actual });
}
