import type { Compression } from '../codec/registry.js';
import type { Member } from '../containers/source.js';
import { digestError } from '../decoding/digest.js';
import { decodeObject, field, listField, objectField, textField } from '../decoding/go-json.js';
import { attempt, cannotTell, panic, refuse, within } from '../decoding/refused.js';
import { IMAGE_LAYOUT, OCI_IMAGE, OCI_INDEX_TYPE, OCI_MANIFEST_TYPE } from '../decoding/structs.js';
import { umociUnpacks } from '../filesystem/unloadable.js';
import { BUILT_WITH } from '../go/json/faults.js';
import type { GoStruct } from '../go/json/types.js';

import { digestOf } from '../spec/digest.js';
import { isObject, type Json, type JsonObject } from '../spec/json.js';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../spec/media-types.js';
import { diffIdsOf } from './docker-archive.js';
import {
  digestLike,
  extracted,
  type LayerFacts,
  layerFacts,
  memberAt,
  type TarFile,
  type Tree,
} from './tar-file.js';
import { Unpacking } from './unpack.js';
import {
  accepted,
  type EngineNote,
  type EngineRun,
  type LoadedImage,
  loadsInstead,
  manifestKey,
  type Verdict,
} from './verdict.js';

/** A layout as umoci opens it. */
interface UmociLayout {
  readonly file: TarFile;
  readonly tree: Tree;
}

/** A blob by its digest, of which only sha256 is known. */
function umociBlob({ file, tree }: UmociLayout, digest: string): Member {
  const wrong = (message: string) => refuse(`get blob: compute blob path: ${message}`);
  const error = digestError(digest);
  if (error !== null) wrong(`invalid digest: ${JSON.stringify(digest)}: ${error}`);
  const [algorithm, hex] = digest.split(':');
  if (algorithm !== 'sha256') wrong(`unsupported algorithm: ${JSON.stringify(algorithm)}`);
  const path = `blobs/sha256/${hex}`;
  return (
    memberAt(file, tree, path) ?? refuse(`get blob: open blob: open DIR/${path}: no such file or directory`)
  );
}

/**
 * A document by its descriptor, of which no more is read than the size that it claims. Fields that a document of its
 * kind has not are refused (CVE-2021-41190). oci/casext/blob.go, mediatype/parse.go
 */
function readDocument(
  layout: UmociLayout,
  descriptor: JsonObject,
  type: GoStruct,
  what: 'image' | 'manifest' | 'config',
  forbidden: readonly string[],
): JsonObject {
  const [digest, mediaType] = [textField(descriptor, 'digest'), textField(descriptor, 'mediaType')];
  const member = umociBlob(layout, digest);
  const document = layout.file.scan.document(member);
  const { bytes } = document;
  const size = Number(field(descriptor, 'size') ?? 0);
  if (bytes !== null && size >= 0 && size < bytes.length) {
    refuse(`parse ${mediaType}: ${mismatch(digest, digestOf(bytes.subarray(0, size)))}`);
  }
  const value = within(
    message => `parse ${mediaType}: ${message}`,
    () => {
      const read = decodeObject(document, 'first', type, BUILT_WITH.umoci);
      checkKind(read, document.value, mediaType, what, forbidden);
      return read;
    },
  );
  if (bytes === null || document.digest === null) return cannotTell({ code: 'not-read', path: member.path });
  if (size > bytes.length) {
    const lengths = `expected ${size} bytes but got ${bytes.length} bytes`;
    panic(`parsing "${mediaType}" blob succeeded but raw data has unexpected length (${lengths})`);
  }
  if (document.digest !== digest)
    refuse(
      `close "${mediaType}" blob: consume remaining unverified stream: ${mismatch(digest, document.digest)}`,
    );
  return value;
}

const mismatch = (expected: string, actual: string): string =>
  `expected ${expected} not ${actual}: verified reader digest mismatch`;

