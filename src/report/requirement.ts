import { Concerns } from '../checks/concerns.js';
import { type Finding, ruleOf, toFindings } from '../checks/findings.js';
import { doubtsOf, verdictsBy } from '../checks/verdicts.js';
import { type Limits, limitsOf } from '../limits.js';
import type { Image } from '../link/graph.js';
import { isAtLeast, type Observation, type Severity } from '../link/observation.js';
import { type ContentWanted, digestsTogether } from '../scan/entries/wanted.js';
import type { Depth } from '../scan/scan.js';
import type { ReportedFinding, Text } from './doc.js';
import type { ArchiveReading, PartReading, ReadOptions } from './read.js';
import type { Audit } from './reported.js';

/** The names of requirements: keys of the JSON report. */
export type RequirementName = 'lock' | 'signatures';

/**
 * A demand beyond the claims of the archive: that it is what a lock says, that a trusted key has signed it. One
 * requirement judges all archives of a run, one after the other.
 */
export interface Requirement {
  readonly name: RequirementName;
  /** The word beside the verdicts, such as `locked`. */
  readonly title: string;
  /** The file that states it, as the user named it. */
  readonly file: string;
  /** How deep an archive must be read for it. */
  readonly needs: Pick<ReadOptions, 'depth' | 'files' | 'sha256'>;
  /**
   * Judges the chosen images of an archive. Does not throw for anything in the archive.
   * @param chosen  the selected images, of all parts
   */
  judge(reading: ArchiveReading, chosen: ReadonlySet<Image>): Judgement;
  /** The parts of it that no archive of the run has met; called once, after the last one. */
  closing(): readonly Observation[];
}

/** An observation, and the image that it is about; null for the archive as a whole. */
export interface RequiredObservation {
  readonly image: Image | null;
  readonly observation: Observation;
}

/** The judgement of a requirement about one archive. */
export interface Judgement {
  /** Where it is not met, and what is worth knowing where it is. `at` is a place in the part of the image. */
  readonly observations: readonly RequiredObservation[];
  /** Lines below the verdicts of an image: `same image, repacked`. */
  readonly remarks: ReadonlyMap<Image, readonly Text[]>;
  /** For the JSON report, below the name of the requirement. `met` is null where it cannot be decided. */
  readonly data: { readonly met: boolean | null };
}

/** An archive with the findings of the requirements among its own. */
export interface Judged {
  readonly reading: ArchiveReading;
  /** By requirement, in their order. */
  readonly judgements: readonly { readonly requirement: Requirement; readonly judgement: Judgement }[];
}

/** The parts of the JSON report that requirements make. */
export type RequirementReports = { readonly [N in RequirementName]?: Judgement['data'] };

/**
 * Judges an archive. The findings concern their images, and enter verdicts, exit codes and formats as all others do.
 * @param isOnly  no other archive follows: what is missing in the end is a finding of this archive
 */
export function judged(
  reading: ArchiveReading,
  chosen: ReadonlySet<Image>,
  requirements: readonly Requirement[],
  isOnly: boolean,
): Judged {
  const closing: Observation[] = [];
  const judgements = requirements.map(requirement => {
    const judgement = requirement.judge(reading, chosen);
    const missed = isOnly ? requirement.closing() : [];
    closing.push(...missed);
    return { requirement, judgement: missed.some(isError) ? unmet(judgement) : judgement };
  });
  const observed = judgements.flatMap(({ judgement }) => judgement.observations);
  if (observed.length === 0 && closing.length === 0) return { reading, judgements };
  const about = (image: Image | null) => observed.filter(one => one.image === image);
  const ofArchive = [...about(null).map(({ observation }) => observation), ...closing];
  const { limits } = reading.parts[0]!.graph;
  const parts = reading.parts.map(part => withFindings(part, part.graph.images.flatMap(about)));
  const findings = bySeverity([...reading.findings, ...toFindings(ofArchive, limits)]);
  return { reading: { ...reading, parts, findings }, judgements };
}

const isError = ({ code, severity }: Observation) => (severity ?? ruleOf(code).severity) === 'error';

const unmet = (judgement: Judgement): Judgement => ({
  ...judgement,
  data: { ...judgement.data, met: false },
});

