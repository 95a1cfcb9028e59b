import type { Image } from '../../link/graph.js';
import type { PartReading } from '../../report/read.js';
import { type ImageReport, imageIdOf } from '../../report/report.js';
import { formatPlatform } from '../../spec/platform.js';
import { normalName, parseReference } from '../../spec/reference.js';

/** An image with the part of the archive that it lies in. */
export interface Placed {
  readonly part: PartReading;
  readonly image: Image;
  readonly report: ImageReport;
}

export interface ImagePair {
  readonly a: Placed;
  readonly b: Placed;
}

export interface Pairs {
  readonly pairs: readonly ImagePair[];
  readonly onlyA: readonly Placed[];
  readonly onlyB: readonly Placed[];
}

/**
 * Pairs the images of two archives: the same image, else one platform's image of one name, of one repository, or else of the
 * platform alone; and one that is left on either side, whatever it is.
 */
export function pairImages(a: readonly Placed[], b: readonly Placed[]): Pairs {
  const left = new Set(a);
  const right = new Set(b);
  const pairs = new Map<Placed, Placed>();
  for (const keysOf of STAGES) {
    const waiting = grouped(right, keysOf);
    for (const mine of left) {
      const theirs = firstOf(waiting, keysOf(mine), right);
      if (theirs === undefined) continue;
      pairs.set(mine, theirs);
      left.delete(mine);
      right.delete(theirs);
    }
  }
  if (left.size === 1 && right.size === 1) {
    pairs.set([...left][0]!, [...right][0]!);
    left.clear();
    right.clear();
  }
  return {
    pairs: a.flatMap(mine => (pairs.has(mine) ? [{ a: mine, b: pairs.get(mine)! }] : [])),
    onlyA: [...left],
    onlyB: [...right],
  };
}

type Keys = (placed: Placed) => readonly string[];

/** By key, the last one first, so that the first can be taken from the end. */
function grouped(images: ReadonlySet<Placed>, keysOf: Keys): Map<string, Placed[]> {
  const groups = new Map<string, Placed[]>();
  for (const image of [...images].reverse()) {
    for (const key of keysOf(image)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [image]);
      else group.push(image);
    }
  }
  return groups;
}

function firstOf(
  groups: ReadonlyMap<string, Placed[]>,
  keys: readonly string[],
  free: ReadonlySet<Placed>,
): Placed | undefined {
  for (const key of keys) {
    const group = groups.get(key) ?? [];
    for (let image = group.pop(); image !== undefined; image = group.pop()) if (free.has(image)) return image;
  }
  return undefined;
}

/** Images of one platform that have a key in common belong together; the surest keys come first. */
const STAGES: readonly Keys[] = [
  ({ image }) => onPlatform(image, [imageIdOf(image) ?? image.v1Id ?? '']),
  ({ image }) => onPlatform(image, image.names.map(normalName)),
  ({ image }) => onPlatform(image, image.names.map(repository)),
  ({ image }) => onPlatform(image, ['any']),
];

const onPlatform = ({ platform }: Image, keys: readonly string[]) =>
  keys
    .filter(key => key !== '')
    .map(key => JSON.stringify([platform && formatPlatform(platform), platform?.osVersion, key]));

function repository(name: string): string {
  const reference = parseReference(name);
  return typeof reference === 'string' ? name : `${reference.domain}/${reference.path}`;
}
