// Whether threads can be started at all. Where not, one thread does all the work.
import { existsSync } from 'node:fs';
import { mayStartThreads } from '../../permission.js';

/**
 * False where Node's permission model forbids threads, and in a program into which a bundler has put waybill without
 * the file of its threads.
 */
export const hasThreads = (): boolean =>
  mayStartThreads() && isThere(() => new URL('./blob-thread.js', import.meta.url));

/** False too in a bundle that is CommonJS, where a module does not know its place and the URL cannot be made. */
function isThere(place: () => URL): boolean {
  try {
    return existsSync(place());
  } catch {
    return false;
  }
}
