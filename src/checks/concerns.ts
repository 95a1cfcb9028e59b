import {
  type Artifact,
  type Graph,
  type Image,
  type Layer,
  type Location,
  referrerName,
} from '../link/graph.js';
import type { FindingCode } from '../link/observation.js';
import type { Scan } from '../scan/scan.js';
import type { Finding } from './findings.js';
import { type Doubts, doubtsOf, NO_DOUBTS } from './verdicts.js';

/** Findings about absent manifests, which do not concern the images that are present. */
const OF_ABSENT: readonly FindingCode[] = ['manifest-missing', 'platform-absent'];

/**
 * Faults of a blob, which concern the images that refer to it. Other faults of a member may change how readers see the
 * archive.
 */
const OF_BLOBS: readonly FindingCode[] = ['blob-name-mismatch', 'blob-name-odd', 'blob-link-broken'];

/** Findings that concern the same images. */
interface Group {
  readonly findings: Finding[];
  doubts: Doubts;
}

const pathKey = (path: string) => `path ${path}`;
const entryKey = (path: string, pointer: string) => `entry ${JSON.stringify([path, pointer])}`;
const imageKey = (index: number) => `image ${index}`;
const indexKey = (digest: string) => `index ${digest}`;
const ALL = 'all';
const NONE = 'none';

/**
 * Which findings concern which image: those about its documents, its blobs, its entries in the lists of images, its
 * attestations and referrers, and those about the archive as a whole. Findings about absent manifests, other artifacts
 * and unreferenced members concern no image. The archive's verdict is made of all of them.
 */
export class Concerns {
  private readonly groups = new Map<string, Group>();
  private readonly keys = new Map<Image, readonly string[]>();
  private readonly numbers = new Map<Image, number>();
  private readonly owned = new Set<string>();
  private readonly firstOwner = new Map<string, Image>();
  private readonly others = new Set<string>();
  private readonly members: ReadonlySet<string>;
  private readonly referenced = new Set<string>();
  private readonly indexes: ReadonlyMap<string, string>;

  /** @param known  findings whose images are known, instead of their places: those of requirements */
  constructor(
    scan: Scan,
    graph: Graph,
    findings: readonly Finding[],
    private readonly known: ReadonlyMap<Finding, readonly Image[]> = new Map(),
  ) {
    const attached = attachedTo(graph);
    for (const [i, image] of graph.images.entries()) {
      const keys = [...new Set([imageKey(i), ...keysOf(image, attached.get(image) ?? [], graph.root)])];
      this.numbers.set(image, i);
      this.keys.set(image, keys);
      for (const key of keys) this.owned.add(key);
    }
    for (const artifact of graph.artifacts) for (const key of artifactKeys(artifact)) this.others.add(key);
    this.members = new Set(scan.members.map(({ path }) => path));
    this.indexes = new Map(graph.indexes.map(({ path, digest }) => [path, digest]));
    for (const path of graph.referenced) this.addReferenced(path);
    for (const finding of findings) for (const key of this.keysFor(finding)) this.add(key, finding);
    this.addCut(findings, graph.limits.findingsPerCode);
    for (const group of this.groups.values()) group.doubts = doubtsOf(group.findings, graph);
  }

  /** The doubts that the findings about an image raise. */
  doubts(image: Image): Doubts {
    return this.groupsOf(image).reduce((doubts, group) => doubts | group.doubts, NO_DOUBTS);
  }

  /** The findings that concern any of some images. */
  of(images: Iterable<Image>): ReadonlySet<Finding> {
    const groups = new Set([...images].flatMap(image => this.groupsOf(image)));
    return new Set([...groups].flatMap(({ findings }) => findings));
  }

  /** The findings that concern an image, but for those about the archive as a whole. */
  own(image: Image): ReadonlySet<Finding> {
    const groups = (this.keys.get(image) ?? []).flatMap(key => this.groups.get(key) ?? []);
    return new Set(groups.flatMap(({ findings }) => findings));
  }

