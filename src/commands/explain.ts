import { ruleOf, rules } from '../checks/findings.js';
import { UsageError } from '../errors.js';
import type { FindingCode } from '../link/observation.js';
import { gap, type Result, span, text } from '../report/doc.js';
import { didYouMean, nearest } from '../spec/nearest.js';

/** `waybill explain CODE`: the meaning of a finding and what to do about it; without a code, of all findings. */
export function explain(code: string | undefined): Result {
  const codes = Object.keys(rules).sort() as FindingCode[];
  if (code === undefined) {
    const rows = codes.map(c => [c, ruleOf(c).severity, ruleOf(c).verdict ?? '-']);
    return {
      data: codes.map(explanationOf),
      doc: [
        { kind: 'table', columns: [{ title: 'code' }, { title: 'severity' }, { title: 'verdict' }], rows },
      ],
      exitCode: 0,
    };
  }
  const known = knownCode(code);
  const rule = ruleOf(known);
  const against = rule.verdict === null ? '' : `, affects the verdict "${rule.verdict}"`;
  return {
    data: explanationOf(known),
    doc: [text([span(known, 'strong'), `  ${rule.severity}${against}`]), gap, text(rule.explain)],
    exitCode: 0,
  };
}

/** The code as it is. @throws UsageError for one that does not exist, with those that it may have meant */
function knownCode(code: string): FindingCode {
  const codes = Object.keys(rules).sort() as FindingCode[];
  const known = codes.find(c => c === code);
  if (known !== undefined) return known;
  const parts = code.length < 3 ? [] : codes.filter(c => c.includes(code) || code.includes(c));
  const near = [...new Set([...nearest(code, codes), ...parts])];
  throw new UsageError(
    `there is no finding ${JSON.stringify(code)}${near.length > 0 ? didYouMean(near) : '; `waybill explain` lists them all'}`,
  );
}

/** An entry of `waybill explain --json`. @throws UsageError for a code that does not exist */
export function explanationOf(code: FindingCode) {
  const { severity, verdict, explain: explanation } = ruleOf(knownCode(code));
  return { code, severity, verdict, explanation };
}
