/** How the chain of parents above a layer ends. A thousand images may share one chain of ten thousand layers. */
export interface ChainShape {
  /** Layers of the chain, each once; one that the archive lacks counts too. */
  readonly length: number;
  /** The parent that the archive lacks; null where none is missing. */
  readonly missing: string | null;
  /** The layer at which the chain comes back to itself; null where it does not. */
  readonly cycle: string | null;
}

/** The shapes of the chains of parents, each layer looked at once, however many chains it is part of. */
export class V1Chains {
  private readonly shapes = new Map<string, ChainShape>();

  /** @param parents  of every layer of the archive; null at the base */
  constructor(private readonly parents: ReadonlyMap<string, string | null>) {}

  shapeOf(top: string): ChainShape {
    const way = new Map<string, number>();
    let id: string | null = top;
    while (id !== null && !this.shapes.has(id) && !way.has(id)) {
      way.set(id, way.size);
      id = this.parents.get(id) ?? null;
    }
    const ids = [...way.keys()];
    const cycleFrom = id === null ? undefined : way.get(id);
    if (cycleFrom !== undefined) this.addCycle(ids.splice(cycleFrom));
    for (const above of ids.reverse()) this.shapes.set(above, this.onTop(above));
    return this.shapes.get(top)!;
  }

  /** Every layer of a circle has all of it above itself. */
  private addCycle(ids: readonly string[]): void {
    for (const id of ids) this.shapes.set(id, { length: ids.length, missing: null, cycle: id });
  }

  private onTop(id: string): ChainShape {
    if (!this.parents.has(id)) return { length: 1, missing: id, cycle: null };
    const parent = this.parents.get(id) ?? null;
    const below = parent === null ? null : this.shapes.get(parent)!;
    return {
      length: 1 + (below?.length ?? 0),
      missing: below?.missing ?? null,
      cycle: below?.cycle ?? null,
    };
  }

  /** From a layer down to the base, to where it comes back to itself, or to the parent that is missing. */
  chainOf(top: string): string[] {
    const chain: string[] = [];
    const { length } = this.shapeOf(top);
    for (let id: string | null = top; id !== null && chain.length < length; id = this.parents.get(id) ?? null)
      chain.push(id);
    return chain;
  }
}
