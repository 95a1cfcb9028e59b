import { type Doc, gap, span, type Text, text } from '../../report/doc.js';
import { count } from '../../report/words.js';
import { type BytePath, shownPath } from '../../spec/byte-path.js';
import type { Results } from '../../write/results-file.js';
import type { RecordBody } from './examine.js';
import type { MadeRecord } from './run.js';

/** Archives that are listed by name: a fleet may have ten thousand. */
const LISTED = 50;
/** Files that are named: unreadable archives on standard error, and those that are left out. */
const NAMED = 10;

/** An archive that is listed. */
interface Listed {
  readonly path: string;
  readonly exitCode: 1 | 2;
  /** Findings that fail. */
  readonly failing: number;
  readonly words: string;
}

/** A file that is left out. */
interface Other {
  readonly path: string;
  readonly reason: string;
}

const byPath = (a: Other, b: Other): number => (a.path < b.path ? -1 : 1);

/** The numbers of a run, and its worst archives. Its size does not depend on the number of archives. */
export class ScanSummary {
  archives = 0;
  others = 0;
  images = 0;
  /** By exit code. */
  readonly exits: [sound: number, failing: number, unreadable: number] = [0, 0, 0];
  /** Findings, and archives that have one, by code. */
  readonly codes = new Map<string, { findings: number; archives: number; failing: boolean }>();
  private listed: Listed[] = [];
  private otherFiles: Other[] = [];

  constructor(private readonly paths: readonly BytePath[]) {}

  add({ index, answer, exitCode }: MadeRecord): void {
    if (answer.kind === 'other') {
      this.addOther(shownPath(this.paths[index]!), answer.reason);
      return;
    }
    this.archives++;
    this.exits[exitCode]++;
    const body = JSON.parse(answer.body) as RecordBody;
    this.images += body.images?.length ?? 0;
    this.count(body);
    if (exitCode !== 0) this.list(index, exitCode, body);
  }

  /** The first by name, whichever thread was faster. */
  firstOthers(): readonly Other[] {
    return [...this.otherFiles].sort(byPath).slice(0, NAMED);
  }

  /** Worst first. */
  worst(): readonly Listed[] {
    return [...this.listed].sort(worstFirst);
  }

  /** A line for each archive that cannot be read. */
  failures(): readonly string[] {
    const failed = this.worst().filter(({ exitCode }) => exitCode === 2);
    const rest = this.exits[2] - Math.min(failed.length, NAMED);
    return [
      ...failed.slice(0, NAMED).map(({ path, words }) => `${path}: ${words}`),
      ...(rest > 0 && failed.length > 0 ? [`and ${count(rest, 'archive')} more without a report`] : []),
    ];
  }

  private addOther(path: string, reason: string): void {
    this.others++;
    this.otherFiles.push({ path, reason });
    if (this.otherFiles.length >= 2 * NAMED) this.otherFiles = [...this.firstOthers()];
  }

  private count({ findings = [] }: RecordBody): void {
    const seen = new Set<string>();
    for (const { code, failing } of findings) {
      const known = this.codes.get(code) ?? { findings: 0, archives: 0, failing: false };
      known.findings++;
      if (failing) known.failing = true;
      if (!seen.has(code)) known.archives++;
      seen.add(code);
      this.codes.set(code, known);
    }
  }

  private list(index: number, exitCode: 1 | 2, { error, findings = [] }: RecordBody): void {
    const failing = findings.filter(finding => finding.failing);
    const words = error?.what ?? [...new Set(failing.map(({ code }) => code))].join(', ');
    this.listed.push({ path: shownPath(this.paths[index]!), exitCode, failing: failing.length, words });
    if (this.listed.length >= 2 * LISTED) this.listed = [...this.listed].sort(worstFirst).slice(0, LISTED);
  }
}

/** The order does not depend on which thread was faster. */
const worstFirst = (a: Listed, b: Listed): number =>
  b.exitCode - a.exitCode || b.failing - a.failing || (a.path < b.path ? -1 : 1);

/** The records of an earlier run that are used. */
export type Earlier = Pick<Results, 'kept' | 'keptFailing'>;

/** The numbers of a run in one line. */
export function summaryLine(
  { archives, others, exits }: ScanSummary,
  { kept, keptFailing }: Earlier,
): string {
  const [sound, failing, unreadable] = exits;
  const parts = [
    ...(sound > 0 || archives === 0 ? [`${sound} sound`] : []),
    ...(failing === 0 ? [] : [`${failing} with findings that fail`]),
    ...(unreadable === 0 ? [] : [`${unreadable} without a report`]),
    ...(others === 0 ? [] : [`${count(others, 'other file')} left out`]),
  ];
  const read = `${count(archives, 'archive')}: ${parts.join(', ')}`;
  const failed = keptFailing === 0 ? '' : `, ${keptFailing} of them with findings that fail`;
  return kept === 0 ? read : `${count(kept, 'record')} kept of an earlier run${failed}; read now: ${read}`;
}

export function summaryDoc(summary: ScanSummary, earlier: Earlier): Doc {
  const worst = summary.worst().slice(0, LISTED);
  const rest = summary.exits[1] + summary.exits[2] - worst.length;
  return [
    text([span(summaryLine(summary, earlier), 'strong')]),
    ...(worst.length === 0 ? [] : [gap, worstTable(worst)]),
    ...(rest <= 0 ? [] : [text([span(`and ${count(rest, 'more archive')}`, 'dim')])]),
    ...(summary.codes.size === 0 ? [] : [gap, codesTable(summary)]),
    ...leftOut(summary),
  ];
}

/** The first files that are no image archives, by name: one of them may be a failed copy of one. */
function leftOut(summary: ScanSummary): Doc {
  const first = summary.firstOthers();
  const rest = summary.others - first.length;
  if (first.length === 0) return [];
  const table: Doc[number] = {
    kind: 'table',
    columns: [
      { title: 'left out', fold: true },
      { title: 'it is', fold: true },
    ],
    rows: first.map(({ path, reason }) => [path, [span(reason, 'dim')]]),
  };
  return [gap, table, ...(rest === 0 ? [] : [text([span(`and ${count(rest, 'more file')}`, 'dim')])])];
}

const worstTable = (worst: readonly Listed[]): Doc[number] => ({
  kind: 'table',
  columns: [
    { title: 'archive', fold: true },
    { title: 'exit', align: 'right' },
    { title: 'why', fold: true },
  ],
  rows: worst.map(({ path, exitCode, words }): Text[] => [
    path,
    [span(String(exitCode), exitCode === 2 ? 'bad' : 'warn')],
    words,
  ]),
});

const codesTable = ({ codes }: ScanSummary): Doc[number] => ({
  kind: 'table',
  columns: [
    { title: 'finding' },
    { title: 'archives', align: 'right' },
    { title: 'findings', align: 'right' },
  ],
  rows: [...codes]
    .sort(
      ([code, a], [other, b]) =>
        Number(b.failing) - Number(a.failing) || b.archives - a.archives || (code < other ? -1 : 1),
    )
    .map(([code, { findings, archives, failing }]): Text[] => [
      [span(code, failing ? 'bad' : 'dim')],
      String(archives),
      String(findings),
    ]),
});
