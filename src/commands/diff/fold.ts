/** What became of a file: removed, added, changed in content or kind, changed in mode or owner only. */
export type Mark = '-' | '+' | '~' | '.';

/** A line of a list of files that differ, or of all that differ in a directory. */
export interface DiffLine {
  readonly mark: Mark;
  /** Without a leading slash; empty for the root. */
  readonly path: string;
  /** Bytes that it is about. */
  readonly weight: number;
  readonly what: string;
  readonly isDirectory: boolean;
  /** Of a directory that stands for what is in it: how many files that are, by what became of them. */
  readonly files: ReadonlyMap<Mark, number> | null;
}

/** A new or removed directory of fewer files is listed with them. */
const WHOLE = 3;

/** Directories that are only one of two images' as one line each: all that is in them was added, or removed. */
export function foldWhole(lines: readonly DiffLine[]): DiffLine[] {
  return (['-', '+'] as const).reduce<readonly DiffLine[]>(foldMark, lines) as DiffLine[];
}

function foldMark(lines: readonly DiffLine[], mark: Mark): DiffLine[] {
  const own = lines.filter(line => line.mark === mark);
  const directories = new Set(own.filter(({ isDirectory }) => isDirectory).map(({ path }) => path));
  const groups = new Map<string, DiffLine[]>();
  for (const line of own) {
    const top = topmost(line.path, directories);
    if (top === null) continue;
    const group = groups.get(top);
    if (group === undefined) groups.set(top, [line]);
    else group.push(line);
  }
  const folded = [...groups].filter(([, group]) => filesIn(group) >= WHOLE);
  const gone = new Set(folded.flatMap(([, group]) => group));
  const sums = folded.map(([path, group]) => together(path, group));
  return [...lines.filter(line => !gone.has(line)), ...sums];
}

/** The first of some directories on the way to a path, itself included. */
function topmost(path: string, directories: ReadonlySet<string>): string | null {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
    if (directories.has(path.slice(0, slash))) return path.slice(0, slash);
  return directories.has(path) ? path : null;
}

/** More lines than these of one directory help less than their sum. */
const MANY = 10;

/**
 * Directories that have many lines as one line each, from the innermost outwards; the root is none of them. A list that is no
 * longer than it may be stays as it is.
 */
export function foldMany(lines: readonly DiffLine[], most: number): DiffLine[] {
  if (lines.length <= most) return [...lines];
  const byDirectory = new Map<string, DiffLine[]>();
  for (const line of lines) {
    const directory = parentOf(line.path);
    // A directory that only has directories is looked at too.
    for (let at = parentOf(directory); at !== '' && !byDirectory.has(at); at = parentOf(at))
      byDirectory.set(at, []);
    keepIn(byDirectory, directory, line);
  }
  const deepest = [...byDirectory.keys()].filter(path => path !== '').sort((a, b) => levels(b) - levels(a));
  for (const directory of deepest) {
    const inside = byDirectory.get(directory)!;
    byDirectory.delete(directory);
    for (const line of foldInside(directory, inside)) keepIn(byDirectory, parentOf(directory), line);
  }
  return [...byDirectory.values()].flat();
}

/** Directories that are new or gone as a whole stay lines of their own, unless they are many too. */
function foldInside(directory: string, inside: readonly DiffLine[]): readonly DiffLine[] {
  if (inside.length <= MANY) return inside;
  const whole = inside.filter(({ files, mark }) => files !== null && (mark === '+' || mark === '-'));
  if (whole.length > MANY) return [together(directory, inside)];
  const others = inside.filter(line => !whole.includes(line));
  return others.length <= MANY ? inside : [...whole, together(directory, others)];
}

function keepIn(byDirectory: Map<string, DiffLine[]>, directory: string, line: DiffLine): void {
  const beside = byDirectory.get(directory);
  if (beside === undefined) byDirectory.set(directory, [line]);
  else beside.push(line);
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const levels = (path: string) => path.split('/').length;

const filesIn = (lines: readonly DiffLine[]): number =>
  lines.reduce((sum, line) => sum + [...countsOf(line).values()].reduce((all, n) => all + n, 0), 0);

const countsOf = ({ files, isDirectory, mark }: DiffLine): ReadonlyMap<Mark, number> =>
  files ?? new Map(isDirectory ? [] : [[mark, 1]]);

function together(path: string, lines: readonly DiffLine[]): DiffLine {
  const files = new Map<Mark, number>();
  for (const line of lines)
    for (const [mark, count] of countsOf(line)) files.set(mark, (files.get(mark) ?? 0) + count);
  const marks = new Set(lines.map(({ mark }) => mark));
  const [only] = marks;
  return {
    mark: marks.size === 1 ? only! : '~',
    path,
    weight: lines.reduce((sum, { weight }) => sum + weight, 0),
    what: marks.size === 1 ? '' : countWords(files),
    isDirectory: true,
    files,
  };
}

const WORDS: readonly (readonly [Mark, string])[] = [
  ['+', 'added'],
  ['-', 'removed'],
  ['~', 'changed'],
  ['.', 'in mode or owner only'],
];

const countWords = (files: ReadonlyMap<Mark, number>): string =>
  WORDS.flatMap(([mark, word]) =>
    files.has(mark) ? [`${files.get(mark)!.toLocaleString('en-US')} ${word}`] : [],
  ).join(', ');

/** `(1,340 files)`, behind the path of a directory that stands for what is in it. */
export function filesWords({ files }: DiffLine): string {
  if (files === null) return '';
  const count = [...files.values()].reduce((sum, n) => sum + n, 0);
  return ` (${count.toLocaleString('en-US')} ${count === 1 ? 'file' : 'files'})`;
}