function withFindings(part: PartReading, observed: readonly RequiredObservation[]): PartReading {
  if (observed.length === 0) return part;
  const { scan, graph } = part;
  const owners = new Map<string, Image[]>();
  for (const { image, observation } of observed) {
    const key = keyOf(observation);
    owners.set(key, [...(owners.get(key) ?? []), image!]);
  }
  const made = toFindings(
    observed.map(({ observation }) => observation),
    graph.limits,
  );
  const findings = bySeverity([...part.findings, ...made]);
  const owned = new Map(made.map(finding => [finding, owners.get(keyOf(finding)) ?? []]));
  let concerns: Concerns | null = null;
  return {
    part: part.part,
    scan,
    graph,
    findings,
    get concerns() {
      concerns ??= new Concerns(scan, graph, findings, owned);
      return concerns;
    },
    verdicts: verdictsBy(doubtsOf(findings, graph), scan.depth !== 'metadata'),
  };
}

/** Two images may have one observation: then it is one finding about both. */
const keyOf = ({ code, at, data }: Pick<Observation, 'code' | 'at' | 'data'>) =>
  JSON.stringify([code, at, data]);

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

const bySeverity = (findings: readonly Finding[]): readonly Finding[] =>
  [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));

/** The options to read an archive as deep as a command and all requirements need. */
export function readOptionsFor(options: ReadOptions, requirements: readonly Requirement[]): ReadOptions {
  if (requirements.length === 0) return options;
  const needs = requirements.map(requirement => requirement.needs);
  const { deepen } = options;
  return {
    ...options,
    ...together([options, ...needs]),
    ...(needs.some(({ sha256 }) => sha256 === true) && { sha256: true }),
    ...(deepen !== undefined && { deepen: images => together([deepen(images), ...needs]) }),
  };
}

const DEPTHS: readonly Depth[] = ['metadata', 'digests', 'files'];

function together(
  all: readonly Pick<ReadOptions, 'depth' | 'files'>[],
): Pick<ReadOptions, 'depth' | 'files'> {
  const depth = DEPTHS[Math.max(...all.map(({ depth: own = 'digests' }) => DEPTHS.indexOf(own)))]!;
  const wanted = all.flatMap(({ files }) => files ?? []);
  return wanted.length === 0 ? { depth } : { depth, files: contentsTogether(wanted) };
}

function contentsTogether(all: readonly ContentWanted[]): ContentWanted {
  const keep = [...new Set(all.flatMap(wanted => wanted.keep ?? []))];
  const most = all.filter(wanted => wanted.keep !== undefined).map(wanted => wanted.keepBytes);
  const isBounded = most.length > 0 && most.every(bytes => bytes !== undefined);
  return {
    ...digestsTogether(all),
    ...(all.some(({ secrets }) => secrets === true) && { secrets: true }),
    ...(all.some(({ packages }) => packages === true) && { packages: true }),
    ...(keep.length > 0 && { keep }),
    ...(isBounded && { keepBytes: Math.max(...(most as number[])) }),
  };
}

/** The reports of requirements, by their names. */
export const requirementReports = ({ judgements }: Judged): RequirementReports =>
  Object.fromEntries(judgements.map(({ requirement, judgement }) => [requirement.name, judgement.data]));

/** The lines that requirements have about each chosen image, in the order of the report. */
export const remarksOn = (
  { reading, judgements }: Judged,
  chosen: ReadonlySet<Image>,
): readonly (readonly Text[])[] =>
  reading.parts
    .flatMap(({ graph }) => graph.images.filter(image => chosen.has(image)))
    .map(image => judgements.flatMap(({ judgement }) => judgement.remarks.get(image) ?? []));

/** A finding after the last archive, and the file that states the requirement. */
export interface ClosingFinding {
  readonly finding: Finding;
  readonly file: string;
}

/**
 * The findings about what none of several archives has met.
 * @param limits  of the findings that are listed
 */
export const closingOf = (
  requirements: readonly Requirement[],
  limits: Partial<Limits> = {},
): readonly ClosingFinding[] =>
  requirements.flatMap(requirement =>
    toFindings(requirement.closing(), limitsOf(limits)).map(finding => ({ finding, file: requirement.file })),
  );

/** Closing findings for the formats of CI systems. */
export const reportedClosing = (
  closing: readonly ClosingFinding[],
  failOn: Severity | 'never',
  audit: Audit,
): readonly ReportedFinding[] =>
  closing.map(({ finding: { code, severity, message, at }, file }) =>
    audit.report({
      code,
      severity,
      isFailing: isAtLeast(severity, failOn),
      message,
      explain: ruleOf(code).explain,
      archive: file,
      image: null,
      platform: null,
      path: at.path === '' ? null : at.path,
      pointer: at.pointer || null,
      layer: null,
      instruction: null,
      source: null,
      subject: `requirement ${file}`,
      place: '',
      key: [message],
    }),
  );
