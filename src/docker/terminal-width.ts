import stringWidth from 'string-width';

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });
const ASCII = /^[ -~]*$/;
/** No name that Docker has is as long, and to measure a hostile one takes a microsecond for each character. */
const MEASURED = 10_000;

/**
 * How many columns of a terminal Docker takes a text for: of a grapheme all its characters count, up to two columns.
 * github.com/mattn/go-runewidth (StringWidth), measured of Docker 28.5.2.
 */
export function terminalWidth(text: string): number {
  if (text.length > MEASURED || ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    let own = 0;
    for (const character of segment) own += characterWidth(character);
    width += Math.min(own, 2);
  }
  return width;
}

const ANSI = { countAnsiEscapeCodes: true };

/** Where the two tables differ in what a text may well hold: line separators, and marks of writing direction. */
const exception = (character: string) =>
  /[\u2028\u2029]/.test(character) ? 0 : /[\u2060-\u2069]/.test(character) ? 1 : null;

const known = new Map<string, number>();

/** 0 for what combines with another, and for controls; 2 for East Asian wide ones and most emoji. */
export function characterWidth(character: string): number {
  const width = known.get(character) ?? exception(character) ?? stringWidth(character, ANSI);
  // Texts are any archive's, and should not fill the memory.
  if (known.size < 4096) known.set(character, width);
  return width;
}
