import type { ArchiveRecord, ImageRecord } from '../../fleet/record.js';
import type { ItemRecord } from '../../fleet/results.js';
import type { FlatTable, FlatValue } from '../../report/doc.js';

/**
 * A row for each image; an archive without images has one row too, so that no archive is missing. All sizes are bytes.
 * Columns are added at the end, and never removed.
 */
const COLUMNS = [
  'path',
  'path_base64',
  'file_size',
  'file_mtime',
  'file_sha256',
  'exit_code',
  'error',
  'intact',
  'complete',
  'conformant',
  'policy_passed',
  'container',
  'compression',
  'layout',
  'producer',
  'errors',
  'warnings',
  'notes',
  'failing',
  'images',
  'image',
  'image_id',
  'manifest_digest',
  'name',
  'names',
  'platform',
  'created',
  'image_intact',
  'image_complete',
  'image_conformant',
  'base_name',
  'base_digest',
  'layers',
  'stored_size',
  'unpacked_size',
  'docker_size',
  'duration_ms',
  'tool',
  'command',
  'policy',
  'fleet_complete',
] as const;

type Row = Readonly<Record<(typeof COLUMNS)[number], FlatValue>>;

/** @param isWhole  false where results are missing: every row says so */
export function imageTable(records: Iterable<ItemRecord>, isWhole: boolean): FlatTable {
  return { columns: COLUMNS, rows: { [Symbol.iterator]: () => rowsOf(records, isWhole) } };
}

function* rowsOf(records: Iterable<ItemRecord>, isWhole: boolean): Generator<readonly FlatValue[]> {
  for (const record of records) {
    if (record.kind === 'other') continue;
    const archive = archiveValues(record, isWhole);
    const { images = [] } = record;
    const rows = images.length === 0 ? [null] : images;
    for (const [i, image] of rows.entries()) {
      const row: Row = { ...archive, ...imageValues(image, i) };
      yield COLUMNS.map(column => row[column]);
    }
  }
}

function archiveValues(record: ArchiveRecord, isWhole: boolean) {
  const { verdicts, findings = [], images } = record;
  const those = (severity: string) => findings.filter(finding => finding.severity === severity).length;
  const counted = (value: number) => (record.error === null ? value : null);
  return {
    path: record.path,
    path_base64: record.pathBytes ?? null,
    file_size: record.size,
    file_mtime: record.mtime,
    file_sha256: record.sha256,
    exit_code: record.exitCode,
    error: record.error?.what ?? null,
    intact: verdicts?.intact ?? null,
    complete: verdicts?.complete ?? null,
    conformant: verdicts?.conformant ?? null,
    policy_passed: record.passed ?? null,
    container: record.container ?? null,
    compression: record.compression ?? null,
    layout: record.layout ?? null,
    producer: record.producer ?? null,
    errors: counted(those('error')),
    warnings: counted(those('warning')),
    notes: counted(those('info')),
    failing: counted(findings.filter(({ failing }) => failing).length),
    images: images?.length ?? null,
    duration_ms: record.durationMs,
    tool: record.tool,
    command: record.command,
    policy: record.policy,
    fleet_complete: isWhole,
  };
}

/** @param image  null for an archive without images */
const imageValues = (image: ImageRecord | null, i: number) => ({
  image: image === null ? null : i,
  image_id: image?.imageId ?? null,
  manifest_digest: image?.manifestDigest ?? null,
  name: image?.names[0] ?? null,
  names: image === null ? null : image.names.join(' '),
  platform: image?.platform ?? null,
  created: image?.created ?? null,
  image_intact: image?.verdicts.intact ?? null,
  image_complete: image?.verdicts.complete ?? null,
  image_conformant: image?.verdicts.conformant ?? null,
  base_name: image?.base?.name ?? null,
  base_digest: image?.base?.digest ?? null,
  layers: image?.layers.length ?? null,
  stored_size: image?.sizes.stored ?? null,
  unpacked_size: image?.sizes.unpacked ?? null,
  docker_size: image?.sizes.docker ?? null,
});
