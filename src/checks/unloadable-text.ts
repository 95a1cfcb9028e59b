import { refusalText } from '../image/layer-words.js';
import type { Unloadable } from '../image/unloadable.js';

/** What makes engines refuse a layer, in a sentence. */
export function unloadableText({ layer, what, path, other, engines }: Unloadable): string {
  const refused = engines.length === 0 ? '' : ` (refused by ${engines.join(', ')})`;
  return `layer ${layer + 1}: ${refusalText(what, path, other)}${refused}`;
}
