// Readers of bytes: compressed streams, layers, package databases, documents.
import { gzipSync } from 'node:zlib';
import { diveScore } from '../../src/analysis/dive.js';
import { CodecError, type Decoder, type Sink } from '../../src/codec/codec.js';
import { openInflateRaw } from '../../src/codec/inflate.js';
import { codecFor, loadCodecs } from '../../src/codec/registry.js';
import { squash } from '../../src/filesystem/file-tree.js';
import { berkeleyHashValues } from '../../src/packages/berkeley-hash.js';
import type { DatabaseReading } from '../../src/packages/package.js';
import { ndbRecords, rpmPackages } from '../../src/packages/rpm.js';
import { sqliteBlobs } from '../../src/packages/sqlite.js';
import { apkPackages, distrolessPackages, dpkgPackages } from '../../src/packages/text-databases.js';
import { readDocument } from '../../src/scan/blob/document.js';
import { entriesOf } from '../../src/scan/entries/table.js';
import { parseConfig } from '../../src/spec/config.js';
import { parseDockerManifest } from '../../src/spec/docker-archive.js';
import { parseIndex, parseManifest } from '../../src/spec/manifest.js';
import { eachPaxRecord, paxSparse, paxTime, readPax } from '../../src/tar/pax.js';
import { recordedDatabase } from '../packages/recorded.js';
import { layerEntries, layerTar } from '../property/entries.js';
import { packedOnce } from '../property/images.js';
import { assertSame } from '../property/same.js';
import { type Compression, canCompress } from '../support/compression.js';
import { layerFacts } from '../support/layer-facts.js';
import { Random } from './random.js';
import { bytesOf, must, soon, type Target } from './target.js';

await loadCodecs();

interface Unpacked {
  readonly bytes: Buffer;
  readonly error: CodecError | null;
}

/** Output beyond this is not read: limits on it are tested with the analyser. */
const ENOUGH = 4 << 20;
class Enough extends Error {}

function unpack(open: (sink: Sink) => Decoder, pieces: Iterable<Uint8Array>): Unpacked {
  const out: Buffer[] = [];
  let size = 0;
  const decoder = open(chunk => {
    out.push(Buffer.from(chunk));
    size += chunk.length;
    if (size > ENOUGH) throw new Enough();
  });
  let error: CodecError | null = null;
  try {
    for (const piece of pieces) decoder.write(piece);
    decoder.end();
  } catch (thrown) {
    if (thrown instanceof CodecError) error = thrown;
    else if (!(thrown instanceof Enough)) throw thrown;
  } finally {
    decoder.close();
  }
  return { bytes: Buffer.concat(out).subarray(0, ENOUGH), error };
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  const random = new Random(bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.slice(at, at + random.size(5000));
    at += piece.length;
    yield piece;
  }
}

const TEXT = bytesOf('the quick brown fox jumps over the lazy dog\n'.repeat(40));

function codecTarget(
  name: Exclude<Compression, 'none'> | 'deflate',
  seeds: Target['seeds'],
  tokens: readonly string[],
): Target {
  const open = name === 'deflate' ? openInflateRaw : codecFor(name).open;
  return {
    name: `codec-${name}`,
    seeds,
    tokens,
    pace: 400,
    check: input => {
      const whole = unpack(open, [input]);
      const pieces = unpack(open, cut(input));
      must(
        whole.error?.message === pieces.error?.message,
        `in whole ${whole.error}, in pieces ${pieces.error}`,
      );
      must(
        whole.bytes.equals(pieces.bytes),
        `in whole ${whole.bytes.length} bytes, in pieces ${pieces.bytes.length}`,
      );
      return whole.error?.reason.slice(0, 30) ?? 'sound';
    },
  };
}

/** Seeds by every available compressor; gzip always is. */
const packedSeeds = (how: Exclude<Compression, 'none'>) => () =>
  canCompress(how)
    ? [TEXT, new Uint8Array(5000), TEXT.subarray(0, 1)].map(bytes => packedOnce(bytes, how))
    : [gzipSync(TEXT)];

