/**
 * Columns as Go's text/tabwriter aligns them, without flags and padded with blanks.
 * https://pkg.go.dev/text/tabwriter
 */
export interface TabwriterOptions {
  /** Least width of a cell, with its padding. */
  readonly minWidth: number;
  /** Counts only where padding is done with tabs; here for the shape of Go's call. */
  readonly tabWidth: number;
  /** Blanks behind a cell's text. */
  readonly padding: number;
  /**
   * Columns that a text takes. Go counts code points, which is the default; docker's own copy of the package does not.
   */
  readonly width?: (text: string) => number;
}

interface Line {
  /** Cells ended by a tab: those have a column. */
  readonly cells: readonly string[];
  /** The text after the last tab, which is never padded. */
  readonly rest: string;
}

const codePoints = (text: string) => [...text].length;

export function tabwriter(text: string, options: TabwriterOptions): string {
  // A form feed ends a line and every column with it.
  return text
    .split('\f')
    .map((section, i, all) => align(section, options, i === all.length - 1))
    .join('\n');
}

function align(text: string, { minWidth, padding, width = codePoints }: TabwriterOptions, last: boolean) {
  const texts = text.split('\n');
  const lines = texts.map((line, i) => toLine(line, last && i === texts.length - 1));
  // A column is a run of lines that have it: its width is shared by them and no others.
  const columns: { width: number }[][] = [];
  for (const [i, { cells }] of lines.entries()) {
    const above = columns[i - 1] ?? [];
    columns.push(
      cells.map((cell, c) => {
        const column = above[c] ?? { width: minWidth };
        column.width = Math.max(column.width, width(cell) + padding);
        return column;
      }),
    );
  }
  return lines
    .map(({ cells, rest }, i) => {
      const padded = cells.map((cell, c) => cell + ' '.repeat(columns[i]![c]!.width - width(cell)));
      return padded.join('') + rest;
    })
    .join('\n');
}

/** @param open  nothing ends the line: a tab at its very end then leaves no empty cell behind it */
function toLine(text: string, open: boolean): Line {
  const cells = text.split(/[\t\v]/);
  const rest = cells.pop()!;
  if (open && rest === '' && cells.length > 0) return { rest: cells.pop()!, cells };
  return { cells, rest };
}
