// Image layouts by producer: FORMATS section 1, rows G, H, K, M, O, P, and Q, which is not a layout.
import { type Builds, buildsOf } from './buildkit-layouts.js';
import { encodedOf, goJson, sortedKeys } from './digest.js';
import type { Image } from './image.js';
import { directory, file, firstOfEach, type Member, without } from './members.js';
import { splitName } from './names.js';
import {
  type Blob,
  blobOf,
  type Content,
  described,
  indexOf,
  layerMediaType,
  MEDIA,
  manifestFrom,
  manifestOf,
  NAME_ANNOTATION,
  platformManifest,
  REF_ANNOTATION,
} from './oci.js';
import { blobMembers, blobPath, indexFile, layoutFile, ociLayout } from './oci-layout.js';
import { entriesOf, type Images } from './tagged.js';
import type { TarEntry } from './tar.js';

/** Row G: podman and skopeo `oci-archive:` or `oci:`. Names are written as given, a tag or a full reference. */
export function skopeoOci(images: Images): Member[] {
  const manifests = entriesOf(images).flatMap(({ image, tags }) => {
    const manifest = manifestOf(image);
    if (tags.length === 0) return [manifest];
    return tags.map(tag => described(manifest, { annotations: { [REF_ANNOTATION]: tag } }));
  });
  return ociLayout({ manifests });
}

/** Row H: skopeo `dir:`. A list is `manifest.json` with its instances beside it. */
export function skopeoDir(builds: Builds): Member[] {
  const [build, ...others] = buildsOf(builds);
  if (build === undefined || others.length > 0) throw new Error('a dir: holds one image');
  const manifests = build.platforms.map(image =>
    platformManifest(image, { docker: true, sizeFirst: true, indent: 3 }),
  );
  const [first] = manifests as [Content];
  const top =
    manifests.length === 1 ? first : indexOf(manifests, { docker: true, sizeFirst: true, indent: 3 });
  const instances = manifests.length === 1 ? [] : manifests.map(({ blobs }) => blobs[0] as Blob);
  const parts = manifests.flatMap(({ blobs }) => blobs.slice(1));
  return firstOfEach([
    file('version', 'Directory Transport Version: 1.1\n'),
    ...parts.map(({ digest, bytes }) => file(encodedOf(digest), bytes)),
    ...instances.map(({ digest, bytes }) => file(`${encodedOf(digest)}.manifest.json`, bytes)),
    file('manifest.json', (top.blobs[0] as Blob).bytes),
  ]);
}

/** Row K: Bazel's rules_oci: `docker` has only manifest.json, `oci` repeats a descriptor for every tag. */
export function rulesOci(images: Images, options: { readonly format?: 'docker' | 'oci' } = {}): Member[] {
  const entries = entriesOf(images);
  if (options.format === 'oci') {
    return ociLayout({
      manifests: entries.flatMap(({ image, tags }) =>
        tags.map(tag => described(manifestOf(image), { annotations: { [REF_ANNOTATION]: tag } })),
      ),
      indent: 2,
    });
  }
  const suffixed = (digest: string) => `${blobPath(digest)}.tar.gz`;
  const items = entries.map(({ image, tags }) => ({
    Config: blobPath(image.imageId),
    RepoTags: tags,
    Layers: image.layers.map(({ digest }) => suffixed(digest)),
  }));
  const blobs = entries.flatMap(({ image }) => [
    file(blobPath(image.imageId), image.configBytes),
    ...image.layers.map(({ digest, blob }) => file(suffixed(digest), blob)),
  ]);
  return firstOfEach([...blobs, file('manifest.json', `${goJson(items, 2)}\n`)]);
}

