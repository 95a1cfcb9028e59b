import { createHash } from 'node:crypto';
import { shownStep } from '../analysis/instruction.js';
import { type Finding, ruleOf } from '../checks/findings.js';
import type { InputError } from '../errors.js';
import type { Image } from '../link/graph.js';
import { isAtLeast, type Severity } from '../link/observation.js';
import { withoutSecrets } from '../secrets/search.js';
import type { HistoryEntry } from '../spec/config.js';
import { formatPlatform } from '../spec/platform.js';
import { parseReference } from '../spec/reference.js';
import type { Baseline } from './baseline.js';
import type { DockerfileLines, ReportedArchive, ReportedFinding, Result } from './doc.js';
import { type ArchiveReading, type PartReading, pathIn } from './read.js';
import { type PartFinding, partFindings } from './report.js';

/** Compares a Dockerfile with the history of an image: see `analysis/dockerfile.ts`. */
export interface DockerfileMatcher {
  /** As the user named it. */
  readonly file: string;
  /** The lines of each step of the history, or the first difference. */
  readonly match: (history: readonly HistoryEntry[]) => HistoryLines | { readonly mismatch: string };
}

export interface HistoryLines {
  /** By index of the history; null for steps of the base image. */
  readonly steps: readonly (Omit<DockerfileLines, 'file'> | null)[];
}

/** A finding before it has a fingerprint. */
export interface FindingFacts extends Omit<ReportedFinding, 'fingerprint'> {
  /**
   * Distinguishes findings with the same code and place, such as the name of a variable. No digests, sizes or times.
   */
  readonly key?: readonly string[];
}

/** The state that the findings of all archives of one run share: fingerprints, a baseline and a Dockerfile. */
export class Audit {
  private readonly prints = new Map<string, number>();
  private readonly lines = new Map<Image, HistoryLines | null>();
  private readonly mismatches: { readonly image: string; readonly why: string }[] = [];

  constructor(
    readonly baseline: Baseline | null = null,
    private readonly dockerfile: DockerfileMatcher | null = null,
  ) {}

  /** Computes the fingerprint of a finding. Findings with equal stable data are numbered in their order. */
  report({ key = [], ...facts }: FindingFacts): ReportedFinding {
    const { code, subject, place } = facts;
    const stable = JSON.stringify([code, subject, place, ...key]);
    const times = this.prints.get(stable) ?? 0;
    this.prints.set(stable, times + 1);
    const text = times === 0 ? stable : `${stable}#${times + 1}`;
    return { ...facts, fingerprint: createHash('sha256').update(text).digest('hex') };
  }

  /** Records that an image was checked, with or without findings. */
  examine(image: Image): void {
    this.baseline?.examine(subjectOf([image]));
    this.linesOf(image);
  }

  /**
   * Lines of the Dockerfile that made a layer, or a setting.
   * @param step  index of the layer, base 0; or the `created_by` of a history entry, with or without secrets
   */
  sourceOf(image: Image, step: number | string): DockerfileLines | null {
    const lines = this.linesOf(image)?.steps ?? [];
    const history = historyOf(image);
    const wanted = typeof step === 'string' ? shownStep(step) : '';
    const steps = history.flatMap(({ createdBy, emptyLayer }, i) => {
      const isMeant = typeof step === 'string' ? shownStep(createdBy ?? '') === wanted : !emptyLayer;
      return isMeant ? [lines[i] ?? null] : [];
    });
    const found = typeof step === 'string' ? steps.at(-1) : steps[step];
    return found == null ? null : { file: this.dockerfile!.file, ...found };
  }

  /** Remarks about the run as a whole, one line each. */
  notes(): readonly string[] {
    const [first, ...others] = this.mismatches;
    const more = others.length === 0 ? '' : `, nor of ${others.length} more`;
    return [
      ...(first === undefined
        ? []
        : [
            `${this.dockerfile!.file}: its instructions are not the history of ${first.image}${more}: ${first.why}; findings name members of the archive instead of lines`,
          ]),
      ...(this.baseline?.notes() ?? []),
    ];
  }

  private linesOf(image: Image): HistoryLines | null {
    if (this.dockerfile === null) return null;
    const known = this.lines.get(image);
    if (known !== undefined) return known;
    const match = this.dockerfile.match(historyOf(image));
    const lines = 'mismatch' in match ? null : match;
    this.lines.set(image, lines);
    if ('mismatch' in match)
      this.mismatches.push({ image: nameOf(image) ?? 'the image', why: match.mismatch });
    return lines;
  }
}

