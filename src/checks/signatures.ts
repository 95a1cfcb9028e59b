import { engineLoads, limitOf } from '../engines/predict.js';
import type { LoadedImage } from '../engines/verdict.js';
import type { ArchivePart } from '../link/digest-ways.js';
import type { Image, Location } from '../link/graph.js';
import {
  type FindingCode,
  type FindingData,
  memberAt,
  type Observation,
  observe,
} from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import { byImage, type ImageSignatures, type Survey, type SurveyedSignature } from '../signatures/survey.js';
import type { Indecisions, Refusals, Refused, Undecided } from '../signatures/verify/verification.js';
import { parseConfig } from '../spec/config.js';
import { type Digests, sameAlgorithm } from '../spec/digest.js';
import { grouped } from '../spec/grouped.js';
import { Contents, canUnpack } from './engines.js';

/** An observation about signatures, and the image that it is about; null for the archive as a whole. */
export interface SignatureObservation {
  readonly image: Image | null;
  /** The part of the archive that has the place. */
  readonly part: ArchivePart;
  readonly observation: Observation;
}

/** The demand that images are signed, and how far they are. */
export interface SignaturesJudged {
  /** The chosen images. */
  readonly images: readonly ImageSignatures[];
  readonly observations: readonly SignatureObservation[];
}

type Cause = keyof Refusals | keyof Indecisions;

/** The finding for each cause for which a signature does not verify. */
const CODES: Readonly<Record<Cause, FailureCode>> = {
  'signature-invalid': 'signature-invalid',
  'payload-mismatch': 'signature-invalid',
  'attribute-unsupported': 'signature-invalid',
  'attribute-missing': 'signature-invalid',
  'algorithm-mismatch': 'signature-invalid',
  malformed: 'signature-unreadable',
  'too-large': 'signature-unreadable',
  'bundle-version-unknown': 'signature-unreadable',
  'not-readable': 'signature-unreadable',
  'key-mismatch': 'signer-mismatch',
  'identity-mismatch': 'signer-mismatch',
  'issuer-mismatch': 'signer-mismatch',
  'certificate-expired': 'signature-expired',
  'signature-expired': 'signature-expired',
  'certificate-untrusted': 'signature-certificate-invalid',
  'certificate-unsuitable': 'signature-certificate-invalid',
  'certificate-log-missing': 'signature-certificate-invalid',
  'certificate-log-invalid': 'signature-certificate-invalid',
  'log-entry-missing': 'signature-log-missing',
  'log-proof-missing': 'signature-log-missing',
  'timestamp-missing': 'signature-log-missing',
  'log-entry-mismatch': 'signature-log-invalid',
  'log-promise-invalid': 'signature-log-invalid',
  'log-proof-invalid': 'signature-log-invalid',
  'timestamp-invalid': 'signature-log-invalid',
  'timestamp-untrusted': 'signature-log-invalid',
  'authority-unknown': 'trusted-root-outdated',
  'authority-time': 'trusted-root-outdated',
  'no-trust': 'signature-undecided',
  'gpg-not-verified': 'signature-undecided',
  'log-entry-unsupported': 'signature-undecided',
  'certificate-unsupported': 'signature-undecided',
};

export type FailureCode = Extract<
  FindingCode,
  | 'signature-invalid'
  | 'signature-unreadable'
  | 'signer-mismatch'
  | 'signature-expired'
  | 'signature-certificate-invalid'
  | 'signature-log-missing'
  | 'signature-log-invalid'
  | 'trusted-root-outdated'
  | 'signature-undecided'
>;

/** Signatures of other signers beside one that verifies are usual; a broken one is not. */
const USUAL: ReadonlySet<FindingCode> = new Set(['signer-mismatch', 'signature-undecided']);

/**
 * Demands that every chosen image, and every image that an engine would load in its place, is signed.
 * @param isTrusted  whether anything is trusted, so that signatures are verified; else they must only be there
 */
