import type { Unloadable } from '../filesystem/unloadable.js';
import type { LimitName, Limits } from '../limits.js';
import type { Location } from './graph.js';

/** How far an image is the one that a lock has, from the same bytes down to the same files. */
export type LockGrade = 'file' | 'manifest' | 'config' | 'repacked' | 'files';

/** A reason why it cannot be said what an image is. */
export type LockDoubt =
  /** An error that `verify` found. */
  | { readonly what: 'finding'; readonly code: string; readonly path: string }
  | { readonly what: 'verdict'; readonly verdict: 'intact' | 'complete' }
  | { readonly what: 'config' }
  | { readonly what: 'field'; readonly pointer: string; readonly expected: string; readonly actual: string }
  | { readonly what: 'layer'; readonly layer: number; readonly reason: string }
  | { readonly what: 'layers'; readonly layers: number; readonly diffIds: number }
  | { readonly what: 'platform'; readonly declared: string; readonly config: string }
  | { readonly what: 'text' }
  /** The list has digests of manifests, and the archive has none. */
  | { readonly what: 'no-manifest' }
  /** The list has digests of files, and a directory has none. */
  | { readonly what: 'no-file' };

/**
 * The data of every finding, by its code. Codes name facts, never advice, and are never renamed once released.
 * Severity, verdict and sentences are in `checks/rules-*.ts`, which the compiler keeps complete.
 */
export interface FindingData {
  // The container
  'tar-truncated': { expected: number; actual: number };
  'tar-header-invalid': { offset: number; reason: string };
  'tar-field-invalid': { offset: number; field: string };
  'end-marker-missing': { offset: number; zeroBlocks: number };
  'trailing-bytes': { offset: number };
  'padding-not-zero': { offset: number };
  'outer-compression-invalid': { codec: string; cut: boolean; reason: string; readable: number };
  'outer-skippable-frame': Record<string, never>;
  'outer-trailing-bytes': { codec: string; bytes: number };
  'tar-record-invalid': { offset: number; reason: string };
  'member-ambiguous': { field: string; readings: string[] };
  'member-sparse': Record<string, never>;
  'zip-entry-unreadable': { reason: string };
  'zip-content-mismatch': { field: string; expected: string; actual: string };
  'zip-entries-overlap': { other: string };
  'zip-unlisted-bytes': { offset: number; bytes: number };
  unreadable: { reason: string };
  'file-changed': { expected: string; actual: string };
  'limit-reached': { limit: LimitName; value: number; seen: number | null; enough?: number; outer?: true };
  'duplicate-entry': { count: number; differ: boolean | null };
  'name-too-long': { bytes: number };
  'unsafe-name': { name: string };
  'path-conflict': { below: string | null };
  'unsafe-link': { target: string };
  'link-unexpected': { target: string; hard: boolean; fault: LinkFault };
  'special-file': Record<string, never>;
  'nested-root': { root: string };
  'documents-missing': { files: number };
  'part-unreadable': { reason: string };
  /** No report is possible. Only in formats of CI systems, as the only finding of such an archive. */
  'archive-unreadable': { reason: string };

  // Documents
  'json-invalid': { reason: string };
  /** `engines`: those that refuse the whole document because of the field. */
  'field-invalid': { expected: string; actual: string; engines?: string[] };
  'layout-version': { expected: string; actual: string | null };
  'layout-file-missing': Record<string, never>;
  'index-missing': Record<string, never>;
  'index-without-manifests': Record<string, never>;
  'index-empty': Record<string, never>;
  'index-cycle': { digest: string };
  'ambiguous-document': { kind: string; forbidden: string[] };
  'media-type-mismatch': { expected: string; actual: string };
  'media-types-differ': { digest: string; mediaTypes: string[] };
  'not-a-manifest': { mediaType: string | null };
  'manifest-json-null': Record<string, never>;
  'manifest-json-empty': Record<string, never>;
  'manifest-json-not-array': { actual: string };
  'manifest-json-item-invalid': { actual: string };
  'key-case': { keys: string[]; expected: string[] };
  'key-duplicate': { key: string; repeated: number };
  'text-not-unicode': { kind: 'bytes' | 'escapes' };
  'name-invalid': { name: string; reason: string };
  'name-confusable': { name: string; characters: string[] };
  'name-duplicate': { name: string };
  /** `refName`: those of the images that skopeo, which goes by that annotation alone, looks for under the name. */
  'name-ambiguous': { name: string; images: string[]; refName?: string[] };
  'parent-missing': { parent: string };
  'views-disagree': { onlyManifestJson: string[]; onlyIndexJson: string[] };
  'names-disagree': { onlyManifestJson: string[]; onlyIndexJson: string[] };
  'repositories-disagree': { name: string; expected: string; actual: string };
  'layers-disagree': {
    image: string;
    manifestJson: string[];
    indexJson: string[];
    /** The document whose layers match the config's diff_ids; null where those of neither or both do. */
    right: 'manifest.json' | 'index.json' | null;
  };
  'artifact-before-image': { artifact: string; image: string; platform: string | null };
  'platform-ambiguous': { platform: string; image: string; zstd: string };
  'image-disguised': { as: string; field: string; value: string };
  'engines-disagree': {
    engines: string[];
    config: string | null;
    layers: string[];
    /** The layers of the reported image with that config; null where no such image is reported. */
    shown: string[] | null;
  };
  'blob-fetched': { digest: string; urls: string[] };
  'document-oversize': { size: number; most: number; engines: string[] };
  'no-image': Record<string, never>;
  'artifacts-only': { artifacts: number };
  'producer-bug': { bug: string; producer: string; detail: string };

