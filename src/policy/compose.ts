import { dirname, isAbsolute, join, resolve } from 'node:path';
import { isLiteralPattern, pathFilter } from '../containers/path-filter.js';
import type { FindingCode } from '../link/observation.js';
import { didYouMean, nearest } from '../spec/nearest.js';
import { formatPlatform, type Platform, platformMatches } from '../spec/platform.js';
import { parseDiveCi } from './dive-ci.js';
import {
  NO_SCOPE,
  type PolicyFile,
  parsePolicy,
  type RuleEntry,
  type WrittenSetting,
  withFallbacks,
} from './file.js';
import { isUnconditional, type PathCondition } from './path-condition.js';
import {
  type AppliedRule,
  type Origin,
  type Override,
  originText,
  type Policy,
  type Setting,
} from './policy.js';
import { PRESETS } from './presets.js';
import type { Option } from './rule.js';
import { structureTest } from './rules/structure.js';
import { RULES } from './rules.js';
import type { SourcePlace } from './source.js';
import type { NamedFile, Pattern } from './types.js';

/** Something wrong with a policy: file, line and column, and what. */
export interface PolicyProblem {
  /** As it was named; `-` for standard input. */
  readonly source: string;
  readonly at: SourcePlace | null;
  readonly message: string;
}

/** Reads a file that a policy names. @returns why it cannot be read, in place of its text */
export type ReadText = (path: string) => Promise<{ readonly text: string } | { readonly reason: string }>;

/** The policies to combine; a later one overrides an earlier one. */
export interface PolicyNames {
  readonly presets: readonly string[];
  /** Files, or `-` for standard input. */
  readonly files: readonly string[];
  readonly diveCi: string | null;
  /** Files of container-structure-test, besides those that policies name. */
  readonly structureTests?: readonly string[];
}

/** The rules of a file and of all files that it extends. */
interface Layer {
  readonly rules: ReadonlyMap<string, readonly Setting[]>;
  readonly overrides: ReadonlyMap<FindingCode, Override>;
}

const STRUCTURE_FILES = structureTest.options.files!;

const NOTHING: Layer = { rules: new Map(), overrides: new Map() };

/** Chains of `extends` that are longer have no honest use. */
const DEEPEST = 32;

/** Reads policies and all that they extend, and puts them together. Everything that is wrong is said at once. */
export async function composePolicy(
  names: PolicyNames,
  read: ReadText,
): Promise<{ readonly policy: Policy; readonly problems: readonly PolicyProblem[] }> {
  const composer = new Composer(read);
  let layer = NOTHING;
  for (const preset of names.presets) layer = over(layer, await composer.preset(preset, null, []));
  for (const file of names.files) layer = over(layer, await composer.file(file, null, []));
  if (names.diveCi !== null) layer = over(layer, await composer.diveCi(names.diveCi, null));
  layer = await composer.structureTests(names.structureTests ?? [], layer);
  const { sources, exceptions, notes, problems } = composer;
  const policy = { ...policyOf(layer), sources: [...sources], exceptions, notes };
  return { policy, problems: [...problems, ...contradictionsIn(policy)] };
}

/** Where a file was named: in a file at a line, or on the command line. */
type NamedAt = { readonly source: string; readonly at: SourcePlace } | null;

class Composer {
  readonly sources = new Set<string>();
  readonly exceptions: PolicyFile['exceptions'][number][] = [];
  readonly notes: string[] = [];
  readonly problems: PolicyProblem[] = [];
  /** By their paths. A file that two others extend counts once. */
  private readonly done = new Map<string, Layer>();

  constructor(private readonly read: ReadText) {}

  async preset(name: string, namedAt: NamedAt, chain: readonly string[]): Promise<Layer> {
    const preset = PRESETS.get(name);
    if (preset === undefined) {
      const near = nearest(name, PRESETS.keys());
      const hint = near.length > 0 ? didYouMean(near) : `; there are ${[...PRESETS.keys()].join(', ')}`;
      return this.refuse(namedAt, `there is no preset ${JSON.stringify(name)}${hint}`);
    }
    return this.known(name, () => this.layer(preset.text, name, true, [...chain, name]));
  }

  /** @param chain  the files that lead here, as they were named */
  async file(name: string, namedAt: NamedAt, chain: readonly string[]): Promise<Layer> {
    const path = name === '-' ? '-' : pathFrom(name, namedAt);
    const begin = chain.findIndex(one => samePath(one, path));
    if (begin >= 0) {
      const circle = [...chain.slice(begin), path].join(' extends ');
      return this.refuse(namedAt, `the policy extends itself: ${circle}`);
    }
    if (chain.length >= DEEPEST) return this.refuse(namedAt, `more than ${DEEPEST} files extend each other`);
    return this.known(resolve(path), async () => {
      const result = await this.read(path);
      if ('reason' in result) return this.refuse(namedAt, result.reason, path);
      return this.layer(result.text, path, false, [...chain, path]);
    });
  }

