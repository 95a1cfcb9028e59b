import type { DialectOptions } from '../../docker/release.js';
import { type Delivery, type EngineVerdict, predictEngines, predictFile } from '../../engines/predict.js';
import type { Image } from '../../link/graph.js';
import { type RepoDigest, repoDigests } from '../../link/names.js';
import { type Block, type Doc, gap, type Result, span, type Text, text } from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type PartReading } from '../../report/read.js';
import { type ArtifactReport, type ImageReport, type Report, reportOf } from '../../report/report.js';
import { auditedResult, type ReportingOptions } from '../../report/reported.js';
import { requireAnything, type Selection, selectImages } from '../../report/select.js';
import { archiveHead, imageTitle } from '../../report/words.js';
import { dialectOf } from '../stored-images.js';
import { afterLoading, type EngineReport, engineReport } from './engines.js';
import { type DigestSearch, find, type Match } from './find.js';

/** The names and digests of an image, including those that engines would give it. */
export interface ImageIds extends ImageReport {
  readonly repoDigests: readonly RepoDigest[];
  readonly engines: readonly EngineReport[];
}

/** The report of `waybill ids --json`: the general report; its images have the answers of engines. */
export interface IdsReport extends Omit<Report, 'images'> {
  readonly images: readonly ImageIds[];
  /** The outcome of a file without an image; empty if it contains one. */
  readonly engines: readonly EngineReport[];
  /** The matches of --find; null without it. */
  readonly find: DigestSearch | null;
}

export interface IdsOptions extends Selection, ReportingOptions, Pick<DialectOptions, 'docker'> {
  /** A digest, or its beginning, to search for. */
  readonly find?: string | undefined;
}

/** `waybill ids`: every name and digest that the images have or would get, with its source. */
export function ids(reading: ArchiveReading, options: IdsOptions): Result {
  if (options.find === undefined) requireAnything(reading);
  const { report, predicted } = predict(reading, options);
  const { find: found } = report;
  const doc = found === null ? idsDoc(report, predicted, imagesIn(reading)) : findDoc(found);
  const exitCode = found === null || found.matches.length > 0 ? 0 : 1;
  return { ...auditedResult(reading, selectImages(reading, options), exitCode, options), data: report, doc };
}

/**
 * Names and digests of the images of an archive.
 * @throws InputError if the selection matches nothing
 */
export const idsReport = (reading: ArchiveReading, options: IdsOptions = {}): IdsReport =>
  predict(reading, options).report;

/** The verdicts of the engines, as data. */
interface Predicted {
  /** In the order of the report's images. */
  readonly images: readonly (readonly EngineVerdict[])[];
  /** For a file without an image. */
  readonly file: readonly EngineVerdict[];
}

function predict(reading: ArchiveReading, options: IdsOptions): { report: IdsReport; predicted: Predicted } {
  const { docker } = dialectOf({ docker: options.docker });
  const chosen = selectImages(reading, options);
  const general = reportOf(reading, chosen);
  const named = namedImages(reading, chosen, docker);
  const predicted = { images: named.map(({ verdicts }) => verdicts), file: fileVerdicts(reading, docker) };
  const images = named.map(({ repoDigests, verdicts }, i): ImageIds => {
    return { ...general.images[i]!, repoDigests, engines: verdicts.map(engineReport) };
  });
  const full = { ...general, images, engines: predicted.file.map(engineReport) };
  const found = options.find === undefined ? null : find(reading, full, options.find);
  return { report: { ...full, find: found }, predicted };
}

function namedImages(reading: ArchiveReading, chosen: ReadonlySet<Image>, docker: number) {
  return reading.parts.flatMap(part => {
    const { scan, graph } = part;
    const predicted = predictEngines(scan, graph, deliveryOf(reading, part, docker));
    return graph.images
      .filter(image => chosen.has(image))
      .map(image => ({ repoDigests: repoDigests(graph, image), verdicts: predicted.get(image) ?? [] }));
  });
}

