// An archive under construction: first documents, then members, then bytes. Moves change each of these stages.
import { encodedOf, goJson } from '../support/digest.js';
import type { Image } from '../support/image.js';
import { type Content, MEDIA } from '../support/oci.js';
import { blobPath } from '../support/oci-layout.js';
import type { Pair } from './images.js';
import { filePiece, type Piece } from './piece.js';
import type { Random } from './random.js';

/** An item of manifest.json. */
export interface Item {
  Config: string;
  RepoTags: readonly string[] | null;
  Layers: readonly string[];
}

/** The documents of an archive before they are members. A part that the base does not have is null. */
export interface Parts {
  /** Entries of index.json. */
  entries: Content[] | null;
  /** Items of manifest.json. */
  items: Item[] | null;
  /** The manifest of skopeo's `dir:`. */
  top: Content | null;
  /** All other files, by path. */
  readonly files: Map<string, Uint8Array>;
}

export interface Draft extends Pair {
  readonly base: Base;
  /** The random numbers of the current move. */
  readonly random: Random;
  readonly parts: Parts;
  /** The archive of EVIL alone, before any move. */
  readonly evilPieces: readonly Piece[];
  /** EVIL in the other layouts: a document of one may be planted in another. */
  readonly strangers: readonly (readonly Piece[])[];
  /** Empty while documents are made. */
  pieces: Piece[];
  /** `directory` if a real directory is made of the members instead of a tar. */
  readonly form: Form;
}

export type Form = 'tar' | 'directory';

export interface Base {
  readonly name: string;
  readonly parts: (image: Image, compressed: boolean) => Parts;
  /** Engines that must load it if nothing is planted, by the beginnings of readers' names. */
  readonly readers: readonly string[];
  readonly forms: readonly Form[];
}

export const NAME = 'app:1';

/** The members of an archive with these parts: blobs, then other files, then the documents that list them. */
export function layOut({ entries, items, top, files }: Parts): Piece[] {
  const pieces = new Map<string, Piece>();
  const put = (path: string, body: Uint8Array | string) =>
    pieces.has(path) || pieces.set(path, filePiece(path, body));
  for (const { digest, bytes } of (entries ?? []).flatMap(({ blobs }) => blobs)) put(blobPath(digest), bytes);
  if (top !== null) {
    for (const { digest, bytes } of top.blobs.slice(1)) put(encodedOf(digest), bytes);
    put('manifest.json', top.blobs[0]!.bytes);
  }
  for (const [path, bytes] of files) put(path, bytes);
  if (entries !== null) put('index.json', indexText(entries));
  if (items !== null) put('manifest.json', goJson(items));
  return [...pieces.values()];
}

function indexText(entries: readonly Content[]): string {
  const manifests = entries.map(({ descriptor }) => descriptor);
  return goJson({ schemaVersion: 2, mediaType: MEDIA.index, manifests });
}

/** The role of a member in its image: its counterpart in the other image has the same role. */
export function roleOf({ path, body }: Piece, { configBytes, layers }: Image): string | null {
  if (DOCUMENTS.includes(path)) return path;
  const same = (bytes: Uint8Array) => Buffer.compare(bytes, body) === 0;
  if (same(configBytes)) return 'config';
  const layer = layers.findIndex(({ blob, tar }) => same(blob) || same(tar));
  if (layer >= 0) return `layer ${layer}`;
  return /"layers"/.test(Buffer.from(body).toString('latin1')) ? 'manifest' : null;
}

export const DOCUMENTS: readonly string[] = [
  'index.json',
  'manifest.json',
  'repositories',
  'oci-layout',
  'version',
];

export interface Twins {
  /** A member of GOOD, and its counterpart in EVIL. */
  readonly target: Piece;
  readonly twin: Piece;
  /** The document belongs to another layout and was added to the archive for this move; both members are EVIL's. */
  readonly stranger?: true;
}

/** The members that have a counterpart with other bytes. */
export function twinsOf({ pieces, evilPieces, good, evil }: Draft): Twins[] {
  const roles = new Map(evilPieces.map(piece => [roleOf(piece, evil), piece]));
  return pieces.flatMap(target => {
    const role = roleOf(target, good);
    const twin = role === null ? undefined : roles.get(role);
    if (twin === undefined || Buffer.compare(twin.body, target.body) === 0) return [];
    return [{ target, twin }];
  });
}

/** Chooses a member to attack: most often a document that lists images, and sometimes one that did not exist. */
export function chosenTwins(draft: Draft): Twins | null {
  const { random } = draft;
  const stranger = random.oneIn(3) ? invited(draft) : null;
  if (stranger !== null) return stranger;
  const all = twinsOf(draft);
  if (all.length === 0) return null;
  const documents = all.filter(({ target }) => DOCUMENTS.includes(target.path));
  return random.pick(documents.length > 0 && !random.oneIn(3) ? documents : all);
}

const LISTS: readonly string[] = ['index.json', 'manifest.json', 'repositories'];

/** Adds EVIL in another layout beside GOOD, if that layout's document does not exist yet. */
function invited(draft: Draft): Twins | null {
  const known = new Set(draft.pieces.map(({ path }) => path));
  const others = draft.strangers.filter(pieces =>
    pieces.some(({ path }) => LISTS.includes(path) && !known.has(path)),
  );
  if (others.length === 0) return null;
  const pieces = draft.random.pick(others);
  draft.pieces.push(...pieces.filter(({ path }) => !known.has(path)));
  const document = pieces.find(({ path }) => LISTS.includes(path) && !known.has(path))!;
  return { target: document, twin: document, stranger: true };
}

/** Adds the blobs of EVIL to the archive, except those that would replace GOOD's. */
export function addEvil(draft: Draft): void {
  const known = new Set(draft.pieces.map(({ path }) => path));
  const more = draft.evilPieces.filter(({ path }) => !known.has(path));
  draft.pieces.unshift(...more);
}

/** Inserts a member before or after another one, or at either end. */
export function plant(draft: Draft, piece: Piece, beside: Piece | null = null): void {
  const at = beside === null ? -1 : draft.pieces.indexOf(beside);
  const places = [0, draft.pieces.length, ...(at < 0 ? [] : [at, at + 1])];
  draft.pieces.splice(draft.random.pick(places), 0, piece);
}

export function replace(draft: Draft, old: Piece, ...by: readonly Piece[]): void {
  draft.pieces.splice(draft.pieces.indexOf(old), 1, ...by);
}