  async diveCi(name: string, namedAt: NamedAt): Promise<Layer> {
    const path = pathFrom(name, namedAt);
    this.sources.add(path);
    const result = await this.read(path);
    if ('reason' in result) return this.refuse(namedAt, result.reason, path);
    const { settings, notes, problems } = parseDiveCi(result.text, path);
    for (const { at, message } of notes) this.notes.push(`${path}:${at.line}:${at.column}: ${message}`);
    for (const { at, message } of problems) this.problems.push({ source: path, at, message });
    return { ...NOTHING, rules: new Map([...settings].map(([code, setting]) => [code, [setting]])) };
  }

  /** Adds files of tests to those that the policy names, for all images. */
  async structureTests(names: readonly string[], layer: Layer): Promise<Layer> {
    if (names.length === 0) return layer;
    const files: NamedFile[] = [];
    for (const name of names) {
      this.sources.add(name);
      files.push(await this.opened({ name, at: null, path: name, content: null }, null, STRUCTURE_FILES));
    }
    const { code, severity } = structureTest;
    const origin = { source: names[0]!, isPreset: false, line: 1 };
    const known = (layer.rules.get(code) ?? []).filter(setting => setting.severity !== 'off');
    const settings: readonly Setting[] =
      known.length > 0 ? known : [{ severity, options: { files: [] }, scope: NO_SCOPE, origin }];
    const added = settings.map(setting => ({
      ...setting,
      options: { ...setting.options, files: [...(setting.options.files as readonly NamedFile[]), ...files] },
    }));
    return { ...layer, rules: new Map([...layer.rules, [code, added]]) };
  }

  /** The rules of a file, with the files that they name. */
  private async withFiles(entries: readonly RuleEntry[], source: string): Promise<RuleEntry[]> {
    const opened: RuleEntry[] = [];
    for (const entry of entries) {
      const named = Object.entries(entry.rule.options).filter(([, { isFiles }]) => isFiles === true);
      if (named.length === 0 || entry.says.kind !== 'settings') opened.push(entry);
      else
        opened.push({
          ...entry,
          says: { kind: 'settings', settings: await this.filesOf(entry.says.settings, named, source) },
        });
    }
    return opened;
  }

  private async filesOf(
    settings: readonly WrittenSetting[],
    named: readonly (readonly [string, Option<unknown>])[],
    source: string,
  ): Promise<WrittenSetting[]> {
    const opened: WrittenSetting[] = [];
    for (const setting of settings) {
      const options: Record<string, unknown> = { ...setting.options };
      for (const [name, option] of named) {
        const all: NamedFile[] = [];
        for (const file of setting.options[name] as readonly NamedFile[])
          all.push(await this.opened(file, source, option));
        options[name] = all;
      }
      opened.push({ ...setting, options });
    }
    return opened;
  }

  /** @param source  the file that names it; null for the command line */
  private async opened(
    file: NamedFile,
    source: string | null,
    { parse }: Option<unknown>,
  ): Promise<NamedFile> {
    const namedAt = source === null ? null : { source, at: file.at ?? START };
    const path = pathFrom(file.name, namedAt);
    if (parse === undefined) return { ...file, path };
    const result = await this.read(path);
    if ('reason' in result) {
      this.refuse(namedAt, result.reason, path);
      return { ...file, path };
    }
    const { content, notes, problems } = await parse(result.text);
    for (const { at, message } of notes) this.notes.push(`${path}:${at.line}:${at.column}: ${message}`);
    for (const { at, message } of problems) this.problems.push({ source: path, at, message });
    return { ...file, path, content };
  }

  private async known(key: string, make: () => Promise<Layer>): Promise<Layer> {
    const layer = this.done.get(key) ?? (await make());
    this.done.set(key, layer);
    return layer;
  }

