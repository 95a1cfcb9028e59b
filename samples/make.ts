// Writes the archives of this folder, the same bytes every time:  node dist/samples/make.js [folder]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repositoryRoot } from '../test/support/corpus.js';
import { textOf } from '../test/support/digest.js';
import { type FileSpec, type Image, image, PATH_ENV, type Platform } from '../test/support/image.js';
import {
  blobPath,
  buildxOci,
  described,
  dockerSave,
  dockerSave25,
  dockerV1,
  indexOf,
  type Member,
  ociLayout,
  platformManifest,
  podmanDockerArchive,
  REF_ANNOTATION,
  regctl,
  replaceBytes,
  skopeoOci,
} from '../test/support/layouts.js';
import { type Compression, compress, toTar, toZip } from '../test/support/pack.js';
import { cosign2, seededSigner, withKind } from '../test/support/signed.js';

const NAME = 'hello:1.0';
const TAGS = { tags: [NAME] };
const VERSION = 'org.opencontainers.image.version';

const BASE: Readonly<Record<string, FileSpec>> = {
  'bin/hello': { mode: 0o755, bytes: '#!/bin/sh\n. /etc/hello.conf\nexec /app/greet "$greeting" "$@"\n' },
  'etc/hello.conf': 'greeting=Hello\ncolour=never\n',
  'etc/os-release': 'NAME="Hello Linux"\nID=hello\nVERSION_ID=1.0\nPRETTY_NAME="Hello Linux 1.0"\n',
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nhello:x:1000:1000:hello:/app:/bin/sh\n',
  'tmp/': { mode: 0o1777 },
};

const APP: Readonly<Record<string, FileSpec>> = {
  'app/greet': { mode: 0o755, bytes: '#!/bin/sh\necho "$1, $2!"\n' },
  'app/LICENSE': 'Apache-2.0\n',
  'app/notes.txt': 'Ship it on Friday.\nThis file is gone from the image, and still in its layers.\n',
};

/** Deletes one file of the layer below and changes another. */
const TIDY: Readonly<Record<string, FileSpec>> = {
  'app/.wh.notes.txt': '',
  'app/LICENSE': 'SPDX-License-Identifier: Apache-2.0\n',
};

const CONFIG = {
  User: '1000:1000',
  Env: [PATH_ENV, 'GREETING=Hello'],
  Entrypoint: ['/bin/hello'],
  Cmd: ['world'],
  WorkingDir: '/app',
  Labels: { 'org.opencontainers.image.title': 'hello', [VERSION]: '1.0' },
};

function hello(compression: Compression, platform: Platform): Promise<Image> {
  const arch = { 'etc/arch': `${platform.architecture}\n` };
  return image({
    platform,
    config: { config: CONFIG },
    layers: [
      { files: { ...BASE, ...arch }, createdBy: 'COPY rootfs/ / # buildkit', compression },
      { emptyLayer: true, createdBy: `ENV ${CONFIG.Env[1]}` },
      { files: APP, createdBy: 'COPY app/ /app/ # buildkit', compression },
      {
        files: TIDY,
        createdBy: 'RUN /bin/sh -c rm /app/notes.txt && tidy /app/LICENSE # buildkit',
        compression,
      },
      { emptyLayer: true, createdBy: `LABEL org.opencontainers.image.title=hello ${VERSION}=1.0` },
      { emptyLayer: true, createdBy: 'WORKDIR /app' },
      { emptyLayer: true, createdBy: `USER ${CONFIG.User}` },
      { emptyLayer: true, createdBy: 'ENTRYPOINT ["/bin/hello"]' },
      { emptyLayer: true, createdBy: 'CMD ["world"]' },
    ],
  });
}

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };

/** Changes one letter of a file in the second layer, without updating the digest. */
function broken(members: readonly Member[], { diffIds }: Image): Member[] {
  return replaceBytes(members, blobPath(diffIds[1] as string), bytes =>
    textOf(bytes).replace('Ship it on Friday', 'Ship it on Fryday'),
  );
}

/** Cuts the archive in the middle of its last layer. */
async function truncated(packed: Image): Promise<Uint8Array> {
  const tar = await toTar(regctl({ image: packed, ...TAGS }));
  const layer = packed.layers.at(-1)?.blob ?? new Uint8Array();
  const start = Buffer.from(tar).indexOf(layer);
  return tar.subarray(0, start + Math.floor(layer.length / 2));
}

/** The signer of the sample. Its private key follows from this text, so that its signatures prove nothing. */
const SIGNER = seededSigner('the key of the samples of waybill');

/** `cosign save` of an image for two platforms, of which the index is signed. */
function signed(platforms: readonly Image[]): Member[] {
  const list = indexOf(platforms.map(platform => platformManifest(platform)));
  const named = { kind: 'dev.cosignproject.cosign/imageIndex', [REF_ANNOTATION]: NAME };
  return ociLayout({
    manifests: [
      described(list, { annotations: named }),
      withKind(cosign2(list, SIGNER, { name: NAME }), 'sigs'),
    ],
  });
}

/** Every sample by file name. */
export async function samples(): Promise<ReadonlyMap<string, Uint8Array>> {
  const plain = await hello('none', AMD64);
  const gzip = await hello('gzip', AMD64);
  const arm = await hello('gzip', ARM64);
  const one = { image: plain, ...TAGS };
  const build = { platforms: [gzip, arm], ...TAGS, attestations: true };
  return new Map([
    ['hello-docker-1.9.tar', await toTar(dockerV1(one))],
    ['hello-docker-24.tar', await toTar(dockerSave(one))],
    ['hello-docker-28.tar', await toTar(dockerSave25(one))],
    ['hello-oci.tar', await toTar(buildxOci(build))],
    ['hello-podman.tar.gz', compress(await toTar(podmanDockerArchive(one)), 'gzip')],
    ['hello-oci.zip', toZip(skopeoOci({ image: gzip, ...TAGS }), { deflate: true })],
    ['broken-layer.tar', await toTar(broken(dockerSave25(one), plain))],
    ['truncated.tar', await truncated(plain)],
    ['signed.tar', await toTar(signed([gzip, arm]))],
    ['cosign.pub', Buffer.from(SIGNER.pem)],
  ]);
}

export async function makeSamples(folder: string): Promise<void> {
  for (const [name, bytes] of await samples()) writeFileSync(join(folder, name), bytes);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await makeSamples(process.argv[2] ?? join(repositoryRoot, 'samples'));
}
