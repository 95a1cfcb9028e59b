// The fixture builder compared with archives of the real producers: from their images it must make the same archives.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { docker28, hasCorpus, hasDocker28, NO_SHARED_FOLDER, sharedFolder, testWhen } from './corpus.js';
import { digestOf, textOf } from './digest.js';
import { assemble, type Image, type ImageConfig, type Layer, layerOf } from './image.js';
import * as layouts from './layouts.js';
import { fromTar } from './pack.js';
import { v1Layers } from './v1.js';

const withCorpus = testWhen(test, hasCorpus, NO_SHARED_FOLDER);
const withDocker28 = testWhen(test, hasDocker28, NO_SHARED_FOLDER);

const readTar = (path: string): Promise<layouts.Member[]> => fromTar(readFileSync(path));

withCorpus('v1 layer IDs: all 14 of a real docker save of 2018', async () => {
  const path = join(sharedFolder, 'corpus/archives/dive.test-docker-image.tar');
  const members = await readTar(path);
  const [{ Config, Layers, RepoTags }] = layouts.memberJson(members, 'manifest.json') as [
    { Config: string; Layers: string[]; RepoTags: string[] },
  ];
  const config = layouts.memberJson(members, Config) as ImageConfig;
  const made = v1Layers(config, '1969-12-31T19:00:00-05:00');
  assert.is(made.length, 14);
  assert.equal(
    made.map(({ id }) => `${id}/layer.tar`),
    Layers,
  );
  for (const { id, json } of made) {
    assert.is(json, textOf(layouts.memberBytes(members, `${id}/json`)));
  }
  assert.equal(RepoTags, ['dive-test:latest']);
});

/** The image of a real archive, from its config and the layers of its manifest.json. */
async function rebuilt(members: readonly layouts.Member[]): Promise<Image> {
  const [item] = layouts.memberJson(members, 'manifest.json') as [{ Config: string; Layers: string[] }];
  const layers = item.Layers.map(path => layerFrom(layouts.memberBytes(members, path)));
  return assemble(layouts.memberBytes(members, item.Config), layers);
}

function layerFrom(blob: Uint8Array): Layer {
  const packed = blob[0] === 0x1f && blob[1] === 0x8b;
  return packed ? layerOf(new Uint8Array(gunzipSync(blob)), blob, 'gzip') : layerOf(blob);
}

const contents = (members: readonly layouts.Member[]): string[] =>
  members.map(member => {
    if (layouts.isFile(member)) return `${member.path} ${digestOf(member.bytes)}`;
    return layouts.isLink(member) ? `${member.path} -> ${member.link}` : member.path;
  });

const REAL: readonly (readonly [string, (item: Image) => layouts.Member[]])[] = [
  [
    'docker28-save.tar',
    item => layouts.dockerSave25({ image: item, tags: ['app:latest', 'example.test:5000/team/app:1.2.3'] }),
  ],
  [
    'skopeo-docker-archive.tar',
    item => layouts.podmanDockerArchive({ image: item, tags: ['example.test/team/app:sk'] }),
  ],
  [
    'podman-docker-archive.tar',
    item => layouts.podmanDockerArchive({ image: item, tags: ['localhost/app:latest'] }),
  ],
  ['crane-pull.tar', item => layouts.cranePull({ image: item, tags: ['localhost:5055/team/app:docker28'] })],
];

for (const [name, make] of REAL) {
  withDocker28(`from the image in the real ${name} comes the same archive, member by member`, async () => {
    const real = await readTar(docker28(name));
    assert.equal(contents(make(await rebuilt(real))), contents(real));
  });
}

withDocker28('skopeo dir: comes out as the real one does', async () => {
  const crane = await rebuilt(await readTar(docker28('crane-pull.tar')));
  const made = layouts.skopeoDir(crane).filter(layouts.isFile);
  assert.equal(made.map(({ path }) => path).sort(), readdirSync(docker28('skopeo-dir')).sort());
  for (const { path, bytes } of made) {
    assert.ok(readFileSync(docker28('skopeo-dir', path)).equals(bytes), path);
  }
});

withDocker28('a docker save of 2017 is rebuilt from its image, member by member', async () => {
  const path = join(sharedFolder, 'corpus/archives/cinspector.hello-world.tar');
  const real = await readTar(path);
  const made = layouts.dockerSave({ image: await rebuilt(real), tags: ['hello-world:latest'] });
  assert.equal(contents(made), contents(real));
});

interface Statement {
  readonly predicateType: string;
  readonly subject: readonly { readonly name: string }[];
  readonly predicate: unknown;
}

withDocker28(
  "BuildKit's index of three platforms and their attestations comes out byte for byte",
  async () => {
    const members = await readTar(docker28('buildx-oci-attested.tar'));
    const bytesAt = (digest: string) => layouts.memberBytes(members, layouts.blobPath(digest));
    const json = (digest: string) => JSON.parse(textOf(bytesAt(digest)));
    const top = (layouts.memberJson(members, 'index.json') as { manifests: layouts.Descriptor[] })
      .manifests[0]!;
    const listed: layouts.Descriptor[] = json(top.digest).manifests;
    const platforms = listed.slice(0, 3).map(({ digest }) => {
      const manifest = json(digest);
      const layers = manifest.layers.map((layer: layouts.Descriptor) => layerFrom(bytesAt(layer.digest)));
      return layouts.platformManifest(assemble(bytesAt(manifest.config.digest), layers), { indent: 2 });
    });
    const proofs = platforms.map((platform, index) => {
      const statement: Statement = json(json(listed[index + 3]!.digest).layers[0].digest);
      const [{ name } = { name: '' }] = statement.subject;
      return layouts.attestation(platform, { ...statement, name });
    });
    const made = layouts.indexOf([...platforms, ...proofs], { indent: 2 });
    assert.is(textOf(made.blobs[0]!.bytes), textOf(bytesAt(top.digest)));
  },
);

withDocker28(
  'the containerd store writes these member names in this order, and this manifest.json',
  async () => {
    const real = await readTar(docker28('docker28c-save.tar'));
    const tags = ['app:latest', 'example.test:5000/team/app:1.2.3'];
    const made = layouts.dockerContainerd({ image: await rebuilt(real), tags });
    const names = (members: readonly layouts.Member[]) =>
      members.map(({ path }) => path).filter(path => !path.startsWith('blobs/sha256/') || path.endsWith('/'));
    assert.equal(names(made), names(real));
    assert.is(
      textOf(layouts.memberBytes(made, 'manifest.json')),
      textOf(layouts.memberBytes(real, 'manifest.json')),
    );
  },
);

test.run();
