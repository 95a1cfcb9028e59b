// The limit on entries of all layers of an archive: those of the first layers are kept, in any order of reading.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCodecs } from '../../src/codec/registry.js';
import type { Member } from '../../src/containers/source.js';
import { defaultLimits } from '../../src/limits.js';
import { FactsKept } from '../../src/scan/blob/facts.js';
import { layerFacts } from '../support/layer-facts.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';

await loadCodecs();

const layer = (entries: number) =>
  layerFacts(rawTar(...Array.from({ length: entries }, (_, i) => rawEntry({ name: `f${i}` }))));
const member = (path: string): Member => ({ path, name: path, type: 'file', size: 0, target: null });

/** All orders of the numbers below n. */
function* orders(n: number): Generator<number[]> {
  if (n === 0) yield [];
  else
    for (const rest of orders(n - 1))
      for (let at = 0; at < n; at++) yield [...rest.slice(0, at), n - 1, ...rest.slice(at)];
}

/** Asserts how many entries are listed, from the numbers of entries in the layers. */
function keeps(
  what: string,
  archiveEntries: number,
  counts: readonly number[],
  kept: readonly number[],
): void {
  test(what, () => {
    const members = counts.map((_, i) => member(`layer ${i}`));
    const layers = counts.map(layer);
    for (const order of orders(counts.length)) {
      const known = new FactsKept({ ...defaultLimits, archiveEntries });
      for (const i of order) known.add(members[i]!, i, layers[i]!);
      const tables = members.map(one => known.facts.get(one)!.tar!.table!);
      assert.equal(
        tables.map(({ count }) => count),
        kept,
        order.join(),
      );
      assert.equal(
        tables.map(({ truncated }) => truncated),
        counts.map((count, i) => (count === kept[i] ? null : 'archiveEntries')),
        order.join(),
      );
      assert.equal(
        members.map(one => known.facts.get(one)!.tar!.entries),
        counts,
      );
    }
  });
}

keeps('all fit', 10, [4, 0, 3, 3], [4, 0, 3, 3]);
keeps('the first ones fit', 9, [4, 5, 1, 3], [4, 5, 0, 0]);
keeps('after a layer that does not fit, no later one is kept', 9, [4, 6, 1], [4, 0, 0]);
keeps('one that has more than all may have is passed over', 9, [10, 4, 5], [0, 4, 5]);
keeps('several of those', 3, [4, 1, 5, 1, 2], [0, 1, 0, 1, 0]);

test.run();
