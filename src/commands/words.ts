import type { Finding } from '../checks/findings.js';
import { bytes } from '../checks/rule.js';
import type { Verdicts } from '../checks/verdicts.js';
import { dockerfileLine } from '../image/instruction.js';
import type { LayerFault } from '../image/layer-faults.js';
import { shortDigest } from '../spec/digest.js';
import { visible } from '../visible.js';
import { type Block, type Doc, gap, type Span, span, type Text, text } from './doc.js';
import type { ImageReport, LayerReport, Report } from './report-types.js';

export { bytes };

export const NONE = '-';

export const id = (digest: string | null) => (digest === null ? NONE : shortDigest(digest));

export const size = (count: number | null) => (count === null ? NONE : bytes(count));

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
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
  if (image.platform !== null) spans.push(`  ${image.platform}`);
  if (image.inside !== null) spans.push(span(`  in ${image.inside}`, 'dim'));
  return text(spans);
}

/** The instruction that made a layer, as its Dockerfile has it; empty where nothing tells. */
export const instruction = (layer: Pick<LayerReport, 'createdBy'>): string =>
  dockerfileLine(layer.createdBy ?? '');

/** An instruction for people: a digest in it is cut to what tells it from others. */
export const madeBy = (line: string): string => line.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1') || NONE;

const SEVERITY = { error: 'bad', warning: 'warn', info: 'dim' } as const;

export function findingLines(findings: readonly Finding[]): Doc {
  if (findings.length === 0) return [];
  return [
    gap,
    ...findings.flatMap(({ severity, code, at, message }): Block[] => [
      text([
        span(severity, SEVERITY[severity]),
        ' ',
        span(code, 'strong'),
        ...(at.path === '' ? [] : ['  ', span(`${at.path}${at.pointer ?? ''}`, 'dim')]),
      ]),
      text(message, 2),
    ]),
  ];
}

export function verdictSpan(value: boolean | null): Span {
  return value === null ? span('?', 'dim') : value ? span('yes', 'good') : span('no', 'bad');
}

export const verdictNames: readonly (keyof Verdicts)[] = ['intact', 'complete', 'conformant'];

/** What is wrong with a layer. */
export const faultLine = ({ layer, kind, reason }: LayerFault, indent = 0): Block =>
  text(
    [span(kind, kind === 'incomplete' ? 'bad' : 'warn'), `  layer ${layer + 1}: ${visible(reason)}`],
    indent,
  );
