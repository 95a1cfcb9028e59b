import type { Argv } from 'yargs';
import type { ReadOptions, Requirement } from '../commands.js';
import { type LockArguments, lockOptions, lockRequirements, type VerifiedArchives } from './lock.js';

/** The options of `verify` and `check` that say what an archive must be beyond its own claims. */
export const requirementOptions = <T>(command: Argv<T>) => lockOptions(command);

/** The arguments of `requirementOptions`. */
export type RequirementArguments = LockArguments;

/** The requirements that a command line states. @throws InputError or UsageError for what cannot be one */
export async function requirementsOf(
  args: RequirementArguments & VerifiedArchives,
): Promise<readonly Requirement[]> {
  return lockRequirements(args);
}

/** The options to read archives as deep as the command and its requirements need. */
export async function readingFor(
  requirements: readonly Requirement[],
  options: ReadOptions,
): Promise<ReadOptions> {
  if (requirements.length === 0) return options;
  const { readOptionsFor } = await import('../report/requirement.js');
  return readOptionsFor(options, requirements);
}
