import { type Apart, type BaseReport, baseOf, baseReport } from '../../analysis/base.js';
import { KEPT_FOR_PACKAGES } from '../../analysis/installed.js';
import type { Sizes } from '../../analysis/weigh.js';
import type { Limits } from '../../limits.js';
import type { Image } from '../../link/graph.js';
import { isAtLeast, type Severity } from '../../link/observation.js';
import type { ImageComparison } from '../../policy/comparison.js';
import { Evaluator, listed } from '../../policy/evaluate.js';
import type { CheckFinding, Suppressed } from '../../policy/finding.js';
import type { Inventory } from '../../policy/inventory.js';
import { needsOf, type Policy } from '../../policy/policy.js';
import type { CheckContext, ImageSubject } from '../../policy/subject.js';
import type { ReportedFinding, Result } from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type ReadOptions } from '../../report/read.js';
import { type ImageReport, type Report, reportOf } from '../../report/report.js';
import { Audit, reportedArchive } from '../../report/reported.js';
import {
  closingOf,
  judged,
  type Requirement,
  type RequirementReports,
  remarksOn,
  requirementReports,
} from '../../report/requirement.js';
import { type Selection, selectImages } from '../../report/select.js';
import { sourceText } from '../../report/words.js';
import { valueWithoutSecrets, withoutSecrets, wordsWithoutSecrets } from '../../secrets/search.js';
import { sizesApart } from '../sizes/report.js';
import { type AppliedReport, appliedReport } from './printed.js';
import { checkedFindings, closingFindings, messageOf } from './reported.js';
import { checkDoc, closingDoc } from './view.js';

export type { CheckContext };

export interface CheckOptions {
  readonly policy: Policy;
  readonly context: CheckContext;
  /** Fail on findings of this severity or worse. */
  readonly failOn: Severity | 'never';
  /** List every finding, and those that the policy hides. */
  readonly all?: boolean | undefined;
  /** Put into the report what a later image is compared with; see `checkReadOptions`. */
  readonly inventory?: boolean | undefined;
  /** The state that all archives of a run share. */
  readonly audit?: Audit | undefined;
  /** Demands beyond the claims of the archives: a lock, signatures. */
  readonly requirements?: readonly Requirement[] | undefined;
  /** Limits of the list of findings after the last of several archives. */
  readonly limits?: Partial<Limits> | undefined;
}

/** The report of `waybill check --json`: the general report, with the findings of the policy's rules among its own. */
export interface CheckReport extends Omit<Report, 'findings' | 'images'>, RequirementReports {
  readonly images: readonly CheckedImage[];
  /** Whether nothing fails. */
  readonly passed: boolean;
  readonly findings: readonly CheckFinding[];
  /** The findings that the policy hides. */
  readonly suppressed: readonly Suppressed[];
  readonly policy: AppliedReport;
  /** How many findings the baseline hides; absent without one. */
  readonly baseline?: { readonly hidden: number };
}

/** The result of `check`, with the type of its report. */
export interface CheckResult extends Result {
  readonly data: CheckReport;
  readonly findings: readonly ReportedFinding[];
}

/** An image with its base, where bases were named; see `ImageSizes`. */
export interface CheckedImage extends ImageReport {
  readonly base?: BaseReport | null;
  readonly baseSizes?: Apart<Sizes> | null;
  /**
   * The changes since the image that `--against` names; null if that has no image to compare with. Absent without it.
   */
  readonly comparison?: ImageComparison | null;
  /** For `--against` of a later run. Left out where it was not asked for. */
  readonly inventory?: Inventory;
}

/**
 * The options to read an archive for the rules of a policy: no deeper than a rule needs.
 * @param withInventory  whether a later image is to be compared with this one, or this one with an earlier one
 */
export function checkReadOptions(policy: Policy, withInventory = false): ReadOptions {
  const depth = (images: readonly Image[] | null) => depthFor(policy, images, withInventory);
  return { ...depth(null), deepen: depth };
}

function depthFor(
  policy: Policy,
  images: readonly Image[] | null,
  withInventory: boolean,
): Pick<ReadOptions, 'depth' | 'files'> {
  const needs = needsOf(policy, images);
  const files = needs.files === true || withInventory;
  const keep = [
    ...new Set([...(needs.contents?.keep ?? []), ...(withInventory ? KEPT_FOR_PACKAGES.keep : [])]),
  ];
  const contents = { ...needs.contents, ...(keep.length > 0 && { keep }) };
  return files === true || (contents !== undefined && Object.keys(contents).length > 0)
    ? { depth: 'files', files: contents ?? {} }
    : { depth: 'digests' };
}

/**
 * `waybill check`: everything that `verify` finds, and the rules of a policy. One of these checks any number of
 * archives, and knows in the end which exceptions of the policy hid nothing.
 */
export class Check {
  private readonly evaluator: Evaluator;
  private readonly audit: Audit;

  constructor(private readonly options: CheckOptions) {
    const { policy, context, failOn } = options;
    this.evaluator = new Evaluator(policy, context, failOn);
    this.audit = options.audit ?? new Audit();
  }

  /** One archive of several. @throws InputError when the selection matches nothing */
  archive(reading: ArchiveReading, selection: Selection): Result {
    return this.checked(reading, selection, this.audit);
  }

  /** The same with the type of its report. @param audit  of its findings alone */
  checked(reading: ArchiveReading, selection: Selection, audit: Audit): CheckResult {
    return this.result(reading, selection, [], audit);
  }

  /** The only archive. @throws InputError when the selection matches nothing */
  alone(reading: ArchiveReading, selection: Selection): Result {
    return this.result(reading, selection, null, this.audit);
  }

