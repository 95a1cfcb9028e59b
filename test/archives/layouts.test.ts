// Every layout of FORMATS section 1, compared with the builder's knowledge of its content.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImageReport, LayerReport, Report } from '../../src/commands.js';
import { testWhen } from '../support/corpus.js';
import { digestOf, encodedOf } from '../support/digest.js';
import { unpacked } from '../support/docker-layouts.js';
import { assemble, chainIdsOf, type Image, image, type Layer, layerOf } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { fullName } from '../support/names.js';
import { canCompress, compress } from '../support/pack.js';
import { ALL_TRUE, codes, faults, readInput, readMembers, refusal, saved } from '../support/reading.js';
import { tarBytes } from '../support/tar.js';
import { legacyLayers } from '../support/v1.js';

const steps = (seed: string, compression: 'none' | 'gzip') => [
  { files: { [`${seed}/one`]: `${seed}\n`, 'etc/': {} }, compression, createdBy: 'COPY one / # buildkit' },
  { emptyLayer: true as const, createdBy: 'ENV SEED=1' },
  { files: { [`${seed}/two`]: 'two' }, compression, createdBy: 'RUN two # buildkit' },
];

const ARM = { os: 'linux', architecture: 'arm64', variant: 'v8' };
const first = await image({ layers: steps('first', 'gzip') });
const second = await image({ layers: steps('second', 'gzip'), platform: ARM });
/** With the config that Nix writes. */
const nix = (item: Image): Promise<Image> =>
  image({
    layers: item.layers.map(({ tar }) => ({ tar })),
    platform: item.platform,
    indent: 4,
    history: item.config.history,
  });

interface Row {
  readonly row: string;
  readonly make: (images: layouts.Images) => layouts.Member[];
  readonly layout: Report['archive']['layout'];
  readonly producer: RegExp;
  /** Set if only a name distinguishes this producer from another. */
  readonly unnamed?: RegExp;
  /** Set if nothing distinguishes several images of this producer from those of another. */
  readonly several?: RegExp | null;
  /** The images as the producer stores them: mostly uncompressed. */
  readonly stored?: (item: Image) => Image;
  readonly name?: (tag: string) => string | null;
  readonly images?: readonly [Image, Image];
  /** False if the producer writes only one name. */
  readonly tags?: false;
  readonly findings?: readonly string[];
}

const OCI_BUNDLE = /skopeo.*oras/;
const ROWS: readonly Row[] = [
  {
    row: 'B',
    make: layouts.dockerSave,
    layout: 'docker-archive',
    producer: /^docker save 1\.10 to 24$/,
    stored: unpacked,
  },
  {
    row: 'C',
    make: layouts.dockerSave25,
    layout: 'docker-hybrid',
    producer: /^docker save 25 to 28/,
    stored: unpacked,
  },
  {
    row: 'D',
    make: layouts.dockerContainerd,
    layout: 'docker-hybrid',
    producer: /containerd store/,
  },
  { row: 'E', make: layouts.buildxOci, layout: 'oci-layout', producer: /BuildKit/, name: fullName },
  {
    row: 'F',
    make: layouts.podmanDockerArchive,
    layout: 'docker-archive',
    producer: /podman.*docker-archive/,
    stored: unpacked,
    name: fullName,
  },
  {
    row: 'G',
    make: layouts.skopeoOci,
    layout: 'oci-layout',
    producer: /skopeo/,
    unnamed: /skopeo|BuildKit/,
    several: OCI_BUNDLE,
  },
  {
    row: 'H',
    make: layouts.skopeoDir,
    layout: 'skopeo-dir',
    producer: /skopeo or podman \(dir:\)/,
    several: null,
    name: () => null,
  },
  { row: 'I', make: layouts.cranePull, layout: 'docker-archive', producer: /crane/ },
  { row: 'J', make: layouts.jib, layout: 'docker-archive', producer: /^jib$/, several: null },
  { row: 'K', make: layouts.rulesOci, layout: 'docker-archive', producer: /rules_oci/ },
  {
    row: 'L',
    make: layouts.nixDockerTools,
    layout: 'docker-archive',
    producer: /nix/,
    images: [await nix(first), await nix(second)],
  },
  { row: 'M', make: layouts.regctl, layout: 'docker-hybrid', producer: /regctl/, several: null, tags: false },
  {
    row: 'N',
    make: layouts.containerify,
    layout: 'docker-archive',
    producer: /containerify/,
    several: null,
    findings: ['key-case'],
  },
  {
    row: 'O',
    make: layouts.cosignSave,
    layout: 'oci-layout',
    producer: /cosign/,
    name: () => null,
  },
  {
    row: 'P',
    make: layouts.orasBackup,
    layout: 'oci-layout',
    producer: /skopeo|oras/,
    unnamed: /skopeo|oras|BuildKit/,
    several: OCI_BUNDLE,
  },
];

