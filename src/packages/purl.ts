import { PackageURL } from 'packageurl-js';
import type { Distribution } from './os-release.js';

/** Kinds of packages, by the type of their package URLs. */
export type PackageType = 'apk' | 'deb' | 'rpm' | 'npm' | 'pypi' | 'golang' | 'maven';

export const PACKAGE_TYPES: readonly PackageType[] = ['apk', 'deb', 'rpm', 'npm', 'pypi', 'golang', 'maven'];

/** The parts of a package URL. */
export interface PackageIdentity {
  readonly type: PackageType;
  /** Maven's groupId; null for others. */
  readonly group: string | null;
  readonly name: string;
  readonly version: string | null;
  readonly arch: string | null;
}

/** Vendors of rpm packages whose namespace is not the ID of os-release. */
const NAMESPACES: ReadonlyMap<string, string> = new Map([
  ['rhel', 'redhat'],
  ['opensuse-leap', 'opensuse'],
  ['opensuse-tumbleweed', 'opensuse'],
]);

/**
 * The package URL of an installed package. https://github.com/package-url/purl-spec
 * @returns null where the specification needs what is not known, such as Maven's groupId
 */
export function purlOf(
  { type, group, name, version, arch }: PackageIdentity,
  distribution: Distribution | null,
): string | null {
  if (type === 'maven' && group === null) return null;
  const system = type === 'apk' || type === 'deb' || type === 'rpm';
  const [epoch, plain] = type === 'rpm' ? epochOf(version) : [null, version];
  const qualifiers: Record<string, string> = {
    ...(system && arch !== null && { arch }),
    ...(system && distribution !== null && { distro: distroOf(distribution) }),
    ...(epoch !== null && { epoch }),
  };
  const [namespace, base] = system ? [vendorOf(type, distribution), name] : splitName(type, group, name);
  try {
    return new PackageURL(type, namespace, base, plain, qualifiers, undefined).toString();
  } catch {
    // A name that the type does not allow.
    return null;
  }
}

const distroOf = ({ id, versionId }: Distribution) => (versionId === null ? id : `${id}-${versionId}`);

function vendorOf(type: PackageType, distribution: Distribution | null): string | undefined {
  const id = distribution?.id;
  return id === undefined ? undefined : type === 'rpm' ? (NAMESPACES.get(id) ?? id) : id;
}

/** npm's scope and the path of a Go module are namespaces. */
function splitName(
  type: PackageType,
  group: string | null,
  name: string,
): [namespace: string | undefined, name: string] {
  if (type === 'maven') return [group ?? undefined, name];
  const slash = name.lastIndexOf('/');
  const isSplit = (type === 'npm' || type === 'golang') && slash > 0;
  return isSplit ? [name.slice(0, slash), name.slice(slash + 1)] : [undefined, name];
}

/** rpm's `1:2.3-4` as `1` and `2.3-4`: purls of rpm have the epoch as a qualifier. */
export function epochOf(version: string | null): [epoch: string | null, version: string | null] {
  const [, epoch, rest] = /^(\d+):(.*)$/s.exec(version ?? '') ?? [];
  return epoch === undefined ? [null, version] : [epoch, rest!];
}

/** A package URL, taken apart. */
export interface ParsedPurl {
  /** In lower case; also types that waybill reads no packages of, such as `cargo`. */
  readonly type: string;
  readonly namespace: string | null;
  readonly name: string;
  readonly version: string | null;
  readonly qualifiers: ReadonlyMap<string, string>;
}

/** Longest package URL that is read, in characters. */
const LONGEST_PURL = 4096;

/** @returns null for text that is no package URL */
export function parsePurl(text: string): ParsedPurl | null {
  if (text.length > LONGEST_PURL) return null;
  try {
    const { type, namespace, name, version, qualifiers } = PackageURL.fromString(text);
    if (!type || !name) return null;
    return {
      type,
      namespace: namespace || null,
      name,
      version: version || null,
      qualifiers: new Map(Object.entries(qualifiers ?? {})),
    };
  } catch {
    return null;
  }
}
