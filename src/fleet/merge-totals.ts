import type { Verdicts } from '../checks/verdicts.js';
import type { Severity } from '../link/observation.js';
import { shownPath } from '../spec/byte-path.js';
import { pathOfRecord } from './list.js';
import { addTo, ChainTree, type LayerSum, LayerTable, type SharedLayer } from './merge-layers.js';
import type { ArchiveRecord, FindingRecord, ImageRecord } from './record.js';

/**
 * Adds up the records of a fleet. Of an archive a row is kept and of findings their counts, so that memory grows with
 * the number of archives, of distinct images and of distinct layers.
 */

export type VerdictName = keyof Verdicts;

/** How many archives have each value of a verdict. */
export interface VerdictCounts {
  yes: number;
  no: number;
  unknown: number;
}

/** An archive as a line of a table. */
export interface FleetArchive {
  readonly path: string;
  readonly pathBytes?: string;
  /** The path for people, where it is not UTF-8: `bad\\xff.tar`. */
  readonly shownPath?: string;
  readonly size: number | null;
  readonly sha256: string | null;
  readonly exitCode: 0 | 1 | 2;
  /** Why there is no report of it; null where there is one. */
  readonly error: string | null;
  readonly verdicts: Verdicts | null;
  /** null where no policy was applied. */
  readonly passed: boolean | null;
  /** Number of images. */
  readonly images: number;
  readonly findings: Readonly<Record<Severity, number>>;
  /** Findings that make the exit code 1. */
  readonly failing: number;
  /** The most serious finding. */
  readonly worst: { readonly code: string; readonly message: string } | null;
}

/** An image, once for all archives that have it. */
export interface FleetImage {
  readonly imageId: string | null;
  readonly manifestDigest: string | null;
  /** The first names, sorted. */
  readonly names: readonly string[];
  /** Number of distinct names. */
  readonly nameCount: number;
  readonly platform: string | null;
  readonly created: string | null;
  /** Archives that have it: indexes into `archives`. */
  readonly archives: readonly number[];
  readonly layers: number;
  readonly stored: number | null;
  readonly unpacked: number | null;
  /** The image of the fleet that it is built upon: an index into `images`; null for none. */
  readonly base: { readonly image: number; readonly layers: number } | null;
  readonly claimedBase: { readonly name: string | null; readonly digest: string | null } | null;
}

/** A finding's code in the whole fleet. */
export interface FleetFinding {
  readonly code: string;
  /** The most serious one that it has. */
  readonly severity: Severity;
  readonly count: number;
  readonly failing: number;
  /** Archives that have it. */
  readonly archives: number;
  /** Index of the first archive that has it. */
  readonly first: number;
}

/** Why archives have no report: those whose reasons differ only in numbers together. */
export interface UnreadReason {
  /** The reason of the first one. */
  readonly what: string;
  readonly archives: number;
  /** Index of the first archive. */
  readonly first: number;
}

/** An image of the fleet that others are built upon. */
export interface FleetBase {
  /** Index into the images. */
  readonly image: number;
  readonly layers: number;
  /** Distinct images of which it is the longest base, and the archives that have them. */
  readonly images: number;
  readonly archives: number;
}

/** A base that images claim to have, by annotation or label. */
export interface ClaimedBase {
  readonly name: string | null;
  readonly digest: string | null;
  readonly images: number;
  /** Those that begin with the layers of the image of the fleet with this digest, and those that do not. */
  readonly confirmed: number;
  readonly refuted: number;
}

/** A name that images of one platform share although they differ. */
export interface SharedName {
  readonly name: string;
  readonly platform: string | null;
  /** Indexes of images. */
  readonly images: readonly number[];
}

export interface FleetBytes {
  /** Archive files: `unknown` are folders and files that could not be read. */
  readonly files: LayerSum;
  /** Files that are equal to another one: all but the first of each. */
  readonly copies: LayerSum;
  /** Stored layers and unpacked layers: each image by itself, each archive by itself, and once in the fleet. */
  readonly stored: LayerBytes;
  readonly unpacked: LayerBytes;
}

export interface LayerBytes {
  readonly inImages: LayerSum;
  readonly inArchives: LayerSum;
  readonly distinct: LayerSum;
}

/** Names of one image that are kept. */
const NAMES = 20;
/** Characters of a message that are kept. */
const TEXT = 300;

interface ImageEntry {
  readonly imageId: string | null;
  readonly manifestDigest: string | null;
  readonly names: Set<string>;
  nameCount: number;
  readonly platform: string | null;
  readonly created: string | null;
  readonly archives: number[];
  readonly layers: number;
  readonly stored: number | null;
  readonly unpacked: number | null;
  readonly node: number | null;
  readonly claimedBase: ImageRecord['base'];
}

