// A move: one small change that may make a reader use EVIL instead of GOOD.
import { addEvil, chosenTwins, type Draft, plant, replace } from './draft.js';
import { filePiece, type Piece } from './piece.js';

export interface Move {
  readonly name: string;
  /** A description of the change, and of the reader that may be deceived. */
  readonly does: string;
  /** It changes headers of a tar, or names that no directory can contain. */
  readonly tarOnly?: true;
  /** A stage that is absent is not changed. */
  readonly documents?: (draft: Draft) => void;
  readonly pieces?: (draft: Draft) => void;
  readonly bytes?: (draft: Draft, tar: Buffer) => Uint8Array;
}

/** Plants EVIL's counterpart of a member in a form that only some readers use as that member. */
export function planted(
  name: string,
  does: string,
  disguise: (twin: Piece, draft: Draft) => Piece | null,
): Move {
  return {
    name,
    does,
    tarOnly: true,
    pieces: draft => {
      const twins = chosenTwins(draft);
      if (twins === null) return;
      const { target, twin, stranger = false } = twins;
      addEvil(draft);
      // Sometimes GOOD is the one in disguise, or the only one.
      const turned = draft.random.oneIn(4);
      const alone = stranger || draft.random.oneIn(6);
      const odd = disguise(filePiece(target.path, turned ? target.body : twin.body), draft);
      if (odd === null) return;
      const plain = turned ? { ...target, body: twin.body } : target;
      replace(draft, target, plain);
      plant(draft, odd, plain);
      if (alone) replace(draft, plain);
    },
  };
}

/** Changes the header of the attacked document, and plants nothing. */
export function spoilt(name: string, does: string, change: (piece: Piece, draft: Draft) => Piece): Move {
  return {
    name,
    does,
    tarOnly: true,
    pieces: draft => {
      const target = draft.random.pick(draft.pieces);
      replace(draft, target, change(target, draft));
    },
  };
}