const historyOf = (image: Image): readonly HistoryEntry[] => image.config?.parsed?.history ?? [];

const HEX = /[0-9a-f]{32,}/gi;
export const withoutDigests = (text: string): string => text.replace(HEX, '*');

const platformOf = ({ platform }: Image): string | null =>
  platform === null ? null : formatPlatform(platform);

/** The first name of an image, or its platform. */
export const nameOf = (image: Image): string | null => image.names[0] ?? platformOf(image);

/** Names that several images of an archive have: the platforms of one image. */
export function sharedNames(images: readonly Image[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const name of images.map(nameOf)) {
    if (name === null) continue;
    if (seen.has(name)) shared.add(name);
    seen.add(name);
  }
  return shared;
}

/** The platform of an image, if its name does not say which image it is. */
export const platformBeside = (image: Image | null, shared: ReadonlySet<string>): string | null =>
  image !== null && shared.has(image.names[0] ?? '') ? platformOf(image) : null;

/** A repository, without the tag that each build may change; null for a name that is a tag alone. */
export function repositoryOf(name: string): string | null {
  if (!/[:/@]/.test(name)) return null;
  const reference = parseReference(name);
  return typeof reference === 'string' ? withoutDigests(name) : `${reference.domain}/${reference.path}`;
}

/** Identifies images by properties that are the same in each build: repositories and platforms. */
export function subjectOf(images: readonly Image[]): string {
  const subjects = images.map(image => {
    const repositories = image.names.flatMap(name => repositoryOf(name) ?? []);
    return (
      [...new Set(repositories)]
        .sort()
        .concat(platformOf(image) ?? [])
        .join(' ') || '(untagged)'
    );
  });
  return [...new Set(subjects)].sort().join(', ');
}

/** How the findings of an archive are reported. */
export interface ReportingOptions {
  /** Findings of this severity or worse fail. Default: none. */
  readonly failOn?: Severity | 'never' | undefined;
  /** The state that all archives of the run share. */
  readonly audit?: Audit | undefined;
}

/**
 * The findings of a report for the formats of CI systems, in its order.
 * @param chosen  the selected images. Default: all
 */
export function reportedFindings(
  reading: ArchiveReading,
  chosen?: ReadonlySet<Image>,
  { failOn = 'never', audit = new Audit() }: ReportingOptions = {},
): readonly ReportedFinding[] {
  const whole = examineAll(reading, chosen, audit);
  const shared = sharedNames(reading.parts.flatMap(({ graph }) => graph.images));
  return partFindings(reading, chosen).map(told =>
    audit.report(factsOf(reading, told, { failOn, audit, whole, shared })),
  );
}

/**
 * Records that an archive and its images were checked. @returns the subject of findings about the archive as a whole
 */
export function examineAll(
  reading: ArchiveReading,
  chosen: ReadonlySet<Image> | undefined,
  audit: Audit,
): string {
  const whole = archiveSubject(reading);
  audit.baseline?.examine(whole);
  for (const { graph } of reading.parts)
    for (const image of graph.images) if (chosen?.has(image) ?? true) audit.examine(image);
  return whole;
}

/** Identifies an archive by its images, or by its file name if it has none. */
function archiveSubject({ opened, parts }: ArchiveReading): string {
  const subject = subjectOf(parts.flatMap(({ graph }) => graph.images));
  return `archive of ${subject || fileName(opened.file)}`;
}