interface FindingEntry {
  readonly code: string;
  severity: Severity;
  count: number;
  failing: number;
  archives: number;
  readonly first: number;
  last: number;
}

const RANKS: Readonly<Record<Severity, number>> = { error: 2, warning: 1, info: 0 };

export class FleetTotals {
  readonly archives: FleetArchive[] = [];
  readonly verdicts: Readonly<Record<VerdictName, VerdictCounts>> = {
    intact: { yes: 0, no: 0, unknown: 0 },
    complete: { yes: 0, no: 0, unknown: 0 },
    conformant: { yes: 0, no: 0, unknown: 0 },
  };
  /** Archives by exit code. */
  readonly exitCodes: [number, number, number] = [0, 0, 0];
  /** Files of folders that are not archives. */
  others = 0;
  /** Images of all archives, the same one in two archives twice. */
  imageCount = 0;
  /** Milliseconds that the archives took, added up. */
  durationMs = 0;

  private readonly entries: ImageEntry[] = [];
  private readonly imageIndexes = new Map<string, number>();
  private readonly nameOwners = new Map<string, number | Set<number>>();
  private readonly byCode = new Map<string, FindingEntry>();
  private readonly stored = new LayerTable();
  private readonly unpacked = new LayerTable();
  private readonly storedInImages = emptySum();
  private readonly unpackedInImages = emptySum();
  private readonly chains = new ChainTree();
  private readonly texts = new Map<string, string>();

  add(record: ArchiveRecord): void {
    const index = this.archives.length;
    const { images = [], findings = [], verdicts = null } = record;
    this.exitCodes[record.exitCode]++;
    this.durationMs += record.durationMs;
    for (const name of VERDICT_NAMES) this.verdicts[name][worded(verdicts?.[name])]++;
    const indexes = images.map(image => this.addImage(image, index));
    this.addLayers(images, indexes);
    for (const finding of findings) this.addFinding(finding, index);
    this.archives.push(this.rowOf(record, findings));
  }

  /** The distinct images, those in most archives first within `images()`; the order is that of the first archive. */
  images(): readonly FleetImage[] {
    return this.entries.map(entry => ({
      imageId: entry.imageId,
      manifestDigest: entry.manifestDigest,
      names: [...entry.names].sort(),
      nameCount: entry.nameCount,
      platform: entry.platform,
      created: entry.created,
      archives: entry.archives,
      layers: entry.layers,
      stored: entry.stored,
      unpacked: entry.unpacked,
      base: entry.node === null ? null : this.chains.baseOf(entry.node),
      claimedBase: entry.claimedBase,
    }));
  }

  /** Those that fail first, then by severity and by the number of archives. */
  findings(): readonly FleetFinding[] {
    return [...this.byCode.values()]
      .map(({ last: _, ...finding }) => finding)
      .sort(
        (a, b) =>
          Number(b.failing > 0) - Number(a.failing > 0) ||
          RANKS[b.severity] - RANKS[a.severity] ||
          b.archives - a.archives ||
          (a.code < b.code ? -1 : 1),
      );
  }

  /** Most frequent first. */
  unreadReasons(): readonly UnreadReason[] {
    const reasons = new Map<string, { what: string; archives: number; first: number }>();
    for (const [i, { error }] of this.archives.entries()) {
      if (error === null) continue;
      const key = withoutNumbers(error);
      const reason = reasons.get(key) ?? { what: error, archives: 0, first: i };
      reasons.set(key, reason);
      reason.archives++;
    }
    return [...reasons.values()].sort((a, b) => b.archives - a.archives || a.first - b.first);
  }

  bytes(): FleetBytes {
    const files = emptySum();
    const copies = emptySum();
    const seen = new Set<string>();
    for (const { size, sha256 } of this.archives) {
      addTo(files, size);
      if (sha256 === null) continue;
      if (seen.has(sha256)) addTo(copies, size);
      seen.add(sha256);
    }
    return {
      files,
      copies,
      stored: {
        inImages: this.storedInImages,
        inArchives: this.stored.inArchives,
        distinct: this.stored.distinct,
      },
      unpacked: {
        inImages: this.unpackedInImages,
        inArchives: this.unpacked.inArchives,
        distinct: this.unpacked.distinct,
      },
    };
  }

  /** Unpacked layers that several archives have. */
  sharedLayers(most: number): { readonly layers: readonly SharedLayer[]; readonly count: number } {
    return this.unpacked.shared(most);
  }

