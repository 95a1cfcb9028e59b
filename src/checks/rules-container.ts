import type { LinkFault } from '../image/observation.js';
import { limitText } from '../limits.js';
import { bytes, type Rules } from './rule.js';

/** What is wrong with a link, after what it is and where it leads. */
const LINK_FAULTS: Readonly<Record<LinkFault, string>> = {
  folder:
    'leads to a directory: engines that extract the archive read what is there in place of what is here',
  nothing: 'leads to nothing: whoever extracts the archive finds no file here',
  'no blob': 'is not one from a blob to a blob: engines do not agree on what it leads to',
  'links between': 'leads through other links: engines do not agree on what it leads to',
  'hard link':
    'cannot be told: crane looks for its target in the folder of the link, skopeo and podman read an empty file',
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
> = {
  'tar-truncated': {
    severity: 'error',
    verdict: 'intact',
    message: d => `the archive is cut short here: expected ${d.expected} bytes, found ${d.actual}`,
    explain:
      'The tar ends in the middle of a member or of a header. The usual cause is a download, copy or pipe that broke off, or a full disk. What stands before the cut is still reported. Fetch the archive again and compare its size with the original.',
  },
  'tar-header-invalid': {
    severity: 'error',
    verdict: 'intact',
    message: d => `no valid tar header at byte ${d.offset}: ${d.reason}`,
    explain:
      'Every member of a tar begins with a header of 512 bytes that carries its own checksum (POSIX.1, pax interchange format). This one does not add up, so nothing after it can be found. The archive was damaged on its way, or changed by hand. Fetch it again.',
  },
  'tar-field-invalid': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `the ${d.field} in the tar header at byte ${d.offset} is not valid: engines refuse the archive`,
    explain:
      'The numbers in a tar header are octal digits, or base 256. Every engine is written in Go, whose archive/tar refuses a whole archive for one that is neither ("archive/tar: invalid tar header"), be it only an owner or a time. waybill, like GNU tar, reads on. The archive was damaged on its way, or written by a faulty program. Fetch it again, or pack its content again.',
  },
  'end-marker-missing': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the tar should end with 2 blocks of zeros, but has ${d.zeroBlocks}: it may be cut short`,
    explain:
      'A tar ends with two blocks of 512 zero bytes (POSIX.1). Without them nobody can tell whether the archive is whole or was cut between two members. Some writers leave them out; most likely the archive was truncated. If nothing else is missing, its images are all here.',
  },
  'trailing-bytes': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `there is data after the end of the tar, at byte ${d.offset}, where only zeros belong`,
    explain:
      'Readers stop at the two zero blocks that end a tar; what stands after them is loaded by no engine, and verified by none. Somebody appended to the archive, or two archives were glued together. Whatever it is, it is not part of the image.',
  },
  'padding-not-zero': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the padding after this member is not zero at byte ${d.offset}`,
    explain:
      'Members of a tar are filled up to whole blocks of 512 bytes with zeros. Other bytes there are read by nobody: harmless to the image, but a sign of damage, or of something hidden.',
  },
  'outer-compression-invalid': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `the archive's ${d.codec} stream ${d.cut ? 'is cut short' : 'is damaged'} after ${bytes(d.readable)}: ${d.reason}`,
    explain:
      'The file is compressed as a whole, and cannot be decompressed to its end. What came out before is still reported. The usual cause is a broken download. Fetch the archive again.',
  },
  'outer-skippable-frame': {
    severity: 'info',
    verdict: null,
    message: () =>
      "the archive's zstd stream begins with a skippable frame: podman and skopeo refuse the file",
    explain:
      'A skippable frame holds no data; pzstd writes one before each frame. zstd and Docker pass over it. containers/image knows a zstd file by the magic of a data frame, and takes this one for a tar that is not compressed. Compress the archive again with zstd.',
  },
  'outer-trailing-bytes': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `${bytes(d.bytes)} follow the end of the archive's ${d.codec} stream and belong to nothing`,
    explain:
      'After the last compressed stream of the file there are bytes that are no other stream, nor padding, which only xz has. Tools disagree about them: some ignore them, some refuse the file. The decompressors that engines are built with take them for one more stream: podman and skopeo refuse a docker-archive for them ("gzip: invalid header"), also for zeros after gzip, bzip2 or zstd; of an oci-archive, and as Docker, they read no further than the end of the tar.',
  },
  'tar-record-invalid': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `the PAX header at byte ${d.offset} is malformed: ${d.reason}`,
    explain:
      'A PAX header holds records of the form LENGTH KEY=VALUE, whose length counts the whole record (POSIX.1, pax interchange format). waybill reads the records before a malformed one. Other readers refuse the archive, or read on from elsewhere, and may so see other names and sizes.',
  },
  'member-ambiguous': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `readers of archives disagree about the ${d.field}: ${d.readings.map(reading => JSON.stringify(reading)).join(' or ')}`,
    explain:
      'The archive says the same thing twice, and differently: a size in a header and another in its PAX record, two PAX records of one key, a name in a PAX record and another in a GNU record, a zip entry that is one thing in the central directory and another in its local header. Each reader believes one of them, so that this archive is one image to a scanner and another to an engine. Or a name, a type or a size is written so that readers take it for different things: `x/../manifest.json`, a type that only some know, a file whose mode is that of a link, a number after a NUL. No honest writer makes such an archive. waybill goes by the first reading. A type is a warning where no engine looks for the member.',
  },
  'member-sparse': {
    severity: 'error',
    verdict: 'intact',
    message: () => 'this member is a sparse file: waybill does not read one outside layers',
    explain:
      'GNU tar with --sparse leaves out the holes of a file and writes down where they were. No writer of image archives does so, and only some readers put such a file together again. Pack the layout again, without --sparse.',
  },
  'zip-content-mismatch': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `the content of this entry of the zip has the ${d.field} ${d.actual}, not ${d.expected} as listed`,
    explain:
      'A zip lists the size and the CRC-32 of the content of each entry, and how many bytes it takes packed. What is here has others (after packed content that ends too early, other bytes follow, which only some readers look at): it was damaged on its way, or changed by hand. Fetch the archive again.',
  },
  'zip-entries-overlap': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `this entry of the zip shares bytes with ${JSON.stringify(d.other)}`,
    explain:
      'Each entry of a zip has bytes of its own. Entries that overlap let a small file unpack to a vast one (a zip bomb), or hide one file in another. No honest writer makes such a zip. Do not unpack it.',
  },
  'zip-unlisted-bytes': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `${bytes(d.bytes)} of the zip, at byte ${d.offset}, belong to no entry that it lists`,
    explain:
      'A reader that goes by the central directory never sees these bytes; one that reads the zip from its beginning may find entries in them. They are left from an edit, belong to a program that unpacks itself, or hide something.',
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
      'The operating system refused to read this part, or the worker that read it died. Check permissions, the disk, and the memory of the machine; then run the command again.',
  },
  'file-changed': {
    severity: 'error',
    verdict: 'intact',
    message: d =>
      `the file changed while it was read (expected ${d.expected}, found ${d.actual}): nothing that was read can be vouched for`,
    explain:
      'When the file had been read, its size, its times or its identity were not what they were when it was opened. A download or a copy was still going on, or somebody replaced it: what was read may be half of one file and half of another. Wait until it is complete, or take a copy that nobody touches, and run the command again.',
  },
  'limit-reached': {
    severity: 'error',
    verdict: null,
    message: limitText,
    explain:
      'waybill bounds what an archive can make it do: the size of a JSON document, how deep indexes nest, how much a layer may unpack to. An honest archive does not come near; a bomb does. The limit and its reason stand in docs/limits.md. The rest of the archive is reported all the same. If the archive is to be trusted, allow more with --limit NAME=VALUE, or --timeout for the limit on time.',
  },
  'duplicate-entry': {
    severity: 'warning',
    verdict: 'conformant',
    message: d =>
      `the archive holds ${d.count} members of this name${{ true: ' that differ', false: ', all alike', null: '' }[`${d.differ}`]}; the last one counts`,
    explain:
      'Two members have the same path. An extraction keeps the last, but a reader that stops at the first sees another image: where they differ, such an archive means two things, and that is an error. Some Bazel rules write harmless duplicates, all alike.',
  },
  'name-too-long': {
    severity: 'warning',
    verdict: null,
    message: d => `a part of this path has ${d.bytes} bytes, and file systems take 255`,
    explain:
      'Docker with the classic store and podman unpack the archive to a folder before they read it, and fail at a name that the file system does not take (NAME_MAX is 255 bytes on Linux). No writer of image archives makes such names. Remove the member.',
  },
  'unsafe-name': {
    severity: 'warning',
    verdict: 'conformant',
    message: () =>
      'the name is absolute or contains "..": extracting it could write outside the target directory',
    explain:
      'No writer of image archives uses such names. waybill never extracts by name and is safe to use; do not unpack this archive with tools that trust names.',
  },
  'path-conflict': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      d.below === null
        ? 'the archive holds a directory of this path, and also something that is none'
        : `this is no directory, and yet ${JSON.stringify(d.below)} lies in it`,
    explain:
      'One path cannot be a directory and a file. An extraction keeps the later one with all that is in it, or refuses the archive ("not a directory"); engines that look for a member by its name take the first, or the last. No writer of image archives makes such a thing. Pack the archive again.',
  },
  'link-unexpected': {
    severity: 'error',
    verdict: 'conformant',
    message: d =>
      `this ${d.hard ? 'hard link' : 'symbolic link'} to ${JSON.stringify(d.target)} ${LINK_FAULTS[d.fault]}`,
    explain:
      "Writers of image archives store a blob twice by a link from the one straight to the other, `<id>/layer.tar` to `../<hex>.tar`, and use no other links. Any other means different things to different engines: skopeo, podman and Docker's classic store extract the archive and follow links as a file system does, also through directories that are links; crane takes the text of a hard link for a path from the folder that it is in; containerd passes over hard links. So one archive is two images. Pack it again with files in place of the links: `tar --dereference --hard-dereference`.",
  },
  'unsafe-link': {
    severity: 'error',
    verdict: 'conformant',
    message: d => `the link leads out of the archive, to ${JSON.stringify(d.target)}`,
    explain:
      'Image archives use links between their own members (a repeated layer, for example). This one leads elsewhere, so it can only be an accident or an attack on whoever extracts it. waybill does not follow it; engines may, and load a file of the machine that they run on.',
  },
  'special-file': {
    severity: 'warning',
    verdict: 'conformant',
    message: () => 'this is neither a file nor a directory nor a link: it was not opened',
    explain:
      'A device, a named pipe or a socket. To open one may block for ever, or do something. No image can refer to it: where a file should be, it is missing. It is an error where engines look for a file.',
  },
  'documents-missing': {
    severity: 'error',
    verdict: 'complete',
    message: d =>
      `no manifest or index: the archive is damaged or cut before them (${d.files} ${d.files === 1 ? 'file' : 'files'} came before the end)`,
    explain:
      'What is here looks like an image archive, but the documents that say which images it holds are missing. docker save writes them last, so they are the first to be lost when a download breaks off. Fetch the archive again.',
  },
  'part-unreadable': {
    severity: 'error',
    verdict: 'intact',
    message: d => `this file of the zip was not read as an image archive: ${d.reason}`,
    explain:
      'The zip holds several files, and this one is packed like an image tarball. As an error: it is damaged, so its images are lost. As a note: it is something else, a compressed SBOM for example, and no image is missed.',
  },
  'nested-root': {
    severity: 'warning',
    verdict: null,
    message: d => `the image is not at the top of the archive but in the folder ${JSON.stringify(d.root)}`,
    explain:
      'Somebody archived the folder of a layout instead of its content. waybill reads it all the same; docker, podman and skopeo do not. Repack it: `tar -C FOLDER -cf image.tar .`',
  },
};
