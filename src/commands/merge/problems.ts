import type {
  AgreedMember,
  LineReason,
  MergeProblem,
  ResultsPlace,
  RunDescription,
  ShardName,
  SomePaths,
} from '../../fleet/merge-problems.js';
import { count } from '../../report/words.js';
import { shownPath } from '../../spec/byte-path.js';
import { visible } from '../../visible.js';

/** A reason why results are not proven to be a whole run, in words. */
export interface ProblemReport {
  readonly code: MergeProblem['code'];
  readonly what: string;
  /** May have several lines. */
  readonly remedy: string | null;
}

/** The list of `--list` and the root of `--root`, as the user gave them. */
export interface ListArguments {
  readonly list: string | null;
  readonly root: string | null;
  /** Whether a file is there: a run that was interrupted leaves `FILE.partial`. */
  readonly exists: (file: string) => boolean;
}

/** Shards that are missing one by one; more are one problem. */
const LISTED_SHARDS = 10;

/** All problems in words, with the command that scans again what is missing. */
export function problemReports(
  problems: readonly MergeProblem[],
  run: RunDescription | null,
  given: ListArguments,
): ProblemReport[] {
  const missing = problems.filter(problem => problem.code === 'shard-missing');
  const isLong = missing.length > LISTED_SHARDS;
  const told = isLong
    ? problems.filter(problem => problem !== missing[0] && !missing.includes(problem as never))
    : problems;
  const reports = told.map(problem => reportOf(problem, run, given));
  return isLong
    ? [
        ...reports,
        manyMissing(
          missing.map(({ shard }) => shard),
          run,
          given,
        ),
      ]
    : reports;
}

type Told = Omit<ProblemReport, 'code'>;

function reportOf(problem: MergeProblem, run: RunDescription | null, given: ListArguments): ProblemReport {
  return { code: problem.code, ...told(problem, run, given) };
}

function told(problem: MergeProblem, run: RunDescription | null, given: ListArguments): Told {
  switch (problem.code) {
    case 'shard-missing': {
      const { number, of } = problem.shard;
      const file = fileFor(number, run);
      const begun = given.exists(`${file}.partial`);
      const found = begun ? `, ${file}.partial has a part of it` : '';
      return {
        what: `shard ${number}/${of} is missing: no file has it${found}`,
        remedy: `${begun ? 'Complete' : 'Scan'} it: ${scanCommand(problem.shard, file, run, given, begun)}`,
      };
    }
    case 'no-trailer':
      return {
        what: `${problem.file}: shard ${shardText(problem.shard)} is not complete: expected a trailer as the last line, found ${count(problem.records, 'record')}${problem.isTorn ? ' and a torn line' : ''} without one; its run was interrupted, or is still running`,
        remedy: `Complete it: ${scanCommand(problem.shard, problem.file, run, given, true)}`,
      };
    case 'disagree':
      return disagreementTold(problem);
    case 'unreadable':
    case 'named-twice':
    case 'empty':
    case 'not-results':
    case 'bad-lines':
    case 'mixed':
      return fileTold(problem);
    case 'count':
    case 'records':
    case 'exit-code':
      return trailerTold(problem);
    default:
      return recordsTold(problem, given);
  }
}

type FileProblem = Extract<
  MergeProblem,
  { code: 'unreadable' | 'named-twice' | 'empty' | 'not-results' | 'bad-lines' | 'mixed' }
>;

function fileTold(problem: FileProblem): Told {
  switch (problem.code) {
    case 'unreadable':
      return { what: `${problem.file}: ${problem.reason}`, remedy: null };
    case 'named-twice':
      return {
        what:
          problem.file === problem.other
            ? `${problem.file}: is named twice`
            : `${problem.file}: is the same file as ${problem.other}`,
        remedy: 'Name it once.',
      };
    case 'empty':
      return {
        what: `${problem.file}: expected results, found an empty file: its run ended before the first archive`,
        remedy: 'Scan its shard again.',
      };
    case 'not-results':
      return {
        what: `${at(problem.at)}: ${REASONS[problem.reason]}, found ${quotedLine(problem.found)}`,
        remedy:
          problem.reason === 'partial-merge'
            ? 'Merge the results of the shards themselves.'
            : 'Name files that `waybill scan -o FILE.ndjson` wrote.',
      };
    case 'bad-lines': {
      const more = problem.count === 1 ? '' : `, and ${problem.count - 1} more such`;
      return {
        what: `${at(problem.at)}: ${REASONS[problem.reason]}, found ${quotedLine(problem.found)}${more}`,
        remedy:
          'The file was cut, changed, or written by two programs at once. Scan its shard again, with --resume to keep the records that are whole.',
      };
    }
    case 'mixed':
      return {
        what: `${at(problem.at)}: ${count(problem.count, 'line')} of another run: expected the same ${problem.member.replace('shard.', 'shard: ')} as in the lines before it`,
        remedy:
          'Two runs wrote to one file, or files were joined without their trailers. Scan its shard again.',
      };
  }
}

