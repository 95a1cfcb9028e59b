import { blobPath, digestOfBlobPath, splitDigest } from '../../spec/digest.js';
import {
  type DockerManifestItem,
  parseDockerManifest,
  parseRepositories,
} from '../../spec/docker-archive.js';
import { isObject, type Json, pointer, typeName } from '../../spec/json.js';
import { layerType } from '../../spec/media-types.js';
import { normalName, parseReference } from '../../spec/reference.js';
import type { ScannedArchive } from '../archive.js';
import { layersOf } from '../classify.js';
import type { ConfigNode, Image, Layer, Location } from '../graph.js';
import { hasV1, linkV1 } from './docker-v1.js';
import { type LayoutReader, type Linked, NOTHING_LINKED } from './layout.js';

/**
 * `docker save` 1.10 to 24 and the tools that write like it: manifest.json lists images by their configs and layers.
 */
export const dockerSave: LayoutReader<'docker-archive'> = {
  name: 'docker-archive',
  detect: archive => archive.has('manifest.json'),
  link,
  blobPaths: digest => [blobPath(digest)],
  digestOfPath: digestOfBlobPath,
};

function link(archive: ScannedArchive): Linked {
  const { images, items } = linkDocker(archive);
  const isEmpty = images.length === 0 && items.length === 0;
  const found = isEmpty && hasV1(archive) ? linkV1(archive) : images;
  return { ...NOTHING_LINKED, images: found, docker: items };
}

interface DockerImages {
  readonly images: readonly Image[];
  readonly items: readonly DockerManifestItem[];
}

/** Reads manifest.json, and compares `repositories` with it. */
export function linkDocker(archive: ScannedArchive): DockerImages {
  const linked = linkManifest(archive);
  compareRepositories(archive, linked.images);
  return linked;
}

function linkManifest(archive: ScannedArchive): DockerImages {
  const none = { images: [], items: [] };
  const member = archive.file('manifest.json');
  const value = member === null ? undefined : archive.firstJson(member);
  if (member === null || value === undefined) return none;
  const items = itemsOf(archive, member.path, value);
  if (items === null) return none;
  const images = items.map(item => toImage(archive, item, member.path));
  checkNames(archive, member.path, items, images);
  return { images, items };
}

/** The items of manifest.json that the limits allow; null where it is not a list. */
function itemsOf(archive: ScannedArchive, path: string, value: Json): DockerManifestItem[] | null {
  const at = { path, pointer: '' };
  if (value === null) {
    archive.observe('manifest-json-null', at, {});
    return null;
  }
  // One item more than the limit shows that the limit is exceeded.
  const { manifests } = archive.limits;
  const manifest = parseDockerManifest(Array.isArray(value) ? value.slice(0, manifests + 1) : value);
  if (manifest === null) {
    archive.observe('manifest-json-not-array', at, { actual: typeName(value) });
    return null;
  }
  if (Array.isArray(value)) checkItems(archive, path, value);
  archive.documentProblems(
    path,
    'manifest.json',
    manifest.problems.filter(problem => !/^\/\d+$/.test(problem.pointer)),
  );
  return manifest.items.flatMap((item): DockerManifestItem[] => {
    const where = { path, pointer: pointer('', item.index) };
    if (!archive.mayVisit(where) || !archive.mayList(item.layers.length, where)) return [];
    return [archive.mayName(item.repoTags.length, where) ? item : { ...item, repoTags: [] }];
  });
}

function checkItems(archive: ScannedArchive, path: string, items: readonly Json[]): void {
  if (items.length === 0) archive.observe('manifest-json-empty', { path, pointer: '' }, {});
  for (const [i, item] of items.entries()) {
    if (isObject(item)) continue;
    const at = { path, pointer: pointer('', i) };
    archive.observe('manifest-json-item-invalid', at, { actual: typeName(item) });
  }
}

