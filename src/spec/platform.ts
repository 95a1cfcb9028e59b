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

const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['i386', '386'],
  ['i686', '386'],
  ['aarch64', 'arm64'],
  ['armhf', 'arm/v7'],
  ['armel', 'arm/v6'],
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
  const [architecture, implied] = (ARCHITECTURES.get(arch!) ?? arch!).split('/');
  // Alone, a word must be a known architecture: anything else is a typing error.
  if (isArchitecture && !KNOWN.has(architecture!)) return null;
  return { os, architecture: architecture!, variant: variant ?? implied ?? null, osVersion };
}

/** arm64 is arm64/v8 and arm is arm/v7 when nothing else is said, as in containerd's platforms.Normalize. */
function impliedVariant(platform: Platform): string | null {
  if (platform.architecture === 'arm64') return platform.variant === 'v8' ? null : platform.variant;
  if (platform.architecture === 'arm') return platform.variant ?? 'v7';
  return platform.variant;
}

/** The same for all that engines take for one platform. */
export const platformKey = (platform: Platform): string =>
  JSON.stringify([platform.os, platform.architecture, impliedVariant(platform), platform.osVersion]);

/**
 * Whether an image of platform `have` matches the requested platform `want`. Without a variant in `want` any variant
 * matches, and likewise any OS version. A requested version may be a prefix, such as `10.0.20348`, the build of Windows
 * that runs it.
 */
export function platformMatches(have: Platform, want: Platform): boolean {
  if (have.os !== want.os || have.architecture !== want.architecture) return false;
  const version = have.osVersion?.toLowerCase() ?? '';
  if (want.osVersion !== null && version !== want.osVersion && !version.startsWith(`${want.osVersion}.`))
    return false;
  return want.variant === null || impliedVariant(have) === impliedVariant(want);
}

/** Whether two statements about one image's platform agree; what only one of them says is no disagreement. */
export function platformsAgree(a: Platform, b: Platform): boolean {
  if (a.os !== b.os || a.architecture !== b.architecture) return false;
  return a.variant === null || b.variant === null || impliedVariant(a) === impliedVariant(b);
}
