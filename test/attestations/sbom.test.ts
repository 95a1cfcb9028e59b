// SBOMs in all formats, provenances of all versions, and the comparison with packages: what is forgiven, and what is
// not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ImagePackage } from '../../src/analysis/packages.js';
import { compareSbom } from '../../src/attestations/compare.js';
import { readProvenance } from '../../src/attestations/provenance.js';
import { readSbom, sbomFormatOf, sbomOfPredicate } from '../../src/attestations/sbom.js';
import type { PackageType } from '../../src/packages/purl.js';
import type { Json } from '../../src/spec/json.js';
import { cyclonedx, type ListedPackage, spdx2, spdx3, syft } from '../support/sboms.js';

const LISTED: readonly ListedPackage[] = [
  {
    name: 'zlib1g',
    version: '1:1.2.13',
    purl: 'pkg:deb/debian/zlib1g@1%3A1.2.13?arch=amd64&distro=debian-12',
  },
  { name: 'left-pad', version: '1.3.0', purl: 'pkg:npm/left-pad@1.3.0' },
  { name: 'notes' },
];

for (const [name, make, version] of [
  ['spdx', spdx2, '2.3'],
  ['spdx', spdx3, '3.0.1'],
  ['cyclonedx', cyclonedx, '1.5'],
  ['syft', syft, '16.0.0'],
] as const)
  test(`${name} ${version}: its packages, without the image and the distribution`, () => {
    const sbom = readSbom(make(LISTED) as Json)!;
    assert.equal([sbom.format, sbom.version, sbom.isCut], [name, version, false]);
    assert.equal(
      sbom.packages.map(one => [one.name, one.version, one.purl?.type ?? null, one.purl?.version ?? null]),
      [
        ['zlib1g', '1:1.2.13', 'deb', '1:1.2.13'],
        ['left-pad', '1.3.0', 'npm', '1.3.0'],
        ['notes', null, null, null],
      ],
    );
  });

test('an SBOM in a predicate: as it is, and in the Data of cosign 1, as text or object', () => {
  const sbom = spdx2(LISTED) as Json;
  for (const predicate of [sbom, { Data: sbom }, { Data: JSON.stringify(sbom) }])
    assert.is(sbomOfPredicate(predicate)?.packages.length, 3);
  for (const predicate of [undefined, null, {}, { Data: '{' }, { Data: 7 }, [], 'x'])
    assert.is(sbomOfPredicate(predicate as Json), null);
});

test('formats by predicate type and media type', () => {
  const types = {
    'https://spdx.dev/Document': 'spdx',
    'https://spdx.dev/Document/v2.3': 'spdx',
    'application/spdx+json': 'spdx',
    'text/spdx': 'spdx',
    'https://cyclonedx.org/bom': 'cyclonedx',
    'application/vnd.cyclonedx+xml': 'cyclonedx',
    'application/vnd.syft+json': 'syft',
    'https://slsa.dev/provenance/v1': null,
  };
  for (const [type, format] of Object.entries(types)) assert.is(sbomFormatOf(type), format, type);
});

test('hostile SBOMs: nothing throws, and what is no package is left out', () => {
  const odd = [null, 7, 'x', [], {}, { name: 7 }, { name: '' }, { name: 'a', purl: 'no purl' }];
  const documents: Json[] = [
    { bomFormat: 'CycloneDX', components: odd as Json[] },
    { bomFormat: 'CycloneDX', components: 7 },
    { spdxVersion: 'SPDX-2.3', packages: odd as Json[], relationships: odd as Json[], documentDescribes: {} },
    { '@context': 'https://spdx.org/rdf/3.0.1/x', '@graph': odd as Json[] },
    { artifacts: odd as Json[], descriptor: { name: 'syft' } },
  ];
  for (const document of documents) assert.ok((readSbom(document)?.packages.length ?? 9) <= 2);
  let nested: Json = { type: 'library', name: 'deep' };
  for (let i = 0; i < 5000; i++) nested = { type: 'library', name: 'a', components: [nested] };
  assert.is(readSbom({ bomFormat: 'CycloneDX', components: [nested] })!.packages.length, 100);
  const many = Array.from({ length: 200_001 }, () => ({ name: 'a' }));
  assert.is(readSbom({ bomFormat: 'CycloneDX', components: many })!.isCut, true);
});

