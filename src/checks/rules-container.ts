import { bytes, type Rules } from './rule.js';

export const containerRules: Rules<
  | 'tar-truncated'
  | 'tar-header-invalid'
  | 'end-marker-missing'
  | 'trailing-bytes'
  | 'padding-not-zero'
  | 'outer-compression-invalid'
  | 'outer-trailing-bytes'
  | 'zip-entry-unreadable'
  | 'unreadable'
  | 'limit-reached'
  | 'duplicate-entry'
  | 'unsafe-name'
  | 'unsafe-link'
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
  'outer-trailing-bytes': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `${bytes(d.bytes)} follow the end of the archive's ${d.codec} stream and belong to nothing`,
    explain:
      'After the last compressed stream of the file there are bytes that are neither padding nor another stream. Tools disagree about them: some ignore them, some refuse the file.',
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
  'limit-reached': {
    severity: 'error',
    verdict: null,
    message: d => `the limit ${d.limit} (${d.value}) was reached; what is beyond it was not read`,
    explain:
      'waybill bounds what an archive can make it do: the size of a JSON document, how deep indexes nest, how much a layer may unpack to. An honest archive does not come near; a bomb does. The limit and its reason stand in docs/limits.md. If the archive is to be trusted, raise the limit through the library.',
  },
  'duplicate-entry': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the archive holds ${d.count} members of this name; the last one counts`,
    explain:
      'Two members have the same path. An extraction keeps the last, but a reader that stops at the first sees another image: such an archive can mean two things. Some Bazel rules write harmless duplicates.',
  },
  'unsafe-name': {
    severity: 'warning',
    verdict: 'conformant',
    message: () =>
      'the name is absolute or contains "..": extracting it could write outside the target directory',
    explain:
      'No writer of image archives uses such names. waybill never extracts by name and is safe to use; do not unpack this archive with tools that trust names.',
  },
  'unsafe-link': {
    severity: 'warning',
    verdict: 'conformant',
    message: d => `the link leads out of the archive, to ${JSON.stringify(d.target)}`,
    explain:
      'Image archives use links between their own members (a repeated layer, for example). This one leads elsewhere, so it can only be an accident or an attack on whoever extracts it. waybill does not follow it.',
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
