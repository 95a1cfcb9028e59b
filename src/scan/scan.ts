import type { Compression } from '../codec/codec.js';
import { loadCodecs, sniff } from '../codec/registry.js';
import type { Limits } from '../limits.js';
import { copyOf } from '../source/cursor.js';
import { HEAD, isTar, looksLikeJson } from '../source/kind.js';
import { readHead, readRange } from '../source/read.js';
import type {
  Member,
  OnceSource,
  Part,
  SeekableMember,
  SeekableSource,
  SourceProblem,
} from '../source/source.js';
import { type Analysis, BlobAnalyser } from './analyser.js';
import { type Document, mayBeDocument, readDocument, refusedDocument } from './document.js';
import type { ContentWanted } from './entry-content.js';
import { algorithmsFor, type BlobFacts } from './facts.js';
import { Members } from './links.js';
import { Pool } from './pool.js';
import { analyseRange } from './range.js';

/** How deep to read: JSON documents and first bytes only; every byte, hashed and unpacked; or the entries of layers too. */
export type Depth = 'metadata' | 'digests' | 'files';

/** What a member's first bytes tell. */
export interface Head {
  readonly compression: Compression;
  readonly json: boolean;
  readonly tar: boolean;
}

/** One archive of members, read as deep as was asked for. The same for every way it can be delivered. */
export interface Scan {
  readonly depth: Depth;
  readonly members: readonly Member[];
  readonly problems: readonly SourceProblem[];
  /** The file at a path, through links. */
  file(path: string): Member | null;
  /** The member at a path, whatever it is. */
  at(path: string): Member | null;
  head(file: Member): Head;
  document(file: Member): Document;
  /** null at depth `metadata`. */
  facts(file: Member): BlobFacts | null;
}

export interface ScanOptions {
  readonly depth: Depth;
  readonly limits: Limits;
  /** What is wanted of the content of layers' files, at depth `files`. */
  readonly contents?: ContentWanted | undefined;
  /** Bytes read since the last call. */
  readonly onProgress: (bytes: number) => void;
}

/** A blob at least this big is worth handing to a worker; an archive less than `POOL_FROM` is not worth starting one. */
const WORKER_FROM = 1024 * 1024;
const POOL_FROM = 32 * 1024 * 1024;

export async function scan(part: Part, options: ScanOptions): Promise<Scan> {
  if (options.depth !== 'metadata') await loadCodecs();
  return part.source.access === 'seekable'
    ? scanSeekable(part.source, options)
    : scanOnce(part.source, options);
}

const analysisOf = ({ limits, depth, contents }: ScanOptions): Analysis => ({
  limits,
  files: depth === 'files',
  contents,
});

async function scanSeekable(source: SeekableSource, options: ScanOptions): Promise<Scan> {
  const { depth, limits } = options;
  const members = new Members(source.members);
  const facts = depth === 'metadata' ? new Map<Member, BlobFacts>() : await analyseMembers(members, options);
  const heads = new Map<Member, Head>();
  const documents = new Map<Member, Document>();
  return {
    depth,
    members: source.members,
    problems: source.problems,
    at: path => members.at(path),
    file: path => members.file(path),
    head: file => remember(heads, file, () => toHead(safeHead(file as SeekableMember))),
    document: file => remember(documents, file, () => loadDocument(file as SeekableMember, limits)),
    facts: file => facts.get(file) ?? null,
  };
}

async function analyseMembers(
  members: Members<SeekableMember>,
  options: ScanOptions,
): Promise<Map<Member, BlobFacts>> {
  const { onProgress } = options;
  const analysis = analysisOf(options);
  const facts = new Map<Member, BlobFacts>();
  const jobs = members.all
    .filter(member => members.at(member.path) === member)
    .flatMap(member =>
      member.range === null ? [] : [{ member, range: member.range, algorithms: algorithmsFor(member.path) }],
    )
    .sort((a, b) => b.range.length - a.range.length);
  const total = jobs.reduce((sum, job) => sum + job.range.length, 0);
  const large = total < POOL_FROM ? 0 : jobs.findIndex(job => job.range.length < WORKER_FROM);
  const forWorkers = total < POOL_FROM ? [] : large < 0 ? jobs : jobs.slice(0, large);
  const pool = new Pool(analysis, onProgress);
  const done = pool.analyseAll(forWorkers, (job, fact) => facts.set(job.member, fact));
  try {
    for (const { member, range, algorithms } of jobs.slice(forWorkers.length)) {
      facts.set(member, analyseRange(range, algorithms, analysis, onProgress));
    }
    await done;
  } finally {
    await pool.close();
  }
  return facts;
}

function safeHead(file: SeekableMember): Uint8Array {
  try {
    return file.range === null ? new Uint8Array(0) : readHead(file.range, HEAD);
  } catch {
    // Unreadable here is unreadable when its bytes are wanted, and is reported then.
    return new Uint8Array(0);
  }
}