/** Row M: regctl image export (regclient image.go): documents first, LayerSources keyed by blob digest. */
export function regctl(images: Images): Member[] {
  const [entry, ...others] = entriesOf(images);
  if (entry === undefined || others.length > 0) throw new Error('regctl exports one image');
  const { image, tags } = entry;
  const [name] = tags;
  const manifest = manifestOf(image);
  const annotations = name && { [NAME_ANNOTATION]: name, [REF_ANNOTATION]: splitName(name).tag };
  const sources = image.layers.map(layer => {
    const { digest, size } = layer;
    return [digest, { mediaType: layerMediaType(layer), digest, size }];
  });
  const item = {
    Config: blobPath(image.imageId),
    RepoTags: tags,
    Layers: image.layers.map(({ digest }) => blobPath(digest)),
    LayerSources: sortedKeys(Object.fromEntries(sources)),
  };
  return [
    layoutFile(),
    indexFile([annotations ? described(manifest, { annotations }) : manifest], { mediaType: false }),
    file('manifest.json', goJson([item])),
    ...without(blobMembers(manifest.blobs, { sorted: false }), 'blobs/'),
  ];
}

/** Row O: cosign save: the image and its signature, told apart by the annotation `kind`. */
export function cosignSave(images: Images): Member[] {
  const manifests = entriesOf(images).flatMap(({ image, tags }) => {
    const manifest = manifestOf(image);
    return [kind(manifest, 'image'), kind(signatureOf(manifest, tags[0] ?? ''), 'sigs')];
  });
  return ociLayout({ manifests, indent: 3, order: 'blobs-last' });
}

const kind = (content: Content, name: string): Content =>
  described(content, { annotations: { kind: `dev.cosignproject.cosign/${name}` } });

/** A manifest of one simple-signing payload; the signature itself consists of zeros. */
function signatureOf(subject: Content, name: string): Content {
  const payload = {
    critical: {
      identity: { 'docker-reference': name },
      image: { 'docker-manifest-digest': subject.descriptor.digest },
      type: 'cosign container image signature',
    },
    optional: null,
  };
  const signed = blobOf('application/vnd.dev.cosign.simplesigning.v1+json', goJson(payload));
  const signature = Buffer.alloc(64).toString('base64');
  const layer = described(signed, { annotations: { 'dev.cosignproject.cosign/signature': signature } });
  const rootfs = { type: 'layers', diff_ids: [signed.descriptor.digest] };
  const config = goJson({ architecture: '', created: '0001-01-01T00:00:00Z', os: '', rootfs, config: {} });
  return manifestFrom(MEDIA.manifest, blobOf(MEDIA.config, config), [layer]);
}

/** Row P: oras backup and the bundles of Zarf, k3s, hauler: many images by tag, and their referrers. */
export function orasBackup(images: Images, referrers: readonly Content[] = []): Member[] {
  const manifests = entriesOf(images).flatMap(({ image, tags }) => {
    const manifest = platformManifest(image);
    return tags.length === 0
      ? [manifest]
      : tags.map(tag => described(manifest, { annotations: { [REF_ANNOTATION]: tag } }));
  });
  return ociLayout({ manifests: [...manifests, ...referrers] });
}

/** Row Q, not an image: the root file system, as `docker export` and buildx `type=tar` write it. */
export function rootfs(image: Image): Member[] {
  const tree = new Map<string, Member>();
  for (const { entries } of image.layers) for (const entry of entries) apply(tree, entry);
  return [...tree.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Sufficient for fixtures: supports plain whiteouts, and not opaque ones. */
function apply(tree: Map<string, Member>, { path, bytes = '', link, type, mode, mtime }: TarEntry): void {
  const more = { ...(mode !== undefined && { mode }), ...(mtime !== undefined && { mtime }) };
  const [, folder = '', gone] = /^(.*\/)?\.wh\.([^/]+)$/.exec(path) ?? [];
  if (gone !== undefined) {
    const removed = `${folder}${gone}`;
    for (const known of tree.keys())
      if (known === removed || known.startsWith(`${removed}/`)) tree.delete(known);
  } else if (link !== undefined) tree.set(path, { path, link, hard: type === 'link', ...more });
  else tree.set(path, path.endsWith('/') ? directory(path, more) : file(path, bytes, more));
}
