// Archives that engines and waybill interpret differently: ids predicts the recorded answers of podman 5.8.6, skopeo
// 1.22.0 and crane 0.21, or says that they are unknown.
import { gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { idsReport } from '../../src/commands/ids/index.js';
import type { EngineName } from '../../src/engines/predict.js';
import { readArchive } from '../../src/report/read.js';
import { goJson, textOf } from '../support/digest.js';
import { type Image, image, layerOf, plainImage } from '../support/image.js';
import {
  blobOf,
  jib,
  MEDIA,
  type Member,
  manifestOf,
  memberBytes,
  ociLayout,
  skopeoOci,
} from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { streamOf } from '../support/reading.js';
import { paxEntry, rawEntry } from '../support/tar-blocks.js';

const READERS = ['podman', 'skopeo-docker-archive', 'crane'] as const;
const app = await plainImage('app', 1);
const tagged = { image: app, tags: ['app:1'] };

/** An engine's answer for the one image: an ID or the refusal. */
async function answer(engine: EngineName, tar: Uint8Array): Promise<string> {
  const { images, engines } = idsReport(await readArchive(streamOf(tar), { depth: 'digests' }));
  const found = (images[0]?.engines ?? engines).find(one => one.engine === engine)!;
  return found.id ?? found.refusal!;
}

async function says(engine: EngineName, tar: Uint8Array, words: string): Promise<void> {
  const text = await answer(engine, tar);
  assert.ok(text.includes(words), `${engine} says: ${text}\nnot: ${words}`);
}

/** All entries, without the zero blocks at the end. */
const entries = async (members: readonly Member[]) => Buffer.from(await toTar(members, { endMarker: false }));
const END = Buffer.alloc(1024);

test('a tar that ends within its second zero block is cut, one that ends after the first is not', async () => {
  for (const [members, engine] of [
    [jib(tagged), 'skopeo-docker-archive'],
    [skopeoOci(tagged), 'skopeo-oci-archive'],
  ] as const) {
    const tar = await entries(members);
    const zeros = (count: number) => Buffer.concat([tar, Buffer.alloc(count)]);
    for (const whole of [0, 512, 1024]) await says('podman', zeros(whole), app.imageId);
    for (const cut of [200, 700]) {
      await says('podman', zeros(cut), 'unexpected EOF');
      await says(engine, zeros(cut), 'unexpected EOF');
      await says('docker-classic', zeros(cut), 'unexpected EOF');
    }
  }
});

test('a global PAX header is an entry to readers that look members up by name', async () => {
  const tar = await entries(jib(tagged));
  const global = (key: string, value: string) => Buffer.concat([paxEntry([[key, value]], 'g'), tar, END]);
  for (const engine of READERS) {
    await says(
      engine,
      global('path', 'manifest.json'),
      'cannot be told: a global PAX header is called manifest.json',
    );
    await says(engine, global('path', 'other'), 'sha256:');
    await says(engine, global('comment', 'manifest.json'), 'sha256:');
  }
  await says('docker-containerd', global('path', 'manifest.json'), 'sha256:');
});

/** A sparse file with one data segment: old GNU format, or PAX records of a regular file. */
function sparse(name: string, bytes: Uint8Array, kind: 'gnu' | 'pax'): Buffer {
  if (kind === 'pax') {
    const size = String(bytes.length);
    const records = [
      ['GNU.sparse.size', size],
      ['GNU.sparse.numblocks', '1'],
      ['GNU.sparse.map', `0,${size}`],
    ] as const;
    return Buffer.concat([paxEntry(records), rawEntry({ name }, bytes)]);
  }
  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
  const patch = (block: Buffer) => {
    for (const [value, at] of [
      [0, 386],
      [bytes.length, 398],
      [bytes.length, 483],
    ] as const)
      block.write(octal(value), at, 'latin1');
  };
  return rawEntry({ name, flag: 'S', format: 'gnu', patch }, bytes);
}

test('sparse members are read by engines, and not by waybill', async () => {
  const members = jib(tagged);
  const [config, layer] = ['config.json', members.find(({ path }) => path.endsWith('.tar'))!.path];
  for (const kind of ['gnu', 'pax'] as const) {
    for (const path of [config, layer, 'manifest.json']) {
      const rest = await entries(members.filter(one => one.path !== path));
      const tar = Buffer.concat([rest, sparse(path, memberBytes(members, path), kind), END]);
      for (const engine of READERS) await says(engine, tar, `cannot be told: ${path} is a sparse file`);
      const docker = kind === 'gnu' ? 'unhandled tar header type 83' : 'cannot be told: ';
      await says('docker-classic', tar, docker);
      await says(
        'docker-containerd',
        tar,
        kind === 'gnu' ? (path === 'manifest.json' ? 'unrecognized' : 'not found') : 'cannot be told: ',
      );
    }
    const other = Buffer.concat([sparse('other', Buffer.from('x'), kind), await entries(members), END]);
    await says('podman', other, app.imageId);
  }
});

test('reserved flags of a gzip header are ignored by engines, and not by waybill', async () => {
  const packed = gzipSync(app.layers[0]!.tar);
  packed[3]! |= 0x20;
  const odd: Image = { ...app, layers: [layerOf(packed)] };
  const tar = await toTar(skopeoOci({ image: odd, tags: ['app:1'] }));
  await says('podman', tar, 'cannot be told: reserved flags are set in a gzip header');
  const { images } = idsReport(await readArchive(streamOf(tar), { depth: 'digests' }));
  const containerd = images[0]!.engines.find(({ engine }) => engine === 'docker-containerd')!;
  assert.match(containerd.note!, 'whether it can be unpacked cannot be told');
});

test("a damaged gzip layer: Go's error depends on the fault, not on waybill's message", async () => {
  const packed = gzipSync(app.layers[0]!.tar);
  const changed = (at: number, byte: number) => {
    const bytes = Buffer.from(packed);
    bytes[at] = byte;
    return bytes;
  };
  const named = changed(3, 8);
  const longName = Buffer.concat([named.subarray(0, 10), Buffer.alloc(600, 'n'), Buffer.from([0])]);
  for (const [layer, words] of [
    [changed(packed.length - 8, packed.at(-8)! ^ 1), 'gzip: invalid checksum'],
    [changed(packed.length - 4, packed.at(-4)! ^ 1), 'gzip: invalid checksum'],
    [changed(10, 7), 'flate: corrupt input'],
    [Buffer.concat([longName, packed.subarray(10)]), 'gzip: invalid header'],
    [packed.subarray(0, -3), 'unexpected EOF'],
  ] as const) {
    const odd: Image = { ...app, layers: [layerOf(layer)] };
    await says('podman', await toTar(skopeoOci({ image: odd, tags: ['app:1'] })), words);
  }
});

test('a manifest whose media type is Docker’s below an OCI entry is refused by podman only', async () => {
  const made = manifestOf(app);
  const manifest = JSON.parse(textOf(made.blobs[0]!.bytes)) as object;
  const content = blobOf(MEDIA.manifest, goJson({ ...manifest, mediaType: MEDIA.dockerManifest }));
  const layout = ociLayout({
    manifests: [{ ...content, blobs: [...content.blobs, ...made.blobs.slice(1)] }],
  });
  const words = 'parsing manifest: unsupported docker v2s2 media type: "application/vnd.oci.image.layer';
  await says('podman', await toTar(layout), words);
  await says('skopeo-oci-archive', await toTar(layout), 'sha256:');
});

test('digests in upper case', async () => {
  const upper = (text: string) => text.replace('sha256:', 'SHA256:');
  const config = { ...app.config, rootfs: { type: 'layers' as const, diff_ids: app.diffIds.map(upper) } };
  const odd = await image({ layers: [{ tar: app.layers[0]!.tar }], config });
  await says(
    'podman',
    await toTar(jib({ image: odd, tags: ['app:1'] })),
    'Can not check for a blob with invalid digest',
  );
  await says('skopeo-docker-archive', await toTar(jib({ image: odd, tags: ['app:1'] })), 'sha256:');
  const made = manifestOf(app);
  const text = textOf(made.blobs[0]!.bytes).replace(app.layers[0]!.digest, upper);
  const content = blobOf(MEDIA.manifest, text);
  const layout = ociLayout({
    manifests: [{ ...content, blobs: [...content.blobs, ...made.blobs.slice(1)] }],
  });
  const invalid = 'Can not check for a blob with invalid digest: invalid checksum digest format';
  await says('podman', await toTar(layout), invalid);
});

test.run();
