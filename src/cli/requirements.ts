import type { Argv } from 'yargs';
import type { ReadOptions, Requirement } from '../commands.js';
import { type LockArguments, lockOptions, lockRequirements, type VerifiedArchives } from './lock.js';
import { type SignatureArguments, signatureOptions, signatureRequirements } from './signatures.js';
import type { Terminal } from './terminal.js';

/** The options of `verify` and `check` that say what an archive must be beyond its own claims. */
export const requirementOptions = <T>(command: Argv<T>) => signatureOptions(lockOptions(command));

/** The arguments of `requirementOptions`. */
export interface RequirementArguments extends LockArguments, SignatureArguments {}

/** The requirements that a command line states. @throws InputError or UsageError for what cannot be one */
export async function requirementsOf(
  args: RequirementArguments & VerifiedArchives,
  terminal: Terminal,
): Promise<readonly Requirement[]> {
  return [...(await lockRequirements(args)), ...(await signatureRequirements(args, terminal))];
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
