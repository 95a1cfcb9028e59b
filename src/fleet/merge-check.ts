import type { FileLine } from '../containers/results-lines.js';
import type { BytePath } from '../spec/byte-path.js';
import { balancedShards, listDigest, pathOfRecord, shardOf } from './list.js';
import type {
  AgreedMember,
  LineReason,
  MergeProblem,
  RunDescription,
  ShardName,
  SomePaths,
} from './merge-problems.js';
import { isWholeRecord } from './merge-shape.js';
import type { Provenance, Trailer } from './record.js';
import {
  exitCodeOf,
  type ItemRecord,
  lineDigest,
  parseLine,
  provenanceDifferences,
  recordsDigest,
} from './results.js';

/** Where a record is: the bytes of its line, without the line break. */
export interface RecordPlace {
  readonly path: BytePath;
  readonly file: number;
  readonly offset: number;
  readonly length: number;
  readonly part: ResultsPart;
}

/** The records of one run in a file, up to its trailer. A file that was made by `cat` has several. */
export interface ResultsPart {
  readonly file: string;
  readonly source: Provenance;
  readonly places: RecordPlace[];
  /** One for each record, in the order of the lines. */
  readonly sizes: (number | null)[];
  readonly digests: Buffer[];
  /** Records of archives. */
  archives: number;
  exitCode: 0 | 1 | 2;
  trailer: Trailer | null;
}

/** A line of a file, and where it is. */
export type ResultsLine = Omit<FileLine, 'isUtf8'>;

/** Characters of a line that a problem quotes. */
const QUOTED = 60;
/** Paths that a problem names. */
const NAMED = 3;

/**
 * Reads the lines of results files, and finds out whether they are one run: each shard once, nothing lost, nothing
 * twice, all by one tool with one policy. Of a record its path, its place and its digest are kept.
 */
export class MergeCheck {
  readonly problems: MergeProblem[] = [];
  readonly parts: ResultsPart[] = [];
  private readonly files: string[] = [];
  private part: ResultsPart | null = null;
  private bad: Extract<MergeProblem, { code: 'bad-lines' }> | null = null;
  private mixed: Extract<MergeProblem, { code: 'mixed' }> | null = null;
  private results = 0;

  /** @returns the index of the file, for `RecordPlace.file` */
  beginFile(file: string): number {
    this.part = null;
    this.bad = null;
    this.mixed = null;
    this.results = 0;
    return this.files.push(file) - 1;
  }

  line(line: ResultsLine): void {
    if (line.text.trim() === '') return;
    const parsed = line.isTooLong ? 'too-long' : parseLine(line.text);
    if (typeof parsed === 'string') this.refuse(line, this.reasonOf(line, parsed));
    else if (!line.isEnded) this.refuse(line, 'torn');
    else if (parsed.kind === 'end') this.end(parsed, line);
    else if (!isWholeRecord(parsed)) this.refuse(line, 'malformed');
    else this.record(parsed, line);
  }

  /** @param reason  why the system could not read all of the file; null if it did */
  endFile(reason: string | null): void {
    const file = this.files.at(-1)!;
    if (reason !== null) this.problems.push({ code: 'unreadable', file, reason });
    else if (this.results === 0 && this.bad === null) this.problems.push({ code: 'empty', file });
    const isOpen = this.part !== null && reason === null;
    // A run that is killed tears its last line and writes no trailer: one cause.
    const isTorn = isOpen && this.bad?.reason === 'torn' && this.bad.count === 1;
    if (this.bad !== null && !isTorn) {
      const { count, ...bad } = this.bad;
      this.problems.push(this.results === 0 ? { ...bad, code: 'not-results' } : { ...bad, count });
    }
    if (this.mixed !== null) this.problems.push(this.mixed);
    if (!isOpen) return;
    const { source, places } = this.part!;
    const shard = nameOf(source.shard);
    this.problems.push({ code: 'no-trailer', file, shard, records: places.length, isTorn });
  }

  private reasonOf({ isEnded, text }: ResultsLine, reason: LineReason): LineReason {
    if (reason === 'not-json' && !isEnded) return 'torn';
    return PARTIAL.test(text) ? 'partial-merge' : reason;
  }

  private refuse({ number, text }: ResultsLine, reason: LineReason): void {
    const file = this.files.at(-1)!;
    const found = text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text;
    if (this.bad === null)
      this.bad = { code: 'bad-lines', at: { file, line: number }, reason, found, count: 1 };
    else this.bad = { ...this.bad, count: this.bad.count + 1 };
  }

