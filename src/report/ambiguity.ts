import { InputError } from '../errors.js';
import { fullPlatform, type Platform } from '../spec/platform.js';
import { normalName } from '../spec/reference.js';
import { legible, visible } from '../visible.js';

/** An image, or the descriptor of one, by what tells whether it is another platform of the same. */
export interface Variant {
  readonly platform: Platform | null;
  readonly names: readonly string[];
  /** Digests of the indexes that lead to it. */
  readonly indexDigests: readonly string[];
}

/** Whether a name, in full or as Docker shortens it, is one of an image. */
export const isNamed = (names: readonly string[], ref: string): boolean =>
  names.some(name => name === ref || normalName(name) === normalName(ref));

/**
 * Whether several images are the platforms of one: of one index, or each of another platform behind the same name.
 * Anything else is ambiguous, and the user has to say which one is meant.
 * @param ref  the name that was asked for; without it, all names of the images have to be the same
 */
export function arePlatformsOfOne(variants: readonly Variant[], ref?: string): boolean {
  const [first] = variants;
  if (first === undefined || variants.length === 1) return true;
  const isShared = (digest: string) => variants.every(({ indexDigests }) => indexDigests.includes(digest));
  if (first.indexDigests.some(isShared)) return true;
  const platforms = new Set(
    variants.map(({ platform }) => (platform === null ? null : fullPlatform(platform))),
  );
  if (platforms.size !== variants.length) return false;
  if (ref !== undefined) return variants.every(({ names }) => isNamed(names, ref));
  return new Set(variants.map(({ names }) => names.map(normalName).sort().join('\n'))).size === 1;
}

/** One of several images or documents that were meant. */
export interface Choice {
  /** By which it can be asked for: an image ID, or a digest. */
  readonly id: string;
  readonly platform: Platform | null;
  readonly names: readonly string[];
  /** Its type, where it is not an image of one platform. */
  readonly type?: string;
}

/** A line for each: ID, platform and names. They come from archives. */
export const choiceList = (choices: readonly Choice[]): string =>
  choices
    .map(({ id, platform, names, type = '' }) => {
      const what = type === '' && platform !== null ? visible(fullPlatform(platform)) : type;
      const columns = [visible(id), what, legible(names.join(', ')) || '(untagged)'];
      return `  ${columns.filter(column => column !== '').join('  ')}`;
    })
    .join('\n');

/**
 * Several images or documents were meant where one is wanted.
 * @param what  such as `it holds 2 images`
 * @param list  a line for each of them
 * @param how   by what the user can name one of them, behind `Say which one`
 */
export const ambiguous = (where: string, what: string, list: string, how = ''): InputError =>
  new InputError(what, where, `Say which one${how}:\n${list}`);
