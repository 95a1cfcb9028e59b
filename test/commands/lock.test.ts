// `waybill lock` and `verify --lock`: the image that was locked, and no other.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Check, type CheckReport } from '../../src/commands/check/index.js';
import { lockedImages, lockReadOptions } from '../../src/commands/lock/index.js';
import type { LockReport } from '../../src/commands/lock/requirement.js';
import { type VerifyReport, verify, verifyClosing } from '../../src/commands/verify.js';
import { InputError, readArchive, reportOf } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { Baseline } from '../../src/report/baseline.js';
import { Audit } from '../../src/report/reported.js';
import { readOptionsFor } from '../../src/report/requirement.js';
import { waybill } from '../support/cli.js';
import { docker28, hasDocker28, NO_SHARED_FOLDER, sharedFolder, testWhen } from '../support/corpus.js';
import { bytesOf, digestOf, encodedOf, goJson } from '../support/digest.js';
import { assemble, type Image, type ImageSpec, image, layerOf, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import {
  type Asked,
  lockOf,
  lockOfMembers,
  requirementOf,
  verified,
  verifiedMembers,
} from '../support/locks.js';
import { compress, hasCommand, toDirectory, toTar, toZip } from '../support/pack.js';
import { NOW, policyOf } from '../support/policy.js';
import { readInput, saved } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const CONFIG = {
  User: 'app',
  Env: ['PATH=/bin', 'A=1'],
  Entrypoint: ['/run'],
  Cmd: ['serve'],
  ExposedPorts: { '80/tcp': {} },
  Labels: { a: 'b' },
  Healthcheck: { Test: ['CMD', '/check'], Interval: 30_000_000_000 },
};

const ROOT = { files: { 'bin/sh': 'shell', 'etc/passwd': 'root' }, createdBy: 'ADD rootfs.tar /' };
const RUN = { files: { 'app/run': 'one', 'app/.wh.old': '' }, createdBy: 'COPY app /app' };
const DATA = { files: { 'app/data': 'two' }, createdBy: 'COPY data /app' };
const SPEC: ImageSpec = { layers: [ROOT, RUN, DATA], config: { config: CONFIG } };
const app = await image(SPEC);
const TAGGED = { image: app, tags: ['example.test/app:1'] };

/** As skopeo and podman convert a config to OCI: other order of keys, and without what OCI has not. */
function convertedToOci({ config, layers }: Image): Image {
  const { Healthcheck: _, ...run } = config.config;
  const { architecture, os, created, history, rootfs } = config;
  return assemble(bytesOf(goJson({ created, architecture, os, config: run, rootfs, history })), layers);
}

/** An image with another config, whose digests fit. */
const withConfig = (change: (config: typeof CONFIG) => object, top: object = {}): Image =>
  assemble(bytesOf(goJson({ ...app.config, ...top, config: change(CONFIG) })), app.layers);

const packed = (how: 'gzip' | 'zstd', { configBytes, layers }: Image = app): Image =>
  assemble(
    configBytes,
    layers.map(({ tar }) => layerOf(tar, compress(tar, how), how)),
  );

const SAVED = layouts.dockerSave(TAGGED);
const LOCK = await lockOfMembers(SAVED);

test('the same bytes, the same config, the same image repacked: each grade, with what was lost', async () => {
  const gzip = packed('gzip');
  const oci = layouts.skopeoOci({ ...TAGGED, image: gzip });
  const ociLock = await lockOfMembers(oci);
  const grades = async (members: readonly layouts.Member[], lock: string) => {
    const { lock: report, exitCode } = await verifiedMembers(members, lock);
    assert.equal([exitCode, report.met], [0, true]);
    return report.images.map(({ grade, lost, unlocked }) =>
      [grade, ...lost, ...unlocked.map(field => `+${field}`)].join(),
    );
  };
  assert.equal(await grades(oci, ociLock), ['manifest']);
  assert.equal(await grades(SAVED, LOCK), ['config']);
  assert.equal(await grades(oci, LOCK), ['config']);
  assert.equal(await grades(layouts.skopeoOci({ ...TAGGED, image: packed('zstd') }), ociLock), ['config']);
  const converted = layouts.skopeoOci({ ...TAGGED, image: convertedToOci(gzip) });
  assert.equal(await grades(converted, LOCK), ['repacked,Healthcheck']);
  assert.equal(await grades(SAVED, await lockOfMembers(converted)), ['repacked,+Healthcheck']);
  assert.equal(await grades(layouts.skopeoDir({ ...TAGGED, image: gzip }), LOCK), ['config']);
  const old = layouts.dockerV1({ image: app, tags: ['old:1'] });
  assert.equal(await grades(old, await lockOfMembers(old)), ['repacked']);
});

test('a lost field is a warning that names it; a field of which the lock cannot know is one too', async () => {
  const converted = layouts.skopeoOci({ ...TAGGED, image: convertedToOci(app) });
  const lost = await verifiedMembers(converted, LOCK);
  assert.equal(lost.said, ['warning lock-field-lost']);
  const text = toText(lost.result.doc, { width: null, color: false });
  assert.match(
    text,
    /lock {2}same image, repacked, without its HEALTHCHECK {2}example\.test\/app:1 \(linux\/amd64\)/,
  );
  assert.match(text, /locked yes/);
  const beyond = await verifiedMembers(SAVED, await lockOfMembers(converted));
  assert.equal(beyond.said, ['warning lock-field-unlocked']);
});

test('a lock does not depend on time, place, order or names of files', async () => {
  const other = layouts.dockerSave([{ image: await plainImage('b'), tags: ['b:1'] }]);
  const one = (await readInput(saved(await toTar(SAVED), 'x.tar'))).reading;
  const two = (await readInput(saved(await toTar(other), 'y.tar'))).reading;
  const text = lockOf([one, two]);
  assert.is(lockOf([two, one]), text);
  assert.is(lockOf([two, one, two]), text);
  assert.not.match(text, /x\.tar|y\.tar|20\d\d-/);
  assert.ok(text.indexOf('"b:1"') < text.indexOf('"example.test/app:1"'));
});

test('one image of several archives is one entry, with all names and digests', async () => {
  const archives = [
    layouts.dockerSave({ image: app, tags: ['a:1'] }),
    layouts.skopeoOci({ image: app, tags: ['b:1'] }),
    layouts.skopeoOci({ image: packed('gzip'), tags: ['c:1'] }),
  ];
  const readings = [];
  for (const [i, members] of archives.entries())
    readings.push((await readInput(saved(await toTar(members), `${i}.tar`))).reading);
  const { images } = JSON.parse(lockOf(readings));
  assert.is(images.length, 1);
  assert.is(images[0].manifests.length, 2);
  assert.equal(images[0].names, ['a:1', 'b:1', 'c:1']);
  for (const members of archives) assert.is((await verifiedMembers(members, lockOf(readings))).exitCode, 0);
});

test('of one config it is known that it has no health check where any archive says so', async () => {
  const plain = await plainImage('plain');
  const tagged = { image: plain, tags: ['plain:1'] };
  const dockerOnly = async (...archives: readonly (readonly layouts.Member[])[]) => {
    const readings = [];
    for (const [i, members] of archives.entries())
      readings.push((await readInput(saved(await toTar(members), `known-${i}.tar`))).reading);
    return JSON.parse(lockOf(readings)).images.map((one: { dockerOnly: unknown }) => one.dockerOnly);
  };
  const [docker, oci] = [layouts.dockerSave(tagged), layouts.skopeoOci(tagged)];
  assert.equal(await dockerOnly(oci), [null]);
  assert.equal(await dockerOnly(docker), [{}]);
  assert.equal(await dockerOnly(oci, docker), [{}]);
  assert.equal(await dockerOnly(docker, oci), [{}]);
});

/** Changes of an attacker, with all digests recomputed. */
const REFUSED: readonly (readonly [string, () => Promise<Image> | Image, RegExp])[] = [
  [
    'one byte of a layer',
    () => image({ ...SPEC, layers: [ROOT, { ...RUN, files: { ...RUN.files, 'app/run': 'onf' } }, DATA] }),
    /layer 2 of 3 is not the same/,
  ],
  [
    'the mode of a file',
    () =>
      image({
        ...SPEC,
        layers: [ROOT, RUN, { ...DATA, files: { 'app/data': { bytes: 'two', mode: 0o4755 } } }],
      }),
    /layer 3 of 3/,
  ],
  ['one variable', () => withConfig(config => ({ ...config, Env: ['PATH=/bin', 'A=2'] })), /other ENV$/],
  [
    'the order of variables',
    () => withConfig(config => ({ ...config, Env: ['A=1', 'PATH=/bin'] })),
    /other ENV$/,
  ],
  ['another user', () => withConfig(config => ({ ...config, User: 'root' })), /other USER$/],
  ['no user', () => withConfig(({ User: _, ...config }) => config), /other USER$/],
  [
    'another entrypoint',
    () => withConfig(config => ({ ...config, Entrypoint: ['/bin/sh'] })),
    /other ENTRYPOINT$/,
  ],
  ['no command', () => withConfig(config => ({ ...config, Cmd: [] })), /other CMD$/],
  [
    'one more port',
    () => withConfig(config => ({ ...config, ExposedPorts: { '80/tcp': {}, '22/tcp': {} } })),
    /other EXPOSE$/,
  ],
  ['a volume', () => withConfig(config => ({ ...config, Volumes: { '/': {} } })), /other VOLUME$/],
  [
    'another health check',
    () => withConfig(config => ({ ...config, Healthcheck: { Test: ['CMD', '/evil'] } })),
    /other HEALTHCHECK$/,
  ],
  ['a shell', () => withConfig(config => ({ ...config, Shell: ['/evil'] })), /other SHELL$/],
  [
    'an instruction for builds',
    () => withConfig(config => ({ ...config, OnBuild: ['RUN evil'] })),
    /other ONBUILD$/,
  ],
  [
    'a key in another case',
    () => withConfig(({ User: _, ...config }) => ({ ...config, user: 'root' })),
    /other USER$/,
  ],
  [
    'another platform',
    () => withConfig(config => config, { architecture: 'arm64' }),
    /other platform and architecture/,
  ],
  ['another time', () => withConfig(config => config, { created: '2024-01-01T00:00:00Z' }), /other created$/],
  [
    'reordered layers',
    () => image({ ...SPEC, layers: [ROOT, DATA, RUN], history: app.config.history }),
    /its layers are in another order/,
  ],
  ['one layer less', () => image({ ...SPEC, layers: [ROOT, RUN] }), /\(expected 3 layers, found 2\)/],
  [
    'one layer more',
    () => image({ ...SPEC, layers: [ROOT, RUN, DATA, { files: { evil: 'x' } }] }),
    /\(expected 3 layers, found 4\)/,
  ],
];

for (const [what, make, message] of REFUSED)
  test(`refused: ${what}`, async () => {
    const changed = { image: await make(), tags: TAGGED.tags };
    for (const members of [
      layouts.dockerSave(changed),
      layouts.skopeoOci(changed),
      layouts.buildxOci(changed),
    ]) {
      const { result, lock, exitCode, said } = await verifiedMembers(members, LOCK);
      assert.equal([exitCode, lock.met, said], [1, false, ['error lock-image-other']]);
      const { findings } = result.data as VerifyReport;
      assert.match(findings.find(({ code }) => code === 'lock-image-other')!.message, message);
      assert.match(toText(result.doc, { width: null, color: false }), /lock {2}another image\n/);
    }
    const reverse = await verifiedMembers(SAVED, await lockOfMembers(layouts.dockerSave(changed)));
    // The image that was locked had a field that OCI has not, and this one has lost it.
    const isLoss = reverse.said.join() === 'warning lock-field-lost' && /SHELL|ONBUILD/.test(message.source);
    assert.ok(reverse.exitCode === 1 || isLoss, 'the other way round');
  });

test('the same files in other tars: only with their hashes in the lock, and only if asked for', async () => {
  const later = { ...SPEC, created: '2025-01-01T00:00:00Z' };
  const archive = async (spec: ImageSpec) => layouts.dockerSave({ ...TAGGED, image: await image(spec) });
  const members = await archive(later);
  const lock = await lockOfMembers(SAVED, true);
  const accepted = await verifiedMembers(members, lock, { least: 'files' });
  assert.is(accepted.exitCode, 0);
  const [only] = accepted.lock.images;
  assert.equal([only!.grade, only!.lost], ['files', ['created', 'history']]);
  const low = await verifiedMembers(members, lock);
  assert.equal(
    low.said.filter(line => line.startsWith('error')),
    ['error lock-grade-low'],
  );
  assert.is(low.exitCode, 1);
  assert.equal((await verifiedMembers(members, LOCK, { least: 'files' })).said, ['error lock-image-other']);
  const user = { ...later, config: { config: { ...CONFIG, User: 'root' } } };
  const file = { ...later, layers: [{ ...ROOT, files: { 'bin/sh': 'evil' } }, RUN, DATA] };
  for (const spec of [user, file]) {
    const { said } = await verifiedMembers(await archive(spec), lock, { least: 'files' });
    assert.equal(said, ['error lock-image-other']);
  }
});

test('the least grade that is accepted', async () => {
  const cases: readonly (readonly [Asked['least'], readonly number[]])[] = [
    ['manifest', [1, 1]],
    ['config', [0, 1]],
    ['repacked', [0, 0]],
    ['files', [0, 0]],
  ];
  const converted = layouts.skopeoOci({ ...TAGGED, image: convertedToOci(app) });
  for (const [least, expected] of cases) {
    const found = [];
    for (const members of [layouts.skopeoOci(TAGGED), converted])
      found.push((await verifiedMembers(members, LOCK, { least })).exitCode);
    assert.equal(found, expected, least);
  }
});

test('missing and extra images; --partial and --platform', async () => {
  const other = { image: await plainImage('other'), tags: ['other:1'] };
  const both = await lockOfMembers(layouts.dockerSave([TAGGED, other]));
  const missing = await verifiedMembers(SAVED, both);
  assert.equal([missing.said, missing.lock.met, missing.exitCode], [['error lock-image-missing'], false, 1]);
  const partial = await verifiedMembers(SAVED, both, { partial: true });
  assert.equal([partial.said, partial.exitCode, partial.lock.met], [['info lock-image-missing'], 0, true]);
  const extra = await verifiedMembers(layouts.dockerSave([TAGGED, other]), LOCK);
  assert.equal([extra.said, extra.exitCode], [['error lock-image-extra'], 1]);
  const chosen = await verifiedMembers(layouts.dockerSave([TAGGED, other]), both, { ref: 'other:1' });
  assert.equal([chosen.said, chosen.exitCode], [[], 0]);
  const arm = await image({ ...SPEC, platform: { os: 'linux', architecture: 'arm64' } });
  const lock = await lockOfMembers(layouts.buildxOci({ platforms: [app, arm], tags: ['app:1'] }));
  const one = layouts.skopeoOci({ ...TAGGED, tags: ['app:1'] });
  assert.equal((await verifiedMembers(one, lock)).said, ['error lock-image-missing']);
  const platform = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };
  assert.is((await verifiedMembers(one, lock, { platform })).exitCode, 0);
});

