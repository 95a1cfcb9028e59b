import type { Oddity, OddityKind } from './file-tree.js';

/** Places kept of each kind; the rest is only counted. */
const PLACES = 100;

/** Gathers what is odd in layers. */
export class OddityList {
  private readonly byKind = new Map<
    OddityKind,
    { count: number; places: { layer: number; path: string }[] }
  >();

  /** @param path  bytes, one per character */
  add(kind: OddityKind, layer: number, path: string): void {
    let known = this.byKind.get(kind);
    if (known === undefined) {
      known = { count: 0, places: [] };
      this.byKind.set(kind, known);
    }
    known.count++;
    if (known.places.length < PLACES) known.places.push({ layer, path });
  }

  all(): Oddity[] {
    return [...this.byKind].map(([kind, seen]) => ({ kind, ...seen }));
  }
}
