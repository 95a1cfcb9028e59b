// Layers: their order, compression and names.
import { gzipSync } from 'node:zlib';
import { canCompress, compress } from '../support/compression.js';
import { textOf } from '../support/digest.js';
import type { Layer } from '../support/image.js';
import { chosenTwins, type Draft, layOut, roleOf } from './draft.js';
import type { Move } from './move.js';
import { filePiece, type Piece } from './piece.js';
import { rewrite } from './rewrite.js';

const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18]);

type Pack = (good: Layer, evil: Layer) => Uint8Array;

/** Stores one layer with other bytes, under their own digest; the diff_ids stay. */
function repack(draft: Draft, pack: Pack): void {
  const layers = draft.pieces.filter(piece => roleOf(piece, draft.good)?.startsWith('layer'));
  if (layers.length === 0) return;
  const piece = draft.random.pick(layers);
  const at = Number(roleOf(piece, draft.good)!.slice('layer '.length));
  rewrite(draft, piece, pack(draft.good.layers[at]!, draft.evil.layers[at]!));
}

const repacked = (name: string, does: string, pack: Pack): Move => ({
  name,
  does,
  pieces: draft => repack(draft, pack),
});

/** Changes the text of the documents that list layers. */
const listed = (name: string, does: string, change: (text: string, draft: Draft) => string): Move => ({
  name,
  does,
  pieces: draft => {
    const lists = draft.pieces.filter(({ body }) =>
      /"[lL]ayers":/.test(Buffer.from(body).toString('latin1')),
    );
    if (lists.length === 0) return;
    const piece = draft.random.pick(lists);
    rewrite(draft, piece, Buffer.from(change(textOf(piece.body), draft)));
  },
});

const mapped = (name: string, does: string, change: (list: unknown[], draft: Draft) => unknown[]): Move =>
  listed(name, does, (text, draft) =>
    text.replace(/("[lL]ayers":\s*)(\[[^\]]*\])/, (all, key: string, list: string) => {
      const parsed = parsedList(list);
      return parsed === null ? all : key + JSON.stringify(change(parsed, draft));
    }),
  );

function parsedList(text: string): unknown[] | null {
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    return null;
  }
}

const zstd = (bytes: Uint8Array) => (canCompress('zstd') ? compress(bytes, 'zstd') : bytes);

/** A tar whose first member's name is the header of a skippable frame around all of it. */
function skippable(tar: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  SKIPPABLE.copy(head);
  head.writeUInt32LE(tar.length + 512 - 8, 4);
  const first = Buffer.from(tar.subarray(0, 512));
  const copy = Buffer.concat([first, tar]);
  head.copy(copy);
  copy.fill(' ', 148, 156);
  copy.write('0'.repeat(11), 124, 'latin1');
  const sum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return copy;
}

