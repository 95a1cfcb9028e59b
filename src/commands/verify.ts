import type { Finding } from '../checks/findings.js';
import { isAtLeast, type Severity } from '../link/observation.js';
import { type Doc, gap, type Result, span, text } from '../report/doc.js';
import { type ArchiveReading, imagesIn } from '../report/read.js';
import { type ImageReport, type Report, reportOf } from '../report/report.js';
import { Audit, type ReportingOptions, reportedArchive, reportedFindings } from '../report/reported.js';

import { type Selection, selectImages } from '../report/select.js';
import {
  archiveHead,
  bytes,
  count,
  findingLines,
  imageTitle,
  referrerWords,
  sourceText,
  verdictNames,
  verdictSpan,
} from '../report/words.js';

export interface VerifyOptions extends Selection, ReportingOptions {
  /** Fail on findings of this severity or worse. */
  readonly failOn: Severity | 'never';
  /** List every finding, even if its code repeats often. */
  readonly all?: boolean | undefined;
}

/** `waybill verify`: checks the archive; three verdicts and the findings. */
export function verify(reading: ArchiveReading, options: VerifyOptions): Result {
  const chosen = selectImages(reading, options);
  const whole = reportOf(reading, chosen);
  const { audit = new Audit(), failOn } = options;
  const { baseline } = audit;
  const reported = reportedFindings(reading, chosen, { failOn, audit });
  const known = reported.map(finding => baseline?.hides(finding) === true);
  const findings = reported.filter((_, i) => !known[i]);
  const hidden = reported.length - findings.length;
  const report: VerifyReport = {
    ...whole,
    findings: whole.findings.filter((_, i) => !known[i]),
    ...(baseline === null ? {} : { baseline: { hidden } }),
  };
  const exitCode = exitCodeFor(report.findings, failOn);
  return {
    data: report,
    doc: verifyDoc(reading, report, { ...options, findings }),
    exitCode,
    isVerdict: true,
    findings,
    archives: [reportedArchive(reading, exitCode, hidden)],
  };
}

/** The report of `waybill verify --json`: the general report. */
export interface VerifyReport extends Report {
  /** How many findings the baseline hides; absent without one. */
  readonly baseline?: { readonly hidden: number };
}

export function exitCodeFor(findings: readonly Finding[], failOn: Severity | 'never'): 0 | 1 {
  return findings.some(finding => isAtLeast(finding.severity, failOn)) ? 1 : 0;
}

type DocOptions = Pick<VerifyOptions, 'all'> & Required<Pick<Result, 'findings'>>;

function verifyDoc(
  reading: ArchiveReading,
  report: VerifyReport,
  { all = false, findings: reported }: DocOptions,
): Doc {
  const { images, verdicts, findings, baseline } = report;
  const sources = new Map(findings.map((finding, i) => [finding, sourceText(reported[i]!.source)]));
  const hidden = baseline?.hidden ?? 0;
  return [
    ...archiveHead(report, imagesIn(reading), [['read', readSummary(reading)]]),
    ...(images.length === 0 ? [] : [gap]),
    ...images.flatMap(image => imageLines(image, report)),
    ...findingLines(findings, all, sources),
    gap,
    text([
      span('verdict  ', 'strong'),
      ...verdictNames.flatMap(name => [`${name} `, verdictSpan(verdicts[name]), '   ']),
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
