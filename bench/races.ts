// All races: the contestants that alternate, and their images.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Form } from './cache.js';
import {
  type Contestant,
  craneValidate,
  dive,
  fleetOf,
  layersOf,
  nativeLimit,
  opensslOf,
  processForEach,
  type Starters,
  tarList,
  unpackAndHash,
  wholeFleet,
} from './contestants.js';
import { ENTRIES, type ImageName } from './images/catalogue.js';

export type ImageFile = readonly [ImageName, Form];

export interface Race {
  readonly id: string;
  readonly title: string;
  readonly images: readonly ImageFile[];
  /** Factor for the number of rounds, for a short race. */
  readonly times?: number;
  /** The others are compared with the first one. */
  readonly contestants: (start: Starters, at: (...file: ImageFile) => string) => readonly Contestant[];
}

const EVERY_RULE = fileURLToPath(new URL('../../bench/every-rule.yaml', import.meta.url));

/** Verify's findings alone; the default rules, which search for secrets; and every rule. */
const checks = (start: Starters, file: string): Contestant[] => [
  ...start.waybill('check none@1', 'check', '--preset', 'none@1', '--fail-on', 'never', file),
  ...start.waybill('check', 'check', '--fail-on', 'never', file),
  ...start.waybill('check every rule', 'check', '--policy', EVERY_RULE, '--fail-on', 'never', file),
];

type Size = (typeof SIZES)[number] | 'real';
const SIZES = ['tiny', 'small', 'medium', 'large', 'huge'] as const;
/** Peers that take minutes for larger images are left out there. */
const isLarge = (size: Size) => size === 'large' || size === 'huge' || size === 'real';

const docker = (size: Size): Race => ({
  id: `verify-docker-${size}`,
  title: `verify, docker save, ${size}`,
  images: [[size, 'docker']],
  contestants: (start, at) => {
    const file = at(size, 'docker');
    return [
      ...start.waybill('verify', 'verify', file),
      ...start.stdin(file),
      ...checks(start, file),
      start.skopeoCopy(`docker-archive:${file}`),
      opensslOf(file),
      tarList(file),
      craneValidate(file),
      ...(isLarge(size) ? [] : [start.podmanLoad(file), dive(file)]),
    ];
  },
});

const gzip = (size: Size): Race => ({
  id: `verify-gzip-${size}`,
  title: `verify, OCI gzip, ${size}`,
  images: [
    [size, 'gzip'],
    [size, 'layout'],
  ],
  contestants: (start, at) => {
    const file = at(size, 'gzip');
    const layers = layersOf(at(size, 'layout'));
    return [
      ...start.waybill('verify', 'verify', file),
      ...start.stdin(file),
      start.skopeoCopy(`oci-archive:${file}`, '--dest-decompress'),
      nativeLimit(layers),
      ...(isLarge(size)
        ? []
        : [
            start.umociUnpack(at(size, 'layout')),
            unpackAndHash('gzip', layers),
            unpackAndHash('pigz', layers),
          ]),
    ];
  },
});

const zstd = (size: Size): Race => ({
  id: `verify-zstd-${size}`,
  title: `verify, OCI zstd, ${size}`,
  images: [[size, 'zstd']],
  contestants: (start, at) => {
    const file = at(size, 'zstd');
    return [
      ...start.waybill('verify', 'verify', file),
      ...start.stdin(file),
      start.skopeoCopy(`oci-archive:${file}`, '--dest-decompress'),
    ];
  },
});

/** skopeo is left out: 1.9 does not read compressed docker archives. */
const outer = (size: Size): Race => ({
  id: `verify-outer-${size}`,
  title: `verify, gzip around docker save, ${size}`,
  images: [[size, 'outer']],
  contestants: (start, at) => {
    const file = at(size, 'outer');
    return [
      ...start.waybill('verify', 'verify', file),
      unpackAndHash('gzip', [file]),
      unpackAndHash('pigz', [file]),
    ];
  },
});

const MANY: readonly Race[] = [
  {
    id: 'many-docker',
    title: 'over 100,000 files, docker save',
    images: [['many', 'docker']],
    contestants: (start, at) => {
      const file = at('many', 'docker');
      return [
        ...start.waybill('verify', 'verify', file),
        ...start.waybill('files', 'files', file),
        ...start.waybill('sizes', 'sizes', file),
        ...checks(start, file),
        start.skopeoCopy(`docker-archive:${file}`),
        dive(file),
      ];
    },
  },
  {
    id: 'many-gzip',
    title: 'over 100,000 files, OCI gzip',
    images: [
      ['many', 'gzip'],
      ['many', 'layout'],
    ],
    contestants: (start, at) => {
      const file = at('many', 'gzip');
      return [
        ...start.waybill('verify', 'verify', file),
        ...start.waybill('files', 'files', file),
        ...start.waybill('sizes', 'sizes', file),
        ...checks(start, file),
        start.skopeoCopy(`oci-archive:${file}`, '--dest-decompress'),
        nativeLimit(layersOf(at('many', 'layout'))),
      ];
    },
  },
];

