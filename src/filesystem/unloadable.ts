import type { Image } from '../link/graph.js';
import type { Refusal, RefusalKind } from '../scan/names/facts.js';
import type { Scan } from '../scan/scan.js';
import { textOf } from '../tar/entry.js';
import { quoted } from '../visible.js';
import type { OddityKind } from './file-tree.js';
import { LayerStack } from './layer-stack.js';

/**
 * Layers that engines refuse, in one table by kind: the sentence of the report, and the words of each engine. Recorded
 * from podman 5.8.6 with both drivers, and umoci 0.6.0 and 0.4.7; Docker's are from its source: moby go-archive
 * diff.go, archive.go, archive_linux.go, containerd pkg/archive/tar.go
 */

/**
 * Engines that unpack a layer, by storage driver: vfs unpacks layers one upon the other, overlay each into its own
 * directory.
 */
type StorageDriver =
  | 'podman (vfs)'
  | 'podman (overlay)'
  | 'docker-classic (vfs)'
  | 'docker-classic (overlay2)'
  | 'docker-containerd'
  | 'umoci';

/** `global-header`: only umoci treats a global PAX header as an entry. `xz-unchecked`: only podman 4.3 refuses it. */
export type UnloadableKind =
  | RefusalKind
  | 'global-header'
  | 'xz-unchecked'
  /** Kinds that a layer has by itself, whatever is below it. */
  | 'hard-link-out-of-layer'
  | 'folder-is-none';

/**
 * The words with which an engine refuses a layer, without the engine's own directories; null if it accepts the layer.
 */
type Words = (refusal: Refusal, engine: StorageDriver) => string | null;

interface RefusalText {
  /** @param path, other  quoted */
  readonly tells: (path: string, other: string) => string;
  readonly engine: Words;
}

const NOT_THERE = 'no such file or directory';
const NOT_PERMITTED = 'operation not permitted';
const BUSY = 'unlinkat .//: device or resource busy';

interface UnpackerTraits {
  readonly program: 'podman' | 'docker' | 'umoci';
  /** True for Docker with its classic store, false for its containerd store. */
  readonly isClassic: boolean;
  readonly driver: 'vfs' | 'overlay' | null;
}

const TRAITS: Readonly<Record<StorageDriver, UnpackerTraits>> = {
  'podman (vfs)': { program: 'podman', isClassic: false, driver: 'vfs' },
  'podman (overlay)': { program: 'podman', isClassic: false, driver: 'overlay' },
  'docker-classic (vfs)': { program: 'docker', isClassic: true, driver: 'vfs' },
  'docker-classic (overlay2)': { program: 'docker', isClassic: true, driver: 'overlay' },
  'docker-containerd': { program: 'docker', isClassic: false, driver: null },
  umoci: { program: 'umoci', isClassic: false, driver: null },
};

const isVfs = (engine: StorageDriver) => TRAITS[engine].driver === 'vfs';

const isUnion = (engine: StorageDriver) => isVfs(engine) || engine === 'umoci';

/** A driver that unpacks each layer by itself has no conflict with files of lower layers. */
const isApart = (engine: StorageDriver) => !isUnion(engine);

/** containers/storage reports only the error, Docker also the names of the link. */
const link =
  (reason: string): Words =>
  ({ path, other }, engine) => {
    if (engine === 'umoci') return `unpack entry: ${path}: link: ${reason}`;
    return TRAITS[engine].program === 'docker' ? `link /${other} /${path}: ${reason}` : reason;
  };

const below =
  (reason: string): Words =>
  ({ other, lower }, engine) =>
    engine === 'umoci' || (lower && isApart(engine)) ? null : `open /${other}: ${reason}`;

/** On overlay, a whiteout becomes a device, which fails if a file of that name exists. */
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

const INVALID = 'invalid argument';

/** The kernel's error for an extended attribute. */
const xattr =
  (reason: string): Words =>
  ({ path }, engine) => {
    if (engine === 'umoci')
      return `unpack entry: ${path}: apply hdr metadata: restore xattr metadata: DIR/${path}: ${reason}`;
    return engine === 'docker-containerd' ? reason : `lsetxattr /${path}: ${reason}`;
  };

