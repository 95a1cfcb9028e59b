import type { Member } from '../containers/source.js';
import {
  decode,
  decodeObject,
  field,
  goJson,
  type Item,
  listField,
  manifestItems,
  objectField,
  textField,
} from '../decoding/go-json.js';
import { attempt, cannotTell, refuse, stopWith } from '../decoding/refused.js';
import {
  MOBY_IMAGE,
  MOBY_ITEMS,
  MOBY_LEGACY,
  MOBY_REPOSITORIES,
  MOBY_V1_IMAGE,
} from '../decoding/structs.js';
import { dockerUnpacks } from '../filesystem/unloadable.js';
import { BUILT_WITH } from '../go/json/faults.js';
import { ExtractedDirectory } from '../scan/extraction.js';
import { chainIds, digestOf } from '../spec/digest.js';
import { isObject, type Json, type JsonObject } from '../spec/json.js';
import { engineConfig } from './docker-archive.js';
import { dockerReference } from './names.js';
import {
  checkDiffId,
  checkDuplicates,
  extracted,
  holds,
  layerFacts,
  open,
  storedBlob,
  type TarFile,
  type Tree,
} from './tar-file.js';
import { Unpacking } from './unpack.js';
import {
  ALL_OF_MANIFEST_JSON,
  accepted,
  type Delivery,
  type EngineNote,
  type EngineRun,
  itemKey,
  type LoadedImage,
  storedAllTheSame,
  type Verdict,
  v1Key,
} from './verdict.js';

/** Layers that the classic store stacks, at most. moby layer/layer_store.go */
const MAX_DEPTH = 125;

interface Loaded {
  readonly id: string;
  /** Empty for a base. */
  readonly parent: string;
  readonly layer: Member;
  readonly diffIds: readonly string[];
  readonly history: readonly JsonObject[];
}

/**
 * An archive from before Docker 1.10: every folder at the top is an image, loaded in the order of their names, parents
 * first. Docker writes the config itself, and its digest is the ID. moby image/tarexport/load.go (legacyLoad),
 * image/v1/imagev1.go (MakeConfigFromV1Config)
 */
function loadV1(file: TarFile, tree: Tree, verdicts: Map<string, Verdict>, loads: LoadedImage[]): void {
  const loaded = new Map<string, Loaded>();
  const folders = [...tree.root.children].filter(([, child]) => child instanceof ExtractedDirectory);
  for (const folder of folders.map(([name]) => name).sort()) {
    for (const id of chainOf(file, tree, folder, loaded)) {
      const made = loadFolder(file, tree, id, loaded);
      loaded.set(id, made);
      verdicts.set(v1Key(id), accepted(made.id));
    }
  }
  for (const image of topsOf(loaded)) loads.push(image);
  const badNames = attempt(() => checkNames(file, tree, loaded));
  if (badNames === null) return;
  for (const [id, { id: stored }] of loaded) verdicts.set(v1Key(id), storedAllTheSame(stored, badNames));
  stopWith(badNames);
}

/** The images that are no other's parent. */
function topsOf(loaded: ReadonlyMap<string, Loaded>): LoadedImage[] {
  const parents = new Set([...loaded.values()].map(({ parent }) => parent));
  return [...loaded].flatMap(([id, top]) => {
    if (parents.has(id)) return [];
    const layers: Member[] = [];
    for (let at: Loaded | undefined = top; at !== undefined; at = loaded.get(at.parent))
      layers.push(at.layer);
    return [{ config: null, layers: layers.reverse() }];
  });
}

function checkNames(file: TarFile, tree: Tree, loaded: ReadonlyMap<string, Loaded>): void {
  const document = file.scan.document(open(tree, 'repositories'));
  const repositories = decode(document, 'first', MOBY_REPOSITORIES, BUILT_WITH.docker);
  for (const tags of Object.values(isObject(repositories) ? repositories : {})) {
    for (const id of Object.values(isObject(tags) ? tags : {})) {
      if (!loaded.has(String(id))) refuse(`invalid target ID: ${String(id)}`);
    }
  }
}

/** A folder and the parents that are still to be loaded before it, base first. */
function chainOf(file: TarFile, tree: Tree, folder: string, loaded: ReadonlyMap<string, Loaded>): string[] {
  const chain = new Set<string>();
  for (let id = folder; id !== '' && !loaded.has(id); id = textField(readJson(file, tree, id), 'parent')) {
    if (chain.has(id)) cannotTell({ code: 'parent-cycle', folder });
    chain.add(id);
  }
  return [...chain].reverse();
}

/** The document of a folder as it stands: what Docker does not know goes into the config that it writes. */
function readJson(file: TarFile, tree: Tree, folder: string): JsonObject {
  const document = file.scan.document(open(tree, `${folder}/json`));
  decode(document, 'whole', MOBY_LEGACY, BUILT_WITH.docker);
  return isObject(document.value) ? document.value : {};
}

