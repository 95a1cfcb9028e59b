import type { Argv } from 'yargs';
import { UsageError } from '../errors.js';
import type { OutputFormat } from '../format/outputs.js';
import type { Answer, Result } from '../report/doc.js';
import { didYouMean, nearest } from '../spec/nearest.js';
import type { OutputPlace } from '../write/output-file.js';
import type { Reporting, World } from './terminal.js';
import { typed } from './typed.js';

/**
 * The values of `--format`, in the order of the help; those after `html` are formats of findings, then come those of
 * bills of materials and of tables. The compiler asks for each format of `format/outputs.ts`, which is loaded only when
 * a report is written.
 */
const FORMATS = Object.keys({
  text: 1,
  json: 1,
  markdown: 1,
  html: 1,
  ndjson: 1,
  sarif: 1,
  junit: 1,
  github: 1,
  gitlab: 1,
  tap: 1,
  cyclonedx: 1,
  spdx: 1,
  csv: 1,
  rows: 1,
} satisfies Record<OutputFormat, 1>) as readonly OutputFormat[];

/** Other names of formats: file extensions. */
const ALIASES: Readonly<Record<string, OutputFormat>> = {
  txt: 'text',
  md: 'markdown',
};

/** Formats for results without findings. */
const PLAIN: readonly OutputFormat[] = ['text', 'json', 'markdown', 'html'];

/** Formats of bills of materials, for the command `packages`. */
const BILLS: readonly OutputFormat[] = ['cyclonedx', 'spdx'];

/** Formats of tables, for the command `merge`. */
const TABLES: readonly OutputFormat[] = ['csv', 'rows'];

const EXTENSIONS = '.html .md .json .txt .ndjson .sarif .xml .tap';

/** The format with a name, as `--format` accepts it; null for an unknown one. */
export const formatNamed = (name: string): OutputFormat | null =>
  ALIASES[name.toLowerCase()] ?? FORMATS.find(format => format === name.toLowerCase()) ?? null;

/** Formats that a command has besides those of every result. */
interface OutputContents {
  /** False without findings: the formats of CI systems are about findings. */
  readonly findings?: boolean;
  /** True with packages: bills of materials. */
  readonly bill?: boolean;
  /** True with a row for each image: CSV and rows. */
  readonly table?: boolean;
}

