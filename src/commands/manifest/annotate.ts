import { InputError } from '../../errors.js';
import type { Answer } from '../../report/answer.js';
import type { ListPlatform } from '../../write/list.js';
import { listStore } from '../../write/list-store.js';
import { findEntry, storedList } from './stored-list.js';

export interface Annotations {
  readonly os?: string | undefined;
  readonly arch?: string | undefined;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  /** Added to those that are there; each may be several, with commas between. */
  readonly osFeatures?: readonly string[] | undefined;
}

/**
 * `docker manifest annotate LIST MANIFEST`: sets parts of the platform of one entry, which is named by the archive that
 * it came from (`ARCHIVE` or `ARCHIVE#REF`), by the image's name, or by its digest or the beginning of that.
 * @throws InputError when there is no such list or entry, or when Docker knows no such platform
 */
export function manifestAnnotate(
  directory: string,
  list: string,
  manifest: string,
  annotations: Annotations,
): Answer {
  const stored = storedList(directory, list);
  const entry = findEntry(stored, { manifest });
  const platform = annotated(entry.platform, annotations);
  if (!OS_ARCHES.has(`${platform.os}/${platform.architecture}`)) {
    throw new InputError(
      `manifest entry for image has unsupported os/arch combination: ${platform.os}/${platform.architecture}`,
      entry.name,
      `Supported: ${[...OS_ARCHES].join(' ')}`,
    );
  }
  const entries = stored.entries.map(other => (other === entry ? { ...entry, platform } : other));
  listStore(directory).put({ ...stored, entries });
  return { stdout: '', notes: [], exitCode: 0 };
}

function annotated(platform: ListPlatform, { os, arch, variant, osVersion, osFeatures = [] }: Annotations) {
  const added = osFeatures.flatMap(features => features.split(',')).filter(feature => feature !== '');
  return {
    os: os || platform.os,
    architecture: arch || platform.architecture,
    variant: variant || platform.variant,
    osVersion: osVersion || platform.osVersion,
    osFeatures: [...new Set([...platform.osFeatures, ...added])],
  };
}

/** What Docker lets a list say. docker/cli cli/command/manifest/util.go (validOSArches) */
const OS_ARCHES: ReadonlySet<string> = new Set([
  ...['386', 'amd64', 'arm', 'arm64'].map(arch => `darwin/${arch}`),
  'dragonfly/amd64',
  ...['386', 'amd64', 'arm'].map(arch => `freebsd/${arch}`),
  ...['386', 'amd64', 'arm', 'arm64', 'ppc64le', 'mips64', 'mips64le', 'riscv64', 's390x'].map(
    arch => `linux/${arch}`,
  ),
  ...['386', 'amd64', 'arm'].map(arch => `netbsd/${arch}`),
  ...['386', 'amd64', 'arm'].map(arch => `openbsd/${arch}`),
  ...['386', 'amd64'].map(arch => `plan9/${arch}`),
  'solaris/amd64',
  ...['386', 'amd64'].map(arch => `windows/${arch}`),
]);
