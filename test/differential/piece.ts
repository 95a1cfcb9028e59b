// A member of an archive after the moves: header fields as given, and the blocks before it.
import { textOf } from '../support/digest.js';
import type { Member } from '../support/members.js';
import { isFile, isLink } from '../support/members.js';
import { gnuLong, type RawHeader, rawEntry } from '../support/tar-blocks.js';

export interface Piece {
  readonly path: string;
  readonly body: Uint8Array;
  /** Default: `0`, a file. */
  readonly flag?: string;
  readonly link?: string;
  /** Fields that replace those of the usual header. */
  readonly header?: Partial<RawHeader>;
  /** Blocks before the header: PAX and GNU records. */
  readonly before?: Uint8Array;
}

export const NONE = new Uint8Array();

export const filePiece = (path: string, body: Uint8Array | string, more: Partial<Piece> = {}): Piece => ({
  path,
  body: typeof body === 'string' ? Buffer.from(body) : body,
  ...more,
});

export const symlink = (path: string, link: string): Piece => ({ path, body: NONE, flag: '2', link });
export const hardLink = (path: string, link: string): Piece => ({ path, body: NONE, flag: '1', link });
export const folder = (path: string): Piece => ({ path: `${path}/`, body: NONE, flag: '5' });

export const isPlain = ({ flag }: Piece): boolean => flag === undefined || flag === '0';

export function pieceOf(member: Member): Piece {
  if (isFile(member)) return filePiece(member.path, member.bytes);
  if (isLink(member))
    return member.hard === true ? hardLink(member.path, member.link) : symlink(member.path, member.link);
  return folder(member.path.replace(/\/$/, ''));
}

const NAME_FIELD = 100;

/** The header, its records and its content. A name that is too long for the header gets a GNU record. */
export function pieceBytes({ path, body, flag, link, header, before = NONE }: Piece): Buffer {
  const name = Buffer.from(path).toString('latin1');
  const long = name.length > NAME_FIELD ? gnuLong('L', name) : NONE;
  const mode = flag === '5' ? '0000755\0' : '0000644\0';
  const fields: RawHeader = {
    name: name.slice(0, NAME_FIELD),
    mode,
    ...(flag !== undefined && { flag }),
    ...(link !== undefined && { link }),
    ...header,
  };
  return Buffer.concat([before, long, rawEntry(fields, body)]);
}

export const jsonOf = ({ body }: Piece): unknown => {
  try {
    return JSON.parse(textOf(body));
  } catch {
    return undefined;
  }
};
