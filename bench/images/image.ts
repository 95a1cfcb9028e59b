// One image in the archive formats that engines write.
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { ArchiveWriter, type Member } from './archive.js';
import { type LayerPlan, writeLayer } from './layer.js';
import { type Packing, packRange } from './packing.js';
import { type TreePlan, writeTree } from './tree.js';

export interface ImagePlan {
  readonly layers: readonly (LayerPlan | TreePlan)[];
}

/** Positions and digests in a docker-save archive that was made here, for making its other forms. */
interface Made {
  readonly config: string;
  readonly layers: readonly Member[];
}

const NAME = 'bench:1';
const CREATED = '2024-05-14T00:00:00Z';
const OCI = 'application/vnd.oci.image';
const CONFIG = `${OCI}.config.v1+json`;
const MANIFEST = `${OCI}.manifest.v1+json`;
const PLAIN = `${OCI}.layer.v1.tar`;

const blobPath = (hex: string) => `blobs/sha256/${hex}`;
const descriptor = (mediaType: string, { hex, size }: Member) => ({
  mediaType,
  digest: `sha256:${hex}`,
  size,
});

/** As `docker save` since Docker 25: an OCI layout of uncompressed layers, with a manifest.json. */
export function makeDocker(plan: ImagePlan, path: string): void {
  const archive = begin(path);
  const below: string[] = [];
  const layers = plan.layers.map(layer => {
    archive.begin();
    const put = (piece: Buffer) => archive.put(piece);
    if ('directory' in layer) writeTree(layer, `${path}.layer`, put);
    else writeLayer(layer, below, put);
    return archive.end(blobPath);
  });
  const config = configOf(layers);
  const member = end(
    archive,
    config,
    layers.map(layer => descriptor(PLAIN, layer)),
  );
  const item = {
    Config: blobPath(member.hex),
    RepoTags: [NAME],
    Layers: layers.map(({ hex }) => blobPath(hex)),
    LayerSources: Object.fromEntries(layers.map(layer => [`sha256:${layer.hex}`, descriptor(PLAIN, layer)])),
  };
  archive.file('manifest.json', `${JSON.stringify([item])}\n`);
  writeFileSync(`${path}.json`, JSON.stringify({ config, layers } satisfies Made));
  archive.finish();
}

/**
 * Converts the docker-save archive at `docker` to an OCI layout in a tar with compressed layers, as buildx and skopeo
 * write it.
 */
export async function makeOci(docker: string, packing: Packing, path: string): Promise<void> {
  const { config, layers } = made(docker);
  const archive = begin(path);
  const descriptors: object[] = [];
  for (const { start, size } of layers) {
    archive.begin();
    await packRange({ file: docker, start, size }, packing, piece => archive.put(piece));
    descriptors.push(descriptor(`${PLAIN}+${packing}`, archive.end(blobPath)));
  }
  end(archive, config, descriptors);
  archive.finish();
}

function begin(path: string): ArchiveWriter {
  const archive = new ArchiveWriter(path);
  archive.directory('blobs');
  archive.directory('blobs/sha256');
  return archive;
}

/**
 * Writes all documents of an OCI layout.
 * @returns the config's member
 */
function end(archive: ArchiveWriter, config: string, layers: readonly object[]): Member {
  const member = archive.file(blobPath, config);
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(CONFIG, member),
    layers,
  };
  const entry = {
    ...descriptor(MANIFEST, archive.file(blobPath, JSON.stringify(manifest))),
    annotations: {
      'io.containerd.image.name': `docker.io/library/${NAME}`,
      'org.opencontainers.image.ref.name': NAME.split(':')[1],
    },
    platform: { architecture: 'amd64', os: 'linux' },
  };
  const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [entry] };
  archive.file('index.json', JSON.stringify(index));
  archive.file('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
  return member;
}

function configOf(layers: readonly Member[]): string {
  return JSON.stringify({
    architecture: 'amd64',
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['/bin/sh'] },
    created: CREATED,
    history: layers.map((_, i) => ({
      created: CREATED,
      created_by: `COPY rootfs-${i} / # buildkit`,
      comment: 'buildkit.dockerfile.v0',
    })),
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: layers.map(({ hex }) => `sha256:${hex}`) },
  });
}

/** An uncompressed layer of the docker-save archive at `docker`, by its number from the base. */
export function layerOf(docker: string, number: number): Buffer {
  const { start, size } = made(docker).layers[number]!;
  const bytes = Buffer.alloc(size);
  const descriptor = openSync(docker, 'r');
  for (let at = 0; at < size; ) at += readSync(descriptor, bytes, at, size - at, start + at);
  closeSync(descriptor);
  return bytes;
}

const made = (docker: string) => JSON.parse(readFileSync(`${docker}.json`, 'utf8')) as Made;