const layers = (): Uint8Array[] => [...Array(30).keys()].map(seed => layerTar(sampled(seed)));

const { default: fc } = await import('fast-check');
const sampled = (seed: number) => fc.sample(layerEntries, { seed, numRuns: 1 })[0]!;

const databaseTarget = (
  name: string,
  seeds: Target['seeds'],
  tokens: readonly string[],
  read: (
    bytes: Uint8Array,
  ) => DatabaseReading | { readonly values: readonly Uint8Array[]; readonly problems: readonly string[] },
): Target => ({
  name,
  seeds,
  tokens,
  pace: 300,
  check: input => {
    const reading = soon(name, () => read(input));
    const found = 'packages' in reading ? reading.packages : reading.values;
    for (const value of found) {
      if (value instanceof Uint8Array) continue;
      must(value.name !== '' && value.version !== '', 'a package without a name or version');
      for (const path of value.files ?? []) must(path !== '' && !path.startsWith('/'), `the path ${path}`);
    }
    return `${found.length} ${reading.problems.join()}`;
  },
});

const APK =
  'C:Q1x=\nP:musl\nV:1.1.22-r3\nA:x86_64\nF:lib\nR:ld-musl.so.1\na:0:0:755\nF:usr/lib\n\nP:busybox\nV:1\nF:bin\nR:busybox\n\n';
const DPKG =
  'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.0-4\nDescription: x\n more\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n';

