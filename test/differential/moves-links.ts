// Links, which a reader may follow textually, as a file system does, or not at all.
import { addEvil, chosenTwins, type Draft, plant, replace, type Twins, twinsOf } from './draft.js';
import type { Move } from './move.js';
import { filePiece, folder, hardLink, type Piece, symlink } from './piece.js';

/** A move for one member and its counterpart; the blobs of EVIL are in the archive. */
const linked = (
  name: string,
  does: string,
  change: (twins: Twins, draft: Draft) => void,
  tarOnly = false,
): Move => ({
  name,
  does,
  ...(tarOnly && { tarOnly: true as const }),
  pieces: draft => {
    const twins = chosenTwins(draft);
    if (twins === null) return;
    addEvil(draft);
    change(twins, draft);
  },
});

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const dirName = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
/** The relative path from the directory of a member to the root. */
const up = (path: string) => '../'.repeat(path.split('/').length - 1);
const under = (path: string, name: string) => (dirName(path) === '' ? name : `${dirName(path)}/${name}`);

/** Replaces a member by a link, and adds possible targets of the link at the beginning, at the end, or at its place. */
function linkTo({ target }: Twins, draft: Draft, link: Piece, ...others: readonly Piece[]): void {
  replace(draft, target, link);
  for (const piece of others) plant(draft, piece, link);
}

/** Readers that join paths as text remove `..` with the segment before it; a file system follows the link first. */
function throughFolder({ target, twin }: Twins, draft: Draft, hard: boolean): void {
  const place = hard ? 'd/../chosen' : `${up(target.path)}d/../chosen`;
  const link = hard ? hardLink(target.path, place) : symlink(target.path, place);
  const others = [
    filePiece('other/chosen', twin.body),
    filePiece('chosen', target.body),
    filePiece('other/deep/x', 'x'),
    symlink('d', 'other/deep'),
  ];
  linkTo({ target, twin }, draft, link, ...others);
}

/**
 * Adds the blobs a second time in another folder, EVIL's under the names of GOOD's, and a link in place of GOOD's
 * folder.
 */
function folderLink(draft: Draft, name: string): void {
  const inside = draft.pieces.filter(({ path }) => path.startsWith(`${name}/`));
  if (inside.length === 0) return;
  const evil = new Map(twinsOf(draft).map(({ target, twin }) => [target.path, twin.body]));
  addEvil(draft);
  const evilBlobs = draft.evilPieces.filter(({ path }) => path.startsWith(`${name}/`));
  const moved = (piece: Piece) => ({ ...piece, path: piece.path.replace(name, 'other') });
  draft.pieces.push(
    ...inside.map(piece => ({ ...moved(piece), body: evil.get(piece.path) ?? piece.body })),
    ...evilBlobs.map(moved),
  );
  plant(draft, symlink(name, 'other'));
}

