// Predictions for archives, compared with recorded answers of real engines, and with the exact bytes of manifests that
// they synthesise.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type EngineReport, engineReport } from '../../src/commands/ids/engines.js';
import { type EngineName, predictEngines } from '../../src/engines/predict.js';
import { containerdManifest, containersImageManifest, manifestDigest } from '../../src/engines/synthesise.js';
import type { Image } from '../../src/link/graph.js';
import { readArchive } from '../../src/report/read.js';
import type { Depth } from '../../src/scan/scan.js';
import { corpus, NO_SHARED_FOLDER, repositoryRoot, sharedFolder, testWhen } from '../support/corpus.js';
import { image, plainImage } from '../support/image.js';
import {
  buildxOci,
  cranePull,
  described,
  dockerSave25,
  dockerV1,
  indexOf,
  jib,
  type Member,
  ociLayout,
  platformManifest,
  podmanDockerArchive,
  skopeoOci,
} from '../support/layouts.js';
import { deliveries, toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

type Answers = ReadonlyMap<Image, readonly EngineReport[]>;
const ENGINES: readonly EngineName[] = [
  'docker-classic',
  'docker-containerd',
  'podman',
  'skopeo-docker-archive',
  'skopeo-oci-archive',
  'crane',
];

const DIRECTORY_ENGINES: readonly EngineName[] = ['podman-directory', 'skopeo-oci', 'skopeo-dir', 'umoci'];

async function answersOf(
  input: string | readonly Member[],
  depth: Depth = 'digests',
  docker = 28,
): Promise<Answers> {
  const tar = async function* () {
    if (typeof input !== 'string') yield await toTar(input);
  };
  const { opened, parts } = await readArchive(typeof input === 'string' ? input : tar(), { depth });
  const [{ scan, graph, part }] = parts as [(typeof parts)[0]];
  const { inside } = part;
  const compression = inside === null ? opened.compression : part.compression;
  const verdicts = predictEngines(scan, graph, { container: opened.container, compression, inside, docker });
  const answers = new Map([...verdicts].map(([image, list]) => [image, list.map(engineReport)]));
  for (const list of answers.values()) {
    // Directories are tested in directories.test.ts.
    assert.equal(
      list.map(({ engine }) => engine),
      opened.container === 'directory' ? [...ENGINES, ...DIRECTORY_ENGINES] : ENGINES,
    );
    for (const { id, refusal } of list) assert.is((id === null) !== (refusal === null), true);
  }
  return answers;
}

/** The answers of one engine, image by image. */
const by = (answers: Answers, engine: EngineName): EngineReport[] =>
  [...answers.values()].map(list => list.find(answer => answer.engine === engine)!);

interface Load {
  readonly archive: string;
  readonly engine: EngineName;
  readonly exit?: number;
  readonly ids?: readonly string[];
  readonly digest?: string;
  readonly said?: string;
}

/** The message of a command, without its logger's prefix and the name of the archive. */
function saidBy({ said = '', archive }: Load): string {
  const quoted = /msg=("(?:[^"\\]|\\.)*")/.exec(said)?.[1];
  return (quoted === undefined ? said : (JSON.parse(quoted) as string)).replaceAll(archive, 'FILE');
}

/** Recorded loads of archives with a release of Docker; empty if the shared folder is absent. */
function recordedLoads(folder: string): readonly Load[] {
  const file = join(sharedFolder, folder, 'loads.jsonl');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map(line => JSON.parse(line) as Load);
}

for (const docker of [28, 29]) {
  const folder = `docker${docker}`;
  const loads = recordedLoads(folder);
  testWhen(
    test,
    loads.length > 0,
    NO_SHARED_FOLDER,
  )(`engines: every load that was tried with Docker ${docker}`, async () => {
    for (const load of loads) {
      const { archive, engine, exit, ids, digest } = load;
      const where = `${archive} on ${engine}`;
      const answers = by(await answersOf(join(sharedFolder, folder, archive), 'digests', docker), engine);
      // An image under a name that no command lists is not in the recording.
      const isListed = ({ note }: EngineReport) => !/commands do not find it/.test(note ?? '');
      const found = new Set(answers.filter(isListed).flatMap(({ id }) => (id === null ? [] : [id])));
      if (exit !== undefined && exit !== 0) {
        assert.is(found.size, 0, where);
        for (const { refusal } of answers) assert.ok(refusal!.includes(saidBy(load)), `${where}: ${refusal}`);
      } else {
        assert.equal([...found], digest === undefined ? ids : [digest], where);
      }
    }
  });
}

