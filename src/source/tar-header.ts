import type { Readable } from 'streamx';
import { extract, type Header } from 'tar-stream';

export const BLOCK = 512;

/** Type flags of records that describe the next entry (POSIX pax, GNU long names) instead of being one. */
export const isMetadataFlag = (flag: number) => 'xgLK'.includes(String.fromCharCode(flag));
/** Types whose header may name a size, though no content follows (POSIX ustar; Go and Python read them so). */
const HEADER_ONLY = '123456';
export const isHeaderOnly = (flag: number) => HEADER_ONLY.includes(String.fromCharCode(flag));

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every(byte => byte === 0);
}

/** The header's checksum is the sum of its bytes with the checksum field taken as spaces; old tars summed signed bytes. */
export function hasValidChecksum(block: Uint8Array): boolean {
  const field = Buffer.from(block.subarray(148, 156)).toString('latin1');
  const digits = /^[ \0]*([0-7]+)[ \0]*$/.exec(field)?.[1];
  if (digits === undefined) return false;
  const claimed = Number.parseInt(digits, 8);
  let unsigned = 8 * 32;
  for (let i = 0; i < 148; i++) unsigned += block[i]!;
  for (let i = 156; i < BLOCK; i++) unsigned += block[i]!;
  return claimed === unsigned || claimed === signedSum(block);
}

function signedSum(block: Uint8Array): number {
  let signed = 8 * 32;
  for (let i = 0; i < BLOCK; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i]!;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return signed;
}

/** The size field: octal digits, or base 256 with the top bit set. NaN when it is neither. */
export function headerSize(block: Uint8Array): number {
  const field = block.subarray(124, 136);
  if ((field[0]! & 0x80) !== 0) {
    if (field[0] !== 0x80) return Number.NaN;
    return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
  }
  const text = Buffer.from(field)
    .toString('latin1')
    .replace(/^[ \0]+/, '')
    .replace(/[ \0].*$/, '');
  if (text === '') return 0;
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/**
 * Turns header blocks into headers with tar-stream, which knows PAX, GNU long names and old formats. It is fed headers
 * only, with the size taken out, so that it never waits for content: a 20 GB archive is indexed by its headers alone.
 */
export class TarHeaderParser {
  private parser = newParser();
  private globals: Uint8Array[] = [];

  /**
   * @param metadata  the PAX and GNU records before this header, each with its own header and padding
   * @throws Error when tar-stream cannot read it
   */
  async parse(metadata: readonly Uint8Array[], block: Uint8Array): Promise<Header> {
    const header = await this.feed(Buffer.concat([...metadata, withoutSize(block)]));
    this.globals.push(...metadata.filter(record => record[156] === 'g'.charCodeAt(0)));
    if (header.size > 0) {
      // A PAX record set the size: the parser now waits for content that it will not get. A fresh one goes on.
      this.parser.destroy();
      this.parser = newParser();
      for (const record of this.globals) this.parser.write(record);
    }
    return header;
  }

  private feed(bytes: Uint8Array): Promise<Header> {
    const { parser } = this;
    return new Promise((resolve, reject) => {
      const settle = () => {
        parser.off('error', onError);
        parser.off('entry', onEntry);
      };
      const onError = (error: Error) => {
        settle();
        reject(error);
      };
      const onEntry = (header: Header, content: Readable, next: () => void) => {
        settle();
        // Without a listener, the error of an entry whose content never comes would end the process.
        content.on('error', () => {});
        content.resume();
        next();
        resolve(header);
      };
      parser.on('error', onError);
      parser.on('entry', onEntry);
      parser.write(bytes);
    });
  }
}

/** tar-stream's types leave the option out that makes it read tars from before POSIX, which have no magic. */
function newParser() {
  const parser = extract({ allowUnknownFormat: true } as object);
  parser.on('error', () => {});
  return parser;
}

/** The size that a PAX record gave, which wins over the header's own field; null where none did. */
export function paxSize(header: Header): number | null {
  const pax = header.pax as Readonly<Record<string, string>> | null | undefined;
  return pax && Object.hasOwn(pax, 'size') ? header.size : null;
}

function withoutSize(block: Uint8Array): Uint8Array {
  const copy = Buffer.from(block);
  copy.write('00000000000\0', 124, 'latin1');
  copy.fill(' ', 148, 156);
  const sum = copy.reduce((total, byte) => total + byte, 0);
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return copy;
}