const installed = (
  type: PackageType,
  name: string,
  version: string | null,
  more: Partial<ImagePackage> = {},
) =>
  ({
    type,
    group: null,
    name,
    version,
    arch: null,
    license: null,
    source: null,
    layer: 0,
    paths: ['x'],
    owner: null,
    ...more,
  }) as const;

function compared(purls: readonly string[], own: readonly ImagePackage[]) {
  const sbom = readSbom(cyclonedx(purls.map(purl => ({ name: 'x', purl }))) as Json)!;
  const { differences, same, notCompared } = compareSbom(sbom, own);
  const lines = differences.map(
    ({ kind, type, name, listed, installed: here }) =>
      `${kind} ${type} ${name} ${listed.join()}|${here.join()}`,
  );
  return [...lines, `${same} same`, ...(notCompared > 0 ? [`${notCompared} not compared`] : [])];
}

test('missing here, missing there, other version', () => {
  const own = [installed('deb', 'a', '1'), installed('deb', 'b', '1'), installed('npm', '@s/c', '1')];
  assert.equal(
    compared(['pkg:deb/debian/a@1', 'pkg:deb/debian/b@2', 'pkg:npm/%40s/d@1', 'pkg:cargo/x@1'], own),
    [
      'other-version deb b 2|1',
      'missing-here npm @s/d 1|',
      'missing-there npm @s/c |1',
      '1 same',
      '1 not compared',
    ],
  );
});

test('habits of tools are forgiven', () => {
  const alike: readonly (readonly [purl: string, own: ImagePackage])[] = [
    ['pkg:deb/ubuntu/a@1?arch=arm64&distro=jammy', installed('deb', 'a', '1')],
    ['pkg:deb/debian/a@1.2', installed('deb', 'a', '1:1.2')],
    ['pkg:deb/debian/a@1%3A1.2', installed('deb', 'a', '1.2')],
    ['pkg:rpm/redhat/a@1.2-3?epoch=1', installed('rpm', 'a', '1:1.2-3')],
    ['pkg:rpm/redhat/a@1.2-3', installed('rpm', 'a', '0:1.2-3')],
    ['pkg:deb/debian/glibc@2.36', installed('deb', 'libc6', '2.36', { source: 'glibc' })],
    ['pkg:pypi/zope-interface@5', installed('pypi', 'Zope.Interface', '5')],
    ['pkg:golang/github.com/a/b@1.0.0', installed('golang', 'github.com/a/b', 'v1.0.0')],
    ['pkg:golang/stdlib@go1.22.3', installed('golang', 'stdlib', '1.22.3')],
    ['pkg:golang/example.org/app', installed('golang', 'example.org/app', null)],
    ['pkg:golang/example.org/App@v1.0.0', installed('golang', 'example.org/app', null)],
    ['pkg:maven/org.acme/tool@2', installed('maven', 'tool', '2')],
    ['pkg:maven/org.acme/tool@2', installed('maven', 'tool', '2', { group: 'org.acme' })],
  ];
  for (const [purl, own] of alike) {
    const lines = compared([purl], [own]).filter(line => !line.startsWith('missing-there'));
    assert.match(lines.join(), /^[01] same$/, purl);
  }
});

