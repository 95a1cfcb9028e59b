import type { Argv } from 'yargs';
import type { TrustOptions } from '../commands/signatures/trust.js';
import { once } from './arguments.js';
import { allOption, archivesArguments, reportEach } from './many.js';
import { outputOption } from './output.js';
import type { Printing, Terminal } from './terminal.js';

const text = (name: string, describe: string) =>
  ({ describe, type: 'string', requiresArg: true, coerce: once(name) }) as const;

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
    );

/** The arguments of `trustOptions`. */
export type TrustArguments = TrustOptions;

/** Whether an option says whom to trust. */
export const namesTrust = (args: TrustArguments): boolean =>
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
    'list its signatures: what each signs, and by whom; verify them offline',
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