test('an image that is not judged hides no other: what it takes the place of is missing', async () => {
  const other = { image: await plainImage('other'), tags: ['other:1'] };
  const both = await lockOfMembers(layouts.dockerSave([TAGGED, other]));
  const platform = { os: 'linux', architecture: 'amd64', variant: null, osVersion: null };
  const arm = await image({ ...SPEC, platform: { os: 'linux', architecture: 'arm64' } });
  const replaced = layouts.dockerSave([{ ...TAGGED, image: arm }, other]);
  const declared = layouts.ociLayout({
    manifests: [
      layouts.described(layouts.platformManifest(await plainImage('evil')), {
        platform: { os: 'linux', architecture: 'arm64' },
        annotations: { [layouts.REF_ANNOTATION]: 'example.test/app:1' },
      }),
      layouts.described(layouts.platformManifest(other.image), {
        annotations: { [layouts.REF_ANNOTATION]: 'other:1' },
      }),
    ],
  });
  for (const [members, asked, code] of [
    [replaced, { platform }, 'lock-image-missing'],
    [replaced, { ref: 'other:1' }, 'lock-image-missing'],
    // Its config has the platform, so that it is judged.
    [declared, { platform }, 'lock-undecided'],
  ] as const) {
    const { said, lock, exitCode } = await verifiedMembers(members, both, asked);
    assert.equal([said, lock.met, exitCode], [[`error ${code}`], false, 1]);
  }
});

