// Parts of attacks: small files that unpack to large ones, and images that contain them.
import { deflateRawSync, gzipSync } from 'node:zlib';
import { assemble, image, layerOf, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import type { Compression } from '../support/pack.js';
import { toTar } from '../support/pack.js';
import { rawHeader } from '../support/tar-blocks.js';

export const MiB = 1024 * 1024;

export const item = await plainImage('item', 2, 'gzip');
export const TAGGED = { image: item, tags: ['app:1'] };
export const oci = layouts.skopeoOci(TAGGED);
export const save = layouts.dockerSave(TAGGED);
/** The attacker's image. */
export const evil = await plainImage('evil', 2, 'gzip');

/** Makes zeros, compressed to some hundred bytes per mebibyte or fewer. */
export const zeros: Readonly<Record<Exclude<Compression, 'none'>, (bytes: number) => Buffer>> = {
  gzip: bytes => repeated(gzipSync(Buffer.alloc(MiB), { level: 9 }), Math.ceil(bytes / MiB)),
  zstd: bytes => zstdRuns(Math.ceil(bytes / ZSTD_BLOCK)),
  xz: bytes => repeated(Buffer.from(XZ_MEBIBYTE, 'base64'), Math.ceil(bytes / MiB)),
  bzip2: bytes => repeated(Buffer.from(BZIP2_ZEROS, 'base64'), Math.ceil(bytes / BZIP2_BYTES)),
};

const ZSTD_BLOCK = 128 * 1024;

/** A frame of run-length blocks, four bytes for 128 KiB each. RFC 8878, 3.1.1.2 */
function zstdRuns(blocks: number): Buffer {
  const frame = Buffer.alloc(6 + 4 * blocks);
  frame.writeUInt32LE(0xfd2fb528, 0);
  // No content size; a window of 1 MiB.
  frame[5] = 10 << 3;
  for (let i = 0; i < blocks; i++) {
    const last = i === blocks - 1 ? 1 : 0;
    frame.writeUIntLE((ZSTD_BLOCK << 3) | (1 << 1) | last, 6 + 4 * i, 3);
  }
  return frame;
}

const XZ_MEBIBYTE =
  '/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM7///ANldAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wjEVPgWRjFdYrid/i2lH8MasDedElk4ulcU7IE2PdEDKtfDW1G6eXDdoi3llestk3haR1v+0uIEGxCy4g/XACP0E6vJiiUcR89jyThcJ6nI1/sKMuF0ZWYin4qkfIndfcZwAaYTZj92K/VkA/EJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbpZlJYvul2rFnk5VsFCPnH2q38+1Iq9+SVJQAAAAAAHOo4pwAB8QGAgEAAb9Xu3D4wDYsCAAAAAAFZWg==';
const BZIP2_ZEROS = 'QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXF3JFOFCQDgni3w==';
const BZIP2_BYTES = 45_899_235;

/** A zip that contains itself, by Russ Cox. https://research.swtch.com/zip */
export const ZIP_QUINE = Buffer.from(
  'UEsDBBQAAAAIAAgDZDz59IlkSAEAALgBAAAHAAAAci9yLnppcAAlANr/UEsDBBQAAAAIAAgDZDz59IlkSAEAALgBAAAHAAAAci9yLnppcAAvAND/ACUA2v9QSwMEFAAAAAgACANkPPn0iWRIAQAAuAEAAAcAAAByL3IuemlwAC8A0P/CVI5XOQAFAPr/wlSOVzkABQD6/wAFAPr/ABQA6//CVI5XOQAFAPr/AAUA+v8AFADr/0KIIcQAABQA6/9CiCHEAAAUAOv/QoghxAAAFADr/0KIIcQAABQA6/9CiCHEAAAAAP//AAAA//8ANADL/0KIIcQAAAAA//8AAAD//wA0AMv/QughXg8AAAD//wrwZmQSYcAV3OigSL9IryqzIMCblQ3EZwRCUwYGBkAABgD5/20BAAAAAELoIV4PAAAA//8K8GZkEmHAFdzooEi/SK8qsyDAm5UNxGcEQlMGBgZAAAYA+f9tAQAAAABQSwECFAAUAAAACAAIA2Q8+fSJZEgBAAC4AQAABwAAAAAAAAAAAAAAAAAAAAAAci9yLnppcFBLBQYAAAAAAQABADUAAABtAQAAAAA=',
  'base64',
);

/** An image whose second layer is stored as given: its digest and size match, its diff_id is that of a small tar. */
export async function withLayer(
  blob: Uint8Array,
  compression: Exclude<Compression, 'none'> = 'gzip',
): Promise<layouts.Member[]> {
  const [kept] = item.layers;
  const { tar } = kept!;
  const base = await image({ layers: [{ tar }, { tar }] });
  const layers = [kept!, layerOf(tar, blob, compression)];
  return layouts.skopeoOci({ image: assemble(base.configBytes, layers), tags: ['app:1'] });
}

/** An image of one layer with the given tar. */
export async function ofTar(tar: Uint8Array): Promise<layouts.Member[]> {
  return layouts.skopeoOci({
    image: await image({ layers: [{ tar, compression: 'gzip' }] }),
    tags: ['app:1'],
  });
}

/** A tar of an image and a member of zeros, all of it compressed. */
export async function outerBomb(
  bytes: number,
  pack: (bytes: Uint8Array) => Uint8Array,
  compression: Exclude<Compression, 'none'>,
): Promise<Uint8Array> {
  const tar = Buffer.from(await toTar(oci, { endMarker: false }));
  const header = rawHeader({ name: 'zeros', size: bytes });
  return Buffer.concat([pack(Buffer.concat([tar, header])), zeros[compression](bytes + 1024)]);
}

/** A zstd frame that stores bytes in raw blocks. */
export function zstdStored(bytes: Uint8Array): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3])];
  for (let at = 0; at < bytes.length; at += ZSTD_BLOCK) {
    const piece = bytes.subarray(at, at + ZSTD_BLOCK);
    const head = Buffer.alloc(3);
    head.writeUIntLE((piece.length << 3) | (at + ZSTD_BLOCK >= bytes.length ? 1 : 0), 0, 3);
    parts.push(head, Buffer.from(piece));
  }
  return Buffer.concat(parts);
}

