/** The descriptors that containerd's store keeps of images, one under each name. containerd core/metadata/images.go */
import type { Graph, Image } from '../image/graph.js';
import type { Scan } from '../scan/scan.js';
import { isObject, type JsonObject, own } from '../spec/json.js';
import { normalName } from '../spec/reference.js';
import type { Dialect } from './release.js';
import { taggedName } from './repo-names.js';

/** What the store keeps under a name, as JSON; null where its digest is not known. */
export interface NamedTarget {
  /** The full name; null of what has none. */
  readonly name: string | null;
  /** The name as the index gives it; null of what has none. */
  readonly given?: string | null;
  readonly target: JsonObject | null;
}

/** By digest the entries of the outermost index.json. */
export type Listed = ReadonlyMap<string, readonly NamedTarget[]>;

const IMAGE_NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';
/** BuildKit notes it of an image that it builds into containerd's store. */
const CONFIG_DIGEST = 'config.digest';

export function listedTargets(scan: Scan, { root }: Graph): Listed {
  const member = scan.file(`${root}index.json`);
  const document = member === null ? undefined : scan.document(member).value;
  const entries = isObject(document) ? own(document, 'manifests') : undefined;
  const listed = new Map<string, NamedTarget[]>();
  for (const entry of Array.isArray(entries) ? entries.filter(isObject) : []) {
    const digest = own(entry, 'digest');
    if (typeof digest !== 'string') continue;
    const given = nameIn(entry);
    const named = { name: given === null ? null : normalName(given), given, target: keptOf(entry) };
    const known = listed.get(digest);
    if (known === undefined) listed.set(digest, [named]);
    else known.push(named);
  }
  return listed;
}

export function targetsOf(listed: Listed, digest: string | null): readonly NamedTarget[] | null {
  return (digest === null ? undefined : listed.get(digest)) ?? null;
}

/** What `docker load` makes up for an archive without an index. containerd core/images/archive/importer.go */
export function madeUpTargets(target: JsonObject | null, { docker }: Image): NamedTarget[] {
  const tags = docker?.repoTags ?? [];
  if (target === null || tags.length === 0) return [{ name: null, target }];
  return tags.map(tag => {
    const name = normalName(taggedName(tag));
    const annotations = { [IMAGE_NAME]: name, [REF_NAME]: refNameOf(name) };
    return { name, target: { ...target, annotations } };
  });
}

/** The name of the last image record, in the order of containerd's database, where it is not a full name; null otherwise. */
export function shortNameOf(targets: readonly NamedTarget[]): string | null {
  const names = targets.flatMap(({ given }) => given ?? []);
  const last = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).at(-1) ?? null;
  return last === null || normalName(last) === last ? null : last;
}

/** What stands behind the last colon or at sign. */
const refNameOf = (name: string) => name.slice(Math.max(name.lastIndexOf(':'), name.lastIndexOf('@')) + 1);

/**
 * What the store shows of an image that is called by a name; by anything else it is that of the first name.
 * moby daemon/containerd/image.go (resolveImage)
 */
export function targetCalled(
  targets: readonly NamedTarget[],
  ref: string | undefined,
  words: Dialect['words'],
): JsonObject | null {
  const wanted = ref === undefined ? null : normalName(ref);
  const sorted = targets.toSorted((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
  const { target } = sorted.find(({ name }) => name !== null && name === wanted) ?? sorted[0]!;
  return target === null || words === 29 ? target : asBuilt(target);
}

/**
 * The recorded answers of Docker 28 about an image that its own store had built are from before it was loaded: without the names
 * that `docker save` adds.
 */
function asBuilt(target: JsonObject): JsonObject {
  const { annotations, ...rest } = target;
  if (!isObject(annotations) || own(annotations, CONFIG_DIGEST) === undefined) return target;
  const { [IMAGE_NAME]: _name, [REF_NAME]: _ref, ...kept } = annotations;
  return { ...rest, annotations: kept };
}

function nameIn(entry: JsonObject): string | null {
  const annotations = own(entry, 'annotations');
  if (!isObject(annotations)) return null;
  const name = own(annotations, IMAGE_NAME) ?? own(annotations, REF_NAME);
  return typeof name === 'string' && name !== '' ? name : null;
}

const KEPT = ['mediaType', 'digest', 'size', 'annotations'];

function keptOf(entry: JsonObject): JsonObject {
  return Object.fromEntries(
    KEPT.flatMap(key => {
      const value = own(entry, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
