import { copyOf } from '../containers/cursor.js';
import { HEAD } from '../containers/kind.js';
import { readHead, readRange } from '../containers/read.js';
import type { Member, SeekableMember, SeekableSource, SourceProblem } from '../containers/source.js';
import { reasonOf } from '../errors.js';
import type { Limits } from '../limits.js';
import {
  cutDocument,
  type Document,
  type Head,
  mayBeDocument,
  notJson,
  readDocument,
  refusedDocument,
  toHead,
  tooLarge,
  weightOf,
} from './blob/document.js';
import type { Analysis } from './blob/examiner.js';
import type { BlobFacts } from './blob/facts.js';

import { Members } from './extraction.js';
import { factsIn, keptResults } from './once.js';
import type { Scan, ScanOptions } from './scan.js';

export async function scanSeekable(
  source: SeekableSource,
  options: ScanOptions,
  analysis: Analysis,
): Promise<Scan> {
  const { depth, limits } = options;
  const members = new Members(source.members);
  const facts =
    depth === 'metadata' ? new Map<Member, BlobFacts>() : await analysed(source.members, options, analysis);
  const heads = new Map<Member, Head>();
  const documents = new Map<Member, Document>();
  let kept = 0;
  return {
    depth,
    limits,
    isDirectory: source.isDirectory,
    members: source.members,
    problems: [...source.problems, ...notInTime(facts, limits)],
    at: path => members.at(path),
    file: path => members.file(path),
    isFolder: path => members.isFolder(path),
    head: file => remember(heads, file, () => toHead(safeHead(file as SeekableMember))),
    document: file =>
      remember(documents, file, () => {
        const document = loadDocument(file as SeekableMember, limits, kept);
        kept += weightOf(document);
        return document;
      }),
    facts: factsIn(facts),
    once: keptResults(),
  };
}

/** The analysis is imported only when it is needed: `show` needs none. */
async function analysed(
  members: readonly SeekableMember[],
  options: ScanOptions,
  analysis: Analysis,
): Promise<Map<Member, BlobFacts>> {
  const { analyseMembers } = await import('./analyse-members.js');
  return analyseMembers(members, options, analysis);
}

/** A member that was not read in time may not be a layer; then only this problem reports it. */
function notInTime(facts: ReadonlyMap<Member, BlobFacts>, { seconds }: Limits): SourceProblem[] {
  const isLate = ({ failure }: BlobFacts) => failure?.kind === 'limit' && failure.limit === 'seconds';
  return [...facts.values()].some(isLate)
    ? [{ kind: 'limit', path: null, limit: 'seconds', value: seconds }]
    : [];
}

function safeHead(file: SeekableMember): Uint8Array {
  try {
    return file.range === null ? new Uint8Array(0) : readHead(file.range, HEAD);
  } catch {
    // If the member is unreadable, that is reported when its bytes are read.
    return new Uint8Array(0);
  }
}

function loadDocument(file: SeekableMember, limits: Limits, kept: number): Document {
  const { path, range } = file;
  if (range === null) return refusedDocument(path, { kind: 'unreadable', reason: 'it is no file' });
  const refused = tooLarge(path, limits, file.size, kept);
  if (refused !== null) return refused;
  if (!mayBeDocument(path, safeHead(file))) return notJson(file);
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    readRange(range, piece => {
      parts.push(copyOf(piece));
      size += piece.length;
      return size <= limits.documentBytes;
    });
  } catch (error) {
    return refusedDocument(path, { kind: 'unreadable', reason: reasonOf(error as Error) });
  }
  const isMore = tooLarge(path, limits, size, kept);
  if (isMore !== null) return isMore;
  // A partial document is not used: its digest would name an image that does not exist.
  if (size < file.size) return cutDocument(path);
  return readDocument(path, Buffer.concat(parts), limits, kept);
}

function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