  /** Findings about the policy itself, after the last of several archives. null where there is none. */
  closing(): (Result & { readonly file: string }) | null {
    const { policy, all, requirements = [], limits } = this.options;
    const missed = closingOf(requirements, limits);
    const required = this.evaluator.required(missed.map(({ finding }) => finding));
    const findings = [...required, ...this.closingFindings()];
    if (findings.length === 0) return null;
    const passed = !findings.some(({ failing }) => failing);
    const file = missed[0]?.file ?? policy.sources.at(-1) ?? '';
    return {
      file,
      data: { passed, findings, policy: appliedReport(policy) },
      doc: closingDoc(findings, all),
      exitCode: passed ? 0 : 1,
      findings: closingFindings(findings, file, this.audit),
    };
  }

  private closingFindings(): readonly CheckFinding[] {
    const { failOn } = this.options;
    return this.evaluator
      .closing()
      .map(finding => ({ ...finding, failing: isAtLeast(finding.severity, failOn) }));
  }

  /** An image of the report, with what was asked for besides findings. */
  private checkedImage(subject: ImageSubject): CheckedImage {
    const { bases, baseLists, against } = this.options.context;
    const known = [...(bases ?? []), ...[...(baseLists?.values() ?? [])].flat()];
    const base = known.length === 0 ? undefined : baseReport(baseOf(subject.report, known));
    const { comparison } = subject;
    return {
      ...withoutSecretsOf(subject.report),
      ...(base !== undefined && { base, baseSizes: sizesApart(base, subject.layerSizes) }),
      ...(against !== undefined && { comparison: comparison?.unpaired === undefined ? comparison : null }),
      ...(this.options.inventory === true && { inventory: subject.inventory }),
    };
  }

  /** @param more  findings to be told with it; null for those about the policy */
  private result(
    archive: ArchiveReading,
    selection: Selection,
    more: readonly CheckFinding[] | null,
    audit: Audit,
  ): CheckResult {
    const { policy, all: isAll, requirements = [] } = this.options;
    const chosen = selectImages(archive, { ...selection, mayRun: true });
    const outcome = judged(archive, chosen, requirements, more === null);
    const { reading } = outcome;
    const report = reportOf(reading, chosen);
    const { findings, suppressed, subjects } = this.evaluator.evaluate(reading, chosen, report);
    const { baseline } = audit;
    const all = [...findings, ...(more ?? this.closingFindings())];
    const most = reading.parts[0]!.graph.limits.findingsPerCode;
    const { told, reported, hidden } = listedOf(reading, chosen, { all, most, audit });
    const passed = !told.some(({ failing }) => failing);
    const exitCode = passed ? 0 : 1;
    const data: CheckReport = {
      ...report,
      images: subjects.map(subject => this.checkedImage(subject)),
      passed,
      findings: told,
      suppressed: listedSuppressed(suppressed, most),
      policy: appliedReport(policy),
      ...(baseline === null ? {} : { baseline: { hidden } }),
      ...requirementReports(outcome),
    };
    return {
      data,
      // Made when it is printed: one of many archives is a line of numbers.
      get doc() {
        const remarks = remarksOn(outcome, chosen);
        const sources = new Map(told.map((finding, i) => [finding, sourceText(reported[i]!.source)]));
        return checkDoc(data, imagesIn(reading), { isAll, sources, remarks });
      },
      exitCode,
      isVerdict: true,
      findings: reported,
      archives: [reportedArchive(reading, exitCode, hidden)],
    };
  }
}

/**
 * The findings that the baseline does not hide, as far as they are listed. Only with a baseline does each of them need
 * a fingerprint.
 * @param most  findings of one code that are listed
 */
function listedOf(
  reading: ArchiveReading,
  chosen: ReadonlySet<Image>,
  {
    all,
    most,
    audit,
  }: { readonly all: readonly CheckFinding[]; readonly most: number; readonly audit: Audit },
): {
  readonly told: readonly CheckFinding[];
  readonly reported: readonly ReportedFinding[];
  readonly hidden: number;
} {
  const { baseline } = audit;
  const reportsOf = (findings: readonly CheckFinding[]) => checkedFindings(reading, chosen, findings, audit);
  if (baseline === null) {
    const told = listed(all, most).map(({ finding }) => finding);
    return { told, reported: reportsOf(told), hidden: 0 };
  }
  const every = reportsOf(all);
  const known = every.map(finding => baseline.hides(finding));
  const [open, openReported] = [all.filter((_, i) => !known[i]), every.filter((_, i) => !known[i])];
  const shown = listed(open, most);
  return {
    told: shown.map(({ finding }) => finding),
    reported: shown.map(({ finding, index }) => ({
      ...openReported[index]!,
      message: messageOf(finding),
      ...(finding.unlisted !== undefined && { unlisted: finding.unlisted }),
    })),
    hidden: all.length - open.length,
  };
}

/** Hidden findings as far as they are listed; see `listed`. */
function listedSuppressed(suppressed: readonly Suppressed[], most: number): readonly Suppressed[] {
  const shown = listed(
    suppressed.map(({ finding }) => finding),
    most,
  );
  return shown.map(({ finding, index }) => ({ ...suppressed[index]!, finding }));
}

/** The report of an image with asterisks for secrets, because it is printed to logs and may be stored. */
const withoutSecretsOf = (image: ImageReport): ImageReport => ({
  ...image,
  entrypoint: image.entrypoint === null ? null : wordsWithoutSecrets(image.entrypoint),
  cmd: image.cmd === null ? null : wordsWithoutSecrets(image.cmd),
  labels: Object.fromEntries(
    Object.entries(image.labels).map(([name, value]) => [name, valueWithoutSecrets(name, value)]),
  ),
  layers: image.layers.map(layer => ({
    ...layer,
    createdBy: layer.createdBy === null ? null : withoutSecrets(layer.createdBy),
  })),
});
