import { shortDigest } from '../spec/digest.js';
import type { Rules } from './rule.js';

const list = (items: readonly string[]) => items.map(shortDigest).join(', ') || 'none';

export const documentRules: Rules<
  | 'json-invalid'
  | 'field-invalid'
  | 'layout-version'
  | 'layout-file-missing'
  | 'index-missing'
  | 'index-without-manifests'
  | 'index-empty'
  | 'index-cycle'
  | 'ambiguous-document'
  | 'media-type-mismatch'
  | 'media-types-differ'
  | 'not-a-manifest'
  | 'manifest-json-null'
  | 'manifest-json-empty'
  | 'manifest-json-not-array'
  | 'manifest-json-item-invalid'
  | 'key-case'
  | 'key-duplicate'
  | 'text-not-unicode'
  | 'name-invalid'
  | 'name-confusable'
  | 'name-duplicate'
  | 'name-ambiguous'
  | 'parent-missing'
  | 'views-disagree'
  | 'names-disagree'
  | 'repositories-disagree'
  | 'layers-disagree'
  | 'producer-bug'
> = {
  'json-invalid': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `expected a JSON document: ${d.reason}`,
    explain:
      'The document that describes the archive or an image is not JSON, so what it describes cannot be read. It was damaged, cut short or edited by hand.',
  },
  'field-invalid': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `expected ${d.expected}, found ${d.actual}${d.engines === undefined ? '' : `: ${d.engines.join(', ')} refuse${d.engines.length === 1 ? 's' : ''} the document`}`,
    explain:
      'A field of the document is missing or of the wrong type or value, measured by the OCI image specification or the Docker image specification. The pointer says which. Readers differ in what they make of it. A descriptor without a valid size is an error: clients must compare it before they trust what they fetch. So is a value for which engines refuse the whole document; `engines` in the data names them. They are written in Go, whose JSON decoder wants for each field the type that the engine gave it: no string for a number, and no number with a point or an exponent (`397.0`, `1e3`) for an integer. Write the field as the specification has it.',
  },
  'layout-version': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `expected imageLayoutVersion "${d.expected}", found ${d.actual === null ? 'none' : JSON.stringify(d.actual)}`,
    explain:
      'The file oci-layout must carry the version of the layout (image-layout.md). containerd refuses any but 1.0.0.',
  },
  'layout-file-missing': {
    severity: 'warning',
    verdict: 'conformant',
    message: () => 'there is an index.json but no oci-layout file beside it',
    explain:
      'An OCI image layout must have a file oci-layout with {"imageLayoutVersion":"1.0.0"} (image-layout.md). umoci refuses a layout without it, and so do other tools that follow the specification; containerd looks for a manifest.json then. skopeo and podman do not look for it.',
  },
  'index-missing': {
    severity: 'error',
    verdict: 'complete',
    message: () => 'there is an oci-layout file but no index.json: nothing says which images are here',
    explain:
      'index.json is the entry point of an OCI image layout (image-layout.md); without it the blobs are anonymous. The layout was cut short, or its index was left behind when it was copied.',
  },
  'index-without-manifests': {
    severity: 'error',
    verdict: 'conformant',
    message: () => 'expected an array "manifests", found none',
    explain:
      'An image index must have an array of manifests, which may be empty (image-index.md). This document has none, so it lists no images.',
  },
  'index-empty': {
    severity: 'warning',
    verdict: 'conformant',
    message: () => 'the index lists no manifests',
    explain:
      'The specification allows an empty list and advises against it (image-index.md). There is no image behind this index.',
  },
  'index-cycle': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `the index ${shortDigest(d.digest)} lists itself, directly or through another`,
    explain:
      'An index cannot contain its own digest: one of the digests on the way is false. Readers that trust them never end.',
  },
  'ambiguous-document': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `this ${d.kind} also has ${d.forbidden.join(' and ')}: it can be read as two different things`,
    explain:
      'A document that is a manifest and an index at once shows different content to different tools under one digest (CVE-2021-41190, GHSA-77vh-xpmg-72qh). The specification forbids it, and engines refuse it. Do not trust this image.',
  },
  'media-type-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the descriptor says ${d.expected}, the document ${d.actual}`,
    explain:
      "A document's mediaType must be that of the descriptor that points to it (descriptor.md, manifest.md); otherwise two readers may take it for two things (CVE-2021-41190).",
  },
  'media-types-differ': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `this descriptor calls ${shortDigest(d.digest)} ${d.mediaTypes[1]}, another one calls it ${d.mediaTypes[0]}`,
    explain:
      'Two descriptors have one digest and different media types. A reader goes by the descriptor that it follows, so that one document is two things. Of a manifest and an index it is an error. Write the same media type in both.',
  },
  'not-a-manifest': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `this was to be a manifest and is none (${d.mediaType ?? 'no media type'})`,
    explain:
      'index.json may list any content, but images are found through manifests and indexes only. This one is shown as an artifact of unknown kind. It is an error where a manifest was promised, for then an image is missing.',
  },
  'manifest-json-null': {
    severity: 'error',
    verdict: 'conformant',
    message: () => 'expected an array, found null: the archive lists no images',
    explain:
      'Docker 23 and later refuse it ("invalid manifest, manifest cannot be null (but can be [])"); Docker 20.10 loads nothing and says nothing. The writer had no image to save.',
  },
  'manifest-json-empty': {
    severity: 'error',
    verdict: 'complete',
    message: () => 'the archive lists no images',
    explain: 'manifest.json is an empty array. docker load succeeds with it and loads nothing.',
  },
  'manifest-json-not-array': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `expected an array of images, found ${d.actual}`,
    explain:
      'manifest.json of docker save is an array with one object per image. Nothing can be loaded from this one.',
  },
  'manifest-json-item-invalid': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `expected an object that describes an image, found ${d.actual}`,
    explain: 'Each item of manifest.json is an object with Config, RepoTags and Layers.',
  },
  'key-case': {
    severity: 'info',
    verdict: 'conformant',
    message: d =>
      d.keys.length > d.expected.length
        ? `the keys ${d.keys.join(' and ')} are one key, ${d.expected[0]}, to readers that ignore case, such as all engines, which take the last; to others they are two`
        : `${d.keys.length === 1 ? 'the key' : 'the keys'} ${d.keys.join(', ')} should be ${d.expected.join(', ')}: only some readers take one case for the other`,
    explain:
      "Go's JSON parser ignores the case of keys, so docker, containerd, podman and skopeo read such a document; other tools do not see the field. waybill reads it as they do. In the manifest.json of docker save it is a note, for containerify writes it so; elsewhere it is a warning. It is an error where one object has a key in two spellings: Go takes the last of them, or what both hold together, and a reader that minds the case takes another. Such a document is two images. Remove all but one.",
  },
  'key-duplicate': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `the key ${JSON.stringify(d.key)} stands in this object before${d.repeated > 1 ? ` (of ${d.repeated} repeated keys in the document)` : ''}: some readers take the first, others the last`,
    explain:
      'A JSON object should have each key once, and what a reader makes of a second one is its own affair (RFC 8259 section 4). Go, JavaScript and Python keep the last, others the first or refuse the document. So two readers may see two images under one digest; no honest writer makes such a document. waybill reads the last.',
  },
  'text-not-unicode': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      d.kind === 'bytes'
        ? 'there are bytes in it that are not UTF-8'
        : 'there are escapes in it that name half a character (a lone surrogate)',
    explain:
      'JSON is text in UTF-8 (RFC 8259 section 8). Readers differ in what they make of anything else: Go puts U+FFFD in its place, others refuse the document, and some keep it. A name or path with such text is therefore not the same everywhere.',
  },
  'name-invalid': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `${JSON.stringify(d.name)} is no name that an engine can load: ${d.reason}`,
    explain:
      'A RepoTag must be a repository in lower case, a colon and a tag. docker load refuses the whole archive for one that is not ("invalid tag", "repository name must be lowercase").',
  },
  'name-confusable': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `the name ${JSON.stringify(d.name)} has characters that no name has: ${d.characters.join(', ')}`,
    explain:
      'Names of images are plain ASCII by every grammar there is. A letter of another alphabet looks like one of ours, other characters are not seen at all or turn the direction of text: such a name is read as another one than it is. docker load refuses it; containerd takes any name from an index. Do not load this archive by its name.',
  },
  'name-duplicate': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the name ${JSON.stringify(d.name)} stands here more than once`,
    explain:
      'The same name is given twice. Which image it means depends on the reader; most take the last one.',
  },
  'name-ambiguous': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `the name ${JSON.stringify(d.name)} is given to ${d.images.length} images: ${d.images.join(', ')}`,
    explain:
      'One name for several images: docker load tags them one after the other, and the last keeps the name.',
  },
  'parent-missing': {
    severity: 'info',
    verdict: null,
    message: d => `the parent image ${shortDigest(d.parent)} is not in this archive`,
    explain:
      'Parent only links images that were built on one machine with the classic builder. The image is complete without it.',
  },
  'views-disagree': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `manifest.json and index.json tell of different images: only in manifest.json: ${list(d.onlyManifestJson)}; only in index.json: ${list(d.onlyIndexJson)}`,
    explain:
      'An archive with both files should describe the same images in both. docker load with the classic store reads manifest.json, containerd and Docker 29 read index.json: they would load different images from this one file. It is an error where both give one name to different images.',
  },
  'names-disagree': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `manifest.json and index.json name this image differently: only in manifest.json: ${d.onlyManifestJson.join(', ') || 'none'}; only in index.json: ${d.onlyIndexJson.join(', ') || 'none'}`,
    explain:
      'docker load with the classic store takes the names from manifest.json, containerd and Docker 29 take them from index.json. Here the same file would give the image different names. One of the two was edited, or written by a tool that knows only one of them.',
  },
  'repositories-disagree': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `repositories gives ${JSON.stringify(d.name)} to ${d.actual}, where manifest.json has ${d.expected}`,
    explain:
      'The file repositories is what Docker before 1.10 read; later versions write it beside manifest.json. It names the top layer of each image, and must tell the same as manifest.json.',
  },
  'layers-disagree': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `manifest.json and index.json give ${shortDigest(d.image)} different layers, or another order: ${d.right === null ? 'the diff_ids of the config do not tell which is right' : `${d.right} agrees with the diff_ids of the config`}`,
    explain:
      'Both files describe the same config, but not the same layers under it, or not in the same order. docker load with the classic store, podman and crane read manifest.json; containerd, Docker 29 and skopeo oci-archive: read index.json. They build different file systems from this one file. `right` in the data names the file whose layers are those of the config, in its order (config.md, rootfs.diff_ids). Save the image again; Docker 25.0.0 wrote such archives (fixed in 25.0.1).',
  },
  'producer-bug': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `${d.detail}: a known bug of ${d.producer}`,
    explain:
      'The archive shows the marks of a bug that its producer is known to have had. `bug` in the data names it: oci-layers-in-random-order and oci-manifest-without-layers (Docker 25.0.0 and its betas: manifest.json is right), untagged-image-missing-from-index (Docker 25.0.0 to 25.0.2), platform-in-config-descriptor (Docker before 26.1), foreign-layer-stored-unpacked, zstd-labelled-gzip (containerd). Save the image again with a newer version.',
  },
};
