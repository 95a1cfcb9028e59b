import { whenAborted } from '../containers/deadline.js';
import type { ByteRange, Member, SeekableMember } from '../containers/source.js';
import type { Analysis } from './blob/examiner.js';
import { algorithmsFor, type BlobFacts, EmptyFacts, FactsKept } from './blob/facts.js';
import { confirmed, type KnownBlobs } from './blob/known.js';

import { lateFiles, setDigest, withFailure } from './late-digests.js';
import { planOf } from './resources.js';
import type { ScanOptions } from './scan.js';
import { Pool, type RangeJob } from './threads/pool.js';
import { analyseRange, digestRangeHere, type FileDigest, sha256OfHere } from './threads/range.js';

/** Bytes from which a blob is given to a worker thread; an archive smaller than `POOL_FROM` does not start one. */
export const WORKER_FROM = 1024 * 1024;
export const POOL_FROM = 32 * 1024 * 1024;

/**
 * Reads every byte of members, the large ones on worker threads.
 * @throws the reason of the signal, when all threads have ended
 */
export async function analyseMembers(
  members: readonly SeekableMember[],
  options: ScanOptions,
  analysis: Analysis,
): Promise<Map<Member, BlobFacts>> {
  const { onProgress, signal, known } = options;
  signal?.throwIfAborted();
  const kept = new FactsKept(options.limits);
  const empty = new EmptyFacts(analysis);
  const jobs = members
    .flatMap((member, place) =>
      member.range === null ? [] : [jobFor(member, place, member.range, analysis, known)],
    )
    .sort((a, b) => b.range.length - a.range.length);
  const plan = planOf(options);
  const total = jobs.reduce((sum, job) => sum + job.range.length, 0);
  const isWorthIt = plan.workers > 0 && total >= POOL_FROM;
  const small = jobs.findIndex(job => job.range.length < WORKER_FROM);
  const forWorkers = isWorthIt ? jobs.slice(0, small < 0 ? jobs.length : small) : [];
  const pool = new Pool(analysis, plan, onProgress);
  let ended = false;
  const analyseHere = async () => {
    for (const job of jobs.slice(forWorkers.length)) {
      if (ended || signal?.aborted === true) return;
      const { member, place, range, algorithms } = job;
      if (range.length === 0 && range.listed === undefined) kept.add(member, place, empty.of(algorithms));
      else kept.add(member, place, await analyseKnown(job, analysis, onProgress, signal));
    }
  };
  const forget = whenAborted(signal, () => void pool.close());
  try {
    // Both are waited for from the start: a rejection that has no handler yet would end the process.
    await Promise.all([
      pool.analyseAll(forWorkers, (job, fact) => kept.add(job.member, job.place, fact)),
      analyseHere(),
    ]);
    if (signal?.aborted !== true)
      await settleDigests(kept.facts, analysis, ranges =>
        isWorthIt ? pool.digestsOf(ranges) : sha256OfHere(ranges, analysis, signal),
      );
  } finally {
    ended = true;
    forget();
    await pool.close();
  }
  signal?.throwIfAborted();
  return kept.facts;
}

/**
 * Computes the digests that were left for later, where they are needed. Hazard: without one of them a copy would not be
 * found, so a file that cannot be read a second time is a failure of its layer.
 */
async function settleDigests(
  facts: Map<Member, BlobFacts>,
  analysis: Analysis,
  digestsOf: (ranges: readonly ByteRange[]) => Promise<FileDigest[]>,
): Promise<void> {
  if (analysis.contents?.digests !== 'duplicates') return;
  const files = lateFiles(facts, member => (member as SeekableMember).range!);
  const digests = await digestsOf(files.map(({ range }) => range));
  for (const [i, digest] of digests.entries()) {
    const file = files[i]!;
    if (typeof digest === 'string') setDigest(file, digest);
    else facts.set(file.member, withFailure(facts.get(file.member)!, digest));
  }
}

interface MemberJob extends RangeJob {
  readonly member: SeekableMember;
  readonly place: number;
}

function jobFor(
  member: SeekableMember,
  place: number,
  range: ByteRange,
  analysis: Analysis,
  known: KnownBlobs | undefined,
): MemberJob {
  const algorithms = algorithmsFor(member.path);
  const job = { member, place, range, algorithms };
  return known === undefined ? job : { ...job, lookUp: () => known.lookUp(range, algorithms, analysis) };
}

/** Reads a range on this thread; only to compute its digest where facts about the same bytes are known. */
async function analyseKnown(
  { range, algorithms, lookUp }: MemberJob,
  analysis: Analysis,
  onProgress: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<BlobFacts> {
  const lookup = lookUp?.() ?? null;
  if (lookup !== null && lookup.candidate !== null) {
    const digests = await digestRangeHere(range, algorithms, analysis, onProgress, signal);
    const known = confirmed(lookup, digests, analysis);
    if (known !== null) return known;
  }
  const facts = await analyseRange(range, algorithms, analysis, onProgress, signal);
  if (signal?.aborted !== true) lookup?.keep(facts);
  return facts;
}
