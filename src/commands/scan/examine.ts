import type { BaseImage } from '../../analysis/base.js';
import { type Sizes, weigher } from '../../analysis/weigh.js';
import { isOfTheMoment } from '../../containers/source.js';
import { InputError, UsageError } from '../../errors.js';
import type { ArchiveRecord, FindingRecord, FleetCommand, ImageRecord } from '../../fleet/record.js';
import type { Limits } from '../../limits.js';
import type { Image } from '../../link/graph.js';
import type { Severity } from '../../link/observation.js';
import type { Against } from '../../policy/comparison.js';
import type { Policy } from '../../policy/policy.js';
import type { Baseline } from '../../report/baseline.js';
import type { ReportedFinding } from '../../report/doc.js';
import { type ArchiveReading, type PartReading, type ReadOptions, readArchive } from '../../report/read.js';
import { type ImageReport, partFindings, type Report } from '../../report/report.js';
import { Audit, reportedFindings } from '../../report/reported.js';
import { type Requirement, readOptionsFor } from '../../report/requirement.js';
import { requireImages, selectImages } from '../../report/select.js';
import type { KnownBlobs } from '../../scan/blob/known.js';
import type { Platform } from '../../spec/platform.js';
import type { PolicyOptions } from '../check/load.js';
import type { LockOptions } from '../lock/requirement.js';
import type { SignatureRequirementOptions } from '../signatures/requirement.js';
import { chosenImages } from '../sizes/report.js';

/** Everything that decides what a record says of an archive, as data that can be sent to a thread. */
export interface Examination {
  readonly command: FleetCommand;
  readonly ref?: string | undefined;
  readonly platform?: Platform | undefined;
  readonly failOn: Severity | 'never';
  readonly requireComplete: boolean | Platform;
  readonly requireImage: boolean;
  /** The rules that are checked too; null without. */
  readonly policy: PolicyOptions | null;
  readonly lock: LockOptions | null;
  readonly trust: SignatureRequirementOptions;
  readonly baseline: string | null;
  readonly bases: readonly BaseImage[] | undefined;
  /** By the paths of the lists that rules of the policy name. */
  readonly baseLists: ReadonlyMap<string, readonly BaseImage[]>;
  readonly against: Against | undefined;
  /** Milliseconds since 1970, one for the whole run: ages and certificates of all archives are judged by it. */
  readonly now: number;
  /** SOURCE_DATE_EPOCH in seconds; null if it is not set. */
  readonly epoch: number | null;
  readonly limits: Partial<Limits>;
}

/** The part of an archive's record that does not depend on where the archive lies. */
export type RecordBody = Omit<
  ArchiveRecord,
  'kind' | 'durationMs' | 'path' | 'pathBytes' | 'size' | 'mtime' | keyof Provenance
>;

type Provenance = Pick<ArchiveRecord, 'schemaVersion' | 'tool' | 'command' | 'policy' | 'settings' | 'shard'>;

