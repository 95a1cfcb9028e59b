import { posix } from 'node:path';
import type { CodecFault } from '../codec/codec.js';
import type { CodecName, Compression } from '../codec/registry.js';
import type { Member, SourceProblem } from '../containers/source.js';
import { cannotTell, refuse } from '../decoding/refused.js';
import type { BlobFacts, TarFacts } from '../scan/blob/facts.js';
import { ExtractedDirectory, Extraction, isLink } from '../scan/extraction.js';
import type { Scan } from '../scan/scan.js';
import { type Digests, digestOf, digestOfBlobPath, sameAlgorithm } from '../spec/digest.js';
import { cleanPath, isUnsafeName, longestPart, NAME_MAX } from '../tar/path.js';
import type { StoredBlob } from './synthesise.js';

/** The file as an engine reads it: a tar, its entries in order, and where Go's reader stops. */
export interface TarFile {
  readonly scan: Scan;
  readonly members: readonly Member[];
  /** The error of Go's archive/tar; null for a sound tar. */
  readonly error: string | null;
  /** The error of Go's decompressor for the whole file. */
  readonly packError: string | null;
  /** The error for the bytes after the compressed stream: a reader that stops at the end of the tar never sees it. */
  readonly lateError: string | null;
  /**
   * containers/image does not recognise skippable frames of zstd: it takes the file for a tar, or for no format it
   * knows.
   */
  readonly foreign: 'tar' | 'unknown' | null;
  /**
   * Paths of global PAX headers, which are entries to Go, and of sparse members, whose holes waybill does not fill in.
   */
  readonly globals: ReadonlySet<string>;
  readonly sparse: ReadonlySet<string>;
  /** The member in which the tar ends too early. */
  readonly cut: { readonly member: Member; readonly expected: number; readonly actual: number } | null;
}

const INVALID = 'archive/tar: invalid tar header';
const TOO_LONG = 'archive/tar: header field too long';
const CUT = 'unexpected EOF';
const BLOCK = 512;

export function tarFile(scan: Scan): TarFile {
  const { problems } = scan;
  // Engines see nothing behind a header that they refuse.
  const refused = problems.find(p => p.kind === 'tar-field' || p.kind === 'tar-record');
  const members =
    refused?.kind === 'tar-field' || refused?.kind === 'tar-record'
      ? scan.members.slice(0, refused.before)
      : scan.members;
  const packed = problems.find(p => p.kind === 'outer-compression');
  const outer = packed === undefined ? null : packError(packed.codec, packed.cut, packed.fault);
  const broken = problems.find(p => p.kind === 'tar-truncated' && p.path !== null);
  const last = members.at(-1);
  return {
    scan,
    members,
    error: problems.map(problem => tarError(problem, problems)).find(error => error !== null) ?? outer,
    packError: outer,
    lateError: lateOuterError(problems),
    foreign: foreignTo(problems),
    globals: pathsOf(problems, p => p.kind === 'ambiguous' && p.code === 'global-header'),
    sparse: pathsOf(problems, p => p.kind === 'sparse'),
    cut:
      broken?.kind !== 'tar-truncated' || last === undefined
        ? null
        : { member: last, expected: broken.expected, actual: broken.actual },
  };
}

const pathsOf = (problems: readonly SourceProblem[], are: (problem: SourceProblem) => boolean) =>
  new Set(problems.filter(are).flatMap(({ path }) => path ?? []));

/** Stops where Go's archive/tar finds another content at a path than waybill does. */
export function checkKnown({ globals, sparse }: TarFile, path: string): void {
  if (globals.has(path)) cannotTell({ code: 'global-header', path });
  if (sparse.has(path)) cannotTell({ code: 'sparse', path });
}

function tarError(problem: SourceProblem, all: readonly SourceProblem[]): string | null {
  if (problem.kind === 'tar-truncated') return CUT;
  if (problem.kind === 'tar-header' || problem.kind === 'tar-field') return INVALID;
  if (problem.kind === 'tar-record') return problem.code === 'too-large' ? TOO_LONG : INVALID;
  if (problem.kind !== 'end-marker-missing' || problem.zeroBlocks !== 1) return null;
  // Something else than zeros where the second zero block belongs.
  const { offset, cut } = problem;
  if (cut === true) return CUT;
  const dirty = all.some(p => p.kind === 'trailing-bytes' && p.offset >= offset && p.offset < offset + BLOCK);
  return dirty ? INVALID : null;
}

