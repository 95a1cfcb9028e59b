import { nameAt } from '../../scan/entry.js';
import { rootedPath } from '../../scan/entry-name.js';
import type { EntryTable } from '../../scan/entry-table.js';
import type { BlobFacts } from '../../scan/facts.js';
import { squash } from '../file-tree.js';
import type { Layer } from '../graph.js';
import { fileChanges, kindOf } from './files.js';
import { isReordered, type Pairing, pairUp } from './sequence.js';
import type { KindCount } from './tally.js';

/** A layer as far as comparing it goes. */
export interface LayerFacts {
  readonly layer: Layer;
  /** null where it is absent. */
  readonly facts: BlobFacts | null;
  /** Its entries, where they are known. */
  readonly table: EntryTable | null;
}

/**
 * What a layer is: the digest of its tar. Of one that cannot be unpacked the digest of what is stored; of one that is absent
 * what the config claims.
 */
export function layerKey({ layer, facts }: LayerFacts): string {
  if (facts === null) return layer.claimedDiffId ?? layer.claimedDigest ?? layer.ref;
  if (facts.unpacked !== null) return facts.unpacked.digests.sha256;
  return `stored ${facts.digests?.sha256 ?? layer.ref}`;
}

/**
 * Pairs layers: those that are the same, and between them, where both images have as many, those at one place, or else those
 * that one instruction made.
 */
export function pairLayers(a: readonly LayerFacts[], b: readonly LayerFacts[]): Pairing[] {
  const pairs: Pairing[] = [];
  let left: number[] = [];
  let right: number[] = [];
  const flush = () => {
    for (const pair of pairBetween(a, left, b, right)) pairs.push(pair);
    [left, right] = [[], []];
  };
  for (const [i, j] of pairUp(a.map(layerKey), b.map(layerKey))) {
    if (i !== null && j !== null) {
      flush();
      pairs.push([i, j]);
    } else if (i !== null) left.push(i);
    else right.push(j!);
  }
  flush();
  return pairs;
}

function pairBetween(
  a: readonly LayerFacts[],
  left: readonly number[],
  b: readonly LayerFacts[],
  right: readonly number[],
): Pairing[] {
  if (left.length === right.length) return left.map((i, n) => [i, right[n]!]);
  const makers = (layers: readonly LayerFacts[], places: readonly number[]) =>
    places.map(place => layers[place]!.layer.createdBy ?? '');
  return pairUp(makers(a, left), makers(b, right)).map(([i, j]) => [
    i === null ? null : left[i]!,
    j === null ? null : right[j]!,
  ]);
}

/**
 * In what two layers differ that are not the same tar: names, as in a tree of the layer alone, and whiteouts (`files.deleted`).
 * @returns null where one of them cannot be looked into
 */
export function layerDifferences(
  { facts: a, table: x }: LayerFacts,
  { facts: b, table: y }: LayerFacts,
): KindCount[] | null {
  if (a === null || b === null || x === null || y === null) return null;
  const counts = new Map<string, number>();
  const add = (kind: string, count = 1) => {
    if (count > 0) counts.set(kind, (counts.get(kind) ?? 0) + count);
  };
  const { added, removed, changed, unread } = fileChanges(alone(x), alone(y));
  add('files.added', added.length);
  add('files.removed', removed.length);
  for (const { aspects } of changed) for (const aspect of aspects) add(kindOf(aspect));
  const [left, right] = [namesOf(x), namesOf(y)];
  const [gone, goneToo] = [whiteoutsIn(left), whiteoutsIn(right)];
  add('files.deleted', [...gone].filter(path => !goneToo.has(path)).length);
  add('files.deleted', [...goneToo].filter(path => !gone.has(path)).length);
  if (isReordered(left, right)) add('order');
  if (counts.size === 0) {
    if (!isWhole(a, x) || !isWhole(b, y) || unread > 0) return null;
    // The same files in the same order: padding, forms of headers, names of owners.
    add('encoding');
  }
  return [...counts].map(([kind, count]) => ({ kind, count }));
}

const isWhole = ({ failure, tar }: BlobFacts, { truncated }: EntryTable) =>
  failure === null && truncated === null && tar?.error === null;

const alone = (table: EntryTable) => ({ tables: [table], tree: squash([table]) });

const namesOf = (table: EntryTable): string[] =>
  Array.from({ length: table.count }, (_, index) => rootedPath(nameAt(table, index)));

const whiteoutsIn = (names: readonly string[]): Set<string> =>
  new Set(names.filter(path => /(?:^|\/)\.wh\.[^/]*$/.test(path)));
