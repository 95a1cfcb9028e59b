import type { Image } from '../link/graph.js';
import type { Refusal } from '../scan/names/facts.js';
import type { Scan } from '../scan/scan.js';
import { textOf } from '../tar/entry.js';
import { LayerStack } from './layer-stack.js';
import { enginesRefusing, type UnloadableKind } from './layer-words.js';

/** What makes engines refuse a layer, or unpack it to another file system than others. */
export interface Unloadable {
  /** Index into the image's layers. */
  readonly layer: number;
  readonly what: UnloadableKind;
  /** The entry; of `file-as-directory` the file. */
  readonly path: string;
  /** Where a link leads, the entry below a file, the flag of a type. */
  readonly other: string;
  /** Those that refuse the layer. */
  readonly engines: readonly string[];
}

/** Every such thing in the layers of an image, each layer on top of those before it, the first of each kind in a layer. */
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
 * An error is what podman refuses with the driver that unpacks one layer upon the other, or what engines make different file
 * systems of.
 */
export function severityOf({ what, engines }: Unloadable): 'error' | 'warning' | 'info' {
  if (what === 'global-header' || what === 'xz-unchecked') return 'info';
  if (DIFFERENT.has(what)) return 'error';
  return engines.includes('podman') || engines.includes('podman (vfs)') ? 'error' : 'warning';
}

/** What engines make different file systems of. */
const DIFFERENT: ReadonlySet<string> = new Set(['whiteout-of-own', 'whiteout-of-dots', 'opaque-after-own']);

const SHOWN = 200;

const shown = (path: string) => (path.length <= SHOWN ? textOf(path) : `${textOf(path.slice(0, SHOWN))}…`);
