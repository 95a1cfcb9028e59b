import { isObject, type JsonObject } from '../../spec/json.js';
import { isIndexType } from '../../spec/media-types.js';
import { attempt, type LoadedImage, refuse } from './answer.js';
import type { GoVersion } from './go-faults.js';
import { listField, objectField, textField } from './go-json.js';
import {
  blobAt,
  hasDigest,
  type OciArchive,
  openConfig,
  openIndex,
  openLayout,
  openManifest,
  typeOf,
} from './oci-archive.js';
import type { TarFile } from './tar-file.js';

/**
 * Every image that containers/image takes from an oci-archive: asked for by the name of any entry, on a machine of any
 * platform. What is of platform unknown/unknown is chosen nowhere.
 */
export function ociLoads(file: TarFile, go: GoVersion): LoadedImage[] {
  const loads: LoadedImage[] = [];
  const seen = new Set<string>();
  const load = (archive: OciArchive, digest: string, type: string | null) => {
    const key = `${type} ${digest}`;
    if (seen.has(key)) return;
    seen.add(key);
    attempt(() => loads.push(loadedManifest(archive, digest, type)));
  };
  attempt(() => {
    const { tree, entries } = openLayout(file, go);
    for (const entry of entries.filter(isObject)) {
      const archive = { file, tree, entry, go };
      const digest = textField(entry, 'digest');
      attempt(() => {
        const type = typeOf(archive, blobAt(archive, digest), entry);
        if (!isIndexType(type)) return load(archive, digest, type);
        const index = openIndex(archive, blobAt(archive, digest), type);
        for (const child of listField(index, 'manifests').filter(isObject).filter(isChosenSomewhere))
          load(archive, textField(child, 'digest'), null);
      });
    }
  });
  return loads;
}

function isChosenSomewhere(entry: JsonObject): boolean {
  const platform = objectField(entry, 'platform');
  return textField(platform, 'os') !== 'unknown' || textField(platform, 'architecture') !== 'unknown';
}

/** @param declared  the media type that the entry of index.json gives; null for what an index below it lists */
function loadedManifest(archive: OciArchive, digest: string, declared: string | null): LoadedImage {
  const at = blobAt(archive, digest);
  if (declared === null && !hasDigest(archive, at, digest)) refuse('manifest digest');
  const type = declared ?? typeOf(archive, at, null);
  const manifest = openManifest(archive, at, type);
  const { member } = openConfig(archive, type, manifest);
  const layers = listField(manifest, 'layers')
    .filter(isObject)
    .map(layer => blobAt(archive, textField(layer, 'digest')));
  return { config: member, layers };
}