/** Over directories of this machine, packed as layers: the generator has no names, sizes and contents of programs. */
const REAL: Race = {
  id: 'real-docker',
  title: 'real directories, docker save',
  images: [['real', 'docker']],
  contestants: (start, at) => {
    const file = at('real', 'docker');
    return [
      ...start.waybill('verify', 'verify', file),
      ...start.stdin(file),
      ...start.waybill('files', 'files', file),
      ...start.waybill('waste', 'waste', file),
      ...start.waybill('report', 'report', '--format', 'html', '-o', join(start.output, 'page.html'), file),
      start.skopeoCopy(`docker-archive:${file}`),
      dive(file),
    ];
  },
};

const SINGLE: Race = {
  id: 'single',
  title: 'verify of one gzip layer of 1 GB',
  images: [
    ['single', 'gzip'],
    ['single', 'layout'],
  ],
  contestants: (start, at) => {
    const file = at('single', 'gzip');
    return [
      ...start.waybill('verify', 'verify', file),
      ...start.waybill('verify --jobs 1', 'verify', '--jobs', '1', file),
      ...start.waybill('verify --jobs 2', 'verify', '--jobs', '2', file),
      nativeLimit(layersOf(at('single', 'layout'))),
    ];
  },
};

const show = (larger: Size): Race => ({
  id: `show-${larger}`,
  title: `show, up to ${larger}`,
  images: [
    [larger, 'gzip'],
    ['small', 'gzip'],
    [larger, 'docker'],
  ],
  times: 3,
  contestants: (start, at) => [
    ...start.waybill('show', at(larger, 'gzip')),
    ...start.waybill('show small', at('small', 'gzip')),
    ...start.waybill('show docker save', at(larger, 'docker')),
    ...start.node(),
    start.skopeoInspect(at(larger, 'gzip')),
    tarList(at(larger, 'gzip')),
  ],
});

const bytes = (form: 'docker' | 'gzip', sizes: readonly Size[]): Race => ({
  id: `bytes-${form}-${sizes.at(-1)}`,
  title: `verify by size, ${form === 'docker' ? 'docker save' : 'OCI gzip'}`,
  images: sizes.map((size): ImageFile => [size, form]),
  contestants: (start, at) =>
    [...sizes].reverse().flatMap(size => start.waybill(`verify ${size}`, 'verify', at(size, form))),
});

const entries = (command: 'verify' | 'files', counts: readonly (typeof ENTRIES)[number][]): Race => ({
  id: `entries-${command}-${counts.at(-1)}`,
  title: `${command} by entries`,
  images: counts.map((count): ImageFile => [`entries-${count}`, 'docker']),
  contestants: (start, at) =>
    [...counts]
      .reverse()
      .flatMap(count => start.waybill(`${command} ${count}`, command, at(`entries-${count}`, 'docker'))),
});

/** Archives of the race of many small ones. */
const SMALL_ONES = 200;

const FLEET: Race = {
  id: 'fleet',
  title: `${SMALL_ONES} small archives`,
  images: [],
  contestants: start => {
    const folder = fleetOf(SMALL_ONES);
    return [
      ...start.waybill('scan', 'scan', '-q', folder),
      ...start.waybill('verify folder', 'verify', '-q', folder),
      processForEach(folder),
    ];
  },
};

/** The fleet of `bench/fleet.ts`, with an empty cache and with a full one. */
const WHOLE_FLEET: Race = {
  id: 'fleet-10000',
  title: '10,000 small archives and 200 of 50 MB',
  images: [],
  contestants: start => start.scans(wholeFleet()),
};

export const races: readonly Race[] = [
  ...SIZES.flatMap(size => [docker(size), gzip(size), zstd(size), outer(size)]),
  ...MANY,
  REAL,
  { ...gzip('real'), id: 'real-gzip', title: 'real directories, OCI gzip' },
  { ...zstd('real'), id: 'real-zstd', title: 'real directories, OCI zstd' },
  SINGLE,
  FLEET,
  WHOLE_FLEET,
  show('small'),
  show('large'),
  bytes('docker', ['small', 'medium', 'large']),
  bytes('gzip', ['small', 'medium', 'large']),
  bytes('docker', ['small', 'medium', 'large', 'huge']),
  bytes('gzip', ['small', 'medium', 'large', 'huge']),
  entries('verify', ENTRIES.slice(0, 2)),
  entries('files', ENTRIES.slice(0, 2)),
  entries('verify', ENTRIES),
  entries('files', ENTRIES),
];

/** The default races: some ten minutes on two cores. */
const USUAL = [
  /^verify-.*-medium$/,
  /^verify-(docker|gzip)-large$/,
  /^many-/,
  /^real-/,
  /^single$/,
  /^fleet$/,
  /^show-large$/,
  /^bytes-.*-large$/,
  /^entries-.*-1000000$/,
];
/** A few seconds, to check that everything runs. */
const QUICK = [/^verify-.*-small$/, /^show-small$/, /^entries-.*-10000$/];

export interface Choice {
  /** A regular expression for the race's id. */
  readonly only?: string | undefined;
  /** A word of a race's id: its largest image. */
  readonly size?: string | undefined;
  readonly quick?: boolean | undefined;
}

export function chosenRaces({ only, size, quick }: Choice): Race[] {
  const usual = quick ? QUICK : USUAL;
  const pattern = new RegExp(only ?? '');
  return races.filter(
    ({ id }) =>
      pattern.test(id) &&
      (size === undefined ? usual.some(one => one.test(id)) : id.split('-').includes(size)),
  );
}
