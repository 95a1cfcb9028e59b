import type { Limits } from '../limits.js';
import type { Graph, Location } from '../link/graph.js';
import {
  type FindingCode,
  type FindingData,
  type Observation,
  Observations,
  type Severity,
} from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import { oneSpelling } from '../visible.js';
import { checkAbsent } from './absent.js';
import { checkBlobs } from './blobs.js';
import { checkContainer } from './container.js';
import { checkEngines } from './engines.js';
import { checkImages, checkV1Ids } from './images.js';
import { checkLayers } from './layers.js';
import { checkFileNames, checkNames } from './names.js';
import type { Check, CheckOptions, Rule, Rules } from './rule.js';

import { blobRules } from './rules-blobs.js';
import { containerRules } from './rules-container.js';
import { documentRules } from './rules-documents.js';
import { engineRules } from './rules-engines.js';
import { imageRules } from './rules-images.js';
import { lockRules } from './rules-lock.js';
import { signatureRules } from './rules-signatures.js';

/** A fault of the archive, or a fact worth knowing: its code, severity, place, data and sentence. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly at: Location;
  readonly data: FindingData[FindingCode];
  readonly message: string;
  /**
   * How many findings of its code and severity are not listed. Only the last listed one has it, and its message says
   * so.
   */
  readonly unlisted?: number;
}

/** Every rule. The compiler requires one for each code. */
export const rules: Rules<FindingCode> = {
  ...containerRules,
  ...documentRules,
  ...blobRules,
  ...imageRules,
  ...engineRules,
  ...lockRules,
  ...signatureRules,
};

export function ruleOf(code: FindingCode): Rule<never> {
  return rules[code] as unknown as Rule<never>;
}

/** A new check is one line here. */
const CHECKS: readonly Check[] = [
  checkContainer,
  checkBlobs,
  checkFileNames,
  checkLayers,
  checkImages,
  checkAbsent,
  checkEngines,
  checkNames,
  checkV1Ids,
];

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** Runs every check. @returns the findings, each once, the most serious first */
export function findingsOf(scan: Scan, graph: Graph, options: CheckOptions, limits: Limits): Finding[] {
  const observations = new Observations(limits, graph.observations);
  for (const check of CHECKS)
    for (const observation of check(scan, graph, options)) observations.add(observation);
  return withoutConsequences(told(observations), graph);
}

/** The documents that list what an archive holds. */
const LISTS: ReadonlySet<string> = new Set(['index.json', 'manifest.json', 'repositories']);
const IS_LOST: ReadonlySet<FindingCode> = new Set(['json-invalid', 'unreadable', 'index-missing']);

/**
 * One cause, one finding: where a list of images is absent or cannot be read, that no image was found is not reported
 * besides; and where it cannot be read, neither is that nothing refers to the blobs.
 */
function withoutConsequences(findings: readonly Finding[], { root }: Graph): Finding[] {
  const isLost = ({ code, severity, at }: Finding) =>
    severity === 'error' &&
    IS_LOST.has(code) &&
    at.path.startsWith(root) &&
    LISTS.has(at.path.slice(root.length));
  const lost = findings.filter(isLost);
  const isUnread = lost.some(({ code }) => code !== 'index-missing');
  return findings.filter(({ code }) => {
    if (code === 'no-image') return lost.length === 0;
    return code !== 'unreferenced-blobs' || !isUnread;
  });
}

/** The findings for observations, the most serious first. */
export const toFindings = (observations: Iterable<Observation>, limits: Limits): Finding[] =>
  told(new Observations(limits, observations));

function told(observations: Observations): Finding[] {
  const findings = Array.from(observations, observation =>
    toFinding(observation, observations.restAfter(observation)),
  );
  return findings.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

/** @param rest  how many findings like it are not listed; 0 for all but the last listed one */
function toFinding({ code, at, data, severity }: Observation, rest: number): Finding {
  const rule = ruleOf(code);
  const more = rest === 0 ? '' : ` (and ${rest} more like this: --limit findingsPerCode=… lists them)`;
  const message = `${oneSpelling(rule.message(data as never))}${more}`;
  const unlisted = rest === 0 ? {} : { unlisted: rest };
  return { code, severity: severity ?? rule.severity, at, data, message, ...unlisted };
}
