import { limitText } from '../limits.js';
import type { LinkFault } from '../link/observation.js';
import { bytes, type Rules } from './rule.js';

/** The fault of a link: the end of a sentence that begins with the link and its target. */
const LINK_FAULTS: Readonly<Record<LinkFault, string>> = {
  folder:
    'leads to a directory: engines that extract the archive read the content of that directory in its place',
  nothing: 'has no target in the archive: an extraction has no file here',
  'no blob': 'does not lead from one blob to another: engines disagree about its target',
  'links between': 'leads through other links: engines disagree about its target',
  'hard link':
    'is ambiguous: crane looks for its target in the directory of the link, skopeo and podman read an empty file',
};

export const containerRules: Rules<
  | 'tar-truncated'
  | 'tar-header-invalid'
  | 'tar-field-invalid'
  | 'end-marker-missing'
  | 'trailing-bytes'
  | 'padding-not-zero'
  | 'outer-compression-invalid'
  | 'outer-skippable-frame'
  | 'outer-trailing-bytes'
  | 'tar-record-invalid'
  | 'member-ambiguous'
  | 'member-sparse'
  | 'zip-entry-unreadable'
  | 'zip-content-mismatch'
  | 'zip-entries-overlap'
  | 'zip-unlisted-bytes'
  | 'unreadable'
  | 'file-changed'
  | 'limit-reached'
  | 'duplicate-entry'
  | 'name-too-long'
  | 'unsafe-name'
  | 'path-conflict'
  | 'unsafe-link'
  | 'link-unexpected'
  | 'special-file'
  | 'nested-root'
  | 'documents-missing'
  | 'part-unreadable'
  | 'archive-unreadable'
