import { fieldList, GRADE_WORDS } from '../../checks/rules-lock.js';
import type { Image } from '../../link/graph.js';
import { type LockGrade, memberAt, type Observation, observe } from '../../link/observation.js';
import { isGradeAtLeast, type Match } from '../../lock/compare.js';
import type { Lock, LockedFile } from '../../lock/lock.js';
import { span, type Text } from '../../report/doc.js';
import type { ArchiveReading } from '../../report/read.js';
import type { Judgement, RequiredObservation, Requirement } from '../../report/requirement.js';
import { isArchiveName } from '../../spec/archive-name.js';
import type { Platform } from '../../spec/platform.js';
import { normalName } from '../../spec/reference.js';
import { imageEntries, type LockEntries, referenceEntries } from './entries.js';
import { type IdentifiedImage, identifiedImages } from './images.js';

export interface LockOptions {
  /** The lock, as the user named it. */
  readonly file: string;
  /** The least grade that is accepted. */
  readonly least: LockGrade;
  /** Names other than those of the lock are errors. */
  readonly names: boolean;
  /** An image of the lock that no archive holds is a note. */
  readonly partial: boolean;
  /** The images of other platforms are not missed. */
  readonly platform?: Platform | undefined;
}

/** The part of the report that `verify --lock` adds. */
export interface LockReport {
  /** Whether every chosen image is one of the lock, and none of the lock is missing; null where there is no image. */
  readonly met: boolean | null;
  readonly file: string;
  readonly format: Lock['format'];
  readonly least: LockGrade;
  /** In the order of the report's images. */
  readonly images: readonly {
    readonly grade: LockGrade | null;
    /** The image in the lock, in words; null where it has none. */
    readonly locked: string | null;
    /** Fields of the lock that the image has not. */
    readonly lost: readonly string[];
    /** Fields of the image of which the lock does not know. */
    readonly unlocked: readonly string[];
  }[];
}

/** The requirement of `verify --lock`: every image is one of the lock, and all of the lock are here. */
export function lockRequirement(lock: Lock, options: LockOptions): Requirement {
  if (lock.format === 'sums') return new FilesLocked(lock.sums, options);
  const { file } = options;
  if (lock.format === 'references')
    return new ImagesLocked(lock.format, referenceEntries(lock.references, file), false, options);
  const withFiles = lock.images.some(({ files }) => files !== null);
  return new ImagesLocked(lock.format, imageEntries(lock.images, file), withFiles, options);
}

const NOWHERE = memberAt('');

/** An image with what the lock says of it. */
interface Verdict {
  readonly match: Match | null;
  readonly observations: readonly Observation[];
  readonly remark: Text;
}

class ImagesLocked implements Requirement {
  readonly name = 'lock';
  readonly title = 'locked';
  readonly file: string;
  readonly needs: Requirement['needs'];
  /** Entries that an image is, or whose place another takes: they are not missing besides. */
  private readonly accounted = new Set<number>();

  constructor(
    private readonly format: Lock['format'],
    private readonly entries: LockEntries,
    private readonly withFiles: boolean,
    private readonly options: LockOptions,
  ) {
    this.file = options.file;
    this.needs = withFiles ? { depth: 'files', files: { digests: true } } : { depth: 'digests' };
  }

  judge(reading: ArchiveReading, chosen: ReadonlySet<Image>): Judgement {
    const verdicts = identifiedImages(reading, this.withFiles)
      .map(one => ({ image: one.image, verdict: this.verdictOn(one, chosen.has(one.image)) }))
      .filter(({ image }) => chosen.has(image));
    const observations = verdicts.flatMap(({ image, verdict }): RequiredObservation[] =>
      verdict.observations.map(observation => ({ image, observation })),
    );
    const { file, least } = this.options;
    const images = verdicts.map(({ verdict: { match } }) => ({
      grade: match?.grade ?? null,
      locked: match === null ? null : this.entries.nameOf(match.locked),
      lost: match?.lost ?? [],
      unlocked: match?.unlocked ?? [],
    }));
    const isMet = images.every(({ grade }) => grade !== null && isGradeAtLeast(grade, least));
    const met = images.length === 0 ? null : isMet;
    const data: LockReport = { met, file, format: this.format, least, images };
    return {
      observations,
      remarks: new Map(verdicts.map(({ image, verdict }) => [image, [verdict.remark]])),
      data,
    };
  }