  private partFor(source: Provenance, number: number): ResultsPart {
    this.results++;
    const file = this.files.at(-1)!;
    if (this.part === null) {
      this.part = {
        file,
        source,
        places: [],
        sizes: [],
        digests: [],
        archives: 0,
        exitCode: 0,
        trailer: null,
      };
      this.parts.push(this.part);
      return this.part;
    }
    const [difference] = provenanceDifferences(this.part.source, source);
    if (difference !== undefined) {
      const { member } = difference;
      if (this.mixed === null) this.mixed = { code: 'mixed', at: { file, line: number }, member, count: 1 };
      else this.mixed = { ...this.mixed, count: this.mixed.count + 1 };
    }
    return this.part;
  }

  private record(record: ItemRecord, { text, number, offset, length }: ResultsLine): void {
    const part = this.partFor(record, number);
    const path = pathOfRecord(record)!;
    part.places.push({ path, file: this.files.length - 1, offset, length, part });
    part.sizes.push(record.size);
    part.digests.push(lineDigest(text));
    if (record.kind === 'archive') part.archives++;
    const exitCode = exitCodeOf(record);
    if (exitCode > part.exitCode) part.exitCode = exitCode;
  }

  private end(trailer: Trailer, { number }: ResultsLine): void {
    const part = this.partFor(trailer, number);
    part.trailer = trailer;
    this.part = null;
    const at = { file: part.file, line: number };
    const found = part.places.length;
    if (trailer.count !== found) {
      this.problems.push({ code: 'count', at, expected: trailer.count, found });
      return;
    }
    const digest = digestOf(part);
    if (trailer.records !== digest)
      this.problems.push({ code: 'records', at, expected: trailer.records, found: digest });
    else if (trailer.exitCode !== part.exitCode)
      this.problems.push({ code: 'exit-code', at, expected: part.exitCode, found: trailer.exitCode });
    // The digests of the lines are not needed any more.
    part.digests.length = 0;
  }
}