function deliveryOf({ opened }: ArchiveReading, { part }: PartReading, docker: number): Delivery {
  const { container, compression } = opened;
  const { inside } = part;
  return { container, compression: inside === null ? compression : part.compression, inside, docker };
}

/** Empty for a zip of several files: engines are given the files in it, not the zip. */
function fileVerdicts(reading: ArchiveReading, docker: number): EngineVerdict[] {
  const [part] = reading.parts;
  if (part === undefined || reading.parts.length > 1 || imagesIn(reading) > 0) return [];
  return predictFile(part.scan, deliveryOf(reading, part, docker));
}

function idsDoc(report: IdsReport, predicted: Predicted, total: number): Doc {
  const images = report.images.flatMap((image, i) => imageDoc(image, predicted.images[i]!));
  const head = [...archiveHead(report, total), ...images];
  if (predicted.file.length === 0) return head;
  const what =
    report.artifacts.length === 0 ? [gap, text('no image and no artifact is listed in this file')] : [];
  return [...head, ...what, ...report.artifacts.flatMap(artifactDoc), gap, ...afterLoading(predicted.file)];
}

/** An artifact, headed by its name as an image is. */
function artifactDoc({ kind, names, digest, artifactType, mediaType, subject }: ArtifactReport): Doc {
  const rows: [string, Text][] = [
    ['manifest digest', digest ?? [span('none: it was not read', 'dim')]],
    ['artifact type', artifactType ?? [span('none', 'dim')]],
    ['media type', mediaType ?? [span('none', 'dim')]],
    ...(subject === null ? [] : ([['subject', subject]] as [string, Text][])),
  ];
  const title = text([span(names.join(', ') || '(unnamed)', 'strong'), `  ${ARTIFACTS[kind]}`]);
  return [gap, title, { kind: 'pairs', rows }];
}

const ARTIFACTS: Readonly<Record<ArtifactReport['kind'], string>> = {
  attestation: 'an attestation',
  'docker-reference': "what belongs to an image, by Docker's annotation",
  artifact: 'an artifact',
  schema1: 'a manifest of schema 1',
  unknown: 'content of an unknown kind',
};

function imageDoc(image: ImageIds, verdicts: readonly EngineVerdict[]): Doc {
  const none = (why: string): Text => [span(`none: ${why}`, 'dim')];
  const rows: [string, Text][] = [
    ['image ID', image.imageId ?? none(image.v1Id === null ? 'its config is absent' : 'v1 images have none')],
    ['manifest digest', image.manifestDigest ?? none('the file holds no manifest of it')],
    ...image.indexDigests.map((digest): [string, Text] => ['index digest', digest]),
    ...image.repoDigests.map(({ value, from }): [string, Text] => [
      'RepoDigest',
      [value, span(`  (${from})`, 'dim')],
    ]),
    ...(image.v1Id === null ? [] : ([['v1 ID', image.v1Id]] as [string, Text][])),
  ];
  return [
    gap,
    imageTitle(image),
    { kind: 'pairs', rows },
    ...afterLoading(verdicts),
    text([span('layers', 'strong')], 2),
    { kind: 'pairs', rows: image.layers.flatMap(layerRows) },
  ];
}

function layerRows(layer: ImageReport['layers'][number], i: number): [string, Text][] {
  const diffId = layer.diffId ?? layer.claimedDiffId;
  const rows: [string, string | null][] = [
    [`${i + 1} diff_id`, diffId],
    ['  chain ID', layer.chainId === diffId ? null : layer.chainId],
    ['  digest', layer.digest === diffId ? null : layer.digest],
    ['  v1 ID', layer.v1Id],
  ];
  return rows.flatMap(([label, value]) => (value === null ? [] : [[label, value]]));
}

function findDoc({ query, matches, reason }: DigestSearch): Doc {
  if (matches.length === 0)
    return [text([span(query, 'strong'), ' is not in this file']), text(reason ?? '', 2)];
  return matches.flatMap(({ digest, what, of, path }: Match): Block[] => [
    text([span(digest, 'strong')]),
    text(`${what}${of === null ? '' : ` of ${of}`}${path === null ? '' : `, ${path}`}`, 2),
  ]);
}
