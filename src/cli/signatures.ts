import type { Argv } from 'yargs';
import type { TrustOptions } from '../commands/signatures/trust.js';
import type { Requirement } from '../report/requirement.js';
import { once } from './arguments.js';
import { allOption, archivesArguments, reportEach } from './many.js';
import { outputOption } from './output.js';
import type { Printing, Terminal } from './terminal.js';

const text = (name: string, describe: string) =>
  ({ describe, type: 'string', requiresArg: true, coerce: once(name) }) as const;

/** The names of `trustOptions`. */
export const TRUST_NAMES = [
  'key',
  'certificate-identity',
  'certificate-identity-regexp',
  'certificate-oidc-issuer',
  'certificate-oidc-issuer-regexp',
  'trusted-root',
  'notation-trust-store',
] as const;

/** The options that say whose signatures are trusted, in cosign's words. */
export const trustOptions = <T>(command: Argv<T>) =>
  command
    .option('key', {
      describe: 'a public key (cosign.pub) that must have signed every image; may be repeated',
      type: 'string',
      array: true,
      requiresArg: true,
    })
    .option(
      'certificate-identity',
      text('certificate-identity', 'the identity in the certificate of the signer: an address or a URI'),
    )
    .option(
      'certificate-identity-regexp',
      text('certificate-identity-regexp', 'the same as a regular expression (RE2), found anywhere in it'),
    )
    .option(
      'certificate-oidc-issuer',
      text('certificate-oidc-issuer', 'the issuer that confirmed the identity'),
    )
    .option(
      'certificate-oidc-issuer-regexp',
      text('certificate-oidc-issuer-regexp', 'the same as a regular expression (RE2)'),
    )
    .option(
      'trusted-root',
      text('trusted-root', "Sigstore's trusted_root.json, or certificates of authorities in PEM"),
    )
    .option(
      'notation-trust-store',
      text('notation-trust-store', 'a trust store of the Notary Project: x509/ca/NAME/*.crt'),
    )
    .group(TRUST_NAMES, 'Signatures:');

/** The options of `verify` and `check` that require signatures. */
export const signatureOptions = <T>(command: Argv<T>) =>
  trustOptions(command)
    .option('require-signature', {
      describe: 'every image must have a signature; with the options above, one that verifies by them',
      type: 'boolean',
      default: false,
    })
    .group('require-signature', 'Signatures:');

/** The arguments of `signatureOptions`. */
export interface SignatureArguments extends TrustOptions {
  readonly requireSignature: boolean;
}

/** The requirement that the arguments state, or none. @throws InputError or UsageError for what cannot be one */
export async function signatureRequirements(
  args: SignatureArguments,
  terminal: Terminal,
): Promise<readonly Requirement[]> {
  if (!args.requireSignature && !namesTrust(args)) return [];
  const { signatureRequirement } = await import('../commands/signatures/requirement.js');
  return [await signatureRequirement(args, terminal.now())].filter(requirement => requirement !== null);
}

/** Whether an option says whom to trust. */
const namesTrust = (args: TrustOptions): boolean =>
  [
    args.key,
    args.certificateIdentity,
    args.certificateIdentityRegexp,
    args.certificateOidcIssuer,
    args.certificateOidcIssuerRegexp,
    args.trustedRoot,
    args.notationTrustStore,
  ].some(option => option !== undefined);

/** `waybill signatures`: who has signed what. */
export function signaturesCommand(commands: Argv<Printing>, terminal: Terminal): Argv<Printing> {
  return commands.command(
    'signatures <archives..>',
    'list signatures: what each signs, and by whom; verify them offline',
    command =>
      trustOptions(outputOption(allOption(archivesArguments(command))))
        .example('$0 signatures image.tar', 'what is signed, and who says so; nothing is verified')
        .example('$0 signatures image.tar --key cosign.pub', 'which of them verify, and why others do not')
        .example('$0 verify image.tar --key cosign.pub', 'fail unless every image is signed with it'),
    async args => {
      const { loadVerifier, signatures, signaturesReadOptions } = await import(
        '../commands/signatures/index.js'
      );
      const verifier = await loadVerifier(args, terminal.now());
      await reportEach(args, terminal, {
        options: signaturesReadOptions(verifier),
        report: (reading, selection) => signatures(reading, { ...selection, verifier }),
        tally: async () => (await import('../commands/many/tallies.js')).signaturesTally(),
      });
    },
  );
}
