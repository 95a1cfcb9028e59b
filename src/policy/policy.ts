import type { Image } from '../link/graph.js';
import type { FindingCode, Severity } from '../link/observation.js';
import { digestsTogether } from '../scan/entries/wanted.js';
import type { Platform } from '../spec/platform.js';
import type { Needs, Option, PolicyRule } from './rule.js';
import type { NamedFile } from './types.js';

/** Where a part of a policy was written. */
export interface Origin {
  /** Path as it was named, `-` for standard input, or the name of a preset. */
  readonly source: string;
  readonly isPreset: boolean;
  readonly line: number;
}

export const originText = ({ source, isPreset, line }: Origin): string =>
  isPreset ? source : `${source === '-' ? 'standard input' : source}:${line}`;

/** The images that a rule or an exception is about: all that match each list that is not empty. */
export interface Scope {
  /** Patterns of names; see `nameFilter`. */
  readonly images: readonly string[];
  readonly platforms: readonly Platform[];
}

/** One way in which a rule is set. */
export interface Setting {
  readonly severity: Severity | 'off';
  /** As the table of the rule's options types them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly scope: Scope;
  readonly origin: Origin;
}

/** A rule that applies. */
export interface AppliedRule {
  readonly rule: PolicyRule;
  /** Scoped ones before the one without a scope: the first whose scope an image is in is the one that applies to it. */
  readonly settings: readonly Setting[];
}

/** The severity that the policy gives a finding of `verify`. */
export interface Override {
  readonly code: FindingCode;
  readonly severity: Severity | 'off';
  readonly origin: Origin;
}

/** An exception: findings that match all of its properties are hidden and counted. */
export interface Exception {
  /** Codes of rules or of findings. */
  readonly rules: readonly string[];
  readonly scope: Scope;
  /** Patterns of paths, in the image or of the archive's members; see `pathFilter`. */
  readonly paths: readonly string[];
  readonly reason: string;
  /** Seconds since 1970 at which its last day begins in UTC; null where it does not expire. */
  readonly expires: number | null;
  readonly origin: Origin;
}

/** A complete policy: the files and presets that it is made of, combined. */
export interface Policy {
  /** The files and presets that it is made of, in the order in which they were read. */
  readonly sources: readonly string[];
  /** In the order of the table of rules. */
  readonly rules: readonly AppliedRule[];
  readonly overrides: readonly Override[];
  readonly exceptions: readonly Exception[];
  /** For people: keys of a .dive-ci file that mean nothing. */
  readonly notes: readonly string[];
}

/**
 * How deep an archive has to be read for all rules that apply.
 * @param images  of the archive, where its documents were read before the rest; null where they are not known yet
 */
export function needsOf({ rules }: Policy, images: readonly Image[] | null): Needs {
  const needs = rules.flatMap(({ rule, settings }) =>
    settings.map(({ options }) => rule.needs(options as never, images)),
  );
  const keep = [...new Set(needs.flatMap(({ contents }) => contents?.keep ?? []))];
  const secrets = needs.some(({ contents }) => contents?.secrets === true);
  const packages = needs.some(({ contents }) => contents?.packages === true);
  return {
    files: needs.some(({ files }) => files === true),
    contents: {
      ...digestsTogether(needs.map(({ contents }) => contents)),
      ...(secrets && { secrets }),
      ...(packages && { packages }),
      ...(keep.length > 0 && { keep }),
    },
  };
}

/**
 * The severity of findings about the policy itself; a rule that does not stand in the policy applies as it is by
 * itself.
 */
export function ownSeverity({ rules }: Policy, code: string, fallback: Severity): Severity | 'off' {
  const applied = rules.find(({ rule }) => rule.code === code);
  return applied?.settings.at(-1)?.severity ?? fallback;
}

/** Files that rules name and that are not read with the policy: each path once. */
export const unreadFilesOf = (policy: Policy): readonly string[] =>
  namedFiles(policy, ({ isFiles, parse }) => isFiles === true && parse === undefined);

/** The files that a policy is made of and names: each path once. */
export const filesOf = (policy: Policy): readonly string[] => [
  ...new Set([...policy.sources, ...namedFiles(policy, ({ isFiles }) => isFiles === true)]),
];

function namedFiles({ rules }: Policy, isMeant: (option: Option<unknown>) => boolean): readonly string[] {
  const paths = rules.flatMap(({ rule, settings }) =>
    Object.entries(rule.options).flatMap(([name, option]) =>
      isMeant(option)
        ? settings.flatMap(({ severity, options }) =>
            severity === 'off' ? [] : (options[name] as readonly NamedFile[]).map(({ path }) => path),
          )
        : [],
    ),
  );
  return [...new Set(paths)];
}
