import type { Member } from '../containers/source.js';
import { digestWords } from '../decoding/digest.js';
import {
  decode,
  decodeObject,
  field,
  type Item,
  listField,
  objectField,
  textField,
} from '../decoding/go-json.js';
import { attempt, isUntold, refuse, within } from '../decoding/refused.js';
import { OCI_IMAGE } from '../decoding/structs.js';
import { podmanUnpacks } from '../filesystem/unloadable.js';
import { BUILT_WITH } from '../go/json/faults.js';
import { isObject, type JsonObject } from '../spec/json.js';
import { isIndexType } from '../spec/media-types.js';
import {
  dockerReference,
  itemKey,
  LISTED_ONLY,
  LISTS_NONE,
  type LoadedImage,
  manifestKey,
  type Outcome,
  podmanName,
  showReference,
  taken,
  type Verdict,
} from './answer.js';
import {
  component,
  type DockerArchive,
  diffIdsOf,
  loadedItem,
  openDockerArchive,
  openItem,
} from './docker-archive.js';
import { openDirectory, openFolder, topOfDirectory } from './folder.js';
import {
  blobAt,
  checkCommit,
  checkUrls,
  chooseEntry,
  hasDigest,
  manifestAt,
  type OciArchive,
  oneImage,
  openConfig,
  openIndex,
  openLayout,
  openManifest,
  passedWords,
  sha256Of,
  typeOf,
} from './oci-archive.js';
import { directoryLoads, ociLoads } from './oci-loads.js';
import { checkDiffId, checkDuplicates, containersLayer, digestLike, type TarFile } from './tar-file.js';
import { Unpacking } from './unpack.js';

/** A file as podman loads it as a docker-archive: every name of every item, each copied by itself. */
function podmanDockerArchive(file: TarFile): Outcome {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  let passed = LISTED_ONLY;
  const refusal = attempt(() => {
    const archive = openDockerArchive(file, BUILT_WITH.podman);
    const { items } = archive;
    if (items.length === 0) passed = LISTS_NONE;
    const names = items.map((item, i) => item.tags.map(tag => fullName(tag, i)));
    const owners = ownersOf(names);
    const stored = new Set<string>();
    const load = (i: number) => {
      // For another name of it, all of its layers are in the store.
      if (verdicts.has(itemKey(i))) return;
      verdicts.set(itemKey(i), copy(archive, items[i]!, stored));
      const image = loadedItem(archive, items[i]!);
      if (image !== null) loads.push(image);
    };
    for (const [i, item] of items.entries()) {
      for (const name of names[i]!) {
        // Looked up again by its name: the first item of that name answers.
        const [owner, tag] = owners.get(name)!;
        podmanName(items[owner]!.tags[tag]!);
        load(owner);
      }
      if (item.tags.length === 0) load(i);
    }
    // All the names of an item may belong to one before it.
    for (const [i] of items.entries()) {
      const [owner] = owners.get(names[i]![0] ?? '') ?? [];
      if (!verdicts.has(itemKey(i)) && owner !== undefined) {
        verdicts.set(itemKey(i), {
          id: null,
          refusal: `loads another image: item ${owner + 1} of manifest.json, which has the same name`,
          note: null,
        });
      }
    }
  });
  return { verdicts, loads, refusal, passed: refusal ?? passed };
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
    words => `Invalid tag "${text}" in manifest item @${index}: ${words}`,
    () => dockerReference(text, 'short'),
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
    words => `parsing image configuration: ${words}`,
    () => decode(archive.file.scan.document(member), 'whole', OCI_IMAGE, archive.go),
  );
  const unpacking = new Unpacking(archive.file.scan, podmanUnpacks);
  for (const { diffId, size, path } of layers) {
    const unpack = unpacking.next(component(archive.first, path));
    // What is in the store is not read again.
    if (!stored.has(diffId)) copyLayer(archive, diffId, size, path, unpack);
    stored.add(diffId);
  }
  return taken(config.digest, unpacking.note);
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
  const words = (actual: string) => `Digest did not match, expected ${diffId}, got ${actual}`;
  const read = member.type === 'hardlink' ? { ...facts, diffId: EMPTY_DIGEST } : facts;
  checkDiffId(file, member, read, diffId, words);
  if (facts.size !== null && facts.size !== size) refuse('writing blob: blob size mismatch');
  if (facts.tarError !== null) refuse(facts.tarError);
  unpack();
  checkDuplicates(file, member);
}

