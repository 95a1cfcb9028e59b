// Compares two plain values, and describes the differences in a few lines. uvu's own comparison fails for keys such as
// `constructor`, and prints both values completely.

const SHOWN = 8;

/** Paths at which two values differ, with both values; empty if they are equal. */
export function differences(a: unknown, b: unknown): string[] {
  const found: string[] = [];
  const walk = (left: unknown, right: unknown, path: string): void => {
    if (found.length >= SHOWN || Object.is(left, right)) return;
    if (!isObject(left) || !isObject(right) || kind(left) !== kind(right)) {
      found.push(`${path}: ${shown(left)} and ${shown(right)}`);
    } else if (ArrayBuffer.isView(left)) {
      const [one, two] = [left, right].map(bytes =>
        Buffer.from(
          (bytes as Uint8Array).buffer,
          (bytes as Uint8Array).byteOffset,
          (bytes as Uint8Array).byteLength,
        ),
      ) as [Buffer, Buffer];
      if (!one.equals(two)) found.push(`${path}: ${one.length} and ${two.length} bytes that differ`);
    } else if (left instanceof Map && right instanceof Map) {
      walk([...left], [...right], path);
    } else if (left instanceof Set && right instanceof Set) {
      walk([...left], [...right], path);
    } else {
      for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
        walk(own(left, key), own(right, key), `${path}/${key}`);
    }
  };
  walk(a, b, '');
  return found;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const own = (value: object, key: string): unknown =>
  Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
const kind = (value: object) => Object.prototype.toString.call(value);

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** @throws Error that lists the differences */
export function assertSame(a: unknown, b: unknown, what: string): void {
  const found = differences(a, b);
  if (found.length > 0) throw new Error(`${what}:\n  ${found.join('\n  ')}`);
}