> = {
  'tar-truncated': {
    severity: 'error',
    verdict: 'intact',
    message: d => `the archive is cut short here: expected ${d.expected} bytes, found ${d.actual}`,
    explain:
      'The tar ends inside a member or a header. The usual cause is an interrupted download, copy or pipe, or a full disk. waybill reports everything before the cut. Fetch the archive again and compare its size with the original.',
  },
  'tar-header-invalid': {
    severity: 'error',
    verdict: 'intact',
    message: d => `no valid tar header at byte ${d.offset}: ${d.reason}`,
    explain:
      'Every member of a tar begins with a header of 512 bytes that carries its own checksum (POSIX.1, pax interchange format). The checksum of this header is wrong, so the members after it cannot be found. The archive was damaged during transfer, or changed by hand. Fetch it again.',
  },
  'tar-field-invalid': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `the ${d.field} in the tar header at byte ${d.offset} is not valid: engines refuse the archive`,
    explain:
      'Numbers in a tar header are octal digits or base 256. Engines are written in Go, whose archive/tar refuses the whole archive for any other number ("archive/tar: invalid tar header"), even in an owner or a time. waybill, like GNU tar, reads on. The archive was damaged during transfer, or written by a faulty program. Fetch it again, or pack its content again.',
  },
  'end-marker-missing': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the tar should end with 2 blocks of zeros, but has ${d.zeroBlocks}: it may be cut short`,
    explain:
      'A tar ends with two blocks of 512 zero bytes (POSIX.1). Without them, a whole archive cannot be told from one that was cut between two members. Some writers leave them out; a truncated archive is more likely. If there is no other finding, its images are complete.',
  },
  'trailing-bytes': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `there is data after the end of the tar, at byte ${d.offset}, where only zeros belong`,
    explain:
      'Readers stop at the two zero blocks that end a tar. Engines neither load nor verify the data after them, so it is not part of the image. It was appended, or two archives were concatenated. Compare the file with the original.',
  },
  'padding-not-zero': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the padding after this member is not zero at byte ${d.offset}`,
    explain:
      'The content of a tar member is padded with zeros to a multiple of 512 bytes (POSIX.1). No reader looks at the padding: other bytes there do not change the image, but they are a sign of damage or of hidden data.',
  },
  'outer-compression-invalid': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `the archive's ${d.codec} stream ${d.cut ? 'is cut short' : 'is damaged'} after ${bytes(d.readable)}: ${d.reason}`,
    explain:
      'The whole file is compressed, and its stream cannot be decompressed to the end. waybill reports what it decompressed before the fault. The usual cause is an interrupted download. Fetch the archive again.',
  },
  'outer-skippable-frame': {
    severity: 'info',
    verdict: null,
    message: () =>
      "the archive's zstd stream begins with a skippable frame: podman and skopeo refuse the file",
    explain:
      'A skippable frame holds no data; pzstd writes one before each frame. zstd and Docker skip it. containers/image recognises a zstd file by the magic number of a data frame, and reads this one as an uncompressed tar. Compress the archive again with zstd.',
  },
  'outer-trailing-bytes': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `${bytes(d.bytes)} follow the end of the archive's ${d.codec} stream and are not part of it`,
    explain:
      'After the last compressed stream of the file there are bytes that are neither another stream nor padding (only xz has padding). Tools disagree about them: some ignore them, others refuse the file. The decompressors of engines read them as one more stream: podman and skopeo refuse a docker-archive with such bytes ("gzip: invalid header"), also for zeros after gzip, bzip2 or zstd. For an oci-archive, podman and skopeo stop at the end of the tar, as Docker does for every archive. Compress the archive again.',
  },
  'tar-record-invalid': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `the PAX header at byte ${d.offset} is malformed: ${d.reason}`,
    explain:
      'A PAX header holds records of the form LENGTH KEY=VALUE, whose length counts the whole record (POSIX.1, pax interchange format). waybill reads the records before a malformed one. Other readers refuse the archive, or continue at another position and see other names and sizes. Pack the content of the archive again.',
  },
  'member-ambiguous': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `the ${d.field} is ambiguous: readers take it for ${d.readings.map(reading => JSON.stringify(reading)).join(' or ')}`,
    explain:
      'The archive gives two different values for one property: a size in a header and another in its PAX record, two PAX records with one key, a name in a PAX record and another in a GNU record, or a zip entry whose central directory and local header differ. Each reader uses one of the values, so a scanner and an engine can see different images. The finding also covers a name, type or size that readers interpret differently: `x/../manifest.json`, a type that only some readers know, a file with the mode of a link, a number after a NUL. No known tool writes such an archive. waybill uses the first reading. An ambiguous type is a warning where no engine looks for the member; so are two names that differ in case alone, which are one name on the disks of macOS and Windows. Do not load the archive.',
  },
  'member-sparse': {
    severity: 'error',
    verdict: 'intact',
    message: () => 'this member is a sparse file, which waybill reads in layers only',
    explain:
      'GNU tar with --sparse leaves out the holes of a file and stores a map of them. No writer of image archives does so, and only some readers restore such a file. Pack the layout again, without --sparse.',
  },
  'zip-content-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `expected the ${d.field} ${d.expected}, as the zip lists it for this entry, found ${d.actual}`,
    explain:
      'For each entry a zip lists the size and the CRC-32 of the content, and the compressed size (APPNOTE.TXT 4.3.12). The content of this entry differs from one of them. Where the compressed content ends early, other bytes follow it, which only some readers look at. The zip was damaged during transfer, or changed by hand. Fetch the archive again.',
  },
  'zip-entries-overlap': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `this entry of the zip shares bytes with ${JSON.stringify(d.other)}`,
    explain:
      'The entries of a zip do not share bytes. Entries that overlap let a small file unpack to a very large one (a zip bomb), or hide one file in another. No known tool writes such a zip. Do not unpack it.',
  },
  'zip-unlisted-bytes': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `${bytes(d.bytes)} of the zip, at byte ${d.offset}, belong to no entry that it lists`,
    explain:
      'A reader of the central directory does not see these bytes; a reader that starts at the beginning of the zip may find entries in them. They are the remains of an edit, the program of a self-extracting zip, or hidden data. Compare the file with the original.',
  },
  'zip-entry-unreadable': {
    severity: 'error',
    verdict: 'intact',
    message: d => `this entry of the zip cannot be read: ${d.reason}`,
    explain:
      'The zip lists an entry that cannot be read: encrypted, compressed by a method other than deflate, or not where the central directory says. Unpack the zip by other means and name the directory instead.',
  },
  unreadable: {
    severity: 'error',
    verdict: 'intact',
    message: d => `cannot be read: ${d.reason}`,
    explain:
      'The operating system refused to read this part, or the worker thread that read it died. Check the permissions, the disk and the free memory; then run the command again.',
  },
  'file-changed': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `the file changed while it was read (expected ${d.expected}, found ${d.actual}): the result is not reliable`,
    explain:
      'The size, the times or the inode of the file differed between opening it and the end of reading. A download or copy was still running, or the file was replaced: waybill may have read parts of two files. Wait until the file is complete, or make a private copy, and run the command again.',
  },
  'limit-reached': {
    severity: 'error',
    verdict: null,
    message: limitText,
    explain:
      'waybill bounds what an archive can make it do: the size of a JSON document, how deep indexes nest, how much a layer may unpack to. docs/limits.md lists each limit with its number and the reason for it. waybill still reports the rest of the archive. If you trust the archive, raise the limit with --limit NAME=VALUE, or --timeout for the limit on time.',
  },
  'duplicate-entry': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `the archive holds ${d.count} members of this name${{ true: ' with different content', false: ' with the same content', null: '' }[`${d.differ}`]}; an extraction keeps the last one`,
    explain:
      'Two members have the same path. An extraction keeps the last, and a reader that stops at the first sees another image: where their content differs, this is an error. Some Bazel rules write harmless duplicates with the same content.',
  },
  'name-too-long': {
    severity: 'warning',
    verdict: null,
    message: d => `a component of this path has ${d.bytes} bytes; file systems allow 255`,
    explain:
      'Docker with the classic store and podman extract the archive to a directory before they read it, and fail at a name that the file system refuses (NAME_MAX is 255 bytes on Linux). No writer of image archives makes such names. Remove the member.',
  },
  'unsafe-name': {
    severity: 'warning',
    verdict: 'conformant',
    message: () =>
      'the name is absolute or contains "..": extracting it could write outside the target directory',
    explain:
      'No writer of image archives uses such names. waybill does not extract by name and is safe to use; do not unpack this archive with a tool that does.',
  },
  'path-conflict': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      d.below === null
        ? 'the archive holds a directory of this path, and also a member of another type'
        : `this is not a directory, but the archive holds ${JSON.stringify(d.below)} below it`,
    explain:
      'One path cannot be a directory and a file. An extraction keeps the later member, or refuses the archive ("not a directory"); engines that look for a member by its name take the first or the last. No writer of image archives writes both. Pack the archive again.',
  },
  'link-unexpected': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `this ${d.hard ? 'hard link' : 'symbolic link'} to ${JSON.stringify(d.target)} ${LINK_FAULTS[d.fault]}`,
    explain:
      "To store a blob twice, writers of image archives write a symbolic link from one member directly to the other, such as `<id>/layer.tar` to `../<hex>.tar`. They use no other links. Engines resolve any other link differently: skopeo, podman and Docker's classic store extract the archive and follow links as a file system does, also through directories that are links; crane resolves the target of a hard link relative to the directory of the link; containerd ignores hard links. So engines can load different images from one archive. Pack it again with files in place of the links: `tar --dereference --hard-dereference`.",
  },
  'unsafe-link': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `the link leads out of the archive, to ${JSON.stringify(d.target)}`,
    explain:
      'Image archives use links between their own members only, for a repeated layer for example. This link leads outside the archive: it is an accident, or an attack on the machine that extracts it. waybill does not follow it; an engine that does loads a file of the machine that it runs on.',
  },
  'special-file': {
    severity: 'warning',
    verdict: 'conformant',
    message: () => 'this is a device, a named pipe or a socket: it was not opened',
    explain:
      'Opening a device, a named pipe or a socket may block without end, or have an effect on the machine. An image cannot refer to one: waybill treats the file at its path as missing. It is an error where engines look for a file.',
  },
  'documents-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d =>
      `expected a manifest or an index, found none in ${d.files} ${d.files === 1 ? 'file' : 'files'}: the archive is damaged or cut before them`,
    explain:
      'The members look like those of an image archive, but the documents that list its images are missing. docker save writes them last, so an interrupted download loses them first. Fetch the archive again.',
  },
  'part-unreadable': {
    severity: 'error',
    verdict: 'intact',
    message: d => `this file of the zip was not read as an image archive: ${d.reason}`,
    explain:
      'The zip holds several files, and this one looks like an image tarball. It is an error where the file is damaged, or has the name of a tar or a zip and the bytes of neither, because its images cannot be read. It is a note where the file is something else, such as a compressed SBOM.',
  },
  'archive-unreadable': {
    severity: 'error',
    verdict: 'intact',
    message: d => `no report of this archive: ${d.reason}`,
    explain:
      'There is no report of the archive: the file is absent or cannot be read, holds no image archive, or holds no image that was asked for. The exit code is 2. Formats for CI systems (--format, --output) have this as a result of its own, so that a job that could not look at an archive is not taken for one that found nothing. The message says what to do.',
  },
  'nested-root': {
    severity: 'warning',
    verdict: null,
    message: d =>
      `expected the image at the top of the archive, found it in the directory ${JSON.stringify(d.root)}`,
    explain:
      'The directory of a layout was archived instead of its content. waybill reads the image; docker, podman and skopeo do not find it. Pack it again: `tar -C DIRECTORY -cf image.tar .`',
  },
};
