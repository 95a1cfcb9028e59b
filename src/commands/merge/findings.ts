import { createHash } from 'node:crypto';
import { ruleOf } from '../../checks/findings.js';
import { pathOfRecord } from '../../fleet/list.js';
import type { FleetTotals } from '../../fleet/merge-totals.js';
import type { ArchiveRecord, FindingRecord } from '../../fleet/record.js';
import type { ItemRecord } from '../../fleet/results.js';
import type { ArchiveFindings, ReportedArchive, ReportedFinding } from '../../report/doc.js';
import { withoutDigests } from '../../report/reported.js';
import { nameText } from '../../spec/byte-path.js';
import { explanationOf } from '../check/reported.js';

/** The findings of records for the formats of CI systems. */
export function archiveFindings(records: Iterable<ItemRecord>): Iterable<ArchiveFindings> {
  return { [Symbol.iterator]: () => findingsOf(records) };
}

/** The archives without their findings. */
export const reportedArchives = ({ archives }: FleetTotals): readonly ReportedArchive[] =>
  archives.map(archive => {
    const { exitCode, error } = archive;
    return { archive: nameIn(archive), exitCode, error, hidden: 0 };
  });

/** The path with bytes that are not UTF-8 as lone surrogates, as formats of findings take it. */
const nameIn = (record: Pick<ArchiveRecord, 'path' | 'pathBytes'>): string =>
  record.pathBytes === undefined ? record.path : nameText(pathOfRecord(record)!);

function* findingsOf(records: Iterable<ItemRecord>): Generator<ArchiveFindings> {
  for (const record of records) {
    if (record.kind === 'other') continue;
    const { exitCode, error, findings = [] } = record;
    const archive = { archive: nameIn(record), exitCode, error: error?.what ?? null, hidden: 0 };
    const own = findings.map(finding => reported(finding, record));
    yield { archive, findings: error === null ? own : [unreadable(record, error), ...own] };
  }
}

function reported(finding: FindingRecord, record: ArchiveRecord): ReportedFinding {
  const { code, severity, failing, message, path, fingerprint } = finding;
  const image = finding.image === null ? null : (record.images?.[finding.image] ?? null);
  const subject = image?.names[0] ?? image?.platform ?? record.path;
  return {
    code,
    severity,
    isFailing: failing,
    message,
    explain: explanationOf(code),
    archive: nameIn(record),
    image: image === null ? null : (image.names[0] ?? image.platform),
    platform: image === null || image.names.length === 0 ? null : image.platform,
    path,
    ...ELSEWHERE,
    subject,
    place: path === null ? '' : withoutDigests(path),
    fingerprint: fingerprintIn(record.path, fingerprint),
  };
}

/** The record does not have these. */
const ELSEWHERE = { pointer: null, layer: null, instruction: null, source: null } as const;

/**
 * Two archives of one repository have findings of equal fingerprints, and services show one of equal findings only: in
 * a fleet the path tells them apart.
 */
const fingerprintIn = (path: string, fingerprint: string): string =>
  createHash('sha256')
    .update(JSON.stringify([path, fingerprint]))
    .digest('hex');

function unreadable(
  record: ArchiveRecord,
  { what, remedy }: NonNullable<ArchiveRecord['error']>,
): ReportedFinding {
  const rule = ruleOf('archive-unreadable');
  const reason = remedy === null ? what : `${what}. ${remedy.replace(/\s+/g, ' ').trim()}`;
  return {
    code: 'archive-unreadable',
    severity: rule.severity,
    isFailing: true,
    message: rule.message({ reason } as never),
    explain: rule.explain,
    archive: nameIn(record),
    image: null,
    platform: null,
    path: null,
    ...ELSEWHERE,
    subject: record.path,
    place: '',
    fingerprint: fingerprintIn(record.path, 'archive-unreadable'),
  };
}
