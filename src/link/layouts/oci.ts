import { blobPath, digestOfBlobPath } from '../../spec/digest.js';
import { type FieldProblem, Fields } from '../../spec/json.js';
import { normalName } from '../../spec/reference.js';
import type { ScannedArchive } from '../archive.js';
import { classify } from '../classify.js';
import { ManifestWalk } from '../manifests.js';
import { nameOf, notRepeated, refName } from '../names.js';
import { linkReferrers } from '../referrers.js';
import { type LayoutReader, type Linked, NOTHING_LINKED } from './layout.js';

/** Whether the archive has a file of an OCI image layout, with or without files of other layouts. */
export const hasOciFiles = (archive: ScannedArchive) =>
  archive.has('index.json') || archive.has('oci-layout');

/** The OCI image layout. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export const oci: LayoutReader<'oci-layout'> = {
  name: 'oci-layout',
  detect: hasOciFiles,
  link: linkOci,
  blobPaths: digest => [blobPath(digest)],
  hasBlobFolder: true,
  digestOfPath: digestOfBlobPath,
};

/** Reads index.json, the documents that it leads to, and manifests whose `subject` is one of these. */
export function linkOci(archive: ScannedArchive): Linked {
  checkLayoutFile(archive);
  const walk = new ManifestWalk(archive, blobPath);
  const member = archive.file('index.json');
  const value = member === null ? undefined : archive.json(member);
  if (member === null)
    archive.observe('index-missing', { path: archive.path('index.json'), pointer: null }, {});
  const descriptors = value === undefined ? [] : walk.index(value, member!.path);
  linkReferrers(archive, walk);
  const { images, artifacts } = classify(archive, walk, blobPath);
  if (member !== null) checkRefNames(archive, member.path, descriptors, new Set(artifacts.map(keyOf)));
  return { ...NOTHING_LINKED, images, artifacts, indexes: walk.indexes, absent: walk.absent };
}

const keyOf = ({ claimedDigest, digest }: Pick<Linked['artifacts'][number], 'claimedDigest' | 'digest'>) =>
  claimedDigest ?? digest;

/**
 * `imageLayoutVersion` MUST be present and 1.0.0.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file
 */
function checkLayoutFile(archive: ScannedArchive): void {
  const member = archive.file('oci-layout');
  const at = { path: archive.path('oci-layout'), pointer: null };
  if (member === null) {
    archive.observe('layout-file-missing', at, {});
    return;
  }
  const value = archive.json(member);
  if (value === undefined) return;
  const problems: FieldProblem[] = [];
  const fields = Fields.of(value, '', problems);
  fields?.checkCase(['imageLayoutVersion']);
  archive.fieldProblems(member.path, problems);
  const actual = fields?.string('imageLayoutVersion') ?? null;
  if (actual !== '1.0.0') {
    archive.observe(
      'layout-version',
      { ...at, pointer: '/imageLayoutVersion' },
      { expected: '1.0.0', actual },
    );
  }
}

/**
 * Reports names that several entries have. Hazard: skopeo takes the first of them, and containerd the last.
 * @param artifacts  the digests of entries that are no images
 */
function checkRefNames(
  archive: ScannedArchive,
  path: string,
  descriptors: ReturnType<ManifestWalk['index']>,
  artifacts: ReadonlySet<string | null>,
): void {
  // Hazard: an artifact is not compared with a lock, and an engine may take it for the image of that name.
  const isMixed = (digests: Iterable<string>) =>
    new Set(Array.from(digests, digest => artifacts.has(digest))).size === 2;
  const entries = notRepeated(descriptors);
  const seen = new Map<string, NamedEntries>();
  for (const descriptor of entries) {
    const name = nameOf(descriptor);
    if (name === null) continue;
    const platform = JSON.stringify(descriptor.platform);
    const key = normalName(name);
    const known = seen.get(key) ?? { name, platform, digests: new Set(), isSpread: false };
    if (known.platform !== platform) known.isSpread = true;
    else if (known.digests.size > 0)
      archive.observe('name-duplicate', { path, pointer: descriptor.pointer }, { name });
    known.digests.add(descriptor.digestText);
    seen.set(key, known);
  }
  const divided = divideNames(archive, path, entries, isMixed);
  for (const [key, { name, digests, isSpread }] of seen) {
    const isOdd = isMixed(digests);
    if (digests.size === 1 || divided.has(key) || !(isSpread || isOdd)) continue;
    const data = { name, images: [...digests] };
    archive.observe('name-ambiguous', { path, pointer: '' }, data, isOdd ? 'error' : undefined);
  }
  const counted = new Set(entries);
  const repeated = descriptors.filter(descriptor => !counted.has(descriptor));
  for (const data of namesTaken(repeated, seen, artifacts))
    archive.observe('name-ambiguous', { path, pointer: '' }, data);
}

/** Names of images that attached entries behind them have too: containerd gives such a name to the last of these. */
function namesTaken(
  repeated: ReturnType<ManifestWalk['index']>,
  seen: ReadonlyMap<string, NamedEntries>,
  artifacts: ReadonlySet<string | null>,
): { readonly name: string; readonly images: string[] }[] {
  const taken = new Map<string, string>();
  for (const descriptor of repeated) taken.set(normalName(nameOf(descriptor) ?? ''), descriptor.digestText);
  return [...taken].flatMap(([key, last]) => {
    const { name, digests } = seen.get(key) ?? NOTHING_NAMED;
    const [image] = digests;
    return image === undefined || digests.size > 1 || artifacts.has(image)
      ? []
      : [{ name, images: [image, last] }];
  });
}

/** The entries that have one name. */
interface NamedEntries {
  readonly name: string;
  /** The platform of the first entry. */
  readonly platform: string;
  readonly digests: Set<string>;
  /** Whether the entries are for several platforms. */
  isSpread: boolean;
}

const NOTHING_NAMED = { name: '', digests: new Set<string>() };

/**
 * Reports names that mean one image to skopeo, umoci and `podman pull oci-archive:`, which look them up among the
 * specification's annotations alone, and another to engines that prefer containerd's.
 * @param isMixed  whether some of these entries are images and others are not
 * @returns these names, as `normalName` writes them
 */
function divideNames(
  archive: ScannedArchive,
  path: string,
  entries: ReturnType<ManifestWalk['index']>,
  isMixed: (digests: Iterable<string>) => boolean,
): ReadonlySet<string> {
  const loaded = new Map<string, Set<string>>();
  const found = new Map<string, { readonly name: string; readonly digests: Set<string> }>();
  for (const descriptor of entries) {
    const [name, ref] = [nameOf(descriptor), refName(descriptor)];
    const { digestText } = descriptor;
    if (name !== null) {
      const key = normalName(name);
      loaded.set(key, (loaded.get(key) ?? new Set()).add(digestText));
    }
    if (ref === null) continue;
    const key = normalName(ref);
    const known = found.get(key);
    if (known === undefined) found.set(key, { name: ref, digests: new Set([digestText]) });
    else known.digests.add(digestText);
  }
  const divided = new Set<string>();
  for (const [key, { name, digests }] of found) {
    const others = loaded.get(key) ?? digests;
    const images = new Set([...others, ...digests]);
    const isSame = others.size === images.size && digests.size === images.size;
    if (isSame && (digests.size === 1 || loaded.has(key))) continue;
    const data = { name, images: [...images], ...(isSame ? {} : { refName: [...digests] }) };
    const severity = isSame && !isMixed(images) ? undefined : 'error';
    archive.observe('name-ambiguous', { path, pointer: '' }, data, severity);
    divided.add(key);
  }
  return divided;
}
