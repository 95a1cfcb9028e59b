import type { Sizes } from '../../analysis/weigh.js';
import type { Finding } from '../../checks/findings.js';
import { isAtLeast, type Severity } from '../../link/observation.js';
import { type Column, type Doc, gap, span, type Text } from '../../report/doc.js';
import type { Report } from '../../report/report.js';
import type { Requirement, RequirementReports } from '../../report/requirement.js';
import {
  bytes,
  count,
  findingLines,
  NONE,
  sizeWords,
  sizeWriter,
  type Units,
  verdictNames,
  verdictSpan,
} from '../../report/words.js';
import type { AttestationsCommandOptions } from '../attestations/index.js';
import type { AttestationsReport } from '../attestations/report.js';
import type { CheckReport } from '../check/index.js';
import type { IdsReport } from '../ids/index.js';
import type { PackagesOptions, PackagesReport } from '../packages/index.js';
import type { SignaturesListing } from '../signatures/index.js';
import { signerText } from '../signatures/view.js';
import type { BreakdownReport } from '../sizes/breakdown.js';
import type { SizesReport } from '../sizes/report.js';
import type { VerifyOptions, VerifyReport } from '../verify.js';
import type { WasteOptions, WasteReport } from '../waste/index.js';

/** The part of a command's report on one of several archives that is printed. */
export interface Told {
  /** Rows of a table, without the archive and its digest. Nearly always one. */
  readonly rows: readonly (readonly Text[])[];
  /** Details below the table; mostly empty. */
  readonly details: Doc;
}

/** Sums up several archives for a command. It keeps numbers, and no report. */
export interface Tally<R> {
  readonly columns: readonly Column[];
  /** @param doc  the document of the command for the archive alone */
  readonly tell: (report: R, doc: Doc) => Told;
  /**
   * The last row.
   * @param archives  number of archives, including those without a report
   */
  readonly total: (archives: number) => readonly Text[];
}

const right = (title: string): Column => ({ title, align: 'right' });

/** Adds up the known values. */
class Sum {
  private value: number | null = null;
  isWhole = true;

  add(part: number | null, isWhole = true): void {
    if (part !== null) this.value = (this.value ?? 0) + part;
    if (part === null || !isWhole) this.isWhole = false;
  }

  /** Unknown if no value is known, and `at least` if some are not. */
  text(write: (bytes: number | null) => string): string {
    return `${this.isWhole || this.value === null ? '' : 'at least '}${write(this.value ?? (this.isWhole ? 0 : null))}`;
  }
}

export function showTally(): Tally<Report> {
  let images = 0;
  let size = 0;
  return {
    columns: [{ title: 'form' }, right('size'), right('images'), { title: 'names', shrink: true }],
    tell: ({ archive, images: own }) => {
      images += own.length;
      size += archive.size;
      const { layout, container, compression } = archive;
      const form = `${layout} (${compression === 'none' ? container : `${container}, ${compression}`})`;
      const names = [...new Set(own.flatMap(image => image.names))].join(', ');
      return { rows: [[form, bytes(archive.size), String(own.length), names || NONE]], details: [] };
    },
    total: () => ['', bytes(size), String(images), ''],
  };
}

export function verifyTally({
  failOn,
  all,
  requirements = [],
}: Pick<VerifyOptions, 'failOn' | 'all' | 'requirements'>): Tally<VerifyReport> {
  let images = 0;
  const required = requirementColumns(requirements);
  const sound = { intact: 0, complete: 0, conformant: 0 };
  const severities: Record<Severity, number> = { error: 0, warning: 0, info: 0 };
  return {
    columns: [
      right('images'),
      ...verdictNames.map(title => ({ title })),
      ...required.columns,
      { title: 'findings' },
    ],
    tell: report => {
      const { images: own, verdicts, findings } = report;
      images += own.length;
      for (const name of verdictNames) if (verdicts[name] === true) sound[name]++;
      for (const { severity } of findings) severities[severity]++;
      const row = [
        String(own.length),
        ...verdictNames.map(name => [verdictSpan(verdicts[name])]),
        ...required.row(report),
      ];
      const counted = findings.filter(
        finding => finding.severity === 'error' || isAtLeast(finding.severity, failOn),
      );
      return {
        rows: [[...row, severityWords(severitiesOf(findings))]],
        details: findingLines(counted, all).slice(1),
      };
    },
    total: archives => [
      String(images),
      ...verdictNames.map(name => `${sound[name]} of ${archives}`),
      ...required.total(archives),
      severityWords(severities),
    ],
  };
}

