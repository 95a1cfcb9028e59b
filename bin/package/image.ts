// waybill as a container image: the executable and the libraries that it needs, in an archive that waybill writes.
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { defaultLimits } from '../../src/limits.js';
import { blobPath, digestOf } from '../../src/spec/digest.js';
import { claimOf, writeLayout } from '../../src/write/layout.js';
import { gzipped, type TreeFile, tarOf } from './tree.js';

/** The user of the image, as distroless images have it: not root, and not a user of the host. */
const USER = '65532:65532';

export interface ImageParts {
  readonly version: string;
  readonly executable: Uint8Array;
  /** The architecture as Go names it: amd64, arm64. */
  readonly architecture: string;
  /** Those of the executable, and the records of where they come from. */
  readonly libraries: readonly TreeFile[];
  /** Licences, samples. */
  readonly documents: readonly TreeFile[];
  /** The time of creation, in seconds since 1970. */
  readonly seconds: number;
}

/**
 * The shared libraries of a binary, at the paths where it looks for them.
 * @throws Error if one is not found
 */
export function librariesOf(binary: string): readonly TreeFile[] {
  const lines = execFileSync('ldd', [binary], { encoding: 'utf8' }).split('\n');
  const missing = lines.find(line => line.includes('not found'));
  if (missing !== undefined) throw new Error(`${binary}: ${missing.trim()}`);
  const paths = lines.flatMap(line => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  return paths.map(path => ({
    path: path.slice(1),
    content: readFileSync(realpathSync(path)),
    mode: 0o755,
  }));
}

/** Writes the image as an OCI layout that `docker load` accepts too: it reads manifest.json. */
export async function writeImage(output: string, parts: ImageParts): Promise<void> {
  const { version, executable, architecture, libraries, documents, seconds } = parts;
  const accounts: readonly TreeFile[] = [
    {
      path: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/sbin/nologin\nwaybill:x:65532:65532::/:/sbin/nologin\n',
    },
    { path: 'etc/group', content: 'root:x:0:\nwaybill:x:65532:\n' },
  ];
  const program: TreeFile = { path: 'usr/bin/waybill', content: executable, mode: 0o755 };
  const tars = [
    { by: 'COPY lib /', tar: await tarOf([...libraries, ...accounts], seconds) },
    { by: 'COPY waybill /', tar: await tarOf([program, ...documents], seconds) },
  ];
  const layers = tars.map(({ by, tar }) => ({ by, diffId: digestOf(tar), bytes: gzipped(tar) }));
  const created = new Date(seconds * 1000).toISOString();
  const labels = labelsOf(version, created);
  const config = json({
    created,
    architecture,
    os: 'linux',
    config: {
      User: USER,
      Env: ['PATH=/usr/bin'],
      Entrypoint: ['/usr/bin/waybill'],
      Cmd: ['--help'],
      WorkingDir: '/',
      Labels: labels,
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ by }) => ({ created, created_by: by })),
  });
  const blobs = layers.map(({ bytes }) => ({ ...claimOf(bytes), bytes }));
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...claimOf(config) },
    layers: blobs.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size,
    })),
    annotations: labels,
  });
  const name = `waybill:${version}`;
  const index = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...claimOf(manifest),
        annotations: {
          'io.containerd.image.name': `docker.io/library/${name}`,
          'org.opencontainers.image.ref.name': version,
        },
        platform: { architecture, os: 'linux' },
      },
    ],
  });
  const all = [config, manifest].map(bytes => ({ ...claimOf(bytes), bytes })).concat(blobs);
  // https://github.com/moby/moby/blob/v28.5.2/image/tarexport/load.go
  const saved = json([
    {
      Config: blobPath(claimOf(config).digest),
      RepoTags: [name],
      Layers: blobs.map(({ digest }) => blobPath(digest)),
    },
  ]);
  const beside = [{ path: 'manifest.json', bytes: saved }];
  await writeLayout(output, { index, documents: all, copies: [], beside }, { limits: defaultLimits });
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
const labelsOf = (version: string, created: string): Readonly<Record<string, string>> => ({
  'org.opencontainers.image.title': 'waybill',
  'org.opencontainers.image.description':
    'Inspect, verify and compare container image files, without Docker, root or a network.',
  'org.opencontainers.image.version': version,
  'org.opencontainers.image.licenses': 'Apache-2.0',
  'org.opencontainers.image.created': created,
});