test('a source package stands for all that was built from it, and for no others', () => {
  const own = [
    installed('deb', 'libc6', '2.36', { source: 'glibc' }),
    installed('deb', 'libc-bin', '2.36', { source: 'glibc' }),
    installed('deb', 'zlib1g', '1', { source: 'zlib' }),
  ];
  assert.equal(compared(['pkg:deb/debian/glibc@2.36'], own), ['missing-there deb zlib1g |1', '0 same']);
  assert.equal(compared(['pkg:deb/debian/glibc@2.36', 'pkg:deb/debian/libc6@2.35'], own.slice(0, 2)), [
    'other-version deb libc6 2.35|2.36',
    '0 same',
  ]);
});

test('what is no habit is not forgiven', () => {
  const differ: readonly (readonly [purl: string, own: ImagePackage])[] = [
    ['pkg:deb/debian/a@1%3A1.2', installed('deb', 'a', '2:1.2')],
    ['pkg:deb/debian/a@1.2-1', installed('deb', 'a', '1.2-2')],
    ['pkg:npm/a@1', installed('deb', 'a', '1')],
    ['pkg:npm/%40evil/a@1', installed('npm', 'a', '1')],
    ['pkg:maven/org.evil/tool@2', installed('maven', 'tool', '2', { group: 'org.acme' })],
    ['pkg:golang/github.com/evil/b@v1.0.0', installed('golang', 'github.com/a/b', 'v1.0.0')],
  ];
  for (const [purl, own] of differ)
    assert.match(compared([purl], [own]).join(), /missing-here|other-version/, purl);
});

test('several versions of one package, and a hundred thousand of them', () => {
  const own = [installed('npm', 'a', '1'), installed('npm', 'a', '2')];
  assert.equal(compared(['pkg:npm/a@1'], own), ['other-version npm a |2', '1 same']);
  const many = Array.from({ length: 100_000 }, (_, i) => installed('npm', 'a', String(i)));
  assert.is(
    compared(
      many.map(({ version }) => `pkg:npm/a@${version}`),
      many,
    ).at(-1),
    '100000 same',
  );
});

test('provenances: builder, source with its revision, materials', () => {
  const github = readProvenance({
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: {
        workflow: { repository: 'https://github.com/a/b', ref: 'refs/heads/main', path: 'x' },
      },
      resolvedDependencies: [
        { uri: 'git+https://github.com/a/b@refs/heads/main', digest: { gitCommit: 'c0ffee' } },
      ],
    },
    runDetails: {
      builder: { id: 'https://github.com/runner' },
      metadata: { startedOn: '2024-01-01T00:00:00Z' },
    },
  })!;
  assert.equal(
    [github.builder, github.source, github.materialCount, github.started],
    ['https://github.com/runner', 'https://github.com/a/b@c0ffee', 1, '2024-01-01T00:00:00Z'],
  );
  const buildkit = readProvenance({
    builder: { id: '' },
    buildType: 'https://mobyproject.org/buildkit@v1',
    materials: [{ uri: 'pkg:docker/alpine@3', digest: { sha256: 'ab' } }],
    invocation: {
      configSource: { entryPoint: 'Dockerfile' },
      parameters: { args: { 'build-arg:TOKEN': 'secret' } },
    },
    metadata: {
      'https://mobyproject.org/buildkit@v1#metadata': { vcs: { source: 'https://x/y', revision: 'abc' } },
    },
  })!;
  assert.equal([buildkit.builder, buildkit.source], [null, 'https://x/y@abc']);
  assert.equal(buildkit.materials, [{ uri: 'pkg:docker/alpine@3', digest: 'sha256:ab' }]);
  assert.not.match(JSON.stringify(buildkit), /secret/, 'build arguments may hold secrets');
  for (const odd of [null, 7, [], undefined]) assert.is(readProvenance(odd as Json), null);
  for (const odd of [
    { materials: {} },
    { buildDefinition: 7 },
    { metadata: [] },
    { materials: [null, 7, { digest: 7 }] },
  ])
    assert.is(readProvenance(odd as unknown as Json)!.builder, null);
});

test.run();
