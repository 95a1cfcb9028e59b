import { readBytes, readFolder } from '../../containers/text-file.js';
import { InputError, UsageError } from '../../errors.js';
import type { Verifier } from '../../signatures/survey.js';
import type {
  CertificateIdentity,
  NotationStore,
  Trust,
  TrustedKey,
  TrustedRoot,
  Wanted,
} from '../../signatures/verify/trust.js';
import type * as Verifying from '../../signatures/verify/verify.js';

/** By what signatures are verified, as the command line says it, in cosign's words. */
export interface TrustOptions {
  readonly key?: readonly string[] | undefined;
  readonly certificateIdentity?: string | undefined;
  readonly certificateIdentityRegexp?: string | undefined;
  readonly certificateOidcIssuer?: string | undefined;
  readonly certificateOidcIssuerRegexp?: string | undefined;
  readonly trustedRoot?: string | undefined;
  readonly notationTrustStore?: string | undefined;
}

/**
 * Reads what is to be trusted. Nothing is taken from the network or from this machine.
 * @param now  the current time, for certificates whose signatures have no time of their own
 * @returns a verifier by what is named; null where nothing is
 * @throws UsageError for options that contradict or need each other
 * @throws InputError for a file that is not what the option needs
 */
export async function loadVerifier(options: TrustOptions, now: Date): Promise<Verifier | null> {
  const identity = await identityIn(options);
  const { key = [], trustedRoot, notationTrustStore } = options;
  refuseHalves(options, identity);
  if (key.length === 0 && identity === null && notationTrustStore === undefined) return null;
  // With its libraries it is loaded only where something is verified.
  const verifying = await import('../../signatures/verify/verify.js');
  const root = trustedRoot === undefined ? null : await loadRoot(trustedRoot, verifying);
  if (identity !== null && identity.issuer === null && root?.kind === 'sigstore') throw noIssuer();
  const keys: TrustedKey[] = [];
  for (const file of key) keys.push(await loadKey(file, verifying));
  const notation = notationTrustStore === undefined ? null : await loadStore(notationTrustStore, verifying);
  const trust: Trust = { keys, identities: identity === null ? [] : [identity], root, notation, now };
  return signature => verifying.verifySignature(signature, trust);
}

type Verify = typeof Verifying;

const noIssuer = () =>
  new UsageError(
    '--certificate-identity needs --certificate-oidc-issuer, or -regexp: one name means different people for different issuers',
  );

/** An option that cannot mean anything without another one must not be passed over. */
function refuseHalves(options: TrustOptions, identity: CertificateIdentity | null): void {
  const { key = [], trustedRoot } = options;
  if (identity !== null && identity.identity === null)
    throw new UsageError(
      '--certificate-oidc-issuer needs --certificate-identity, or -regexp: an issuer confirms the identities of all its users',
    );
  if (identity !== null && trustedRoot === undefined)
    throw new UsageError(
      '--certificate-identity needs --trusted-root FILE: the authorities and logs that are trusted. waybill has no network and no roots of its own; `cosign trusted-root create` and the TUF repository of the instance have a trusted_root.json',
    );
  if (identity === null && key.length === 0 && trustedRoot !== undefined)
    throw new UsageError(
      '--trusted-root says which authorities are trusted, and not whose signature is wanted: name --certificate-identity and --certificate-oidc-issuer, or --key',
    );
}

/** @returns null where no option names an identity or an issuer */
async function identityIn(options: TrustOptions): Promise<CertificateIdentity | null> {
  const identity = await wantedIn('certificate-identity', options.certificateIdentity, {
    pattern: options.certificateIdentityRegexp,
  });
  const issuer = await wantedIn('certificate-oidc-issuer', options.certificateOidcIssuer, {
    pattern: options.certificateOidcIssuerRegexp,
  });
  return identity === null && issuer === null ? null : { identity, issuer };
}

async function wantedIn(
  option: string,
  exact: string | undefined,
  { pattern }: { readonly pattern: string | undefined },
): Promise<Wanted | null> {
  if (exact !== undefined && pattern !== undefined)
    throw new UsageError(`--${option} and --${option}-regexp contradict each other: name one of them`);
  if (exact === '' || pattern === '')
    throw new UsageError(`--${option}${exact === '' ? '' : '-regexp'}: expected a text, found an empty one`);
  if (exact !== undefined) return { exact };
  if (pattern === undefined) return null;
  const { parsePattern } = await import('../../policy/pattern.js');
  const parsed = parsePattern(pattern);
  if (typeof parsed === 'string')
    throw new UsageError(`--${option}-regexp: expected a regular expression (RE2): ${parsed}`);
  return parsed;
}

/** Bytes of the largest file with a key or a root. */
const FILE_BYTES = 4 * 1024 * 1024;