/** `--output`, `--format`, `--quiet` and `--verbose`, which all reports take. */
export function outputOption<T>(
  command: Argv<T>,
  { findings = true, bill = false, table = false }: OutputContents = {},
) {
  const isPossible = (format: OutputFormat) =>
    PLAIN.includes(format) || (BILLS.includes(format) ? bill : TABLES.includes(format) ? table : findings);
  const formats = FORMATS.filter(isPossible);
  const choices = [...formats, ...Object.keys(ALIASES)];
  const named = (name: string) => (choices.includes(name.toLowerCase()) ? name.toLowerCase() : name);
  const ends = [
    findings ? EXTENSIONS : '.html .md .json .txt',
    ...(bill ? ['.cdx.json .spdx.json'] : []),
    ...(table ? ['.csv .rows.ndjson'] : []),
  ].join(' ');
  return command
    .option('output', {
      alias: 'o',
      describe: `write the report to FILE (${ends}), to FORMAT=FILE, or to - for standard output; may be repeated`,
      type: 'string',
      array: true,
      requiresArg: true,
    })
    .option('format', {
      describe: 'format of standard output, and of an --output whose name does not determine one',
      choices,
      requiresArg: true,
      coerce: (value: string | readonly string[]) => [value].flat().map(name => named(typed(name))),
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
    .middleware(async given => {
      const how = given as unknown as Reporting;
      contradictions(how);
      await refuseFormats(how, commandOf(given), formats);
    });
}

const commandOf = ({ _: words }: { readonly _?: readonly (string | number)[] }) =>
  String(words?.[0] ?? 'this');

/**
 * @param command  a command without findings, or an option that makes it one
 * @throws UsageError for a format of findings
 */
export async function refuseFindings(how: Reporting, command: string): Promise<void> {
  const format = formatsOf(how).find(name => !PLAIN.includes(name));
  if (format !== undefined)
    throw new UsageError(
      `--format ${format}: ${notOf(command, format)}; expected one of ${PLAIN.join(', ')}`,
    );
  await refuseFormats(how, command, PLAIN);
}

function notOf(command: string, format: OutputFormat): string {
  if (BILLS.includes(format))
    return `${command} lists no packages, and ${format} is about packages: \`waybill packages\` writes it`;
  return TABLES.includes(format)
    ? `${command} makes no table, and ${format} is one: \`waybill merge\` writes it`
    : `${command} has no findings, and ${format} is about findings`;
}

/** @throws UsageError for a file whose format the command does not have */
async function refuseFormats(
  { output = [] }: Reporting,
  command: string,
  formats: readonly OutputFormat[],
): Promise<void> {
  for (const { shown, format } of await toldFormats(output)) {
    if (format === null || formats.includes(format)) continue;
    throw new UsageError(
      `--output ${quoted(shown)}: ${notOf(command, format)}; expected one of ${formats.join(', ')}`,
    );
  }
}

/** The formats that outputs name, or that their names end in. */
async function toldFormats(output: readonly string[]) {
  if (output.length === 0) return [];
  const { formatByName } = await import('../format/outputs.js');
  return output.map(shown => {
    const [format, file] = splitOutput(shown);
    return { shown, format: format ?? formatByName(file) };
  });
}

/** True if a bill of materials is printed or written. */
export async function hasBill(how: Reporting): Promise<boolean> {
  const told = await toldFormats(how.output ?? []);
  return [...formatsOf(how), ...told.map(({ format }) => format)].some(isBill);
}

const isBill = (format: OutputFormat | null) => format !== null && BILLS.includes(format);

/** The same outputs without bills of materials: there is none of an archive that cannot be read. */
export async function withoutBills<T extends Reporting>(how: T): Promise<T> {
  if (!(await hasBill(how))) return how;
  const told = await toldFormats(how.output ?? []);
  const output = told.filter(({ format }) => !isBill(format)).map(({ shown }) => shown);
  return { ...how, output, format: (how.format ?? []).filter(name => !isBill(formatNamed(name))) };
}

function contradictions({ json, format = [], quiet, verbose, output = [] }: Reporting): void {
  const both = (a: string, b: string) => {
    throw new UsageError(`${a} and ${b} contradict each other: name one of them`);
  };
  const last = format.at(-1);
  if (quiet && verbose) both('--quiet', '--verbose');
  if (quiet && json) both('--quiet', '--json');
  if (output.length > 0) return;
  if (json && last !== undefined && last !== 'json') both('--json', `--format ${last}`);
  if (quiet && last !== undefined) both('--quiet', `--format ${last}`);
}

/** The formats of `--format`, in their order. */
export const formatsOf = ({ format = [] }: Reporting): readonly OutputFormat[] =>
  format.flatMap(name => formatNamed(name) ?? []);

/** `sarif=out.json` as a format and a file. A file of such a name is `./sarif=out.json`. */
function splitOutput(shown: string): readonly [OutputFormat | null, string] {
  const [, name, file = ''] = /^([a-z]+)=(.*)$/is.exec(shown) ?? [];
  if (name === undefined) return [null, shown];
  const format = formatNamed(name);
  if (format !== null) return [format, file];
  const near = nearest(name.toLowerCase(), FORMATS);
  if (near.length > 0)
    throw new UsageError(
      `--output ${quoted(shown)}: there is no format ${quoted(name)}${didYouMean(near)} A file of that name is ./${shown}`,
    );
  return [null, shown];
}

/** True if a JSON report is printed or written. */
export const hasJson = (how: Reporting): boolean =>
  how.json ||
  formatsOf(how).includes('json') ||
  (how.output ?? []).some(shown => splitOutput(shown)[0] === 'json' || /\.json$/i.test(shown));

interface Output {
  readonly place: OutputPlace;
  readonly format: OutputFormat;
}

/** The destinations of a report. `printed`: it is also printed on standard output in this format. */
interface Outputs {
  readonly outputs: readonly Output[];
  readonly printed: OutputFormat | null;
}

type Surroundings = Pick<World, 'summaryFile'>;

/**
 * The destinations and formats of a report. Nothing is written yet. Outputs whose names do not determine a format get
 * those of `--format`, in their order; a format that is left over is that of standard output.
 * @throws UsageError or InputError for a destination that is invalid or not writable
 */
async function outputsOf(how: Reporting, { summaryFile }: Surroundings): Promise<Outputs> {
  const { outputPlace } = await import('../write/output-file.js');
  const { formatByName } = await import('../format/outputs.js');
  const named: { readonly place: OutputPlace; readonly told: OutputFormat | null }[] = [];
  for (const shown of how.output ?? []) {
    const [format, file] = splitOutput(shown);
    if (file === '')
      throw new UsageError(
        `--output${shown === '' ? '' : ` ${quoted(shown)}`}: expected a file, found an empty name`,
      );
    const place = outputPlace(file, summaryFile);
    const same = named.find(other => other.place.identity === place.identity);
    if (same !== undefined)
      throw new UsageError(`--output: ${quoted(same.place.shown)} and ${quoted(file)} are the same file`);
    const byName =
      place.kind === 'descriptor'
        ? null
        : (formatByName(place.path) ?? (place.kind === 'append' ? 'markdown' : null));
    named.push({ place, told: format ?? byName });
  }
  return shareFormats(named, how);
}

function shareFormats(
  named: readonly { readonly place: OutputPlace; readonly told: OutputFormat | null }[],
  how: Reporting,
): Outputs {
  const formats = formatsOf(how);
  const told = new Set(named.map(output => output.told));
  const free = [...new Set(formats)].filter(format => !told.has(format));
  const open = named.filter(output => output.told === null);
  // A format that is left when each of them has one is that of standard output.
  const isPrinted = open.some(({ place }) => isStandardOutput(place));
  if (
    open.length > 0 &&
    free.length > 1 &&
    free.length !== open.length &&
    (isPrinted || free.length !== open.length + 1)
  )
    throw new UsageError(
      `--format ${free.join(', --format ')}: ${open.length === 1 ? 'one output has' : `${open.length} outputs have`} no format by name; say which is which with --output FORMAT=FILE`,
    );
  const shared = free.length > 0 ? free : formats.slice(-1);
  const formatOf = ({ place }: { readonly place: OutputPlace }, i: number) =>
    formatFor(place, shared.length > 1 ? shared[i] : shared[0], how);
  const outputs = named.map(output => ({
    place: output.place,
    format: output.told ?? formatOf(output, open.indexOf(output)),
  }));
  const isLeft = open.length === 0 ? free.length > 0 : free.length > open.length;
  return { outputs, printed: isLeft && outputs.length > 0 ? free.at(-1)! : null };
}

/** The format of `--format`; otherwise text for streams and devices. */
function formatFor(
  place: OutputPlace,
  format: OutputFormat | undefined,
  { json, format: given = [] }: Reporting,
): OutputFormat {
  if (isStandardOutput(place)) {
    if (json && format !== undefined && format !== 'json')
      throw new UsageError(
        `--json and --format ${given.at(-1)} --output ${place.shown} both go to standard output: name one of them`,
      );
    return format ?? (json ? 'json' : 'text');
  }
  if (format !== undefined) return format;
  if (place.kind !== 'file') return 'text';
  const meant = formatNamed(place.shown);
  const hint = meant === null ? '' : `; --format ${meant} is standard output in that format`;
  throw new UsageError(
    `--output: ${quoted(place.shown)} should end in one of ${EXTENSIONS}, or say its format as in ${meant ?? 'json'}=${meant === null ? place.shown : 'FILE'}, or --format should say it${hint}`,
  );
}

const isStandardOutput = (place: OutputPlace) => place.kind === 'descriptor' && place.fd === 1;

/**
 * Reports unusable outputs before anything is read.
 * @param inputs  the files that are read: archives, a Dockerfile, a baseline
 */
export async function checkOutputs(
  how: Reporting,
  inputs: readonly string[],
  surroundings: Surroundings,
): Promise<void> {
  const { outputs, printed } = await outputsOf(how, surroundings);
  const { fileIdentity } = await import('../write/output-file.js');
  const read = new Set(inputs.filter(file => file !== '-').map(fileIdentity));
  const over = outputs.find(({ place }) => place.kind !== 'descriptor' && read.has(place.identity));
  if (over !== undefined)
    throw new UsageError(
      `--output: ${quoted(over.place.shown)} is read by this command, and would be overwritten`,
    );
  const onStdout = outputs.find(({ place }) => isStandardOutput(place));
  if (how.json && onStdout !== undefined && onStdout.format !== 'json')
    throw new UsageError(
      `--json and --output ${onStdout.format}=${onStdout.place.shown} both go to standard output: name one of them`,
    );
  if (printed !== null && (onStdout !== undefined || how.json))
    throw new UsageError(
      `--format ${printed} and ${how.json ? '--json' : '--output -'} both go to standard output: name one of them`,
    );
}

/**
 * The place of a document that is no report, such as a lock or a policy: a file of any name. Looked up before anything
 * is read.
 * @param inputs  the files that are read
 * @returns null for standard output
 */
export async function documentPlace(
  output: string | undefined,
  inputs: readonly string[],
): Promise<OutputPlace | null> {
  if (output === undefined) return null;
  if (output === '') throw new UsageError('--output: expected a file, found an empty name');
  const { fileIdentity, outputPlace } = await import('../write/output-file.js');
  const place = outputPlace(output, undefined);
  const isRead = inputs.some(file => file !== '-' && fileIdentity(file) === place.identity);
  if (isRead && place.kind !== 'descriptor')
    throw new UsageError(`--output: ${quoted(output)} is read by this command, and would be overwritten`);
  return place;
}

/**
 * Writes such a document, unless it goes to standard output.
 * @param about  `told`: what the note about the file that was written says of the document
 */
export async function documentAnswer(
  text: string,
  place: OutputPlace | null,
  { notes = [], told = '' }: { readonly notes?: readonly string[]; readonly told?: string },
): Promise<Answer> {
  if (place === null) return { stdout: text, notes, exitCode: 0 };
  const { writeOutput } = await import('../write/output-file.js');
  writeOutput(place, [text]);
  const wrote = place.kind === 'descriptor' ? [] : [`wrote ${place.shown}${told}`];
  return { stdout: '', notes: [...notes, ...wrote], exitCode: 0 };
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
    await printAll(await piecesOf(result, how.json ? 'json' : formatsOf(how).at(-1), outlets), outlets);
  if (!how.quiet) for (const line of result.notes ?? []) outlets.note(line);
}

async function deliverToFiles(result: Result, how: Reporting, outlets: Outlets): Promise<void> {
  const { outputs, printed } = await outputsOf(how, outlets);
  await writeAll(result, outlets, outputs);
  if (how.quiet) return;
  if (printed !== null) await printAll(await piecesOf(result, printed, outlets), outlets);
  if (how.json) {
    const isPrinted = outputs.some(({ place }) => isStandardOutput(place));
    if (!isPrinted) await printAll(await piecesOf(result, 'json', outlets), outlets);
    return;
  }
  const isShown =
    printed !== null || outputs.some(({ place }) => place.kind === 'descriptor' && place.fd <= 2);
  if (result.exitCode !== 0 && !isShown && !how.isSaid) await outlets.complain(result);
  for (const { place } of outputs) if (place.kind !== 'descriptor') outlets.note(`wrote ${place.shown}`);
}

async function piecesOf(result: Result, format: OutputFormat | undefined, { text }: Outlets) {
  if (format === 'json') return (await import('../format/json.js')).jsonPieces(result.data);
  if (format === undefined || format === 'text') return text(result);
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