function toImage(archive: ScannedArchive, item: DockerManifestItem, path: string): Image {
  const at = { path, pointer: pointer('', item.index) };
  checkCase(archive, item, at);
  const config = readConfig(archive, item, path);
  const told = layersOf(config?.parsed ?? null, item.layers.length);
  const layers = item.layers.map((ref, i): Layer => {
    const facts = told(i);
    const source = facts.claimedDiffId === null ? undefined : item.layerSources.get(facts.claimedDiffId);
    const type = layerType(source?.mediaType ?? null);
    return {
      ref,
      at: { path, pointer: pointer('', item.index, 'Layers', i) },
      member: archive.file(ref),
      claimedDigest: null,
      claimedSize: null,
      mediaType: source?.mediaType ?? null,
      urls: source?.urls ?? [],
      foreign: type.foreign,
      encrypted: type.encrypted,
      annotations: source?.annotations ?? new Map(),
      v1Id: v1IdOf(archive, ref, path),
      ...facts,
    };
  });
  claimSources(archive, item, layers, path);
  return {
    kind: 'image',
    config,
    manifest: null,
    docker: item,
    v1Id: layers.at(-1)?.v1Id ?? null,
    names: [...new Set(item.repoTags)],
    indexDigests: [],
    platform: config?.parsed?.platform ?? null,
    declaredPlatform: null,
    layers,
    attestations: [],
    referrers: [],
    at,
  };
}

/** containerify writes keys in another case; two keys that Go reads as one make readers see two images. */
function checkCase(archive: ScannedArchive, { oddKeys }: DockerManifestItem, at: Location): void {
  const single = oddKeys.filter(({ keys }) => keys.length === 1);
  if (single.length > 0) {
    const keys = single.map(odd => odd.keys[0]!);
    archive.observe('key-case', at, { keys, expected: single.map(({ expected }) => expected) });
  }
  for (const { keys, expected } of oddKeys) {
    if (keys.length > 1) archive.observe('key-case', at, { keys: [...keys], expected: [expected] }, 'error');
  }
}

/** The ID of a layer's v1 folder, whose JSON is hashed to check the folder's name. */
function v1IdOf(archive: ScannedArchive, ref: string, path: string): string | null {
  const id = /(?:^|\/)([0-9a-f]{64})\/layer\.tar$/.exec(ref)?.[1] ?? null;
  const json = id === null ? null : archive.scan.file(archive.path(`${id}/json`));
  const isTooMuch = json !== null && !archive.mayLook(archive.document(json), { path, pointer: null });
  return isTooMuch ? null : id;
}

/**
 * Records the claims of LayerSources. A source whose key is its own digest describes the layer as it is stored here:
 * docker's, by diff_id, and regctl's, by digest. Bazel's and those of foreign layers describe the layer as a registry
 * stores it.
 */
function claimSources(
  archive: ScannedArchive,
  item: DockerManifestItem,
  layers: readonly Layer[],
  path: string,
): void {
  const byKey = new Map<string, Layer>();
  for (const layer of layers.toReversed()) {
    const slash = layer.ref.lastIndexOf('/');
    if (slash >= 0) byKey.set(layer.ref.slice(slash + 1), layer);
    if (layer.claimedDiffId !== null) byKey.set(layer.claimedDiffId, layer);
  }
  for (const [key, source] of item.layerSources) {
    const layer = byKey.get(key) ?? byKey.get(splitDigest(key)[1]);
    const expected = 'the diff_id or digest of a layer as the key';
    const isBlob = layer?.ref.startsWith('blobs/') === true && source.urls.length === 0;
    if (layer === undefined || (isBlob && key !== source.digest)) {
      archive.observe('field-invalid', { path, pointer: source.pointer }, { expected, actual: key });
    } else if (layer.member !== null && key === source.digest) archive.claim(layer.member, source, path);
  }
}

