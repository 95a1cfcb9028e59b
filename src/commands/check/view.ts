import type { CheckFinding, Suppressed } from '../../policy/finding.js';
import { type NotChecked, ruleNotChecked } from '../../policy/rules/policy.js';
import { type Block, type Doc, gap, type Span, span, type Text, text } from '../../report/doc.js';
import {
  archiveHead,
  count,
  imageTitle,
  madeBy,
  remarkLines,
  size,
  verdictNames,
  verdictSpan,
} from '../../report/words.js';
import { grouped } from '../../spec/grouped.js';
import { visiblePath } from '../../visible.js';
import { baseWords } from '../sizes/view.js';
import { comparisonDoc } from './against.js';
import type { CheckedImage, CheckReport } from './index.js';

const STYLE = { error: 'bad', warning: 'warn', info: 'dim' } as const;

/** How many findings of one code are shown of an image; the rest is folded. */
const SHOWN = 5;

/** How findings are printed. */
interface FindingsView {
  /** True if repeated codes are not folded. */
  readonly isAll?: boolean | undefined;
  /** The lines of a Dockerfile that made the layers of findings. */
  readonly sources?: ReadonlyMap<CheckFinding, string>;
  /** The lines that requirements have about each image. */
  readonly remarks?: readonly (readonly Text[])[];
}

export function checkDoc(report: CheckReport, imagesInAll: number, shown: FindingsView = {}): Doc {
  const { images, findings, suppressed, policy, verdicts } = report;
  const about = (image: number | null) => findings.filter(finding => finding.image === image);
  const ofArchive = about(null);
  return [
    verdictLine(report),
    ...archiveHead(report, imagesInAll, [
      ['sound', verdictNames.flatMap(name => [`${name} `, verdictSpan(verdicts[name]), '   '])],
      ['policy', policy.sources.join(', ')],
    ]),
    ...(ofArchive.length === 0
      ? []
      : [gap, text([span('the archive', 'strong')]), ...findingsDoc(ofArchive, null, shown)]),
    ...images.flatMap((image, i) => imageDoc(image, about(i), shown, shown.remarks?.[i])),
    ...suppressedDoc(suppressed, shown.isAll),
    ...(findings.length === 0
      ? []
      : [gap, text([span('waybill explain CODE says what each means, and what to do.', 'dim')])]),
  ];
}

/** Findings about the policy, after several archives. */
export const closingDoc = (findings: readonly CheckFinding[], isAll = false): Doc =>
  findingsDoc(findings, null, { isAll });

function verdictLine({ passed, findings, suppressed, baseline }: CheckReport): Block {
  const known = baseline?.hidden ?? 0;
  const failing = numberOf(findings.filter(finding => finding.failing));
  const others = numberOf(findings) - failing;
  const byPolicy = numberOf(suppressed.map(({ finding }) => finding));
  const parts = [
    ...(failing > 0 ? [`${count(failing, 'finding')} must be mended`] : []),
    ...(others > 0
      ? [
          `${count(others, failing > 0 ? 'more finding' : 'finding')} that ${others === 1 ? 'does' : 'do'} not fail the check`,
        ]
      : []),
    ...(byPolicy > 0 ? [`${byPolicy} hidden by the policy`] : []),
    ...(known > 0 ? [`${known} hidden by the baseline`] : []),
  ];
  return text([
    span(passed ? 'passed' : 'FAILED', passed ? 'good' : 'bad'),
    parts.length === 0 ? ': nothing to report' : `: ${parts.join(', ')}`,
  ]);
}

/** With those that are not listed. */
const numberOf = (findings: readonly CheckFinding[]): number =>
  findings.reduce((sum, { unlisted = 0 }) => sum + 1 + unlisted, 0);

function imageDoc(
  image: CheckedImage,
  findings: readonly CheckFinding[],
  shown: FindingsView,
  remarks: readonly Text[] = [],
): Doc {
  const lines =
    findings.length === 0
      ? [text([span('nothing to report', 'good')], 2)]
      : findingsDoc(findings, image, shown);
  const { comparison = null } = image;
  const changes = comparison === null ? [] : comparisonDoc(comparison, shown.isAll === true);
  return [gap, imageTitle(image), ...baseLine(image), ...remarkLines(remarks), ...changes, ...lines];
}

/** Which base it begins with, and what that weighs of it. */
function baseLine({ base, baseSizes, layers }: CheckedImage): Block[] {
  if (base === undefined) return [];
  if (base === null || baseSizes == null) return [text([span('begins with none of the bases', 'dim')], 2)];
  const above = `${count(layers.length - base.layers, 'layer')}, ${size(baseSizes.ours.unpacked)}`;
  return [
    text([span(`base: ${baseWords(base)}, ${size(baseSizes.theirs.unpacked)}; above it ${above}`, 'dim')], 2),
  ];
}

