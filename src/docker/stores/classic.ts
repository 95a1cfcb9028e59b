import type { Graph, Image } from '../../link/graph.js';
import type { Scan } from '../../scan/scan.js';
import { grouped } from '../../spec/grouped.js';
import { namesOf, repoNames, type StoredImage, taggedName } from './stored-image.js';

export interface StorePart {
  readonly scan: Scan;
  readonly graph: Graph;
}

/** The image ID: the digest of the config, as it is or, where it is absent, as it is called. */
export function classicId(image: Image): string | null {
  if (image.kind === 'v1') return image.v1Id;
  return image.config?.document?.digest ?? image.config?.claimedDigest ?? null;
}

const v1Parent = ({ layers }: Image) => layers.at(-2)?.v1Id;

/**
 * The images as the graph driver store holds them: each config is an image of its own, whatever index it was listed in,
 * and two manifests of one config are one image. Of a file that has a manifest.json only what that lists is loaded, and by
 * its names. moby daemon/images, image/tarexport/load.go
 */
export function classicImages(parts: readonly StorePart[], chosen: ReadonlySet<Image>): StoredImage[] {
  const all = parts.flatMap(part =>
    part.graph.images.filter(isLoadedFrom(part)).map(image => ({ ...part, image })),
  );
  const ids = new Set(all.map(({ image }) => classicId(image)));
  const groups = grouped(
    all.filter(({ image }) => chosen.has(image)),
    ({ image }) => classicId(image) ?? image,
  );
  return [...groups.values()].map(group => {
    const { scan, graph, image } = group[0]!;
    const names = repoNames(
      group.flatMap(entry => classicNames(entry.graph, entry.image)),
      null,
    );
    const parent = (image.kind === 'v1' ? v1Parent(image) : image.docker?.parent) ?? '';
    const id = classicId(image);
    return {
      scan,
      graph,
      id,
      wholeId: id,
      tags: names.tags,
      digests: names.digests,
      shortName: null,
      parent: image.kind === 'v1' || ids.has(parent) ? parent : '',
      image,
      platforms: [image],
      target: null,
      indexBytes: 0,
      snapshots: null,
    };
  });
}

const isLoadedFrom =
  ({ graph }: StorePart) =>
  ({ docker, kind }: Image) =>
    graph.docker === null || docker !== null || kind === 'v1';

function classicNames(graph: Graph, image: Image): readonly string[] {
  const { docker } = image;
  if (docker === null) return namesOf(graph, image);
  const items = (graph.docker ?? []).filter(({ config }) => config === docker.config);
  return items.flatMap(({ repoTags }) => repoTags.map(taggedName));
}