function readConfig(archive: ScannedArchive, item: DockerManifestItem, path: string): ConfigNode | null {
  if (item.config === null) return null;
  const at = { path, pointer: pointer('', item.index, 'Config') };
  const member = archive.file(item.config);
  const base = { path: archive.path(item.config), claimedDigest: null, at, member };
  if (member === null || !archive.mayLook(archive.document(member), at))
    return { ...base, document: null, parsed: null };
  archive.json(member);
  const parsed = archive.config(archive.document(member));
  if (parsed === null) archive.notAnObject(member);
  else archive.documentProblems(member.path, 'manifest.json-config', parsed.problems);
  return { ...base, document: archive.document(member), parsed };
}

function checkNames(
  archive: ScannedArchive,
  path: string,
  items: readonly DockerManifestItem[],
  images: readonly Image[],
): void {
  const owners = new Map<string, { readonly name: string; readonly configs: Set<string> }>();
  const imageIds = new Set(images.map(image => image.config?.document?.digest));
  for (const [i, item] of items.entries()) {
    const own = new Set<string>();
    item.repoTags.forEach((name, j) => {
      const at = { path, pointer: pointer('', item.index, 'RepoTags', j) };
      if (own.has(name)) archive.observe('name-duplicate', at, { name });
      own.add(name);
      const reference = parseReference(name);
      if (typeof reference === 'string') archive.observe('name-invalid', at, { name, reason: reference });
      else if (reference.tag === null) archive.observe('name-invalid', at, { name, reason: 'it has no tag' });
      const owner = images[i]!.config?.path ?? String(i);
      const known = owners.get(normalName(name)) ?? { name, configs: new Set() };
      known.configs.add(owner);
      owners.set(normalName(name), known);
    });
    if (item.parent !== null && !imageIds.has(item.parent)) {
      archive.observe(
        'parent-missing',
        { path, pointer: pointer('', item.index, 'Parent') },
        { parent: item.parent },
      );
    }
  }
  for (const { name, configs } of owners.values()) {
    if (configs.size > 1)
      archive.observe('name-ambiguous', { path, pointer: '' }, { name, images: [...configs] });
  }
}

/**
 * Docker still writes `repositories` beside manifest.json. It points each name at the top layer of its image: by its v1
 * ID, since Docker 25 by the hex of its diff_id.
 */
function compareRepositories(archive: ScannedArchive, images: readonly Image[]): void {
  const member = archive.file('repositories');
  const value = member === null ? undefined : archive.json(member);
  if (member === null || value === undefined) return;
  const { names, count, problems } = parseRepositories(value);
  archive.fieldProblems(member.path, problems);
  if (!archive.mayName(count, { path: member.path, pointer: '' })) return;
  const byName = new Map<string, Image>();
  for (const image of images) {
    for (const name of image.names) {
      const normal = normalName(name);
      if (!byName.has(normal)) byName.set(normal, image);
    }
  }
  for (const [id, list] of names) {
    for (const name of list) {
      const colon = name.lastIndexOf(':');
      const at = { path: member.path, pointer: pointer('', name.slice(0, colon), name.slice(colon + 1)) };
      const image = byName.get(normalName(name));
      const expected = image === undefined ? ['no image of this name'] : topOf(image);
      if (expected.includes(id) || leadsToTop(archive, id, image)) continue;
      archive.observe('repositories-disagree', at, { name, expected: expected.join(' or '), actual: id });
    }
  }
}

/** podman and skopeo generate v1 IDs, with folders whose layer.tar is a link to the layer. */
function leadsToTop(archive: ScannedArchive, id: string, image: Image | undefined): boolean {
  const top = image?.layers.at(-1)?.member ?? null;
  return top !== null && archive.scan.file(archive.path(`${id}/layer.tar`)) === top;
}

function topOf(image: Image): string[] {
  const top = image.layers.at(-1);
  if (top === undefined) return ['no layer'];
  const diffId = top.claimedDiffId === null ? null : splitDigest(top.claimedDiffId)[1];
  return [top.v1Id, diffId].filter(id => id !== null);
}
