import { ruleOf, rules } from '../checks/findings.js';
import type { Verdict } from '../checks/rule.js';
import { UsageError } from '../errors.js';
import type { FindingCode, Severity } from '../link/observation.js';
import type { PolicyRule } from '../policy/rule.js';
import { policyRuleOf, RULES } from '../policy/rules.js';
import { type Doc, gap, heading, type Result, span, type Text, text } from '../report/doc.js';
import { didYouMean, nearest } from '../spec/nearest.js';

/** An entry of `waybill explain --json`: a finding of `verify`, or a rule of `check`. */
export interface Explanation {
  readonly code: string;
  readonly severity: Severity;
  /** The verdict of `verify` that it affects; null for none, and for rules. */
  readonly verdict: Verdict | null;
  readonly explanation: string;
  /** Only for a rule. */
  readonly rule?: {
    readonly subject: string;
    readonly why: string;
    readonly mend: string;
    readonly example: string;
    readonly options: readonly OptionExplanation[];
  };
}

interface OptionExplanation {
  readonly name: string;
  readonly what: string;
  readonly expected: string;
  /** As a policy writes it; null where nothing is set. */
  readonly default: string | null;
  /** The option that `RULE: VALUE` sets. */
  readonly main: boolean;
}

/** `waybill explain CODE`: what a finding or a rule means and what to do about it; without a code, all of them. */
export function explain(code: string | undefined): Result {
  const findings = Object.keys(rules).sort() as FindingCode[];
  const codes = [...findings, ...RULES.map(rule => rule.code)];
  if (code === undefined) {
    const all = [...findings.map(ofFinding), ...RULES.map(ofRule)];
    return { data: all, doc: listDoc(all), exitCode: 0 };
  }
  const finding = findings.find(known => known === code);
  const rule = policyRuleOf(code);
  if (rule !== undefined) return { data: ofRule(rule), doc: ruleDoc(ofRule(rule)), exitCode: 0 };
  if (finding === undefined) throw unknownCode(code, codes);
  const known = ofFinding(finding);
  const against = known.verdict === null ? '' : `, affects the verdict "${known.verdict}"`;
  return {
    data: known,
    doc: [text([span(known.code, 'strong'), `  ${known.severity}${against}`]), gap, text(known.explanation)],
    exitCode: 0,
  };
}

function unknownCode(code: string, codes: readonly string[]): UsageError {
  const parts = code.length < 3 ? [] : codes.filter(c => c.includes(code) || code.includes(c));
  const near = [...new Set([...nearest(code, codes), ...parts])];
  return new UsageError(
    `there is no finding ${JSON.stringify(code)}${near.length > 0 ? didYouMean(near) : '; `waybill explain` lists them all'}`,
  );
}

function listDoc(all: readonly Explanation[]): Doc {
  const rows = all.map(({ code, severity, verdict, rule }): Text[] => [
    code,
    severity,
    rule === undefined ? (verdict ?? '-') : `rule (${rule.subject})`,
  ]);
  return [{ kind: 'table', columns: [{ title: 'code' }, { title: 'severity' }, { title: 'verdict' }], rows }];
}

function ofFinding(code: FindingCode) {
  const { severity, verdict, explain: explanation } = ruleOf(code);
  return { code, severity, verdict, explanation };
}

/** An entry of `waybill explain --json`. @throws UsageError for a code that does not exist */
export function explanationOf(code: FindingCode) {
  if (!Object.hasOwn(rules, code)) throw unknownCode(code, Object.keys(rules).sort());
  return ofFinding(code);
}

/** A rule as `explain` and docs/rules.md tell of it. */
export function ofRule({
  code,
  subject,
  severity,
  what,
  why,
  mend,
  example,
  options,
  main,
}: PolicyRule): Explanation {
  return {
    code,
    severity,
    verdict: null,
    explanation: what,
    rule: {
      subject,
      why,
      mend,
      example,
      options: Object.entries(options).map(([name, { type, what: meaning, fallback }]) => ({
        name,
        what: meaning,
        expected: type.expected,
        default: fallback === null ? null : type.write(fallback as never),
        main: name === main,
      })),
    },
  };
}

function ruleDoc({ code, severity, explanation, rule }: Explanation): Doc {
  const { why, mend, example, options } = rule!;
  const rows = options.map(({ name, what, expected, default: fallback, main }): Text[] => [
    main ? [span(name, 'strong')] : name,
    expected,
    fallback ?? '-',
    what,
  ]);
  const columns = [
    { title: 'option' },
    { title: 'value', shrink: true },
    { title: 'default' },
    { title: 'what it sets', shrink: true },
  ];
  return [
    text([span(code, 'strong'), `  ${severity}, a rule of \`waybill check\``]),
    gap,
    text(explanation),
    gap,
    text(why),
    ...(rows.length === 0 ? [] : [gap, { kind: 'table' as const, columns, rows }]),
    gap,
    heading('How to mend it', 3),
    text(mend),
    gap,
    heading('In a policy', 3),
    text('rules:', 2),
    ...example.split('\n').map(line => text(line, 4)),
  ];
}