/**
 * Go's decompressors read the bytes after a stream as one more. compress/gzip, compress/bzip2, klauspost/compress zstd,
 * ulikunitz/xz
 */
function lateOuterError(problems: readonly SourceProblem[]): string | null {
  for (const problem of problems) {
    if (problem.kind !== 'outer-trailing') continue;
    return nextPartError(problem.codec, problem.bytes);
  }
  return null;
}

function foreignTo(problems: readonly SourceProblem[]): TarFile['foreign'] {
  if (problems.some(({ kind }) => kind === 'outer-skippable')) return 'unknown';
  const isSkippable = (p: SourceProblem) => p.kind === 'ambiguous' && p.code === 'skippable-frame';
  return problems.some(isSkippable) ? 'tar' : null;
}

/** Stops where containers/image does not recognise the compression of the file. */
export function checkKind({ foreign }: TarFile): void {
  if (foreign === 'tar') cannotTell({ code: 'tar-or-zstd' });
  if (foreign === 'unknown') refuse(CUT);
}

function packError(codec: string, cut: boolean, fault: CodecFault | null): string {
  if (cut || codec !== 'gzip') return CUT;
  if (fault?.code === 'long-header-text') return 'gzip: invalid header';
  return isTrailerFault(fault) ? 'gzip: invalid checksum' : 'flate: corrupt input';
}

/** The trailer of a gzip member is read only after the whole content. */
const isTrailerFault = (fault: CodecFault | null): boolean =>
  fault?.code === 'crc32' || fault?.code === 'length';

/** The largest documents that containers/image reads into memory, in bytes. internal/iolimits */
export const CONFIG_BYTES = 4 * 1024 * 1024;
export const MANIFEST_JSON_BYTES = 1024 * 1024;

export function checkSize({ size }: Member, most: number): void {
  if (size > most) refuse(`exceeded maximum allowed size of ${most} bytes`);
}

/** The path that a link leads to: path.Join of its folder and target, even where that is outside. */
export const followed = (name: string, target: string): string => {
  const slash = name.lastIndexOf('/');
  return cleanPath(
    `${slash < 0 ? '' : name.slice(0, slash + 1)}${target.startsWith('/') ? `/${target}` : target}`,
  );
};

/** A path relative to the top of the archive, whatever leads it. */
export const below = (path: string): string => cleanPath(`/${path}`).slice(1);

/** The facts of a layer that engines check when they unpack it; null where it was not read. */
export interface LayerFacts {
  readonly compression: Compression;
  readonly diffId: string | null;
  readonly size: number | null;
  /** The error of Go's decompressor. */
  readonly packError: string | null;
  /** It comes only after the whole content: an engine that stops at the tar's end marker never sees it. */
  readonly lateError: boolean;
  /** The error of Go's archive/tar for the content. */
  readonly tarError: string | null;
}

/** tar-split, with which docker's classic store and podman keep layers, refuses two entries of one cleaned name. */
export function checkDuplicates({ scan }: TarFile, member: Member): void {
  if (scan.facts(member)?.tar?.duplicate != null) refuse('duplicates of file paths not supported');
}

/** A layer as containers/image reads it, which takes what begins with a skippable frame of zstd as it is. */
export function containersLayer(file: TarFile, member: Member): LayerFacts {
  const facts = layerFacts(file, member);
  const head = member.type === 'file' ? file.scan.head(member) : null;
  return head?.skippable === true ? plainly(file, member, facts, head.tarToo) : facts;
}

/** A layer as containerd reads it, to which xz and bzip2 are plain bytes. */
export function containerdLayer(file: TarFile, member: Member): LayerFacts {
  const facts = layerFacts(file, member);
  if (facts.compression !== 'xz' && facts.compression !== 'bzip2') return facts;
  return plainly(file, member, facts, file.scan.head(member).tarToo);
}

/** The stored bytes themselves. Of a tar that they are we know the beginning only, and take the rest for sound. */
function plainly({ scan }: TarFile, member: Member, facts: LayerFacts, isTar: boolean): LayerFacts {
  const stored = scan.facts(member);
  if (stored === null) return { ...facts, compression: 'none', size: member.size };
  return {
    compression: 'none',
    diffId: stored.digests?.sha256 ?? null,
    size: stored.size,
    packError: null,
    lateError: false,
    tarError: isTar ? null : stored.size < BLOCK ? CUT : INVALID,
  };
}

