// Signatures of the Notary Project, made here: JWS and COSE with chosen attributes and certificates.
import { constants, type SignKeyObjectInput, sign } from 'node:crypto';
import { type MadeCertificate, makeCertificate } from './certificates.js';

export const NOTARY_PAYLOAD = Buffer.from(
  JSON.stringify({
    targetArtifact: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: `sha256:${'1'.repeat(64)}`,
      size: 481,
    },
  }),
);

export const P = 'io.cncf.notary.';

export interface NotationPlan {
  /** The signer first, the root last. */
  readonly chain: readonly MadeCertificate[];
  readonly algorithm?: string;
  /** Attributes that are added, replaced, or with undefined left out. */
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly critical?: readonly string[] | undefined;
  readonly stamp?: (signature: Buffer) => Buffer;
  readonly payload?: Buffer;
}

/** A root, an intermediate, a signer. */
export function makeChain(leaf: Parameters<typeof makeCertificate>[0] = {}): MadeCertificate[] {
  const root = makeCertificate({ subject: 'root', authority: true });
  const between = makeCertificate({ subject: 'between', authority: 0, issuer: root });
  return [makeCertificate({ subject: 'signer', issuer: between, ...leaf }), between, root];
}

const algorithmOf = ({ keys: { publicKey } }: MadeCertificate): string => {
  const { asymmetricKeyDetails: details } = publicKey;
  if (details?.modulusLength !== undefined)
    return ({ 2048: 'PS256', 3072: 'PS384', 4096: 'PS512' } as const)[details.modulusLength] ?? 'PS256';
  return (
    { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }[details?.namedCurve ?? ''] ?? 'EdDSA'
  );
};

function signed(bytes: Buffer, { keys }: MadeCertificate, algorithm: string): Buffer {
  const options: Partial<SignKeyObjectInput> = algorithm.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { dsaEncoding: 'ieee-p1363' };
  const hash = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`;
  return sign(hash, bytes, { key: keys.privateKey, ...options });
}

const SCHEME = { [`${P}signingScheme`]: 'notary.x509' };
const base64url = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url');

export function makeJws(plan: NotationPlan): Buffer {
  const { chain, payload = NOTARY_PAYLOAD, stamp } = plan;
  const algorithm = plan.algorithm ?? algorithmOf(chain[0]!);
  const header = base64url(
    JSON.stringify({
      alg: algorithm,
      cty: 'application/vnd.cncf.notary.payload.v1+json',
      crit: 'critical' in plan ? plan.critical : [`${P}signingScheme`],
      ...SCHEME,
      [`${P}signingTime`]: '2024-05-01T12:05:00Z',
      ...plan.attributes,
    }),
  );
  const signature = signed(Buffer.from(`${header}.${base64url(payload)}`), chain[0]!, algorithm);
  return Buffer.from(
    JSON.stringify({
      payload: base64url(payload),
      protected: header,
      header: {
        x5c: chain.map(({ der }) => der.toString('base64')),
        ...(stamp !== undefined && { [`${P}timestampSignature`]: stamp(signature).toString('base64') }),
      },
      signature: base64url(signature),
    }),
  );
}

const COSE_ALGORITHMS: Readonly<Record<string, number>> = {
  PS256: -37,
  PS384: -38,
  PS512: -39,
  ES256: -7,
  ES384: -35,
  ES512: -36,
  EdDSA: -8,
};

export function makeCose(plan: NotationPlan): Buffer {
  const { chain, payload = NOTARY_PAYLOAD, stamp } = plan;
  const algorithm = plan.algorithm ?? algorithmOf(chain[0]!);
  const headers = cbor(
    new Map<unknown, unknown>([
      [1, COSE_ALGORITHMS[algorithm] ?? 0],
      [2, 'critical' in plan ? plan.critical : [`${P}signingScheme`]],
      [3, 'application/vnd.cncf.notary.payload.v1+json'],
      ...Object.entries({
        ...SCHEME,
        [`${P}signingTime`]: new Date('2024-05-01T12:05:00Z'),
        ...plan.attributes,
      }),
    ]),
  );
  const signature = signed(cbor(['Signature1', headers, Buffer.of(), payload]), chain[0]!, algorithm);
  const unprotected = new Map<unknown, unknown>([
    [33, chain.map(({ der }) => der)],
    ...(stamp === undefined ? [] : [[`${P}timestampSignature`, stamp(signature)] as const]),
  ]);
  return Buffer.concat([Buffer.of(0xd2), cbor([headers, unprotected, payload, signature])]);
}

/** CBOR of numbers, texts, bytes, arrays and maps; a Date is a number with tag 1. */
export function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof Date) return Buffer.concat([head(6, 1), cbor(value.getTime() / 1000)]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  if (!(value instanceof Map)) return Buffer.of(0xf6);
  const entries = [...value].filter(([, one]) => one !== undefined);
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([key, one]) => [cbor(key), cbor(one)])]);
}

export function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.of((major << 5) | argument);
  const bytes = Buffer.alloc(5);
  bytes[0] = (major << 5) | 26;
  bytes.writeUInt32BE(argument, 1);
  // COSE wants the shortest form.
  if (argument < 256) return Buffer.of((major << 5) | 24, argument);
  return argument < 65536 ? Buffer.of((major << 5) | 25, argument >> 8, argument & 255) : bytes;
}
