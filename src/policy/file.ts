import { rules as findingRules } from '../checks/findings.js';
import type { FindingCode, Severity } from '../link/observation.js';
import { didYouMean, nearest } from '../spec/nearest.js';
import type { Exception, Origin, Scope } from './policy.js';
import type { PolicyRule } from './rule.js';
import { policyRuleOf, RULES } from './rules.js';
import {
  entriesByKey,
  foundText,
  type SourceEntry,
  type SourceNode,
  type SourcePlace,
  type SourceProblem,
} from './source.js';
import {
  type CompilePattern,
  choice,
  day,
  glob,
  listOf,
  platform,
  someOf,
  textLike,
  type ValueType,
} from './types.js';
import { parseSource } from './yaml.js';

/** A rule in one policy file, before it is combined with the files that it extends. */
export interface RuleEntry {
  readonly rule: PolicyRule;
  readonly at: SourcePlace;
  /** `off`; a bare severity, which keeps the options that are inherited; or settings of its own. */
  readonly says:
    | { readonly kind: 'off' }
    | { readonly kind: 'severity'; readonly severity: Severity | null }
    | { readonly kind: 'settings'; readonly settings: readonly WrittenSetting[] };
}

export interface WrittenSetting {
  /** null where the rule's own applies. */
  readonly severity: Severity | 'off' | null;
  readonly options: Readonly<Record<string, unknown>>;
  readonly scope: Scope;
  readonly at: SourcePlace;
}

/** One policy file, parsed. */
export interface PolicyFile {
  readonly extends: readonly { readonly name: string; readonly at: SourcePlace }[];
  readonly diveCi: { readonly name: string; readonly at: SourcePlace } | null;
  readonly rules: readonly RuleEntry[];
  readonly overrides: readonly {
    readonly code: FindingCode;
    readonly severity: Severity | 'off';
    readonly at: SourcePlace;
  }[];
  readonly exceptions: readonly Exception[];
  readonly problems: readonly SourceProblem[];
}

/** Keys of a policy, for the parser, the schema and what was meant by one that is misspelt. */
export const POLICY_KEYS = ['$schema', 'extends', 'dive-ci', 'rules', 'exceptions'] as const;
export const SCOPE_KEYS = ['severity', 'images', 'platforms'] as const;
export const EXCEPTION_KEYS = ['rule', 'images', 'platforms', 'paths', 'reason', 'expires'] as const;

export const SEVERITY_WORDS = ['error', 'warning', 'info', 'off'] as const;
export const severityType = choice(...SEVERITY_WORDS);
export const imagesType = someOf(
  glob('a name or pattern such as ghcr.io/acme/*'),
  'a list of names of images',
);
export const platformsType = someOf(platform, 'a list of platforms');
export const pathsType = someOf(glob('a path or pattern such as /usr/bin/*'), 'a list of paths');
export const ruleNamesType = someOf(textLike('the code of a rule'), 'a rule, or a list of rules');
export const filesType = listOf(
  textLike('a file, or a preset such as default@1'),
  'a list of files and presets',
);
export const reasonType = textLike('a reason');

const EMPTY: Omit<PolicyFile, 'problems'> = {
  extends: [],
  diveCi: null,
  rules: [],
  overrides: [],
  exceptions: [],
};

const NO_POLICY =
  'the policy is empty: expected a mapping with rules, extends or exceptions; a policy without rules is written `rules: {}`';

/** Parses one policy. Everything that is wrong with it is said at once. */
export function parsePolicy(
  text: string,
  source: string,
  isPreset: boolean,
  compile: CompilePattern,
): PolicyFile {
  const { root, problems } = parseSource(text);
  if (problems.length > 0) return { ...EMPTY, problems };
  // What a command left that failed to write the policy: a gate without rules is not passed by accident.
  if (root === null) return { ...EMPTY, problems: [{ at: { line: 1, column: 1 }, message: NO_POLICY }] };
  return new PolicyParser(source, isPreset, compile).policy(root);
}

class PolicyParser {
  private readonly problems: SourceProblem[] = [];

  constructor(
    private readonly source: string,
    private readonly isPreset: boolean,
    private readonly compile: CompilePattern,
  ) {}

  policy(root: SourceNode): PolicyFile {
    const fields = this.fields(root, POLICY_KEYS, 'a policy: a mapping with rules, extends or exceptions');
    const parents = fields.get('extends');
    const diveCi = fields.get('dive-ci');
    const names = parents === undefined ? [] : (this.value(filesType, parents.value) ?? []);
    const diveName = diveCi === undefined ? null : this.value(textLike('a .dive-ci file'), diveCi.value);
    const at = parents?.value.at ?? root.at;
    const items = parents?.value.kind === 'sequence' ? parents.value.items : [];
    const rules = this.rules(fields.get('rules'));
    return {
      extends: names.map((name, i) => ({ name, at: items[i]?.at ?? at })),
      diveCi: diveName === null ? null : { name: diveName, at: diveCi!.value.at },
      rules: rules.entries,
      overrides: rules.overrides,
      exceptions: this.exceptions(fields.get('exceptions')),
      problems: this.problems,
    };
  }

