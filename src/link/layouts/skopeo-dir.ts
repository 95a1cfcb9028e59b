import { isSignatureFile } from '../../scan/blob/document.js';
import { splitDigest } from '../../spec/digest.js';
import { goField, isObject } from '../../spec/json.js';
import type { ScannedArchive } from '../archive.js';
import { classify } from '../classify.js';
import { ManifestWalk } from '../manifests.js';
import { type LayoutReader, type Linked, NOTHING_LINKED } from './layout.js';

const hexOf = (digest: string) => splitDigest(digest)[1];
const manifestPath = (digest: string) => `${hexOf(digest)}.manifest.json`;

/**
 * skopeo's `dir:`: a registry's manifest or manifest list as manifest.json, an object where `docker save` writes an
 * array; blobs as `<hex>`, and the manifests of a list as `<hex>.manifest.json`.
 * https://github.com/containers/image/blob/main/docs/containers-transports.5.md
 */
export const skopeoDir: LayoutReader<'skopeo-dir'> = {
  name: 'skopeo-dir',
  detect(archive) {
    if (archive.has('index.json') || archive.has('oci-layout')) return false;
    const member = archive.file('manifest.json');
    return member !== null && isObject(archive.document(member).value);
  },
  link,
  // Old versions of skopeo wrote `<hex>.tar`.
  blobPaths: digest => [hexOf(digest), `${hexOf(digest)}.tar`],
  manifestPaths: digest => [manifestPath(digest)],
  rootManifest: 'manifest.json',
  digestOfPath(path) {
    const hex = /^([0-9a-f]{64}|[0-9a-f]{128})(?:\.manifest\.json)?$/.exec(path)?.[1];
    return hex === undefined ? null : `${hex.length === 64 ? 'sha256' : 'sha512'}:${hex}`;
  },
};

function link(archive: ScannedArchive): Linked {
  const locate = (digest: string, manifest: boolean): string => {
    if (manifest) return manifestPath(digest);
    const [first, ...others] = skopeoDir.blobPaths(digest);
    return archive.has(first!) ? first! : (others.find(path => archive.has(path)) ?? first!);
  };
  const walk = new ManifestWalk(archive, locate);
  const member = archive.file('manifest.json')!;
  const value = archive.json(member)!;
  if (isObject(value) && Array.isArray(goField(value, 'manifests'))) walk.index(value, member.path);
  else walk.root(member, value);
  for (const name of ['version', ...signatures(archive)]) archive.file(name);
  const { images, artifacts } = classify(archive, walk, locate);
  return { ...NOTHING_LINKED, images, artifacts, indexes: walk.indexes, absent: walk.absent };
}

function signatures(archive: ScannedArchive): string[] {
  return archive.scan.members
    .map(m => m.path.slice(archive.root.length))
    .filter(path => !path.includes('/') && isSignatureFile(path));
}
