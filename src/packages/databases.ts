import type { DatabaseNote, DatabaseReading, Package } from './package.js';
import { RPM_FORMS, rpmPackages } from './rpm.js';
import { apkPackages, distrolessPackages, dpkgPackages } from './text-databases.js';

const APK = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'];
const DPKG = 'var/lib/dpkg/';
/** Where rpm keeps its database: of old, since Fedora 36 and SUSE, and with rpm-ostree. */
const RPM = ['var/lib/rpm/', 'usr/lib/sysimage/rpm/', 'usr/share/rpm/'];
const WAL = '-wal';

/** The files that `packagesOf` asks for: paths without a leading slash, `*` for any name. */
export const packageDatabases: readonly string[] = [
  ...APK,
  `${DPKG}status`,
  `${DPKG}status.d/*`,
  `${DPKG}info/*.list`,
  `${DPKG}info/*.md5sums`,
  ...RPM.flatMap(folder => [...RPM_FORMS, `rpmdb.sqlite${WAL}`].map(name => folder + name)),
];

/** Databases with a path of their own, which an image may also have as a link to somewhere else. */
export const DATABASE_PATHS: readonly string[] = [
  ...APK,
  `${DPKG}status`,
  ...RPM.flatMap(folder => RPM_FORMS.map(name => folder + name)),
];

const DATABASES = new Set([...DATABASE_PATHS, ...RPM.map(folder => `${folder}rpmdb.sqlite${WAL}`)]);

/** True for a file that lists packages, false for one that lists the files of a package. */
export const isDatabase = (path: string): boolean => DATABASES.has(path) || isDistroless(path);

export interface Installed {
  /** Database by database, each in its own order. */
  readonly packages: readonly Package[];
  readonly notes: readonly DatabaseNote[];
}

/** Regular files of a tree that match `packageDatabases`. */
export interface DatabaseFiles {
  readonly paths: readonly string[];
  /** null where the content was not kept. */
  read(path: string): Uint8Array | null;
}

/** One database, and what it lists. */
export interface ReadDatabase extends DatabaseReading {
  readonly path: string;
}

/**
 * The packages that the package managers of an image list as installed. A damaged database gives the readable part, and
 * a note.
 */
export function packagesOf(files: DatabaseFiles): Installed {
  const all = [...readDatabases(files)];
  return {
    packages: all.flatMap(({ packages }) => packages),
    notes: all.flatMap(({ path, problems }) => problems.map(reason => ({ path, reason }))),
  };
}

/** Database by database, what the package managers of an image list as installed. */
export function* readDatabases(files: DatabaseFiles): Generator<ReadDatabase> {
  const paths = new Set(files.paths);
  const read = (path: string) => (paths.has(path) ? files.read(path) : null);
  const one = (path: string, parse: (database: Uint8Array) => DatabaseReading): ReadDatabase[] => {
    if (!paths.has(path)) return [];
    const database = files.read(path);
    return [{ path, ...(database === null ? UNREAD : parse(database)) }];
  };
  for (const path of APK) yield* one(path, apkPackages);
  yield* one(`${DPKG}status`, status => dpkgPackages(status, name => read(DPKG + name)));
  for (const path of files.paths) {
    if (isDistroless(path)) yield* one(path, control => distrolessPackages(control, read(path + SUMS)));
  }
  for (const folder of RPM) {
    const form = RPM_FORMS.find(name => paths.has(folder + name));
    if (form !== undefined)
      yield* one(folder + form, database => rpmPackages(database, form, read(folder + form + WAL)));
  }
}

const UNREAD: DatabaseReading = { packages: [], problems: ['its content was not kept'] };
const SUMS = '.md5sums';

const isDistroless = (path: string) =>
  path.startsWith(`${DPKG}status.d/`) &&
  !path.endsWith(SUMS) &&
  !path.slice(`${DPKG}status.d/`.length).includes('/');
