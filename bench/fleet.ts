// Makes a fleet: thousands of archives in all forms, as a registry mirror has them, and the truth about each.
//
//   node dist/bench/fleet.js DIR [--small 10000] [--large 200] [--large-bytes 50000000] [--seed 1]
//
// DIR/archives is what `waybill scan` reads, DIR/truth.ndjson has a line for each file of it. The same arguments make
// the same bytes and times. Content of large images is mostly zeros, which take no space on the disk (`du` says how
// much there is), but for every eighth, whose layers do not shrink. 10,000 and 200 take 2.3 GB, and show 9.6 GB.
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isFile, type Member } from '../test/support/members.js';
import {
  type Content,
  DAMAGES,
  damaged,
  FORMS,
  type FormName,
  OTHERS,
  type Saved,
  SOUND,
  save,
  type Verdicts,
} from './fleet/forms.js';
import { BASES, Images, type Release } from './fleet/images.js';
import { Random } from './images/random.js';

export interface FleetPlan {
  readonly small: number;
  readonly large: number;
  /** Bytes of a large archive. */
  readonly largeBytes: number;
  readonly seed: number;
}

export const FULL: FleetPlan = { small: 10_000, large: 200, largeBytes: 50_000_000, seed: 1 };

/** A line of truth.ndjson: what a reader must say about a file. */
export interface Truth {
  /** Below `archives`; bytes that are not UTF-8 are shown as U+FFFD. */
  readonly path: string;
  /** The bytes of the path in base64, where they are not UTF-8. */
  readonly pathBytes?: string;
  readonly kind: 'archive' | 'other';
  /** The form, or what is wrong with the file. */
  readonly is: string;
  readonly exitCode: 0 | 1 | 2;
  /** null: there can be no report. */
  readonly verdicts: Verdicts | null;
  readonly tags: readonly string[];
  /** Empty where the file is damaged. */
  readonly images: Saved['images'];
}

const TEAMS = 20;
const SMALL_BYTES = 12_000;
/** 2024-05-14, the time of the first file. Each next one is a second younger. */
const EPOCH = 1_715_644_800;
/** Images that are saved again are among the last ones. */
const RECENT = 200;
const MiB = 1024 * 1024;
const ZEROS = Buffer.alloc(MiB);

const cycle = <T>(list: readonly T[], at: number): T => list[at % list.length]!;
const SMALL_FORMS = (Object.keys(FORMS) as FormName[]).filter(name => name !== 'oci-stored');
const LARGE_FORMS: readonly FormName[] = [
  'docker-28',
  'oci',
  'docker-24',
  'docker-28',
  'podman',
  'oci',
  'docker-24',
  'oci-stored',
];
const NAMES_OF_DAMAGES = Object.keys(DAMAGES) as (keyof typeof DAMAGES)[];
const NAMES_OF_OTHERS = Object.keys(OTHERS) as (keyof typeof OTHERS)[];

/** Beginnings of names that break scripts: as bytes, because one is not UTF-8. */
const ODD_NAMES: readonly Buffer[] = [
  Buffer.from('with space '),
  Buffer.from('na\u00efve-'),
  Buffer.from('new\nline-'),
  Buffer.from("quote'd-"),
  Buffer.from('-dash-'),
  Buffer.from('caf\xe9-', 'latin1'),
  Buffer.from('#hash%41-'),
  Buffer.from('$(date)`id`-'),
];
/** One name in so many is odd. */
const ODD = 37;

/** The parts of a file's path. */
interface Named {
  readonly folder: string;
  readonly name: string;
}

class Fleet {
  private readonly truths: Truth[] = [];
  private readonly recent: { readonly release: Release; readonly tags: readonly string[] }[] = [];
  private readonly files: { readonly path: Buffer; readonly suffix: string; readonly truth: Truth }[] = [];
  private readonly random: Random;

  constructor(
    private readonly root: string,
    seed: number,
  ) {
    this.random = new Random(seed);
  }