  private rules(entry: SourceEntry | undefined): {
    readonly entries: RuleEntry[];
    readonly overrides: PolicyFile['overrides'][number][];
  } {
    const entries: RuleEntry[] = [];
    const overrides: PolicyFile['overrides'][number][] = [];
    if (entry === undefined || isNothing(entry.value)) return { entries, overrides };
    if (entry.value.kind !== 'mapping') {
      this.expected('a mapping of rules', entry.value);
      return { entries, overrides };
    }
    for (const { key, at, value } of entry.value.entries) {
      const rule = policyRuleOf(key);
      if (rule !== undefined) {
        const says = this.says(rule, value);
        if (says !== null) entries.push({ rule, at, says });
      } else if (isFindingCode(key)) {
        const severity = this.overrideOf(value);
        if (severity !== null) overrides.push({ code: key, severity, at });
      } else this.problems.push({ at, message: unknownRule(key) });
    }
    return { entries, overrides };
  }

  /** A severity, a value for the rule's main option, its options, or a list of them with a scope each. */
  private says(rule: PolicyRule, node: SourceNode): RuleEntry['says'] | null {
    const word = wordOf(node);
    if (word === 'off') return { kind: 'off' };
    if (word !== null) return { kind: 'severity', severity: word === 'on' ? null : word };
    const hasSeveral = node.kind === 'sequence' && node.items.some(item => item.kind === 'mapping');
    const nodes = hasSeveral ? node.items : [node];
    const settings = nodes.map(item => this.setting(rule, item)).filter(setting => setting !== null);
    const same = this.sameScopes(rule, settings);
    return settings.length === 0 || same ? null : { kind: 'settings', settings };
  }

  private setting(rule: PolicyRule, node: SourceNode): WrittenSetting | null {
    const { main } = rule;
    const mainType = main === null ? null : rule.options[main]!.type;
    if (node.kind !== 'mapping') {
      if (mainType === null) {
        this.expected('on, off, error, warning or info', node);
        return null;
      }
      const value = this.value(mainType, node);
      return value === null ? null : this.checked(rule, { [main!]: value }, NO_SCOPE, null, node);
    }
    const before = this.problems.length;
    const fields = this.fields(node, [...SCOPE_KEYS, ...Object.keys(rule.options)], '', `of ${rule.code}`);
    const severity = this.optional(severityType, fields.get('severity'));
    const scope = this.scope(fields);
    const options: Record<string, unknown> = {};
    for (const [name, { type }] of Object.entries(rule.options)) {
      const field = fields.get(name);
      if (field !== undefined) options[name] = this.value(type, field.value);
    }
    if (this.problems.length > before) return null;
    return this.checked(rule, options, scope, severity, node);
  }

  /** Options that make no sense together are said where they stand. */
  private checked(
    rule: PolicyRule,
    given: Readonly<Record<string, unknown>>,
    scope: Scope,
    severity: Severity | 'off' | null,
    { at }: SourceNode,
  ): WrittenSetting | null {
    const options = withFallbacks(rule, given);
    const problem = severity === 'off' ? null : rule.problem(options as never);
    if (problem !== null) {
      this.problems.push({ at, message: `${rule.code}: ${problem}` });
      return null;
    }
    return { options, scope, at, severity };
  }

  /** Two settings for the same images leave open which one applies. */
  private sameScopes(rule: PolicyRule, settings: readonly WrittenSetting[]): boolean {
    const seen = new Map<string, WrittenSetting>();
    for (const setting of settings) {
      const key = JSON.stringify(setting.scope);
      const first = seen.get(key);
      if (first !== undefined) {
        const scope = key === JSON.stringify(NO_SCOPE) ? 'all images' : 'the same images';
        const message = `${rule.code} is set twice for ${scope}, here and in line ${first.at.line}: the two contradict each other`;
        this.problems.push({ at: setting.at, message });
        return true;
      }
      seen.set(key, setting);
    }
    return false;
  }

  private overrideOf(node: SourceNode): Severity | 'off' | null {
    const word = wordOf(node);
    if (word !== null && word !== 'on') return word;
    if (node.kind === 'mapping') {
      const severity = this.fields(node, ['severity'], '').get('severity');
      if (severity !== undefined) return this.value(severityType, severity.value);
    }
    this.expected('error, warning, info or off', node, ': findings of `verify` have no options');
    return null;
  }

