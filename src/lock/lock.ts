import type { JsonObject } from '../spec/json.js';
import { canonicalJson } from './projection.js';

/** Version of the format. A reader refuses a newer one: what it does not know it cannot compare. */
export const LOCK_VERSION = 1;

export const LOCK_TYPE = 'waybill-lock';

/** A manifest that is about an image: a signature, an attestation, an SBOM. */
export interface Attached {
  /** Its artifactType, or the types of its content. */
  readonly type: string;
  /** Digest of the manifest or index that it is about. */
  readonly subject: string;
  /** Digest of its manifest. */
  readonly digest: string;
}

/** An image as a lock has it. All digests are computed from bytes. */
export interface LockedImage {
  /** As the archives write them. */
  readonly names: readonly string[];
  /** os/arch[/variant]; null where nothing names one. */
  readonly platform: string | null;
  /** Digests of the indexes that lead to the image, and of its manifests: several where several archives hold it. */
  readonly indexes: readonly string[];
  readonly manifests: readonly string[];
  /** Digest of the config; null for an image from before image IDs. */
  readonly config: string | null;
  /** See `Projection`. */
  readonly runs: string;
  readonly fields: Readonly<Record<string, string>>;
  /** null where the config is OCI's and has none of them: whether a conversion removed them is not known. */
  readonly dockerOnly: JsonObject | null;
  /** Base first. */
  readonly diffIds: readonly string[];
  /** The tree hash of each layer; null where they were not requested. */
  readonly files: readonly string[] | null;
  readonly attached: readonly Attached[];
}

/** A lock that was read. */
export type Lock =
  | { readonly format: 'lock'; readonly images: readonly LockedImage[] }
  /** `name@sha256:…` of each line: what a registry calls an image. */
  | { readonly format: 'references'; readonly references: readonly LockedReference[] }
  /** The output of sha256sum: files, whatever they are. */
  | { readonly format: 'sums'; readonly sums: readonly LockedFile[] };

export interface LockedReference {
  /** Without the digest; empty where a line has the digest alone. */
  readonly name: string;
  readonly digest: string;
}

export interface LockedFile {
  readonly file: string;
  readonly digest: string;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort(compare);

/**
 * The same for images that have one content, whatever they are called and wherever they were found. Of one config an
 * archive in Docker's format says that it has no field of Docker's, and a layout of OCI does not know.
 */
export const contentKey = ({ platform, config, runs, dockerOnly, files }: LockedImage): string =>
  JSON.stringify([platform, config, runs, canonicalJson(dockerOnly ?? {}), files]);

/** Each image once, with all names and digests of its copies, in an order that does not depend on the reading's. */
export function mergedImages(images: readonly LockedImage[]): LockedImage[] {
  const merged = new Map<string, LockedImage>();
  for (const image of images) {
    const key = contentKey(image);
    const known = merged.get(key) ?? image;
    merged.set(key, {
      ...image,
      dockerOnly: known.dockerOnly ?? image.dockerOnly,
      names: sorted([...known.names, ...image.names]),
      indexes: sorted([...known.indexes, ...image.indexes]),
      manifests: sorted([...known.manifests, ...image.manifests]),
      attached: attachedOnce([...known.attached, ...image.attached]),
    });
  }
  const orderOf = (image: LockedImage) =>
    [image.names[0] ?? '', image.platform ?? '', image.config ?? '', contentKey(image)].join('\0');
  return [...merged.values()].sort((a, b) => compare(orderOf(a), orderOf(b)));
}

function attachedOnce(all: readonly Attached[]): Attached[] {
  const byKey = new Map(all.map(one => [`${one.type}\0${one.subject}\0${one.digest}`, one]));
  return [...byKey].sort(([a], [b]) => compare(a, b)).map(([, one]) => one);
}

/** The text of a lock: sorted, a value on each line, without a clock and without paths, so that diffs are short. */
export function lockText(images: readonly LockedImage[]): string {
  const ordered = mergedImages(images).map(
    ({
      names,
      platform,
      indexes,
      manifests,
      config,
      runs,
      fields,
      dockerOnly,
      diffIds,
      files,
      attached,
    }) => ({
      names,
      platform,
      indexes,
      manifests,
      config,
      runs,
      fields: inOrder(fields),
      dockerOnly: dockerOnly === null ? null : inOrder(dockerOnly),
      diffIds,
      ...(files !== null && { files }),
      attached: attached.map(({ type, subject, digest }) => ({ type, subject, digest })),
    }),
  );
  return `${JSON.stringify({ type: LOCK_TYPE, schemaVersion: LOCK_VERSION, images: ordered }, null, 2)}\n`;
}

const inOrder = <T>(object: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => compare(a, b)));

/** An image of a lock in words: its first name, or else the beginning of a digest, and its platform. */
export function lockedName({ names, platform, config, runs }: LockedImage): string {
  const name = names[0] ?? (config ?? runs).slice(0, 'sha256:'.length + 12);
  return platform === null ? name : `${name} (${platform})`;
}
