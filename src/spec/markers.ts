/** Member names that mark an image archive, whatever its generation. */
export const MARKERS = ['index.json', 'oci-layout', 'manifest.json', 'repositories'] as const;

/** A v1 image, `<id>/json`, as every `docker save` before 25 wrote one per layer. */
export const V1_JSON = /^([0-9a-f]{64})\/json$/;

/**
 * Whether a path is of a kind that engines open: a document at the top, a blob, a file of a v1 image, or what
 * manifest.json lists, whose names all end in one of a few ways or are digests.
 */
export const isEnginePath = (path: string): boolean =>
  ENGINE_PATH.test(path) || (MARKERS as readonly string[]).includes(path);

const ENGINE_PATH =
  /^(VERSION|version)$|(^|\/)blobs(\/|$)|(^|[/:])[0-9a-f]{64}([./]|$)|\/(json|VERSION|layer\.tar)$|\.(json|tar|tgz|tar\.\w+)$/;

/** Whether a path is one of a blob, as producers call layers and configs, and not one of a document. */
export const isBlobPath = (path: string): boolean =>
  /^blobs\/|(^|\/)layer\.tar$|(^|[/:])[0-9a-f]{64}(\.tar[^/]*|\.tgz)?$|\.(tar|tgz|tar\.\w+)$/.test(path);

const isMarker = (path: string) => (MARKERS as readonly string[]).includes(path) || V1_JSON.test(path);

/**
 * The directory of the image in an archive: '' at the top, `name/` where the directory was archived instead of its
 * content, null when there is none. Below the top one marker is not enough: any web application has an index.json or a
 * manifest.json.
 */
export function rootOf(paths: readonly string[]): string | null {
  if (paths.some(isMarker)) return '';
  const folders = new Map<string, { marked: boolean; imageLike: boolean }>();
  for (const path of paths) {
    const slash = path.indexOf('/');
    if (slash < 0) continue;
    const folder = path.slice(0, slash + 1);
    const rest = path.slice(slash + 1);
    const seen = folders.get(folder) ?? { marked: false, imageLike: false };
    seen.marked ||= isMarker(rest);
    seen.imageLike ||= rest === 'oci-layout' || /(^|[:/])[0-9a-f]{64}(\.|\/|$)/.test(rest);
    folders.set(folder, seen);
  }
  const roots = [...folders].filter(([, seen]) => seen.marked && seen.imageLike);
  return roots.length === 1 ? roots[0]![0] : null;
}
