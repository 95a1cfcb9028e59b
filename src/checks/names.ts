import type { Member } from '../containers/source.js';
import type { Graph, Image, Layer, Location } from '../link/graph.js';
import { layoutNamed } from '../link/layouts/registry.js';
import { entryNames } from '../link/names.js';
import { memberAt, type Observation, observe } from '../link/observation.js';
import type { BlobFacts } from '../scan/blob/facts.js';
import type { Scan } from '../scan/scan.js';
import { digestOfBlobPath, sameAlgorithm } from '../spec/digest.js';
import { parseReference } from '../spec/reference.js';
import { cutMembers } from './blobs.js';
import { byPath } from './rule.js';

/** Names of images, artifacts and indexes: they are valid, and do not look like other names. */
export function* checkNames(_scan: Scan, graph: Graph): Generator<Observation> {
  for (const { names, at } of [...graph.images, ...graph.artifacts, ...graph.indexes.map(located)]) {
    for (const name of names) yield* checkConfusable(name, at);
  }
  for (const { manifest } of graph.images) {
    for (const { descriptor, at } of manifest?.descriptors ?? []) {
      // Names outside printable ASCII are reported as confusable.
      for (const name of entryNames(descriptor).names.filter(text => !STRANGE.test(text))) {
        const reason = faultOf(name);
        if (reason !== null) yield observe('name-invalid', at, { name, reason });
      }
    }
  }
}

const located = ({ names, path }: Graph['indexes'][number]) => ({ names, at: { path, pointer: null } });

/** By every grammar, names of images are ASCII without spaces: other characters only make a name look like another. */
function* checkConfusable(name: string, at: Location): Generator<Observation> {
  const characters = strangeIn(name);
  if (characters.length > 0) yield observe('name-confusable', at, { name, characters });
}

const STRANGE = /[^\x21-\x7e]/;

/** Characters outside printable ASCII as code points, each once. A hostile name has millions of them. */
function strangeIn(name: string): string[] {
  const strange = new Set<number>();
  for (let i = 0; i < name.length; i++) {
    const code = name.codePointAt(i)!;
    if (code >= 0x21 && code <= 0x7e) continue;
    strange.add(code);
    if (code > 0xffff) i++;
  }
  return [...strange].map(code => `U+${code.toString(16).toUpperCase().padStart(4, '0')}`);
}

/**
 * Why a name is invalid; null for a reference, and for a name by the specification's own grammar: components with
 * single separators between them, `--` the only double one.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md (org.opencontainers.image.ref.name)
 */
function faultOf(name: string): string | null {
  const reference = parseReference(name);
  const isName =
    /^[\w.:@+/-]+$/.test(name) && !/^[^A-Za-z0-9]|[^A-Za-z0-9]$|---|[._:@+/-][._:@+/]|[._:@+/]-/.test(name);
  return typeof reference !== 'string' || isName ? null : reference;
}

/**
 * Compares file names that are digests, outside of a folder of blobs, with the bytes. Folders of layers
 * (`<hex>/layer.tar`) are not named by digests but by v1 IDs, or by checksums of their writers.
 */
export function* checkFileNames(scan: Scan, graph: Graph): Generator<Observation> {
  const cut = cutMembers(scan);
  const { hasBlobFolder, digestOfPath } = layoutNamed(graph.layout);
  if (!hasBlobFolder && digestOfPath !== undefined) yield* checkBlobs(scan, graph, cut, digestOfPath);
  const said = new Set<string>();
  for (const image of graph.images) {
    if (image.docker === null) continue;
    for (const [i, layer] of image.layers.entries()) {
      if (layer.member === null || cut.has(layer.member.path) || layer.encrypted) continue;
      const observation = layerName(scan, image, layer, layer.member, i);
      if (observation === null || said.has(observation.at.path)) continue;
      said.add(observation.at.path);
      yield observation;
    }
  }
}

/** Files whose names claim a digest, in a layout without a folder of blobs or without an index of it. */
function* checkBlobs(
  scan: Scan,
  { root, claims }: Graph,
  cut: ReadonlySet<string>,
  promised: (path: string) => string | null,
): Generator<Observation> {
  const claimed = new Set(
    claims.flatMap(claim => (claim.kind === 'digest' ? [`${claim.member.path} ${claim.value}`] : [])),
  );
  for (const { path } of byPath(scan.members)) {
    const expected = path.startsWith(root) ? promised(path.slice(root.length)) : null;
    const file = expected === null ? null : scan.file(path);
    // A digest that a document claims too has been reported for the document.
    if (file === null || cut.has(file.path) || claimed.has(`${file.path} ${expected}`)) continue;
    const digests = scan.facts(file)?.digests ?? null;
    const actual = digests === null ? null : sameAlgorithm(digests, expected!);
    if (actual !== null && actual !== expected)
      yield observe('blob-name-mismatch', memberAt(path), { expected: expected!, actual });
  }
}

/** `<hex>.tar.gz`, `<hex>.tar`, `sha256:<hex>`, `<hex>`. */
const NAME = /(?:^|[/:])([0-9a-f]{64})(\.tar|\.tgz|\.tar\.\w+)?$/;

/** A layer whose name is the digest of neither its bytes nor its tar. */
function layerName(scan: Scan, image: Image, layer: Layer, member: Member, i: number): Observation | null {
  const facts = scan.facts(member);
  const [path] = [layer.ref, member.path].filter(name => NAME.test(name) && digestOfBlobPath(name) === null);
  if (path === undefined || facts === null) return null;
  const [, hex, extension] = NAME.exec(path)!;
  const { stored, content } = digestsOf(facts);
  const expected = `sha256:${hex}`;
  if (stored === null || content === null || stored === expected || content === expected) return null;
  // The mismatch with the config's diff_id says more.
  const { claimedDiffId } = layer;
  if (claimedDiffId?.startsWith('sha256:') === true && claimedDiffId !== content) return null;
  // podman and skopeo call a layer by the diff_id of the image that it came from, all others by the digest of its
  // bytes.
  const isDiffId = extension === '.tar' && !/(^|\/)sha256:/.test(image.docker!.config ?? '');
  const data = { layer: i, expected, stored, diffId: content };
  return observe('layer-name-mismatch', memberAt(member.path), data, isDiffId ? 'info' : undefined);
}

const digestsOf = ({ digests, unpacked }: BlobFacts) => ({
  stored: digests?.sha256 ?? null,
  content: unpacked?.digests.sha256 ?? null,
});
