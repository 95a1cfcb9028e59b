import { readText } from '../../containers/text-file.js';
import { InputError } from '../../errors.js';
import type { PolicyProblem } from '../../policy/compose.js';
import type { Policy } from '../../policy/policy.js';
import { DEFAULT_PRESET } from '../../policy/presets.js';

/** No policy that a person writes is as long. */
const POLICY_BYTES = 1024 * 1024;

/** The policy options of the command line. */
export interface PolicyOptions {
  /** A file, or `-` for standard input. */
  readonly policy?: string | undefined;
  readonly presets?: readonly string[] | undefined;
  /** A .dive-ci file. */
  readonly diveCi?: string | undefined;
}

/**
 * Reads a policy with all that it extends. Without a policy, a preset and a .dive-ci file, the default preset applies.
 * @throws InputError that says all that is wrong with it, each with its place
 */
export async function loadPolicy({ policy, presets = [], diveCi }: PolicyOptions): Promise<Policy> {
  const isDefault = policy === undefined && diveCi === undefined && presets.length === 0;
  const names = {
    presets: isDefault ? [DEFAULT_PRESET] : presets,
    files: policy === undefined ? [] : [policy],
    diveCi: diveCi ?? null,
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
