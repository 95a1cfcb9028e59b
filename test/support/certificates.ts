// Certificates, keys and time stamps, made here: DER is written by hand, because Node only reads it.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export type KeyKind = 'P-256' | 'P-384' | 'P-521' | 'ed25519' | 'rsa' | 'rsa-3072' | 'rsa-1024';

export function makeKey(kind: KeyKind = 'P-256'): KeyPair {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519');
  if (!kind.startsWith('rsa')) return generateKeyPairSync('ec', { namedCurve: kind });
  return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(4) || 2048) });
}

export const spki = ({ publicKey }: KeyPair): Buffer => publicKey.export({ type: 'spki', format: 'der' });
export const publicPem = ({ publicKey }: KeyPair): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();

export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const length =
    content.length < 128
      ? Buffer.of(content.length)
      : content.length < 256
        ? Buffer.of(0x81, content.length)
        : Buffer.of(0x82, content.length >> 8, content.length & 255);
  return Buffer.concat([Buffer.of(tag), length, content]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => der(0x30, ...items);
export const set = (...items: readonly Uint8Array[]): Buffer => der(0x31, ...items);
export const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes);
export const integer = (value: number): Buffer => der(0x02, Buffer.of(value));
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const boolean = der(0x01, Buffer.of(255));

export function oid(text: string): Buffer {
  const [first, second, ...rest] = text.split('.').map(Number);
  const bytes = [first! * 40 + second!];
  for (const arc of rest) {
    const groups = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left % 128) + 128);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

const digits = (time: string): string => time.replaceAll(/[-:T]/g, '');
/** @param time  `2024-01-01T00:00:00Z` */
export const generalizedTime = (time: string): Buffer => der(0x18, Buffer.from(digits(time)));

const name = (common: string): Buffer =>
  common === '' ? sequence() : sequence(set(sequence(oid('2.5.4.3'), utf8(common))));

/** Purposes of extended key usage. */
export const [CODE_SIGNING, SERVER, TIME_STAMPING] = [
  '1.3.6.1.5.5.7.3.3',
  '1.3.6.1.5.5.7.3.1',
  '1.3.6.1.5.5.7.3.8',
];

export interface CertificatePlan {
  readonly subject?: string;
  readonly key?: KeyPair;
  /** null: signed by itself. */
  readonly issuer?: MadeCertificate | null;
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** An authority, with its path length where that is a number. */
  readonly authority?: boolean | number;
  /** Bits of keyUsage; null for no such extension. */
  readonly usage?: readonly number[] | null;
  readonly purposes?: readonly string[] | null;
  readonly email?: string;
  /** Fulcio's extension. */
  readonly provider?: string;
  /** An extension that is marked critical: its OID and value. */
  readonly critical?: readonly [string, Buffer];
  /** The extension for key usage stands twice. */
  readonly twice?: boolean;
  readonly hash?: 'sha256' | 'sha1';
}

export interface MadeCertificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly subject: string;
  readonly keys: KeyPair;
}

const extension = (id: string, value: Uint8Array, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [boolean] : []), octets(value));

function bitString(bits: readonly number[]): Buffer {
  const bytes = Buffer.alloc(Math.floor(Math.max(...bits) / 8) + 1);
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return der(0x03, Buffer.of(7 - (Math.max(...bits) & 7)), bytes);
}

function extensions(plan: CertificatePlan): Buffer[] {
  const { authority, email, provider, critical } = plan;
  const usage = plan.usage === undefined ? [authority === undefined ? 0 : 5] : plan.usage;
  const purposes =
    plan.purposes === undefined ? (authority === undefined ? [CODE_SIGNING!] : null) : plan.purposes;
  const constraints =
    authority === undefined
      ? []
      : [sequence(boolean, ...(typeof authority === 'number' ? [integer(authority)] : []))];
  return [
    ...constraints.map(value => extension('2.5.29.19', value, true)),
    ...(usage === null ? [] : [extension('2.5.29.15', bitString(usage), true)]),
    ...(plan.twice === true ? [extension('2.5.29.15', bitString([0]), true)] : []),
    ...(purposes === null ? [] : [extension('2.5.29.37', sequence(...purposes.map(oid)))]),
    ...(email === undefined ? [] : [extension('2.5.29.17', sequence(der(0x81, Buffer.from(email))), true)]),
    ...(provider === undefined ? [] : [extension('1.3.6.1.4.1.57264.1.8', utf8(provider))]),
    ...(critical === undefined ? [] : [extension(...critical, true)]),
  ];
}

