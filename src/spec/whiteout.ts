// Names by which a layer says what it hides. https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts

/** A file that begins so hides the entry of lower layers whose name follows. */
export const WHITEOUT = '.wh.';

/** True for a path whose last segment is a whiteout. Above it, such a name is that of an ordinary directory. */
export const isWhiteout = (path: string): boolean => path.startsWith(WHITEOUT, path.lastIndexOf('/') + 1);

/** Hides everything that lower layers have in the directory. */
export const OPAQUE_WHITEOUT = '.wh..wh..opq';

/** The same, as the name that follows `WHITEOUT`. */
export const OPAQUE_HIDDEN = OPAQUE_WHITEOUT.slice(WHITEOUT.length);

/**
 * Names of AUFS's own metadata in a layer begin so. It is never part of the file system, but hard links may point
 * there.
 */
export const WHITEOUT_META = '.wh..wh.';

/** The directory in which AUFS kept the targets of hard links. */
export const AUFS_LINKS = '.wh..wh.plnk';
