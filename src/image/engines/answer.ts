import type { Compression } from '../../codec/codec.js';
import type { Container, Member } from '../../source/source.js';
import type { Image } from '../graph.js';

export type EngineName =
  | 'docker-classic'
  | 'docker-containerd'
  | 'podman'
  | 'skopeo-docker-archive'
  | 'skopeo-oci-archive'
  | 'crane'
  /** `podman load -i DIR`. This and what follows read directories alone. */
  | 'podman-directory'
  | 'skopeo-oci'
  | 'skopeo-dir'
  | 'umoci';

/** What one engine makes of one image of the archive. Exactly one of `id` and `refusal` is null. */
export interface EngineAnswer {
  readonly engine: EngineName;
  /** What the engine will call the image (docker, podman), or print as its digest (skopeo, crane). */
  readonly id: string | null;
  /** The engine's own words, with temporary paths as DIR or FILE. What begins with `loads ` or `cannot be told: ` is ours. */
  readonly refusal: string | null;
  /** What else a user should know. */
  readonly note: string | null;
}

/** How the archive reaches the engine. */
export interface Delivery {
  readonly container: Container;
  /** Compression of the tar itself, also inside a zip. Every engine unpacks every format that waybill does. */
  readonly compression: Compression;
  /** The image tarball inside a zip: then that is the file the engine is given. */
  readonly inside: string | null;
  /** Docker's major version. */
  readonly docker: number;
}

export type Verdict = Omit<EngineAnswer, 'engine'>;

/** An image that an engine takes from the file, by the members that it reads. */
export interface LoadedImage {
  /** null where the engine writes the config itself: from a v1 image. */
  readonly config: Member | null;
  /** Base first. */
  readonly layers: readonly Member[];
}

/** What one engine makes of the file as a whole. */
export interface Outcome {
  /** What it takes, of every platform, by whatever name it is asked for. */
  readonly loads: readonly LoadedImage[];
  /** The images it came to, by the keys of `keysOf`. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Why it stopped; null where it came to its end. */
  readonly refusal: string | null;
  /** What is said of images that it passes over, in words of ours. */
  readonly passed: string;
}

export const itemKey = (index: number) => `item ${index}`;
export const entryKey = (digest: string) => `entry ${digest}`;
export const manifestKey = (digest: string) => `manifest ${digest}`;
export const v1Key = (id: string) => `v1 ${id}`;

/** The ways an engine comes to an image: by its manifest, index.json's entry above it, manifest.json, or its v1 folder. */
export function keysOf(image: Image): string[] {
  const digest = image.manifest?.claimedDigest ?? image.manifest?.digest ?? null;
  const outermost = image.indexDigests[0] ?? null;
  return [
    ...(digest === null ? [] : [manifestKey(digest), entryKey(digest)]),
    ...(outermost === null ? [] : [entryKey(outermost)]),
    ...(image.docker === null ? [] : [itemKey(image.docker.index)]),
    ...(image.kind === 'v1' && image.v1Id !== null ? [v1Key(image.v1Id)] : []),
  ];
}

export const taken = (id: string, note: string | null = null): Verdict => ({ id, refusal: null, note });

/** Docker's classic store stores an image before it looks at its names, and leaves it there when it fails at these. */
export const storedAllTheSame = (id: string, refusal: string): Verdict => ({
  id: null,
  refusal,
  note: `the image is stored all the same, as ${id}`,
});

export const LISTED_ONLY = 'loads another image: only those that manifest.json lists';
export const LISTS_NONE = 'loads no image: manifest.json lists none';

/**
 * Never leaves this folder: an engine stops in the middle of its work, and so does its model here. No Error, whose stack costs
 * more than the model's work where an index lists ten thousands of manifests.
 */
export class Refused {
  constructor(readonly message: string) {}
}

export function refuse(words: string): never {
  throw new Refused(words);
}

/** What the answer would be hangs on something that was not read. */
export function cannotTell(why: string): never {
  throw new Refused(`cannot be told: ${why}`);
}

/** Runs a part of an engine, and gives the refusal that ended it. */
export function attempt(step: () => void): string | null {
  try {
    step();
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    throw error;
  }
}

/** What no engine wraps: words of ours, and of a program that ends in the middle of its work. */
const UNWRAPPED = /^(?:cannot be told|panic): /;

export const isUntold = (refusal: string | null): boolean => refusal?.startsWith('cannot be told: ') === true;

/** Runs a step, and puts the words around its refusal in which the engine wraps the error. */
export function within<T>(wrap: (words: string) => string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof Refused && !UNWRAPPED.test(error.message)) {
      throw new Refused(wrap(error.message));
    }
    throw error;
  }
}

export const joinNotes = (...notes: readonly (string | null)[]): string | null =>
  notes.filter(note => note !== null).join('; ') || null;
