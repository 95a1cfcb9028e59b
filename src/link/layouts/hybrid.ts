import { digestOfBlobPath, sameAlgorithm } from '../../spec/digest.js';
import { normalName } from '../../spec/reference.js';
import type { ScannedArchive } from '../archive.js';
import type { Image, Layer } from '../graph.js';
import { entryNames, hasContainerdName, mergeNames } from '../names.js';
import { linkDocker } from './docker-save.js';
import type { LayoutReader, Linked } from './layout.js';
import { hasOciFiles, linkOci, oci } from './oci.js';

/** `docker save` since 25: an OCI image layout with a manifest.json beside index.json. */
export const hybrid: LayoutReader<'docker-hybrid'> = {
  ...oci,
  name: 'docker-hybrid',
  detect: archive => hasOciFiles(archive) && archive.has('manifest.json'),
  link,
};

function link(archive: ScannedArchive): Linked {
  const oci = linkOci(archive);
  const { images, items } = linkDocker(archive);
  return { ...oci, images: merge(archive, images, oci.images), docker: items };
}

/**
 * Merges the images of manifest.json and index.json, which describe the same images, so that each is listed once. Data
 * that only one of them has is kept; contradictions become observations.
 */
function merge(archive: ScannedArchive, docker: readonly Image[], oci: readonly Image[]): Image[] {
  const merged = new Map<Image, Image>();
  const left: Image[] = [];
  const byConfig = new Map<unknown, Image[]>();
  for (const image of oci) {
    for (const key of configKeys(image)) {
      const same = byConfig.get(key);
      if (same === undefined) byConfig.set(key, [image]);
      else same.push(image);
    }
  }
  for (const image of docker) {
    const twin = twinOf(image, byConfig);
    if (twin === undefined) left.push(image);
    else merged.set(twin, join(archive, image, merged.get(twin) ?? twin));
  }
  const divided = dividedNames(docker, oci, byConfig);
  const isTold = observeDisagreement(archive, left, oci, merged, divided.length > 0);
  for (const data of isTold ? [] : divided)
    archive.observe('name-ambiguous', { path: archive.path('manifest.json'), pointer: '' }, data, 'error');
  return [...oci.map(image => merged.get(image) ?? image), ...left];
}

/** The image with the same config and the same layers, or else the first with the same config. */
function twinOf(image: Image, byConfig: ReadonlyMap<unknown, readonly Image[]>): Image | undefined {
  const twins = twinsOf(image, byConfig);
  return twins.find(other => sameLayers(image, other)) ?? twins[0];
}

/**
 * Images with the same config. No writer makes more than a few, and comparing all of a hostile archive would take too
 * long.
 */
const twinsOf = (image: Image, byConfig: ReadonlyMap<unknown, readonly Image[]>): Image[] =>
  configKeys(image)
    .flatMap(key => byConfig.get(key) ?? [])
    .slice(0, 100);

/**
 * The keys by which two images have the same config: the member, its digest, or the path. An absent config has no
 * digest, but both documents name the path where it should be.
 */
function configKeys({ config }: Image): unknown[] {
  if (config === null) return [];
  const { member, path, document } = config;
  const digest = document?.digest ?? null;
  return [
    ...(member === null ? [] : [member]),
    `path ${path}`,
    ...(digest === null ? [] : [`digest ${digest}`]),
  ];
}

const members = (layers: readonly Layer[]) => layers.map(layer => layer.member?.path ?? null);

function sameLayers(a: Image, b: Image): boolean {
  if (a.layers.length !== b.layers.length) return false;
  return members(a.layers).join('\n') === members(b.layers).join('\n');
}

function join(archive: ScannedArchive, docker: Image, oci: Image): Image {
  const names = mergeNames(docker.names, oci.names);
  const refNames = new Set([...(oci.refNames ?? [])].filter(name => !docker.names.includes(name)));
  const base = { ...oci, docker: docker.docker, names, refNames };
  observeNames(archive, docker, oci);
  if (sameLayers(docker, oci)) return base;
  observeLayers(archive, docker, oci);
  const absent = oci.layers.filter(layer => layer.member === null);
  const [here, there] = [members(docker.layers), members(oci.layers)];
  if (oci.layers.length === 0 && here.length > 0) {
    bug(
      archive,
      oci,
      'oci-manifest-without-layers',
      'docker 25.0.0-beta and rc1',
      'the OCI manifest lists no layers',
    );
  } else if ([...here].sort().join() === [...there].sort().join()) {
    bug(
      archive,
      oci,
      'oci-layers-in-random-order',
      'docker 25.0.0',
      'the OCI manifest lists the layers in another order',
    );
  } else if (absent.length > 0 && absent.every(layer => layer.foreign)) {
    const detail =
      'a foreign layer is stored unpacked, under its diff_id, where the OCI manifest cannot find it';
    bug(archive, oci, 'foreign-layer-stored-unpacked', 'docker save 25 and later', detail);
  } else {
    return base;
  }
  // In each of these bugs manifest.json has the right layers.
  return { ...base, layers: docker.layers };
}

