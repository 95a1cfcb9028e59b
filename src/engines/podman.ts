import type { Member } from '../containers/source.js';
import { digestError } from '../decoding/digest.js';
import {
  decode,
  decodeObject,
  field,
  type Item,
  listField,
  objectField,
  textField,
} from '../decoding/go-json.js';
import {
  attempt,
  type EngineStop,
  type FormatError,
  refuse,
  refusedFormats,
  within,
} from '../decoding/refused.js';
import { OCI_IMAGE } from '../decoding/structs.js';
import { podmanUnpacks } from '../filesystem/unloadable.js';
import { BUILT_WITH } from '../go/json/faults.js';
import { isObject, type JsonObject } from '../spec/json.js';
import { isIndexType } from '../spec/media-types.js';
import {
  component,
  type DockerArchive,
  diffIdsOf,
  loadedItem,
  openDockerArchive,
  openItem,
} from './docker-archive.js';
import { openDirectory, openFolder, topOfDirectory } from './folder.js';
import { dockerReference, podmanName, showReference } from './names.js';
import {
  blobAt,
  checkCommit,
  checkUrls,
  chooseEntry,
  entriesOf,
  hasDigest,
  loadedFor,
  manifestAt,
  type OciArchive,
  oneImage,
  openConfig,
  openIndex,
  openLayout,
  openManifest,
  sha256Of,
  typeOf,
  untarred,
} from './oci-archive.js';
import { directoryLoads, ociLoads } from './oci-loads.js';
import { checkDiffId, checkDuplicates, containersLayer, digestLike, type TarFile } from './tar-file.js';
import { Unpacking } from './unpack.js';
import {
  ALL_OF_MANIFEST_JSON,
  accepted,
  type EngineNote,
  type EngineRun,
  itemKey,
  type LoadedImage,
  loadsInstead,
  manifestKey,
  type Verdict,
} from './verdict.js';

/** A file as podman loads it as a docker-archive: every name of every item, each copied by itself. */
function podmanDockerArchive(file: TarFile): EngineRun {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  let isEmpty = false;
  const stop = attempt(() => {
    const archive = openDockerArchive(file, BUILT_WITH.podman);
    isEmpty = archive.items.length === 0;
    loadItems(archive, verdicts, loads);
  });
  return { verdicts, loads, stop, loadsInstead: isEmpty ? { code: 'empty-list' } : ALL_OF_MANIFEST_JSON };
}

function loadItems(archive: DockerArchive, verdicts: Map<string, Verdict>, loads: LoadedImage[]): void {
  const { items } = archive;
  const names = items.map((item, i) => item.tags.map(tag => fullName(tag, i)));
  const owners = ownersOf(names);
  const stored = new Set<string>();
  const loadItem = (i: number) => {
    // For another name of it, all of its layers are in the store.
    if (verdicts.has(itemKey(i))) return;
    verdicts.set(itemKey(i), copy(archive, items[i]!, stored));
    const image = loadedItem(archive, items[i]!);
    if (image !== null) loads.push(image);
  };
  for (const [i, item] of items.entries()) {
    for (const name of names[i]!) {
      // Looked up again by its name: the first item of that name is taken.
      const [owner, tag] = owners.get(name)!;
      podmanName(items[owner]!.tags[tag]!);
      loadItem(owner);
    }
    if (item.tags.length === 0) loadItem(i);
  }
  // All the names of an item may belong to one before it.
  for (const [i] of items.entries()) {
    const [owner] = owners.get(names[i]![0] ?? '') ?? [];
    if (!verdicts.has(itemKey(i)) && owner !== undefined)
      verdicts.set(itemKey(i), loadsInstead({ code: 'same-name', item: owner }));
  }
}

/** For each name the first item that has it, and the index of the tag in that item. */
function ownersOf(names: readonly (readonly string[])[]): Map<string, [item: number, tag: number]> {
  const owners = new Map<string, [number, number]>();
  for (const [i, list] of names.entries()) {
    for (const [j, name] of list.entries()) if (!owners.has(name)) owners.set(name, [i, j]);
  }
  return owners;
}

/** containers/image docker/internal/tarfile/reader.go: a tag must be one, and a digest is none. */
function fullName(text: string, index: number): string {
  const reference = within(
    message => `Invalid tag "${text}" in manifest item @${index}: ${message}`,
    () => dockerReference(text, 'containers-image'),
  );
  const full = showReference(reference);
  if (reference.tag === null) refuse(`Invalid tag "${text}" (${full}): does not contain a tag`);
  if (reference.digest !== null) {
    const reason = `docker-archive doesn't support digest references: ${full}`;
    refuse(`creating a reference for tag "${text}" in manifest item @${index}: ${reason}`);
  }
  return full;
}

function copy(archive: DockerArchive, item: Item, stored: Set<string>): Verdict {
  const { config, member, layers } = openItem(archive, item);
  within(
    message => `parsing image configuration: ${message}`,
    () => decode(archive.file.scan.document(member), 'whole', OCI_IMAGE, archive.go),
  );
  const unpacking = new Unpacking(archive.file.scan, podmanUnpacks);
  for (const { diffId, size, path } of layers) {
    const unpack = unpacking.next(component(archive.first, path));
    // What is in the store is not read again.
    if (!stored.has(diffId)) copyLayer(archive, diffId, size, path, unpack);
    stored.add(diffId);
  }
  return accepted(config.digest, ...unpacking.notes);
}

