// What `ids` predicts of podman and skopeo, against what these do.
import type { Outcome } from './case.js';

/** Engines by their names in `ids`, and the attempts that are predicted: without a name. */
const ENGINES: readonly (readonly [engine: string, reader: string])[] = [
  ['podman', 'podman'],
  ['skopeo-docker-archive', 'skopeo docker-archive'],
  ['skopeo-oci-archive', 'skopeo oci-archive'],
];

/** Images that were to be loaded and are not, and the other way round. A directory is predicted as a tar, so left out. */
export function disagreements({ recipe, said, attempts }: Outcome): string[] {
  if (recipe.form === 'directory' || said.images.length === 0) return [];
  return ENGINES.flatMap(([engine, reader]) => {
    const attempt = attempts.find(({ reader: name }) => name === reader);
    if (attempt === undefined) return [];
    const answers = said.predictions.filter(answer => answer.engine === engine);
    const predicted = new Set(answers.flatMap(({ id, imageId }) => (id === null ? [] : (imageId ?? id))));
    const real = new Set(attempt.loaded.map(({ imageId }) => imageId));
    const words = answers.map(({ id, refusal }) => id ?? refusal).join(' | ');
    return [
      ...[...real].filter(id => !predicted.has(id)).map(id => `${engine} loads ${id}, predicted: ${words}`),
      ...[...predicted].filter(id => !real.has(id)).map(id => `${engine} has no ${id}: ${attempt.refusal}`),
    ];
  });
}