function loadDocument(file: SeekableMember, limits: Limits): Document {
  const { path, range } = file;
  if (range === null) return refusedDocument(path, { kind: 'unreadable', reason: 'it is no file' });
  if (file.size > limits.documentBytes) return refusedDocument(path, tooLarge(limits, file.size));
  if (!mayBeDocument(path, safeHead(file))) return notJson(path);
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    readRange(range, piece => {
      parts.push(copyOf(piece));
      size += piece.length;
      return size <= limits.documentBytes;
    });
  } catch (error) {
    return refusedDocument(path, { kind: 'unreadable', reason: (error as Error).message });
  }
  if (size > limits.documentBytes) return refusedDocument(path, tooLarge(limits, size));
  // Half a document is no document: its digest would name an image that is not here.
  if (size < file.size) return refusedDocument(path, CUT_SHORT);
  return readDocument(path, Buffer.concat(parts));
}

/** One pass: whatever linking may want must be kept as it comes by. */
async function scanOnce(source: OnceSource, options: ScanOptions): Promise<Scan> {
  const { depth, limits, onProgress } = options;
  const analysis = analysisOf(options);
  const all: Member[] = [];
  const heads = new Map<Member, Head>();
  const documents = new Map<Member, Document>();
  const facts = new Map<Member, BlobFacts>();
  const pending: Promise<unknown>[] = [];
  const pool = new Pool(analysis, onProgress);
  let kept = 0;
  try {
    const problems = await source.walk(async (member, content) => {
      all.push(member);
      if (member.type !== 'file') return;
      const [head, chunks] = await firstBytes(content);
      heads.set(member, toHead(head));
      const wanted = mayBeDocument(member.path, head);
      const fits = member.size <= limits.documentBytes && kept + member.size <= limits.keptDocumentBytes;
      if (wanted && fits) {
        const bytes = await collect(chunks);
        kept += bytes.length;
        const isCut = bytes.length < member.size;
        documents.set(
          member,
          isCut ? refusedDocument(member.path, CUT_SHORT) : readDocument(member.path, bytes),
        );
        onProgress(bytes.length);
        if (depth !== 'metadata') facts.set(member, analyseBytes(bytes, member, analysis));
        return;
      }
      documents.set(
        member,
        wanted ? refusedDocument(member.path, tooLarge(limits, member.size, kept)) : notJson(member.path),
      );
      if (depth === 'metadata') return;
      const algorithms = algorithmsFor(member.path);
      if (member.size >= WORKER_FROM) {
        const job = await pool.analyseStream(chunks, algorithms);
        pending.push(job.facts.then(fact => facts.set(member, fact)));
        return;
      }
      const analyser = new BlobAnalyser(algorithms, analysis);
      for await (const chunk of chunks) {
        analyser.write(chunk);
        onProgress(chunk.length);
      }
      facts.set(member, analyser.end());
    });
    await Promise.all(pending);
    const members = new Members(all);
    return {
      depth,
      members: all,
      problems,
      at: path => members.at(path),
      file: path => members.file(path),
      head: file => heads.get(file) ?? toHead(new Uint8Array(0)),
      document: file => documents.get(file) ?? notJson(file.path),
      facts: file => facts.get(file) ?? null,
    };
  } finally {
    await pool.close();
  }
}

function analyseBytes(bytes: Uint8Array, member: Member, analysis: Analysis): BlobFacts {
  const analyser = new BlobAnalyser(algorithmsFor(member.path), analysis);
  analyser.write(bytes);
  return analyser.end();
}

async function firstBytes(
  content: AsyncIterable<Uint8Array>,
): Promise<[Uint8Array, AsyncIterable<Uint8Array>]> {
  const iterator = content[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  for (let have = 0; have < HEAD; ) {
    const next = await iterator.next();
    if (next.done === true) break;
    held.push(copyOf(next.value));
    have += next.value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* held;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return [Buffer.concat(held).subarray(0, HEAD), all()];
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(copyOf(chunk));
  return Buffer.concat(parts);
}

const toHead = (head: Uint8Array): Head => ({
  compression: sniff(head),
  json: looksLikeJson(head),
  tar: isTar(head),
});

const CUT_SHORT = { kind: 'not-json', reason: 'it is cut short' } as const;

const notJson = (path: string): Document =>
  refusedDocument(path, { kind: 'not-json', reason: 'it does not begin like a JSON document' });

/** @param kept  bytes of the documents that a one-pass reader holds already */
function tooLarge(limits: Limits, actual: number, kept = 0) {
  const limit = actual > limits.documentBytes || kept === 0 ? 'documentBytes' : 'keptDocumentBytes';
  return { kind: 'limit', limit, value: limits[limit], actual } as const;
}

function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
