import { breakdown } from '../analysis/breakdown.js';
import { pairUp } from '../analysis/diff/changes.js';
import type { SizeName } from '../analysis/weigh.js';
import { nameText } from '../scan/entries/name.js';
import { repositoriesOf } from './image-names.js';
import {
  directorySizes,
  type Inventory,
  type InventoryFile,
  type InventoryLayer,
  type InventoryPackage,
  MOST_SETUID,
  setuidIn,
  waysUp,
} from './inventory.js';
import type { ImageSubject } from './subject.js';

/** An image of an earlier check. */
export interface SavedImage {
  readonly names: readonly string[];
  readonly platform: string | null;
  readonly inventory: Inventory;
}

/** The archive or report that `--against` names, with its images. */
export interface Against {
  readonly file: string;
  readonly images: readonly SavedImage[];
}

/** A number of bytes before and after. */
export interface Change {
  readonly before: number;
  readonly after: number;
}

/** A size before and after; `atLeast` if one of the two is a lower bound, because not all layers are known. */
export interface SizeChange extends Change {
  readonly atLeast?: true;
}

export interface LayerChange {
  /** The line of a Dockerfile; empty where nothing tells. */
  readonly instruction: string;
  /** Index into the layers of the image; null for a layer that is gone. */
  readonly layer: number | null;
  /** Whether the earlier image has no such layer. */
  readonly isNew: boolean;
  /** Unpacked bytes; null where there is no such layer, or its size is not known. */
  readonly before: number | null;
  readonly after: number | null;
}

export interface DirectoryChange extends Change {
  readonly path: string;
  /** Bytes in it, but for those of directories in it that are listed themselves. */
  readonly before: number;
  readonly after: number;
  /** Whether the earlier image has nothing there. */
  readonly isNew: boolean;
  /** The layer that has most of its bytes, of those that the earlier image does not have; null for none. */
  readonly layer: number | null;
}

export interface PackageChange extends Change {
  readonly manager: InventoryPackage['manager'];
  readonly name: string;
  readonly arch: string | null;
  /** Versions; null where it is not installed. */
  readonly from: string | null;
  readonly to: string | null;
}

/** An image compared with an earlier one. */
export type Comparison =
  | { readonly unpaired: string; readonly file: string }
  | (ImageComparison & { readonly unpaired?: undefined });

export interface ImageComparison {
  /** The archive or the report. */
  readonly file: string;
  readonly names: readonly string[];
  readonly platform: string | null;
  /** Whether the two have a name in common, tags left aside; true where one of them has none. */
  readonly sameName: boolean;
  /** Sizes that are known of both. */
  readonly sizes: Readonly<Partial<Record<SizeName, SizeChange>>>;
  /** Layers that are not the same bytes, in the order of the image. */
  readonly layers: readonly LayerChange[];
  /**
   * Most growth first. Those that hold what grew or shrank, and no directory above them. null where not known of both.
   */
  readonly directories: readonly DirectoryChange[] | null;
  /** Those that came, went, or have another version. null where not known of both. */
  readonly packages: readonly PackageChange[] | null;
  /** New files with setuid or setgid, or whose bits or owners are others. null where not known of both. */
  readonly setuid: readonly (InventoryFile & { readonly layer: number | null })[] | null;
  /** Whether the earlier image may have more setuid files than its report lists. */
  readonly setuidCut: boolean;
  readonly ports: { readonly added: readonly string[]; readonly removed: readonly string[] };
  readonly env: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    /** Those with another value. */
    readonly changed: readonly string[];
  };
  /** null where it is the same. */
  readonly user: { readonly before: string; readonly after: string } | null;
  readonly entrypoint: { readonly before: readonly string[]; readonly after: readonly string[] } | null;
  readonly cmd: { readonly before: readonly string[]; readonly after: readonly string[] } | null;
}

export function comparisonOf(subject: ImageSubject, { file, images }: Against): Comparison {
  const { saved, sameName } = partnerOf(subject, images);
  if (saved === null) return { unpaired: unpairedText(subject, images), file };
  const [before, after] = [saved.inventory, subject.inventory];
  return {
    file,
    names: saved.names,
    platform: saved.platform,
    sameName,
    sizes: sizeChanges(before, after),
    layers: layerChanges(before.layers, after.layers),
    directories: directoryChanges(subject, before),
    packages: packageChanges(before, after),
    setuid: setuidChanges(subject, before),
    setuidCut: (before.setuid?.length ?? 0) >= MOST_SETUID,
    ports: onlyIn(before.ports, after.ports),
    env: envChanges(before, after),
    user: before.user === after.user ? null : { before: before.user, after: after.user },
    entrypoint: wordsChange(before.entrypoint, after.entrypoint),
    cmd: wordsChange(before.cmd, after.cmd),
  };
}

