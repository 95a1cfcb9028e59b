import type { Member } from '../containers/source.js';
import { listField, objectField, textField } from '../decoding/go-json.js';
import { attempt, refuse } from '../decoding/refused.js';
import type { GoVersion } from '../go/json/faults.js';
import { isObject, type JsonObject } from '../spec/json.js';
import { isIndexType } from '../spec/media-types.js';
import { openDirectory, topOfDirectory } from './folder.js';
import {
  blobAt,
  hasDigest,
  LAYOUT_PATHS,
  manifestAt,
  type OciArchive,
  openConfig,
  openIndex,
  type openLayout,
  openManifest,
  typeOf,
} from './oci-archive.js';
import type { TarFile } from './tar-file.js';
import type { LoadedImage } from './verdict.js';

/**
 * Every image that containers/image takes from an OCI layout: asked for by the name of any entry, on a machine of any
 * platform. What is of platform unknown/unknown is chosen nowhere.
 */
export function ociLoads(file: TarFile, go: GoVersion, open: typeof openLayout): LoadedImage[] {
  const loads = new Map<string, LoadedImage>();
  attempt(() => {
    const { tree, entries } = open(file, go);
    for (const entry of entries.filter(isObject)) {
      const archive = { file, tree, entry, go, paths: LAYOUT_PATHS };
      attempt(() => loadAll(archive, manifestAt(archive, textField(entry, 'digest')), loads));
    }
  });
  return [...loads.values()];
}

/** The same of a directory of skopeo's. */
export function directoryLoads(file: TarFile, go: GoVersion): LoadedImage[] {
  const loads = new Map<string, LoadedImage>();
  const archive = openDirectory(file, go);
  attempt(() => loadAll(archive, topOfDirectory(archive), loads));
  return [...loads.values()];
}

/** @param loads  gets what a manifest is, or an index lists, by its type and digest */
function loadAll(archive: OciArchive, top: Member, loads: Map<string, LoadedImage>): void {
  const { entry } = archive;
  const load = (member: Member, type: string, key: string) => {
    if (!loads.has(key)) attempt(() => loads.set(key, loadedManifest(archive, member, type)));
  };
  const type = typeOf(archive, top, entry);
  if (!isIndexType(type)) {
    load(top, type, `${type} ${textField(entry, 'digest')}`);
    return;
  }
  const index = openIndex(archive, top, type);
  for (const child of listField(index, 'manifests').filter(isObject).filter(isChosenSomewhere)) {
    const digest = textField(child, 'digest');
    attempt(() => {
      const member = manifestAt(archive, digest);
      if (!hasDigest(archive, member, digest)) refuse('manifest digest');
      load(member, typeOf(archive, member, null), ` ${digest}`);
    });
  }
}

function isChosenSomewhere(entry: JsonObject): boolean {
  const platform = objectField(entry, 'platform');
  return textField(platform, 'os') !== 'unknown' || textField(platform, 'architecture') !== 'unknown';
}

function loadedManifest(archive: OciArchive, at: Member, type: string): LoadedImage {
  const manifest = openManifest(archive, at, type);
  const { member } = openConfig(archive, type, manifest);
  const layers = listField(manifest, 'layers')
    .filter(isObject)
    .map(layer => blobAt(archive, textField(layer, 'digest')));
  return { config: member, layers };
}