const REASONS: Readonly<Record<LineReason, string>> = {
  'not-json': 'expected a line of JSON of a results file',
  'not-a-result': 'expected a record or a trailer of a results file',
  'other-schema': 'expected a line of schemaVersion 1; another version of waybill wrote it',
  torn: 'expected a line break at the end of the last line; it is cut, for its run was interrupted',
  malformed: 'expected a record whose images and findings are as docs/schema.json says',
  'too-long': 'expected a line of at most 256 MiB',
  'partial-merge': 'expected results of a run; this is what --allow-partial wrote, which proves nothing',
};

/** Characters of a line that are shown. */
const SHOWN = 60;

function quotedLine(text: string): string {
  const shown = visible(text);
  return shown.length <= SHOWN ? shown : `${shown.slice(0, SHOWN)}…`;
}

const at = ({ file, line }: ResultsPlace): string => (line === 0 ? file : `${file}: line ${line}`);

function trailerTold(problem: Extract<MergeProblem, { code: 'count' | 'records' | 'exit-code' }>): Told {
  const remedy = 'Lines were lost, added or changed after the run. Scan its shard again.';
  const { expected, found } = problem;
  switch (problem.code) {
    case 'count':
      return {
        what: `${at(problem.at)}: the trailer counts ${count(problem.expected, 'record')}, found ${found}`,
        remedy,
      };
    case 'records':
      return {
        what: `${at(problem.at)}: the records are not those of the trailer: expected ${expected}, found ${found}`,
        remedy,
      };
    case 'exit-code':
      return {
        what: `${at(problem.at)}: the trailer has the exit code ${found}, and its records ${expected}`,
        remedy,
      };
  }
}

/** Names of the members in messages, and what to do where they differ. */
const MEMBERS: Readonly<Record<AgreedMember, readonly [subject: string, remedy: string]>> = {
  tool: ['versions of waybill', 'Scan the shards of one version again with the other.'],
  command: ['commands', 'Merge the results of one command.'],
  policy: ['policies', 'Scan the shards of one policy again with the other.'],
  settings: [
    'options (limits, platform, --fail-on, keys, lock …)',
    'Scan the shards again with the options of the others.',
  ],
  of: ['numbers of shards', 'Merge the results of one run: every shard has the same N in --shard K/N.'],
  by: ['ways to make shards', 'Use --balance for all shards, or for none.'],
  list: [
    'work lists',
    'Files were added or removed between the runs, or they had other paths or another --root. Scan all shards from one --files-from list. For runs that never had one list (Spark, Ray, Dask) name the list of all: --list FILE.',
  ],
  listCount: ['numbers of items of the work list', 'Scan the shards again from one list.'],
};

/** Files that one problem names. */
const NAMED_FILES = 5;

function disagreementTold({ member, values }: Extract<MergeProblem, { code: 'disagree' }>): Told {
  const [subject, remedy] = MEMBERS[member];
  const found = values.map(({ value, files }) => `${valueText(member, value)} in ${filesText(files)}`);
  return { what: `results of different ${subject}: found ${found.join('; ')}`, remedy };
}

const valueText = (member: AgreedMember, value: string | number | null): string =>
  value === null ? `no ${member}` : member === 'by' ? `by ${value}` : String(value);

const filesText = (files: readonly string[]): string =>
  files.length <= NAMED_FILES
    ? files.join(', ')
    : `${files.slice(0, NAMED_FILES).join(', ')} and ${files.length - NAMED_FILES} more files`;

type RecordsProblem = Extract<
  MergeProblem,
  {
    code:
      | 'shard-twice'
      | 'path-twice'
      | 'wrong-shard'
      | 'list-count'
      | 'list-digest'
      | 'not-scanned'
      | 'not-listed';
  }
>;

function recordsTold(problem: RecordsProblem, given: ListArguments): Told {
  switch (problem.code) {
    case 'shard-twice':
      return shardTwiceTold(problem);
    case 'path-twice': {
      const [a, b] = problem.files;
      const where = a === b ? `twice in ${a}` : `in ${a} and in ${b}`;
      return {
        what: `${count(problem.paths.count, 'archive')} ${where}: ${pathsText(problem.paths)}`,
        remedy: 'Every archive must be in one shard. Leave out the file of another run.',
      };
    }
    case 'wrong-shard':
      return {
        what: `${problem.file}: shard ${shardText(problem.shard)} has ${count(problem.paths.count, 'record')} of shard ${problem.belongs}/${problem.shard.of}: ${pathsText(problem.paths)}`,
        remedy: 'The file was changed, or made by another program. Scan both shards again.',
      };
    case 'list-count':
      return {
        what: `all shards are there, but not all archives: the work list has ${count(problem.expected, 'item')}, found ${problem.found}`,
        remedy: 'Scan the shards again from one list.',
      };
    case 'list-digest':
      return {
        what: `the records are not the work list: expected the list ${problem.expected}, found ${problem.found}`,
        remedy: 'Records were changed or made by another program. Scan the shards again.',
      };
    default:
      return coverageTold(problem, given);
  }
}

