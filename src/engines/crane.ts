import type { Member } from '../containers/source.js';
import {
  decode,
  decodeObject,
  goJson,
  type Item,
  listField,
  manifestItems,
  objectField,
  textField,
} from '../decoding/go-json.js';
import { attempt, cannotTell, panic, refuse, within } from '../decoding/refused.js';
import { CRANE_CONFIG, CRANE_INDEX, CRANE_ITEMS, CRANE_MANIFEST } from '../decoding/structs.js';
import { BUILT_WITH } from '../go/json/faults.js';
import type { Document } from '../scan/blob/document.js';
import { isObject, type JsonObject } from '../spec/json.js';
import { DOCKER_CONFIG, DOCKER_MANIFEST, isConfigType, isIndexType } from '../spec/media-types.js';
import { diffIdsOf } from './docker-archive.js';
import { manifestDigest, type StoredBlob } from './synthesise.js';
import {
  checkKnown,
  extracted,
  followed,
  memberAt,
  storedBlob,
  type TarFile,
  type Tree,
} from './tar-file.js';
import {
  ALL_OF_MANIFEST_JSON,
  accepted,
  type Delivery,
  type EngineRun,
  entryKey,
  IMAGE_TYPES,
  itemKey,
  type LoadedImage,
  type Verdict,
} from './verdict.js';

interface Folder {
  readonly file: TarFile;
  readonly tree: Tree;
}

/**
 * `crane push DIR`: an OCI layout whose index.json lists one image, or one index, which is pushed with all that it
 * lists. go-containerregistry pkg/v1/layout, cmd/crane/cmd/push.go
 */
export function craneLayout(file: TarFile): EngineRun {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const stop = attempt(() => {
    const folder = { file, tree: extracted(file, false) };
    const index = at(folder, 'index.json');
    if (index === null) {
      return refuse('loading DIR as OCI layout: stat DIR/index.json: no such file or directory');
    }
    // It reads the file twice, and stops once after the value.
    decodeObject(file.scan.document(index), 'first', CRANE_INDEX, BUILT_WITH.crane);
    const entries = listField(read(folder, index, CRANE_INDEX), 'manifests').filter(isObject);
    if (entries.length !== 1) refuse(`layout contains ${entries.length} entries, consider --index`);
    const [entry] = entries as [JsonObject];
    const type = textField(entry, 'mediaType');
    if (!IMAGE_TYPES.has(type) && !isIndexType(type)) {
      refuse(`layout contains non-image (mediaType: "${type}"), consider --index`);
    }
    push(folder, entry, loads);
    const digest = textField(entry, 'digest');
    const actual =
      storedBlob(file, blob(folder, digest))?.digest ?? cannotTell({ code: 'manifest-not-read' });
    verdicts.set(entryKey(digest), accepted(actual));
  });
  return { verdicts, loads, stop, loadsInstead: { code: 'only-listed' } };
}

/** An index and what it lists are pushed, children first; what is listed under any other type is a blob. */
function push(folder: Folder, entry: JsonObject, loads: LoadedImage[]): void {
  const todo = [entry];
  const seen = new Set<string>();
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [digest, type] = [textField(next, 'digest'), textField(next, 'mediaType')];
    if (seen.has(`${type} ${digest}`)) continue;
    seen.add(`${type} ${digest}`);
    const member = blob(folder, digest);
    if (isIndexType(type))
      todo.push(...listField(read(folder, member, CRANE_INDEX), 'manifests').filter(isObject));
    else if (IMAGE_TYPES.has(type)) {
      const manifest = read(folder, member, CRANE_MANIFEST);
      const described = objectField(manifest, 'config');
      const config = blob(folder, textField(described, 'digest'));
      // It pushes artifacts too.
      if (!isConfigType(textField(described, 'mediaType'))) continue;
      const layers = listField(manifest, 'layers').filter(isObject);
      loads.push({ config, layers: layers.map(layer => blob(folder, textField(layer, 'digest'))) });
    }
  }
}

const read = ({ file }: Folder, member: Member, type: typeof CRANE_INDEX): JsonObject =>
  decodeObject(file.scan.document(member), 'whole', type, BUILT_WITH.crane);

const at = ({ file, tree }: Folder, path: string): Member | null => memberAt(file, tree, path);

function blob(folder: Folder, digest: string): Member {
  const path = `blobs/${digest.replace(':', '/')}`;
  return at(folder, path) ?? refuse(`open DIR/${path}: no such file or directory`);
}

/**
 * `crane digest --tarball FILE` and `crane push FILE`: a tarball with one image, whose members are found by their exact
 * names, the first of a name; a directory is an OCI layout instead. go-containerregistry pkg/v1/tarball/image.go
 */
export function crane(file: TarFile, delivery: Delivery | null): EngineRun {
  if (delivery?.container === 'directory') return craneLayout(file);
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const stop = attempt(() => {
    const tarball = within(
      message => `loading image from "FILE": ${message}`,
      () => open(file, delivery),
    );
    verdicts.set(
      itemKey(0),
      within(
        message => `computing digest: ${message}`,
        () => digestOf(file, tarball, loads),
      ),
    );
  });
  return { verdicts, loads, stop, loadsInstead: ALL_OF_MANIFEST_JSON };
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
  const fields = Array.isArray(value) && isObject(value[0]) ? value[0] : {};
  const config = find(item.config);
  const packed = item.layers.some(path => {
    const { compression, skippable } = file.scan.head(find(path));
    return compression === 'gzip' || (compression === 'zstd' && !skippable);
  });
  return { find, item, sources: objectField(fields, 'LayerSources'), config, packed };
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
      if (member.type !== 'symlink' && member.type !== 'hardlink')
        cannotTell({ code: 'not-a-file', path: name });
      name = followed(name, member.target ?? '');
    }
    return cannotTell({ code: 'link-chain', path });
  };
}

function document(file: TarFile, member: Member): Document {
  if (file.cut?.member === member) refuse('unexpected EOF');
  return file.scan.document(member);
}

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
    panic(`runtime error: index out of range [${given}] with length ${given}`);
  }
  // Plain layers are asked for by their diff_ids: of two that are the same it takes the first.
  const firstOf = new Map(diffIds.map((diffId, i) => [diffId, i] as const).toReversed());
  const paths = packed ? layers : diffIds.map(diffId => layers[firstOf.get(diffId)!]!);
  const members = paths.map(path => find(path));
  const blob = stored(file, config);
  loads.push({ config, layers: members });
  if (members.some(member => file.cut?.member === member)) refuse('unexpected EOF');
  if (!packed && members.length > 0) return accepted(blob.digest, { code: 'packed-by-crane' });
  const listed = members.map((member, i) => sources[diffIds[i]!] ?? descriptor(LAYER, stored(file, member)));
  const manifest = {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: descriptor(DOCKER_CONFIG, blob),
    layers: listed.map(layer => (isObject(layer) ? inOrder(layer) : layer)),
  };
  return accepted(manifestDigest(goJson(manifest)));
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
  return storedBlob(file, member) ?? cannotTell({ code: 'not-read', path: member.path });
}