  private async layer(
    text: string,
    source: string,
    isPreset: boolean,
    chain: readonly string[],
  ): Promise<Layer> {
    const compile = isPreset ? noPattern : (await import('./pattern.js')).parsePattern;
    const parsed = parsePolicy(text, source, isPreset, compile);
    const file = { ...parsed, rules: await this.withFiles(parsed.rules, source) };
    for (const { at, message } of file.problems) this.problems.push({ source, at, message });
    const parents: Layer[] = [];
    for (const { name, at } of file.extends) parents.push(await this.parent(name, { source, at }, chain));
    this.sources.add(source);
    this.exceptions.push(...file.exceptions);
    const ownRules = new Set(file.rules.map(({ rule }) => rule.code));
    const inherited = this.together(parents, ownRules, { source, at: file.extends[0]?.at ?? START });
    const dive =
      file.diveCi === null ? NOTHING : await this.diveCi(file.diveCi.name, { source, at: file.diveCi.at });
    const below = over(inherited, dive);
    for (const entry of file.rules) this.checkByItself(entry, below, source);
    return ownLayer(file, below, at => ({ source, isPreset, line: at.line }));
  }

  /** A rule that is switched on may need options that nothing it extends has set. */
  private checkByItself({ rule, says, at }: RuleEntry, below: Layer, source: string): void {
    const isInherited = below.rules.get(rule.code)?.some(({ severity }) => severity !== 'off') ?? false;
    const problem =
      says.kind !== 'severity' || isInherited ? null : rule.problem(withFallbacks(rule, {}) as never);
    if (problem !== null) this.problems.push({ source, at, message: `${rule.code}: ${problem}` });
  }

  private parent(name: string, namedAt: NamedAt, chain: readonly string[]): Promise<Layer> {
    const isPreset = /^[a-z][a-z-]*@\d+$/.test(name);
    return isPreset ? this.preset(name, namedAt, chain) : this.file(name, namedAt, chain);
  }

  /** Combines several parents. If two files set a rule differently, the file that extends them has to set it too. */
  private together(parents: readonly Layer[], decided: ReadonlySet<string>, namedAt: NamedAt): Layer {
    const rules = new Map<string, readonly Setting[]>();
    for (const parent of parents) {
      for (const [code, settings] of parent.rules) {
        const known = rules.get(code);
        if (known !== undefined && isFromPreset(settings) && !isFromPreset(known)) continue;
        if (known !== undefined && !decided.has(code) && contradict(known, settings)) {
          const [a, b] = [known[0]!, settings[0]!].map(setting => originText(setting.origin));
          const message = `what it extends contradicts itself: ${code} is set otherwise in ${a} and in ${b}; set it here to decide`;
          this.refuse(namedAt, message);
        }
        rules.set(code, settings);
      }
    }
    const overrides = new Map(parents.flatMap(parent => [...parent.overrides]));
    return { rules, overrides };
  }

  /** @param source  what it is about, where that is not the file that names it */
  private refuse(namedAt: NamedAt, message: string, source?: string): Layer {
    const about = source === undefined || namedAt === null ? message : `${source}: ${message}`;
    this.problems.push({ source: namedAt?.source ?? source ?? '', at: namedAt?.at ?? null, message: about });
    return NOTHING;
  }
}

/** The engine of regular expressions is not loaded for presets. */
const noPattern = () => 'presets have none';

const START: SourcePlace = { line: 1, column: 1 };

/** A file is named relative to the one that names it. */
function pathFrom(name: string, namedAt: NamedAt): string {
  if (namedAt === null || namedAt.source === '-' || isAbsolute(name)) return name;
  return join(dirname(namedAt.source), name);
}

const samePath = (a: string, b: string) => resolve(a) === resolve(b);

const isFromPreset = (settings: readonly Setting[]) => settings.every(({ origin }) => origin.isPreset);

/** Whether two ways to set a rule, neither from a preset, ask for different things. */
function contradict(a: readonly Setting[], b: readonly Setting[]): boolean {
  if (isFromPreset(a) || isFromPreset(b)) return false;
  const asked = (settings: readonly Setting[]) =>
    JSON.stringify(settings.map(({ origin: _, ...rest }) => [...plain(rest)]));
  return asked(a) !== asked(b);
}

/** Entries whose maps are lists, so that they can be compared as text. */
function* plain(value: object): Generator<unknown> {
  for (const [key, item] of Object.entries(value))
    yield [
      key,
      item instanceof Map
        ? [...plain(Object.fromEntries(item))]
        : item !== null && typeof item === 'object'
          ? [...plain(item)]
          : item,
    ];
}

const over = (lower: Layer, upper: Layer): Layer => ({
  rules: new Map([...lower.rules, ...upper.rules]),
  overrides: new Map([...lower.overrides, ...upper.overrides]),
});

/**
 * The rules of a file, combined with the files that it extends. A rule of the file replaces an inherited rule
 * completely.
 */