/** A column for each requirement: whether an archive meets it. */
function requirementColumns(requirements: readonly Requirement[]) {
  const met = requirements.map(() => 0);
  return {
    columns: requirements.map(({ title }): Column => ({ title })),
    row: (report: RequirementReports): Text[] =>
      requirements.map(({ name }, i) => {
        const isMet = report[name]?.met ?? null;
        if (isMet === true) met[i]!++;
        return [verdictSpan(isMet)];
      }),
    total: (archives: number): Text[] => met.map(number => `${number} of ${archives}`),
  };
}

/** A row of `check` for each archive: whether it passed; the failing findings are details. */
export function checkTally(requirements: readonly Requirement[] = []): Tally<CheckReport> {
  let images = 0;
  const required = requirementColumns(requirements);
  let passing = 0;
  const severities: Record<Severity, number> = { error: 0, warning: 0, info: 0 };
  return {
    columns: [right('images'), { title: 'check' }, ...required.columns, { title: 'findings' }],
    tell: (report, doc) => {
      const { images: own, passed, findings } = report;
      images += own.length;
      if (passed) passing++;
      for (const { severity } of findings) severities[severity]++;
      const verdict = span(passed ? 'passed' : 'FAILED', passed ? 'good' : 'bad');
      const row = [
        String(own.length),
        [verdict],
        ...required.row(report),
        severityWords(severitiesOf(findings)),
      ];
      return { rows: [row], details: passed ? [] : withoutHead(doc.slice(1)) };
    },
    total: archives => [
      String(images),
      `${passing} of ${archives}`,
      ...required.total(archives),
      severityWords(severities),
    ],
  };
}

/** A row of `signatures` for each archive: its signatures, and how many images have one that counts. */
export function signaturesTally(): Tally<SignaturesListing> {
  const sum = { images: 0, signatures: 0, signed: 0 };
  return {
    columns: [right('images'), right('signatures'), right('signed'), { title: 'signers', shrink: true }],
    tell: ({ signatures: { images, found, met } }, doc) => {
      const signed = images.filter(image => image.signed.length > 0).length;
      sum.images += images.length;
      sum.signatures += found.length;
      sum.signed += signed;
      const signers = images.flatMap(image =>
        image.signed.flatMap(({ by }) => (by === null ? [] : [signerText(by)])),
      );
      const row = [
        String(images.length),
        String(found.length),
        String(signed),
        [...new Set(signers)].join(', ') || NONE,
      ];
      return { rows: [row], details: met === false ? withoutHead(doc.slice(1)) : [] };
    },
    total: () => [String(sum.images), String(sum.signatures), String(sum.signed), ''],
  };
}

const severitiesOf = (findings: readonly Pick<Finding, 'severity'>[]): Record<Severity, number> => {
  const counts = { error: 0, warning: 0, info: 0 };
  for (const { severity } of findings) counts[severity]++;
  return counts;
};

function severityWords({ error, warning, info }: Readonly<Record<Severity, number>>): string {
  const words = [
    ...(error > 0 ? [count(error, 'error')] : []),
    ...(warning > 0 ? [count(warning, 'warning')] : []),
    ...(info > 0 ? [count(info, 'note')] : []),
  ];
  return words.join(', ') || NONE;
}