/** A hard link has no bytes of its own, and containers/image does not follow it. */
const EMPTY_DIGEST = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const GO = BUILT_WITH.podman;

/** A file as podman loads it as an oci-archive: one image, whose every layer is unpacked. */
const podmanOciArchive = (file: TarFile): Outcome => ({
  ...load(() => {
    const archive = openArchive(file);
    const name = nameOf(archive.entry);
    return { archive, name, member: manifestAt(archive, textField(archive.entry, 'digest')) };
  }),
  loads: ociLoads(file, GO, openLayout),
});

/** A directory as podman loads it as an OCI layout. */
const podmanOci = (file: TarFile): Outcome => ({
  ...load(() => {
    const archive = oneImage(file, GO, openFolder(file, GO));
    const member = manifestAt(archive, textField(archive.entry, 'digest'));
    return { archive, name: null, isNamedByConfig: true, member };
  }),
  loads: ociLoads(file, GO, openFolder),
});

/** A directory as podman loads it as one that `skopeo copy … dir:` wrote. */
const podmanDir = (file: TarFile): Outcome => ({
  ...load(() => {
    const archive = openDirectory(file, GO);
    return { archive, name: null, member: topOfDirectory(archive) };
  }),
  loads: directoryLoads(file, GO),
});

interface Source {
  readonly archive: OciArchive;
  /** By which it will be stored; null for a directory, which is stored by its path. */
  readonly name: string | null;
  /** The digest of its config is its name, for which podman takes sha256 alone. */
  readonly isNamedByConfig?: true;
  /** Its manifest or index. */
  readonly member: Member;
}

function load(open: () => Source): Omit<Outcome, 'loads'> {
  const verdicts = new Map<string, Verdict>();
  let chosen: JsonObject | null = null;
  const refusal = attempt(() => {
    const source = open();
    const { archive, name } = source;
    const { entry } = archive;
    let { member } = source;
    let digest = textField(entry, 'digest') || sha256Of(archive, member);
    let type = typeOf(archive, member, entry);
    if (isIndexType(type)) {
      chosen = chooseEntry(type, openIndex(archive, member, type));
      digest = textField(chosen, 'digest');
      member = manifestAt(archive, digest);
      if (!hasDigest(archive, member, digest)) {
        refuse(`Manifest does not match provided manifest digest ${digest}`);
      }
      type = typeOf(archive, member, null);
      if (isIndexType(type)) {
        refuse('Unexpectedly received a manifest list instead of a manifest for a single image');
      }
    }
    const manifest = openManifest(archive, member, type);
    if (source.isNamedByConfig === true)
      checkConfigName(textField(objectField(manifest, 'config'), 'digest'));
    const config = openConfig(archive, type, manifest);
    checkUrls(config.descriptor);
    const image = within(
      words => `parsing image configuration: ${words}`,
      () => decodeObject(config.document, 'whole', OCI_IMAGE, archive.go),
    );
    const wanted = name?.split('@')[1];
    if (wanted !== undefined && wanted !== sha256Of(archive, member)) {
      refuse("Digest of source image's manifest would not match destination reference");
    }
    const note = checkLayers(archive, manifest, diffIdsOf(image));
    if (field(config.descriptor, 'size') !== config.member.size) refuse('writing blob: blob size mismatch');
    checkCommit(archive, member);
    verdicts.set(manifestKey(digest), taken(config.digest, note));
  });
  return { verdicts, refusal, passed: refusal ?? passedWords(chosen) };
}

function checkConfigName(digest: string): void {
  const [algorithm, hex] = digest.split(':');
  if (algorithm !== 'sha256' && hex !== undefined)
    refuse(`parsing "@${hex}": "${hex}" does not look like an image ID or digest: invalid reference`);
}

/** podman reads index.json itself before it has the archive opened, and says so. */
function openArchive(file: TarFile): OciArchive {
  let archive: OciArchive | null = null;
  const refusal = attempt(() => {
    archive = oneImage(file, GO, openLayout(file, GO));
  });
  if (refusal === null) return archive!;
  return refuse(/^(creating temp|cannot be told)/.test(refusal) ? refusal : `loading index: ${refusal}`);
}