async function fileOf(option: string, file: string): Promise<Uint8Array> {
  if (file === '' || file === '-')
    throw new UsageError(
      `--${option}: expected a file, found ${file === '' ? 'an empty name' : '-: put what standard input has into a file'}`,
    );
  const scheme = /^([a-z][a-z0-9]*):\/\//.exec(file)?.[1];
  if (scheme !== undefined)
    throw new InputError(
      `--${option}: expected a file, found a reference of ${scheme}: waybill has no network`,
      file,
      'Export the public key first: cosign public-key --key REFERENCE > cosign.pub',
    );
  const read = await readBytes(file, FILE_BYTES);
  if ('reason' in read) throw new InputError(`--${option}: ${read.reason}`, file);
  return read.bytes;
}

type KeyProblem = NonNullable<ReturnType<Verify['readPublicKey']>['problem']>;

const KEY_PROBLEMS: Readonly<Record<KeyProblem, readonly [what: string, remedy: string]>> = {
  'not-a-key': [
    'expected a public key in PEM or DER, found none',
    'cosign generate-key-pair writes it as cosign.pub, beginning with -----BEGIN PUBLIC KEY-----.',
  ],
  'encrypted-key': [
    'expected a public key, found an encrypted private key; it was not read further',
    'Name the public key, cosign.pub. The private key belongs to the signer alone: keep it off this machine.',
  ],
  'private-key': [
    'expected a public key, found a private key; it was not read further',
    'Name the public key. Readers of this file can sign: if others could read it, make a new key.',
  ],
  'several-keys': [
    'expected one public key, found several',
    'Put each key into a file of its own, and repeat --key: one that verifies is enough.',
  ],
  'unsupported-key': [
    'expected a key of ECDSA (P-256, P-384, P-521), RSA or Ed25519, found another kind',
    'Keys of GPG, SSH and other curves verify no signature of cosign. Signatures of GPG are listed, and not verified.',
  ],
  'weak-key': ['expected an RSA key of at least 2048 bits, found a shorter one', 'Sign with a longer key.'],
};

async function loadKey(file: string, { readPublicKey }: Verify): Promise<TrustedKey> {
  const { value, problem } = readPublicKey(await fileOf('key', file));
  if (value !== undefined) return value;
  const [what, remedy] = KEY_PROBLEMS[problem];
  throw new InputError(`--key: ${what}`, file, remedy);
}

type RootProblem = NonNullable<ReturnType<Verify['readTrustedRoot']>['problem']>;

const ROOT_PROBLEMS: Readonly<Record<RootProblem, string>> = {
  'too-large': 'expected a trusted root, found a larger file than any',
  'not-a-root': "expected Sigstore's trusted_root.json, or certificates in PEM, found neither",
  'tuf-root': 'expected trusted_root.json, found a root of TUF, which signs that file',
  'bad-certificate': 'expected certificates in PEM, found one that cannot be read',
  'private-key': 'expected certificates, found a private key; it was not read further',
  'public-key': 'expected authorities and logs, found a public key',
  empty: 'expected a trusted root, found one without an authority and a log',
};

async function loadRoot(file: string, { readTrustedRoot }: Verify): Promise<TrustedRoot> {
  const { value, problem } = readTrustedRoot(await fileOf('trusted-root', file));
  if (value !== undefined) return value;
  const remedy =
    problem === 'public-key'
      ? 'Name a key with --key: it needs no trusted root.'
      : 'cosign trusted-root create writes one; ~/.sigstore/root holds that of the public instance.';
  throw new InputError(`--trusted-root: ${ROOT_PROBLEMS[problem]}`, file, remedy);
}

/** The files of a trust store, and the bytes of all together. */
const CERTIFICATE_FILE = /\.(?:pem|crt|cer)$/i;
const STORE_BYTES = 16 * FILE_BYTES;

const STORE_PROBLEMS: Readonly<Record<string, string>> = {
  'bad-certificate': 'expected certificates in PEM or DER, found one that cannot be read',
  'private-key': 'expected certificates, found a private key; it was not read further',
  'too-large': 'expected a trust store, found a larger one than any',
  empty: 'expected certificates (x509/ca/NAME/*.crt, or *.pem in the folder itself), found none',
};

async function loadStore(folder: string, { readNotationStore }: Verify): Promise<NotationStore> {
  const where = (path: string | null) => (path === null || path === '' ? folder : `${folder}/${path}`);
  if (folder === '') throw new UsageError('--notation-trust-store: expected a folder, found an empty name');
  const read = await readFolder(folder, CERTIFICATE_FILE, STORE_BYTES);
  if ('reason' in read) throw new InputError(`--notation-trust-store: ${read.reason}`, where(read.path));
  const { value, problem } = readNotationStore(read.files);
  if (value !== undefined) return value;
  const what = STORE_PROBLEMS[problem.code] ?? problem.code;
  throw new InputError(`--notation-trust-store: ${what}`, where(problem.path));
}
