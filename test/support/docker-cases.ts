// Compares an answer with Docker's output.

/** Removes trailing spaces of each line and of the whole text. */
export const bare = (text: string): string =>
  text
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .trimEnd();

export const sortedLines = (text: string): string => text.split('\n').sort().join('\n');

/** A document without the parts at the JSON pointers. */
export function without(document: unknown, pointers: readonly string[]): unknown {
  const copy = structuredClone(document);
  for (const pointer of pointers) {
    const keys = pointer.split('/').slice(1);
    const owner = keys
      .slice(0, -1)
      .reduce<unknown>((node, key) => (node as Record<string, unknown> | null)?.[key], copy);
    if (owner !== undefined && owner !== null) delete (owner as Record<string, unknown>)[keys.at(-1)!];
  }
  return copy;
}
