import type { ScannedArchive } from '../archive.js';
import type { Graph } from '../graph.js';

/** The part of a graph that a layout reads from its documents. */
export type Linked = Pick<Graph, 'images' | 'artifacts' | 'indexes' | 'absent' | 'docker'>;

/** The documents list nothing. */
export const NOTHING_LINKED: Linked = { images: [], artifacts: [], indexes: [], absent: [], docker: null };

/** One way to lay out an image in files: how to recognise it, read its documents and find its blobs. */
export interface LayoutReader<Name extends string = string> {
  /** The `layout` of the JSON report. */
  readonly name: Name;
  /** Whether an archive that has a marker file (`spec/markers.ts`) is of this layout. */
  detect(archive: ScannedArchive): boolean;
  /** Reads the documents. Faults become observations of the archive; it never throws. */
  link(archive: ScannedArchive): Linked;
  /** Paths below the root where the blob of a digest may lie, in the order in which to look. */
  blobPaths(digest: string): readonly string[];
  /** The same for a manifest or an index, where it has a path of its own. Default: as for any blob. */
  manifestPaths?(digest: string): readonly string[];
  /** The document that is itself the only manifest or index of the layout, where there is no index.json. */
  readonly rootManifest?: string;
  /** Every blob below `blobs/` is named by its digest, and index.json leads to it. */
  readonly hasBlobFolder?: boolean;
  /** Without such a folder: the digest that a path below the root promises by its name; null for none. */
  digestOfPath?(path: string): string | null;
}