function checkKind(
  value: JsonObject,
  json: Json | undefined,
  mediaType: string,
  what: 'image' | 'manifest' | 'config',
  forbidden: readonly string[],
): void {
  if (what === 'config') return;
  const [label, noun] = what === 'image' ? ['image', 'index'] : ['manifest', 'manifest'];
  const own = textField(value, 'mediaType');
  const malicious = (content: string) => refuse(`malicious ${label} detected: ${noun} contained ${content}`);
  if (own !== '' && own !== mediaType) malicious(`incorrect mediaType: ${own}`);
  if (!isObject(json)) return;
  const odd = forbidden.find(key => field(json, key) !== undefined);
  if (odd !== undefined) malicious(`forbidden '${odd}' field`);
}

/**
 * Unpacks the layers of a manifest, each by what its media type says of its compression. oci/layer/unpack.go
 * @returns the layers
 */
function unpackLayers(layout: UmociLayout, manifest: JsonObject, config: JsonObject): Member[] {
  const { file } = layout;
  const unpacking = new Unpacking(file.scan, umociUnpacks);
  const diffIds = diffIdsOf(config);
  return listField(manifest, 'layers').map((entry, i) => {
    const layer = isObject(entry) ? entry : {};
    const digest = textField(layer, 'digest');
    if (i >= diffIds.length) panic(`runtime error: index out of range [${i}] with length ${diffIds.length}`);
    const member = within(
      message => `get layer blob: ${message}`,
      () => umociBlob(layout, digest),
    );
    const unpack = unpacking.next(member);
    const facts = readAs(file, member, promised(layer));
    if (facts.packError !== null && !facts.lateError) nextEntry(facts.packError);
    if (facts.tarError !== null) nextEntry(facts.tarError);
    const size = Number(field(layer, 'size') ?? 0);
    if (size >= 0 && size < member.size) nextEntry('verified reader digest mismatch');
    within(message => `unpack layer: ${message}`, unpack);
    if (file.scan.facts(member)?.tar?.globalHeaders) {
      refuse("unpack layer: unpack entry: pax_global_header: unknown typeflag '\\x67'");
    }
    checkEnd(file, member, digest, size, facts);
    const [actual, wanted] = [facts.diffId, diffIds[i]];
    if (actual !== null && actual !== wanted)
      refuse(`unpack manifest: layer ${digest}: diffid mismatch: got ${actual} expected ${wanted}`);
    return member;
  });
}

const nextEntry = (message: string): never => refuse(`unpack layer: read next entry: ${message}`);

/** The checks after the end of the tar. */
function checkEnd(file: TarFile, member: Member, digest: string, size: number, facts: LayerFacts): void {
  const discard = (message: string) => refuse(`discard trailing archive bits: ${message}`);
  if (facts.packError !== null) discard(facts.packError);
  if (size > member.size)
    discard(`expected ${size} bytes (only ${member.size} bytes in stream): verified reader size mismatch`);
  const actual = digestLike(file, member, digest);
  if (actual !== null && actual !== digest)
    refuse(`close layer data: consume remaining unverified stream: ${mismatch(digest, actual)}`);
}

const LAYER = /^application\/vnd\.oci\.image\.layer\.(?:nondistributable\.)?v1\.tar(?:\+(.+))?$/;

/** The compression that a layer's media type promises; other types than those of OCI are refused. */
function promised(layer: JsonObject): Compression {
  const type = textField(layer, 'mediaType');
  const at = `unpack rootfs: layer ${textField(layer, 'digest')}`;
  const match = LAYER.exec(type);
  if (match === null) return refuse(`${at}: layer data is an unsupported mediatype: ${type}`);
  const [, suffix = 'none'] = match;
  if (suffix === 'none' || suffix === 'gzip' || suffix === 'zstd') return suffix;
  const method = `compression method ${JSON.stringify(suffix)} unsupported`;
  return refuse(
    `${at}: could not decompress layer: unsupported layer media type ${JSON.stringify(type)}: ${method}`,
  );
}

/** The facts of a layer for a reader that believes its media type, not its first bytes. */
function readAs(file: TarFile, member: Member, compression: Compression): LayerFacts {
  const facts = layerFacts(file, member);
  if (compression === facts.compression) return facts;
  if (compression === 'none')
    return { ...facts, packError: null, tarError: member.size < 512 ? 'unexpected EOF' : NO_TAR };
  if (compression === 'gzip')
    refuse(
      `create gzip reader: ${member.size === 0 ? 'EOF' : member.size < 10 ? 'unexpected EOF' : NO_GZIP}`,
    );
  return { ...facts, packError: member.size === 0 ? null : NO_ZSTD, lateError: false, tarError: null };
}

