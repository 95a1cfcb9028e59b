import { toFindings } from '../../checks/findings.js';
import type { Result } from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type ReadOptions } from '../../report/read.js';
import { type Report, reportOf } from '../../report/report.js';
import { auditedResult, type ReportingOptions } from '../../report/reported.js';
import { judged } from '../../report/requirement.js';
import { requireAnything, type Selection, selectImages } from '../../report/select.js';
import type { Verifier } from '../../signatures/survey.js';
import { type SignaturesReport, signaturesReport } from './report.js';
import { judgementOf, placedObservations, readSignatures, requirementOf } from './requirement.js';
import { signaturesDoc } from './view.js';

export { loadVerifier } from './trust.js';

export interface SignaturesOptions extends Selection, ReportingOptions {
  /** By what signatures are verified; null where nothing is trusted: then they are listed. */
  readonly verifier: Verifier | null;
}

/** The report of `waybill signatures --json`: the general report, with the signatures. */
export interface SignaturesListing extends Report {
  readonly signatures: SignaturesReport;
}

/**
 * The documents are enough to list signatures. Every byte is read to verify them: an engine may load another image than
 * the one that is signed.
 */
export const signaturesReadOptions = (verifier: Verifier | null): ReadOptions => ({
  depth: verifier === null ? 'metadata' : 'digests',
});

/**
 * `waybill signatures`: the signatures of an archive, what each signs, and by whom. The exit code is 1 if something is
 * trusted and an image has no signature that verifies.
 * @throws InputError if the selection matches nothing
 */
export function signatures(archive: ArchiveReading, options: SignaturesOptions): Result {
  requireAnything(archive);
  const { verifier } = options;
  const chosen = selectImages(archive, { ...options, mayRun: verifier !== null });
  const read = readSignatures(archive, chosen, verifier);
  const required = verifier === null ? [] : [requirementOf(() => judgementOf(archive, read), '')];
  const { reading } = judged(archive, chosen, required, true);
  const data: SignaturesListing = {
    ...reportOf(reading, chosen),
    signatures: signaturesReport(archive, read, verifier === null ? null : read.isMet),
  };
  const own = placedObservations(archive, read).map(({ observation }) => observation);
  const findings = verifier === null ? [] : toFindings(own, reading.parts[0]!.graph.limits);
  const audited = auditedResult(reading, chosen, verifier === null || read.isMet !== false ? 0 : 1, options);
  return { ...audited, data, doc: signaturesDoc(data, imagesIn(reading), findings) };
}
