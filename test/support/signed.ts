// Images with signatures of keys that a test makes, in every place where a tool puts them.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { digestOf, encodedOf, goJson } from './digest.js';
import type { Image } from './image.js';
import * as layouts from './layouts.js';

export interface Signer {
  /** The public key, as cosign.pub. */
  readonly pem: string;
  readonly privatePem: string;
  readonly sign: (bytes: Uint8Array) => Buffer;
}

const pemOf = (key: KeyObject, type: 'spki' | 'pkcs8') => key.export({ type, format: 'pem' }).toString();

export function newSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pem: pemOf(publicKey, 'spki'),
    privatePem: pemOf(privateKey, 'pkcs8'),
    sign: bytes => sign('sha256', bytes, privateKey),
  };
}

/** A signer that makes the same signatures every time: Ed25519, with a key made of a text. RFC 8410 section 7 */
export function seededSigner(seed: string): Signer {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const der = Buffer.concat([prefix, createHash('sha256').update(seed).digest()]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return {
    pem: pemOf(createPublicKey(privateKey), 'spki'),
    privatePem: pemOf(privateKey, 'pkcs8'),
    sign: bytes => sign(null, bytes, privateKey),
  };
}

/** The payload of simple signing. */
export const simplePayload = (digest: string, name = 'example.test/app:1'): Buffer =>
  Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': name },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  );

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const SIGNATURE = 'dev.cosignproject.cosign/signature';

/** A layer of cosign 2: the payload, and its signature as an annotation. */
export function simpleLayer(payload: Uint8Array, signature: Uint8Array): layouts.Content {
  const annotations = { [SIGNATURE]: Buffer.from(signature).toString('base64') };
  return layouts.described(layouts.blobOf(SIMPLE_SIGNING, payload), { annotations });
}

/** The signature manifest of cosign 2 with some layers. */
export function signatureManifest(
  layers: readonly layouts.Content[],
  options: layouts.DocumentOptions = {},
): layouts.Content {
  const rootfs = { type: 'layers', diff_ids: layers.map(({ descriptor }) => descriptor.digest) };
  const config = goJson({ architecture: '', created: '0001-01-01T00:00:00Z', os: '', rootfs, config: {} });
  return layouts.manifestFrom(
    layouts.MEDIA.manifest,
    layouts.blobOf(layouts.MEDIA.config, config),
    layers,
    options,
  );
}

/** cosign 2's signature of a manifest, or of a digest that it should have. */
export function cosign2(
  signed: layouts.Content | string,
  signer: Signer,
  options: layouts.DocumentOptions & { readonly name?: string } = {},
): layouts.Content {
  const digest = typeof signed === 'string' ? signed : signed.descriptor.digest;
  const payload = simplePayload(digest, options.name);
  return signatureManifest([simpleLayer(payload, signer.sign(payload))], options);
}

export const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const COSIGN_SIGN = 'https://sigstore.dev/cosign/sign/v1';
const IN_TOTO = 'application/vnd.in-toto+json';

export interface StatementOptions {
  readonly predicateType?: string;
  readonly more?: readonly string[];
}

export function statementOf(
  digest: string,
  { predicateType = COSIGN_SIGN, more = [] }: StatementOptions = {},
) {
  const subject = [digest, ...more].map(one => ({ name: '', digest: { sha256: encodedOf(one) } }));
  return Buffer.from(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: {} }),
  );
}

