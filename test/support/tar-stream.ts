// Another reader of tars, for comparison with ours.
import { extract, type Header } from 'tar-stream';
import type { Entry, EntryType } from '../../src/scan/entries/table.js';

const TYPES: Readonly<Record<string, EntryType>> = {
  file: 'file',
  'contiguous-file': 'file',
  link: 'hardlink',
  symlink: 'symlink',
  directory: 'directory',
  'character-device': 'char',
  'block-device': 'block',
  fifo: 'fifo',
};

/** The fields of an entry that both readers have. */
export interface Read {
  readonly name: string;
  readonly type: EntryType;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly target: string | null;
  readonly xattrs: readonly string[];
}

/** The entries that tar-stream reads; it does not interpret the values of PAX records. */
export async function readByTarStream(tar: Uint8Array): Promise<Read[]> {
  const reading = extract({ allowUnknownFormat: true } as object);
  const entries: Read[] = [];
  const ended = new Promise<void>((resolve, reject) => reading.on('finish', resolve).on('error', reject));
  reading.on('entry', (header: Header, content, next) => {
    entries.push(fromTarStream(header as Header & { pax: Record<string, string> | null }));
    content.on('end', next);
    content.resume();
  });
  reading.end(Buffer.from(tar));
  await ended;
  return entries;
}

function fromTarStream(header: Header & { pax: Record<string, string> | null }): Read {
  const pax = header.pax ?? {};
  const type = TYPES[header.type ?? ''] ?? 'other';
  const isLink = type === 'hardlink' || type === 'symlink';
  return {
    name: header.name,
    type,
    size: type === 'file' || type === 'other' ? header.size! : 0,
    mode: header.mode! & 0o7777,
    uid: Number(pax.uid ?? header.uid),
    gid: Number(pax.gid ?? header.gid),
    mtime: Math.floor(Number(pax.mtime ?? header.mtime!.getTime() / 1000)),
    target: isLink ? (header.linkname ?? '') : null,
    xattrs: Object.keys(pax).filter(key => key.startsWith('SCHILY.xattr.') && pax[key] !== ''),
  };
}

const utf8 = (bytes: string) => Buffer.from(bytes, 'latin1').toString();

/** The entry that our walk reads. */
export const toRead = ({ name, type, storedSize, mode, uid, gid, mtime, target, xattrs }: Entry): Read => ({
  name: utf8(name),
  type,
  size: storedSize,
  mode,
  uid,
  gid,
  mtime,
  target: target === null ? null : utf8(target),
  xattrs: xattrs.map(xattr => `SCHILY.xattr.${xattr.name}`),
});
