// Small input that unpacks to very much, or costs much work for its size.
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import type { FindingCode } from '../../src/commands.js';
import * as layouts from '../support/layouts.js';
import { isFile, type Member } from '../support/members.js';
import { toTar } from '../support/pack.js';
import { type Attack, type Chapter, refused, verified } from './attack.js';
import {
  deflatedZeros,
  item,
  MiB,
  oci,
  outerBomb,
  repeated,
  withLayer,
  ZIP_QUINE,
  type ZipEntry,
  zeros,
  zipOf,
  zstdStored,
} from './material.js';

type Packed = 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** A low limit, so that bombs are stopped soon. The memory with default limits is measured elsewhere. */
const SOON = { limits: { unpackedFree: 8 * MiB } };
const STOPPED =
  'Unpacked up to the limit `unpackedRatio`. Its digest and size are still verified, and so are the other layers.';

const inLayer = (compression: Packed): Attack =>
  verified(
    `A ${compression} bomb as a layer`,
    STOPPED,
    () => withLayer(zeros[compression](64 * MiB), compression),
    {
      findings: ['limit-reached'],
      exit: 1,
      verdicts: { intact: null },
      options: SOON,
      more({ report }) {
        const [good, bad] = report.images[0]!.layers;
        assert.is(good!.diffId, item.diffIds[0]);
        assert.is(bad!.diffId, null);
      },
    },
  );

const around = (compression: 'gzip' | 'zstd', pack: (bytes: Uint8Array) => Uint8Array): Attack =>
  verified(
    `A ${compression} bomb around the archive`,
    'Unpacked up to the limit. Everything before it is reported.',
    () => outerBomb(96 * MiB, pack, compression),
    { findings: ['limit-reached'], exit: 1, options: SOON },
  );

const flood = (
  what: string,
  piece: Uint8Array,
  count: number,
  compression: Packed,
  ...more: readonly FindingCode[]
): Attack =>
  verified(
    what,
    'Skipped, in constant memory.',
    () => withLayer(Buffer.concat([repeated(piece, count), zeros[compression](1024)]), compression),
    {
      findings: ['diff-id-mismatch', ...more],
      exit: 1,
      more: ({ report }) =>
        assert.ok(report.images[0]!.layers[1]!.unpackedSize! >= 1024, 'what follows them is read'),
    },
  );

/** A zip of members, some of them deflated. */
function zipped(members: readonly Member[], deflated: readonly ZipEntry[]): Buffer {
  const stored = members
    .filter(isFile)
    .map(({ path, bytes }) => ({ name: path, body: bytes, size: bytes.length, crc: crc32(bytes) }));
  return zipOf([...stored, ...deflated]);
}

/** A layout of two images, one of whose manifests is a bomb. */
async function documentBomb(bytes: number): Promise<{ members: layouts.Member[]; path: string }> {
  const two = layouts.skopeoOci([{ image: item, tags: ['app:1'] }]);
  const path = layouts.blobPath(`sha256:${'1'.repeat(64)}`);
  const members = layouts.replaceBytes(two, 'index.json', index => {
    const document = JSON.parse(Buffer.from(index).toString());
    const entry = { mediaType: layouts.MEDIA.manifest, digest: `sha256:${'1'.repeat(64)}`, size: bytes };
    return JSON.stringify({ ...document, manifests: [...document.manifests, entry] });
  });
  return { members, path };
}

function documentOf(bytes: number): Buffer {
  const document = Buffer.alloc(bytes, ' ');
  document.write('{}');
  return document;
}

const ONE_DOCUMENT = 'The document is not read; the images beside it are.';

export const bombs: Chapter = {
  title: 'Bombs',
  attacks: [
    inLayer('gzip'),
    inLayer('zstd'),
    inLayer('xz'),
    inLayer('bzip2'),
    around('gzip', bytes => gzipSync(bytes)),
    around('zstd', zstdStored),
    verified(
      'A bomb as a layer of an archive that is compressed itself',
      STOPPED,
      async () => gzipSync(await toTar(await withLayer(zeros.gzip(64 * MiB)))),
      { findings: ['limit-reached'], exit: 1, options: SOON },
    ),
    refused(
      'gzip in gzip in gzip, with a bomb inside',
      'Only one compression around an archive is unpacked.',
      () => gzipSync(gzipSync(zeros.gzip(64 * MiB))),
      /gzip data with no tar in it, but gzip data/,
    ),
    refused(
      'A zip that contains itself, recursively',
      'Archives in a zip are read only if they are image tarballs.',
      () => ZIP_QUINE,
      /a zip with neither an image layout nor an image tarball/,
    ),
    verified(
      'A deflate bomb in a zip, as a layer',
      STOPPED,
      () => {
        const blob = {
          name: `blobs/sha256/${'2'.repeat(64)}`,
          body: deflatedZeros(64 * MiB),
          deflated: true,
        };
        return zipped(oci, [{ ...blob, size: 64 * MiB }]);
      },
      { findings: ['limit-reached'], exit: 1, options: SOON, seekableOnly: true },
    ),
    verified(
      'Zip entries that share their bytes, so that 1 MB unpacks to 10 GB',
      'Each byte of a zip is unpacked for at most one entry.',
      () => {
        const body = deflatedZeros(4 * MiB);
        const crc = crc32(Buffer.alloc(4 * MiB));
        const entries = Array.from({ length: 50 }, (_, i): ZipEntry => {
          const shared = i === 0 ? {} : { as: oci.filter(isFile).length };
          return { name: `files/${i}`, body, crc, deflated: true, size: 4 * MiB, ...shared };
        });
        return zipped(oci, entries);
      },
      {
        findings: ['zip-entries-overlap', 'member-ambiguous'],
        exit: 1,
        seekableOnly: true,
        formats: 'no-pages',
      },
    ),
    verified(
      'A document of 64 MiB in an archive of some kilobytes',
      ONE_DOCUMENT,
      async () => {
        const { members, path } = await documentBomb(64 * MiB);
        return gzipSync(await toTar([...members, layouts.file(path, documentOf(64 * MiB))]), {
          level: 1,
        });
      },
      { findings: ['limit-reached', 'digest-mismatch'], exit: 1 },
    ),
    verified(
      'The same, deflated in a zip with a wrong size',
      ONE_DOCUMENT,
      async () => {
        const { members, path } = await documentBomb(1000);
        const body = deflateRawSync(documentOf(64 * MiB));
        return zipped(members, [{ name: path, body, size: 1000, deflated: true }]);
      },
      {
        findings: ['zip-content-mismatch', 'limit-reached', 'digest-mismatch', 'size-mismatch'],
        exit: 1,
        seekableOnly: true,
      },
    ),
    flood('Fifty thousand empty gzip members', gzipSync(''), 50_000, 'gzip'),
    flood(
      'Two hundred thousand skippable zstd frames',
      Buffer.from('502a4d1800000000', 'hex'),
      200_000,
      'zstd',
      'layer-stream-ambiguous',
    ),
    flood(
      'A hundred thousand empty bzip2 streams',
      Buffer.from('QlpoORdyRThQkAAAAAA=', 'base64'),
      100_000,
      'bzip2',
    ),
  ],
};
