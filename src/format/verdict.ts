import {
  type ArchiveFindings,
  type Doc,
  type ReportedFinding,
  type Result,
  span,
  text,
} from '../report/doc.js';
import { legible } from '../visible.js';

/** Shared by the formats of findings: verdicts, places, the order of findings. */

export type Severity = ReportedFinding['severity'];

export const SEVERITIES = ['error', 'warning', 'info'] as const satisfies readonly Severity[];

const NOUNS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

/** All findings of a result. Each iteration may read them anew. */
export const findingsOf = ({ findings = [], archiveFindings }: Result): Iterable<ReportedFinding> =>
  archiveFindings === undefined ? findings : { [Symbol.iterator]: () => flattened(archiveFindings) };

function* flattened(archives: Iterable<ArchiveFindings>): Generator<ReportedFinding> {
  for (const { findings } of archives) yield* findings;
}

const rankOf = ({ isFailing, severity }: ReportedFinding): number =>
  SEVERITIES.indexOf(severity) + (isFailing ? 0 : SEVERITIES.length);

/**
 * Failing findings first, then by severity.
 * @param most  findings that are kept; the others are only counted
 */
export function worstFirst(
  findings: Iterable<ReportedFinding>,
  most = Number.POSITIVE_INFINITY,
): { readonly worst: readonly ReportedFinding[]; readonly leftOut: number } {
  const ranks: ReportedFinding[][] = Array.from({ length: 2 * SEVERITIES.length }, () => []);
  let count = 0;
  for (const finding of findings) {
    count++;
    const rank = ranks[rankOf(finding)]!;
    if (rank.length < most) rank.push(finding);
  }
  const worst = ranks.flat().slice(0, most);
  return { worst, leftOut: count - worst.length };
}

/** The name of an archive for people. */
export const archiveName = (archive: string): string => (archive === '-' ? 'standard input' : archive);

/** The image that a finding is about, with its platform if several have that name; empty for none. */
export const imageText = ({ image, platform }: Pick<ReportedFinding, 'image' | 'platform'>): string =>
  image === null ? '' : platform === null ? image : `${image} (${platform})`;

/** `2 errors, 1 note, 3 hidden by the baseline`. */
export function countsText(result: Result): string {
  const hidden = (result.archives ?? []).reduce((sum, archive) => sum + archive.hidden, 0);
  const numbers: Record<Severity, number> = { error: 0, warning: 0, info: 0 };
  // With those that are not listed.
  for (const { severity, unlisted = 0 } of findingsOf(result)) numbers[severity] += 1 + unlisted;
  const counts = SEVERITIES.flatMap(severity => {
    const count = numbers[severity];
    return count === 0 ? [] : [`${count} ${NOUNS[severity]}${count === 1 ? '' : 's'}`];
  });
  const shown = counts.join(', ') || 'no findings';
  return hidden === 0 ? shown : `${shown}, ${hidden} hidden by the baseline`;
}

/** `failed: image.tar: 2 errors`. */
export function verdictText(result: Result): string {
  const { archives = [], exitCode } = result;
  const verdict = ['passed', 'failed', 'incomplete'][exitCode]!;
  const unread = archives.filter(({ error }) => error !== null).length;
  const about = archives.length === 1 ? archiveName(archives[0]!.archive) : `${archives.length} archives`;
  const without = unread === 0 || archives.length === 1 ? '' : `, ${unread} without a report`;
  return `${verdict}: ${legible(about)}: ${countsText(result)}${without}`;
}

/** The findings of each archive, in the order of `archives`; archives that are only in findings come last. */
export function byArchive(result: Result): Iterable<ArchiveFindings> {
  if (result.archiveFindings !== undefined) return result.archiveFindings;
  const groups = new Map<string, ReportedFinding[]>();
  for (const finding of findingsOf(result)) {
    const group = groups.get(finding.archive);
    if (group === undefined) groups.set(finding.archive, [finding]);
    else group.push(finding);
  }
  const all = (result.archives ?? []).map(archive => {
    const findings = groups.get(archive.archive) ?? [];
    groups.delete(archive.archive);
    return { archive, findings };
  });
  const others = [...groups].map(([archive, findings]) => ({
    archive: { archive, exitCode: 0 as const, error: null, hidden: 0 },
    findings,
  }));
  return [...all, ...others];
}

/** Shortens digests in a path. */
const shortened = (text: string): string => text.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…');

/**
 * The place of a finding for people: the line of the Dockerfile, otherwise the layer with its instruction, and the
 * member.
 */
export function placeText(finding: ReportedFinding): string {
  const { source, path, pointer, layer, place } = finding;
  if (source !== null) return legible(`${source.file}:${source.line}`);
  const member = path === null ? '' : shortened(`${path}${pointer ?? ''}`);
  const made = /^layer of (.*)$/s.exec(place)?.[1];
  const number = layer === null ? '' : `layer ${layer + 1}${made === undefined ? '' : ` (${brief(made)})`}`;
  return legible([imageText(finding), number, member].filter(part => part !== '').join(', '));
}

const BRIEF = 60;

const brief = (text: string) =>
  text.length <= BRIEF ? text : `${text.slice(0, BRIEF - 1).replace(/[\ud800-\udbff]$/, '')}…`;

/** Number of findings that a summary lists before the report. */
const LISTED = 50;

/** A document that begins with the verdict, for summaries of jobs. */
export function summaryDoc(result: Result): Doc {
  const { exitCode, notes = [], doc, archives = [] } = result;
  const { worst: findings, leftOut } = worstFirst(findingsOf(result), LISTED);
  const mark = exitCode === 0 ? '✅' : '❌';
  const verdict = text([`${mark} `, span(verdictText(result), exitCode === 0 ? 'strong' : 'bad')]);
  const remarks = notes.map(note => text(note, 2));
  if (findings.length === 0) return [verdict, ...remarks, { kind: 'gap' }, ...doc];
  return [
    verdict,
    ...remarks,
    ...findings.flatMap(finding => findingItem(finding, archives.length > 1)),
    ...(leftOut === 0 ? [] : [text(`and ${leftOut} more: the JSON report has all`, 2)]),
    { kind: 'folded', summary: 'The whole report', rest: doc },
  ];
}

function findingItem(finding: ReportedFinding, isOfMany: boolean): Doc {
  const { severity, isFailing, code, archive, message } = finding;
  const where = [isOfMany ? archiveName(archive) : '', placeText(finding)].filter(part => part !== '');
  return [
    text([span(severity, isFailing ? 'bad' : null), ' ', span(code, 'strong'), `  ${where.join(': ')}`], 2),
    text(message, 4),
  ];
}