const NO_TAR = 'archive/tar: invalid tar header';
const NO_GZIP = 'gzip: invalid header';
const NO_ZSTD = 'invalid input: magic number mismatch';

const GO = BUILT_WITH.umoci;

/**
 * `umoci unpack --image DIR:TAG BUNDLE`: an image of an OCI layout by the name that index.json gives it. A user that is
 * a name is not looked up in the image's files, where umoci refuses one that it does not find. cmd/umoci/unpack.go,
 * oci/casext, oci/layer/unpack.go
 */
export function umoci(file: TarFile): EngineRun {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const stop = attempt(() => {
    const layout: UmociLayout = { file, tree: extracted(file, false) };
    within(
      message => `open CAS: validate: ${message}`,
      () => validate(layout),
    );
    const entries = within(
      message => `get descriptor: get top-level index: parse index: ${message}`,
      () => indexOf(layout),
    );
    const names = new Set(entries.map(nameOf));
    for (const name of names) {
      const roots = entries.filter(entry => nameOf(entry) === name);
      if (name === '') unnamed(layout, roots, names.has('latest'), verdicts);
      else named(layout, name, roots, verdicts, loads);
    }
    if (names.size === 0) refuse(NO_TAG);
  });
  return { verdicts, loads, stop, loadsInstead: { code: 'named' } };
}

const NO_TAG = 'tag is not found: latest';

const nameOf = (entry: JsonObject): string =>
  textField(objectField(entry, 'annotations'), 'org.opencontainers.image.ref.name');

/** oci/cas/dir/dir.go (validate) */
function validate({ file, tree }: UmociLayout): void {
  const invalid = (what: string) => refuse(`${what}: invalid image detected`);
  const marker = memberAt(file, tree, 'oci-layout') ?? invalid('read oci-layout');
  const value = within(
    message => `parse oci-layout: ${message}`,
    () => decodeObject(file.scan.document(marker), 'whole', IMAGE_LAYOUT, GO),
  );
  if (textField(value, 'imageLayoutVersion') !== '1.0.0') invalid('layout version is not supported');
  const at = (path: string) => (memberAt(file, tree, path) === null ? tree.find(path, true) : 'file');
  const blobs = at('blobs');
  if (blobs === null) invalid('check blobdir');
  if (blobs === 'file') invalid('blobdir is not a directory');
  const index = at('index.json');
  if (index !== 'file') invalid(index === null ? 'check index' : 'index is a directory');
}

function indexOf({ file, tree }: UmociLayout): JsonObject[] {
  const member = memberAt(file, tree, 'index.json')!;
  const index = decodeObject(file.scan.document(member), 'whole', OCI_INDEX_TYPE, GO);
  return listField(index, 'manifests').map(entry => (isObject(entry) ? entry : {}));
}

/** A name must lead to one manifest. */
function named(
  layout: UmociLayout,
  name: string,
  roots: readonly JsonObject[],
  verdicts: Map<string, Verdict>,
  loads: LoadedImage[],
): void {
  const targets: JsonObject[] = [];
  const stop = attempt(() => {
    if (!NAME.test(name)) refuse(`invalid --image: tag contains invalid characters: ${JSON.stringify(name)}`);
    for (const root of roots) targets.push(...targetsOf(layout, root));
    const [target, ...more] = targets;
    if (target === undefined) return refuse(`tag is not found: ${name}`);
    if (more.length > 0) refuse(`tag is ambiguous: ${name}`);
    const notes = unpack(layout, target, loads);
    verdicts.set(manifestKey(textField(target, 'digest')), accepted(textField(target, 'digest'), ...notes));
  });
  if (stop === null) return;
  for (const target of targets.length > 0 ? targets : roots) {
    const key = manifestKey(textField(target, 'digest'));
    if (!verdicts.has(key)) verdicts.set(key, { ...stop, notes: [] });
  }
}

const NAME = /^([A-Za-z0-9]+(([-._:@+]|--)[A-Za-z0-9]+)*)(\/([A-Za-z0-9]+(([-._:@+]|--)[A-Za-z0-9]+)*))*$/;

