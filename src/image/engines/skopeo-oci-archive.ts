import type { JsonObject } from '../../spec/json.js';
import { isIndexType } from '../../spec/media-types.js';
import { attempt, manifestKey, type Outcome, refuse, taken, type Verdict, within } from './answer.js';
import { BUILT_WITH } from './go-faults.js';
import { textField } from './go-json.js';
import {
  blobAt,
  checkUrls,
  chooseEntry,
  hasDigest,
  inspectConfig,
  openConfig,
  openIndex,
  openManifest,
  openOciArchive,
  passedWords,
  sha256Of,
  typeOf,
} from './oci-archive.js';
import { ociLoads } from './oci-loads.js';
import type { TarFile } from './tar-file.js';

/**
 * `skopeo inspect oci-archive:FILE` on linux/amd64: the digest of the one entry of index.json, be it an index or a
 * manifest, and the rest of what it prints from the image chosen behind it. skopeo cmd/skopeo/inspect.go
 */
export function skopeoOciArchive(file: TarFile): Outcome {
  const verdicts = new Map<string, Verdict>();
  let chosen: JsonObject | null = null;
  const refusal = attempt(() => {
    const archive = within(
      words => `Error parsing image name "oci-archive:FILE": ${words}`,
      () => openOciArchive(file, BUILT_WITH.skopeo),
    );
    const { entry } = archive;
    let digest = textField(entry, 'digest');
    const top = within(
      words => `Error retrieving manifest for image: ${words}`,
      () => blobAt(archive, digest),
    );
    const { type, manifest } = within(
      words => `Error parsing manifest for image: ${words}`,
      () => {
        let [member, type] = [top, typeOf(archive, top, entry)];
        while (isIndexType(type)) {
          const index = within(
            words => `parsing OCI1 index: ${words}`,
            () => openIndex(archive, member, type),
          );
          chosen = within(
            words => `choosing image instance: ${words}`,
            () => chooseEntry(type, index),
          );
          digest = textField(chosen, 'digest');
          const from = type.includes('.oci.') ? 'image index' : 'manifest list';
          const fetching = (words: string) =>
            `fetching target platform image selected from ${from}: ${words}`;
          member = within(fetching, () => blobAt(archive, digest));
          if (!hasDigest(archive, member, digest)) {
            refuse(`Image manifest does not match selected manifest digest ${digest}`);
          }
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
  return {
    verdicts,
    loads: ociLoads(file, BUILT_WITH.skopeo),
    refusal,
    passed: refusal ?? passedWords(chosen),
  };
}
