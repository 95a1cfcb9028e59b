// Docker's functions on text: Go's strings package, and pad and truncate of docker/cli, cli/templates/templates.go.
import { byteLength, inChunks, sliceBytes, wellFormed } from './bytes.js';
import { CallError } from './errors.js';
import { MAX_PIECES, MAX_TEXT } from './limits.js';

/** Every character by itself, where JavaScript would make several of one (`ß`, `İ`) or look at its neighbours (`Σ`). */
const mapped = (text: string, change: (character: string) => string): string =>
  inChunks(text, chunk => [...wellFormed(chunk)].map(character => single(character, change)).join(''));

function single(character: string, change: (character: string) => string): string {
  const changed = change(character);
  if ([...changed].length === 1) return changed;
  return character === 'İ' ? 'i' : character;
}

export const upper = (text: string): string => mapped(text, character => character.toUpperCase());
export const lower = (text: string): string => mapped(text, character => character.toLowerCase());

/** A capital at the start of every word, where letters, digits, `_` and what is neither ASCII nor space make words. */
export const title = (text: string): string =>
  inChunks(wellFormed(text), (chunk, before) =>
    (before + chunk)
      .replace(/(?<![\p{L}\p{Nd}_]|[^\u0000-\u007f\s\u0085])\p{L}/gu, upper)
      .slice(before.length),
  );

/** With an empty separator, every character by itself. */
export function split(text: string, separator: string): string[] {
  const pieces =
    separator === '' ? [...text.slice(0, MAX_PIECES + 1)] : text.split(separator, MAX_PIECES + 1);
  if (pieces.length > MAX_PIECES) throw new CallError(`more than ${MAX_PIECES} pieces`);
  return pieces;
}

export function join(items: readonly string[], separator: string): string {
  const length = items.reduce((sum, item) => sum + item.length + separator.length, 0);
  return fits(length, () => items.join(separator));
}

/** So many spaces before and behind, but none around nothing. */
export function pad(text: string, before: number, behind: number): string {
  if (text === '') return '';
  if (before < 0 || behind < 0) throw new CallError('strings: negative Repeat count');
  return fits(before + behind + text.length, () => ' '.repeat(before) + text + ' '.repeat(behind));
}

/** So many bytes of it. */
export function truncate(text: string, length: number): string {
  if (byteLength(text) < length) return text;
  if (length < 0) throw new CallError(`runtime error: slice bounds out of range [:${length}]`);
  return sliceBytes(text, 0, length);
}

function fits(length: number, make: () => string): string {
  if (length > MAX_TEXT) throw new CallError(`text longer than ${MAX_TEXT}`);
  return make();
}
