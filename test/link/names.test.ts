// Names that an index gives its entries: by two annotations, and to the images below them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadNames } from '../../src/docker/stores/stored-image.js';
import { selectImages } from '../../src/report/select.js';
import { plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { described, indexOf, NAME_ANNOTATION, platformManifest, REF_ANNOTATION } from '../support/oci.js';
import { ociLayout } from '../support/oci-layout.js';
import { codes, readMembers } from '../support/reading.js';

const named = (name: string) => ({ annotations: { [NAME_ANNOTATION]: name } });

test('an index of two names gives both to its images, also to those with a name of their own', async () => {
  const [one, two] = await Promise.all([plainImage('one'), plainImage('two')]);
  const inner = indexOf([platformManifest(one!), described(platformManifest(two!), named('own:1'))]);
  const outer = indexOf([inner]);
  const members = ociLayout({ manifests: ['app:1', 'app:2'].map(name => described(outer, named(name))) });
  const { report } = await readMembers(members);
  assert.equal(
    report.images.map(({ names }) => names),
    [
      ['app:1', 'app:2'],
      ['own:1', 'app:1', 'app:2'],
    ],
  );
  assert.equal(
    codes(report.findings).filter(code => code === 'limit-reached'),
    [],
  );
});

test('names for many images count towards the limit on manifests', async () => {
  const images = await Promise.all(['a', 'b', 'c'].map(seed => plainImage(seed, 1)));
  const index = indexOf(images.map(image => platformManifest(image)));
  const names = Array.from({ length: 20 }, (_, i) => described(index, named(`app:${i}`)));
  const { report } = await readMembers(ociLayout({ manifests: names }), { limits: { manifests: 30 } });
  assert.ok(codes(report.findings).includes('limit-reached'));
  assert.is(report.images.length, 3);
});

const twice = (name: string, ref: string) => ({
  annotations: { [NAME_ANNOTATION]: name, [REF_ANNOTATION]: ref },
});
const HEX = 'a'.repeat(64);
const APP = 'docker.io/library/app';

for (const [name, ref, names] of [
  [`${APP}:1.2`, '1.2', [`${APP}:1.2`]],
  [APP, 'latest', [APP]],
  [`${APP}@sha256:${HEX}`, `@sha256:${HEX}`, [`${APP}@sha256:${HEX}`]],
  [`${APP}:1@sha256:${HEX}`, `1@sha256:${HEX}`, [`${APP}:1@sha256:${HEX}`]],
  [`${APP}:1.2`, 'app:1.2', [`${APP}:1.2`]],
  ['', 'app:1.2', ['app:1.2']],
  [`${APP}:1.2`, '', [`${APP}:1.2`]],
  [`${APP}:1.2`, '1.3', [`${APP}:1.2`, '1.3']],
  [`${APP}:1.2`, 'docker.io/library/other:1.2', [`${APP}:1.2`, 'docker.io/library/other:1.2']],
  ['a:app:1', 'app:1', ['a:app:1', 'app:1']],
] as const) {
  test(`containerd's name ${JSON.stringify(name)} and the ref.name ${JSON.stringify(ref)}`, async () => {
    const manifest = platformManifest(await plainImage('one'));
    const { report } = await readMembers(ociLayout({ manifests: [described(manifest, twice(name, ref))] }));
    assert.equal(report.images[0]!.names, names);
  });
}

test('a reference selects every image that an engine finds by it, and that these differ is an error', async () => {
  const [good, bad] = (await Promise.all([plainImage('one'), plainImage('two')])).map(one =>
    layouts.manifestOf(one),
  );
  const divided = [
    described(good!, named(`${APP}:1`)),
    described(bad!, twice('docker.io/library/z:1', `${APP}:1`)),
  ];
  const inIndex = indexOf([described(bad!, named('docker.io/library/y:1'))]);
  const nested = [divided[0]!, described(inIndex, twice('docker.io/library/z:1', `${APP}:1`))];
  for (const manifests of [divided, nested]) {
    const { report, reading } = await readMembers(ociLayout({ manifests }));
    assert.throws(() => selectImages(reading, { ref: 'app:1' }), /"app:1" means 2 images/);
    const said = report.findings.filter(({ severity }) => severity === 'error');
    assert.equal(
      said.map(({ code, data }) => [code, (data as { name: string }).name]),
      [['name-ambiguous', `${APP}:1`]],
    );
  }
});

test('a gate that is asked about a word is about images of that tag too, as skopeo finds them by it', async () => {
  const [good, bad] = (await Promise.all([plainImage('one'), plainImage('two')])).map(one =>
    layouts.manifestOf(one),
  );
  const tagged = twice('docker.io/library/z:app', 'app');
  for (const entry of [bad!, indexOf([bad!]), indexOf([indexOf([bad!])])]) {
    const manifests = [described(good!, twice(`${APP}:latest`, 'latest')), described(entry, tagged)];
    const { reading } = await readMembers(ociLayout({ manifests }));
    const chosen = (ref: string, mayRun: boolean) => selectImages(reading, { ref, mayRun }).size;
    assert.throws(() => chosen('app', true), /"app" means 2 images/);
    assert.equal([chosen('app', false), chosen('app:latest', true), chosen('z:app', true)], [1, 1, 1]);
  }
});

test('a gate that is asked about a short name is about the images of every registry, as podman tries localhost first', async () => {
  const [good, bad] = (await Promise.all([plainImage('one'), plainImage('two')])).map(one =>
    layouts.manifestOf(one),
  );
  for (const other of ['localhost/app:1', 'quay.io/app:1']) {
    const manifests = [described(good!, named(`${APP}:1`)), described(bad!, named(other))];
    const { reading } = await readMembers(ociLayout({ manifests }));
    const chosen = (ref: string, mayRun: boolean) => selectImages(reading, { ref, mayRun }).size;
    assert.throws(() => chosen('app:1', true), /"app:1" means 2 images/);
    assert.equal([chosen('app:1', false), chosen(`${APP}:1`, true), chosen(other, true)], [1, 1, 1]);
  }
  const apart = ['localhost/app:2', 'localhost/other:1', 'localhost/library/app:1'].map(name =>
    described(bad!, named(name)),
  );
  const { reading } = await readMembers(
    ociLayout({ manifests: [described(good!, named(`${APP}:1`)), ...apart] }),
  );
  assert.is(selectImages(reading, { ref: 'app:1', mayRun: true }).size, 1);
});

test('Docker does not know a name by which only skopeo finds an image', async () => {
  const manifest = layouts.manifestOf(await plainImage('one'));
  const other = described(manifest, twice(`${APP}:1`, 'other:1'));
  const { reading } = await readMembers(ociLayout({ manifests: [other] }));
  const [image] = reading.parts[0]!.graph.images;
  assert.equal([image!.names, [...image!.refNames!]], [[`${APP}:1`, 'other:1'], ['other:1']]);
  assert.equal(loadNames(image!), [`${APP}:1`]);
  const both = await readMembers(ociLayout({ manifests: [other, described(manifest, named('other:1'))] }));
  assert.equal(loadNames(both.reading.parts[0]!.graph.images[0]!), [`${APP}:1`, 'other:1']);
});

const KIND = { kind: 'dev.cosignproject.cosign/sigs' };
const BY_REF = { [REF_ANNOTATION]: `${APP}:1` };
const CLASH = ['name-ambiguous', 'name-duplicate'];
const BY_NAME = { [NAME_ANNOTATION]: `${APP}:1` };

for (const { what, marks, isFirst, expected } of [
  {
    what: 'behind it, as cosign save writes them',
    marks: BY_REF,
    isFirst: false,
    expected: ['name-ambiguous'],
  },
  { what: 'before it', marks: BY_REF, isFirst: true, expected: CLASH },
  { what: "with containerd's name", marks: BY_NAME, isFirst: false, expected: CLASH },
] as const) {
  test(`an attached artifact with the name of its image, ${what}`, async () => {
    const image = described(layouts.manifestOf(await plainImage('one')), { annotations: BY_REF });
    const artifact = described(layouts.artifact({ type: 'application/vnd.example' }), {
      annotations: { ...KIND, ...marks },
    });
    const manifests = isFirst ? [artifact, image] : [image, artifact];
    const { report } = await readMembers(ociLayout({ manifests }));
    const found = codes(report.findings).filter(code => code.startsWith('name-'));
    assert.equal(found, [...expected]);
    const said = report.findings.find(({ code }) => code === 'name-ambiguous');
    assert.is(said?.severity, expected === CLASH ? 'error' : 'warning');
  });
}

test.run();
