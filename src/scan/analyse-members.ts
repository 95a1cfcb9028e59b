import type { Member, SeekableMember } from '../containers/source.js';
import type { Analysis } from './blob/examiner.js';
import { algorithmsFor, type BlobFacts, EmptyFacts, FactsKept } from './blob/facts.js';

import type { Members } from './extraction.js';
import { planOf } from './resources.js';
import type { ScanOptions } from './scan.js';
import { Pool } from './threads/pool.js';
import { analyseRange } from './threads/range.js';

/** Bytes from which a blob is given to a worker thread; an archive smaller than `POOL_FROM` does not start one. */
export const WORKER_FROM = 1024 * 1024;
export const POOL_FROM = 32 * 1024 * 1024;

/** Reads every byte of every member, the large ones on worker threads. */
export async function analyseMembers(
  members: Members<SeekableMember>,
  options: ScanOptions,
  analysis: Analysis,
): Promise<Map<Member, BlobFacts>> {
  const { onProgress } = options;
  const kept = new FactsKept(options.limits);
  const empty = new EmptyFacts(analysis);
  const jobs = members.all
    .flatMap((member, place) =>
      member.range === null
        ? []
        : [{ member, place, range: member.range, algorithms: algorithmsFor(member.path) }],
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
    for (const { member, place, range, algorithms } of jobs.slice(forWorkers.length)) {
      if (ended) return;
      if (range.length === 0 && range.listed === undefined) kept.add(member, place, empty.of(algorithms));
      else kept.add(member, place, await analyseRange(range, algorithms, analysis, onProgress));
    }
  };
  try {
    // Both are waited for from the start: a rejection that has no handler yet would end the process.
    await Promise.all([
      pool.analyseAll(forWorkers, (job, fact) => kept.add(job.member, job.place, fact)),
      analyseHere(),
    ]);
  } finally {
    ended = true;
    await pool.close();
  }
  return kept.facts;
}
