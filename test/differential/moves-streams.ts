// Bytes around and after the tar: streams in two formats at once.
import { deflateRawSync, gzipSync } from 'node:zlib';
import { canCompress, compress } from '../support/compression.js';
import { rawTar } from '../support/tar-blocks.js';
import { toZip } from '../support/zip.js';
import type { Draft } from './draft.js';
import type { Move } from './move.js';
import { filePiece, pieceBytes } from './piece.js';

const stream = (name: string, does: string, bytes: NonNullable<Move['bytes']>): Move => ({
  name,
  does,
  tarOnly: true,
  bytes,
});

const evilTar = (draft: Draft): Buffer => rawTar(...draft.evilPieces.map(pieceBytes));
const SKIPPABLE = [0x50, 0x2a, 0x4d, 0x18];
const FRAME_HEAD = 8;

/** A tar whose first name is the header of a skippable frame around all of it. RFC 8878, 3.1.2 */
function skippable(tar: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.set(SKIPPABLE);
  const first = Buffer.from(pieceBytes(filePiece('x'.repeat(FRAME_HEAD), '')));
  head.writeUInt32LE(tar.length + first.length - FRAME_HEAD, 4);
  const named = pieceBytes(filePiece('', '', { header: { patch: block => head.copy(block) } }));
  return Buffer.concat([named, tar]);
}

const gzipped = (bytes: Uint8Array) => gzipSync(bytes);
const withoutEnd = (tar: Buffer) => tar.subarray(0, tar.length - 1024);

/** A gzip member with a text in its header's extra field. RFC 1952, 2.3.1 */
function gzipWithExtra(bytes: Uint8Array, extra: Uint8Array): Buffer {
  const plain = gzipped(bytes);
  const head = Buffer.from(plain.subarray(0, 10));
  head[3] = 4;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(extra.length);
  return Buffer.concat([head, length, extra, plain.subarray(10)]);
}

export const streamMoves: readonly Move[] = [
  stream('outer-gzip', 'The archive is packed by gzip.', (_, tar) => gzipped(tar)),
  ...(['zstd', 'xz', 'bzip2'] as const)
    .filter(canCompress)
    .map(how => stream(`outer-${how}`, `The archive is packed by ${how}.`, (_, tar) => compress(tar, how))),
  stream('outer-gzip-twice', 'The archive is packed twice.', (_, tar) => gzipped(gzipped(tar))),
  stream(
    'skippable-evil',
    'A tar of EVIL inside a skippable zstd frame, followed by GOOD compressed with zstd.',
    (draft, tar) =>
      canCompress('zstd') ? Buffer.concat([skippable(evilTar(draft)), compress(tar, 'zstd')]) : tar,
  ),
  stream('skippable-good', 'The other way round.', (draft, tar) =>
    canCompress('zstd') ? Buffer.concat([skippable(tar), compress(evilTar(draft), 'zstd')]) : tar,
  ),
  stream('skippable-first', 'An empty skippable frame in front of a packed archive.', (_, tar) =>
    canCompress('zstd')
      ? Buffer.concat([Buffer.from([...SKIPPABLE, 4, 0, 0, 0, 1, 2, 3, 4]), compress(tar, 'zstd')])
      : tar,
  ),
  stream('zstd-frames', 'EVIL in a second zstd frame.', (draft, tar) =>
    canCompress('zstd')
      ? Buffer.concat([compress(withoutEnd(tar), 'zstd'), compress(evilTar(draft), 'zstd')])
      : tar,
  ),
  stream('gzip-members', 'The archive in two gzip members.', (_, tar) =>
    Buffer.concat([gzipped(tar.subarray(0, 512)), gzipped(tar.subarray(512))]),
  ),
  stream(
    'gzip-second-evil',
    'EVIL in a second gzip member, which continues the tar of the first.',
    (draft, tar) => Buffer.concat([gzipped(withoutEnd(tar)), gzipped(evilTar(draft))]),
  ),
  stream('gzip-second-after-end', 'EVIL in a second gzip member, after the end of the tar.', (draft, tar) =>
    Buffer.concat([gzipped(tar), gzipped(evilTar(draft))]),
  ),
  stream('gzip-trailing', 'Bytes after a gzip member.', (_, tar) =>
    Buffer.concat([gzipped(tar), Buffer.from('garbage!')]),
  ),
  stream('gzip-trailing-zeros', 'Zeros after a gzip member.', (_, tar) =>
    Buffer.concat([gzipped(tar), Buffer.alloc(512)]),
  ),
  stream('gzip-extra', 'A gzip member with an extra field that holds EVIL.', (draft, tar) =>
    gzipWithExtra(tar, deflateRawSync(evilTar(draft)).subarray(0, 60_000)),
  ),
  stream('tar-behind', 'A tar of EVIL after the end of GOOD.', (draft, tar) =>
    Buffer.concat([tar, evilTar(draft)]),
  ),
  stream('tar-joined', 'A tar of EVIL after one of GOOD without an end marker.', (draft, tar) =>
    Buffer.concat([withoutEnd(tar), evilTar(draft)]),
  ),
  stream('tar-joined-first', 'A tar of EVIL without an end in front.', (draft, tar) =>
    Buffer.concat([withoutEnd(evilTar(draft)), tar]),
  ),
  stream('no-end', 'A tar without its end.', (_, tar) => withoutEnd(tar)),
  stream('half-end', 'A tar with one block of zeros at its end.', (_, tar) =>
    tar.subarray(0, tar.length - 512),
  ),
  stream('behind-end', 'Bytes after the end.', (_, tar) => Buffer.concat([tar, Buffer.from('trailing')])),
  stream('cut', 'The archive is cut.', (draft, tar) => tar.subarray(0, draft.random.below(tar.length))),
  stream('zip-behind', 'A zip of EVIL after the tar.', (draft, tar) =>
    Buffer.concat([tar, toZip(draft.evilPieces.map(({ path, body }) => ({ path, bytes: body })))]),
  ),
  stream('gzip-behind', 'EVIL compressed after the tar.', (draft, tar) =>
    Buffer.concat([tar, gzipped(evilTar(draft))]),
  ),
  stream('zeros-first', 'A block of zeros in front of the tar.', (_, tar) =>
    Buffer.concat([Buffer.alloc(512), tar]),
  ),
];
