import { readText } from '../containers/text-file.js';
import { InputError } from '../errors.js';
import { Baseline, baselineText, checkBaselineOptions, parseBaseline } from '../report/baseline.js';
import { Audit, type DockerfileMatcher } from '../report/reported.js';
import { fileIdentity, saveReport } from '../write/output-file.js';

export interface AuditOptions {
  /** The file of known findings. */
  readonly baseline?: string | undefined;
  /** Write the baseline again, from the findings of this run. */
  readonly updateBaseline?: boolean | undefined;
  readonly dockerfile?: string | undefined;
  /** The stage of the Dockerfile from which the image was built. Default: the last one. */
  readonly target?: string | undefined;
}

/**
 * Opens the baseline and the Dockerfile, which all archives of a run share.
 * @throws InputError for a file that is absent or of another format, UsageError for an option without its partner
 */
export async function openAudit(options: AuditOptions): Promise<Audit> {
  const { baseline, updateBaseline = false, dockerfile, target } = options;
  checkBaselineOptions(baseline, updateBaseline);
  return new Audit(
    baseline === undefined ? null : await openBaseline(baseline, updateBaseline),
    dockerfile === undefined ? null : await openDockerfile(dockerfile, target),
  );
}

/** Largest baseline or Dockerfile, in bytes. */
const MOST = 64 * 1024 * 1024;

/** @throws InputError if it cannot be read */
async function textOf(file: string, remedy: string): Promise<string> {
  if (file === '-') throw new InputError('expected a file, found standard input', file, remedy);
  const read = await readText(file, MOST);
  if ('reason' in read) throw new InputError(read.reason, file, remedy);
  return read.text;
}

async function openBaseline(file: string, isUpdating: boolean): Promise<Baseline> {
  if (isUpdating && fileIdentity(file) === null) return new Baseline(file, [], true);
  const text = await textOf(file, 'Write it with --update-baseline, which adds all current findings.');
  const entries = parseBaseline(text);
  if (!('what' in entries)) return new Baseline(file, entries, isUpdating);
  // Also with --update-baseline: a file that is not a baseline was probably named by mistake, and is not overwritten.
  throw new InputError(entries.what, file, entries.remedy);
}

const DOCKERFILE = 'Name the Dockerfile that the image was built with.';

/** The parser is loaded only for `--dockerfile`. */
async function openDockerfile(file: string, target: string | undefined): Promise<DockerfileMatcher> {
  const { matchHistory, parseDockerfile, stageIndex, stageNames } = await import('../analysis/dockerfile.js');
  const text = await textOf(file, DOCKERFILE);
  const dockerfile = parseDockerfile(text);
  if (dockerfile.stages.length === 0)
    throw new InputError('not a Dockerfile: it has no FROM', file, DOCKERFILE);
  const stage = stageIndex(dockerfile, target);
  if (stage < 0)
    throw new InputError(
      `--target: there is no stage ${JSON.stringify(target)} in it`,
      file,
      `It has ${stageNames(dockerfile).join(', ')}.`,
    );
  return { file, match: history => matchHistory(dockerfile, stage, history) };
}

/** Writes the baseline atomically with `--update-baseline`. @throws InputError if it cannot be written */
export function saveBaseline({ baseline }: Audit): void {
  if (baseline?.isUpdating) saveReport(baseline.file, [baselineText(baseline.updated())]);
}
