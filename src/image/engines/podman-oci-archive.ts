import type { Member } from '../../source/source.js';
import { isObject, type JsonObject } from '../../spec/json.js';
import { isIndexType } from '../../spec/media-types.js';
import { attempt, manifestKey, type Outcome, refuse, taken, type Verdict, within } from './answer.js';
import { diffIdsOf } from './docker-config.js';
import { openDirectory, openFolder, topOfDirectory } from './folder.js';
import { digestWords } from './go-digest.js';
import { BUILT_WITH } from './go-faults.js';
import { decodeObject, field, listField, objectField, textField } from './go-json.js';
import { OCI_IMAGE } from './go-structs.js';
import { podmanName } from './names.js';
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
import { podmanUnpacks } from './unpack-words.js';
import { Unpacking } from './unpacking.js';

const GO = BUILT_WITH.podman;

/** A file as podman loads it as an oci-archive: one image, whose every layer is unpacked. */
export const podmanOciArchive = (file: TarFile): Outcome => ({
  ...load(() => {
    const archive = openArchive(file);
    const name = nameOf(archive.entry);
    return { archive, name, member: manifestAt(archive, textField(archive.entry, 'digest')) };
  }),
  loads: ociLoads(file, GO, openLayout),
});

/** A directory as podman loads it as an OCI layout. */
export const podmanOci = (file: TarFile): Outcome => ({
  ...load(() => {
    const archive = oneImage(file, GO, openFolder(file, GO));
    const member = manifestAt(archive, textField(archive.entry, 'digest'));
    return { archive, name: null, isNamedByConfig: true, member };
  }),
  loads: ociLoads(file, GO, openFolder),
});

/** A directory as podman loads it as one that `skopeo copy … dir:` wrote. */
export const podmanDir = (file: TarFile): Outcome => ({
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