/**
 * Reports that engines which read index.json build another file system than those which read manifest.json. Layers that
 * only the OCI manifest does not find are no such disagreement: absent layers are reported elsewhere.
 */
function observeLayers(archive: ScannedArchive, docker: Image, oci: Image): void {
  const found = oci.layers.filter(layer => layer.member !== null);
  if (found.length < oci.layers.length && isSubsequence(members(found), members(docker.layers))) return;
  const [manifestJson, indexJson] = [docker, oci].map(image => hasDiffIds(archive, image));
  archive.observe('layers-disagree', oci.at, {
    image: oci.config?.document?.digest ?? oci.at.path,
    manifestJson: docker.layers.map(layer => layer.ref),
    indexJson: oci.layers.map(layer => layer.ref),
    right: manifestJson === indexJson ? null : manifestJson ? 'manifest.json' : 'index.json',
  });
}

function isSubsequence(few: readonly unknown[], many: readonly unknown[]): boolean {
  let at = 0;
  for (const item of many) if (at < few.length && few[at] === item) at++;
  return at === few.length;
}

/**
 * Whether an image's layers have, in order, the diff_ids of its config. Of a layer that was not read, its blob's name
 * is compared.
 */
function hasDiffIds({ scan }: ScannedArchive, { config, layers }: Image): boolean {
  const diffIds = config?.parsed?.diffIds ?? [];
  const isClaimed = ({ member }: Layer, i: number) => {
    const claim = diffIds[i];
    if (member === null || claim === undefined) return false;
    const digests = scan.facts(member)?.unpacked?.digests ?? null;
    return (digests === null ? digestOfBlobPath(member.path) : sameAlgorithm(digests, claim)) === claim;
  };
  return layers.length === diffIds.length && layers.every(isClaimed);
}

/** Compares full names. Where containerd's annotation is absent, the specification's may be a tag alone. */
function observeNames(archive: ScannedArchive, docker: Image, oci: Image): void {
  const entries = oci.manifest?.descriptors.map(({ descriptor }) => descriptor) ?? [];
  if (entries.length === 0 || !entries.every(hasContainerdName)) return;
  const full = entries.flatMap(entry => entryNames(entry).names);
  const [here, there] = [docker.names, full].map(names => new Set(names.map(normalName)));
  const onlyManifestJson = [...here!].filter(name => !there!.has(name));
  const onlyIndexJson = [...there!].filter(name => !here!.has(name));
  if (onlyManifestJson.length === 0 && onlyIndexJson.length === 0) return;
  archive.observe('names-disagree', docker.at, { onlyManifestJson, onlyIndexJson });
}

function bug(archive: ScannedArchive, image: Image, id: string, producer: string, detail: string): void {
  archive.observe('producer-bug', image.at, { bug: id, producer, detail });
}

const idOf = (image: Image): string => image.config?.document?.digest ?? image.at.path;

/**
 * Names that manifest.json gives to one image and index.json to another. Hazard: for such a name, engines that read one
 * of the files run another image than those that read the other.
 */
function dividedNames(
  docker: readonly Image[],
  oci: readonly Image[],
  byConfig: ReadonlyMap<unknown, readonly Image[]>,
): { readonly name: string; readonly images: string[] }[] {
  const named = new Map<string, Set<Image>>();
  for (const image of oci)
    for (const name of image.names.map(normalName))
      named.set(name, (named.get(name) ?? new Set()).add(image));
  const divided = new Map<string, { readonly name: string; readonly images: string[] }>();
  for (const image of docker) {
    const twins = twinsOf(image, byConfig);
    for (const name of image.names) {
      const key = normalName(name);
      const others = named.get(key);
      if (others === undefined || divided.has(key) || twins.some(twin => others.has(twin))) continue;
      divided.set(key, { name, images: [image, ...others].map(idOf) });
    }
  }
  return [...divided.values()];
}

/** @returns whether an error was reported */
function observeDisagreement(
  archive: ScannedArchive,
  onlyDocker: readonly Image[],
  oci: readonly Image[],
  merged: ReadonlyMap<Image, Image>,
  isDivided: boolean,
): boolean {
  const alone = oci.filter(image => !merged.has(image));
  // manifest.json can name only one platform of an index: the other platforms are no disagreement.
  const parents = new Set([...merged.keys()].flatMap(image => image.indexDigests));
  const strangers = alone.filter(image => !image.indexDigests.some(digest => parents.has(digest)));
  if (onlyDocker.length === 0 && strangers.length === 0) return false;
  if (strangers.length === 0 && onlyDocker.every(image => image.names.length === 0)) {
    for (const image of onlyDocker) {
      bug(
        archive,
        image,
        'untagged-image-missing-from-index',
        'docker 25.0.0 to 25.0.2 (all but the first untagged image: later too)',
        'manifest.json lists an untagged image that index.json does not',
      );
    }
    return false;
  }
  archive.observe(
    'views-disagree',
    { path: archive.path('manifest.json'), pointer: null },
    { onlyManifestJson: onlyDocker.map(idOf), onlyIndexJson: strangers.map(idOf) },
    isDivided ? 'error' : undefined,
  );
  return isDivided;
}
