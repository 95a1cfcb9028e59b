import type { Member } from '../../containers/source.js';
import type { Scan } from '../../scan/scan.js';
import { blobPath } from '../../spec/digest.js';
import { parseRepositories, v1Id } from '../../spec/docker-archive.js';
import { goField, isObject, own } from '../../spec/json.js';
import { V1_JSON } from '../../spec/markers.js';
import { isCut, type ScannedArchive } from '../archive.js';
import type { Image, Layer } from '../graph.js';
import { type LayoutReader, type Linked, NOTHING_LINKED } from './layout.js';

/**
 * `docker save` before 1.10: every layer is an image of its own, `<id>/json`, chained by `parent`, and `repositories`
 * names the tops of the chains. https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md
 */
export const dockerV1: LayoutReader<'docker-v1'> = {
  name: 'docker-v1',
  detect: archive => archive.has('repositories') || hasV1(archive),
  link,
  blobPaths: digest => [blobPath(digest)],
};

/** Whether there is a v1 image, `<id>/json`. */
export const hasV1 = ({ scan, root }: ScannedArchive): boolean =>
  scan.members.some(m => V1_JSON.test(m.path.slice(root.length)));

function link(archive: ScannedArchive): Linked {
  // docker save 1.10 to 24 writes v1 files too, and its manifest.json after them.
  if (!archive.has('repositories') && isCut(archive.scan)) archive.observeLostDocuments();
  return { ...NOTHING_LINKED, images: linkV1(archive) };
}

/** How a layer's chain of parents ends. A thousand images may share one chain of ten thousand layers. */
interface ChainShape {
  /** How many layers the chain has, each once; one that the archive lacks counts too. */
  readonly length: number;
  /** The parent that the archive lacks; null where none is missing. */
  readonly missing: string | null;
  /** The layer at which the chain repeats; null where it has no cycle. */
  readonly cycle: string | null;
}

/** The shapes of chains of parents. Each layer is examined once, however many chains contain it. */
class V1Chains {
  private readonly shapes = new Map<string, ChainShape>();

  /** @param parents  of every layer of the archive; null at the base */
  constructor(private readonly parents: ReadonlyMap<string, string | null>) {}

  shapeOf(top: string): ChainShape {
    const way = new Map<string, number>();
    let id: string | null = top;
    while (id !== null && !this.shapes.has(id) && !way.has(id)) {
      way.set(id, way.size);
      id = this.parents.get(id) ?? null;
    }
    const ids = [...way.keys()];
    const cycleFrom = id === null ? undefined : way.get(id);
    if (cycleFrom !== undefined) this.addCycle(ids.splice(cycleFrom));
    for (const above of ids.reverse()) this.shapes.set(above, this.onTop(above));
    return this.shapes.get(top)!;
  }

  /** Every layer of a cycle has all of its layers as ancestors. */
  private addCycle(ids: readonly string[]): void {
    for (const id of ids) this.shapes.set(id, { length: ids.length, missing: null, cycle: id });
  }

  private onTop(id: string): ChainShape {
    if (!this.parents.has(id)) return { length: 1, missing: id, cycle: null };
    const parent = this.parents.get(id) ?? null;
    const below = parent === null ? null : this.shapes.get(parent)!;
    return {
      length: 1 + (below?.length ?? 0),
      missing: below?.missing ?? null,
      cycle: below?.cycle ?? null,
    };
  }

  /** The layers from `top` to the base, to the layer that repeats, or to the parent that is missing. */
  chainOf(top: string): string[] {
    const chain: string[] = [];
    const { length } = this.shapeOf(top);
    for (let id: string | null = top; id !== null && chain.length < length; id = this.parents.get(id) ?? null)
      chain.push(id);
    return chain;
  }
}

/** Reads every chain of v1 images, one image for each top. */
export function linkV1(archive: ScannedArchive): Image[] {
  const parents = new Map<string, string | null>();
  for (const member of archive.scan.members) {
    if (!member.path.startsWith(archive.root)) continue;
    const id = V1_JSON.exec(member.path.slice(archive.root.length))?.[1];
    if (id === undefined) continue;
    const file = archive.file(`${id}/json`);
    const value = file === null ? undefined : archive.json(file);
    if (file !== null) archive.documentProblems(file.path, 'v1-json', []);
    const parent = isObject(value) ? goField(value, 'parent') : undefined;
    parents.set(id, typeof parent === 'string' && parent !== '' ? parent : null);
  }
  const names = readNames(archive);
  const inner = new Set(parents.values());
  const tops = new Set([...names.keys(), ...[...parents.keys()].filter(id => !inner.has(id))]);
  const chains = new V1Chains(parents);
  return [...tops].sort().flatMap(top => toImage(archive, top, chains, names.get(top) ?? []) ?? []);
}

