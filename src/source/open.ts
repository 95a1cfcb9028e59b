import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import type { Compression } from '../codec/codec.js';
import { codecFor, sniff } from '../codec/registry.js';
import { InputError } from '../errors.js';
import type { Limits } from '../limits.js';
import { rootOf } from '../spec/markers.js';
import { visible } from '../visible.js';
import { FileCursor, StreamCursor } from './cursor.js';
import { openDirectory } from './directory.js';
import { describeContent, HEAD, isTar, isZip } from './kind.js';
import { requireLayout } from './layout-folder.js';
import { peek } from './peek.js';
import { decompress, readHead, streamRange } from './read.js';
import { readAhead } from './read-ahead.js';
import type {
  ByteRange,
  Opened,
  Part,
  SeekableMember,
  SeekableSource,
  Source,
  SourceProblem,
  Stranger,
} from './source.js';
import { readTar } from './tar.js';

const WHAT_WE_READ =
  'waybill reads what `docker save`, `podman save`, `skopeo copy`, buildx, crane and the like write: a tar (also gzip, zstd, xz or bzip2), a zip, or a directory.';

/**
 * Opens what the user named: a file, a directory, `-` for standard input, any path that can only be read once, or a
 * stream of bytes.
 * @throws InputError when it does not exist, cannot be read, or is nothing that holds an image
 */
export async function openArchive(
  input: string | AsyncIterable<Uint8Array>,
  limits: Limits,
): Promise<Opened> {
  const file = typeof input === 'string' ? input : '-';
  const stream = await streamOf(input);
  if (stream !== null) return openStream(file, stream, limits);
  const stats = await statInput(file);
  if (stats.isDirectory()) return openFolder(file, limits);
  if (stats.size === 0)
    throw new InputError('the file is empty (0 bytes)', file, 'Was the download cut short?');
  return openRegular(file, stats.size, limits);
}

/** The bytes of what can only be read once; null for a file or a directory. @throws InputError when there is no such file */
export async function streamOf(
  input: string | AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array> | null> {
  if (typeof input !== 'string') return input;
  if (input === '-') return readAhead(0, null);
  const stats = await statInput(input);
  return stats.isFile() || stats.isDirectory() ? null : readPipe(input);
}

async function statInput(file: string): Promise<Stats> {
  try {
    return await stat(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new InputError('no such file or directory', file, null, { cause: error });
    throw new InputError(`cannot be opened: ${message}`, file, null, { cause: error });
  }
}

async function openRegular(file: string, size: number, limits: Limits): Promise<Opened> {
  const range: ByteRange = { file, start: 0, length: size, deflated: false };
  let head: Uint8Array;
  try {
    head = readHead(range, HEAD);
  } catch (error) {
    const message = `cannot be read: ${(error as Error).message}`;
    throw new InputError(message, file, null, { cause: error, damaged: true });
  }
  const counter = new Counter();
  const shared = { file, size, bytesRead: counter.read };
  if (isZip(head)) {
    // Loaded when it is wanted: the zip reader costs 50 ms of every start.
    const { openZip } = await import('./zip.js');
    const source = await openZip(file, limits);
    const found = await zipParts(file, source, counter, limits);
    return { ...shared, container: 'zip', compression: 'none', ...found };
  }
  const part = await tarPart(range, head, null, counter, limits);
  return { ...shared, container: 'tar', compression: part.compression, parts: [part], strangers: [] };
}

/** A zip is an image layout as it is, or it holds image tarballs, as CI systems hand out artifacts. */
async function zipParts(
  file: string,
  zip: SeekableSource,
  counter: Counter,
  limits: Limits,
): Promise<Pick<Opened, 'parts' | 'strangers'>> {
  const whole: Part = { inside: null, compression: 'none', source: zip };
  if (rootOf(zip.members.map(m => m.path)) !== null) return { parts: [whole], strangers: [] };
  const parts: Part[] = [];
  const strangers: Stranger[] = [];
  for (const member of zip.members) {
    if (member.range === null || member.size === 0) continue;
    const inside = member.path;
    const head = readHead(member.range, HEAD);
    const where = `${file}: ${inside}`;
    try {
      if (head.length === 0) throw new InputError('it cannot be inflated', where, null, { damaged: true });
      if (!isTar(head) && sniff(head) === 'none') continue;
      parts.push(await tarPart(member.range, head, inside, counter, limits));
    } catch (error) {
      // One bad file must not hide the images beside it.
      if (!(error instanceof InputError)) throw error;
      strangers.push({ inside, error });
    }
  }
  if (parts.length > 0) return { parts, strangers };
  const names = zip.members.slice(0, 5).map(m => visible(m.path));
  throw new InputError(
    `a zip with neither an image layout nor an image tarball in it${names.length > 0 ? ` (it holds ${names.join(', ')}…)` : ''}`,
    file,
    WHAT_WE_READ,
  );
}

/** A tar at a range of a file: indexed in place when it lies there as it is, streamed when it is packed. */
async function tarPart(
  range: ByteRange,
  head: Uint8Array,
  inside: string | null,
  counter: Counter,
  limits: Limits,
): Promise<Part> {
  const compression = sniff(head);
  const where = inside === null ? range.file : `${range.file}: ${inside}`;
  if (compression === 'none' && !range.deflated) {
    if (!isTar(head)) throw notAnArchive(where, head);
    return { inside, compression, source: await indexTar(range, limits) };
  }
  const chunks = (report: Report) => streamRange(range, counter.add, report);
  return { inside, compression, source: await onceSource(chunks, compression, where, limits) };
}

async function indexTar(range: ByteRange, limits: Limits): Promise<SeekableSource> {
  const members: SeekableMember[] = [];
  const problems: SourceProblem[] = [];
  const cursor = await FileCursor.open(range.file, range.start, range.length);
  try {
    for await (const { member, start } of readTar(cursor, limits, problem => problems.push(problem))) {
      const length = Math.max(0, Math.min(member.size, range.length - start));
      const content = { file: range.file, start: range.start + start, length, deflated: false };
      members.push({ ...member, range: member.type === 'file' ? content : null });
    }
  } finally {
    await cursor.close();
  }
  return { access: 'seekable', members, problems };
}

type Report = (problem: SourceProblem) => void;

/** A tar that passes by once. Its first block is looked at before anything else, so that no other file is taken for one. */
async function onceSource(
  raw: (report: Report) => AsyncIterable<Uint8Array>,
  compression: Compression,
  where: string,
  limits: Limits,
): Promise<Source> {
  const problems: SourceProblem[] = [];
  const report = (problem: SourceProblem) => void problems.push(problem);
  const unpacked =
    compression === 'none' ? raw(report) : decompress(raw(report), codecFor(compression), report);
  const [head, chunks] = await peek(unpacked);
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
      { damaged: broken !== undefined },
    );
  }
  return {
    access: 'once',
    async walk(visit) {
      const cursor = new StreamCursor(chunks);
      try {
        for await (const { member } of readTar(cursor, limits, report)) {
          await visit(member, cursor.pieces(member.size));
        }
        // A tar may end before its compression does: the rest is read so that a damaged end is not missed.
        for await (const _ of cursor.pieces(limits.trailingBytes));
      } finally {
        await cursor.close();
      }
      return problems;
    },
  };
}

