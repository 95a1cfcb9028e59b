import { fileSha256 } from '../../containers/file-digest.js';
import { InputError } from '../../errors.js';
import {
  type Doc,
  gap,
  heading,
  type ReportedArchive,
  type ReportedFinding,
  type Result,
  span,
  type Text,
  text,
} from '../../report/doc.js';
import type { ArchiveReading } from '../../report/read.js';
import { Audit, unreadable } from '../../report/reported.js';
import { count, NONE } from '../../report/words.js';
import { isArchiveName } from '../../spec/archive-name.js';
import { visible } from '../../visible.js';
import { type ArchiveReader, type ArchiveReadings, type Named, type ReadResult, readEach } from './read.js';
import type { Tally } from './tallies.js';

/** Number of files that are named unless all are requested. */
const NAMED = 5;

type Remark = Extract<ReadResult, { kind: 'other' | 'again' }>;

/** Remarks on files in folders that are not archives, and on archives that were given twice. */
class Remarks {
  private readonly again: string[] = [];
  private againCount = 0;
  /**
   * The first files of all, and the first of those that have the name of an archive, which the user may expect in the
   * list.
   */
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

  /** @param how  how to list all of them; null if there is no option for it */
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
    // File names may contain any character.
    if (this.all || lines.length < NAMED) lines.push(visible(line));
  }
}

const againWords = ({ what, file, first }: Extract<ReadResult, { kind: 'again' }>): string =>
  file === first
    ? `${file} is named twice, and read once`
    : `${file} is the same ${what} as ${first}, and read once`;

/** The remarks printed with a list of the images of several archives, and the exit code that they result in. */
export function remarksOf({ failed, others, again }: Omit<ArchiveReadings, 'readings'>): {
  readonly notes: readonly string[];
  readonly exitCode: 0 | 1 | 2;
} {
  const remarks = new Remarks(false);
  for (const item of [...again, ...others]) remarks.add(item);
  // An unreadable file in a folder may be irrelevant; an argument is not.
  const exitCode = failed.some(({ isNamed }) => isNamed) ? 2 : failed.length > 0 ? 1 : 0;
  return { notes: [...failed.map(({ error }) => error.message), ...remarks.lines(null)], exitCode };
}

/** The line of `--json` for one of several archives: the report of the command, or the reason why there is none. */
interface ArchiveLine {
  /** Path of the archive; `-` for standard input. */
  readonly file: string;
  /** Digest of the file; null for a directory, and if it could not be read. */
  readonly sha256: string | null;
  /** The exit code of the command for this archive alone. */
  readonly exitCode: 0 | 1 | 2;
  readonly error: { readonly what: string; readonly remedy: string | null } | null;
}

interface ManyOptions<R> extends ArchiveReader {
  readonly names: readonly Named[];
  /**
   * The report of the command for one archive.
   * @throws InputError if there is none
   */
  readonly report: (reading: ArchiveReading, ref: string | undefined) => Promise<Result>;
  readonly tally: Tally<R>;
  /** Called after the last archive; null if there is nothing to report. */
  readonly closing?: (() => Closing | null) | undefined;
  /** Name every file of a folder that is not an archive, not only the first ones. */
  readonly all: boolean;
  /** Called with the line of each archive when it is done. */
  readonly onLine: (line: ArchiveLine) => Promise<void>;
  /** Keep the data of all archives for the result; otherwise it is not kept. */
  readonly keep: boolean;
  /** True if the findings of all archives are needed for an output. */
  readonly keepFindings?: boolean | undefined;
  /** The state that all archives share. */
  readonly audit?: Audit | undefined;
}

/** A command's report about all archives together, and the file that it is about: a policy. */
export interface Closing extends Result {
  readonly file: string;
}

/** The parts of completed archives that are kept: rows, and the details below the table. */
class ArchiveTable<R> {
  readonly lines: ArchiveLine[] = [];
  readonly findings: ReportedFinding[] = [];
  readonly archives: ReportedArchive[] = [];
  exitCode: 0 | 1 | 2 = 0;
  isVerdict = false;
  private readonly rows: Text[][] = [];
  private readonly details: Doc[] = [];
  private readonly failures: { readonly file: string; readonly error: InputError }[] = [];
  private readonly leftOut: Remarks;
  private count = 0;

