import type { Member } from '../containers/source.js';
import { type ArchivePart, type DigestedDocument, DigestWays } from '../link/digest-ways.js';
import type { Artifact, Graph, Image, Layer } from '../link/graph.js';
import { fallbackSubjects } from '../link/referrers.js';
import type { Document } from '../scan/blob/document.js';
import type { Scan } from '../scan/scan.js';
import {
  fromBase64,
  parseEnvelope,
  parseStatement,
  parseStatementBytes,
  type Statement,
} from '../spec/attestation.js';
import { isObject, type Json, own } from '../spec/json.js';
import { isProvenanceType, type Provenance, readProvenance } from './provenance.js';
import { readSbom, type Sbom, type SbomFormat, sbomFormatOf, sbomOfPredicate } from './sbom.js';

export type AttestationKind = 'sbom' | 'provenance' | 'other';

/**
 * How a document is stored. `plain`: an SBOM by itself. The signatures of `dsse` and `bundle` are not verified here.
 */
export type AttestationForm = 'plain' | 'statement' | 'dsse' | 'bundle';

/**
 * Which manifest a statement is about, by the digests of its subjects and the computed digests of the archive. `image`:
 * the image on which it hangs; `index`: an index that lists this image; `another-image`: one in this archive;
 * `elsewhere`: nothing in this archive; `unstated`: the document has no subject.
 */
export type SubjectVerdict = 'image' | 'index' | 'another-image' | 'elsewhere' | 'unstated';

/** A document about an image: an SBOM, a provenance, or another statement. All of it is claims. */
export interface Attestation {
  readonly kind: AttestationKind;
  readonly form: AttestationForm;
  /** The manifest that lists it. */
  readonly artifact: Artifact;
  /** Index into the layers of that manifest. */
  readonly layer: number;
  /** The blob; null if the archive does not hold it. */
  readonly member: Member | null;
  readonly mediaType: string | null;
  /** sha256 of the stored document; null if it was not read. */
  readonly digest: string | null;
  /**
   * The digest of the manifest on which it hangs, as the archive claims: the `subject` of its manifest, a tag, or the
   * index that lists the referrers of a manifest. null where nothing says so, as in `cosign save`.
   */
  readonly placedOn: string | null;
  /**
   * The images on which it hangs: one, or those of an index. If it hangs on nothing, the images that are the subject of
   * its statement. Empty if the archive does not hold the manifest.
   */
  readonly images: readonly Image[];
  readonly predicateType: string | null;
  /** Digests of the statement's subjects, the first ones. */
  readonly subjects: readonly string[];
  readonly subjectCount: number;
  readonly subject: SubjectVerdict;
  /** The format of an SBOM, also of one that cannot be read here (SPDX tag-value, XML). */
  readonly sbomFormat: SbomFormat | null;
  readonly sbom: Sbom | null;
  readonly provenance: Provenance | null;
  /** Why it could not be read, or not all of it. */
  readonly problem: AttestationProblem | null;
}

export type AttestationProblem =
  | { readonly code: 'unreadable'; readonly reason: string }
  /** The digest of the blob is not the one by which its manifest names it. */
  | { readonly code: 'digest-differs'; readonly expected: string; readonly found: string }
  | { readonly code: 'absent' | 'not-json' | 'no-statement' | 'no-sbom' | 'no-provenance' | 'cut' };

/** Documents of one archive that are read: two for each of ten thousand images. */
const MOST_DOCUMENTS = 20_000;
/** Digests of subjects that are kept of one statement; all are compared. */
const MOST_SUBJECTS = 100;

/**
 * Finds the documents that are attached to manifests or state something about one, and are no signatures. Needs any
 * depth.
 */
export function attestationsIn(scan: Scan, graph: Graph): Attestation[] {
  const digests = new DigestWays([{ scan, graph }]);
  const attached = new Set([...graph.images.flatMap(image => image.attestations), ...graph.artifacts]);
  const fallback = fallbackSubjects(graph);
  const found: Attestation[] = [];
  for (const artifact of attached) {
    const listedFor = artifact.indexDigests.map(digest => fallback.get(digest)).find(Boolean);
    const placedOn = artifact.subject ?? listedFor ?? null;
    for (const [index, layer] of artifact.layers.entries()) {
      if (found.length === MOST_DOCUMENTS) return found;
      const attestation = attestationOf(scan, digests, { artifact, layer, index, placedOn });
      if (attestation !== null) found.push(attestation);
    }
  }
  return found;
}

const readIn = ({ scan, graph }: ArchivePart) => attestationsIn(scan, graph);

/** The same as `attestationsIn`, read once as long as the scan is held. */
export const attestationsOfPart = (part: ArchivePart): readonly Attestation[] => part.scan.once(readIn, part);

/** Those that hang on an image. */
export const attestationsOf = (part: ArchivePart, image: Image): readonly Attestation[] =>
  attestationsOfPart(part).filter(({ images }) => images.includes(image));

/**
 * @param subjects  digests of a statement's subjects
 * @param images  on which it hangs
 */
function verdictOn(
  digests: DigestWays,
  subjects: readonly string[],
  images: readonly Image[],
): SubjectVerdict {
  if (subjects.length === 0) return 'unstated';
  const own = new Set(images);
  const isOwn = (document: DigestedDocument) => document.as === 'manifest' && own.has(document.image);
  if (subjects.some(digest => digests.at(digest).some(isOwn))) return 'image';
  if (subjects.some(digest => digests.images(digest).some(({ image }) => own.has(image)))) return 'index';
  return subjects.some(digest => digests.images(digest).length > 0) ? 'another-image' : 'elsewhere';
}