/** Rules that could not be checked for one reason, such as an encrypted layer, are printed as one finding. */
function joined(findings: readonly CheckFinding[]): CheckFinding[] {
  const alike = grouped(findings, finding => {
    const { code, data, severity, layer, path } = finding;
    if (code !== ruleNotChecked.code) return finding;
    return JSON.stringify([(data as NotChecked).reason, severity, layer, path]);
  });
  return [...alike.values()].map(([first, ...others]) => {
    if (others.length === 0) return first!;
    const { reason } = first!.data as NotChecked;
    const rules = new Set([first!, ...others].map(({ data }) => (data as NotChecked).rule));
    if (rules.size === 1) return first!;
    return { ...first!, message: `the rules ${[...rules].join(', ')} could not be checked: ${reason}` };
  });
}

function findingsDoc(
  all: readonly CheckFinding[],
  image: CheckedImage | null,
  { isAll = false, sources }: FindingsView,
): Doc {
  const kinds = new Map<string, CheckFinding[]>();
  for (const finding of joined(all)) {
    const kind = `${finding.severity} ${finding.code}`;
    const alike = kinds.get(kind);
    if (alike === undefined) kinds.set(kind, [finding]);
    else alike.push(finding);
  }
  return [...kinds.values()].flatMap(alike => {
    const rest = alike.length - SHOWN;
    const blocks = (some: readonly CheckFinding[]) =>
      some.flatMap(finding => findingDoc(finding, image, sources?.get(finding) ?? ''));
    if (isAll || rest <= 1) return blocks(alike);
    const unlisted = numberOf(alike) - alike.length;
    const limit = unlisted === 0 ? '' : `, ${unlisted} of them with --limit findingsPerCode=…`;
    const summary = `and ${rest + unlisted} more like it; --all lists them${limit}`;
    return [
      ...blocks(alike.slice(0, SHOWN)),
      { kind: 'folded' as const, summary, rest: blocks(alike.slice(SHOWN)) },
    ];
  });
}

function findingDoc(finding: CheckFinding, image: CheckedImage | null, source: string): Block[] {
  const { severity, code, message, remedy } = finding;
  const place = placeOf(finding, image);
  return [
    text([span(severity, STYLE[severity]), ' ', span(code, 'strong'), '  ', message], 2),
    ...place.map((line, i) => text([...(i === 0 ? sourceSpans(source) : []), span(line, 'dim')], 4)),
    ...(place.length === 0 && source !== '' ? [text(source, 4)] : []),
    ...(remedy === null ? [] : [text([span(`change: ${remedy}`, 'good')], 4)]),
  ];
}

/** The line of the Dockerfile, then the place in the image. */
const sourceSpans = (source: string): readonly (string | Span)[] => (source === '' ? [] : [source, '  ']);

/** Where it is: the path and the layer with its instruction, or the document of the archive. */
function placeOf(
  { code, rule, path, layer, instruction, at, data }: CheckFinding,
  image: CheckedImage | null,
): string[] {
  const made = instruction === null ? null : madeBy(instruction);
  // The message names the path that stands in the data.
  const isTold = path === null || (data as { readonly path?: unknown } | null)?.path === path;
  const shown = isTold ? [] : [`/${visiblePath(path)}`];
  if (layer !== null && image !== null) {
    const member = image.layers[layer]?.path;
    const words = [
      `layer ${layer + 1} of ${image.layers.length}${layer < (image.base?.layers ?? 0) ? ' (of the base)' : ''}`,
      ...(made === null ? [] : [made]),
    ].join(': ');
    return [...shown, words, ...(made === null && member != null ? [`in ${member}`] : [])];
  }
  if (shown.length > 0) return shown;
  if (made !== null) return [made];
  // That a rule's finding is about the image, its heading says.
  const isImage = rule === code && at.pointer?.startsWith('/config') !== true;
  return at.path === '' || (isImage && image !== null) ? [] : [`${at.path}${at.pointer ?? ''}`];
}

function suppressedDoc(suppressed: readonly Suppressed[], isAll = false): Doc {
  if (suppressed.length === 0) return [];
  if (!isAll) {
    const number = numberOf(suppressed.map(({ finding }) => finding));
    const words = `${count(number, 'finding')} hidden by the policy: --all lists ${number === 1 ? 'it' : 'them'}`;
    return [gap, text([span(words, 'dim')])];
  }
  return [
    gap,
    text([span('hidden by the policy', 'strong')]),
    ...suppressed.flatMap(({ finding, reason, from }) => [
      text([span(finding.severity, 'dim'), ' ', finding.code, '  ', finding.message], 2),
      text([span(`${reason} (${from})`, 'dim')] satisfies Span[], 4),
    ]),
  ];
}
