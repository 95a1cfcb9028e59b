import { createPublicKey, type KeyObject } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { X509Certificate as ParsedCertificate, RFC3161Timestamp } from '@sigstore/core';
import { type SignedEntity, type TrustMaterial, VerificationError, Verifier } from '@sigstore/verify';
import { fromBase64 } from '../../spec/attestation.js';
import { isObject, type Json, own } from '../../spec/json.js';
import { jsonOf } from '../../spec/json-text.js';
import {
  type Certificate,
  certificateTimes,
  iso,
  isValidAt,
  mayBeForCode,
  pathsToRoots,
  readCertificate,
  readCertificates,
} from './certificates.js';
import { fingerprint, isSignedBy } from './keys.js';
import { isDigestOf, type Material, SIGNATURE_LINE } from './material.js';
import type { SigstoreRoot } from './trust.js';
import {
  type AuthorityKind,
  type CertificateTimes,
  type LogRecord,
  type Refused,
  refused,
  type Undecided,
  undecided,
} from './verification.js';

/** A time that a log or a timestamp authority vouches for. */
interface TrustedTime {
  readonly at: Date;
  readonly by: 'log' | 'timestamp';
}

export interface SigstoreProof {
  readonly signedAt: Date;
  readonly log: LogRecord | null;
}

type Failure = Refused | Undecided;

/**
 * Whether the log entries of a signature that a trusted key made are valid, by the logs of the root. There need not be
 * any, nor a time: the key is trusted at every time.
 */
export function keyLogFailure(material: Material, key: KeyObject, root: TrustMaterial): Failure | null {
  const { entries } = material;
  if (entries.length === 0) return null;
  const entity = entityOf({ ...material, timestamps: [] });
  return (
    unsupportedEntry(entries) ??
    attempt(
      () => {
        const verifier = new Verifier(withKey(root, key), { timestampThreshold: 0, ctlogThreshold: 0 });
        verifier.verify({ ...entity, key: { $case: 'public-key', hint: '' } });
      },
      error => logFailure(error, material, root, entity),
    ) ??
    logTrustFailure(material, root, logTimes(entries)) ??
    signerFailure(entries, null, key)
  );
}

/**
 * The proof that a certificate of the root's authorities was valid when it signed: log entries, time stamps, path and
 * certificate transparency. Two passes of the library: the first with the certificate's key as if it were trusted, for
 * a wrong log entry would otherwise be reported as a certificate that is not valid at the entry's time.
 */
export function certificateProof(
  material: Material,
  certificate: Certificate,
  { material: root, lists }: SigstoreRoot,
): SigstoreProof | Failure {
  const entity = attemptValue(() => entityOf(material));
  if (entity === null) return refused('malformed', { part: 'timestamp' });
  const times = trustedTimes(entity);
  // A private instance may have a timestamp authority and no log.
  const thresholds = { tlogThreshold: Number(lists.log), ctlogThreshold: Number(lists.certificateLog) };
  const { entries } = material;
  const failure =
    (entries.length === 0 && lists.log ? refused('log-entry-missing', {}) : null) ??
    unsupportedEntry(entries) ??
    attempt(
      () => {
        const verifier = new Verifier(withKey(root, certificate.key), {
          ...thresholds,
          timestampThreshold: 0,
        });
        verifier.verify({ ...entity, key: { $case: 'public-key', hint: '' } });
      },
      error => logFailure(error, material, root, entity),
    ) ??
    (times.length === 0 ? refused('timestamp-missing', {}) : null) ??
    logTrustFailure(material, root, times) ??
    signerFailure(entries, certificate, certificate.key) ??
    expiryFailure(certificate, times) ??
    (lists.certificateLog && certificatePromises(certificate)?.length === 0
      ? refused('certificate-log-missing', {})
      : null) ??
    attempt(
      () => {
        const parsed = ParsedCertificate.parse(Buffer.from(certificate.der));
        new Verifier(root, thresholds).verify({
          ...entity,
          key: { $case: 'certificate', certificate: parsed },
        });
      },
      () => pathFailure(certificate, root, times),
    );
  if (failure !== null) return failure;
  if (!mayBeForCode(certificate))
    return refused('certificate-unsuitable', {
      subject: certificate.subject,
      reason: 'not-for-code-signing',
    });
  const signedAt = new Date(Math.min(...times.map(({ at }) => at.getTime())));
  return { signedAt, log: logRecord(entries) };
}

