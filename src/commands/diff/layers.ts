import type { KindCount, Pairing, Tally } from '../../analysis/diff/changes.js';
import { type LayerFacts, layerDifferences, layerKey, pairLayers } from '../../analysis/diff/image.js';

import { tablesOf } from '../../filesystem/layer-tables.js';
import type { Placed } from './pairs.js';
import type { LayerChange, LayerRef, LayersDiff } from './report.js';

export interface LayersCompared {
  readonly diff: LayersDiff;
  readonly pairing: readonly Pairing[];
  /** Whether both have the layer, however it is compressed. */
  readonly isSame: (pair: Pairing) => boolean;
  /** Both have the same layers in the same order, however they are compressed. */
  readonly areSame: boolean;
  /** And in the same bytes. */
  readonly areStoredSame: boolean;
  /** What layers differ in, looked at one by one: of the trees that they make, some of it may be hidden. */
  readonly within: readonly KindCount[];
}

/** Compares the layers of two images, and counts what was added, removed or compressed anew. */
export function layersDiff(a: Placed, b: Placed, tally: Tally): LayersCompared {
  const [left, right] = [layerFacts(a), layerFacts(b)];
  const pairing = pairLayers(left, right);
  const isSame = ([i, j]: Pairing) => i !== null && j !== null && layerKey(left[i]!) === layerKey(right[j]!);
  const changes = pairing.flatMap((pair): LayerChange[] => {
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

function layerFacts({ part, image }: Placed): LayerFacts[] {
  const tables = tablesOf(part.scan, image);
  return image.layers.map((layer, i) => ({
    layer,
    facts: layer.member === null ? null : part.scan.facts(layer.member),
    table: tables[i]!,
  }));
}

/** The compression of an absent layer is not known. */
function isStoredSame(a: LayerFacts, b: LayerFacts): boolean {
  const [x, y] = [a.facts?.digests, b.facts?.digests];
  return x == null || y == null || x.sha256 === y.sha256;
}

/**
 * Whether something of a change counts. Other times, owners and the like count as what they are, anything else in a layer as a
 * change of the layer; both are ignored with the layers.
 */
function counts({ state, differences }: LayerChange, tally: Tally): boolean {
  if (state === 'recompressed') return tally.add('compression');
  if (state !== 'changed') return tally.add(`layers.${state}`);
  const light = (differences ?? []).filter(({ kind }) => !kind.startsWith('files.'));
  const isHeavy = differences === null || light.length < differences.length;
  const own = isHeavy && tally.add('layers.changed');
  return own || light.some(({ kind }) => !tally.ignores(kind) && !tally.ignores('layers'));
}

const withoutIgnored = (change: LayerChange, tally: Tally): LayerChange => ({
  ...change,
  differences: change.differences?.filter(({ kind }) => !tally.ignores(kind)) ?? null,
});

function refOf({ report }: Placed, index: number | null): LayerRef | null {
  const layer = index === null ? undefined : report.layers[index];
  if (index === null || layer === undefined) return null;
  const { digest, size, diffId, unpackedSize, compression, createdBy } = layer;
  return { index, digest, size, diffId, unpackedSize, compression, createdBy };
}