test('Docker 29 loads no archive without manifest.json into its classic store', async () => {
  const members = dockerV1({ image: await plainImage(), tags: ['app:1'] });
  const refusals = async (docker: number) =>
    by(await answersOf(members, 'digests', docker), 'docker-classic').map(({ refusal }) => refusal);
  assert.equal(await refusals(28), [null]);
  assert.equal(await refusals(29), ['invalid archive: does not contain a manifest.json']);
});

/**
 * By archive of the corpus, the answers of six engines in the order of `ENGINES`: IDs, and after a `!` the refusal or
 * its key phrase. Recorded on linux/amd64 with Docker 28.5.2 (classic and containerd store), podman 5.8.6, skopeo
 * 1.22.0 and crane 0.21. Directories were given as tars, and to crane as they are. For crane and a tarball there are
 * the digest that it prints, which depends on its own gzip for uncompressed layers, and the config's digest.
 */
type Recorded = Readonly<Record<string, readonly string[]>>;
const recorded = JSON.parse(
  readFileSync(join(repositoryRoot, 'test/engines/recorded.json'), 'utf8'),
) as Recorded;

const items = corpus().filter(({ file, truth }) => {
  const isNone = truth.issues.some(({ code }) => code === 'NOT_AN_IMAGE');
  // A zip was given to the engines as it is, and none accepts one.
  return existsSync(file) && !isNone && !file.endsWith('.zip');
});

const run = testWhen(test, items.length > 0, NO_SHARED_FOLDER);
if (items.length === 0) run('engines: the corpus', () => {});
for (const { id, file } of items) {
  run(`engines: ${id}`, async () => {
    const answers = await answersOf(file);
    for (const [i, engine] of ENGINES.entries()) {
      const [text = '', refused = null] = recorded[id]![i]!.split('!');
      const ids = text.split(' ').filter(part => part !== '');
      compare(`${id} on ${engine}`, by(answers, engine), ids, refused);
    }
  });
}

function compare(
  where: string,
  answers: readonly EngineReport[],
  ids: readonly string[],
  refused: string | null,
): void {
  const taken = answers.filter(({ id }) => id !== null);
  for (const { id, outcome } of answers) {
    const passedOver = refused === null ? 'loads-another' : 'refused';
    assert.is(outcome, id === null ? passedOver : 'accepted', where);
  }
  for (const { id, note } of taken) {
    const isLost = note?.includes('do not find it') === true;
    assert.ok(ids.includes(id!) || isLost, `${where}: ${id}`);
    if (refused !== null) assert.match(note!, 'then fails at another image', where);
  }
  if (refused === null) {
    if (ids.length > 0 && answers.length > 0) assert.ok(taken.length > 0, `${where}: ${answers[0]?.refusal}`);
    for (const { refusal } of answers) if (refusal !== null) assert.match(refusal, /^loads /, where);
    return;
  }
  for (const { refusal } of answers) {
    if (refusal !== null) assert.ok(refusal.includes(refused), `${where}: ${refusal}`);
  }
}

// A config and two layers, of which the first is stored as gzip.
const config = {
  digest: 'sha256:6b9158aceb4f045a095150f0dfd9856413148bbf362e1b700af2d6c07bc5a5d1',
  size: 301,
};
const [first, second, packed] = [
  { digest: 'sha256:5fe2d66c72ffedb41fc908858a98a8075fdce3383eeada205f7be98752a58a1c', size: 10240 },
  { digest: 'sha256:90d2a04b19490d1e7f6dc3a60afc7bfa6bc933921667ee27a16b37e9bf818b67', size: 10240 },
  { digest: 'sha256:13abc0313897860b942283826f015aace17b6a8f967034aa2fc4a3f4a78e724e', size: 145 },
] as const;

test('engines: the manifest that containerd synthesises, byte for byte', () => {
  const manifest = containerdManifest(config, [
    { ...packed, packed: true },
    { ...second, packed: false },
  ]);
  assert.is(
    manifest,
    '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",' +
      '"config":{"mediaType":"application/vnd.docker.container.image.v1+json",' +
      '"digest":"sha256:6b9158aceb4f045a095150f0dfd9856413148bbf362e1b700af2d6c07bc5a5d1","size":301},' +
      '"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip",' +
      '"digest":"sha256:13abc0313897860b942283826f015aace17b6a8f967034aa2fc4a3f4a78e724e","size":145},' +
      '{"mediaType":"application/vnd.docker.image.rootfs.diff.tar",' +
      '"digest":"sha256:90d2a04b19490d1e7f6dc3a60afc7bfa6bc933921667ee27a16b37e9bf818b67","size":10240}]}',
  );
  // The ID that Docker 28.5.2 gave the image.
  assert.is(
    manifestDigest(manifest),
    'sha256:4f86ff246437dc53db9c706cc7de3222c5b7828efdc14ac57472209163029a27',
  );
});

