// `waybill manifest push --output`: writes the list and everything that it needs, or nothing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manifestAnnotate, manifestCreate } from '../../src/commands/manifest/edit.js';

import { manifestPush } from '../../src/commands/manifest/push.js';
import { isStoredList } from '../../src/commands/manifest/stored-list.js';
import { UsageError } from '../../src/errors.js';
import { docker28, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { type Image, image, type Platform } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { compress, deliveries, fromTar, hasCommand, toTar } from '../support/pack.js';
import { ALL_TRUE, codes, readInput, refusal } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const on = (platform: Platform, compression: 'none' | 'gzip' = 'gzip'): Promise<Image> =>
  image({
    layers: [
      { files: { shared: 'by all' }, compression },
      { files: { [platform.architecture]: 'x'.repeat(5000) }, compression },
    ],
    platform,
  });
const amd64 = await on({ os: 'linux', architecture: 'amd64' });
const arm64 = await on({ os: 'linux', architecture: 'arm64' });
const armv7 = await on({ os: 'linux', architecture: 'arm', variant: 'v7' });
const TAGS = { tags: ['app:1'] };
const NAME = 'registry.test:5000/team/app:1';

interface Desk {
  readonly folder: string;
  readonly lists: string;
  save(name: string, members: readonly layouts.Member[]): Promise<string>;
  create(...archives: string[]): Promise<void>;
  push(name: string, options?: { purge?: boolean }): ReturnType<typeof manifestPush>;
  /** The contents of the output directory. */
  outputs(): string[];
}

function desk(): Desk {
  const folder = temporary('push');
  const lists = join(folder, 'lists');
  mkdirSync(join(folder, 'out'));
  return {
    folder,
    lists,
    async save(name, members) {
      writeFileSync(join(folder, name), await toTar(members));
      return join(folder, name);
    },
    async create(...archives) {
      await manifestCreate(lists, NAME, archives, { amend: true });
    },
    push: (name, options = {}) =>
      manifestPush(lists, NAME, { output: join(folder, 'out', name), ...options }),
    outputs: () => readdirSync(join(folder, 'out')),
  };
}

/** Checks that a written layout is sound, and contains exactly what it should. */
async function check(output: string, count: number, annotated = false): Promise<void> {
  const { report, reading } = await readInput(output);
  // A platform that was annotated against the config is reported.
  assert.equal(codes(report.findings), annotated ? ['platform-mismatch'] : []);
  assert.equal(report.verdicts, { ...ALL_TRUE, conformant: !annotated });
  assert.is(report.images.length, count);
  const [part] = reading.parts;
  const files = part!.scan.members.filter(({ type }) => type === 'file').map(({ path }) => path);
  assert.equal(
    files.filter(path => !part!.graph.referenced.has(path) && !/^(index\.json|oci-layout)$/.test(path)),
    [],
  );
  assert.is(new Set(files).size, files.length);
}

const truth = testWhen(test, hasDocker28, NO_SHARED_FOLDER);
const expected = (name: string) => readFileSync(docker28('expected', name), 'utf8');

truth('the list has the bytes that Docker 28 pushed, and push prints what it printed', async () => {
  const { lists, folder } = desk();
  const made = 'localhost:5055/team/made:1';
  const archives = [docker28('skopeo-dir'), docker28('docker28c-save.tar')] as const;
  await manifestCreate(lists, made, archives);
  manifestAnnotate(lists, made, archives[0], {
    arch: 'arm',
    variant: 'v7',
    osVersion: '1.2',
    osFeatures: ['a', 'b'],
  });
  for (const output of [join(folder, 'layout'), join(folder, 'layout.tar')]) {
    const { stdout } = await manifestPush(lists, made, { output });
    assert.is(stdout, expected('manifest-push.out'));
    await check(output, 2, true);
  }
  const raw = expected('manifest-pushed.raw.json');
  const path = join(folder, 'layout', layouts.blobPath(digestOf(raw)));
  assert.is(readFileSync(path, 'utf8'), raw);
});

test('images of every format and delivery are pushed, each blob once', async () => {
  const kinds: readonly (readonly layouts.Member[])[] = [
    layouts.dockerSave({ image: amd64, ...TAGS }),
    layouts.dockerSave25([{ image: amd64, ...TAGS }]),
    layouts.dockerContainerd({ platforms: [amd64], ...TAGS }),
    layouts.podmanDockerArchive({ image: amd64, ...TAGS }),
    layouts.cranePull({ image: amd64, ...TAGS }),
    layouts.skopeoDir({ image: amd64, ...TAGS }),
    layouts.buildxOci({ platforms: [amd64, arm64], ...TAGS, attestations: true }),
  ];
  for (const [i, members] of kinds.entries()) {
    const { folder, create, push } = desk();
    const tars = new Set<string>();
    for (const { kind, file } of await deliveries(members, join(folder, 'in'))) {
      rmSync(join(folder, 'lists'), { recursive: true, force: true });
      await create(file);
      await push(`${kind}.tar`);
      await push(kind);
      await check(join(folder, 'out', kind), i === 6 ? 2 : 1);
      tars.add(digestOf(readFileSync(join(folder, 'out', `${kind}.tar`))));
    }
    assert.is(tars.size, 1, `layout ${i}: the same tar from every delivery`);
  }
});

test('digests that the archive does not state are computed', async () => {
  const { folder, save, create, push } = desk();
  const plain = layouts.dockerSave({
    image: await on({ os: 'linux', architecture: 'amd64' }, 'none'),
    ...TAGS,
  });
  const packed = plain.map(member =>
    member.path.endsWith('/layer.tar') && layouts.isFile(member)
      ? { ...member, bytes: compress(member.bytes, 'gzip') }
      : member,
  );
  await create(await save('packed.tar', packed));
  await push('x');
  await check(join(folder, 'out', 'x'), 1);
});

test('blobs that several archives of a list share are written once', async () => {
  const { folder, save, create, push } = desk();
  await create(
    await save('a.tar', layouts.buildxOci({ image: amd64, ...TAGS })),
    await save('b.tar', layouts.cranePull({ image: arm64, ...TAGS })),
    await save('c.tar', layouts.dockerSave([{ image: armv7, ...TAGS }])),
    await save('d.tar', layouts.dockerSave25([{ image: armv7, ...TAGS }])),
  );
  const { stdout, notes } = await push('all.tar');
  await check(join(folder, 'out', 'all.tar'), 4);
  const lines = stdout.toString().trimEnd().split('\n');
  assert.is(lines.length, 5);
  for (const line of lines.slice(0, 4)) {
    const [, ref, digest] = /^Pushed ref (\S+) with digest: (\S+)$/.exec(line)!;
    assert.is(ref, `registry.test:5000/team/app@${digest}`);
  }
  assert.equal(notes, []);
  const members = await fromTar(readFileSync(join(folder, 'out', 'all.tar')));
  const index = layouts.memberJson(members, 'index.json') as { manifests: Record<string, unknown>[] };
  assert.is(lines[4], index.manifests[0]!.digest);
  assert.equal(index.manifests[0]!.annotations, {
    'io.containerd.image.name': NAME,
    'org.opencontainers.image.ref.name': '1',
  });
  // The tar has no times or owners.
  for (const member of members) assert.is(member.mtime, 0);
});

test('a layer that is absent from one archive may come from another', async () => {
  const { folder, save, create, push, outputs } = desk();
  const layer = layouts.blobPath(amd64.layers[0]!.digest);
  const bad = await save('bad.tar', layouts.without(layouts.buildxOci({ image: amd64, ...TAGS }), layer));
  await create(bad);
  const error = await refusal(push('x'));
  assert.match(
    error.message,
    /bad\.tar: layer 1 of docker\.io\/library\/app:1 \(sha256:\w+\) is not in it\n/,
  );
  assert.equal(outputs(), []);
  await create(await save('good.tar', layouts.buildxOci({ image: arm64, ...TAGS })));
  await push('x');
  await check(join(folder, 'out', 'x'), 2);
});

/** Changes to an archive between create and push. */
const CHANGES: Readonly<
  Record<string, readonly [change: (file: string, bytes: Uint8Array) => void, words: RegExp]>
> = {
  truncated: [
    (file, bytes) => truncateSync(file, Math.floor(bytes.length / 2)),
    /cannot be copied|is not in it|damaged/,
  ],
  removed: [file => rmSync(file), /no such file or directory/],
  emptied: [file => truncateSync(file, 0), /the file is empty/],
  replaced: [(file, bytes) => writeFileSync(file, 'x'.repeat(bytes.length)), /not an image archive/],
};

for (const [name, [change, words]] of Object.entries(CHANGES)) {
  test(`an archive that was ${name} since then leaves no output`, async () => {
    for (const packing of ['none', 'gzip'] as const) {
      const { folder, create, push, outputs } = desk();
      const tar = await toTar(layouts.dockerSave({ image: amd64, ...TAGS }));
      const bytes = compress(tar, packing);
      const file = join(folder, 'image.tar');
      writeFileSync(file, bytes);
      await create(file);
      change(file, bytes);
      for (const output of ['layout', 'layout.tar']) {
        const error = await refusal(push(output));
        assert.match(error.message, words);
        assert.match(error.message, /image\.tar/);
        assert.equal(outputs(), []);
      }
    }
  });
}

test('a blob that changed is named', async () => {
  const { save, create, push, outputs } = desk();
  const layout = layouts.buildxOci({ image: amd64, ...TAGS });
  const path = layouts.blobPath(amd64.layers[1]!.digest);
  await create(await save('image.tar', layout));
  await save('image.tar', layouts.flipByte(layout, path, 100));
  const error = await refusal(push('layout'));
  assert.match(
    error.message,
    new RegExp(`layer 2 of docker.io/library/app:1 \\(${path}\\) cannot be copied: expected sha256`),
  );
  await save(
    'image.tar',
    layouts.replaceBytes(layout, path, bytes => Buffer.concat([bytes, bytes])),
  );
  assert.match((await refusal(push('layout.tar'))).message, /expected \d+ bytes, found more/);
  await save(
    'image.tar',
    layouts.replaceBytes(layout, path, bytes => bytes.subarray(1)),
  );
  assert.match((await refusal(push('layout'))).message, /expected \d+ bytes, found \d+\n/);
  await save('image.tar', layouts.without(layout, path));
  assert.match((await refusal(push('layout.tar'))).message, /it is not there/);
  assert.equal(outputs(), []);
});

test('existing output is not overwritten', async () => {
  const { folder, save, create, push } = desk();
  await create(await save('image.tar', layouts.buildxOci({ image: amd64, ...TAGS })));
  await push('a');
  await push('a.tar');
  const before = readFileSync(join(folder, 'out', 'a.tar'));
  assert.match((await refusal(push('a'))).message, /the directory is not empty\nChoose another name/);
  assert.match((await refusal(push('a.tar'))).message, /exists\nChoose another name/);
  assert.equal(readFileSync(join(folder, 'out', 'a.tar')), before);
  mkdirSync(join(folder, 'out', 'empty'));
  await push('empty');
  await check(join(folder, 'out', 'empty'), 1);
  assert.match((await refusal(push('a.tar/b'))).message, /cannot be written/);
  assert.match((await refusal(push('no/where.tar'))).message, /Make its directory first/);
});

test('an output with the name of another format is a usage error', async () => {
  const { lists } = desk();
  for (const output of ['', '-', 'x.tar.gz', 'x.zip', 'x.TGZ']) {
    assert.instance(await manifestPush(lists, NAME, { output }).catch(error => error), UsageError, output);
  }
});

test('a list without a platform is not pushed', async () => {
  const { save, create, push, outputs, lists } = desk();
  const bare = await image({
    layers: [{ files: { a: '1' } }],
    config: { os: undefined, architecture: undefined },
  });
  const file = await save('bare.tar', layouts.buildxOci({ image: bare, tags: ['bare:1'] }));
  // The index has the platform that the config lacks.
  await create(file);
  await push('declared');
  const plain = await save('plain.tar', layouts.dockerSave({ image: bare, tags: ['bare:1'] }));
  await create(plain);
  const error = await refusal(push('x'));
  assert.match(
    error.message,
    /manifest docker\.io\/library\/bare:1 must have an OS and Architecture to be pushed/,
  );
  assert.equal(outputs(), ['declared']);
  manifestAnnotate(lists, NAME, plain, { os: 'linux', arch: 'riscv64' });
  await push('x');
});

test('--purge removes a list only after it is written', async () => {
  const { save, create, push, lists } = desk();
  const file = await save('image.tar', layouts.buildxOci({ image: amd64, ...TAGS }));
  await create(file);
  await push('kept');
  assert.ok(isStoredList(lists, NAME));
  await refusal(push('kept', { purge: true }));
  assert.ok(isStoredList(lists, NAME));
  await push('purged', { purge: true });
  assert.not.ok(isStoredList(lists, NAME));
  assert.match((await refusal(push('again'))).message, /no such manifest list/);
});

test('blobs with sha512 digests are copied under their own names', async () => {
  const { folder, save, create, push } = desk();
  const manifest = layouts.platformManifest(amd64, { algorithm: 'sha512' });
  await create(await save('sha512.tar', layouts.ociLayout({ manifests: [manifest] })));
  await push('out');
  assert.equal(readdirSync(join(folder, 'out', 'out', 'blobs')).sort(), ['sha256', 'sha512']);
  await check(join(folder, 'out', 'out'), 1);
});

test('progress reaches the total', async () => {
  const { folder, save, create, lists } = desk();
  await create(await save('image.tar', layouts.buildxOci({ image: amd64, ...TAGS })));
  const calls: (readonly [number, number])[] = [];
  const onProgress = (done: number, total: number) => calls.push([done, total]);
  await manifestPush(lists, NAME, { output: join(folder, 'x'), onProgress });
  const total = amd64.configBytes.length + amd64.layers.reduce((sum, { size }) => sum + size, 0);
  assert.equal(calls.at(-1), [total, total]);
});

const skopeo = testWhen(test, hasCommand('skopeo'), 'there is no skopeo');

/** An OCI index and a Docker list, each with manifests of both types. */
async function bothTypes(): Promise<readonly (readonly [folder: string, list: string])[]> {
  const made: [string, string][] = [];
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
  ] as const) {
    const { folder, save, create, push } = desk();
    const archives = [
      await save('a.tar', layouts.buildxOci({ image: amd64, ...TAGS })),
      await save('b.tar', layouts.dockerSave({ image: arm64, ...TAGS })),
      await save('c.tar', layouts.cranePull({ image: armv7, ...TAGS })),
    ];
    await create(...order.map(i => archives[i]!));
    const { stdout } = await push('layout');
    await push('layout.tar');
    made.push([join(folder, 'out'), stdout.toString().trimEnd().split('\n').at(-1)!]);
  }
  return made;
}

