// Policies from texts, and archives checked against them.
import * as assert from 'uvu/assert';
import { Check, type CheckReport, checkReadOptions } from '../../src/commands/check/index.js';
import type { Selection, Severity } from '../../src/commands.js';
import { composePolicy, type PolicyProblem } from '../../src/policy/compose.js';
import type { Policy } from '../../src/policy/policy.js';
import type { CheckContext } from '../../src/policy/subject.js';
import type { Member } from './members.js';
import { readMembers } from './reading.js';

/** Files by their names, where a policy may find others. */
export type Files = Readonly<Record<string, string>>;

export const MAIN = 'policy.yaml';

/** Composes a policy, or says what is wrong with it: `policy.yaml:3:5: …`. */
export async function composed(
  text: string,
  files: Files = {},
): Promise<{ readonly policy: Policy; readonly problems: readonly string[] }> {
  const all: Files = { ...files, [MAIN]: text };
  const names = { presets: [], files: [MAIN], diveCi: null };
  const { policy, problems } = await composePolicy(names, async path => {
    const found = all[path];
    return found === undefined ? { reason: 'there is no such file' } : { text: found };
  });
  return { policy, problems: problems.map(problemText) };
}

export const problemText = ({ source, at, message }: PolicyProblem): string =>
  `${source}${at === null ? '' : `:${at.line}:${at.column}`}: ${message}`;

/** @throws where something is wrong with the policy */
export async function policyOf(text: string, files: Files = {}): Promise<Policy> {
  const { policy, problems } = await composed(text, files);
  assert.equal(problems, []);
  return policy;
}

export const NOW = Date.parse('2024-01-01T00:00:00Z') / 1000;

export interface CheckedOptions extends Selection {
  readonly context?: Partial<CheckContext>;
  readonly failOn?: Severity | 'never';
}

export interface Checked {
  readonly report: CheckReport;
  readonly exitCode: number;
}

/** Checks members as a tar file, read no deeper than the policy needs it. */
export async function checked(
  members: readonly Member[],
  policy: Policy | string,
  { context, failOn = 'error', ...selection }: CheckedOptions = {},
): Promise<Checked> {
  const applied = typeof policy === 'string' ? await policyOf(policy) : policy;
  const { reading } = await readMembers(members, checkReadOptions(applied));
  const check = new Check({ policy: applied, context: { now: NOW, epoch: null, ...context }, failOn });
  const { data, exitCode } = check.alone(reading, selection);
  return { report: data as CheckReport, exitCode };
}
