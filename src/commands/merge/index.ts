import { join } from 'node:path';
import {
  changedWhileRead,
  eachLine,
  fileSize,
  formOf,
  LineReader,
  namesInFolder,
  streamOf,
} from '../../containers/results-lines.js';
import { InputError } from '../../errors.js';
import { pathOfRecord } from '../../fleet/list.js';
import {
  MergeCheck,
  type MergedResults,
  mergedResults,
  type RecordPlace,
  type WantedList,
} from '../../fleet/merge-check.js';
import { FleetTotals } from '../../fleet/merge-totals.js';
import { type ItemRecord, parseLine } from '../../fleet/results.js';
import type { Result } from '../../report/doc.js';
import { count } from '../../report/words.js';
import { fileIdentity } from '../../write/output-file.js';
import { copyToFile, inPrivateDirectory } from '../../write/spool.js';
import { archiveFindings, reportedArchives } from './findings.js';
import { type ProblemReport, problemReports } from './problems.js';
import { mergedLines, partialLines } from './records.js';
import { type FleetReport, fleetReport } from './report.js';
import { imageTable } from './table.js';
import { type FleetViewOptions, fleetDoc } from './view.js';

export interface MergeOptions {
  /** Results files, folders of them, and `-`. */
  readonly files: readonly string[];
  /** A list that the results must be exactly; null for none. */
  readonly list: string | null;
  readonly root: string | null;
  readonly allowPartial: boolean;
  readonly view: FleetViewOptions;
  readonly exists: (file: string) => boolean;
  /** Runs work that reports how many bytes it has read. */
  readonly within: <T>(
    work: (onProgress: (done: number, total: number | null) => void) => Promise<T>,
  ) => Promise<T>;
}

/**
 * `waybill merge`: checks that results files are one run of which nothing is missing, and hands over the report.
 * @param use  called with the result, whose parts read the files again: these are there until it ends
 * @throws InputError with all that is missing or does not agree, unless `allowPartial`
 */
export async function mergeFiles(
  options: MergeOptions,
  use: (result: Result) => Promise<void>,
): Promise<void> {
  const inputs = await inputsOf(options.files);
  if (inputs.every(({ form }) => form !== 'stream')) return mergeInputs(inputs, options, use);
  await inPrivateDirectory(null, async ({ path, shown }) => {
    const spooled: Input[] = [];
    for (const [i, input] of inputs.entries()) {
      if (input.form !== 'stream') {
        spooled.push(input);
        continue;
      }
      const file = join(path, String(i));
      await copyToFile(streamOf(input.path), input.shown, file, shown);
      spooled.push({ ...input, path: file });
    }
    await mergeInputs(spooled, options, use);
  });
}

/** A results file. */
interface Input {
  readonly path: string;
  /** Its name in messages. */
  readonly shown: string;
  readonly form: 'file' | 'stream' | 'absent';
  /** The name of the same file that was given before; null for none. */
  readonly again: string | null;
  /** Why it cannot be read; null where that is not known yet. */
  readonly reason: string | null;
}

/** The files of the arguments: of a folder those that end in `.ndjson`, and those of runs that have not ended. */
async function inputsOf(files: readonly string[]): Promise<Input[]> {
  const inputs: Input[] = [];
  const seen = new Map<string, string>();
  const add = async (path: string, more: Partial<Input> = {}) => {
    const form = await formOf(path);
    const shown = path === '-' ? 'standard input' : path;
    const identity = form === 'file' ? fileIdentity(path) : null;
    const again = identity === null ? null : (seen.get(identity) ?? null);
    if (identity !== null && again === null) seen.set(identity, path);
    inputs.push({ path, shown, form: form === 'folder' ? 'absent' : form, again, reason: null, ...more });
  };
  for (const file of files) {
    const folder = (await formOf(file)) === 'folder' ? await namesInFolder(file) : null;
    if (folder === null) await add(file);
    else if ('reason' in folder) await add(file, { reason: folder.reason });
    else await addFolder(file, folder.files, add);
  }
  return inputs;
}

async function addFolder(
  folder: string,
  names: readonly string[],
  add: (path: string, more?: Partial<Input>) => Promise<void>,
): Promise<void> {
  const all = new Set(names);
  const found = names.filter(
    name => name.endsWith('.ndjson') || (name.endsWith('.ndjson.partial') && !all.has(name.slice(0, -8))),
  );
  if (found.length === 0)
    await add(folder, { reason: 'expected results files (*.ndjson) in this folder, found none' });
  for (const name of found) await add(name);
}

