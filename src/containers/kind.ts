import { codecFor, sniff } from '../codec/registry.js';
import { beginsSkippable } from '../codec/zstd.js';
import type { InputError } from '../errors.js';
import { isTarOrZipName } from '../spec/archive-name.js';
import { BLOCK, hasValidChecksum, isZeroBlock } from '../tar/header.js';
import type { SourceProblem } from './source.js';

/** Bytes of a file's beginning that suffice to recognise it: one tar header. */
export const HEAD = BLOCK;

export const isZip = (head: Uint8Array) =>
  head[0] === 0x50 &&
  head[1] === 0x4b &&
  ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6));

/**
 * Whether a file below a folder that has no report is left out: it is something else than an image. Hazard: a download
 * that was cut short, or an error page that was saved as `app.tar`, must not be taken for such a file.
 */
export const isLeftOut = ({ damaged, isNoArchive }: InputError, path: string): boolean =>
  !damaged && !(isNoArchive && isTarOrZipName(path));

const hasTarMagic = (head: Uint8Array) => Buffer.from(head.subarray(257, 262)).toString('latin1') === 'ustar';

/** A tar, whole or damaged: a header that sums up, or one with the magic that does not, or an empty tar's zeros. */
export function isTar(head: Uint8Array): boolean {
  if (head.length < BLOCK) return false;
  return hasTarMagic(head) || hasValidChecksum(head) || isZeroBlock(head);
}

/**
 * Whether a compressed stream begins with a tar header as well: its first block has the magic of a compression and sums
 * up as a header. A zstd skippable frame, a gzip header with a name or bzip2's and xz's first bytes leave room for
 * that. Readers that do not know the compression, or that go by a media type, read the tar; the others read what the
 * stream unpacks to.
 */
export const isTarToo = (head: Uint8Array): boolean =>
  head.length >= BLOCK && sniff(head) !== 'none' && hasValidChecksum(head);

/** Ambiguities of compressed data: formats that its first block fits besides its compression. */
export function otherKinds(head: Uint8Array): SourceProblem[] {
  const isSkippable = beginsSkippable(head);
  if (isTarToo(head)) {
    const first = isSkippable ? 'zstd data behind a skippable frame' : `${sniff(head)} data`;
    const problem = {
      kind: 'ambiguous',
      path: null,
      field: 'kind of the file',
      readings: [first, 'a tar'],
    } as const;
    return [isSkippable ? { ...problem, code: 'skippable-frame' } : problem];
  }
  return isSkippable ? [{ kind: 'outer-skippable', path: null }] : [];
}

/** The first byte that is not white space opens a JSON object or array. */
export function looksLikeJson(head: Uint8Array): boolean {
  const first = head.find(byte => byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09);
  return first === 0x7b || first === 0x5b;
}

const MAGIC: readonly (readonly [offset: number, magic: string, what: string])[] = [
  [0, '\x7fELF', 'an ELF program'],
  [0, 'MZ', 'a Windows program'],
  [0, '%PDF-', 'a PDF document'],
  [0, 'hsqs', 'a SquashFS file system'],
  [32, 'SIF_MAGIC', 'a Singularity/Apptainer image (SIF)'],
  [0, 'QFI\xfb', 'a QEMU disk image (qcow2)'],
  [0, 'KDMV', 'a VMware disk image (vmdk)'],
  [0, '7z\xbc\xaf\x27\x1c', 'a 7-Zip archive'],
  [0, 'Rar!', 'a RAR archive'],
  [0, '!<arch>\n', 'an ar archive or Debian package'],
  [0, '\xed\xab\xee\xdb', 'an RPM package'],
  [0, '070701', 'a cpio archive'],
  [0, '\x89PNG', 'a PNG picture'],
  [0, '\x04\x22\x4d\x18', 'an LZ4 stream, a compression that image archives do not use'],
];

/** Describes a file that is not an archive, by its first bytes. */
export function describeContent(head: Uint8Array): string {
  const latin = Buffer.from(head).toString('latin1');
  const known = MAGIC.find(([offset, magic]) => latin.startsWith(magic, offset));
  if (known !== undefined) return known[2];
  const compression = sniff(head);
  if (compression !== 'none') return `${codecFor(compression).name} data`;
  if (/^\s*(<!doctype html|<html)/i.test(latin))
    return 'an HTML page (a login or error page saved as a file?)';
  if (looksLikeJson(head)) return 'a JSON document';
  if (!/[^\t\n\r\x20-\x7e\x80-\xff]/.test(latin))
    return `text, beginning ${JSON.stringify(latin.slice(0, 40))}`;
  return `unknown data, beginning ${Buffer.from(head.subarray(0, 8)).toString('hex')}`;
}
