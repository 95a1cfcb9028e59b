import { CertificateAuthority, TransparencyLogInstance } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify';
import { isObject, type Json, type JsonObject, own } from '../../spec/json.js';
import { jsonOf } from '../../spec/json-text.js';
import { type Certificate, readCertificate, readCertificates } from './certificates.js';
import { pemBlocks } from './keys.js';
import type { NotationStore, Read, StoredCertificate, TrustedRoot } from './trust.js';

/** Why a file is no trusted root. */
export type RootProblem =
  | 'too-large'
  | 'not-a-root'
  /** A root of TUF, which signs Sigstore's trusted_root.json: that is the file that is wanted. */
  | 'tuf-root'
  | 'bad-certificate'
  /** A private key. It is not read. */
  | 'private-key'
  /** A public key, which is trusted by itself. */
  | 'public-key'
  /** It has no authority and no log. */
  | 'empty';

/** Size of the largest trusted root, in bytes. Sigstore's has 7 KB, the certificates of a system 250 KB. */
const ROOT_BYTES = 4 * 1024 * 1024;
const DEPTH = 100;
/** Logs and authorities of one kind. Sigstore has two of each. */
const AUTHORITIES = 1000;

/**
 * The authorities and logs that are trusted: Sigstore's trusted_root.json, or certificates of a private authority, in
 * PEM.
 * https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_trustroot.proto
 */
export function readTrustedRoot(bytes: Uint8Array): Read<TrustedRoot, RootProblem> {
  if (bytes.length > ROOT_BYTES) return { problem: 'too-large' };
  const text = Buffer.from(bytes).toString('latin1');
  if (/-----BEGIN [A-Z ]{0,40}PRIVATE KEY/.test(text)) return { problem: 'private-key' };
  if (/-----BEGIN (?:RSA )?PUBLIC KEY-/.test(text)) return { problem: 'public-key' };
  if (text.includes('-----BEGIN ')) return authoritiesRoot(text);
  const document = jsonOf(bytes, DEPTH);
  if (!isObject(document)) return { problem: 'not-a-root' };
  const signed = own(document, 'signed');
  if (isObject(signed) && own(signed, '_type') === 'root') return { problem: 'tuf-root' };
  const config = own(document, 'trustedRoot');
  return sigstoreRoot(isObject(config) ? config : document);
}

function authoritiesRoot(pem: string): Read<TrustedRoot, RootProblem> {
  const roots = readCertificates(pem);
  return roots === null ? { problem: 'bad-certificate' } : { value: { kind: 'authorities', roots } };
}

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.\d|\.v0\.\d\+json)$/;

function sigstoreRoot(document: JsonObject): Read<TrustedRoot, RootProblem> {
  const mediaType = own(document, 'mediaType');
  if (typeof mediaType !== 'string' || !MEDIA_TYPE.test(mediaType)) return { problem: 'not-a-root' };
  const list = (name: string): readonly Json[] => {
    const value = own(document, name);
    return Array.isArray(value) ? value : [];
  };
  const lists = ['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities'].map(list);
  if (lists.some(({ length }) => length > AUTHORITIES)) return { problem: 'too-large' };
  const [tlogs, ctlogs] = lists.slice(0, 2).map(logs => logs.flatMap(log => logMaterial(log) ?? []));
  const [authorities, timestamps] = lists
    .slice(2)
    .map(all => all.flatMap(one => authorityMaterial(one) ?? []));
  const material: TrustMaterial = {
    tlogs: tlogs!,
    ctlogs: ctlogs!,
    certificateAuthorities: authorities!,
    timestampAuthorities: timestamps!,
    // No key is trusted by its hint.
    publicKey: toTrustMaterial(rootOf({})).publicKey,
  };
  const kept = tlogs!.length + ctlogs!.length + authorities!.length + timestamps!.length;
  const listed = lists.reduce((sum, { length }) => sum + length, 0);
  if (kept === 0) return { problem: 'empty' };
  const [log, certificateLog] = lists.map(({ length }) => length > 0);
  return {
    value: {
      kind: 'sigstore',
      material,
      lists: { log: log!, certificateLog: certificateLog! },
      leftOut: listed - kept,
    },
  };
}

