import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { ByteRange } from '../containers/source.js';
import type { Analysis } from '../scan/blob/examiner.js';
import type { BlobFacts } from '../scan/blob/facts.js';
import { type BlobLookup, dependsOnlyOnBytes, type KnownBlobs } from '../scan/blob/known.js';
import type { Seeds } from '../scan/names/table.js';
import type { Algorithm } from '../spec/digest.js';
import type { BlobCounts } from './cache.js';
import { packData, unpackData } from './plain-data.js';
import type { EntryStore } from './store.js';

/** Bytes of a blob by which its candidate is found: at its ends, and at places between them. */
const END_BYTES = 64 * 1024;
const PLACES = 6;
const PLACE_BYTES = 8 * 1024;

/** Limits that do not shape facts which are kept: a blob that is not read in time has none. */
const WITHOUT_EFFECT: readonly string[] = ['seconds'];

/** Facts about blobs, in entries that are found by a few bytes of a blob, and used if the digest of all is the same. */
export class BlobCache implements KnownBlobs {
  readonly counts: BlobCounts = { hits: 0, misses: 0, kept: 0 };
  /** The part of an entry's key that all blobs of one scan share. */
  private readonly settings = new WeakMap<Analysis, string>();

  constructor(
    private readonly store: EntryStore,
    readonly seeds: Seeds,
    private readonly leastBytes: number,
  ) {}

  lookUp(range: ByteRange, algorithms: readonly Algorithm[], analysis: Analysis): BlobLookup | null {
    // Facts about a file of a zip have to do with what the zip lists about it.
    if (range.deflated || range.listed !== undefined || range.length < this.leastBytes) return null;
    const sample = sampleOf(range);
    if (sample === null) return null;
    const name = this.store.nameOf('blob', `${this.settingsOf(analysis)}\0${algorithms}\0${sample}`);
    const candidate = this.read(name, range.length);
    if (candidate === null) this.counts.misses++;
    return {
      candidate,
      used: isUsed => void this.counts[isUsed ? 'hits' : 'misses']++,
      keep: facts => this.keep(name, range.length, facts),
    };
  }

  private settingsOf(analysis: Analysis): string {
    let text = this.settings.get(analysis);
    if (text === undefined) {
      const { files, contents, limits } = analysis;
      const counted = Object.entries(limits).filter(([limit]) => !WITHOUT_EFFECT.includes(limit));
      text = JSON.stringify([files, contents ?? null, counted.sort(([a], [b]) => (a < b ? -1 : 1))]);
      this.settings.set(analysis, text);
    }
    return text;
  }

  private read(name: Buffer, size: number): BlobFacts | null {
    const content = this.store.read(name);
    if (content === null) return null;
    const facts = unpackData(content) as BlobFacts | undefined;
    if (facts?.size === size && dependsOnlyOnBytes(facts)) return withSeeds(facts, this.seeds);
    this.store.reject('unknown content');
    return null;
  }

  private keep(name: Buffer, size: number, facts: BlobFacts): void {
    if (facts.size !== size || !dependsOnlyOnBytes(facts)) return;
    const content = packData(withSeeds(facts, NO_SEEDS));
    if (content !== null && this.store.write(name, content)) this.counts.kept++;
  }
}

/** Who knows the seeds can choose names whose hashes collide, so entries do not have them. */
const NO_SEEDS: Seeds = [0, 0];

function withSeeds(facts: BlobFacts, seeds: Seeds): BlobFacts {
  const { tar } = facts;
  return tar === null ? facts : { ...facts, tar: { ...tar, names: { ...tar.names, seeds } } };
}

/** Size and digest of a few bytes of a range; null where they cannot be read. */
function sampleOf({ file, start, length, content }: ByteRange): string | null {
  const hash = createHash('sha256');
  if (content !== undefined) {
    for (const [at, bytes] of placesIn(length)) hash.update(content.subarray(start + at, start + at + bytes));
    return start + length > content.length ? null : `${length}\0${hash.digest('hex')}`;
  }
  const buffer = Buffer.alloc(END_BYTES);
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch {
    return null;
  }
  try {
    for (const [at, bytes] of placesIn(length)) {
      const read = readSync(fd, buffer, 0, bytes, start + at);
      if (read !== bytes) return null;
      hash.update(buffer.subarray(0, read));
    }
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
  return `${length}\0${hash.digest('hex')}`;
}

/** Offset and length of each piece of a sample. */
function placesIn(length: number): [number, number][] {
  if (length <= END_BYTES) return [[0, length]];
  const places: [number, number][] = [[0, END_BYTES]];
  const step = Math.floor((length - END_BYTES) / (PLACES + 1));
  if (step > END_BYTES)
    for (let i = 1; i <= PLACES; i++) places.push([END_BYTES + i * step - PLACE_BYTES, PLACE_BYTES]);
  const tail = Math.min(END_BYTES, length - END_BYTES);
  places.push([length - tail, tail]);
  return places;
}
