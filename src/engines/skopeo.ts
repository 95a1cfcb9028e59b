import type { Member } from '../containers/source.js';
import { type Item, textField } from '../decoding/go-json.js';
import { attempt, cannotTell, refuse, within } from '../decoding/refused.js';
import { BUILT_WITH } from '../go/json/faults.js';
import type { JsonObject } from '../spec/json.js';
import { isIndexType } from '../spec/media-types.js';
import { type DockerArchive, loadedItem, openDockerArchive, openItem } from './docker-archive.js';
import { openDirectory, openFolder, topOfDirectory } from './folder.js';
import {
  checkUrls,
  chooseEntry,
  hasDigest,
  inspectConfig,
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
} from './oci-archive.js';
import { directoryLoads, ociLoads } from './oci-loads.js';
import { containersImageManifest, manifestDigest } from './synthesise.js';
import type { TarFile } from './tar-file.js';
import {
  ALL_OF_MANIFEST_JSON,
  accepted,
  type EngineNote,
  type EngineRun,
  itemKey,
  type LoadedImage,
  manifestKey,
  type Verdict,
} from './verdict.js';

/**
 * `skopeo inspect docker-archive:FILE`: the digest of a manifest that skopeo makes up. Of several images it wants to be
 * told which, by name or as `FILE:@0`. containers/image docker/archive, skopeo cmd/skopeo/inspect.go
 */
export function skopeoDockerArchive(file: TarFile): EngineRun {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const stop = attempt(() => {
    const archive = within(
      message => `Error parsing image name "docker-archive:FILE": ${message}`,
      () => openDockerArchive(file, BUILT_WITH.skopeo),
    );
    const count = archive.items.length;
    loads.push(...archive.items.flatMap(item => loadedItem(archive, item) ?? []));
    const retrieving = (message: string) => `Error retrieving manifest for image: ${message}`;
    if (count === 1) {
      const [item] = archive.items as [Item];
      verdicts.set(itemKey(0), accepted(within(retrieving, () => digestOf(archive, item))));
      return;
    }
    const several = retrieving(`Unexpected tar manifest.json: expected 1 item, got ${count}`);
    for (const [i, item] of archive.items.entries()) {
      verdicts.set(itemKey(i), { outcome: 'refused', message: several, notes: byIndex(archive, item, i) });
    }
    refuse(several);
  });
  return { verdicts, loads, stop, loadsInstead: ALL_OF_MANIFEST_JSON };
}

function byIndex(archive: DockerArchive, item: Item, index: number): EngineNote[] {
  let digest: string | null = null;
  attempt(() => {
    digest = digestOf(archive, item);
  });
  return digest === null ? [] : [{ code: 'by-index', index, digest }];
}

function digestOf(archive: DockerArchive, item: Item): string {
  const { config, layers } = openItem(archive, item);
  const sized = layers.map(({ diffId, size, path }) => ({
    digest: diffId,
    size: size ?? cannotTell({ code: 'unpacked-size-not-read', path }),
  }));
  return manifestDigest(containersImageManifest(config, sized));
}

const GO = BUILT_WITH.skopeo;

/** `skopeo inspect oci-archive:FILE` on linux/amd64. */
export const skopeoOciArchive = (file: TarFile): EngineRun =>
  inspectLayout(file, 'oci-archive:FILE', openLayout);

/** `skopeo inspect oci:DIR` on linux/amd64. */
export const skopeoOci = (file: TarFile): EngineRun => inspectLayout(file, 'oci:DIR', openFolder);

function inspectLayout(file: TarFile, name: string, open: typeof openLayout): EngineRun {
  const inspected = inspect(() => {
    const archive = within(
      message => `Error parsing image name "${name}": ${message}`,
      () => oneImage(file, GO, open(file, GO)),
    );
    return { archive, digest: textField(archive.entry, 'digest'), top: manifestAt };
  });
  return { ...inspected, loads: ociLoads(file, GO, open) };
}

/** `skopeo inspect dir:DIR` on linux/amd64, of what `skopeo copy … dir:DIR` wrote. */
export function skopeoDir(file: TarFile): EngineRun {
  const inspected = inspect(() => {
    const archive = openDirectory(file, GO);
    return { archive, digest: null, top: topOfDirectory };
  });
  return { ...inspected, loadsInstead: { code: 'directory-manifest' }, loads: directoryLoads(file, GO) };
}

interface Subject {
  readonly archive: OciArchive;
  /** The digest of the first manifest; null where no document gives it. */
  readonly digest: string | null;
  readonly top: (archive: OciArchive, digest: string) => Member;
}

/**
 * The digest that `skopeo inspect` prints: that of the first document, be it an index or a manifest, and only where the
 * rest can be printed too, from the image chosen behind it. skopeo cmd/skopeo/inspect.go
 */
function inspect(open: () => Subject): Omit<EngineRun, 'loads'> {
  const verdicts = new Map<string, Verdict>();
  const chosen: JsonObject[] = [];
  const stop = attempt(() => {
    const { archive, digest: first, top: find } = open();
    const top = within(
      message => `Error retrieving manifest for image: ${message}`,
      () => find(archive, first ?? ''),
    );
    const { type, manifest } = within(
      message => `Error parsing manifest for image: ${message}`,
      () => manifestBelow(archive, top, chosen),
    );
    const config = openConfig(archive, type, manifest);
    checkUrls(config.descriptor);
    inspectConfig(archive, type, config.document);
    const entry = chosen.at(-1);
    const digest = entry === undefined ? (first ?? sha256Of(archive, top)) : textField(entry, 'digest');
    verdicts.set(manifestKey(digest), accepted(sha256Of(archive, top)));
  });
  return { verdicts, stop, loadsInstead: loadedFor(chosen.at(-1) ?? null) };
}

/** The manifest for linux/amd64, through indexes. @param chosen  gets their entries, outermost first */
function manifestBelow(archive: OciArchive, top: Member, chosen: JsonObject[]) {
  let [member, type] = [top, typeOf(archive, top, archive.entry)];
  while (isIndexType(type)) {
    const [entry, below] = chooseBelow(archive, member, type);
    chosen.push(entry);
    member = below;
    // Only the entry of index.json lends its media type.
    type = typeOf(archive, member, null);
  }
  return { type, manifest: openManifest(archive, member, type) };
}

/** The manifest for linux/amd64 that an index lists, with its entry. */
function chooseBelow(archive: OciArchive, at: Member, type: string): [JsonObject, Member] {
  const index = within(
    message => `parsing OCI1 index: ${message}`,
    () => openIndex(archive, at, type),
  );
  const chosen = within(
    message => `choosing image instance: ${message}`,
    () => chooseEntry(type, index),
  );
  const digest = textField(chosen, 'digest');
  const from = type.includes('.oci.') ? 'image index' : 'manifest list';
  const member = within(
    message => `fetching target platform image selected from ${from}: ${message}`,
    () => manifestAt(archive, digest),
  );
  if (!hasDigest(archive, member, digest))
    refuse(`Image manifest does not match selected manifest digest ${digest}`);
  return [chosen, member];
}
