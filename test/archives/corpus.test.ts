// 138 real archives against what independent tools report: the same images, IDs, names, platforms, layers and problems.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type FindingCode,
  type ImageReport,
  InputError,
  type LayerReport,
  type Report,
  readArchive,
  reportOf,
  verify,
} from '../../src/commands.js';
import { normalName } from '../../src/spec/reference.js';
import {
  corpus,
  NO_SHARED_FOLDER,
  type Truth,
  type TruthImage,
  type TruthLayer,
  testWhen,
} from '../support/corpus.js';

/** truth.py's code of a problem, and our findings for the same problem. */
const SAME: Readonly<Record<string, readonly FindingCode[]>> = {
  BAD_JSON: ['json-invalid'],
  BLOB_DIGEST_MISMATCH: ['digest-mismatch', 'blob-name-mismatch'],
  BLOB_NAME_NOT_DIGEST: ['digest-mismatch', 'blob-name-mismatch'],
  BLOB_SIZE_MISMATCH: ['size-mismatch'],
  CONFIG_MISSING: ['config-missing'],
  CONFIG_NAME_MISMATCH: ['config-name-mismatch'],
  DIFF_ID_MISMATCH: ['diff-id-mismatch'],
  HISTORY_COUNT_MISMATCH: ['history-count-mismatch'],
  INDEX_MISSING: ['index-missing'],
  INDEX_WITHOUT_MANIFESTS: ['index-without-manifests'],
  LAYER_COUNT_MISMATCH: ['layer-count-mismatch'],
  LAYER_MISSING: ['layer-missing'],
  LAYER_NOT_TAR: ['layer-not-tar'],
  MANIFEST_MISSING: ['manifest-missing'],
  MEDIA_TYPE_COMPRESSION_MISMATCH: ['compression-mismatch'],
  MEDIA_TYPE_DISAGREES: ['media-type-mismatch'],
  NOT_A_MANIFEST: ['not-a-manifest'],
  NO_DIFF_IDS: ['diff-ids-missing'],
  NULL_MANIFEST: ['manifest-json-null'],
  OCI_LAYOUT_FILE_MISSING: ['layout-file-missing'],
  ODD_BLOB_NAME: ['blob-name-odd'],
  SPARSE_INDEX: ['platform-absent'],
  UNREFERENCED_BLOBS: ['unreferenced-blobs'],
};

/** Parts that a writer leaves out on purpose are a note in waybill. */
const LIGHTER: Readonly<Record<string, string>> = { SPARSE_INDEX: 'info' };

const IMAGE_KINDS = ['image', 'v1-image'];

/** For a config without a platform, as oras and go-containerregistry write it, truth.py has `?/?`. */
const platformOf = (platform: string | null | undefined) => (platform === '?/?' ? null : (platform ?? null));

function sameLayer(ours: LayerReport, truth: TruthLayer, where: string): void {
  assert.is(ours.present, truth.present, `${where}: present`);
  assert.is(ours.chainId, truth.chain_id, `${where}: chain ID`);
  assert.is(ours.claimedDiffId, truth.config_diff_id, `${where}: claimed diff_id`);
  if (!truth.present) return;
  assert.is(ours.digest, truth.blob_digest, `${where}: digest`);
  assert.is(ours.size, truth.blob_size, `${where}: size`);
  assert.is(ours.compression, truth.compression, `${where}: compression`);
  assert.is(ours.diffId, truth.diff_id, `${where}: diff_id`);
  assert.is(ours.unpackedSize, truth.uncompressed_size, `${where}: unpacked size`);
  if (truth.is_tar) assert.is(ours.entries, truth.tar!.entries, `${where}: tar entries`);
}

