import { limitText } from '../limits.js';
import type { SignatureFailure } from '../link/observation.js';
import type { SignatureProblem } from '../signatures/signature.js';
import type { Indecisions, Refusals } from '../signatures/verify/verification.js';
import type { Rules } from './rule.js';

/** Why a signature was not read or does not verify: every cause and its data. */
type Causes = Refusals & Indecisions & { readonly [P in SignatureProblem as P['code']]: Omit<P, 'code'> };

/** `SHA256:…` as tools write the fingerprint of a key; whole, so that it can be compared. */
export const keyName = (fingerprint: string): string => `SHA256:${fingerprint}`;

const PARTS: Readonly<Record<string, string>> = {
  json: 'it is no JSON',
  envelope: 'its DSSE envelope has other fields than payload, payloadType and signatures, or is absent',
  statement: 'the payload of its envelope is no in-toto statement of version 0.1 or 1',
  bundle:
    'its Sigstore bundle has no verification material, or not exactly one envelope or message signature that can be read',
  payload: 'its payload names no digest of a manifest, or is not of the type that this format signs',
  signature: 'its signature is absent or no base64 (annotation dev.cosignproject.cosign/signature)',
  certificate: 'its certificate cannot be read',
  chain: 'the certificates above that of the signer cannot be read',
  'log-entry': 'the entry of its transparency log cannot be read',
  timestamp: 'its timestamp cannot be read (RFC 3161)',
  jws: 'it is no JWS as the Notary Project defines it',
  cose: 'it is no COSE_Sign1 message as the Notary Project defines it',
  file: 'it is in no known format of signatures',
};

const FLAWS: Readonly<Record<string, string>> = {
  'not-for-signing': 'its key usage does not allow signatures',
  'not-for-code-signing': 'its extended key usage does not allow the signing of code',
  'not-an-authority': 'it may not issue certificates',
  'path-too-long': 'more authorities follow it than it allows',
  'weak-key': 'its key is too short',
  'unsupported-key': 'its key is of a kind that waybill cannot judge',
  'weak-signature': 'it is signed with MD5 or SHA-1',
  order: 'its chain is not in order',
};

const AUTHORITIES: Readonly<Record<string, string>> = {
  log: 'transparency log',
  'certificate-log': 'certificate transparency log',
  'certificate-authority': 'certificate authority',
  'timestamp-authority': 'timestamp authority',
};

const OPTIONS: Readonly<Record<string, string>> = {
  key: '--key',
  identity: '--certificate-identity and --certificate-oidc-issuer',
  'trusted-root': '--trusted-root',
  'notation-trust-store': '--notation-trust-store',
};

const TIMES: Readonly<Record<string, string>> = {
  log: 'by the log entry',
  timestamp: 'by the timestamp',
  'signing-authority': 'by the signing authority',
  clock: 'by the clock of this machine, because no log or timestamp says when',
};

