import type { Finding } from '../checks/findings.js';
import type { Limits } from '../limits.js';
import type { Image } from '../link/graph.js';
import { isAtLeast, type Severity } from '../link/observation.js';
import { type Doc, gap, type ReportedFinding, type Result, span, text } from '../report/doc.js';
import { type ArchiveReading, imagesIn } from '../report/read.js';
import { type ImageReport, type Report, reportOf } from '../report/report.js';
import { Audit, type ReportingOptions, reportedArchive, reportedFindings } from '../report/reported.js';
import {
  closingOf,
  type Judged,
  judged,
  type Requirement,
  type RequirementReports,
  remarksOn,
  reportedClosing,
  requirementReports,
} from '../report/requirement.js';
import { type Selection, selectImages } from '../report/select.js';
import {
  archiveHead,
  bytes,
  count,
  findingLines,
  imageTitle,
  referrerWords,
  remarkLines,
  sourceText,
  verdictNames,
  verdictSpan,
} from '../report/words.js';

export interface VerifyOptions extends Selection, ReportingOptions {
  /** Fail on findings of this severity or worse. */
  readonly failOn: Severity | 'never';
  /** List every finding, even if its code repeats often. */
  readonly all?: boolean | undefined;
  /** Demands beyond the claims of the archive: a lock, signatures. */
  readonly requirements?: readonly Requirement[] | undefined;
  /** Other archives of the run follow: what is missing in the end is asked for by `verifyClosing`. */
  readonly isOneOfMany?: boolean | undefined;
}

/** An archive that was checked, before a document is made of it. */
export interface Verified {
  /** With the findings of the requirements among its own. */
  readonly outcome: Judged;
  readonly chosen: ReadonlySet<Image>;
  readonly report: VerifyReport;
  /** The findings of `report`, in its order. */
  readonly reported: readonly ReportedFinding[];
  readonly exitCode: 0 | 1;
  /** How many findings the baseline hides. */
  readonly hidden: number;
}

/** Checks an archive. @throws InputError if the selection matches nothing */
export function verified(archive: ArchiveReading, options: VerifyOptions): Verified {
  const { audit = new Audit(), failOn, requirements = [], isOneOfMany = false } = options;
  const chosen = selectImages(archive, { ...options, mayRun: requirements.length > 0 });
  const outcome = judged(archive, chosen, requirements, !isOneOfMany);
  const { reading } = outcome;
  const whole = reportOf(reading, chosen);
  const { baseline } = audit;
  const all = reportedFindings(reading, chosen, { failOn, audit });
  const known = all.map(finding => baseline?.hides(finding) === true);
  const reported = all.filter((_, i) => !known[i]);
  const hidden = all.length - reported.length;
  const report: VerifyReport = {
    ...whole,
    findings: whole.findings.filter((_, i) => !known[i]),
    ...(baseline === null ? {} : { baseline: { hidden } }),
    ...requirementReports(outcome),
  };
  const exitCode = exitCodeFor(report.findings, failOn);
  return { outcome, chosen, report, reported, exitCode, hidden };
}

/** `waybill verify`: checks the archive; three verdicts and the findings. */
export function verify(archive: ArchiveReading, options: VerifyOptions): Result {
  const { outcome, chosen, report, reported: findings, exitCode, hidden } = verified(archive, options);
  return {
    data: report,
    doc: verifyDoc(outcome, report, { ...options, chosen, findings }),
    exitCode,
    isVerdict: true,
    findings,
    archives: [reportedArchive(outcome.reading, exitCode, hidden)],
  };
}

/** The report of `waybill verify --json`: the general report. */
export interface VerifyReport extends Report, RequirementReports {
  /** How many findings the baseline hides; absent without one. */
  readonly baseline?: { readonly hidden: number };
}

export function exitCodeFor(findings: readonly Finding[], failOn: Severity | 'never'): 0 | 1 {
  return findings.some(finding => isAtLeast(finding.severity, failOn)) ? 1 : 0;
}

/**
 * `waybill verify` of several archives: what none of them has met; null where that is nothing.
 * @param limits  of the findings that are listed
 */