  constructor(
    private readonly tally: Tally<R>,
    all: boolean,
    private readonly keepFindings: boolean,
    private readonly audit: Audit,
  ) {
    this.leftOut = new Remarks(all);
  }

  tell(file: string, sha256: string | null, result: Result): void {
    const { data, doc, exitCode, findings = [], archives = [] } = result;
    if (result.isVerdict === true) this.isVerdict = true;
    this.archives.push(...archives);
    if (this.keepFindings) for (const finding of findings) this.findings.push(finding);
    const { rows, details } = this.tally.tell(data as R, doc);
    // Further rows of one archive do not repeat its name.
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
    this.archives.push(failedArchive(file, error));
    this.findings.push(unreadable(file, error, this.audit));
    this.add(2);
  }

  close({ file, doc, exitCode, findings = [] }: Closing): void {
    if (this.keepFindings) this.findings.push(...findings);
    this.details.push([gap, heading(shown(file), 3), ...doc]);
    if (exitCode > this.exitCode) this.exitCode = exitCode;
  }

  remark(item: Extract<ReadResult, { kind: 'other' | 'again' }>): void {
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
      text([span(count(this.count, 'archive'), 'strong'), ...failed]),
      gap,
      {
        kind: 'table',
        columns: [{ title: 'archive', fold: true }, ...columns, { title: 'sha256', fold: true }],
        rows: [...this.rows, [[span('total', 'strong')], ...total(this.count), '']],
      },
      ...this.details.flat(),
      ...this.failures.flatMap(failureDoc),
      ...(remarks.length === 0 ? [] : [gap, ...remarks.map(line => text([span(line, 'dim')]))]),
    ];
  }

  private add(exitCode: 0 | 1 | 2): void {
    this.count++;
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

const failedArchive = (archive: string, { what }: InputError): ReportedArchive => ({
  archive,
  exitCode: 2,
  error: what,
  hidden: 0,
});

/** The result of a single archive without a report, for the requested outputs. */
export async function failedResult(file: string, error: InputError, audit: Audit): Promise<Result> {
  const sha256 = await fileSha256(file).catch(() => null);
  const { what, remedy } = error;
  const line: ArchiveLine = { file, sha256, exitCode: 2, error: { what, remedy } };
  const doc = failureDoc({ file, error }).slice(1);
  const archives = [failedArchive(file, error)];
  return {
    data: line,
    doc,
    exitCode: 2,
    isVerdict: true,
    findings: [unreadable(file, error, audit)],
    archives,
  };
}

/**
 * Reports on any number of archives: a row for each with its digest, details below the table, and a total. No report is
 * kept.
 * @throws InputError if the only name given cannot be read; UsageError for invalid options
 */
export async function reportMany<R>(
  options: ManyOptions<R>,
): Promise<Result & { readonly remarks: readonly string[] }> {
  const { names, tally, closing, all, keep, keepFindings = false, audit = new Audit(), onLine } = options;
  const summary = new ArchiveTable(tally, all, keepFindings, audit);
  for await (const item of readEach(names, options)) {
    // The only argument is a folder without an archive.
    if (item.kind === 'failed' && item.isNamed && names.length === 1) throw item.error;
    if (item.kind === 'other' || item.kind === 'again') summary.remark(item);
    else {
      const line = await lineOf(item, summary, options);
      if (keep) summary.lines.push(line);
      await onLine(line);
    }
  }
  const last = closing?.() ?? null;
  if (last !== null) {
    const { file, exitCode, data } = last;
    summary.close(last);
    const line = { file, sha256: null, exitCode, error: null, ...(data as object) };
    if (keep) summary.lines.push(line);
    await onLine(line);
  }
  const { exitCode, remarks, lines, findings, archives, isVerdict } = summary;
  return { data: lines, doc: summary.doc(), exitCode, remarks, isVerdict, findings, archives };
}

async function lineOf<R>(
  item: Extract<ReadResult, { kind: 'archive' | 'failed' }>,
  summary: ArchiveTable<R>,
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
