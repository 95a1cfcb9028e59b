import { type BigIntStats, constants, open, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { codecFor, sniff } from '../codec/registry.js';
import { InputError } from '../errors.js';
import { type Limits, limitText, sharedAmong } from '../limits.js';
import { isTarOrZipName } from '../spec/archive-name.js';
import { rootOf } from '../spec/markers.js';
import { visible } from '../visible.js';
import { Counter, counted, peek, StreamCursor } from './cursor.js';

import { deadlineIn, Interruption, type ReadingEnd, untilDeadline } from './deadline.js';
import { openDirectory } from './directory.js';
import type { StreamDigest } from './file-digest.js';
import { requireLayout } from './image-folder.js';
import { describeContent, HEAD, isTar, isTarToo, isZip, otherKinds } from './kind.js';
import { readHead, smallContent } from './read.js';
import {
  type ByteRange,
  isOfTheMoment,
  type Opened,
  type Part,
  type SeekableSource,
  type Source,
  type SourceProblem,
  type Stranger,
} from './source.js';
import { indexTar, passTar } from './tar-file.js';
import { decompress, streamRange } from './unpack.js';
import { missing, reading, unreadable } from './unreadable.js';

import { Watch } from './watch.js';

const WHAT_WE_READ =
  'waybill reads what `docker save`, `podman save`, `skopeo copy`, buildx, crane and the like write: a tar (also gzip, zstd, xz or bzip2), a zip, or a directory.';

/**
 * Opens what the user named: a file, a directory, `-` for standard input, any path that can only be read once, or a
 * stream of bytes.
 * @param end     when `limits.seconds` are over, and what ends reading before
 * @param digest  takes the digest of what can only be read once
 * @throws InputError when it does not exist, cannot be read, or is not an image archive; the reason of the signal
 */
export async function openArchive(
  input: string | AsyncIterable<Uint8Array>,
  limits: Limits,
  end: ReadingEnd = { deadline: deadlineIn(limits.seconds) },
  digest?: StreamDigest,
): Promise<Opened> {
  const file = typeof input === 'string' ? input : '-';
  const where = inputName(input);
  // Looked up once: a file may be one of ten thousand.
  const stats = file === '-' ? null : statInput(file);
  if (stats !== null && isSeekable(stats)) return reading(where, () => openNamed(file, stats, limits, end));
  const stream = (await streamOf(input))!;
  return reading(where, () => {
    const timed = untilDeadline(stream, end.deadline, limits, end.signal);
    return openStream(file, where, digest?.of(timed) ?? timed, limits);
  });
}

/** The name of an input in messages. */
export function inputName(input: string | AsyncIterable<Uint8Array>): string {
  if (typeof input !== 'string') return 'the stream';
  return input === '-' ? 'standard input' : input;
}

/**
 * Whether an input can only be read once: neither a file nor a directory. @throws InputError when there is no such file
 */
export const isReadOnce = (input: string | AsyncIterable<Uint8Array>): boolean =>
  typeof input !== 'string' || input === '-' || !isSeekable(statInput(input));

async function openNamed(file: string, stats: BigIntStats, limits: Limits, end: ReadingEnd): Promise<Opened> {
  if (stats.isDirectory()) return openFolder(file, limits);
  if (stats.size === 0n)
    throw new InputError('the file is empty (0 bytes)', file, 'Was the download cut short?', {
      isNoArchive: true,
      isLasting: true,
    });
  return openRegular(file, stats, limits, end);
}

/**
 * The bytes of an input that can only be read once; null for a file or a directory. @throws InputError when there is no
 * such file
 */
export async function streamOf(
  input: string | AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array> | null> {
  if (typeof input !== 'string') return input;
  const pipes = () => import('./pipe.js');
  if (input === '-') return (await pipes()).readInherited(0);
  const stats = statInput(input);
  if (isSeekable(stats)) return null;
  if ((stats.mode & FILE_TYPE) === 0n)
    throw new InputError('no file, directory, pipe, socket or device', input);
  // A descriptor that is already open is used as it is: a socket, for example, cannot be opened again by its name.
  const inherited = /^\/(?:dev|proc\/self)\/(?:fd\/(\d+)|stdin)$/.exec(input);
  const { readInherited, readOnce } = await pipes();
  return inherited !== null
    ? readInherited(Number(inherited[1] ?? 0))
    : readOnce(await reading(input, () => openFile(input, 'r')));
}

const openFile = promisify(open);

/**
 * The file type bits of a mode. They are 0 for anonymous inodes, such as Node's own timers and event counters. inode(7)
 */
const FILE_TYPE = BigInt(constants.S_IFMT);

const isSeekable = (stats: BigIntStats) => stats.isFile() || stats.isDirectory();

function statInput(file: string): BigIntStats {
  if (file.includes('\0')) throw new InputError('no file has a NUL in its name', file);
  try {
    return statSync(file, { bigint: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(error, file);
    throw missing(file);
  }
}

async function openRegular(
  file: string,
  stats: BigIntStats,
  limits: Limits,
  end: ReadingEnd,
): Promise<Opened> {
  const size = Number(stats.size);
  const watch = new Watch();
  watch.add(null, file, stats);
  const content = smallContent(file, size);
  const range: ByteRange = { file, start: 0, length: size, deflated: false, ...(content && { content }) };
  const head = readHead(range, HEAD);
  const counter = new Counter();
  const shared = {
    file,
    size,
    ...(content && { content }),
    bytesRead: counter.read,
    changes: () => watch.changes(),
  };
  if (isZip(head)) {
    // Loaded when it is wanted: the zip reader costs 50 ms of every start.
    const { openZip } = await import('./zip.js');
    const source = await openZip(range, limits);
    const found = await zipParts(file, source, counter, limits, end);
    return { ...shared, container: 'zip', compression: 'none', ...found };
  }
  const part = await tarPart(range, head, null, counter, limits, end);
  return { ...shared, container: 'tar', compression: part.compression, parts: [part], ...ALONE };
}

/** Values of the fields that only a zip of image tarballs sets. */
const ALONE = { strangers: [], problems: [] } as const;

/** A zip is an image layout itself, or holds image tarballs, as the artifacts of CI systems do. */
async function zipParts(
  file: string,
  zip: SeekableSource,
  counter: Counter,
  limits: Limits,
  end: ReadingEnd,
): Promise<Pick<Opened, 'parts' | 'strangers' | 'problems'>> {
  const whole: Part = { inside: null, compression: 'none', source: zip };
  if (rootOf(zip.members.map(m => m.path)) !== null) return { parts: [whole], ...ALONE };
  const parts: Part[] = [];
  const strangers: Stranger[] = [];
  const candidates = zip.members.filter(
    ({ range, size, path }) => range !== null && (size > 0 || isTarOrZipName(path)),
  );
  const shared = sharedAmong(limits, candidates.length);
  for (const member of candidates) {
    if (member.range === null) continue;
    end.signal?.throwIfAborted();
    const inside = member.path;
    const head = readHead(member.range, HEAD);
    try {
      if (!isTarball(member, head, `${file}: ${inside}`)) continue;
      parts.push(await tarPart(member.range, head, inside, counter, shared, end));
    } catch (error) {
      // One bad file must not hide the images beside it.
      if (!(error instanceof InputError)) throw error;
      strangers.push({ inside, error });
    }
  }
  if (parts.length > 0) return { parts, strangers, problems: zip.problems };
  const limit = zip.problems.find(problem => problem.kind === 'limit');
  if (limit !== undefined) throw new InputError(limitText(limit), file, null, { damaged: true });
  const names = zip.members.slice(0, 5).map(m => visible(m.path));
  throw new InputError(
    `a zip with neither an image layout nor an image tarball in it${names.length > 0 ? ` (it holds ${names.join(', ')}…)` : ''}`,
    file,
    WHAT_WE_READ,
  );
}

/**
 * Whether a member of a zip may be an image tarball. @throws InputError for one that is called so and is none. Hazard:
 * an image whose beginning is damaged must not be taken for some other file.
 */
function isTarball(
  { path, size }: Pick<SeekableSource['members'][number], 'path' | 'size'>,
  head: Uint8Array,
  where: string,
): boolean {
  if (size === 0) throw new InputError('the file is empty (0 bytes)', where, null, { isNoArchive: true });
  if (head.length === 0) throw new InputError('it cannot be inflated', where, null, { damaged: true });
  if (isTar(head) || sniff(head) !== 'none') return true;
  if (!isTarOrZipName(path)) return false;
  throw isZip(head) ? new InputError('a zip in a zip, which is not read', where) : notAnArchive(where, head);
}

/** A tar at a range of a file: indexed in place where it is not compressed, else streamed. */
async function tarPart(
  range: ByteRange,
  head: Uint8Array,
  inside: string | null,
  counter: Counter,
  limits: Limits,
  { deadline, signal }: ReadingEnd,
): Promise<Part> {
  const compression = sniff(head);
  const where = inside === null ? range.file : `${range.file}: ${inside}`;
  if (compression === 'none' && !range.deflated) {
    if (!isTar(head)) throw notAnArchive(where, head);
    return { inside, compression, source: indexTar(range, limits) };
  }
  // Aborting ends a file between two reads, so that it is closed when the error arrives.
  const onRead = (bytes: number) => {
    counter.add(bytes);
    signal?.throwIfAborted();
  };
  const chunks = (report: ReportProblem) =>
    untilDeadline(streamRange(range, limits, onRead, report), deadline, limits);
  return { inside, compression, source: await onceSource(chunks, head, where, limits) };
}

type ReportProblem = (problem: SourceProblem) => void;

/**
 * A tar that is read once. Its first block is examined first, so that no other file is taken for a tar.
 * @param packed  the first block of the file
 */
async function onceSource(
  raw: (report: ReportProblem) => AsyncIterable<Uint8Array>,
  packed: Uint8Array,
  where: string,
  limits: Limits,
): Promise<Source> {
  const compression = sniff(packed);
  const problems = otherKinds(packed);
  const report = (problem: SourceProblem) => void problems.push(problem);
  const unpacked =
    compression === 'none' ? raw(report) : decompress(raw(report), codecFor(compression), limits, report);
  const [head, chunks] = await look(unpacked, where);
  if (!isTar(head)) {
    await chunks[Symbol.asyncIterator]().return?.();
    if (compression === 'none') throw notAnArchive(where, head);
    const broken = problems.find(p => p.kind === 'outer-compression');
    throw new InputError(
      broken === undefined
        ? `${compression} data with no tar in it, but ${head.length === 0 ? 'nothing' : describeContent(head)}`
        : `the ${compression} stream is damaged before the first tar header: ${broken.reason}`,
      where,
      broken === undefined ? WHAT_WE_READ : 'Was the download cut short?',
      { damaged: broken !== undefined, isLasting: !problems.some(isOfTheMoment) },
    );
  }
  // containers/image unpacks a docker-archive twice, where it can.
  if (compression !== 'none' && isTarToo(head)) {
    const readings = ['a tar', `${sniff(head)} data`];
    report({ kind: 'ambiguous', path: null, field: 'kind of the unpacked file', readings });
  }
  return {
    access: 'once',
    close: async () => void (await chunks[Symbol.asyncIterator]().return?.()),
    async walk(visit) {
      const cursor = new StreamCursor(chunks);
      try {
        await passTar(cursor, limits, report, visit);
        // A tar may end before its compression does: the rest is read so that a damaged end is not missed.
        for await (const _ of cursor.pieces(limits.trailingBytes));
      } catch (error) {
        if (!(error instanceof Interruption)) throw error;
        report(error.problem);
      } finally {
        await cursor.close();
      }
      return problems;
    },
  };
}

/** @throws InputError when a limit ends it before its first block */
async function look(chunks: AsyncIterable<Uint8Array>, where: string): ReturnType<typeof peek> {
  try {
    return await peek(chunks);
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    throw new InputError(error.message, where, null, { cause: error, damaged: true });
  }
}

export async function openStream(
  file: string,
  where: string,
  stream: AsyncIterable<Uint8Array>,
  limits: Limits,
): Promise<Opened> {
  const counter = new Counter();
  const input = counted(stream, counter);
  const [head, chunks] = await look(input, where);
  if (head.length === 0)
    throw new InputError('nothing came in (0 bytes)', where, 'Did the command before the pipe fail?');
  if (isZip(head)) {
    await chunks[Symbol.asyncIterator]().return?.();
    throw new InputError(
      'a zip cannot be read from a pipe, because its table of contents is at its end',
      where,
      'Save it to a file and name that.',
    );
  }
  const compression = sniff(head);
  const source = await onceSource(() => chunks, head, where, limits);
  return {
    file,
    container: 'stream',
    compression,
    size: null,
    bytesRead: counter.read,
    changes: () => [],
    parts: [{ inside: null, compression: 'none', source }],
    ...ALONE,
  };
}

async function openFolder(file: string, limits: Limits): Promise<Opened> {
  await requireLayout(file);
  const watch = new Watch();
  const source = await openDirectory(file, limits, watch);
  const size = source.members.reduce((sum, m) => sum + m.size, 0);
  return {
    file,
    container: 'directory',
    compression: 'none',
    size,
    bytesRead: () => 0,
    changes: () => watch.changes(),
    parts: [{ inside: null, compression: 'none', source }],
    ...ALONE,
  };
}

function notAnArchive(where: string, head: Uint8Array): InputError {
  return new InputError(`not an image archive but ${describeContent(head)}`, where, WHAT_WE_READ, {
    isNoArchive: true,
    isLasting: true,
  });
}
