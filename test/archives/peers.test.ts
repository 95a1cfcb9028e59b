// Assertions of fourteen other projects' own tests about these files: IDs, digests, tags, layers, files, sizes and
// validity.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cat } from '../../src/commands/cat.js';
import { filesDepth, filesReport } from '../../src/commands/files/index.js';
import { sizes } from '../../src/commands/sizes/index.js';
import type { SizesReport } from '../../src/commands/sizes/report.js';
import { wasteReadOptions, wasteReport } from '../../src/commands/waste/index.js';
import { InputError, type Report, readArchive, reportOf, selectImages, verify } from '../../src/commands.js';
import { corpus, NO_SHARED_FOLDER, peerExpectations, sharedFolder, testWhen } from '../support/corpus.js';
import { refusal } from '../support/reading.js';

interface Subject {
  readonly file: string;
  readonly reading: Awaited<ReturnType<typeof readArchive>>;
  readonly report: Report;
}

type Assertion = (subject: Subject, value: never) => void | Promise<void>;

const layersOf = ({ report }: Subject) => report.images[0]!.layers;
const imageOf = ({ report }: Subject, id: string) => report.images.find(image => image.imageId === id)!;
const names = ({ report }: Subject) => report.images.flatMap(image => image.names).sort();
/** The output of `waybill cat` for a file, after one layer or all. */
async function content({ file }: Subject, path: string, layer?: number): Promise<string> {
  const parts: Uint8Array[] = [];
  const put = async (bytes: Uint8Array) => void parts.push(bytes);
  await cat(file, path, put, layer === undefined ? {} : { in: String(layer) });
  return Buffer.concat(parts).toString();
}

async function paths({ file }: Subject): Promise<string[]> {
  const { images } = filesReport(await readArchive(file, { depth: filesDepth }));
  return images.flatMap(({ files = [] }) => files.map(({ path }) => path));
}

async function diveOf({ file }: Subject) {
  return wasteReport(await readArchive(file, wasteReadOptions)).images[0]!.dive!;
}

const exitCode = ({ reading }: Subject) => verify(reading, { failOn: 'error' }).exitCode;