/** The earlier image of the same platform: with a name in common, or the only one that there is. */
function partnerOf(
  { names, report }: ImageSubject,
  images: readonly SavedImage[],
): { readonly saved: SavedImage | null; readonly sameName: boolean } {
  const own = repositoriesOf(names);
  const isNamesake = (image: SavedImage) => [...repositoriesOf(image.names)].some(name => own.has(name));
  const candidates = images.filter(({ platform }) => platform === report.platform);
  const exact = candidates.find(image => image.names.some(name => names.includes(name)));
  const saved = exact ?? candidates.find(isNamesake) ?? (candidates.length === 1 ? candidates[0]! : null);
  const sameName = saved === null || names.length === 0 || saved.names.length === 0 || isNamesake(saved);
  return { saved, sameName };
}

function unpairedText({ report }: ImageSubject, images: readonly SavedImage[]): string {
  if (images.length === 0) return 'it holds no image';
  const platforms = [...new Set(images.map(({ platform }) => platform ?? 'unknown'))].join(', ');
  const isThere = images.some(({ platform }) => platform === report.platform);
  return isThere
    ? `it has several images for ${report.platform ?? 'no platform'}, none with a name of this one`
    : `it has no image for ${report.platform ?? 'no platform'}, only for ${platforms}`;
}

const SIZES: readonly SizeName[] = ['unpacked', 'stored', 'compressed', 'content', 'docker'];

function sizeChanges(before: Inventory, after: Inventory): ImageComparison['sizes'] {
  return Object.fromEntries(
    SIZES.flatMap(name => {
      const [a, b] = [before.sizes[name], after.sizes[name]];
      if (a === null || b === null) return [];
      const isBound = [before, after].some(({ sizes }) => sizes.partial?.includes(name));
      return [[name, { before: a, after: b, ...(isBound && { atLeast: true as const }) }]];
    }),
  );
}

/**
 * Layers that are not in both are paired by the instructions that made them; digests in these change with each build.
 */
function layerChanges(before: readonly InventoryLayer[], after: readonly InventoryLayer[]): LayerChange[] {
  const ids = new Set(before.map(({ diffId }) => diffId));
  const kept = new Set(
    after.map(({ diffId }) => diffId).filter(diffId => diffId !== null && ids.has(diffId)),
  );
  const old = before.filter(({ diffId }) => !kept.has(diffId));
  const own = after.map((layer, index) => ({ ...layer, index })).filter(({ diffId }) => !kept.has(diffId));
  const key = ({ instruction }: { readonly instruction: string }) => instruction.replace(/[0-9a-f]{64}/g, '');
  return pairUp(old.map(key), own.map(key)).map(([i, j]) => {
    const [a, b] = [i === null ? null : old[i]!, j === null ? null : own[j]!];
    return {
      instruction: (b ?? a)!.instruction,
      layer: b?.index ?? null,
      isNew: a === null,
      before: a?.unpacked ?? null,
      after: b?.unpacked ?? null,
    };
  });
}

/** A change of fewer bytes, or of a smaller part of all that grew, is told by the directory above. */
const LEAST_CHANGE = 1000;
const LEAST_PART = 0.02;

/** Directories that are told; what is left is in the sum. */
const MOST_DIRECTORIES = 1000;

interface Tree {
  readonly sizes: ReadonlyMap<string, number>;
  /** An upper bound of the bytes of a directory that is not in `sizes`. */
  readonly unlisted: number;
}

function directoryChanges(subject: ImageSubject, before: Inventory): DirectoryChange[] | null {
  if (before.directories === null || subject.part.scan.depth !== 'files') return null;
  const { list, unlisted } = before.directories;
  const old: Tree = { sizes: new Map(list.map(({ path, shipped }) => [path, shipped])), unlisted };
  const sizes = directorySizes(subject);
  const changes = new DirectoryWalk(old, sizes).changes();
  const layers = layersOf(subject, new Set(changes.map(({ path }) => path)), before);
  return changes.map(change => ({ ...change, layer: layers.get(change.path) ?? null }));
}

/**
 * Finds the directories that say best what grew: not the root, of which all is below, but as deep as one of them holds
 * it.
 */
class DirectoryWalk {
  private readonly children = new Map<string, string[]>();
  private readonly found: Omit<DirectoryChange, 'layer'>[] = [];
  private readonly least: number;

  constructor(
    private readonly old: Tree,
    private readonly sizes: ReadonlyMap<string, number>,
  ) {
    for (const path of new Set([...sizes.keys(), ...old.sizes.keys()])) {
      if (path === '') continue;
      const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      const siblings = this.children.get(parent);
      if (siblings === undefined) this.children.set(parent, [path]);
      else siblings.push(path);
    }
    this.least = Math.max(LEAST_CHANGE, LEAST_PART * Math.abs(this.change('')));
  }

  changes(): Omit<DirectoryChange, 'layer'>[] {
    // Without recursion: a path has as many directories as an archive likes.
    for (const pending = ['']; pending.length > 0; ) {
      const path = pending.pop()!;
      pending.push(...this.visit(path));
    }
    return this.found
      .sort((a, b) => b.after - b.before - (a.after - a.before) || (a.path < b.path ? -1 : 1))
      .slice(0, MOST_DIRECTORIES);
  }

