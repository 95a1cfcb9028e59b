import { defineRule } from '../rule.js';
import { day } from '../types.js';

/** Why a rule could not be checked. */
export interface NotChecked {
  readonly rule: string;
  readonly reason: string;
}

/** Findings about the policy itself. They take a severity as rules do, and look at no image. */

export const ruleNotChecked = defineRule({
  code: 'rule-not-checked',
  subject: 'policy',
  severity: 'error',
  what: 'Each rule of the policy can be checked. A rule that cannot be checked is a finding with the severity of that rule, unless the policy sets another severity here.',
  why: 'A rule that could not be checked has not been kept. For example, the compressed size is not known of an archive with uncompressed layers, and no rule about files can be checked in an encrypted layer.',
  mend: 'The message says what is not known. Set a budget that can be measured, or get an archive that has all of its layers.',
  example: 'rule-not-checked: warning',
  options: {},
  message: ({ rule, reason }: NotChecked) => `the rule ${rule} could not be checked: ${reason}`,
});

interface ExceptionData {
  /** The place of the exception: file and line. */
  readonly from: string;
  readonly rules: readonly string[];
  readonly reason: string;
  /** Seconds since 1970 at which its last day begins in UTC; null where it does not expire. */
  readonly expires: number | null;
}

export const exceptionExpired = defineRule({
  code: 'exception-expired',
  subject: 'policy',
  severity: 'error',
  what: 'No exception of the policy has expired.',
  why: 'After its last day an exception hides nothing. This finding says so, so that it is removed or renewed.',
  mend: 'Correct what it was about and remove it, or give it a new date and a reason.',
  example: 'exception-expired: warning',
  options: {},
  message: ({ from, rules, expires, reason }: ExceptionData) =>
    `the exception from ${rules.join(', ')} (${from}) expired on ${day.write(expires ?? 0)} and hides nothing any more; its reason was: ${reason}`,
  remedy: () => 'correct what it was about and remove it, or give it a new date',
});

export const exceptionUnused = defineRule({
  code: 'exception-unused',
  subject: 'policy',
  severity: 'warning',
  what: 'Each exception of the policy hides something.',
  why: 'An exception that is no longer needed may later hide a finding that is new.',
  mend: 'Remove it, or correct its scope: `--all` shows what the others hide.',
  example: 'exception-unused: error',
  options: {},
  message: ({ from, rules, reason }: ExceptionData) =>
    `the exception from ${rules.join(', ')} (${from}) matches no finding; its reason was: ${reason}`,
  remedy: () => 'remove it, or correct its scope',
});

export const patternUnused = defineRule({
  code: 'pattern-unused',
  subject: 'policy',
  severity: 'warning',
  what: 'Each scope of a rule matches an image.',
  why: 'A rule whose scope matches no image checks nothing. The pattern may have a typing error, or the image may have another name now.',
  mend: 'Correct the pattern, or remove it. `waybill ids ARCHIVE` lists the names of the images.',
  example: 'pattern-unused: error',
  options: {},
  message: ({
    rule,
    scope,
    from,
  }: {
    readonly rule: string;
    readonly scope: string;
    readonly from: string;
  }) => `the scope ${scope} of ${rule} (${from}) matches no image`,
  remedy: () => 'correct the pattern; `waybill ids` lists the names of the images',
});

export const policyRules = [ruleNotChecked, exceptionExpired, exceptionUnused, patternUnused];
