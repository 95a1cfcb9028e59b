import { isDirectoryKind, LayerPaths } from './layer-paths.js';
import { type Refusal, RefusalList } from './layer-refusal.js';
import type { OpenPath } from './name-facts.js';
import { kindOf, NAME, type Seeds } from './name-table.js';

/** Bytes of what is left for the layers below to answer, and of symbolic links. */
const OPEN_BYTES = 64 * 1024 * 1024;

/** In place of what is too much to be kept. */
const NOTHING: OpenPath = { path: '', other: '', at: 0 };

/** What is known of a layer's names so far. */
export class LayerState {
  readonly paths: LayerPaths;
  readonly refusals = new RefusalList();
  readonly implied: OpenPath[] = [];
  readonly needed: OpenPath[] = [];
  /** The first name that two entries share, bytes one per character; null where there is none. */
  duplicate: string | null = null;
  /** Which entry this is, from 1. */
  at = 0;
  openBytes = 0;

  constructor(most: number, seeds: Seeds) {
    this.paths = new LayerPaths(most, seeds);
  }

  /** The bounds on lookups or on kept names were reached: the rest of the layer is not looked at. */
  get isSpent(): boolean {
    return this.paths.isSpent || this.openBytes > OPEN_BYTES;
  }

  /** Says what is at a path. */
  mark(path: string, value: number): void {
    this.marked(path, value, this.paths.mark(path, value));
  }

  /** @param before  what was said of the path until now */
  marked(path: string, value: number, before: number): void {
    if ((before & NAME.listed & value) !== 0) this.duplicate ??= path;
    if (isDirectoryKind(kindOf(value)) || !isDirectoryKind(kindOf(before))) return;
    this.paths.hasReplaced = true;
    // The times of a layer's directories are set at its end.
    if ((before & NAME.holdsListed) !== 0) this.refuse('directory-replaced', path);
  }

  /**
   * The directory at a path, which is made where it is missing; null where it cannot be one.
   * @param entry  for which it is wanted
   */
  walk(path: string, entry: string): string | null {
    let deepest = '';
    const { paths } = this;
    const found = paths.follow(path, (missing, link, isHere) => {
      const before = isHere ? paths.markHere(NAME.implied) : paths.mark(missing, NAME.implied);
      this.marked(missing, NAME.implied, before);
      if (isHere) paths.holdHere(NAME.holdsImplied);
      else paths.hold(missing, NAME.holdsImplied);
      if (link === null) deepest = missing;
      else this.needed.push(this.open(missing, link));
    });
    if (deepest !== '') this.implied.push(this.open(deepest, entry));
    if (typeof found === 'string') return found;
    this.refuse(found.isLoop ? 'link-loop' : 'file-as-directory', found.path, entry);
    return null;
  }

  open(path: string, other: string): OpenPath {
    return this.hasRoom(path.length + other.length + 64) ? { path, other, at: this.at } : NOTHING;
  }

  hasRoom(bytes: number): boolean {
    this.openBytes += bytes;
    return this.openBytes <= OPEN_BYTES;
  }

  refuse(kind: Refusal['kind'], path: string, other = ''): void {
    this.refusals.add(kind, path, this.at, other);
  }
}
