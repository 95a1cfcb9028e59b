import { dockerfileLine } from '../../analysis/instruction.js';
import { ruleOf, rules } from '../../checks/findings.js';
import type { Image } from '../../link/graph.js';
import type { FindingCode } from '../../link/observation.js';
import type { CheckFinding } from '../../policy/finding.js';
import { policyRuleOf } from '../../policy/rules.js';
import type { ReportedFinding } from '../../report/doc.js';
import type { ArchiveReading } from '../../report/read.js';
import { partFindings } from '../../report/report.js';
import {
  type Audit,
  examineAll,
  type FindingFacts,
  factsOf,
  layerPlace,
  nameOf,
  platformBeside,
  repositoryOf,
  type Surroundings,
  sharedNames,
  subjectOf,
  withoutDigests,
} from '../../report/reported.js';

/**
 * The findings of `check` for the formats of CI systems, in their order. Findings of `verify` have the same
 * fingerprints as there.
 */
export function checkedFindings(
  reading: ArchiveReading,
  chosen: ReadonlySet<Image>,
  findings: readonly CheckFinding[],
  audit: Audit,
): readonly ReportedFinding[] {
  const surroundings: Surroundings = {
    failOn: 'never',
    audit,
    whole: examineAll(reading, chosen, audit),
    shared: sharedNames(reading.parts.flatMap(({ graph }) => graph.images)),
  };
  // A policy changes the severity of a finding, but keeps its data object.
  const verified = new Map<unknown, FindingFacts>(
    partFindings(reading, chosen).map(told => [told.finding.data, factsOf(reading, told, surroundings)]),
  );
  const images = reading.parts.flatMap(({ graph }) => graph.images.filter(image => chosen.has(image)));
  return findings.map(finding => {
    const { severity, failing, data, code, unlisted } = finding;
    const known = Object.hasOwn(rules, code) ? verified.get(data) : undefined;
    const facts = known ?? ruleFacts(finding, images, reading.opened.file, surroundings);
    return audit.report({
      ...facts,
      severity,
      isFailing: failing,
      message: messageOf(finding),
      ...(unlisted !== undefined && { unlisted }),
    });
  });
}

/** Findings about the policy, after the last archive. */
export const closingFindings = (
  findings: readonly CheckFinding[],
  file: string,
  audit: Audit,
): readonly ReportedFinding[] =>
  findings.map(finding =>
    audit.report(
      ruleFacts(finding, [], file, {
        failOn: 'never',
        audit,
        whole: `policy ${file}`,
        shared: new Set<string>(),
      }),
    ),
  );

/** For formats without a place for the remedy. */
export const messageOf = ({ message, remedy }: CheckFinding): string =>
  remedy === null ? message : `${message}; change: ${remedy}`;

function ruleFacts(
  finding: CheckFinding,
  images: readonly Image[],
  archive: string,
  { audit, whole, shared }: Surroundings,
): FindingFacts {
  const { code, severity, failing, at, layer, instruction, path, key } = finding;
  const image = finding.image === null ? null : (images[finding.image] ?? null);
  const step = layer ?? instruction;
  return {
    code,
    severity,
    isFailing: failing,
    message: messageOf(finding),
    explain: explanationOf(code),
    archive,
    image: image === null ? null : nameOf(image),
    platform: platformBeside(image, shared),
    path: path ?? (at.path === '' ? null : at.path),
    pointer: path === null ? at.pointer : null,
    layer,
    instruction,
    source: image === null || step === null ? null : audit.sourceOf(image, step),
    subject: image === null ? whole : subjectOf([image]),
    place: placeOf(finding, image),
    key: [image?.names.includes(key) ? (repositoryOf(key) ?? '') : withoutDigests(key), finding.rule ?? ''],
  };
}

function placeOf({ path, layer, instruction, at }: CheckFinding, image: Image | null): string {
  if (path !== null) return withoutDigests(path);
  if (image !== null && layer !== null) return layerPlace(image, layer);
  if (instruction !== null) return withoutDigests(dockerfileLine(instruction));
  if (image !== null) return 'config';
  return withoutDigests(at.path);
}

/** The explanation of a finding or rule; empty for a code that only another version of waybill has. */
export function explanationOf(code: string): string {
  const rule = policyRuleOf(code);
  if (rule !== undefined) return `${rule.what} ${rule.why} ${rule.mend}`;
  return Object.hasOwn(rules, code) ? ruleOf(code as FindingCode).explain : '';
}
