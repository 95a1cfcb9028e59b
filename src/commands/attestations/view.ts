import type { SbomComparison, SbomDifference } from '../../attestations/compare.js';
import type { AttestationProblem, SubjectVerdict } from '../../attestations/discover.js';
import type { Provenance } from '../../attestations/provenance.js';
import { type Doc, gap, limitedTable, type Span, span, type Text, text } from '../../report/doc.js';
import { archiveHead, bytes, count, id, imageTitle } from '../../report/words.js';
import { signerText } from '../signatures/view.js';
import type { AttestationsCommandOptions } from './index.js';
import type { AttestationsReport, DocumentReport, ImageDocuments } from './report.js';

/** Rows of a table of differences in a printed report. */
const ROWS = 25;

export function attestationsDoc(
  report: AttestationsReport,
  imagesInAll: number,
  options: AttestationsCommandOptions,
): Doc {
  const { images, unattached } = report;
  const title = text([span('about manifests that are not in this archive', 'strong')]);
  return [
    ...archiveHead(report, imagesInAll),
    ...images.flatMap(image => imageDoc(image, options)),
    ...(unattached.length === 0 ? [] : [gap, title]),
    ...unattached.flatMap(document => documentDoc(document, options)),
  ];
}

function imageDoc(image: ImageDocuments, options: AttestationsCommandOptions): Doc {
  const { documents } = image;
  const none =
    options.kinds === undefined ? 'no attestation is attached' : 'no attestation of this kind is attached';
  return [
    gap,
    imageTitle(image),
    ...(documents.length === 0 ? [text([span(none, 'dim')], 2)] : []),
    ...documents.flatMap(document => documentDoc(document, options)),
  ];
}

function documentDoc(document: DocumentReport, options: AttestationsCommandOptions): Doc {
  const { top = ROWS, verifier } = options;
  const { sbom, provenance, problem, digest, size, predicateType, mediaType } = document;
  const rows: [string, Text][] = [
    ['predicate', predicateType ?? mediaType ?? '-'],
    ['document', `${id(digest)}${size === null ? '' : `, ${bytes(size)}`}`],
    ['about', [subjectSpan(document)]],
    ['signed', signedSpan(document, verifier != null)],
    ...(provenance === null ? [] : provenanceRows(provenance)),
  ];
  if (problem !== null) rows.push(['problem', [span(problemText(problem), 'bad')]]);
  return [
    gap,
    text([span(titleOf(document), 'strong')], 2),
    { kind: 'pairs', rows },
    ...(sbom?.comparison === undefined ? [] : comparisonDoc(sbom.comparison, top)),
  ];
}

function signedSpan({ signed, signer }: DocumentReport, isTrusting: boolean): Text {
  if (signer !== null) return [span(`by ${signerText(signer)}, verified`, 'good')];
  if (signed) return 'yes, and not verified without --key, --certificate-identity or --notation-trust-store';
  return isTrusting ? [span('by none of those who are trusted: `waybill signatures` says why', 'bad')] : 'no';
}

const FORMATS = { spdx: 'SPDX', cyclonedx: 'CycloneDX', syft: 'syft' } as const;

function titleOf({ kind, sbom }: DocumentReport): string {
  if (sbom === null) return kind === 'provenance' ? 'provenance' : 'statement';
  const { format, version, packages } = sbom;
  const listed = packages === null ? 'packages not known' : count(packages, 'package');
  return `SBOM, ${FORMATS[format]}${version === null ? '' : ` ${version}`}, ${listed}`;
}

const SUBJECTS: Readonly<Record<SubjectVerdict, readonly [words: string, style: Span['style']]>> = {
  image: ['this image: its manifest is a subject', 'good'],
  index: ['the index that lists this image', 'good'],
  'another-image': ['ANOTHER image of this archive', 'bad'],
  elsewhere: ['ANOTHER manifest, which is not in this archive', 'bad'],
  unstated: ['not stated: it has no subject, and is only attached', 'warn'],
};

function subjectSpan({ subject, subjects, subjectCount }: DocumentReport): Span {
  const [words, style] = SUBJECTS[subject];
  const isOther = subject === 'another-image' || subject === 'elsewhere';
  const which = isOther ? `: ${id(subjects[0] ?? null)}` : '';
  return span(`${words}${which}${subjectCount > 1 ? `; ${subjectCount} subjects` : ''}`, style);
}

/** Materials that are printed. */
const MATERIALS = 5;
const NOT_STATED: Text = [span('not stated', 'dim')];

function provenanceRows(provenance: Provenance): [string, Text][] {
  const { builder, buildType, source, materials, materialCount, started, finished } = provenance;
  const shown = materials.slice(0, MATERIALS).map(({ uri, digest }) => `${uri ?? '-'}  ${id(digest)}`);
  const left = materialCount - shown.length;
  const times = [started, finished].filter(time => time !== null);
  return [
    ['builder', builder ?? NOT_STATED],
    ['build type', buildType ?? NOT_STATED],
    ['source', source ?? NOT_STATED],
    ['materials', materialCount === 0 ? NOT_STATED : shown[0]!],
    ...shown.slice(1).map((line): [string, Text] => ['', line]),
    ...(left > 0 ? [['', `and ${left} more: --json lists them`] as [string, Text]] : []),
    ...(times.length === 0 ? [] : [['built', times.join(' to ')] as [string, Text]]),
  ];
}

function problemText(problem: AttestationProblem): string {
  if (problem.code === 'unreadable') return problem.reason;
  if (problem.code === 'digest-differs')
    return `it is not what its manifest names: expected ${problem.expected}, found ${problem.found}`;
  return PROBLEMS[problem.code];
}

const PROBLEMS = {
  absent: 'the archive does not hold it',
  'not-json': 'expected a JSON document, found other text',
  'no-statement': 'expected an in-toto statement, or an envelope with one',
  'no-sbom': 'its packages cannot be read: expected SPDX, CycloneDX or syft in JSON',
  'no-provenance': 'its provenance cannot be read: expected a JSON object',
  cut: 'it lists more packages than are read',
} as const;

const KINDS: Readonly<Record<SbomDifference['kind'], string>> = {
  'missing-here': 'not in the image',
  'missing-there': 'not in the SBOM',
  'other-version': 'other version',
};

const COLUMNS = [
  { title: 'difference' },
  { title: 'type' },
  { title: 'package', shrink: true },
  { title: 'in the SBOM', shrink: true },
  { title: 'in the image', shrink: true },
];

function comparisonDoc(comparison: SbomComparison | null, top: number): Doc {
  if (comparison === null)
    return [
      text([span('not compared: not all packages of the SBOM and of the image can be read', 'warn')], 2),
    ];
  const { differences, same, notCompared } = comparison;
  const rest =
    notCompared === 0 ? '' : `; ${notCompared} of the SBOM without a package URL that can be compared`;
  if (differences.length === 0)
    return [text([span(`the image has the same packages: ${same}${rest}`, 'good')], 2)];
  const rows = differences.map(({ kind, type, name, listed, installed }): Text[] => [
    [span(KINDS[kind], kind === 'missing-there' ? 'warn' : 'bad')],
    type,
    name,
    versionsText(listed),
    versionsText(installed),
  ]);
  const words = `${count(differences.length, 'difference')} from the packages of the image, ${same} the same${rest}`;
  return [text([span(words, 'warn')], 2), ...limitedTable(COLUMNS, rows, top)];
}

const versionsText = (all: readonly string[]): string =>
  all.length === 0 ? '-' : all.map(version => version || '(not stated)').join(', ');
