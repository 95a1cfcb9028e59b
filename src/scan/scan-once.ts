import { loadCodecs } from '../codec/registry.js';
import { copyOf } from '../containers/cursor.js';
import { Interruption, whenAborted } from '../containers/deadline.js';
import { HEAD } from '../containers/kind.js';
import type { Member, OnceSource } from '../containers/source.js';
import type { Limits } from '../limits.js';
import { POOL_FROM, WORKER_FROM } from './analyse-members.js';
import { BlobAnalyser } from './blob/analyser.js';
import {
  cutDocument,
  type Document,
  type Head,
  mayBeDocument,
  NO_HEAD,
  notJson,
  readDocument,
  refusedDocument,
  toHead,
  tooLarge,
  weightOf,
} from './blob/document.js';
import type { Analysis } from './blob/examiner.js';
import { algorithmsFor, type BlobFailure, EmptyFacts, FactsKept } from './blob/facts.js';

import { Members } from './extraction.js';
import { factsIn, keptResults } from './once.js';
import { planOf } from './resources.js';
import type { Scan, ScanOptions } from './scan.js';
import { Pool } from './threads/pool.js';

/** Scans in one pass; all documents that linking may need are kept. */
export async function scanOnce(source: OnceSource, options: ScanOptions, analysis: Analysis): Promise<Scan> {
  const pass = new Pass(options, analysis);
  const { signal } = options;
  const forget = whenAborted(signal, () => void pass.close());
  try {
    const problems = await source.walk((member, content) => pass.visit(member, content));
    await pass.end();
    signal?.throwIfAborted();
    const { members: all, heads, documents, facts } = pass;
    const members = new Members(all);
    return {
      depth: options.depth,
      limits: options.limits,
      isDirectory: false,
      members: all,
      problems,
      at: path => members.at(path),
      file: path => members.file(path),
      isFolder: path => members.isFolder(path),
      head: file => heads.get(file) ?? NO_HEAD,
      document: file => documents.get(file) ?? notJson(file),
      facts: factsIn(facts),
      once: keptResults(),
    };
  } finally {
    forget();
    await pass.close();
  }
}

const NOTHING = new Uint8Array(0);

/** The state of a single pass over an archive. */
class Pass {
  readonly members: Member[] = [];
  readonly heads = new Map<Member, Head>();
  readonly documents = new Map<Member, Document>();
  private readonly pending: Promise<unknown>[] = [];
  private readonly plan;
  private readonly pool: Pool;
  private readonly known: FactsKept;
  private readonly empty: EmptyFacts;
  /** Memory of the documents, in bytes. */
  private kept = 0;
  /** Bytes that were analysed before a pool was started. */
  private analysed = 0;

  constructor(
    private readonly options: ScanOptions,
    private readonly analysis: Analysis,
  ) {
    this.plan = planOf(options);
    this.known = new FactsKept(options.limits);
    this.empty = new EmptyFacts(analysis);
    this.pool = new Pool(analysis, this.plan, options.onProgress);
  }

  async visit(member: Member, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const place = this.members.push(member) - 1;
    if (member.type !== 'file') return;
    if (member.size === 0 && !mayBeDocument(member.path, NOTHING)) {
      if (this.options.depth !== 'metadata')
        this.known.add(member, place, this.empty.of(algorithmsFor(member.path)));
      return;
    }
    const content = new Content(chunks);
    const head = await content.head();
    this.heads.set(member, toHead(head));
    const { depth, limits } = this.options;
    const wanted = mayBeDocument(member.path, head);
    const refused = wanted ? tooLarge(member.path, limits, member.size, this.kept) : notJson(member);
    if (refused === null) await this.keep(member, place, content);
    else {
      this.documents.set(member, refused);
      if (depth !== 'metadata') await this.analyse(member, place, content);
    }
    // The source has already reported the reason.
    if (content.interruption !== null) throw content.interruption;
  }

  get facts() {
    return this.known.facts;
  }

  async end(): Promise<void> {
    await Promise.all(this.pending);
  }

  async close(): Promise<void> {
    await this.pool.close();
  }

  private async keep(member: Member, place: number, content: Content): Promise<void> {
    const { depth, limits, onProgress } = this.options;
    const bytes = await content.collect();
    const document = documentOf(member, content, bytes, limits, this.kept);
    this.kept += weightOf(document);
    this.documents.set(member, document);
    onProgress(bytes.length);
    if (depth === 'metadata') return;
    await loadCodecs([this.heads.get(member)!.compression]);
    const analyser = new BlobAnalyser(algorithmsFor(member.path), this.analysis);
    analyser.write(bytes);
    this.known.add(member, place, analyser.end(content.failure()));
  }

  private async analyse(member: Member, place: number, content: Content): Promise<void> {
    const algorithms = algorithmsFor(member.path);
    const { compression } = this.heads.get(member)!;
    this.analysed += member.size;
    if (this.plan.workers > 0 && member.size >= WORKER_FROM && this.analysed >= POOL_FROM) {
      const failure = () => content.failure();
      const job = { chunks: content, algorithms, compression, size: member.size, failure };
      const { facts } = await this.pool.analyseStream(job);
      const added = facts.then(fact => this.known.add(member, place, fact));
      // `end` reports a rejection. Until then it needs a handler, or it would end the process while the pipe is read.
      added.catch(() => {});
      this.pending.push(added);
      return;
    }
    await loadCodecs([compression]);
    const analyser = new BlobAnalyser(algorithms, this.analysis);
    for await (const chunk of content) {
      analyser.write(chunk);
      this.options.onProgress(chunk.length);
    }
    this.known.add(member, place, analyser.end(content.failure()));
  }
}

function documentOf(
  { path, size }: Member,
  { interruption }: Content,
  bytes: Uint8Array,
  limits: Limits,
  kept: number,
): Document {
  if (interruption !== null)
    return refusedDocument(path, { kind: 'unreadable', reason: interruption.message });
  return bytes.length < size ? cutDocument(path) : readDocument(path, bytes, limits, kept);
}

/** The content of a member during the pass. If the source is interrupted, it ends and keeps the reason. */
class Content implements AsyncIterable<Uint8Array> {
  interruption: Interruption | null = null;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private held: Uint8Array[] = [];

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** The first block, or less if the content is shorter. */
  async head(): Promise<Uint8Array> {
    for (let have = 0; have < HEAD; ) {
      const chunk = await this.next();
      if (chunk === null) break;
      this.held.push(copyOf(chunk));
      have += chunk.length;
    }
    return Buffer.concat(this.held).subarray(0, HEAD);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield* this.held.splice(0);
    for (let chunk = await this.next(); chunk !== null; chunk = await this.next()) yield chunk;
  }

  async collect(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const chunk of this) parts.push(copyOf(chunk));
    return Buffer.concat(parts);
  }

  /** The reason why the content ended before the end of the member. */
  failure(): BlobFailure | null {
    const problem = this.interruption?.problem ?? null;
    return problem && { kind: 'limit', limit: problem.limit, value: problem.value, unpacked: 0 };
  }

  private async next(): Promise<Uint8Array | null> {
    if (this.interruption !== null) return null;
    try {
      const next = await this.chunks.next();
      return next.done === true ? null : next.value;
    } catch (error) {
      if (!(error instanceof Interruption)) throw error;
      this.interruption = error;
      return null;
    }
  }
}