function loadFolder(file: TarFile, tree: Tree, id: string, loaded: ReadonlyMap<string, Loaded>): Loaded {
  const json = readJson(file, tree, id);
  const os = textField(json, 'os') || 'linux';
  if (os.toLowerCase() !== 'linux') refuse(`cannot load ${os} image on linux`);
  const layer = open(tree, `${id}/layer.tar`);
  const { packError, lateError, tarError, diffId } = layerFacts(file, layer);
  if (packError !== null && !lateError) refuse(packError);
  if (tarError !== null) refuse(tarError);
  const parentId = textField(json, 'parent');
  const parent = loaded.get(parentId);
  if ((parent?.diffIds.length ?? 0) >= MAX_DEPTH) refuse('max depth exceeded');
  unpackOn(file, parentId, layer, loaded);
  const diffIds = [
    ...(parent?.diffIds ?? []),
    diffId ?? cannotTell({ code: 'not-read', path: `${id}/layer.tar` }),
  ];
  const document = file.scan.document(open(tree, `${id}/json`));
  const image = decodeObject(document, 'whole', MOBY_V1_IMAGE, BUILT_WITH.docker);
  if (document.oddities.numbers.size > 0) cannotTell({ code: 'number-form', path: document.path });
  const history = [...(parent?.history ?? []), historyOf(image)];
  const made = digestOf(configFrom(json, diffIds, history));
  return { id: made, parent: parentId, layer, diffIds, history };
}

/** Unpacks a layer on its parents. */
function unpackOn(file: TarFile, parentId: string, layer: Member, loaded: ReadonlyMap<string, Loaded>): void {
  const below: Member[] = [];
  for (let one = loaded.get(parentId); one !== undefined; one = loaded.get(one.parent))
    below.unshift(one.layer);
  const unpacking = new Unpacking(file.scan, dockerUnpacks);
  for (const member of below) unpacking.next(member);
  unpacking.next(layer)();
}

/** Empty fields are left out. */
function historyOf(json: JsonObject): JsonObject {
  const command = listField(objectField(json, 'container_config'), 'Cmd').join(' ');
  const entry = {
    created: textField(json, 'created'),
    created_by: command,
    author: textField(json, 'author'),
    comment: textField(json, 'comment'),
  };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== ''));
}

const DROPPED = ['id', 'parent', 'Size', 'parent_id', 'layer_id', 'throwaway'];
const KEPT = ['comment', 'container', 'docker_version', 'author', 'architecture', 'variant', 'os'];

function configFrom(json: JsonObject, diffIds: string[], history: JsonObject[]): string {
  const rest = isRewritten(textField(json, 'docker_version'))
    ? rewritten(json)
    : Object.fromEntries(Object.entries(json).filter(([key]) => !DROPPED.includes(key)));
  return goJson(sorted({ ...rest, rootfs: { type: 'layers', diff_ids: diffIds }, history }));
}

const sorted = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * The JSON of Docker before 1.8.3 is decoded into the current struct, which adds its empty fields; later JSON is kept
 * as it is.
 */
function isRewritten(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version
    .split('-')[0]!
    .split('.')
    .map(part => Number(part) || 0);
  return major < 1 || (major === 1 && (minor < 8 || (minor === 8 && patch < 3)));
}

function rewritten(json: JsonObject): JsonObject {
  const kept = KEPT.map(key => [key, textField(json, key)] as const).filter(([, text]) => text !== '');
  const config = field(json, 'config') ?? null;
  return {
    created: field(json, 'created') ?? null,
    container_config: runConfig(objectField(json, 'container_config')),
    ...Object.fromEntries(kept),
    ...(isObject(config) && { config: runConfig(config) }),
  };
}

/** moby's container.Config: its fields in their order, what each is when empty, and `?` where it is then left out. */
const RUN_CONFIG: readonly (readonly [field: string, empty: Json])[] = [
  ...['Hostname', 'Domainname', 'User'].map(key => [key, ''] as const),
  ...['AttachStdin', 'AttachStdout', 'AttachStderr'].map(key => [key, false] as const),
  ['ExposedPorts?', null],
  ...['Tty', 'OpenStdin', 'StdinOnce'].map(key => [key, false] as const),
  ...['Env', 'Cmd', 'Healthcheck?', 'ArgsEscaped?'].map(key => [key, null] as const),
  ['Image', ''],
  ['Volumes', null],
  ['WorkingDir', ''],
  ...['Entrypoint', 'NetworkDisabled?', 'MacAddress?', 'OnBuild', 'Labels'].map(key => [key, null] as const),
  ...['StopSignal?', 'StopTimeout?', 'Shell?'].map(key => [key, null] as const),
];

