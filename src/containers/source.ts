import type { CodecFault } from '../codec/codec.js';
import type { CodecName, Compression } from '../codec/registry.js';
import type { InputError } from '../errors.js';
import type { LimitName } from '../limits.js';

/** The form of an archive. `stream` is a tar that arrives through a pipe. */
export type Container = 'tar' | 'directory' | 'zip' | 'stream';

/** Bytes of a file on this machine. Plain data: a worker thread opens it by itself. */
export interface ByteRange {
  readonly file: string;
  readonly start: number;
  /** Bytes in the file, which for a deflated range are fewer than the content's. */
  readonly length: number;
  /** Raw deflate, as inside a zip. */
  readonly deflated: boolean;
  /** The whole file, where it is small and was read at once. */
  readonly content?: Uint8Array;
  /** Size and checksum that a zip lists; `size` is null where the zip's format cannot express it. */
  readonly listed?: { readonly crc32: number; readonly size: number | null };
}

/** One entry of the outer archive. */
export interface Member {
  /** POSIX, relative, without `./` and empty segments. `..` is kept, and reported. */
  readonly path: string;
  /** The name as the archive writes it. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  /** Bytes of content as the container claims them; 0 for anything but a file. */
  readonly size: number;
  /** Where a link points, as written. */
  readonly target: string | null;
  /** The type of a tar's entry, where it is none that POSIX names: some readers take it for a file. */
  readonly flag?: number;
  /** Seconds since 1970, as a tar's header says; left out where the container has none that travel. */
  readonly mtime?: number;
}

export interface SeekableMember extends Member {
  /** null for anything but a file. Cut at the archive's end where that comes too early. */
  readonly range: ByteRange | null;
}

/** A fault of the container itself, as data. `path` is the member that it is about, or null. */
export type SourceProblem =
  | {
      readonly kind: 'tar-truncated';
      readonly path: string | null;
      readonly expected: number;
      readonly actual: number;
    }
  | { readonly kind: 'tar-header'; readonly path: null; readonly offset: number; readonly reason: string }
  | {
      readonly kind: 'end-marker-missing';
      readonly path: null;
      readonly offset: number;
      readonly zeroBlocks: number;
      /** The tar ends within the second block. */
      readonly cut?: true;
    }
  | {
      readonly kind: 'trailing-bytes';
      readonly path: null;
      readonly offset: number;
    }
  | {
      /** A header that Go's archive/tar, and every engine with it, refuses the whole tar for, though it can be read. */
      readonly kind: 'tar-field';
      readonly path: null;
      readonly offset: number;
      readonly field: string;
      /** How many members come before it. */
      readonly before: number;
    }
  | { readonly kind: 'padding-not-zero'; readonly path: string; readonly offset: number }
  | {
      readonly kind: 'outer-compression';
      readonly path: null;
      readonly codec: CodecName;
      readonly cut: boolean;
      readonly reason: string;
      /** The fault as data, where readers of the format differ about it. */
      readonly fault: CodecFault | null;
      /** Decompressed bytes that could still be read. */
      readonly readable: number;
    }
  | {
      readonly kind: 'outer-trailing';
      readonly path: null;
      readonly codec: CodecName;
      readonly bytes: number;
      /** Whether they are zeros, and nothing else. */
      readonly zeros: boolean;
    }
  /** The file begins with a skippable frame, which some readers do not recognise as zstd. */
  | { readonly kind: 'outer-skippable'; readonly path: null }
  | {
      /** Records that Go's archive/tar, and every engine with it, refuses the whole tar for. */
      readonly kind: 'tar-record';
      readonly path: null;
      readonly offset: number;
      /** `too-large`: Go reads no record of more than 1 MiB. */
      readonly code: 'too-large' | 'malformed';
      readonly reason: string;
      readonly before: number;
    }
  | { readonly kind: 'sparse'; readonly path: string }
  | {
      /** Readers of the same bytes take them for different things. */
      readonly kind: 'ambiguous';
      readonly path: string | null;
      /** The field that they read differently. */
      readonly field: string;
      /** The reading that waybill follows comes first. */
      readonly readings: readonly string[];
      /**
       * Two cases that some engines read as waybill does not. `global-header`: a global PAX header is a file of its
       * name to them. `skippable-frame`: they do not recognise zstd data behind such a frame, and take the file for a
       * tar.
       */
      readonly code?: 'global-header' | 'skippable-frame';
    }
  | { readonly kind: 'zip-entry'; readonly path: string | null; readonly reason: string }
  | {
      readonly kind: 'zip-content';
      readonly path: null;
      readonly field: 'CRC-32' | 'size' | 'packed size';
      readonly expected: string;
      readonly actual: string;
    }
  | { readonly kind: 'zip-overlap'; readonly path: string; readonly other: string }
  | { readonly kind: 'zip-gap'; readonly path: null; readonly offset: number; readonly bytes: number }
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  | {
      /** The file is not what it was when it was opened; `path` is null where it is the archive. */
      readonly kind: 'changed';
      readonly path: string | null;
      /** The difference, in words. */
      readonly expected: string;
      readonly actual: string;
    }
  | {
      readonly kind: 'limit';
      readonly path: string | null;
      readonly limit: LimitName;
      readonly value: number;
      /** How much there was; left out where it was not counted. */
      readonly seen?: number;
      readonly enough?: number;
      readonly outer?: true;
    };

