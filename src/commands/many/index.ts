import { fileSha256 } from '../../containers/file-digest.js';
import { InputError } from '../../errors.js';
import { type Doc, gap, heading, type Result, span, type Text, text } from '../../report/doc.js';
import type { ArchiveReading } from '../../report/read.js';
import { count, NONE } from '../../report/words.js';
import { isArchiveName } from '../../spec/archive-name.js';
import { visible } from '../../visible.js';
import { type Item, type Named, type Reader, type Readings, readEach } from './read.js';
import type { Tally } from './tallies.js';

/** Files that are named where not all are asked for. */
const NAMED = 5;

type Remark = Extract<Item, { kind: 'other' | 'again' }>;

/** What is said of files in folders that are no archives, and of archives that were named twice. */
class Remarks {
  private readonly again: string[] = [];
  private againCount = 0;
  /** The first of all, and of those that are called as archives are: they may be missed. */
  private readonly others: string[] = [];
  private readonly missed: string[] = [];
  private otherCount = 0;

  /** @param all  name every file */
  constructor(private readonly all: boolean) {}

  add(remark: Remark): void {
    if (remark.kind === 'again') {
      this.againCount++;
      this.keep(this.again, againWords(remark));
      return;
    }
    const line = `left out: ${remark.file}: ${remark.reason}`;
    this.otherCount++;
    this.keep(this.others, line);
    if (isArchiveName(remark.file)) this.keep(this.missed, line);
  }

  /** @param how  how to see all of them; null where that cannot be asked for */
  lines(how: string | null = '--all lists them'): string[] {
    const { all, again, others, missed, otherCount } = this;
    const listed = all || otherCount <= NAMED ? others : missed;
    const rest = otherCount - listed.length;
    const hint = how === null ? '' : ` (${how})`;
    const unsaid = this.againCount - again.length;
    return [
      ...again,
      ...(unsaid > 0 ? [`and ${unsaid} more that are named twice${hint}`] : []),
      ...listed,
      ...(rest > 0 ? [`${rest} other ${rest === 1 ? 'file' : 'files'} left out${hint}`] : []),
    ];
  }

  private keep(lines: string[], line: string): void {
    // Names of files have whatever the system lets them have.
    if (this.all || lines.length < NAMED) lines.push(visible(line));
  }
}

const againWords = ({ what, file, first }: Extract<Item, { kind: 'again' }>): string =>
  file === first
    ? `${file} is named twice, and read once`
    : `${file} is the same ${what} as ${first}, and read once`;

/** What a list of the images of several archives says beside it, and what it exits with for that. */
export function remarksOf({ failed, others, again }: Omit<Readings, 'readings'>): {
  readonly notes: readonly string[];
  readonly exitCode: 0 | 1 | 2;
} {
  const remarks = new Remarks(false);
  for (const item of [...again, ...others]) remarks.add(item);
  // What a folder holds besides may be of no interest; what was named is missed.
  const exitCode = failed.some(({ isNamed }) => isNamed) ? 2 : failed.length > 0 ? 1 : 0;
  return { notes: [...failed.map(({ error }) => error.message), ...remarks.lines(null)], exitCode };
}

/** One of several archives, as `--json` prints it: the report of the command, or why there is none. */
interface ArchiveLine {
  /** Path of the archive; `-` for standard input. */
  readonly file: string;
  /** Of the file as it lies there; null for a directory, and where it could not be read. */
  readonly sha256: string | null;
  /** What the command would exit with for this archive alone. */
  readonly exitCode: 0 | 1 | 2;
  readonly error: { readonly what: string; readonly remedy: string | null } | null;
}

interface ManyOptions<R> extends Reader {
  readonly names: readonly Named[];
  /** What the command says of one archive. @throws InputError where that cannot be said */
  readonly report: (reading: ArchiveReading, ref: string | undefined) => Promise<Result>;
  readonly tally: Tally<R>;
  /** Name every file of a folder that is no archive, and not only the first. */
  readonly all: boolean;
  /** Gets the line of each archive, when it is done. */
  readonly onLine: (line: ArchiveLine) => Promise<void>;
  /** Whether the result's data is wanted: the lines of all archives, which otherwise are not kept. */
  readonly keep: boolean;
}

/** What is kept of archives that are done: rows, and what has to be read below them. */
class Summary<R> {
  readonly lines: ArchiveLine[] = [];
  exitCode: 0 | 1 | 2 = 0;
  private readonly rows: Text[][] = [];
  private readonly details: Doc[] = [];
  private readonly failures: { readonly file: string; readonly error: InputError }[] = [];
  private readonly leftOut: Remarks;
  private archives = 0;

