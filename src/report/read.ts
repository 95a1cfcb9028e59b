import { createHash } from 'node:crypto';
import { Concerns } from '../checks/concerns.js';
import { fromProblem } from '../checks/container.js';
import { type Finding, findingsOf, toFindings } from '../checks/findings.js';
import { doubtsOf, type Verdicts, verdictsBy } from '../checks/verdicts.js';
import { deadlineIn } from '../containers/deadline.js';
import { fileSha256, StreamDigest } from '../containers/file-digest.js';
import { isLeftOut } from '../containers/kind.js';
import { inputName, openArchive } from '../containers/open.js';
import { isOfTheMoment, type Member, type Opened, type Part, type Stranger } from '../containers/source.js';
import { reading } from '../containers/unreadable.js';
import { InputError } from '../errors.js';
import { forSize, type Limits, limitText, type Resources, sharedAmong } from '../limits.js';
import type { Graph, Image } from '../link/graph.js';
import { link } from '../link/link.js';
import { memberAt, type Observation, observe } from '../link/observation.js';
import type { KnownBlobs } from '../scan/blob/known.js';
import { UnpackedTotal } from '../scan/blob/unpacked-total.js';
import type { ContentWanted } from '../scan/entries/wanted.js';
import { limitsWithin } from '../scan/resources.js';
import { type Depth, type Scan, type ScanOptions, scan } from '../scan/scan.js';
import type { Platform } from '../spec/platform.js';
import { visible } from '../visible.js';

export { MIN_MEMORY } from '../scan/resources.js';

export interface ReadOptions extends Resources {
  /**
   * `metadata` reads JSON and first bytes; `digests` reads, hashes and unpacks every byte; `files` keeps the entries of
   * layers as well. Default `digests`.
   */
  readonly depth?: Depth;
  /** At depth `files`: the digests of all files in layers, and the content of those whose paths match. */
  readonly files?: ContentWanted;
  /**
   * Says how deep to read when the documents are known, where they can be read before the rest: of a pipe and a
   * compressed tar they cannot, and `depth` applies.
   */
  readonly deepen?: (images: readonly Image[]) => Pick<ReadOptions, 'depth' | 'files'>;
  /** Make absent platforms of an index errors: all of them, or the one that is needed. */
  readonly requireComplete?: boolean | Platform;
  /** Make an archive without an image an error, also where it holds artifacts. */
  readonly requireImage?: boolean;
  /** Take the sha256 of the file as it lies there, or of the stream, too. */
  readonly sha256?: boolean;
  /**
   * When the time is over, on the clock of `source/deadline.ts`, where several archives share it; else `limits.seconds`
   * from now.
   */
  readonly deadline?: number | undefined;
  /** Facts about blobs that need not be unpacked again: `blobs` of a cache. */
  readonly known?: KnownBlobs | undefined;
  /** Ends reading: the promise is rejected with its reason when no thread works any more and no file is open. */
  readonly signal?: AbortSignal | undefined;
  /** Called while reading, with the bytes read and the bytes there are (null for a pipe). */
  readonly onProgress?: ((done: number, total: number | null) => void) | undefined;
}

/** One image archive, read, linked and checked. */
export interface PartReading {
  readonly part: Part;
  readonly scan: Scan;
  readonly graph: Graph;
  readonly findings: readonly Finding[];
  /** Which of them concern which image. */
  readonly concerns: Concerns;
  readonly verdicts: Verdicts;
}

/** Everything that is known of what the user named. */
export interface ArchiveReading {
  readonly opened: Opened;
  readonly depth: Depth;
  /** Bytes of the file, or read from the pipe. */
  readonly size: number;
  /**
   * The sha256 of the file as stored, compressed or not, in hexadecimal digits. null for a directory, if it was not
   * requested, and where not all bytes were read.
   */
  readonly sha256: string | null;
  /** One, or several image tarballs inside a zip. */
  readonly parts: readonly PartReading[];
  /** About a zip of image tarballs, and files of it that could not be read as such. */
  readonly findings: readonly Finding[];
}

/** How much longer than reading its documents may be looked at, so that what was read in time is reported. */
const LINKING_MS = 250;

/**
 * Reads an image archive.
 * @param input  a file or directory by its path, `-` for standard input, or a stream of bytes
 * @throws InputError when there is no image archive to report about; the reason of the signal
 */
