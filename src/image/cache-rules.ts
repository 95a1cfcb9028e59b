/** Files that an image does not need, by their paths. */
export interface CacheRule {
  readonly name: string;
  /** A path without a leading slash. */
  readonly path: RegExp;
  /** What these files are. */
  readonly what: string;
  /** How not to ship them. */
  readonly instead: string;
}

const rule = (name: string, path: RegExp, what: string, instead: string): CacheRule => ({
  name,
  path,
  what,
  instead,
});

const MOUNT = (target: string) => `RUN --mount=type=cache,target=${target}`;

/** The first that fits a path says what it is: the last ones fit more. */
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

/** The rule that a path falls under. @param path  without a leading slash; bytes or text */
export const cacheRuleOf = (path: string): CacheRule | null =>
  CACHE_RULES.find(({ path: pattern }) => pattern.test(path)) ?? null;