  closing(): readonly Observation[] {
    const { partial, platform, file: lock } = this.options;
    return Array.from({ length: this.entries.count }, (_, entry) => entry)
      .filter(entry => !this.accounted.has(entry))
      .filter(entry => platform === undefined || this.entries.isFor(entry, platform))
      .map(entry => {
        const data = { lock, locked: this.entries.nameOf(entry), digest: this.entries.digestOf(entry) };
        return observe('lock-image-missing', NOWHERE, data, partial ? 'info' : undefined);
      });
  }

  /**
   * Hazard: what is said of an image that is not chosen is not reported, so that it must hide no missing image whose
   * place it takes.
   */
  private verdictOn(one: IdentifiedImage, isChosen: boolean): Verdict {
    const { image, locked, doubts } = one;
    if (locked === null) return this.undecided(image, doubts, isChosen);
    const matches = this.entries.matches(locked);
    const [match] = matches;
    if (match === undefined) {
      const refusal = this.entries.refuse(locked);
      if (refusal.kind === 'undecided') return this.undecided(image, [refusal.doubt], isChosen);
      if (refusal.kind === 'other' && isChosen) this.accounted.add(refusal.entry);
      const words = refusal.kind === 'other' ? 'another image' : 'not in the lock';
      return {
        match: null,
        observations: [{ ...refusal.observation, at: image.at }],
        remark: ['lock  ', span(words, 'bad')],
      };
    }
    for (const { locked: entry } of matches) this.accounted.add(entry);
    return {
      match,
      observations: [
        ...this.graded(image, match),
        ...this.attached(one, match),
        ...this.named(image, match, matches),
      ],
      remark: this.remark(match),
    };
  }

  private undecided(image: Image, doubts: IdentifiedImage['doubts'], isChosen: boolean): Verdict {
    const named = isChosen ? image.names.flatMap(name => this.entries.named(name)) : [];
    for (const entry of named) this.accounted.add(entry);
    const data = { lock: this.file, doubts: [...doubts] };
    return {
      match: null,
      observations: [observe('lock-undecided', image.at, data)],
      remark: ['lock  ', span('cannot be compared', 'bad')],
    };
  }

  private graded({ at }: Image, { grade, lost, unlocked, locked }: Match): Observation[] {
    const { file: lock, least } = this.options;
    const low = { lock, locked: this.entries.nameOf(locked), grade, least };
    return [
      ...(isGradeAtLeast(grade, least) ? [] : [observe('lock-grade-low', at, low)]),
      ...(lost.length === 0 ? [] : [observe('lock-field-lost', at, { lock, fields: [...lost] })]),
      ...(unlocked.length === 0 ? [] : [observe('lock-field-unlocked', at, { lock, fields: [...unlocked] })]),
    ];
  }

  /** Signatures, attestations and SBOMs of the lock that are nowhere in the archive. */
  private attached({ part: { graph }, image }: IdentifiedImage, { locked }: Match): Observation[] {
    const here = new Set([...graph.artifacts, ...image.attestations].map(({ digest }) => digest));
    const missing = this.entries.attachedTo(locked).filter(({ digest }) => !here.has(digest));
    if (missing.length === 0) return [];
    const attached = missing.map(({ type, digest }) => ({ type, digest }));
    return [observe('lock-attached-missing', image.at, { lock: this.file, attached })];
  }

  /** Names are advisory, because engines rename images; yet a name of another image of the lock is a hazard. */
  private named({ at, names }: Image, { locked }: Match, matches: readonly Match[]): Observation[] {
    const expected = this.entries.namesOf(locked);
    const wanted = new Set(expected.map(normalName));
    const actual = new Set(names.map(normalName));
    if (actual.size === wanted.size && [...actual].every(name => wanted.has(name))) return [];
    const own = new Set(matches.map(match => match.locked));
    const taken = names.filter(name => {
      const owners = this.entries.named(name);
      return owners.length > 0 && !owners.some(entry => own.has(entry));
    });
    const data = { lock: this.file, expected: [...expected], actual: [...names], taken };
    const severity = this.options.names ? 'error' : taken.length > 0 ? 'warning' : undefined;
    return [observe('lock-name-other', at, data, severity)];
  }

