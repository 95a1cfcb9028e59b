// Directories, names and sizes of the files of a distribution.
import { type Kind, word } from './content.js';
import type { Random } from './random.js';

interface Place {
  readonly folder: string;
  /** True if every package has its own directory there. */
  readonly own: boolean;
  readonly files: readonly (readonly [extension: string, Kind])[];
}

/** The first ones contain the most files. */
const PLACES: readonly Place[] = [
  {
    folder: 'usr/lib/x86_64-linux-gnu',
    own: false,
    files: [
      ['.so.1', 'code'],
      ['.so.2.4.1', 'code'],
      ['.a', 'code'],
    ],
  },
  {
    folder: 'usr/share/doc',
    own: true,
    files: [
      ['', 'text'],
      ['.html', 'text'],
      ['.gz', 'packed'],
    ],
  },
  {
    folder: 'usr/lib/python3/dist-packages',
    own: true,
    files: [
      ['.py', 'text'],
      ['.cpython-311.pyc', 'code'],
    ],
  },
  {
    folder: 'usr/bin',
    own: false,
    files: [
      ['', 'code'],
      ['-config', 'text'],
      ['.real', 'code'],
    ],
  },
  { folder: 'usr/include', own: true, files: [['.h', 'text']] },
  { folder: 'usr/share/locale', own: true, files: [['.mo', 'code']] },
  {
    folder:
      'usr/lib/node_modules/application/node_modules/@organisation/components/dist/esm/internal/scheduler',
    own: true,
    files: [
      ['.js', 'text'],
      ['.wasm', 'code'],
      ['.png', 'packed'],
    ],
  },
];
const FILES_PER_PACKAGE = 12;

/** Percentiles of the file sizes in Debian's /usr, in bytes, with linear interpolation. */
const SIZES: readonly (readonly [part: number, bytes: number])[] = [
  [0, 0],
  [0.1, 366],
  [0.25, 866],
  [0.5, 1967],
  [0.75, 6882],
  [0.9, 24713],
  [0.99, 305366],
  [1, 4_000_000],
];

/** @param upTo  the part of the distribution that is used, from 0 to 1: less leaves out the large files */
export function fileSize(random: Random, upTo: number): number {
  const part = (random.next() / 2 ** 32) * upTo;
  const above = SIZES.findIndex(([limit]) => limit > part);
  const [from, low] = SIZES[above - 1]!;
  const [to, high] = SIZES[above]!;
  return Math.floor(low + ((part - from) / (to - from)) * (high - low));
}

export interface NewFile {
  readonly path: string;
  readonly kind: Kind;
}

/** Files of one package after another. A call never yields a path twice. */
export function* newFiles(random: Random): Generator<NewFile, never> {
  for (let number = 0; ; ) {
    const { folder, own, files } = PLACES[random.low(PLACES.length)]!;
    const at = own ? `${folder}/${word(random)}${number}` : folder;
    for (let left = random.below(2 * FILES_PER_PACKAGE); left >= 0; left--) {
      const [extension, kind] = files[random.below(files.length)]!;
      // A few names are not ASCII, like those of certificates.
      const base = random.chance(0.002) ? 'Főtanúsítvány' : word(random);
      yield { path: `${at}/${base}-${number++}${extension}`, kind };
    }
  }
}
