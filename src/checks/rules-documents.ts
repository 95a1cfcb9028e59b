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
      'A document that describes the archive or an image is not valid JSON (RFC 8259), so waybill cannot read what it describes. It was damaged, cut short or edited by hand. Fetch the archive again.',
  },
  'field-invalid': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `expected ${d.expected}, found ${d.actual}${d.engines === undefined ? '' : `: ${d.engines.join(', ')} refuse${d.engines.length === 1 ? 's' : ''} the document`}`,
    explain:
      'A field of the document is missing, or has a type or value that the OCI or Docker image specification does not allow. The JSON pointer says which field. Readers handle it differently. A descriptor without a valid size is an error: clients must compare the size before they trust the content (descriptor.md). A value for which engines refuse the whole document is an error too; `engines` in the data names them. Engines are written in Go, whose JSON decoder requires the declared type of each field: no string for a number, and no number with a decimal point or an exponent (`397.0`, `1e3`) for an integer. Correct the field.',
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
      'index.json is the entry point of an OCI image layout (image-layout.md). Without it nothing tells which blobs are images, and what they are called. The layout was cut short, or copied without its index. Copy it again.',
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
      'The specification allows an empty list and advises against it (image-index.md, manifests). This index leads to no image.',
  },
  'index-cycle': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `the index ${shortDigest(d.digest)} lists itself, directly or through another`,
    explain:
      'An index cannot contain its own digest, so one of the digests in this circle is wrong. A reader that trusts them loops without end. Do not load the archive.',
  },
  'ambiguous-document': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `this ${d.kind} also has ${d.forbidden.join(' and ')}: tools can read it as a manifest or as an index`,
    explain:
      'A document that is a manifest and an index at once shows different content to different tools under one digest (CVE-2021-41190, GHSA-77vh-xpmg-72qh). The specification forbids it, and engines refuse it. Do not trust this image.',
  },
  'media-type-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `expected the media type ${d.expected} of the descriptor, found ${d.actual} in the document`,
    explain:
      "A document's mediaType must be that of the descriptor that points to it (descriptor.md, manifest.md). Otherwise one reader may take it for a manifest and another for an index (CVE-2021-41190).",
  },
  'media-types-differ': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `this descriptor calls ${shortDigest(d.digest)} ${d.mediaTypes[1]}, another one calls it ${d.mediaTypes[0]}`,
    explain:
      'Two descriptors have one digest and different media types. A reader uses the media type of the descriptor that it follows, so two readers can interpret one document differently. It is an error where one says manifest and the other index. Write the same media type in both.',
  },
  'not-a-manifest': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `expected an image manifest, found ${d.mediaType ?? 'a document without a media type'}`,
    explain:
      'An index may list any content, but only manifests and indexes lead to images. waybill shows this document as an artifact of unknown kind. It is an error where the descriptor has the media type of a manifest, because an image is missing then.',
  },
  'manifest-json-null': {
    severity: 'error',
    verdict: 'conformant',
    message: () => 'expected an array, found null: the archive lists no images',
    explain:
      'Docker 23 and later refuse it ("invalid manifest, manifest cannot be null (but can be [])"); Docker 20.10 loads nothing without a message. The writer had no image to save. Save the image again.',
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
      'manifest.json of docker save is an array with one object for each image. Engines load nothing from this one. Save the image again.',
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
        ? `the keys ${d.keys.join(' and ')} differ in case only: engines read them as one key, ${d.expected[0]}, and use the last; readers that compare case see two`
        : `expected the ${d.keys.length === 1 ? 'key' : 'keys'} ${d.expected.join(', ')}, found ${d.keys.join(', ')}: readers that compare case do not find ${d.keys.length === 1 ? 'it' : 'them'}`,
    explain:
      "Go's JSON parser ignores the case of keys, so docker, containerd, podman and skopeo read such a document; other tools do not find the field. waybill reads it as engines do. In the manifest.json of docker save it is a note, because containerify writes such keys; elsewhere it is a warning. It is an error where one object has a key in two spellings: Go uses the last one, or merges the values of both, and a reader that compares case uses another one. Two readers then see two images. Remove all but one.",
  },
  'key-duplicate': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `the key ${JSON.stringify(d.key)} is repeated in this object${d.repeated > 1 ? ` (one of ${d.repeated} repeated keys in the document)` : ''}: some readers use the first, others the last`,
    explain:
      'A JSON object should have each key once; the behaviour of readers is not defined for a repeated key (RFC 8259 section 4). Go, JavaScript and Python use the last, others use the first or refuse the document. So two readers may see two images under one digest. No known tool writes such a document. waybill uses the last. Do not load the archive.',
  },
  'text-not-unicode': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      d.kind === 'bytes'
        ? 'expected a document in UTF-8, found bytes that are not UTF-8'
        : 'the document has an escape of a lone surrogate (half a character)',
    explain:
      'JSON is text in UTF-8 (RFC 8259 section 8). Readers handle other bytes differently: Go replaces them by U+FFFD, others refuse the document, and some keep them. So a name or path with such text differs between readers.',
  },
  'name-invalid': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `engines refuse the name ${JSON.stringify(d.name)}: ${d.reason}`,
    explain:
      'A RepoTag must be a repository in lower case, a colon and a tag. docker load refuses the whole archive for one that is not ("invalid tag", "repository name must be lowercase").',
  },
  'name-confusable': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `the name ${JSON.stringify(d.name)} has characters that image names cannot have: ${d.characters.join(', ')}`,
    explain:
      'Names of images are ASCII in every grammar (distribution reference, image-index annotations). A letter of another alphabet can look like an ASCII letter, other characters are invisible or change the direction of text: a person reads another name than the one that is there. docker load refuses such a name; containerd accepts any name from an index. Do not load this archive by its name.',
  },
  'name-duplicate': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the name ${JSON.stringify(d.name)} is listed more than once`,
    explain:
      'The document lists one name twice. Which image it means depends on the reader; most use the last one.',
  },
  'name-ambiguous': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `the name ${JSON.stringify(d.name)} is given to ${d.images.length} entries: ${d.images.join(', ')}${d.refName === undefined ? '' : `; skopeo, which goes by org.opencontainers.image.ref.name alone, finds only ${d.refName.join(', ')} by it`}`,
    explain:
      'Several entries of index.json or manifest.json have one name and stand for different images or artifacts: docker load tags one after the other, and the last keeps the name. An entry of index.json can have two names: io.containerd.image.name, by which docker load and containerd go, and org.opencontainers.image.ref.name, the only one by which skopeo, umoci and podman pull oci-archive: look for an image. Where a name means one image by the first and another by the second, it is an error: these engines would load different images under it. It is an error too where manifest.json gives a name to one image and index.json to another, and where an artifact has the name of an image: skopeo takes the first of the two. What cosign save writes behind an image, its signatures and attestations, has the name of the image too, and is a warning: skopeo and cosign load find the image, Docker with the containerd store and containerd itself give the name to the last of them. Do not load the archive by this name; save the images again.',
  },
  'parent-missing': {
    severity: 'info',
    verdict: null,
    message: d => `the parent image ${shortDigest(d.parent)} is not in this archive`,
    explain:
      '`Parent` links images that were built on one machine with the classic builder. The image is complete without its parent.',
  },
  'views-disagree': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `manifest.json and index.json list different images: only in manifest.json: ${list(d.onlyManifestJson)}; only in index.json: ${list(d.onlyIndexJson)}`,
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
      'Docker before 1.10 read the file `repositories`; later versions write it beside manifest.json. It maps each name to the top layer of an image, and must agree with manifest.json. One of the two was edited.',
  },
  'layers-disagree': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `manifest.json and index.json list different layers, or another order of them, for ${shortDigest(d.image)}: ${d.right === null ? 'neither agrees with the diff_ids of the config' : `${d.right} agrees with the diff_ids of the config`}`,
    explain:
      'Both files describe the same config, but list different layers for it, or list them in another order. docker load with the classic store, podman and crane read manifest.json; containerd, Docker 29 and skopeo oci-archive: read index.json. They build different file systems from this one file. `right` in the data names the file whose layers are those of the config, in its order (config.md, rootfs.diff_ids). Save the image again; Docker 25.0.0 wrote such archives (fixed in 25.0.1).',
  },
  'producer-bug': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `${d.detail}: a known bug of ${d.producer}`,
    explain:
      'The archive has the marks of a known bug of the tool that wrote it. `bug` in the data names it: oci-layers-in-random-order and oci-manifest-without-layers (Docker 25.0.0 and its betas: manifest.json is right), untagged-image-missing-from-index (Docker 25.0.0 to 25.0.2), platform-in-config-descriptor (Docker before 26.1), foreign-layer-stored-unpacked, zstd-labelled-gzip (containerd). Save the image again with a newer version.',
  },
};