test('the platforms that an index declares must be that of the config, however often it lists a manifest', async () => {
  const arm = await image({ ...SPEC, platform: { os: 'linux', architecture: 'arm64' } });
  const as = (one: Image, architecture: string) =>
    layouts.described(layouts.platformManifest(one), { platform: { os: 'linux', architecture } });
  const lock = await lockOfMembers(layouts.buildxOci({ platforms: [app, arm], tags: ['app:1'] }));
  const judgedIndex = async (...entries: readonly layouts.Content[]) => {
    const members = layouts.ociLayout({ manifests: [layouts.indexOf(entries)] });
    const { said, exitCode } = await verifiedMembers(members, lock);
    return [exitCode, said.filter(line => line === 'error lock-undecided').length];
  };
  assert.equal(await judgedIndex(as(app, 'amd64'), as(arm, 'arm64')), [0, 0]);
  assert.equal(await judgedIndex(as(app, 'arm64'), as(arm, 'amd64')), [1, 2]);
  // A reader for arm64 takes the first that fits.
  assert.equal(await judgedIndex(as(app, 'amd64'), as(app, 'arm64'), as(arm, 'arm64')), [1, 1]);
  assert.equal(await judgedIndex(as(app, 'amd64'), as(arm, 'arm64'), as(app, 'arm64')), [1, 1]);
});

