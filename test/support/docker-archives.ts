// Docker archives by other producers: FORMATS section 1, rows F, I, J, L, N.
import type { Compression } from './compression.js';
import { encodedOf, goJson } from './digest.js';
import type { Layer } from './image.js';
import { file, firstOfEach, type Member } from './members.js';
import { fullName, repositoriesOf } from './names.js';
import { layerMediaType } from './oci.js';
import { entriesOf, type Images, tagsOrNull } from './tagged.js';
import { podmanLayers } from './v1.js';

const READ_ONLY = { mode: 0o444 };

/** Row F: podman and skopeo `docker-archive:`. Layers, config and legacy links of each image, then the two indexes. */
export function podmanDockerArchive(images: Images): Member[] {
  const members: Member[] = [];
  const items: object[] = [];
  const names: [string, string][] = [];
  for (const { image, tags } of entriesOf(images)) {
    const full = tags.map(fullName);
    const layers = image.diffIds.map(diffId => `${encodedOf(diffId)}.tar`);
    const config = `${encodedOf(image.imageId)}.json`;
    members.push(...image.layers.map((layer, index) => file(layers[index] as string, layer.tar, READ_ONLY)));
    members.push(file(config, image.configBytes, READ_ONLY));
    const chain = podmanLayers(image.config, image.diffIds);
    for (const [index, { id, json }] of chain.entries()) {
      members.push(
        { path: `${id}/layer.tar`, link: `../${layers[index]}`, ...READ_ONLY },
        file(`${id}/VERSION`, '1.0', READ_ONLY),
        file(`${id}/json`, json, READ_ONLY),
      );
    }
    items.push({ Config: config, RepoTags: tagsOrNull(full), Layers: layers });
    for (const name of full) names.push([name, chain.at(-1)?.id ?? '']);
  }
  return [
    ...firstOfEach(members),
    file('manifest.json', goJson(items), READ_ONLY),
    file('repositories', goJson(repositoriesOf(names)), READ_ONLY),
  ];
}

const EXTENSIONS: Readonly<Record<Compression, string>> = {
  none: '.tar',
  gzip: '.tar.gz',
  zstd: '.tar.zst',
  xz: '.tar.xz',
  bzip2: '.tar.bz2',
};

/** Named by the digest of the stored bytes. */
const byDigest = ({ digest, compression }: Layer): string => encodedOf(digest) + EXTENSIONS[compression];

/** Row I: crane pull, ko, kaniko, apko. A repeated layer is stored once and listed as often as it is used. */
export function cranePull(images: Images): Member[] {
  const members: Member[] = [];
  const items: object[] = [];
  for (const { image, tags } of entriesOf(images)) {
    const stored = image.layers.filter(({ spec }) => spec.absent !== true);
    members.push(file(image.imageId, image.configBytes));
    members.push(...stored.map(layer => file(byDigest(layer), layer.blob)));
    items.push({
      Config: image.imageId,
      RepoTags: tagsOrNull(tags),
      Layers: image.layers.map(byDigest),
      LayerSources: foreignSources(image.layers),
    });
  }
  return [...firstOfEach(members), file('manifest.json', goJson(items))];
}

function foreignSources(layers: readonly Layer[]): object | undefined {
  const foreign = layers.filter(({ spec }) => spec.urls !== undefined);
  if (foreign.length === 0) return undefined;
  const sources = foreign.map(layer => {
    const { digest, size, diffId, spec } = layer;
    return [diffId, { mediaType: layerMediaType(layer, true), size, digest, urls: spec.urls }];
  });
  return Object.fromEntries(sources);
}

interface FixedNames {
  readonly config: Member;
  readonly layers: readonly Member[];
  readonly names: readonly string[];
  readonly tags: readonly string[];
}

/** One image whose config is called config.json. */
function fixedNames(images: Images): FixedNames {
  const [entry, ...others] = entriesOf(images);
  if (entry === undefined || others.length > 0)
    throw new Error('this producer writes one image to an archive');
  const { image, tags } = entry;
  return {
    config: file('config.json', image.configBytes),
    layers: image.layers.map(layer => file(byDigest(layer), layer.blob)),
    names: image.layers.map(byDigest),
    tags,
  };
}

/** Row J: jib's docker tar. */
export function jib(images: Images): Member[] {
  const { config, layers, names, tags } = fixedNames(images);
  const item = { Config: config.path, RepoTags: tags, Layers: names };
  return firstOfEach([...layers, config, file('manifest.json', goJson([item]))]);
}

/** Row N: containerify (src/tarExporter.ts): documents first, and keys in lower case. */
export function containerify(images: Images): Member[] {
  const { config, layers, names, tags } = fixedNames(images);
  const item = { config: config.path, repoTags: tags, layers: names };
  return firstOfEach([config, file('manifest.json', JSON.stringify([item])), ...layers]);
}

/**
 * Row L: Nix dockerTools (stream_layered_image.py). As in the original, the image should have `indent: 4` and absolute
 * paths.
 */
export function nixDockerTools(images: Images): Member[] {
  const members: Member[] = [];
  const items: object[] = [];
  for (const { image, tags } of entriesOf(images)) {
    const layers = image.diffIds.map(diffId => `${encodedOf(diffId)}/layer.tar`);
    const config = `${encodedOf(image.imageId)}.json`;
    members.push(...image.layers.map((layer, index) => file(layers[index] as string, layer.tar)));
    members.push(file(config, image.configBytes));
    items.push({ Config: config, RepoTags: tagsOrNull(tags), Layers: layers });
  }
  return [...firstOfEach(members), file('manifest.json', goJson(items, 4))];
}
