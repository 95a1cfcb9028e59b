import type { LimitName } from '../limits.js';
import type { Location } from '../link/graph.js';
import type { Json } from '../spec/json.js';

/** How a signature is written. */
export type SignatureFormat =
  /**
   * cosign 2: a layer with the JSON of simple signing, whose descriptor has the signature, the certificate and the log
   * entry as annotations; also skopeo's file `signature-N` with the same annotations.
   */
  | 'cosign-simple'
  /** A Sigstore bundle, v0.1 to v0.3, with a signature of a message or a DSSE envelope. */
  | 'sigstore-bundle'
  /** An attestation of cosign 2: a DSSE envelope as a layer, with the same annotations as `cosign-simple`. */
  | 'dsse'
  | 'notation-jws'
  | 'notation-cose'
  /** GPG's signature of the JSON of simple signing, in skopeo's file `signature-N`. It is listed and never verified. */
  | 'gpg-simple'
  /** It is marked as a signature and cannot be read as one. */
  | 'unknown';

/** The mark by which a signature was found. */
export type SignatureMark =
  /** cosign's annotation `kind` of an entry of index.json: `dev.cosignproject.cosign/sigs` or `/atts`. */
  | 'cosign-kind'
  /** The `subject` of its manifest. */
  | 'subject'
  /** A tag `sha256-<hex>.sig` or `.att`. */
  | 'tag'
  /** The index with the tag `sha256-<hex>`, by which registries without a referrers API list referrers. */
  | 'fallback-index'
  /** The annotation `io.containerd.manifest.subject` of an entry of an index. */
  | 'containerd-subject'
  /** A file `signature-N` of skopeo's dir. */
  | 'dir-file'
  /** An index lists it, and nothing but its media type says that it is a signature. */
  | 'listed';

/** One signature in an archive, as it was read. Nothing of it is verified. */
export interface Signature {
  readonly format: SignatureFormat;
  /** Where it lies: the member of the archive, and a JSON pointer where it is a part of a document. */
  readonly at: Location;
  readonly found: SignatureMark;
  /** Whether it signs the image itself or a statement about it. */
  readonly role: 'signature' | 'attestation';
  /**
   * Digest of the manifest to which it is attached, by subject, tag or file; null where nothing says so. It is a claim
   * and not signed.
   */
  readonly placedOn: string | null;
  /** The bytes that are signed; null where they were not read. `type` is the payload type or media type. */
  readonly payload: { readonly bytes: Uint8Array; readonly type: string | null } | null;
  /** The digests that the payload names: `docker-manifest-digest`, the subjects of a statement, `targetArtifact`. */
  readonly signs: readonly string[];
  /** The name for which the image is signed, of simple signing. */
  readonly dockerReference: string | null;
  /** The type of the statement's predicate. */
  readonly predicateType: string | null;
  /** The signature's own bytes, where they are apart from `envelope` and `bundle`. */
  readonly signature: Uint8Array | null;
  /** The bytes of the DSSE envelope's JSON, of the JWS or of the COSE message. */
  readonly envelope: Uint8Array | null;
  /** The bundle; or the value of cosign's annotation `dev.sigstore.cosign/bundle`: the entry of a transparency log. */
  readonly bundle: Json | null;
  /** The certificate of the signer, in PEM. */
  readonly certificate: string | null;
  /** The certificates above it, in PEM. */
  readonly chain: string | null;
  /** cosign's annotation `dev.sigstore.cosign/rfc3161timestamp`, as JSON. */
  readonly rfc3161: Uint8Array | null;
  /** The signer as the signature itself names it. Nothing of that is verified. */
  readonly claimed: ClaimedSigner;
  /** Why it could not be read, or not all of it. */
  readonly problem: SignatureProblem | null;
}

export interface ClaimedSigner {
  /** The subject alternative name of the certificate, or its subject (Notary Project). */
  readonly identity: string | null;
  /** The issuer of the identity: Fulcio's extension, or the certificate's issuer (Notary Project). */
  readonly issuer: string | null;
  /** A hint to the key: a key ID. */
  readonly keyHint: string | null;
}

/** The part of a signature that is not as its specification says. */
export type SignaturePart =
  | 'json'
  | 'envelope'
  | 'statement'
  | 'bundle'
  | 'payload'
  | 'signature'
  | 'certificate'
  | 'jws'
  | 'cose'
  | 'file';

export type SignatureProblem =
  /** The archive does not hold the blob that the manifest names. */
  | { readonly code: 'blob-missing'; readonly digest: string | null }
  /** It is larger than a limit. `size` in bytes. */
  | {
      readonly code: 'limit';
      readonly limit: LimitName;
      readonly value: number;
      readonly size: number | null;
    }
  | { readonly code: 'unreadable'; readonly reason: string }
  /** A part is missing, or has another form than its specification says. */
  | { readonly code: 'malformed'; readonly part: SignaturePart };
