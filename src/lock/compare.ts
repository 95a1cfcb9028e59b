import type { FindingData, LockGrade } from '../link/observation.js';
import { type JsonObject, own } from '../spec/json.js';
import { type Platform, platformsAgree } from '../spec/platform.js';
import { normalName } from '../spec/reference.js';
import type { LockedImage } from './lock.js';
import { canonicalJson, DOCKER_ONLY_FIELDS } from './projection.js';

/** The grades from the best on. `--grade` names the least that is accepted. */
const GRADES: readonly LockGrade[] = ['file', 'manifest', 'config', 'repacked', 'files'];

export const isGradeAtLeast = (grade: LockGrade, least: LockGrade): boolean =>
  GRADES.indexOf(grade) <= GRADES.indexOf(least);

/** An image beside one of a lock. */
export interface Comparison {
  readonly grade: LockGrade;
  /** Fields of the locked image that this one has not, or that do not count at its grade and differ. */
  readonly lost: readonly string[];
  /** Fields that this image has, and of which the lock does not know. */
  readonly unlocked: readonly string[];
}

/** A match of an image in a lock. */
export interface Match extends Comparison {
  /** Index into the entries of the lock. */
  readonly locked: number;
}

/** Fields that say when and how an image was made: a build of the same files has others. */
const MADE: ReadonlySet<string> = new Set(['created', 'author', 'history']);

/** The fields that must be the same where only the files are. The digest in `rootfs` is that of the tars. */
const settingsOf = ({ fields }: LockedImage): string =>
  JSON.stringify(
    Object.entries(fields)
      .filter(([name]) => !MADE.has(name) && name !== 'rootfs')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const treeKey = (image: LockedImage): string | null =>
  image.files === null ? null : JSON.stringify([settingsOf(image), image.files]);

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

/** Compares two images by all that they are; null where they are two. */
export function compared(image: LockedImage, locked: LockedImage): Comparison | null {
  if (!arePlatformsOne(image.platform, locked.platform)) return null;
  const { lost, unlocked, changed } = dockerOnlyCompared(image.dockerOnly, locked.dockerOnly);
  if (changed.length > 0) return null;
  if (image.runs === locked.runs && same(image.diffIds, locked.diffIds)) {
    if (image.config === null || image.config !== locked.config) return { grade: 'repacked', lost, unlocked };
    const isOne = image.manifests.some(digest => locked.manifests.includes(digest));
    return { grade: isOne ? 'manifest' : 'config', lost, unlocked };
  }
  const tree = treeKey(image);
  if (tree === null || tree !== treeKey(locked)) return null;
  const made = fieldsThatDiffer(image, locked).filter(name => MADE.has(name));
  return { grade: 'files', lost: [...made, ...lost], unlocked };
}

/** An index may say more of a platform than the config; the next tool keeps the config, and the index it does not. */
function arePlatformsOne(a: string | null, b: string | null): boolean {
  return a === b || (a !== null && b !== null && platformsAgree(platformOf(a), platformOf(b)));
}

/** As `formatPlatform` writes it. */
export function platformOf(text: string): Platform {
  const [os = '', architecture = '', ...variant] = text.split('/');
  return { os, architecture, variant: variant.join('/') || null, osVersion: null };
}

function dockerOnlyCompared(image: JsonObject | null, locked: JsonObject | null) {
  const found = { lost: [] as string[], unlocked: [] as string[], changed: [] as string[] };
  for (const field of DOCKER_ONLY_FIELDS) {
    const expected = own(locked ?? {}, field);
    const actual = own(image ?? {}, field);
    if (expected === undefined && actual === undefined) continue;
    if (actual === undefined) found.lost.push(field);
    else if (expected !== undefined) {
      if (canonicalJson(expected) !== canonicalJson(actual)) found.changed.push(field);
    } else if (locked === null) found.unlocked.push(field);
    // The lock says that the image has no such field.
    else found.changed.push(field);
  }
  return found;
}

function fieldsThatDiffer(image: LockedImage, locked: LockedImage): string[] {
  const names = new Set([...Object.keys(locked.fields), ...Object.keys(image.fields)]);
  const digestOf = ({ fields }: LockedImage, name: string) =>
    Object.hasOwn(fields, name) ? fields[name] : null;
  return [...names].filter(name => digestOf(image, name) !== digestOf(locked, name)).sort();
}

/** The differences of an image from a locked one. */
export type Difference = Pick<
  FindingData['lock-image-other'],
  'fields' | 'layers' | 'expected' | 'actual' | 'reordered'
>;

export function differenceOf(image: LockedImage, locked: LockedImage): Difference {
  const [expected, actual] = [locked.diffIds, image.diffIds];
  const count = Math.max(expected.length, actual.length);
  const layers = Array.from({ length: count }, (_, i) => i).filter(i => expected[i] !== actual[i]);
  const fields = fieldsThatDiffer(image, locked).filter(name => name !== 'rootfs' || layers.length === 0);
  const { changed } = dockerOnlyCompared(image.dockerOnly, locked.dockerOnly);
  const platform = arePlatformsOne(image.platform, locked.platform) ? [] : ['platform'];
  return {
    fields: [...platform, ...fields, ...changed],
    layers,
    expected: expected.length,
    actual: actual.length,
    reordered: layers.length > 0 && same([...expected].sort(), [...actual].sort()),
  };
}

/** The images of a lock, found by what they are. */
export class LockedImages {
  private readonly byRuns = new Map<string, number[]>();
  private readonly byTree = new Map<string, number[]>();
  private readonly byName = new Map<string, number[]>();
  private readonly byLayers = new Map<string, number[]>();

  constructor(private readonly images: readonly LockedImage[]) {
    for (const [i, image] of images.entries()) {
      add(this.byRuns, image.runs, i);
      const tree = treeKey(image);
      if (tree !== null) add(this.byTree, tree, i);
      for (const name of image.names) add(this.byName, normalName(name), i);
      if (image.diffIds.length > 0) add(this.byLayers, image.diffIds.join(), i);
    }
  }

  /** The locked images that an image is, best first. */
  matches(image: LockedImage): Match[] {
    const tree = treeKey(image);
    const near = new Set([
      ...(this.byRuns.get(image.runs) ?? []),
      ...(tree === null ? [] : (this.byTree.get(tree) ?? [])),
    ]);
    const found = [...near].flatMap(locked => {
      const comparison = compared(image, this.images[locked]!);
      return comparison === null ? [] : [{ locked, ...comparison }];
    });
    const rank = ({ grade, lost, unlocked }: Match) =>
      GRADES.indexOf(grade) * 100 + lost.length + unlocked.length;
    return found.sort((a, b) => rank(a) - rank(b));
  }

  /** The locked image that another one was probably made from, or takes the place of; null where none is near. */
  nearest(image: LockedImage): number | null {
    const named = image.names.flatMap(name => this.named(name));
    const isHere = (i: number) => arePlatformsOne(image.platform, this.images[i]!.platform);
    const layered = this.byLayers.get(image.diffIds.join()) ?? [];
    return [...named.filter(isHere), ...layered, ...named][0] ?? null;
  }

  /** The locked images that have a name. */
  named(name: string): readonly number[] {
    return this.byName.get(normalName(name)) ?? [];
  }
}

function add(map: Map<string, number[]>, key: string, index: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [index]);
  else known.push(index);
}