/** A DSSE envelope. */
export function envelopeOf(payload: Uint8Array, signer: Signer, payloadType = IN_TOTO) {
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `;
  const sig = signer.sign(Buffer.concat([Buffer.from(head), payload]));
  return {
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    signatures: [{ sig: sig.toString('base64'), keyid: '' }],
  };
}

/** A bundle of version 0.3, signed with a key. */
export const bundleOf = (statement: Uint8Array, signer: Signer): string =>
  JSON.stringify({
    mediaType: BUNDLE,
    verificationMaterial: { publicKey: { hint: '' }, tlogEntries: [] },
    dsseEnvelope: envelopeOf(statement, signer),
  });

export interface BundleOptions extends StatementOptions {
  /** The digest in the statement; that of the subject by default. */
  readonly digest?: string;
  /** False to leave the field `subject` out. */
  readonly subject?: false;
}

/** cosign 3: a bundle as an artifact whose `subject` is the image. */
export function cosign3(
  signed: layouts.Content,
  signer: Signer,
  options: BundleOptions = {},
): layouts.Content {
  const statement = statementOf(options.digest ?? signed.descriptor.digest, options);
  const layer = layouts.blobOf(BUNDLE, bundleOf(statement, signer));
  const subject = options.subject === false ? {} : { subject: signed };
  return layouts.artifact({ type: BUNDLE, layers: [layer], ...subject });
}

/** cosign 2's attestation: the envelope is a layer. */
export function cosign2Attestation(signed: layouts.Content, signer: Signer): layouts.Content {
  const predicateType = 'https://slsa.dev/provenance/v1';
  const statement = statementOf(signed.descriptor.digest, { predicateType });
  const envelope = layouts.blobOf(
    'application/vnd.dsse.envelope.v1+json',
    JSON.stringify(envelopeOf(statement, signer)),
  );
  return signatureManifest([layouts.described(envelope, { annotations: { predicateType } })]);
}

/** A signature of the Notary Project, of bytes that exist. */
export const notation = (
  signed: layouts.Content | layouts.Descriptor,
  bytes: Uint8Array,
  mediaType: 'application/jose+json' | 'application/cose',
): layouts.Content =>
  layouts.manifestFrom(
    layouts.MEDIA.manifest,
    layouts.blobOf('application/vnd.cncf.notary.signature', '{}'),
    [layouts.blobOf(mediaType, bytes)],
    { subject: signed },
  );

export const withKind = (content: layouts.Content, kind: string): layouts.Content =>
  layouts.described(content, { annotations: { kind: `dev.cosignproject.cosign/${kind}` } });

export const withTag = (content: layouts.Content, tag: string): layouts.Content =>
  layouts.described(content, { annotations: { [layouts.REF_ANNOTATION]: tag } });

/** cosign's tag for what belongs to a manifest. */
export const tagFor = ({ descriptor: { digest } }: layouts.Content, end = ''): string =>
  `${digest.replace(':', '-')}${end}`;

/** A file `signature-N` of skopeo's dir. */
export const skopeoSignature = (
  payload: Uint8Array,
  signature: Uint8Array,
  mimeType = SIMPLE_SIGNING,
): Buffer =>
  Buffer.concat([
    Buffer.from('\0sigstore-json\n'),
    Buffer.from(
      JSON.stringify({
        mimeType,
        payload: Buffer.from(payload).toString('base64'),
        annotations: { [SIGNATURE]: Buffer.from(signature).toString('base64') },
      }),
    ),
  ]);

/** skopeo's dir of an image, with a signature of its manifest. */
export function signedDir(image: Image, signer: Signer): layouts.Member[] {
  const members = layouts.skopeoDir(image);
  const manifest = members.find(({ path }) => path === 'manifest.json') as layouts.FileMember;
  const payload = simplePayload(digestOf(manifest.bytes));
  return [...members, layouts.file('signature-1', skopeoSignature(payload, signer.sign(payload)))];
}

/** `docker save` of the containerd store, with a signature of the image listed in index.json. */
export function signedSave(images: layouts.Images, signer: Signer): layouts.Member[] {
  const members = layouts.dockerContainerd(images);
  const index = layouts.memberJson(members, 'index.json') as {
    readonly manifests: readonly layouts.Descriptor[];
  };
  const signature = withKind(cosign2(index.manifests[0]!.digest, signer), 'sigs');
  const text = JSON.stringify({ ...index, manifests: [...index.manifests, signature.descriptor] });
  return [
    ...members.map(member => (member.path === 'index.json' ? layouts.file('index.json', text) : member)),
    ...signature.blobs.map(({ digest, bytes }) => layouts.file(layouts.blobPath(digest), bytes)),
  ];
}
