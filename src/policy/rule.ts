import type { Image, Location } from '../link/graph.js';
import type { FindingCode, Severity } from '../link/observation.js';
import type { ContentWanted } from '../scan/entries/wanted.js';
import type { SourceProblem } from './source.js';
import type { CheckContext, ImageSubject } from './subject.js';
import { type NamedFile, namedFiles, type ValueType } from './types.js';

/** Subjects of rules: the chapters of docs/rules.md, in this order. */
export const SUBJECTS = {
  sizes: 'Sizes',
  waste: 'Waste',
  config: 'Configuration',
  content: 'Content',
  secrets: 'Secrets',
  base: 'Base images',
  form: 'Form of the archive',
  comparison: 'Comparison with an earlier image',
  policy: 'The policy itself',
} as const;

export type RuleSubject = keyof typeof SUBJECTS;

/** An option of a rule. */
export interface Option<T> {
  readonly type: ValueType<Exclude<T, null>>;
  /** One line for docs/rules.md. */
  readonly what: string;
  /** Where the policy does not set it. */
  readonly fallback: T;
  /** Whether its values are files, which are named relative to the policy. */
  readonly isFiles?: boolean | undefined;
  /**
   * For options that name files: parses the content of one. Without it the file is not opened when the policy is read.
   */
  readonly parse?: FileParser | undefined;
}

/** @returns the content, and what is wrong with it: notes are told, problems end the check */
export type FileParser = (text: string) => Promise<{
  readonly content: unknown;
  readonly notes: readonly SourceProblem[];
  readonly problems: readonly SourceProblem[];
}>;

/** An option that the policy may leave out. @param fallback  what it is then */
export const option = <T>(type: ValueType<T>, what: string, fallback: T): Option<T> => ({
  type: type as ValueType<Exclude<T, null>>,
  what,
  fallback,
});

/** An option that is null unless the policy sets it. */
export const unset = <T>(type: ValueType<T>, what: string): Option<T | null> => ({
  type: type as ValueType<Exclude<T | null, null>>,
  what,
  fallback: null,
});

/** Files that a policy names relative to itself. */
export const files = (expected: string, what: string, parse?: FileParser): Option<readonly NamedFile[]> => ({
  type: namedFiles(expected) as Option<readonly NamedFile[]>['type'],
  what,
  fallback: [],
  isFiles: true,
  parse,
});

export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The values of a table of options. */
export type OptionsOf<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never;
};

/** How deep an archive has to be read for a rule. */
export interface Needs {
  /** The entries of layers: depth `files` instead of `digests`. */
  readonly files?: boolean;
  /** Content of files that is to be kept. */
  readonly contents?: ContentWanted;
}

/** Where an image does not keep to a rule, or why that cannot be told. */
export type Breach<D> = BreachPlace &
  ({ readonly data: D; readonly unchecked?: undefined } | { readonly unchecked: string });

export interface BreachPlace {
  /** Index of the layer that is to blame, base 0. */
  readonly layer?: number | undefined;
  /** A path in the image, without a leading slash. */
  readonly path?: string | undefined;
  /** Every path, if those are several; see `CheckFinding.paths`. */
  readonly paths?: readonly (string | null)[] | undefined;
  /** The instruction to change, where it is none that made a layer, such as `USER root`. */
  readonly instruction?: string | null | undefined;
  /** The document or member of the archive; by default that of the layer, or else the image's own. */
  readonly at?: Location | undefined;
  /** Where it is less serious than the rule's other breaches. */
  readonly severity?: Severity | undefined;
  /** Distinguishes breaches with the same code, image and path. It must not change with each build. */
  readonly key?: string | undefined;
}

/**
 * One rule of a policy. To add one, write it with `defineRule` and list it in `RULES` (rules.ts): the policy's parser
 * and schema, `explain` and docs/rules.md come from here.
 */
export interface PolicyRule {
  /** As a policy, findings and `explain` name it. Never renamed once released. */
  readonly code: string;
  readonly subject: RuleSubject;
  /** Where the policy says none. */
  readonly severity: Severity;
  /** One line: that which the rule asks for. */
  readonly what: string;
  readonly why: string;
  /** How to mend an image that breaks it. */
  readonly mend: string;
  /** Lines of a policy, below `rules:`. */
  readonly example: string;
  readonly options: OptionTable;
  /** The option that is set where a policy gives the rule a value instead of a mapping. */
  readonly main: string | null;
  readonly needs: (options: never, images: readonly Image[] | null) => Needs;
  /**
   * Why options make no sense together: nothing is asked for, or two things that exclude each other. null where they
   * do.
   */
  readonly problem: (options: never) => string | null;
  /** Looks at one image. */
  readonly image: ((subject: ImageSubject, options: never) => Iterable<Breach<never>>) | null;
  /** Looks at all images of an archive that the rule is about. */
  readonly archive:
    | ((subjects: readonly ImageSubject[], options: never, context: CheckContext) => Iterable<ArchiveBreach>)
    | null;
  /** Findings of `verify` that get this rule's severity where theirs is lower. */
  readonly raises: readonly FindingCode[];
  /** One line: what is found, and what is allowed. */
  readonly message: (data: never) => string;
  /** The change to make, in one line; null if `mend` is enough. */
  readonly remedy: ((data: never) => string | null) | null;
}

/** A breach with the image that it is about; null for the archive. */
export type ArchiveBreach = Breach<never> & { readonly subject: ImageSubject | null };

interface RuleDefinition<T extends OptionTable, D>
  extends Pick<PolicyRule, 'code' | 'subject' | 'severity' | 'what' | 'why' | 'mend' | 'example'> {
  readonly options: T;
  readonly main?: keyof T & string;
  /** @param images  of the archive, where its documents were read before the rest; null where they are not known yet */
  readonly needs?: (options: OptionsOf<T>, images: readonly Image[] | null) => Needs;
  readonly problem?: (options: OptionsOf<T>) => string | null;
  readonly image?: (subject: ImageSubject, options: OptionsOf<T>) => Iterable<Breach<D>>;
  readonly archive?: (
    subjects: readonly ImageSubject[],
    options: OptionsOf<T>,
    context: CheckContext,
  ) => Iterable<Breach<D> & { readonly subject: ImageSubject | null }>;
  readonly raises?: readonly FindingCode[];
  readonly message: (data: D) => string;
  readonly remedy?: (data: D) => string | null;
}

/** A rule whose options and data are typed where it is written, and which stands in one table with all others. */
export function defineRule<T extends OptionTable, D>(definition: RuleDefinition<T, D>): PolicyRule {
  const { main, needs, problem, image, archive, raises, remedy } = definition;
  return {
    ...definition,
    main: main ?? null,
    needs: needs ?? (() => ({})),
    problem: problem ?? (() => null),
    image: (image as unknown as PolicyRule['image']) ?? null,
    archive: (archive as unknown as PolicyRule['archive']) ?? null,
    raises: raises ?? [],
    remedy: (remedy as PolicyRule['remedy']) ?? null,
  } as PolicyRule;
}
