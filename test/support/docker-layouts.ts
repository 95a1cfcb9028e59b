// Archives of `docker save`: FORMATS section 1, rows A, B, C.
import { digestOf, encodedOf, goJson } from './digest.js';
import type { Image, Layer } from './image.js';
import { directory, file, firstOfEach, type Member, walkOrder } from './members.js';
import { familiarName, fullName, repositoriesOf, splitName } from './names.js';
import { type Content, described, MEDIA, manifestOf } from './oci.js';
import { blobMembers, blobPath, indexFile } from './oci-layout.js';
import { createdSeconds, type Entry, entriesOf, type Images, tagsOrNull } from './tagged.js';
import { legacyLayers, v1Layers } from './v1.js';

const VERSION = '1.0';
const NO_FILES = new Uint8Array(1024);

/** Row A: Docker up to 1.9. Every history step is an image; there is no manifest.json. */
export function dockerV1(images: Images): Member[] {
  const members: Member[] = [];
  const names: [string, string][] = [];
  for (const { image, tags } of entriesOf(images)) {
    const chain = legacyLayers(image.config);
    for (const { id, json, layer } of chain) {
      const tar = layer === undefined ? NO_FILES : (image.layers[layer] as Layer).tar;
      members.push(...v1Directory(image, id, json), file(`${id}/layer.tar`, tar, at(image)));
    }
    for (const tag of tags) names.push([tag, chain.at(-1)?.id ?? '']);
  }
  const repositories = names.length > 0 ? [file('repositories', `${goJson(repositoriesOf(names))}\n`)] : [];
  return [...walkOrder(firstOfEach(members)), ...repositories];
}

const at = (image: Image) => ({ mtime: createdSeconds(image) });

const v1Directory = (image: Image, id: string, json: string): Member[] => [
  directory(id, at(image)),
  file(`${id}/VERSION`, VERSION, at(image)),
  file(`${id}/json`, json, at(image)),
];

/** One item of manifest.json, with fields in the order of moby's tarexport.manifestItem. */
const manifestItem = (entry: Entry, config: string, layers: readonly string[], sources?: object) => ({
  Config: config,
  RepoTags: tagsOrNull(entry.tags.map(familiarName)),
  Layers: layers,
  Parent: entry.parent?.imageId,
  LayerSources: sources,
});

/** Row B: Docker 1.10 to 24. A repeated layer is a symlink to the first one's file. */
export function dockerSave(images: Images): Member[] {
  const members: Member[] = [];
  const items: object[] = [];
  const names: [string, string][] = [];
  const places = new Map<string, string>();
  for (const entry of entriesOf(images)) {
    const { image, tags } = entry;
    const chain = v1Layers(image.config);
    for (const [index, { id, json }] of chain.entries()) {
      const { diffId, tar } = image.layers[index] as Layer;
      const path = `${id}/layer.tar`;
      const first = places.get(diffId) ?? path;
      places.set(diffId, first);
      members.push(...v1Directory(image, id, json));
      members.push(first === path ? file(path, tar, at(image)) : { path, link: `../${first}`, ...at(image) });
    }
    const config = `${encodedOf(image.imageId)}.json`;
    members.push(file(config, image.configBytes, at(image)));
    items.push(
      manifestItem(
        entry,
        config,
        chain.map(({ id }) => `${id}/layer.tar`),
      ),
    );
    for (const tag of tags) names.push([familiarName(tag), chain.at(-1)?.id ?? '']);
  }
  members.push(file('manifest.json', `${goJson(items)}\n`), ...repositoriesFile(names));
  return walkOrder(firstOfEach(members));
}

const repositoriesFile = (names: readonly (readonly [string, string])[]): Member[] =>
  names.length > 0 ? [file('repositories', `${goJson(repositoriesOf(names))}\n`)] : [];

/** Row C: Docker 25 and later with its own image store: an OCI layout and manifest.json over the same blobs. */
export function dockerSave25(images: Images): Member[] {
  const blobs: Member[] = [];
  const items: object[] = [];
  const listed: Content[] = [];
  const names: [string, string][] = [];
  for (const entry of entriesOf(images)) {
    const { image, tags } = entry;
    const manifest = manifestOf(unpacked(image));
    blobs.push(...blobMembers(saved(image), at(image)), ...blobMembers(manifest.blobs.slice(0, 1)));
    items.push(
      manifestItem(entry, blobPath(image.imageId), image.diffIds.map(blobPath), layerSources(image)),
    );
    for (const tag of tags) names.push([familiarName(tag), encodedOf(image.diffIds.at(-1) ?? '')]);
    listed.push(...indexEntries(manifest, tags, listed));
  }
  return [
    ...walkOrder(firstOfEach(blobs)),
    indexFile(listed),
    file('manifest.json', `${goJson(items)}\n`),
    // The space is Docker's own.
    file('oci-layout', '{"imageLayoutVersion": "1.0.0"}'),
    ...repositoriesFile(names),
  ];
}

/** The stored blobs: config, layers as uncompressed tars, and a v1 `json` for each layer, which nothing refers to. */
function saved(image: Image): { digest: string; bytes: Uint8Array }[] {
  const json = v1Layers(image.config).map(layer => new TextEncoder().encode(layer.json));
  const layers = image.layers.filter(({ spec }) => spec.absent !== true);
  return [
    { digest: image.imageId, bytes: image.configBytes },
    ...layers.map(({ diffId, tar }) => ({ digest: diffId, bytes: tar })),
    ...json.map(bytes => ({ digest: digestOf(bytes), bytes })),
  ];
}

/** The image as Docker stores it, without compression. */
export function unpacked(image: Image): Image {
  const layers = image.layers.map(
    (layer): Layer => ({
      ...layer,
      blob: layer.tar,
      digest: layer.diffId,
      size: layer.tar.length,
      compression: 'none',
    }),
  );
  return { ...image, layers };
}

/** A Go map, so it is sorted by diff_id; its descriptors have size before digest. */
function layerSources(image: Image): object {
  const sources = image.layers.map(({ diffId, tar }) => [
    diffId,
    { mediaType: MEDIA.layer, size: tar.length, digest: diffId },
  ]);
  return Object.fromEntries(sources.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)));
}

/** One entry per tag. Of the untagged images only the first is listed, and only if nothing is listed before it. */
function indexEntries(manifest: Content, tags: readonly string[], before: readonly Content[]): Content[] {
  if (tags.length === 0) return before.length === 0 ? [manifest] : [];
  return tags.map(tag =>
    described(manifest, {
      annotations: {
        'io.containerd.image.name': fullName(tag),
        'org.opencontainers.image.ref.name': splitName(tag).tag,
      },
    }),
  );
}
