import { visiblePath } from '../visible.js';
import type { Block, Column, Text } from './doc.js';
import type { FileReport } from './file-report.js';
import { NONE } from './words.js';

/** A file in a list, with what goes before and after its name. */
export interface FileLine {
  readonly file: FileReport;
  /** What to show in place of the path; the path by default. */
  readonly name?: string | undefined;
  /** Cells in front. */
  readonly lead?: readonly Text[];
}

const COLUMNS: readonly Column[] = [
  { title: 'mode' },
  { title: 'owner' },
  { title: 'size', align: 'right' },
  { title: 'time (UTC)' },
  { title: '#', align: 'right' },
  { title: 'path' },
];

/** As `ls -l` and `tar -tv` list files. */
export function fileTable(
  lines: readonly FileLine[],
  write: (bytes: number) => string,
  lead: readonly Column[] = [],
): Block {
  const [mode, owner, time] = [remembered(modeText), remembered(ownerText), remembered(timeText)];
  const rows = lines.map(({ file, name, lead: cells = NO_CELLS }) => [
    ...cells,
    mode(file, file.type === 'file' && file.xattrs === undefined ? file.mode : null),
    owner(file, file.uid * 2 ** 32 + file.gid),
    file.device === undefined ? write(file.size) : `${file.device.major},${file.device.minor}`,
    time(file, file.mtime),
    String(file.layer + 1),
    (name ?? visiblePath(file.path)) + targetText(file),
  ]);
  return { kind: 'table', columns: [...lead, ...COLUMNS], rows, listing: true };
}

const NO_CELLS: readonly Text[] = [];

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

/** The last day that JavaScript knows is in the year 275760; headers may claim later ones. */
function timeText({ mtime }: FileReport): string {
  if (mtime === null) return NONE;
  const date = new Date(Math.floor(mtime) * 1000);
  if (Number.isNaN(date.getTime())) return `@${mtime}`;
  return date.toISOString().replace('T', ' ').replace('.000Z', '');
}

function targetText({ type, target }: FileReport): string {
  if (target === null) return '';
  return type === 'symlink' ? ` -> ${visiblePath(target)}` : ` link to ${visiblePath(target)}`;
}