export function judgeSignatures(
  parts: readonly ArchivePart[],
  survey: Survey,
  chosen: ReadonlySet<Image>,
  isTrusted: boolean,
): SignaturesJudged {
  const sorted = byImage(survey, parts);
  const images = sorted.images.filter(({ image }) => chosen.has(image));
  const isAllSigned = images.length > 0 && images.every(({ signed }) => signed.length > 0);
  const observations: SignatureObservation[] = images.flatMap(one =>
    [...imageObservations(one, isTrusted), ...otherBytes(one)].map(observation => ({
      image: one.image,
      part: one.part,
      observation,
    })),
  );
  const add = (part: ArchivePart, observation: Observation) =>
    observations.push({ image: null, part, observation });
  if (images.length === 0) add(parts[0]!, observe('signed-image-missing', memberAt(''), {}));
  // It may have been meant for any of the images.
  const stray = isAllSigned ? [] : sorted.stray;
  for (const one of stray) add(one.part, failureObservation(failureOf(one, null), 0, false));
  for (const part of parts)
    for (const observation of loadObservations(part, images, chosen)) add(part, observation);
  for (const { part, count } of survey.unread) add(part, limitObservation(part, count, isAllSigned));
  return { images, observations };
}

function limitObservation({ graph }: ArchivePart, count: number, isAllSigned: boolean): Observation {
  const value = graph.limits.signatures;
  const data = { limit: 'signatures', value, seen: value + count } as const;
  return observe('limit-reached', memberAt(''), data, isAllSigned ? 'info' : undefined);
}

function imageObservations(one: ImageSignatures, isTrusted: boolean): Observation[] {
  const { image, signed, others, attestations } = one;
  const isSigned = signed.length > 0;
  const failures = grouped(
    others.map(other => failureOf(other, image)),
    ({ code }) => code,
  );
  const observations = [...failures.values()].map(([first, ...alike]) =>
    failureObservation(first!, alike.length, isSigned),
  );
  if (!isSigned) {
    const digest = image.manifest?.digest ?? null;
    const data = { digest, attestations: attestations.length, engines: [], others: [] };
    return observations.length > 0 ? observations : [observe('image-unsigned', image.at, data)];
  }
  const { at } = signed[0]!.by.signature;
  const unverified = observe('signature-unverified', at, { count: signed.length });
  return [...observations, ...(isTrusted ? [] : [unverified])];
}

/**
 * Blobs of a signed image that have other bytes than the digests of its manifest say. `verify` reports each of them;
 * these findings may be left out by a policy or a baseline, and the signature is not about such bytes.
 */
function otherBytes({ image, part: { scan }, signed }: ImageSignatures): Observation[] {
  if (signed.length === 0) return [];
  const { config, layers, manifest } = image;
  const blobs = [...(config === null ? [] : [config]), ...layers];
  const others = blobs.flatMap(({ member, claimedDigest: claim }) => {
    const digests = member === null ? null : (scan.facts(member)?.digests ?? null);
    const actual = digests === null || claim === null ? null : sameAlgorithm(digests, claim);
    return actual === null || actual === claim ? [] : [claim!];
  });
  if (others.length === 0) return [];
  const data = { digest: manifest?.digest ?? null, attestations: 0, engines: [], others };
  return [observe('image-unsigned', image.at, data)];
}

/** Why a signature is none of an image. */
interface Failure {
  readonly code: FailureCode | 'signature-other-digest';
  readonly at: Location;
  /** Without the number of those that fail alike. */
  readonly data: object;
}

/** @param image  null where the signature is attached to none */
function failureOf({ signature, verification, reach }: SurveyedSignature, image: Image | null): Failure {
  const { at, format, problem, signs, role } = signature;
  if (problem !== null) {
    const { code, ...details } = problem;
    return { code: 'signature-unreadable', at, data: { format, cause: code, details } };
  }
  const isOfImage = reach.images.some(reached => reached.image === image);
  if (
    verification === null ||
    verification.outcome === 'verified' ||
    (verification.outcome === 'undecided' && !isOfImage)
  ) {
    const verified = verification?.outcome === 'verified';
    const expected = image?.manifest?.digest ?? null;
    const data = { role, signs: signs.slice(0, SHOWN), count: signs.length, expected, verified };
    return { code: 'signature-other-digest', at, data };
  }
  const { cause, data: details } = verification;
  return { code: codeOf(verification), at, data: { format, cause, details: { ...details } } };
}

