import { type KindCount, UNREAD } from '../../analysis/diff/changes.js';
import { type Span, span } from '../../report/doc.js';

/** Kinds that change nothing of what a container of the image would find and do. */
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

/** `config.env.PATH` is about `config`. */
const about = (kind: string) => kind.split('.', 1)[0]!;

const aboutAll = (kinds: readonly KindCount[]) => [...new Set(kinds.map(({ kind }) => about(kind)))];

/** `times, owner and names` */
function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `3 files.content, times 12`: what differs, with how often. */
export const kindWords = (kinds: readonly KindCount[]): string =>
  kinds.map(({ kind, count }) => `${kind} ${count}`).join(', ');

/**
 * Whether two images are the same, the same but for something, or different.
 * @param inFull  whether everything could be compared
 */
export function verdictWords(
  all: readonly KindCount[],
  ignored: readonly KindCount[],
  inFull: boolean,
): Span[] {
  // What was not read is no difference that is known: the notes say what it is.
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
