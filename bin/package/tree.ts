// A tree of files as a tar whose bytes depend on nothing else: layers of the image, and the parts of the Debian
// package.
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export interface TreeFile {
  /** Relative, without `./`. */
  readonly path: string;
  /** The content, or where a symbolic link leads. */
  readonly content: Uint8Array | string | { readonly link: string };
  /** Permissions; 0o644 by default. */
  readonly mode?: number;
}

const MODES = { directory: 0o755, file: 0o644, link: 0o777 } as const;

/**
 * @param seconds  the time of every entry, since 1970
 * @param prefix   before every path: Debian's tools expect `./`
 */
export async function tarOf(files: readonly TreeFile[], seconds: number, prefix = ''): Promise<Buffer> {
  const tar = pack();
  const chunks: Uint8Array[] = [];
  const ended = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  })();
  const shared = { mtime: new Date(seconds * 1000), uid: 0, gid: 0, uname: 'root', gname: 'root' };
  const folders = [...new Set(files.flatMap(({ path }) => parentsOf(path)))];
  for (const path of folders)
    tar.entry({ ...shared, name: `${prefix}${path}/`, type: 'directory', mode: MODES.directory });
  for (const { path, content, mode } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const name = `${prefix}${path}`;
    if (typeof content === 'object' && 'link' in content)
      tar.entry({ ...shared, name, type: 'symlink', linkname: content.link, mode: MODES.link });
    else tar.entry({ ...shared, name, mode: mode ?? MODES.file }, Buffer.from(content as Uint8Array));
  }
  tar.finalize();
  await ended;
  return Buffer.concat(chunks);
}

/** The folders of a path, outermost first. */
const parentsOf = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((_, i, names) => names.slice(0, i + 1).join('/'));

export const gzipped = (bytes: Uint8Array): Buffer => gzipSync(bytes, { level: 9 });
