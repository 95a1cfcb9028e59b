import type { Refusal, RefusalKind } from '../../scan/layer-refusal.js';

/** What unpacks a layer, by storage driver: vfs unpacks one upon the other, overlay each into a directory of its own. */
type Unpacker =
  | 'podman (vfs)'
  | 'podman (overlay)'
  | 'docker-classic (vfs)'
  | 'docker-classic (overlay2)'
  | 'docker-containerd'
  | 'umoci';

/** What an engine makes of a layer that one of its drivers, or both, refuse; both null where it takes it. */
export interface UnpackAnswer {
  readonly refusal: string | null;
  readonly note: string | null;
}

const DRIVERS = {
  podman: ['podman (vfs)', 'podman (overlay)'],
  'docker-classic': ['docker-classic (vfs)', 'docker-classic (overlay2)'],
} as const;

/**
 * In what words an engine refuses a layer, without its own names of folders; null where it takes it. Asked of podman 5.8.6 with
 * both drivers, umoci 0.6.0 and 0.4.7; Docker's from its source: moby go-archive diff.go, archive.go, archive_linux.go, containerd
 * pkg/archive/tar.go
 */
const unpackWords = (refusal: Refusal, engine: Unpacker): string | null =>
  WORDS[refusal.kind](refusal, engine);

/** podman as its vfs driver answers, with a note on the other. */
export function podmanUnpacks(refusal: Refusal): UnpackAnswer {
  const words = unpackWords(refusal, 'podman (vfs)');
  const overlay = words === null ? unpackWords(refusal, 'podman (overlay)') : null;
  return { refusal: words, note: overlay === null ? null : `with the overlay driver it refuses: ${overlay}` };
}

/** Docker's classic store, which refuses what all of its drivers do, with a note on what one does. */
export function dockerUnpacks(refusal: Refusal): UnpackAnswer {
  const [vfs, overlay] = DRIVERS['docker-classic'].map(driver => unpackWords(refusal, driver)) as [
    string | null,
    string | null,
  ];
  if (vfs !== null && overlay !== null) return { refusal: overlay, note: null };
  if (overlay !== null) return { refusal: null, note: `with overlay2 it refuses: ${overlay}` };
  return { refusal: null, note: vfs === null ? null : `with the vfs driver it refuses: ${vfs}` };
}

/** containerd, which Docker's containerd store unpacks with. */
export const containerdUnpacks = (refusal: Refusal): UnpackAnswer => ({
  refusal: unpackWords(refusal, 'docker-containerd'),
  note: null,
});

export const umociUnpacks = (refusal: Refusal): UnpackAnswer => ({
  refusal: unpackWords(refusal, 'umoci'),
  note: null,
});

/** Those that refuse a layer: an engine by its name alone where all of its drivers do. */
export function enginesRefusing(refusal: Refusal): string[] {
  const refuses = (engine: Unpacker) => unpackWords(refusal, engine) !== null;
  const byDriver = Object.entries(DRIVERS).flatMap(([engine, drivers]) =>
    drivers.every(refuses) ? [engine] : drivers.filter(refuses),
  );
  return [...byDriver, ...(['docker-containerd', 'umoci'] as const).filter(refuses)];
}

type Words = (refusal: Refusal, engine: Unpacker) => string | null;

const NOT_THERE = 'no such file or directory';
const NOT_PERMITTED = 'operation not permitted';
const BUSY = 'unlinkat .//: device or resource busy';

const isUnion = (engine: Unpacker) => engine.endsWith('(vfs)') || engine === 'umoci';

/** A driver that unpacks each layer by itself finds nothing of the lower ones in its way. */
const isApart = (engine: Unpacker) => !isUnion(engine);

/** containers/storage tells only what was wrong, Docker which names the link has. */
const link =
  (reason: string): Words =>
  ({ path, other }, engine) => {
    if (engine === 'umoci') return `unpack entry: ${path}: link: ${reason}`;
    return engine.startsWith('docker') ? `link /${other} /${path}: ${reason}` : reason;
  };