/**
 * The finding for a verdict. A log entry holds the digest of the payload and the certificate: where one of them is not
 * the entry's, it was changed after it was logged.
 */
function codeOf(verification: Refused | Undecided): FailureCode {
  if (verification.cause !== 'log-entry-mismatch') return CODES[verification.cause];
  const { of } = verification.data;
  if (of === 'payload') return 'signature-invalid';
  return of === 'signer' ? 'signature-certificate-invalid' : 'signature-log-invalid';
}

/** Digests that a finding names. */
const SHOWN = 3;

/**
 * @param more      how many signatures fail alike
 * @param isSigned  another signature of the image counts
 */
function failureObservation({ code, at, data }: Failure, more: number, isSigned: boolean): Observation {
  const severity = !isSigned ? undefined : USUAL.has(code) ? 'info' : 'warning';
  return observe(code, at, { ...data, more } as FindingData[Failure['code']], severity);
}

/**
 * Images that an engine would load and that no signature covers by their content, other than those of the archive that
 * are judged themselves. A signed manifest covers the config and the layers whose digests it has; the signed config
 * covers unpacked layers by its diff_ids.
 */
function loadObservations(
  { scan, graph }: ArchivePart,
  judged: readonly ImageSignatures[],
  chosen: ReadonlySet<Image>,
): Observation[] {
  if (scan.depth === 'metadata' || limitOf(graph) !== null) return [];
  const contents = new Contents(scan);
  const shown = grouped(graph.images, image => contents.keyOfImage(image));
  const unsigned = new Set(judged.filter(({ signed }) => signed.length === 0).map(({ image }) => image));
  const isReported = (load: LoadedImage) => {
    const images = shown.get(contents.keyOf(load)) ?? [];
    return (
      images.some(image => unsigned.has(image)) ||
      (images.length > 0 && !images.some(image => chosen.has(image)))
    );
  };
  const signed = signedContents(judged);
  const loads = engineLoads(scan).filter(
    load => !isCovered(scan, load, signed) && canUnpack(scan, load) && !isReported(load),
  );
  return [...grouped(loads, load => contents.keyOf(load)).values()].map(alike =>
    observe('image-unsigned', memberAt(alike[0]!.config?.path ?? ''), {
      digest: null,
      attestations: 0,
      others: [],
      engines: [...new Set(alike.map(({ engine }) => engine))],
    }),
  );
}

/** The digests of layers that signed manifests list, by the digest of their config. */
type SignedContents = ReadonlyMap<string, readonly (readonly (string | null)[])[]>;

function signedContents(judged: readonly ImageSignatures[]): SignedContents {
  const manifests = judged.flatMap(({ image, signed }) => (signed.length > 0 ? (image.manifest ?? []) : []));
  const lists = grouped(manifests, ({ parsed }) => parsed.config?.digest ?? '');
  return new Map(
    [...lists].map(([config, same]) => [
      config,
      same.map(({ parsed }) => parsed.layers.map(({ digest }) => digest)),
    ]),
  );
}

function isCovered(scan: Scan, { config, layers }: LoadedImage, signed: SignedContents): boolean {
  const digests = config === null ? null : (scan.facts(config)?.digests ?? null);
  if (config === null || digests === null) return false;
  const lists = [digests.sha256, digests.sha512].flatMap(digest =>
    digest === null ? [] : (signed.get(digest) ?? []),
  );
  if (lists.length === 0) return false;
  const facts = layers.map(layer => scan.facts(layer));
  const are = (
    claims: readonly (string | null)[],
    digestsOf: (fact: (typeof facts)[number]) => Digests | null,
  ) =>
    claims.length === facts.length &&
    claims.every((claim, i) => {
      const computed = digestsOf(facts[i]!);
      return claim !== null && computed !== null && sameAlgorithm(computed, claim) === claim;
    });
  const { value } = scan.document(config);
  const diffIds = (value === undefined ? null : parseConfig(value))?.diffIds ?? null;
  return (
    lists.some(list => are(list, fact => fact?.digests ?? null)) ||
    (diffIds !== null && are(diffIds, fact => fact?.unpacked?.digests ?? null))
  );
}
