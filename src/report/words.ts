import { dockerfileLine } from '../analysis/instruction.js';
import type { SizeName, Sizes } from '../analysis/weigh.js';
import type { Finding } from '../checks/findings.js';
import { bytes } from '../checks/rule.js';
import type { Verdicts } from '../checks/verdicts.js';
import type { LayerFault } from '../filesystem/layer-tables.js';
import { shortDigest } from '../spec/digest.js';
import { binarySizeText, sizeText } from '../spec/size-text.js';
import { visible } from '../visible.js';
import { type Block, type Doc, type DockerfileLines, gap, type Span, span, type Text, text } from './doc.js';
import type { ArtifactReport, ImageReport, LayerReport, Report } from './report.js';

export { bytes };

export const NONE = '-';

export const id = (digest: string | null) => (digest === null ? NONE : shortDigest(digest));

export const size = (count: number | null) => (count === null ? NONE : bytes(count));

export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

/** The head of every report: which file, of what kind, from whom. */
export function archiveHead(
  { archive, images, artifacts }: Pick<Report, 'archive' | 'images' | 'artifacts'>,
  total: number,
  more: readonly (readonly [label: string, value: Text])[] = [],
): Doc {
  const form =
    archive.compression === 'none' ? archive.container : `${archive.container}, ${archive.compression}`;
  const contents = [
    images.length === total ? count(total, 'image') : `${images.length} of ${count(total, 'image')}`,
    ...(artifacts.length > 0 ? [count(artifacts.length, 'artifact')] : []),
  ].join(', ');
  const rows: [string, Text][] = [
    ['archive', [span(archive.file === '-' ? 'standard input' : archive.file, 'strong')]],
    ['form', `${archive.layout} (${form}), ${bytes(archive.size)}, ${contents}`],
  ];
  if (archive.producer !== null)
    rows.push(['made by', [archive.producer, span(`  (${archive.marks.join('; ')})`, 'dim')]]);
  for (const part of archive.parts) rows.push(['inside', `${part.path}: ${part.layout}`]);
  return [{ kind: 'pairs', rows: [...rows, ...more] }];
}

export function imageTitle(image: ImageReport): Block {
  const name = image.names.join(', ') || '(untagged)';
  const spans: (string | Span)[] = [span(name, 'strong')];
  const platform = platformWords(image);
  if (platform !== null) spans.push(`  ${platform}`);
  if (image.inside !== null) spans.push(span(`  in ${image.inside}`, 'dim'));
  return text(spans);
}

/** The lines that requirements have about an image. */
export const remarkLines = (remarks: readonly Text[]): Block[] => remarks.map(remark => text(remark, 2));

/** With the version of the system, as `--platform` takes it. */
export function platformWords({
  platform,
  osVersion,
}: Pick<ImageReport, 'platform' | 'osVersion'>): string | null {
  if (platform === null || osVersion === null) return platform;
  return platform.replace(/^[^/]*/, os => `${os}(${osVersion})`);
}

/** The artifacts that refer to an image: types, and how many of each. */
export function referrerWords(image: ImageReport, artifacts: readonly ArtifactReport[]): string[] {
  const known = new Map(artifacts.map(artifact => [artifact.digest, artifact]));
  const types = new Map<string, number>();
  for (const digest of image.referrers) {
    const artifact = known.get(digest);
    const type = artifact?.artifactType ?? artifact?.mediaType ?? 'of an unknown type';
    types.set(type, (types.get(type) ?? 0) + 1);
  }
  return [...types].map(([type, times]) => (times === 1 ? type : `${times} × ${type}`));
}

/** The instruction that made a layer, as its Dockerfile has it; empty where nothing tells. */
export const instruction = (layer: Pick<LayerReport, 'createdBy'>): string =>
  dockerfileLine(layer.createdBy ?? '');

/** An instruction for people: a digest in it is cut to what tells it from others. */
export const madeBy = (line: string): string => line.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1') || NONE;

