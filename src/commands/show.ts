import { type Doc, gap, type Result, span, text } from './doc.js';
import { type ArchiveReading, imagesIn } from './read.js';
import { reportOf } from './report.js';
import type { ImageReport, Report } from './report-types.js';
import { type Selection, selectImages } from './select.js';
import {
  archiveHead,
  count,
  findingLines,
  id,
  imageTitle,
  instruction,
  NONE,
  platformWords,
  referrerWords,
  size,
} from './words.js';

/** `waybill show`: what is inside. Reads documents only, so that a 20 GB archive answers at once. */
export function show(reading: ArchiveReading, selection: Selection): Result {
  const report = reportOf(reading, selectImages(reading, selection));
  return { data: report, doc: showDoc(report, imagesIn(reading)), exitCode: 0 };
}

function showDoc(report: Report, total: number): Doc {
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

function imageDoc(image: ImageReport, artifacts: Report['artifacts']): Doc {
  const facts: [string, string][] = [
    [
      image.imageId === null && image.v1Id !== null ? 'v1 ID' : 'image ID',
      image.imageId ?? image.v1Id ?? 'none: its config is absent',
    ],
  ];
  if (image.manifestDigest !== null) facts.push(['manifest', image.manifestDigest]);
  if (image.created !== null) facts.push(['created', image.created]);
  const command = [...(image.entrypoint ?? []), ...(image.cmd ?? [])].join(' ');
  if (command !== '') facts.push(['runs', command]);
  const isWindows = image.platform?.startsWith('windows/') === true;
  facts.push(['user', image.user || (isWindows ? 'none set' : 'root (none set)')]);
  const kinds = image.attestations.flatMap(a => a.blobs.map(b => b.predicateType ?? 'unknown'));
  if (kinds.length > 0) facts.push(['attested', kinds.join(', ')]);
  const referrers = referrerWords(image, artifacts);
  if (referrers.length > 0) facts.push(['referrers', referrers.join(', ')]);
  return [gap, imageTitle(image), { kind: 'pairs', rows: facts }, layerTable(image)];
}

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
      layer.present
        ? [layer.compression, layer.format, layer.encrypted ? 'encrypted' : null].filter(Boolean).join(', ')
        : layer.foreign
          ? 'elsewhere'
          : 'ABSENT',
      id(layer.diffId ?? layer.claimedDiffId),
      instruction(layer) || NONE,
    ]),
  };
}

function artifactsDoc({ artifacts }: Report): Doc {
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