skopeo('skopeo reads what was written', async () => {
  for (const [i, [folder, list]] of (await bothTypes()).entries()) {
    // Older versions look up a name only among OCI's types; without a name they take any.
    const name = i === 0 ? ':1' : '';
    for (const [kind, source] of [
      ['dir', `oci:${folder}/layout${name}`],
      ['tar', `oci-archive:${folder}/layout.tar${name}`],
    ] as const) {
      const raw = spawnSync('skopeo', ['inspect', '--raw', source]);
      assert.is(raw.status, 0, raw.stderr.toString());
      assert.is(digestOf(raw.stdout), list);
      const options = ['--insecure-policy', 'copy', '--all', '--preserve-digests'];
      const copied = spawnSync('skopeo', [...options, source, `dir:${folder}/${kind}`]);
      assert.is(copied.status, 0, copied.stderr.toString());
      await check(join(folder, kind), 3);
    }
  }
});

const engine = (root: string) => [
  '--root',
  `${root}/root`,
  '--runroot',
  `${root}/run`,
  '--storage-driver',
  'vfs',
];
const podmanRuns =
  ['x64', 'arm64'].includes(process.arch) &&
  hasCommand('podman') &&
  spawnSync('podman', [...engine(temporary('podman')), 'images']).status === 0;

testWhen(
  test,
  podmanRuns,
  'there is no podman that runs',
)('podman loads what was written', async () => {
  for (const [folder] of await bothTypes()) {
    const root = temporary('podman');
    const podman = (...args: string[]) => spawnSync('podman', [...engine(root), ...args]);
    const loaded = podman('load', '-i', join(folder, 'layout.tar'));
    assert.is(loaded.status, 0, loaded.stderr.toString());
    const ids = podman('images', '--no-trunc', '--quiet').stdout.toString().trim();
    assert.is(ids, (process.arch === 'arm64' ? arm64 : amd64).imageId);
  }
});

test.run();