test('a version of Windows that an index declares must be that of the config', async () => {
  const os = { os: 'windows', architecture: 'amd64' };
  const windows = await image({ ...SPEC, platform: os, config: { config: CONFIG, 'os.version': '10.0.1' } });
  const as = (version: string) => {
    const platform = { ...os, 'os.version': version };
    return layouts.ociLayout({
      manifests: [layouts.described(layouts.platformManifest(windows), { platform })],
    });
  };
  const lock = await lockOfMembers(as('10.0.1'));
  assert.is((await verifiedMembers(as('10.0.1'), lock)).exitCode, 0);
  assert.ok((await verifiedMembers(as('10.0.2'), lock)).said.includes('error lock-undecided'));
});

test('a baseline does not hide that an archive is not what its lock says', async () => {
  const requirements = () => [requirementOf(LOCK)];
  const other = layouts.dockerSave({
    image: withConfig(config => ({ ...config, User: 'root' })),
    tags: TAGGED.tags,
  });
  const reading = await readArchive(saved(await toTar(other), 'known.tar'));
  const judged = (baseline: Baseline) =>
    verify(reading, { failOn: 'error', requirements: requirements(), audit: new Audit(baseline) });
  const updating = new Baseline('b.json', [], true);
  assert.is(judged(updating).exitCode, 1);
  assert.is(judged(new Baseline('b.json', updating.updated(), false)).exitCode, 1);
});