/** A manifest with another media type for a layer, which sometimes is EVIL's under GOOD's diff_id. */
const labelled = (name: string, type: string): Move => {
  const labelling = listed('', '', text =>
    text.replace(/application\/vnd\.[a-z.]*(?:image\.layer|image\.rootfs)[^"]*/, type),
  );
  return {
    name,
    does: `A layer labelled ${type}.`,
    pieces: draft => {
      labelling.pieces?.(draft);
      if (draft.random.oneIn(2)) repack(draft, (_, { tar, blob }) => draft.random.pick([tar, blob]));
    },
  };
};

export const layerMoves: readonly Move[] = [
  repacked('layer-gzip', 'A layer with another compression than its media type.', good => gzipSync(good.tar)),
  repacked('layer-zstd', 'The same with zstd.', good => zstd(good.tar)),
  repacked('layer-plain', 'The same, not packed.', good => good.tar),
  repacked('layer-evil', "EVIL's layer in place of GOOD's, with GOOD's diff_id.", (_, evil) => evil.blob),
  repacked(
    'layer-skippable',
    'A tar of EVIL inside a skippable zstd frame, followed by GOOD compressed.',
    (good, evil) => Buffer.concat([skippable(evil.tar), zstd(good.tar)]),
  ),
  repacked('layer-skippable-first', 'A skippable frame in front of a packed layer.', good =>
    Buffer.concat([SKIPPABLE, Buffer.from([4, 0, 0, 0, 1, 2, 3, 4]), zstd(good.tar)]),
  ),
  repacked('layer-gzip-members', 'A layer in two gzip members.', good =>
    Buffer.concat([gzipSync(good.tar.subarray(0, 512)), gzipSync(good.tar.subarray(512))]),
  ),
  repacked('layer-gzip-evil', 'EVIL in a second gzip member.', (good, evil) =>
    Buffer.concat([gzipSync(good.tar), gzipSync(evil.tar)]),
  ),
  repacked('layer-gzip-trailing', 'Bytes after the gzip member of a layer.', good =>
    Buffer.concat([gzipSync(good.tar), Buffer.from('garbage!')]),
  ),
  repacked('layer-gzip-zeros', 'Zeros after the gzip member of a layer.', good =>
    Buffer.concat([gzipSync(good.tar), Buffer.alloc(100)]),
  ),
  repacked('layer-zstd-trailing', 'Bytes after the zstd frame of a layer.', good =>
    Buffer.concat([zstd(good.tar), Buffer.from('garbage!')]),
  ),
  repacked('layer-gzip-cut', 'A layer whose packing is cut.', good => gzipSync(good.tar).subarray(0, -6)),
  repacked('layer-tar-behind', 'A tar of EVIL after the end of a layer.', (good, evil) =>
    Buffer.concat([good.tar, evil.tar]),
  ),
  repacked('layer-empty', 'A layer of no bytes.', () => new Uint8Array()),
  repacked('layer-zeros', 'A layer of zeros.', () => new Uint8Array(1024)),
  repacked('layer-text', 'A layer that is not a tar.', () => Buffer.from('hello\n')),
  mapped('layers-turned', 'The layers in the other order.', list => list.toReversed()),
  mapped('layers-twice', 'A layer listed twice.', list => [...list, list.at(-1)]),
  mapped('layers-less', 'A layer less than the config has diff_ids.', list => list.slice(1)),
  mapped('layers-more', "EVIL's layer after GOOD's.", (list, draft) => [...list, ...evilLayers(draft, list)]),
  mapped('layers-evil', "EVIL's layers in place of GOOD's.", (list, draft) => evilLayers(draft, list)),
  labelled('layer-type-encrypted', 'application/vnd.oci.image.layer.v1.tar+encrypted'),
  labelled('layer-type-in-toto', 'application/vnd.in-toto+json'),
  labelled('layer-type-foreign', 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'),
  labelled('layer-type-nondistributable', 'application/vnd.oci.image.layer.nondistributable.v1.tar'),
  labelled('layer-type-docker', 'application/vnd.docker.image.rootfs.diff.tar.gzip'),
  labelled('layer-type-zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'),
  labelled('layer-type-text', 'text/plain'),
  labelled('layer-type-squashfs', 'application/vnd.sylabs.sif.layer.v1.squashfs'),
  labelled('layer-type-empty', 'application/vnd.oci.empty.v1+json'),
  {
    name: 'member-absent',
    does: 'A member is not in the archive.',
    pieces: draft => {
      draft.pieces.splice(draft.random.below(draft.pieces.length), 1);
    },
  },
  {
    name: 'members-turned',
    does: 'The members in another order.',
    pieces: draft => {
      draft.pieces.reverse();
    },
  },
  {
    name: 'prefix-dot',
    does: 'Every name begins with `./`.',
    pieces: draft => {
      draft.pieces = draft.pieces.map(piece => ({ ...piece, path: `./${piece.path}` }));
    },
  },
  {
    name: 'evil-beside',
    does: "EVIL's whole archive in a folder of GOOD's.",
    pieces: draft => {
      draft.pieces.unshift(...draft.evilPieces.map(piece => filePiece(`evil/${piece.path}`, piece.body)));
    },
  },
  {
    name: 'evil-around',
    does: "GOOD's archive in a folder, EVIL's in another one.",
    pieces: draft => {
      const inside = (folder: string, pieces: readonly Piece[]) =>
        pieces.map(piece => ({ ...piece, path: `${folder}/${piece.path}` }));
      draft.pieces = [...inside('a', draft.pieces), ...inside('b', draft.evilPieces)];
    },
  },
  {
    name: 'config-evil',
    does: "EVIL's config in place of GOOD's, by name or by content.",
    pieces: draft => {
      const twins = chosenTwins(draft);
      const evil = draft.evilPieces.find(piece => roleOf(piece, draft.evil) === 'config');
      if (twins === null || evil === undefined) return;
      const config = draft.pieces.find(piece => roleOf(piece, draft.good) === 'config');
      if (config !== undefined) rewrite(draft, config, evil.body);
    },
  },
];

/** EVIL's layers in the form of the base: names or descriptors, as in `like`. */
function evilLayers(draft: Draft, like: readonly unknown[]): unknown[] {
  const pieces = layOut(draft.base.parts(draft.evil, true));
  for (const { body } of [...pieces, ...draft.evilPieces]) {
    const found = /"[lL]ayers":\s*(\[[^\]]*\])/.exec(Buffer.from(body).toString('latin1'));
    const list = found === null ? null : parsedList(found[1]!);
    if (list !== null && typeof list[0] === typeof like[0]) {
      const known = new Set(draft.pieces.map(({ path }) => path));
      draft.pieces.unshift(...pieces.filter(({ path }) => !known.has(path)));
      return list;
    }
  }
  return [];
}
