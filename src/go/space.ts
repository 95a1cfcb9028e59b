/** The characters of Go's unicode.IsSpace, as bytes of UTF-8, one per character. https://pkg.go.dev/unicode#IsSpace */
const SPACES: ReadonlySet<string> = new Set(
  [
    ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
    ...Array.from({ length: 11 }, (_, i) => 0x2000 + i),
  ].map(code => Buffer.from(String.fromCodePoint(code)).toString('latin1')),
);

/** Lengths of these, in bytes. */
const LENGTHS = [1, 2, 3];

/**
 * Go's bytes.TrimSpace: JavaScript's own `trim` knows U+FEFF as space, and not U+0085.
 * https://pkg.go.dev/bytes#TrimSpace
 * @param bytes  one per character
 */
export function trimSpace(bytes: string): string {
  let [from, end] = [0, bytes.length];
  const isSpace = (at: number, length: number) =>
    at >= from && at + length <= end && SPACES.has(bytes.slice(at, at + length));
  for (let step = 1; step > 0; from += step) step = LENGTHS.find(length => isSpace(from, length)) ?? 0;
  for (let step = 1; step > 0; end -= step) step = LENGTHS.find(length => isSpace(end - length, length)) ?? 0;
  return bytes.slice(from, end);
}
