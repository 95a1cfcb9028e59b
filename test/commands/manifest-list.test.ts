// `waybill manifest create, annotate, inspect, rm`: stored lists.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manifestAnnotate, manifestCreate, manifestRm } from '../../src/commands/manifest/edit.js';

import { manifestListInspect } from '../../src/commands/manifest/inspect.js';
import { manifestPush } from '../../src/commands/manifest/push.js';

import { isStoredList } from '../../src/commands/manifest/stored-list.js';
import { InputError, UsageError } from '../../src/errors.js';
import { docker28, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { type Image, image, type Platform, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { compress, deliveries, toTar, toZip } from '../support/pack.js';
import { refusal } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('manifest');
const lists = join(folder, 'lists');

async function saved(name: string, members: readonly layouts.Member[]): Promise<string> {
  const file = join(folder, name);
  writeFileSync(file, await toTar(members));
  return file;
}

const on = (platform: Platform, seed = JSON.stringify(platform)): Promise<Image> =>
  image({ layers: [{ files: { seed }, compression: 'gzip' }], platform });
const LINUX = { os: 'linux' } as const;
const amd64 = await on({ ...LINUX, architecture: 'amd64' });
const arm64 = await on({ ...LINUX, architecture: 'arm64' });
const armv7 = await on({ ...LINUX, architecture: 'arm', variant: 'v7' });

interface Listed {
  readonly mediaType: string;
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly platform: Record<string, unknown>;
  }[];
}

const inspect = (list: string): Listed =>
  JSON.parse(manifestListInspect(lists, list).stdout.toString()) as Listed;
const platforms = (list: string) =>
  inspect(list).manifests.map(({ platform }) => Object.values(platform).join('/'));
const digests = (list: string) => inspect(list).manifests.map(({ digest }) => digest);
const message = (step: () => unknown): string => {
  try {
    step();
  } catch (error) {
    if (error instanceof InputError || error instanceof UsageError) return error.message;
    throw error;
  }
  return assert.unreachable('expected an error') as never;
};

const truth = testWhen(test, hasDocker28, NO_SHARED_FOLDER);
const expected = (name: string) => readFileSync(docker28('expected', name), 'utf8');
const REAL = [docker28('skopeo-dir'), docker28('docker28c-save.tar')] as const;
const MADE = 'localhost:5055/team/made:1';
const CF287E = 'sha256:cf287e0cbf186b178143739f555adffe14f05d88331087eb568ac28ce5f0d77d';

truth('create, annotate and inspect print what Docker 28 printed of the same manifests', async () => {
  const { stdout, exitCode } = await manifestCreate(lists, MADE, REAL);
  assert.is(stdout, expected('manifest-create.out'));
  assert.is(exitCode, 0);
  const annotated = manifestAnnotate(lists, MADE, REAL[0], {
    arch: 'arm',
    variant: 'v7',
    osVersion: '1.2',
    osFeatures: ['a,b'],
  });
  assert.equal(annotated, { stdout: '', notes: [], exitCode: 0 });
  assert.is(manifestListInspect(lists, MADE).stdout, expected('manifest-create.inspect.json'));
});

truth('one manifest of a list is printed as Docker prints it', async () => {
  await manifestCreate(lists, 'one', [REAL[0]]);
  assert.is(manifestListInspect(lists, 'one', { manifest: CF287E }).stdout, expected('086.txt'));
  const verbose = manifestListInspect(lists, 'one', { manifest: 'cf287e', verbose: true }).stdout.toString();
  // The directory has no name that could be used.
  const withoutRef = (text: string) => text.replace(/"Ref": ".*"/, '');
  assert.is(withoutRef(verbose), withoutRef(expected('087.txt')));
  assert.match(verbose, /"Ref": "skopeo-dir@sha256:cf287e/);
});

test('a verbose inspection of a list prints an array of its manifests', async () => {
  const file = await saved('verbose.tar', layouts.buildxOci({ image: amd64, tags: ['team/app:1'] }));
  await manifestCreate(lists, 'verbose', [file]);
  const text = manifestListInspect(lists, 'verbose', { verbose: true }).stdout.toString();
  const [entry] = JSON.parse(text) as { Descriptor: { digest: string }; Raw: string }[];
  const { digest } = layouts.platformManifest(amd64, { indent: 2 }).descriptor;
  assert.match(text, /^\[\n\t\{\n\t\t"Ref": "docker\.io\/team\/app:1",\n\t\t"Descriptor": \{\n/);
  assert.equal(Object.keys(entry!), ['Ref', 'Descriptor', 'Raw', 'OCIManifest']);
  assert.is(entry!.Descriptor.digest, digest);
  assert.is(digestOf(Buffer.from(entry!.Raw, 'base64')), digest);
});

test('--raw prints the bytes that will be written, of the list or of one of its manifests', async () => {
  const file = await saved('raw.tar', layouts.buildxOci({ platforms: [amd64, arm64], tags: ['a:1'] }));
  await manifestCreate(lists, 'raw', [file]);
  const raw = manifestListInspect(lists, 'raw', { raw: true }).stdout;
  const { stdout } = await manifestPush(lists, 'raw', { output: join(folder, 'raw-out.tar') });
  assert.ok(stdout.toString().endsWith(`\n${digestOf(raw as Uint8Array)}\n`));
  const [first] = digests('raw');
  const one = manifestListInspect(lists, 'raw', { manifest: first, raw: true, verbose: true }).stdout;
  assert.is(digestOf(one as Uint8Array), first);
});

test('a manifest of a list is chosen by its platform too', async () => {
  const files = [
    await saved('by-1.tar', layouts.buildxOci({ platforms: [amd64, arm64], tags: ['a:1'] })),
    await saved('by-2.tar', layouts.buildxOci({ image: arm64, tags: ['b:1'] })),
  ];
  await manifestCreate(lists, 'by-platform', files);
  const on = (architecture: string, manifest?: string) => {
    const platform = { os: 'linux', architecture, variant: null, osVersion: null };
    return manifestListInspect(lists, 'by-platform', { platform, manifest, raw: true }).stdout;
  };
  assert.is(digestOf(on('amd64') as Uint8Array), digests('by-platform')[0]);
  assert.is(digestOf(on('arm64', files[0]) as Uint8Array), digests('by-platform')[1]);
  assert.match(
    message(() => on('arm64')),
    /linux\/arm64 means 2 of its manifests\n.*\n {2}sha256:\w+ {2}linux\/arm64 {2}.*by-1\.tar\n/,
  );
  assert.match(
    message(() => on('s390x')),
    /no image for linux\/s390x in it\nIt has:\n {2}sha256:\w+ {2}linux\/amd64/,
  );
});

test('a list can have images of every format, each with its platform', async () => {
  const files = [
    await saved('v10.tar', layouts.dockerSave({ image: amd64, tags: ['a:1'] })),
    await saved('v25.tar', layouts.dockerSave25([{ image: armv7, tags: ['a:1'] }])),
    await saved('podman.tar', layouts.podmanDockerArchive({ image: arm64, tags: ['a:1'] })),
    await saved('crane.tar', layouts.cranePull({ image: arm64, tags: ['a:1'] })),
    await saved('buildx.tar', layouts.buildxOci({ image: armv7, tags: ['a:1'] })),
    await saved('dir.tar', layouts.skopeoDir({ image: amd64, tags: ['a:1'] })),
  ];
  const { stdout, notes } = await manifestCreate(lists, 'mixed', files);
  assert.is(stdout, 'Created manifest list docker.io/library/mixed:latest\n');
  assert.equal(platforms('mixed'), [
    'amd64/linux',
    'arm/linux/v7',
    'arm64/linux',
    'arm64/linux',
    'arm/linux/v7',
    'amd64/linux',
  ]);
  assert.is(notes.filter(note => note.includes('containerd makes up')).length, 3);
  // The list's media type follows its first manifest.
  assert.is(inspect('mixed').mediaType, layouts.MEDIA.dockerList);
  await manifestCreate(lists, 'oci-first', [files[4]!, files[0]!]);
  assert.is(inspect('oci-first').mediaType, layouts.MEDIA.index);
});

test('an archive gives the same entry in every delivery', async () => {
  for (const members of [
    layouts.dockerSave({ image: amd64, tags: ['a:1'] }),
    layouts.cranePull({ image: amd64, tags: ['a:1'] }),
    layouts.buildxOci({ image: amd64, tags: ['a:1'] }),
  ]) {
    const seen = new Set<string>();
    for (const { kind, file } of await deliveries(members, temporary('manifest'))) {
      await manifestCreate(lists, `delivery-${kind}`, [file], { amend: true });
      seen.add(JSON.stringify(inspect(`delivery-${kind}`)));
      manifestRm(lists, [`delivery-${kind}`]);
    }
    assert.is(seen.size, 1);
  }
});

test('an archive of several platforms adds all present ones, without attestations', async () => {
  const file = await saved(
    'multi.tar',
    layouts.buildxOci({ platforms: [amd64, arm64], missing: [armv7], tags: ['m:1'], attestations: true }),
  );
  const { notes } = await manifestCreate(lists, 'multi', [file]);
  assert.equal(platforms('multi'), ['amd64/linux', 'arm64/linux']);
  assert.is(notes.filter(note => note.includes('attestations')).length, 2);
  assert.match(notes.at(-1)!, /linux\/arm\/v7 \(sha256:[0-9a-f]{64}\) is listed, but not in it: left out/);
  const flat = layouts.ociLayout({ manifests: [amd64, arm64].map(i => layouts.platformManifest(i)) });
  await manifestCreate(lists, 'flat', [await saved('flat.tar', flat)]);
  assert.equal(platforms('flat'), ['amd64/linux', 'arm64/linux']);
});

test("an index may add to the config's platform, and not contradict it", async () => {
  const arm = await on({ ...LINUX, architecture: 'arm' });
  const as = (platform: Platform) =>
    layouts.ociLayout({ manifests: [layouts.described(layouts.manifestOf(arm), { platform })] });
  await manifestCreate(lists, 'more', [
    await saved('more.tar', as({ ...LINUX, architecture: 'arm', variant: 'v6' })),
  ]);
  assert.equal(platforms('more'), ['arm/linux/v6']);
  await manifestCreate(lists, 'lie', [
    await saved('lie.tar', as({ os: 'windows', architecture: 'amd64', variant: 'v2' })),
  ]);
  assert.equal(platforms('lie'), ['arm/linux']);
  const config = { 'os.version': '10.0.17763', 'os.features': ['win32k', 1] };
  const windows = await image({
    layers: [{ files: { Files: '' } }],
    platform: { os: 'windows', architecture: 'amd64' },
    config,
  });
  await manifestCreate(lists, 'win', [await saved('win.tar', layouts.buildxOci(windows))]);
  const { platform } = inspect('win').manifests[0]!;
  assert.equal(platform, {
    architecture: 'amd64',
    os: 'windows',
    'os.version': '10.0.17763',
    'os.features': ['win32k'],
  });
});

test('one of several images is selected after a #', async () => {
  const file = await saved(
    'two.tar',
    layouts.dockerSave([
      { image: amd64, tags: ['a:1'] },
      { image: arm64, tags: ['b:2'] },
    ]),
  );
  const error = await refusal(manifestCreate(lists, 'two', [file]));
  assert.match(
    error.message,
    /two\.tar: holds 2 images\nSay which one, as .*two\.tar#REF:\n {2}a:1\n {2}b:2$/,
  );
  assert.not.ok(isStoredList(lists, 'two'));
  await manifestCreate(lists, 'two', [`${file}#b:2`]);
  assert.equal(platforms('two'), ['arm64/linux']);
  assert.match((await refusal(manifestCreate(lists, 'three', [`${file}#c:3`]))).message, /no image "c:3"/);
  const inside = join(folder, 'ci.zip');
  writeFileSync(
    inside,
    toZip([layouts.file('out/two.tar', compress(readFileSync(file), 'gzip'))], { deflate: true }),
  );
  await manifestCreate(lists, 'zip', [`${inside}#a:1`]);
  assert.equal(platforms('zip'), ['amd64/linux']);
});

test('an existing list can only be amended', async () => {
  const [one, two] = [
    await saved('amend-1.tar', layouts.buildxOci(amd64)),
    await saved('amend-2.tar', layouts.buildxOci(arm64)),
  ];
  await manifestCreate(lists, 'amended', [one]);
  const error = await refusal(manifestCreate(lists, 'amended', [two]));
  assert.match(error.message, /refusing to amend an existing manifest list with no --amend flag/);
  manifestAnnotate(lists, 'amended', one, { variant: 'v3' });
  await manifestCreate(lists, 'amended', [two, one, one], { amend: true });
  assert.equal(platforms('amended'), ['amd64/linux/v3', 'arm64/linux'], 'in place, with what was annotated');
  // The file is replaced by another image.
  renameSync(await saved('amend-1.new', layouts.buildxOci(armv7)), one);
  await manifestCreate(lists, 'amended', [one], { amend: true });
  assert.equal(platforms('amended'), ['arm/linux/v7', 'arm64/linux']);
  await manifestCreate(lists, 'begun', [two], { amend: true });
  assert.equal(platforms('begun'), ['arm64/linux']);
});

test('an incomplete list is not stored, and an old one is not changed', async () => {
  const good = await saved('good.tar', layouts.buildxOci(amd64));
  await manifestCreate(lists, 'whole', [good]);
  for (const bad of ['nothing.tar', '-']) {
    await refusal(manifestCreate(lists, 'whole', [good, bad], { amend: true }));
    await refusal(manifestCreate(lists, 'never', [good, bad]));
  }
  assert.equal(platforms('whole'), ['amd64/linux']);
  assert.not.ok(isStoredList(lists, 'never'));
});

test('an image that a list cannot name is refused with the reason', async () => {
  const v1 = await saved('v1.tar', layouts.dockerV1({ image: amd64, tags: ['a:1'] }));
  assert.match(
    (await refusal(manifestCreate(lists, 'bad', [v1]))).message,
    /before Docker 1\.10 have no manifest/,
  );
  const layout = layouts.buildxOci(amd64);
  const manifest = layouts.blobPath(layouts.platformManifest(amd64, { indent: 2 }).descriptor.digest);
  const changed = layouts.replaceBytes(layout, manifest, bytes => `${Buffer.from(bytes)} `);
  const tampered = await refusal(manifestCreate(lists, 'bad', [await saved('changed.tar', changed)]));
  assert.match(tampered.message, /the manifest blobs\/sha256\/\w+ is not sha256:\w+: its bytes are sha256:/);
  const headless = layouts.without(layout, layouts.blobPath(amd64.imageId));
  const config = await refusal(manifestCreate(lists, 'bad', [await saved('headless.tar', headless)]));
  assert.match(config.message, /the config .* is not there or cannot be read/);
  const unsized = layouts.ociLayout({
    manifests: [
      layouts.blobOf(
        layouts.MEDIA.manifest,
        JSON.stringify({
          schemaVersion: 2,
          mediaType: layouts.MEDIA.manifest,
          config: layouts.blobOf(layouts.MEDIA.config, amd64.configBytes).descriptor,
          layers: [{ mediaType: layouts.MEDIA.layer, digest: 'sha256:../../x' }],
        }),
      ),
    ],
    unreferenced: [{ digest: amd64.imageId, bytes: amd64.configBytes }],
  });
  const odd = await refusal(manifestCreate(lists, 'bad', [await saved('unsized.tar', unsized)]));
  assert.match(odd.message, /no digest and size for its layer 1 that can be checked/);
  assert.not.ok(isStoredList(lists, 'bad'));
});

test('an absent layer is noted at once', async () => {
  const lost = layouts.without(layouts.buildxOci(amd64), layouts.blobPath(amd64.layers[0]!.digest));
  const { notes, exitCode } = await manifestCreate(lists, 'lost', [await saved('lost.tar', lost)]);
  assert.match(notes[0]!, /lost\.tar: layer 1 of .* \(sha256:\w+\) is not in it: the list cannot be pushed/);
  assert.is(exitCode, 0);
  const foreign = await image({ layers: [{ files: { a: '1' }, urls: ['https://x.test'], absent: true }] });
  assert.equal(
    (await manifestCreate(lists, 'foreign', [await saved('foreign.tar', layouts.buildxOci(foreign))])).notes,
    [],
  );
});

test('a manifest is annotated by its archive, name or digest', async () => {
  const files = [
    await saved('by-1.tar', layouts.buildxOci({ image: amd64, tags: ['team/app:1'] })),
    await saved(
      'by-2.tar',
      layouts.dockerSave([
        { image: arm64, tags: ['b:2'] },
        { image: armv7, tags: ['c:3'] },
      ]),
    ),
  ];
  await manifestCreate(lists, 'by', [files[0]!, `${files[1]}#b:2`, `${files[1]}#c:3`]);
  manifestAnnotate(lists, 'by', 'docker.io/team/app:1', { variant: 'v2' });
  manifestAnnotate(lists, 'by', `${files[1]}#b:2`, { variant: 'v9' });
  manifestAnnotate(lists, 'by', digests('by')[2]!.slice(7, 20), { variant: 'v5' });
  assert.equal(platforms('by'), ['amd64/linux/v2', 'arm64/linux/v9', 'arm/linux/v5']);
  manifestAnnotate(lists, 'by', files[0]!, { osFeatures: ['a', 'b,a', ''], osVersion: '2' });
  manifestAnnotate(lists, 'by', files[0]!, { osFeatures: ['c'], os: '', arch: '' });
  assert.equal(inspect('by').manifests[0]!.platform, {
    architecture: 'amd64',
    os: 'linux',
    'os.version': '2',
    'os.features': ['a', 'b', 'c'],
    variant: 'v2',
  });
  assert.match(
    message(() => manifestAnnotate(lists, 'by', files[1]!, {})),
    /means 2 of its manifests\nSay which one/,
  );
  assert.match(
    message(() => manifestAnnotate(lists, 'by', 'none:1', {})),
    /manifest for image none:1 does not exist in it\nIt has:\n {2}sha256:/,
  );
  assert.match(
    message(() => manifestAnnotate(lists, 'by', files[0]!, { os: 'plan9', arch: 's390x' })),
    /manifest entry for image has unsupported os\/arch combination: plan9\/s390x/,
  );
  assert.equal(platforms('by')[0], 'amd64/linux/2/a,b,c/v2');
  manifestAnnotate(lists, 'by', files[0]!, { os: 'windows', arch: '386' });
  assert.ok(platforms('by')[0]!.startsWith('386/windows'));
});

test('rm removes lists, and reports those that do not exist', async () => {
  const file = await saved('rm.tar', layouts.buildxOci(await plainImage()));
  for (const name of ['rm-1', 'rm-2']) await manifestCreate(lists, name, [file]);
  assert.equal(manifestRm(lists, ['rm-1', 'rm-3:x', 'Bad Name', 'rm-2']), {
    stdout: '',
    notes: [
      'No such manifest: docker.io/library/rm-3:x',
      'error parsing name for manifest list Bad Name: invalid reference format',
    ],
    exitCode: 1,
  });
  assert.not.ok(isStoredList(lists, 'rm-1') || isStoredList(lists, 'rm-2'));
  await manifestCreate(lists, 'rm-1', [file]);
  assert.equal(manifestRm(lists, ['docker.io/library/rm-1:latest']), { stdout: '', notes: [], exitCode: 0 });
});

test('a list that does not exist, and an invalid name, are refused', async () => {
  assert.match(
    message(() => manifestListInspect(lists, 'none')),
    /docker\.io\/library\/none:latest: no such manifest list/,
  );
  assert.match(
    message(() => manifestAnnotate(lists, 'none', 'x', {})),
    /no such manifest list/,
  );
  assert.match(
    message(() => manifestListInspect(lists, 'UPPER')),
    /manifest list UPPER: repository name must be lowercase/,
  );
  assert.not.ok(isStoredList(lists, '/a/file.tar'));
  const failed = await manifestCreate(lists, 'a b', []).catch(error => error);
  assert.instance(failed, UsageError);
});

test.run();