  /** Indexes of the archives of each file that is there twice or more, those with the most bytes in copies first. */
  equalFiles(): readonly (readonly number[])[] {
    const groups = new Map<string, number[]>();
    for (const [i, { sha256 }] of this.archives.entries()) {
      if (sha256 === null) continue;
      const group = groups.get(sha256);
      if (group === undefined) groups.set(sha256, [i]);
      else group.push(i);
    }
    const wasted = (group: readonly number[]) => (group.length - 1) * (this.archives[group[0]!]!.size ?? 0);
    return [...groups.values()]
      .filter(group => group.length > 1)
      .sort((a, b) => wasted(b) - wasted(a) || b.length - a.length || a[0]! - b[0]!);
  }

  /** Names of several images that differ, those of most images first. */
  sharedNames(): readonly SharedName[] {
    const shared: SharedName[] = [];
    for (const [key, owners] of this.nameOwners) {
      if (typeof owners === 'number') continue;
      const [name, platform] = JSON.parse(key) as [string, string | null];
      shared.push({ name, platform, images: [...owners] });
    }
    return shared.sort((a, b) => b.images.length - a.images.length || (a.name < b.name ? -1 : 1));
  }

  /** Bases in the fleet, those of most images first. */
  bases(): readonly FleetBase[] {
    const bases = new Map<number, { image: number; layers: number; images: number; archives: Set<number> }>();
    for (const { node, archives } of this.entries) {
      const base = node === null ? null : this.chains.baseOf(node);
      if (base === null) continue;
      const entry = bases.get(base.image) ?? { ...base, images: 0, archives: new Set() };
      entry.images++;
      for (const archive of archives) entry.archives.add(archive);
      bases.set(base.image, entry);
    }
    return [...bases.values()]
      .map(base => ({ ...base, archives: base.archives.size }))
      .sort((a, b) => b.images - a.images || b.layers - a.layers || a.image - b.image);
  }

  /** Bases that images claim, those of most images first. */
  claimedBases(): readonly ClaimedBase[] {
    const byDigest = new Map<string, number>();
    for (const { manifestDigest, node } of this.entries)
      if (manifestDigest !== null && node !== null) byDigest.set(manifestDigest, node);
    const claims = new Map<string, { -readonly [K in keyof ClaimedBase]: ClaimedBase[K] }>();
    for (const { claimedBase, node } of this.entries) {
      if (claimedBase === null) continue;
      const { name, digest } = claimedBase;
      const key = JSON.stringify([name, digest]);
      const claim = claims.get(key) ?? { name, digest, images: 0, confirmed: 0, refuted: 0 };
      claims.set(key, claim);
      claim.images++;
      const base = digest === null ? undefined : byDigest.get(digest);
      if (base === undefined || node === null) continue;
      if (this.chains.beginsWith(node, base)) claim.confirmed++;
      else claim.refuted++;
    }
    const inOrder = (a: ClaimedBase) => JSON.stringify([a.name, a.digest]);
    return [...claims.values()].sort(
      (a, b) => b.refuted - a.refuted || b.images - a.images || (inOrder(a) < inOrder(b) ? -1 : 1),
    );
  }

  /** Indexes of the archives, worst first: those without a report, then those that fail, by what they have. */
  worstFirst(): readonly number[] {
    const weight = ({ failing, findings }: FleetArchive) => [failing, findings.error, findings.warning];
    return [...this.archives.keys()].sort((i, j) => {
      const [a, b] = [this.archives[i]!, this.archives[j]!];
      if (a.exitCode !== b.exitCode) return b.exitCode - a.exitCode;
      const [x, y] = [weight(a), weight(b)];
      const at = x.findIndex((value, k) => value !== y[k]);
      return at === -1 ? i - j : y[at]! - x[at]!;
    });
  }

  private rowOf(record: ArchiveRecord, findings: readonly FindingRecord[]): FleetArchive {
    const { path, pathBytes, size, sha256, exitCode, error, verdicts = null, passed = null } = record;
    const counts: Record<Severity, number> = { error: 0, warning: 0, info: 0 };
    let failing = 0;
    let worst: FindingRecord | null = null;
    for (const finding of findings) {
      counts[finding.severity]++;
      if (finding.failing) failing++;
      if (worst === null || rankOf(finding) > rankOf(worst)) worst = finding;
    }
    return {
      path,
      ...(pathBytes !== undefined && { pathBytes, shownPath: shownPath(pathOfRecord(record)!) }),
      size,
      sha256,
      exitCode,
      error: error === null ? null : brief(error.what),
      verdicts,
      passed,
      images: record.images?.length ?? 0,
      findings: counts,
      failing,
      worst:
        worst === null
          ? null
          : { code: this.interned(worst.code), message: this.interned(brief(worst.message)) },
    };
  }

