import { type LockDoubt, type Observation, observe } from '../../link/observation.js';
import { differenceOf, LockedImages, type Match, platformOf } from '../../lock/compare.js';
import { type Attached, type LockedImage, type LockedReference, lockedName } from '../../lock/lock.js';
import { type Platform, platformMatches } from '../../spec/platform.js';
import { familiarName, normalName, parseReference } from '../../spec/reference.js';

/** The entries of a lock, whatever its format: how an image is found among them, and what they are called. */
export interface LockEntries {
  readonly count: number;
  /** In words, for findings. */
  nameOf(entry: number): string;
  digestOf(entry: number): string;
  /** Whether an entry is for a platform. */
  isFor(entry: number, platform: Platform): boolean;
  /** The entries that an image is, best first. */
  matches(image: LockedImage): readonly Match[];
  /** Why an image is no entry, and the entry whose place it takes. */
  refuse(image: LockedImage): Refusal;
  /** Manifests that are about the image of an entry. */
  attachedTo(entry: number): readonly Attached[];
  /** The names of an entry that an image should have. */
  namesOf(entry: number): readonly string[];
  /** The entries that have a name. */
  named(name: string): readonly number[];
}

export type Refusal =
  | { readonly kind: 'other'; readonly entry: number; readonly observation: Observation }
  | { readonly kind: 'extra'; readonly observation: Observation }
  | { readonly kind: 'undecided'; readonly doubt: LockDoubt };

const NOWHERE = { path: '', pointer: null } as const;

const extra = (lock: string, { config }: LockedImage): Refusal => ({
  kind: 'extra',
  observation: observe('lock-image-extra', NOWHERE, { lock, digest: config }),
});

/** The images of a lock of `waybill lock`. @param lock  the file, as the user named it */
export function imageEntries(images: readonly LockedImage[], lock: string): LockEntries {
  const known = new LockedImages(images);
  return {
    count: images.length,
    nameOf: entry => lockedName(images[entry]!),
    digestOf: entry => images[entry]!.config ?? images[entry]!.runs,
    isFor: (entry, platform) => {
      const own = images[entry]!.platform;
      return own === null || platformMatches(platformOf(own), platform);
    },
    matches: image => known.matches(image),
    attachedTo: entry => images[entry]!.attached,
    namesOf: entry => images[entry]!.names,
    named: name => known.named(name),
    refuse: image => {
      const entry = known.nearest(image);
      if (entry === null) return extra(lock, image);
      const data = { lock, locked: lockedName(images[entry]!), ...differenceOf(image, images[entry]!) };
      return { kind: 'other', entry, observation: observe('lock-image-other', NOWHERE, data) };
    },
  };
}

/** The lines of a list of `name@sha256:…`. */
export function referenceEntries(references: readonly LockedReference[], lock: string): LockEntries {
  const byDigest = indexesBy(references, ({ digest }) => digest);
  const byName = indexesBy(references, ({ name }) => normalName(name));
  const nameOf = (entry: number) => {
    const { name, digest } = references[entry]!;
    const reference = parseReference(name);
    return typeof reference === 'string' ? digest : familiarName(reference);
  };
  return {
    count: references.length,
    nameOf,
    digestOf: entry => references[entry]!.digest,
    // A digest does not say for which platform it is.
    isFor: () => true,
    attachedTo: () => [],
    namesOf: entry => [references[entry]!.name].filter(name => name !== ''),
    named: name => byName.get(normalName(name)) ?? [],
    matches: ({ manifests, indexes, config }) => {
      const of = (digest: string, grade: Match['grade']): Match[] =>
        (byDigest.get(digest) ?? []).map(locked => ({ locked, grade, lost: [], unlocked: [] }));
      const exact = [...manifests, ...indexes].flatMap(digest => of(digest, 'manifest'));
      return [...exact, ...(config === null ? [] : of(config, 'config'))];
    },
    refuse: image => {
      if (image.manifests.length === 0) return { kind: 'undecided', doubt: { what: 'no-manifest' } };
      const [entry] = image.names.flatMap(name => byName.get(normalName(name)) ?? []);
      if (entry === undefined) return extra(lock, image);
      const difference = { fields: [], layers: [], expected: 0, actual: 0, reordered: false };
      const data = { lock, locked: nameOf(entry), ...difference };
      return { kind: 'other', entry, observation: observe('lock-image-other', NOWHERE, data) };
    },
  };
}

function indexesBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const [i, item] of items.entries()) {
    const known = found.get(keyOf(item));
    if (known === undefined) found.set(keyOf(item), [i]);
    else known.push(i);
  }
  return found;
}
