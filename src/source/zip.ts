import { open } from 'node:fs/promises';
import { type Entry, open as openZipFile } from 'yauzl-promise';
import { InputError } from '../errors.js';
import type { Limits } from '../limits.js';
import { normalPath } from './path.js';
import { readHead } from './read.js';
import type { SeekableMember, SeekableSource, SourceProblem } from './source.js';

const STORED = 0;
const DEFLATED = 8;
/** Fixed part of a local file header: APPNOTE.TXT 4.3.7. */
const LOCAL_HEADER = 30;

/**
 * Reads a zip's central directory. Contents stay where they are: each member is a range of the zip file.
 * @throws InputError when there is no readable central directory
 */
export async function openZip(file: string, limits: Limits): Promise<SeekableSource> {
  const members: SeekableMember[] = [];
  const problems: SourceProblem[] = [];
  // Names are ours to judge: yauzl would refuse a whole zip for one `..`.
  const zip = await openZipFile(file, { validateFilenames: false }).catch(error => {
    throw new InputError(
      `the zip cannot be read: ${(error as Error).message}`,
      file,
      'Was the download cut short?',
    );
  });
  const handle = await open(file, 'r');
  try {
    for await (const entry of zip) {
      if (members.length >= limits.members) {
        problems.push({ kind: 'limit', path: null, limit: 'members', value: limits.members });
        break;
      }
      const header = Buffer.alloc(LOCAL_HEADER);
      await handle.read(header, 0, LOCAL_HEADER, entry.fileHeaderOffset);
      members.push(toMember(file, entry, header, problems));
    }
  } catch (error) {
    problems.push({ kind: 'zip-entry', path: null, reason: (error as Error).message });
  } finally {
    await handle.close();
    await zip.close();
  }
  return { access: 'seekable', members, problems };
}

function toMember(file: string, entry: Entry, local: Buffer, problems: SourceProblem[]): SeekableMember {
  const name = entry.filename;
  const path = normalPath(name);
  const base = { path, name, size: 0, target: null, range: null };
  if (name.endsWith('/')) return { ...base, type: 'directory' };
  const unreadable = (reason: string): SeekableMember => {
    problems.push({ kind: 'zip-entry', path, reason });
    return { ...base, type: 'other' };
  };
  if (entry.isEncrypted()) return unreadable('the entry is encrypted');
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    return unreadable(`compression method ${entry.compressionMethod} is neither stored (0) nor deflated (8)`);
  }
  if (local.readUInt32LE(0) !== 0x04034b50)
    return unreadable('its local header is not where the directory says');
  const range = {
    file,
    start: entry.fileHeaderOffset + LOCAL_HEADER + local.readUInt16LE(26) + local.readUInt16LE(28),
    length: entry.compressedSize,
    deflated: entry.compressionMethod === DEFLATED,
  };
  // Unix mode in the upper half of the external attributes (APPNOTE.TXT 4.4.15): a symbolic link's content is its target.
  const isLink = ((entry.externalFileAttributes >>> 16) & 0o170000) === 0o120000;
  if (isLink) return { ...base, type: 'symlink', target: Buffer.from(readHead(range, 4096)).toString() };
  return { ...base, type: 'file', size: entry.uncompressedSize, range };
}