/** The index is the one that is proven: by the promise, or by the proof of a log that gives none (Rekor v2). */
export const logRecord = ([entry]: readonly TransparencyLogEntry[]): LogRecord | null =>
  entry === undefined
    ? null
    : {
        log: entry.logId.keyId.toString('hex'),
        index: entry.inclusionPromise === undefined ? (entry.inclusionProof?.logIndex ?? '') : entry.logIndex,
        at: isTimed(entry) ? iso(integrated(entry)) : null,
      };

/** Runs a check of the library, which throws what it finds. Nothing that it throws passes for success. */
function attempt(check: () => void, explain: (error: unknown) => Failure): Failure | null {
  try {
    check();
    return null;
  } catch (error) {
    return explain(error);
  }
}

function attemptValue<T>(create: () => T): T | null {
  try {
    return create();
  } catch {
    return null;
  }
}

/** The library's view of a signature, and which parts of its log entries were found to differ from it. */
interface Entity extends Omit<SignedEntity, 'key'> {
  readonly different: ReadonlySet<'signature' | 'payload'>;
}

const withKey = (root: TrustMaterial, key: KeyObject): TrustMaterial => ({
  ...root,
  publicKey: () => ({ publicKey: key, validFor: () => true }),
});

/**
 * The library's view of a signature, except for the signature itself, which is verified by `isSignedBy`: the library
 * fails Ed25519, and ECDSA on P-384 and P-521. Of a DSSE envelope, an entry of kind `hashedrekord` (Rekor v2) has the
 * digest of what is signed, and every other the digest of the payload.
 */
function entityOf(material: Material): Entity {
  const { entries, payload, signed, signature, timestamps } = material;
  const logged = entries.map(({ kindVersion }) => (kindVersion.kind === 'hashedrekord' ? signed : payload));
  const different = new Set<'signature' | 'payload'>();
  const compared = (of: 'signature' | 'payload', isEqual: boolean) => {
    if (!isEqual) different.add(of);
    return isEqual;
  };
  return {
    different,
    signature: {
      signature,
      compareSignature: other => compared('signature', signature.equals(other)),
      compareDigest: digest =>
        compared(
          'payload',
          logged.every(bytes => isDigestOf(digest, bytes)),
        ),
      verifySignature: key => isSignedBy(key, signed, signature),
    },
    tlogEntries: [...entries],
    timestamps: [
      ...entries.filter(isTimed).map(tlogEntry => ({ $case: 'transparency-log' as const, tlogEntry })),
      ...timestamps.map(stamp => ({
        $case: 'timestamp-authority' as const,
        timestamp: RFC3161Timestamp.parse(Buffer.from(stamp)),
      })),
    ],
  };
}

/** The time of an entry is signed by the log's promise only. */
const isTimed = ({ integratedTime, inclusionPromise }: TransparencyLogEntry): boolean =>
  inclusionPromise !== undefined && integratedTime !== '0';

const integrated = ({ integratedTime }: TransparencyLogEntry): Date =>
  new Date(Number(integratedTime) * 1000);

const logTimes = (entries: readonly TransparencyLogEntry[]): TrustedTime[] =>
  entries.filter(isTimed).map(entry => ({ at: integrated(entry), by: 'log' }));

function trustedTimes({ timestamps, tlogEntries }: Entity): TrustedTime[] {
  const stamps = timestamps.flatMap(stamp =>
    stamp.$case === 'timestamp-authority' ? (attemptValue(() => stamp.timestamp.signingTime) ?? []) : [],
  );
  return [...logTimes(tlogEntries), ...stamps.map(at => ({ at, by: 'timestamp' as const }))];
}