const TABLE: Readonly<Record<UnloadableKind, RefusalText>> = {
  'hard-link-to-nothing': {
    tells: (path, other) => `${path} is a hard link to ${other}, which does not exist`,
    engine: link(NOT_THERE),
  },
  'hard-link-ahead': {
    tells: (path, other) => `${path} is a hard link to ${other}, which comes after it`,
    engine: link(NOT_THERE),
  },
  'hard-link-to-itself': {
    tells: path => `${path} is a hard link to itself`,
    engine: link(NOT_THERE),
  },
  'hard-link-to-directory': {
    tells: (path, other) => `${path} is a hard link to ${other}, which is a directory`,
    engine: link(NOT_PERMITTED),
  },
  'hard-link-to-lower': {
    tells: (path, other) => `${path} is a hard link to ${other}, which only a lower layer has`,
    engine: (refusal, engine) =>
      TRAITS[engine].driver === 'overlay' ? link(NOT_THERE)(refusal, engine) : null,
  },
  'file-as-directory': {
    tells: (path, other) => `${path} is not a directory, but ${other} lies below it`,
    engine: below('not a directory'),
  },
  'dangling-directory': {
    tells: (path, other) => `${path} is a link that does not lead to a directory, but ${other} lies below it`,
    engine: (refusal, engine) =>
      // containerd creates the directory that the link leads to.
      engine === 'docker-containerd' ? null : below(NOT_THERE)(refusal, engine),
  },
  'link-loop': {
    tells: (path, other) =>
      `${path} is a link that leads to itself through others, but ${other} lies below it`,
    engine: (refusal, engine) =>
      engine === 'umoci'
        ? `unpack entry: ${refusal.other}: sanitise symlinks in root: too many levels of symbolic links`
        : below('too many levels of symbolic links')(refusal, engine),
  },
  'root-replaced': {
    tells: path => `its entry ${path} replaces the root and is not a directory`,
    engine: ({ path }, engine) => {
      if (engine === 'umoci')
        return `unpack entry: ${path}: malicious tar entry -- refusing to change type of root directory`;
      if (engine === 'docker-containerd') return null;
      return isUnion(engine) || path.startsWith('/') || path.includes('..') ? BUSY : null;
    },
  },
  'unknown-type': {
    tells: (path, other) => `${path} is of the tar type ${other}, which engines do not unpack`,
    engine: ({ path, other }, engine) => {
      const code = other.charCodeAt(0);
      return engine === 'umoci'
        ? `unpack entry: ${path}: unpack entry: ${path}: unknown typeflag '\\x${code.toString(16).padStart(2, '0')}'`
        : `unhandled tar header type ${code}`;
    },
  },
  'whiteout-of-root': {
    tells: path => `the whiteout ${path} would remove the root`,
    engine: whiteout((_, engine) => (engine === 'umoci' ? null : BUSY)),
  },
  'whiteout-without-name': {
    tells: path => `the whiteout ${path} has no name: it removes the content of its directory`,
    engine: whiteout(() => null),
  },
  'whiteout-of-dots': {
    tells: path => `the name of the whiteout ${path} consists of dots`,
    // umoci refuses it only if the directory was there before.
    engine: whiteout(() => null),
  },
  'whiteout-of-own': {
    tells: (path, other) =>
      `the whiteout ${path} comes after an entry ${other} of the same layer, which some engines remove and others keep`,
    engine: ({ other }, engine) => (isUnion(engine) ? null : device(other)),
  },
  'whiteout-and-directory': {
    tells: (path, other) =>
      `the layer has the whiteout ${path} and the directory ${other}: overlay drivers show the content that lower layers have in it`,
    engine: () => null,
  },
  'below-whiteout': {
    tells: (path, other) => `entries lie below ${other}, which the whiteout ${path} of the same layer hides`,
    engine: ({ other }, engine) => (isApart(engine) ? `open /${other}: not a directory` : null),
  },
  'whiteout-as-directory': {
    tells: (path, other) =>
      `${other} lies below ${path}, which has the name of a whiteout: engines create it as a directory, other tools hide it`,
    engine: () => null,
  },
  'aufs-metadata': {
    tells: (path, other) =>
      `${other} is metadata of AUFS: podman and Docker with the vfs driver leave it out, others create it as a file below ${path}`,
    engine: () => null,
  },
  'whiteout-through-link': {
    tells: (path, other) =>
      `the whiteout ${path} lies in ${other}, to which a link of the same layer leads: some engines hide files where the link leads, others do not`,
    engine: () => null,
  },
  'whiteout-after-below': {
    tells: (path, other) => `the whiteout ${path} comes after whiteouts below ${other}`,
    engine: ({ other }, engine) => (isApart(engine) ? device(other) : null),
  },
  'whiteout-below-file': {
    tells: (path, other) => `${path} is not a directory, but the whiteout ${other} lies below it`,
    engine: ({ other }, engine) => (isVfs(engine) ? `unlinkat /${other}: not a directory` : null),
  },
  'opaque-after-own': {
    tells: path =>
      `${path} comes after entries of the same layer below it, which some engines remove and others keep`,
    engine: () => null,
  },
  'opaque-root': {
    tells: path => `${path} empties the root: overlay drivers go on showing what lower layers have in it`,
    engine: () => null,
  },
  'lower-as-directory': {
    tells: (path, other) =>
      `${other} lies below ${path}, which is a link or a file in a lower layer: overlay drivers replace it by a directory, others follow or keep it`,
    engine: () => null,
  },
  'overlay-whiteout': {
    tells: path =>
      `${path} is a character device with the numbers 0:0, which overlay drivers take for a whiteout: they show nothing there`,
    engine: () => null,
  },
  'overlay-attribute': {
    tells: (path, other) =>
      `${path} has the extended attribute ${other}, by which overlay drivers hide, move or replace files of lower layers`,
    engine: () => null,
  },
  'directory-replaced': {
    tells: path => `the directory ${path}, or one below it, is removed again by the same layer`,
    engine: ({ path }, engine) =>
      engine === 'umoci' || engine === 'docker-containerd' ? null : `chtimes /${path}: ${NOT_THERE}`,
  },
  'link-to-lower': {
    tells: (path, other) =>
      `${path} is a link to ${other}, which only lower layers have, and an entry lies below it`,
    engine: (refusal, engine) =>
      isApart(engine) ? below(NOT_THERE)({ ...refusal, lower: false }, engine) : null,
  },
  'link-without-target': {
    tells: path => `the symbolic link ${path} has no target that Linux accepts`,
    engine: ({ path, other }) =>
      other === '' ? `symlink  /${path}: ${NOT_THERE}` : `symlink to /${path}: file name too long`,
  },
  'name-too-long': {
    tells: path =>
      `Linux does not accept the path ${path}: a component is longer than 255 bytes, or the path longer than 4095`,
    engine: ({ path }) => `open /${path}: file name too long`,
  },
  'aufs-link': {
    tells: (path, other) => `${path} is a hard link to ${other} of AUFS, which does not exist`,
    engine: (refusal, engine) => (isVfs(engine) ? 'invalid aufs hardlink' : link(NOT_THERE)(refusal, engine)),
  },
  'too-intricate': {
    tells: () =>
      'it has more links and unlisted directories than waybill follows: whether engines unpack it is not known',
    engine: () => null,
  },
  'xattr-name': {
    tells: (path, other) =>
      `${path} has an extended attribute ${other}, a name that Linux does not take: empty, a namespace alone, or longer than 255 bytes`,
    // containerd does not set trusted attributes.
    engine: (refusal, engine) => {
      const isTrusted = refusal.other === 'trusted.' && engine === 'docker-containerd';
      return isTrusted
        ? null
        : xattr(
            refusal.other.endsWith('.') && refusal.other.length < 256
              ? INVALID
              : 'numerical result out of range',
          )(refusal, engine);
    },
  },
  'xattr-size': {
    tells: (path, other) =>
      `${path} has an extended attribute ${other} of more than 64 KiB, which Linux does not take`,
    engine: (refusal, engine) =>
      refusal.other.startsWith('trusted.') && engine === 'docker-containerd'
        ? null
        : xattr('argument list too long')(refusal, engine),
  },
  'xattr-capability': {
    tells: path =>
      `${path} has an invalid security.capability (capability.h: version 2 in 20 bytes, version 3 in 24)`,
    engine: xattr(INVALID),
  },
  'xattr-on-special': {
    tells: (path, other) =>
      `${path} has the extended attribute ${other}, which Linux gives files and directories alone`,
    // Docker's classic store ignores attributes that it has no permission to set.
    engine: (refusal, engine) => (TRAITS[engine].isClassic ? null : xattr(NOT_PERMITTED)(refusal, engine)),
  },
  'xz-unchecked': {
    tells: () => 'it is an xz stream without an integrity check',
    engine: () => null,
  },
  'hard-link-out-of-layer': {
    tells: (path, other) => `${path} is a hard link to ${other}, which is not a file of this layer`,
    engine: () => null,
  },
  'folder-is-none': {
    tells: path => `${path} lies below what is no directory`,
    engine: () => null,
  },
  'global-header': {
    tells: () => 'it has a global PAX header, which other engines ignore',
    engine: () => null,
  },
};