export async function readArchive(
  input: string | AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<ArchiveReading> {
  const { signal } = options;
  signal?.throwIfAborted();
  try {
    return await readWhole(input, options);
  } catch (error) {
    // Whatever failed first, the caller has ended the reading.
    signal?.throwIfAborted();
    throw error;
  }
}

async function readWhole(
  input: string | AsyncIterable<Uint8Array>,
  options: ReadOptions,
): Promise<ArchiveReading> {
  const limits = limitsWithin(options);
  const deadline = options.deadline ?? deadlineIn(limits.seconds);
  const digest = options.sha256 === true ? new StreamDigest() : undefined;
  const opened = await openArchive(input, limits, { deadline, signal: options.signal }, digest);
  try {
    return await readOpened(opened, inputName(input), limits, deadline, digest, options);
  } catch (error) {
    // The parts that were not reached.
    for (const { source } of opened.parts) if (source.access === 'once') await source.close();
    throw error;
  }
}

async function readOpened(
  opened: Opened,
  where: string,
  limits: Limits,
  deadline: number,
  digest: StreamDigest | undefined,
  options: ReadOptions,
): Promise<ArchiveReading> {
  const depth = options.depth ?? 'digests';
  const { jobs, memory, signal, known } = options;
  // Before the rest is read, so that a change between the two is seen.
  const sha256 =
    digest === undefined ? null : await reading(where, () => sha256Of(opened, deadline, options));
  const parts: PartReading[] = [];
  const strangers: Stranger[] = [...opened.strangers];
  const shared = sharedAmong(limits, opened.parts.length);
  const unpacked = new UnpackedTotal();
  unpacked.hasStored(opened.size ?? 0);
  const onProgress = progressOf(opened, unpacked, options);
  const work = {
    ...{ depth, limits: shared, deadline, signal, jobs, memory },
    ...{ contents: options.files, unpacked, known },
  };
  const limitsFor = () => forSize(shared, options.limits ?? {}, opened.size ?? opened.bytesRead());
  for (const part of opened.parts) {
    const linkedBy = (read: Scan) => link(read, limitsFor(), deadline + LINKING_MS);
    const planned = await reading(where, () => plannedFor(part, { ...work, onProgress }, options, linkedBy));
    const read = await reading(where, () => scan(part, planned));
    signal?.throwIfAborted();
    const linked = limitsFor();
    const graph = linkedBy(read);
    // After the last document has been read.
    const scanned = { ...read, limits: linked, problems: [...read.problems, ...opened.changes()] };
    if (graph === null) {
      const { inside } = part;
      const error = notAnImage(inside === null ? where : `${where}: ${inside}`, scanned);
      strangers.push({ inside: inside ?? '', error });
      continue;
    }
    parts.push(partReading(part, scanned, graph, options, limits));
  }
  signal?.throwIfAborted();
  if (parts.length === 0) throw strangers[0]!.error;
  const size = opened.size ?? opened.bytesRead();
  const observations = [...opened.problems.map(fromProblem), ...strangers.map(observeStranger)];
  return {
    opened,
    depth,
    size,
    sha256: sha256 ?? digest?.sha256 ?? null,
    parts,
    findings: toFindings(observations, limits),
  };
}

/** Counts the bytes that are read, for the caller and, if they come from a pipe, for the limits. */
function progressOf(opened: Opened, unpacked: UnpackedTotal, { onProgress }: ReadOptions) {
  let done = 0;
  return (bytes: number): void => {
    done += bytes;
    if (opened.size === null) unpacked.hasStored(opened.bytesRead());
    onProgress?.(opened.bytesRead() || done, opened.size);
  };
}

function partReading(
  part: Part,
  read: Scan,
  graph: Graph,
  { requireComplete = false, requireImage = false }: ReadOptions,
  limits: Limits,
): PartReading {
  const findings = findingsOf(read, graph, { requireComplete, requireImage }, limits);
  let concerns: Concerns | null = null;
  return {
    part,
    scan: read,
    graph,
    findings,
    get concerns() {
      concerns ??= new Concerns(read, graph, findings);
      return concerns;
    },
    verdicts: verdictsBy(doubtsOf(findings, graph), read.depth !== 'metadata'),
  };
}

/** Reads the documents of a part alone, to find out how deep the rest has to be read. */
async function plannedFor(
  part: Part,
  work: ScanOptions,
  { deepen }: ReadOptions,
  linkedBy: (read: Scan) => Graph | null,
): Promise<ScanOptions> {
  if (deepen === undefined || part.source.access === 'once') return work;
  const graph = linkedBy(await scan(part, { ...work, depth: 'metadata', onProgress: () => {} }));
  if (graph === null) return work;
  const { depth = work.depth, files } = deepen(graph.images);
  return { ...work, depth, contents: files };
}

/** null for what is not one file that can be read again. */
async function sha256Of(
  { container, file, size, content }: Opened,
  deadline: number,
  { onProgress, signal }: ReadOptions,
) {
  if (container === 'directory' || container === 'stream') return null;
  if (content !== undefined) return createHash('sha256').update(content).digest('hex');
  let done = 0;
  return fileSha256(file, deadline, count => {
    signal?.throwIfAborted();
    done += count;
    onProgress?.(done, size);
  });
}

function observeStranger({ inside, error }: Stranger): Observation {
  return observe(
    'part-unreadable',
    memberAt(inside),
    { reason: error.what },
    isLeftOut(error, inside) ? 'info' : 'error',
  );
}

const ROOT_FOLDERS = [
  'bin',
  'etc',
  'usr',
  'lib',
  'var',
  'sbin',
  'proc',
  'dev',
  'home',
  'tmp',
  'Files',
  'Windows',
];

/** Names a tar that holds no image for what it is, with the way out. FORMATS row Q. */
function notAnImage(where: string, { members, problems }: Scan): InputError {
  const isLasting = !problems.some(isOfTheMoment);
  // What was not read may be the image, but not what stands behind the end of a tar.
  const limit = problems.filter(p => p.kind === 'limit').find(p => p.limit !== 'trailingBytes');
  if (limit !== undefined) return new InputError(limitText(limit), where, null, { damaged: true, isLasting });
  const names = members.map(member => member.path);
  const tops = new Set(names.map(name => name.split('/')[0]!));
  const broken = problems.find(p => p.kind === 'tar-header' || p.kind === 'tar-truncated');
  if (members.length === 0) {
    const damage = broken?.kind === 'tar-header' ? `its first header is damaged: ${broken.reason}` : null;
    return new InputError(
      damage === null ? 'a tar with nothing in it' : `a tar that cannot be read: ${damage}`,
      where,
      'Was the download cut short, or changed on its way?',
      { damaged: true, isLasting },
    );
  }
  if (names.some(name => /(^|\/)\.wh\.[^/]+$/.test(name))) {
    return new InputError(
      'a single image layer, not an image: it holds files and whiteouts (.wh.*), but no manifest',
      where,
      'Name the archive that the layer came from, or make one with `docker save IMAGE -o image.tar`.',
      { isLasting },
    );
  }
  const rootFolders = ROOT_FOLDERS.filter(folder => tops.has(folder));
  if (rootFolders.length >= 2) {
    return new InputError(
      `a root file system (${rootFolders.slice(0, 4).join(', ')} …), as \`docker export\` and buildx type=tar write it: it has no config, no layers and no ID`,
      where,
      'Save the image instead of exporting a container: `docker save IMAGE -o image.tar`.',
      { isLasting },
    );
  }
  const sample = names.slice(0, 3).map(visible).join(', ');
  const cut = broken === undefined ? '' : '; the tar is damaged or cut short, so its manifest may be missing';
  return new InputError(
    `a tar without an image in it: no manifest.json, index.json, oci-layout or repositories (it holds ${sample}${names.length > 3 ? ` and ${names.length - 3} more` : ''})${cut}`,
    where,
    'Is it a layer, a root file system or a source archive? `docker save IMAGE -o image.tar` makes what waybill reads.',
    { damaged: problems.length > 0, isLasting },
  );
}

/** Images in the whole archive, chosen or not. */
export const imagesIn = ({ parts }: ArchiveReading) =>
  parts.reduce((sum, { graph }) => sum + graph.images.length, 0);

/** The path of a member as findings give it: inside a zip of tarballs, behind the tarball's own path. */
export function pathIn(part: Part, path: string): string {
  return part.inside === null ? path : `${part.inside}!/${path}`;
}

/**
 * Where a member of an archive is found again, for `reread`, and what its bytes were.
 * @param scan  has the facts of the member
 */
export function memberPlace({ part, scan: own }: PartReading, member: Member, scan = own) {
  const { path } = member;
  const isOnce = part.source.access === 'once';
  const copies = isOnce ? scan.members.filter(m => m.path === path && m.type === 'file').length : 1;
  const { size = 0, digests = null } = scan.facts(member) ?? {};
  const stored = digests === null ? null : { size, digest: digests.sha256 };
  return { inside: part.inside, path, copies, stored };
}