/** Kinds and versions of entries that the library compares with a signature. */
const ENTRY_KINDS: ReadonlySet<string> = new Set([
  'hashedrekord 0.0.1',
  'hashedrekord 0.0.2',
  'dsse 0.0.1',
  'dsse 0.0.2',
  'intoto 0.0.2',
]);

function unsupportedEntry(entries: readonly TransparencyLogEntry[]): Failure | null {
  const kinds = entries.map(({ kindVersion: { kind, version } }) => `${kind} ${version}`);
  const unknown = kinds.find(kind => !ENTRY_KINDS.has(kind));
  return unknown === undefined ? null : undecided('log-entry-unsupported', { entry: unknown.slice(0, 100) });
}

type Stamps = SignedEntity['timestamps'];

/** Why the first pass failed: a log entry, a time stamp, or the signature itself. */
function logFailure(error: unknown, material: Material, root: TrustMaterial, entity: Entity): Failure {
  switch (error instanceof VerificationError ? error.code : null) {
    case 'TIMESTAMP_ERROR':
      return stampFailure(entity.timestamps, root);
    case 'TLOG_INCLUSION_PROMISE_ERROR':
      return unknownLog(material, root) ?? refused('log-promise-invalid', {});
    case 'TLOG_INCLUSION_PROOF_ERROR': {
      const isSigned = material.entries.every(entry => hasSignedCheckpoint(entry, root.tlogs));
      return (
        unknownLog(material, root) ?? refused('log-proof-invalid', { of: isSigned ? 'proof' : 'checkpoint' })
      );
    }
    case 'TLOG_MISSING_INCLUSION_ERROR':
      return refused('log-proof-missing', {});
    case 'TLOG_BODY_ERROR':
      return refused('log-entry-mismatch', { of: [...entity.different][0] ?? 'body' });
    case 'TLOG_ERROR':
      return refused('log-entry-missing', {});
    case 'SIGNATURE_ERROR':
      return refused('signature-invalid', { key: null });
    default:
      return refused('malformed', { part: material.entries.length > 0 ? 'log-entry' : 'timestamp' });
  }
}

/** Whether one of the logs signed the entry's checkpoint, a signed note: its text, an empty line, signatures. */
function hasSignedCheckpoint(
  { inclusionProof }: TransparencyLogEntry,
  logs: TrustMaterial['tlogs'],
): boolean {
  const checkpoint = inclusionProof?.checkpoint?.envelope ?? '';
  const end = checkpoint.indexOf('\n\n') + 1;
  const signatures = [...checkpoint.slice(end).matchAll(SIGNATURE_LINE)].map(([, , base64]) =>
    fromBase64(base64!),
  );
  return logs.some(({ logID, publicKey }) =>
    signatures.some(
      bytes =>
        bytes !== null &&
        logID.subarray(0, KEY_HINT).equals(bytes.subarray(0, KEY_HINT)) &&
        isSignedBy(publicKey, Buffer.from(checkpoint.slice(0, end)), bytes.subarray(KEY_HINT)),
    ),
  );
}

/** Bytes before a checkpoint's signature that name the key. */
const KEY_HINT = 4;

/** The first entry of a log that the root does not have, or not for the time of the entry. */
function unknownLog({ entries }: Material, root: TrustMaterial): Undecided | null {
  for (const entry of entries) {
    const logs = root.tlogs.filter(({ logID }) => logID.equals(entry.logId.keyId));
    if (logs.length === 0) return unknownAuthority('log', entry.logId.keyId);
    if (isTimed(entry) && !logs.some(log => covers(log, integrated(entry))))
      return undecided('authority-time', { of: 'log', at: iso(integrated(entry)) });
  }
  return null;
}

const unknownAuthority = (of: AuthorityKind, id: Uint8Array): Undecided =>
  undecided('authority-unknown', { of, id: Buffer.from(id).toString('hex') });