const below =
  (reason: string): Words =>
  ({ other, lower }, engine) =>
    engine === 'umoci' || (lower && isApart(engine)) ? null : `open /${other}: ${reason}`;

/** overlay makes a device of a whiteout, where something is in its way already. */
const device = (hidden: string): string => `mknod /${hidden}: file exists`;

const folder = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const whiteout =
  (union: Words): Words =>
  (refusal, engine) => {
    const { path } = refusal;
    if (isUnion(engine)) return union(refusal, engine);
    const base = path.slice(path.lastIndexOf('/') + 1);
    if (engine === 'docker-containerd') return `invalid whiteout name: ${base}: invalid archive`;
    const up = base === '.wh...' ? folder(folder(path)) : folder(path);
    return device(up);
  };

const WORDS: Readonly<Record<RefusalKind, Words>> = {
  'hard-link-to-nothing': link(NOT_THERE),
  'hard-link-ahead': link(NOT_THERE),
  'hard-link-to-itself': link(NOT_THERE),
  'hard-link-to-directory': link(NOT_PERMITTED),
  'hard-link-to-lower': (refusal, engine) =>
    engine.includes('overlay') ? link(NOT_THERE)(refusal, engine) : null,
  'file-as-directory': below('not a directory'),
  'dangling-directory': (refusal, engine) =>
    // containerd makes the directory that the link leads to.
    engine === 'docker-containerd' ? null : below(NOT_THERE)(refusal, engine),
  'link-loop': (refusal, engine) =>
    engine === 'umoci'
      ? `unpack entry: ${refusal.other}: sanitise symlinks in root: too many levels of symbolic links`
      : below('too many levels of symbolic links')(refusal, engine),
  'root-replaced': ({ path }, engine) => {
    if (engine === 'umoci')
      return `unpack entry: ${path}: malicious tar entry -- refusing to change type of root directory`;
    if (engine === 'docker-containerd') return null;
    return isUnion(engine) || path.startsWith('/') || path.includes('..') ? BUSY : null;
  },
  'unknown-type': ({ path, other }, engine) => {
    const code = other.charCodeAt(0);
    return engine === 'umoci'
      ? `unpack entry: ${path}: unpack entry: ${path}: unknown typeflag '\\x${code.toString(16).padStart(2, '0')}'`
      : `unhandled tar header type ${code}`;
  },
  'whiteout-of-root': whiteout((_, engine) => (engine === 'umoci' ? null : BUSY)),
  'whiteout-without-name': whiteout(() => null),
  // umoci refuses it where the directory was there before.
  'whiteout-of-dots': whiteout(() => null),
  'whiteout-of-own': ({ other }, engine) => (isUnion(engine) ? null : device(other)),
  'whiteout-and-directory': () => null,
  'below-whiteout': ({ other }, engine) => (isApart(engine) ? `open /${other}: not a directory` : null),
  'whiteout-after-below': ({ other }, engine) => (isApart(engine) ? device(other) : null),
  'whiteout-below-file': ({ other }, engine) =>
    engine.endsWith('(vfs)') ? `unlinkat /${other}: not a directory` : null,
  'opaque-after-own': () => null,
  'directory-replaced': ({ path }, engine) =>
    engine === 'umoci' || engine === 'docker-containerd' ? null : `chtimes /${path}: ${NOT_THERE}`,
  'link-to-lower': (refusal, engine) =>
    isApart(engine) ? below(NOT_THERE)({ ...refusal, lower: false }, engine) : null,
  'link-without-target': ({ path, other }) =>
    other === '' ? `symlink  /${path}: ${NOT_THERE}` : `symlink to /${path}: file name too long`,
  'name-too-long': ({ path }) => `open /${path}: file name too long`,
  'aufs-link': (refusal, engine) =>
    engine.endsWith('(vfs)') ? 'invalid aufs hardlink' : link(NOT_THERE)(refusal, engine),
  'too-intricate': () => null,
};
