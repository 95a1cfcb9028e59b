// How an answer is compared with what Docker printed.

/** Trailing blanks of a line and of the whole are not compared. */
export const bare = (text: string): string =>
  text
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n')
    .trimEnd();

export const sortedLines = (text: string): string => text.split('\n').sort().join('\n');

/** A document without what the JSON pointers name. */
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
