import { artifactsIn } from '../link/digest-ways.js';
import type { Artifact, Graph, Layer, Location } from '../link/graph.js';
import { fallbackSubjects } from '../link/referrers.js';
import { type Document, isSignatureFile } from '../scan/blob/document.js';
import type { Scan } from '../scan/scan.js';
import { digestOf } from '../spec/digest.js';
import { pointer } from '../spec/json.js';
import {
  formatOf,
  NOTARY_SIGNATURE,
  readBlob,
  readSignatureFile,
  type SignatureContent,
  unread,
} from './read.js';
import type { Signature, SignatureFormat, SignatureMark } from './signature.js';

/** The signatures of an archive, in its order. */
export interface SignaturesFound {
  readonly signatures: readonly FoundSignature[];
  /** How many more there are than the limit allows to read. */
  readonly unread: number;
}

export interface FoundSignature {
  readonly signature: Signature;
  /** The first of the signatures with the same bytes, where it is a copy; null where it is none. */
  readonly copyOf: Signature | null;
  /** The artifact that holds it; null for a file of skopeo's `dir:`. */
  readonly holder: Artifact | null;
}

/** A place where a signature lies, and its attachment to an image. */
interface Slot extends Pick<Signature, 'at' | 'found' | 'placedOn'> {
  readonly holder: Artifact | null;
  /** The blob that is read, and how it is signed, where other signatures may have the same blob; else null. */
  readonly shared: { readonly format: SignatureFormat; readonly document: Document } | null;
  /** Equal for signatures with the same bytes; null where these are not known. */
  readonly key: string | null;
  readonly read: () => SignatureContent | null;
}

/**
 * Finds the signatures of an archive wherever a tool or a registry would look for them, and reads them. Nothing is
 * verified. Needs a scan of any depth.
 */
export function signaturesIn(scan: Scan, graph: Graph): SignaturesFound {
  const most = graph.limits.signatures;
  const signatures: FoundSignature[] = [];
  const firsts = new Map<string, Signature>();
  const work = new SharedWork(graph.limits.linkedBytes);
  let unreadSlots = 0;
  for (const { read, key, holder, shared, ...slot } of slotsIn(scan, graph)) {
    if (signatures.length >= most) {
      unreadSlots++;
      continue;
    }
    const copyOf = (key === null ? undefined : firsts.get(key)) ?? null;
    const content = copyOf ?? (work.isWithin(shared) ? read() : tooOften(shared!, graph));
    if (content === null) continue;
    const signature = withMessage(scan, graph, { ...content, ...slot });
    if (key !== null && copyOf === null) firsts.set(key, signature);
    signatures.push({ signature, copyOf, holder });
  }
  return { signatures, unread: unreadSlots };
}

/**
 * The blobs of signatures that differ only in their annotations. Hazard: a small file can list one blob of 20 MiB a
 * thousand times, and each would be parsed and verified.
 */
class SharedWork {
  private readonly read = new Set<Document>();
  private spent = 0;

  /** @param most  bytes of blobs, counted each time but the first */
  constructor(private readonly most: number) {}

  isWithin(shared: Slot['shared']): boolean {
    if (shared === null) return true;
    const { document } = shared;
    const size = this.read.has(document) ? (document.bytes?.length ?? 0) : 0;
    this.read.add(document);
    if (this.spent + size > this.most) return false;
    this.spent += size;
    return true;
  }
}

function tooOften({ format, document }: NonNullable<Slot['shared']>, { limits }: Graph): SignatureContent {
  const size = document.bytes?.length ?? null;
  return unread(format, { code: 'limit', limit: 'linkedBytes', value: limits.linkedBytes, size });
}

function* slotsIn(scan: Scan, graph: Graph): Generator<Slot> {
  if (graph.layout === 'skopeo-dir') yield* fileSlots(scan, graph);
  const fallback = fallbackSubjects(graph);
  for (const artifact of artifactsIn(graph)) yield* artifactSlots(scan, artifact, fallback);
}

/** The signatures that skopeo's `dir:` keeps beside a manifest, in the order of their numbers. */
function* fileSlots(scan: Scan, graph: Graph): Generator<Slot> {
  const { root } = graph;
  const files = scan.members.filter(
    ({ path, type }) =>
      type === 'file' && path.startsWith(root) && !path.includes('/', root.length) && isSignatureFile(path),
  );
  for (const member of files.sort(
    (a, b) => orderOf(a.path) - orderOf(b.path) || (a.path < b.path ? -1 : 1),
  )) {
    const [, hex] = /^(?:([0-9a-f]{64,128})\.)?/.exec(member.path.slice(root.length)) ?? [];
    yield {
      holder: null,
      shared: null,
      key: scan.document(member).digest,
      at: { path: member.path, pointer: null },
      found: 'dir-file',
      placedOn:
        hex === undefined ? manifestDigest(scan, root) : `${hex.length === 64 ? 'sha256' : 'sha512'}:${hex}`,
      read: () => readSignatureFile(scan.document(member)),
    };
  }
}