  /**
   * Ten of sixteen files are new images, two an image that was saved before, and one each a copy, damaged, no archive
   * and, at first, a base by itself.
   */
  small(images: Images, count: number): void {
    for (let at = 0, saved = 0; at < count; at++) {
      const turn = at % 16;
      const round = Math.floor(at / 16);
      if (turn === 6) this.copy(at);
      else if (turn === 12) this.damage(images, cycle(NAMES_OF_DAMAGES, round));
      else if (turn === 15) this.damage(images, cycle(NAMES_OF_OTHERS, round));
      else if (turn === 14 && round < BASES)
        this.archive(images.baseRelease(round), images, cycle(SMALL_FORMS, saved++));
      else if (turn === 3 || turn === 9) this.again(images, cycle(SMALL_FORMS, saved++));
      else this.archive(images.next(), images, cycle(SMALL_FORMS, saved++));
    }
  }

  large(sparse: Images, dense: Images, count: number): void {
    for (let at = 0; at < count; at++) {
      const form = cycle(LARGE_FORMS, at);
      const images = form === 'oci-stored' ? dense : sparse;
      this.archive(images.next(), images, form, 'large/');
    }
  }

  finish(): readonly Truth[] {
    const lines = this.truths.map(truth => `${JSON.stringify(truth)}\n`);
    writeFileSync(join(this.root, 'truth.ndjson'), lines.join(''));
    return this.truths;
  }

  private archive(release: Release, images: Images, form: FormName, below = ''): void {
    const tags = [`registry.example/team-${this.random.below(TEAMS)}/${release.app}:${release.version}`];
    if (below === '') this.remember(release, tags);
    this.saved(release, images, form, {
      tags,
      folder: `${below}${folderOf(tags)}`,
      name: `${release.version}-${form}`,
    });
  }

  /** An image that was saved before, promoted under another name. */
  private again(images: Images, form: FormName): void {
    const { release, tags } = this.recent[this.random.below(this.recent.length)]!;
    const stable = [tags[0]!.replace(/:.*/, ':stable')];
    const name = `${release.version}-${form}-stable`;
    this.saved(release, images, form, { tags: stable, folder: folderOf(tags), name });
  }

  private saved(
    release: Release,
    images: Images,
    form: FormName,
    { tags, ...named }: Named & { readonly tags: readonly string[] },
  ): void {
    const { content, suffix, images: truth } = save(images, release, form, tags);
    const sound = { kind: 'archive', is: form, exitCode: 0, verdicts: SOUND } as const;
    this.put(named, content, suffix, { ...sound, tags, images: truth });
  }

  private remember(release: Release, tags: readonly string[]): void {
    this.recent.push({ release, tags });
    if (this.recent.length > RECENT) this.recent.shift();
  }

  private damage(
    images: Images,
    is: (typeof NAMES_OF_DAMAGES)[number] | (typeof NAMES_OF_OTHERS)[number],
  ): void {
    const release = images.next();
    const tags = [`registry.example/team-${this.random.below(TEAMS)}/${release.app}:${release.version}`];
    const { content, suffix, verdicts, kind } = damaged(images, release, is, tags);
    const exitCode = kind === 'other' ? 0 : verdicts === null ? 2 : 1;
    const truth = { kind, is, exitCode, verdicts, tags, images: [] } as const;
    this.put({ folder: folderOf(tags), name: `${release.version}-odd` }, content, suffix, truth);
  }

  /** The same bytes under another name. */
  private copy(at: number): void {
    const { path, suffix, truth } = this.files[this.random.below(this.files.length)]!;
    this.put({ folder: 'backup', name: `${at}` }, readFileSync(path), suffix, truth);
  }