/** @param find  a digest to search for: each row then says whether the archive has it */
export const idsTally = (find: string | undefined): Tally<IdsReport> =>
  find === undefined ? imagesTally() : findTally();

function imagesTally(): Tally<IdsReport> {
  let images = 0;
  return {
    columns: [
      { title: 'image', shrink: true },
      { title: 'image ID', fold: true },
      { title: 'manifest digest', fold: true },
    ],
    tell: ({ images: own }) => {
      images += own.length;
      const rows = own.map(image => {
        const name = [...image.names, image.platform].filter(part => part !== null).join(', ');
        return [name || '(untagged)', image.imageId ?? image.v1Id ?? NONE, image.manifestDigest ?? NONE];
      });
      return { rows: rows.length === 0 ? [['no image', NONE, NONE]] : rows, details: [] };
    },
    total: () => [count(images, 'image'), '', ''],
  };
}

function findTally(): Tally<IdsReport> {
  let having = 0;
  return {
    columns: [{ title: 'found' }, { title: 'what it is', shrink: true }],
    tell: ({ find }) => {
      const matches = find?.matches ?? [];
      if (matches.length > 0) having++;
      const found = matches.length > 0 ? span('yes', 'good') : span('no', 'dim');
      const words = matches.map(({ what, of }) => (of === null ? what : `${what} of ${of}`));
      return { rows: [[[found], [...new Set(words)].join('; ') || NONE]], details: [] };
    },
    total: archives => [`${having} of ${archives}`, ''],
  };
}

const SIZES = ['stored', 'compressed', 'unpacked', 'docker'] as const satisfies readonly (keyof Sizes)[];

/** @param detailed  print the tables of each archive, even without a sum by files */
export function sizesTally({
  units,
  detailed = false,
}: {
  readonly units: Units;
  readonly detailed?: boolean;
}): Tally<SizesReport> {
  const write = sizeWriter(units);
  let images = 0;
  const sums = SIZES.map(() => new Sum());
  return {
    columns: [right('images'), ...SIZES.map(right)],
    tell: ({ images: own, sizes }, doc) => {
      images += own.length;
      if (own.length === 0) return { rows: [['0', ...SIZES.map(() => NONE)]], details: [] };
      for (const [i, name] of SIZES.entries()) sums[i]!.add(sizes[name], !sizes.partial?.includes(name));
      const hasRows = own.some(
        ({ breakdown }: { readonly breakdown: BreakdownReport | null }) => breakdown !== null,
      );
      const row = [
        String(own.length),
        ...SIZES.map(name =>
          sizes[name] === null && name === 'compressed' ? NONE : sizeWords(sizes, name, write),
        ),
      ];
      return { rows: [row], details: hasRows || detailed ? withoutHead(doc) : [] };
    },
    // The compressed size of layers that are stored uncompressed is not known.
    total: () => [
      String(images),
      ...sums.map((sum, i) => (SIZES[i] === 'compressed' && !sum.isWhole ? NONE : sum.text(write))),
    ],
  };
}

/** Removes the first block of a document, because a heading takes its place. */
const withoutHead = (doc: Doc): Doc => {
  const rest = doc.slice(1);
  return rest[0] === gap ? rest.slice(1) : rest;
};

const percent = (part: number | null) => (part === null ? NONE : `${(part * 100).toFixed(2)} %`);

