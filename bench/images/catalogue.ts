// The images of the benchmarks, by name.
import type { ImagePlan } from './image.js';
import { realTrees } from './tree.js';

const MB = 1_000_000;
/** The shares of an image's seven layers in its bytes: some large ones, and some with a line of configuration. */
const PARTS = [0.3, 0.02, 0.4, 0.002, 0.19, 0.08, 0.008];

export const ENTRIES = [1_000, 10_000, 100_000, 1_000_000] as const;
export const IMAGES = ['tiny', 'small', 'medium', 'large', 'huge', 'many', 'single', 'real'] as const;
export type ImageName = (typeof IMAGES)[number] | `entries-${(typeof ENTRIES)[number]}`;

const ofBytes = (bytes: number, sizes: number, parts = PARTS): ImagePlan => ({
  layers: parts.map((part, seed) => ({
    seed,
    bytes: part * bytes,
    entries: Number.POSITIVE_INFINITY,
    sizes,
  })),
});

/** Entries of a kilobyte: a header and one block. */
const ofEntries = (entries: number): ImagePlan => ({
  layers: [0, 1].map(seed => ({
    seed,
    bytes: Number.POSITIVE_INFINITY,
    entries: entries / 2,
    sizes: 0.12,
  })),
});

export function planOf(name: ImageName): ImagePlan {
  if (name.startsWith('entries-')) return ofEntries(Number(name.slice('entries-'.length)));
  return name === 'real' ? { layers: realTrees() } : PLANS[name as Exclude<(typeof IMAGES)[number], 'real'>];
}

const PLANS: Readonly<Record<Exclude<(typeof IMAGES)[number], 'real'>, ImagePlan>> = {
  tiny: ofBytes(0.3 * MB, 0.9),
  small: ofBytes(10 * MB, 1),
  medium: ofBytes(480 * MB, 1),
  large: ofBytes(2_600 * MB, 1),
  huge: ofBytes(10_000 * MB, 1),
  // Without the largest files, these are over 100,000 entries.
  many: ofBytes(1_150 * MB, 0.95),
  // One layer, of a gigabyte when compressed.
  single: ofBytes(2_400 * MB, 1, [1]),
};
