// PAX and GNU records before a member, which override its name, size or target.
import { gnuLong, paxEntry, rawEntry } from '../support/tar-blocks.js';
import { type Move, planted } from './move.js';
import type { Piece } from './piece.js';

type Records = readonly (readonly [string, string])[];

const DECOY = 'decoy';

const recorded = (name: string, does: string, before: (twin: Piece) => Uint8Array): Move =>
  planted(name, does, twin => ({ ...twin, path: DECOY, before: before(twin) }));

const pax = (
  name: string,
  does: string,
  records: (path: string, size: number) => Records,
  flag = 'x',
): Move => recorded(name, does, ({ path, body }) => paxEntry(records(path, body.length), flag));

/** A sparse file of PAX, version 1.0: the map precedes the content. */
function sparse(twin: Piece): Piece {
  const map = Buffer.alloc(512);
  map.write(`1\n0\n${twin.body.length}\n`);
  const before = paxEntry([
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', twin.path],
    ['GNU.sparse.realsize', String(twin.body.length)],
  ]);
  return { path: DECOY, body: Buffer.concat([map, twin.body]), before };
}

export const recordMoves: readonly Move[] = [
  pax('pax-path', 'A PAX record with another name than the header.', path => [['path', path]]),
  pax('pax-path-twice', 'A PAX record twice: the last one counts, to those who read all.', path => [
    ['path', path],
    ['path', DECOY],
  ]),
  pax('pax-path-last', 'The same, the other way round.', path => [
    ['path', DECOY],
    ['path', path],
  ]),
  pax('pax-path-nul', 'A PAX record with a NUL in the name.', path => [['path', `${path}\0x`]]),
  pax('pax-path-dotdot', 'A PAX record with `..` in the name.', path => [['path', `x/../${path}`]]),
  pax(
    'pax-global-path',
    'A global PAX header with a name for all that follow.',
    path => [['path', path]],
    'g',
  ),
  pax('pax-upper-x', 'The record of Solaris, type X.', path => [['path', path]], 'X'),
  pax('pax-size', 'A PAX record with another size than the header.', (path, size) => [
    ['path', path],
    ['size', String(Math.max(0, size - 1))],
  ]),
  pax('pax-size-zero', 'A PAX record with the size zero.', path => [
    ['path', path],
    ['size', '0'],
  ]),
  pax('pax-size-bad', 'A PAX record whose size is no number.', path => [
    ['path', path],
    ['size', '1e3'],
  ]),
  pax('pax-linkpath', 'A PAX record with a link target for a file.', path => [
    ['path', path],
    ['linkpath', 'oci-layout'],
  ]),
  pax('pax-charset', 'A PAX record that declares names as bytes.', path => [
    ['hdrcharset', 'BINARY'],
    ['path', path],
  ]),
  pax(
    'pax-sparse-name',
    'The name that GNU tar gives to sparse files of format 0.1, without a map.',
    path => [['GNU.sparse.name', path]],
  ),
  planted('pax-sparse', 'A sparse file of PAX, whose map stands in front of its content.', sparse),
  recorded('pax-length-wrong', 'A PAX record whose length is wrong.', ({ path }) =>
    rawEntry({ name: 'PaxHeaders.0/x', flag: 'x' }, `9 path=${path}\n`),
  ),
  recorded('pax-no-newline', 'A PAX record that does not end in a newline.', ({ path }) => {
    const record = ` path=${path}x`;
    const length = record.length + String(record.length + 2).length;
    return rawEntry({ name: 'PaxHeaders.0/x', flag: 'x' }, `${length}${record}`);
  }),
  planted('pax-path-empty', 'A PAX record with an empty name: the one in the header counts.', twin => ({
    ...twin,
    before: paxEntry([['path', '']]),
  })),
  planted('pax-path-away', 'A PAX record that gives the member another name than its header has.', twin => ({
    ...twin,
    before: paxEntry([['path', DECOY]]),
  })),
  recorded('gnu-long-name', "GNU's record of a long name, with another one than the header.", ({ path }) =>
    gnuLong('L', path),
  ),
  recorded('gnu-long-name-twice', "GNU's record twice.", ({ path }) =>
    Buffer.concat([gnuLong('L', path), gnuLong('L', DECOY)]),
  ),
  recorded('gnu-long-name-last', 'The same, the other way round.', ({ path }) =>
    Buffer.concat([gnuLong('L', DECOY), gnuLong('L', path)]),
  ),
  recorded('gnu-then-pax', 'Both kinds of record, with two names.', ({ path }) =>
    Buffer.concat([gnuLong('L', DECOY), paxEntry([['path', path]])]),
  ),
  recorded('pax-then-gnu', 'The same, the other way round.', ({ path }) =>
    Buffer.concat([paxEntry([['path', DECOY]]), gnuLong('L', path)]),
  ),
  recorded('gnu-long-name-nul', "GNU's record with bytes after the NUL.", ({ path }) =>
    gnuLong('L', `${path}\0x`),
  ),
  recorded('gnu-long-link', "GNU's record of a long link target in front of a file.", ({ path }) =>
    Buffer.concat([gnuLong('K', 'oci-layout'), gnuLong('L', path)]),
  ),
];