async function openStream(file: string, stream: AsyncIterable<Uint8Array>, limits: Limits): Promise<Opened> {
  const counter = new Counter();
  const input = counted(stream, counter);
  let head: Uint8Array;
  let chunks: AsyncIterable<Uint8Array>;
  const where = file === '-' ? 'standard input' : file;
  try {
    [head, chunks] = await peek(input);
  } catch (error) {
    throw new InputError(`cannot be read: ${(error as Error).message}`, where, null, { cause: error });
  }
  if (head.length === 0)
    throw new InputError('nothing came in (0 bytes)', where, 'Did the command before the pipe fail?');
  if (isZip(head)) {
    throw new InputError(
      'a zip cannot be read from a pipe, because its table of contents is at its end',
      where,
      'Save it to a file and name that.',
    );
  }
  const compression = sniff(head);
  const source = await onceSource(() => chunks, compression, where, limits);
  return {
    file,
    container: 'stream',
    compression,
    size: null,
    bytesRead: counter.read,
    parts: [{ inside: null, compression: 'none', source }],
    strangers: [],
  };
}

/** A named pipe, a device, or what the shell makes of `<(command)`. */
async function* readPipe(file: string): AsyncGenerator<Uint8Array> {
  // What is open already is read as it is: a socket, for one, cannot be opened again by its name.
  const inherited = /^\/(?:dev|proc\/self)\/(?:fd\/(\d+)|stdin)$/.exec(file);
  if (inherited !== null) {
    yield* readAhead(Number(inherited[1] ?? 0), null);
    return;
  }
  const handle = await open(file, 'r');
  try {
    yield* readAhead(handle.fd, null);
  } finally {
    await handle.close();
  }
}

async function openFolder(file: string, limits: Limits): Promise<Opened> {
  await requireLayout(file);
  const source = await openDirectory(file, limits);
  const size = source.members.reduce((sum, m) => sum + m.size, 0);
  return {
    file,
    container: 'directory',
    compression: 'none',
    size,
    bytesRead: () => 0,
    parts: [{ inside: null, compression: 'none', source }],
    strangers: [],
  };
}

function notAnArchive(where: string, head: Uint8Array): InputError {
  return new InputError(`not an image archive but ${describeContent(head)}`, where, WHAT_WE_READ);
}

class Counter {
  private bytes = 0;
  readonly add = (bytes: number): void => {
    this.bytes += bytes;
  };
  readonly read = (): number => this.bytes;
}

async function* counted(chunks: AsyncIterable<Uint8Array>, counter: Counter): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    counter.add(chunk.length);
    yield chunk;
  }
}