test('of two names of an entry, --names compares both', async () => {
  const entry = (one: Image, name: string, ref: string) =>
    layouts.described(layouts.manifestOf(one), {
      annotations: { [layouts.NAME_ANNOTATION]: name, [layouts.REF_ANNOTATION]: ref },
    });
  const name = 'docker.io/library/app:1';
  const lock = await lockOfMembers(layouts.ociLayout({ manifests: [entry(app, name, '1')] }));
  for (const [ref, said] of [
    ['1', []],
    ['app:1', []],
    ['docker.io/library/nginx:1', ['error lock-name-other']],
    ['2', ['error lock-name-other']],
  ] as const) {
    const members = layouts.ociLayout({ manifests: [entry(app, name, ref)] });
    assert.equal((await verifiedMembers(members, lock, { names: true })).said, said);
  }
});

test('names are advisory, unless --names is given; a name of another locked image is a warning', async () => {
  const renamed = layouts.dockerSave({ image: app, tags: ['localhost/app:1'] });
  const advised = await verifiedMembers(renamed, LOCK);
  assert.equal([advised.said, advised.exitCode], [['info lock-name-other'], 0]);
  const strict = await verifiedMembers(renamed, LOCK, { names: true });
  assert.equal([strict.said, strict.exitCode], [['error lock-name-other'], 1]);
  const same = layouts.dockerSave({ image: app, tags: ['docker.io/library/app:1'] });
  const short = await lockOfMembers(layouts.dockerSave({ image: app, tags: ['app:1'] }));
  assert.equal((await verifiedMembers(same, short, { names: true })).said, []);
  const other = await plainImage('other');
  const two = await lockOfMembers(layouts.dockerSave([TAGGED, { image: other, tags: ['other:1'] }]));
  const swapped = layouts.dockerSave([
    { image: app, tags: ['other:1'] },
    { image: other, tags: TAGGED.tags },
  ]);
  assert.equal((await verifiedMembers(swapped, two)).said, [
    'warning lock-name-other',
    'warning lock-name-other',
  ]);
});

test('an attestation that was locked, and is not here any more, is a warning', async () => {
  const attested = layouts.buildxOci({ platforms: [app], tags: TAGGED.tags, attestations: true });
  const lock = await lockOfMembers(attested);
  assert.is(JSON.parse(lock).images[0].attached.length, 1);
  assert.equal((await verifiedMembers(attested, lock)).said, []);
  const { said, exitCode } = await verifiedMembers(layouts.buildxOci(TAGGED), lock);
  assert.equal([said, exitCode], [['warning lock-attached-missing'], 0]);
});

/** Archives of which it is not certain what is in them. */
async function doubtful(): Promise<readonly (readonly [string, readonly layouts.Member[]])[]> {
  const evil = await image({ ...SPEC, config: { config: { ...CONFIG, User: 'root' } } });
  const path = layouts.blobPath(app.layers[0]!.digest);
  const oci = layouts.skopeoOci(TAGGED);
  const hybrid = layouts.dockerSave25(TAGGED);
  const other = layouts.dockerSave25({ image: evil, tags: TAGGED.tags });
  const isOwn = (name: string) => hybrid.some(own => own.path === name);
  const text = Buffer.from(app.configBytes).toString();
  const written = (config: string | Uint8Array) => {
    const configBytes = bytesOf(config);
    const changed = { ...app, configBytes, imageId: digestOf(configBytes) };
    return layouts.skopeoOci({ image: changed, tags: TAGGED.tags });
  };
  const latin = Buffer.from(text.replace('"app"', '"ap!"'));
  latin[latin.indexOf('"ap!"') + 3] = 0xff;
  const cut = app.layers.map(({ tar }) => layerOf(tar, compress(tar, 'gzip').slice(0, -20), 'gzip'));
  return [
    ['an absent layer', layouts.without(oci, path)],
    ['a changed layer', layouts.flipByte(oci, path, 600)],
    [
      'a layer that cannot be unpacked',
      layouts.skopeoOci({ ...TAGGED, image: assemble(app.configBytes, cut) }),
    ],
    [
      'another image for other engines',
      [
        ...hybrid.filter(({ path: name }) => name !== 'manifest.json'),
        ...other.filter(({ path: name }) => name === 'manifest.json' || !isOwn(name)),
      ],
    ],
    ['a diff_id that no layer has', written(text.replace(app.diffIds[0]!.slice(7, 20), '0'.repeat(13)))],
    ['a key that stands twice', written(text.replace('"User":"app"', '"User":"root","User":"app"'))],
    [
      'a config that stands twice',
      written(text.replace('"config":{', '"config":{"User":"root"},"config":{')),
    ],
    ['a key in two cases', written(text.replace('"User":"app"', '"user":"root","User":"app"'))],
    ['a config that is not UTF-8', written(latin)],
    ['half a character', written(text.replace('"app"', '"\\ud800"'))],
    ['a user that is a number', written(text.replace('"User":"app"', '"User":0'))],
    ['no config', layouts.without(oci, layouts.blobPath(app.imageId))],
  ];
}

