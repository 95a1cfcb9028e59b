import type { Member } from '../containers/source.js';
import { type Item, textField } from '../decoding/go-json.js';
import { attempt, cannotTell, refuse, within } from '../decoding/refused.js';
import { BUILT_WITH } from '../go/json/faults.js';
import type { JsonObject } from '../spec/json.js';
import { isIndexType } from '../spec/media-types.js';
import {
  itemKey,
  LISTED_ONLY,
  type LoadedImage,
  manifestKey,
  type Outcome,
  taken,
  type Verdict,
} from './answer.js';
import { type DockerArchive, loadedItem, openDockerArchive, openItem } from './docker-archive.js';
import { openDirectory, openFolder, topOfDirectory } from './folder.js';
import {
  checkUrls,
  chooseEntry,
  hasDigest,
  inspectConfig,
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
import { containersImageManifest, manifestDigest } from './synthesise.js';
import type { TarFile } from './tar-file.js';

/**
 * `skopeo inspect docker-archive:FILE`: the digest of a manifest that skopeo makes up. Of several images it wants to be
 * told which, by name or as `FILE:@0`. containers/image docker/archive, skopeo cmd/skopeo/inspect.go
 */
export function skopeoDockerArchive(file: TarFile): Outcome {
  const verdicts = new Map<string, Verdict>();
  const loads: LoadedImage[] = [];
  const refusal = attempt(() => {
    const archive = within(
      words => `Error parsing image name "docker-archive:FILE": ${words}`,
      () => openDockerArchive(file, BUILT_WITH.skopeo),
    );
    const count = archive.items.length;
    loads.push(...archive.items.flatMap(item => loadedItem(archive, item) ?? []));
    const retrieving = (words: string) => `Error retrieving manifest for image: ${words}`;
    if (count === 1) {
      const [item] = archive.items as [Item];
      verdicts.set(itemKey(0), taken(within(retrieving, () => digestOf(archive, item))));
      return;
    }
    const several = retrieving(`Unexpected tar manifest.json: expected 1 item, got ${count}`);
    for (const [i, item] of archive.items.entries()) {
      verdicts.set(itemKey(i), { id: null, refusal: several, note: byIndex(archive, item, i) });
    }
    refuse(several);
  });
  return { verdicts, loads, refusal, passed: refusal ?? LISTED_ONLY };
}

function byIndex(archive: DockerArchive, item: Item, index: number): string | null {
  let digest: string | null = null;
  attempt(() => {
    digest = digestOf(archive, item);
  });
  return digest === null ? null : `asked for docker-archive:FILE:@${index} it prints ${digest}`;
}

function digestOf(archive: DockerArchive, item: Item): string {
  const { config, layers } = openItem(archive, item);
  const sized = layers.map(({ diffId, size, path }) => ({
    digest: diffId,
    size: size ?? cannotTell(`the size of ${path} unpacked was not read`),
  }));
  return manifestDigest(containersImageManifest(config, sized));
}

const GO = BUILT_WITH.skopeo;

/** `skopeo inspect oci-archive:FILE` on linux/amd64. */
export const skopeoOciArchive = (file: TarFile): Outcome =>
  inspectLayout(file, 'oci-archive:FILE', openLayout);

/** `skopeo inspect oci:DIR` on linux/amd64. */
export const skopeoOci = (file: TarFile): Outcome => inspectLayout(file, 'oci:DIR', openFolder);

function inspectLayout(file: TarFile, name: string, open: typeof openLayout): Outcome {
  const inspected = inspect(() => {
    const archive = within(
      words => `Error parsing image name "${name}": ${words}`,
      () => oneImage(file, GO, open(file, GO)),
    );
    return { archive, digest: textField(archive.entry, 'digest'), top: manifestAt };
  });
  return { ...inspected, loads: ociLoads(file, GO, open) };
}

/** `skopeo inspect dir:DIR` on linux/amd64, of what `skopeo copy … dir:DIR` wrote. */
export function skopeoDir(file: TarFile): Outcome {
  const inspected = inspect(() => {
    const archive = openDirectory(file, GO);
    return { archive, digest: null, top: topOfDirectory };
  });
  const passed = inspected.refusal ?? 'loads another image: the one that manifest.json describes';
  return { ...inspected, passed, loads: directoryLoads(file, GO) };
}

interface Subject {
  readonly archive: OciArchive;
  /** Of its first manifest; null where nothing says it. */
  readonly digest: string | null;
  readonly top: (archive: OciArchive, digest: string) => Member;
}

/**
 * What `skopeo inspect` prints as the digest: that of the first document, be it an index or a manifest, and only where the
 * rest can be printed too, from the image chosen behind it. skopeo cmd/skopeo/inspect.go
 */
function inspect(open: () => Subject): Omit<Outcome, 'loads'> {
  const verdicts = new Map<string, Verdict>();
  let chosen: JsonObject | null = null;
  const refusal = attempt(() => {
    const { archive, digest: first, top: find } = open();
    const top = within(
      words => `Error retrieving manifest for image: ${words}`,
      () => find(archive, first ?? ''),
    );
    let digest = first ?? sha256Of(archive, top);
    const { type, manifest } = within(
      words => `Error parsing manifest for image: ${words}`,
      () => {
        let [member, type] = [top, typeOf(archive, top, archive.entry)];
        while (isIndexType(type)) {
          [chosen, member] = chooseBelow(archive, member, type);
          digest = textField(chosen, 'digest');
          // Only the entry of index.json lends its media type.
          type = typeOf(archive, member, null);
        }
        return { type, manifest: openManifest(archive, member, type) };
      },
    );
    const config = openConfig(archive, type, manifest);
    checkUrls(config.descriptor);
    inspectConfig(archive, type, config.document);
    verdicts.set(manifestKey(digest), taken(sha256Of(archive, top)));
  });
  return { verdicts, refusal, passed: refusal ?? passedWords(chosen) };
}

/** The manifest for linux/amd64 that an index lists, with its entry. */
function chooseBelow(archive: OciArchive, at: Member, type: string): [JsonObject, Member] {
  const index = within(
    words => `parsing OCI1 index: ${words}`,
    () => openIndex(archive, at, type),
  );
  const chosen = within(
    words => `choosing image instance: ${words}`,
    () => chooseEntry(type, index),
  );
  const digest = textField(chosen, 'digest');
  const from = type.includes('.oci.') ? 'image index' : 'manifest list';
  const member = within(
    words => `fetching target platform image selected from ${from}: ${words}`,
    () => manifestAt(archive, digest),
  );
  if (!hasDigest(archive, member, digest))
    refuse(`Image manifest does not match selected manifest digest ${digest}`);
  return [chosen, member];
}