const shardTwiceTold = ({ shard, files, same }: Extract<MergeProblem, { code: 'shard-twice' }>): Told => ({
  what: `shard ${shardText(shard)} is there ${files.length === 2 ? 'twice' : `${files.length} times`}: ${filesText(files)}${same ? ', with the same records' : ', with different records'}`,
  remedy: same ? 'Name one of them.' : 'Name the one that is right: the results of two runs differ.',
});

function coverageTold(
  { code, list, paths }: Extract<MergeProblem, { code: 'not-scanned' | 'not-listed' }>,
  { root }: ListArguments,
): Told {
  if (code === 'not-listed')
    return {
      what: `${count(paths.count, 'record')} of archives that ${list} does not list: ${pathsText(paths)}`,
      remedy: 'Name the list that was scanned, and the same --root.',
    };
  const rooted = root === null ? '' : ` --root ${shellWord(root)}`;
  const names = paths.first.map(path => shellWord(shownPath(path))).join(' ');
  return {
    what: `${count(paths.count, 'archive')} of ${list} ${paths.count === 1 ? 'was' : 'were'} not scanned: ${pathsText(paths)}`,
    remedy:
      paths.count === paths.first.length
        ? `Scan ${paths.count === 1 ? 'it' : 'them'}: printf '%s\\n' ${names} | waybill scan --files-from -${rooted} -o results-missing.ndjson`
        : 'Run the tasks again that had them.',
  };
}

function pathsText({ count: all, first }: SomePaths): string {
  const names = first.map(shownPath).join(', ');
  return all === first.length ? names : `${names} and ${all - first.length} more`;
}

const shardText = ({ number, of }: ShardName): string => `${number}/${of}`;

function manyMissing(
  shards: readonly ShardName[],
  run: RunDescription | null,
  given: ListArguments,
): ProblemReport {
  const [first] = shards;
  const numbers = shards.map(({ number }) => number);
  const loop = scanCommand({ number: '$K', of: first!.of }, '"results-$K.ndjson"', run, given);
  return {
    code: 'shard-missing',
    what: `${shards.length} of ${first!.of} shards are missing: ${rangesText(numbers)}`,
    remedy: `Scan them: for K in ${numbers.join(' ')}; do ${loop}; done`,
  };
}

/** `2-4, 7`. */
export function rangesText(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** The command of one shard. What the results do not have (paths, the file of the policy) is written in capitals. */
function scanCommand(
  { number, of }: { readonly number: number | string; readonly of: number },
  file: string,
  run: RunDescription | null,
  { list, root }: ListArguments,
  isResumed = false,
): string {
  const words = [
    'waybill',
    run?.command ?? 'scan',
    ...(list === null ? ['PATHS'] : ['--files-from', shellWord(list)]),
    ...(root === null ? [] : ['--root', shellWord(root)]),
    ...(run?.hasPolicy === true ? ['--policy POLICY'] : []),
    ...(run?.by === 'size' ? ['--balance'] : []),
    ...(of === 1 ? [] : [`--shard ${number}/${of}`]),
    isResumed ? '--resume' : '-o',
    typeof number === 'string' ? file : shellWord(withoutPartial(file)),
  ];
  const open = list === null || run?.hasPolicy === true ? ' (paths and options as for the other shards)' : '';
  return words.join(' ') + open;
}

/** `--resume` takes the name of the complete file. */
const withoutPartial = (file: string): string => file.replace(/\.partial$/, '');

/** A word of a POSIX shell. XCU 2.2 "Quoting" */
const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * The name that the file of a missing shard would have, by those of the others: `results-3.ndjson` beside
 * `results-1.ndjson` and `results-2.ndjson`. Names may count from 0, as engines do, and have leading zeros.
 */
function fileFor(number: number, run: RunDescription | null): string {
  const known = [...(run?.files ?? [])];
  const [first] = known;
  if (first === undefined) return `results-${number}.ndjson`;
  const [own, name] = first;
  for (const token of name.matchAll(/\d+/g))
    for (const from of [0, 1])
      for (const width of [1, token[0].length]) {
        const named = (shard: number) => replaced(name, token, String(shard - from).padStart(width, '0'));
        if (Number(token[0]) === own - from && known.every(([shard, file]) => named(shard) === file))
          return named(number);
      }
  return `results-${number}.ndjson`;
}

const replaced = (name: string, { 0: digits, index = 0 }: RegExpMatchArray, text: string): string =>
  name.slice(0, index) + text + name.slice(index + digits.length);