export function layerFacts({ scan }: TarFile, member: Member): LayerFacts {
  const facts = scan.facts(member);
  if (facts === null) {
    const compression = member.type === 'file' ? scan.head(member).compression : 'none';
    const size = compression === 'none' ? member.size : null;
    return { compression, diffId: null, size, packError: null, lateError: false, tarError: null };
  }
  const { failure, compression, unpacked, tar } = facts;
  const late = lateError(facts);
  return {
    compression,
    diffId: unpacked?.digests.sha256 ?? null,
    size: unpacked?.size ?? null,
    packError: late ?? failureError(facts),
    lateError: late !== null,
    tarError: failure === null ? layerTarError(tar, unpacked?.size ?? 0) : null,
  };
}

/**
 * Refuses a layer whose diff_id is not `wanted`; where it was not computed because nothing was read, its word is taken.
 */
export function checkDiffId(
  { scan }: TarFile,
  member: Member,
  facts: LayerFacts,
  wanted: string,
  mismatch: (actual: string) => string,
): void {
  const { diffId, packError } = facts;
  if (diffId !== null && diffId !== wanted) refuse(mismatch(diffId));
  // Too large, unreadable, or the earlier one of two members with one path.
  if (diffId === null && packError === null && scan.depth !== 'metadata')
    cannotTell({ code: 'not-read', path: member.path });
}

function failureError({ failure }: BlobFacts): string | null {
  if (failure?.kind !== 'corrupt' && failure?.kind !== 'truncated') return null;
  const { codec, kind, fault = null } = failure;
  if (fault?.code === 'reserved-flags') cannotTell({ code: 'gzip-reserved-flags' });
  return packError(codec, kind === 'truncated', fault);
}

/** The error after the content: Go reads whatever follows the last part of the stream as another part. */
function lateError(facts: BlobFacts): string | null {
  const { failure, stream, compression } = facts;
  const error = failureError(facts);
  if (error !== null)
    return failure?.kind === 'corrupt' && isTrailerFault(failure.fault ?? null) ? error : null;
  const trailing = stream === null ? 0 : stream.trailingZeros + stream.trailingGarbage;
  if (trailing === 0 || compression === 'none') return null;
  if (compression === 'xz' && stream!.trailingGarbage === 0) return trailing % 4 === 0 ? null : CUT;
  return nextPartError(compression, trailing);
}

function nextPartError(codec: CodecName, trailing: number): string | null {
  const [head, wrong] = NEXT_PART[codec] ?? [0, null];
  return trailing < head ? CUT : wrong;
}

/** The bytes that Go reads of a part before it knows that it is none, and its error then. */
const NEXT_PART: Readonly<Partial<Record<string, readonly [bytes: number, error: string]>>> = {
  gzip: [10, 'gzip: invalid header'],
  zstd: [4, 'invalid input: magic number mismatch'],
  xz: [4, 'xz: invalid header magic bytes'],
  bzip2: [2, 'bzip2 data invalid: bad magic value in continuation file'],
};

/** The error of Go's archive/tar for a layer; an empty one has none. */
function layerTarError(tar: TarFacts | null, size: number): string | null {
  if (size === 0) return null;
  if (tar === null) return size < BLOCK ? CUT : INVALID;
  if (tar.error === null) return tar.malformed === null ? null : (tar.malformed.words ?? INVALID);
  return tar.isCut ? CUT : INVALID;
}

/** Digest and size of the stored bytes: computed, or else as a name or the config claims them. null where unknown. */
export function storedBlob({ scan }: TarFile, member: Member, claimedDiffId?: string): StoredBlob | null {
  const facts = scan.facts(member);
  if (facts !== null) {
    return facts.digests === null ? null : { digest: facts.digests.sha256, size: facts.size };
  }
  const { digest, bytes } = scan.document(member);
  if (digest !== null && bytes !== null) return { digest, size: bytes.length };
  const plain = scan.head(member).compression === 'none';
  const claimed = digestOfBlobPath(member.path) ?? (plain ? claimedDiffId : undefined);
  return claimed === undefined ? null : { digest: claimed, size: member.size };
}

/** The digest of a member's bytes by the algorithm of `claim`; null where it was not computed. */
export function digestLike({ scan }: TarFile, member: Member, claim: string): string | null {
  const facts: Digests | null = scan.facts(member)?.digests ?? null;
  const computed = facts === null ? null : sameAlgorithm(facts, claim);
  if (computed !== null) return computed;
  const { bytes, digest } = scan.document(member);
  return claim.startsWith('sha512:') && bytes !== null ? digestOf(bytes, 'sha512') : digest;
}

