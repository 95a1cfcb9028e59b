import type { Result } from '../../report/doc.js';
import { type ArchiveReading, imagesIn } from '../../report/read.js';
import { auditedResult, type ReportingOptions } from '../../report/reported.js';
import { requireImages, selectImages } from '../../report/select.js';
import { type AttestationsOptions, attestationsReport, type DocumentReport } from './report.js';
import { attestationsDoc } from './view.js';

export interface AttestationsCommandOptions extends AttestationsOptions, ReportingOptions {
  /** Number of rows of each table of differences to print; the data has all. */
  readonly top?: number | undefined;
}

/**
 * `waybill attestations`: SBOMs, provenances and other statements about images, and whether each is about the image on
 * which it hangs. The exit code is 1 if one is about another image, cannot be read, cannot be compared, or is not
 * signed by those who are trusted.
 * @throws InputError if the selection matches nothing
 */
export function attestations(reading: ArchiveReading, options: AttestationsCommandOptions = {}): Result {
  requireImages(reading);
  const report = attestationsReport(reading, options);
  const isTrusting = options.verifier != null;
  const isGood = (document: DocumentReport) => isSound(document) && (document.signed || !isTrusting);
  const exitCode = report.images.every(({ documents }) => documents.every(isGood)) ? 0 : 1;
  const audited = auditedResult(reading, selectImages(reading, options), exitCode, options);
  return { ...audited, data: report, doc: attestationsDoc(report, imagesIn(reading), options) };
}

const isSound = ({ subject, problem, sbom }: DocumentReport): boolean =>
  problem === null && subject !== 'another-image' && subject !== 'elsewhere' && sbom?.comparison !== null;