function sameLayer(ours: LayerReport, theirs: Layer, where: string): void {
  assert.is(ours.present, true, `${where}: present`);
  assert.is(ours.diffId, theirs.diffId, `${where}: diff_id`);
  assert.is(ours.claimedDiffId, theirs.diffId, `${where}: claimed diff_id`);
  assert.is(ours.digest, theirs.digest, `${where}: digest`);
  assert.is(ours.size, theirs.size, `${where}: size`);
  assert.is(ours.unpackedSize, theirs.tar.length, `${where}: unpacked size`);
  assert.is(ours.compression, theirs.compression, `${where}: compression`);
}

function sameImage(ours: ImageReport | undefined, theirs: Image, names: readonly string[]): void {
  assert.ok(ours, `${theirs.imageId} is not reported`);
  const where = theirs.imageId;
  const { os, architecture, variant } = theirs.platform;
  assert.equal([...ours.names].sort(), [...names].sort(), `${where}: names`);
  assert.is(ours.platform, [os, architecture, variant].filter(Boolean).join('/'), `${where}: platform`);
  assert.is(ours.created, theirs.created, `${where}: created`);
  assert.is(ours.complete, true, `${where}: complete`);
  assert.equal(ours.verdicts, ALL_TRUE, `${where}: verdicts`);
  assert.is(ours.layers.length, theirs.layers.length, `${where}: layers`);
  theirs.layers.forEach((layer, i) => {
    sameLayer(ours.layers[i]!, layer, `${where} layer ${i}`);
  });
  assert.equal(
    ours.layers.map(layer => layer.chainId),
    chainIdsOf(theirs.diffIds),
    `${where}: chain IDs`,
  );
  assert.equal(
    ours.layers.map(layer => layer.createdBy),
    theirs.config.history.filter(step => step.empty_layer !== true).map(step => step.created_by),
    `${where}: created by`,
  );
}

async function check(row: Row, images: readonly layouts.Tagged[], producer: RegExp): Promise<void> {
  const { report, exitCode } = await readMembers(row.make(images));
  const { archive } = report;
  assert.is(archive.layout, row.layout);
  assert.match(archive.producer ?? '', producer);
  assert.ok(archive.marks.length > 0 && archive.marks.every(mark => mark !== ''), 'marks');
  assert.equal(faults(report.findings), []);
  assert.equal(codes(report.findings), row.findings ?? []);
  assert.equal(report.verdicts, ALL_TRUE);
  assert.is(exitCode, 0);
  assert.is(report.images.length, images.length, 'each image once');
  for (const { image: item, tags = [] } of images) {
    const names = tags.map(row.name ?? (tag => tag)).filter(name => name !== null);
    const ours = report.images.find(({ imageId }) => imageId === item.imageId);
    sameImage(ours, (row.stored ?? (same => same))(item), names);
  }
}

for (const row of ROWS) {
  const [one, two] = row.images ?? [first, second];
  const { producer } = row;
  test(`row ${row.row}: one image`, () => check(row, [{ image: one, tags: ['app:1'] }], producer));
  if (row.tags !== false) {
    test(`row ${row.row}: several tags`, () =>
      check(row, [{ image: one, tags: ['app:1', 'example.test:5000/team/app:2.0'] }], producer));
  }
  test(`row ${row.row}: untagged`, () => check(row, [{ image: one }], row.unnamed ?? producer));
  if (row.several === null) continue;
  test(`row ${row.row}: several images`, () =>
    check(
      row,
      [
        { image: one, tags: ['app:1'] },
        { image: two, tags: ['app:2', 'other:1'] },
      ],
      row.several ?? producer,
    ));
}

const V1_FORMS: readonly (readonly [string, readonly layouts.Tagged[]])[] = [
  ['one image', [{ image: first, tags: ['app:1'] }]],
  ['several tags', [{ image: first, tags: ['app:1', 'other:2'] }]],
  ['untagged', [{ image: first }]],
  [
    'several images',
    [
      { image: first, tags: ['app:1'] },
      { image: second, tags: ['app:2'] },
    ],
  ],
];

