import { type Doc, gap, type Result, span, text } from '../report/doc.js';
import { type Healthcheck, type ImageSettings, settingsOf } from '../report/image-settings.js';
import { type ArchiveReading, imagesIn } from '../report/read.js';
import { type ImageReport, type LayerReport, type Report, reportOf } from '../report/report.js';
import { auditedResult, type ReportingOptions } from '../report/reported.js';
import { chosenImages, type Selection, selectImages } from '../report/select.js';
import {
  archiveHead,
  bytes,
  count,
  findingLines,
  id,
  imageTitle,
  instruction,
  NONE,
  platformWords,
  referrerWords,
  size,
} from '../report/words.js';

/** The report of `waybill show --json`: the general report, with the settings of the configs. */
export interface ShowReport extends Omit<Report, 'images'> {
  readonly images: readonly ImageShown[];
}

export interface ImageShown extends ImageReport, ImageSettings {
  /**
   * Bytes of the layers as stored in the archive; absent layers are left out, one that is listed twice counts twice.
   */
  readonly storedSize: number;
  /** Bytes of the layers as tars; null if that is not known without unpacking them. */
  readonly unpackedSize: number | null;
}

/** `waybill show`: the content of an archive. Reads documents only, so it is fast for an archive of 20 GB. */
export function show(reading: ArchiveReading, selection: Selection & ReportingOptions): Result {
  const report = showReport(reading, selection);
  const audited = auditedResult(reading, selectImages(reading, selection), 0, selection);
  return { ...audited, data: report, doc: showDoc(report, imagesIn(reading)) };
}

/**
 * The report of `show`.
 * @throws InputError if the selection matches nothing
 */
export function showReport(reading: ArchiveReading, selection: Selection = {}): ShowReport {
  const chosen = chosenImages(reading, selection);
  const report = reportOf(reading, new Set(chosen.map(({ image }) => image)));
  const images = report.images.map((image, i) => ({
    ...image,
    ...settingsOf(chosen[i]!.image),
    storedSize: sum(image.layers.map(layer => (layer.present ? (layer.size ?? 0) : 0))),
    unpackedSize: allOf(image.layers.map(unpackedSize)),
  }));
  return { ...report, images };
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0);

const allOf = (sizes: readonly (number | null)[]): number | null =>
  sizes.some(size => size === null) ? null : sum(sizes as readonly number[]);

/** An encrypted layer may be compressed before encryption. */
function packedWords({ compression, format, encrypted }: LayerReport): string {
  if (!encrypted) return [compression, format].filter(Boolean).join(', ');
  return [compression === 'none' ? null : compression, format, 'encrypted'].filter(Boolean).join(', ');
}

/** An uncompressed layer has the same size unpacked, without reading it. */
function unpackedSize({ present, compression, encrypted, size, unpackedSize }: LayerReport): number | null {
  return unpackedSize ?? (present && compression === 'none' && !encrypted ? size : null);
}

function showDoc(report: ShowReport, total: number): Doc {
  const { images, artifacts, absent, findings } = report;
  const platforms = absent.filter(a => !a.attestation).map(a => platformWords(a) ?? a.digest);
  return [
    ...archiveHead(report, total),
    ...images.flatMap(image => imageDoc(image, artifacts)),
    ...(artifacts.length === 0 ? [] : artifactsDoc(report)),
    ...(platforms.length === 0 ? [] : [gap, text(`Listed, but not in the archive: ${platforms.join(', ')}`)]),
    ...findingLines(findings.filter(finding => finding.severity !== 'info')),
    gap,
    text([span('Only metadata was read; `waybill verify` checks the content.', 'dim')]),
  ];
}

type Fact = readonly [label: string, value: string];

function imageDoc(image: ImageShown, artifacts: Report['artifacts']): Doc {
  const { imageId, v1Id, manifestDigest, created } = image;
  const kinds = image.attestations.flatMap(a => a.blobs.map(b => b.predicateType ?? 'unknown'));
  const facts: Fact[] = [
    [
      imageId === null && v1Id !== null ? 'v1 ID' : 'image ID',
      imageId ?? v1Id ?? 'none: its config is absent',
    ],
    ...fact('manifest', manifestDigest),
    ...fact('created', created),
    ['size', sizeFact(image)],
    ...runFacts(image),
    ...fact('attested', kinds.join(', ')),
    ...fact('referrers', referrerWords(image, artifacts).join(', ')),
  ];
  return [gap, imageTitle(image), { kind: 'pairs', rows: facts }, layerTable(image)];
}

const fact = (label: string, value: string | null): Fact[] =>
  value === null || value === '' ? [] : [[label, value]];

/** Short values on one line. */
function words(label: string, values: readonly string[]): Fact[] {
  const rest = values.length - VALUES;
  const shown = values.slice(0, VALUES).map(brief).join(', ');
  return fact(label, rest <= 0 ? shown : `${shown} and ${rest} more`);
}

