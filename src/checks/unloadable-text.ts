import { refusalText } from '../filesystem/layer-words.js';
import type { Unloadable } from '../filesystem/unloadable.js';

/** Docker's containerd store keeps an image whose layers it cannot unpack. */
const KEEPING = 'docker-containerd';

/** What makes engines refuse a layer, in a sentence. */
export function unloadableText({ layer, what, path, other, engines }: Unloadable): string {
  const refusing = engines.filter(engine => engine !== KEEPING);
  const words = [
    ...(refusing.length === 0 ? [] : [`refused by ${refusing.join(', ')}`]),
    ...(engines.includes(KEEPING) ? [`${KEEPING} loads the image and cannot run it`] : []),
  ];
  const refused = words.length === 0 ? '' : ` (${words.join('; ')})`;
  return `layer ${layer + 1}: ${refusalText(what, path, other)}${refused}`;
}
