import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';
import type { OutputFormat } from '../format/outputs.js';
import type { Result } from '../report/doc.js';
import type { OutputPlace } from '../write/output-file.js';
import type { Reporting, World } from './terminal.js';
import { last } from './typed.js';

/**
 * The values of `--format`. The compiler asks for each format of `format/outputs.ts`, which is loaded only to write a
 * report.
 */
const FORMATS = Object.keys({ html: 1, md: 1, json: 1, txt: 1 } satisfies Record<OutputFormat, 1>);

/** `--output`, `--format`, `--quiet` and `--verbose`, which all reports take. */
export function outputOption<T>(command: Argv<T>) {
  return command
    .option('output', {
      alias: 'o',
      describe:
        'write the report to this file (.html .md .json .txt), or - for standard output; may be repeated',
      type: 'string',
      array: true,
      requiresArg: true,
    })
    .option('format', {
      describe: 'format of standard output, and of an --output whose name has no extension',
      choices: FORMATS as readonly OutputFormat[],
      requiresArg: true,
      coerce: last<OutputFormat>,
    })
    .option('quiet', {
      alias: 'q',
      describe: 'print no report, only set the exit code',
      type: 'boolean',
      default: false,
    })
    .option('verbose', {
      alias: 'v',
      describe: 'list every finding, and say on standard error what was read and how long it took',
      type: 'boolean',
      default: false,
    })
    .middleware(given => contradictions(given as unknown as Reporting));
}

function contradictions({ json, format, quiet, verbose, output = [] }: Reporting): void {
  const both = (a: string, b: string) => {
    throw new UsageError(`${a} and ${b} contradict each other: name one of them`);
  };
  if (quiet && verbose) both('--quiet', '--verbose');
  if (quiet && json) both('--quiet', '--json');
  if (output.length > 0) return;
  if (json && format !== undefined && format !== 'json') both('--json', `--format ${format}`);
  if (quiet && format !== undefined) both('--quiet', `--format ${format}`);
}

interface Output {
  readonly place: OutputPlace;
  readonly format: OutputFormat;
}

type Surroundings = Pick<World, 'summaryFile'>;

/**
 * The destinations and formats of a report. Nothing is written yet.
 * @throws UsageError or InputError for a destination that is invalid or not writable
 */
async function outputsOf(how: Reporting, { summaryFile }: Surroundings): Promise<Output[]> {
  const { outputPlace } = await import('../write/output-file.js');
  const outputs: Output[] = [];
  for (const shown of how.output ?? []) {
    if (shown === '') throw new UsageError('--output: expected a file, found an empty name');
    const place = outputPlace(shown, summaryFile);
    const same = outputs.find(other => other.place.identity === place.identity);
    if (same !== undefined)
      throw new UsageError(`--output: ${quoted(same.place.shown)} and ${quoted(shown)} are the same file`);
    outputs.push({ place, format: await formatFor(place, how) });
  }
  return outputs;
}

/**
 * The format by the file's extension; otherwise that of `--format`; otherwise Markdown for a job summary, and text for
 * streams and devices.
 */
async function formatFor(place: OutputPlace, { format, json }: Reporting): Promise<OutputFormat> {
  const { formatByName, OUTPUT_EXTENSIONS } = await import('../format/outputs.js');
  if (isStandardOutput(place)) {
    if (json && format !== undefined && format !== 'json')
      throw new UsageError(
        `--json and --format ${format} --output ${place.shown} both go to standard output: name one of them`,
      );
    return format ?? (json ? 'json' : 'txt');
  }
  const told = place.kind === 'descriptor' ? null : formatByName(place.path);
  if (told !== null) return told;
  if (format !== undefined) return format;
  if (place.kind === 'append') return 'md';
  if (place.kind !== 'file') return 'txt';
  throw new UsageError(
    `--output: ${quoted(place.shown)} should end in one of ${OUTPUT_EXTENSIONS.join(' ')}, or --format should say the format`,
  );
}

