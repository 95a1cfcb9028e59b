// Measures parts of the work separately.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageCache } from '../cache.js';
import type { ImageName } from '../images/catalogue.js';
import { layerOf } from '../images/image.js';
import { codecLines } from './codecs.js';
import { documentLines } from './documents.js';
import { hashingLines } from './hashing.js';
import type { Line, Scope } from './line.js';
import { outerLines } from './outer.js';
import { walkLines } from './walk.js';

/** The layer of 9.6 MB in the image `medium`: bzip2 takes a second for it. */
const CONTENT_LAYER = 1;
const PARTS = [codecLines, hashingLines, walkLines, outerLines, documentLines];

export interface MicroImages {
  readonly content: ImageName;
  readonly entries: ImageName;
}

export async function micro(
  cache: ImageCache,
  images: MicroImages,
  rounds: number,
  say: (text: string) => void,
): Promise<Line[]> {
  const folder = join(cache.folder, 'micro');
  mkdirSync(folder, { recursive: true });
  try {
    const scope: Scope = {
      rounds,
      content: layerOf(await cache.path(images.content, 'docker'), CONTENT_LAYER),
      tar: layerOf(await cache.path(images.entries, 'docker'), 0),
      folder,
    };
    const lines: Line[] = [];
    for (const part of PARTS) {
      say(`micro: ${part.name.replace('Lines', '')}`);
      lines.push(...(await part(scope)));
    }
    return lines;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