function runConfig(config: JsonObject): JsonObject {
  const fields = RUN_CONFIG.flatMap(([name, empty]): [string, Json][] => {
    const key = name.replace('?', '');
    const value = field(config, key) ?? empty;
    if (key !== name && isEmpty(value)) return [];
    if (isObject(value)) return [[key, sorted(value)]];
    return [[key, typeof value === 'string' && /^(Cmd|Entrypoint)$/.test(key) ? [value] : value]];
  });
  return Object.fromEntries(fields);
}

const isEmpty = (value: Json) =>
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

/** The first release that loads no archive from before manifest.json. */
const NO_V1 = 29;

/**
 * `docker load` into the classic store: unpacks the file to a folder, and follows manifest.json in it; without one it
 * takes the file for an archive from before Docker 1.10, which since Docker 29 it refuses. The ID is the config's
 * digest. moby image/tarexport/load.go
 */
export function dockerClassic(file: TarFile, delivery: Delivery | null): EngineRun {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  let loadsInstead = ALL_OF_MANIFEST_JSON;
  const stop = attempt(() => {
    if (file.error !== null) refuse(file.error);
    const tree = extracted(file, true);
    if (!holds(tree, 'manifest.json')) {
      if (delivery !== null && delivery.docker >= NO_V1)
        return refuse('invalid archive: does not contain a manifest.json');
      loadsInstead = { code: 'v1-folders' };
      loadV1(file, tree, verdicts, loads);
      return;
    }
    const document = file.scan.document(open(tree, 'manifest.json'));
    const items = manifestItems(document, 'first', MOBY_ITEMS, BUILT_WITH.docker);
    if (items === null) return refuse('invalid manifest, manifest cannot be null (but can be [])');
    if (items.length === 0) loadsInstead = { code: 'empty-list' };
    const stored: Stored = { layers: new Map(), images: loads };
    for (const [i, item] of items.entries())
      loadItem(file, tree, item, stored, v => verdicts.set(itemKey(i), v));
  });
  return { verdicts, loads, stop, loadsInstead };
}

/** The content of the store so far: layers by their chain IDs, and images. */
interface Stored {
  readonly layers: Map<string, Member>;
  readonly images: LoadedImage[];
}

function loadItem(
  file: TarFile,
  tree: Tree,
  item: Item,
  stored: Stored,
  tell: (verdict: Verdict) => void,
): void {
  const member = open(tree, item.config);
  const document = file.scan.document(member);
  const config = engineConfig(decodeObject(document, 'whole', MOBY_IMAGE, BUILT_WITH.docker));
  const { diffIds, os, layerSteps } = config;
  if (diffIds === null) {
    refuse('invalid image JSON, no RootFS key');
    return;
  }
  if (os.toLowerCase() !== 'linux') refuse(`cannot load ${os} image on linux`);
  const wanted = item.layers.length;
  if (wanted !== diffIds.length) {
    refuse(`invalid manifest, layers length mismatch: expected ${wanted}, got ${diffIds.length}`);
  }
  const notes = checkLayers(file, tree, item, diffIds, stored);
  if (layerSteps > diffIds.length) refuse('too many non-empty layers in History section');
  const id = storedBlob(file, member)?.digest ?? cannotTell({ code: 'not-read', path: member.path });
  stored.images.push({ config: member, layers: chainIds(diffIds).map(id => stored.layers.get(id)!) });
  const badName = attempt(() => item.tags.forEach(checkName));
  if (badName === null) {
    tell(accepted(id, ...notes));
    return;
  }
  tell(storedAllTheSame(id, badName));
  stopWith(badName);
}

/** @returns notes on the layers that it takes */
function checkLayers(
  file: TarFile,
  tree: Tree,
  item: Item,
  diffIds: readonly string[],
  stored: Stored,
): readonly EngineNote[] {
  const unpacking = new Unpacking(file.scan, dockerUnpacks);
  for (const [i, chainId] of chainIds(diffIds).entries()) {
    if (i >= MAX_DEPTH) refuse('max depth exceeded');
    // A chain that is in the store already is not read again.
    const known = stored.layers.get(chainId);
    const member = known ?? open(tree, item.layers[i]!);
    const unpack = unpacking.next(member);
    if (known === undefined) checkLayer(file, member, i, diffIds[i]!, unpack);
    stored.layers.set(chainId, member);
  }
  return unpacking.notes;
}

function checkName(text: string): void {
  if (dockerReference(text).tag === null) refuse(`invalid tag "${text}"`);
}

function checkLayer(file: TarFile, member: Member, index: number, diffId: string, unpack: () => void): void {
  const facts = layerFacts(file, member);
  // Docker stops reading at the tar's end, before a checksum behind it can be wrong.
  if (facts.packError !== null && !facts.lateError) refuse(facts.packError);
  if (facts.tarError !== null) refuse(facts.tarError);
  unpack();
  checkDuplicates(file, member);
  const words = (actual: string) =>
    `invalid diffID for layer ${index}: expected "${diffId}", got "${actual}"`;
  checkDiffId(file, member, facts, diffId, words);
}
