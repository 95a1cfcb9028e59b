// Pairs the images of a real archive with those of truth.py.

import type { Image } from '../../src/link/graph.js';
import type { ArchiveReading, PartReading } from '../../src/report/read.js';
import type { Truth, TruthImage } from './corpus.js';

export interface ImageWithTruth {
  readonly part: PartReading;
  readonly image: Image;
  readonly truth: TruthImage;
}

/** Every image of a truth that lists layers, with ours; fails if we have none. */
export function imagesWithTruth({ parts }: ArchiveReading, { views }: Truth): ImageWithTruth[] {
  const ours = parts.flatMap(part => part.graph.images.map(image => ({ part, image })));
  return Object.values(views)
    .flat()
    .filter(truth => truth.layers !== undefined && ['image', 'v1-image'].includes(truth.kind))
    .map(truth => {
      const found = ours.find(({ image }) => isSame(image, truth));
      if (found === undefined) throw new Error(`no image ${truth.image_id ?? truth.v1_id} in the archive`);
      return { ...found, truth };
    });
}

function isSame(image: Image, truth: TruthImage): boolean {
  if (truth.view === 'v1') return image.v1Id === truth.v1_id;
  if (truth.view === 'docker') return image.config?.document?.digest === truth.image_id;
  return image.manifest?.digest === truth.manifest_digest;
}