  private put({ folder, name }: Named, content: Content, suffix: string, truth: Omit<Truth, 'path'>): void {
    const number = this.truths.length;
    const odd = number % ODD === 11 ? cycle(ODD_NAMES, Math.floor(number / ODD)) : Buffer.alloc(0);
    const relative = Buffer.concat([
      Buffer.from(`${folder}/`),
      odd,
      Buffer.from(`${number}-${name}${suffix}`),
    ]);
    const path = Buffer.concat([Buffer.from(join(this.root, 'archives/')), relative]);
    mkdirSync(join(this.root, 'archives', folder), { recursive: true });
    if (content instanceof Uint8Array) writeSparse(path, content, EPOCH + number);
    else writeDirectory(path, content, EPOCH + number);
    const { path: _, pathBytes: __, ...rest } = truth as Truth;
    const whole: Truth = { ...pathOf(relative), ...rest };
    this.truths.push(whole);
    if (content instanceof Uint8Array && content.length < MiB && truth.kind === 'archive')
      this.files.push({ path, suffix, truth: whole });
    if (this.files.length > RECENT) this.files.shift();
  }
}

const folderOf = ([tag]: readonly string[]) => tag!.slice(tag!.indexOf('/') + 1, tag!.lastIndexOf(':'));

function pathOf(bytes: Buffer): { readonly path: string; readonly pathBytes?: string } {
  const path = bytes.toString();
  return Buffer.from(path).equals(bytes) ? { path } : { path, pathBytes: bytes.toString('base64') };
}

/** Blocks of zeros become holes. */
function writeSparse(path: Buffer, bytes: Uint8Array, seconds: number): void {
  const descriptor = openSync(path, 'w');
  for (let at = 0; at < bytes.length; at += MiB) {
    const block = bytes.subarray(at, at + MiB);
    if (block.length < MiB || !ZEROS.equals(block)) writeSync(descriptor, block, 0, block.length, at);
  }
  ftruncateSync(descriptor, bytes.length);
  closeSync(descriptor);
  utimesSync(path, seconds, seconds);
}

function writeDirectory(path: Buffer, members: readonly Member[], seconds: number): void {
  const below = (name: string) => Buffer.concat([path, Buffer.from(`/${name}`)]);
  mkdirSync(path);
  const folders = new Set<string>();
  for (const member of members.filter(isFile)) {
    for (let folder = dirname(member.path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
    mkdirSync(below(dirname(member.path)), { recursive: true });
    writeSparse(below(member.path), member.bytes, seconds);
  }
  // Writing into a folder changes its time.
  for (const folder of folders) utimesSync(below(folder), seconds, seconds);
  utimesSync(path, seconds, seconds);
}

/** Makes the fleet below `root`, which must not have one yet. */
export function makeFleet(root: string, plan: FleetPlan): readonly Truth[] {
  mkdirSync(join(root, 'archives'), { recursive: true });
  const fleet = new Fleet(root, plan.seed);
  fleet.small(new Images(`small ${plan.seed}`, SMALL_BYTES, false), plan.small);
  fleet.large(
    new Images(`large ${plan.seed}`, plan.largeBytes, false),
    new Images(`dense ${plan.seed}`, plan.largeBytes, true),
    plan.large,
  );
  return fleet.finish();
}

const OPTIONS = {
  small: { type: 'string' },
  large: { type: 'string' },
  'large-bytes': { type: 'string' },
  seed: { type: 'string' },
} as const;

function main(): void {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const number = (name: keyof typeof OPTIONS, otherwise: number) => {
    const value = Number(values[name] ?? otherwise);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Error(`--${name} takes a whole number: ${values[name]}`);
    return value;
  };
  if (positionals.length !== 1) throw new Error('expected one folder, in which the fleet is made');
  const truths = makeFleet(positionals[0]!, {
    small: number('small', FULL.small),
    large: number('large', FULL.large),
    largeBytes: number('large-bytes', FULL.largeBytes),
    seed: number('seed', FULL.seed),
  });
  console.log(`${truths.length} files below ${join(positionals[0]!, 'archives')}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
  }
}
