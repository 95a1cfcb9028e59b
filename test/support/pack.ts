// Packs members into the bytes or files that a test reads.
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { extract } from 'tar-stream';
import { canCompress, compress } from './compression.js';
import { directory, file, isFile, isLink, type Member } from './members.js';
import { type TarEntry, type TarOptions, tarBytes } from './tar.js';
import { toZip } from './zip.js';

export { type Compression, canCompress, compress, hasCommand } from './compression.js';
export type { TarOptions } from './tar.js';
export { toZip, type ZipOptions } from './zip.js';

/** A tar of the members, in their order, including duplicates; long names become PAX headers. */
export const toTar = (members: readonly Member[], options: TarOptions = {}): Promise<Uint8Array> =>
  tarBytes(members.map(tarEntry), options);

function tarEntry(member: Member): TarEntry {
  if (isFile(member) || !isLink(member)) return member;
  return { ...member, type: member.hard === true ? 'link' : 'symlink' };
}

/** The members of a tar, so that a test can start from a real archive. */
export async function fromTar(tar: Uint8Array): Promise<Member[]> {
  const members: Member[] = [];
  const reading = extract();
  reading.end(Buffer.from(tar));
  for await (const entry of reading) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    const { name, type, linkname, mode, mtime } = entry.header;
    const more = { mode, mtime: Math.floor(mtime.getTime() / 1000) };
    if (type === 'directory') members.push(directory(name, more));
    else if (type === 'link' || type === 'symlink')
      members.push({ path: name, link: linkname, hard: type === 'link', ...more });
    else members.push(file(name, new Uint8Array(Buffer.concat(chunks)), more));
  }
  return members;
}

/** Writes the members as files below `folder`, which is created; the last duplicate is kept. */
export function toDirectory(members: readonly Member[], folder: string): string {
  mkdirSync(folder, { recursive: true });
  // A hard link needs its target first.
  const later = (member: Member) => isLink(member) && member.hard === true;
  for (const member of [...members.filter(m => !later(m)), ...members.filter(later)]) place(member, folder);
  return folder;
}

function place(member: Member, folder: string): void {
  const path = join(folder, member.path);
  if (relative(folder, path).startsWith('..')) throw new Error(`${member.path} leads out of the directory`);
  mkdirSync(isFile(member) || isLink(member) ? dirname(path) : path, { recursive: true });
  if (isFile(member)) writeFileSync(path, member.bytes);
  else if (isLink(member) && member.hard === true) linkSync(join(folder, member.link), path);
  else if (isLink(member)) symlinkSync(member.link, path);
}

export type DeliveryKind =
  | 'tar'
  | 'tar.gz'
  | 'tar.zst'
  | 'zip-stored'
  | 'zip-deflated'
  | 'directory'
  | 'tar-in-zip-stored'
  | 'tar-in-zip-deflated';

export interface Delivery {
  readonly kind: DeliveryKind;
  /** Path of the file, or of the directory. */
  readonly file: string;
}

/**
 * One archive in every delivery, all of which must give the same result; without `tar.zst` if there is no zstd command.
 */
export async function deliveries(members: readonly Member[], folder: string): Promise<Delivery[]> {
  mkdirSync(folder, { recursive: true });
  const tar = await toTar(members);
  const inside = [file('image.tar', tar)];
  const save = (kind: DeliveryKind, name: string, bytes: Uint8Array): Delivery => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return { kind, file: path };
  };
  return [
    save('tar', 'image.tar', tar),
    save('tar.gz', 'image.tar.gz', compress(tar, 'gzip')),
    ...(canCompress('zstd') ? [save('tar.zst', 'image.tar.zst', compress(tar, 'zstd'))] : []),
    save('zip-stored', 'stored.zip', toZip(members)),
    save('zip-deflated', 'deflated.zip', toZip(members, { deflate: true })),
    { kind: 'directory', file: toDirectory(members, join(folder, 'directory')) },
    save('tar-in-zip-stored', 'tar-stored.zip', toZip(inside)),
    save('tar-in-zip-deflated', 'tar-deflated.zip', toZip(inside, { deflate: true })),
  ];
}
