/** The change of a file: removed, added, changed in content or type, changed in mode or owner only. */
export type ChangeMark = '-' | '+' | '~' | '.';

/** A line of a list of changed files, for one file or for all changed files of a directory. */
export interface DiffLine {
  readonly mark: ChangeMark;
  /** Without a leading slash; empty for the root. */
  readonly path: string;
  /** Bytes of the change. */
  readonly weight: number;
  readonly what: string;
  readonly isDirectory: boolean;
  /** For a directory that stands for its contents: the number of files by change. */
  readonly files: ReadonlyMap<ChangeMark, number> | null;
}

/** A new or removed directory with fewer files is listed file by file. */
const WHOLE = 3;

/** Replaces the lines of a directory that only one image has by one line. */
export function foldWhole(lines: readonly DiffLine[]): DiffLine[] {
  return (['-', '+'] as const).reduce<readonly DiffLine[]>(foldMark, lines) as DiffLine[];
}

function foldMark(lines: readonly DiffLine[], mark: ChangeMark): DiffLine[] {
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

/** The topmost of some directories that contains or equals a path; null if there is none. */
function topmost(path: string, directories: ReadonlySet<string>): string | null {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
    if (directories.has(path.slice(0, slash))) return path.slice(0, slash);
  return directories.has(path) ? path : null;
}

/** Above this number of lines in a directory, one line with the sum is more useful. */
const MANY = 10;

/**
 * Replaces the lines of directories that have many by one line each, from the innermost outwards, but never for the
 * root. A list of at most `most` lines is returned unchanged.
 */
export function foldMany(lines: readonly DiffLine[], most: number): DiffLine[] {
  if (lines.length <= most) return [...lines];
  const byDirectory = new Map<string, DiffLine[]>();
  for (const line of lines) {
    const directory = parentOf(line.path);
    // Directories that contain only directories are considered too.
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

/** Lines of new or removed directories are kept, unless there are many of them too. */
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

const countsOf = ({ files, isDirectory, mark }: DiffLine): ReadonlyMap<ChangeMark, number> =>
  files ?? new Map(isDirectory ? [] : [[mark, 1]]);

function together(path: string, lines: readonly DiffLine[]): DiffLine {
  const files = new Map<ChangeMark, number>();
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

const WORDS: readonly (readonly [ChangeMark, string])[] = [
  ['+', 'added'],
  ['-', 'removed'],
  ['~', 'changed'],
  ['.', 'in mode or owner only'],
];

const countWords = (files: ReadonlyMap<ChangeMark, number>): string =>
  WORDS.flatMap(([mark, word]) =>
    files.has(mark) ? [`${files.get(mark)!.toLocaleString('en-US')} ${word}`] : [],
  ).join(', ');

/** The number of files of a directory's line, such as `(1,340 files)`. */
export function filesWords({ files }: DiffLine): string {
  if (files === null) return '';
  const count = [...files.values()].reduce((sum, n) => sum + n, 0);
  return ` (${count.toLocaleString('en-US')} ${count === 1 ? 'file' : 'files'})`;
}
