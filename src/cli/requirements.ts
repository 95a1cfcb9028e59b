import type { Argv } from 'yargs';
import type { ReadOptions } from '../commands.js';
import type { Requirement } from '../report/requirement.js';
import { namesTrust, type TrustArguments, trustOptions } from './signatures.js';
import type { Terminal } from './terminal.js';

/** The options of `verify` and `check` that say what an archive must be beyond its own claims. */
export const requirementOptions = <T>(command: Argv<T>) =>
  trustOptions(command).option('require-signature', {
    describe: 'every image must have a signature; with the options above, one that verifies by them',
    type: 'boolean',
    default: false,
  });

/** The arguments of `requirementOptions`. */
export interface RequirementArguments extends TrustArguments {
  readonly requireSignature: boolean;
}

/** The requirements that a command line states. @throws InputError or UsageError for what cannot be one */
export async function requirementsOf(
  args: RequirementArguments,
  terminal: Terminal,
): Promise<readonly Requirement[]> {
  if (!args.requireSignature && !namesTrust(args)) return [];
  const { signatureRequirement } = await import('../commands/signatures/requirement.js');
  return [await signatureRequirement(args, terminal.now())].filter(requirement => requirement !== null);
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