export function verifyClosing(
  requirements: readonly Requirement[],
  { failOn, all = false, audit = new Audit() }: Pick<VerifyOptions, 'failOn' | 'all' | 'audit'>,
  limits?: Partial<Limits>,
): (Result & { readonly file: string }) | null {
  const closing = closingOf(requirements, limits);
  const [first] = closing;
  if (first === undefined) return null;
  const findings = closing.map(({ finding }) => finding);
  return {
    file: first.file,
    data: { findings },
    doc: findingLines(findings, all).slice(1),
    exitCode: exitCodeFor(findings, failOn),
    isVerdict: true,
    findings: reportedClosing(closing, failOn, audit),
  };
}

interface DocOptions extends Pick<VerifyOptions, 'all'>, Required<Pick<Result, 'findings'>> {
  readonly chosen: ReadonlySet<Image>;
}

function verifyDoc(
  outcome: Judged,
  report: VerifyReport,
  { all = false, findings: reported, chosen }: DocOptions,
): Doc {
  const { reading } = outcome;
  const { images, verdicts, findings, baseline } = report;
  const remarks = remarksOn(outcome, chosen);
  const sources = new Map(findings.map((finding, i) => [finding, sourceText(reported[i]!.source)]));
  const hidden = baseline?.hidden ?? 0;
  return [
    ...archiveHead(report, imagesIn(reading), [['read', readSummary(reading)]]),
    ...(images.length === 0 ? [] : [gap]),
    ...images.flatMap((image, i) => [...imageLines(image, report), ...remarkLines(remarks[i]!)]),
    ...findingLines(findings, all, sources),
    gap,
    text([
      span('verdict  ', 'strong'),
      ...verdictNames.flatMap(name => [`${name} `, verdictSpan(verdicts[name]), '   ']),
      ...outcome.judgements.flatMap(({ requirement: { title }, judgement: { data } }) => [
        `${title} `,
        verdictSpan(data.met),
        '   ',
      ]),
      span(findingCounts(findings), 'dim'),
      ...(hidden === 0 ? [] : [span(`; ${hidden} hidden by the baseline`, 'dim')]),
    ]),
  ];
}

function imageLines(image: ImageReport, { artifacts }: Report): Doc {
  const layers = count(image.layers.length, 'layer');
  const referrers = referrerWords(image, artifacts);
  const attested = image.attestations.length;
  const beside = [
    ...(attested === 0 ? [] : [count(attested, 'attestation')]),
    ...(referrers.length === 0 ? [] : [`referrers: ${referrers.join(', ')}`]),
  ];
  return [
    imageTitle(image),
    text(
      [
        ...verdictNames.flatMap(name => [`${name} `, verdictSpan(image.verdicts[name]), '   ']),
        span(`${layers}, ${image.imageId ?? image.v1Id ?? 'no image ID'}`, 'dim'),
      ],
      2,
    ),
    ...(beside.length === 0 ? [] : [text([span(beside.join('; '), 'dim')], 2)]),
  ];
}

function readSummary({ parts }: ArchiveReading): string {
  let files = 0;
  let stored = 0;
  let unpacked = 0;
  for (const { scan } of parts) {
    for (const member of scan.members) {
      const facts = scan.facts(member);
      if (facts === null) continue;
      files++;
      stored += facts.size;
      if (facts.compression !== 'none') unpacked += facts.unpacked?.size ?? 0;
    }
  }
  const packed = unpacked === 0 ? '' : `, ${bytes(unpacked)} unpacked`;
  return `${count(files, 'file')}, ${bytes(stored)} hashed${packed}`;
}

function findingCounts(findings: readonly Finding[]): string {
  const of = (severity: Severity) => findings.filter(finding => finding.severity === severity).length;
  const parts = [
    ...(of('error') > 0 ? [count(of('error'), 'error')] : []),
    ...(of('warning') > 0 ? [count(of('warning'), 'warning')] : []),
    ...(of('info') > 0 ? [count(of('info'), 'note')] : []),
  ];
  return parts.length === 0 ? 'nothing to report' : parts.join(', ');
}