const isStandardOutput = (place: OutputPlace) => place.kind === 'descriptor' && place.fd === 1;

/**
 * Reports unusable outputs before anything is read.
 * @param inputs  the archives
 */
export async function checkOutputs(
  how: Reporting,
  inputs: readonly string[],
  surroundings: Surroundings,
): Promise<void> {
  const outputs = await outputsOf(how, surroundings);
  const { fileIdentity } = await import('../write/output-file.js');
  const read = new Set(inputs.filter(file => file !== '-').map(fileIdentity));
  const over = outputs.find(({ place }) => place.kind !== 'descriptor' && read.has(place.identity));
  if (over !== undefined) throw new UsageError(`--output: ${quoted(over.place.shown)} is what is to be read`);
  const { format } = how;
  if (format !== undefined && outputs.length > 0 && outputs.every(output => output.format !== format))
    throw new UsageError(
      `--format ${format}: the name of ${outputs.map(({ place }) => quoted(place.shown)).join(', ')} has the extension of another format`,
    );
}

/** The functions that print a report. */
export interface Outlets extends Surroundings {
  /**
   * Writes to standard output.
   * @returns false if the reader has closed it
   */
  readonly write: (text: string) => Promise<boolean>;
  /** Prints a line on standard error. */
  readonly note: (line: string) => void;
  /** Prints the report as text on standard error. */
  readonly complain: (result: Result) => Promise<void>;
  /** Renders the report as text for standard output. */
  readonly text: (result: Result) => Promise<Iterable<string>>;
}

/**
 * Prints a report, or writes it to the files of `--output`. In the latter case standard output only has what was
 * requested for it, and the reasons for exit code 1 are also printed on standard error, so that a log shows why a step
 * failed.
 * @throws InputError if writing fails
 */
export async function deliver(result: Result, how: Reporting, outlets: Outlets): Promise<void> {
  if ((how.output ?? []).length > 0) await deliverToFiles(result, how, outlets);
  else if (!how.quiet)
    await printAll(await piecesOf(result, how.json ? 'json' : how.format, outlets), outlets);
}

async function deliverToFiles(result: Result, how: Reporting, outlets: Outlets): Promise<void> {
  const outputs = await outputsOf(how, outlets);
  await writeAll(result, outlets, outputs);
  if (how.quiet) return;
  if (how.json) {
    const isPrinted = outputs.some(({ place }) => isStandardOutput(place));
    if (!isPrinted) await printAll(await piecesOf(result, 'json', outlets), outlets);
    return;
  }
  const isShown = outputs.some(({ place }) => place.kind === 'descriptor' && place.fd <= 2);
  if (result.exitCode !== 0 && !isShown) await outlets.complain(result);
  for (const { place } of outputs) if (place.kind !== 'descriptor') outlets.note(`wrote ${place.shown}`);
}

async function piecesOf(result: Result, format: OutputFormat | undefined, { text }: Outlets) {
  if (format === 'json') return (await import('../format/json.js')).jsonPieces(result.data);
  if (format === undefined || format === 'txt') return text(result);
  return (await import('../format/outputs.js')).piecesIn(format)(result);
}

async function printAll(pieces: Iterable<string>, { write }: Outlets): Promise<void> {
  for (const piece of pieces) if (!(await write(piece))) break;
}

/** All outputs are rendered before the first one is written. */
async function writeAll(result: Result, outlets: Outlets, outputs: readonly Output[]): Promise<void> {
  const [{ piecesIn }, { writeOutput }] = await Promise.all([
    import('../format/outputs.js'),
    import('../write/output-file.js'),
  ]);
  const made = outputs.map(({ place, format }) => ({ place, pieces: piecesIn(format)(result) }));
  for (const { place, pieces } of made) {
    if (!isStandardOutput(place)) writeOutput(place, pieces);
    else await printAll(pieces, outlets);
  }
}

const quoted = (text: string) => JSON.stringify(text);