/**
 * The reason why engines refuse a layer, in a sentence.
 * @param path, other  as text
 */
export const refusalText = (kind: UnloadableKind, path: string, other: string): string =>
  TABLE[kind].tells(quoted(path), quoted(other));

/** The words with which an engine refuses a layer; null if it accepts the layer. */
const refusalWords = (refusal: Refusal, engine: StorageDriver): string | null =>
  TABLE[refusal.kind].engine(refusal, engine);

/** Descriptions of oddities in a layer; the report puts the path of the entry before them. */
const ODDITIES: Readonly<Record<OddityKind, string>> = {
  'whiteout-of-nothing': 'deletes what no lower layer has',
  'whiteout-invalid': 'is a whiteout that names nothing',
  'whiteout-of-directory':
    'is a whiteout without a name: it removes everything of lower layers in its directory',
  'hard-link-to-nothing': 'is a hard link to what is not there',
  'duplicate-name': 'stands twice in one layer; the last one counts',
  'parent-replaced': 'has entries below it, but was not a directory',
  'root-replaced': 'would replace the root, and is not a directory',
  'link-leaves-root': 'is a link that climbs above the root',
  'unknown-type': 'is of a type that no engine unpacks',
  'too-many-directories': 'is left out: too many directories have no entry of their own',
};

