// Compares the predictions of `ids` for podman and skopeo with what these do.
import type { Outcome } from './case.js';
import type { Prediction } from './judge.js';
import type { Loaded } from './loaded.js';

interface Predicted {
  readonly engine: string;
  /** The reader whose attempt without a name is predicted. */
  readonly reader: string;
  /** The ID that `ids` predicts, and the one that the engine reports. */
  readonly said: (prediction: Prediction) => string | null;
  readonly real: (loaded: Loaded) => string | null;
}

const ENGINES: readonly Predicted[] = [
  { engine: 'podman', reader: 'podman', said: ({ id }) => id, real: ({ imageId }) => imageId },
  {
    engine: 'skopeo-docker-archive',
    reader: 'skopeo docker-archive',
    said: ({ id }) => id,
    real: ({ manifestDigest }) => manifestDigest,
  },
  {
    // For an image in an index, the digest that skopeo prints is the index's.
    engine: 'skopeo-oci-archive',
    reader: 'skopeo oci-archive',
    said: ({ id, imageId }) => (id === null ? null : imageId),
    real: ({ imageId }) => imageId,
  },
];

/** The prediction for skopeo is about `inspect`, which reads no layer. */
const LAYERS = /Digest did not match/;

/** Images that should be loaded and are not, and the reverse. A directory is predicted as a tar, so it is left out. */
export function disagreements({ recipe, said, attempts }: Outcome): string[] {
  if (recipe.form === 'directory' || said.images.length === 0) return [];
  return ENGINES.flatMap(({ engine, reader, ...ids }) => {
    const attempt = attempts.find(({ reader: name }) => name === reader);
    const answers = said.predictions.filter(answer => answer.engine === engine);
    if (attempt === undefined || answers.some(({ outcome }) => outcome === 'unknown')) return [];
    const predicted = new Set(answers.flatMap(answer => ids.said(answer) ?? []));
    const real = new Set(attempt.loaded.flatMap(image => ids.real(image) ?? []));
    const words = answers.map(({ id, refusal }) => id ?? refusal).join(' | ');
    return [
      ...[...real].filter(id => !predicted.has(id)).map(id => `${engine} loads ${id}, predicted: ${words}`),
      ...(LAYERS.test(attempt.refusal ?? '') && engine !== 'podman' ? [] : [...predicted])
        .filter(id => !real.has(id))
        .map(id => `${engine} has no ${id}: ${attempt.refusal}`),
    ];
  });
}