  private exceptions(entry: SourceEntry | undefined): Exception[] {
    if (entry === undefined || isNothing(entry.value)) return [];
    if (entry.value.kind === 'sequence') return entry.value.items.flatMap(item => this.exception(item) ?? []);
    this.expected('a list of exceptions', entry.value);
    return [];
  }

  private exception(node: SourceNode): Exception | null {
    const before = this.problems.length;
    const fields = this.fields(
      node,
      EXCEPTION_KEYS,
      'an exception: a mapping with rule and reason',
      'of an exception',
    );
    const rules = this.required(ruleNamesType, fields, 'rule', node);
    const reason = this.required(reasonType, fields, 'reason', node);
    const scope = this.scope(fields);
    const paths = this.optional(pathsType, fields.get('paths')) ?? [];
    const expires = this.optional(day, fields.get('expires'));
    for (const name of rules ?? [])
      if (policyRuleOf(name) === undefined && !isFindingCode(name))
        this.problems.push({ at: fields.get('rule')!.value.at, message: unknownRule(name) });
    if (this.problems.length > before) return null;
    return { rules: rules!, scope, paths, reason: reason!, expires, origin: this.origin(node.at) };
  }

  private scope(fields: ReadonlyMap<string, SourceEntry>): Scope {
    const images = this.optional(imagesType, fields.get('images')) ?? [];
    const platforms = this.optional(platformsType, fields.get('platforms')) ?? [];
    return images.length === 0 && platforms.length === 0 ? NO_SCOPE : { images, platforms };
  }

  origin({ line }: SourcePlace): Origin {
    return { source: this.source, isPreset: this.isPreset, line };
  }

  /** The entries of a mapping by their keys. An unknown key is a problem. */
  private fields(
    node: SourceNode,
    keys: readonly string[],
    expected: string,
    of = '',
  ): ReadonlyMap<string, SourceEntry> {
    if (node.kind !== 'mapping') {
      this.expected(expected, node);
      return new Map();
    }
    return entriesByKey(node.entries, keys, ({ key, at }) => {
      const near = nearest(key, keys);
      const there =
        near.length > 0
          ? didYouMean(near)
          : `; there are ${keys.filter(one => one !== '$schema').join(', ')}`;
      this.problems.push({
        at,
        message: `unknown key ${JSON.stringify(key)}${of === '' ? '' : ` ${of}`}${there}`,
      });
    });
  }

  private value<T>(type: ValueType<T>, node: SourceNode): T | null {
    const { value, problems } = type.read(node, this.compile);
    this.problems.push(...(problems ?? []));
    return value ?? null;
  }

  private optional<T>(type: ValueType<T>, entry: SourceEntry | undefined): T | null {
    return entry === undefined ? null : this.value(type, entry.value);
  }

  private required<T>(
    type: ValueType<T>,
    fields: ReadonlyMap<string, SourceEntry>,
    key: string,
    { at, kind }: SourceNode,
  ): T | null {
    const entry = fields.get(key);
    if (entry === undefined && kind === 'mapping') this.problems.push({ at, message: `${key} is missing` });
    return this.optional(type, entry);
  }

  private expected(expected: string, node: SourceNode, more = ''): void {
    this.problems.push({ at: node.at, message: `expected ${expected}, found ${foundText(node)}${more}` });
  }
}

export const NO_SCOPE: Scope = { images: [], platforms: [] };

const isNothing = (node: SourceNode) => node.kind === 'scalar' && node.value === null;

/** `on` and `true` switch a rule on as it is by itself, `off` and `false` off. */
function wordOf(node: SourceNode): Severity | 'on' | 'off' | null {
  if (node.kind !== 'scalar') return null;
  const text = node.text.toLowerCase();
  if (text === 'off' || text === 'false') return 'off';
  if (text === 'on' || text === 'true') return 'on';
  return (['error', 'warning', 'info'] as const).find(severity => severity === text) ?? null;
}

export const isFindingCode = (code: string): code is FindingCode => Object.hasOwn(findingRules, code);

export function withFallbacks(
  rule: PolicyRule,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const options = Object.entries(rule.options).map(([name, { fallback }]) => [name, given[name] ?? fallback]);
  return Object.fromEntries(options) as Readonly<Record<string, unknown>>;
}

function unknownRule(code: string): string {
  const codes = [...RULES.map(rule => rule.code), ...Object.keys(findingRules)];
  const parts = code.length < 4 ? [] : codes.filter(one => one.includes(code) || code.includes(one));
  const near = [...new Set([...nearest(code, codes), ...parts])];
  return `there is no rule ${JSON.stringify(code)}${near.length > 0 ? didYouMean(near) : '; `waybill explain` lists them all'}`;
}