function ownLayer(file: PolicyFile, inherited: Layer, originAt: (at: SourcePlace) => Origin): Layer {
  const rules = new Map(inherited.rules);
  for (const entry of file.rules)
    rules.set(entry.rule.code, settingsOf(entry, rules.get(entry.rule.code) ?? [], originAt));
  const overrides = new Map(inherited.overrides);
  for (const { code, severity, at } of file.overrides)
    overrides.set(code, { code, severity, origin: originAt(at) });
  return { rules, overrides };
}

function settingsOf(
  { rule, says, at }: RuleEntry,
  inherited: readonly Setting[],
  originAt: (at: SourcePlace) => Origin,
): readonly Setting[] {
  const byItself = { options: withFallbacks(rule, {}), scope: NO_SCOPE };
  if (says.kind === 'off') return [{ ...byItself, severity: 'off', origin: originAt(at) }];
  if (says.kind === 'severity') {
    const { severity } = says;
    const known = inherited.filter(setting => setting.severity !== 'off');
    const base: readonly Pick<Setting, 'options' | 'scope'>[] = known.length > 0 ? known : [byItself];
    return base.map(({ options, scope }) => ({
      options,
      scope,
      severity: severity ?? rule.severity,
      origin: originAt(at),
    }));
  }
  return says.settings.map(setting => ({
    options: setting.options,
    scope: setting.scope,
    severity: setting.severity ?? rule.severity,
    origin: originAt(setting.at),
  }));
}

const isScoped = ({ scope }: Setting) => scope.images.length > 0 || scope.platforms.length > 0;

function policyOf(layer: Layer): Pick<Policy, 'rules' | 'overrides'> {
  const rules = RULES.flatMap((rule): AppliedRule[] => {
    const all = layer.rules.get(rule.code) ?? [];
    const settings = [...all.filter(isScoped), ...all.filter(setting => !isScoped(setting))];
    const isOff = settings.every(({ severity }) => severity === 'off');
    // Findings about the policy itself are told unless it says otherwise.
    return isOff && (rule.subject !== 'policy' || settings.length === 0) ? [] : [{ rule, settings }];
  });
  return { rules, overrides: [...layer.overrides.values()] };
}

/** Rules that no image can keep at the same time. */
function contradictionsIn({ rules }: Policy): PolicyProblem[] {
  const settingOf = (code: string) =>
    rules.find(({ rule }) => rule.code === code)?.settings.filter(({ severity }) => severity !== 'off') ?? [];
  return PAIRS.flatMap(({ codes: [first, second], reason }) =>
    settingOf(first).flatMap(a =>
      settingOf(second).flatMap(b => {
        const why = sameScope(a, b) ? reason(a.options as never, b.options as never) : null;
        if (why === null) return [];
        const { source, line } = b.origin;
        const message = `${first} and ${second} contradict each other: ${why} (${originText(a.origin)})`;
        return [{ source, at: { line, column: 1 }, message }];
      }),
    ),
  );
}

const sameScope = (a: Setting, b: Setting) => JSON.stringify(a.scope) === JSON.stringify(b.scope);

/** Pairs of rules, and why their options cannot both be kept; null where they can. */
const PAIRS: readonly {
  readonly codes: readonly [string, string];
  readonly reason: (a: never, b: never) => string | null;
}[] = [
  {
    codes: ['platforms-required', 'platforms-allowed'],
    reason: (required: Platforms, allowed: Platforms) => {
      const never = required.platforms.find(
        one => !allowed.platforms.some(some => platformMatches(one, some) || platformMatches(some, one)),
      );
      return never === undefined ? null : `${formatPlatform(never)} is required, and not allowed`;
    },
  },
  {
    codes: ['no-latest', 'image-tags'],
    reason: (_: object, { allowed }: { readonly allowed: readonly Pattern[] }) =>
      allowed.every(({ source }) => /^\^?latest\$?$/.test(source)) ? 'only the tag latest is allowed' : null,
  },
  {
    codes: ['paths-required', 'paths-forbidden'],
    reason: (required: Paths, forbidden: Paths) => {
      const plain = forbidden.paths.filter(isUnconditional).map(({ path }) => path);
      const isForbidden = plain.length === 0 ? () => false : pathFilter(plain);
      const never = required.paths.find(
        ({ path }) => isLiteralPattern(path) && isForbidden(path.replace(/^\/+/, '')),
      );
      return never === undefined ? null : `${never.path} is required, and forbidden`;
    },
  },
];

interface Paths {
  readonly paths: readonly PathCondition[];
}

interface Platforms {
  readonly platforms: readonly Platform[];
}