interface Slot {
  readonly artifact: Artifact;
  readonly layer: Layer;
  readonly index: number;
  readonly placedOn: string | null;
}

const DSSE = /^application\/vnd\.dsse\.envelope|^application\/vnd\.in-toto\.[^;]*\+dsse/;
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle/;
const STATEMENT = /^application\/vnd\.in-toto/;
/** The predicate by which cosign 3 signs an image itself, and states nothing else about it. */
const SIGNATURE_ONLY = /^https:\/\/sigstore\.dev\/cosign\/sign\//;

function formOf(mediaType: string | null): AttestationForm | null {
  const type = mediaType ?? '';
  if (DSSE.test(type)) return 'dsse';
  if (BUNDLE.test(type)) return 'bundle';
  if (STATEMENT.test(type)) return 'statement';
  return sbomFormatOf(mediaType) === null ? null : 'plain';
}

/** @returns null for what is no attestation, such as a signature */
function attestationOf(scan: Scan, digests: DigestWays, slot: Slot): Attestation | null {
  const { artifact, layer, index, placedOn } = slot;
  const form = formOf(layer.mediaType);
  if (form === null) return null;
  const document = layer.member === null ? null : scan.document(layer.member);
  const content = contentOf(form, document);
  if (content === null) return null;
  const { statement, sbom } = content;
  const subjects = statement?.subjects.flatMap(({ digests }) => digests) ?? [];
  const reached = (placedOn === null ? subjects : [placedOn]).flatMap(digest => digests.images(digest));
  const images = [...new Set(reached.map(({ image }) => image))];
  const predicateType =
    statement?.predicateType ?? layer.annotations.get('in-toto.io/predicate-type') ?? null;
  const sbomFormat = sbom?.format ?? sbomFormatOf(predicateType) ?? sbomFormatOf(layer.mediaType);
  const isProvenance = isProvenanceType(predicateType);
  const provenance = isProvenance ? readProvenance(statement?.predicate) : null;
  return {
    kind: sbomFormat !== null ? 'sbom' : isProvenance ? 'provenance' : 'other',
    form,
    artifact,
    layer: index,
    member: layer.member,
    mediaType: layer.mediaType,
    digest: document?.digest ?? null,
    placedOn,
    images,
    predicateType,
    subjects: subjects.slice(0, MOST_SUBJECTS),
    subjectCount: statement?.subjects.length ?? 0,
    subject: verdictOn(digests, subjects, images),
    sbomFormat,
    sbom,
    provenance,
    problem:
      swapped(layer, document) ??
      content.problem ??
      contentProblem({ sbomFormat, sbom, isProvenance, provenance }),
  };
}

/** A blob that is not the one that the manifest names: the chain from manifest to document is broken. */
function swapped({ claimedDigest }: Layer, document: Document | null): AttestationProblem | null {
  const found = document?.digest ?? null;
  if (found === null || claimedDigest === null || !claimedDigest.startsWith('sha256:')) return null;
  return claimedDigest === found ? null : { code: 'digest-differs', expected: claimedDigest, found };
}

function contentProblem({
  sbomFormat,
  sbom,
  isProvenance,
  provenance,
}: Pick<Attestation, 'sbomFormat' | 'sbom' | 'provenance'> & {
  readonly isProvenance: boolean;
}): AttestationProblem | null {
  if (sbomFormat !== null && sbom === null) return { code: 'no-sbom' };
  if (sbom?.isCut === true) return { code: 'cut' };
  return isProvenance && provenance === null ? { code: 'no-provenance' } : null;
}

interface Content {
  readonly statement: Statement | null;
  readonly sbom: Sbom | null;
  readonly problem: AttestationProblem | null;
}

const unread = (problem: AttestationProblem): Content => ({ statement: null, sbom: null, problem });

/** @returns null for a bundle or an envelope that signs the image itself, and states nothing else */
function contentOf(form: AttestationForm, document: Document | null): Content | null {
  if (document === null) return unread({ code: 'absent' });
  const { value, error } = document;
  if (value === undefined) {
    if (error?.kind === 'limit')
      return unread({ code: 'unreadable', reason: `it reaches the limit ${error.limit}, ${error.value}` });
    return unread(
      error?.kind === 'unreadable' ? { code: 'unreadable', reason: error.reason } : { code: 'not-json' },
    );
  }
  if (form === 'plain') return { statement: null, sbom: readSbom(value), problem: null };
  const statement = statementOf(form, value);
  if (statement === null) return unread({ code: 'no-statement' });
  if (statement === 'message' || SIGNATURE_ONLY.test(statement.predicateType ?? '')) return null;
  return { statement, sbom: sbomOfPredicate(statement.predicate), problem: null };
}

/** @returns `message` for a bundle with the signature of a message, and no envelope */
function statementOf(form: AttestationForm, value: Json): Statement | 'message' | null {
  if (form === 'statement') return parseStatement(value) ?? enveloped(value);
  if (form === 'dsse' || !isObject(value)) return enveloped(value);
  const envelope = own(value, 'dsseEnvelope');
  return envelope === undefined && own(value, 'messageSignature') !== undefined
    ? 'message'
    : enveloped(envelope);
}

/** The statement in an envelope; also in one without a valid signature, because nothing is verified here. */
function enveloped(value: Json | undefined): Statement | null {
  const text = isObject(value) ? own(value, 'payload') : undefined;
  const payload = parseEnvelope(value)?.payload ?? fromBase64(typeof text === 'string' ? text : null);
  return payload === null ? null : parseStatementBytes(payload);
}