export const binaryTargets: readonly Target[] = [
  codecTarget('gzip', packedSeeds('gzip'), ['\x1f\x8b\x08', '\x08', '\x04', '\x10', '\x02']),
  codecTarget('deflate', () => [gzipSync(TEXT).subarray(10)], ['\x00\x00\xff\xff', '\x03\x00']),
  codecTarget('zstd', packedSeeds('zstd'), ['\x28\xb5\x2f\xfd', '\x50\x2a\x4d\x18', '\xff\xff']),
  codecTarget('xz', packedSeeds('xz'), ['\xfd7zXZ\0', 'YZ', '\x21\x01', '\x01', '\xe0', '\0\0']),
  codecTarget('bzip2', packedSeeds('bzip2'), ['BZh9', '1AY&SY', '\x17\x72\x45\x38\x50\x90']),
  {
    name: 'layer',
    seeds: layers,
    tokens: [
      'ustar\0',
      'ustar  \0',
      '././@LongLink',
      'L',
      'K',
      'x',
      'g',
      'S',
      '17777777777',
      '\x80',
      '\xff',
      ' path=',
      '.wh.',
      '\n',
    ],
    pace: 150,
    check: input => {
      const contents = { digests: true, keep: ['**'] };
      const whole = layerFacts(input, { contents });
      assertSame(
        layerFacts(input, { contents, piece: 1 + (input.length % 700) }),
        whole,
        'in whole and in pieces',
      );
      const { table, error, entries } = whole.tar ?? { table: null, error: null, entries: 0 };
      if (table === null) return 'no tar';
      must([...entriesOf(table)].length === table.count, 'entries were lost');
      squash([table, null, table]);
      diveScore([table, table]);
      return `${entries} ${error?.replace(/\d+/g, 'n').slice(0, 40)}`;
    },
  },
  {
    name: 'pax',
    seeds: () =>
      [
        '30 mtime=1350244992.023960108\n',
        '11 path=é\n',
        '22 GNU.sparse.major=1\n27 GNU.sparse.map=0,1,2,3\n',
      ].map(bytesOf),
    tokens: ['=', '\n', ' ', '10 ', 'path', 'GNU.sparse.', 'size=', '-', '99999999'],
    pace: 5000,
    check: input => {
      let count = 0;
      const problem = soon('pax', () => eachPaxRecord(input, () => count++));
      const records = readPax(input);
      must(records.size <= count + 1, 'records from nowhere');
      for (const value of records.values()) {
        const nanos = paxTime(value)?.nanos ?? 0;
        must(nanos >= 0 && nanos < 1e9, `nanoseconds ${nanos}`);
      }
      return `${problem?.replace(/\d+/g, '')} ${paxSparse(records) !== null}`;
    },
  },
  {
    name: 'document',
    seeds: () =>
      [
        '{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:1","size":1,"platform":{"os":"linux"},"annotations":{"a":"b"}}]}',
        '{"schemaVersion":2,"config":{"digest":"x","size":-1},"layers":[{"urls":["a"],"data":"AAAA"}],"subject":{}}',
        '{"architecture":"amd64","os":"linux","config":{"Env":["A=b"],"Cmd":null,"Labels":{"a":"b"}},"rootfs":{"type":"layers","diff_ids":["sha256:1"]},"history":[{"created":"2023-11-14T22:13:20Z","empty_layer":true}]}',
        '[{"Config":"a.json","RepoTags":["a:1"],"Layers":["a/layer.tar"],"LayerSources":{"sha256:1":{"size":1}}}]',
      ].map(bytesOf),
    tokens: [
      'null',
      'true',
      '-1',
      '1e400',
      '9007199254740993',
      '"__proto__":',
      '[]',
      '{}',
      '""',
      '\\ud800',
      '"digest":',
      ',',
      '[[[[',
    ],
    pace: 1500,
    check: input => {
      const { value, error } = soon('document', () => readDocument('x.json', input));
      if (value === undefined) return error?.kind ?? 'nothing';
      const problems = [
        parseIndex(value),
        parseManifest(value),
        parseConfig(value),
        parseDockerManifest(value),
      ];
      return problems.map(parsed => (parsed === null ? '-' : '+')).join('');
    },
  },
  databaseTarget(
    'apk',
    () => [bytesOf(APK)],
    ['\nP:', '\nV:', '\nF:', '\nR:', '\n\n', '/', '\r'],
    apkPackages,
  ),
  databaseTarget(
    'dpkg',
    () => [bytesOf(DPKG)],
    ['\nPackage: ', '\nVersion: ', '\nStatus: ', ' installed', '\n\n', '\n '],
    status => {
      const list = status.subarray(0, 300);
      const [one, two] = [
        dpkgPackages(status, name => (name.endsWith('.list') ? list : null)),
        distrolessPackages(status, list),
      ];
      return { packages: [...one.packages, ...two.packages], problems: [...one.problems, ...two.problems] };
    },
  ),
  databaseTarget(
    'rpm-sqlite',
    () => [recordedDatabase('rpmdb.sqlite')],
    [],
    bytes => rpmPackages(bytes, 'rpmdb.sqlite', null),
  ),
  databaseTarget(
    'rpm-wal',
    () => [recordedDatabase('rpmdb.sqlite-wal')],
    [],
    wal => rpmPackages(recordedDatabase('rpmdb.sqlite'), 'rpmdb.sqlite', wal),
  ),
  databaseTarget(
    'rpm-ndb',
    () => [recordedDatabase('Packages.db')],
    ['Slot', 'BlbS', 'BlbE', 'RpmP'],
    bytes => rpmPackages(bytes, 'Packages.db', null),
  ),
  databaseTarget(
    'rpm-berkeley',
    () => ['Packages', 'Packages-big-endian'].map(recordedDatabase),
    ['\x61\x15\x06\0', '\0\x06\x15\x61'],
    bytes => rpmPackages(bytes, 'Packages', null),
  ),
  databaseTarget(
    'records',
    () => [recordedDatabase('Packages.db').slice(0, 8192)],
    ['SQLite format 3\0', 'RpmP'],
    bytes => {
      const all = [
        sqliteBlobs(bytes, bytes, 'Packages'),
        ndbRecords(bytes),
        berkeleyHashValues(bytes, () => false),
      ];
      return {
        values: all.flatMap(({ values }) => values),
        problems: all.flatMap(({ problems }) => problems),
      };
    },
  ),
];
