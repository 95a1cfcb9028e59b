import { visiblePath } from '../visible.js';
import type { Block, Column, Text } from './doc.js';
import type { FileReport } from './file-report.js';
import { NONE } from './words.js';

const COLUMNS: readonly Column[] = [
  { title: 'mode' },
  { title: 'owner' },
  { title: 'size', align: 'right' },
  { title: 'time (UTC)' },
  { title: '#', align: 'right' },
  { title: 'path' },
];

/** What a list has besides what every list of files has. */
export interface FileTableOptions {
  /** What to show in place of the path of a file, by its index. */
  readonly name?: (index: number) => string;
  /** A column in front: its cell for a file, by its index. */
  readonly lead?: { readonly title: string; readonly cell: (index: number) => Text };
}

/** As `ls -l` and `tar -tv` list files. */
export function fileTable(
  files: readonly FileReport[],
  write: (bytes: number) => string,
  { name, lead }: FileTableOptions = {},
): Block {
  const [mode, owner, day] = [remembered(modeText), remembered(ownerText), remembered(dayText)];
  const rows = files.map((file, i): Text[] => {
    const row = [
      mode(file, file.type === 'file' && file.xattrs === undefined ? file.mode : null),
      owner(file, file.uid * 2 ** 32 + file.gid),
      file.device === undefined ? write(file.size) : `${file.device.major},${file.device.minor}`,
      file.mtime === null ? NONE : timeText(file.mtime, day(file, Math.floor(file.mtime / DAY))),
      String(file.layer + 1),
      (name?.(i) ?? visiblePath(file.path)) + targetText(file),
    ];
    return lead === undefined ? row : [lead.cell(i), ...row];
  });
  const columns = lead === undefined ? COLUMNS : [{ title: lead.title }, ...COLUMNS];
  return { kind: 'table', columns, rows, listing: true };
}

/** Files that stand together are mostly alike: text is made once for a run of them. @returns takes null for no key */
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

/** `drwxr-xr-x`; with a `+` where there are extended attributes. */
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

/** The last day that JavaScript knows is in the year 275760; headers may claim later ones. */
function dayText({ mtime }: FileReport): string {
  const date = new Date(Math.floor(mtime! / DAY) * DAY * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, -'T00:00:00.000Z'.length);
}

function timeText(mtime: number, day: string): string {
  if (day === '') return `@${mtime}`;
  const second = Math.floor(mtime) - Math.floor(mtime / DAY) * DAY;
  return `${day} ${two(second / 3600)}:${two((second / 60) % 60)}:${two(second % 60)}`;
}

const two = (value: number) => String(Math.floor(value)).padStart(2, '0');

function targetText({ type, target }: FileReport): string {
  if (target === null) return '';
  return type === 'symlink' ? ` -> ${visiblePath(target)}` : ` link to ${visiblePath(target)}`;
}
