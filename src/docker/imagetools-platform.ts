import { posix } from 'node:path';
import type { PlatformRaw } from './manifest-types.js';

/**
 * Platforms as buildx prints them and as it names the keys of its maps.
 * https://pkg.go.dev/github.com/containerd/platforms (Format, Normalize)
 */
export function printedPlatform({ OS = '', Architecture = '', Variant = '' }: PlatformRaw): string {
  return OS === '' ? 'unknown' : posix.join(OS, Architecture, Variant);
}

/** Without the version of the OS: of several Windows images, one stands for all. */
export function platformKey({ OS = '', Architecture = '', Variant = '' }: PlatformRaw): string {
  const os = OS.toLowerCase() === 'macos' ? 'darwin' : OS.toLowerCase();
  const [architecture, variant] = normalArchitecture(Architecture.toLowerCase(), Variant.toLowerCase());
  // An absent OS is that of the machine that asks.
  return printedPlatform({ OS: os || 'linux', Architecture: architecture, Variant: variant });
}

function normalArchitecture(architecture: string, variant: string): [architecture: string, variant: string] {
  switch (architecture) {
    case 'i386':
      return ['386', ''];
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return ['amd64', variant === 'v1' ? '' : variant];
    case 'aarch64':
    case 'arm64':
      return ['arm64', variant === '8' || variant === 'v8' ? '' : variant];
    case 'armhf':
      return ['arm', 'v7'];
    case 'armel':
      return ['arm', 'v6'];
    case 'arm':
      return ['arm', variant === '' ? 'v7' : variant.replace(/^([5-8])$/, 'v$1')];
    default:
      return [architecture, variant];
  }
}