const covers = (
  { validFor }: TrustMaterial['tlogs'][number] | TrustMaterial['certificateAuthorities'][number],
  at: Date,
) => validFor.start <= at && at <= validFor.end;

/**
 * Whether each entry is in the log that it names, at a time for which that log is trusted. The library takes a
 * checkpoint of any log of the root, and does not compare the time of a log whose entry has a proof and no promise: the
 * key of a retired log would vouch for entries of today.
 */
function logTrustFailure(
  { entries }: Material,
  root: TrustMaterial,
  times: readonly TrustedTime[],
): Failure | null {
  for (const entry of entries) {
    const logs = root.tlogs.filter(({ logID }) => logID.equals(entry.logId.keyId));
    if (logs.length === 0) return unknownAuthority('log', entry.logId.keyId);
    const trusted = logs.filter(log => times.every(({ at }) => covers(log, at)));
    if (trusted.length === 0)
      return undecided('authority-time', { of: 'log', at: iso((times[0] ?? { at: integrated(entry) }).at) });
    if (entry.inclusionProof !== undefined && !hasSignedCheckpoint(entry, trusted))
      return refused('log-proof-invalid', { of: 'checkpoint' });
  }
  return null;
}

function stampFailure(stamps: Stamps, root: TrustMaterial): Failure {
  for (const stamp of stamps) {
    if (stamp.$case !== 'timestamp-authority') continue;
    const { timestamp } = stamp;
    const signer = attemptValue(() => ({
      serial: timestamp.signerSerialNumber,
      issuer: timestamp.signerIssuer,
      at: timestamp.signingTime,
    }));
    if (signer === null) return refused('malformed', { part: 'timestamp' });
    const named = root.timestampAuthorities.filter(
      ({ certChain: [leaf] }) =>
        leaf?.serialNumber.equals(signer.serial) && leaf.issuer.equals(signer.issuer),
    );
    if (named.length === 0) return unknownAuthority('timestamp-authority', signer.serial);
    if (!named.some(authority => covers(authority, signer.at)))
      return undecided('authority-time', { of: 'timestamp-authority', at: iso(signer.at) });
  }
  return refused('timestamp-invalid', {});
}

function expiryFailure(certificate: Certificate, times: readonly TrustedTime[]): Refused | null {
  const outside = times.find(({ at }) => !isValidAt(certificate, at));
  if (outside === undefined) return null;
  const data: CertificateTimes = certificateTimes(certificate, outside.at, outside.by);
  return refused('certificate-expired', data);
}

/** Why the second pass failed, where the first one did not: the path to an authority, or certificate transparency. */
function pathFailure(certificate: Certificate, root: TrustMaterial, times: readonly TrustedTime[]): Failure {
  const authorities = root.certificateAuthorities.filter(({ certChain }) => leadsTo(certificate, certChain));
  const untimely = times.find(({ at }) => !authorities.some(authority => covers(authority, at)));
  if (authorities.length === 0) return refused('certificate-untrusted', { issuer: certificate.issuer });
  if (untimely !== undefined)
    return undecided('authority-time', { of: 'certificate-authority', at: iso(untimely.at) });
  return certificateLogFailure(certificate, root);
}

/** Whether a path of names and signatures leads to the authority. */
function leadsTo(
  certificate: Certificate,
  chain: TrustMaterial['certificateAuthorities'][number]['certChain'],
): boolean {
  const trusted = chain.map(({ root }) => readCertificate(root.toDER())).filter(one => one !== null);
  return pathsToRoots(certificate, trusted, trusted.slice(-1)).length > 0;
}

/** The promises of certificate logs in a certificate; null where they are malformed. */
const certificatePromises = ({ der }: Certificate) =>
  attemptValue(() => ParsedCertificate.parse(Buffer.from(der)).extSCT?.signedCertificateTimestamps ?? []);