const SEVERITY = { error: 'bad', warning: 'warn', info: 'dim' } as const;

/** How many findings of one code are shown; the rest is folded. */
const SHOWN = 3;

/**
 * Findings, those of a code behind the first of it.
 * @param isAll    true if repeated codes are not folded
 * @param sources  the lines of a Dockerfile that findings come from
 */
export function findingLines(
  findings: readonly Finding[],
  isAll = false,
  sources: ReadonlyMap<Finding, string> = new Map(),
): Doc {
  if (findings.length === 0) return [];
  const kinds = new Map<string, Finding[]>();
  for (const finding of findings) {
    const kind = `${finding.severity} ${finding.code}`;
    const alike = kinds.get(kind);
    if (alike === undefined) kinds.set(kind, [finding]);
    else alike.push(finding);
  }
  return [gap, ...[...kinds.values()].flatMap(alike => alikeLines(alike, isAll, sources))];
}

function alikeLines(alike: readonly Finding[], isAll: boolean, sources: ReadonlyMap<Finding, string>): Doc {
  const blocks = (finding: Finding) => findingBlocks(finding, sources.get(finding) ?? '');
  const unlisted = alike.at(-1)?.unlisted ?? 0;
  const rest = alike.length - SHOWN;
  // A line that says that one is left out takes as much room as the one.
  if (isAll || rest <= 1) return alike.flatMap(blocks);
  const folded = alike.slice(SHOWN).flatMap(blocks);
  const limit = unlisted === 0 ? '' : `, ${unlisted} of them with --limit findingsPerCode=…`;
  const summary = `and ${rest + unlisted} more like it; waybill verify --all lists them${limit}`;
  return [...alike.slice(0, SHOWN).flatMap(blocks), { kind: 'folded', summary, rest: folded }];
}

const findingBlocks = ({ severity, code, at, message }: Finding, source: string): Block[] => [
  text([
    span(severity, SEVERITY[severity]),
    ' ',
    span(code, 'strong'),
    ...(at.path === '' ? [] : ['  ', span(`${at.path}${at.pointer ?? ''}`, 'dim')]),
    ...(source === '' ? [] : ['  ', source]),
  ]),
  text(message, 2),
];

/** `Dockerfile:12`, the place as compilers print it; empty if it is unknown. */
export const sourceText = (source: DockerfileLines | null): string =>
  source === null ? '' : `${source.file}:${source.line}`;

export function verdictSpan(value: boolean | null): Span {
  return value === null ? span('?', 'dim') : value ? span('yes', 'good') : span('no', 'bad');
}

export const verdictNames: readonly (keyof Verdicts)[] = ['intact', 'complete', 'conformant'];

/**
 * The fault of a layer, in words.
 * @param side  the side of a comparison that has the layer; empty where there is only one
 */
export function faultLine({ layer, kind, reason }: LayerFault, indent = 0, side = ''): Block {
  const which = `layer ${layer + 1}${side === '' ? '' : ` of ${side}`}`;
  return text([span(kind, kind === 'incomplete' ? 'bad' : 'warn'), `  ${which}: ${visible(reason)}`], indent);
}

/** How sizes are written for people: `15.4 kB`, in powers of 1024, or as whole bytes. */
export type Units = 'si' | 'binary' | 'bytes';

const WRITERS: Readonly<Record<Units, (bytes: number) => string>> = {
  si: sizeText,
  binary: binarySizeText,
  bytes: String,
};

/** The text for a size that is not known. */
export const UNKNOWN = 'unknown';

/** @returns takes bytes, or null for a size that is not known */
export function sizeWriter(units: Units = 'si'): (bytes: number | null) => string {
  return bytes => (bytes === null ? UNKNOWN : WRITERS[units](bytes));
}

/** One of several sizes; `at least` where something that it should count is not known. */
export function sizeWords(sizes: Sizes, name: SizeName, write: (bytes: number | null) => string): string {
  return `${sizes.partial?.includes(name) ? 'at least ' : ''}${write(sizes[name])}`;
}
