import type { BaseImage } from '../analysis/base.js';
import { type DiveScore, diveScore } from '../analysis/dive.js';
import { type ImageFiles, unpack } from '../analysis/hidden-files.js';
import { type InstalledIn, installedIn } from '../analysis/installed.js';
import { shownStep } from '../analysis/instruction.js';
import { type ImagePackages, packagesIn } from '../analysis/packages.js';
import { type ImageSecret, secretsOf } from '../analysis/secrets.js';
import { type Waste, wasteOf } from '../analysis/waste.js';
import { type Sizes, sumOf, weigher } from '../analysis/weigh.js';
import { type Attestation, attestationsOf } from '../attestations/discover.js';
import { type LayerEntry, layerEntries } from '../filesystem/layer-changes.js';
import { layerFaults, tablesOf } from '../filesystem/layer-tables.js';
import type { Image, Location } from '../link/graph.js';
import { type ArchiveReading, type PartReading, pathIn } from '../report/read.js';
import type { ImageReport, Report } from '../report/report.js';
import { contentOf } from '../scan/entries/content.js';
import type { EntryTable } from '../scan/entries/table.js';
import { goField, isObject, type Json, type JsonObject } from '../spec/json.js';
import { type Against, type Comparison, comparisonOf } from './comparison.js';
import {
  differingLinks,
  type Extent,
  type ImageFile,
  type LinkedFiles,
  unusualFilesOf,
} from './image-files.js';
import { type Inventory, inventoryOf } from './inventory.js';

/** The circumstances of a check besides the archive. */
export interface CheckContext {
  /** Seconds since 1970: the clock, or SOURCE_DATE_EPOCH. */
  readonly now: number;
  /** SOURCE_DATE_EPOCH, where the environment has one. */
  readonly epoch: number | null;
  /** Bases that the command line names. */
  readonly bases?: readonly BaseImage[] | undefined;
  /** Bases of the lists that rules name, by the paths of these. */
  readonly baseLists?: ReadonlyMap<string, readonly BaseImage[]> | undefined;
  /** Earlier images, to compare with. */
  readonly against?: Against | undefined;
}

/**
 * How a container of an image runs, with what the parsed config leaves out. Anything of another type counts as not set.
 * Values may be secrets: rules compare them, and mask them in the data of a breach, because findings go to logs.
 */
export interface RunSettings {
  /** Empty where none is set. */
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  /** As the config has them: `8080/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
  /** The test's words; null where there is none, and for NONE. */
  readonly healthcheck: readonly string[] | null;
  readonly env: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

/** One image as rules look at it. What takes work is made when it is asked for, once for all rules. */
export class ImageSubject {
  private readonly made = new Map<string, unknown>();

  constructor(
    readonly part: PartReading,
    readonly image: Image,
    readonly report: ImageReport,
    /** Index into the images of the report. */
    readonly index: number,
    readonly context: CheckContext,
  ) {}

  get names(): readonly string[] {
    return this.image.names;
  }

  /** The image's first name; its platform or ID where it has none. */
  get label(): string {
    const { names, platform, imageId, v1Id } = this.report;
    return names[0] ?? platform ?? imageId ?? v1Id ?? '(untagged)';
  }

  get run(): RunSettings {
    return this.once('run', () => runSettings(this.image));
  }

  /** Where a setting stands in the config document; its `config` object where it is not set. */
  configPlace(key?: string): Location {
    const { config, at } = this.image;
    const path = config?.member?.path;
    if (path === undefined) return { path: pathIn(this.part.part, at.path), pointer: at.pointer };
    const isSet = key !== undefined && goField(runObject(this.image), key) !== undefined;
    return { path: pathIn(this.part.part, path), pointer: isSet ? `/config/${key}` : '/config' };
  }

  /** The instruction that made a layer, as its Dockerfile has it; null where nothing tells. */
  instructionOf(layer: number): string | null {
    return shownStep(this.image.layers[layer]?.createdBy ?? '') || null;
  }

  /** The last instruction of the history that begins with a word, such as `USER`; null where there is none. */
  lastInstruction(word: string): string | null {
    const steps = this.image.config?.parsed?.history ?? [];
    const lines = steps.map(({ createdBy }) => shownStep(createdBy ?? ''));
    return lines.findLast(line => line.startsWith(`${word} `)) ?? null;
  }

  get layerSizes(): readonly Sizes[] {
    return this.once('layerSizes', () => this.image.layers.map(weigher(this.part.scan, null)));
  }

  get sizes(): Sizes {
    return this.once('sizes', () => sumOf(this.layerSizes));
  }

  /** The entries of the layers, base first, at depth `files`; null for a layer without any that can be read. */
  get tables(): readonly (EntryTable | null)[] {
    return this.once('tables', () => tablesOf(this.part.scan, this.image));
  }

  get unpacked(): ImageFiles {
    return this.once('unpacked', () => unpack(this.tables));
  }

