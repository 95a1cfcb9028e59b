import type { Argv } from 'yargs';
import type { ReadOptions, Requirement } from '../commands.js';
import { type LockArguments, lockOptions, lockRequirements, type VerifiedArchives } from './lock.js';
import { namesTrust, type TrustArguments, trustOptions } from './signatures.js';
import type { Terminal } from './terminal.js';

/** The options of `verify` and `check` that say what an archive must be beyond its own claims. */
export const requirementOptions = <T>(command: Argv<T>) =>
  trustOptions(lockOptions(command)).option('require-signature', {
    describe: 'every image must have a signature; with the options above, one that verifies by them',
    type: 'boolean',
    default: false,
  });

/** The arguments of `requirementOptions`. */
export interface RequirementArguments extends TrustArguments, LockArguments {
  readonly requireSignature: boolean;
}

/** The requirements that a command line states. @throws InputError or UsageError for what cannot be one */
export async function requirementsOf(
  args: RequirementArguments & VerifiedArchives,
  terminal: Terminal,
): Promise<readonly Requirement[]> {
  const locks = await lockRequirements(args);
  if (!args.requireSignature && !namesTrust(args)) return locks;
  const { signatureRequirement } = await import('../commands/signatures/requirement.js');
  const signed = await signatureRequirement(args, terminal.now());
  return signed === null ? locks : [...locks, signed];
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
