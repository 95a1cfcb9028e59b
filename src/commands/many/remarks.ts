import { isArchiveName } from '../../spec/archive-name.js';
import { visible } from '../../visible.js';
import type { Item, Readings } from './read.js';

/** Files that are named where not all are asked for. */
const NAMED = 5;

type Remark = Extract<Item, { kind: 'other' | 'again' }>;

/** What is said of files in folders that are no archives, and of archives that were named twice. */
export class Remarks {
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
