import type { Member } from '../../source/source.js';
import type { JsonObject } from '../../spec/json.js';
import { isIndexType } from '../../spec/media-types.js';
import { attempt, manifestKey, type Outcome, refuse, taken, type Verdict, within } from './answer.js';
import { openDirectory, openFolder, topOfDirectory } from './folder.js';
import { BUILT_WITH } from './go-faults.js';
import { textField } from './go-json.js';
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
import type { TarFile } from './tar-file.js';

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