  // Blobs
  'digest-mismatch': { expected: string; actual: string; claimedBy: Location };
  'size-mismatch': { expected: number; actual: number; claimedBy: Location };
  'blob-name-mismatch': { expected: string; actual: string };
  'blob-name-odd': Record<string, never>;
  'blob-link-broken': { target: string };
  'config-name-mismatch': { expected: string; actual: string };
  'layer-name-mismatch': { layer: number; expected: string; stored: string; diffId: string };
  'digest-unchecked': { digest: string };
  'digest-weak': { digest: string };
  'inline-data-mismatch': { expected: string; actual: string };
  'unreferenced-blobs': { count: number; bytes: number; paths: string[] };
  'manifest-missing': { digest: string };
  'platform-absent': {
    here: string[];
    absent: { digest: string; platform: string }[];
    attestations: { digest: string; subject: string | null; platform: string | null }[];
    required: string[];
  };
  'config-missing': { ref: string; target: string | null };
  'layer-missing': { ref: string; layer: number; target: string | null; urls: string[] };
  'foreign-layer-absent': { ref: string; layer: number; urls: string[] };

  // Signatures, where they are required
  /**
   * `engines`: those that load an image which no signature covers; empty for an image of the archive. `others`: the
   * digests that its signed manifest names and by which the archive calls other bytes.
   */
  'image-unsigned': { digest: string | null; attestations: number; engines: string[]; others: string[] };
  'signed-image-missing': Record<string, never>;
  'signature-unverified': { count: number };
  /** `signs`: the first of `count` digests that it names; `expected` is that of the image to which it is attached. */
  'signature-other-digest': {
    role: 'signature' | 'attestation';
    signs: string[];
    count: number;
    expected: string | null;
    verified: boolean;
    more: number;
  };
  'signature-unreadable': SignatureFailure;
  'signature-invalid': SignatureFailure;
  'signer-mismatch': SignatureFailure;
  'signature-expired': SignatureFailure;
  'signature-certificate-invalid': SignatureFailure;
  'signature-log-missing': SignatureFailure;
  'signature-log-invalid': SignatureFailure;
  'trusted-root-outdated': SignatureFailure;
  'signature-undecided': SignatureFailure;

  // Images and layers
  'platform-mismatch': { expected: string; actual: string };
  'diff-id-mismatch': { layer: number; expected: string; actual: string };
  'diff-ids-missing': Record<string, never>;
  'layer-count-mismatch': { layers: number; diffIds: number };
  'history-count-mismatch': { layers: number; history: number };
  'layer-corrupt': { layer: number; codec: string; cut: boolean; reason: string; unpacked: number };
  'layer-unsupported': { layer: number; codec: string; reason: string };
  'layer-not-tar': { layer: number; reason: string };
  'layer-duplicate-path': { layer: number; path: string };
  'layer-holes': { layer: number; bytes: number };
  'layer-ambiguous': { layer: number; path: string; field: string; readings: string[]; entries: number };
  'layer-record-invalid': { layer: number; path: string; reason: string; entries: number };
  'layer-trailing-bytes': { layer: number; codec: string; bytes: number };
  'layer-encrypted': { layer: number; mediaType: string; plain: boolean };
  'layer-type-other': { layer: number; mediaType: string; plain: boolean };
  'layer-stream-ambiguous': { layer: number; codec: string; tar: boolean };
  'layer-unloadable': {
    layer: number;
    what: Unloadable['what'];
    path: string;
    other: string;
    engines: string[];
  };
  'compression-mismatch': { layer: number; mediaType: string; expected: string; actual: string };
  'v1-id-mismatch': { layer: number; expected: string; actual: string };
  'v1-parent-missing': { parent: string };
  'v1-parent-cycle': { id: string };

