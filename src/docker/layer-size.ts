import { type LayerSize, naiveSize, overlaySize, snapshotUsage } from '../image/docker-size.js';
import type { Layer } from '../image/graph.js';
import { isPlainTar, mismatch } from '../image/layer-faults.js';
import { limitText } from '../limits.js';
import type { EntryTable } from '../scan/entry-table.js';
import type { BlobFacts } from '../scan/facts.js';
import type { Scan } from '../scan/scan.js';
import type { Store } from './stored-image.js';

/** What a layer takes on disk, in bytes; null where that is not known. */
export function layerSize(scan: Scan, layer: Layer, store: Store): number | null {
  const measured = measure(scan, layer, store);
  return measured === null || measured.doubt !== null ? null : measured.bytes;
}

/** Why the size of a layer is not known; null where it is. */
export function layerDoubt(scan: Scan, layer: Layer, store: Store): string | null {
  const { member, foreign, encrypted } = layer;
  if (member === null) return foreign ? 'it is stored elsewhere' : 'it is not in the archive';
  const facts = scan.facts(member);
  if (encrypted && (facts === null || !isPlainTar(facts))) return 'it is encrypted';
  const measured = measure(scan, layer, store);
  if (measured !== null) return measured.doubt;
  const failure = facts?.failure ?? null;
  if (failure !== null) return failure.kind === 'limit' ? limitText(failure) : failure.reason;
  return facts === null || scan.depth !== 'files' ? 'it was not read' : 'it is no tar';
}

/** Why the size of a layer is not that of the layer which the image names; null where it is, or where that is not known. */
export function layerChange(scan: Scan, layer: Layer): string | null {
  const facts = layer.member === null ? null : scan.facts(layer.member);
  return facts === null ? null : mismatch(layer, facts);
}

/** Whether a layer has the bytes that the manifest names, and is a tar, but not that of the diff_id: engines do not unpack it. */
export function hasOtherTar(scan: Scan, layer: Layer): boolean {
  const facts = layer.member === null ? null : scan.facts(layer.member);
  if (facts === null || !isPlainTar(facts)) return false;
  return mismatch(layer, facts) !== null && mismatch({ ...layer, claimedDiffId: null }, facts) === null;
}

/** What a storage driver counts differs. docs/docker.md says who prints which. */
const STORES: Readonly<Record<Store, (facts: BlobFacts) => LayerSize | null>> = {
  vfs: naiveSize,
  overlay2: overlaySize,
  containerd: snapshotUsage,
};

/** Layers are asked about again and again, and measuring one walks all its entries. */
const known: Readonly<Record<Store, WeakMap<BlobFacts, LayerSize | null>>> = {
  vfs: new WeakMap(),
  overlay2: new WeakMap(),
  containerd: new WeakMap(),
};

function measure(scan: Scan, { member }: Layer, store: Store): LayerSize | null {
  const facts = member === null ? null : scan.facts(member);
  if (facts === null) return null;
  const cached = known[store].get(facts);
  if (cached !== undefined) return cached;
  const measured = STORES[store](facts);
  known[store].set(facts, measured);
  return measured;
}

/** Measures a layer whose size is all that is wanted of its entries, and lets go of them. */
export function keepSize(facts: BlobFacts, store: Store): void {
  if (facts.tar?.table == null) return;
  if (!known[store].has(facts)) known[store].set(facts, STORES[store](facts));
  (facts.tar as { table: EntryTable | null }).table = null;
}
