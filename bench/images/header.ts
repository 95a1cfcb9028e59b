// Headers as Go's archive/tar writes them into layers: ustar if the name fits, otherwise a PAX record before it.
const BLOCK = 512;

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'directory';

const FLAGS: Readonly<Record<EntryType, string>> = { file: '0', hardlink: '1', symlink: '2', directory: '5' };

export interface Entry {
  readonly name: string;
  readonly type: EntryType;
  readonly mode: number;
  /** Bytes of content. */
  readonly size?: number;
  readonly target?: string;
  /** Seconds since 1970. */
  readonly mtime: number;
}

export const paddingOf = (size: number): number => -size & (BLOCK - 1);

/** All blocks that precede the entry's content. */
export function headerBlocks(entry: Entry): Buffer {
  const split = splitName(entry.name);
  if (split !== null) return ustar(entry, split, FLAGS[entry.type]);
  const record = Buffer.from(paxRecord('path', entry.name));
  const plain = [...entry.name].map(c => (c > '\x7f' ? '_' : c)).join('');
  const pax = { ...entry, size: record.length, mode: 0o644, target: '' };
  const base = plain.slice(plain.lastIndexOf('/', plain.length - 2) + 1).slice(0, 80);
  return Buffer.concat([
    ustar(pax, { prefix: '', name: `PaxHeaders.0/${base}` }, 'x'),
    record,
    Buffer.alloc(paddingOf(record.length)),
    ustar(entry, { prefix: '', name: plain.slice(0, 100) }, FLAGS[entry.type]),
  ]);
}

interface Split {
  readonly prefix: string;
  readonly name: string;
}

function splitName(name: string): Split | null {
  if (/[^\0-\x7f]/.test(name)) return null;
  if (name.length <= 100) return { prefix: '', name };
  const slash = name.lastIndexOf('/', Math.min(155, name.length - 2));
  if (slash <= 0 || name.length - slash - 1 > 100) return null;
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) };
}

/** `LENGTH KEY=VALUE\n`, where the length includes itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function ustar(entry: Entry, { prefix, name }: Split, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (text: string, at: number) => block.write(text, at, 'latin1');
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  put(name, 0);
  put(octal(entry.mode, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(entry.size ?? 0, 11), 124);
  put(octal(entry.mtime, 11), 136);
  put('        ', 148);
  put(flag, 156);
  put(entry.target ?? '', 157);
  put('ustar\x0000', 257);
  put('root', 265);
  put('root', 297);
  put(octal(0, 7), 329);
  put(octal(0, 7), 337);
  put(prefix, 345);
  let sum = 0;
  for (const byte of block) sum += byte;
  put(`${octal(sum, 6)}\0 `, 148);
  return block;
}