function nameOf(entry: JsonObject): string | null {
  const annotations = objectField(entry, 'annotations');
  const name =
    textField(annotations, 'io.containerd.image.name') ||
    textField(annotations, 'org.opencontainers.image.ref.name');
  return name === '' ? null : podmanName(name);
}

/** @returns what else there is to know of them */
function checkLayers(archive: OciArchive, manifest: JsonObject, diffIds: readonly string[]): string | null {
  const unpacking = new Unpacking(archive.file.scan, podmanUnpacks);
  for (const [i, layer] of listField(manifest, 'layers').entries()) {
    const digest = isObject(layer) ? textField(layer, 'digest') : '';
    if (isObject(layer)) checkUrls(layer);
    const invalid = digestWords(digest);
    if (invalid !== null) refuse(`Can not check for a blob with invalid digest: ${invalid}`);
    const member = blobAt(archive, digest);
    if (!hasDigest(archive, member, digest)) {
      const actual = digestLike(archive.file, member, digest);
      refuse(`Digest did not match, expected ${digest}, got ${actual}`);
    }
    const facts = containersLayer(archive.file, member);
    if (facts.packError !== null) refuse(`storing blob to file "FILE": ${facts.packError}`);
    if (diffIds.length > 0 && i >= diffIds.length) {
      const have = `image config has only ${diffIds.length} DiffID values`;
      refuse(`${have}, but a layer with index ${i} exists`);
    }
    const wanted = diffIds[i];
    const words = (actual: string) =>
      `layer ${i} (blob "${digest}"/""/"${actual}") does not match config's DiffID "${wanted}"`;
    if (wanted !== undefined) checkDiffId(archive.file, member, facts, wanted, words);
    if (facts.tarError !== null) refuse(facts.tarError);
    unpacking.next(member)();
    checkDuplicates(archive.file, member);
  }
  return unpacking.note;
}

/**
 * `podman load` on linux/amd64: tries the file as one kind of archive after another, and when none will do tells what was
 * wrong with each. The ID is the config's digest. containers/common libimage/load.go
 */
export function podman(file: TarFile): Outcome {
  const oci = podmanOciArchive(file);
  if (oci.refusal === null) return oci;
  const docker = podmanDockerArchive(file);
  if (docker.refusal === null) return docker;
  const untold = [oci, docker].find(({ refusal }) => isUntold(refusal));
  const refusal = untold?.refusal ?? allWords(oci.refusal, docker.refusal);
  return { verdicts: docker.verdicts, loads: docker.loads, refusal, passed: refusal };
}

const NO_FORMAT = 'payload does not match any of the supported image formats:';

function allWords(oci: string, docker: string): string {
  return [
    NO_FORMAT,
    ' * oci: open FILE/index.json: not a directory',
    ` * oci-archive: ${oci}`,
    ` * docker-archive: ${docker}`,
    ' * dir: open FILE/manifest.json: not a directory',
  ].join('\n');
}

/**
 * `podman load -i DIR` on linux/amd64: an OCI layout, or else what `skopeo copy … dir:` wrote. What it makes of them is what
 * `podman pull oci:DIR` and `podman pull dir:DIR` make.
 */
export function podmanDirectory(file: TarFile): Outcome {
  const oci = podmanOci(file);
  if (oci.refusal === null) return oci;
  const dir = podmanDir(file);
  if (dir.refusal === null) return dir;
  const untold = [oci, dir].find(one => isUntold(one.refusal));
  const refusal = untold?.refusal ?? directoryWords(oci.refusal, dir.refusal);
  return { verdicts: new Map(), loads: [...oci.loads, ...dir.loads], refusal, passed: refusal };
}

const directoryWords = (oci: string, dir: string): string =>
  [
    NO_FORMAT,
    ` * oci: ${oci}`,
    ' * oci-archive: creating temp directory: untarring file "FILE": read DIR: is a directory',
    ' * docker-archive: detecting compression for file "DIR": detecting compression: read DIR: is a directory',
    ` * dir: ${dir}`,
  ].join('\n');