function copyLayer(
  { file, first }: DockerArchive,
  diffId: string,
  size: number | null,
  path: string,
  unpack: () => void,
): void {
  const member = component(first, path) ?? refuse(`reading blob ${diffId}: file does not exist`);
  if (member.type !== 'file' && member.type !== 'hardlink') {
    const reason = `Error reading tar archive component "${member.name}": not a regular file`;
    refuse(`reading blob ${diffId}: ${reason}`);
  }
  if (!/^sha256:[a-f0-9]{64}$/.test(diffId)) refuse('Can not check for a blob with invalid digest');
  const facts = containersLayer(file, member);
  const mismatch = (actual: string) => `Digest did not match, expected ${diffId}, got ${actual}`;
  const read = member.type === 'hardlink' ? { ...facts, diffId: EMPTY_DIGEST } : facts;
  checkDiffId(file, member, read, diffId, mismatch);
  if (facts.size !== null && facts.size !== size) refuse('writing blob: blob size mismatch');
  if (facts.tarError !== null) refuse(facts.tarError);
  unpack();
  checkDuplicates(file, member);
}

/** A hard link has no bytes of its own, and containers/image does not follow it. */
const EMPTY_DIGEST = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const GO = BUILT_WITH.podman;

/** A file as podman loads it as an oci-archive: one image, whose every layer is unpacked. */
const podmanOciArchive = (file: TarFile): EngineRun => ({
  ...load(() => {
    const archive = openArchive(file);
    const name = nameOf(archive.entry);
    return { archive, name, member: manifestAt(archive, textField(archive.entry, 'digest')) };
  }),
  loads: ociLoads(file, GO, openLayout),
});

/** A directory as podman loads it as an OCI layout. */
const podmanOci = (file: TarFile): EngineRun => ({
  ...load(() => {
    const archive = oneImage(file, GO, openFolder(file, GO));
    const member = manifestAt(archive, textField(archive.entry, 'digest'));
    return { archive, name: null, isNamedByConfig: true, member };
  }),
  loads: ociLoads(file, GO, openFolder),
});

/** A directory as podman loads it as one that `skopeo copy … dir:` wrote. */
const podmanDir = (file: TarFile): EngineRun => ({
  ...load(() => {
    const archive = openDirectory(file, GO);
    return { archive, name: null, member: topOfDirectory(archive) };
  }),
  loads: directoryLoads(file, GO),
});

interface Source {
  readonly archive: OciArchive;
  /** The name under which podman stores the image; null for a directory, which it stores by its path. */
  readonly name: string | null;
  /** The digest of its config is its name, for which podman takes sha256 alone. */
  readonly isNamedByConfig?: true;
  /** The manifest or index. */
  readonly member: Member;
}

function load(open: () => Source): Omit<EngineRun, 'loads'> {
  const verdicts = new Map<string, Verdict>();
  let chosen: JsonObject | null = null;
  const stop = attempt(() => {
    const source = open();
    const { archive } = source;
    const top = { member: source.member, type: typeOf(archive, source.member, archive.entry) };
    const isIndex = isIndexType(top.type);
    if (isIndex) chosen = chooseEntry(top.type, openIndex(archive, top.member, top.type));
    const { member, type } = chosen === null ? top : chosenManifest(archive, chosen);
    const given = textField(chosen ?? archive.entry, 'digest');
    const digest = isIndex ? given : given || sha256Of(archive, member);
    verdicts.set(manifestKey(digest), loadManifest(source, member, type));
  });
  return { verdicts, stop, loadsInstead: loadedFor(chosen) };
}

/** The manifest that an entry of an index leads to. */
function chosenManifest(archive: OciArchive, entry: JsonObject): { member: Member; type: string } {
  const digest = textField(entry, 'digest');
  const member = manifestAt(archive, digest);
  if (!hasDigest(archive, member, digest))
    refuse(`Manifest does not match provided manifest digest ${digest}`);
  const type = typeOf(archive, member, null);
  if (isIndexType(type))
    refuse('Unexpectedly received a manifest list instead of a manifest for a single image');
  return { member, type };
}

function loadManifest({ archive, name, isNamedByConfig }: Source, member: Member, type: string): Verdict {
  const manifest = openManifest(archive, member, type);
  if (isNamedByConfig === true) checkConfigName(textField(objectField(manifest, 'config'), 'digest'));
  const config = openConfig(archive, type, manifest);
  checkUrls(config.descriptor);
  const image = within(
    message => `parsing image configuration: ${message}`,
    () => decodeObject(config.document, 'whole', OCI_IMAGE, archive.go),
  );
  const wanted = name?.split('@')[1];
  if (wanted !== undefined && wanted !== sha256Of(archive, member)) {
    refuse("Digest of source image's manifest would not match destination reference");
  }
  const notes = checkLayers(archive, manifest, diffIdsOf(image));
  if (field(config.descriptor, 'size') !== config.member.size) refuse('writing blob: blob size mismatch');
  checkCommit(archive, member);
  return accepted(config.digest, ...notes);
}