  /** The image that a finding is about, or the first of several; null for the archive and for artifacts. */
  imageOf(finding: Finding): Image | null {
    const [key = ALL] = this.keysFor(finding);
    if (this.firstOwner.size === 0)
      for (const [image, keys] of this.keys)
        for (const owned of keys) if (!this.firstOwner.has(owned)) this.firstOwner.set(owned, image);
    return this.firstOwner.get(key) ?? null;
  }

  private groupsOf(image: Image): readonly Group[] {
    const keys = [ALL, ...(this.keys.get(image) ?? [])];
    return keys.flatMap(key => this.groups.get(key) ?? []);
  }

  private add(key: string, finding: Finding): void {
    const group = this.groups.get(key) ?? { findings: [], doubts: NO_DOUBTS };
    group.findings.push(finding);
    this.groups.set(key, group);
  }

  private addReferenced(path: string): void {
    this.referenced.add(path);
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (this.referenced.has(folder)) return;
      this.referenced.add(folder);
    }
  }

  /** Findings of a code beyond the limit are not listed, so they may concern any image. */
  private addCut(findings: readonly Finding[], most: number): void {
    const counts = new Map<string, number>();
    for (const finding of findings) {
      const kind = `${finding.code} ${finding.severity}`;
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      if (count === most) this.add(ALL, finding);
    }
  }

  private keysFor(finding: Finding): readonly string[] {
    const known = this.known.get(finding)?.flatMap(image => this.numbers.get(image) ?? []) ?? [];
    if (known.length > 0) return known.map(imageKey);
    const { code, at } = finding;
    if (OF_ABSENT.includes(code)) return [NONE];
    const entry = this.entryOf(at);
    if (entry !== null) return [entry];
    const path = pathKey(at.path);
    if (this.owned.has(path)) return [path];
    const index = this.indexes.get(at.path);
    if (index !== undefined && this.owned.has(indexKey(index))) return [indexKey(index)];
    if (this.others.has(path)) return [NONE];
    return OF_BLOBS.includes(code) && this.isStray(at.path) ? [NONE] : [ALL];
  }

  /** The innermost entry of a list of images that a place lies in. */
  private entryOf({ path, pointer }: Location): string | null {
    let within = pointer ?? '';
    while (within !== '') {
      const key = entryKey(path, within);
      if (this.owned.has(key)) return key;
      within = within.slice(0, within.lastIndexOf('/'));
    }
    return null;
  }

  /** A member that no document leads to. */
  private isStray(path: string): boolean {
    return this.members.has(path) && !this.referenced.has(path);
  }
}

function keysOf(image: Image, attached: readonly Artifact[], root: string): string[] {
  const { at, config, manifest, layers, indexDigests } = image;
  const entries = [...(manifest?.descriptors.map(d => d.at) ?? []), at];
  return [
    ...pathsOf(config, layers).map(pathKey),
    ...(manifest === null ? [] : [pathKey(manifest.path)]),
    ...entries.map(({ path, pointer }) => (pointer === null ? pathKey(path) : entryKey(path, pointer))),
    ...indexDigests.map(indexKey),
    ...layers.flatMap(({ v1Id }) => (v1Id === null ? [] : [pathKey(`${root}${v1Id}/json`)])),
    ...attached.flatMap(artifactKeys),
  ];
}

function artifactKeys({ path, config, layers }: Artifact): string[] {
  return [path, ...pathsOf(config, layers)].map(pathKey);
}

function pathsOf(config: Image['config'], layers: readonly Layer[]): string[] {
  const members = [config?.member ?? null, ...layers.map(({ member }) => member)];
  const paths = members.flatMap(member => (member === null ? [] : [member.path]));
  return config === null ? paths : [config.path, ...paths];
}

/** Attestations and referrers, by the image that is their subject. */
function attachedTo({ images, artifacts }: Graph): ReadonlyMap<Image, readonly Artifact[]> {
  const byName = new Map(artifacts.map(artifact => [referrerName(artifact), artifact]));
  return new Map(
    images.map(image => {
      const referrers = image.referrers.flatMap(name => byName.get(name) ?? []);
      return [image, [...image.attestations, ...referrers]];
    }),
  );
}
