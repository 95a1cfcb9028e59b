import type { Document } from '../../scan/document.js';
import type { Member } from '../../source/source.js';
import { isObject, type JsonObject } from '../../spec/json.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST } from '../../spec/media-types.js';
import {
  attempt,
  cannotTell,
  type Delivery,
  itemKey,
  LISTED_ONLY,
  type LoadedImage,
  type Outcome,
  refuse,
  taken,
  type Verdict,
  within,
} from './answer.js';
import { craneLayout } from './crane-layout.js';
import { diffIdsOf } from './docker-config.js';
import { BUILT_WITH } from './go-faults.js';
import { decode, decodeObject, goJson, type Item, manifestItems, objectField } from './go-json.js';
import { CRANE_CONFIG, CRANE_ITEMS } from './go-structs-crane.js';
import { manifestDigest, type StoredBlob } from './synthesise.js';
import { checkKnown, followed, storedBlob, type TarFile } from './tar-file.js';

/**
 * `crane digest --tarball FILE` and `crane push FILE`: a tarball with one image, whose members are found by their exact names,
 * the first of a name; a directory is an OCI layout instead. go-containerregistry pkg/v1/tarball/image.go
 */
export function crane(file: TarFile, delivery: Delivery | null): Outcome {
  if (delivery?.container === 'directory') return craneLayout(file);
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const refusal = attempt(() => {
    const tarball = within(
      words => `loading image from "FILE": ${words}`,
      () => open(file, delivery),
    );
    verdicts.set(
      itemKey(0),
      within(
        words => `computing digest: ${words}`,
        () => digestOf(file, tarball, loads),
      ),
    );
  });
  return { verdicts, loads, refusal, passed: refusal ?? LISTED_ONLY };
}

interface Tarball {
  readonly find: Find;
  readonly item: Item;
  readonly sources: JsonObject;
  readonly config: Member;
  /** Whether a layer is packed: then all are taken as they are, and else packed anew. */
  readonly packed: boolean;
}

function open(file: TarFile, delivery: Delivery | null): Tarball {
  // It unpacks nothing: what is no tar has no header of one.
  const isZip = delivery?.container === 'zip' && delivery.inside === null;
  if (isZip || (delivery !== null && delivery.compression !== 'none'))
    refuse('archive/tar: invalid tar header');
  const find = finder(file);
  const member = find('manifest.json');
  const items = manifestItems(document(file, member), 'first', CRANE_ITEMS, BUILT_WITH.crane);
  if (items === null) return refuse('no valid manifest.json in tarball');
  const [item] = items;
  if (item === undefined || items.length > 1) {
    return refuse('tarball must contain only a single image to be used with tarball.Image');
  }
  const value = decode(document(file, member), 'first', CRANE_ITEMS, BUILT_WITH.crane);
  const raw = Array.isArray(value) && isObject(value[0]) ? value[0] : {};
  const config = find(item.config);
  const packed = item.layers.some(path => {
    const { compression, skippable } = file.scan.head(find(path));
    return compression === 'gzip' || (compression === 'zstd' && !skippable);
  });
  return { find, item, sources: objectField(raw, 'LayerSources'), config, packed };
}

const LINKS = 16;

type Find = (path: string) => Member;

/** A link, symbolic or hard, is looked up beside itself, and the name that comes of it again from the start. */
function finder(file: TarFile): Find {
  const first = new Map<string, Member>();
  for (const member of file.members) if (!first.has(member.name)) first.set(member.name, member);
  return path => {
    let name = path;
    for (let hops = 0; hops <= LINKS; hops++) {
      const member = first.get(name);
      checkKnown(file, member?.path ?? name);
      if (member === undefined) return refuse(file.error ?? `file ${name} not found in tar`);
      if (member.type === 'file') return member;
      if (member.type !== 'symlink' && member.type !== 'hardlink') cannotTell(`${name} is no file`);
      name = followed(name, member.target ?? '');
    }
    return cannotTell(`${path} is a link to a link, on and on`);
  };
}

function document(file: TarFile, member: Member): Document {
  if (file.cut?.member === member) refuse('unexpected EOF');
  return file.scan.document(member);
}

const OWN_GZIP =
  'the config: crane packs plain layers with a gzip of its own, on which the digest hangs that it prints';

function digestOf(
  file: TarFile,
  { find, item, sources, config, packed }: Tarball,
  loads: LoadedImage[],
): Verdict {
  const value = decodeObject(document(file, config), 'first', CRANE_CONFIG, BUILT_WITH.crane);
  const diffIds = diffIdsOf(value);
  const { layers } = item;
  const [asked, given] = packed ? [layers.length, diffIds.length] : [diffIds.length, layers.length];
  if (asked > given) {
    refuse(`panic: runtime error: index out of range [${given}] with length ${given}`);
  }
  // Plain layers are asked for by their diff_ids: of two that are the same it takes the first.
  const firstOf = new Map(diffIds.map((diffId, i) => [diffId, i] as const).toReversed());
  const paths = packed ? layers : diffIds.map(diffId => layers[firstOf.get(diffId)!]!);
  const members = paths.map(path => find(path));
  const blob = stored(file, config);
  loads.push({ config, layers: members });
  if (members.some(member => file.cut?.member === member)) refuse('unexpected EOF');
  if (!packed && members.length > 0) return taken(blob.digest, OWN_GZIP);
  const listed = members.map((member, i) => sources[diffIds[i]!] ?? descriptor(LAYER, stored(file, member)));
  const manifest = {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: descriptor(DOCKER_CONFIG, blob),
    layers: listed.map(layer => (isObject(layer) ? inOrder(layer) : layer)),
  };
  return taken(manifestDigest(goJson(manifest)));
}

const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

const descriptor = (mediaType: string, { digest, size }: StoredBlob): JsonObject => ({
  mediaType,
  size,
  digest,
});

/** A descriptor as its struct is written: what is empty is left out, but for the first three. */
function inOrder(source: JsonObject): JsonObject {
  const { mediaType = '', size = 0, digest = ':' } = source;
  const more = ['data', 'urls', 'annotations', 'platform', 'artifactType'].flatMap(key => {
    const value = source[key] ?? null;
    const isEmpty = value === null || (typeof value !== 'number' && Object.keys(value).length === 0);
    return isEmpty ? [] : [[key, value] as const];
  });
  return { mediaType, size, digest, ...Object.fromEntries(more) };
}

function stored(file: TarFile, member: Member): StoredBlob {
  if (file.cut?.member === member) refuse('unexpected EOF');
  return storedBlob(file, member) ?? cannotTell(`${member.path} was not read`);
}
