/** A place in a text; lines and columns count from 1. */
export interface SourcePlace {
  readonly line: number;
  readonly column: number;
}

/** A value of a YAML or JSON text, and where it stands. */
export type SourceNode = { readonly at: SourcePlace } & (
  | { readonly kind: 'mapping'; readonly entries: readonly SourceEntry[] }
  | { readonly kind: 'sequence'; readonly items: readonly SourceNode[] }
  /** `text` is the scalar as it is written: `1.10` of a number that is 1.1. */
  | {
      readonly kind: 'scalar';
      readonly value: string | number | boolean | null;
      readonly text: string;
    }
);

export interface SourceEntry {
  readonly key: string;
  readonly at: SourcePlace;
  readonly value: SourceNode;
}

/** An error at a place of the text. */
export interface SourceProblem {
  readonly at: SourcePlace;
  readonly message: string;
}

/** The value as it is named in "expected …, found …". */
export function foundText(node: SourceNode): string {
  if (node.kind === 'mapping') return 'a mapping';
  if (node.kind === 'sequence') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.value === null) return 'nothing';
  return typeof node.value === 'string' ? JSON.stringify(node.value) : node.text;
}

/** The entries of a mapping by their keys. @param onUnknown  called for each entry whose key is not among `keys` */
export function entriesByKey(
  entries: readonly SourceEntry[],
  keys: readonly string[],
  onUnknown: (entry: SourceEntry) => void,
): ReadonlyMap<string, SourceEntry> {
  for (const entry of entries) if (!keys.includes(entry.key)) onUnknown(entry);
  return new Map(entries.map(entry => [entry.key, entry]));
}
