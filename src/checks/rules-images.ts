import { refusalText, type Unloadable } from '../filesystem/unloadable.js';
import { bytes, type Rules } from './rule.js';

/** Docker's containerd store keeps an image whose layers it cannot unpack. */
const KEEPING = 'docker-containerd';

/** The sentence for an entry that makes engines refuse a layer. */
export function unloadableText({ layer, what, path, other, engines }: Unloadable): string {
  const refusing = engines.filter(engine => engine !== KEEPING);
  const words = [
    ...(refusing.length === 0 ? [] : [`refused by ${refusing.join(', ')}`]),
    ...(engines.includes(KEEPING) ? [`${KEEPING} loads the image and cannot run it`] : []),
  ];
  const refused = words.length === 0 ? '' : ` (${words.join('; ')})`;
  return `layer ${layer + 1}: ${refusalText(what, path, other)}${refused}`;
}

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
    message: d => `expected ${d.expected}, the platform of the config, found ${d.actual} in the index`,
    explain:
      'The index lists the image for one platform, and its config has another. Engines choose by the index: on a machine of that platform the image may not start. Build or index the image again.',
  },
  'diff-id-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d => `layer ${d.layer + 1}: expected diff_id ${d.expected}, but its bytes are ${d.actual}`,
    explain:
      'A config lists its layers by the digests of their uncompressed tars (config.md). The tar of this layer has another digest: the layer was changed, or belongs to another image. docker load refuses it ("invalid diffID for layer"). Fetch the archive again, or save the image again.',
  },
  'diff-ids-missing': {
    severity: 'warning',
    verdict: 'conformant',
    message: () =>
      'expected diff_ids in the config, found none: the content of the layers cannot be compared',
    explain:
      'rootfs.diff_ids is required (config.md). Without it waybill compares the layers with the manifest only, and engines refuse the image.',
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
      'Each history entry not marked empty_layer stands for one layer (config.md). Where the numbers differ, it is not known which instruction made which layer. Tools that squash images write such configs.',
  },
  'layer-corrupt': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `layer ${d.layer + 1}: its ${d.codec} stream ${d.cut ? 'is cut short' : 'is damaged'} after ${bytes(d.unpacked)}: ${d.reason}`,
    explain:
      'The layer cannot be decompressed to its end. If its digest is right, it was damaged before the image was made; if not, afterwards. Fetch the archive again, or build the image again.',
  },
  'layer-unsupported': {
    severity: 'warning',
    verdict: null,
    message: d =>
      `layer ${d.layer + 1}: its content was not checked, because waybill cannot unpack its ${d.codec} stream: ${d.reason}`,
    explain:
      'The layer uses a feature of its compression format that waybill does not support (docs/architecture.md, Codecs, lists them). Its digest and size were checked; its diff_id was not, so the verdict "intact" stays open.',
  },
  'layer-duplicate-path': {
    severity: 'info',
    verdict: null,
    message: d => `layer ${d.layer + 1} holds more than one entry ${JSON.stringify(d.path)}`,
    explain:
      'Two entries of one layer have the same path; an extraction keeps the last. docker load with the classic store and podman load refuse such a layer ("duplicates of file paths not supported"); other engines load it.',
  },
  'layer-ambiguous': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1}: the ${d.field}${placeIn(d)} is ambiguous: readers take it for ${d.readings.map(reading => JSON.stringify(reading)).join(' or ')}`,
    explain:
      'The tar of the layer gives two different values for one property: a size in a header and another in its PAX record, a name in a GNU record and another in a PAX record, two PAX records with one key, or a global PAX header that would change every entry after it. All engines read layers with Go and use the first reading; a scanner that is built on another reader sees other files than those that run. No known tool writes such a tar. The content of a link or a device is a warning, because old writers give a hard link the size of its file. Do not run the image.',
  },
  'layer-record-invalid': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `layer ${d.layer + 1} has a malformed header or record${placeIn(d)}: ${d.reason}`,
    explain:
      'A PAX header holds records of the form LENGTH KEY=VALUE, whose length counts the whole record (POSIX.1, pax interchange format). Go, and so every engine, refuses a tar with a malformed record, or with a header whose mode, owner, time or device number is not a number. waybill reads the records before it and the entries after it. Build the layer again.',
  },
  'layer-not-tar': {
    severity: 'error',
    verdict: 'intact',
    message: d => `layer ${d.layer + 1} is not a valid tar: ${d.reason}`,
    explain:
      'A layer is a tar of file system changes (layer.md). This one cannot be read as a tar to its end, so engines cannot unpack it. Fetch the archive again, or build the image again.',
  },
  'layer-holes': {
    severity: 'error',
    verdict: null,
    message: d =>
      `layer ${d.layer + 1}: the holes of its sparse files add ${bytes(d.bytes)} when it is unpacked`,
    explain:
      'A sparse file states its size and stores only a part of its content. Engines write the holes as zeros when they unpack the layer, so a few bytes can fill a disk. waybill reports a layer that grows by more than the limits unpackedFree and unpackedRatio allow for a compressed one (docs/limits.md). Do not load the image.',
  },
  'layer-trailing-bytes': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1}: ${bytes(d.bytes)} follow the end of its ${d.codec}${d.codec === 'tar' ? ', where engines stop: its files and secrets are not shown' : ' stream and are not part of it'}`,
    explain:
      'After the compressed stream there are more bytes, zeros or others, which the digest of the blob covers. podman and umoci read them as the next part of the stream and refuse the layer (gzip: `invalid header`, zstd: `magic number mismatch`); Docker stops at the end of the tar and does not read them. Zeros in multiples of four bytes after xz are padding and are not reported. Compress the layer again. Bytes behind the end of the tar inside are a warning, unless they are zeros or the table of contents of eStargz: every engine stops at the end and passes over them, but a reader that goes on (GNU tar with --ignore-zeros) unpacks further files from them. No list of files, no search for secrets and no policy sees what they hold. Find out what they are, and write the tar of the layer again without them.',
  },
  'layer-encrypted': {
    severity: 'info',
    verdict: null,
    message: d =>
      d.plain
        ? `layer ${d.layer + 1} has the media type of an encrypted layer (${d.mediaType}), but is a plain tar: it was checked as a tar`
        : `layer ${d.layer + 1} is encrypted (${d.mediaType}): its content cannot be checked`,
    explain:
      'The layer is encrypted with ocicrypt. Its digest and size are checked; its content and its diff_id cannot be checked without the key, so the verdict "intact" stays open. A layer with this media type that is a plain tar is checked like any other, with a warning: podman unpacks it, umoci refuses the media type.',
  },
  'layer-type-other': {
    severity: 'info',
    verdict: null,
    message: d =>
      d.plain
        ? `layer ${d.layer + 1} has the media type ${d.mediaType}, which is not that of a tar, but is a tar: it was checked as a tar`
        : `layer ${d.layer + 1} is not a tar by its media type (${d.mediaType}): only its digests and size were checked`,
    explain:
      'A layer need not be a tar: it may be a file system image, a WebAssembly module or a text (manifest.md: unknown media types are not an error). Its digest, size and diff_id are checked. Engines that unpack layers refuse the image: podman with `archive/tar: invalid tar header`, umoci with `unsupported mediatype`. `waybill ids` says what each does.',
  },
  'layer-stream-ambiguous': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1} ${d.tar ? `is a ${d.codec} stream and a tar as well` : 'begins with a zstd skippable frame'}: engines unpack different bytes`,
    explain:
      'The first bytes have the magic of a compression, and are a valid tar header at the same time or a zstd skippable frame. podman, skopeo and crane recognise zstd by a data frame only and read a stream that begins with a skippable frame as an uncompressed tar; containerd supports neither xz nor bzip2; umoci uses the media type; other tools decompress the stream. So one digest gives two file systems. Of the known tools only pzstd writes such a layer, with a skippable frame: compress it again with zstd.',
  },
  'layer-unloadable': {
    severity: 'error',
    verdict: 'conformant',
    message: unloadableText,
    explain:
      'The layer is a valid tar, but the named engines cannot unpack one of its entries and refuse the whole layer, or engines make different files of it. Entries are unpacked in order: a hard link needs its target before it, the parents of an entry must be directories, and only the types 0 to 6 are supported. The root must stay a directory, and a whiteout needs the name of what it hides (layer.md). Overlay drivers keep each layer in a directory of its own: there a character device 0:0 or an extended attribute of overlay hides files, an opaque whiteout of the root has no effect, and an entry below a link of a lower layer replaces the link. It is an error where podman refuses the layer or where engines unpack different file systems, a warning where only drivers that keep layers apart (overlay) or containerd refuse it, and a note where only umoci does. Make the layer again with another tool.',
  },
  'compression-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1}: expected ${d.expected === 'none' ? 'no compression' : d.expected} by its media type ${d.mediaType}, found ${d.actual === 'none' ? 'no compression' : d.actual}`,
    explain:
      "A layer's media type says how it is compressed (media-types.md). Docker looks at the bytes and loads the layer; stricter clients fail. waybill reads the bytes. Correct the media type in the manifest.",
  },
  'v1-id-mismatch': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `layer ${d.layer + 1}: expected v1 ID ${d.expected.slice(0, 12)}, found ${d.actual.slice(0, 12)}`,
    explain:
      "Docker 1.10 to 24 named each layer's folder by an ID computed from the config and the chain of layers, and wrote it into the folder's JSON together with the parent's. Here they differ: the config or one of these files was edited after the archive was written. Current engines do not read these IDs.",
  },
  'v1-parent-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d => `the parent layer ${d.parent.slice(0, 12)} is not in the archive`,
    explain:
      'In archives of Docker before 1.10 each layer names its parent. The archive lacks one of them, so the image is incomplete. Save the image again.',
  },
  'v1-parent-cycle': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `the layer ${d.id.slice(0, 12)} is its own ancestor`,
    explain:
      'The parent links of the v1 layers form a circle. The archive was made or changed by hand. Do not load it.',
  },
};

/** Where in a layer something was seen first, and how often. */
function placeIn({ path, entries }: { readonly path: string; readonly entries: number }): string {
  const others = entries > 1 ? ` and ${entries - 1} more` : '';
  return path === '' ? others : ` of ${JSON.stringify(path)}${others}`;
}
