import { rootedPath } from './entry-name.js';
import { join } from './layer-paths.js';
import type { LayerState } from './layer-state.js';
import type { OpenPath } from './name-facts.js';
import { kindOf, NAME } from './name-table.js';

export const WHITEOUT = '.wh.';
const OPAQUE = '.wh..opq';

/** The whiteouts of one layer, as they come among its entries. */
export class LayerWhiteouts {
  readonly removed: OpenPath[] = [];
  readonly opaque: OpenPath[] = [];

  constructor(private readonly state: LayerState) {}

  /** @param slash  where the last slash of the path is; -1 where it has none */
  add(path: string, slash: number, listed: number): void {
    const { state } = this;
    const directory = path.slice(0, Math.max(0, slash));
    state.mark(path, NAME.hidden | listed);
    const hidden = path.slice(slash + 1 + WHITEOUT.length);
    if (hidden === OPAQUE) this.addOpaque(path, directory);
    else {
      const real = this.walk(directory, path);
      if (real !== null) this.remove(path, hidden, real);
    }
  }

  /** What the whiteouts leave behind, once all entries are there. */
  finish(): void {
    const { state } = this;
    for (const { path, other, at } of this.removed) {
      const kind = isBare(other) ? 0 : state.paths.kind(path);
      if (kind === NAME.directory) state.refusals.add('whiteout-and-directory', other, at, path);
      else if (kind === NAME.implied) state.refusals.add('below-whiteout', other, at, path);
    }
  }

  /** What the layer itself put into directories that no entry names goes with what lower layers have. */
  private addOpaque(path: string, directory: string): void {
    const { state } = this;
    // It is not looked into where it is no directory, but what is above it is.
    const above = directory.slice(0, Math.max(0, directory.lastIndexOf('/')));
    if (this.walk(above, path) === null) return;
    if ((state.paths.value(directory) & NAME.holdsImplied) !== 0)
      state.refuse('opaque-after-own', path, directory);
    this.opaque.push(state.open(directory, path));
  }

  /** @param directory  where the whiteout is */
  private remove(path: string, hidden: string, directory: string): void {
    const { state } = this;
    const isDots = hidden === '.' || hidden === '..';
    const removed = isDots || hidden === '' ? rootedPath(`${directory}/${hidden}`) : join(directory, hidden);
    if (removed === '') state.refuse('whiteout-of-root', path);
    else if (isDots) state.refuse('whiteout-of-dots', path);
    else if (hidden === '') state.refuse('whiteout-without-name', path);
    else this.removeOwn(path, removed);
    if (removed !== '') this.removed.push(state.open(removed, path));
  }

  private removeOwn(path: string, removed: string): void {
    const { state } = this;
    const kind = kindOf(state.paths.value(removed));
    if (kind === 0 || kind === NAME.hidden) return;
    state.refuse(kind === NAME.touched ? 'whiteout-after-below' : 'whiteout-of-own', path, removed);
    if (kind === NAME.directory) state.refuse('directory-replaced', removed);
    state.mark(removed, NAME.hidden);
  }

  /** The directory of a whiteout: to remove something it need not be there, but nothing else may be. */
  private walk(path: string, entry: string): string | null {
    const { state } = this;
    if (path === '') return '';
    let deepest = '';
    const { paths } = state;
    const found = paths.follow(path, (missing, link, isHere) => {
      if (link !== null) state.refuse('link-to-lower', link, entry);
      else deepest = missing;
      const before = isHere ? paths.markHere(NAME.touched) : paths.mark(missing, NAME.touched);
      state.marked(missing, NAME.touched, before);
    });
    if (deepest !== '') state.implied.push(state.open(deepest, entry));
    if (typeof found === 'string') return found;
    state.refuse(found.isLoop ? 'link-loop' : 'whiteout-below-file', found.path, entry);
    return null;
  }
}

/** A whiteout that removes the directory that it is in. */
const isBare = (path: string) => /(^|\/)\.wh\.{1,3}$/.test(path);

/** Whether an entry is a whiteout. */
export const isWhiteout = (path: string) => path.startsWith(WHITEOUT, path.lastIndexOf('/') + 1);
