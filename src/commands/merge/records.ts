import type { MergedResults } from '../../fleet/merge-check.js';
import { changedLine, exitCodeOf, type ItemRecord, RecordSummary } from '../../fleet/results.js';
import { visibleJson } from '../../visible.js';
import type { ProblemReport } from './problems.js';

/** A record, and the line that it was read from. */
interface RecordLine {
  readonly record: ItemRecord;
  readonly line: string;
}

/** The results as one run without shards would have written them, but for the durations. */
export function* mergedLines(
  { origin, places, list, listCount, durationMs }: MergedResults,
  lines: Iterable<RecordLine>,
): Generator<string> {
  if (origin === null) return;
  const { schemaVersion, tool, command, policy, settings } = origin;
  const shard = { number: 1, of: 1, by: 'path', list } as const;
  const summary = new RecordSummary(places.length);
  let index = 0;
  for (const { record } of lines) {
    const line = changedLine(record, { shard });
    summary.add(index++, line, exitCodeOf(record));
    yield `${line}\n`;
  }
  const source = { schemaVersion, tool, command, policy, settings, shard };
  yield `${summary.trailerLine(source, listCount, durationMs)}\n`;
}

/**
 * The lines of `--allow-partial`: a first line that says what is missing, the records with the shards that they are
 * from, and no trailer, so that no program takes it for a whole run.
 */
export function* partialLines(
  { origin }: MergedResults,
  problems: readonly ProblemReport[],
  lines: Iterable<RecordLine>,
): Generator<string> {
  const first = { kind: 'partial', schemaVersion: 1, tool: origin?.tool ?? null, problems };
  yield `${visibleJson(JSON.stringify(first))}\n`;
  for (const { line } of lines) yield `${line}\n`;
}