export const repeated = (piece: Uint8Array, times: number): Buffer => {
  const all = Buffer.alloc(piece.length * times);
  for (let i = 0; i < times; i++) all.set(piece, i * piece.length);
  return all;
};

export interface ZipEntry {
  readonly name: string;
  readonly body: Uint8Array;
  readonly size: number;
  readonly crc?: number;
  readonly deflated?: boolean;
  /** The entry whose bytes it shares. */
  readonly as?: number;
}

/** A zip whose entries have the given fields. APPNOTE.TXT 4.3 */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  const offsets: number[] = [];
  let end = 0;
  for (const { name, body, size, crc = 0, deflated = false, as } of entries) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(deflated ? 8 : 0, 4);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(crc, 10);
    fields.writeUInt32LE(body.length, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), body]);
    offsets.push(as === undefined ? end : offsets[as]!);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offsets.at(-1)!, 10);
    central.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), fields, rest, Buffer.from(name)]),
    );
    if (as !== undefined) continue;
    parts.push(local);
    end += local.length;
  }
  const directory = Buffer.concat(central);
  const record = Buffer.alloc(22);
  record.write('PK\x05\x06', 'latin1');
  record.writeUInt16LE(entries.length, 8);
  record.writeUInt16LE(entries.length, 10);
  record.writeUInt32LE(directory.length, 12);
  record.writeUInt32LE(end, 16);
  return Buffer.concat([...parts, directory, record]);
}

/** Zeros, deflated, as in a zip. */
export const deflatedZeros = (bytes: number): Buffer => deflateRawSync(Buffer.alloc(bytes), { level: 9 });