/** The size, with its kind, because images have several sizes. */
function sizeFact({ layers, storedSize, unpackedSize: unpacked }: ImageShown): string {
  const absent = layers.filter(({ present }) => !present).length;
  const without =
    absent === 0 ? '' : `, without ${count(absent, 'layer')} that ${absent === 1 ? 'is' : 'are'} not`;
  const known = unpacked === null ? 'unpacked not known: waybill sizes' : `${bytes(unpacked)} unpacked`;
  return `${bytes(storedSize)} stored in the archive${without}; ${known}`;
}

/** Maximum number of values that are printed of a list, and of characters of each. */
const VALUES = 12;
const LENGTH = 160;

/** One value per line, under one label. */
function list(label: string, values: readonly string[]): Fact[] {
  const rest = values.length - VALUES;
  // A line that says that one value is left out takes as much room as that value.
  const shown = rest <= 1 ? values : values.slice(0, VALUES);
  return [
    ...shown.map((value, i): Fact => [i === 0 ? label : '', brief(value)]),
    ...(rest <= 1 ? [] : [['', `and ${rest} more: --json has all`] as const]),
  ];
}

const brief = (value: string) =>
  value.length <= LENGTH ? value : `${value.slice(0, LENGTH).replace(/[\ud800-\udbff]$/, '')}…`;

function runFacts(image: ImageShown): Fact[] {
  const isWindows = image.platform?.startsWith('windows/') === true;
  const { healthcheck, exposedPorts, volumes, env, labels } = image;
  return [
    ...fact('runs', [...(image.entrypoint ?? []), ...(image.cmd ?? [])].join(' ')),
    ['user', image.user || (isWindows ? 'none set' : 'root (none set)')],
    ...fact('workdir', image.workingDir),
    ...words('ports', exposedPorts),
    ...words('volumes', volumes),
    ...fact('healthcheck', healthcheck === null ? null : healthWords(healthcheck)),
    ...fact('stop signal', image.stopSignal),
    ...list('env', env),
    ...list(
      'labels',
      Object.entries(labels).map(([name, value]) => `${name}=${value}`),
    ),
  ];
}

function healthWords({ test, interval, timeout, startPeriod, retries }: Healthcheck): string {
  const [form, ...words] = test;
  if (form === 'NONE') return 'none: the check of the base image is switched off';
  const command = form === 'CMD' || form === 'CMD-SHELL' ? words.join(' ') : test.join(' ');
  const times = [
    ...(interval === null ? [] : [`every ${secondsText(interval)}`]),
    ...(timeout === null ? [] : [`timeout ${secondsText(timeout)}`]),
    ...(startPeriod === null ? [] : [`start period ${secondsText(startPeriod)}`]),
    ...(retries === null ? [] : [`retries ${retries}`]),
  ];
  return `${command || 'as in the base image'}${times.length === 0 ? '' : ` (${times.join(', ')})`}`;
}

/** @param nanoseconds  a Go duration */
const secondsText = (nanoseconds: number) => `${nanoseconds / 1e9}s`;

function layerTable(image: ImageReport): Doc[number] {
  if (image.layers.length === 0) return text('no layers', 2);
  const measured = image.layers.some(layer => layer.unpackedSize !== null);
  return {
    kind: 'table',
    columns: [
      { title: '#', align: 'right' },
      { title: 'size', align: 'right' },
      ...(measured ? [{ title: 'unpacked', align: 'right' as const }] : []),
      { title: 'packed' },
      { title: 'diff_id' },
      { title: 'made by', shrink: true },
    ],
    rows: image.layers.map((layer, i) => [
      String(i + 1),
      size(layer.size),
      ...(measured ? [size(layer.unpackedSize)] : []),
      layer.present ? packedWords(layer) : layer.foreign ? 'elsewhere' : 'ABSENT',
      id(layer.diffId ?? layer.claimedDiffId),
      instruction(layer) || NONE,
    ]),
  };
}

function artifactsDoc({ artifacts }: Pick<Report, 'artifacts'>): Doc {
  return [
    gap,
    text(count(artifacts.length, 'artifact')),
    {
      kind: 'table',
      columns: [
        { title: 'kind' },
        { title: 'digest' },
        { title: 'type', shrink: true },
        { title: 'blobs', align: 'right' },
        { title: 'subject or name', shrink: true },
      ],
      rows: artifacts.map(artifact => [
        artifact.kind,
        id(artifact.digest),
        artifact.artifactType ?? artifact.mediaType ?? NONE,
        String(artifact.blobs.length),
        artifact.subject === null ? artifact.names.join(', ') || NONE : id(artifact.subject),
      ]),
    },
  ];
}