/** An entry without a name cannot be asked for: where the command gives no tag, it means `latest`. */
function unnamed(
  layout: UmociLayout,
  roots: readonly JsonObject[],
  hasLatest: boolean,
  verdicts: Map<string, Verdict>,
): void {
  const note: EngineNote = { code: 'no-name-in-index' };
  const verdict: Verdict = hasLatest
    ? loadsInstead({ code: 'latest' }, note)
    : { outcome: 'refused', message: NO_TAG, notes: [note] };
  for (const root of roots) {
    attempt(() => {
      for (const target of targetsOf(layout, root)) {
        const key = manifestKey(textField(target, 'digest'));
        if (!verdicts.has(key)) verdicts.set(key, verdict);
      }
    });
  }
}

/**
 * The manifests behind an entry, through OCI indexes; a descriptor of another type stands for itself.
 * oci/casext/refname.go
 */
function targetsOf(layout: UmociLayout, root: JsonObject): JsonObject[] {
  const found: JsonObject[] = [];
  const todo = [root];
  const seen = new Set<string>();
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const at = next;
    if (textField(at, 'mediaType') !== OCI_INDEX) {
      found.push(at);
      continue;
    }
    const digest = textField(at, 'digest');
    if (seen.has(digest)) cannotTell({ code: 'index-cycle', digest });
    seen.add(digest);
    const index = within(
      message => `get descriptor: walk ${textField(root, 'digest')}: ${message}`,
      () => readDocument(layout, at, OCI_INDEX_TYPE, 'image', ['config', 'layers']),
    );
    const below = listField(index, 'manifests').map((child: Json) => (isObject(child) ? child : {}));
    todo.push(...below.toReversed());
  }
  return found;
}

/** @returns notes on an image that it takes */
function unpack(layout: UmociLayout, target: JsonObject, loads: LoadedImage[]): EngineNote[] {
  const type = textField(target, 'mediaType');
  if (type !== OCI_MANIFEST) {
    within(
      message => `get manifest: ${message}`,
      () => umociBlob(layout, textField(target, 'digest')),
    );
    const what = 'descriptor does not point to ispec.MediaTypeImageManifest: not implemented';
    refuse(`invalid --image tag: ${what}: ${type}`);
  }
  const manifest = within(
    message => `get manifest: ${message}`,
    () => readDocument(layout, target, OCI_MANIFEST_TYPE, 'manifest', ['manifests']),
  );
  return within(
    message => `create runtime bundle: ${message}`,
    () => unpackManifest(layout, manifest, loads),
  );
}

function unpackManifest(layout: UmociLayout, manifest: JsonObject, loads: LoadedImage[]): EngineNote[] {
  const descriptor = objectField(manifest, 'config');
  const config = within(
    message => `unpack rootfs: ${message}`,
    () => {
      const config = readConfig(layout, descriptor);
      const layers = unpackLayers(layout, manifest, config);
      loads.push({ config: umociBlob(layout, textField(descriptor, 'digest')), layers });
      return config;
    },
  );
  const os = textField(config, 'os');
  if (os !== 'linux') refuse(`unpack config.json: generate config.json: unsupported OS: ${os}`);
  const user = textField(objectField(config, 'config'), 'User');
  const isNumber = /^\d*(?::\d*)?$/.test(user);
  return isNumber ? [] : [{ code: 'user-lookup', user }];
}

function readConfig(layout: UmociLayout, descriptor: JsonObject): JsonObject {
  const type = textField(descriptor, 'mediaType');
  if (type !== OCI_CONFIG) {
    within(
      message => `get config blob: ${message}`,
      () => umociBlob(layout, textField(descriptor, 'digest')),
    );
    refuse(`unpack rootfs: config blob is not correct mediatype ${OCI_CONFIG}: ${type}`);
  }
  const config = within(
    message => `get config blob: ${message}`,
    () => readDocument(layout, descriptor, OCI_IMAGE, 'config', []),
  );
  const rootfsType = textField(objectField(config, 'rootfs'), 'type');
  if (rootfsType !== 'layers') refuse(`unpack rootfs: config: unsupported rootfs.type: ${rootfsType}`);
  return config;
}
