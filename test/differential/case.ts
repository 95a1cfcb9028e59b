// The test of one archive: it is made, read by all engines, judged, and minimised if it fails.
import { join } from 'node:path';
import { fileName, type Recipe, writeArchive } from './generate.js';
import { misnamed, refused, type Said, saidOf, unnoticed } from './judge.js';
import { type Attempt, type Reader, readAll } from './readers.js';

export interface Outcome {
  readonly recipe: Recipe;
  readonly path: string;
  readonly said: Said;
  readonly attempts: readonly Attempt[];
  /** One sentence for each failure; empty if all agree. */
  readonly failures: readonly string[];
}

export async function outcomeOf(
  recipe: Recipe,
  folder: string,
  readers: readonly Reader[],
): Promise<Outcome> {
  const path = join(folder, fileName(recipe));
  const loaders = await writeArchive(recipe, path);
  const said = await saidOf(path);
  const attempts = await readAll(path, join(folder, `work-${recipe.seed}`), readers);
  return { recipe, path, said, attempts, failures: failuresOf(recipe, loaders, said, attempts) };
}

function failuresOf(
  recipe: Recipe,
  loaders: readonly string[],
  said: Said,
  attempts: readonly Attempt[],
): string[] {
  const shown = said.images.map(({ imageId }) => imageId?.slice(7, 19) ?? 'no ID').join(', ') || 'no image';
  const failures = unnoticed(said, attempts).map(
    ({ reader, loaded }) =>
      `${reader} loads ${loaded.who || 'an image'} (${loaded.imageId.slice(7, 19)}), waybill shows ${shown} without an error`,
  );
  for (const { reader, loaded } of misnamed(said, attempts))
    failures.push(`${reader} loads ${loaded.who} under a name that waybill shows on another image`);
  if (recipe.moves.length > 0) return failures;
  if (said.exitCode !== 0)
    failures.push(`waybill reports ${said.errors.join(', ')} where nothing was planted`);
  return [
    ...failures,
    ...refused([...new Set(loaders)], attempts).map(
      reader => `${reader} refuses what nothing was planted in`,
    ),
  ];
}

/** Finds the smallest set of moves that gives the same failure. */
export async function shrunk(outcome: Outcome, folder: string, readers: readonly Reader[]): Promise<Outcome> {
  for (const move of outcome.recipe.moves) {
    const moves = outcome.recipe.moves.filter(other => other !== move);
    if (moves.length === 0) continue;
    const smaller = await outcomeOf({ ...outcome.recipe, moves }, folder, readers);
    if (smaller.failures.length > 0) return shrunk(smaller, folder, readers);
  }
  return outcomeOf(outcome.recipe, folder, readers);
}

export const titleOf = ({ recipe: { seed, base, form, moves } }: Outcome): string =>
  `seed ${seed} ${base}${form === 'directory' ? ' directory' : ''} [${moves.join(', ')}]`;