  constructor(
    private readonly tally: Tally<R>,
    all: boolean,
  ) {
    this.leftOut = new Remarks(all);
  }

  tell(file: string, sha256: string | null, { data, doc, exitCode }: Result): void {
    const { rows, details } = this.tally.tell(data as R, doc);
    // Further rows of one archive stand below its name.
    for (const [i, row] of rows.entries())
      this.rows.push([i === 0 ? shown(file) : '', ...row, i === 0 ? (sha256 ?? NONE) : '']);
    if (details.length > 0) this.details.push([gap, heading(shown(file), 3), ...details]);
    this.add(exitCode);
  }

  fail(file: string, sha256: string | null, error: InputError): void {
    const [, ...rest] = this.tally.columns;
    this.rows.push([
      shown(file),
      [span('no report', 'bad')],
      ...rest.map(({ fold }) => (fold === true ? '' : NONE)),
      sha256 ?? NONE,
    ]);
    this.failures.push({ file, error });
    this.add(2);
  }

  remark(item: Extract<Item, { kind: 'other' | 'again' }>): void {
    this.leftOut.add(item);
  }

  get remarks(): readonly string[] {
    return this.leftOut.lines();
  }

  doc(): Doc {
    const { columns, total } = this.tally;
    const remarks = this.remarks;
    const without = this.failures.length;
    const failed = without === 0 ? [] : [`, ${without} without a report`];
    return [
      text([span(count(this.archives, 'archive'), 'strong'), ...failed]),
      gap,
      {
        kind: 'table',
        columns: [{ title: 'archive', fold: true }, ...columns, { title: 'sha256', fold: true }],
        rows: [...this.rows, [[span('total', 'strong')], ...total(this.archives), '']],
      },
      ...this.details.flat(),
      ...this.failures.flatMap(failureDoc),
      ...(remarks.length === 0 ? [] : [gap, ...remarks.map(line => text([span(line, 'dim')]))]),
    ];
  }

  private add(exitCode: 0 | 1 | 2): void {
    this.archives++;
    if (exitCode > this.exitCode) this.exitCode = exitCode;
  }
}

const shown = (file: string) => (file === '-' ? 'standard input' : file);

function failureDoc({ file, error: { what, remedy } }: { file: string; error: InputError }): Doc {
  const lines = remedy === null ? [] : remedy.split('\n');
  return [
    gap,
    heading(shown(file), 3),
    text([span('no report', 'bad'), `  ${what}`]),
    ...lines.map(line => text(line, 2)),
  ];
}

/**
 * Says one thing about any number of archives: a row for each with its digest, what has to be read of each, and a total. No report
 * is kept.
 * @throws InputError where a single name leads to nothing that can be read, UsageError for options that make no sense
 */
export async function reportMany<R>(
  options: ManyOptions<R>,
): Promise<Result & { readonly remarks: readonly string[] }> {
  const { names, tally, all, keep, onLine } = options;
  const summary = new Summary(tally, all);
  for await (const item of readEach(names, options)) {
    // A folder without an archive, and nothing else was named.
    if (item.kind === 'failed' && item.isNamed && names.length === 1) throw item.error;
    if (item.kind === 'other' || item.kind === 'again') summary.remark(item);
    else {
      const line = await lineOf(item, summary, options);
      if (keep) summary.lines.push(line);
      await onLine(line);
    }
  }
  const { exitCode, remarks, lines } = summary;
  return { data: lines, doc: summary.doc(), exitCode, remarks };
}

async function lineOf<R>(
  item: Extract<Item, { kind: 'archive' | 'failed' }>,
  summary: Summary<R>,
  { report, deadline }: ManyOptions<R>,
): Promise<ArchiveLine> {
  const { file } = item;
  let sha256 = item.kind === 'archive' ? item.read.sha256 : null;
  try {
    if (item.kind === 'failed') throw item.error;
    const result = await report(item.read, item.ref);
    summary.tell(file, sha256, result);
    return { file, sha256, exitCode: result.exitCode, error: null, ...(result.data as object) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    sha256 ??= await fileSha256(file, deadline).catch(() => null);
    summary.fail(file, sha256, error);
    return { file, sha256, exitCode: 2, error: { what: error.what, remedy: error.remedy } };
  }
}
