import type { Compression } from '../codec/codec.js';
import type { Container, Member } from '../containers/source.js';
import { refuse } from '../decoding/refused.js';
import type { Image } from '../link/graph.js';
import { DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST } from '../spec/media-types.js';

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

export const joinNotes = (...notes: readonly (string | null)[]): string | null =>
  notes.filter(note => note !== null).join('; ') || null;

/** The manifests that engines take for an image's. */
export const IMAGE_TYPES: ReadonlySet<string> = new Set([OCI_MANIFEST, DOCKER_MANIFEST]);

const LAYER = 'application/vnd.docker.image.rootfs.';

/** All that may stand in a Docker manifest. containers/image manifest/docker_schema2.go (SupportedSchema2MediaType) */
export const SCHEMA2_TYPES: ReadonlySet<string> = new Set([
  `${LAYER}diff.tar`,
  `${LAYER}diff.tar.gzip`,
  `${LAYER}diff.tar.zstd`,
  `${LAYER}foreign.diff.tar`,
  `${LAYER}foreign.diff.tar.gzip`,
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  DOCKER_LIST,
]);

/**
 * Names as the engines read them, and what they say of bad ones.
 * https://github.com/distribution/reference (reference.go, normalize.go)
 */
interface EngineReference {
  readonly name: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const COMPONENT = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const ALGORITHM = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*';
const REFERENCE = new RegExp(
  `^((?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*)(?::(\\w[\\w.-]{0,127}))?(?:@(${ALGORITHM}:[0-9a-fA-F]{32,}))?$`,
);

/** docker's ParseNormalizedNamed. `short` leaves out the name where the library of containers/image does. */
export function dockerReference(text: string, words: 'docker' | 'short' = 'docker'): EngineReference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    refuse(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domain, rest] = splitDomain(text);
  const path = rest.split(':')[0]!;
  if (path.toLowerCase() !== path) {
    const which = words === 'docker' ? ` (${path})` : '';
    refuse(`invalid reference format: repository name${which} must be lowercase`);
  }
  const match = referenceIn(`${domain}/${rest}`);
  if (match === null) return refuse('invalid reference format');
  if (match[1]!.length > domain.length + 1 + LONGEST_PATH)
    return refuse(`repository name must not be more than ${LONGEST_PATH} characters`);
  return { name: match[1]!, tag: match[2] ?? null, digest: match[3] ?? null };
}

function splitDomain(name: string): [domain: string, rest: string] {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const domain = slash >= 0 && isDomain ? first : 'docker.io';
  const rest = slash >= 0 && isDomain ? name.slice(slash + 1) : name;
  if (domain !== 'docker.io' && domain !== 'index.docker.io') return [domain, rest];
  return ['docker.io', rest.includes('/') ? rest : `library/${rest}`];
}

/** The patterns repeat groups, and would run out of stack at a name of megabytes. No engine takes one that is so long. */
const LONGEST = 4096;
/** Most characters of a repository's path, without its host. */
const LONGEST_PATH = 255;

const referenceIn = (text: string) => (text.length > LONGEST ? null : REFERENCE.exec(text));

export const showReference = ({ name, tag, digest }: EngineReference): string =>
  `${name}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;

export const familiar = (name: string): string => name.replace(/^docker\.io\/(library\/(?!.*\/))?/, '');

/** Only a name that the containerd store holds whole, host and tag and all, is found again by a docker command. */
export function isFindable(name: string): boolean {
  const reference = dockerReference(name);
  const short = familiar(showReference(reference));
  return (
    name === showReference(reference) &&
    reference.tag !== null &&
    reference.digest === null &&
    !/^sha256:[a-f0-9]{64}$/.test(short)
  );
}

/** podman's own normalising: what names no host is on localhost. containers/common libimage/normalize.go */
export function podmanName(text: string): string {
  const match = referenceIn(text);
  if (match === null) {
    const why =
      referenceIn(text.toLowerCase()) !== null
        ? 'repository name must be lowercase'
        : 'invalid reference format';
    return refuse(`normalizing name "${text}": ${why}`);
  }
  const slash = match[1]!.indexOf('/');
  const domain = match[1]!.slice(0, Math.max(0, slash));
  const hosted = /[.:]/.test(domain) || domain === 'localhost';
  const reference = dockerReference(hosted ? text : `localhost/${text}`);
  if (reference.digest !== null) return showReference({ ...reference, tag: null });
  return showReference({ ...reference, tag: reference.tag ?? 'latest' });
}