  /** @returns the directories in it that are to be looked into */
  private visit(path: string): string[] {
    const isKnown = this.old.sizes.has(path) || path === '';
    const isOpen = path === '' || (isKnown && this.sizes.has(path));
    const below = isOpen ? (this.children.get(path) ?? []).filter(child => this.isChanged(child)) : [];
    // What is told of a directory below is not told again.
    const { before, after } = below.reduce<Change>((left, child) => {
      const part = this.bytes(child);
      return { before: left.before - part.before, after: left.after - part.after };
    }, this.bytes(path));
    if (Math.abs(after - before) >= this.least)
      this.found.push({ path, before, after, isNew: !isKnown && this.old.unlisted === 0 });
    return below;
  }

  private isChanged(path: string): boolean {
    return Math.abs(this.change(path)) >= this.least;
  }

  private change(path: string): number {
    const { before, after } = this.bytes(path);
    return after - before;
  }

  private bytes(path: string): Change {
    const after = this.sizes.get(path) ?? 0;
    return { before: this.old.sizes.get(path) ?? Math.min(this.old.unlisted, after), after };
  }
}

/** The layer of each directory that has most of its bytes, of those that the earlier image does not have. */
function layersOf(
  { unpacked, report }: ImageSubject,
  wanted: ReadonlySet<string>,
  before: Inventory,
): ReadonlyMap<string, number> {
  const known = new Set(before.layers.map(({ diffId }) => diffId));
  const isOwn = report.layers.map(({ diffId, claimedDiffId }) => !known.has(diffId ?? claimedDiffId));
  const { shares } = breakdown(
    unpacked,
    (path, layer) => {
      const directory = nameText(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
      return [...waysUp(directory)].filter(at => wanted.has(at)).map(at => `${layer}\0${at}`);
    },
    () => wanted.size > 0,
  );
  const best = new Map<string, { layer: number; shipped: number }>();
  for (const { name, shipped } of shares) {
    const [number, path] = [name.slice(0, name.indexOf('\0')), name.slice(name.indexOf('\0') + 1)];
    const layer = Number(number);
    if (isOwn[layer] && shipped > (best.get(path)?.shipped ?? 0)) best.set(path, { layer, shipped });
  }
  return new Map([...best].map(([path, { layer }]) => [path, layer]));
}

function packageChanges(before: Inventory, after: Inventory): PackageChange[] | null {
  if (before.packages === null || after.packages === null) return null;
  const keyOf = ({ manager, name, arch }: InventoryPackage) => [manager, name, arch].join('\0');
  const old = new Map(before.packages.map(one => [keyOf(one), one]));
  const own = new Map(after.packages.map(one => [keyOf(one), one]));
  return [...new Set([...own.keys(), ...old.keys()])].flatMap(key => {
    const [a, b] = [old.get(key), own.get(key)];
    if (a?.version === b?.version) return [];
    const { manager, name, arch } = (b ?? a)!;
    const [from, to] = [a?.version ?? null, b?.version ?? null];
    return [{ manager, name, arch, from, to, before: a?.shipped ?? 0, after: b?.shipped ?? 0 }];
  });
}

/** Compares all of them: the inventory lists no more than some thousands. */
function setuidChanges(subject: ImageSubject, before: Inventory): ImageComparison['setuid'] {
  const { unpacked, part } = subject;
  if (before.setuid === null || part.scan.depth !== 'files') return null;
  const keyOf = ({ path, mode, uid, gid }: InventoryFile) => [mode & 0o6000, uid, gid, path].join(' ');
  const old = new Set(before.setuid.map(keyOf));
  const added = setuidIn(subject).filter(file => !old.has(keyOf(file)));
  if (added.length === 0) return [];
  const layers = new Map<string, number>();
  const paths = new Set(added.map(({ path }) => path));
  for (const { path, layer } of unpacked.tree.passing) {
    const text = nameText(path);
    if (paths.has(text)) layers.set(text, layer);
  }
  return added.map(file => ({ ...file, layer: layers.get(file.path) ?? null }));
}

function onlyIn(before: readonly string[], after: readonly string[]) {
  return {
    added: after.filter(one => !before.includes(one)),
    removed: before.filter(one => !after.includes(one)),
  };
}

function envChanges(before: Inventory, after: Inventory): ImageComparison['env'] {
  const old = new Map(before.env.map(({ name, valueHash }) => [name, valueHash]));
  const own = new Map(after.env.map(({ name, valueHash }) => [name, valueHash]));
  return {
    ...onlyIn([...old.keys()], [...own.keys()]),
    changed: [...own].flatMap(([name, hash]) => (old.has(name) && old.get(name) !== hash ? [name] : [])),
  };
}

const wordsChange = (before: readonly string[], after: readonly string[]) =>
  JSON.stringify(before) === JSON.stringify(after) ? null : { before, after };
