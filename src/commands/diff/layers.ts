import type { KindCount, Pairing, Tally } from '../../analysis/diff/changes.js';
import { type ComparedLayer, layerDifferences, layerKey, pairLayers } from '../../analysis/diff/image.js';
import { tablesOf } from '../../filesystem/layer-tables.js';
import type { Image } from '../../link/graph.js';
import type { PartReading } from '../../report/read.js';
import { type ImageReport, imageIdOf } from '../../report/report.js';
import { formatPlatform } from '../../spec/platform.js';
import { normalName, parseReference } from '../../spec/reference.js';
import type { LayerDifference, LayerRef, LayersDiff } from './report.js';

export interface LayersCompared {
  readonly diff: LayersDiff;
  readonly pairing: readonly Pairing[];
  /** True if both images have the layer, with any compression. */
  readonly isSame: (pair: Pairing) => boolean;
  /** True if both images have the same layers in the same order, with any compression. */
  readonly areSame: boolean;
  /** True if also the stored bytes of all layers are the same. */
  readonly areStoredSame: boolean;
  /** Differences inside layers, compared one by one. Later layers may hide some of them in the trees. */
  readonly within: readonly KindCount[];
}

/** Compares the layers of two images, and counts those that were added, removed or compressed differently. */
export function layersDiff(a: Placed, b: Placed, tally: Tally): LayersCompared {
  const [left, right] = [layerFacts(a), layerFacts(b)];
  const pairing = pairLayers(left, right);
  const isSame = ([i, j]: Pairing) => i !== null && j !== null && layerKey(left[i]!) === layerKey(right[j]!);
  const changes = pairing.flatMap((pair): LayerDifference[] => {
    const [i, j] = pair;
    const state = isSame(pair) ? 'recompressed' : j === null ? 'removed' : i === null ? 'added' : 'changed';
    const [x, y] = [i === null ? null : left[i]!, j === null ? null : right[j]!];
    if (state === 'recompressed' && isStoredSame(x!, y!)) return [];
    const differences = state === 'changed' ? layerDifferences(x!, y!) : null;
    return [{ state, a: refOf(a, i), b: refOf(b, j), differences }];
  });
  const differing = pairing.findIndex(pair => !isSame(pair));
  return {
    diff: {
      shared: differing < 0 ? pairing.length : differing,
      same: pairing.filter(isSame).length,
      changes: changes.filter(change => counts(change, tally)).map(change => withoutIgnored(change, tally)),
    },
    pairing,
    isSame,
    areSame: differing < 0,
    areStoredSame: changes.length === 0,
    within: changes.flatMap(({ differences }) => differences ?? []),
  };
}

function layerFacts({ part, image }: Placed): ComparedLayer[] {
  const tables = tablesOf(part.scan, image);
  return image.layers.map((layer, i) => ({
    layer,
    facts: layer.member === null ? null : part.scan.facts(layer.member),
    table: tables[i]!,
  }));
}

/** The compression of an absent layer is not known. */
function isStoredSame(a: ComparedLayer, b: ComparedLayer): boolean {
  const [x, y] = [a.facts?.digests, b.facts?.digests];
  return x == null || y == null || x.sha256 === y.sha256;
}

/**
 * True if a part of the change counts. Times, owners and similar attributes count as such, anything else as a change of
 * the layer; if layers are ignored, all of them are.
 */
function counts({ state, differences }: LayerDifference, tally: Tally): boolean {
  if (state === 'recompressed') return tally.add('compression');
  if (state !== 'changed') return tally.add(`layers.${state}`);
  const light = (differences ?? []).filter(({ kind }) => !kind.startsWith('files.'));
  const isHeavy = differences === null || light.length < differences.length;
  const own = isHeavy && tally.add('layers.changed');
  return own || light.some(({ kind }) => !tally.ignores(kind) && !tally.ignores('layers'));
}

const withoutIgnored = (change: LayerDifference, tally: Tally): LayerDifference => ({
  ...change,
  differences: change.differences?.filter(({ kind }) => !tally.ignores(kind)) ?? null,
});

function refOf({ report }: Placed, index: number | null): LayerRef | null {
  const layer = index === null ? undefined : report.layers[index];
  if (index === null || layer === undefined) return null;
  const { digest, size, diffId, unpackedSize, compression, createdBy } = layer;
  return { index, digest, size, diffId, unpackedSize, compression, createdBy };
}

/** An image, and the part of the archive that contains it. */
export interface Placed {
  readonly part: PartReading;
  readonly image: Image;
  readonly report: ImageReport;
}

export interface ImagePair {
  readonly a: Placed;
  readonly b: Placed;
}

interface Pairs {
  readonly pairs: readonly ImagePair[];
  readonly onlyA: readonly Placed[];
  readonly onlyB: readonly Placed[];
}

/**
 * Pairs the images of two archives: first equal images, then images of one platform with the same name, then with the
 * same repository, then of the same platform; finally the last remaining image on each side, whatever it is.
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

/** Images by key, in reverse order, so that the first can be taken from the end. */
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

/** Images of one platform are paired if they share a key; the most reliable keys come first. */
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