export const oddityText = (kind: OddityKind): string => ODDITIES[kind];

/** The outcome of a layer that one of an engine's drivers, or both, refuse; both fields are null where it is taken. */
export interface UnpackOutcome {
  /** The engine's words, bytes. */
  readonly refusal: string | null;
  /** Another driver than the one that is modelled refuses the layer. */
  readonly otherDriver: {
    readonly driver: 'vfs' | 'overlay' | 'overlay2';
    readonly message: string;
  } | null;
}

const DRIVERS = {
  podman: ['podman (vfs)', 'podman (overlay)'],
  'docker-classic': ['docker-classic (vfs)', 'docker-classic (overlay2)'],
} as const;

/** podman with its vfs driver; the other is overlay. */
export function podmanUnpacks(refusal: Refusal): UnpackOutcome {
  const vfs = refusalWords(refusal, 'podman (vfs)');
  const overlay = vfs === null ? refusalWords(refusal, 'podman (overlay)') : null;
  return { refusal: vfs, otherDriver: overlay === null ? null : { driver: 'overlay', message: overlay } };
}

/** Docker's classic store, which refuses what all of its drivers refuse; the other is the only one that refuses. */
export function dockerUnpacks(refusal: Refusal): UnpackOutcome {
  const vfs = refusalWords(refusal, 'docker-classic (vfs)');
  const overlay = refusalWords(refusal, 'docker-classic (overlay2)');
  if (vfs !== null && overlay !== null) return { refusal: overlay, otherDriver: null };
  if (overlay !== null) return { refusal: null, otherDriver: { driver: 'overlay2', message: overlay } };
  return { refusal: null, otherDriver: vfs === null ? null : { driver: 'vfs', message: vfs } };
}