const orderOf = (path: string): number => Number(/\d+$/.exec(path)?.[0] ?? 0);

/** The digest of the manifest or list beside which a `dir:` keeps signatures. */
function manifestDigest(scan: Scan, root: string): string | null {
  const member = scan.file(`${root}manifest.json`);
  return member === null ? null : scan.document(member).digest;
}

function* artifactSlots(
  scan: Scan,
  artifact: Artifact,
  fallback: ReadonlyMap<string, string>,
): Generator<Slot> {
  const mark = markOf(artifact, fallback);
  for (const [i, layer] of artifact.layers.entries()) {
    const format = formatOf(layer.mediaType) ?? (mark.isSignature ? 'unknown' : null);
    if (format === null) continue;
    const { found, placedOn } = mark;
    const document = layer.member === null ? null : scan.document(layer.member);
    const digest = document?.digest ?? null;
    yield {
      holder: artifact,
      shared: document === null ? null : { format, document },
      key: digest === null ? null : JSON.stringify([format, digest, ...layer.annotations]),
      at: placeOf(artifact, layer, i, format),
      found,
      placedOn,
      read: () => readLayer(scan, layer, format),
    };
  }
}

/** By which mark an artifact is known, and whether that says that it is a signature whatever its layers are. */
function markOf(artifact: Artifact, fallback: ReadonlyMap<string, string>) {
  const { descriptors, names, subject, indexDigests, artifactType } = artifact;
  const annotation = (key: string) =>
    descriptors.map(({ descriptor }) => descriptor.annotations.get(key)).find(value => value !== undefined);
  const isNotary = artifactType === NOTARY_SIGNATURE;
  const listedFor = indexDigests.map(digest => fallback.get(digest)).find(digest => digest !== undefined);
  const of = (found: SignatureMark, placedOn: string | null, isSignature = isNotary) => ({
    found,
    placedOn,
    isSignature,
  });
  if (/^dev\.[\w.]{1,100}\/(sigs|atts)/.test(annotation('kind') ?? ''))
    return of('cosign-kind', subject, true);
  if (annotation('io.containerd.manifest.subject') !== undefined) return of('containerd-subject', subject);
  if (names.some(name => /sha256-[0-9a-f]{64}\.(sig|att)$/.test(name))) return of('tag', subject, true);
  if (listedFor !== undefined) return of('fallback-index', subject ?? listedFor);
  return of(subject === null ? 'listed' : 'subject', subject);
}

/** The bytes of a signature are its blob; those of cosign 2 are in annotations of the manifest. */
function placeOf(artifact: Artifact, layer: Layer, index: number, format: SignatureFormat): Location {
  const isInManifest = format === 'cosign-simple' || format === 'dsse' || layer.member === null;
  return isInManifest
    ? { path: artifact.path, pointer: pointer('', 'layers', index) }
    : { path: layer.member!.path, pointer: null };
}

function readLayer(scan: Scan, layer: Layer, format: SignatureFormat): SignatureContent {
  const { member, claimedDigest, annotations } = layer;
  if (member === null) return unread(format, { code: 'blob-missing', digest: claimedDigest });
  if (format === 'unknown') return unread(format, { code: 'malformed', part: 'file' });
  return readBlob(format, scan.document(member), annotations);
}

/**
 * A message signature of a bundle is about bytes that it does not hold: those of the manifest, found by their computed
 * digest.
 */
function withMessage(scan: Scan, graph: Graph, signature: Signature): Signature {
  const [digest] = signature.signs;
  if (signature.format !== 'sigstore-bundle' || signature.payload !== null || digest === undefined)
    return signature;
  const bytes = manifestBytes(scan, graph, digest);
  return bytes === null ? signature : { ...signature, payload: { bytes, type: null } };
}

function manifestBytes(scan: Scan, graph: Graph, digest: string): Uint8Array | null {
  const algorithm = digest.startsWith('sha512:') ? 'sha512' : 'sha256';
  for (const path of manifestPaths(graph)) {
    const member = scan.file(path);
    const bytes = member === null ? null : scan.document(member).bytes;
    if (bytes !== null && digestOf(bytes, algorithm) === digest) return bytes;
  }
  return null;
}

const manifestPaths = ({ images, artifacts, indexes }: Graph): string[] => [
  ...images.flatMap(({ manifest }) => manifest?.path ?? []),
  ...artifacts.map(({ path }) => path),
  ...indexes.map(({ path }) => path),
];