const CAUSES: { readonly [C in keyof Causes]: (data: Causes[C]) => string } = {
  'blob-missing': d => `its blob ${d.digest ?? '(no digest)'} is not in the archive`,
  limit: d => limitText({ limit: d.limit, value: d.value, seen: d.size }),
  unreadable: d => `its bytes cannot be read: ${d.reason}`,
  malformed: d => PARTS[d.part] ?? d.part,
  'too-large': d => `it has ${d.found} ${d.of.replaceAll('-', ' ')}, and at most ${d.most} are read`,
  'bundle-version-unknown': d => `its bundle is of an unknown version (${JSON.stringify(d.mediaType)})`,
  'signature-invalid': d =>
    d.key === null
      ? 'no given key has made it of these bytes: another key made it, or the payload was changed'
      : `it is no signature of these bytes by its own key ${keyName(d.key)}: payload or signature was changed`,
  'key-mismatch': d =>
    `expected the key ${d.keys.map(keyName).join(' or ')}, found ${d.signedBy === null ? 'another one' : keyName(d.signedBy)}`,
  'payload-mismatch': () => 'the signed bytes are not those of its envelope or of the digest that it names',
  'identity-mismatch': d =>
    `its certificate does not have the given identity: found ${d.identities.join(', ') || 'none'}`,
  'issuer-mismatch': d =>
    `the given issuer did not confirm ${d.identity}: found ${d.issuer === null ? 'no issuer' : `the issuer ${d.issuer}`}`,
  'certificate-expired': d =>
    `the certificate of ${d.subject || 'the signer'} was valid from ${d.notBefore} to ${d.notAfter}, and not at ${d.at} (${TIMES[d.by] ?? d.by})`,
  'certificate-untrusted': d => `its certificate leads to no trusted authority: it was issued by ${d.issuer}`,
  'certificate-unsuitable': d =>
    `the certificate of ${d.subject || 'the signer'} may not be used so: ${FLAWS[d.reason] ?? d.reason}`,
  'certificate-log-missing': () => 'its certificate has no proof of a certificate transparency log',
  'certificate-log-invalid': () =>
    'the proof of the certificate transparency log in its certificate is not valid',
  'log-entry-missing': () => 'it has no entry of a transparency log',
  'log-entry-mismatch': d => `its log entry is about another ${d.of}`,
  'log-promise-invalid': () =>
    "the log's signature of its entry (SignedEntryTimestamp) is not valid: time, index or body was changed",
  'log-proof-invalid': d =>
    d.of === 'checkpoint'
      ? 'the checkpoint of its log entry is not signed by the log'
      : 'the proof that its entry is in the log is not valid',
  'log-proof-missing': () => 'its log entry has neither a promise nor a proof of the log',
  'timestamp-missing': () => 'neither a log nor a timestamp authority says when it was made',
  'timestamp-invalid': () => 'its timestamp is not valid',
  'timestamp-untrusted': () => 'no trusted timestamp authority made its timestamp',
  'signature-expired': d => `it expired at ${d.expiry} by its own attribute; it is ${d.now} now`,
  'attribute-unsupported': d =>
    `its signed attribute ${d.name} has a value that must be known and is not: ${JSON.stringify(d.value)}`,
  'attribute-missing': d => `its signed attribute ${d.name} is absent`,
  'algorithm-mismatch': d =>
    `its algorithm is not that of its key: expected ${d.required ?? 'none'}, found ${d.algorithm}`,
  'no-trust': d =>
    `nothing that was given can verify it: it needs ${d.needs.map(need => OPTIONS[need] ?? need).join(' and ')}`,
  'gpg-not-verified': () => 'it is a signature of GPG, which waybill lists and does not verify',
  'not-readable': () => 'it cannot be read',
  'authority-unknown': d =>
    `the trusted root does not have its ${AUTHORITIES[d.of] ?? d.of} ${d.id}: it is older than the signature, or of another instance`,
  'authority-time': d =>
    `the trusted root does not trust its ${AUTHORITIES[d.of] ?? d.of} for the time of the signature, ${d.at}`,
  'log-entry-unsupported': d => `its log entry is of a kind that waybill cannot judge: ${d.entry}`,
  'certificate-unsupported': d =>
    `the certificate of ${d.subject || 'the signer'} has a critical extension that waybill cannot judge: ${d.extension}`,
};

/** Why a signature was not read, does not verify or cannot be judged, as the end of a sentence. */
export function causeText(cause: string, details: Readonly<Record<string, unknown>>): string {
  const text = (CAUSES as unknown as Readonly<Record<string, (data: object) => string>>)[cause];
  return text?.(details) ?? cause;
}

const more = ({ more: count }: { readonly more: number }): string =>
  count === 0 ? '' : ` (and ${count} more of its signatures likewise)`;

const failure = (d: SignatureFailure): string => `${causeText(d.cause, d.details)}${more(d)}`;

