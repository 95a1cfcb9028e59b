import type { RecordCache } from '../../cache/cache.js';
import type { ArchiveIdentity } from '../../containers/archive-identity.js';
import type { LaneAnswer, LaneTask, LastingAnswer } from './lane.js';

/**
 * Results for files that have not changed since an earlier run. An entry is a line with the answer's kind and exit
 * code, and the body of the record behind it, which need not be parsed.
 */
export class KnownAnswers {
  /** @param settings  everything that decides on the results of all files of the run */
  constructor(
    private readonly records: RecordCache,
    private readonly settings: string,
  ) {}

  find(file: ArchiveIdentity, task: LaneTask): LaneAnswer | null {
    const text = this.records.find(file, this.settingsFor(task));
    const answer = text === null ? null : answerIn(text);
    return answer === null ? null : { ...answer, isLasting: true };
  }

  /** @param file  the same object that was looked for */
  keep(file: ArchiveIdentity, task: LaneTask, answer: LaneAnswer): void {
    if (!answer.isLasting) return;
    const head = answer.kind === 'archive' ? `archive ${answer.exitCode}` : 'other';
    const content = answer.kind === 'archive' ? answer.body : answer.reason;
    this.records.keep(file, this.settingsFor(task), `${head}\n${content}`);
  }

  /** Messages may have the path, and a file that was not named itself may be left out. */
  private settingsFor({ shown, named }: LaneTask): string {
    return JSON.stringify([this.settings, shown, named]);
  }
}

function answerIn(text: string): LastingAnswer | null {
  const [, kind, code, content] = /^(archive|other)(?: ([012]))?\n(.*)$/s.exec(text) ?? [];
  if (content === undefined) return null;
  if (kind === 'other') return { kind, reason: content };
  return code === undefined ? null : { kind: 'archive', body: content, exitCode: Number(code) as 0 | 1 | 2 };
}