  private remark({ grade, locked, lost, unlocked }: Match): Text {
    const isLow = !isGradeAtLeast(grade, this.options.least);
    const isWhole = lost.length === 0 && unlocked.length === 0;
    return [
      'lock  ',
      span(GRADE_WORDS[grade], isLow ? 'bad' : isWhole ? 'good' : 'warn'),
      ...(lost.length === 0 ? [] : [span(`, without its ${fieldList(lost)}`, 'warn')]),
      ...(unlocked.length === 0
        ? []
        : [span(`, with ${fieldList(unlocked)} that the lock does not know`, 'warn')]),
      span(`  ${this.entries.nameOf(locked)}`, 'dim'),
    ];
  }
}

/** The output of sha256sum: it says which bytes a file has, and nothing about the images in it. */
class FilesLocked implements Requirement {
  readonly name = 'lock';
  readonly title = 'locked';
  readonly file: string;
  readonly needs = { sha256: true } as const;
  private readonly accounted = new Set<number>();

  constructor(
    private readonly sums: readonly LockedFile[],
    private readonly options: LockOptions,
  ) {
    this.file = options.file;
  }

  judge(reading: ArchiveReading, chosen: ReadonlySet<Image>): Judgement {
    const { file: lock, least } = this.options;
    const digest = reading.sha256 === null ? null : `sha256:${reading.sha256}`;
    const name = fileName(reading.opened.file);
    const same = this.entriesWhere(sum => digest !== null && sum.digest === digest);
    const named = this.entriesWhere(sum => fileName(sum.file) === name);
    // As for sha256sum: a file of this name must have its bytes, and not those of another file of the list.
    const found = named.length === 0 ? same[0] : same.find(entry => named.includes(entry));
    for (const entry of found === undefined ? [...same, ...named] : same) this.accounted.add(entry);
    const locked = found === undefined ? null : this.sums[found]!.file;
    const observations = found === undefined ? [this.refused(digest, named[0])] : this.renamed(found, name);
    const grade = found === undefined ? null : 'file';
    const images = [...chosen].map(() => ({ grade, locked, lost: [], unlocked: [] }) as const);
    const data: LockReport = { met: found !== undefined, file: lock, format: 'sums', least, images };
    const remark: Text =
      locked === null
        ? ['lock  ', span('another file', 'bad')]
        : ['lock  ', span(GRADE_WORDS.file, 'good'), span(`  ${locked}`, 'dim')];
    return {
      observations: observations.map(observation => ({ image: null, observation })),
      remarks: new Map([...chosen].map(image => [image, [remark]])),
      data,
    };
  }

  /** A list of sums names other files too. */
  closing(): readonly Observation[] {
    const { file: lock, partial } = this.options;
    return this.entriesWhere(({ file }) => isArchiveName(file))
      .filter(entry => !this.accounted.has(entry))
      .map(entry => {
        const { file, digest } = this.sums[entry]!;
        const data = { lock, locked: file, digest };
        return observe('lock-image-missing', NOWHERE, data, partial ? 'info' : undefined);
      });
  }

  private entriesWhere(test: (sum: LockedFile) => boolean): number[] {
    return this.sums.flatMap((sum, i) => (test(sum) ? [i] : []));
  }

  private refused(digest: string | null, named: number | undefined): Observation {
    const { file: lock } = this.options;
    if (digest === null) return observe('lock-undecided', NOWHERE, { lock, doubts: [{ what: 'no-file' }] });
    const { file, digest: expected } = named === undefined ? { file: null, digest: null } : this.sums[named]!;
    return observe('lock-file-other', NOWHERE, { lock, locked: file, expected, actual: digest });
  }

  private renamed(entry: number, name: string): Observation[] {
    const expected = fileName(this.sums[entry]!.file);
    if (expected === name || name === '-') return [];
    const data = { lock: this.file, expected: [expected], actual: [name], taken: [] };
    return [observe('lock-name-other', NOWHERE, data, this.options.names ? 'error' : undefined)];
  }
}

const fileName = (path: string): string => path.replace(/\/+$/, '').replace(/^.*\//, '');
