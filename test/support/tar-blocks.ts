// Tars written block by block, for what no writer writes: old formats, sparse files, contradictions. Strings are bytes
// (latin1).
export interface RawHeader {
  readonly name: string;
  /** Default: `0`, a file; an empty string is the NUL of old tars. */
  readonly flag?: string;
  /** Size in the header; default: the content's length. A string is written unchanged. */
  readonly size?: number | string;
  readonly mode?: string;
  readonly uid?: number | string;
  readonly gid?: number | string;
  readonly mtime?: number | string;
  readonly link?: string;
  readonly format?: 'ustar' | 'gnu' | 'v7' | 'star';
  readonly prefix?: string;
  readonly device?: readonly [major: number, minor: number];
  /** Changes the header before the checksum is computed. */
  readonly patch?: (block: Buffer) => void;
}

const BLOCK = 512;
const MAGIC = { ustar: 'ustar\x0000', gnu: 'ustar  \0', v7: '', star: 'ustar\x0000' } as const;

const octal = (value: number | string, length: number) =>
  typeof value === 'string' ? value : `${value.toString(8).padStart(length - 1, '0')}\0`;

export function rawHeader(header: RawHeader, length = 0): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, at: number) => block.write(text, at, 'latin1');
  put(header.name, 0);
  put(header.mode ?? '0000644\0', 100);
  put(octal(header.uid ?? 0, 8), 108);
  put(octal(header.gid ?? 0, 8), 116);
  put(octal(header.size ?? length, 12), 124);
  put(octal(header.mtime ?? 0, 12), 136);
  put(header.flag ?? '0', 156);
  put(header.link ?? '', 157);
  put(MAGIC[header.format ?? 'ustar'], 257);
  if (header.device !== undefined) {
    put(octal(header.device[0], 8), 329);
    put(octal(header.device[1], 8), 337);
  }
  put(header.prefix ?? '', 345);
  if (header.format === 'star') put('tar\0', 508);
  header.patch?.(block);
  return withChecksum(block);
}

export function withChecksum(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

const bytesOf = (content: string | Uint8Array) =>
  typeof content === 'string' ? Buffer.from(content, 'latin1') : Buffer.from(content);

export const padded = (content: string | Uint8Array): Buffer => {
  const bytes = bytesOf(content);
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (BLOCK - 1))]);
};

/** A header and its content, padded. */
export const rawEntry = (header: RawHeader, content: string | Uint8Array = ''): Buffer =>
  Buffer.concat([rawHeader(header, bytesOf(content).length), padded(content)]);

/** A PAX header for the next entry, or with flag `g` for all following entries. */
export function paxEntry(records: readonly (readonly [key: string, value: string])[], flag = 'x'): Buffer {
  const content = records.map(([key, value]) => paxRecord(key, value)).join('');
  return rawEntry({ name: 'PaxHeaders.0/x', flag }, content);
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/** GNU's record of a name (`L`) or link target (`K`) that is too long for the header. */
export const gnuLong = (flag: 'L' | 'K', text: string): Buffer =>
  rawEntry({ name: '././@LongLink', flag, format: 'gnu' }, `${text}\0`);

export const rawTar = (...entries: readonly Uint8Array[]): Buffer =>
  Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
