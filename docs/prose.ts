// Prose of Markdown pages: its lines end at 120 columns.

const COLUMNS = 120;

/** A code span, a link, or a word: what may not be broken, with the punctuation around it. */
const UNBROKEN = /(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|\S)+/g;

/** An empty line, a heading, a row of a table, a comment, code by indentation, or a title of a table. */
const NO_PROSE = /^(?:\s*$|#|\||<| {4}|\*\*[^*]*\*\*$)/;
const ENTRY = /^(\s*)((?:[*-]|\d+\.) )?/;

/** A page whose paragraphs with long lines are broken anew. */
export const wrapped = (page: string): string =>
  paragraphs(page)
    .map(lines => (isLong(lines) ? broken(lines) : lines).join('\n'))
    .join('\n');

/** The lines of prose that are too long, though they could be broken. */
export function longLines(page: string): string[] {
  const left = new Set(wrapped(page).split('\n'));
  return page.split('\n').filter(line => !left.has(line));
}

/** Two spaces at the end of a line are a line break. */
const isLong = (lines: readonly string[]) =>
  isProse(lines) && lines.some(({ length }) => length > COLUMNS) && !lines.some(line => line.endsWith('  '));

const isProse = ([first = '']: readonly string[]) => !NO_PROSE.test(first) && !first.startsWith('```');

/** A paragraph, an entry of a list or a block of code is one element; every other line is one of its own. */
function paragraphs(page: string): string[][] {
  const found: string[][] = [];
  let isCode = false;
  for (const line of page.split('\n')) {
    const before = found.at(-1);
    const isFence = line.startsWith('```');
    const continues =
      before !== undefined &&
      (isCode || (isProse(before) && isProse([line]) && ENTRY.exec(line)![2] === undefined));
    if (continues) before.push(line);
    else found.push([line]);
    if (isFence) isCode = !isCode;
  }
  return found;
}

/** Further lines of an entry are indented as its text is. */
function broken(lines: readonly string[]): string[] {
  const [, space = '', mark = ''] = ENTRY.exec(lines[0]!)!;
  const indent = ' '.repeat(space.length + mark.length);
  const out: string[] = [];
  let current = space + mark;
  for (const [word] of lines
    .map(line => line.trim())
    .join(' ')
    .slice(mark.length)
    .matchAll(UNBROKEN)) {
    const longer = /\S $|^\s*$/.test(current) ? current + word : `${current} ${word}`;
    if (longer.length <= COLUMNS || current === indent || current === space + mark) current = longer;
    else {
      out.push(current);
      current = indent + word;
    }
  }
  return [...out, current];
}
