// Reads one archive in every way, and compares what must be the same.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ArchiveReading,
  InputError,
  type ReadOptions,
  readArchive,
  reportOf,
} from '../../src/commands.js';
import { temporary } from '../support/tmp.js';
import { GUARD } from './runs.js';

let folder: string | undefined;
let number = 0;

/** Writes bytes to a file; a few names are used in turn. */
export function kept(bytes: Uint8Array, name = 'image.tar'): string {
  folder ??= temporary('property');
  const path = join(folder, `${number++ % 4}-${name}`);
  writeFileSync(path, bytes);
  return path;
}

/** Bytes in chunks, as from a pipe, whose sizes follow from the bytes: the same each time. */
export async function* piped(bytes: Uint8Array, most = 70_000): AsyncGenerator<Uint8Array> {
  let state = createHash('sha256').update(bytes).digest().readUInt32LE();
  for (let at = 0; at < bytes.length; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // Small chunks are as frequent as large ones.
    const size = Math.max(1, Math.floor(most ** (state / 2 ** 32)));
    // A reader may reuse one buffer.
    const piece = bytes.slice(at, at + size);
    yield piece;
    piece.fill(0xaa);
    at += size;
  }
}

export type Outcome = ArchiveReading | InputError;

/** The result of reading. An error other than an InputError is rethrown; reading must end. */
export async function outcomeOf(
  input: string | AsyncIterable<Uint8Array>,
  options: ReadOptions = {},
): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), GUARD);
  });
  try {
    return await Promise.race([readArchive(input, options), late]);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

export const isReading = (outcome: Outcome): outcome is ArchiveReading => !(outcome instanceof InputError);

/**
 * Everything that a reading gives except the delivery: the report, and for each member facts, first bytes and document.
 */
export function contentsOf(outcome: Outcome): unknown {
  if (!isReading(outcome)) return { error: outcome.what };
  const { archive, ...report } = reportOf(outcome);
  const { layout, producer, marks } = archive;
  const scans = outcome.parts.map(({ scan }) =>
    scan.members.map(member => {
      const isFirst = scan.at(member.path) === member;
      const { value, error, digest } = isFirst && member.type === 'file' ? scan.document(member) : NOTHING;
      const facts = isFirst ? scan.facts(member) : null;
      return {
        ...member,
        range: undefined,
        facts,
        head: isFirst && member.type === 'file' ? scan.head(member) : null,
        value,
        error,
        digest,
      };
    }),
  );
  return { layout, producer, marks, ...report, scans };
}

const NOTHING = { value: null, error: null, digest: null };
