import { readDocument } from '../../src/scan/blob/document.js';
import { compare, type Line, megabytesPerSecond, type Scope } from './line.js';

const MANIFESTS = 20_000;

/** Reading a large index as a document, with all checks, compared with JSON.parse alone. */
export async function documentLines({ rounds }: Scope): Promise<Line[]> {
  const manifests = Array.from({ length: MANIFESTS }, (_, i) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${i.toString(16).padStart(64, '0')}`,
    size: 500 + i,
    annotations: { 'org.opencontainers.image.ref.name': `1.${i}` },
    platform: { architecture: 'amd64', os: 'linux' },
  }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
  const [ours, parse] = await compare(
    rounds,
    () => {
      if (readDocument('index.json', bytes).error !== null) throw new Error('the index is sound');
    },
    () => {
      JSON.parse(bytes.toString('utf8'));
    },
  );
  return [
    {
      name: `read an index of ${MANIFESTS} manifests`,
      value: megabytesPerSecond(bytes.length, ours),
      unit: 'MB/s',
      other: 'JSON.parse',
      otherValue: megabytesPerSecond(bytes.length, parse),
    },
  ];
}