/** containerd, with which Docker's containerd store unpacks. */
export const containerdUnpacks = (refusal: Refusal): UnpackOutcome => ({
  refusal: refusalWords(refusal, 'docker-containerd'),
  otherDriver: null,
});

export const umociUnpacks = (refusal: Refusal): UnpackOutcome => ({
  refusal: refusalWords(refusal, 'umoci'),
  otherDriver: null,
});

/** The engines that refuse a layer; an engine is named without a driver if all of its drivers refuse it. */
function enginesRefusing(refusal: Refusal): string[] {
  const refuses = (engine: StorageDriver) => refusalWords(refusal, engine) !== null;
  const byDriver = Object.entries(DRIVERS).flatMap(([engine, drivers]) =>
    drivers.every(refuses) ? [engine] : drivers.filter(refuses),
  );
  return [...byDriver, ...(['docker-containerd', 'umoci'] as const).filter(refuses)];
}

/** Something in a layer that makes engines refuse it, or that they unpack to different file systems. */
export interface Unloadable {
  /** Index into the image's layers. */
  readonly layer: number;
  readonly what: UnloadableKind;
  /** The path of the entry; for `file-as-directory` that of the file. */
  readonly path: string;
  /** The target of a link, the entry below a file, or the type flag. */
  readonly other: string;
  /** The engines that refuse the layer. */
  readonly engines: readonly string[];
}

/**
 * All such problems in the layers of an image, each layer applied to those before it; only the first of each kind in a
 * layer.
 */
export function* unloadables(scan: Scan, { layers }: Image): Generator<Unloadable> {
  const stack = new LayerStack(scan);
  for (const [layer, { member }] of layers.entries()) {
    if (member !== null && scan.head(member).xzUnchecked)
      yield { layer, what: 'xz-unchecked', path: '', other: '', engines: ['podman 4.3'] };
    const facts = member === null ? null : scan.facts(member);
    const tar = facts?.failure === null && facts.tar?.error === null ? facts.tar : null;
    const refusals = stack.add(tar?.names ?? null);
    if (tar === null) continue;
    for (const refusal of refusals) yield told(layer, refusal);
    if (tar.globalHeaders > 0)
      yield { layer, what: 'global-header', path: '', other: '', engines: ['umoci'] };
  }
}

function told(layer: number, refusal: Refusal): Unloadable {
  const { kind, path, other } = refusal;
  return { layer, what: kind, path: shown(path), other: shown(other), engines: enginesRefusing(refusal) };
}

/**
 * An error if podman refuses the layer with the driver that unpacks layers one upon the other, or if engines unpack it
 * to different file systems.
 */
export function severityOf({ what, engines }: Unloadable): 'error' | 'warning' | 'info' {
  if (what === 'global-header' || what === 'xz-unchecked') return 'info';
  if (DIFFERENT.has(what)) return 'error';
  return engines.includes('podman') || engines.includes('podman (vfs)') ? 'error' : 'warning';
}

/** Problems that make engines unpack a layer to different file systems, and those that hide whether they do. */
const DIFFERENT: ReadonlySet<UnloadableKind> = new Set<UnloadableKind>([
  'whiteout-of-own',
  'whiteout-of-dots',
  'whiteout-and-directory',
  'whiteout-as-directory',
  'whiteout-through-link',
  'too-intricate',
  'opaque-after-own',
  'opaque-root',
  'lower-as-directory',
  'overlay-whiteout',
  'overlay-attribute',
]);

const SHOWN = 200;

const shown = (path: string) => (path.length <= SHOWN ? textOf(path) : `${textOf(path.slice(0, SHOWN))}…`);