for (const [name, images] of V1_FORMS) {
  test(`row A: ${name}`, async () => {
    const { report, exitCode } = await readMembers(layouts.dockerV1(images));
    assert.is(report.archive.layout, 'docker-v1');
    assert.match(report.archive.producer ?? '', /^docker save 1\.9/);
    assert.ok(report.archive.marks.length > 0);
    assert.equal([faults(report.findings), report.verdicts, exitCode], [[], ALL_TRUE, 0]);
    assert.is(report.images.length, images.length);
    for (const { image: item, tags = [] } of images) {
      const chain = legacyLayers(item.config);
      const ours = report.images.find(({ v1Id }) => v1Id === chain.at(-1)!.id)!;
      assert.is(ours.imageId, null);
      assert.equal(ours.names, [...tags].sort());
      assert.is(ours.platform, `linux/${item.platform.architecture}`);
      assert.equal(
        ours.layers.map(layer => layer.v1Id),
        chain.map(({ id }) => id),
      );
      chain.forEach(({ layer }, i) => {
        const tar = layer === undefined ? new Uint8Array(1024) : item.layers[layer]!.tar;
        assert.is(ours.layers[i]!.diffId, digestOf(tar));
        assert.is(ours.layers[i]!.size, tar.length);
      });
    }
  });
}

test('row K as a layout: the same descriptor for every tag is one image', async () => {
  const { report } = await readMembers(
    layouts.rulesOci({ image: first, tags: ['app:1', 'app:2'] }, { format: 'oci' }),
  );
  assert.equal([faults(report.findings), report.images.length], [[], 1]);
  sameImage(report.images[0], first, ['app:1', 'app:2']);
});

