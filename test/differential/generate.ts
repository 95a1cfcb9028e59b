// Makes an archive from a seed: a base, and up to three moves.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { rawTar } from '../support/tar-blocks.js';
import { BASES } from './bases.js';
import { type Draft, type Form, layOut } from './draft.js';
import { pairOf } from './images.js';
import type { Move } from './move.js';
import { MOVES } from './moves.js';
import { pieceBytes } from './piece.js';
import { placePieces } from './place.js';
import { type Random, randomFrom } from './random.js';

/** The parameters of an archive; with fewer moves it is a smaller case of the same kind. */
export interface Recipe {
  readonly seed: number;
  readonly base: string;
  readonly form: Form;
  /** Number of the pair of images for this seed. */
  readonly pair: number;
  readonly moves: readonly string[];
}

/** Moves are equally frequent; every twelfth archive has none. */
export async function recipeOf(seed: number): Promise<Recipe> {
  const random = randomFrom(`recipe ${seed}`);
  const turn = Math.floor(seed / 12) * 11 + (seed % 12) - 1;
  const first = seed % 12 === 0 ? null : MOVES[turn % MOVES.length]!;
  const more = first === null ? 0 : random.pick([0, 0, 0, 1, 1, 2]);
  for (let tries = 0; ; tries++) {
    const base = random.pick(BASES);
    const form = first?.tarOnly === true ? 'tar' : random.pick(base.forms);
    const others = Array.from({ length: more }, () => moveFor(form, random).name);
    const moves = first === null ? [] : [...new Set([first.name, ...others])];
    const recipe = { seed, base: base.name, form, pair: tries, moves };
    // A move may have no effect on a base.
    if (first === null || tries === MOST_TRIES || (await changes(recipe, first))) return recipe;
  }
}

const MOST_TRIES = 40;

async function changes(recipe: Recipe, { name }: Move): Promise<boolean> {
  const [alone, without] = await Promise.all(
    [
      { ...recipe, moves: [name] },
      { ...recipe, moves: [] },
    ].map(made),
  );
  return Buffer.compare(alone!.tar, without!.tar) !== 0;
}

function moveFor(form: Form, random: Random): Move {
  const fits = ({ tarOnly }: Move) => form === 'tar' || tarOnly !== true;
  return random.pick(MOVES.filter(fits));
}

async function draftOf({ seed, base: name, form, pair: number }: Recipe): Promise<Draft> {
  const random = randomFrom(`images ${seed} ${number}`);
  const pair = await pairOf(random);
  const base = BASES.find(base => base.name === name)!;
  const compressed = random.oneIn(2);
  return {
    ...pair,
    base,
    form,
    random,
    parts: base.parts(pair.good, compressed),
    evilPieces: layOut(base.parts(pair.evil, compressed)),
    strangers: BASES.filter(other => other !== base).map(other => layOut(other.parts(pair.evil, compressed))),
    pieces: [],
  };
}

interface Made {
  readonly draft: Draft;
  readonly tar: Uint8Array;
}

async function made(recipe: Recipe): Promise<Made> {
  const draft = await draftOf(recipe);
  const moves = recipe.moves.map(name => MOVES.find(move => move.name === name)!);
  // A move has numbers of its own in each stage.
  const during = (stage: string, { name }: Move): Draft =>
    Object.assign(draft, { random: randomFrom(`${recipe.seed} ${name} ${stage}`) });
  for (const move of moves) move.documents?.(during('documents', move));
  draft.pieces = layOut(draft.parts);
  for (const move of moves) move.pieces?.(during('pieces', move));
  let tar: Uint8Array = rawTar(...draft.pieces.map(pieceBytes));
  for (const move of moves) tar = move.bytes?.(during('bytes', move), Buffer.from(tar)) ?? tar;
  return { draft, tar };
}

/**
 * Writes the archive of a recipe, a file or a directory.
 * @returns the engines that must load it if it has no move
 */
export async function writeArchive(recipe: Recipe, path: string): Promise<readonly string[]> {
  const { draft, tar } = await made(recipe);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(dirname(path), { recursive: true });
  if (recipe.form === 'directory') placePieces(draft.pieces, path);
  else writeFileSync(path, tar);
  return loadersOf(draft);
}

/** Debian's umoci does not unpack zstd. */
const loadersOf = ({ base, good }: Draft): readonly string[] =>
  base.readers.filter(
    name => name !== 'umoci' || good.layers.every(({ compression }) => compression !== 'zstd'),
  );

export const fileName = (recipe: Recipe): string =>
  recipe.form === 'directory' ? `case-${recipe.seed}` : `case-${recipe.seed}.tar`;
