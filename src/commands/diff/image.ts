import { Tally, UNREAD } from '../../analysis/diff/changes.js';
import { type Change, configChanges, historyChanges, manifestChanges } from '../../analysis/diff/image.js';
import { installedIn } from '../../analysis/installed.js';
import { type Sizes, sumOf, weigher } from '../../analysis/weigh.js';
import { beyondLimit, isPlainTar, layerFaults } from '../../filesystem/layer-tables.js';
import type { Image, Layer } from '../../link/graph.js';
import { type PackageChange, packageChanges } from '../../packages/package.js';
import type { BlobFacts } from '../../scan/blob/facts.js';
import { isObject, type Json, own } from '../../spec/json.js';
import { formatPlatform, platformsAgree } from '../../spec/platform.js';
import { normalName } from '../../spec/reference.js';
import { type FilesCompared, filesDiff, unpackBoth } from './files.js';
import { type ImagePair, type LayersCompared, layersDiff, type Placed } from './layers.js';

import type { FilesDiff, ImageDiff, ImageRef, OnlyIn } from './report.js';

export interface ImageDiffOptions {
  /** Kinds of differences that are ignored; see `KINDS`. */
  readonly ignore: readonly string[];
  /** Compare small text files line by line, if their contents were kept. */
  readonly text: boolean;
}

/** The differences between two images, at every level. */
export function diffImages({ a, b }: ImagePair, { ignore, text }: ImageDiffOptions): ImageDiff {
  const tally = new Tally(ignore);
  const documents = documentChanges(a.image, b.image);
  const counted = (changes: readonly Change[]) => changes.filter(({ kind, key }) => tally.add(kind, 1, key));
  const layers = layersDiff(a, b, tally);
  const files = layers.areSame ? null : comparedFiles(a, b, layers, tally, text);
  const damage = { a: damageOf('a', a), b: damageOf('b', b) };
  const packages = files === null ? NO_PACKAGES : packagesDiff(files, tally);
  // A file that a later layer hides is not a difference of the trees, but it is a difference of the images.
  for (const { kind, count } of layers.within)
    if (!kind.startsWith('files.') && !tally.has(kind)) tally.add(kind, count, 'layers.changed');
  if (isRewritten(a.image, b.image, documents, layers)) tally.add('encoding');
  if (files !== null && tally.differences().length === 0)
    addUnread(files, unreadLayers(layers, damage), tally);
  return {
    a: refOf(a),
    b: refOf(b),
    names: counting('names', onlyIn(namesOf(a), namesOf(b)), tally),
    config: counted(documents.config),
    history: counted(documents.history),
    manifest: counted(documents.manifest),
    attestations: counting('attestations', onlyIn(attestationsOf(a), attestationsOf(b)), tally),
    layers: layers.diff,
    files: files?.diff ?? NO_FILES,
    packages: packages.changes,
    sizes: { a: sizesOf(a), b: sizesOf(b) },
    faults: { a: layerFaults(a.part.scan, a.image), b: layerFaults(b.part.scan, b.image) },
    notes: [...damage.a.values(), ...damage.b.values(), ...(files?.notes ?? []), ...packages.notes],
    differences: tally.differences(),
    ignored: tally.ignoredDifferences(),
    same: tally.differences().length === 0,
  };
}

interface DocumentChanges {
  readonly config: readonly Change[];
  readonly history: readonly Change[];
  readonly manifest: readonly Change[];
}

function documentChanges(a: Image, b: Image): DocumentChanges {
  const [x, y] = [a.config?.document?.value, b.config?.document?.value];
  const manifest = manifestChanges(a, b);
  if (x === undefined || y === undefined) {
    const [left, right] = [a.config?.claimedDigest ?? null, b.config?.claimedDigest ?? null];
    const isClaimedSame = left !== null && left === right;
    const config = isClaimedSame ? [] : [{ kind: 'config', key: 'config', a: left, b: right }];
    return { config: [...config, ...platformChange(a, b)], history: [], manifest };
  }
  const config = configChanges(x, y);
  const saysPlatform = config.some(({ kind }) => kind.startsWith('platform.'));
  return {
    config: saysPlatform ? config : [...config, ...platformChange(a, b)],
    history: historyChanges(stepsOf(x), stepsOf(y)),
    manifest,
  };
}

function stepsOf(config: Json): readonly Json[] {
  const steps = isObject(config) ? own(config, 'history') : undefined;
  return Array.isArray(steps) ? steps : [];
}

/** The platforms as the indexes declare them. */
function platformChange({ platform: a }: Image, { platform: b }: Image): Change[] {
  if (a === b || (a !== null && b !== null && platformsAgree(a, b))) return [];
  const text = (platform: typeof a) => (platform === null ? null : formatPlatform(platform));
  return [{ kind: 'platform', key: 'platform', a: text(a), b: text(b) }];
}

/**
 * True if documents have the same meaning but other bytes: other white space, other order of keys, other media types or
 * digests of blobs.
 */
