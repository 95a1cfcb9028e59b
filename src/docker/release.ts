import type { Store } from './stores/stored-image.js';

/** Releases of Docker whose answers are known, newest first, each with the newest version of the API that it speaks. */
const RELEASES: ReadonlyMap<number, string> = new Map([
  [29, '1.55'],
  [28, '1.51'],
  [27, '1.47'],
  [26, '1.45'],
  [25, '1.44'],
  [24, '1.43'],
  [23, '1.42'],
  [20, '1.41'],
]);

export const NEWEST_RELEASE = 29;
/** Versions of Docker's API whose answers are known. */
export const API_VERSIONS = { oldest: '1.24', newest: '1.55' } as const;
/** The first release that has containerd's image store. */
const FIRST_CONTAINERD = 24;

/**
 * The image stores by the names that users give them. `classic` is the graph driver store as its release is usually set
 * up.
 */
export const STORE_NAMES = ['containerd', 'classic', 'overlay2', 'vfs'] as const;
export type StoreName = (typeof STORE_NAMES)[number];

/** Whose words are wanted. */
export interface DialectOptions {
  /** Docker's major version. Default: the newest that is known. */
  readonly docker?: number | undefined;
  /** Default: the store that the release has by itself. */
  readonly store?: StoreName | undefined;
  /** Version of Docker's API: `1.24` up to the release's own, which is the default. */
  readonly api?: string | undefined;
}

/** Docker's answers differ from release to release, from store to store, and with the version of the API. */
export interface Dialect {
  readonly docker: number;
  readonly store: Store;
  readonly api: string;
  /** The words of Docker 29 and buildx 0.30, or those of 28 and 0.29. */
  readonly words: 29 | 28;
}

/** @returns the complaint for a release or version that is not known, and for options that contradict each other */
export function dialectFor({ docker = NEWEST_RELEASE, store, api }: DialectOptions): Dialect | string {
  const newestApi = RELEASES.get(docker);
  if (newestApi === undefined) {
    const known = [...RELEASES.keys()].toSorted((a, b) => a - b).join(', ');
    return `--docker ${docker}: the answers of Docker ${docker} are not known; known are ${known}`;
  }
  if (store === 'containerd' && docker < FIRST_CONTAINERD)
    return `--docker ${docker} and --store containerd contradict each other: Docker has containerd's image store since ${FIRST_CONTAINERD}`;
  const badApi = api === undefined ? null : apiComplaint(api, docker, newestApi);
  if (badApi !== null) return badApi;
  const words = docker >= 29 ? 29 : 28;
  const name = store ?? (words === 29 ? 'containerd' : 'classic');
  return { docker, store: storeOf(name, words), api: api ?? newestApi, words };
}

const minor = (api: string) => Number(api.slice(2));

function apiComplaint(api: string, docker: number, newest: string): string | null {
  const { oldest, newest: newestKnown } = API_VERSIONS;
  if (!/^1\.\d+$/.test(api) || minor(api) < minor(oldest) || minor(api) > minor(newestKnown))
    return `--api: expected ${oldest} to ${newestKnown}, found ${JSON.stringify(api)}`;
  if (minor(api) <= minor(newest)) return null;
  return `--docker ${docker} and --api ${api} contradict each other: Docker ${docker} speaks the API up to ${newest}`;
}

/** The usual storage driver is overlay2; the recorded answers of Docker 28 are those of vfs. */
function storeOf(name: StoreName, words: 29 | 28): Store {
  if (name !== 'classic') return name;
  return words === 29 ? 'overlay2' : 'vfs';
}
