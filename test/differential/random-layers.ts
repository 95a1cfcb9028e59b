// Random layers that test the rules of unpacking: links to nothing and ahead, files used as directories, odd whiteouts,
// types and names. There are few names, so that entries collide.
import { Random } from '../fuzz/random.js';
import { gnuLong, paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';

const PARTS = ['a', 'b', 'c', 'd'] as const;
const ODD_TYPES = ['7', 'S', 'V', 'Z', '8', 'X', 'A'] as const;

/** Tars, base first. */
export function randomLayers(seed: number): Buffer[] {
  const random = new Random(seed);
  return Array.from({ length: 1 + random.below(3) }, () => randomLayer(random));
}

function randomLayer(random: Random): Buffer {
  const written: string[] = [];
  const entries = Array.from({ length: random.below(7) }, () => {
    const path = pathOf(random);
    // Repeated names are left out, because podman refuses them by a rule of its own.
    if (written.includes(path)) return Buffer.alloc(0);
    written.push(path);
    return entryOf(random, path);
  });
  return rawTar(...entries);
}

function pathOf(random: Random): string {
  const depth = 1 + random.below(3);
  return Array.from({ length: depth }, () => random.pick(PARTS)).join('/');
}

function entryOf(random: Random, path: string): Buffer {
  const kind = random.below(40);
  if (kind < 12) return named(random, path, '0');
  if (kind < 20) return named(random, `${path}/`, '5');
  if (kind < 26) return named(random, path, '2', targetOf(random));
  if (kind < 31) return named(random, path, '1', random.once(8) ? path : linkOf(random));
  if (kind < 36) return rawEntry({ name: whiteoutOf(random, path) });
  if (kind < 37) return named(random, path, random.pick(ODD_TYPES));
  if (kind < 38) return named(random, path, '6');
  if (kind < 39)
    return rawEntry({
      name: random.pick(['./', '.', '/', '..', '']),
      flag: random.pick(['5', '5', '0', '2']),
      link: 'a',
    });
  return random.once(2) ? paxEntry([['comment', 'x']], 'g') : long(random, path);
}

/** A name in one of the spellings of real writers. */
function named(random: Random, path: string, flag: string, link = ''): Buffer {
  const lead = random.once(6) ? random.pick(['./', '/', '../', 'b/../', './/']) : '';
  const mode = flag === '5' ? '0000755\0' : '0000644\0';
  return rawEntry({ name: `${lead}${path}`, flag, link, mode, format: flag === 'S' ? 'gnu' : 'ustar' });
}

function targetOf(random: Random): string {
  const path = pathOf(random);
  return random.pick([path, path, `/${path}`, `../${path}`, '.', '..', '/', '']);
}

function linkOf(random: Random): string {
  const path = pathOf(random);
  return random.once(5) ? random.pick([`/${path}`, `../${path}`, `./${path}`, '']) : path;
}

function whiteoutOf(random: Random, path: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const [folder, base] = [path.slice(0, slash), path.slice(slash)];
  if (random.once(4)) return `${folder}.wh..wh..opq`;
  // umoci removes files above its root for one at the top, so none is made there.
  if (random.once(8)) return `${folder}${folder === '' ? '.wh.' : random.pick(['.wh.', '.wh..', '.wh...'])}`;
  return `${folder}.wh.${base}`;
}

function long(random: Random, path: string): Buffer {
  const name = `${path}${'n'.repeat(random.pick([100, 250, 256, 300]))}`;
  return Buffer.concat([gnuLong('L', name), rawEntry({ name: 'x', format: 'gnu' })]);
}
