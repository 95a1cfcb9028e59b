import type { Image } from '../../link/graph.js';
import type { Severity } from '../../link/observation.js';
import { Evaluator } from '../../policy/evaluate.js';
import { type CheckFinding, isAtLeast, type Suppressed } from '../../policy/finding.js';
import { needsOf, type Policy } from '../../policy/policy.js';
import type { CheckContext } from '../../policy/subject.js';
import type { Result } from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type ReadOptions } from '../../report/read.js';
import { type ImageReport, type Report, reportOf } from '../../report/report.js';
import { type Selection, selectImages } from '../../report/select.js';
import { valueWithoutSecrets, withoutSecrets, wordsWithoutSecrets } from '../../secrets/search.js';
import { type AppliedReport, appliedReport } from './printed.js';
import { checkDoc, closingDoc } from './view.js';

export type { CheckContext };

export interface CheckOptions {
  readonly policy: Policy;
  readonly context: CheckContext;
  /** Fail on findings of this severity or worse. */
  readonly failOn: Severity | 'never';
  /** List every finding, and those that the policy hides. */
  readonly all?: boolean | undefined;
}

/** The report of `waybill check --json`: the general report, with the findings of the policy's rules among its own. */
export interface CheckReport extends Omit<Report, 'findings'> {
  /** Whether nothing fails. */
  readonly passed: boolean;
  readonly findings: readonly CheckFinding[];
  /** The findings that the policy hides. */
  readonly suppressed: readonly Suppressed[];
  readonly policy: AppliedReport;
}

/** The options to read an archive for a policy, only as deep as its rules need. */
export function checkReadOptions(policy: Policy): ReadOptions {
  return { ...depthFor(policy, null), deepen: images => depthFor(policy, images) };
}

function depthFor(policy: Policy, images: readonly Image[] | null): Pick<ReadOptions, 'depth' | 'files'> {
  const { files, contents } = needsOf(policy, images);
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

  constructor(private readonly options: CheckOptions) {
    const { policy, context, failOn } = options;
    this.evaluator = new Evaluator(policy, context, failOn);
  }

  /** One archive of several. @throws InputError when the selection matches nothing */
  archive(reading: ArchiveReading, selection: Selection): Result {
    return this.result(reading, selection, []);
  }

  /** The only archive. @throws InputError when the selection matches nothing */
  only(reading: ArchiveReading, selection: Selection): Result {
    return this.result(reading, selection, null);
  }

  /** Findings about the policy itself, after the last of several archives. null where there is none. */
  closing(): (Result & { readonly file: string }) | null {
    const findings = this.closingFindings();
    if (findings.length === 0) return null;
    const { policy, all } = this.options;
    const passed = !findings.some(({ failing }) => failing);
    return {
      file: policy.sources.at(-1) ?? '',
      data: { passed, findings, policy: appliedReport(policy) },
      doc: closingDoc(findings, all),
      exitCode: passed ? 0 : 1,
    };
  }

  private closingFindings(): readonly CheckFinding[] {
    const { failOn } = this.options;
    return this.evaluator
      .closing()
      .map(finding => ({ ...finding, failing: isAtLeast(finding.severity, failOn) }));
  }

  /** @param more  findings to be told with it; null for those about the policy */
  private result(
    reading: ArchiveReading,
    selection: Selection,
    more: readonly CheckFinding[] | null,
  ): Result {
    const { policy, all } = this.options;
    const chosen = selectImages(reading, selection);
    const report = reportOf(reading, chosen);
    const { findings, suppressed } = this.evaluator.evaluate(reading, chosen, report);
    const told = [...findings, ...(more ?? this.closingFindings())];
    const passed = !told.some(({ failing }) => failing);
    const data: CheckReport = {
      ...report,
      images: report.images.map(withoutSecretsOf),
      passed,
      findings: told,
      suppressed,
      policy: appliedReport(policy),
    };
    return { data, doc: checkDoc(data, imagesIn(reading), all), exitCode: passed ? 0 : 1 };
  }
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