test('row Q: a root file system is recognised, and the message says what to do', async () => {
  const os = await image({
    layers: [{ files: { 'bin/sh': 'x', 'etc/passwd': 'root', 'usr/lib/a': 'a', 'var/': {} } }],
  });
  const error = await refusal(readMembers(layouts.rootfs(os)));
  assert.match(error.message, /root file system \(.*docker export.*buildx type=tar/);
  assert.match(error.remedy ?? '', /docker save/);
});

test('a single layer is recognised as such', async () => {
  const layer = await tarBytes([{ path: 'etc/' }, { path: 'etc/.wh.gone' }, { path: 'etc/new', bytes: 'n' }]);
  for (const bytes of [layer, compress(layer, 'gzip')]) {
    const error = await refusal(readInput(saved(bytes, 'layer')));
    assert.match(error.message, /single image layer, not an image/);
    assert.match(error.remedy ?? '', /docker save IMAGE/);
  }
});

const MULTI = { platforms: [first, second], tags: ['app:1'], attestations: true };

for (const ociArtifact of [false, true]) {
  const form = ociArtifact ? 'OCI artifacts' : 'manifests';
  for (const make of [layouts.buildxOci, layouts.dockerContainerd]) {
    test(`${make.name}: every platform, with attestations as ${form}`, async () => {
      const members = make({ ...MULTI, ociArtifact });
      const { report, exitCode } = await readMembers(members);
      assert.equal([faults(report.findings), report.verdicts, exitCode], [[], ALL_TRUE, 0]);
      assert.equal(
        report.images.map(({ imageId }) => imageId).sort(),
        [first.imageId, second.imageId].sort(),
      );
      assert.equal(report.artifacts, [], 'an attestation is no artifact of its own');
      const top = (layouts.memberJson(members, 'index.json') as { manifests: { digest: string }[] })
        .manifests[0]!.digest;
      for (const ours of report.images) {
        assert.equal(ours.indexDigests, [top]);
        assert.is(ours.attestations.length, 1);
        assert.is(ours.attestations[0]!.kind, 'attestation');
        assert.is(ours.attestations[0]!.subject, ours.manifestDigest);
        assert.match(ours.attestations[0]!.blobs[0]!.predicateType ?? '', 'slsa.dev');
        assert.ok(ours.names.some(name => fullName(name) === 'docker.io/library/app:1'));
      }
      assert.is(report.images.find(({ imageId }) => imageId === second.imageId)!.platform, 'linux/arm64/v8');
    });
  }
}

test('row H: a list with its instances', async () => {
  const { report } = await readMembers(layouts.skopeoDir({ platforms: [first, second] }));
  assert.equal([faults(report.findings), report.images.length], [[], 2]);
  assert.equal(
    report.images.map(({ platform }) => platform),
    ['linux/amd64', 'linux/arm64/v8'],
  );
});

test('both manifest.json and index.json: a platform that only the index lists is reported once', async () => {
  const { report } = await readMembers(
    layouts.dockerContainerd({ platforms: [first, second], tags: ['a:1', 'a:2'] }),
  );
  assert.equal(faults(report.findings), []);
  assert.equal(
    report.images.map(({ imageId }) => imageId),
    [first.imageId, second.imageId],
  );
});

test('one image under two indexes is listed once, with both names', async () => {
  const inner = layouts.indexOf([layouts.platformManifest(first)]);
  const names = (content: layouts.Content, name: string) =>
    layouts.described(content, { annotations: { [layouts.REF_ANNOTATION]: name } });
  const members = layouts.ociLayout({
    manifests: [names(inner, 'app:1'), names(layouts.platformManifest(first), 'app:2')],
  });
  const { report } = await readMembers(members);
  assert.is(report.images.length, 1);
  sameImage(report.images[0], first, ['app:1', 'app:2']);
});

test('nested indexes: the path to the manifest is reported, outermost first', async () => {
  const inner = layouts.indexOf([layouts.platformManifest(first)]);
  const middle = layouts.indexOf([inner, layouts.platformManifest(second)]);
  const outer = layouts.described(layouts.indexOf([middle]), {
    annotations: { [layouts.REF_ANNOTATION]: 'deep:1' },
  });
  const { report, exitCode } = await readMembers(layouts.ociLayout({ manifests: [outer] }));
  assert.equal([faults(report.findings), exitCode], [[], 0]);
  const ways = [outer, middle, inner].map(({ descriptor }) => descriptor.digest);
  assert.equal(
    report.images.map(({ imageId, indexDigests, names }) => [imageId, indexDigests, names]),
    [
      [first.imageId, ways, ['deep:1']],
      [second.imageId, ways.slice(0, 2), ['deep:1']],
    ],
  );
});

test('artifacts and referrers are not images, and belong to their subject', async () => {
  const subject = layouts.manifestOf(first);
  const sbom = layouts.artifact({
    type: 'application/spdx+json',
    layers: [layouts.blobOf('application/spdx+json', '{"spdxVersion":"SPDX-2.3"}')],
    subject,
  });
  const chart = layouts.artifact({
    type: 'application/vnd.cncf.helm.chart.v1',
    layers: [layouts.blobOf('text/plain', 'chart')],
  });
  const { report, exitCode } = await readMembers(
    layouts.orasBackup({ image: first, tags: ['app:1'] }, [sbom, chart]),
  );
  assert.equal([faults(report.findings), report.verdicts, exitCode], [[], ALL_TRUE, 0]);
  assert.is(report.images.length, 1);
  assert.equal(report.images[0]!.referrers, [sbom.descriptor.digest]);
  assert.equal(
    report.artifacts.map(({ kind, digest, artifactType, subject, complete }) => [
      kind,
      digest,
      artifactType,
      subject,
      complete,
    ]),
    [
      ['artifact', sbom.descriptor.digest, 'application/spdx+json', subject.descriptor.digest, true],
      ['artifact', chart.descriptor.digest, 'application/vnd.cncf.helm.chart.v1', null, true],
    ],
  );
});

test('row O: a cosign signature is an artifact, never an image', async () => {
  const { report } = await readMembers(layouts.cosignSave({ image: first, tags: ['app:1'] }));
  assert.is(report.images.length, 1);
  assert.equal(
    report.artifacts.map(({ kind, blobs }) => [kind, blobs[0]!.mediaType]),
    [['artifact', 'application/vnd.dev.cosign.simplesigning.v1+json']],
  );
});

test('a cosign signature in a layout is assigned to its subject by its tag', async () => {
  const subject = layouts.manifestOf(first);
  const tag = `sha256-${encodedOf(subject.descriptor.digest)}.sig`;
  const signature = layouts.manifestFrom(layouts.MEDIA.manifest, layouts.EMPTY, [
    layouts.blobOf('application/vnd.dev.cosign.simplesigning.v1+json', '{}'),
  ]);
  const named = layouts.described(signature, { annotations: { [layouts.REF_ANNOTATION]: tag } });
  const { report } = await readMembers(layouts.ociLayout({ manifests: [subject, named] }));
  assert.equal(report.images[0]!.referrers, [signature.descriptor.digest]);
  assert.is(report.artifacts[0]!.subject, subject.descriptor.digest);
});

test('a sha512 layout is verified with sha512', async () => {
  const options = { algorithm: 'sha512' as const };
  const { report, exitCode } = await readMembers(
    layouts.ociLayout({ manifests: [layouts.manifestOf(first, options)] }),
  );
  assert.equal([faults(report.findings), report.verdicts, exitCode], [[], ALL_TRUE, 0]);
  const [ours] = report.images;
  assert.is(ours!.imageId, first.imageId);
  assert.equal(
    ours!.layers.map(({ digest, diffId }) => [digest, diffId]),
    first.layers.map(({ blob, diffId }) => [digestOf(blob, 'sha512'), diffId]),
  );
});

const URLS = ['https://example.test/base.tar.gz'];
for (const absent of [false, true]) {
  test(`a foreign layer that is ${absent ? 'absent' : 'present'} is accepted`, async () => {
    const item = await image({
      layers: [
        { files: { base: 'b' }, urls: URLS, absent, compression: 'gzip' },
        { files: { app: 'a' }, compression: 'gzip' },
      ],
    });
    for (const make of [layouts.skopeoOci, layouts.cranePull]) {
      const { report, exitCode } = await readMembers(make({ image: item, tags: ['win:1'] }));
      assert.equal([report.verdicts, exitCode], [ALL_TRUE, 0]);
      const [base, app] = report.images[0]!.layers;
      assert.equal([base!.foreign, base!.urls, base!.present], [true, URLS, !absent]);
      assert.equal([app!.foreign, app!.urls], [false, []]);
      // skopeo and podman go to the address that an OCI manifest names, even where they need not.
      const fetched = make === layouts.skopeoOci ? ['blob-fetched'] : [];
      assert.equal(codes(report.findings), absent ? ['foreign-layer-absent'] : fetched);
    }
  });
}

test('encrypted layers are reported as encrypted, and their digests are verified', async () => {
  const members = layouts.ociLayout({ manifests: [layouts.manifestOf(first, { encrypted: true })] });
  const { report, exitCode } = await readMembers(members);
  assert.is(exitCode, 0);
  // Their content is an unencrypted tar, which is reported and verified.
  for (const { data } of report.findings) assert.ok((data as { plain: boolean }).plain);
  assert.equal(
    report.images[0]!.layers.map(({ encrypted }) => encrypted),
    [true, true],
  );
  assert.equal(codes(report.findings), ['layer-encrypted', 'layer-encrypted']);
  const broken = layouts.flipByte(members, layouts.blobPath(first.layers[0]!.digest), -1);
  assert.ok(codes((await readMembers(broken)).report.findings).includes('digest-mismatch'));
});

test('inline data is compared with its digest', async () => {
  const { report } = await readMembers(
    layouts.ociLayout({ manifests: [layouts.manifestOf(first, { inlineData: true })] }),
  );
  assert.equal([faults(report.findings), report.verdicts], [[], ALL_TRUE]);
});

/** An image of one layer whose stored bytes are given. */
async function packed(tar: Uint8Array, blob: Uint8Array, compression: 'gzip' | 'zstd' | 'xz' | 'bzip2') {
  const made = layerOf(tar, blob, compression);
  const { configBytes } = await image({ layers: [{ tar }] });
  return assemble(configBytes, [made]);
}

async function readPacked(item: Image, annotations?: Readonly<Record<string, string>>): Promise<LayerReport> {
  const layers = item.layers.map(layer => ({
    ...layer,
    spec: { ...layer.spec, ...(annotations && { annotations }) },
  }));
  const { report, exitCode } = await readMembers(
    layouts.skopeoOci({ image: { ...item, layers }, tags: ['a:1'] }),
  );
  assert.equal([faults(report.findings), report.verdicts, exitCode], [[], ALL_TRUE, 0]);
  sameLayer(report.images[0]!.layers[0]!, item.layers[0]!, 'layer');
  return report.images[0]!.layers[0]!;
}

const tar = await tarBytes([
  { path: 'a', bytes: 'a'.repeat(3000) },
  { path: 'b', bytes: 'bee' },
]);

/** The tar in `count` parts, each compressed separately. */
function parts(count: number, how: 'gzip' | 'zstd'): Uint8Array {
  const size = Math.ceil(tar.length / count);
  return Buffer.concat(
    Array.from({ length: count }, (_, i) => compress(tar.subarray(i * size, (i + 1) * size), how)),
  );
}

const zstdTest = testWhen(test, canCompress('zstd'), 'zstd is not installed');
const xzTest = testWhen(test, canCompress('xz'), 'xz is not installed');
const bzip2Test = testWhen(test, canCompress('bzip2'), 'bzip2 is not installed');

test('a gzip layer may have many members, with zeros after them', async () => {
  await readPacked(await packed(tar, parts(4, 'gzip'), 'gzip'));
  const padded = await packed(tar, Buffer.concat([parts(2, 'gzip'), new Uint8Array(512)]), 'gzip');
  const { report } = await readMembers(layouts.ociLayout({ manifests: [layouts.manifestOf(padded)] }));
  assert.equal([codes(report.findings), report.verdicts.intact], [['layer-trailing-bytes'], true]);
});
zstdTest('a zstd layer of many frames, with a skippable one', async () => {
  const skippable = Buffer.from('502a4d1804000000deadbeef', 'hex');
  await readPacked(await packed(tar, parts(3, 'zstd'), 'zstd'));
  await readPacked(await packed(tar, Buffer.concat([parts(2, 'zstd'), skippable]), 'zstd'));
  // containers/image recognises zstd only by its first bytes.
  const first = await packed(tar, Buffer.concat([skippable, parts(2, 'zstd')]), 'zstd');
  const { report } = await readMembers(layouts.ociLayout({ manifests: [layouts.manifestOf(first)] }));
  assert.equal([codes(report.findings), report.verdicts.intact], [['layer-stream-ambiguous'], true]);
});
zstdTest('a zstd:chunked layer is known by its annotations', async () => {
  const layer = await readPacked(await packed(tar, parts(2, 'zstd'), 'zstd'), {
    'io.github.containers.zstd-chunked.manifest-checksum': digestOf('toc'),
    'io.github.containers.zstd-chunked.manifest-position': '1:2:3:1',
  });
  assert.is(layer.format, 'zstd:chunked');
});
xzTest('an xz layer', async () => {
  await readPacked(await packed(tar, compress(tar, 'xz'), 'xz'));
});
bzip2Test('a bzip2 layer', async () => {
  await readPacked(await packed(tar, compress(tar, 'bzip2'), 'bzip2'));
});

test('an eStargz layer is recognised by its table of contents, and by its annotation', async () => {
  const estargz = await tarBytes([
    { path: 'a', bytes: 'a' },
    { path: 'stargz.index.json', bytes: '{"version":1}' },
  ]);
  assert.is((await readPacked(await packed(estargz, compress(estargz, 'gzip'), 'gzip'))).format, 'estargz');
  const annotated = await readPacked(await packed(tar, parts(1, 'gzip'), 'gzip'), {
    'containerd.io/snapshot/stargz/toc.digest': digestOf('toc'),
  });
  assert.is(annotated.format, 'estargz');
});

test('layers, configs and tars in every spelling that tools accept are read', async () => {
  const members = layouts.dockerSave25({ image: first, tags: ['app:1'] });
  const { report } = await readMembers(members, {}, { prefix: './' });
  assert.equal([faults(report.findings), report.images.length], [[], 1]);
  const hard = layouts
    .dockerSave(await image({ layers: [{ files: { same: 's' } }, { files: { same: 's' } }] }))
    .map(member =>
      layouts.isLink(member) ? { ...member, link: member.link.replace('../', ''), hard: true } : member,
    )
    .sort((a, b) => Number(layouts.isLink(a)) - Number(layouts.isLink(b)));
  // Docker loads it; crane, skopeo and podman do not.
  const linked = await readMembers(hard);
  assert.equal(linked.report.images[0]!.complete, true);
  assert.ok(codes(linked.report.findings).includes('link-unexpected'));
  const files = hard.filter(member => !layouts.isLink(member));
  const early = await readMembers([...hard.filter(layouts.isLink), ...files]);
  assert.equal(early.report.images[0]!.complete, false, 'a hard link before its target');
});

test('links and hard links between the blobs of a layout are followed', async () => {
  const members = layouts.skopeoOci({ image: first, tags: ['app:1'] });
  const path = layouts.blobPath(first.layers[0]!.digest);
  const real = `layers/${path.slice('blobs/sha256/'.length)}`;
  const moved = members.map(member => (member.path === path ? { ...member, path: real } : member));
  for (const link of [
    { path, link: `../../${real}` },
    { path, link: real, hard: true },
  ]) {
    const { report, exitCode } = await readMembers([...moved, link]);
    assert.equal([faults(report.findings), report.verdicts, exitCode], [[], ALL_TRUE, 0]);
  }
});

test.run();
