// What `ids` predicts of podman and skopeo, against what these do.
import type { Outcome } from './case.js';
import type { Attempt } from './readers.js';

const ENGINES: readonly (readonly [engine: string, reader: string])[] = [
  ['podman', 'podman'],
  ['skopeo-docker-archive', 'skopeo docker-archive'],
  ['skopeo-oci-archive', 'skopeo oci-archive'],
];

/** IDs that were predicted and are not, and the other way round. Directories are predicted as tars, so not compared. */
export function disagreements({ recipe, said, attempts }: Outcome): string[] {
  if (recipe.form === 'directory' || said.images.length === 0) return [];
  return ENGINES.flatMap(([engine, reader]) => {
    const ran = attempts.filter(attempt => attempt.reader.startsWith(reader));
    if (ran.length === 0) return [];
    const mine = said.predictions.filter(answer => answer.engine === engine);
    const [predicted, real] = [new Set(mine.flatMap(({ id }) => id ?? [])), idsOf(ran, engine)];
    const words = mine.map(({ id, refusal }) => id ?? refusal).join(' | ');
    const refusal = ran.map(attempt => attempt.refusal).find(text => text !== null) ?? '';
    return [
      ...[...real].filter(id => !predicted.has(id)).map(id => `${engine} loads ${id}, predicted: ${words}`),
      ...[...predicted].filter(id => !real.has(id)).map(id => `${engine} has no ${id}: ${refusal}`),
    ];
  });
}

const idsOf = (attempts: readonly Attempt[], engine: string): Set<string> =>
  new Set(
    attempts
      .flatMap(({ loaded }) => loaded)
      .flatMap(({ imageId, manifestDigest }) => (engine === 'podman' ? imageId : (manifestDigest ?? []))),
  );
