/**
 * Platforms as the OCI image index describes them, normalised as containerd and Docker do.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md (platform)
 */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | null;
  readonly osVersion: string | null;
}

/** `linux/arm/v7`. A missing part shows as `?`. */
export function formatPlatform(platform: Platform): string {
  const base = `${platform.os || '?'}/${platform.architecture || '?'}`;
  return platform.variant ? `${base}/${platform.variant}` : base;
}

/** `windows(10.0.20348.2227)/amd64`: with the version of the system, as containerd writes it. */
export function fullPlatform(platform: Platform): string {
  const { os, osVersion } = platform;
  return formatPlatform(osVersion === null ? platform : { ...platform, os: `${os || '?'}(${osVersion})` });
}

/** Further names of architectures, with the variant that a name implies. */
const ARCHITECTURES: ReadonlyMap<string, readonly [architecture: string, variant: string | null]> = new Map([
  ['x86_64', ['amd64', null]],
  ['x86-64', ['amd64', null]],
  ['i386', ['386', null]],
  ['i686', ['386', null]],
  ['aarch64', ['arm64', null]],
  ['armhf', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
]);

const KNOWN = new Set([
  '386',
  'amd64',
  'arm',
  'arm64',
  'loong64',
  'mips64le',
  'ppc64le',
  'riscv64',
  's390x',
  'wasm',
]);

/** Architectures that need no system beside them, in every spelling. */
export const ARCHITECTURE_NAMES: readonly string[] = [...KNOWN, ...ARCHITECTURES.keys()];

/** The system, with a version in parentheses where that matters, as containerd writes it. */
const SYSTEM = /^([a-z0-9_.-]+)(?:\(([a-z0-9_.-]+)\))?$/;

/**
 * Reads what a user typed for `--platform`: `os[(version)]/arch[/variant]`, or an architecture alone (then the OS is
 * linux).
 * @returns null when it cannot be a platform.
 */
export function parsePlatform(text: string): Platform | null {
  const parts = text.toLowerCase().split('/');
  const isArchitecture = parts.length === 1;
  const [system, arch, variant] = isArchitecture ? ['linux', parts[0]!, undefined] : parts;
  const [, os, osVersion = null] = SYSTEM.exec(system!) ?? [];
  const rest = [arch!, ...(variant === undefined ? [] : [variant])];
  if (os === undefined || parts.length > 3 || rest.some(part => !/^[a-z0-9_.-]+$/.test(part))) return null;
  const platform = named({ os, architecture: arch!, variant: variant ?? null, osVersion });
  // Alone, a word must be a known architecture: anything else is a typing error.
  return isArchitecture && !KNOWN.has(platform.architecture) ? null : platform;
}

/**
 * The platform by the names that Go uses: containerd compares platforms so (platforms.Normalize), and runs
 * `Linux/x86_64` on linux/amd64. An OS that is not stated stays so.
 * https://github.com/containerd/platforms/blob/main/database.go
 */
function named({ os, architecture, variant, osVersion }: Platform): Platform {
  const system = lower(os);
  const arch = lower(architecture);
  const [name, implied] = ARCHITECTURES.get(arch) ?? [arch, null];
  return {
    os: system === 'macos' ? 'darwin' : system,
    architecture: name,
    variant: implied ?? (variant === null ? null : lower(variant)),
    osVersion,
  };
}

/** As Go's `strings.ToLower`. Hazard: it makes one letter of the dotted capital I, and JavaScript makes two. */
const lower = (text: string): string => text.replaceAll('\u0130', 'i').toLowerCase();

/**
 * arm64 is arm64/v8, arm is arm/v7 and amd64 is amd64/v1 when nothing else is said, and a digit alone is a version, as
 * in containerd's platforms.Normalize.
 */
function impliedVariant({ architecture, variant }: Platform): string | null {
  const version = variant !== null && /^[5-8]$/.test(variant) ? `v${variant}` : variant;
  if (architecture === 'arm64') return version === 'v8' ? null : version;
  if (architecture === 'arm') return version ?? 'v7';
  if (architecture === 'amd64') return version === 'v1' ? null : version;
  return variant;
}

/**
 * Whether an image of platform `have` matches the requested platform `want`, in any spelling. Without a variant in
 * `want` any variant matches, and likewise any OS version. A requested version may be a prefix, such as `10.0.20348`,
 * the build of Windows that runs it.
 */
export function platformMatches(have: Platform, want: Platform): boolean {
  const [mine, wanted] = [named(have), named(want)];
  if (mine.os !== wanted.os || mine.architecture !== wanted.architecture) return false;
  const version = mine.osVersion?.toLowerCase() ?? '';
  if (
    wanted.osVersion !== null &&
    version !== wanted.osVersion &&
    !version.startsWith(`${wanted.osVersion}.`)
  )
    return false;
  return wanted.variant === null || impliedVariant(mine) === impliedVariant(wanted);
}

/**
 * Whether an engine may run it for the requested platform. An OS that is not stated is to containerd that of the host.
 */
export const mayRunFor = (have: Platform, want: Platform): boolean =>
  platformMatches(have.os === '' ? { ...have, os: want.os } : have, want);

/** The same for all that engines take for one platform. */
export function platformKey(platform: Platform): string {
  const meant = named(platform);
  return JSON.stringify([meant.os, meant.architecture, impliedVariant(meant), meant.osVersion]);
}

/**
 * Whether two statements about one image's platform agree; what only one of them says is no disagreement. Two spellings
 * do not: containers/image compares the text.
 */
export function platformsAgree(a: Platform, b: Platform): boolean {
  if (a.os !== b.os || a.architecture !== b.architecture) return false;
  return a.variant === null || b.variant === null || impliedVariant(a) === impliedVariant(b);
}
