import { visible, visiblePath } from '../visible.js';
import type { FileMap } from './doc.js';
import type { FileReport } from './file-report.js';

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