export function wasteTally({ units, score, top }: WasteOptions): Tally<WasteReport> {
  const write = sizeWriter(units);
  const sums = { images: 0, ours: new Sum(), dive: new Sum() };
  const [ours, dive] = [score !== 'dive', score !== 'ours'];
  return {
    columns: [
      right('images'),
      ...(ours ? [right('wasted'), right('efficiency')] : []),
      ...(dive ? [right('dive wasted'), right('dive efficiency')] : []),
    ],
    tell: ({ images }, doc) => {
      const wasted = totalOf(images.map(({ waste }) => waste.total));
      const inDive = totalOf(images.map(image => image.dive?.wastedBytes ?? null));
      sums.images += images.length;
      sums.ours.add(wasted);
      sums.dive.add(inDive);
      const row = [
        String(images.length),
        ...(ours ? [write(wasted), percent(lowest(images.map(({ waste }) => waste.efficiency)))] : []),
        ...(dive
          ? [write(inDive), percent(lowest(images.map(image => image.dive?.efficiency ?? null)))]
          : []),
      ];
      return { rows: [row], details: top === undefined ? [] : withoutHead(doc) };
    },
    total: () => [
      String(sums.images),
      ...(ours ? [sums.ours.text(write), ''] : []),
      ...(dive ? [sums.dive.text(write), ''] : []),
    ],
  };
}

/** @param options  filters: with them, the packages are listed below the table */
export function packagesTally({
  types,
  named,
  in: layer,
  ours,
  by,
  top,
}: PackagesOptions): Tally<PackagesReport> {
  const isListed = ours === true || [types, named, layer, by, top].some(option => option !== undefined);
  let images = 0;
  let all = 0;
  return {
    columns: [right('images'), right('packages'), { title: 'types', shrink: true }],
    tell: ({ images: own }, doc) => {
      const counts = new Map<string, number>();
      for (const { packages } of own)
        for (const { type } of packages) counts.set(type, (counts.get(type) ?? 0) + 1);
      const found = own.reduce((sum, { packages }) => sum + packages.length, 0);
      images += own.length;
      all += found;
      const isWhole = own.every(({ packageNotes, faults }) => packageNotes.length + faults.length === 0);
      const words = [...counts].map(([type, number]) => `${number} ${type}`).join(', ');
      const row = [String(own.length), `${isWhole ? '' : 'at least '}${found}`, words || NONE];
      return { rows: [row], details: isListed && found > 0 ? withoutHead(doc) : [] };
    },
    total: () => [String(images), String(all), ''],
  };
}

/** @param options  with a comparison, the documents are listed below the table */
export function attestationsTally({ compare }: AttestationsCommandOptions): Tally<AttestationsReport> {
  const sums = { images: 0, sboms: 0, provenances: 0, others: 0 };
  return {
    columns: [right('images'), right('SBOMs'), right('provenances'), right('others'), { title: 'about' }],
    tell: ({ images }, doc) => {
      const documents = images.flatMap(image => image.documents);
      const of = (wanted: string) => documents.filter(({ kind }) => kind === wanted).length;
      const [sboms, provenances, others] = [of('sbom'), of('provenance'), of('other')];
      sums.images += images.length;
      sums.sboms += sboms;
      sums.provenances += provenances;
      sums.others += others;
      const isForeign = documents.some(
        ({ subject }) => subject === 'another-image' || subject === 'elsewhere',
      );
      const isStated = documents.every(({ subject }) => subject !== 'unstated');
      const own = isStated ? 'these images' : 'not all state it';
      const about = documents.length === 0 ? NONE : isForeign ? span('ANOTHER image', 'bad') : own;
      const row = [String(images.length), String(sboms), String(provenances), String(others), [about]];
      const isListed = isForeign || (compare === true && documents.length > 0);
      return { rows: [row], details: isListed ? withoutHead(doc) : [] };
    },
    total: () => [sums.images, sums.sboms, sums.provenances, sums.others].map(String).concat(''),
  };
}

const totalOf = (parts: readonly (number | null)[]): number | null =>
  parts.includes(null) ? null : (parts as readonly number[]).reduce((sum, part) => sum + part, 0);

/** The lowest value; null if one is not known, or there is none. */
const lowest = (parts: readonly (number | null)[]): number | null =>
  parts.length === 0 || parts.includes(null) ? null : Math.min(...(parts as readonly number[]));