const algorithm = ({ privateKey }: KeyPair, hash: 'sha256' | 'sha1'): Buffer => {
  if (privateKey.asymmetricKeyType === 'rsa')
    return sequence(oid(hash === 'sha256' ? '1.2.840.113549.1.1.11' : '1.2.840.113549.1.1.5'), der(0x05));
  return sequence(oid(hash === 'sha256' ? '1.2.840.10045.4.3.2' : '1.2.840.10045.4.1'));
};

let serial = 0;

export function makeCertificate(plan: CertificatePlan = {}): MadeCertificate {
  const keys = plan.key ?? makeKey();
  const subject = plan.subject ?? 'signer';
  const issuer = plan.issuer ?? { subject, keys };
  const hash = plan.hash ?? 'sha256';
  serial = (serial % 120) + 1;
  const tbs = sequence(
    der(0xa0, integer(2)),
    integer(serial),
    algorithm(issuer.keys, hash),
    name(issuer.subject),
    sequence(
      generalizedTime(plan.notBefore ?? '2020-01-01T00:00:00Z'),
      generalizedTime(plan.notAfter ?? '2040-01-01T00:00:00Z'),
    ),
    name(subject),
    spki(keys),
    der(0xa3, sequence(...extensions(plan))),
  );
  const signature = sign(hash, tbs, issuer.keys.privateKey);
  const bytes = sequence(tbs, algorithm(issuer.keys, hash), der(0x03, Buffer.of(0), signature));
  return { der: bytes, pem: pemOf('CERTIFICATE', bytes), subject, keys };
}

export const pemOf = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

const SHA256 = sequence(oid('2.16.840.1.101.3.4.2.1'));
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export interface StampPlan {
  readonly signer: MadeCertificate;
  readonly data: Uint8Array;
  readonly time: string;
  /** Another certificate than the signer's in the attribute `signing-certificate-v2`. */
  readonly meant?: MadeCertificate;
  /** The attribute `contentType`. */
  readonly contentType?: string;
}

/** A TimeStampToken of RFC 3161. The name and serial number of the signer are read from its certificate. */
const TST_INFO = '1.2.840.113549.1.9.16.1.4';

export function makeStamp({ signer, data, time, meant = signer, contentType = TST_INFO }: StampPlan): Buffer {
  const info = sequence(
    integer(1),
    oid('1.2.3.4'),
    sequence(SHA256, octets(sha256(data))),
    integer(7),
    generalizedTime(time),
    sequence(integer(1)),
  );
  const attribute = (id: string, value: Buffer) => sequence(oid(id), set(value));
  const attributes = [
    attribute('1.2.840.113549.1.9.3', oid(contentType)),
    attribute('1.2.840.113549.1.9.4', octets(sha256(info))),
    attribute('1.2.840.113549.1.9.16.2.47', sequence(sequence(sequence(octets(sha256(meant.der)))))),
  ];
  const signature = sign('sha256', set(...attributes), signer.keys.privateKey);
  const signerInfo = sequence(
    integer(1),
    issuerAndSerial(signer.der),
    SHA256,
    der(0xa0, ...attributes),
    sequence(oid('1.2.840.113549.1.1.1'), der(0x05)),
    octets(signature),
  );
  const signed = sequence(
    integer(3),
    set(SHA256),
    sequence(oid(TST_INFO), der(0xa0, octets(info))),
    der(0xa0, signer.der),
    set(signerInfo),
  );
  return sequence(oid('1.2.840.113549.1.7.2'), der(0xa0, signed));
}

/** The parts of a DER value of constructed type. */
function parts(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + header(bytes.subarray(at)) + contentLength(bytes.subarray(at));
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

const header = (bytes: Buffer): number => (bytes[1]! < 128 ? 2 : 2 + (bytes[1]! & 127));
const contentLength = (bytes: Buffer): number =>
  bytes[1]! < 128 ? bytes[1]! : bytes.readUIntBE(2, bytes[1]! & 127);
const inside = (bytes: Buffer): Buffer[] => parts(bytes.subarray(header(bytes)));

function issuerAndSerial(certificate: Buffer): Buffer {
  const [, number, , issuer] = inside(inside(certificate)[0]!);
  return sequence(issuer!, number!);
}