const SAYS: Readonly<Record<string, Assertion>> = {
  layer_count: (s, n: number) => assert.is(layersOf(s).length, n),
  history_entries: (s, n: number) =>
    assert.is(layersOf(s).filter(layer => layer.createdBy !== null).length, n),
  total_entries: (s, n: number) =>
    assert.is(
      layersOf(s).reduce((sum, layer) => sum + layer.entries!, 0),
      n,
    ),
  layer_entry_counts: (s, counts: number[]) =>
    assert.equal(
      layersOf(s).map(layer => layer.entries),
      counts,
    ),
  layer_diff_ids: (s, ids: string[]) =>
    assert.equal(
      layersOf(s).map(layer => layer.diffId),
      ids,
    ),
  layer_uncompressed_sizes: (s, sizes: number[]) =>
    assert.equal(
      layersOf(s).map(layer => layer.unpackedSize),
      sizes,
    ),
  config_diff_ids: (s, ids: string[]) => {
    // If the config lists more layers than the archive has, only those of the archive are reported.
    assert.equal(
      layersOf(s).map(layer => layer.claimedDiffId),
      ids.slice(0, layersOf(s).length),
    );
  },
  layer_refs: (s, refs: string[]) =>
    assert.equal(
      layersOf(s).map((layer, i) => (refs[i]!.includes(':') ? layer.claimedDigest : layer.path)),
      refs,
    ),
  platform: (s, platform: string) => assert.is(s.report.images[0]!.platform, platform),
  created: (s, created: string) => assert.is(s.report.images[0]!.created, created),
  tags: (s, tags: string[]) => assert.equal(names(s), [...tags].sort()),
  has_image_id: (s, id: string) => assert.ok(imageOf(s, id)),
  image_tags: (s, [id, tags]: [string, string[]]) => assert.equal([...imageOf(s, id).names], tags),
  image_layer_sizes: (s, [id, sizes]: [string, number[]]) =>
    assert.equal(
      imageOf(s, id).layers.map(layer => layer.size),
      sizes,
    ),
  image_diff_ids: (s, [id, ids]: [string, string[]]) =>
    assert.equal(
      imageOf(s, id).layers.map(layer => layer.claimedDiffId),
      ids,
    ),
  accepted: s => assert.ok(s.report.images.length > 0),
  valid: s => assert.is(exitCode(s), 0),
  final_content: async (s, files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) assert.is(await content(s, path), text, path);
  },
  content_after_layer: async (s, layers: Record<string, string>[]) => {
    for (const [i, files] of layers.entries())
      for (const [path, text] of Object.entries(files)) assert.is(await content(s, path, i + 1), text, path);
  },
  final_file_size: async (s, files: Record<string, number>) => {
    for (const [path, size] of Object.entries(files)) assert.is((await content(s, path)).length, size, path);
  },
  unreadable: async (s, files: string[]) => {
    for (const path of files) await refusal(content(s, path));
  },
  absent_basename: async (s, name: string) =>
    assert.not.ok((await paths(s)).some(path => path.split('/').at(-1) === name)),
  content_lacks: async (s, [path, text]: [string, string]) =>
    assert.not.ok((await content(s, path)).includes(text)),
  rejected: s => assert.is(exitCode(s), 1),
  needs_selection: s => assert.ok(s.report.images.length > 1),
  selectable_tags: (s, tags: string[]) => {
    for (const tag of tags) assert.is(selectImages(s.reading, { ref: tag }).size, 1, tag);
  },
  unreferenced_blobs: (s, digests: string[]) => {
    const found = s.report.findings.find(f => f.code === 'unreferenced-blobs');
    const paths = found === undefined ? [] : (found.data as { paths: string[] }).paths;
    assert.equal(
      paths,
      digests.map(digest => `blobs/${digest.replace(':', '/')}`),
    );
  },
  has_manifest: (s, digest: string) =>
    assert.ok(
      [...s.report.images.map(i => i.manifestDigest), ...s.report.artifacts.map(a => a.digest)].includes(
        digest,
      ),
    ),
  has_index: (s, digest: string) =>
    assert.ok(s.report.images.some(image => image.indexDigests.includes(digest))),
  index_descriptors: (s, digests: string[]) =>
    assert.equal(
      s.report.absent.map(absent => absent.digest),
      digests,
    ),
  has_index_and_layout: s => assert.is(s.report.archive.layout, 'oci-layout'),
  archive_sha256: async (s, digest: string) =>
    assert.is(`sha256:${(await readArchive(s.file, { depth: 'metadata', sha256: true })).sha256}`, digest),
  dive: async (s, said: Readonly<Record<string, number>>) => {
    const { efficiency, sizeBytes, userSizeBytes, wastedBytes, userWastedPercent } = await diveOf(s);
    assert.equal(
      { efficiency, sizeBytes, userSizeBytes, wastedBytes, wastedUserPercent: userWastedPercent },
      said,
    );
  },
  dive_inefficient: async (s, files: readonly [count: number, bytes: number, path: string][]) => {
    const { inefficient } = await diveOf(s);
    const said = inefficient.map(({ count, bytes, path }) => [count, bytes, path] as const);
    assert.equal(said.toSorted(), files.toSorted());
  },
  layer_regular_bytes: async (s, bytes: readonly number[]) => {
    const { images } = sizes(await readArchive(s.file, { depth: 'files' }), {}).data as SizesReport;
    assert.equal(
      images[0]!.layers.map(({ sizes }) => sizes.content),
      bytes,
    );
  },
  manifests_by_platform: (s, manifests: Record<string, string>) => {
    for (const [platform, digest] of Object.entries(manifests)) {
      assert.is(s.report.images.find(image => image.platform === platform)?.manifestDigest, digest, platform);
    }
  },
};

/** Expectations that do not hold for waybill, with the reason. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'ggcr.no_manifest.tar rejected': 'an archive from before Docker 1.10, which waybill reads',
};

const files = new Map(corpus().map(({ id, file }) => [id, file]));
const run = testWhen(test, files.size > 0, NO_SHARED_FOLDER);

/** Without those that only name another file: test/analysis/dive.test.ts compares dive's export of all entries. */
const stated = peerExpectations().filter(({ what }) => what !== 'layer_file_list_sha');

run('every kind of expectation is compared', () => {
  const kinds = new Set(stated.map(({ what }) => what));
  assert.equal(
    [...kinds].filter(what => !Object.hasOwn(SAYS, what)),
    [],
  );
});

for (const { fixture, peer, what, value } of stated) {
  const assertion = SAYS[what];
  if (assertion === undefined) continue;
  const title = `${peer}: ${fixture} ${what}`;
  run(title, async () => {
    const file = files.get(fixture) ?? join(sharedFolder, 'corpus/archives', fixture);
    const reading = await readArchive(file).catch(error => {
      if (error instanceof InputError && what === 'rejected') return null;
      throw error;
    });
    if (reading === null) return;
    const subject = { file, reading, report: reportOf(reading) };
    if (`${fixture} ${what}` in OTHERWISE) assert.is(exitCode(subject), 0);
    else await assertion(subject, value as never);
  });
}

test.run();