/** How much of the machine one reading may use. */
export interface ReadingShare {
  /** Threads. */
  readonly jobs: number;
  readonly memory?: number | undefined;
  /** Facts about blobs that need not be unpacked again. */
  readonly known?: KnownBlobs | undefined;
  /** Called with the bytes that were read since the last time. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * Reads an archive once, and says all that its record has.
 * @throws InputError if there is no report about it
 */
export type Examine = (file: string, share: ReadingShare) => Promise<Examined>;

export interface Examined {
  readonly body: RecordBody;
  /**
   * False if the same bytes may give another result: the time of the run may have decided on something, such as the age
   * of an image or the end of a certificate, or something could not be read.
   */
  readonly isLasting: boolean;
}

/** The judgement of a command, in the form that records need. */
interface Judgement {
  readonly exitCode: 0 | 1;
  readonly passed?: boolean;
  readonly report: Pick<Report, 'archive' | 'verdicts'> & { readonly images: readonly ImageReport[] };
  readonly findings: readonly ReportedFinding[];
  /** For each finding the index of its image in the report. */
  readonly imageOf: readonly (number | null)[];
  readonly chosen: ReadonlySet<Image>;
}

interface Judge {
  readonly options: ReadOptions;
  readonly judge: (reading: ArchiveReading, audit: Audit) => Promise<Judgement> | Judgement;
}

/**
 * Loads policies, keys and locks. @throws InputError or UsageError for those that cannot be used
 */
export async function loadExaminer(examination: Examination): Promise<Examine> {
  const clock = new RunClock(examination.now);
  const { options, judge } = await judgeOf(examination, clock);
  const baseline = await baselineOf(examination.baseline);
  const { limits } = examination;
  return async (file, { jobs, memory, known, onProgress }) => {
    let before = 0;
    const reading = await readArchive(file, {
      ...options,
      sha256: true,
      limits,
      jobs,
      memory,
      known,
      onProgress: done => {
        onProgress?.(done - before);
        before = done;
      },
    });
    // Fingerprints of equal findings are numbered: by archive, or shards would number them otherwise.
    clock.isRead = false;
    const judgement = await judged(reading, judge, new Audit(baseline));
    const isTimed = clock.isRead || examination.trust.requireSignature === true;
    return { body: bodyOf(reading, judgement, isTimed), isLasting: !isTimed && isLasting(reading) };
  };
}

/** Whether nothing but the archive's bytes decided on what was read of it. */
const isLasting = ({ parts, opened }: ArchiveReading): boolean =>
  opened.strangers.every(({ error }) => error.isLasting) &&
  parts.every(
    ({ scan }) =>
      !scan.problems.some(isOfTheMoment) &&
      scan.members.every(member => {
        const failure = scan.facts(member)?.failure ?? null;
        return failure === null || !isOfTheMoment(failure);
      }),
  );

/**
 * The judgement on an archive that has been read. Without one, such as for an image that it does not have, it is still
 * an archive, and not one of the other files of a folder: `damaged`.
 */
async function judged(reading: ArchiveReading, judge: Judge['judge'], audit: Audit): Promise<Judgement> {
  try {
    return await judge(reading, audit);
  } catch (error) {
    const { file } = reading.opened;
    if (error instanceof UsageError)
      throw new InputError(error.message, file, null, { cause: error, damaged: true });
    if (!(error instanceof InputError) || error.damaged) throw error;
    throw new InputError(error.what, error.where, error.remedy, { cause: error, damaged: true });
  }
}

/** The time of a run, which notes that something depends on it. */
class RunClock {
  isRead = false;

  /** @param now  milliseconds since 1970 */
  constructor(private readonly now: number) {}

