import type { TreeNode } from '../filesystem/file-tree.js';
import type { LayerEntry } from '../filesystem/layer-changes.js';
import { isUtf8, nameText } from '../scan/entries/name.js';
import type { EntryType } from '../scan/entries/table.js';
import { visible, visiblePath } from '../visible.js';
import type { FileMap } from './doc.js';

/**
 * One file of an image, as `files --json` and others print it. Bytes of a name that are not UTF-8 are lone surrogates
 * (PEP 383), which many readers of JSON replace or refuse: such a name stands in `pathBytes` or `targetBytes` too.
 */
export interface FileReport {
  /** Without a leading slash. */
  readonly path: string;
  /** `hardlink` for a further name of a file that has one already. */
  readonly type: EntryType;
  /** Bytes of content; of a hard link those that it shares. */
  readonly size: number;
  /** Permission bits with setuid, setgid and sticky, as a number: 493 is rwxr-xr-x. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970; null for a directory that no layer has an entry for. */
  readonly mtime: number | null;
  /**
   * Target of a symbolic link as it is written; of a hard link, the path of the file's first name. null for any other
   * type.
   */
  readonly target: string | null;
  /** Index of the layer that put it there, from 0. */
  readonly layer: number;
  /** The bytes of `path` in base64, where they are not UTF-8. */
  readonly pathBytes?: string;
  /** The bytes of `target` in base64, where they are not UTF-8. */
  readonly targetBytes?: string;
  /** Names that the file has, where it has several. */
  readonly links?: number;
  readonly device?: { readonly major: number; readonly minor: number };
  /** Bytes that the layer has of a sparse file. */
  readonly storedSize?: number;
  /** Extended attributes, such as capabilities: names to values in base64. */
  readonly xattrs?: Readonly<Record<string, string>>;
}

export function fileReport(node: TreeNode | LayerEntry): FileReport {
  const { path, type, entry, links, linkedTo } = node;
  const target = linkedTo ?? entry.target;
  const text = nameText(path);
  const report: FileReport = {
    path: text,
    type,
    size: entry.size,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: node.isImplied ? null : entry.mtime + entry.mtimeNanos / 1e9,
    target: target === null ? null : nameText(target),
    layer: node.layer,
  };
  const isPlain =
    links === 1 && entry.device === null && entry.storedSize === entry.size && entry.xattrs.length === 0;
  // Plain ASCII is the same text.
  const isText = (text === path || isUtf8(path)) && (target === null || isUtf8(target));
  return isPlain && isText ? report : { ...report, ...rarities(node, target) };
}

const base64 = (name: string) => Buffer.from(name, 'latin1').toString('base64');

/** Properties that few files have. */
function rarities({ path, entry, links }: TreeNode | LayerEntry, target: string | null): Partial<FileReport> {
  return {
    ...(!isUtf8(path) && { pathBytes: base64(path) }),
    ...(target !== null && !isUtf8(target) && { targetBytes: base64(target) }),
    ...(links > 1 && { links }),
    ...(entry.device !== null && { device: entry.device }),
    ...(entry.storedSize !== entry.size && { storedSize: entry.storedSize }),
    ...(entry.xattrs.length > 0 && {
      xattrs: Object.fromEntries(
        entry.xattrs.map(({ name, value }) => [nameText(name), Buffer.from(value).toString('base64')]),
      ),
    }),
  };
}

/**
 * The files of an image for formats that can draw. Every file has its bytes once, at its first name.
 * @param files  all of them, a directory before what is in it
 */
export function fileMap(files: readonly FileReport[], layerNames: readonly string[]): FileMap {
  const directories = new Map<string, number>();
  const names: string[] = [];
  const parents: number[] = [];
  for (const [i, { path, type }] of files.entries()) {
    const slash = path.lastIndexOf('/');
    if (type === 'directory') directories.set(path, i);
    names.push(visiblePath(path.slice(slash + 1)));
    parents.push(slash < 0 ? -1 : (directories.get(path.slice(0, slash)) ?? -1));
  }
  return {
    names,
    parents,
    sizes: files.map(({ type, size }) => (type === 'file' ? size : 0)),
    layers: files.map(({ layer }) => layer),
    layerNames: layerNames.map(visible),
  };
}