/** The promise of a certificate log that the root does not have, or not for that time; or that is not valid. */
function certificateLogFailure(certificate: Certificate, root: TrustMaterial): Failure {
  for (const { logID, datetime } of certificatePromises(certificate) ?? []) {
    const logs = root.ctlogs.filter(log => log.logID.equals(logID));
    if (logs.length === 0) return unknownAuthority('certificate-log', logID);
    if (!logs.some(log => covers(log, datetime)))
      return undecided('authority-time', { of: 'certificate-log', at: iso(datetime) });
  }
  return refused('certificate-log-invalid', {});
}

/**
 * Whether each entry names the signer. The library compares signature and digest only, and the same signature can be
 * made to verify with a key that was chosen for it.
 */
function signerFailure(
  entries: readonly TransparencyLogEntry[],
  certificate: Certificate | null,
  key: KeyObject,
): Refused | null {
  const isNamed = entries.every(entry => {
    const signer = entrySigner(entry);
    if (signer === null) return false;
    return 'key' in signer
      ? fingerprint(signer.key) === fingerprint(key)
      : certificate !== null
        ? signer.certificate.der.equals(certificate.der)
        : fingerprint(signer.certificate.key) === fingerprint(key);
  });
  return isNamed ? null : refused('log-entry-mismatch', { of: 'signer' });
}

type EntrySigner = { readonly certificate: Certificate } | { readonly key: KeyObject };

/** The key of the signer that the first entry names, in hexadecimal SHA-256; null where there is none. */
export function loggedKey([entry]: readonly TransparencyLogEntry[]): string | null {
  const signer = entry === undefined ? null : entrySigner(entry);
  if (signer === null) return null;
  return fingerprint('key' in signer ? signer.key : signer.certificate.key);
}

/** Where each kind of entry has its signer: PEM in base64; in Rekor v2 the DER in base64. */
const SIGNERS: Readonly<Record<string, readonly (string | number)[]>> = {
  'hashedrekord 0.0.1': ['signature', 'publicKey', 'content'],
  'dsse 0.0.1': ['signatures', 0, 'verifier'],
  'intoto 0.0.2': ['content', 'envelope', 'signatures', 0, 'publicKey'],
  'hashedrekord 0.0.2': ['hashedRekordV002', 'signature', 'verifier'],
  'dsse 0.0.2': ['dsseV002', 'signatures', 0, 'verifier'],
};
const BODY_DEPTH = 100;

function entrySigner({
  kindVersion: { kind, version },
  canonicalizedBody,
}: TransparencyLogEntry): EntrySigner | null {
  const way = SIGNERS[`${kind} ${version}`];
  const body = jsonOf(canonicalizedBody, BODY_DEPTH);
  const named = way === undefined ? undefined : valueAt(body, ['spec', ...way]);
  if (typeof named === 'string') return pemSigner(fromBase64(named));
  const [certificate, key] = ['x509Certificate', 'publicKey'].map(name => valueAt(named, [name, 'rawBytes']));
  if (typeof certificate === 'string') return derSigner(fromBase64(certificate), 'CERTIFICATE');
  return typeof key === 'string' ? derSigner(fromBase64(key), 'PUBLIC KEY') : null;
}

function valueAt(value: Json | undefined, way: readonly (string | number)[]): Json | undefined {
  let at = value;
  for (const step of way) {
    if (typeof step === 'number') at = Array.isArray(at) ? at[step] : undefined;
    else at = isObject(at) ? own(at, step) : undefined;
  }
  return at;
}

const derSigner = (der: Uint8Array | null, label: string): EntrySigner | null =>
  der === null
    ? null
    : pemSigner(
        Buffer.from(
          `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`,
        ),
      );

function pemSigner(pem: Uint8Array | null): EntrySigner | null {
  const text = Buffer.from(pem ?? []).toString('latin1');
  if (text.includes('BEGIN CERTIFICATE-')) {
    // Rekor keeps the chain that the client sent, the signer's certificate first.
    const certificate = readCertificates(text)?.[0];
    return certificate === undefined ? null : { certificate };
  }
  if (!/^-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(text)) return null;
  return attemptValue(() => ({ key: createPublicKey(text) }));
}
