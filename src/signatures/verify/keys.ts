import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { fromBase64 } from '../../spec/attestation.js';
import type { KeyAlgorithm, Read, TrustedKey } from './trust.js';

/** Why a file is no key that can verify. */
export type KeyProblem =
  | 'not-a-key'
  /** A private key that a password protects, such as cosign.key. It is not read. */
  | 'encrypted-key'
  /** A private key. It is not read. */
  | 'private-key'
  | 'several-keys'
  /** A key of another kind: GPG, SSH, DSA, another curve. */
  | 'unsupported-key'
  /** An RSA key of fewer than 2048 bits. */
  | 'weak-key';

/** Size of the largest file with a key, in bytes: RSA of 16384 bits is 3 KB of PEM. */
const KEY_BYTES = 64 * 1024;
const RSA_BITS = 2048;

/**
 * The public key in a file: PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`, or `CERTIFICATE`, of which only the key is used), or
 * the DER of a SubjectPublicKeyInfo. Hazard: Node makes a public key of a private one without a word, so the labels are
 * read first, and of a file with a private key nothing more.
 */
export function readPublicKey(bytes: Uint8Array): Read<TrustedKey, KeyProblem> {
  if (bytes.length > KEY_BYTES) return { problem: 'not-a-key' };
  const text = Buffer.from(bytes).toString('latin1');
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----/g)].map(([, label]) => label!);
  const secret = labels.find(label => label.includes('PRIVATE KEY'));
  if (secret !== undefined)
    return { problem: secret.includes('ENCRYPTED') ? 'encrypted-key' : 'private-key' };
  if (/-----BEGIN PGP |^(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ /.test(text)) return { problem: 'unsupported-key' };
  if (labels.length === 0) return trustedKey(() => publicKeyOfDer(bytes, 'spki'), false);
  if (labels.length > 1) return { problem: 'several-keys' };
  return keyOfBlock(text);
}

function keyOfBlock(text: string): Read<TrustedKey, KeyProblem> {
  const [block] = pemBlocks(text, 1);
  const der = block === undefined ? null : fromBase64(block.base64);
  if (block === undefined || der === null) return { problem: 'not-a-key' };
  switch (block.label) {
    case 'PUBLIC KEY':
      return trustedKey(() => publicKeyOfDer(der, 'spki'), false);
    case 'RSA PUBLIC KEY':
      return trustedKey(() => publicKeyOfDer(der, 'pkcs1'), false);
    case 'CERTIFICATE':
      return trustedKey(
        () => createPublicKey(`-----BEGIN CERTIFICATE-----\n${block.base64}\n-----END CERTIFICATE-----\n`),
        true,
      );
    default:
      return { problem: 'not-a-key' };
  }
}

function publicKeyOfDer(der: Uint8Array, type: 'spki' | 'pkcs1'): KeyObject {
  return createPublicKey({ key: Buffer.from(der), format: 'der', type });
}

function trustedKey(create: () => KeyObject, fromCertificate: boolean): Read<TrustedKey, KeyProblem> {
  try {
    const key = create();
    const algorithm = keyAlgorithm(key);
    if (algorithm === null) return { problem: 'unsupported-key' };
    if (isWeak(key)) return { problem: 'weak-key' };
    return { value: { fingerprint: fingerprint(key), algorithm, key, fromCertificate } };
  } catch {
    return { problem: 'not-a-key' };
  }
}

const CURVES: Readonly<Record<string, KeyAlgorithm>> = {
  prime256v1: 'ecdsa-p256',
  secp384r1: 'ecdsa-p384',
  secp521r1: 'ecdsa-p521',
};

/** @returns null for a key of a kind that no signature here is made with */
export function keyAlgorithm(key: KeyObject): KeyAlgorithm | null {
  if (key.asymmetricKeyType === 'ec') return CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? null;
  return key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'ed25519'
    ? key.asymmetricKeyType
    : null;
}

export const isWeak = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS;

/** SHA-256 of its SubjectPublicKeyInfo, in hexadecimal. */
export const fingerprint = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');

/**
 * Whether it is the key's signature of the bytes, as cosign makes them: ECDSA in DER, RSA PKCS #1 v1.5, or Ed25519. The
 * digest is SHA-256 unless cosign was told otherwise (`--signing-algorithm`), and newer clients take that of the curve,
 * so each of SHA-2's is tried: none is weak.
 */
export function isSignedBy(key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = keyAlgorithm(key);
  if (algorithm === null || isWeak(key)) return false;
  const digests = algorithm === 'ed25519' ? [null] : ['sha256', 'sha384', 'sha512'];
  return digests.some(digest => {
    try {
      return verify(digest, data, key, signature);
    } catch {
      return false;
    }
  });
}

export interface PemBlock {
  readonly label: string;
  /** The text between the lines, without white space. */
  readonly base64: string;
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const DASHES = '-----';

/** The blocks of a PEM text (RFC 7468), up to `most` of them. Each character is passed over once. */
export function pemBlocks(text: string, most: number): PemBlock[] {
  const blocks: PemBlock[] = [];
  let at = 0;
  while (blocks.length < most) {
    const begin = text.indexOf(BEGIN, at);
    const body = begin < 0 ? -1 : text.indexOf(DASHES, begin + BEGIN.length);
    const end = body < 0 ? -1 : text.indexOf(END, body);
    if (end < 0) break;
    const label = text.slice(begin + BEGIN.length, body);
    const base64 = text.slice(body + DASHES.length, end).replaceAll(/\s+/g, '');
    at = end + END.length;
    blocks.push(text.startsWith(label + DASHES, at) ? { label, base64 } : { label: '', base64 });
  }
  return blocks;
}
