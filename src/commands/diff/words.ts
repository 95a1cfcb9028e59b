import { createTwoFilesPatch, OMIT_HEADERS } from 'diff';
import { type KindCount, UNREAD } from '../../analysis/diff/changes.js';
import { type Span, span } from '../../report/doc.js';

/** Kinds of differences that do not affect a container of the image. */
const LIGHT = new Set([
  'names',
  'history',
  'layers',
  'mode',
  'owner',
  'times',
  'order',
  'encoding',
  'compression',
  'manifest',
  'attestations',
]);

/** The first part of a kind: `config` for `config.env.PATH`. */
const about = (kind: string) => kind.split('.', 1)[0]!;

const aboutAll = (kinds: readonly KindCount[]) => [...new Set(kinds.map(({ kind }) => about(kind)))];

/** Joins words: `times, owner and names`. */
function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Kinds with their counts: `3 files.content, times 12`. */
export const kindWords = (kinds: readonly KindCount[]): string =>
  kinds.map(({ kind, count }) => `${kind} ${count}`).join(', ');

/**
 * A sentence that says whether two images are the same, the same except for some kinds, or different.
 * @param inFull  whether everything could be compared
 */
export function verdictWords(
  all: readonly KindCount[],
  ignored: readonly KindCount[],
  inFull: boolean,
): Span[] {
  // Files that were not read are not a known difference; the notes name them.
  const differences = all.filter(({ kind }) => kind !== UNREAD);
  const passedOver = aboutAll(ignored);
  const but = passedOver.length === 0 ? '' : ` but for what is ignored: ${listed(passedOver)}`;
  const limits = inFull ? '' : ', as far as it could be compared';
  if (differences.length === 0) return [span(`the same${but}${limits}`, inFull ? 'good' : 'warn')];
  const words = aboutAll(differences);
  if (words.every(word => LIGHT.has(word))) {
    const more = passedOver.length === 0 ? '' : `, and what is ignored: ${listed(passedOver)}`;
    return [span(`the same but for ${listed(words)}${more}`, 'warn')];
  }
  const counts = words.map(word => {
    const count = differences.reduce((sum, { kind, count }) => sum + (about(kind) === word ? count : 0), 0);
    return `${word} ${count}`;
  });
  return [span('different: ', 'bad'), span(counts.join(', '), null)];
}

/** Size of the largest file that is compared line by line, in bytes. */
export const TEXT_CAP = 128 * 1024;

/** Maximum number of removed and added lines; a longer diff is not useful in a report. */
const EDITS = 2000;
const CONTEXT = 3;

/**
 * The hunks of a unified diff of two text files, without the lines that name the files.
 * @returns null if one is not text, or is too large, or they have too little in common
 */
export function unifiedDiff(a: Uint8Array, b: Uint8Array): string | null {
  const [left, right] = [textOf(a), textOf(b)];
  if (left === null || right === null) return null;
  const options = { context: CONTEXT, maxEditLength: EDITS, headerOptions: OMIT_HEADERS };
  return createTwoFilesPatch('a', 'b', left, right, undefined, undefined, options) ?? null;
}

function textOf(bytes: Uint8Array): string | null {
  if (bytes.length > TEXT_CAP || bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
