import { isObject, type Json, type JsonObject } from '../../spec/json.js';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../spec/media-types.js';
import {
  attempt,
  cannotTell,
  type LoadedImage,
  manifestKey,
  type Outcome,
  refuse,
  taken,
  type Verdict,
  within,
} from './answer.js';
import { extracted, memberAt } from './extracted.js';
import { BUILT_WITH } from './go-faults.js';
import { decodeObject, listField, objectField, textField } from './go-json.js';
import { IMAGE_LAYOUT, OCI_IMAGE, OCI_INDEX_TYPE, OCI_MANIFEST_TYPE } from './go-structs.js';

import type { TarFile } from './tar-file.js';
import { readDocument, type UmociLayout, umociBlob } from './umoci-blobs.js';
import { unpackLayers } from './umoci-layers.js';

const GO = BUILT_WITH.umoci;

/**
 * `umoci unpack --image DIR:TAG BUNDLE`: an image of an OCI layout by the name that index.json gives it. A user that is
 * a name is not looked up in the image's files, where umoci refuses one that it does not find. cmd/umoci/unpack.go, oci/casext, oci/layer/unpack.go
 */
export function umoci(file: TarFile): Outcome {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const refusal = attempt(() => {
    const layout: UmociLayout = { file, tree: extracted(file, false) };
    within(
      words => `open CAS: validate: ${words}`,
      () => validate(layout),
    );
    const entries = within(
      words => `get descriptor: get top-level index: parse index: ${words}`,
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
  return {
    verdicts,
    loads,
    refusal,
    passed: refusal ?? 'loads another image: those that have a name in index.json',
  };
}

const NO_TAG = 'tag is not found: latest';

const nameOf = (entry: JsonObject): string =>
  textField(objectField(entry, 'annotations'), 'org.opencontainers.image.ref.name');

/** oci/cas/dir/dir.go (validate) */
function validate({ file, tree }: UmociLayout): void {
  const invalid = (what: string) => refuse(`${what}: invalid image detected`);
  const marker = memberAt(file, tree, 'oci-layout') ?? invalid('read oci-layout');
  const value = within(
    words => `parse oci-layout: ${words}`,
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

/** What a name leads to must be one manifest. */
function named(
  layout: UmociLayout,
  name: string,
  roots: readonly JsonObject[],
  verdicts: Map<string, Verdict>,
  loads: LoadedImage[],
): void {
  const targets: JsonObject[] = [];
  const refusal = attempt(() => {
    if (!NAME.test(name)) refuse(`invalid --image: tag contains invalid characters: ${JSON.stringify(name)}`);
    for (const root of roots) targets.push(...targetsOf(layout, root));
    const [target, ...more] = targets;
    if (target === undefined) return refuse(`tag is not found: ${name}`);
    if (more.length > 0) refuse(`tag is ambiguous: ${name}`);
    const note = unpack(layout, target, loads);
    verdicts.set(manifestKey(textField(target, 'digest')), taken(textField(target, 'digest'), note));
  });
  if (refusal === null) return;
  for (const target of targets.length > 0 ? targets : roots) {
    const key = manifestKey(textField(target, 'digest'));
    if (!verdicts.has(key)) verdicts.set(key, { id: null, refusal, note: null });
  }
}

const NAME = /^([A-Za-z0-9]+(([-._:@+]|--)[A-Za-z0-9]+)*)(\/([A-Za-z0-9]+(([-._:@+]|--)[A-Za-z0-9]+)*))*$/;

/** What has no name is asked for by none: where the command gives no tag, it means `latest`. */
function unnamed(
  layout: UmociLayout,
  roots: readonly JsonObject[],
  hasLatest: boolean,
  verdicts: Map<string, Verdict>,
): void {
  const refusal = hasLatest ? 'loads another image: the one that index.json calls latest' : NO_TAG;
  const note = 'index.json gives it no name to ask for';
  for (const root of roots) {
    attempt(() => {
      for (const target of targetsOf(layout, root)) {
        const key = manifestKey(textField(target, 'digest'));
        if (!verdicts.has(key)) verdicts.set(key, { id: null, refusal, note });
      }
    });
  }
}

/** The manifests behind an entry, through OCI indexes; what is of no known type stands for itself. oci/casext/refname.go */
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
    if (seen.has(digest)) cannotTell(`${digest} lists itself`);
    seen.add(digest);
    const index = within(
      words => `get descriptor: walk ${textField(root, 'digest')}: ${words}`,
      () => readDocument(layout, at, OCI_INDEX_TYPE, 'image', ['config', 'layers']),
    );
    const below = listField(index, 'manifests').map((child: Json) => (isObject(child) ? child : {}));
    todo.push(...below.toReversed());
  }
  return found;
}

/** @returns what else there is to know */
function unpack(layout: UmociLayout, target: JsonObject, loads: LoadedImage[]): string | null {
  const type = textField(target, 'mediaType');
  if (type !== OCI_MANIFEST) {
    within(
      words => `get manifest: ${words}`,
      () => umociBlob(layout, textField(target, 'digest')),
    );
    const what = 'descriptor does not point to ispec.MediaTypeImageManifest: not implemented';
    refuse(`invalid --image tag: ${what}: ${type}`);
  }
  const manifest = within(
    words => `get manifest: ${words}`,
    () => readDocument(layout, target, OCI_MANIFEST_TYPE, 'manifest', ['manifests']),
  );
  return within(
    words => `create runtime bundle: ${words}`,
    () => unpackManifest(layout, manifest, loads),
  );
}

function unpackManifest(layout: UmociLayout, manifest: JsonObject, loads: LoadedImage[]): string | null {
  const descriptor = objectField(manifest, 'config');
  const config = within(
    words => `unpack rootfs: ${words}`,
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
  return isNumber ? null : `if the image's /etc/passwd and /etc/group have its user ${JSON.stringify(user)}`;
}

function readConfig(layout: UmociLayout, descriptor: JsonObject): JsonObject {
  const type = textField(descriptor, 'mediaType');
  if (type !== OCI_CONFIG) {
    within(
      words => `get config blob: ${words}`,
      () => umociBlob(layout, textField(descriptor, 'digest')),
    );
    refuse(`unpack rootfs: config blob is not correct mediatype ${OCI_CONFIG}: ${type}`);
  }
  const config = within(
    words => `get config blob: ${words}`,
    () => readDocument(layout, descriptor, OCI_IMAGE, 'config', []),
  );
  const kind = textField(objectField(config, 'rootfs'), 'type');
  if (kind !== 'layers') refuse(`unpack rootfs: config: unsupported rootfs.type: ${kind}`);
  return config;
}