async function mergeInputs(
  inputs: readonly Input[],
  options: MergeOptions,
  use: (result: Result) => Promise<void>,
): Promise<void> {
  const check = new MergeCheck();
  await options.within(async onProgress => {
    const total = inputs.reduce((sum, { path }) => sum + fileSize(path), 0);
    let done = 0;
    for (const input of inputs)
      await checkInput(input, check, bytes => {
        done += bytes;
        onProgress(done, total);
      });
  });
  const wanted = options.list === null ? null : await wantedList(options.list, options.root);
  const merged = mergedResults(check, wanted);
  const { list, root, exists, allowPartial, view } = options;
  const problems = problemReports(merged.problems, merged.run, { list, root, exists });
  if (problems.length > 0 && (!allowPartial || merged.origin === null))
    throw refusal(problems, merged.origin !== null);
  const reader = new LineReader(inputs);
  try {
    await use(new MergeResult(merged, problems, reader, inputs, view));
  } finally {
    reader.close();
  }
}

async function checkInput(
  { path, shown, form, again, reason }: Input,
  check: MergeCheck,
  onBytes: (bytes: number) => void,
): Promise<void> {
  check.beginFile(shown);
  if (again !== null) check.problems.push({ code: 'named-twice', file: shown, other: again });
  else if (reason !== null || form === 'absent')
    check.problems.push({ code: 'unreadable', file: shown, reason: reason ?? 'there is no such file' });
  else check.endFile(await eachLine(path, line => check.line(line), onBytes));
}

async function wantedList(file: string, root: string | null): Promise<WantedList> {
  if (file !== '-' && (await formOf(file)) === 'absent')
    throw new InputError('--list: there is no such file', file, 'Name the list that was scanned.');
  const { readWorkList } = await import('../../containers/work-list.js');
  const { paths } = await readWorkList({ paths: [], filesFrom: file, ...(root !== null && { root }) });
  return { file: file === '-' ? 'the list on standard input' : file, paths };
}

/** All that is missing or does not agree. */
function refusal(problems: readonly ProblemReport[], hasResults: boolean): InputError {
  const lines = problems.flatMap(({ what, remedy }) => [
    `* ${what}`,
    ...(remedy === null ? [] : remedy.split('\n').map(line => `  ${line}`)),
  ]);
  const last = hasResults ? ['Nothing was written. --allow-partial reports what there is.'] : [];
  return new InputError(
    `${count(problems.length, 'problem')}: the results are not one whole run`,
    'merge',
    [...lines, ...last].join('\n'),
  );
}

/** A result whose parts are made when a format asks for them: the records are read again for each. */
class MergeResult implements Result {
  readonly exitCode: 0 | 1 | 2;
  readonly isVerdict = false;
  readonly notes: readonly string[];
  private known: { readonly totals: FleetTotals; readonly report: FleetReport } | null = null;

  constructor(
    private readonly merged: MergedResults,
    private readonly problems: readonly ProblemReport[],
    private readonly reader: LineReader,
    private readonly inputs: readonly Input[],
    private readonly view: FleetViewOptions,
  ) {
    this.exitCode = problems.length > 0 ? 2 : merged.exitCode;
    this.notes = problems.map(({ what }) => `incomplete: ${what}`);
  }

  get data(): FleetReport {
    return this.made.report;
  }

  get doc() {
    return fleetDoc(this.made.report, this.view);
  }

  get archives() {
    return reportedArchives(this.made.totals);
  }

  get archiveFindings() {
    return archiveFindings({ [Symbol.iterator]: () => this.records() });
  }

  get table() {
    return imageTable({ [Symbol.iterator]: () => this.records() }, this.problems.length === 0);
  }

  get resultLines() {
    const { merged, problems } = this;
    const lines = { [Symbol.iterator]: () => this.lines() };
    return problems.length === 0 ? mergedLines(merged, lines) : partialLines(merged, problems, lines);
  }

  private get made() {
    this.known ??= this.make();
    return this.known;
  }

  private make() {
    const totals = new FleetTotals();
    for (const record of this.records())
      if (record.kind === 'archive') totals.add(record);
      else totals.others++;
    const { origin, list, listCount, shards } = this.merged;
    const { tool = null, command = null, policy = null, settings = null } = origin ?? {};
    const report = fleetReport(totals, {
      tool,
      command,
      policy,
      settings,
      list: { digest: list, count: listCount, shards },
      problems: this.problems,
      exitCode: this.exitCode,
    });
    return { totals, report };
  }

  private *records(): Generator<ItemRecord> {
    for (const { record } of this.lines()) yield record;
  }

  private *lines(): Generator<{ readonly record: ItemRecord; readonly line: string }> {
    for (const place of this.merged.places) {
      const line = this.reader.lineAt(place.file, place.offset, place.length);
      yield { record: this.recordIn(line, place), line };
    }
  }

  private recordIn(line: string, { file, path }: RecordPlace): ItemRecord {
    const record = parseLine(line);
    if (typeof record === 'string' || record.kind === 'end' || pathOfRecord(record) !== path)
      throw changedWhileRead(this.inputs[file]!.shown);
    return record;
  }
}
