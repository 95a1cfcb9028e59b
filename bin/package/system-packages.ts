// The packages of Debian or Ubuntu whose shared libraries are in the image: what a scanner looks for, and their
// licences.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { TreeFile } from './tree.js';

export interface SystemPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The source package, by which a scanner finds what is known about it. */
  readonly source: string;
  readonly copyright: string;
}

/** A system with packages, as os-release(5) names it. */
export interface SystemPackages {
  readonly release: string;
  readonly packages: readonly SystemPackage[];
}

const FIELDS = ['Version', 'Architecture', 'source:Package'].map(field => `\${${field}}`).join(' ');

const OS_RELEASE = '/etc/os-release';

/**
 * The packages that installed files, by name.
 * @param paths  absolute
 * @returns null on a system without dpkg
 * @throws Error for a file that no package has: neither its version nor its licence is known
 */
export function systemPackagesOf(paths: readonly string[]): SystemPackages | null {
  try {
    execFileSync('dpkg-query', ['--version'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const names = [...new Set(paths.map(packageOf))].sort();
  const packages = names.map(name => {
    const [version, architecture, source] = query('-W', '-f', FIELDS, name).split(' ');
    const [plain] = name.split(':');
    const copyright = readFileSync(`/usr/share/doc/${plain}/copyright`, 'utf8');
    return { name: plain!, version: version!, architecture: architecture!, source: source!, copyright };
  });
  return { release: readFileSync(OS_RELEASE, 'utf8'), packages };
}

const query = (...args: readonly string[]): string =>
  execFileSync('dpkg-query', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** Where `/lib` is a link to `/usr/lib`, dpkg may know a file by either path. */
function packageOf(path: string): string {
  for (const known of [path, `/usr${path}`, path.replace(/^\/usr/, '')])
    try {
      const [owner] = query('-S', known).split(/, |: /);
      return owner!;
    } catch {}
  throw new Error(`${path}: no package has it, so that its licence is not known`);
}

/**
 * Records of packages as distroless images have them, by which scanners find them, and their licences.
 * https://github.com/GoogleContainerTools/distroless/blob/main/PACKAGE_METADATA.md
 */
export function recordsOf({ release, packages }: SystemPackages): readonly TreeFile[] {
  return [
    { path: 'usr/lib/os-release', content: release },
    { path: 'etc/os-release', content: { link: '../usr/lib/os-release' } },
    ...packages.flatMap(({ name, version, architecture, source, copyright }) => [
      {
        path: `var/lib/dpkg/status.d/${name}`,
        content: `Package: ${name}\nSource: ${source}\nVersion: ${version}\nArchitecture: ${architecture}\n`,
      },
      { path: `usr/share/doc/${name}/copyright`, content: copyright },
    ]),
  ];
}
