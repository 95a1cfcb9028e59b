import type { ImagePackage } from '../analysis/packages.js';
import { epochOf, PACKAGE_TYPES, type PackageType } from '../packages/purl.js';
import { grouped } from '../spec/grouped.js';
import type { Sbom, SbomPackage } from './sbom.js';

/** A package that is not the same in an SBOM and in the image. */
export interface SbomDifference {
  /** `missing-here`: not in the image. `missing-there`: not in the SBOM. */
  readonly kind: 'missing-here' | 'missing-there' | 'other-version';
  readonly type: PackageType;
  /** As the side that has it writes it: Maven's as `group:name`. */
  readonly name: string;
  /** Versions that the SBOM lists, and the image does not have. */
  readonly listed: readonly string[];
  /** Versions that the image has, and the SBOM does not list. */
  readonly installed: readonly string[];
}

/** An SBOM compared with the packages of its image. */
export interface SbomComparison {
  /** By kind, type and name. */
  readonly differences: readonly SbomDifference[];
  /** Packages of the image that the SBOM has in the same version. */
  readonly same: number;
  /** Packages of the SBOM without a package URL, or of a type that waybill does not read: they are not compared. */
  readonly notCompared: number;
}

/** The versions of one package. One that is not known equals any; an epoch that one side leaves out does not count. */
class Versions {
  private readonly all = new Set<string>();
  private readonly withoutEpoch = new Set<string>();

  get size(): number {
    return this.all.size;
  }

  add(version: string): void {
    this.all.add(version);
    const [epoch, plain] = epochOf(version);
    if (epoch !== null) this.withoutEpoch.add(plain!);
  }

  /** The versions that others do not have. */
  without(others: Versions): string[] {
    return [...this.all].filter(version => !others.has(version)).sort();
  }

  private has(version: string): boolean {
    const { all, withoutEpoch } = this;
    if (all.has(version) || all.has('') || (version === '' && all.size > 0)) return true;
    const [epoch, plain] = epochOf(version);
    return epoch === null ? withoutEpoch.has(version) : all.has(plain!);
  }
}

interface Compared {
  readonly type: PackageType;
  readonly name: string;
  readonly listed: Versions;
  readonly installed: Versions;
}

/**
 * Compares by type, name and version. Forgiven is what differs by habit of tools only: the namespace and qualifiers of
 * packages of distributions (vendor, architecture, distribution), an epoch that one side leaves out, a source package
 * in place of the packages that were built from it, the spelling of Python names, the `v` of Go versions, Maven's group
 * where a jar does not state it, and a version that one side does not know.
 */
export function compareSbom({ packages: listed }: Sbom, installed: readonly ImagePackage[]): SbomComparison {
  const all = new Map<string, Compared>();
  const at = (type: PackageType, key: string, name: string): Compared => {
    const known = all.get(key) ?? { type, name, listed: new Versions(), installed: new Versions() };
    all.set(key, known);
    return known;
  };
  for (const { type, group, name, version } of installed) {
    const title = group === null ? name : `${group}:${name}`;
    at(type, keyOf(type, group, name), title).installed.add(plainVersion(type, version));
  }
  const builtFrom = grouped(
    installed.filter(({ source }) => source !== null),
    ({ type, source }) => keyOf(type, null, source!),
  );
  const forgiven = new Set<string>();
  let notCompared = 0;
  for (const entry of listed) {
    const type = PACKAGE_TYPES.find(known => known === entry.purl?.type);
    if (type === undefined) {
      notCompared++;
      continue;
    }
    const { namespace, name } = entry.purl!;
    const group = isSystem(type) ? null : namespace;
    const whole = keyOf(type, group, name);
    // A jar without Maven's metadata does not state its group.
    const key = !all.has(whole) && type === 'maven' ? keyOf(type, null, name) : whole;
    const isKnown = all.has(key);
    const built = isKnown ? undefined : builtFrom.get(key);
    if (built === undefined)
      at(type, isKnown ? key : whole, titleOf(type, group, name)).listed.add(
        plainVersion(type, versionOf(entry)),
      );
    // A source package stands for all that was built from it.
    else for (const one of built) forgiven.add(keyOf(type, null, one.name));
  }
  return { ...differencesIn(all, forgiven), notCompared };
}

const isSystem = (type: PackageType) => type === 'apk' || type === 'deb' || type === 'rpm';

function keyOf(type: PackageType, group: string | null, name: string): string {
  const full = group === null ? name : `${group}/${name}`;
  // https://packaging.python.org/specifications/name-normalization
  const spelled = type === 'pypi' ? full.replace(/[-_.]+/g, '-') : full;
  return `${type}\0${type === 'maven' || type === 'rpm' ? spelled : spelled.toLowerCase()}`;
}

const titleOf = (type: PackageType, group: string | null, name: string) =>
  group === null ? name : `${group}${type === 'maven' ? ':' : '/'}${name}`;

/** The epoch of rpm is a qualifier of package URLs. */
function versionOf({ version, purl }: SbomPackage): string | null {
  const epoch = purl?.qualifiers.get('epoch');
  const plain = purl?.version ?? version;
  return epoch === undefined || plain === null ? plain : `${epoch}:${plain}`;
}

/** Empty for a version that is not known. */
function plainVersion(type: PackageType, version: string | null): string {
  if (version === null || version === '(devel)' || version === 'UNKNOWN') return '';
  if (type === 'golang') return version.replace(/^(?:v|go)(?=\d)/, '');
  // An epoch of 0 is none. https://manpages.debian.org/deb-version
  return isSystem(type) ? version.replace(/^0:/, '') : version;
}

const ORDER: readonly SbomDifference['kind'][] = ['other-version', 'missing-here', 'missing-there'];

/** @param forgiven  keys of packages whose source package the SBOM lists */
function differencesIn(
  all: ReadonlyMap<string, Compared>,
  forgiven: ReadonlySet<string>,
): Omit<SbomComparison, 'notCompared'> {
  const differences: { readonly key: string; readonly difference: SbomDifference }[] = [];
  let same = 0;
  for (const [whole, { type, name, listed, installed }] of all) {
    if (listed.size === 0 && forgiven.has(whole)) continue;
    const [onlyListed, onlyInstalled] = [listed.without(installed), installed.without(listed)];
    same += installed.size - onlyInstalled.length;
    if (onlyListed.length + onlyInstalled.length === 0) continue;
    const kind =
      installed.size === 0 ? 'missing-here' : listed.size === 0 ? 'missing-there' : 'other-version';
    const key = [ORDER.indexOf(kind), type, name].join('\0');
    differences.push({ key, difference: { kind, type, name, listed: onlyListed, installed: onlyInstalled } });
  }
  differences.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return { differences: differences.map(({ difference }) => difference), same };
}
