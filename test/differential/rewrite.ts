// Changes a blob and updates the digests in all documents that refer to it, directly or indirectly.
import { hexOf, textOf } from '../support/digest.js';
import type { Draft } from './draft.js';
import type { Piece } from './piece.js';

/** Replaces the bytes of a member and its digest in every document that refers to it. */
export function rewrite(draft: Draft, piece: Piece, body: Uint8Array): void {
  follow(draft, piece, body, new Set());
}

/** @param changed  members that were changed: of two that refer to each other, only one can be right */
function follow(draft: Draft, piece: Piece, body: Uint8Array, changed: Set<string>): void {
  const old = hexOf(piece.body);
  const addressed = piece.path.includes(old);
  const made = { ...piece, body, path: addressed ? piece.path.replaceAll(old, hexOf(body)) : piece.path };
  draft.pieces[draft.pieces.indexOf(piece)] = made;
  changed.add(made.path);
  if (!addressed || old === hexOf(body)) return;
  const naming = draft.pieces.filter(other => !changed.has(other.path) && names(other.body, old));
  for (const other of naming) {
    if (!draft.pieces.includes(other)) continue;
    const text = textOf(other.body).replaceAll(old, hexOf(body));
    follow(draft, other, Buffer.from(withSize(text, hexOf(body), body.length)), changed);
  }
}

const names = (bytes: Uint8Array, hex: string): boolean =>
  bytes.length < 1 << 16 && Buffer.from(bytes).includes(hex);

const withSize = (text: string, hex: string, size: number): string =>
  text
    .replace(new RegExp(`(${hex}",\\s*"size":\\s*)\\d+`, 'g'), `$1${size}`)
    .replace(new RegExp(`("size":\\s*)\\d+(,\\s*"digest":\\s*"sha256:${hex})`, 'g'), `$1${size}$2`);