  private addImage(image: ImageRecord, archive: number): number {
    this.imageCount++;
    const { imageId, manifestDigest } = image;
    const identity = imageId ?? manifestDigest ?? `${archive} ${this.imageCount}`;
    const known = this.imageIndexes.get(identity);
    const index = known ?? this.entries.length;
    if (known === undefined) {
      this.imageIndexes.set(identity, index);
      this.entries.push(this.entryOf(image, index));
    }
    const entry = this.entries[index]!;
    if (entry.archives.at(-1) !== archive) entry.archives.push(archive);
    for (const name of image.names) this.addName(name, index, entry);
    return index;
  }

  private entryOf(image: ImageRecord, index: number): ImageEntry {
    const { imageId, manifestDigest, platform, created, layers, sizes, base } = image;
    const node = this.chains.add(
      layers.map(({ diffId }) => diffId),
      index,
    );
    return {
      imageId,
      manifestDigest,
      names: new Set(),
      nameCount: 0,
      platform: platform === null ? null : this.interned(platform),
      created,
      archives: [],
      layers: layers.length,
      stored: sizes.stored,
      unpacked: sizes.unpacked,
      node,
      claimedBase:
        base === null
          ? null
          : { name: this.internedOrNull(base.name), digest: this.internedOrNull(base.digest) },
    };
  }

  private addName(name: string, image: number, entry: ImageEntry): void {
    const key = JSON.stringify([name, entry.platform]);
    const owners = this.nameOwners.get(key);
    if (owners === image || (owners instanceof Set && owners.has(image))) return;
    entry.nameCount++;
    if (entry.names.size < NAMES) entry.names.add(name);
    if (owners === undefined) this.nameOwners.set(key, image);
    else if (owners instanceof Set) owners.add(image);
    else this.nameOwners.set(key, new Set([owners, image]));
  }

  private addLayers(images: readonly ImageRecord[], indexes: readonly number[]): void {
    const [digests, diffIds] = [new Set<string>(), new Set<string>()];
    for (const [i, { layers }] of images.entries())
      for (const { digest, diffId, size, unpackedSize } of layers) {
        addTo(this.storedInImages, size);
        addTo(this.unpackedInImages, unpackedSize);
        if (digest === null || !digests.has(digest)) this.stored.add(digest, size, indexes[i]!);
        if (diffId === null || !diffIds.has(diffId)) this.unpacked.add(diffId, unpackedSize, indexes[i]!);
        if (digest !== null) digests.add(digest);
        if (diffId !== null) diffIds.add(diffId);
      }
  }

  private addFinding({ code, severity, failing }: FindingRecord, archive: number): void {
    let entry = this.byCode.get(code);
    if (entry === undefined) {
      entry = { code, severity, count: 0, failing: 0, archives: 0, first: archive, last: -1 };
      this.byCode.set(code, entry);
    }
    entry.count++;
    if (failing) entry.failing++;
    if (RANKS[severity] > RANKS[entry.severity]) entry.severity = severity;
    if (entry.last !== archive) entry.archives++;
    entry.last = archive;
  }

  /** One copy of a text that many records have. */
  private interned(text: string): string {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    this.texts.set(text, text);
    return text;
  }

  private internedOrNull(text: string | null): string | null {
    return text === null ? null : this.interned(text);
  }
}

/** The path of an archive for people: no two archives have the same. */
export const nameOfArchive = ({ path, shownPath: shown }: FleetArchive): string => shown ?? path;

export const VERDICT_NAMES: readonly VerdictName[] = ['intact', 'complete', 'conformant'];

const emptySum = () => ({ count: 0, bytes: 0, unknown: 0 });

const worded = (value: boolean | null | undefined): keyof VerdictCounts =>
  value === true ? 'yes' : value === false ? 'no' : 'unknown';

const rankOf = ({ failing, severity }: FindingRecord): number => 3 * Number(failing) + RANKS[severity];

/** Sizes, offsets and digests differ from one archive to the next. */
const withoutNumbers = (text: string): string => text.replace(/[0-9a-f]{12,}|\d+/g, '*');

/** A copy: a part of a string keeps the whole string in memory. */
const brief = (text: string): string =>
  text.length <= TEXT
    ? text
    : `${Buffer.from(text.slice(0, TEXT).replace(/[\ud800-\udbff]$/, '')).toString()}…`;