function isRewritten(a: Image, b: Image, documents: DocumentChanges, layers: LayersCompared): boolean {
  const [x, y] = [a.config?.document?.digest ?? null, b.config?.document?.digest ?? null];
  const saysSame = documents.config.length + documents.history.length === 0 && layers.areSame;
  if (x !== null && y !== null && x !== y) return saysSame;
  const [left, right] = [a.manifest?.digest ?? null, b.manifest?.digest ?? null];
  const differ = left !== null && right !== null && left !== right;
  return differ && saysSame && layers.areStoredSame && documents.manifest.length === 0;
}

function comparedFiles(a: Placed, b: Placed, { pairing }: LayersCompared, tally: Tally, text: boolean) {
  const unpacked = unpackBoth(a, b, pairing);
  return filesDiff(unpacked.a, unpacked.b, tally, text);
}

interface PackagesCompared {
  readonly changes: readonly PackageChange[];
  readonly notes: readonly string[];
}

function packagesDiff({ a, b }: FilesCompared, tally: Tally): PackagesCompared {
  const [x, y] = [installedIn(a.tree, a.tables), installedIn(b.tree, b.tables)];
  const changes = packageChanges(x.packages, y.packages);
  const notes = [
    ...x.notes.map(({ path, reason }) => `a: ${path}: ${reason}`),
    ...y.notes.map(({ path, reason }) => `b: ${path}: ${reason}`),
  ];
  const counts = changes.length > 0 && tally.add('packages', changes.length);
  return { changes: counts ? changes : [], notes };
}

const NO_PACKAGES: PackagesCompared = { changes: [], notes: [] };
const NO_FILES: FilesDiff = { added: [], removed: [], changed: [] };

/** By index of the layer: the reason why it could not be unpacked, or not to its end. */
type Damage = ReadonlyMap<number, string>;

function damageOf(side: 'a' | 'b', { image, part }: Placed): Damage {
  const beyond = beyondLimit(part.scan, image);
  const notes = image.layers.map((layer, i): [number, string | null] => {
    const where = `layer ${i + 1} of ${side}`;
    if (i === beyond?.layer) return [i, `from ${where} on there are more files than are compared`];
    return [i, damageIn(layer, layer.member === null ? null : part.scan.facts(layer.member), where)];
  });
  return new Map(notes.filter((note): note is [number, string] => note[1] !== null));
}

function damageIn(layer: Layer, facts: BlobFacts | null, where: string): string | null {
  if (layer.member === null) return `${where} is not in the archive: taken for what the config says it is`;
  if (layer.encrypted && facts !== null && !isPlainTar(facts)) return `${where} is encrypted`;
  if (facts?.failure != null || facts?.unpacked == null) return `${where} cannot be unpacked to its end`;
  if (facts.tar?.table == null) return `the files of ${where} were not read`;
  if (facts.tar.table.truncated !== null) return `${where} has more files than are kept`;
  return facts.tar.error === null ? null : `${where} is not a valid tar: ${facts.tar.error}`;
}

/** Images whose files were not all read are not reported as the same, even if no difference is known. */
function addUnread({ unread }: FilesCompared, layers: number, tally: Tally): void {
  if (unread > 0) tally.add(UNREAD, unread, 'files.content');
  if (layers > 0) tally.add(UNREAD, layers);
}

/** Number of layers that differ and whose files are not all known. */
function unreadLayers({ pairing, isSame }: LayersCompared, damage: { a: Damage; b: Damage }): number {
  const isUnread = (known: Damage, index: number | null) => index !== null && known.has(index);
  return pairing.filter(pair => !isSame(pair) && (isUnread(damage.a, pair[0]) || isUnread(damage.b, pair[1])))
    .length;
}

const sizesOf = ({ part, image }: Placed): Sizes => sumOf(image.layers.map(weigher(part.scan, null)));

const namesOf = ({ image }: Placed) => image.names.map(normalName);
const attestationsOf = ({ image }: Placed) =>
  image.attestations.map(({ digest, claimedDigest }) => digest ?? claimedDigest ?? '(no digest)');

/** Returns the elements that only one of two sets has. */
export function onlyIn<T>(a: readonly T[], b: readonly T[]): OnlyIn<T> {
  const [left, right] = [new Set(a), new Set(b)];
  return {
    onlyA: [...left].filter(item => !right.has(item)),
    onlyB: [...right].filter(item => !left.has(item)),
  };
}

/**
 * Counts the elements that only one set has.
 * @returns empty lists if the kind is ignored
 */
export function counting<T>(kind: string, sets: OnlyIn<T>, tally: Tally): OnlyIn<T> {
  const count = sets.onlyA.length + sets.onlyB.length;
  return count > 0 && tally.add(kind, count) ? sets : { onlyA: [], onlyB: [] };
}

export function refOf({ report }: Placed): ImageRef {
  const { names, platform, imageId, manifestDigest, v1Id, created, inside } = report;
  return { names, platform, imageId, manifestDigest, v1Id, created, inside };
}
