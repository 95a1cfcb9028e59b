import type { Change } from '../../analysis/diff/image.js';
import { SIZE_NAMES, type SizeName, type Sizes } from '../../analysis/weigh.js';
import {
  type Block,
  type Doc,
  gap,
  limitedTable,
  type Span,
  section,
  span,
  type Text,
  text,
} from '../../report/doc.js';
import type { ArchiveReport } from '../../report/report.js';
import {
  bytes,
  count,
  faultLine,
  instruction,
  madeBy,
  NONE,
  sizeWords,
  sizeWriter,
  type Units,
} from '../../report/words.js';

import { diffFilesDoc } from './files.js';
import type { DiffReport, ImageDiff, ImageRef, LayerDifference, LayerRef, OnlyIn } from './report.js';
import { kindWords, verdictWords } from './words.js';

export interface DiffDocOptions {
  readonly units?: Units | undefined;
  /** Rows of each list. */
  readonly top?: number | undefined;
  /** Print every row of each list, unless `top` is given, and every file. */
  readonly all?: boolean | undefined;
  /** An additional note, such as the reason why files are not compared line by line. */
  readonly note?: string | null | undefined;
  readonly ignore?: readonly string[] | undefined;
}

const ROWS = 20;

export function diffDoc(report: DiffReport, options: DiffDocOptions): Doc {
  const { images, differences, ignored, onlyA, onlyB, artifacts, notes } = report;
  return [
    { kind: 'pairs', rows: [archiveRow('a', report.a), archiveRow('b', report.b)] },
    ...images.flatMap(image => imageDoc(image, options)),
    ...only('image', { onlyA: onlyA.map(imageWords), onlyB: onlyB.map(imageWords) }),
    ...only('artifact', artifacts),
    ...notesDoc(notes),
    ...(options.note == null ? [] : [gap, text([span(options.note, 'warn')], 2)]),
    ...(images.length === 1 && onlyA.length + onlyB.length === 0
      ? []
      : [gap, text([span('verdict  ', 'strong'), ...verdictWords(differences, ignored, isInFull(report))])]),
  ];
}

const isInFull = ({ images, notes }: DiffReport) =>
  notes.length === 0 && images.every(image => image.notes.length === 0);

const archiveRow = (side: string, { file, layout, size, producer }: ArchiveReport): [string, Text] => [
  side,
  [
    span(file === '-' ? 'standard input' : file, 'strong'),
    span(`  ${layout}, ${bytes(size)}${producer === null ? '' : `, ${producer}`}`, 'dim'),
  ],
];

const imageWords = ({ names, platform, imageId, v1Id }: ImageRef) =>
  [names.join(', ') || '(untagged)', platform ?? '', imageId ?? v1Id ?? ''].filter(Boolean).join('  ');

function imageDoc(image: ImageDiff, { units, top, all = false, ignore = [] }: DiffDocOptions): Doc {
  const rows = top ?? (all ? Number.POSITIVE_INFINITY : ROWS);
  const { a, b, names, config, history, manifest, attestations, differences, ignored, notes } = image;
  return [
    gap,
    text(titleOf(a, b)),
    text(verdictWords(differences, ignored, notes.length === 0), 2),
    ...only('name', names),
    ...(ignore.includes('ids') ? [] : idsDoc(a, b)),
    ...changesDoc('config', config, rows),
    ...historyDoc(history, rows),
    ...changesDoc('manifest', manifest, rows),
    ...only('attestation', attestations),
    ...layersDoc(image, units, rows),
    ...faultsDoc(image),
    ...diffFilesDoc(image, { units, rows, all }),
    ...packagesDoc(image, rows),
    ...(ignore.includes('sizes') ? [] : sizesDoc(image, units)),
    ...notesDoc(notes),
  ];
}

function titleOf(a: ImageRef, b: ImageRef): (string | Span)[] {
  const [x, y] = [a.names.join(', ') || '(untagged)', b.names.join(', ') || '(untagged)'];
  const platforms =
    a.platform === b.platform ? (a.platform ?? '') : `${a.platform ?? '?'} → ${b.platform ?? '?'}`;
  return [span(x === y ? x : `${x} → ${y}`, 'strong'), `  ${platforms}`];
}

/** Elements that only one side has, with `-` and `+` as in a patch. */
function only(noun: string, { onlyA, onlyB }: OnlyIn<string>): Doc {
  if (onlyA.length + onlyB.length === 0) return [];
  return [
    ...section(`${noun}s`),
    ...onlyA.map(item => text([span(`- ${item}`, 'bad')], 4)),
    ...onlyB.map(item => text([span(`+ ${item}`, 'good')], 4)),
  ];
}

/** An ID that only one archive states is not a difference, because the other archive does not contradict it. */
function idsDoc(a: ImageRef, b: ImageRef): Doc {
  const ids = [
    ['image ID', a.imageId, b.imageId],
    ['manifest', a.manifestDigest, b.manifestDigest],
    ...(a.imageId === null && b.imageId === null ? [['v1 ID', a.v1Id, b.v1Id] as const] : []),
  ] as const;
  const rows = ids.flatMap(([label, x, y]): [string, Text][] =>
    x === null || y === null || x === y ? [] : [[label, `${x} → ${y}`]],
  );
  return rows.length === 0 ? [] : [...section('IDs'), { kind: 'pairs', rows }];
}

