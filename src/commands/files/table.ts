import type { Block, Column, Text } from '../../report/doc.js';
import type { FileReport } from '../../report/file-report.js';
import { NONE } from '../../report/words.js';
import { visible, visiblePath } from '../../visible.js';
import { CAPABILITY, capabilityText } from './rows.js';

const COLUMNS: readonly Column[] = [
  { title: 'mode' },
  { title: 'owner' },
  { title: 'size', align: 'right' },
  { title: 'time (UTC)' },
  { title: '#', align: 'right' },
  { title: 'path' },
];

/** A row of a list of files. */
export interface FileRow {
  /** null for a directory that is only a parent of listed files. */
  readonly file: FileReport | null;
  /** Printed instead of the path; safe for a terminal. */
  readonly name: string;
  /** Printed instead of the size of the file: for a directory the sum of its contents. */
  readonly bytes: number;
  /** The cell of the first column. */
  readonly lead?: Text;
}

/**
 * Lists files as `ls -l` and `tar -tv` do.
 * @param rows   iterated anew each time that the document is written
 * @param lead   title of the first column
 */
export function fileTable(
  rows: Iterable<FileRow>,
  count: number,
  write: (bytes: number) => string,
  lead?: string,
): Block {
  const columns = lead === undefined ? COLUMNS : [{ title: lead }, ...COLUMNS];
  const cells = { [Symbol.iterator]: () => cellsOf(rows, write, lead !== undefined) };
  return { kind: 'listing', columns, rows: cells, count };
}

function* cellsOf(
  rows: Iterable<FileRow>,
  write: (bytes: number) => string,
  hasLead: boolean,
): Generator<Text[]> {
  const days = new Map<number, string>();
  const mode = remembered(modeText);
  const owner = remembered(ownerText);
  const time = remembered(({ mtime }) => (mtime === null ? NONE : timeText(mtime, days)));
  for (const { file, name, bytes, lead = '' } of rows) {
    const cells =
      file === null
        ? ['', '', write(bytes), '', '', name]
        : [
            mode(file, file.type === 'file' && file.xattrs === undefined ? file.mode : null),
            owner(file, file.uid * 2 ** 32 + file.gid),
            file.device === undefined ? write(bytes) : `${file.device.major},${file.device.minor}`,
            time(file, file.mtime),
            String(file.layer + 1),
            name + targetText(file) + xattrText(file),
          ];
    yield hasLead ? [lead, ...cells] : cells;
  }
}

/**
 * Keeps the text of the previous file, because adjacent files mostly have the same attributes.
 * @returns a function that reuses the text while the key is the same; with null as key the text is always made
 */
function remembered(make: (file: FileReport) => string) {
  let last: number | null = null;
  let text = '';
  return (file: FileReport, key: number | null): string => {
    if (key === null || key !== last) text = make(file);
    last = key;
    return text;
  };
}

const ownerText = ({ uid, gid }: FileReport) => `${uid}:${gid}`;

const LETTERS: Readonly<Record<FileReport['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  char: 'c',
  block: 'b',
  fifo: 'p',
  other: '?',
};

/** `drwxr-xr-x`, followed by `+` if there are extended attributes. */
function modeText({ type, mode, xattrs }: FileReport): string {
  const bits = [6, 3, 0].map((shift, i) => {
    const letter = (bit: number, character: string) => ((mode >> shift) & bit ? character : '-');
    const special = (mode >> (11 - i)) & 1;
    const execute = (mode >> shift) & 1;
    const last = i === 2 ? 't' : 's';
    const x = special ? (execute ? last : last.toUpperCase()) : letter(1, 'x');
    return letter(4, 'r') + letter(2, 'w') + x;
  });
  return LETTERS[type] + bits.join('') + (xattrs === undefined ? '' : '+');
}

const DAY = 24 * 60 * 60;

/**
 * JavaScript's last date is in the year 275760; headers may claim later ones.
 * @param day  since 1970
 */
function dayText(day: number): string {
  const date = new Date(day * DAY * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, -'T00:00:00.000Z'.length);
}

/** Number of days whose text is cached: those of thirty years. */
const DAYS = 10_000;

/** @param days  a cache of the texts of days */
function timeText(mtime: number, days: Map<number, string>): string {
  const number = Math.floor(mtime / DAY);
  let day = days.get(number);
  if (day === undefined) {
    day = dayText(number);
    if (days.size < DAYS) days.set(number, day);
  }
  if (day === '') return `@${mtime}`;
  const second = Math.floor(mtime) - number * DAY;
  const minute = Math.floor(second / 60);
  return `${day} ${TWO[Math.floor(minute / 60)]}:${TWO[minute % 60]}:${TWO[second % 60]}`;
}

const TWO: readonly string[] = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));

function targetText({ type, target }: FileReport): string {
  if (target === null) return '';
  return type === 'symlink' ? ` -> ${visiblePath(target)}` : ` link to ${visiblePath(target)}`;
}

/** Names of the extended attributes; a capability as getcap prints it. */
function xattrText({ xattrs }: FileReport): string {
  if (xattrs === undefined) return '';
  const names = Object.entries(xattrs).map(([name, value]) => {
    const allowed = name === CAPABILITY ? capabilityText(Buffer.from(value, 'base64')) : null;
    return visible(name) + (allowed === null ? '' : `: ${allowed}`);
  });
  return `  [${names.join(', ')}]`;
}
