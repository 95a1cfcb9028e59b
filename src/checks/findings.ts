import type { Graph, Place } from '../image/graph.js';
import type { FindingCode, FindingData, Observation, Severity } from '../image/observation.js';
import type { Limits } from '../limits.js';
import type { Scan } from '../scan/scan.js';
import { checkBlobs } from './blobs.js';
import type { Check, CheckOptions } from './check.js';
import { checkContainer } from './container.js';
import { checkImages } from './images.js';
import { checkLayers } from './layers.js';
import type { Rule, Rules, Verdict } from './rule.js';
import { blobRules } from './rules-blobs.js';
import { containerRules } from './rules-container.js';
import { documentRules } from './rules-documents.js';
import { imageRules } from './rules-images.js';
import { checkV1Ids } from './v1-ids.js';

/** Something that is not as it should be, or worth knowing: what, how bad, where, and in words. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly at: Place;
  readonly data: FindingData[FindingCode];
  readonly message: string;
}

/** Every rule. The compiler sees to it that each code has one. */
export const rules: Rules<FindingCode> = { ...containerRules, ...documentRules, ...blobRules, ...imageRules };

export function ruleOf(code: FindingCode): Rule<never> {
  return rules[code] as unknown as Rule<never>;
}

/** A new check is one line here. */
const CHECKS: readonly Check[] = [checkContainer, checkBlobs, checkLayers, checkImages, checkV1Ids];

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** Runs every check, most serious findings first, each said once. */
export function findingsOf(scan: Scan, graph: Graph, options: CheckOptions, limits: Limits): Finding[] {
  const observations = [...graph.observations, ...CHECKS.flatMap(check => [...check(scan, graph, options)])];
  return toFindings(observations, limits);
}

export function toFindings(observations: readonly Observation[], limits: Limits): Finding[] {
  const seen = new Set<string>();
  const perCode = new Map<FindingCode, number>();
  const findings: Finding[] = [];
  for (const observation of observations) {
    const key = JSON.stringify([observation.code, observation.at, observation.data]);
    if (seen.has(key)) continue;
    seen.add(key);
    const count = (perCode.get(observation.code) ?? 0) + 1;
    perCode.set(observation.code, count);
    if (count <= limits.findingsPerCode) findings.push(toFinding(observation));
  }
  const all = findings.map(finding => withRest(finding, findings, perCode, limits));
  return all.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

function toFinding({ code, at, data, severity }: Observation): Finding {
  const rule = ruleOf(code);
  return { code, severity: severity ?? rule.severity, at, data, message: rule.message(data as never) };
}

/** The last finding of a code that has more than are kept says how many more. */
function withRest(
  finding: Finding,
  findings: readonly Finding[],
  perCode: ReadonlyMap<FindingCode, number>,
  limits: Limits,
): Finding {
  const rest = (perCode.get(finding.code) ?? 0) - limits.findingsPerCode;
  if (rest <= 0 || findings.findLast(f => f.code === finding.code) !== finding) return finding;
  return { ...finding, message: `${finding.message} (and ${rest} more like this)` };
}

/** null: not looked at as deep as it takes to know. */
export type Verdicts = { readonly [V in Verdict]: boolean | null };

/**
 * Judges by findings. Only an error speaks against intact and complete: an archive that omits a platform by design is
 * complete for those it has. Any departure from a specification speaks against conformant.
 */
export function verdictsOf(findings: readonly Finding[], verified: boolean): Verdicts {
  const against = (verdict: Verdict) =>
    findings.some(
      ({ code, severity }) =>
        ruleOf(code).verdict === verdict &&
        (severity === 'error' || (verdict === 'conformant' && severity === 'warning')),
    );
  const has = (codes: readonly FindingCode[]) => findings.some(f => codes.includes(f.code));
  const unread = has(['limit-reached', 'layer-unsupported', 'digest-unchecked']);
  // What was to come after a cut, nobody knows.
  const cut = has(['tar-truncated', 'tar-header-invalid', 'outer-compression-invalid', 'limit-reached']);
  return {
    intact: against('intact') ? false : verified && !unread ? true : null,
    complete: against('complete') ? false : cut ? null : true,
    conformant: against('conformant') ? false : verified ? true : null,
  };
}
