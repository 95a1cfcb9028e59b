// Tar headers that readers interpret differently.
import type { RawHeader } from '../support/tar-blocks.js';
import { type Draft, plant } from './draft.js';
import { type Move, planted, spoilt } from './move.js';
import { filePiece, type Piece, pieceBytes } from './piece.js';

const typed = (flag: string, title: string): Move =>
  planted(`type-${title}`, `A member of tar type ${title}, which is a file to some readers only.`, twin => ({
    ...twin,
    flag,
  }));

const octal = (size: number, length = 11) => size.toString(8).padStart(length, '0');

const sized = (name: string, does: string, size: (length: number) => string): Move =>
  planted(name, does, twin => ({ ...twin, header: { size: size(twin.body.length) } }));

const headed = (name: string, does: string, header: Partial<RawHeader>): Move =>
  planted(name, does, twin => ({ ...twin, header }));

/** The name is in two fields, which only readers that support `prefix` in this format join. */
const prefixed = (format: NonNullable<RawHeader['format']>): Move =>
  planted(
    `prefix-${format}`,
    `A text in the prefix field of a ${format} header, which only ustar joins to the name.`,
    ({ path, body }, { random }) => {
      const parts = path.split('/');
      const name = parts.pop()!;
      if (parts.length === 0)
        return { path, body, header: { format, prefix: random.pick(['x', '.', './']) } };
      return { path: name, body, header: { format, prefix: parts.join('/') } };
    },
  );

const spoiltField = (field: keyof RawHeader, value: string): Move =>
  spoilt(
    `garbage-${field}`,
    `Bytes that are no number in the field ${field}: Go refuses the header.`,
    piece => ({
      ...piece,
      header: { ...piece.header, [field]: value },
    }),
  );

/** A member inside the content of an entry that has no content for readers in Go, but has it for others. */
const inside = (flag: string, what: string): Move =>
  planted(
    `inside-${what.replace(' ', '-')}`,
    `A ${what} whose header has a size: its content is members to readers that take it for empty.`,
    (twin, draft) => carrier(twin, draft, flag),
  );

function carrier(twin: Piece, { random }: Draft, flag: string): Piece {
  const hidden = pieceBytes(twin);
  const link = flag === '1' || flag === '2' ? { link: random.pick(['oci-layout', 'x']) } : {};
  return { path: 'carrier', body: hidden, flag, ...link };
}

export const headerMoves: readonly Move[] = [
  typed('Z', 'Z'),
  typed('q', 'q'),
  typed('A', 'A'),
  typed('7', '7'),
  typed('', 'NUL'),
  typed('V', 'V'),
  typed('M', 'M'),
  typed('D', 'D'),
  typed('N', 'N'),
  typed('X', 'X'),
  typed('8', '8'),
  typed('3', 'device'),
  typed('6', 'fifo'),
  typed('5', 'directory'),
  planted(
    'type-S',
    'A sparse file of GNU tar: readers that do not know sparse files take its map for content.',
    twin => ({
      ...twin,
      flag: 'S',
      header: {
        format: 'gnu',
        patch: block => {
          block.write(`${octal(0)}\0${octal(twin.body.length)}\0`, 386, 'latin1');
          block.write(`${octal(twin.body.length)}\0`, 483, 'latin1');
        },
      },
    }),
  ),
  sized(
    'size-nul',
    'A size field that begins with NUL: zero to some, the number to others.',
    n => `\0${octal(n, 10)}\0`,
  ),
  sized('size-spaces', 'A size field that is filled with spaces.', n => n.toString(8).padStart(11, ' ')),
  sized(
    'size-space-inside',
    'A size field with a second number after a space.',
    n => `${n.toString(8)} 7777`,
  ),
  sized('size-nul-inside', 'A size field with a second number after a NUL.', n => `${n.toString(8)}\x007777`),
  sized('size-garbage', 'A size field with a letter after the number.', n => `${n.toString(8)}x`),
  sized('size-12', 'A size field with twelve digits and no terminator.', n => octal(n, 12)),
  sized('size-base256', 'A size in base 256, as GNU tar writes large ones.', n => {
    const field = Buffer.alloc(12);
    field[0] = 0x80;
    field.writeUInt32BE(n, 8);
    return field.toString('latin1');
  }),
  sized('size-negative', 'A size in base 256 that is negative.', () => '\xff'.repeat(12)),
  sized('size-empty', 'A size field of NULs: no content, followed by a header.', () => '\0'.repeat(12)),
  headed('link-name', 'A file with a link name in its header.', { link: 'oci-layout' }),
  headed('format-v7', 'A header of the oldest format.', { format: 'v7' }),
  headed('format-gnu', 'A header of GNU tar.', { format: 'gnu' }),
  headed('format-star', 'A header of star, whose prefix is shorter.', { format: 'star' }),
  prefixed('ustar'),
  prefixed('gnu'),
  prefixed('v7'),
  prefixed('star'),
  headed('checksum-signed', 'A byte above 127 in the header: sums of signed and of unsigned bytes differ.', {
    patch: block => block.write('\xff\xfe', 300, 'latin1'),
  }),
  inside('2', 'symbolic link'),
  inside('1', 'hard link'),
  inside('5', 'directory'),
  inside('3', 'device'),
  inside('6', 'fifo'),
  spoiltField('mode', 'garbage\0'),
  spoiltField('uid', '0zz\0'),
  spoiltField('gid', '-1\0'),
  spoiltField('mtime', 'yesterday\0'),
  spoilt('garbage-device', 'Bytes that are no number in the device fields.', piece => ({
    ...piece,
    header: { ...piece.header, patch: block => block.write('nodevice', 329, 'latin1') },
  })),
  {
    name: 'member-checksum-wrong',
    does: 'A header whose checksum is wrong, before other members: the end of the archive to some readers.',
    tarOnly: true,
    pieces: draft => {
      const odd = pieceBytes(filePiece('notes', 'x'));
      odd.write('0000001\0', 148, 'latin1');
      const at = draft.random.pick(draft.pieces);
      plant(draft, { ...filePiece('notes', ''), before: odd }, at);
    },
  },
  {
    name: 'zero-block',
    does: 'One block of zeros between members: the end of the archive to some readers.',
    tarOnly: true,
    pieces: draft => {
      const target = draft.random.pick(draft.pieces);
      const zeros = Buffer.alloc(512 * (1 + draft.random.below(3)));
      draft.pieces.splice(draft.pieces.indexOf(target), 1, { ...target, before: zeros });
    },
  },
];