const fileName = (file: string) => file.replace(/\/+$/, '').replace(/^.*\//, '');

/** Shared by the findings of one archive. */
export interface Surroundings {
  readonly failOn: Severity | 'never';
  readonly audit: Audit;
  /** The subject of findings about the archive. */
  readonly whole: string;
  /** See `sharedNames`. */
  readonly shared: ReadonlySet<string>;
}

/** The facts of a finding of `verify`. Secrets in its instruction are asterisks. */
export function factsOf(
  { opened }: ArchiveReading,
  { part, finding }: PartFinding,
  { failOn, audit, whole, shared }: Surroundings,
): FindingFacts {
  const { code, severity, at, message, unlisted } = finding;
  const image = part?.concerns.imageOf(finding) ?? null;
  const layer = image === null ? null : layerOf(image, finding);
  const createdBy = layer === null ? null : (image!.layers[layer]?.createdBy ?? null);
  return {
    code,
    severity,
    isFailing: isAtLeast(severity, failOn),
    message,
    explain: ruleOf(code).explain,
    archive: opened.file,
    image: image === null ? null : nameOf(image),
    platform: platformBeside(image, shared),
    path: at.path === '' ? null : part === null ? at.path : pathIn(part.part, at.path),
    pointer: at.pointer || null,
    layer,
    instruction: createdBy === null ? null : withoutSecrets(createdBy),
    source: layer === null ? null : audit.sourceOf(image!, layer),
    subject: image === null ? whole : subjectOf([image]),
    place: placeOf(part, image, layer, at.path),
    ...(unlisted !== undefined && { unlisted }),
    key: keyOf(finding, image, layer),
  };
}

/** The layer that the data of a finding names, or whose blob it is about. */
function layerOf(image: Image, { at, data }: Finding): number | null {
  const told = (data as { readonly layer?: unknown }).layer;
  if (typeof told === 'number') return told;
  const layer = image.layers.findIndex(
    ({ member, at: claim }) =>
      member?.path === at.path || (claim.path === at.path && claim.pointer === at.pointer),
  );
  return layer < 0 ? null : layer;
}

function placeOf(part: PartReading | null, image: Image | null, layer: number | null, path: string): string {
  const inside = part?.part.inside == null ? '' : `${withoutDigests(part.part.inside)}!/`;
  if (image === null) return inside + withoutDigests(path);
  if (layer !== null) return inside + layerPlace(image, layer);
  if (image.config?.member?.path === path) return `${inside}config`;
  if (image.manifest?.path === path) return `${inside}manifest`;
  return inside + withoutDigests(path);
}

/**
 * Identifies a layer by its instruction, which does not change if layers are added before it; without one by its
 * number.
 */
export function layerPlace({ layers }: Image, layer: number): string {
  const made = shownStep(layers[layer]?.createdBy ?? '');
  return made === '' ? `layer ${layer + 1}` : `layer of ${withoutDigests(made)}`;
}

/** Data of findings that are names, not measures, digests or reasons. */
const NAMES = ['name', 'path', 'other', 'field', 'key', 'what', 'limit', 'bug', 'kind', 'parent'] as const;

function keyOf({ at, data }: Finding, image: Image | null, layer: number | null): readonly string[] {
  const values = data as Readonly<Record<string, unknown>>;
  const named = NAMES.flatMap(name => {
    const value = values[name];
    return typeof value === 'string' ? [`${name}=${withoutDigests(value)}`] : [];
  });
  // The index of a known image in a list changes if other images are added or removed.
  const pointer = withoutDigests(at.pointer ?? '');
  const where = image === null ? pointer : pointer.replace(/\/\d+(?=\/|$)/g, '/*');
  const number = layer === null && typeof values.layer === 'number' ? [`layer=${values.layer}`] : [];
  return [`at=${where}`, ...named, ...number];
}

/** The finding for an archive without a report. */
export function unreadable(file: string, { what, remedy }: InputError, audit: Audit): ReportedFinding {
  const rule = ruleOf('archive-unreadable');
  const reason = remedy === null ? what : `${what}. ${remedy.replace(/\s+/g, ' ').trim()}`;
  return audit.report({
    code: 'archive-unreadable',
    severity: rule.severity,
    isFailing: true,
    message: rule.message({ reason } as never),
    explain: rule.explain,
    archive: file,
    image: null,
    platform: null,
    path: null,
    pointer: null,
    layer: null,
    instruction: null,
    source: null,
    subject: `archive ${fileName(file)}`,
    place: '',
  });
}

/** An archive with a report, as formats of CI systems list it. */
export const reportedArchive = (
  { opened }: ArchiveReading,
  exitCode: ReportedArchive['exitCode'],
  hidden = 0,
): ReportedArchive => ({ archive: opened.file, exitCode, error: null, hidden });

/** The part of a result besides its report. Its findings fail only as `failOn` says. */
export const auditedResult = (
  reading: ArchiveReading,
  chosen: ReadonlySet<Image>,
  exitCode: Result['exitCode'],
  { failOn, audit }: ReportingOptions,
): Pick<Result, 'exitCode' | 'findings' | 'archives'> => ({
  exitCode,
  findings: reportedFindings(reading, chosen, { failOn, audit }),
  archives: [reportedArchive(reading, exitCode)],
});