for (const [what, members] of await doubtful())
  test(`never the locked image, and never locked: ${what}`, async () => {
    const { said, exitCode, lock } = await verifiedMembers(members, LOCK);
    assert.is(exitCode, 1);
    assert.ok(said.includes('error lock-undecided'), said.join());
    assert.is(lock.met, false);
    assert.ok(
      lock.images.every(({ grade }) => grade === null),
      JSON.stringify(lock),
    );
    const { reading } = await readInput(saved(await toTar(members), 'doubt.tar'));
    assert.throws(
      () => lockedImages(reading, { withFiles: false }),
      (error: unknown) => error instanceof InputError && /cannot be locked/.test(error.what),
    );
  });

test('a list of digests accepts manifests, indexes and configs, computed from the bytes', async () => {
  const oci = layouts.buildxOci({ platforms: [app], tags: ['registry.test/app:1'] });
  const { reading } = await readInput(saved(await toTar(oci), 'list.tar'));
  const { manifestDigest, indexDigests, imageId } = reportOf(reading).images[0]!;
  for (const digest of [manifestDigest, ...indexDigests, imageId]) {
    const { lock, exitCode } = await verifiedMembers(oci, `registry.test/app:1@${digest}\n`);
    assert.equal([exitCode, lock.format, lock.met], [0, 'references', true]);
  }
  const other = `registry.test/app:1@sha256:${'0'.repeat(64)}\n`;
  assert.equal((await verifiedMembers(oci, other)).said, ['error lock-image-other']);
  const elsewhere = `registry.test/else:1@sha256:${'0'.repeat(64)}\n`;
  assert.equal((await verifiedMembers(oci, elsewhere)).said, [
    'error lock-image-extra',
    'error lock-image-missing',
  ]);
  assert.equal((await verifiedMembers(SAVED, other)).said, [
    'error lock-undecided',
    'error lock-image-missing',
  ]);
  // The digest in the name of a blob is a claim.
  const lying = layouts.flipByte(oci, layouts.blobPath(app.layers[0]!.digest), 3);
  assert.is((await verifiedMembers(lying, `registry.test/app:1@${manifestDigest}\n`)).exitCode, 1);
});

test('the output of sha256sum is about the file, whatever is in it', async () => {
  const bytes = await toTar(SAVED);
  const path = saved(bytes, 'sum.tar');
  const sum = encodedOf(digestOf(bytes));
  const none = '0'.repeat(64);
  const fine = await verified(path, `${sum}  sum.tar\n${none}  notes.txt\n`);
  assert.equal([fine.exitCode, fine.lock.met, fine.lock.images[0]!.grade], [0, true, 'file']);
  const said = async (lock: string, asked: Asked = {}) => (await verified(path, lock, asked)).said;
  assert.equal(await said(`${sum}  renamed.tar\n`), ['info lock-name-other']);
  assert.equal(await said(`${sum}  renamed.tar\n`, { names: true }), ['error lock-name-other']);
  assert.equal(await said(`${none}  sum.tar\n`), ['error lock-file-other']);
  // As for `sha256sum -c`: the bytes are those of another file of the list.
  assert.equal(await said(`${none}  sum.tar\n${sum}  v1.tar\n`), ['error lock-file-other']);
  assert.equal((await verified(path, `${none}  sum.tar\n${sum}  v1.tar\n`)).lock.met, false);
  assert.equal(await said(`${none}  other.tar\n`), ['error lock-file-other', 'error lock-image-missing']);
  const folder = toDirectory(layouts.skopeoOci(TAGGED), join(temporary('lock'), 'layout'));
  assert.equal((await verified(folder, `${sum}  layout\n`)).said, ['error lock-undecided']);
});

test('check judges a lock too, and a policy may say how serious its findings are', async () => {
  const other = { image: await plainImage('other'), tags: ['other:1'] };
  const both = await lockOfMembers(layouts.dockerSave([TAGGED, other]));
  const checked = async (policy: string) => {
    const requirements = [requirementOf(both)];
    const context = { now: NOW, epoch: null };
    const check = new Check({ policy: await policyOf(policy), context, failOn: 'error', requirements });
    const file = saved(await toTar(SAVED), 'checked.tar');
    const reading = await readArchive(file, readOptionsFor({}, requirements));
    return check.alone(reading, {}).data as CheckReport;
  };
  const { findings } = await checked('extends: []\n');
  assert.ok(findings.some(({ code, failing }) => code === 'lock-image-missing' && failing));
  const off = await checked('extends: []\nrules: { lock-image-missing: off }\n');
  assert.not.ok(off.findings.some(({ failing }) => failing));
});