  // Locks. `lock`: the file, as the user named it; `locked`: the image in it
  'lock-image-other': {
    lock: string;
    locked: string;
    fields: string[];
    /** Indexes of the layers that differ. */
    layers: number[];
    /** How many layers each has. */
    expected: number;
    actual: number;
    /** The same layers in another order. */
    reordered: boolean;
  };
  /** `locked`: the file of that name; null where the list has none. */
  'lock-file-other': { lock: string; locked: string | null; expected: string | null; actual: string };
  'lock-image-extra': { lock: string; digest: string | null };
  'lock-image-missing': { lock: string; locked: string; digest: string };
  'lock-grade-low': { lock: string; locked: string; grade: LockGrade; least: LockGrade };
  'lock-field-lost': { lock: string; fields: string[] };
  'lock-field-unlocked': { lock: string; fields: string[] };
  'lock-attached-missing': { lock: string; attached: { type: string; digest: string }[] };
  'lock-name-other': { lock: string; expected: string[]; actual: string[]; taken: string[] };
  'lock-undecided': { lock: string; doubts: LockDoubt[] };
}

/** Why a signature does not count. */
export interface SignatureFailure {
  format: string;
  /** The code of the cause, and its data: `signatures/verify/verification.ts`. */
  cause: string;
  details: Readonly<Record<string, unknown>>;
  /** How many other signatures of the image fail for a cause of the same kind. */
  more: number;
}

/** The fault of a link that should lead from one blob to another. */
export type LinkFault = 'folder' | 'nothing' | 'no blob' | 'links between' | 'hard link';

export type FindingCode = keyof FindingData;

/** A finding before it has a severity and a sentence: its code and data, at a place. */
export type Observation = {
  [C in FindingCode]: {
    readonly code: C;
    readonly at: Location;
    readonly data: FindingData[C];
    /** Set where the rule's own severity does not fit this case. */
    readonly severity?: Severity;
  };
}[FindingCode];

export type Severity = 'error' | 'warning' | 'info';

const RANK = { info: 0, warning: 1, error: 2, never: 3 } as const;

/** True if a severity is at least as serious as another one. No severity reaches `never`. */
export const isAtLeast = (severity: Severity, least: Severity | 'never'): boolean =>
  RANK[severity] >= RANK[least];

/**
 * True if the archive is damaged or cut, and the documents that list its images may have been lost: its images are then
 * guesses from other files, and may lack their upper layers.
 */
export const areDocumentsLost = (observations: Observations): boolean =>
  observations.some(({ code }) => code === 'documents-missing');

export function observe<C extends FindingCode>(
  code: C,
  at: Location,
  data: FindingData[C],
  severity?: Severity,
): Observation {
  return (severity === undefined ? { code, at, data } : { code, at, data, severity }) as Observation;
}

/** The place of a whole member. */
export const memberAt = (path: string): Location => ({ path, pointer: null });

/** Observations of a code that weigh the same. An error must not be lost behind a hundred notes. */
const kindOf = ({ code, severity }: Observation) => `${code} ${severity ?? ''}`;

/**
 * Observations, each once, and of each code and severity no more than are reported: a document of 20 MiB has room for
 * ten million bad fields. Those beyond are counted, whether or not they repeat one.
 */
export class Observations implements Iterable<Observation> {
  private readonly kept: Observation[] = [];
  private readonly keys = new Set<string>();
  private readonly counts = new Map<string, number>();
  private readonly last = new Map<string, Observation>();

  constructor(
    private readonly limits: Pick<Limits, 'findingsPerCode'>,
    observations: Iterable<Observation> = [],
  ) {
    for (const observation of observations) this.add(observation);
    if (observations instanceof Observations)
      for (const [kind, count] of observations.counts) this.counts.set(kind, count);
  }

  add(observation: Observation): void {
    const kind = kindOf(observation);
    const count = this.counts.get(kind) ?? 0;
    if (count < this.limits.findingsPerCode) {
      const { code, at, data } = observation;
      const key = JSON.stringify([code, at, data]);
      if (this.keys.has(key)) return;
      this.keys.add(key);
      this.kept.push(observation);
      this.last.set(kind, observation);
    }
    this.counts.set(kind, count + 1);
  }

  /** How many more there were of its kind, for the last that is kept; 0 for all others. */
  restAfter(observation: Observation): number {
    const kind = kindOf(observation);
    const isLast = this.last.get(kind) === observation;
    return isLast ? Math.max(0, this.counts.get(kind)! - this.limits.findingsPerCode) : 0;
  }

  some(test: (observation: Observation) => boolean): boolean {
    return this.kept.some(test);
  }

  [Symbol.iterator](): Iterator<Observation> {
    return this.kept[Symbol.iterator]();
  }
}
