import { bytes, type Rules } from './rule.js';
import { unloadableText } from './unloadable-text.js';

export const imageRules: Rules<
  | 'platform-mismatch'
  | 'diff-id-mismatch'
  | 'diff-ids-missing'
  | 'layer-count-mismatch'
  | 'history-count-mismatch'
  | 'layer-corrupt'
  | 'layer-unsupported'
  | 'layer-duplicate-path'
  | 'layer-holes'
  | 'layer-ambiguous'
  | 'layer-record-invalid'
  | 'layer-not-tar'
  | 'layer-trailing-bytes'
  | 'layer-encrypted'
  | 'layer-type-other'
  | 'layer-stream-ambiguous'
  | 'layer-unloadable'
  | 'compression-mismatch'
  | 'v1-id-mismatch'
  | 'v1-parent-missing'
  | 'v1-parent-cycle'
> = {
  'platform-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the config says ${d.expected}, the index ${d.actual}`,
    explain:
      'The index offers the image for one platform, its config was built for another. Engines choose by the index and run what the config says: on the wrong machine it will not start.',
  },
  'diff-id-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d => `layer ${d.layer + 1}: expected diff_id ${d.expected}, but its bytes are ${d.actual}`,
    explain:
      'A config lists its layers by the digests of their uncompressed tars (config.md). This layer\'s bytes are not what the config was made for: it was changed, recompressed wrongly, or belongs to another image. docker load refuses it ("invalid diffID for layer").',
  },
  'diff-ids-missing': {
    severity: 'warning',
    verdict: 'conformant',
    message: () => 'the config lists no diff_ids: nothing says what its layers should unpack to',
    explain:
      'rootfs.diff_ids is required (config.md). Without it the layers can be checked against the manifest only, and engines refuse the image.',
  },
  'layer-count-mismatch': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `expected ${d.diffIds} ${d.diffIds === 1 ? 'layer' : 'layers'}, one for each diff_id of the config, found ${d.layers}`,
    explain:
      'Manifest and config must list the same layers. docker load refuses the image ("invalid manifest, layers length mismatch").',
  },
  'history-count-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `expected ${d.layers} history entries that made a layer, found ${d.history}`,
    explain:
      'Each history entry not marked empty_layer stands for one layer (config.md). Where they do not add up, nobody can tell which instruction made which layer. Squashing tools leave this behind.',
  },
  'layer-corrupt': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `layer ${d.layer + 1}: its ${d.codec} stream ${d.cut ? 'is cut short' : 'is damaged'} after ${bytes(d.unpacked)}: ${d.reason}`,
    explain:
      'The layer cannot be unpacked to its last byte. If its digest is right, it was already broken when the image was made; if not, it was damaged since.',
  },
  'layer-unsupported': {
    severity: 'warning',
    verdict: null,
    message: d =>
      `layer ${d.layer + 1}: its content was not checked, because its ${d.codec} stream cannot be unpacked here: ${d.reason}`,
    explain:
      'The layer is compressed in a way that waybill does not unpack (docs/architecture.md, Codecs, lists them). Its digest and size were checked; its diff_id was not, so the verdict "intact" stays open.',
  },
  'layer-duplicate-path': {
    severity: 'info',
    verdict: null,
    message: d => `layer ${d.layer + 1} holds more than one entry ${JSON.stringify(d.path)}`,
    explain:
      'Two entries of one layer have the same path; an extraction keeps the last. docker load with the classic store and podman load refuse such a layer ("duplicates of file paths not supported"), others take it.',
  },
  'layer-ambiguous': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1}: readers of tars disagree about the ${d.field}${placeIn(d)}: ${d.readings.map(reading => JSON.stringify(reading)).join(' or ')}`,
    explain:
      'The tar of the layer says the same thing twice, and differently: a size in a header and another in its PAX record, a name in a GNU record and another in a PAX record, two PAX records of one key, or a global PAX header that would change every entry after it. Engines all read layers with Go, and believe the first reading; a scanner that is built on another reader sees other files than those that run. No honest writer makes such a tar. Content of a link or a device is only a warning: old writers give a hard link the size of its file.',
  },
  'layer-record-invalid': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `layer ${d.layer + 1} has a malformed header or record${placeIn(d)}: ${d.reason}`,
    explain:
      'A PAX header holds records of the form LENGTH KEY=VALUE, whose length counts the whole record (POSIX.1, pax interchange format). Go refuses a tar with a malformed one, or with a header whose mode, owner, time or device number is no number, and so does every engine. waybill reads the records before it, and the entries after it.',
  },
  'layer-not-tar': {
    severity: 'error',
    verdict: 'intact',
    message: d => `layer ${d.layer + 1} is no sound tar: ${d.reason}`,
    explain:
      'A layer is a tar of file system changes (layer.md). This one cannot be read as a tar to its end, so no engine can unpack it.',
  },
  'layer-holes': {
    severity: 'error',
    verdict: null,
    message: d =>
      `layer ${d.layer + 1}: the holes of its sparse files add ${bytes(d.bytes)} to what it holds`,
    explain:
      'A sparse file says how large it is and stores only some of it. Engines write all of it when they unpack the layer, zero by zero: a few bytes fill any disk. It is reported where a layer grows by more than the limits unpackedFree and unpackedRatio allow a compressed one (docs/limits.md).',
  },
  'layer-trailing-bytes': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1}: ${bytes(d.bytes)} follow the end of its ${d.codec} stream and belong to nothing`,
    explain:
      "After the compressed stream there are bytes that no part of the image accounts for, though the blob's digest covers them, be they zeros. podman and umoci take them for the next part of the stream and refuse the layer (gzip: `invalid header`, zstd: `magic number mismatch`); Docker stops at the end of the tar and does not see them. Zeros in fours after xz are padding, and not reported. Compress the layer again.",
  },
  'layer-encrypted': {
    severity: 'info',
    verdict: null,
    message: d =>
      d.plain
        ? `layer ${d.layer + 1} is labelled encrypted (${d.mediaType}), but is a plain tar: it was checked as one`
        : `layer ${d.layer + 1} is encrypted (${d.mediaType}): its content cannot be checked`,
    explain:
      'The layer is encrypted with ocicrypt. Its digest and size are checked; what is inside, and its diff_id, can be known only with the key, so the verdict "intact" stays open. A layer that has the label and unpacks as a tar is checked like any other, with a warning: podman unpacks it as it is, umoci refuses the media type.',
  },
  'layer-type-other': {
    severity: 'info',
    verdict: null,
    message: d =>
      d.plain
        ? `layer ${d.layer + 1} is of type ${d.mediaType}, which is no tar, but its bytes are one: it was checked as one`
        : `layer ${d.layer + 1} is no tar by its media type (${d.mediaType}): only its digests and size were checked`,
    explain:
      'A layer may be something else than a tar: a file system image, a WebAssembly module, a text (manifest.md: unknown media types are no error). Its digest, size and diff_id are checked. Engines that unpack layers refuse the image: podman with `archive/tar: invalid tar header`, umoci with `unsupported mediatype`. `waybill ids` says what each does.',
  },
  'layer-stream-ambiguous': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1} ${d.tar ? `is a ${d.codec} stream and a tar as well` : 'begins with a zstd skippable frame'}: engines unpack different bytes`,
    explain:
      'The first bytes have the magic of a compression, and are a valid tar header at the same time or a zstd skippable frame. podman, skopeo and crane know zstd by a data frame alone and take the bytes after a skippable one as they are; containerd knows neither xz nor bzip2; umoci goes by the media type; everything else unpacks the stream. The same digest then gives two file systems. No honest writer makes such a layer, but for pzstd, whose streams begin with a skippable frame: compress it again with zstd.',
  },
  'layer-unloadable': {
    severity: 'error',
    verdict: 'conformant',
    message: unloadableText,
    explain:
      'The layer is a sound tar, but an entry cannot be put where it belongs, and the engines that are named refuse the whole layer for it. Entries are unpacked in their order: a hard link needs its target before it, an entry needs directories above it, and only the types 0 to 6 are known. The root must stay a directory, and a whiteout needs the name of what it hides. It is an error where podman refuses the layer or where engines make different file systems of it, a warning where only drivers that keep layers apart (overlay) or containerd do, a note where umoci alone does. Make the layer again with another tool.',
  },
  'compression-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1}: ${d.mediaType} promises ${d.expected === 'none' ? 'no compression' : d.expected}, its bytes are ${d.actual === 'none' ? 'not compressed' : d.actual}`,
    explain:
      "A layer's media type says how it is compressed (media-types.md). Docker sniffs the bytes and copes; stricter clients fail. waybill always goes by the bytes.",
  },
  'v1-id-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1}: expected v1 ID ${d.expected.slice(0, 12)}, found ${d.actual.slice(0, 12)}`,
    explain:
      "Docker 1.10 to 24 named each layer's folder by an ID computed from the config and the chain of layers, and wrote it into the folder's JSON together with the parent's. Here they do not agree: the config or one of these files was edited after the archive was written. Engines of today do not read them.",
  },
  'v1-parent-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d => `the parent layer ${d.parent.slice(0, 12)} is not in the archive`,
    explain:
      'In archives from before Docker 1.10 each layer names its parent. One of the chain is not here, so the image is incomplete.',
  },
  'v1-parent-cycle': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `the layer ${d.id.slice(0, 12)} is its own ancestor`,
    explain: 'The parent links of the v1 layers form a circle. The archive was made or changed by hand.',
  },
};

/** Where in a layer something was seen first, and how often. */
function placeIn({ path, entries }: { readonly path: string; readonly entries: number }): string {
  const others = entries > 1 ? ` and ${entries - 1} more` : '';
  return path === '' ? others : ` of ${JSON.stringify(path)}${others}`;
}