/** Whether the same bytes need not have a problem, or a blob a failure, at another time or on another machine. */
export const isOfTheMoment = ({ kind, limit }: { readonly kind: string; readonly limit?: string }): boolean =>
  kind === 'unreadable' || kind === 'changed' || (kind === 'limit' && limit === 'seconds');

/** A source that can be asked for any member at any time. */
export interface SeekableSource {
  readonly access: 'seekable';
  readonly isDirectory: boolean;
  readonly members: readonly SeekableMember[];
  readonly problems: readonly SourceProblem[];
}

/** A source that is read once: each member is visited in order, and its content can be read only during the visit. */
export interface OnceSource {
  readonly access: 'once';
  /**
   * Visits every member. The content is valid only until the visit's promise resolves.
   * @returns the faults of the container. Never throws for bad content; throws for an I/O error.
   */
  walk(visit: Visitor): Promise<readonly SourceProblem[]>;
  /** Closes the files of a source that is not walked. */
  close(): Promise<void>;
}

export type Visitor = (member: Member, content: AsyncIterable<Uint8Array>) => Promise<void>;

export type Source = SeekableSource | OnceSource;

/** An opened input: a file, a directory or standard input, with one image archive, or several inside a zip. */
export interface Opened {
  /** As the user named it; `-` for standard input. */
  readonly file: string;
  readonly container: Container;
  readonly compression: Compression;
  /** Bytes of the file, or of all files of a directory; null for a stream until it has been read. */
  readonly size: number | null;
  /** The bytes of a small file, which was read at once. */
  readonly content?: Uint8Array;
  /** Bytes read so far from a source that passes once. */
  readonly bytesRead: () => number;
  /** Changes of the files since they were opened. To be called when everything has been read. */
  readonly changes: () => readonly SourceProblem[];
  readonly parts: readonly Part[];
  /** Members of a zip that look packed like an image tarball and cannot be opened as one. */
  readonly strangers: readonly Stranger[];
  /** Faults of a zip that holds image tarballs. The faults of any other container are in its part. */
  readonly problems: readonly SourceProblem[];
}

export interface Stranger {
  readonly inside: string;
  readonly error: InputError;
}

/** One archive of members. */
export interface Part {
  /** Path of the image tarball inside a zip; null when the file itself is the archive. */
  readonly inside: string | null;
  /** The compression of an image tarball inside a zip. */
  readonly compression: Compression;
  readonly source: Source;
}