test('over several archives each image is looked for in all of them', async () => {
  const other = { image: await plainImage('other'), tags: ['other:1'] };
  const requirements = [requirementOf(await lockOfMembers(layouts.dockerSave([TAGGED, other])))];
  for (const [i, tagged] of [TAGGED, other].entries()) {
    const file = saved(await toTar(layouts.dockerSave(tagged)), `many-${i}.tar`);
    const reading = await readArchive(file, readOptionsFor({}, requirements));
    assert.is(verify(reading, { failOn: 'error', requirements, isOneOfMany: true }).exitCode, 0);
  }
  assert.is(verifyClosing(requirements, { failOn: 'error' }), null);
});

test('a zip of image tarballs is locked and verified as one archive', async () => {
  const other = layouts.dockerSave({ image: await plainImage('zipped'), tags: ['z:1'] });
  const zip = toZip([layouts.file('a.tar', await toTar(SAVED)), layouts.file('b.tar', await toTar(other))]);
  const reading = await readArchive(saved(zip, 'locked.zip'), lockReadOptions(false));
  const lock = lockOf([reading]);
  assert.is(JSON.parse(lock).images.length, 2);
  assert.is((await verified(saved(zip, 'again.zip'), lock)).exitCode, 0);
  assert.equal((await verifiedMembers(SAVED, lock)).said, ['error lock-image-missing']);
});

/** The archives that real tools made of a few images. */
const repackagings = () =>
  [docker28(), join(sharedFolder, 'docker29')].flatMap(folder =>
    readdirSync(folder)
      .filter(name => !/^(?:README|cases|expected|loads)/.test(name))
      .map(name => join(folder, name)),
  );

const withRepackagings = testWhen(test, hasDocker28, NO_SHARED_FOLDER);
withRepackagings(
  'each repackaging that real tools made verifies against the lock of each other',
  async () => {
    const all = [];
    for (const file of repackagings()) {
      const reading = await readArchive(file, lockReadOptions(false));
      const images = lockedImages(reading, { withFiles: false });
      all.push({ file, reading, images, text: lockOf([reading]) });
    }
    const counts = { pairs: 0, losses: 0 };
    for (const outside of all)
      for (const inside of all) {
        const requirements = [requirementOf(outside.text, { partial: true })];
        const { data, exitCode } = verify(inside.reading, { failOn: 'error', requirements });
        const { images } = (data as VerifyReport).lock as LockReport;
        for (const [i, one] of inside.images.entries()) {
          const where = `${inside.file} by the lock of ${outside.file}`;
          const same = outside.images.filter(
            ({ diffIds, platform }) => diffIds.join() === one.diffIds.join() && platform === one.platform,
          );
          const { grade, lost } = images[i]!;
          if (same.length === 0) {
            assert.is(grade, null, where);
            continue;
          }
          counts.pairs++;
          const isManifest = same.some(other =>
            other.manifests.some(digest => one.manifests.includes(digest)),
          );
          const isConfig = same.some(({ config }) => config === one.config);
          assert.is(grade, isManifest ? 'manifest' : isConfig ? 'config' : 'repacked', where);
          const isLost =
            one.dockerOnly?.Healthcheck === undefined &&
            same.every(({ dockerOnly }) => dockerOnly?.Healthcheck !== undefined);
          assert.equal(lost, isLost ? ['Healthcheck'] : [], where);
          if (isLost) counts.losses++;
        }
        const areAll = images.every(({ grade }) => grade !== null);
        assert.is(exitCode, areAll ? 0 : 1);
      }
    assert.ok(counts.pairs > 150, `${counts.pairs} pairs`);
    assert.ok(counts.losses >= 15, `${counts.losses} losses`);
  },
);

/** A config with everything that engines drop or write differently, as Docker writes it. */
const RICH = {
  author: 'me <me@example.test>',
  created: '2023-11-14T22:13:20.120+02:00',
  docker_version: '1',
  container_config: { Cmd: ['x'] },
  config: {
    ...CONFIG,
    Cmd: ['<a>&\u2028', 'é'],
    Hostname: 'h',
    OnBuild: ['RUN x'],
    Shell: ['/bin/sh'],
    StopTimeout: 5,
    Volumes: null,
    WorkingDir: '',
  },
};

