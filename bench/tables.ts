// Formats a report as tables: rows of cells, which the terminal and the README render in different ways.
import type { Verdict } from './judge.js';
import type { Line } from './micro/line.js';
import { type RaceResult, type Report, summary } from './report.js';

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function raceTable({ title, images, results }: RaceResult): Table {
  const reference = summary(results[0]?.samples ?? []);
  return {
    title: `${title} (${images.map(({ name, form, bytes }) => `${name} ${form} ${megabytes(bytes)}`).join(', ')})`,
    head: ['', 'median s', 'min', 'max', 'CPU s', 'peak MB', 'first / this', 'rounds'],
    rows: results.map(({ id, samples, problem }) => {
      const measured = summary(samples);
      if (measured === null) return [id, '', '', '', '', '', '', problem ?? ''];
      return [
        id,
        seconds(measured.seconds),
        seconds(measured.min),
        seconds(measured.max),
        seconds(measured.cpu),
        measured.peak === null ? '' : (measured.peak / 1e6).toFixed(0),
        reference === null ? '' : (reference.seconds / measured.seconds).toFixed(2),
        problem ?? String(samples.length),
      ];
    }),
  };
}

export function goalTable(verdicts: readonly Verdict[]): Table {
  return {
    title: 'Goals',
    head: ['', 'at most', 'measured', 'of CPU', ''],
    rows: verdicts.map(verdict => [
      verdict.goal,
      amount(verdict, verdict.most),
      verdict.measured === null ? '' : amount(verdict, verdict.measured),
      verdict.cpu === null ? '' : amount(verdict, verdict.cpu),
      verdict.met === null ? `not measured: ${verdict.absent.join(', ')}` : verdict.met ? 'met' : 'MISSED',
    ]),
  };
}

export function microTable(lines: readonly Line[]): Table {
  return {
    title: 'Parts alone',
    head: ['', 'waybill', 'unit', 'other', 'by'],
    rows: lines.map(({ name, value, unit, other, otherValue }) => [
      name,
      value.toFixed(0),
      unit,
      otherValue?.toFixed(0) ?? '',
      other ?? '',
    ]),
  };
}

export const tables = (report: Report): Table[] =>
  [...report.races.map(raceTable), microTable(report.micro), goalTable(report.goals)].filter(
    table => table.rows.length > 0,
  );

/** The machine and the options of the measurement, one per line. */
export function circumstances({ date, machine, versions, rounds, seconds: taken }: Report): string[] {
  return [
    `${date.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, ${(machine.memory / 2 ** 30).toFixed(0)} GiB, ${machine.system}; load before the run ${machine.load.toFixed(2)}.`,
    `${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    `Rounds: ${rounds}, which took ${(taken / 60).toFixed(1)} minutes; files in the page cache.`,
  ];
}

const seconds = (value: number) => value.toFixed(value < 1 ? 3 : 2);
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

function amount({ unit }: Verdict, value: number): string {
  if (unit === 'bytes') return megabytes(value);
  return unit === 'seconds' ? `+${(value * 1000).toFixed(0)} ms` : `${value.toFixed(2)}x`;
}
