// Makes the archives that the benchmarks read: deterministic content with a realistic ratio, made once per folder.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';

const MiB = 1024 * 1024;

/** A file of a layer: a quarter noise, the rest text that repeats, so that gzip leaves about a third. */
function content(seed: number, size: number): Buffer {
  const noise: Buffer[] = [];
  for (let i = 0; i * 32 < size / 4; i++) noise.push(createHash('sha256').update(`${seed}.${i}`).digest());
  const text = Buffer.alloc(
    size - Math.floor(size / 4),
    `line ${seed} of some configuration or source text\n`,
  );
  return Buffer.concat([Buffer.concat(noise).subarray(0, Math.floor(size / 4)), text]);
}

async function layerTar(seed: number, size: number): Promise<Buffer> {
  const tar = pack();
  const file = content(seed, 4 * MiB);
  for (let i = 0; i < size / file.length; i++)
    tar.entry({ name: `layer${seed}/file${i}`, mtime: new Date(0) }, file);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

async function addTo(tar: Pack, name: string, bytes: Buffer | string): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    tar.entry({ name, mtime: new Date(0) }, bytes, error => (error ? reject(error) : resolve())),
  );
}

export interface Archives {
  /** `docker save` of Docker 24: plain layers. */
  readonly docker: string;
  /** An OCI layout with gzip layers. */
  readonly oci: string;
}

/** @param size  bytes of all layers, unpacked */
export async function makeArchives(folder: string, size: number, layers: number): Promise<Archives> {
  const archives = { docker: join(folder, `docker-${size}.tar`), oci: join(folder, `oci-${size}.tar`) };
  if (existsSync(archives.docker) && existsSync(archives.oci)) return archives;
  mkdirSync(folder, { recursive: true });
  const docker = open(archives.docker);
  const oci = open(archives.oci);
  const diffIds: string[] = [];
  const blobs: { digest: string; size: number }[] = [];
  for (let i = 0; i < layers; i++) {
    const tar = await layerTar(i, Math.floor(size / layers));
    diffIds.push(sha256(tar));
    await addTo(docker.tar, `${diffIds[i]}/layer.tar`, tar);
    const packed = gzipSync(tar, { level: 6 });
    blobs.push({ digest: sha256(packed), size: packed.length });
    await addTo(oci.tar, `blobs/sha256/${blobs[i]!.digest}`, packed);
  }
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds.map(id => `sha256:${id}`) },
  });
  const id = sha256(config);
  await addTo(docker.tar, `${id}.json`, config);
  const item = { Config: `${id}.json`, RepoTags: ['bench:1'], Layers: diffIds.map(d => `${d}/layer.tar`) };
  await addTo(docker.tar, 'manifest.json', JSON.stringify([item]));
  await addTo(oci.tar, `blobs/sha256/${id}`, config);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: `sha256:${id}`,
      size: config.length,
    },
    layers: blobs.map(blob => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: `sha256:${blob.digest}`,
      size: blob.size,
    })),
  });
  await addTo(oci.tar, `blobs/sha256/${sha256(manifest)}`, manifest);
  const entry = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${sha256(manifest)}`,
    size: manifest.length,
  };
  await addTo(oci.tar, 'index.json', JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await addTo(oci.tar, 'oci-layout', '{"imageLayoutVersion":"1.0.0"}');
  await Promise.all([docker.close(), oci.close()]);
  return archives;
}

function open(path: string) {
  const tar = pack();
  const file = createWriteStream(`${path}.part`);
  tar.pipe(file as never);
  return {
    tar,
    async close() {
      tar.finalize();
      await once(file, 'close');
      renameSync(`${path}.part`, path);
    },
  };
}

export const megabytes = (path: string) => Math.round(statSync(path).size / 1e6);
