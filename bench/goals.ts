// The performance goals of waybill, as data. A goal names a measurement as RACE/CONTESTANT.
import { ENTRIES } from './images/catalogue.js';

export type Goal =
  /** Maximum ratio to the time of another. */
  | { readonly kind: 'ratio'; readonly of: string; readonly to: string; readonly most: number }
  /** Maximum difference to the time of another, in seconds. */
  | { readonly kind: 'beyond'; readonly of: string; readonly to: string; readonly most: number }
  /** Maximum peak memory, in bytes. */
  | { readonly kind: 'memory'; readonly of: string; readonly most: number }
  /** Maximum ratio of the highest of these peaks to the lowest. */
  | { readonly kind: 'flat'; readonly of: readonly string[]; readonly most: number }
  /** The time per unit of work, from each amount to the next: maximum ratio to the first step. */
  | { readonly kind: 'linear'; readonly of: readonly Amount[]; readonly most: number };

export interface Amount {
  readonly of: string;
  /** The amount of work, in any unit. */
  readonly units: number;
}

const MB = 1_000_000;
const SIZES = { small: 10, medium: 480, large: 2_600, huge: 10_000 };
const VERIFY = 'waybill verify';
const STDIN = 'waybill verify -';
const COPY = 'skopeo copy --dest-decompress';
const LIMIT = 'igzip + openssl + tar';

/** A ratio of two contestants of one race. */
const ratio = (race: string, of: string, to: string, most: number): Goal => ({
  kind: 'ratio',
  of: `${race}/${of}`,
  to: `${race}/${to}`,
  most,
});

const verifyGoals = (race: string): Goal[] => [
  ratio(race, STDIN, VERIFY, 1.5),
  { kind: 'memory', of: `${race}/${VERIFY}`, most: 130 * MB },
  { kind: 'memory', of: `${race}/${STDIN}`, most: 180 * MB },
];

const checkGoals = (race: string): Goal[] => [
  ratio(race, 'waybill check none@1', VERIFY, 1.1),
  ratio(race, 'waybill check', VERIFY, 1.6),
  ratio(race, 'waybill check every rule', VERIFY, 1.6),
];

const manyGoals = (race: string): Goal[] => [
  ...checkGoals(race),
  ratio(race, 'waybill files', VERIFY, 1.3),
  ratio(race, 'waybill sizes', VERIFY, 1.3),
  { kind: 'memory', of: `${race}/waybill files`, most: 250 * MB },
];

/** Over directories of the machine. */
const REAL_GOALS: readonly Goal[] = [
  ratio('real-docker', VERIFY, 'skopeo copy', 0.5),
  ratio('real-gzip', VERIFY, COPY, 0.3),
  ratio('real-gzip', VERIFY, LIMIT, 0.8),
  ratio('real-zstd', VERIFY, COPY, 0.5),
  ratio('real-docker', STDIN, VERIFY, 1.5),
  ratio('real-docker', STDIN, 'cat | cat', 1.2),
  ratio('real-docker', 'waybill files', VERIFY, 1.25),
  ratio('real-docker', 'waybill waste', VERIFY, 1.5),
  ratio('real-docker', 'waybill report', VERIFY, 1.7),
  { kind: 'memory', of: 'real-docker/waybill files', most: 200 * MB },
  { kind: 'memory', of: 'real-docker/waybill waste', most: 200 * MB },
  { kind: 'memory', of: 'real-docker/waybill report', most: 250 * MB },
];

const beyondNode = (most: number): Goal => ({
  kind: 'beyond',
  of: 'show-large/waybill show',
  to: 'show-large/node -e 0',
  most,
});

function growthGoals(race: string, sizes: readonly (keyof typeof SIZES)[]): Goal[] {
  const of = sizes.map(size => ({ of: `${race}/${VERIFY} ${size}`, units: SIZES[size] }));
  return [
    { kind: 'linear', of, most: 1.2 },
    // "Flat" is defined as 20 %, the difference between two runs over one archive.
    { kind: 'flat', of: of.slice(1).map(amount => amount.of), most: 1.2 },
  ];
}

const entryGoal = (command: string): Goal => ({
  kind: 'linear',
  of: ENTRIES.map(units => ({ of: `entries-${command}-1000000/waybill ${command} ${units}`, units })),
  most: 1.2,
});

export const goals: readonly Goal[] = [
  ...['medium', 'large'].flatMap(size => [
    ratio(`verify-docker-${size}`, VERIFY, 'skopeo copy', 0.55),
    ratio(`verify-docker-${size}`, VERIFY, 'crane validate', 0.05),
    ...verifyGoals(`verify-docker-${size}`),
    ...checkGoals(`verify-docker-${size}`),
    ratio(`verify-gzip-${size}`, VERIFY, COPY, 0.4),
    ratio(`verify-gzip-${size}`, VERIFY, LIMIT, 0.95),
    ...verifyGoals(`verify-gzip-${size}`),
  ]),
  ratio('verify-zstd-medium', VERIFY, COPY, 0.4),
  ...verifyGoals('verify-zstd-medium'),
  ratio('single', 'waybill verify --jobs 2', 'waybill verify --jobs 1', 0.85),
  // One process for all: 3 ms each in place of some 100.
  ratio('fleet', 'waybill scan', 'waybill verify, a process each', 0.1),
  ratio('fleet-10000', 'waybill scan, again', 'waybill scan, first', 0.05),
  ...manyGoals('many-docker'),
  ...manyGoals('many-gzip'),
  ...REAL_GOALS,
  ratio('many-docker', 'waybill files', 'dive', 0.03),
  ratio('many-docker', 'waybill sizes', 'dive', 0.03),
  beyondNode(0.09),
  beyondNode(0.05),
  ratio('show-large', 'waybill show', 'waybill show small', 1.1),
  ratio('show-large', 'waybill show', 'skopeo inspect', 0.3),
  ...['docker', 'gzip'].flatMap(form => [
    ...growthGoals(`bytes-${form}-large`, ['small', 'medium', 'large']),
    ...growthGoals(`bytes-${form}-huge`, ['small', 'medium', 'large', 'huge']),
  ]),
  entryGoal('verify'),
  entryGoal('files'),
  { kind: 'memory', of: 'entries-files-1000000/waybill files 1000000', most: 300 * MB },
];
