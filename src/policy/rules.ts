import type { PolicyRule } from './rule.js';
import { attestationRules } from './rules/attestations.js';
import { baseRules } from './rules/base.js';
import { comparisonRules } from './rules/comparison.js';
import { configRules } from './rules/config.js';
import { contentRules } from './rules/content.js';
import { formRules } from './rules/form.js';
import { nameRules } from './rules/names.js';
import { policyRules } from './rules/policy.js';
import { secretRules } from './rules/secrets.js';
import { sizeRules } from './rules/sizes.js';
import { structureRules } from './rules/structure.js';
import { wasteRules } from './rules/waste.js';

/** Every rule. A new one is one entry in one of these lists. */
export const RULES: readonly PolicyRule[] = [
  ...sizeRules,
  ...wasteRules,
  ...configRules,
  ...nameRules,
  ...secretRules,
  ...contentRules,
  ...attestationRules,
  ...structureRules,
  ...baseRules,
  ...comparisonRules,
  ...formRules,
  ...policyRules,
];

const BY_CODE: ReadonlyMap<string, PolicyRule> = new Map(RULES.map(rule => [rule.code, rule]));

export const policyRuleOf = (code: string): PolicyRule | undefined => BY_CODE.get(code);
