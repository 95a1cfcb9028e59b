// The image layout directory around OCI documents (image-layout.md).
import { goJson } from './digest.js';
import { directory, type FileMember, file, firstOfEach, type Member } from './members.js';
import { type Blob, type Content, MEDIA } from './oci.js';

export interface LayoutOptions {
  /** Entries of index.json, in this order. */
  readonly manifests: readonly Content[];
  /** Blobs that nothing refers to. */
  readonly unreferenced?: readonly Blob[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly indent?: number;
  readonly imageLayoutVersion?: string;
  /** False to leave out the media type of index.json. */
  readonly mediaType?: false;
  /** Write `blobs/` and its folders as members; default true. */
  readonly directories?: boolean;
  /** Order of blobs, index.json and oci-layout: in this order, or reversed. */
  readonly order?: 'blobs-first' | 'blobs-last';
  readonly blobMode?: number;
}

export const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

/** Blobs as members sorted by name (or in the given order), each once, below their directories. */
export function blobMembers(
  blobs: readonly Blob[],
  options: {
    readonly directories?: boolean;
    readonly sorted?: boolean;
    readonly mode?: number;
    readonly mtime?: number;
  } = {},
): Member[] {
  const more = {
    ...(options.mode !== undefined && { mode: options.mode }),
    ...(options.mtime !== undefined && { mtime: options.mtime }),
  };
  const members = blobs.map(({ digest, bytes }) => file(blobPath(digest), bytes, more));
  const folders = new Set(members.map(({ path }) => path.slice(0, path.lastIndexOf('/'))));
  const directories = options.directories === false ? [] : ['blobs', ...folders].map(path => directory(path));
  const all = firstOfEach([...directories, ...members]);
  return options.sorted === false ? all : all.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function indexFile(manifests: readonly Content[], options: Partial<LayoutOptions> = {}): FileMember {
  const document = {
    schemaVersion: 2,
    mediaType: options.mediaType === false ? undefined : MEDIA.index,
    manifests: manifests.map(({ descriptor }) => descriptor),
    annotations: options.annotations,
  };
  return file('index.json', goJson(document, options.indent));
}

export const layoutFile = (version = '1.0.0'): FileMember =>
  file('oci-layout', goJson({ imageLayoutVersion: version }));

/** An image layout of any content. */
export function ociLayout(options: LayoutOptions): Member[] {
  const { manifests, unreferenced = [], directories = true, blobMode } = options;
  const all = [...manifests.flatMap(({ blobs }) => blobs), ...unreferenced];
  const blobs = blobMembers(all, { directories, ...(blobMode !== undefined && { mode: blobMode }) });
  const index = indexFile(manifests, options);
  const layout = layoutFile(options.imageLayoutVersion);
  return options.order === 'blobs-last' ? [layout, index, ...blobs] : [...blobs, index, layout];
}
