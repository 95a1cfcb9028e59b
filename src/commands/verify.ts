import type { Finding } from '../checks/findings.js';
import type { Severity } from '../link/observation.js';
import { type Doc, gap, type Result, span, text } from '../report/doc.js';
import { type ArchiveReading, imagesIn } from '../report/read.js';
import { type ImageReport, type Report, reportOf } from '../report/report.js';

import { type Selection, selectImages } from '../report/select.js';
import {
  archiveHead,
  bytes,
  count,
  findingLines,
  imageTitle,
  referrerWords,
  verdictNames,
  verdictSpan,
} from '../report/words.js';

export interface VerifyOptions extends Selection {
  /** Fail on findings of this severity or worse. */
  readonly failOn: Severity | 'never';
  /** List every finding, even if its code repeats often. */
  readonly all?: boolean | undefined;
}

/** `waybill verify`: checks the archive; three verdicts and the findings. */
export function verify(reading: ArchiveReading, options: VerifyOptions): Result {
  const report = reportOf(reading, selectImages(reading, options));
  return {
    data: report,
    doc: verifyDoc(reading, report, options.all),
    exitCode: exitCodeFor(report.findings, options.failOn),
  };
}

const RANK = { info: 0, warning: 1, error: 2, never: 3 } as const;

/** True if a finding makes the exit code 1. */
export const isFailing = ({ severity }: Finding, failOn: Severity | 'never'): boolean =>
  RANK[severity] >= RANK[failOn];

export function exitCodeFor(findings: readonly Finding[], failOn: Severity | 'never'): 0 | 1 {
  return findings.some(finding => isFailing(finding, failOn)) ? 1 : 0;
}

function verifyDoc(reading: ArchiveReading, report: Report, isAll = false): Doc {
  const { images, verdicts, findings } = report;
  return [
    ...archiveHead(report, imagesIn(reading), [['read', readSummary(reading)]]),
    ...(images.length === 0 ? [] : [gap]),
    ...images.flatMap(image => imageLines(image, report)),
    ...findingLines(findings, isAll),
    gap,
    text([
      span('verdict  ', 'strong'),
      ...verdictNames.flatMap(name => [`${name} `, verdictSpan(verdicts[name]), '   ']),
      span(findingCounts(findings), 'dim'),
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