/** The first line of a partial merge; see commands/merge/records.ts. */
const PARTIAL = /^\{"kind":"partial",/;

const nameOf = ({ number, of }: ShardName): ShardName => ({ number, of });

function digestOf({ places, digests }: ResultsPart): string {
  const order = [...places.keys()].sort((a, b) => inOrder(places[a]!, places[b]!));
  return recordsDigest(order.map(i => digests[i]!));
}

const inOrder = (a: RecordPlace, b: RecordPlace): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** A work list that results must cover, and its name. */
export interface WantedList {
  readonly file: string;
  /** Sorted by bytes, without duplicates. */
  readonly paths: readonly BytePath[];
}

/** All results together. */
export interface MergedResults {
  /** Sorted by path, each path once. */
  readonly places: readonly RecordPlace[];
  readonly problems: readonly MergeProblem[];
  readonly origin: Provenance | null;
  /** Digest by path alone, and number of items, of the list that the records are of. */
  readonly list: string;
  readonly listCount: number;
  readonly shards: number;
  /** 2 also where no record is one of an archive: a folder whose mount failed must not pass. */
  readonly exitCode: 0 | 1 | 2;
  /** Milliseconds of the runs, added up. */
  readonly durationMs: number;
  readonly run: RunDescription | null;
}

/** Compares the parts with each other, and with the list that they must cover. */
export function mergedResults(check: MergeCheck, wanted: WantedList | null): MergedResults {
  const { parts } = check;
  const all = parts.flatMap(({ places }) => places).sort(inOrder);
  const places = all.filter((place, i) => place.path !== all[i - 1]?.path);
  const paths = places.map(({ path }) => path);
  const between = [...disagreements(parts, wanted !== null), ...shardProblems(parts, wanted !== null)];
  const twice = pathsTwice(all);
  const misplaced = wrongShards(parts);
  const list = listDigest({ paths: wanted?.paths ?? paths, sizes: null });
  const before = [...check.problems, ...between, ...twice, ...misplaced];
  const proof = wanted !== null ? coverage(paths, wanted) : before.length > 0 ? [] : wholeList(parts, places);
  const [first] = parts;
  return {
    places,
    problems: [...before, ...proof],
    origin: first?.source ?? null,
    list,
    listCount: wanted?.paths.length ?? first?.trailer?.listCount ?? places.length,
    shards: wanted === null ? (first?.source.shard.of ?? 0) : parts.length,
    exitCode: worstOf(parts),
    durationMs: parts.reduce((sum, { trailer }) => sum + (trailer?.durationMs ?? 0), 0),
    run: first === undefined ? null : descriptionOf(first.source, parts),
  };
}

const worstOf = (parts: readonly ResultsPart[]): 0 | 1 | 2 =>
  parts.every(({ archives }) => archives === 0)
    ? 2
    : parts.reduce<0 | 1 | 2>((most, { exitCode }) => (exitCode > most ? exitCode : most), 0);

function descriptionOf(
  { command, policy, shard }: Provenance,
  parts: readonly ResultsPart[],
): RunDescription {
  const files = new Map(parts.map(({ source, file }) => [source.shard.number, file]));
  return { command, hasPolicy: policy !== null, by: shard.by, files };
}

/** @param isListed  the list is given: runs may have lists and shards of their own */
function disagreements(parts: readonly ResultsPart[], isListed: boolean): MergeProblem[] {
  const members: readonly (readonly [AgreedMember, (part: ResultsPart) => string | number | null])[] = [
    ['tool', ({ source }) => source.tool],
    ['command', ({ source }) => source.command],
    ['policy', ({ source }) => source.policy],
    ['settings', ({ source }) => source.settings],
  ];
  const ofOneRun: typeof members = [
    ['of', ({ source }) => source.shard.of],
    ['by', ({ source }) => source.shard.by],
    ['list', ({ source }) => source.shard.list],
  ];
  const found = (isListed ? members : [...members, ...ofOneRun]).flatMap(([member, memberOf]) =>
    disagreement(member, parts, memberOf),
  );
  if (isListed || found.some(({ member }) => member === 'list')) return found;
  const ended = parts.filter(({ trailer }) => trailer !== null);
  return [...found, ...disagreement('listCount', ended, ({ trailer }) => trailer!.listCount)];
}

function disagreement(
  member: AgreedMember,
  parts: readonly ResultsPart[],
  memberOf: (part: ResultsPart) => string | number | null,
): Extract<MergeProblem, { code: 'disagree' }>[] {
  const groups = new Map<string | number | null, Set<string>>();
  for (const part of parts) {
    const value = memberOf(part);
    const files = groups.get(value) ?? new Set();
    groups.set(value, files.add(part.file));
  }
  if (groups.size < 2) return [];
  // What most files have is what was meant.
  const values = [...groups].map(([value, files]) => ({ value, files: [...files] }));
  return [{ code: 'disagree', member, values: values.sort((a, b) => b.files.length - a.files.length) }];
}

function shardProblems(parts: readonly ResultsPart[], isListed: boolean): MergeProblem[] {
  const totals = new Set(parts.map(({ source }) => source.shard.of));
  // With totals or lists that differ, no shard is missing: the runs are not of one kind.
  const lists = new Set(parts.map(({ source }) => source.shard.list));
  if (isListed || totals.size !== 1 || lists.size !== 1) return [];
  const [of] = totals as Set<number>;
  const byNumber = new Map<number, ResultsPart[]>();
  for (const part of parts) {
    const { number } = part.source.shard;
    byNumber.set(number, [...(byNumber.get(number) ?? []), part]);
  }
  const problems: MergeProblem[] = [];
  for (let number = 1; number <= of!; number++) {
    const own = byNumber.get(number) ?? [];
    const shard = { number, of: of! };
    if (own.length === 0) problems.push({ code: 'shard-missing', shard });
    if (own.length < 2) continue;
    const same = new Set(own.map(({ trailer }) => trailer?.records ?? null)).size === 1;
    problems.push({ code: 'shard-twice', shard, files: own.map(({ file }) => file), same });
  }
  return problems;
}

/** Paths of two records. Those of a shard that is there twice are said by `shard-twice`. */
function pathsTwice(sorted: readonly RecordPlace[]): MergeProblem[] {
  const groups = new Map<string, { files: [string, string]; count: number; first: string[] }>();
  for (const [i, { path, part }] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before === undefined || before.path !== path || isSameShard(before.part, part)) continue;
    const files: [string, string] = [before.part.file, part.file];
    const key = JSON.stringify(files);
    const group = groups.get(key) ?? { files, count: 0, first: [] };
    groups.set(key, group);
    addPath(group, path);
  }
  return [...groups.values()].map(({ files, ...paths }) => ({ code: 'path-twice', files, paths }));
}