export const linkMoves: readonly Move[] = [
  linked(
    'link-to-evil',
    'A document that is a symbolic link to another file, which holds EVIL.',
    (twins, draft) =>
      linkTo(
        twins,
        draft,
        symlink(twins.target.path, `${up(twins.target.path)}real`),
        filePiece('real', twins.twin.body),
      ),
  ),
  linked('link-to-good', 'A document that is a symbolic link to the right content.', (twins, draft) =>
    linkTo(
      twins,
      draft,
      symlink(twins.target.path, `${up(twins.target.path)}real`),
      filePiece('real', twins.target.body),
    ),
  ),
  linked('link-chain', 'A link to a link, which readers that follow one link do not read.', (twins, draft) =>
    linkTo(
      twins,
      draft,
      symlink(twins.target.path, `${up(twins.target.path)}one`),
      symlink('one', 'two'),
      filePiece('two', twins.twin.body),
    ),
  ),
  linked(
    'link-absolute',
    'A link to an absolute path, which is the root of the archive to some.',
    (twins, draft) =>
      linkTo(twins, draft, symlink(twins.target.path, '/real'), filePiece('real', twins.twin.body)),
  ),
  linked('link-above', 'A link that leads above the root.', (twins, draft) =>
    linkTo(
      twins,
      draft,
      symlink(twins.target.path, `../../../../${up(twins.target.path)}real`),
      filePiece('real', twins.twin.body),
    ),
  ),
  linked(
    'link-from-root',
    'A link in a subfolder whose target is meant from the root, and exists in both places.',
    (twins, draft) =>
      linkTo(
        twins,
        draft,
        symlink(twins.target.path, 'real'),
        filePiece('real', twins.twin.body),
        filePiece(under(twins.target.path, 'real'), twins.target.body),
      ),
  ),
  linked('link-dangling', 'A document that is a link to nothing.', (twins, draft) =>
    linkTo(twins, draft, symlink(twins.target.path, 'nowhere')),
  ),
  linked('link-self', 'A document that is a link to itself.', (twins, draft) =>
    linkTo(twins, draft, symlink(twins.target.path, baseName(twins.target.path))),
  ),
  linked('link-through-folder', 'A target with `..` after a folder that is a link.', (twins, draft) =>
    throughFolder(twins, draft, false),
  ),
  linked(
    'hard-link-through-folder',
    'The same as a hard link.',
    (twins, draft) => throughFolder(twins, draft, true),
    true,
  ),
  linked('hard-link', 'A document that is a hard link to a file that holds EVIL.', (twins, draft) =>
    linkTo(twins, draft, hardLink(twins.target.path, 'real'), filePiece('real', twins.twin.body)),
  ),
  linked(
    'hard-link-folder',
    'A hard link in a subfolder: the target is meant from the root, crane looks in the folder.',
    (twins, draft) =>
      linkTo(
        twins,
        draft,
        hardLink(twins.target.path, 'real'),
        filePiece('real', twins.target.body),
        filePiece(under(twins.target.path, 'real'), twins.twin.body),
      ),
  ),
  linked(
    'hard-link-dangling',
    'A hard link to nothing.',
    (twins, draft) => linkTo(twins, draft, hardLink(twins.target.path, 'nowhere')),
    true,
  ),
  linked(
    'hard-link-to-link',
    'A hard link to a symbolic link.',
    (twins, draft) =>
      linkTo(
        twins,
        draft,
        hardLink(twins.target.path, 'one'),
        symlink('one', 'two'),
        filePiece('two', twins.twin.body),
        filePiece(under(twins.target.path, 'two'), twins.target.body),
      ),
    true,
  ),
  linked(
    'link-replaced',
    'A link, and later a file of its name: extraction may write through the link.',
    (twins, draft) => {
      const { target, twin } = twins;
      const aside = filePiece('aside', twin.body);
      replace(draft, target, symlink(target.path, `${up(target.path)}aside`), target, aside);
    },
    true,
  ),
  linked(
    'file-replaced',
    'A file, and later a link of its name.',
    (twins, draft) => {
      const { target, twin } = twins;
      replace(
        draft,
        target,
        target,
        filePiece('aside', twin.body),
        symlink(target.path, `${up(target.path)}aside`),
      );
    },
    true,
  ),
  linked(
    'file-replaced-hard',
    'A file, and later a hard link of its name.',
    (twins, draft) => {
      const { target, twin } = twins;
      replace(draft, target, target, filePiece('aside', twin.body), hardLink(target.path, 'aside'));
    },
    true,
  ),
  linked(
    'hard-link-written',
    'Two names of one file, the second written again: extraction changes both.',
    (twins, draft) => {
      const { target, twin } = twins;
      replace(draft, target, target, hardLink('aside', target.path), filePiece('aside', twin.body));
    },
    true,
  ),
  linked(
    'file-then-folder',
    'A file, and later a folder of its name.',
    ({ target }, draft) => {
      replace(draft, target, target, folder(target.path));
    },
    true,
  ),
  linked(
    'file-as-folder',
    'A file, and later a member below its name.',
    ({ target, twin }, draft) => {
      replace(draft, target, target, filePiece(`${target.path}/x`, twin.body));
    },
    true,
  ),
  {
    name: 'folder-link-blobs',
    does: 'The folder `blobs` is a link to another folder.',
    pieces: draft => folderLink(draft, 'blobs'),
  },
  {
    name: 'folder-link-sha256',
    does: 'The folder `blobs/sha256` is a link to another folder.',
    pieces: draft => {
      const moved = draft.pieces.map(piece =>
        piece.path.startsWith('blobs/sha256/')
          ? { ...piece, path: piece.path.replace('blobs/sha256', 'blobs/real') }
          : piece,
      );
      if (moved.every((piece, i) => piece === draft.pieces[i])) return;
      draft.pieces = draft.random.oneIn(2)
        ? moved
        : [...draft.pieces, ...moved.filter(p => !draft.pieces.includes(p))];
      plant(draft, symlink('blobs/sha256', 'real'));
    },
  },
  {
    name: 'folder-link-whole',
    does: 'Every folder of the archive is a link to one that holds the same.',
    pieces: draft => {
      if (!draft.pieces.some(({ path }) => path.startsWith('blobs/'))) return;
      draft.pieces = draft.pieces.map(piece => ({
        ...piece,
        path: piece.path.replace(/^blobs\//, 'store/'),
      }));
      plant(draft, symlink('blobs', 'store'));
    },
  },
];