/**
 * A log without a begin of its validity is left out: the specification requires one, and the library would take it as
 * valid at any time.
 */
function logMaterial(value: Json): TrustMaterial['tlogs'] | null {
  try {
    const log = TransparencyLogInstance.fromJSON(value);
    if (!startsSomewhere(log.publicKey?.validFor?.start)) return null;
    return toTrustMaterial(rootOf({ tlogs: [log] })).tlogs;
  } catch {
    return null;
  }
}

function authorityMaterial(value: Json): TrustMaterial['certificateAuthorities'] | null {
  try {
    const authority = CertificateAuthority.fromJSON(value);
    const chain = authority.certChain?.certificates ?? [];
    if (!startsSomewhere(authority.validFor?.start) || chain.length === 0) return null;
    // The library reads a certificate only as far as it needs to, and throws later.
    if (chain.some(({ rawBytes }) => readCertificate(rawBytes) === null)) return null;
    return toTrustMaterial(rootOf({ certificateAuthorities: [authority] })).certificateAuthorities;
  } catch {
    return null;
  }
}

const startsSomewhere = (start: Date | undefined): boolean =>
  start !== undefined && !Number.isNaN(start.getTime());

type LibraryRoot = Parameters<typeof toTrustMaterial>[0];

const rootOf = (parts: Partial<LibraryRoot>): LibraryRoot => ({
  mediaType: '',
  tlogs: [],
  ctlogs: [],
  certificateAuthorities: [],
  timestampAuthorities: [],
  ...parts,
});

export type StoreProblem = {
  readonly code: 'bad-certificate' | 'private-key' | 'too-large' | 'empty';
  /** The file; null where it is about the store as a whole. */
  readonly path: string | null;
};

export interface StoreFile {
  /** Relative to the store, with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files of a trust store. Real ones have a handful. */
const STORE_FILES = 10_000;
const CERTIFICATE_FILE = /\.(?:pem|crt|cer)$/i;
const NAMED_STORE = /^(?:(?:truststore|trust-store)\/)?(?:x509\/)?(ca|signingAuthority|tsa)\/([^/]+)\/[^/]+$/;

/**
 * A trust store of the Notary Project: `x509/ca/NAME/*.pem`, `x509/signingAuthority/NAME/*.pem`, `x509/tsa/NAME/*.pem`.
 * Files that lie directly in it are taken as `ca`; folders below a named store are ignored, as the specification says.
 * https://github.com/notaryproject/specifications/blob/v1.1.0/specs/trust-store-trust-policy.md#trust-store
 */
export function readNotationStore(files: readonly StoreFile[]): Read<NotationStore, StoreProblem> {
  if (files.length > STORE_FILES) return { problem: { code: 'too-large', path: null } };
  const roots: StoredCertificate[] = [];
  for (const { path, bytes } of files) {
    const named = NAMED_STORE.exec(path);
    if (!CERTIFICATE_FILE.test(path) || (named === null && path.includes('/'))) continue;
    const type = (named?.[1] ?? 'ca') as StoredCertificate['type'];
    const store = named === null ? path : `${type}/${named[2]}`;
    const certificates = bytes.length > ROOT_BYTES ? 'too-large' : storedCertificates(bytes);
    if (typeof certificates === 'string') return { problem: { code: certificates, path } };
    roots.push(...certificates.map(certificate => ({ type, store, certificate })));
  }
  return roots.length === 0 ? { problem: { code: 'empty', path: null } } : { value: { roots } };
}

function storedCertificates(bytes: Uint8Array): readonly Certificate[] | StoreProblem['code'] {
  const text = Buffer.from(bytes).toString('latin1');
  if (/-----BEGIN [A-Z ]{0,40}PRIVATE KEY/.test(text)) return 'private-key';
  if (pemBlocks(text, 1).length > 0) return readCertificates(text) ?? 'bad-certificate';
  const certificate = readCertificate(bytes);
  return certificate === null ? 'bad-certificate' : [certificate];
}