  /** Read with `ContentWanted.secrets`; without it those of the config alone. */
  get secrets(): readonly ImageSecret[] {
    return this.once('secrets', () => secretsOf(this.image, this.tables, () => this.unpacked));
  }

  /** Entries of layers that later layers deleted or replaced, in the order of the layers. */
  get hiddenEntries(): readonly LayerEntry[] {
    return this.once('hiddenEntries', () =>
      layerEntries(this.tables, () => true).entries.filter(({ gone }) => gone !== null),
    );
  }

  /** The packages of the databases that are in the image, where their contents were kept. */
  get installed(): InstalledIn {
    return this.once('installed', () => installedIn(this.unpacked.tree, this.tables));
  }

  /** All packages, of languages too, where files were read with `WANTED_FOR_PACKAGES`. */
  get packages(): ImagePackages {
    return this.once('packages', () => packagesIn(this.tables));
  }

  /** The SBOMs, provenances and other statements that hang on the image. */
  get attestations(): readonly Attestation[] {
    return attestationsOf(this.part, this.image);
  }

  /** The facts that are compared with earlier and later images. */
  get inventory(): Inventory {
    return this.once('inventory', () => inventoryOf(this));
  }

  /** The earlier image, and what is other than there. */
  get comparison(): Comparison | null {
    const { against } = this.context;
    return against === undefined ? null : this.once('comparison', () => comparisonOf(this, against));
  }

  /** See `unusualFilesOf`. */
  unusualFiles(extent: Extent): readonly ImageFile[] {
    return this.once(`unusual ${extent}`, () => unusualFilesOf(this, extent));
  }

  /** Hard links that give their files another mode, owner or other attributes. */
  get differingLinks(): LinkedFiles {
    return this.once('differingLinks', () => differingLinks(this.unpacked.tree, this.tables));
  }

  get waste(): Waste {
    return this.once('waste', () => wasteOf(this.unpacked));
  }

  /** null where not every layer can be read, and for what dive itself would not read. */
  get dive(): DiveScore | null {
    return this.once('dive', () => {
      const known = this.tables.filter(table => table !== null);
      return this.unread === null && known.length === this.tables.length ? diveScore(known) : null;
    });
  }

  /** Why not all files of the image are known, in a few words; null where they are. */
  get unread(): string | null {
    return this.once('unread', () => {
      const fault = layerFaults(this.part.scan, this.image).find(({ kind }) => kind === 'incomplete');
      return fault === undefined ? null : `layer ${fault.layer + 1}: ${fault.reason}`;
    });
  }

  /**
   * The content of a file of the image, links followed, that a rule's `needs` asked for.
   * @param path  bytes, one per character, without a leading slash
   * @returns null where there is no such file, or it was not kept
   */
  content(path: string): Uint8Array | null {
    const { node } = this.unpacked.tree.follow(path);
    const table = node === null ? null : this.tables[node.inode.layer];
    return node === null || table == null ? null : contentOf(table, node.inode.index);
  }

  private once<T>(key: string, make: () => T): T {
    if (!this.made.has(key)) this.made.set(key, make());
    return this.made.get(key) as T;
  }
}

/** The images of a reading that were chosen, in the order of their report. */
export function subjectsOf(
  { parts }: ArchiveReading,
  chosen: ReadonlySet<Image>,
  report: Report,
  context: CheckContext,
): ImageSubject[] {
  return parts
    .flatMap(part => part.graph.images.filter(image => chosen.has(image)).map(image => ({ part, image })))
    .map(({ part, image }, i) => new ImageSubject(part, image, report.images[i]!, i, context));
}

const NO_OBJECT: JsonObject = {};

/** The `config` object of the config document. */
function runObject({ config }: Image): JsonObject {
  const root = config?.document?.value;
  const run = isObject(root) ? goField(root, 'config') : undefined;
  return isObject(run) ? run : NO_OBJECT;
}

function runSettings(image: Image): RunSettings {
  const fields = runObject(image);
  const parsed = image.config?.parsed?.run ?? null;
  const keysOf = (key: string) => {
    const value = goField(fields, key);
    return isObject(value) ? Object.keys(value) : [];
  };
  const workingDir = goField(fields, 'WorkingDir');
  return {
    user: parsed?.user ?? '',
    entrypoint: parsed?.entrypoint ?? [],
    cmd: parsed?.cmd ?? [],
    workingDir: typeof workingDir === 'string' ? workingDir : '',
    exposedPorts: keysOf('ExposedPorts'),
    volumes: keysOf('Volumes'),
    healthcheck: healthcheckOf(goField(fields, 'Healthcheck')),
    env: parsed?.env ?? [],
    labels: new Map(parsed?.labels ?? []),
  };
}

/** `["NONE"]` switches off that of a base image. https://github.com/moby/docker-image-spec (Healthcheck) */
function healthcheckOf(value: Json | undefined): readonly string[] | null {
  const test = isObject(value) ? goField(value, 'Test') : undefined;
  if (!Array.isArray(test) || test.length === 0 || test[0] === 'NONE') return null;
  return test.map(String);
}
