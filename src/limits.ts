/**
 * Every cap on what an archive may make us hold or do, with its reason. Everything in an archive is hostile; a cap that
 * is hit becomes the finding `limit-reached`, which names the limit, and the rest of the archive is still reported.
 */
export interface Limits {
  /** Largest JSON document that is read into memory, in bytes. containerd's own cap on an archive's JSON is 20 MiB. */
  readonly documentBytes: number;
  /** All JSON documents that a one-pass reader keeps until linking, in bytes: a pipe cannot be asked again. */
  readonly keptDocumentBytes: number;
  /** How deep indexes may nest. Real ones nest twice; a cycle is cut by its digest before this is reached. */
  readonly indexDepth: number;
  /** How many manifests and indexes are visited in all. Ten thousand is ten times the largest release seen. */
  readonly manifests: number;
  /** Members of the outer archive. A saved image has a few hundred, a mirror of a registry some ten thousand. */
  readonly members: number;
  /** PAX or GNU long-name record of the outer archive, in bytes; tar-stream's own cap. */
  readonly tarMetadataBytes: number;
  /** Bytes after the end marker that are looked at for anything but zeros. */
  readonly trailingBytes: number;
  /** A blob may unpack to this many bytes whatever its ratio. */
  readonly unpackedFree: number;
  /** Beyond `unpackedFree`, a blob that unpacks to more than this many times its size is taken for a bomb. */
  readonly unpackedRatio: number;
  /** Entries kept of a layer, where they are kept: ten times the most that a layer seen had, in some 100 MB of memory. */
  readonly layerEntries: number;
  /** Names, link targets and extended attributes kept of a layer's entries, in bytes: 256 for each of a million. */
  readonly layerEntryBytes: number;
  /** Content kept of one layer's files, where a command wants to look into them, in bytes. An rpm database has 100 MB. */
  readonly keptContentBytes: number;
  /** Findings kept per code; the rest is counted in the last one. */
  readonly findingsPerCode: number;
}

const MiB = 1024 * 1024;

export const defaultLimits: Limits = {
  documentBytes: 20 * MiB,
  keptDocumentBytes: 128 * MiB,
  indexDepth: 20,
  manifests: 10_000,
  members: 1_000_000,
  tarMetadataBytes: 4 * MiB,
  trailingBytes: 64 * MiB,
  unpackedFree: 1024 * MiB,
  unpackedRatio: 200,
  layerEntries: 1_000_000,
  layerEntryBytes: 256 * MiB,
  keptContentBytes: 256 * MiB,
  findingsPerCode: 100,
};