function changesDoc(title: string, changes: readonly Change[], rows: number): Doc {
  if (changes.length === 0) return [];
  const columns = [{ title: 'what' }, { title: 'a', shrink: true }, { title: 'b', shrink: true }];
  const cells = changes.map(({ key, kind, a, b }) => [
    kind === key || kind === 'times' ? key : `${key} (${kind})`,
    a === null ? NONE : valueWords(a),
    b === null ? NONE : valueWords(b),
  ]);
  return [...section(title), ...limitedTable(columns, cells, rows)];
}

const valueWords = (value: Change['a']) => (typeof value === 'string' ? value : JSON.stringify(value));

function historyDoc(history: readonly Change[], rows: number): Doc {
  if (history.length === 0) return [];
  const steps = history.filter(({ kind }) => kind === 'history');
  const times = history.length - steps.length;
  const cells = steps.map(({ a, b }): Text[] => [
    [a === null ? span('+', 'good') : span('-', 'bad')],
    stepWords(a ?? b),
  ]);
  return [
    ...section('history'),
    ...(times === 0 ? [] : [text(`${count(times, 'step')} at another time`, 4)]),
    ...(cells.length === 0
      ? []
      : limitedTable([{ title: '' }, { title: 'step', shrink: true }], cells, rows)),
  ];
}

function stepWords(step: Change['a']): string {
  const createdBy =
    step !== null && typeof step === 'object' && !Array.isArray(step) ? step.created_by : null;
  return typeof createdBy === 'string' ? madeBy(instruction({ createdBy })) : valueWords(step);
}

function layersDoc({ layers }: ImageDiff, units: Units | undefined, rows: number): Doc {
  const { changes, shared, same } = layers;
  if (changes.length === 0) return [];
  const write = sizeWriter(units);
  const place = (layer: LayerRef | null) => (layer === null ? NONE : String(layer.index + 1));
  const cells = changes.map((change): Text[] => {
    const { a, b } = change;
    return [
      [span(change.state, STYLES[change.state])],
      place(a),
      place(b),
      a === null ? NONE : write(a.size),
      b === null ? NONE : write(b.size),
      whyWords(change),
      madeBy(instruction({ createdBy: (b ?? a)!.createdBy })),
    ];
  });
  const columns = [
    { title: '' },
    { title: 'a', align: 'right' as const },
    { title: 'b', align: 'right' as const },
    { title: 'size a', align: 'right' as const },
    { title: 'size b', align: 'right' as const },
    { title: 'differs in', shrink: true },
    { title: 'made by', shrink: true },
  ];
  const elsewhere = same > shared ? `, ${same - shared} more above` : '';
  return [
    ...section(`layers  (${shared} shared from the base on${elsewhere})`),
    ...limitedTable(columns, cells, rows),
  ];
}

/** Layers that are not what their own image claims; what is not known of the others is among the notes. */
function faultsDoc({ faults: { a, b } }: ImageDiff): Doc {
  const lines = ([side, faults]: readonly [string, ImageDiff['faults']['a']]) =>
    faults.filter(({ kind }) => kind === 'changed').map(fault => faultLine(fault, 4, side));
  const all = [...lines(['a', a]), ...lines(['b', b])];
  return all.length === 0 ? [] : [...section('layers that are not what their image claims'), ...all];
}

const STYLES = { added: 'good', removed: 'bad', changed: 'warn', recompressed: 'dim' } as const;

function whyWords({ state, a, b, differences }: LayerDifference): string {
  if (state === 'recompressed') return `${a?.compression ?? '?'} → ${b?.compression ?? '?'}`;
  if (state !== 'changed') return NONE;
  return differences === null ? 'cannot be told' : kindWords(differences);
}

function packagesDoc({ packages }: ImageDiff, rows: number): Doc {
  if (packages.length === 0) return [];
  const cells = packages.map(({ manager, name, arch, a, b }): Text[] => [
    [a.length === 0 ? span('+', 'good') : b.length === 0 ? span('-', 'bad') : span('~', 'warn')],
    name,
    a.join(', ') || NONE,
    b.join(', ') || NONE,
    `${manager}${arch === null ? '' : ` ${arch}`}`,
  ]);
  const columns = [
    { title: '' },
    { title: 'package', shrink: true },
    { title: 'a', shrink: true },
    { title: 'b', shrink: true },
    { title: 'of' },
  ];
  return [...section('packages'), ...limitedTable(columns, cells, rows)];
}

function sizesDoc({ sizes: { a, b } }: ImageDiff, units: Units | undefined): Doc {
  const write = sizeWriter(units);
  const rows = SIZE_NAMES.filter(name => name !== 'overlay2' && a[name] !== b[name]).map((name): Text[] => [
    name,
    sizeWords(a, name, write),
    sizeWords(b, name, write),
    changeWords(name, a, b, write),
  ]);
  if (rows.length === 0) return [];
  const number = (title: string) => ({ title, align: 'right' as const });
  const columns = [{ title: 'size' }, number('a'), number('b'), number('change')];
  return [...section('sizes'), { kind: 'table', columns, rows }];
}

function changeWords(name: SizeName, a: Sizes, b: Sizes, write: (bytes: number) => string): string {
  const [x, y] = [a[name], b[name]];
  const isKnown = !a.partial?.includes(name) && !b.partial?.includes(name);
  if (x === null || y === null || !isKnown) return NONE;
  return y < x ? `-${write(x - y)}` : `+${write(y - x)}`;
}

const notesDoc = (notes: readonly string[]): Block[] =>
  notes.length === 0 ? [] : [...section('not compared in full'), ...notes.map(note => text(note, 4))];