  /** Whole seconds since 1970. */
  get seconds(): number {
    this.isRead = true;
    return Math.floor(this.now / 1000);
  }
}

async function judgeOf(examination: Examination, clock: RunClock): Promise<Judge> {
  const { command } = examination;
  if (command === 'sizes') return sizesJudge(examination);
  const requirements = await requirementsOf(examination);
  const judge =
    examination.policy === null
      ? await verifyJudge(examination, requirements)
      : await checkJudge(examination, examination.policy, requirements, clock);
  const options = readOptionsFor(judge.options, requirements);
  return { ...judge, options: command === 'scan' ? withFiles(options) : options };
}

/** Sizes as Docker reports them need the entries of layers. */
const withFiles = ({ deepen, ...options }: ReadOptions): ReadOptions => ({
  ...options,
  depth: 'files',
  ...(deepen !== undefined && { deepen: images => ({ ...deepen(images), depth: 'files' as const }) }),
});

async function requirementsOf({ lock, trust, now }: Examination): Promise<readonly Requirement[]> {
  const { loadLock } = await import('../lock/index.js');
  const { signatureRequirement } = await import('../signatures/requirement.js');
  const signed = await signatureRequirement(trust, new Date(now));
  return [...(lock === null ? [] : [await loadLock(lock)]), ...(signed === null ? [] : [signed])];
}

async function baselineOf(baseline: string | null): Promise<Baseline | null> {
  if (baseline === null) return null;
  const { openAudit } = await import('../audit.js');
  return (await openAudit({ baseline })).baseline;
}

async function verifyJudge(
  { ref, platform, failOn, requireComplete, requireImage }: Examination,
  requirements: readonly Requirement[],
): Promise<Judge> {
  const { verified } = await import('../verify.js');
  return {
    options: { depth: 'digests', requireComplete, requireImage },
    judge: (archive, audit) => {
      const { outcome, chosen, report, reported, exitCode } = verified(archive, {
        ref,
        platform,
        failOn,
        requirements,
        audit,
        isOneOfMany: true,
      });
      const owners = imagesByData(outcome.reading, chosen);
      const imageOf = report.findings.map(({ data }) => owners.get(data) ?? null);
      return { exitCode, report, findings: reported, imageOf, chosen };
    },
  };
}

/** The index of the image that a finding is about, by the data of the finding. */
function imagesByData(reading: ArchiveReading, chosen: ReadonlySet<Image>): ReadonlyMap<unknown, number> {
  const indexes = new Map([...chosen].map((image, i) => [image, i]));
  return new Map(
    partFindings(reading, chosen).flatMap(({ part, finding }): [unknown, number][] => {
      const image = part?.concerns.imageOf(finding) ?? null;
      const index = image === null ? undefined : indexes.get(image);
      return index === undefined ? [] : [[finding.data, index]];
    }),
  );
}

async function checkJudge(
  { ref, platform, failOn, bases, baseLists, against, epoch }: Examination,
  options: PolicyOptions,
  requirements: readonly Requirement[],
  clock: RunClock,
): Promise<Judge> {
  const policy = await policyOf(options);
  const { Check, checkReadOptions } = await import('../check/index.js');
  const context = {
    get now() {
      return clock.seconds;
    },
    epoch,
    bases,
    baseLists,
    against,
  };
  const checking = new Check({ policy, context, failOn, requirements });
  return {
    options: checkReadOptions(policy, against !== undefined),
    judge: (reading, audit) => {
      const { data, findings, exitCode } = checking.checked(reading, { ref, platform }, audit);
      return {
        exitCode: exitCode as 0 | 1,
        passed: data.passed,
        report: data,
        findings,
        imageOf: data.findings.map(({ image }) => image),
        chosen: selectImages(reading, { ref, platform, mayRun: true }),
      };
    },
  };
}

async function policyOf(options: PolicyOptions): Promise<Policy> {
  const { loadPolicy } = await import('../check/load.js');
  return loadPolicy(options);
}

async function sizesJudge({ ref, platform }: Examination): Promise<Judge> {
  const { isUnknown, sizesOf, sizesReadOptions } = await import('../sizes/index.js');
  const selection = { ref, platform };
  return {
    options: sizesReadOptions({}),
    judge: (reading, audit) => {
      requireImages(reading);
      const report = sizesOf(reading, selection);
      const chosen = selectImages(reading, selection);
      const owners = imagesByData(reading, chosen);
      return {
        exitCode: report.images.some(isUnknown) ? 1 : 0,
        report,
        findings: reportedFindings(reading, chosen, { audit }),
        imageOf: report.findings.map(({ data }) => owners.get(data) ?? null),
        chosen,
      };
    },
  };
}

function bodyOf(reading: ArchiveReading, judgement: Judgement, isTimed: boolean): RecordBody {
  const { exitCode, passed, report, chosen, findings, imageOf } = judgement;
  const { archive, verdicts, images } = report;
  const { container, compression, layout, producer } = archive;
  return {
    sha256: reading.sha256 === null ? null : `sha256:${reading.sha256}`,
    exitCode,
    error: null,
    container,
    compression,
    layout,
    producer,
    verdicts,
    ...(passed !== undefined && { passed }),
    ...(isTimed && { timed: true }),
    images: chosenImages(reading, chosen).map(([part, image], i) => imageRecord(part, image, images[i]!)),
    findings: findings.map((finding, i) => findingRecord(finding, imageOf[i]!)),
  };
}

function imageRecord({ scan }: PartReading, image: Image, report: ImageReport): ImageRecord {
  const weigh = weigher(scan, null);
  const weights = image.layers.map(weigh);
  const sum = (of: (sizes: Sizes) => number | null) =>
    weights.map(of).reduce((total, size) => (total === null || size === null ? null : total + size), 0);
  const { imageId, manifestDigest, names, platform, created, verdicts } = report;
  return {
    imageId,
    manifestDigest,
    names,
    platform,
    created,
    verdicts,
    base: claimedBase(image),
    layers: report.layers.map(({ digest, diffId, size, unpackedSize }) => ({
      digest,
      diffId,
      size,
      unpackedSize,
    })),
    sizes: {
      stored: sum(({ stored }) => stored),
      unpacked: sum(({ unpacked }) => unpacked),
      docker: sum(({ docker }) => docker),
    },
  };
}

/** image-spec annotations.md: annotations of the manifest, and labels of the config with the same names. */
const [BASE_NAME, BASE_DIGEST] = [
  'org.opencontainers.image.base.name',
  'org.opencontainers.image.base.digest',
] as const;

function claimedBase({ manifest, config }: Image): ImageRecord['base'] {
  const claim = (name: string) =>
    manifest?.parsed.annotations.get(name) ?? config?.parsed?.run.labels.get(name) ?? null;
  const base = { name: claim(BASE_NAME), digest: claim(BASE_DIGEST) };
  return base.name === null && base.digest === null ? null : base;
}

const findingRecord = (
  { code, severity, isFailing, path, fingerprint, message }: ReportedFinding,
  image: number | null,
): FindingRecord => ({ code, severity, failing: isFailing, image, path, fingerprint, message });