test('engines: the manifest that containers/image synthesises, byte for byte', () => {
  const manifest = containersImageManifest(config, [first, second]);
  assert.is(
    manifest,
    '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",' +
      '"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":301,' +
      '"digest":"sha256:6b9158aceb4f045a095150f0dfd9856413148bbf362e1b700af2d6c07bc5a5d1"},' +
      '"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":10240,' +
      '"digest":"sha256:5fe2d66c72ffedb41fc908858a98a8075fdce3383eeada205f7be98752a58a1c"},' +
      '{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":10240,' +
      '"digest":"sha256:90d2a04b19490d1e7f6dc3a60afc7bfa6bc933921667ee27a16b37e9bf818b67"}]}',
  );
  // The digest that skopeo 1.22.0 printed.
  assert.is(
    manifestDigest(manifest),
    'sha256:fd9eeabcc9f7602a77f278fb057badccdc54c1ccfd880dcbec626d1929d55521',
  );
});

test('engines: a docker-archive has the ID of its config, except with engines that synthesise a manifest', async () => {
  const app = await plainImage('app');
  const [ids] = [...(await answersOf(podmanDockerArchive({ image: app, tags: ['app:1'] }))).values()];
  const [classic, containerd, podman, skopeo, oci] = ids!;
  assert.is(classic!.id, app.imageId);
  // The links of the v1 directories lead to files that containerd does not look up under their names.
  assert.is(podman!.id, app.imageId);
  assert.match(containerd!.note ?? containerd!.refusal!, /empty store|no target for symlink/);
  assert.ok(skopeo!.id !== null && skopeo!.id !== app.imageId);
  assert.is(
    oci!.refusal,
    'Error parsing image name "oci-archive:FILE": open DIR/index.json: no such file or directory',
  );
});

test('engines: for an index docker names the index, the others the image for linux/amd64', async () => {
  const [arm, amd] = await Promise.all(
    ['arm64', 'amd64'].map(architecture =>
      image({ layers: [{ files: { arch: architecture } }], platform: { os: 'linux', architecture } }),
    ),
  );
  const answers = await answersOf(buildxOci({ platforms: [arm!, amd!], tags: ['multi:1'] }));
  const images = [...answers.keys()];
  const [a, b] = by(answers, 'docker-containerd');
  assert.is(a!.id, images[0]!.indexDigests[0]);
  assert.is(b!.id, images[0]!.indexDigests[0]);
  const [other, chosen] = by(answers, 'podman');
  assert.is(other!.refusal, 'loads another image: linux/amd64');
  assert.is(chosen!.id, amd!.imageId);
  const [passed, printed] = by(answers, 'skopeo-oci-archive');
  assert.is(passed!.refusal, 'loads another image: linux/amd64');
  assert.is(printed!.id, images[0]!.indexDigests[0]);
});

test('engines: of two images for a platform podman and skopeo take the one that is marked as zstd', async () => {
  const [gzip, zstd] = [await plainImage('one'), await plainImage('two')];
  const marked = { annotations: { 'io.github.containers.compression.zstd': 'true' } };
  const members = ociLayout({
    manifests: [indexOf([platformManifest(gzip), described(platformManifest(zstd), marked)])],
  });
  const answers = await answersOf(members);
  for (const engine of ['podman', 'skopeo-oci-archive'] as const) {
    const [first, second] = by(answers, engine);
    assert.is(first!.refusal, 'loads another image: linux/amd64');
    assert.ok(second!.id !== null);
  }
});

test('engines: of two entries with one name the last has it in docker with the containerd store', async () => {
  const [one, two] = [await plainImage('one'), await plainImage('two')];
  const answers = await answersOf(
    skopeoOci([
      { image: one, tags: ['docker.io/library/app:1'] },
      { image: two, tags: ['docker.io/library/app:1'] },
    ]),
  );
  const [first, last] = by(answers, 'docker-containerd');
  assert.is(first!.note, `docker gives the name "docker.io/library/app:1" to ${last!.id}, which comes later`);
  assert.is(last!.note, null);
});

