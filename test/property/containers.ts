// Packs members in the style of any writer; synchronous and deterministic.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type Compression, canCompress } from '../support/compression.js';
import { isFile, isLink, type Member } from '../support/members.js';
import { gnuLong, paxEntry, rawEntry } from '../support/tar-blocks.js';
import { packedOnce } from './images.js';

export interface TarStyle {
  readonly format: 'ustar' | 'gnu';
  /** The number of records of 512 bytes to which the tar is padded. */
  readonly blocking: 2 | 20;
  readonly outer: Compression;
}

export const tarStyle: fc.Arbitrary<TarStyle> = fc.record({
  format: fc.constantFrom('ustar', 'gnu'),
  blocking: fc.constantFrom(2, 20),
  outer: fc
    .constantFrom<Compression>('none', 'none', 'none', 'gzip', 'zstd', 'xz', 'bzip2')
    .map(how => (canCompress(how) ? how : 'gzip')),
});

export const PLAIN: TarStyle = { format: 'ustar', blocking: 2, outer: 'none' };

const BLOCK = 512;
const bytes = (text: string) => Buffer.from(text).toString('latin1');

export function tarOf(members: readonly Member[], style: TarStyle = PLAIN): Uint8Array {
  const entries = members.map(member => entryOf(member, style.format));
  const size = entries.reduce((sum, entry) => sum + entry.length, 2 * BLOCK);
  const record = style.blocking * BLOCK;
  const end = Buffer.alloc(2 * BLOCK + ((record - (size % record)) % record));
  const tar = new Uint8Array(Buffer.concat([...entries, end]));
  if (style.outer === 'none') return tar;
  return style.outer === 'gzip' ? new Uint8Array(gzipSync(tar, { level: 1 })) : packedOnce(tar, style.outer);
}

function entryOf(member: Member, format: TarStyle['format']): Uint8Array {
  const name = bytes(member.path);
  const link = isLink(member) ? bytes(member.link) : '';
  const flag = isFile(member) ? '0' : isLink(member) ? (member.hard === true ? '1' : '2') : '5';
  const mode = `${(member.mode ?? (flag === '5' ? 0o755 : 0o644)).toString(8).padStart(7, '0')}\0`;
  const mtime = Math.max(0, member.mtime ?? 0);
  const content = isFile(member) ? member.bytes : '';
  const pax: [string, string][] = [];
  const before: Uint8Array[] = [];
  const long = (key: string, kind: 'L' | 'K', text: string) => {
    if (text.length <= 100 && !text.includes('\0')) return;
    if (format === 'gnu') before.push(gnuLong(kind, text));
    else pax.push([key, text]);
  };
  long('path', 'L', name);
  long('linkpath', 'K', link);
  if (pax.length > 0) before.push(paxEntry(pax));
  const header = { name: name.slice(0, 100), link: link.slice(0, 100), flag, mode, mtime, format };
  return Buffer.concat([...before, rawEntry(header, content)]);
}
