// All moves.
import type { Move } from './move.js';
import { headerMoves } from './moves-headers.js';
import { imageMoves } from './moves-images.js';
import { itemMoves } from './moves-items.js';
import { jsonMoves } from './moves-json.js';
import { layerMoves } from './moves-layers.js';
import { linkMoves } from './moves-links.js';
import { nameMoves } from './moves-names.js';
import { recordMoves } from './moves-records.js';
import { streamMoves } from './moves-streams.js';

export const MOVES: readonly Move[] = [
  ...imageMoves,
  ...itemMoves,
  ...jsonMoves,
  ...layerMoves,
  ...linkMoves,
  ...nameMoves,
  ...headerMoves,
  ...recordMoves,
  ...streamMoves,
];
