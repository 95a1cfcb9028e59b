import type { BaseImage } from '../../analysis/base.js';
import { readText } from '../../containers/text-file.js';
import { InputError } from '../../errors.js';
import type { PolicyProblem } from '../../policy/compose.js';
import { type Policy, unreadFilesOf } from '../../policy/policy.js';
import { AGAINST_PRESET, DEFAULT_PRESET } from '../../policy/presets.js';
import type { ArchiveReading, ReadOptions } from '../../report/read.js';
import { loadBases } from '../base.js';

export { filesOf } from '../../policy/policy.js';
export { PRESETS } from '../../policy/presets.js';

/** No policy that a person writes is as long. */
const POLICY_BYTES = 1024 * 1024;

/** The policy options of the command line. */
export interface PolicyOptions {
  /** A file, or `-` for standard input. */
  readonly policy?: string | undefined;
  readonly presets?: readonly string[] | undefined;
  /** A .dive-ci file. */
  readonly diveCi?: string | undefined;
  /** Whether there is an earlier image to compare with: rules for that apply below all others. */
  readonly compares?: boolean | undefined;
  /** Files of container-structure-test. */
  readonly structureTests?: readonly string[] | undefined;
}

/**
 * Reads a policy with all that it extends. Without a policy, a preset, a .dive-ci file and
 * files of tests, the default preset applies.
 * @throws InputError that says all that is wrong with it, each with its place
 */
export async function loadPolicy({
  policy,
  presets = [],
  diveCi,
  structureTests = [],
  compares = false,
}: PolicyOptions): Promise<Policy> {
  const isDefault =
    policy === undefined && diveCi === undefined && presets.length + structureTests.length === 0;
  const names = {
    presets: [...(compares ? [AGAINST_PRESET] : []), ...(isDefault ? [DEFAULT_PRESET] : presets)],
    files: policy === undefined ? [] : [policy],
    diveCi: diveCi ?? null,
    structureTests,
  };
  const { composePolicy } = await import('../../policy/compose.js');
  const { policy: loaded, problems } = await composePolicy(names, path => readText(path, POLICY_BYTES));
  const [first, ...others] = [...problems].sort(inOrder);
  if (first === undefined) return loaded;
  const lines = others.slice(0, MOST_PROBLEMS).map(problem => `${placeText(problem)}: ${problem.message}`);
  const rest = others.length - lines.length;
  if (rest > 0) lines.push(`and ${rest} more`);
  throw new InputError(first.message, placeText(first), lines.length === 0 ? null : lines.join('\n'));
}

/**
 * The bases that rules of a policy name, by the paths of their lists.
 * @param read  reads an archive
 * @throws InputError for what is neither a list nor an archive
 */
export async function loadBaseLists(
  policy: Policy,
  read: (file: string, options: ReadOptions) => Promise<ArchiveReading>,
): Promise<ReadonlyMap<string, readonly BaseImage[]>> {
  const lists = new Map<string, readonly BaseImage[]>();
  for (const path of unreadFilesOf(policy)) lists.set(path, await loadBases([path], read));
  return lists;
}

/** Those of one file by their lines. */
const inOrder = (a: PolicyProblem, b: PolicyProblem) =>
  a.source === b.source
    ? (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0)
    : 0;

const MOST_PROBLEMS = 20;

function placeText({ source, at }: PolicyProblem): string {
  const file = source === '-' ? 'standard input' : source === '' ? '--preset' : source;
  return at === null ? file : `${file}:${at.line}:${at.column}`;
}