function checkConfigName(digest: string): void {
  const [algorithm, hex] = digest.split(':');
  if (algorithm !== 'sha256' && hex !== undefined)
    refuse(`parsing "@${hex}": "${hex}" does not look like an image ID or digest: invalid reference`);
}

/** podman reads index.json itself once the tar is unpacked, and puts words of its own before an error in it. */
function openArchive(file: TarFile): OciArchive {
  const tree = untarred(file);
  return within(
    message => `loading index: ${message}`,
    () => oneImage(file, GO, { tree, entries: entriesOf(file, tree, GO) }),
  );
}

function nameOf(entry: JsonObject): string | null {
  const annotations = objectField(entry, 'annotations');
  const name =
    textField(annotations, 'io.containerd.image.name') ||
    textField(annotations, 'org.opencontainers.image.ref.name');
  return name === '' ? null : podmanName(name);
}

/** @returns notes on the layers that it takes */
function checkLayers(
  archive: OciArchive,
  manifest: JsonObject,
  diffIds: readonly string[],
): readonly EngineNote[] {
  const unpacking = new Unpacking(archive.file.scan, podmanUnpacks);
  for (const [i, layer] of listField(manifest, 'layers').entries()) {
    const digest = isObject(layer) ? textField(layer, 'digest') : '';
    if (isObject(layer)) checkUrls(layer);
    const invalid = digestError(digest);
    if (invalid !== null) refuse(`Can not check for a blob with invalid digest: ${invalid}`);
    const member = blobAt(archive, digest);
    checkLayer(archive, member, digest, i, diffIds);
    unpacking.next(member)();
    checkDuplicates(archive.file, member);
  }
  return unpacking.notes;
}

function checkLayer(
  archive: OciArchive,
  member: Member,
  digest: string,
  i: number,
  diffIds: readonly string[],
): void {
  const { file } = archive;
  if (!hasDigest(archive, member, digest)) {
    const actual = digestLike(file, member, digest);
    refuse(`Digest did not match, expected ${digest}, got ${actual}`);
  }
  const facts = containersLayer(file, member);
  if (facts.packError !== null) refuse(`storing blob to file "FILE": ${facts.packError}`);
  if (diffIds.length > 0 && i >= diffIds.length) {
    const have = `image config has only ${diffIds.length} DiffID values`;
    refuse(`${have}, but a layer with index ${i} exists`);
  }
  const wanted = diffIds[i];
  const mismatch = (actual: string) =>
    `layer ${i} (blob "${digest}"/""/"${actual}") does not match config's DiffID "${wanted}"`;
  if (wanted !== undefined) checkDiffId(file, member, facts, wanted, mismatch);
  if (facts.tarError !== null) refuse(facts.tarError);
}

/**
 * `podman load` on linux/amd64: tries the file as one kind of archive after another, and when none will do gives the
 * error of each. The ID is the config's digest. containers/common libimage/load.go
 */
export function podman(file: TarFile): EngineRun {
  const oci = podmanOciArchive(file);
  if (oci.stop === null) return oci;
  const docker = podmanDockerArchive(file);
  if (docker.stop === null) return docker;
  const stop = noFormat([
    ['oci', 'open FILE/index.json: not a directory'],
    ['oci-archive', oci.stop],
    ['docker-archive', docker.stop],
    ['dir', 'open FILE/manifest.json: not a directory'],
  ]);
  return { ...docker, stop };
}

/**
 * `podman load -i DIR` on linux/amd64: an OCI layout, or else what `skopeo copy … dir:` wrote. The outcome of each is
 * that of `podman pull oci:DIR` and `podman pull dir:DIR`.
 */
export function podmanDirectory(file: TarFile): EngineRun {
  const oci = podmanOci(file);
  if (oci.stop === null) return oci;
  const dir = podmanDir(file);
  if (dir.stop === null) return dir;
  const stop = noFormat([
    ['oci', oci.stop],
    ['oci-archive', 'creating temp directory: untarring file "FILE": read DIR: is a directory'],
    [
      'docker-archive',
      'detecting compression for file "DIR": detecting compression: read DIR: is a directory',
    ],
    ['dir', dir.stop],
  ]);
  return { ...dir, verdicts: new Map(), loads: [...oci.loads, ...dir.loads], stop };
}

/** @param errors  by format: why podman did not take the file, or the error that it gives for any */
function noFormat(errors: readonly (readonly [format: string, error: string | EngineStop])[]): EngineStop {
  const formats: FormatError[] = [];
  for (const [format, error] of errors) {
    if (typeof error === 'string') formats.push({ format, message: error, isConstant: true });
    else if (error.outcome === 'unknown') return error;
    else formats.push({ format, message: error.message, isConstant: false });
  }
  return refusedFormats('payload does not match any of the supported image formats:', formats);
}
