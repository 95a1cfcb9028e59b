import type { DialectOptions } from '../../docker/release.js';
import { type Delivery, type EngineAnswer, predictEngines, predictFile } from '../../engines/predict.js';
import type { Image } from '../../link/graph.js';
import { type RepoDigest, repoDigests } from '../../link/names.js';
import {
  type Block,
  type Doc,
  gap,
  type Result,
  type Span,
  span,
  type Text,
  text,
} from '../../report/doc.js';
import { type ArchiveReading, imagesIn, type PartReading } from '../../report/read.js';
import { type ArtifactReport, type ImageReport, type Report, reportOf } from '../../report/report.js';
import { requireAnything, type Selection, selectImages } from '../../report/select.js';

import { archiveHead, imageTitle } from '../../report/words.js';
import { dialectOf } from '../stored-images.js';
import { type Found, find, type Match } from './find.js';

/** What an image is or would be called. */
export interface ImageIds extends ImageReport {
  readonly repoDigests: readonly RepoDigest[];
  readonly engines: readonly EngineAnswer[];
}

/** The report of `waybill ids --json`: the general report, its images with what engines call them. */
export interface IdsReport extends Omit<Report, 'images'> {
  readonly images: readonly ImageIds[];
  /** What engines make of a file that holds no image; empty where it holds one. */
  readonly engines: readonly EngineAnswer[];
  /** What was asked for with --find; null without. */
  readonly find: Found | null;
}

export interface IdsOptions extends Selection, Pick<DialectOptions, 'docker'> {
  /** A digest, or its beginning, to look for. */
  readonly find?: string | undefined;
}

/** `waybill ids`: everything the images are or would be called, and where each name comes from. */
export function ids(reading: ArchiveReading, options: IdsOptions): Result {
  if (options.find === undefined) requireAnything(reading);
  const report = idsReport(reading, options);
  const { find: found } = report;
  const doc = found === null ? idsDoc(report, imagesIn(reading)) : findDoc(found);
  return { data: report, doc, exitCode: found === null || found.matches.length > 0 ? 0 : 1 };
}

/** Names and digests of the images of an archive. @throws InputError when the selection matches nothing */
export function idsReport(reading: ArchiveReading, options: IdsOptions = {}): IdsReport {
  const { docker } = dialectOf({ docker: options.docker });
  const chosen = selectImages(reading, options);
  const report = reportOf(reading, chosen);
  const images = namedImages(reading, chosen, docker).map(
    (names, i): ImageIds => ({ ...report.images[i]!, ...names }),
  );
  const full = { ...report, images, engines: fileAnswers(reading, docker) };
  return { ...full, find: options.find === undefined ? null : find(reading, full, options.find) };
}

function namedImages(reading: ArchiveReading, chosen: ReadonlySet<Image>, docker: number) {
  return reading.parts.flatMap(part => {
    const { scan, graph } = part;
    const answers = predictEngines(scan, graph, deliveryOf(reading, part, docker));
    return graph.images
      .filter(image => chosen.has(image))
      .map(image => ({ repoDigests: repoDigests(graph, image), engines: answers.get(image) ?? [] }));
  });
}

function deliveryOf({ opened }: ArchiveReading, { part }: PartReading, docker: number): Delivery {
  const { container, compression } = opened;
  const { inside } = part;
  return { container, compression: inside === null ? compression : part.compression, inside, docker };
}

/** Without answers for a zip of several files: engines are given its files, not the zip. */
function fileAnswers(reading: ArchiveReading, docker: number): EngineAnswer[] {
  const [part] = reading.parts;
  if (part === undefined || reading.parts.length > 1 || imagesIn(reading) > 0) return [];
  return predictFile(part.scan, deliveryOf(reading, part, docker));
}

const ENGINES: Readonly<Record<EngineAnswer['engine'], string>> = {
  'docker-classic': 'docker, classic store',
  'docker-containerd': 'docker, containerd store',
  podman: 'podman',
  'skopeo-docker-archive': 'skopeo docker-archive:',
  'skopeo-oci-archive': 'skopeo oci-archive:',
  crane: 'crane',
  'podman-directory': 'podman load -i DIR',
  'skopeo-oci': 'skopeo oci:',
  'skopeo-dir': 'skopeo dir:',
  umoci: 'umoci',
};

function idsDoc(report: IdsReport, total: number): Doc {
  const head = [...archiveHead(report, total), ...report.images.flatMap(imageDoc)];
  if (report.engines.length === 0) return head;
  const what =
    report.artifacts.length === 0 ? [gap, text('no image and no artifact is listed in this file')] : [];
  return [...head, ...what, ...report.artifacts.flatMap(artifactDoc), gap, ...afterLoading(report.engines)];
}

const afterLoading = (engines: readonly EngineAnswer[]): Doc => [
  text([span('after loading this file', 'strong')], 2),
  { kind: 'pairs', rows: engines.flatMap(engineRows) },
];

/** An artifact by its name, as an image is told by its own. */
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

function imageDoc(image: ImageIds): Doc {
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
    ...afterLoading(image.engines),
    text([span('layers', 'strong')], 2),
    { kind: 'pairs', rows: image.layers.flatMap(layerRows) },
  ];
}

/** A refusal of several lines has a row for each; what podman says of every file and of every directory is left out. */
function engineRows({ engine, id, refusal, note }: EngineAnswer): [string, Text][] {
  const [first = '', ...more] = (refusal ?? '').split('\n').filter(line => !ALWAYS_SAID.test(line));
  const spans: (string | Span)[] = id === null ? refusalSpans(first) : [id];
  return [
    [ENGINES[engine], note === null ? spans : [...spans, span(`  (${note})`, 'dim')]],
    ...more.map((line): [string, Text] => ['', [`  ${line.trim()}`]]),
  ];
}

const ALWAYS_SAID =
  /^ \* (?:oci|dir): .* not a directory$|^ \* (?:oci|docker)-archive: .* read DIR: is a directory$/;

/** A refusal is in the engine's own words; that it loads another image, or that this is not known, is in words of waybill. */
function refusalSpans(refusal: string): (string | Span)[] {
  return /^(loads |cannot be told)/.test(refusal)
    ? [span(refusal, 'warn')]
    : [span('refuses: ', 'bad'), refusal];
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

function findDoc({ query, matches, reason }: Found): Doc {
  if (matches.length === 0)
    return [text([span(query, 'strong'), ' is not in this file']), text(reason ?? '', 2)];
  return matches.flatMap(({ digest, what, of, path }: Match): Block[] => [
    text([span(digest, 'strong')]),
    text(`${what}${of === null ? '' : ` of ${of}`}${path === null ? '' : `, ${path}`}`, 2),
  ]);
}