export type Tree = Extraction<Member>;

/** The longest path on Linux, in bytes. */
const PATH_MAX = 4096;

/**
 * The tree that archive.Untar leaves, moby's and that of containers/storage. moby pkg/archive/archive.go
 * @param scoped  whether links stay inside it while it is unpacked: docker unpacks in a chroot, containers/image does
 * not
 * @param linkError  what the engine says of a hard link to a file that is not there
 */
export function extracted(file: TarFile, scoped: boolean, linkError = noLinkTarget): Tree {
  const key = scoped || !file.members.some(isLink) ? 'scoped' : 'open';
  const known = trees.get(file)?.[key];
  if (known !== undefined) return known;
  const tree = build(file, key === 'scoped', linkError);
  trees.set(file, { ...trees.get(file), [key]: tree });
  return tree;
}

/** Several engines unpack the same file. One that cannot be unpacked is not remembered. */
const trees = new WeakMap<TarFile, { readonly scoped?: Tree; readonly open?: Tree }>();

const noLinkTarget = ({ name, target }: Member): string =>
  `linkat ${target} ${name}: no such file or directory`;

function build({ members }: TarFile, scoped: boolean, linkError: (link: Member) => string): Tree {
  const tree = new Extraction<Member>(scoped);
  for (const member of members) {
    const { name, flag } = member;
    checkLength(name);
    checkLength(member.target ?? '');
    if (isUnsafeName(name) && cleanPath(name).startsWith('../')) refuse(`invalid entry name "${name}"`);
    if (flag !== undefined) refuse(`unhandled tar header type ${flag}`);
    const why = tree.add(member, below(name));
    if (why === 'no target') refuse(linkError(member));
    if (why !== null) refuse(`open DIR/${below(name)}: not a directory`);
  }
  return tree;
}

function checkLength(path: string): void {
  if (Buffer.byteLength(path) > PATH_MAX || longestPart(path) > NAME_MAX)
    refuse(`open DIR/${path.slice(0, 64)}…: file name too long`);
}

/** Whether there is anything at a path, through links. */
export const holds = (tree: Tree, path: string): boolean => tree.find(path, true) !== null;

/** The file at a path; where there is none, the engine stops with the error of the kernel. */
export function open(tree: Tree, path: string): Member {
  checkLength(path);
  if (cleanPath(path).startsWith('..')) refuse(`evalSymlinksInScope: DIR/${cleanPath(path)} is not in DIR`);
  const real = below(path);
  const found = tree.find(real, true);
  if (found instanceof ExtractedDirectory)
    return refuse(`read ${`DIR/${real}`.replace(/\/$/, '')}: is a directory`);
  if (found?.type === 'other') cannotTell({ code: 'not-a-file', path: real });
  return found ?? refuse(`open DIR/${real}: no such file or directory`);
}

/** A file of the tree, through links; null where there is none. */
export function memberAt({ scan, sparse }: TarFile, tree: Tree, path: string): Member | null {
  const found = tree.find(path, true);
  if (found === null && scan.isDirectory && leadsOut(tree, path, LINKS))
    cannotTell({ code: 'link-leads-out', path });
  if (found === null || found instanceof ExtractedDirectory) return null;
  if (found.type === 'other') cannotTell({ code: sparse.has(found.path) ? 'sparse' : 'not-a-file', path });
  return found;
}

const LINKS = 40;

/** Whether a link on the way leads out, where an engine follows it and waybill does not. */
function leadsOut(tree: Tree, path: string, links: number): boolean {
  const parts = path.split('/');
  const ways = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
  const link = ways.find(way => tree.find(way, true) === null);
  const found = link === undefined || links === 0 ? null : tree.find(link, false);
  if (found === null || found instanceof ExtractedDirectory || found.type !== 'symlink') return false;
  const target = posix.join(posix.dirname(link!), found.target ?? '');
  return (
    found.target?.startsWith('/') === true || target.startsWith('..') || leadsOut(tree, target, links - 1)
  );
}

/** The file at a path; where there is none, the engine stops with the error of the system. */
export function fileAt(file: TarFile, tree: Tree, path: string): Member {
  const member = memberAt(file, tree, path);
  if (member !== null) return member;
  const isFolder = tree.find(path, true) instanceof ExtractedDirectory;
  return refuse(
    isFolder ? `read DIR/${path}: is a directory` : `open DIR/${path}: no such file or directory`,
  );
}
