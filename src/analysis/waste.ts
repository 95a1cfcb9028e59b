import type { Inode, TreeNode } from '../filesystem/file-tree.js';
import { contentKey } from '../scan/entries/content.js';
import type { ImageFiles, Stowaway } from './hidden-files.js';

/** Matches files that an image does not need, by path. */
interface CacheRule {
  readonly name: string;
  /** A path without a leading slash. */
  readonly path: RegExp;
  /** A description of these files. */
  readonly what: string;
  /** Advice that keeps these files out of the image. */
  readonly instead: string;
}

const rule = (name: string, path: RegExp, what: string, instead: string): CacheRule => ({
  name,
  path,
  what,
  instead,
});

const MOUNT = (target: string) => `RUN --mount=type=cache,target=${target}`;

/** The first rule that matches a path applies; later rules are more general. */
export const CACHE_RULES: readonly CacheRule[] = [
  rule(
    'apt-lists',
    /^var\/lib\/apt\/lists\//,
    'package lists of apt-get update, stale by the time they are needed',
    'rm -rf /var/lib/apt/lists/* in the same RUN',
  ),
  rule(
    'apt-cache',
    /^var\/cache\/apt\//,
    'packages that apt downloaded, and its indexes',
    `apt-get clean in the same RUN, or ${MOUNT('/var/cache/apt')}`,
  ),
  rule(
    'dpkg-backups',
    /^var\/(?:lib\/dpkg\/[^/]+-old|cache\/debconf\/[^/]+-old)$/,
    'backups that dpkg and debconf keep of their databases',
    'rm -f /var/lib/dpkg/*-old /var/cache/debconf/*-old in the same RUN',
  ),
  rule(
    'apk-cache',
    /^(?:var\/cache\/apk|etc\/apk\/cache)\//,
    'package indexes and packages that apk downloaded',
    'apk add --no-cache',
  ),
  rule(
    'rpm-cache',
    /^var\/cache\/(?:dnf|libdnf5|yum|zypp|PackageKit)\//,
    'packages and metadata that dnf, yum or zypper downloaded',
    'dnf clean all (yum clean all, zypper clean -a) in the same RUN',
  ),
  rule(
    'pacman-cache',
    /^var\/cache\/pacman\//,
    'packages that pacman downloaded',
    'pacman -Scc in the same RUN',
  ),
  rule(
    'pip-cache',
    /(?:^|\/)\.cache\/(?:pip|uv|pypoetry|pipenv)\//,
    'downloads and wheels of Python installers',
    'pip install --no-cache-dir (uv --no-cache), or a cache mount',
  ),
  rule(
    'python-bytecode',
    /(?:^|\/)__pycache__\/[^/]+$|\.py[co]$/,
    'compiled Python, which Python makes again when it needs it',
    'ENV PYTHONDONTWRITEBYTECODE=1 and pip install --no-compile, where a slower first start does not matter',
  ),
  rule(
    'conda-packages',
    /(?:^|\/)(?:(?:mini|ana)?conda\d?|(?:mini|mamba)forge\d?|micromamba)\/pkgs\//,
    'packages that conda unpacked and linked or copied from',
    'conda clean --all --yes in the same RUN',
  ),
  rule(
    'npm-cache',
    /(?:^|\/)\.npm\/(?:_cacache|_npx|_logs)\//,
    'downloads of npm',
    `npm cache clean --force in the same RUN, or ${MOUNT('/root/.npm')}`,
  ),
  rule(
    'yarn-pnpm-cache',
    /(?:^|\/)(?:\.cache\/yarn|\.yarn\/berry\/cache|\.cache\/pnpm|\.local\/share\/pnpm\/store|\.pnpm-store)\//,
    'downloads of yarn or pnpm',
    'yarn cache clean or pnpm store prune in the same RUN, or a cache mount',
  ),
  rule(
    'go-cache',
    /(?:^|\/)(?:\.cache\/go-build|go\/pkg\/mod\/cache)\//,
    'build results and downloads of Go',
    'build in a stage of its own and COPY --from the binary',
  ),
  rule(
    'cargo-cache',
    /(?:(?:^|\/)\.cargo|^usr\/local\/cargo)\/(?:registry|git)\//,
    'sources and downloads of cargo',
    'build in a stage of its own and COPY --from the binary',
  ),
  rule(
    'java-cache',
    /(?:^|\/)(?:\.m2\/repository|\.gradle\/(?:caches|wrapper|daemon)|\.ivy2\/cache)\//,
    'downloads and build results of Maven, Gradle or Ivy',
    'build in a stage of its own and COPY --from the result',
  ),
  rule(
    'ruby-cache',
    /(?:^|\/)(?:bundle|gems\/\d[^/]*)\/cache\/[^/]+\.gem$|(?:^|\/)\.bundle\/cache\//,
    'gems as they were downloaded, beside what was unpacked from them',
    'rm -rf the cache folder in the same RUN, or bundle config set no_cache true',
  ),
  rule(
    'php-cache',
    /(?:^|\/)\.(?:composer\/cache|cache\/composer)\//,
    'downloads of Composer',
    'composer install --no-cache',
  ),
  rule(
    'nuget-cache',
    /(?:^|\/)\.local\/share\/NuGet\/(?:v3-cache|http-cache)\//,
    'downloads of NuGet',
    'build in a stage of its own and COPY --from the result',
  ),
  rule(
    'version-control',
    /(?:^|\/)\.(?:git|hg|svn)\//,
    'the history of a source tree',
    'add it to .dockerignore',
  ),
  rule(
    'user-cache',
    /^(?:root|home\/[^/]+)\/\.cache\//,
    'what programs cache for a user',
    'remove it in the same RUN',
  ),
  rule('temporary', /^(?:var\/)?tmp\//, 'temporary files', 'remove them in the RUN that makes them'),
  rule('logs', /^var\/log\//, 'logs of the build', 'remove them in the RUN that writes them'),
];

/**
 * The rule that applies to a path, or null.
 * @param path  without a leading slash; bytes or text
 */
export const cacheRuleOf = (path: string): CacheRule | null =>
  CACHE_RULES.find(({ path: pattern }) => pattern.test(path)) ?? null;

/** The bytes that an image could do without. Bytes of regular files; a file with several names counts once. */
export interface Waste extends WastedBytes {
  /** From 0 to 1: the fraction of the layers' content that is not wasted. */
  readonly efficiency: number;
  /** Sorted by bytes, largest first. */
  readonly files: readonly WastedFile[];
}

/** Bytes that are wasted, by kind. */
export interface WastedBytes {
  /** Shipped by a layer, and replaced by a later layer. */
  readonly overwritten: number;
  /** The part of `overwritten` that was replaced with the same bytes. */
  readonly metadataOnly: number;
  /** Shipped by a layer, and removed by a later layer. */
  readonly deleted: number;
  /** Visible files with the same content as another: all copies but the first. */
  readonly duplicated: number;
  /** Visible files in directories of caches and similar files (`CACHE_RULES`). */
  readonly cached: number;
  /** The sum; a cached copy of a file counts once. */
  readonly total: number;
}

/** Paths are bytes, one per character; layers are indexes into the image's layers. */
export type WastedFile = { readonly path: string; readonly bytes: number; readonly layer: number } & (
  | {
      readonly kind: 'overwritten' | 'deleted';
      readonly hiddenBy: number;
      readonly metadataOnly: boolean;
    }
  /** `copyOf` is the first copy. */
  | { readonly kind: 'duplicated'; readonly copyOf: string }
  | { readonly kind: 'cached'; readonly rule: CacheRule }
);

/**
 * Computes the bytes that an image wastes. The first copy of a content is not waste: the one in the lowest layer, and
 * within a layer the first in the order of the tree. A file counts as cached only if all its names match a rule,
 * because the files of some stores are hard links to files in use.
 *
 * @param unpacked  from tables read with digests; without digests no file counts as duplicated
 */
export function wasteOf({ tree, tables, stowaways }: ImageFiles): Waste {
  const files = visibleFiles(tree.passing, tables);
  const copies = copiesIn(files, tables);
  const caches = files.flatMap(file => cachedFile(file) ?? []);
  const hidden = stowaways.map(hiddenFile);
  const sorted = hidden.concat(copies, caches).sort((a, b) => b.bytes - a.bytes);
  const shipped = total(files) + total(hidden);
  const wasted = wastedBytes(sorted);
  return {
    ...wasted,
    efficiency: shipped === 0 ? 1 : 1 - wasted.total / shipped,
    files: sorted,
  };
}

/** Adds up wasted files. @param isMeant  takes the layer that ships one; others are left out */
export function wastedBytes(
  files: readonly WastedFile[],
  isMeant: (layer: number) => boolean = () => true,
): WastedBytes {
  const copies = new Set<string>();
  for (const { kind, path } of files) if (kind === 'duplicated') copies.add(path);
  const of = (isCounted: (file: WastedFile) => boolean) =>
    total(files, file => isMeant(file.layer) && isCounted(file));
  return {
    overwritten: of(({ kind }) => kind === 'overwritten'),
    metadataOnly: of(file => 'metadataOnly' in file && file.metadataOnly),
    deleted: of(({ kind }) => kind === 'deleted'),
    duplicated: of(({ kind }) => kind === 'duplicated'),
    cached: of(({ kind }) => kind === 'cached'),
    total: of(({ kind, path }) => kind !== 'cached' || !copies.has(path)),
  };
}

/** A visible file that is not empty. */
interface VisibleFile {
  readonly path: string;
  readonly names: readonly string[];
  readonly inode: Inode;
  readonly bytes: number;
  readonly layer: number;
}

function visibleFiles(nodes: Iterable<TreeNode>, tables: ImageFiles['tables']): VisibleFile[] {
  const linked = new Map<Inode, string[]>();
  const files: VisibleFile[] = [];
  for (const { inode, path } of nodes) {
    const { type, layer, index, links } = inode;
    const bytes = type === 'file' ? tables[layer]!.sizes[index]! : 0;
    const known = links === 1 ? undefined : linked.get(inode);
    if (known !== undefined) known.push(path);
    else if (bytes > 0) {
      const names = [path];
      if (links > 1) linked.set(inode, names);
      files.push({ path, names, inode, bytes, layer });
    }
  }
  return files;
}

function copiesIn(
  files: readonly VisibleFile[],
  tables: ImageFiles['tables'],
): (WastedFile & { readonly kind: 'duplicated' })[] {
  if (tables.every(table => (table?.contents?.digests.length ?? 0) === 0)) return [];
  const first = new Map<string, string>();
  return [...files]
    .sort((a, b) => a.layer - b.layer)
    .flatMap(({ path, inode, bytes, layer }) => {
      const content = contentKey(tables[inode.layer]!, inode.index);
      const copyOf = content === null ? undefined : first.get(content);
      if (copyOf !== undefined) return [{ kind: 'duplicated' as const, path, bytes, layer, copyOf }];
      if (content !== null) first.set(content, path);
      return [];
    });
}

function cachedFile({ path, names, bytes, layer }: VisibleFile): WastedFile | null {
  const rule = cacheRuleOf(path);
  const isCached = rule !== null && names.every(name => cacheRuleOf(name) !== null);
  return isCached ? { kind: 'cached', path, bytes, layer, rule } : null;
}

const hiddenFile = ({ how, path, bytes, layer, hiddenBy, metadataOnly }: Stowaway): WastedFile => ({
  kind: how,
  path,
  bytes,
  layer,
  hiddenBy,
  metadataOnly,
});

/** A hostile image has a million of these, so the list is not copied. */
function total<F extends { readonly bytes: number }>(files: readonly F[], counts = (_: F) => true): number {
  let sum = 0;
  for (const file of files) if (counts(file)) sum += file.bytes;
  return sum;
}
