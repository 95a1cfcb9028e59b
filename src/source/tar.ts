import type { Header } from 'tar-stream';
import type { Limits } from '../limits.js';
import type { Cursor } from './cursor.js';
import { normalPath } from './path.js';
import type { Member, SourceProblem } from './source.js';
import {
  BLOCK,
  hasValidChecksum,
  headerSize,
  isHeaderOnly,
  isMetadataFlag,
  isZeroBlock,
  paxSize,
  TarHeaderParser,
} from './tar-header.js';

/** A member and where its content starts, in bytes from the start of the tar. */
export interface TarEntry {
  readonly member: Member;
  readonly start: number;
}

/**
 * Walks an outer tar, seekable or streamed, by one and the same rule, so that both give the same members. After each
 * entry the caller may read its content from the cursor; what it leaves is skipped.
 * Format: POSIX.1-2017 pax interchange format (ustar), and GNU tar's manual, "Basic Tar Format".
 */
export async function* readTar(
  cursor: Cursor,
  limits: Limits,
  report: (problem: SourceProblem) => void,
): AsyncGenerator<TarEntry> {
  const headers = new TarHeaderParser();
  for (let count = 0; ; ) {
    const next = await readHeader(cursor, headers, limits, report);
    if (next === null) return;
    if (++count > limits.members) {
      report({ kind: 'limit', path: null, limit: 'members', value: limits.members });
      return;
    }
    yield next.entry;
    if (!(await finishEntry(cursor, next.entry, next.contentSize, report))) return;
  }
}

async function readHeader(
  cursor: Cursor,
  headers: TarHeaderParser,
  limits: Limits,
  report: (problem: SourceProblem) => void,
): Promise<{ entry: TarEntry; contentSize: number } | null> {
  const metadata: Uint8Array[] = [];
  for (;;) {
    const offset = cursor.position;
    const block = await cursor.read(BLOCK);
    if (block.length === 0 && metadata.length === 0) {
      report({ kind: 'end-marker-missing', path: null, offset, zeroBlocks: 0 });
      return null;
    }
    if (block.length < BLOCK) {
      report({ kind: 'tar-truncated', path: null, expected: BLOCK, actual: block.length });
      return null;
    }
    const bad = (reason: string) => {
      report({ kind: 'tar-header', path: null, offset, reason });
      return null;
    };
    if (isZeroBlock(block)) {
      if (metadata.length > 0) return bad('a zero block after a PAX or long-name record');
      await readEnd(cursor, limits, report);
      return null;
    }
    if (!hasValidChecksum(block)) return bad('the checksum does not match');
    const flag = block[156]!;
    const size = headerSize(block);
    if (!Number.isSafeInteger(size)) return bad('the size is not a number from 0 to 2^53-1');
    if (isMetadataFlag(flag)) {
      if (size > limits.tarMetadataBytes) {
        report({ kind: 'limit', path: null, limit: 'tarMetadataBytes', value: limits.tarMetadataBytes });
        return null;
      }
      const padded = Math.ceil(size / BLOCK) * BLOCK;
      const record = await cursor.read(padded);
      if (record.length < padded) {
        report({ kind: 'tar-truncated', path: null, expected: padded, actual: record.length });
        return null;
      }
      metadata.push(block, record);
      continue;
    }
    try {
      const header = await headers.parse(joinRecords(metadata), block);
      const claimed = paxSize(header) ?? size;
      if (!Number.isSafeInteger(claimed)) return bad('the PAX size is not a number from 0 to 2^53-1');
      const contentSize = isHeaderOnly(flag) ? 0 : claimed;
      return { entry: { member: toMember(header, contentSize), start: cursor.position }, contentSize };
    } catch (error) {
      return bad((error as Error).message);
    }
  }
}

/** A record's header and its content, in one piece each. */
function joinRecords(parts: readonly Uint8Array[]): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let i = 0; i < parts.length; i += 2) records.push(Buffer.concat([parts[i]!, parts[i + 1]!]));
  return records;
}

function toMember(header: Header, contentSize: number): Member {
  const type =
    header.type === 'file' || header.type === 'contiguous-file'
      ? 'file'
      : header.type === 'link'
        ? 'hardlink'
        : header.type === 'directory' || header.type === 'symlink'
          ? header.type
          : 'other';
  return {
    path: normalPath(header.name),
    name: header.name,
    type,
    size: type === 'file' ? contentSize : 0,
    target: type === 'hardlink' || type === 'symlink' ? (header.linkname ?? '') : null,
  };
}

async function finishEntry(
  cursor: Cursor,
  { member, start }: TarEntry,
  contentSize: number,
  report: (problem: SourceProblem) => void,
): Promise<boolean> {
  const left = start + contentSize - cursor.position;
  if (left > 0 && (await cursor.skip(left)) < left) {
    const actual = cursor.position - start;
    report({ kind: 'tar-truncated', path: member.path, expected: contentSize, actual });
    return false;
  }
  const padding = await cursor.read(-contentSize & (BLOCK - 1));
  const dirty = padding.findIndex(byte => byte !== 0);
  if (dirty >= 0) {
    report({ kind: 'padding-not-zero', path: member.path, offset: start + contentSize + dirty });
  }
  return true;
}

/** One zero block has been read. A second must follow; then only zeros, up to the blocking factor of whoever wrote it. */
async function readEnd(
  cursor: Cursor,
  limits: Limits,
  report: (problem: SourceProblem) => void,
): Promise<void> {
  const second = await cursor.read(BLOCK);
  const complete = second.length === BLOCK && isZeroBlock(second);
  if (!complete) {
    report({
      kind: 'end-marker-missing',
      path: null,
      offset: cursor.position - second.length,
      zeroBlocks: 1,
    });
  }
  let offset = cursor.position - second.length;
  const end = offset + limits.trailingBytes;
  const seen = (piece: Uint8Array) => {
    const dirty = piece.findIndex(byte => byte !== 0);
    if (dirty >= 0) report({ kind: 'trailing-bytes', path: null, offset: offset + dirty });
    offset += piece.length;
    return dirty >= 0;
  };
  if (seen(second)) return;
  for await (const piece of cursor.pieces(end - offset)) if (seen(piece)) return;
}