function sameImage(ours: ImageReport, truth: TruthImage, id: string): void {
  const where = `${id} ${truth.image_id ?? truth.v1_id}`;
  assert.is(ours.imageId, truth.image_id ?? null, `${where}: image ID`);
  if (truth.view !== 'docker')
    assert.is(ours.manifestDigest, truth.manifest_digest ?? null, `${where}: manifest`);
  // If manifest.json and index.json spell one name differently, truth.py has both and waybill that of manifest.json.
  const names = new Set(ours.names.map(normalName));
  for (const tag of truth.tags) assert.ok(names.has(normalName(tag)), `${where}: name ${tag}`);
  if (truth.view !== 'oci') assert.equal([...ours.names].sort(), [...truth.tags].sort(), `${where}: names`);
  assert.is(ours.platform, platformOf(truth.platform), `${where}: platform`);
  assert.is(ours.created, truth.config?.created ?? null, `${where}: created`);
  assert.is(ours.layers.length, truth.layers?.length ?? 0, `${where}: layers`);
  truth.layers?.forEach((layer, i) => {
    sameLayer(ours.layers[i]!, layer, `${where} layer ${i}`);
  });
  const whole = truth.config?.size != null && (truth.layers ?? []).every(layer => layer.present);
  if (truth.kind === 'image') assert.is(ours.complete, whole, `${where}: complete`);
}

function findImage(report: Report, truth: TruthImage): ImageReport | undefined {
  return report.images.find(image =>
    truth.view === 'v1'
      ? image.v1Id === truth.v1_id
      : truth.view === 'docker'
        ? image.imageId === truth.image_id
        : image.manifestDigest === truth.manifest_digest,
  );
}

function sameContents(report: Report, truth: Truth): void {
  const views = Object.values(truth.views).flat();
  const images = views.filter(image => IMAGE_KINDS.includes(image.kind));
  for (const image of images) {
    const ours = findImage(report, image);
    assert.ok(ours, `${truth.id}: ${image.image_id ?? image.v1_id} is not reported`);
    sameImage(ours, image, truth.id);
  }
  const keys = new Set(images.map(image => image.v1_id ?? image.image_id ?? image.manifest_digest));
  assert.is(report.images.length, keys.size, `${truth.id}: number of images`);
  const of = (kind: string) => views.filter(image => image.kind === kind).length;
  const attestations = report.images.flatMap(image => image.attestations);
  assert.is(attestations.length, of('attestation'), `${truth.id}: attestations`);
  assert.is(report.absent.length, of('missing'), `${truth.id}: absent manifests`);
  assert.is(report.artifacts.length, of('artifact') + of('blob'), `${truth.id}: artifacts`);
}

function sameProblems(report: Report, truth: Truth): void {
  const configMissing = truth.issues.some(issue => issue.code === 'CONFIG_MISSING');
  for (const issue of truth.issues) {
    // An absent config lists no diff_ids: truth.py reports both, waybill only the absence.
    if (issue.code === 'NO_DIFF_IDS' && configMissing) continue;
    // Docker's v1 JSON among the blobs is expected and not a finding.
    if (issue.code === 'UNREFERENCED_BLOBS' && truth.generation === 'docker-hybrid-oci') continue;
    const codes = SAME[issue.code];
    assert.ok(codes, `${truth.id}: no word for ${issue.code}`);
    const severity = LIGHTER[issue.code] ?? issue.severity;
    const found = report.findings.some(f => codes.includes(f.code) && f.severity === severity);
    assert.ok(found, `${truth.id}: ${issue.severity} ${issue.code} (${issue.detail}) is not found`);
  }
}

const items = corpus();
const run = testWhen(test, items.length > 0, NO_SHARED_FOLDER);

for (const { id, file, truth } of items) {
  run(`corpus: ${id}`, async () => {
    if (truth.issues.some(issue => issue.code === 'NOT_AN_IMAGE')) {
      const error = await readArchive(file).then(
        () => assert.unreachable(`${id} is no image`),
        error => error as unknown,
      );
      assert.instance(error, InputError);
      return;
    }
    const reading = await readArchive(file);
    const report = reportOf(reading);
    sameContents(report, truth);
    sameProblems(report, truth);
    const failed = truth.issues.some(issue => issue.severity === 'error');
    const { exitCode } = verify(reading, { failOn: 'error' });
    assert.is(
      exitCode,
      failed ? 1 : 0,
      `${id}: exit code, findings ${JSON.stringify(report.findings.map(f => f.code))}`,
    );
  });
}

if (items.length === 0) run('corpus', () => {});

test.run();
