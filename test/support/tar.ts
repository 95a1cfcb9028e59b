// Makes tars with tar-stream's pack: layers and the archives around them.
import { type Header, pack } from 'tar-stream';
import { bytesOf } from './digest.js';

export interface TarEntry {
  readonly path: string;
  /** Default: a directory if the path ends in a slash, a symlink if `link` is given, otherwise a file. */
  readonly type?: NonNullable<Header['type']>;
  readonly bytes?: string | Uint8Array;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly owner?: string;
  /** Seconds since 1970. */
  readonly mtime?: number;
  readonly pax?: Readonly<Record<string, string>>;
  readonly device?: readonly [major: number, minor: number];
}

export interface TarOptions {
  /** A prefix of every path, as `tar -C layout .` writes `./`. */
  readonly prefix?: string;
  /** Write the two zero blocks at the end; default true. */
  readonly endMarker?: boolean;
  /** Bytes after the end. */
  readonly trailing?: Uint8Array;
}

const END_MARKER = 1024;

export async function tarBytes(entries: readonly TarEntry[], options: TarOptions = {}): Promise<Uint8Array> {
  const packing = pack();
  for (const entry of entries) {
    const header = headerOf(entry, options.prefix ?? '');
    packing.entry(header, Buffer.from(header.size === 0 ? [] : bytesOf(entry.bytes ?? '')));
  }
  packing.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of packing) chunks.push(chunk as Uint8Array);
  const tar = Buffer.concat(chunks);
  const kept = options.endMarker === false ? tar.subarray(0, tar.length - END_MARKER) : tar;
  return new Uint8Array(Buffer.concat([kept, options.trailing ?? new Uint8Array()]));
}

function headerOf(entry: TarEntry, prefix: string): Partial<Header> & Pick<Header, 'name'> {
  const type = typeOf(entry);
  return {
    name: prefix + entry.path,
    type,
    mode: entry.mode ?? (type === 'file' || type === 'link' ? 0o644 : type === 'symlink' ? 0o777 : 0o755),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    mtime: new Date((entry.mtime ?? 0) * 1000),
    size: type === 'file' || type === 'contiguous-file' ? bytesOf(entry.bytes ?? '').length : 0,
    ...(entry.owner !== undefined && { uname: entry.owner, gname: entry.owner }),
    ...(entry.link !== undefined && { linkname: entry.link }),
    ...(entry.pax !== undefined && { pax: { ...entry.pax } }),
    ...(entry.device !== undefined && { devmajor: entry.device[0], devminor: entry.device[1] }),
  };
}

function typeOf(entry: TarEntry): NonNullable<Header['type']> {
  if (entry.type !== undefined) return entry.type;
  if (entry.link !== undefined) return 'symlink';
  return entry.path.endsWith('/') ? 'directory' : 'file';
}
