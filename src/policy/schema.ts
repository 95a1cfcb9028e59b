import { rules as findingRules } from '../checks/findings.js';
import {
  EXCEPTION_KEYS,
  filesType,
  imagesType,
  POLICY_KEYS,
  pathsType,
  platformsType,
  reasonType,
  ruleNamesType,
  SCOPE_KEYS,
  SEVERITY_WORDS,
} from './file.js';
import type { PolicyRule } from './rule.js';
import { RULES } from './rules.js';
import { day, type JsonSchema, textLike } from './types.js';

/** docs/policy.schema.json: what a policy may hold, from the table that its parser reads. JSON Schema draft 7. */
export function policySchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'waybill policy',
    description: 'The rules of `waybill check`: docs/rules.md tells of each.',
    type: 'object',
    properties: inOrder(POLICY_KEYS, {
      $schema: { type: 'string', description: 'This schema, for editors.' },
      extends: {
        ...filesType.schema,
        description:
          'Policies and presets below this one: files relative to it, and names such as default@1.',
      },
      'dive-ci': {
        ...textLike('a .dive-ci file').schema,
        description: "A .dive-ci file, relative to this policy: dive's three rules.",
      },
      rules: {
        type: ['object', 'null'],
        properties: { ...ruleProperties(), ...findingProperties() },
        additionalProperties: false,
      },
      exceptions: {
        description: 'Findings that the policy accepts.',
        anyOf: [{ type: 'null' }, { type: 'array', items: { $ref: '#/definitions/exception' } }],
      },
    }),
    additionalProperties: false,
    definitions: {
      severity: { enum: SEVERITY_WORDS, description: 'off switches it off.' },
      switch: { enum: [...SEVERITY_WORDS, 'on', true, false] },
      images: { ...imagesType.schema, description: 'Only images with a name that matches one of these.' },
      platforms: { ...platformsType.schema, description: 'Only images for one of these platforms.' },
      exception: exceptionSchema(),
      finding: {
        description: 'A finding of verify: `waybill explain CODE`.',
        anyOf: [
          ref('severity'),
          { type: 'object', properties: { severity: ref('severity') }, additionalProperties: false },
        ],
      },
      ...Object.fromEntries(RULES.map(rule => [rule.code, settingSchema(rule)])),
    },
  };
}

/** The parser's own list of keys is the order, and the test that each has a schema. */
const inOrder = (keys: readonly string[], schemas: Readonly<Record<string, JsonSchema>>): JsonSchema =>
  Object.fromEntries(keys.map(key => [key, schemas[key]]));

const ref = (name: string): JsonSchema => ({ $ref: `#/definitions/${name}` });

function exceptionSchema(): JsonSchema {
  return {
    type: 'object',
    properties: inOrder(EXCEPTION_KEYS, {
      rule: { ...ruleNamesType.schema, description: 'Codes of rules, or of findings of `verify`.' },
      images: ref('images'),
      platforms: ref('platforms'),
      paths: {
        ...pathsType.schema,
        description: 'Only findings at paths that match one of these, or lie below.',
      },
      reason: { ...reasonType.schema, description: 'Why. It is printed with what it hides.' },
      expires: { ...day.schema, description: 'The last day on which it applies, in UTC.' },
    }),
    required: ['rule', 'reason'],
    additionalProperties: false,
  };
}

function ruleProperties(): Record<string, JsonSchema> {
  return Object.fromEntries(RULES.map(rule => [rule.code, ruleSchema(rule)]));
}

function ruleSchema(rule: PolicyRule): JsonSchema {
  const setting = ref(rule.code);
  const main = rule.main === null ? [] : [rule.options[rule.main]!.type.schema];
  return {
    description: rule.what,
    anyOf: [ref('switch'), ...main, setting, { type: 'array', minItems: 1, items: setting }],
  };
}

function settingSchema({ options }: PolicyRule): JsonSchema {
  const own = Object.entries(options).map(([name, { type, what }]) => [
    name,
    { ...type.schema, description: what },
  ]);
  return {
    type: 'object',
    properties: {
      ...inOrder(SCOPE_KEYS, {
        severity: ref('severity'),
        images: ref('images'),
        platforms: ref('platforms'),
      }),
      ...Object.fromEntries(own),
    },
    additionalProperties: false,
  };
}

/** Findings of `verify` take a severity, and nothing else. */
const findingProperties = (): Record<string, JsonSchema> =>
  Object.fromEntries(
    Object.keys(findingRules)
      .sort()
      .map(code => [code, ref('finding')]),
  );