const signsText = (signs: readonly string[], count: number): string => {
  if (count === 0) return 'nothing that has a digest';
  const rest = count - signs.length;
  return `${signs.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
};

const COUNTS =
  'A signature counts for an image if it verifies with what was given (--key, --certificate-identity, --notation-trust-store), and if its payload names the digest of the bytes of the manifest, or of an index or an attestation in the archive that leads to it (docs/signatures.md).';

export const signatureRules: Rules<
  | 'image-unsigned'
  | 'signed-image-missing'
  | 'signature-unverified'
  | 'signature-other-digest'
  | 'signature-unreadable'
  | 'signature-invalid'
  | 'signer-mismatch'
  | 'signature-expired'
  | 'signature-certificate-invalid'
  | 'signature-log-missing'
  | 'signature-log-invalid'
  | 'trusted-root-outdated'
  | 'signature-undecided'
> = {
  'image-unsigned': {
    severity: 'error',
    verdict: null,
    message: d => {
      if (d.engines.length > 0)
        return `${d.engines.join(', ')} ${d.engines.length === 1 ? 'loads' : 'load'} an image from this file that no signature covers`;
      const [other] = d.others;
      if (other !== undefined)
        return `the manifest is signed, and ${other}${d.others.length === 1 ? ', which it names, has' : ` and ${d.others.length - 1} more that it names have`} other bytes here`;
      const attested =
        d.attestations === 0
          ? ''
          : `; ${d.attestations === 1 ? 'an attestation states' : `${d.attestations} attestations state`} something about it, which signs nothing`;
      return d.digest === null
        ? 'unsigned: the image has no manifest here, and signatures are about the digest of a manifest'
        : `unsigned: no signature in the archive is about ${d.digest}${attested}`;
    },
    explain: `${COUNTS} This image has no signature in the archive. The signature may have been left behind: docker save and skopeo copy to a tar without its registry's signatures write none; cosign save, skopeo copy to dir: and oras copy -r take them along. The format of docker save before 25 has no manifest, so nothing in it can be signed. Where engines are named, they read another document of the file than the one that is signed. Where the manifest is signed, its config or a layer was changed or damaged afterwards.`,
  },
  'signed-image-missing': {
    severity: 'error',
    verdict: null,
    message: () => 'expected a signed image, found no image in the archive',
    explain:
      'Signatures are required, and the archive holds no image that could be signed. An empty archive must not pass a gate.',
  },
  'signature-unverified': {
    severity: 'warning',
    verdict: null,
    message: d =>
      `the image has ${d.count === 1 ? 'a signature' : `${d.count} signatures`}, not verified: --key, --certificate-identity or --notation-trust-store says whose signature is wanted`,
    explain:
      'With --require-signature alone, a signature must be there that names the digest of the image. Signatures of unknown keys are as easily made as archives, so this proves nothing about the signer. Name a key, an identity or a trust store, and it is verified.',
  },
  'signature-other-digest': {
    severity: 'error',
    verdict: null,
    message: d =>
      `the ${d.role}${d.verified ? ' verifies, and' : ''} is about another digest: expected ${d.expected ?? 'that of an image in the archive'}, found ${signsText(d.signs, d.count)}${more(d)}`,
    explain: `${COUNTS} This signature or attestation is attached to the image, by its place, its tag or its subject, or is attached to nothing, and its payload names another digest. The manifest was replaced or changed after it was signed, or the signature of another image was attached to it. If it verifies, its owner has signed something, and not this image.`,
  },
  'signature-unreadable': {
    severity: 'error',
    verdict: null,
    message: d => `this signature (${d.format}) cannot be read: ${failure(d)}`,
    explain:
      'Something is marked as a signature, by its media type, by the annotation kind, by its tag or by its file name, and cannot be read as one. It may be damaged, cut short, or larger than a limit. It does not count.',
  },
  'signature-invalid': {
    severity: 'error',
    verdict: null,
    message: d => `this signature (${d.format}) does not verify: ${failure(d)}`,
    explain:
      'The signature was not made of these bytes by the key that is trusted or that it names. The payload was changed after it was signed, the signature was changed or belongs to another payload, or, if the signature does not say which key made it, the key is another one. Do not trust the image.',
  },
  'signer-mismatch': {
    severity: 'error',
    verdict: null,
    message: d => `another signer made this signature (${d.format}): ${failure(d)}`,
    explain:
      'The signature may be good, and was made by another key or identity than the ones that were given. An exact identity is compared as a whole; a regular expression (--certificate-identity-regexp, RE2) is searched for, as in cosign: ^ and $ anchor it.',
  },
  'signature-expired': {
    severity: 'error',
    verdict: null,
    message: d => `this signature (${d.format}) was not made while its certificate was valid: ${failure(d)}`,
    explain:
      'The certificate was not valid when the signature was made, by the time of its log entry or timestamp; or, for the Notary Project and private authorities without a timestamp, it is not valid now. Certificates of Sigstore are valid for ten minutes, and the log entry proves that the signature was made within them.',
  },
  'signature-certificate-invalid': {
    severity: 'error',
    verdict: null,
    message: d => `the certificate of this signature (${d.format}) is not trusted: ${failure(d)}`,
    explain:
      'The certificate does not lead to an authority of the trusted root or trust store, may not be used to sign, or lacks the proof of a certificate transparency log. It was made by another authority, or was changed.',
  },
  'signature-log-missing': {
    severity: 'error',
    verdict: null,
    message: d => `this signature (${d.format}) has no proof of its time: ${failure(d)}`,
    explain:
      'A signature with a certificate of Sigstore needs an entry of a transparency log or a timestamp, because its certificate is valid for minutes: they prove when it was made. They were not stored with the signature (cosign sign --tlog-upload=false), or were removed.',
  },
  'signature-log-invalid': {
    severity: 'error',
    verdict: null,
    message: d => `the log entry or timestamp of this signature (${d.format}) is not valid: ${failure(d)}`,
    explain:
      'The entry of the transparency log, or the timestamp, that lies beside the signature was not signed by a log or an authority of the trusted root, or is about another signature. Its time, index, payload or proof was changed, or it belongs to another signature.',
  },
  'trusted-root-outdated': {
    severity: 'error',
    verdict: null,
    message: d => `the trusted root cannot judge this signature (${d.format}): ${failure(d)}`,
    explain:
      'The signature names an authority or a log that the file of --trusted-root does not have, or does not trust for that time. The trusted root is older than the signature, or of another instance of Sigstore. Take a current trusted_root.json (cosign trusted-root create, or the TUF repository of the instance) across by a way that you trust.',
  },
  'signature-undecided': {
    severity: 'error',
    verdict: null,
    message: d => `this signature (${d.format}) cannot be judged: ${failure(d)}`,
    explain:
      'With what was given, or by this program, it cannot be decided whether the signature is good: it needs another option, it is a signature of GPG, or it has a log entry or certificate of a kind that waybill does not know. A signature that cannot be judged does not count.',
  },
};