const withSkopeo = testWhen(test, hasCommand('skopeo'), 'skopeo is not here');
withSkopeo('what skopeo converts to OCI, and back, keeps the lock and loses what OCI has not', async () => {
  const folder = temporary('lock-skopeo');
  const rich = assemble(bytesOf(goJson({ ...app.config, ...RICH })), app.layers);
  const members = layouts.dockerSave({ image: rich, tags: ['app:1'] });
  const [first, oci, back, dir] = ['first.tar', 'oci', 'back.tar', 'dir'].map(name => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  writeFileSync(first, await toTar(members));
  const copies = [
    [`docker-archive:${first}:app:1`, `oci:${oci}:app`],
    [`oci:${oci}:app`, `docker-archive:${back}:app:1`],
    [`docker-archive:${first}:app:1`, `dir:${dir}`],
  ] as const;
  for (const [from, to] of copies)
    execFileSync('skopeo', ['--insecure-policy', '--override-os', 'linux', 'copy', '-q', from, to]);
  const lock = await lockOfMembers(members);
  const lost = ['Healthcheck', 'Shell', 'OnBuild', 'StopTimeout'];
  for (const file of [oci, back]) {
    const { lock: report, exitCode } = await verified(file, lock);
    assert.equal([exitCode, report.images[0]!.grade, report.images[0]!.lost], [0, 'repacked', lost], file);
  }
  assert.is((await verified(dir, lock)).lock.images[0]!.grade, 'config');
  const other = layouts.dockerSave({
    image: withConfig(config => ({ ...config, User: '' })),
    tags: ['app:1'],
  });
  assert.is((await verified(back, await lockOfMembers(other))).exitCode, 1);
});

test('the command line: a lock outside, verify inside', async () => {
  const folder = temporary('lock-cli');
  const [first, lock, other] = ['image.tar', 'waybill.lock.json', 'other.tar'].map(name =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(first, await toTar(SAVED));
  writeFileSync(other, await toTar(layouts.dockerSave({ image: await plainImage('x'), tags: ['x:1'] })));
  const made = await waybill(['lock', first, '-o', lock]);
  assert.equal([made.status, made.stdout, made.stderr], [0, '', `waybill: wrote ${lock}: 1 image\n`]);
  const printed = await waybill(['lock', first]);
  assert.is(printed.stdout, readFileSync(lock, 'utf8'));
  const fine = await waybill(['verify', '--lock', lock, first, '--json']);
  assert.is(fine.status, 0);
  assert.is(JSON.parse(fine.stdout).lock.met, true);
  const refused = await waybill(['verify', '--lock', lock, other]);
  assert.is(refused.status, 1);
  assert.match(refused.stdout, /lock-image-extra[\s\S]*lock-image-missing/);
  const many = await waybill(['verify', '--lock', lock, first, other]);
  assert.is(many.status, 1);
  assert.match(many.stdout, /locked/);
  assert.not.match(many.stdout, /lock-image-missing/);
  const both = await waybill(['lock', folder]);
  assert.is(JSON.parse(both.stdout).images.length, 2);
  writeFileSync(lock, both.stdout);
  const missing = await waybill(['verify', '--lock', lock, first, first, '--json']);
  assert.is(missing.status, 1);
  assert.match(missing.stdout, /"lock-image-missing"/);
  const nothing = join(folder, 'nothing.tar');
  const lines = (await waybill(['verify', '--lock', lock, other, nothing, '--json'])).stdout.trim();
  assert.equal(
    lines.split('\n').map(line => JSON.parse(line).file),
    [other, nothing, lock],
  );
});

test('the command line refuses what cannot be meant', async () => {
  const folder = temporary('lock-bad');
  const at = (name: string) => join(folder, name);
  writeFileSync(at('image.tar'), await toTar(SAVED));
  writeFileSync(at('fine.json'), LOCK);
  writeFileSync(at('broken.lock'), LOCK.slice(0, 100));
  writeFileSync(at('cut.tar'), (await toTar(SAVED)).subarray(0, 3000));
  mkdirSync(at('dir'));
  symlinkSync(at('image.tar'), at('link.tar'));
  const verifies = (...rest: readonly string[]) => ['verify', at('image.tar'), ...rest];
  const locks = (...rest: readonly string[]) => ['lock', at('image.tar'), ...rest];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [verifies('--lock', at('broken.lock')), /broken\.lock:\d+:\d+: expected a lock in JSON: it is cut short/],
    [verifies('--lock', at('none')), /none: there is no such file/],
    [verifies('--lock', at('image.tar')), /found NUL bytes/],
    [verifies('--lock', at('dir')), /dir: expected a file, found a directory/],
    [verifies('--lock', ''), /--lock: expected a file/],
    [['verify', '-', '--lock', '-'], /standard input is the archive/],
    [verifies('--lock', at('fine.json'), '-o', at('fine.json')), /is read by this command/],
    [verifies('--names'), /--names is about a lock/],
    [verifies('--grade', 'files'), /--grade is about a lock/],
    [verifies('--lock', at('broken.lock'), '--grade', 'best'), /grade/],
    [locks('-o', at('image.tar')), /is read by this command, and would be overwritten/],
    [locks('-o', at('link.tar')), /is read by this command, and would be overwritten/],
    [locks('-o', at('dir')), /is a directory/],
    [locks(at('none.tar')), /none\.tar: no such file/],
    [['lock', at('cut.tar'), '-o', at('cut.lock')], /cut\.tar: .*(?:cannot be locked|no image in it)/],
  ];
  for (const [args, expected] of cases) {
    const { status, stderr, stdout } = await waybill(args);
    assert.is(status, 2, `${args.join(' ')}: ${stdout}`);
    assert.match(stderr, expected);
    assert.not.match(stderr, /\n {4}at /);
  }
  assert.not.ok(readdirSync(folder).includes('cut.lock'));
});

test.run();
