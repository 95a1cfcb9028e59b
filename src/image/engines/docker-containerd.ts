import { posix } from 'node:path';
import type { Document } from '../../scan/document.js';
import type { Member } from '../../source/source.js';
import { isObject } from '../../spec/json.js';
import {
  attempt,
  cannotTell,
  entryKey,
  itemKey,
  LISTED_ONLY,
  LISTS_NONE,
  type LoadedImage,
  type Outcome,
  refuse,
  taken,
  type Verdict,
  within,
} from './answer.js';
import { diffIdsOf } from './docker-config.js';
import { readEntries, storedImages } from './docker-containerd-index.js';
import { BUILT_WITH } from './go-faults.js';
import { decode, decodeObject, type Item, manifestItems, textField } from './go-json.js';
import { IMAGE_LAYOUT, PLATFORM } from './go-structs.js';
import { CONTAINERD_ITEMS } from './go-structs-docker.js';
import { dockerReference } from './names.js';
import { containerdManifest, manifestDigest, type StoredBlob, type StoredLayer } from './synthesise.js';
import { clean, layerFacts, sparseWords, storedBlob, type TarFile } from './tar-file.js';

interface Imported {
  readonly layout: string;
  readonly items: readonly Item[] | null;
  readonly blobs: ReadonlyMap<string, Member>;
  readonly links: ReadonlyMap<string, string>;
}

/**
 * `docker load` into the containerd store: takes the file in one pass, then follows index.json where there is an
 * oci-layout, and else makes up manifests for manifest.json. The ID is the digest of index.json's entry, an index or a
 * manifest, or of the manifest made up. containerd core/images/archive/importer.go
 */
export function dockerContainerd(file: TarFile): Outcome {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  let passed = 'loads another image: only those that index.json lists';
  const refusal = attempt(() => {
    const imported = importTar(file);
    const { layout, items, blobs } = imported;
    if (layout !== '') {
      if (layout !== '1.0.0') refuse(`unsupported OCI version ${layout}`);
      const index = blobs.get('index.json') ?? refuse('missing index.json in OCI layout 1.0.0');
      for (const { digest, note } of readEntries(file, index))
        verdicts.set(entryKey(digest), taken(digest, note));
      for (const image of storedImages(file, index)) loads.push(image);
      return;
    }
    passed = items?.length === 0 ? LISTS_NONE : LISTED_ONLY;
    if (items === null) return refuse(sparseAt(file, 'manifest.json') ?? 'unrecognized image format');
    followLinks(imported);
    const made = items.map(item => importItem(file, imported, item));
    if (made.length === 0) refuse('image might be filtered out');
    for (const [i, { verdict, image }] of made.entries()) {
      verdicts.set(itemKey(i), verdict);
      loads.push(image);
    }
  });
  // It stores nothing under a name before it has been through everything.
  if (refusal !== null) return { verdicts: new Map(), loads: [], refusal, passed: refusal };
  return { verdicts, loads, refusal, passed };
}

function importTar(file: TarFile): Imported {
  const blobs = new Map<string, Member>();
  const links = new Map<string, string>();
  let layout = '';
  let items: readonly Item[] | null = null;
  for (const member of file.members) {
    const { name, type } = member;
    if (type === 'symlink') links.set(name, linkTarget(name, member.target ?? ''));
    // What is of a type of its own is passed over, though Go has its content.
    if (type !== 'file' || member.flag !== undefined) continue;
    const path = clean(name);
    if (path === 'oci-layout') {
      layout = within(
        words => `untar oci layout "${name}": ${words}`,
        () => layoutVersion(file.scan.document(member)),
      );
    } else if (path === 'manifest.json') {
      items = within(
        words => `untar manifest "${name}": ${words}`,
        () => manifestItems(file.scan.document(member), 'first', CONTAINERD_ITEMS, BUILT_WITH.docker),
      );
    } else {
      if (file.cut?.member === member) {
        const { expected, actual } = file.cut;
        const short = `short read: expected ${expected} bytes but got ${actual}: unexpected EOF`;
        refuse(`failed to ingest "${name}": ${short}`);
      }
      blobs.set(path, member);
    }
  }
  if (file.error !== null) refuse(file.error);
  return { layout, items, blobs: follow(blobs, links), links };
}

const linkTarget = (name: string, target: string) =>
  posix.join(posix.dirname(name), target.replace(/^\/+/, ''));

const layoutVersion = (document: Document): string =>
  textField(decodeObject(document, 'first', IMAGE_LAYOUT, BUILT_WITH.docker), 'imageLayoutVersion');

/** Blobs by the names of symbolic links too. With links to links, what containerd does hangs on a map's order. */
function follow(blobs: ReadonlyMap<string, Member>, links: ReadonlyMap<string, string>): Map<string, Member> {
  const all = new Map(blobs);
  for (const [name] of links) {
    let target = name;
    for (let hop = 0; hop < 16 && links.has(target) && !(hop > 0 && blobs.has(target)); hop++) {
      target = links.get(target)!;
    }
    const blob = blobs.get(target);
    if (blob !== undefined) all.set(name, blob);
  }
  return all;
}

/** Every symbolic link has to lead to a file, also one that no layer is. */
function followLinks({ blobs, links }: Imported): void {
  for (const [name, target] of links) {
    if (!blobs.has(target)) refuse(`no target for symlink layer from "${name}" to "${target}"`);
  }
}

const EMPTY_STORE =
  'the ID assumes an empty store: where containerd already holds a layer compressed, it names that one';

interface ImportedItem {
  readonly verdict: Verdict;
  readonly image: LoadedImage;
}

function importItem(file: TarFile, { blobs }: Imported, item: Item): ImportedItem {
  const at = (path: string, missing: string) => blobs.get(path) ?? refuse(sparseAt(file, path) ?? missing);
  const config = at(item.config, `image config "${item.config}" not found`);
  const layers = item.layers.map(path => at(path, `failed to resolve layers: layer "${path}" not found`));
  const document = file.scan.document(config);
  within(
    words => `unable to resolve platform: ${words}`,
    () => decode(document, 'whole', PLATFORM, BUILT_WITH.docker),
  );
  const { value } = document;
  const diffIds = isObject(value) ? diffIdsOf(value, layers.length) : [];
  const stored = layers.map((layer, i): StoredLayer => {
    const packed = ['gzip', 'zstd'].includes(layerFacts(file, layer).compression);
    return { ...blobOf(file, layer, diffIds[i]), packed };
  });
  const manifest = containerdManifest(blobOf(file, config), stored);
  for (const tag of item.tags) {
    within(
      words => `normalize image ref "${tag}": ${words}`,
      () => dockerReference(tag),
    );
  }
  const note = stored.some(layer => !layer.packed) ? EMPTY_STORE : null;
  return { verdict: taken(manifestDigest(manifest), note), image: { config, layers } };
}

/** Of GNU's sparse files containerd takes those that PAX records make of a regular one. */
function sparseAt({ members, sparse }: TarFile, path: string): string | null {
  const isTaken = sparse.has(path) && members.some(one => one.path === path && one.flag === undefined);
  return isTaken ? cannotTell(sparseWords(path)) : null;
}

const blobOf = (file: TarFile, member: Member, claimedDiffId?: string): StoredBlob =>
  storedBlob(file, member, claimedDiffId) ?? cannotTell(`${member.path} was not read`);