function isSameShard(a: ResultsPart, b: ResultsPart): boolean {
  if (a === b) return false;
  const [one, other] = [a.source.shard, b.source.shard];
  return one.number === other.number && one.of === other.of && one.list === other.list;
}

function addPath(group: { count: number; first: string[] }, path: BytePath): void {
  group.count++;
  if (group.first.length < NAMED) group.first.push(path);
}

/** Records of paths that their shard does not have. With shards by size only all shards together can tell. */
function wrongShards(parts: readonly ResultsPart[]): MergeProblem[] {
  return parts.flatMap(({ source: { shard }, places, file }): MergeProblem[] => {
    if (shard.by !== 'path' || shard.of === 1) return [];
    const groups = new Map<number, { count: number; first: string[] }>();
    for (const { path } of places) {
      const belongs = shardOf(path, shard.of);
      if (belongs === shard.number) continue;
      const group = groups.get(belongs) ?? { count: 0, first: [] };
      groups.set(belongs, group);
      addPath(group, path);
    }
    return [...groups].map(([belongs, paths]) => ({
      code: 'wrong-shard',
      file,
      shard: nameOf(shard),
      belongs,
      paths,
    }));
  });
}

/** Whether shards that are all there, each of which is whole, are the list that their digest says. */
function wholeList(parts: readonly ResultsPart[], places: readonly RecordPlace[]): MergeProblem[] {
  const [first] = parts;
  const trailer = first?.trailer ?? null;
  if (first === undefined || trailer === null) return [];
  const found = places.length;
  if (found !== trailer.listCount) return [{ code: 'list-count', expected: trailer.listCount, found }];
  const { by, list: expected, of } = first.source.shard;
  const paths = places.map(({ path }) => path);
  if (by === 'size') return balancedProblems(places, paths, expected, of);
  const digest = listDigest({ paths, sizes: null });
  return digest === expected ? [] : [{ code: 'list-digest', expected, found: digest }];
}

/**
 * Shards by size: the digest covers the sizes of the list. Of a folder a record has no size, and a file may grow
 * between the list and its reading: then the digest proves nothing, and the number of items and the equal lists of all
 * shards have to do.
 */
function balancedProblems(
  places: readonly RecordPlace[],
  paths: readonly BytePath[],
  expected: string,
  of: number,
): MergeProblem[] {
  const sizeOf = new Map<RecordPlace, number>();
  for (const part of new Set(places.map(place => place.part)))
    for (const [i, place] of part.places.entries()) sizeOf.set(place, part.sizes[i] ?? 0);
  const sizes = places.map(place => sizeOf.get(place)!);
  if (listDigest({ paths, sizes }) !== expected) return [];
  const shards = balancedShards(sizes, of);
  const groups = new Map<string, { place: RecordPlace; belongs: number; count: number; first: string[] }>();
  for (const [i, place] of places.entries()) {
    const belongs = shards[i]!;
    if (belongs === place.part.source.shard.number) continue;
    const key = `${place.file} ${belongs}`;
    const group = groups.get(key) ?? { place, belongs, count: 0, first: [] };
    groups.set(key, group);
    addPath(group, place.path);
  }
  return [...groups.values()].map(({ place: { part }, belongs, count, first }) => ({
    code: 'wrong-shard',
    file: part.file,
    shard: nameOf(part.source.shard),
    belongs,
    paths: { count, first },
  }));
}

/** Whether records are exactly those of a list. Both are sorted. */
function coverage(paths: readonly BytePath[], { file, paths: wanted }: WantedList): MergeProblem[] {
  const [missing, more] = [wantedOnly(wanted, paths), wantedOnly(paths, wanted)];
  return [
    ...(missing.count === 0 ? [] : [{ code: 'not-scanned' as const, list: file, paths: missing }]),
    ...(more.count === 0 ? [] : [{ code: 'not-listed' as const, list: file, paths: more }]),
  ];
}

/** Paths of one sorted list that another sorted list does not have. */
function wantedOnly(wanted: readonly BytePath[], found: readonly BytePath[]): SomePaths {
  const some = { count: 0, first: [] as string[] };
  let at = 0;
  for (const path of wanted) {
    while (at < found.length && found[at]! < path) at++;
    if (found[at] !== path) addPath(some, path);
  }
  return some;
}