function readNames(archive: ScannedArchive): ReadonlyMap<string, readonly string[]> {
  const member = archive.file('repositories');
  const value = member === null ? undefined : archive.json(member);
  if (member === null || value === undefined) return new Map();
  const repositories = parseRepositories(value);
  archive.documentProblems(member.path, 'repositories', repositories.problems);
  return archive.mayName(repositories.count, { path: member.path, pointer: '' })
    ? repositories.names
    : new Map();
}

function toImage(
  archive: ScannedArchive,
  top: string,
  chains: V1Chains,
  names: readonly string[],
): Image | null {
  const at = { path: archive.path(`${top}/json`), pointer: null };
  const { length, missing, cycle } = chains.shapeOf(top);
  if (missing !== null) archive.observe('v1-parent-missing', at, { parent: missing });
  if (cycle !== null) archive.observe('v1-parent-cycle', at, { id: cycle });
  if (!archive.mayVisit(at) || !archive.mayList(length, at)) return null;
  const member = archive.file(`${top}/json`);
  const document = member === null ? null : archive.document(member);
  const parsed = document === null ? null : archive.config(document);
  return {
    kind: 'v1',
    config: { path: at.path, claimedDigest: null, at, member, document, parsed },
    manifest: null,
    docker: null,
    v1Id: top,
    names: [...names].sort(),
    indexDigests: [],
    platform: parsed?.platform ?? null,
    declaredPlatform: null,
    layers: chains
      .chainOf(top)
      .reverse()
      .map(id => toLayer(archive, id)),
    attestations: [],
    referrers: [],
    at,
  };
}

function toLayer(archive: ScannedArchive, id: string): Layer {
  const json = archive.scan.file(archive.path(`${id}/json`));
  const document = json === null ? null : archive.document(json);
  const at = { path: archive.path(`${id}/json`), pointer: null };
  const value = document === null || !archive.mayLook(document, at) ? undefined : document.value;
  const container = isObject(value) ? goField(value, 'container_config') : undefined;
  const command = isObject(container) ? goField(container, 'Cmd') : undefined;
  const ref = `${id}/layer.tar`;
  return {
    ref,
    at,
    member: archive.file(ref),
    claimedDigest: null,
    claimedSize: null,
    mediaType: null,
    urls: [],
    foreign: false,
    encrypted: false,
    annotations: new Map(),
    claimedDiffId: null,
    chainId: null,
    createdBy: Array.isArray(command) ? command.join(' ') : null,
    v1Id: id,
  };
}

/** A layer's v1 folder, and the ID that is computed from its JSON. */
interface V1Folder {
  readonly layer: number;
  readonly json: Member;
  readonly folder: string;
  readonly computed: string;
  /** `id` and `parent` of its JSON. */
  readonly claimedId: string | null;
  readonly claimedParent: string | null;
  readonly parent: string | null;
}

/** The v1 folders of an image of `docker save` 1.10 to 24, base first, up to the first that has no JSON. */
export function v1Folders(scan: Scan, root: string, image: Image): V1Folder[] {
  const folders: V1Folder[] = [];
  let parent: string | null = null;
  for (const [i, layer] of image.layers.entries()) {
    const folder = layer.v1Id;
    const json = folder === null ? null : scan.file(`${root}${folder}/json`);
    const value = json === null ? undefined : scan.document(json).value;
    if (folder === null || json === null || layer.chainId === null || !isObject(value)) break;
    const computed = v1Id(value, layer.chainId, parent, i === image.layers.length - 1);
    const text = (key: string) => {
      const field = own(value, key);
      return typeof field === 'string' && field !== '' ? field : null;
    };
    folders.push({
      layer: i,
      json,
      folder,
      computed,
      claimedId: text('id'),
      claimedParent: text('parent'),
      parent,
    });
    parent = folder;
  }
  return folders;
}