test('engines: of several images skopeo needs one to be named, the others load all', async () => {
  const [one, two] = [await plainImage('one'), await plainImage('two')];
  const answers = await answersOf(
    cranePull([
      { image: one, tags: ['one:1'] },
      { image: two, tags: ['two:1'] },
    ]),
  );
  assert.equal(
    by(answers, 'docker-classic').map(({ id }) => id),
    [one.imageId, two.imageId],
  );
  assert.equal(
    by(answers, 'podman').map(({ id }) => id),
    [one.imageId, two.imageId],
  );
  const [, second] = by(answers, 'skopeo-docker-archive');
  assert.match(second!.refusal!, 'expected 1 item, got 2');
  assert.match(second!.note!, /^asked for docker-archive:FILE:@1 it prints sha256:[0-9a-f]{64}$/);
});

test('engines: a tag alone is a name that docker does not find again', async () => {
  const app = await plainImage('app');
  const [answer] = by(await answersOf(skopeoOci({ image: app, tags: ['1.0'] })), 'docker-containerd');
  assert.match(answer!.note!, 'under the name "1.0", by which its commands do not find it');
  const [whole] = by(
    await answersOf(skopeoOci({ image: app, tags: ['docker.io/library/app:1'] })),
    'docker-containerd',
  );
  assert.is(whole!.note, null);
});

test('engines: a layer that cannot be unpacked is a note for the containerd store, and a refusal elsewhere', async () => {
  const app = await plainImage('app');
  const [layer] = app.layers;
  const members = skopeoOci({ image: app, tags: ['docker.io/library/app:1'] });
  const sparse = members.filter(({ path }) => !path.endsWith(layer!.digest.slice('sha256:'.length)));
  const answers = await answersOf(sparse);
  const [containerd] = by(answers, 'docker-containerd');
  assert.is(containerd!.id, [...answers.keys()][0]!.manifest!.digest);
  assert.match(containerd!.note!, /^prints `Error unpacking image` .* and keeps the ID$/);
  assert.match(by(answers, 'podman')[0]!.refusal!, 'no such file or directory');
});

test('engines: an archive before Docker 1.10 gets a config that docker makes', async () => {
  const app = await plainImage('app');
  const answers = await answersOf(dockerV1({ image: app, tags: ['app:1'] }));
  const [classic, containerd] = [...answers.values()][0]!;
  assert.match(classic!.id!, /^sha256:[0-9a-f]{64}$/);
  assert.is(containerd!.refusal, 'unrecognized image format');
});

test('engines: the answers are the same for every delivery', async () => {
  const app = await plainImage('app');
  const members = dockerSave25({ image: app, tags: ['app:1'] });
  const ids: string[] = [];
  for (const { kind, file } of await deliveries(members, temporary('engines'))) {
    const answers = [...[...(await answersOf(file)).values()][0]!].slice(0, ENGINES.length);
    const crane = answers.pop()!;
    ids.push(answers.map(({ id }) => id).join(' '));
    if (kind === 'directory') assert.is(crane.id, answers[1]!.id, 'as an OCI layout');
    else if (kind === 'tar') assert.is(crane.id, app.imageId);
    else if (crane.id === null)
      assert.match(`${crane.refusal} ${crane.note}`, /invalid tar header .* it first$/);
    const note = answers[2]!.note;
    if (kind === 'directory') assert.is(note, 'as a tar of this directory');
    else if (/^zip/.test(kind)) assert.is(note, 'podman cannot read a zip: unpack it first');
    else assert.is(note, null, kind);
  }
  assert.is(new Set(ids).size, 1, ids.join('\n'));
});

test('engines: if layers were not read, plain ones are trusted and compressed ones are unknown', async () => {
  const plain = jib({ image: await plainImage('app'), tags: ['app:1'] });
  const idsAt = async (depth: Depth) => [...(await answersOf(plain, depth)).values()][0]!.map(({ id }) => id);
  assert.equal(await idsAt('metadata'), await idsAt('digests'));
  const gzip = jib({ image: await plainImage('app', 2, 'gzip'), tags: ['app:1'] });
  const [classic, containerd, podman] = [...(await answersOf(gzip, 'metadata')).values()][0]!;
  assert.match(classic!.note!, 'taken at their word');
  assert.ok(classic!.id !== null && classic!.id === podman!.id);
  assert.match(containerd!.refusal!, /^cannot be told: .* was not read$/);
});

test.run();
