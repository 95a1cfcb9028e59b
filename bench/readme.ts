// Writes the README's section from a run, so that its numbers are always measured ones.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Report } from './report.js';
import { circumstances, type Table, tables } from './tables.js';

const BEGIN = '<!-- last full run: written by `npm run bench -- --readme` -->';
const END = '<!-- end of the last full run -->';

export function writeReadme(path: URL, report: Report): void {
  writeFileSync(path, withSection(readFileSync(path, 'utf8'), section(report)));
}

/** @throws Error if the text has no place for the section */
export function withSection(text: string, section: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('the README has no place for the last full run');
  return `${text.slice(0, begin + BEGIN.length)}\n${section}\n${text.slice(end)}`;
}

export const section = (report: Report): string =>
  [circumstances(report).join('  \n'), ...tables(report).map(markdown)].join('\n\n');

function markdown({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [`**${title}**`, '', line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
