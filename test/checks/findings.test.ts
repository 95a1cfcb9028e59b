// Every finding, caused by an archive with one fault. A code without a case here fails the last test.
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, renameSync, truncateSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rules } from '../../src/checks/findings.js';
import type { FailureCode } from '../../src/checks/signatures.js';
import { failedResult } from '../../src/commands/many/index.js';
import { judgementOf, readSignatures, requirementOf } from '../../src/commands/signatures/requirement.js';
import type { VerifyReport } from '../../src/commands/verify.js';
import {
  type Finding,
  type FindingCode,
  type FindingData,
  type ReadOptions,
  readArchive,
  type Severity,
  verify,
} from '../../src/commands.js';
import { InputError } from '../../src/errors.js';
import type { ReportedFinding } from '../../src/report/doc.js';
import { Audit } from '../../src/report/reported.js';
import { refused, undecided, type Verification, verified } from '../../src/signatures/verify/verification.js';
import { zipOf as zipOfEntries, zstdStored } from '../attacks/material.js';
import { canCompress } from '../support/compression.js';
import { bytesOf, digestOf, encodedOf, goJson, textOf } from '../support/digest.js';
import { unpacked } from '../support/docker-layouts.js';
import { assemble, type Image, image, type LayerSpec, layerOf, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import {
  type Asked,
  lockOfMembers,
  type Verified,
  verified as verifiedByLock,
  verifiedMembers,
} from '../support/locks.js';
import { compress, toDirectory, toTar, toZip } from '../support/pack.js';
import { type Reading, readInput, readMembers, saved, streamOf } from '../support/reading.js';
import { cosign2, newSigner, signedSave, tagFor, withKind, withTag } from '../support/signed.js';
import { tarBytes } from '../support/tar.js';
import { gnuLong, paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';

type Members = readonly layouts.Member[];
// biome-ignore lint/suspicious/noExplicitAny: documents are taken apart here, whatever they are
type Json = any;

interface Expected<C extends FindingCode> {
  readonly severity: Severity;
  readonly path?: string;
  readonly pointer?: string | null;
  readonly data: Partial<FindingData[C]>;
}

const covered = new Set<string>();

/** Expects exactly one finding of this code (or the first that matches), and its data. */
function provoke<C extends FindingCode>(
  code: C,
  name: string,
  read: () => Members | Promise<Members | Reading>,
  expected: Expected<C>,
): void {
  covered.add(code);
  test(`${code}: ${name}`, async () => {
    const made = await read();
    const { report, exitCode } = 'report' in made ? made : await readMembers(made);
    const found = report.findings.filter(finding => finding.code === code);
    assert.ok(
      found.length > 0,
      `found only ${report.findings.map(f => `${f.code} (${f.message})`).join(', ')}`,
    );
    const told = found.map(finding => shapeOf(finding, expected));
    const wanted = {
      severity: expected.severity,
      path: expected.path ?? null,
      pointer: expected.pointer === undefined ? null : (expected.pointer ?? '(none)'),
      data: expected.data,
    };
    const match = told.find(shape => JSON.stringify(shape) === JSON.stringify(wanted)) ?? told[0];
    assert.equal(match, wanted);
    if (expected.severity === 'error') assert.is(exitCode, 1, 'exit code');
    for (const { message } of found) assert.not.match(message, /undefined|NaN|\[object/);
  });
}

/** The fields that the expectation names, without others. */
function shapeOf({ severity, at, data }: Finding, { path, pointer, data: wanted }: Expected<FindingCode>) {
  const entries = data as Readonly<Record<string, unknown>>;
  return {
    severity,
    path: path === undefined ? null : at.path,
    pointer: pointer === undefined ? null : (at.pointer ?? '(none)'),
    data: Object.fromEntries(Object.keys(wanted).map(key => [key, entries[key]])),
  };
}

const item = await plainImage('item', 2, 'gzip');
const other = await plainImage('other', 2, 'gzip');
/** An index of `item` and of an image that is marked as its variant. */
const twoVariants = (variant: typeof item) =>
  layouts.ociLayout({
    manifests: [
      layouts.indexOf([
        layouts.platformManifest(item),
        layouts.described(layouts.platformManifest(variant), { annotations: ZSTD }),
      ]),
    ],
  });
const ZSTD = { 'io.github.containers.compression.zstd': 'true' };
const TAGGED = { image: item, tags: ['app:1'] };
const [lower, upper] = item.layers.map(({ digest }) => layouts.blobPath(digest)) as [string, string];
const config = layouts.blobPath(item.imageId);
const manifest = layouts.manifestOf(item);
const manifestPath = layouts.blobPath(manifest.descriptor.digest);
const oci = layouts.skopeoOci(TAGGED);
const save = layouts.dockerSave(TAGGED);
const FAKE = `sha256:${'0'.repeat(64)}`;
const fakeOf = (digit: string) => `sha256:${digit.repeat(64)}`;

/** Changes a JSON document among the members, without updating its digest. */
function edit(members: Members, path: string, change: (document: Json) => unknown): layouts.Member[] {
  return layouts.replaceBytes(members, path, bytes => {
    const document = JSON.parse(textOf(bytes));
    return JSON.stringify(change(document) ?? document);
  });
}

/** A layout of one image whose manifest is changed, with matching digests. */
function withManifest(change: (document: Json) => void, from: layouts.Content = manifest): layouts.Member[] {
  const [own, ...rest] = from.blobs as [layouts.Blob, ...layouts.Blob[]];
  const document = JSON.parse(textOf(own.bytes));
  change(document);
  const made = layouts.blobOf(from.descriptor.mediaType, goJson(document));
  return layouts.ociLayout({ manifests: [{ ...made, blobs: [...made.blobs, ...rest] }] });
}

/** A layout of one image whose config is changed, with matching digests. */
function withConfig(change: (document: Json) => void, from: Image = item): layouts.Member[] {
  const document = structuredClone(from.config);
  change(document);
  const configBytes = new TextEncoder().encode(goJson(document));
  const changed = { ...from, configBytes, imageId: digestOf(configBytes) };
  return layouts.ociLayout({ manifests: [layouts.manifestOf(changed)] });
}

const withIndex = (change: (document: Json) => unknown) => edit(oci, 'index.json', change);

async function withLayer(spec: LayerSpec): Promise<layouts.Member[]> {
  return layouts.skopeoOci({ image: await image({ layers: [spec] }), tags: ['app:1'] });
}

/** An image whose one layer is stored as given, with a matching digest. */
async function storedAs(blob: Uint8Array, mediaType?: string): Promise<layouts.Member[]> {
  const tar = item.layers[0]!.tar;
  const base = await image({ layers: [{ tar }] });
  const layer = layerOf(tar, blob, 'gzip', [], mediaType === undefined ? {} : { mediaType });
  return layouts.skopeoOci({ image: assemble(base.configBytes, [layer]), tags: ['app:1'] });
}

const readTarOf = async (members: Members, change: (tar: Uint8Array) => Uint8Array, options?: ReadOptions) =>
  readInput(saved(change(await toTar(members))), options);

const changed = (bytes: Uint8Array, at: number, to: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = to;
  return copy;
};

// The container

const padded = [
  layouts.file('oci-layout', layouts.memberBytes(oci, 'oci-layout')),
  ...layouts.without(oci, 'oci-layout'),
];
const padding = 512 + layouts.memberBytes(oci, 'oci-layout').length;

const layerInSave = save.find(({ path }) => path.endsWith('layer.tar'))!.path;

const firstLayer = item.layers[0]!.tar;
const layerPath = save.find(m => layouts.isFile(m) && Buffer.from(m.bytes).equals(firstLayer))!.path;
provoke(
  'tar-truncated',
  'in a layer',
  () => readTarOf(save, tar => tar.subarray(0, Buffer.from(tar).indexOf(firstLayer) + 700)),
  { severity: 'error', path: layerPath, data: { expected: firstLayer.length, actual: 700 } },
);
provoke('tar-truncated', 'in a header', () => readTarOf(padded, tar => tar.subarray(0, 1024 + 188)), {
  severity: 'error',
  path: '',
  data: { expected: 512, actual: 188 },
});
provoke('tar-header-invalid', 'a changed name', () => readTarOf(padded, tar => changed(tar, 1024, 0x21)), {
  severity: 'error',
  data: { offset: 1024, reason: 'the checksum does not match' },
});
provoke('end-marker-missing', 'none', async () => readMembers(save, {}, { endMarker: false }), {
  severity: 'warning',
  data: { zeroBlocks: 0, offset: (await toTar(save, { endMarker: false })).length },
});
provoke('end-marker-missing', 'only half of it', () => readTarOf(save, tar => tar.subarray(0, -512)), {
  severity: 'warning',
  data: { zeroBlocks: 1 },
});
provoke(
  'trailing-bytes',
  'another archive after the first',
  async () => readMembers(save, {}, { trailing: await toTar(oci) }),
  { severity: 'warning', data: { offset: (await toTar(save)).length } },
);
provoke(
  'padding-not-zero',
  'after oci-layout',
  () => readTarOf(padded, tar => changed(tar, padding + 9, 1)),
  {
    severity: 'warning',
    path: 'oci-layout',
    data: { offset: padding + 9 },
  },
);
provoke(
  'outer-compression-invalid',
  'cut short',
  async () => readInput(saved(compress(await toTar(save), 'gzip').subarray(0, -20))),
  { severity: 'error', data: { codec: 'gzip', cut: true } },
);
provoke(
  'outer-compression-invalid',
  'a wrong checksum',
  async () => {
    const packed = compress(await toTar(save), 'gzip');
    return readInput(streamOf(changed(packed, packed.length - 7, packed.at(-7)! ^ 1)));
  },
  { severity: 'error', data: { codec: 'gzip', cut: false, readable: (await toTar(save)).length } },
);
provoke(
  'outer-trailing-bytes',
  'after gzip',
  async () => readInput(saved(Buffer.concat([compress(await toTar(save), 'gzip'), Buffer.from('junk')]))),
  { severity: 'warning', data: { codec: 'gzip', bytes: 4 } },
);

const zip = toZip(oci, { deflate: true });
const central = Buffer.from(zip).indexOf('PK\x01\x02', 0, 'latin1');

/** Changes one 16-bit field of a member's entry in the central directory. */
function patched(path: string, field: number, value: number): Uint8Array {
  const copy = Buffer.from(zip);
  copy.writeUInt16LE(value, copy.indexOf(path, central, 'latin1') - 46 + field);
  return copy;
}

provoke(
  'zip-entry-unreadable',
  'another method',
  async () => readInput(saved(patched(lower, 10, 12), 'method.zip')),
  {
    severity: 'error',
    path: lower,
    data: { reason: 'compression method 12 is neither stored (0) nor deflated (8)' },
  },
);
provoke(
  'zip-entry-unreadable',
  'encrypted',
  async () => readInput(saved(patched(lower, 8, 0x801), 'secret.zip')),
  {
    severity: 'error',
    path: lower,
    data: { reason: 'the entry is encrypted' },
  },
);
provoke(
  'unreadable',
  'a zip entry that does not inflate',
  async () => {
    const start = Buffer.from(zip).indexOf(lower) + lower.length;
    // A block of the reserved type 3 (RFC 1951, 3.2.3).
    return readInput(saved(changed(zip, start, 0x07), 'damaged.zip'));
  },
  { severity: 'error', path: lower, data: {} },
);

/** An archive that changes while its first bytes are read. */
async function meanwhile(happens: (file: string) => void): Promise<Reading> {
  const file = saved(await toTar(layouts.dockerSave25({ image: item, tags: ['app:1'] })), 'changing.tar');
  let isOver = false;
  const onProgress = () => {
    if (!isOver) happens(file);
    isOver = true;
  };
  return readInput(file, { onProgress });
}

const TIMES = /^modified \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;

provoke('file-changed', 'grown', () => meanwhile(file => appendFileSync(file, 'more')), {
  severity: 'error',
  data: {},
});
provoke(
  'file-changed',
  'another one in its place',
  () =>
    meanwhile(file => {
      copyFileSync(file, `${file}.new`);
      renameSync(`${file}.new`, file);
    }),
  { severity: 'error', data: {} },
);
for (const happens of [truncateSync, unlinkSync]) {
  provoke(
    'file-changed',
    `a file of a folder, ${happens.name}`,
    async () => {
      const members = layouts.skopeoOci({ image: item, tags: ['app:1'] });
      const folder = toDirectory(members, join(temporary('changing'), 'layout'));
      let isOver = false;
      const onProgress = () => {
        if (!isOver) happens(join(folder, 'oci-layout'));
        isOver = true;
      };
      return readInput(folder, { onProgress });
    },
    {
      severity: 'error',
      path: 'oci-layout',
      data: happens === unlinkSync ? { actual: 'no such file or directory' } : {},
    },
  );
}
test('file-changed: the message says what changed, and that results are unreliable', async () => {
  const { report } = await meanwhile(file => utimesSync(file, 1e9, 1e9));
  const [found] = report.findings.filter(({ code }) => code === 'file-changed');
  const { expected, actual } = found!.data as FindingData['file-changed'];
  assert.match(expected, TIMES);
  assert.is(actual, 'modified 2001-09-09T01:46:40.000000000Z');
  assert.is(report.verdicts.intact, false);
  const untouched = await meanwhile(() => {});
  assert.is(untouched.report.verdicts.intact, true);
});

provoke(
  'zip-content-mismatch',
  'another checksum in both headers',
  async () => {
    const copy = Buffer.from(zip);
    const name = copy.indexOf(lower, central, 'latin1');
    for (const at of [copy.indexOf(lower) - 30 + 14, name - 46 + 16]) copy.writeUInt32LE(1, at);
    return readInput(saved(copy, 'checksum.zip'));
  },
  { severity: 'error', path: lower, data: { field: 'CRC-32', expected: '00000001' } },
);
provoke(
  'zip-content-mismatch',
  'another size in both headers',
  async () => {
    const copy = Buffer.from(zip);
    const name = copy.indexOf(lower, central, 'latin1');
    for (const at of [copy.indexOf(lower) - 30 + 22, name - 46 + 24]) copy.writeUInt32LE(7, at);
    return readInput(saved(copy, 'size.zip'));
  },
  {
    severity: 'error',
    path: lower,
    data: { field: 'size', expected: '7', actual: String(item.layers[0]!.blob.length) },
  },
);
provoke(
  'zip-content-mismatch',
  'of an image tarball in a zip',
  async () => {
    const inner = toZip([layouts.file('image.tar', await toTar(save))], { deflate: true });
    const copy = Buffer.from(inner);
    const name = copy.indexOf('image.tar', copy.indexOf('PK\x01\x02', 0, 'latin1'));
    for (const at of [14, name - 46 + 16]) copy.writeUInt32LE(1, at);
    return readInput(saved(copy, 'inner.zip'));
  },
  { severity: 'error', path: 'image.tar!/', data: { field: 'CRC-32', expected: '00000001' } },
);
const [first, second] = [lower, upper].sort(
  (a, b) => Buffer.from(zip).indexOf(a) - Buffer.from(zip).indexOf(b),
) as [string, string];
provoke(
  'zip-entries-overlap',
  'one content under two names',
  async () => {
    const copy = Buffer.from(zip);
    const [a, b] = [first, second].map(path => copy.indexOf(path, central, 'latin1') - 46) as [
      number,
      number,
    ];
    copy.copyWithin(b + 42, a + 42, a + 46);
    return readInput(saved(copy, 'overlap.zip'));
  },
  { severity: 'error', path: second, data: { other: first } },
);
provoke(
  'zip-unlisted-bytes',
  'an entry taken out of the directory',
  async () => {
    const extra = toZip([...oci, layouts.file('secret', 'x'.repeat(100))]);
    const copy = Buffer.from(extra);
    const entry = copy.lastIndexOf('PK\x01\x02', undefined, 'latin1');
    const end = copy.lastIndexOf('PK\x05\x06', undefined, 'latin1');
    for (const at of [end + 8, end + 10]) copy.writeUInt16LE(copy.readUInt16LE(at) - 1, at);
    copy.writeUInt32LE(copy.readUInt32LE(end + 12) - (end - entry), end + 12);
    return readInput(saved(Buffer.concat([copy.subarray(0, entry), copy.subarray(end)]), 'hidden.zip'));
  },
  { severity: 'warning', path: '', data: { bytes: 30 + 'secret'.length + 100 } },
);
provoke(
  'member-ambiguous',
  'a zip entry of two names',
  async () => readInput(saved(changed(zip, Buffer.from(zip).indexOf(lower), 0x58), 'names.zip')),
  { severity: 'error', path: lower, data: { field: 'name', readings: [lower, `X${lower.slice(1)}`] } },
);
for (const [what, entry, severity, field, readings] of [
  [
    'two sizes',
    [paxEntry([['size', '3']]), rawEntry({ name: 'odd', size: 600 }, 'abc')],
    'error',
    'size',
    ['3', '600'],
  ],
  [
    'two names',
    [gnuLong('L', 'odd'), paxEntry([['path', 'other']]), rawEntry({ name: 'x' }, 'abc')],
    'error',
    'name',
    ['odd', 'other'],
  ],
  [
    'an unknown type',
    [rawEntry({ name: 'odd', flag: 'Q' }, 'abc')],
    'warning',
    'type',
    ['nothing', 'a file (type "Q")'],
  ],
] as const)
  provoke('member-ambiguous', what, () => readTarOf(save, tar => Buffer.concat([...entry, tar])), {
    severity,
    path: 'odd',
    data: { field, readings: [...readings] },
  });
provoke(
  'member-sparse',
  'by GNU tar',
  () =>
    readTarOf(save, tar => Buffer.concat([rawEntry({ name: 'odd', flag: 'S', format: 'gnu' }, 'abc'), tar])),
  { severity: 'error', path: 'odd', data: {} },
);
provoke(
  'tar-record-invalid',
  'a record longer than its header',
  () =>
    readTarOf(save, tar =>
      Buffer.concat([rawEntry({ name: 'x', flag: 'x' }, '99 path=b\n'), rawEntry({ name: 'odd' }), tar]),
    ),
  { severity: 'error', data: { offset: 0, reason: 'the record at byte 0 claims 99 bytes, but 10 are left' } },
);

const limited =
  (limits: ReadOptions['limits'], members: Members = oci) =>
  () =>
    readMembers(members, { limits: limits! });

provoke('limit-reached', 'documentBytes', limited({ documentBytes: 300 }), {
  severity: 'error',
  path: manifestPath,
  data: { limit: 'documentBytes', value: 300 },
});
provoke(
  'limit-reached',
  'keptDocumentBytes, of a stream',
  async () => readInput(streamOf(await toTar(padded)), { limits: { keptDocumentBytes: 600 } }),
  { severity: 'error', path: 'index.json', data: { limit: 'keptDocumentBytes', value: 600 } },
);
provoke('limit-reached', 'members', limited({ members: 2 }, padded), {
  severity: 'error',
  path: '',
  data: { limit: 'members', value: 2 },
});
provoke(
  'limit-reached',
  'tarMetadataBytes',
  limited({ tarMetadataBytes: 100 }, [...oci, layouts.file('x'.repeat(300), '')]),
  { severity: 'error', path: '', data: { limit: 'tarMetadataBytes', value: 100 } },
);
provoke('limit-reached', 'manifests', limited({ manifests: 1 }, layouts.skopeoOci([item, other])), {
  severity: 'error',
  path: 'index.json',
  pointer: '/manifests/1',
  data: { limit: 'manifests', value: 1 },
});

const deep = (levels: number): layouts.Content =>
  Array.from({ length: levels }).reduce<layouts.Content>(inner => layouts.indexOf([inner]), manifest);

provoke(
  'limit-reached',
  'indexDepth',
  limited({ indexDepth: 3 }, layouts.ociLayout({ manifests: [deep(3)] })),
  { severity: 'error', pointer: '/manifests/0', data: { limit: 'indexDepth', value: 3 } },
);
provoke(
  'limit-reached',
  'unpackedRatio',
  async () =>
    readMembers(await withLayer({ files: { zeros: new Uint8Array(5_000_000) }, compression: 'gzip' }), {
      limits: { unpackedFree: 1000, unpackedRatio: 50 },
    }),
  { severity: 'error', data: { limit: 'unpackedRatio', value: 50 } },
);

provoke(
  'duplicate-entry',
  'manifest.json twice',
  () => [...save, save.find(m => m.path === 'manifest.json')!],
  {
    severity: 'warning',
    path: 'manifest.json',
    data: { count: 2, differ: false },
  },
);
provoke(
  'duplicate-entry',
  'manifest.json of another image',
  () => [
    layouts.dockerSave({ image: other, tags: ['app:1'] }).find(m => m.path === 'manifest.json')!,
    ...save,
  ],
  { severity: 'error', path: 'manifest.json', data: { count: 2, differ: true } },
);
provoke(
  'duplicate-entry',
  'a link in place of a file',
  () => [...save, { path: 'manifest.json', link: 'repositories' }],
  {
    severity: 'error',
    path: 'manifest.json',
    data: { count: 2, differ: true },
  },
);
provoke(
  'duplicate-entry',
  'not read',
  () => readMembers([...save, save.find(m => m.path === 'manifest.json')!], { depth: 'metadata' }),
  { severity: 'warning', path: 'manifest.json', data: { count: 2, differ: null } },
);
provoke(
  'special-file',
  'a named pipe in a tar',
  async () => {
    const tar = await toTar(oci);
    const pipe = rawEntry({ name: `blobs/sha256/${'a'.repeat(64)}`, flag: '6' });
    return readInput(saved(Buffer.concat([pipe, tar])));
  },
  { severity: 'error', path: `blobs/sha256/${'a'.repeat(64)}`, data: {} },
);
provoke(
  'special-file',
  'where no engine looks',
  async () => {
    const pipe = rawEntry({ name: 'pipe', flag: '6' });
    return readInput(saved(Buffer.concat([pipe, await toTar(oci)])));
  },
  { severity: 'warning', path: 'pipe', data: {} },
);
provoke(
  'tar-field-invalid',
  'an owner that is not a number',
  async () => {
    const odd = rawEntry({ name: 'odd', uid: 'root\0' });
    return readInput(saved(Buffer.concat([odd, await toTar(oci)])));
  },
  { severity: 'error', data: { offset: 0, field: 'uid' } },
);
provoke('path-conflict', 'a directory and a file', () => [...save, layouts.directory('manifest.json/')], {
  severity: 'error',
  path: 'manifest.json',
  data: { below: null },
});
provoke('path-conflict', 'a file in a file', () => [layouts.file('manifest.json/x', ''), ...save], {
  severity: 'error',
  path: 'manifest.json',
  data: { below: 'manifest.json/x' },
});
for (const [what, path, link, hard, fault] of [
  ['a document', 'other.json', 'manifest.json', false, 'no blob'],
  ['to a document', 'a/layer.tar', '../manifest.json', false, 'no blob'],
  ['to a directory', 'd', '.', false, 'folder'],
  ['to nothing', 'other.json', 'nowhere', false, 'nothing'],
  ['to itself', 'other.json', 'other.json', true, 'nothing'],
  ['hard, beside manifest.json', 'b.tar', 'a.tar', true, 'hard link'],
] as const) {
  const members = () => [layouts.file('a.tar', 'x'), ...save, { path, link, hard }];
  const data = { target: link, hard, fault };
  provoke('link-unexpected', what, members, { severity: 'error', path, data });
}
provoke(
  'link-unexpected',
  'through another link',
  () => [
    layouts.file('a.tar', 'x'),
    ...save,
    { path: 'b.tar', link: 'a.tar' },
    { path: 'c.tar', link: 'b.tar' },
  ],
  { severity: 'error', path: 'c.tar', data: { target: 'b.tar', hard: false, fault: 'links between' } },
);
provoke(
  'link-unexpected',
  'the name of an absent layer',
  () => [...save, { path: 'v1/layer.tar', link: '../gone.tar' }],
  {
    severity: 'info',
    path: 'v1/layer.tar',
    data: { target: '../gone.tar', hard: false, fault: 'nothing' },
  },
);
provoke(
  'layer-missing',
  'a link that leads to nothing',
  () => {
    const { path } = save.find(member => member.path.endsWith('/layer.tar'))!;
    return [...layouts.without(save, path), { path, link: '../gone.tar' }];
  },
  {
    severity: 'error',
    pointer: '/0/Layers/0',
    path: 'manifest.json',
    data: { layer: 0, target: '../gone.tar' },
  },
);
provoke(
  'member-ambiguous',
  'a type where no engine looks',
  async () => {
    const odd = rawEntry({ name: 'odd', flag: 'Z' });
    return readInput(saved(Buffer.concat([odd, await toTar(oci)])));
  },
  { severity: 'warning', path: 'odd', data: { field: 'type', readings: ['nothing', 'a file (type "Z")'] } },
);
for (const name of ['/manifest.json', 'x/../manifest.json', '.\\manifest.json'])
  provoke('member-ambiguous', name, () => [layouts.file(name, ''), ...save], {
    severity: 'error',
    path: 'manifest.json',
    data: { field: 'name', readings: ['manifest.json', name] },
  });
for (const [odd, plain, members] of [
  ['MANIFEST.json', 'manifest.json', save],
  ['index.j\u017fon', 'index.json', oci],
  [config.toUpperCase(), config, oci],
] as const)
  provoke('member-ambiguous', `${odd} beside ${plain}`, () => [...members, layouts.file(odd, '')], {
    severity: 'warning',
    path: odd,
    data: { field: 'name', readings: [odd, plain] },
  });
provoke(
  'outer-skippable-frame',
  'a frame before the data',
  async () => {
    const frame = Buffer.from('502a4d180400000061626364', 'hex');
    return readInput(saved(Buffer.concat([frame, zstdStored(await toTar(oci))])));
  },
  { severity: 'info', data: {} },
);
provoke(
  'media-types-differ',
  'a manifest that is also listed as an index',
  () => {
    const index = JSON.parse(Buffer.from(layouts.memberBytes(oci, 'index.json')).toString());
    const [entry] = index.manifests;
    index.manifests.push({ ...entry, mediaType: 'application/vnd.oci.image.index.v1+json' });
    return [...layouts.without(oci, 'index.json'), layouts.file('index.json', JSON.stringify(index))];
  },
  { severity: 'error', path: 'index.json', pointer: '/manifests/1', data: {} },
);
provoke(
  'zip-content-mismatch',
  'bytes after the packed content',
  () => {
    const body = deflateRawSync(Buffer.from('content'));
    const more = Buffer.concat([body, Buffer.from('more')]);
    const bytes = Buffer.from('{"imageLayoutVersion":"1.0.0"}');
    return readInput(
      saved(
        zipOfEntries([
          { name: 'oci-layout', body: bytes, size: bytes.length, crc: crc32(bytes) },
          { name: 'f', body: more, size: 7, crc: crc32(Buffer.from('content')), deflated: true },
        ]),
      ),
    );
  },
  { severity: 'error', path: 'f', data: { field: 'packed size', expected: '13', actual: '9' } },
);
for (const name of ['../evil', '/etc/evil', 'a/../../evil', 'C:\\evil', 'a\\..\\..\\evil']) {
  provoke('unsafe-name', name, () => [...save, layouts.file(name, '')], {
    severity: 'warning',
    data: { name },
  });
}
for (const [path, link, hard] of [
  ['link', '/etc/passwd', false],
  ['a/link', '../../etc/passwd', false],
  ['hard', '../outside', true],
  ['c/link', '..\\..\\outside', false],
  ['drive', 'C:\\outside', false],
] as const) {
  provoke('unsafe-link', `${path} to ${link}`, () => [...save, { path, link, hard }], {
    severity: 'error',
    path,
    data: { target: link },
  });
}
provoke('nested-root', 'a folder around it', () => readMembers(oci, {}, { prefix: 'app/' }), {
  severity: 'warning',
  path: 'app/',
  data: { root: 'app/' },
});

// Documents

for (const path of ['index.json', 'oci-layout', config]) {
  provoke(
    'json-invalid',
    path === config ? 'a config' : path,
    () => layouts.replaceBytes(oci, path, () => '{"a":'),
    {
      severity: 'error',
      path,
      data: {},
    },
  );
}
provoke('json-invalid', 'empty', () => layouts.replaceBytes(save, 'manifest.json', () => ''), {
  severity: 'error',
  path: 'manifest.json',
  data: { reason: 'it is empty' },
});
provoke('json-invalid', 'repositories', () => layouts.replaceBytes(save, 'repositories', () => '{'), {
  severity: 'error',
  path: 'repositories',
  data: {},
});
const v1Json = layerInSave.replace('layer.tar', 'json');
provoke('json-invalid', 'a v1 file', () => layouts.replaceBytes(save, v1Json, () => '{"id":'), {
  severity: 'error',
  path: v1Json,
  data: {},
});

provoke(
  'field-invalid',
  'an invalid size',
  () =>
    withIndex(doc => {
      doc.manifests[0].size = -1;
    }),
  {
    severity: 'error',
    path: 'index.json',
    pointer: '/manifests/0/size',
    data: { expected: 'a whole number of bytes from 0 to 2^53-1', actual: '-1' },
  },
);
provoke(
  'field-invalid',
  'an invalid digest',
  () =>
    withIndex(doc => {
      doc.manifests[0].digest = 'sha256:abc';
    }),
  {
    severity: 'warning',
    path: 'index.json',
    pointer: '/manifests/0/digest',
    data: { actual: '"sha256:abc"' },
  },
);
provoke('field-invalid', 'a manifest without a config', () => withManifest(doc => void delete doc.config), {
  severity: 'warning',
  pointer: '/config',
  data: { actual: 'nothing' },
});
provoke(
  'field-invalid',
  'schemaVersion 3',
  () =>
    withManifest(doc => {
      doc.schemaVersion = 3;
    }),
  {
    severity: 'warning',
    pointer: '/schemaVersion',
    data: { expected: '2', actual: '3' },
  },
);
provoke(
  'field-invalid',
  'a media type other than an index',
  () =>
    withIndex(doc => {
      doc.mediaType = 'text/plain';
    }),
  {
    severity: 'warning',
    path: 'index.json',
    pointer: '/mediaType',
    data: { expected: layouts.MEDIA.index, actual: '"text/plain"' },
  },
);
provoke(
  'field-invalid',
  'a diff_id that is not a digest',
  () =>
    withConfig(doc => {
      doc.rootfs.diff_ids[1] = 'x';
    }),
  {
    severity: 'warning',
    pointer: '/rootfs/diff_ids/1',
    data: { actual: '"x"' },
  },
);
provoke(
  'field-invalid',
  'a LayerSource that is not the layer',
  () =>
    edit(layouts.dockerSave25(TAGGED), 'manifest.json', ([doc]) => {
      doc.LayerSources[item.diffIds[0]!].digest = FAKE;
      return [doc];
    }),
  {
    severity: 'warning',
    path: 'manifest.json',
    pointer: `/0/LayerSources/${item.diffIds[0]}`,
    data: { actual: item.diffIds[0]! },
  },
);
provoke(
  'field-invalid',
  'a LayerSource of a layer that the image does not have',
  () =>
    edit(layouts.dockerSave25(TAGGED), 'manifest.json', ([doc]) => {
      const { [item.diffIds[0]!]: source, ...rest } = doc.LayerSources;
      return [{ ...doc, LayerSources: { ...rest, [FAKE]: source } }];
    }),
  {
    severity: 'warning',
    path: 'manifest.json',
    pointer: `/0/LayerSources/${FAKE}`,
    data: { actual: FAKE },
  },
);
provoke(
  'field-invalid',
  'an empty config without an artifactType',
  () =>
    layouts.ociLayout({
      manifests: [
        layouts.manifestFrom(layouts.MEDIA.manifest, layouts.EMPTY, [layouts.blobOf('text/plain', 'x')]),
      ],
    }),
  { severity: 'warning', pointer: '/artifactType', data: { actual: 'nothing' } },
);
provoke(
  'field-invalid',
  'Layers that are no strings',
  () => edit(save, 'manifest.json', ([doc]) => [{ ...doc, Layers: [7] }]),
  {
    severity: 'error',
    path: 'manifest.json',
    pointer: '/0/Layers/0',
    data: {
      expected: 'a string',
      actual: 'a number',
      engines: ['docker', 'podman', 'skopeo', 'crane'],
    },
  },
);

provoke(
  'field-invalid',
  'a size that is an integer to JavaScript alone',
  () =>
    layouts.replaceBytes(oci, 'index.json', bytes => textOf(bytes).replace(/"size":(\d+)/, '"size":$1.0')),
  {
    severity: 'error',
    path: 'index.json',
    pointer: '/manifests/0/size',
    data: {
      expected: 'an integer, written with digits alone',
      engines: ['docker', 'podman', 'skopeo', 'crane'],
    },
  },
);
provoke(
  'field-invalid',
  'a schemaVersion that is a string',
  () =>
    withIndex(doc => {
      doc.schemaVersion = '2';
    }),
  { severity: 'error', path: 'index.json', pointer: '/schemaVersion', data: { actual: 'a string' } },
);
provoke(
  'field-invalid',
  'a manifest without a media type',
  () =>
    withManifest(doc => {
      delete doc.schemaVersion;
      delete doc.mediaType;
    }),
  { severity: 'error', pointer: '/schemaVersion', data: { actual: 'nothing', engines: ['podman'] } },
);
provoke(
  'field-invalid',
  'a field that waybill does not look at and engines do',
  () =>
    withConfig(doc => {
      doc.history[0].author = 5;
    }),
  { severity: 'error', pointer: '/history/0/author', data: { expected: 'a string', actual: 'a number' } },
);
provoke(
  'field-invalid',
  'a time that no month has',
  () =>
    withConfig(doc => {
      doc.created = '2024-02-30T00:00:00Z';
    }),
  { severity: 'error', pointer: '/created', data: { actual: '"2024-02-30T00:00:00Z"' } },
);
provoke(
  'key-case',
  'two spellings, none of them exact: engines use the last',
  () => edit(save, 'manifest.json', ([{ Config, ...doc }]) => [{ config: 'x', CONFIG: Config, ...doc }]),
  { severity: 'error', pointer: '/0', data: { keys: ['config', 'CONFIG'], expected: ['Config'] } },
);

provoke(
  'layout-version',
  'another',
  () => layouts.ociLayout({ manifests: [manifest], imageLayoutVersion: '1.1.0' }),
  {
    severity: 'warning',
    path: 'oci-layout',
    pointer: '/imageLayoutVersion',
    data: { expected: '1.0.0', actual: '1.1.0' },
  },
);
provoke('layout-version', 'none', () => layouts.replaceBytes(oci, 'oci-layout', () => '{}'), {
  severity: 'warning',
  path: 'oci-layout',
  data: { actual: null },
});
provoke('layout-file-missing', 'index.json alone', () => layouts.without(oci, 'oci-layout'), {
  severity: 'warning',
  path: 'oci-layout',
  data: {},
});
provoke('index-missing', 'oci-layout alone', () => layouts.without(oci, 'index.json'), {
  severity: 'error',
  path: 'index.json',
  data: {},
});
provoke('index-without-manifests', 'an object', () => withIndex(() => ({ schemaVersion: 2 })), {
  severity: 'error',
  path: 'index.json',
  pointer: '',
  data: {},
});
provoke('index-empty', 'no manifests', () => withIndex(() => ({ schemaVersion: 2, manifests: [] })), {
  severity: 'warning',
  path: 'index.json',
  data: {},
});

/** An index that lists itself under a wrong digest, or another index that lists it. */
function circle(...digests: readonly string[]): layouts.Member[] {
  const entry = (digest: string) => ({ mediaType: layouts.MEDIA.index, digest, size: 1 });
  const listing = (digest: string) => goJson({ schemaVersion: 2, manifests: [entry(digest)] });
  return [
    layouts.file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
    layouts.file('index.json', listing(digests[0]!)),
    ...digests.map((digest, i) =>
      layouts.file(layouts.blobPath(digest), listing(digests[(i + 1) % digests.length]!)),
    ),
  ];
}

provoke('index-cycle', 'itself', () => circle(FAKE), {
  severity: 'error',
  path: layouts.blobPath(FAKE),
  pointer: '/manifests/0',
  data: { digest: FAKE },
});
provoke('index-cycle', 'through two others', () => circle(fakeOf('1'), fakeOf('2'), fakeOf('3')), {
  severity: 'error',
  path: layouts.blobPath(fakeOf('3')),
  data: { digest: fakeOf('1') },
});

provoke(
  'ambiguous-document',
  'CVE-2021-41190: a manifest that is an index too',
  () =>
    withManifest(doc => {
      doc.manifests = [];
    }),
  { severity: 'error', pointer: '', data: { kind: 'manifest', forbidden: ['manifests'] } },
);
provoke(
  'ambiguous-document',
  'CVE-2021-41190: an index that is a manifest too',
  () => {
    const { config, layers } = JSON.parse(textOf(manifest.blobs[0]!.bytes));
    return withManifest(doc => Object.assign(doc, { config, layers }), layouts.indexOf([manifest]));
  },
  { severity: 'error', pointer: '', data: { kind: 'index', forbidden: ['config', 'layers'] } },
);
provoke(
  'media-type-mismatch',
  'a descriptor with the media type of an index for a manifest',
  () =>
    withIndex(doc => {
      doc.manifests[0].mediaType = layouts.MEDIA.dockerManifest;
    }),
  {
    severity: 'warning',
    path: manifestPath,
    pointer: '/mediaType',
    data: { expected: layouts.MEDIA.dockerManifest, actual: layouts.MEDIA.manifest },
  },
);
provoke(
  'media-type-mismatch',
  'a manifest that calls itself an index',
  () =>
    withManifest(doc => {
      doc.mediaType = layouts.MEDIA.index;
    }),
  {
    severity: 'error',
    pointer: '/mediaType',
    data: { expected: layouts.MEDIA.manifest, actual: layouts.MEDIA.index },
  },
);
provoke(
  'not-a-manifest',
  'a text among the manifests',
  () => layouts.ociLayout({ manifests: [manifest, layouts.blobOf('text/plain', 'hello')] }),
  { severity: 'warning', path: layouts.blobPath(digestOf('hello')), data: { mediaType: 'text/plain' } },
);

const manifestJson = (content: string) => () => layouts.replaceBytes(save, 'manifest.json', () => content);
provoke('manifest-json-null', 'null', manifestJson('null'), {
  severity: 'error',
  path: 'manifest.json',
  data: {},
});
provoke('manifest-json-empty', '[]', manifestJson('[]'), {
  severity: 'error',
  path: 'manifest.json',
  data: {},
});
provoke('manifest-json-not-array', 'a string', manifestJson('"x"'), {
  severity: 'error',
  path: 'manifest.json',
  data: { actual: 'a string' },
});
provoke(
  'manifest-json-item-invalid',
  'null among the items',
  () => edit(save, 'manifest.json', list => [...list, null]),
  {
    severity: 'error',
    path: 'manifest.json',
    pointer: '/1',
    data: { actual: 'null' },
  },
);
provoke('key-case', 'containerify', () => layouts.containerify(TAGGED), {
  severity: 'info',
  path: 'manifest.json',
  pointer: '/0',
  data: { keys: ['config', 'repoTags', 'layers'], expected: ['Config', 'RepoTags', 'Layers'] },
});
provoke(
  'key-case',
  'both spellings in manifest.json: two images in one document',
  () => edit(save, 'manifest.json', ([doc]) => [{ ...doc, layers: [] }]),
  { severity: 'error', pointer: '/0', data: { keys: ['Layers', 'layers'], expected: ['Layers'] } },
);
provoke(
  'key-case',
  'a manifest that only Go reads',
  () =>
    withManifest(doc => {
      doc.Layers = doc.layers;
      delete doc.layers;
    }),
  { severity: 'warning', pointer: '/Layers', data: { keys: ['Layers'], expected: ['layers'] } },
);
provoke(
  'key-case',
  'CVE-2021-41190 in another case: a manifest with other layers for Go',
  () =>
    withManifest(doc => {
      doc['layer\u017f'] = [];
    }),
  { severity: 'error', pointer: '/layer\u017f', data: { expected: ['layers'] } },
);
provoke(
  'key-case',
  'in a descriptor',
  () =>
    withIndex(doc => {
      doc.manifests[0].Digest = FAKE;
    }),
  {
    severity: 'error',
    path: 'index.json',
    pointer: '/manifests/0/Digest',
    data: { keys: ['digest', 'Digest'] },
  },
);
provoke(
  'key-case',
  'in a config',
  () =>
    withConfig(doc => {
      doc.rootfs.Diff_IDs = [];
    }),
  { severity: 'error', pointer: '/rootfs/Diff_IDs', data: { expected: ['diff_ids'] } },
);
provoke(
  'ambiguous-document',
  'CVE-2021-41190 in index.json itself',
  () =>
    withIndex(doc => {
      doc.layers = null;
    }),
  { severity: 'error', path: 'index.json', pointer: '', data: { kind: 'index', forbidden: ['layers'] } },
);
provoke(
  'ambiguous-document',
  'CVE-2021-41190 in the manifest of a skopeo directory',
  () =>
    edit(layouts.skopeoDir(item), 'manifest.json', doc => {
      doc.manifests = [];
    }),
  { severity: 'error', path: 'manifest.json', data: { kind: 'index', forbidden: ['config', 'layers'] } },
);
provoke(
  'ambiguous-document',
  'CVE-2021-41190 in another case',
  () =>
    withManifest(doc => {
      doc.Manifests = [];
    }),
  { severity: 'error', pointer: '', data: { kind: 'manifest', forbidden: ['manifests'] } },
);

const withText = (members: Members, path: string, from: string, to: string) =>
  layouts.replaceBytes(members, path, bytes => {
    const text = Buffer.from(bytes).toString('latin1');
    assert.ok(text.includes(from), from);
    return Buffer.from(text.replace(from, to), 'latin1');
  });
provoke(
  'key-duplicate',
  'two configs in manifest.json',
  () => withText(save, 'manifest.json', '"Config":', '"Config":"other.json","Config":'),
  { severity: 'error', path: 'manifest.json', pointer: '/0/Config', data: { key: 'Config', repeated: 1 } },
);
provoke(
  'key-duplicate',
  'a digest spelled another way, in index.json',
  () => withText(oci, 'index.json', '"digest":', `"di\\u0067est":"${FAKE}","digest":`),
  { severity: 'error', pointer: '/manifests/0/digest', data: { key: 'digest', repeated: 1 } },
);
provoke(
  'key-duplicate',
  'in a config, of an image and as a note of its own',
  () => withText(oci, config, '"rootfs":', '"rootfs":{},"rootfs":'),
  { severity: 'error', path: config, pointer: '/rootfs', data: { key: 'rootfs', repeated: 1 } },
);
provoke(
  'text-not-unicode',
  'bytes that are not UTF-8 in a name',
  () => withText(save, 'manifest.json', 'app:1', 'app\xff:1'),
  { severity: 'warning', path: 'manifest.json', pointer: null, data: { kind: 'bytes' } },
);
provoke(
  'text-not-unicode',
  'half a character in a name',
  () => withText(save, 'manifest.json', 'app:1', 'app\\ud800:1'),
  { severity: 'warning', path: 'manifest.json', pointer: null, data: { kind: 'escapes' } },
);

const named =
  (...RepoTags: string[]) =>
  () =>
    edit(save, 'manifest.json', ([doc]) => [{ ...doc, RepoTags }]);
provoke('name-invalid', 'upper case', named('App:1'), {
  severity: 'warning',
  path: 'manifest.json',
  pointer: '/0/RepoTags/0',
  data: { name: 'App:1', reason: 'repository name must be lowercase' },
});
provoke('name-invalid', 'no tag', named('app:1', 'app'), {
  severity: 'warning',
  pointer: '/0/RepoTags/1',
  data: { name: 'app', reason: 'it has no tag' },
});
provoke('name-invalid', 'more than 255 characters', named(`${'a'.repeat(256)}:1`), {
  severity: 'warning',
  data: { reason: 'repository name must not be more than 255 characters' },
});
provoke(
  'name-invalid',
  'in an index',
  () =>
    withIndex(doc => {
      doc.manifests[0].annotations[layouts.REF_ANNOTATION] = '::error::app';
    }),
  {
    severity: 'warning',
    path: 'index.json',
    pointer: '/manifests/0',
    data: { name: '::error::app', reason: 'invalid reference format' },
  },
);
provoke('name-confusable', 'a Cyrillic letter', named('\u0430pp:1'), {
  severity: 'error',
  path: 'manifest.json',
  data: { name: '\u0430pp:1', characters: ['U+0430'] },
});
provoke(
  'name-confusable',
  'in an index, of several kinds',
  () =>
    withIndex(doc => {
      doc.manifests[0].annotations[layouts.NAME_ANNOTATION] = 'app:1\u202e\u200b\u{e0041}\u202e';
    }),
  { severity: 'error', data: { characters: ['U+202E', 'U+200B', 'U+E0041'] } },
);
provoke('name-duplicate', 'in RepoTags', named('app:1', 'app:1'), {
  severity: 'warning',
  path: 'manifest.json',
  pointer: '/0/RepoTags/1',
  data: { name: 'app:1' },
});
provoke(
  'name-duplicate',
  'in index.json',
  () => layouts.skopeoOci([TAGGED, { image: other, tags: ['app:1'] }]),
  {
    severity: 'warning',
    path: 'index.json',
    pointer: '/manifests/1',
    data: { name: 'app:1' },
  },
);
provoke(
  'name-ambiguous',
  'two images of one name, of which only one has a platform',
  () =>
    edit(layouts.skopeoOci([TAGGED, { image: other, tags: ['app:1'] }]), 'index.json', doc => {
      doc.manifests[1].platform = { os: 'linux', architecture: 'amd64' };
    }),
  { severity: 'warning', path: 'index.json', data: { name: 'app:1' } },
);
provoke(
  'name-ambiguous',
  'two spellings of one name',
  () => layouts.cranePull([TAGGED, { image: other, tags: ['docker.io/library/app:1'] }]),
  { severity: 'warning', path: 'manifest.json', data: { name: 'app:1' } },
);
provoke(
  'name-ambiguous',
  'two images of one name',
  () => layouts.cranePull([TAGGED, { image: other, tags: ['app:1'] }]),
  {
    severity: 'warning',
    path: 'manifest.json',
    data: { name: 'app:1', images: [item.imageId, other.imageId] },
  },
);
provoke(
  'parent-missing',
  'a parent that was not saved',
  () => layouts.dockerSave({ ...TAGGED, parent: other }),
  { severity: 'info', path: 'manifest.json', pointer: '/0/Parent', data: { parent: other.imageId } },
);

// manifest.json beside index.json

const save25 = layouts.dockerSave25(TAGGED);
const containerd = layouts.dockerContainerd(TAGGED);
const indexEntry = (members: Members) => (layouts.memberJson(members, 'index.json') as Json).manifests[0];

provoke(
  'views-disagree',
  'each has an image of its own',
  () => {
    const both = layouts.dockerContainerd([TAGGED, { image: other, tags: ['other:1'] }]);
    const onlyItem = edit(both, 'index.json', doc => void doc.manifests.splice(1));
    return edit(onlyItem, 'manifest.json', ([, second]) => [second]);
  },
  {
    severity: 'warning',
    path: 'manifest.json',
    data: { onlyManifestJson: [other.imageId], onlyIndexJson: [item.imageId] },
  },
);
provoke(
  'views-disagree',
  'each has an image of its own under one name',
  () => {
    const both = layouts.dockerContainerd([TAGGED, { image: other, tags: ['app:1'] }]);
    const onlyItem = edit(both, 'index.json', doc => void doc.manifests.splice(1));
    return edit(onlyItem, 'manifest.json', ([, second]) => [second]);
  },
  { severity: 'error', data: { onlyManifestJson: [other.imageId], onlyIndexJson: [item.imageId] } },
);
const twoNames = layouts.dockerContainerd([TAGGED, { image: other, tags: ['other:1'] }]);
/** index.json gives `other` the name that manifest.json gives `item`. */
const withOther = () =>
  edit(twoNames, 'index.json', doc => {
    const [first, second] = doc.manifests;
    first.annotations = {};
    second.annotations = { [layouts.REF_ANNOTATION]: 'app:1' };
  });
provoke('name-ambiguous', 'manifest.json gives it to one image, index.json to another', withOther, {
  severity: 'error',
  path: 'manifest.json',
  data: { name: 'app:1', images: [item.imageId, other.imageId] },
});
provoke(
  'views-disagree',
  'an untagged image beside another one',
  () => {
    const onlyOther = edit(twoNames, 'index.json', doc => void doc.manifests.shift());
    return edit(onlyOther, 'manifest.json', ([first]) => [{ ...first, RepoTags: null }]);
  },
  { severity: 'warning', data: { onlyManifestJson: [item.imageId], onlyIndexJson: [other.imageId] } },
);
provoke(
  'views-disagree',
  'one name, and an image that only index.json lists',
  () => edit(withOther(), 'manifest.json', ([first]) => [first]),
  { severity: 'error', data: { onlyManifestJson: [], onlyIndexJson: [other.imageId] } },
);
provoke(
  'names-disagree',
  'one image under two names',
  () => edit(containerd, 'manifest.json', ([doc]) => [{ ...doc, RepoTags: ['evil:1'] }]),
  {
    severity: 'warning',
    path: 'manifest.json',
    data: { onlyManifestJson: ['docker.io/library/evil:1'], onlyIndexJson: ['docker.io/library/app:1'] },
  },
);
for (const [name, members] of [
  ['docker 24', save],
  ['docker 28', save25],
] as const) {
  provoke(
    'repositories-disagree',
    `${name}: another layer`,
    () =>
      edit(members, 'repositories', doc => {
        doc.app['1'] = 'f'.repeat(64);
      }),
    {
      severity: 'warning',
      path: 'repositories',
      pointer: '/app/1',
      data: { name: 'app:1', actual: 'f'.repeat(64) },
    },
  );
}
provoke(
  'repositories-disagree',
  'a name that no image has',
  () => edit(save, 'repositories', doc => ({ evil: doc.app })),
  { severity: 'warning', path: 'repositories', pointer: '/evil/1', data: { name: 'evil:1' } },
);
provoke(
  'layers-disagree',
  'a layer more in one of them',
  () => edit(containerd, 'manifest.json', ([doc]) => [{ ...doc, Layers: [lower] }]),
  { severity: 'error', data: { image: item.imageId, manifestJson: [lower] } },
);

for (const right of ['manifest.json', 'index.json'] as const) {
  const reversed = (members: Members) =>
    edit(members, 'manifest.json', ([doc]) => [{ ...doc, Layers: [...doc.Layers].reverse() }]);
  const inIndex = () => badDocker(document => document.layers.reverse());
  provoke(
    'layers-disagree',
    `another order in one of them, where ${right} has that of the diff_ids`,
    () => (right === 'manifest.json' ? inIndex() : reversed(save25)),
    { severity: 'error', data: { image: item.imageId, right } },
  );
}

/** An image whose index entry declares another type. */
const disguised = (annotation: string) =>
  withIndex(doc => {
    doc.manifests[0].annotations = { 'vnd.docker.reference.type': annotation };
  });

provoke(
  'image-disguised',
  'an image that its entry calls an attestation',
  () => disguised('attestation-manifest'),
  {
    severity: 'error',
    path: manifestPath,
    data: { as: 'attestation', field: 'vnd.docker.reference.type', value: 'attestation-manifest' },
  },
);
provoke(
  'image-disguised',
  'an image whose layers are said to be statements',
  () =>
    withManifest(document => {
      for (const layer of document.layers) layer.mediaType = 'application/vnd.in-toto+json';
    }),
  { severity: 'error', data: { as: 'attestation', field: 'layers/0/mediaType' } },
);
provoke(
  'image-disguised',
  'an image with schemaVersion 1',
  () =>
    withManifest(document => {
      document.schemaVersion = 1;
    }),
  { severity: 'error', data: { as: 'schema1', field: 'schemaVersion', value: '1' } },
);

const hidden = layouts.dockerSave({ image: other, tags: ['app:1'] });
provoke(
  'engines-disagree',
  'a name that an extraction makes manifest.json of',
  () => [
    layouts.file('x/../manifest.json', layouts.memberBytes(hidden, 'manifest.json')),
    ...hidden.filter(({ path }) => !save.some(member => member.path === path)),
    ...save,
  ],
  {
    severity: 'error',
    data: {
      engines: ['podman', 'skopeo-docker-archive'],
      config: other.imageId,
      layers: other.layers.map(layer => digestOf(layer.tar)),
    },
  },
);

provoke(
  'blob-fetched',
  'a layer that is here, with urls',
  () =>
    withManifest(document => {
      document.layers[1].urls = ['https://192.0.2.1/layer', 'ftp://192.0.2.1/layer'];
    }),
  { severity: 'warning', pointer: '/layers/1/urls', data: { urls: ['https://192.0.2.1/layer'] } },
);
provoke(
  'blob-fetched',
  'a foreign layer that is here, with urls',
  () =>
    withManifest(document => {
      document.layers[1].mediaType = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
      document.layers[1].urls = ['https://192.0.2.1/layer'];
    }),
  { severity: 'warning', pointer: '/layers/1/urls', data: { urls: ['https://192.0.2.1/layer'] } },
);
provoke(
  'artifact-before-image',
  'for the same platform',
  () =>
    layouts.ociLayout({
      manifests: [
        layouts.indexOf([
          layouts.described(layouts.artifact({ type: 'application/vnd.example' }), {
            platform: { os: 'linux', architecture: 'amd64' },
          }),
          layouts.platformManifest(item),
        ]),
      ],
    }),
  {
    severity: 'error',
    pointer: '/manifests/1',
    data: { image: layouts.platformManifest(item).descriptor.digest, platform: 'linux/amd64' },
  },
);
provoke(
  'artifact-before-image',
  'behind the image, and marked as zstd',
  () =>
    layouts.ociLayout({
      manifests: [
        layouts.indexOf([
          layouts.platformManifest(item),
          layouts.described(layouts.artifact({ type: 'application/vnd.example' }), {
            platform: { os: 'linux', architecture: 'amd64' },
            annotations: ZSTD,
          }),
        ]),
      ],
    }),
  {
    severity: 'error',
    pointer: '/manifests/0',
    data: { image: layouts.platformManifest(item).descriptor.digest, platform: 'linux/amd64' },
  },
);
provoke('platform-ambiguous', 'another image that is marked as zstd', () => twoVariants(other), {
  severity: 'error',
  pointer: '/manifests/1',
  data: {
    platform: 'linux/amd64',
    image: layouts.platformManifest(item).descriptor.digest,
    zstd: layouts.platformManifest(other).descriptor.digest,
  },
});
test('an image and its variant that is compressed with zstd are no finding', async () => {
  const variant = await plainImage('item', 2, 'none');
  const { report } = await readMembers(twoVariants(variant));
  assert.is(report.images.length, 2);
  assert.equal(report.findings, []);
});
provoke(
  'blob-fetched',
  'a config with urls',
  () =>
    withManifest(document => {
      document.config.urls = ['http://192.0.2.1/config'];
    }),
  { severity: 'warning', pointer: '/config/urls', data: { digest: item.imageId } },
);
provoke(
  'document-oversize',
  'a config of 5 MiB',
  () =>
    withConfig(document => {
      document.config.Labels = { long: 'x'.repeat(5 * 1024 * 1024) };
    }),
  { severity: 'warning', data: { most: 4 * 1024 * 1024, engines: ['podman', 'skopeo'] } },
);
provoke(
  'name-too-long',
  'a member that no file system takes',
  () => [...oci, layouts.file(`notes/${'n'.repeat(256)}`, 'x')],
  { severity: 'warning', data: { bytes: 256 } },
);

provoke('no-image', 'an index of nothing', () => layouts.ociLayout({ manifests: [] }), {
  severity: 'error',
  data: {},
});
provoke(
  'artifacts-only',
  'a chart',
  () =>
    withManifest(document => {
      document.artifactType = 'application/vnd.cncf.helm.config.v1+json';
      document.config = { ...layouts.blobOf('application/vnd.cncf.helm.config.v1+json', '{}').descriptor };
    }),
  { severity: 'info', data: { artifacts: 1 } },
);

/** Row C with an OCI manifest that differs from Docker's. */
function badDocker(change: (document: Json) => void): layouts.Member[] {
  const { digest } = indexEntry(save25);
  const bytes = layouts.memberBytes(save25, layouts.blobPath(digest));
  const document = JSON.parse(textOf(bytes));
  change(document);
  const made = layouts.blobOf(layouts.MEDIA.manifest, goJson(document));
  const rest = layouts.without(save25, layouts.blobPath(digest));
  const added = [...rest, layouts.file(layouts.blobPath(made.descriptor.digest), made.blobs[0]!.bytes)];
  return edit(added, 'index.json', doc => {
    doc.manifests[0] = { ...doc.manifests[0], digest: made.descriptor.digest, size: made.descriptor.size };
  });
}

const windows = await image({
  layers: [{ files: { base: 'b' }, urls: ['https://example.test/b'], compression: 'gzip' }],
});
/** FORMATS 3: the descriptor has the foreign layer's own digest, the file is stored uncompressed under its diff_id. */
function foreignUnpacked(): layouts.Member[] {
  const content = layouts.manifestOf(windows, { docker: true });
  const [own, conf] = content.blobs as [layouts.Blob, layouts.Blob];
  const plain = unpacked(windows).layers[0]!;
  const members = layouts.ociLayout({
    manifests: [{ ...content, blobs: [own, conf, { digest: plain.digest, bytes: plain.blob }] }],
  });
  const [foreign] = windows.layers;
  const source = {
    mediaType: layouts.MEDIA.dockerForeignLayer,
    size: foreign!.size,
    digest: foreign!.digest,
    urls: foreign!.spec.urls,
  };
  const [document] = [
    {
      Config: layouts.blobPath(windows.imageId),
      RepoTags: null,
      Layers: [layouts.blobPath(plain.digest)],
      LayerSources: { [plain.diffId]: source },
    },
  ];
  return [...members, layouts.file('manifest.json', goJson([document]))];
}

const BUGS: Readonly<Record<string, () => Members | Promise<Members>>> = {
  'oci-layers-in-random-order': () => badDocker(doc => void doc.layers.reverse()),
  'oci-manifest-without-layers': () =>
    badDocker(doc => {
      doc.layers = [];
    }),
  'untagged-image-missing-from-index': () => layouts.dockerSave25([TAGGED, other]),
  'platform-in-config-descriptor': () =>
    badDocker(doc => {
      doc.config.platform = { architecture: 'amd64', os: 'linux' };
    }),
  'foreign-layer-stored-unpacked': foreignUnpacked,
};

for (const [bug, make] of Object.entries(BUGS)) {
  provoke('producer-bug', bug, make, { severity: 'warning', data: { bug } });
}
if (canCompress('zstd')) {
  provoke(
    'producer-bug',
    'zstd-labelled-gzip',
    () => withLayer({ files: { a: 'a' }, compression: 'zstd', mediaType: `${layouts.MEDIA.layer}+gzip` }),
    { severity: 'warning', data: { bug: 'zstd-labelled-gzip' } },
  );
}

test('with the bugs of Docker 25, manifest.json has precedence', async () => {
  for (const bug of [
    'oci-layers-in-random-order',
    'oci-manifest-without-layers',
    'foreign-layer-stored-unpacked',
  ]) {
    const { report } = await readMembers(await BUGS[bug]!());
    assert.is(report.images.length, 1, bug);
    const expected = bug.startsWith('foreign') ? windows : item;
    assert.equal(
      report.images[0]!.layers.map(({ diffId }) => diffId),
      expected.diffIds,
      bug,
    );
  }
});

// Blobs

provoke('digest-mismatch', 'a layer', () => layouts.flipByte(oci, lower, -1), {
  severity: 'error',
  path: lower,
  data: {
    expected: item.layers[0]!.digest,
    claimedBy: { path: manifestPath, pointer: '/layers/0/digest' },
  },
});
provoke('digest-mismatch', 'a config', () => layouts.flipByte(oci, config, 20), {
  severity: 'error',
  path: config,
  data: { expected: item.imageId, claimedBy: { path: manifestPath, pointer: '/config/digest' } },
});
provoke(
  'digest-mismatch',
  'a manifest',
  () => edit(oci, manifestPath, doc => ({ ...doc, annotations: { a: 'b' } })),
  {
    severity: 'error',
    path: manifestPath,
    data: {
      expected: manifest.descriptor.digest,
      claimedBy: { path: 'index.json', pointer: '/manifests/0/digest' },
    },
  },
);
provoke(
  'size-mismatch',
  'a manifest',
  () =>
    withIndex(doc => {
      doc.manifests[0].size += 5;
    }),
  {
    severity: 'error',
    path: manifestPath,
    data: {
      expected: manifest.descriptor.size + 5,
      actual: manifest.descriptor.size,
      claimedBy: { path: 'index.json', pointer: '/manifests/0/size' },
    },
  },
);
provoke(
  'size-mismatch',
  'a manifest that is listed again',
  () =>
    withIndex(doc => {
      doc.manifests.push({ ...doc.manifests[0], size: 7 });
    }),
  {
    severity: 'error',
    path: manifestPath,
    data: {
      expected: 7,
      actual: manifest.descriptor.size,
      claimedBy: { path: 'index.json', pointer: '/manifests/1/size' },
    },
  },
);
provoke(
  'blob-name-mismatch',
  'a blob that nothing refers to',
  () => [...oci, layouts.file(layouts.blobPath(FAKE), 'x')],
  {
    severity: 'error',
    path: layouts.blobPath(FAKE),
    data: { expected: FAKE, actual: digestOf('x') },
  },
);
provoke('blob-name-odd', '.DS_Store', () => [...oci, layouts.file('blobs/sha256/.DS_Store', '')], {
  severity: 'warning',
  path: 'blobs/sha256/.DS_Store',
  data: {},
});
provoke(
  'blob-link-broken',
  'to a cache',
  () => [...layouts.without(oci, upper), { path: upper, link: '../../cache/x' }],
  {
    severity: 'error',
    path: upper,
    data: { target: '../../cache/x' },
  },
);
const configInSave = `${encodedOf(item.imageId)}.json`;
provoke(
  'config-name-mismatch',
  'an edited config',
  () => edit(save, configInSave, doc => ({ ...doc, author: 'me' })),
  { severity: 'warning', path: configInSave, data: { expected: item.imageId } },
);
{
  const packed = await image({ layers: [{ files: { a: 'a' }, compression: 'gzip' }] });
  const [one] = packed.layers;
  const again = gzipSync(one!.tar, { level: 1 });
  const crane = layouts.cranePull({ image: packed, tags: ['app:1'] });
  const podman = layouts.podmanDockerArchive({ image: packed, tags: ['app:1'] });
  const inCrane = `${encodedOf(one!.digest)}.tar.gz`;
  const inPodman = `${encodedOf(one!.diffId)}.tar`;
  const renamed = (members: Members, from: string, to: string): Members =>
    members.map(member => {
      if (member.path === from) return { ...member, path: to };
      if (member.path !== 'manifest.json' || !('bytes' in member)) return member;
      return layouts.file('manifest.json', Buffer.from(member.bytes).toString().replaceAll(from, to));
    });
  const data = { layer: 0, diffId: one!.diffId };
  provoke('layer-name-mismatch', 'packed again', () => layouts.replaceBytes(crane, inCrane, () => again), {
    severity: 'warning',
    path: inCrane,
    data: { ...data, expected: one!.digest, stored: digestOf(again) },
  });
  const tar = `${encodedOf(FAKE)}.tar`;
  provoke('layer-name-mismatch', 'crane, with a plain layer', () => renamed(crane, inCrane, tar), {
    severity: 'warning',
    path: tar,
    data: { ...data, expected: FAKE, stored: one!.digest },
  });
  provoke('layer-name-mismatch', 'podman', () => renamed(podman, inPodman, tar), {
    severity: 'info',
    path: tar,
    data: { ...data, expected: FAKE, stored: one!.diffId },
  });
  test('layer-name-mismatch: other checksums and IDs in names are not claims', async () => {
    const folder = `${encodedOf(FAKE)}/layer.tar`;
    const fine: Members[] = [
      crane,
      podman,
      renamed(crane, inCrane, `${encodedOf(one!.diffId)}.tar.gz`),
      renamed(podman, inPodman, folder),
      layouts.replaceBytes(podman, inPodman, () => again),
    ];
    for (const members of fine) {
      const { report } = await readMembers(members);
      assert.equal(
        report.findings.filter(({ code }) => code === 'layer-name-mismatch'),
        [],
      );
    }
  });
  test('layer-name-mismatch: not reported beside a diff_id mismatch with the same cause', async () => {
    const { report } = await readMembers(layouts.replaceBytes(podman, inPodman, () => new Uint8Array(1024)));
    const codes = report.findings.map(({ code }) => code);
    assert.equal([codes.includes('diff-id-mismatch'), codes.includes('layer-name-mismatch')], [true, false]);
  });
}
const inDir = `${encodedOf(FAKE)}`;
for (const name of [inDir, `${inDir}.manifest.json`])
  provoke(
    'blob-name-mismatch',
    `in skopeo's dir: ${name.slice(64) || 'a blob'}`,
    () => [...layouts.skopeoDir(item), layouts.file(name, '{}')],
    { severity: 'error', path: name, data: { expected: FAKE, actual: digestOf('{}') } },
  );
provoke(
  'blob-name-mismatch',
  'the config of an archive with blobs and no index',
  () =>
    layouts
      .rulesOci({ image: item, tags: ['app:1'] })
      .map(member =>
        member.path === layouts.blobPath(item.imageId)
          ? layouts.file(member.path, `${Buffer.from(item.configBytes)} `)
          : member,
      ),
  { severity: 'error', path: layouts.blobPath(item.imageId), data: { expected: item.imageId } },
);
const BLAKE3 = `blake3:${'a'.repeat(64)}`;
provoke(
  'digest-unchecked',
  'blake3',
  () => [
    ...withManifest(doc => {
      doc.layers[1].digest = BLAKE3;
    }),
    layouts.file(layouts.blobPath(BLAKE3), item.layers[1]!.blob),
  ],
  { severity: 'warning', pointer: '/layers/1/digest', data: { digest: BLAKE3 } },
);
const MD5 = `md5:${createHash('md5').update(item.layers[1]!.blob).digest('hex')}`;
provoke(
  'digest-weak',
  'a layer by its md5, which is right',
  () => [
    ...withManifest(doc => {
      doc.layers[1].digest = MD5;
    }),
    layouts.file(layouts.blobPath(MD5), item.layers[1]!.blob),
  ],
  { severity: 'error', pointer: '/layers/1/digest', data: { digest: MD5 } },
);
const SHA1 = `sha1:${'a'.repeat(40)}`;
provoke(
  'digest-weak',
  'a sha1 diff_id',
  () =>
    withConfig(doc => {
      doc.rootfs.diff_ids[1] = SHA1;
    }),
  { severity: 'error', pointer: '/rootfs/diff_ids/1', data: { digest: SHA1 } },
);
const SHA512 = digestOf(item.layers[1]!.tar, 'sha512');
provoke(
  'digest-unchecked',
  'a sha512 diff_id',
  () =>
    withConfig(doc => {
      doc.rootfs.diff_ids[1] = SHA512;
    }),
  {
    severity: 'warning',
    pointer: '/rootfs/diff_ids/1',
    data: { digest: SHA512 },
  },
);
provoke(
  'inline-data-mismatch',
  'another config',
  () =>
    withManifest(doc => {
      doc.config.data = Buffer.from('{}').toString('base64');
    }),
  { severity: 'error', pointer: '/config/data', data: { expected: item.imageId, actual: digestOf('{}') } },
);
provoke(
  'unreferenced-blobs',
  'two left over',
  () =>
    layouts.ociLayout({
      manifests: [manifest],
      unreferenced: [
        { digest: digestOf('a'), bytes: Buffer.from('a') },
        { digest: digestOf('bb'), bytes: Buffer.from('bb') },
      ],
    }),
  {
    severity: 'info',
    path: 'blobs',
    data: { count: 2, bytes: 3, paths: [digestOf('a'), digestOf('bb')].map(layouts.blobPath).sort() },
  },
);
provoke('manifest-missing', 'the only one', () => layouts.without(oci, manifestPath), {
  severity: 'error',
  path: 'index.json',
  pointer: '/manifests/0',
  data: { digest: manifest.descriptor.digest },
});
const missingItem = await image({
  layers: [{ files: { x: 'x' } }],
  platform: { os: 'linux', architecture: 'arm64' },
});
const partial = layouts.buildxOci({ platforms: [item], missing: [missingItem], tags: ['app:1'] });
const absentArm64 = layouts.platformManifest(missingItem, { indent: 2 }).descriptor.digest;
provoke('platform-absent', 'one of two', () => partial, {
  severity: 'info',
  pointer: '/manifests',
  data: { here: ['linux/amd64'], absent: [{ digest: absentArm64, platform: 'linux/arm64' }], required: [] },
});
const arm64 = { os: 'linux', architecture: 'arm64', variant: null, osVersion: null };
provoke('platform-absent', '--require-complete', () => readMembers(partial, { requireComplete: true }), {
  severity: 'error',
  data: { required: ['linux/arm64'] },
});
provoke(
  'platform-absent',
  '--require-complete linux/arm64',
  () => readMembers(partial, { requireComplete: arm64 }),
  {
    severity: 'error',
    data: { required: ['linux/arm64'] },
  },
);
provoke(
  'platform-absent',
  '--require-complete of a platform that was never listed',
  () => readMembers(partial, { requireComplete: { ...arm64, architecture: 's390x' } }),
  { severity: 'error', path: 'index.json', data: { absent: [], required: ['linux/s390x'] } },
);
test('--require-complete of a platform that was never listed: the message says which are here', async () => {
  const made = layouts.buildxOci({ platforms: [item], tags: ['app:1'] });
  const { report } = await readMembers(made, { requireComplete: arm64 });
  const { message } = report.findings.find(({ code }) => code === 'platform-absent')!;
  assert.is(message, 'required, but not in the archive: linux/arm64; it has: linux/amd64');
});
test('--require-complete for a present platform does not require others', async () => {
  const requireComplete = { ...arm64, architecture: 'amd64' };
  const { exitCode, report } = await readMembers(partial, { requireComplete });
  assert.is(exitCode, 0);
  assert.equal(
    report.findings.map(({ code, severity }) => [code, severity]),
    [['platform-absent', 'info']],
  );
  assert.is(report.verdicts.complete, true);
  assert.is((await readMembers(partial, { requireComplete: true })).report.verdicts.complete, false);
});
provoke('config-missing', 'of a layout', () => layouts.without(oci, config), {
  severity: 'error',
  path: manifestPath,
  pointer: '/config',
  data: { ref: config },
});
provoke('config-missing', 'of docker save', () => layouts.without(save, configInSave), {
  severity: 'error',
  path: 'manifest.json',
  pointer: '/0/Config',
  data: { ref: configInSave },
});
provoke('layer-missing', 'of a layout', () => layouts.without(oci, upper), {
  severity: 'error',
  path: manifestPath,
  pointer: '/layers/1',
  data: { ref: item.layers[1]!.digest, layer: 1 },
});
provoke('layer-missing', 'of docker save', () => layouts.without(save, layerInSave), {
  severity: 'error',
  path: 'manifest.json',
  data: { ref: layerInSave },
});
provoke(
  'foreign-layer-absent',
  'a Windows base',
  () => withLayer({ files: { a: 'a' }, urls: ['https://example.test/a'], absent: true }),
  {
    severity: 'info',
    pointer: '/layers/0',
    data: { layer: 0, urls: ['https://example.test/a'] },
  },
);

// Images and layers

provoke(
  'platform-mismatch',
  'index and config',
  () =>
    layouts.ociLayout({
      manifests: [layouts.described(manifest, { platform: { os: 'linux', architecture: 's390x' } })],
    }),
  {
    severity: 'warning',
    path: 'index.json',
    pointer: '/manifests/0/platform',
    data: { expected: 'linux/amd64', actual: 'linux/s390x' },
  },
);
provoke(
  'platform-mismatch',
  'one manifest for two platforms',
  () => {
    const as = (architecture: string) =>
      layouts.described(manifest, { platform: { os: 'linux', architecture } });
    return layouts.ociLayout({ manifests: [as('amd64'), as('s390x')] });
  },
  {
    severity: 'warning',
    path: 'index.json',
    pointer: '/manifests/1/platform',
    data: { expected: 'linux/amd64', actual: 'linux/s390x' },
  },
);
provoke(
  'diff-id-mismatch',
  'another diff_id',
  () =>
    withConfig(doc => {
      doc.rootfs.diff_ids[1] = FAKE;
    }),
  {
    severity: 'error',
    path: upper,
    data: { layer: 1, expected: FAKE, actual: item.diffIds[1]! },
  },
);
provoke('diff-ids-missing', 'no rootfs', () => withConfig(doc => void delete doc.rootfs), {
  severity: 'warning',
  pointer: '/rootfs/diff_ids',
  data: {},
});
provoke(
  'layer-count-mismatch',
  'a diff_id too many',
  () => withConfig(doc => void doc.rootfs.diff_ids.push(FAKE)),
  {
    severity: 'error',
    data: { layers: 2, diffIds: 3 },
  },
);
provoke('history-count-mismatch', 'a step too few', () => withConfig(doc => void doc.history.pop()), {
  severity: 'warning',
  pointer: '/history',
  data: { layers: 2, history: 1 },
});
const gzip = item.layers[0]!.blob;
provoke('layer-corrupt', 'cut before it was hashed', () => storedAs(gzip.subarray(0, -10)), {
  severity: 'error',
  data: { layer: 0, codec: 'gzip', cut: true },
});
provoke(
  'layer-corrupt',
  'a wrong checksum',
  () => storedAs(changed(gzip, gzip.length - 6, gzip.at(-6)! ^ 1)),
  {
    severity: 'error',
    data: { layer: 0, codec: 'gzip', cut: false, unpacked: item.layers[0]!.tar.length },
  },
);
provoke('layer-not-tar', 'a text', () => withLayer({ tar: Buffer.from('hello\n'.repeat(200)) }), {
  severity: 'error',
  data: { layer: 0, reason: 'its first 512 bytes are no tar header' },
});
provoke('layer-not-tar', 'JSON', () => withLayer({ tar: Buffer.from('{"a":1}') }), {
  severity: 'error',
  data: { layer: 0, reason: 'it is a JSON document' },
});
test('a layer of 0 bytes is an empty layer', async () => {
  for (const compression of ['none', 'gzip'] as const) {
    const members = await withLayer({ tar: new Uint8Array(0), compression });
    const { report, exitCode } = await readMembers(members);
    assert.equal(report.findings, []);
    assert.equal([report.verdicts.intact, exitCode], [true, 0]);
  }
});
const half = await tarBytes([{ path: 'a', bytes: 'a'.repeat(2000) }]);
provoke(
  'layer-not-tar',
  'cut before it was packed',
  () => withLayer({ tar: half.subarray(0, 1000), compression: 'gzip' }),
  {
    severity: 'error',
    data: { layer: 0, reason: 'it ends inside its entry 1' },
  },
);
const cutSave = (await toTar(save)).subarray(0, 4000);
provoke('documents-missing', 'docker save, cut before its manifest.json', () => readInput(saved(cutSave)), {
  severity: 'error',
  path: '',
  data: {},
});
test('documents-missing: the images of an archive that was cut are unknown', async () => {
  const { report, exitCode } = await readInput(streamOf(cutSave));
  assert.is(report.verdicts.complete, null);
  assert.is(report.verdicts.intact, false);
  assert.is(exitCode, 1);
});
const zipOf = async (second: Uint8Array) =>
  readInput(
    saved(toZip([layouts.file('a.tar', await toTar(save)), layouts.file('b.tar.gz', second)]), 'images.zip'),
  );
provoke(
  'part-unreadable',
  'damaged',
  async () => zipOf(compress(await toTar(save), 'gzip').subarray(0, 60)),
  {
    severity: 'error',
    path: 'b.tar.gz',
    data: {},
  },
);
for (const [what, bytes] of [
  ['an empty file', Buffer.alloc(0)],
  ['a damaged beginning', Buffer.alloc(2048, 'x')],
  ['a compression that is not read', Buffer.from('04224d18', 'hex')],
] as const)
  provoke('part-unreadable', `${what} with the name of a tar`, () => zipOf(bytes), {
    severity: 'error',
    path: 'b.tar.gz',
    data: {},
  });
provoke('part-unreadable', 'a zip in the zip', () => zipOf(toZip([layouts.file('a', 'b')])), {
  severity: 'info',
  path: 'b.tar.gz',
  data: {},
});
provoke('part-unreadable', 'something else', () => zipOf(compress(Buffer.from('{"sbom":1}'), 'gzip')), {
  severity: 'info',
  path: 'b.tar.gz',
  data: {},
});
provoke(
  'zip-entry-unreadable',
  'encrypted, beside an image tarball',
  async () => {
    const zip = Buffer.from(
      toZip([layouts.file('a.tar', await toTar(save)), layouts.file('b.tar', await toTar(save))]),
    );
    zip[zip.lastIndexOf('PK\x01\x02', undefined, 'latin1') + 8]! |= 1;
    return readInput(saved(zip, 'images.zip'));
  },
  { severity: 'error', path: 'b.tar', data: { reason: 'the entry is encrypted' } },
);
test('part-unreadable: the images beside it are reported', async () => {
  const { report, exitCode } = await zipOf(compress(Buffer.from('{"sbom":1}'), 'gzip'));
  assert.is(report.images.length, 1);
  assert.is(exitCode, 0);
});
test('a reference leaves out findings that are only about other images', async () => {
  const broken = layouts.dockerSave([TAGGED, { image: await plainImage('bad'), tags: ['bad:1'] }]);
  const victim = broken.find(m => m.path.endsWith('layer.tar') && !save.some(o => o.path === m.path))!;
  const file = saved(await toTar(layouts.flipByte(broken, victim.path, 600)));
  const reading = await readArchive(file);
  assert.is(verify(reading, { failOn: 'error', ref: 'bad:1' }).exitCode, 1);
  assert.is(verify(reading, { failOn: 'error', ref: 'app:1' }).exitCode, 0);
});
// Made by `xz --check=sha256`: a valid stream, with a check that xz-embedded does not support.
const xzWithSha256 = Buffer.from(
  '/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4Af/ADldADCAM1AYaImDAdzibiEFRld82HL+/YrTwHbLjAH8uiYLZYgTMZVtJ45aMg/Jp4Y9OJxSRC4rbs4AAAAAAADGnPZfJU855Liy306W/e2g/Svl6dysWaOaryWI7sqCYwABbYAQAAAAVC/Alrbp3xwCAAAAAApZWg==',
  'base64',
);
provoke('layer-unsupported', 'xz with a SHA-256 check', () => storedAs(xzWithSha256), {
  severity: 'warning',
  data: { layer: 0, codec: 'xz' },
});
test('layer-unsupported: the verdict intact is unknown', async () => {
  const { report } = await readMembers(await storedAs(xzWithSha256));
  assert.is(report.verdicts.intact, null);
});
const twice = await tarBytes([
  { path: 'etc/a', bytes: '1' },
  { path: './etc//a', bytes: '2' },
]);
const sparse = Buffer.concat([
  paxEntry([
    ['GNU.sparse.major', '0'],
    ['GNU.sparse.minor', '1'],
    ['GNU.sparse.name', 'vast'],
    ['GNU.sparse.size', '9223372036854775807'],
    ['GNU.sparse.map', '0,4'],
  ]),
  rawEntry({ name: 'GNUSparseFile.0/vast' }, 'data'),
  new Uint8Array(1024),
]);
provoke('layer-holes', 'of 8 EiB', () => withLayer({ tar: sparse, compression: 'gzip' }), {
  severity: 'error',
  data: { layer: 0, bytes: 2 ** 63 },
});
provoke('layer-duplicate-path', 'spelled in two ways', () => withLayer({ tar: twice }), {
  severity: 'info',
  data: { layer: 0, path: 'etc/a' },
});
const twoSizes = rawTar(paxEntry([['size', '3']]), rawEntry({ name: 'a', size: 700 }, 'abc'));
provoke('layer-ambiguous', 'two sizes', () => withLayer({ tar: twoSizes }), {
  severity: 'error',
  data: { layer: 0, path: 'a', field: 'size', readings: ['3', '700'], entries: 1 },
});
const linkWithContent = rawTar(
  rawEntry({ name: 'a' }),
  rawEntry({ name: 'b', flag: '1', link: 'a', size: 5 }),
);
provoke('layer-ambiguous', 'a hard link with content', () => withLayer({ tar: linkWithContent }), {
  severity: 'warning',
  data: { layer: 0, path: 'b', field: 'content', readings: ['0', '5'] },
});
const badRecord = rawTar(rawEntry({ name: 'x', flag: 'x' }, '99 path=b\n'), rawEntry({ name: 'a' }));
provoke('layer-record-invalid', 'longer than its header', () => withLayer({ tar: badRecord }), {
  severity: 'error',
  data: { layer: 0, path: 'a', entries: 1 },
});
const long = `${'d/'.repeat(90)}a`;
const longTwice = await tarBytes([
  { path: long, bytes: '1' },
  { path: long, bytes: '2' },
]);
provoke('layer-duplicate-path', 'after a long name', () => withLayer({ tar: longTwice }), {
  severity: 'info',
  data: { layer: 0, path: long },
});
provoke('layer-trailing-bytes', 'after gzip', () => storedAs(Buffer.concat([gzip, Buffer.from('junk')])), {
  severity: 'error',
  data: { layer: 0, codec: 'gzip', bytes: 4 },
});
provoke('layer-trailing-bytes', 'zeros after gzip', () => storedAs(Buffer.concat([gzip, Buffer.alloc(7)])), {
  severity: 'error',
  data: { layer: 0, codec: 'gzip', bytes: 7 },
});
const ended = await tarBytes([{ path: 'a', bytes: '1' }]);
const another = await tarBytes([{ path: 'id_rsa', bytes: '2' }]);
provoke(
  'layer-trailing-bytes',
  'another tar behind the end of the tar',
  () => withLayer({ tar: Buffer.concat([ended, another]) }),
  { severity: 'warning', data: { layer: 0, codec: 'tar', bytes: another.length } },
);
const toc = await tarBytes([{ path: 'stargz.index.json', bytes: 'x'.repeat(2000) }]);
provoke(
  'layer-trailing-bytes',
  "behind eStargz's table of contents",
  () => withLayer({ tar: Buffer.concat([ended, toc, another]) }),
  { severity: 'warning', data: { layer: 0, codec: 'tar', bytes: toc.length + another.length } },
);
provoke(
  'layer-trailing-bytes',
  "eStargz's table of contents, cut",
  () => withLayer({ tar: Buffer.concat([ended, toc.subarray(0, 1536)]) }),
  { severity: 'warning', data: { layer: 0, codec: 'tar', bytes: 1536 } },
);
for (const [what, bytes] of [
  ['zeros, its padding', Buffer.alloc(100_000)],
  ["eStargz's table of contents", toc],
] as const)
  test(`layer-trailing-bytes: behind the end of a tar may be ${what}`, async () => {
    const { report } = await readMembers(await withLayer({ tar: Buffer.concat([ended, bytes]) }));
    assert.equal(report.findings, []);
  });
const SEALED = `${layouts.MEDIA.layer}+gzip+encrypted`;
provoke('layer-encrypted', 'ocicrypt', () => storedAs(Buffer.from('sealed '.repeat(100)), SEALED), {
  severity: 'info',
  pointer: '/layers/0',
  data: { layer: 0, mediaType: SEALED, plain: false },
});
test('layer-encrypted: the content is not known, so intact is unknown', async () => {
  const { report } = await readMembers(await storedAs(Buffer.from('sealed '.repeat(100)), SEALED));
  assert.is(report.verdicts.intact, null);
});
provoke(
  'layer-encrypted',
  'a plain tar labelled so',
  () => layouts.ociLayout({ manifests: [layouts.manifestOf(item, { encrypted: true })] }),
  { severity: 'warning', pointer: '/layers/0', data: { layer: 0, mediaType: SEALED, plain: true } },
);
provoke('diff-id-mismatch', 'a plain tar labelled encrypted', () => storedAs(other.layers[0]!.blob, SEALED), {
  severity: 'error',
  data: { layer: 0 },
});
const SQUASHFS = 'application/vnd.sylabs.image.layer.v1.squashfs';
const squashed = () => withLayer({ tar: Buffer.from(`hsqs${'x'.repeat(600)}`), mediaType: SQUASHFS });
provoke('layer-type-other', 'a file system image', squashed, {
  severity: 'info',
  data: { layer: 0, mediaType: SQUASHFS, plain: false },
});
test('layer-type-other: intact if digests and sizes match', async () => {
  const { report, exitCode } = await readMembers(await squashed());
  assert.equal(
    report.findings.map(({ code }) => code),
    ['layer-type-other'],
  );
  assert.equal([report.verdicts.intact, exitCode], [true, 0]);
});
provoke('layer-type-other', 'a tar all the same', () => withLayer({ tar: half, mediaType: 'text/plain' }), {
  severity: 'info',
  data: { layer: 0, mediaType: 'text/plain', plain: true },
});
provoke(
  'layer-stream-ambiguous',
  'zstd and a tar',
  () => storedAs(rawTar(rawEntry({ name: 'R*M\x18\xf8\x01\0\0' }))),
  {
    severity: 'error',
    data: { layer: 0, codec: 'zstd', tar: true },
  },
);
provoke(
  'layer-stream-ambiguous',
  'a skippable frame first',
  () => storedAs(Buffer.from('522a4d180400000061616161', 'hex')),
  { severity: 'error', data: { layer: 0, codec: 'zstd', tar: false } },
);
provoke(
  'layer-unloadable',
  'a hard link to nothing',
  () => withLayer({ tar: rawTar(rawEntry({ name: 'a', flag: '1', link: 'b' })) }),
  {
    severity: 'error',
    data: {
      layer: 0,
      what: 'hard-link-to-nothing',
      path: 'a',
      other: 'b',
      engines: ['podman', 'docker-classic', 'docker-containerd', 'umoci'],
    },
  },
);
provoke('compression-mismatch', 'plain said, gzip stored', () => storedAs(gzip, layouts.MEDIA.layer), {
  severity: 'warning',
  data: { layer: 0, mediaType: layouts.MEDIA.layer, expected: 'none', actual: 'gzip' },
});
provoke(
  'compression-mismatch',
  'gzip said, plain stored',
  () => withLayer({ files: { a: 'a' }, mediaType: `${layouts.MEDIA.layer}+gzip` }),
  {
    severity: 'warning',
    data: { expected: 'gzip', actual: 'none' },
  },
);

// v1 IDs

const folders = save.filter(({ path }) => path.endsWith('/json')).map(({ path }) => path);
const topJson = folders.find(path => 'parent' in (layouts.memberJson(save, path) as object))!;
provoke(
  'v1-id-mismatch',
  'a JSON with another id',
  () =>
    edit(save, topJson, doc => {
      doc.id = 'e'.repeat(64);
    }),
  {
    severity: 'warning',
    path: topJson,
    pointer: '/id',
    data: { layer: 1, expected: topJson.split('/')[0]!, actual: 'e'.repeat(64) },
  },
);
provoke(
  'v1-id-mismatch',
  'a JSON with another parent',
  () =>
    edit(save, topJson, doc => {
      doc.parent = 'e'.repeat(64);
    }),
  {
    severity: 'warning',
    path: topJson,
    pointer: '/parent',
    data: { layer: 1, actual: 'e'.repeat(64) },
  },
);
provoke(
  'v1-id-mismatch',
  'a JSON that was edited',
  () =>
    edit(save, topJson, doc => {
      doc.author = 'me';
    }),
  {
    severity: 'warning',
    path: topJson,
    pointer: null,
    data: { layer: 1, expected: topJson.split('/')[0]! },
  },
);
const legacy = layouts.dockerV1(TAGGED);
const legacyJsons = legacy.filter(({ path }) => path.endsWith('/json')).map(({ path }) => path);
const isBase = (path: string) => (layouts.memberJson(legacy, path) as Json).parent === undefined;
const [base, top] = [legacyJsons.find(isBase)!, legacyJsons.find(path => !isBase(path))!];
provoke(
  'v1-id-mismatch',
  'Docker 1.9: folder and JSON',
  () =>
    edit(legacy, top, doc => {
      doc.id = 'e'.repeat(64);
    }),
  {
    severity: 'warning',
    path: top,
    pointer: '/id',
    data: { actual: 'e'.repeat(64) },
  },
);
const folderOf = (path: string) => path.split('/')[0]!;
provoke(
  'v1-parent-missing',
  'the base layer is absent',
  () => legacy.filter(({ path }) => !path.startsWith(folderOf(base))),
  { severity: 'error', path: top, data: { parent: folderOf(base) } },
);
provoke(
  'v1-parent-cycle',
  'its own ancestor',
  () =>
    edit(legacy, base, doc => {
      doc.parent = folderOf(top);
    }),
  {
    severity: 'error',
    path: top,
    data: { id: folderOf(top) },
  },
);

/** A signed image, judged by a verifier that comes to one outcome about every signature; null verifies none. */
async function requiring(members: Members, outcome: Verification | null): Promise<Reading> {
  const { reading } = await readMembers(members);
  const verifier = outcome === null ? null : () => outcome;
  const requirement = requirementOf(
    (all, chosen) => judgementOf(all, readSignatures(all, chosen, verifier)),
    '',
  );
  const { data, exitCode } = verify(reading, { failOn: 'error', requirements: [requirement] });
  return { reading, report: data as VerifyReport, exitCode };
}

const key = newSigner();
const bySigner = verified({ kind: 'key', fingerprint: 'ab'.repeat(32), log: null });
const appManifest = layouts.platformManifest(other);
const signature = withKind(cosign2(appManifest, key), 'sigs');
const signed = layouts.ociLayout({ manifests: [appManifest, signature] });
const signaturePath = layouts.blobPath(signature.descriptor.digest);
const expiry = { subject: 'CN=a', notBefore: '2020', notAfter: '2021', at: '2022', by: 'log' } as const;

provoke(
  'image-unsigned',
  'a required signature',
  () => requiring(layouts.ociLayout({ manifests: [appManifest] }), bySigner),
  {
    severity: 'error',
    path: layouts.blobPath(appManifest.descriptor.digest),
    data: { digest: appManifest.descriptor.digest, attestations: 0, engines: [] },
  },
);
provoke(
  'image-unsigned',
  'an image that engines load beside the signed one',
  () =>
    requiring(
      [
        layouts.file('x/../manifest.json', layouts.memberBytes(hidden, 'manifest.json')),
        ...hidden.filter(({ path }) => path !== 'manifest.json'),
        ...signedSave(TAGGED, key),
      ],
      bySigner,
    ),
  { severity: 'error', data: { digest: null, engines: ['podman', 'skopeo-docker-archive'] } },
);
provoke(
  'signed-image-missing',
  'a chart',
  () => requiring(layouts.ociLayout({ manifests: [layouts.artifact({ type: 'a/b' })] }), bySigner),
  { severity: 'error', data: {} },
);
provoke('signature-unverified', 'nothing is trusted', () => requiring(signed, null), {
  severity: 'warning',
  path: signaturePath,
  pointer: '/layers/0',
  data: { count: 1 },
});
provoke(
  'signature-other-digest',
  'a signature of another manifest',
  () =>
    requiring(
      layouts.ociLayout({
        manifests: [
          appManifest,
          withTag(cosign2(`sha256:${'1'.repeat(64)}`, key), tagFor(appManifest, '.sig')),
        ],
      }),
      bySigner,
    ),
  {
    severity: 'error',
    data: { signs: [`sha256:${'1'.repeat(64)}`], expected: appManifest.descriptor.digest, verified: true },
  },
);

const digestText = 'cd'.repeat(32);
const FAILURES: readonly [FailureCode, readonly Verification[]][] = [
  [
    'signature-unreadable',
    [
      refused('malformed', { part: 'chain' }),
      refused('too-large', { of: 'log-entries', found: 99, most: 32 }),
      refused('bundle-version-unknown', { mediaType: 'v9' }),
      undecided('not-readable', {}),
    ],
  ],
  [
    'signature-invalid',
    [
      refused('signature-invalid', { key: null }),
      refused('signature-invalid', { key: digestText }),
      refused('payload-mismatch', {}),
      refused('log-entry-mismatch', { of: 'payload' }),
      refused('attribute-unsupported', { name: 'a', value: 'b' }),
      refused('attribute-missing', { name: 'a' }),
      refused('algorithm-mismatch', { algorithm: 'RS256', required: 'PS256' }),
    ],
  ],
  [
    'signer-mismatch',
    [
      refused('key-mismatch', { signedBy: null, keys: [digestText] }),
      refused('identity-mismatch', { identities: [] }),
      refused('issuer-mismatch', { identity: 'a@b.c', issuer: null }),
    ],
  ],
  [
    'signature-expired',
    [refused('certificate-expired', expiry), refused('signature-expired', { expiry: '1', now: '2' })],
  ],
  [
    'signature-certificate-invalid',
    [
      refused('certificate-untrusted', { issuer: 'CN=x' }),
      refused('certificate-unsuitable', { subject: '', reason: 'weak-key' }),
      refused('certificate-log-missing', {}),
      refused('certificate-log-invalid', {}),
      refused('log-entry-mismatch', { of: 'signer' }),
    ],
  ],
  [
    'signature-log-missing',
    [refused('log-entry-missing', {}), refused('log-proof-missing', {}), refused('timestamp-missing', {})],
  ],
  [
    'signature-log-invalid',
    [
      refused('log-entry-mismatch', { of: 'signature' }),
      refused('log-entry-mismatch', { of: 'body' }),
      refused('log-promise-invalid', {}),
      refused('log-proof-invalid', { of: 'checkpoint' }),
      refused('timestamp-invalid', {}),
      refused('timestamp-untrusted', {}),
    ],
  ],
  [
    'trusted-root-outdated',
    [
      undecided('authority-unknown', { of: 'log', id: 'ab' }),
      undecided('authority-time', { of: 'certificate-authority', at: '2026' }),
    ],
  ],
  [
    'signature-undecided',
    [
      undecided('no-trust', { needs: ['key', 'identity'] }),
      undecided('gpg-not-verified', {}),
      undecided('log-entry-unsupported', { entry: 'x' }),
      undecided('certificate-unsupported', { subject: 'CN=a', extension: '1.2.3' }),
    ],
  ],
];
for (const [code, outcomes] of FAILURES) {
  for (const outcome of outcomes) {
    const { cause, data } = outcome as Exclude<Verification, { outcome: 'verified' }>;
    provoke(code, cause, () => requiring(signed, outcome), {
      severity: 'error',
      path: signaturePath,
      pointer: '/layers/0',
      data: { format: 'cosign-simple', cause, details: { ...data }, more: 0 },
    });
  }
}

test('every finding of every kind names a place within the archive', async () => {
  const members = layouts.skopeoOci(TAGGED);
  const inside = toZip([layouts.file('a/b.tar', await toTar(layouts.flipByte(members, lower, -1)))]);
  const { report } = await readInput(saved(inside, 'placed.zip'));
  assert.ok(
    report.findings.every(({ at }) => at.path.startsWith('a/b.tar!/')),
    JSON.stringify(report.findings),
  );
});

test('findings beyond the limit of one kind are counted', async () => {
  const odd = Array.from({ length: 30 }, (_, i) => layouts.file(`blobs/sha256/odd-${i}`, ''));
  const { report } = await readMembers([...oci, ...odd], { limits: { findingsPerCode: 10 } });
  const found = report.findings.filter(({ code }) => code === 'blob-name-odd');
  assert.is(found.length, 10);
  assert.match(found.at(-1)!.message, /and 20 more like this/);
});

test('a directory from which a file disappears is still read', async () => {
  const folder = toDirectory(layouts.without(oci, upper), join(temporary('findings'), 'dir'));
  const { report, exitCode } = await readInput(folder);
  assert.equal(
    report.findings.map(({ code }) => code),
    ['layer-missing'],
  );
  assert.is(exitCode, 1);
});

test('archive-unreadable: an archive without a report is a finding for formats of CI systems', async () => {
  covered.add('archive-unreadable');
  const error = new InputError('no such file or directory', 'app.tar', 'Name another\nfile.');
  const { findings, archives, exitCode } = await failedResult('app.tar', error, new Audit());
  assert.equal(
    [exitCode, archives],
    [2, [{ archive: 'app.tar', exitCode: 2, error: error.what, hidden: 0 }]],
  );
  const [{ code, severity, isFailing, message, archive }] = findings as [ReportedFinding];
  assert.equal([code, severity, isFailing, archive], ['archive-unreadable', 'error', true, 'app.tar']);
  assert.is(message, 'no report of this archive: no such file or directory. Name another file.');
});

/** Findings of `verify --lock`, which depend on the lock as well as on the archive. */
function provokeByLock<C extends FindingCode>(
  code: C,
  name: string,
  judged: () => Promise<Verified>,
  expected: Expected<C>,
): void {
  const read = async () => {
    const { result } = await judged();
    return { reading: null as never, report: result.data as VerifyReport, exitCode: result.exitCode };
  };
  provoke(code, name, read, expected);
}

const lockOfItem = await lockOfMembers(oci);
const healthy = await image({
  layers: [{ files: { a: 'a' } }],
  config: { config: { Healthcheck: { Test: ['CMD', 'x'] } } },
});
const unhealthy = assemble(bytesOf(goJson({ ...healthy.config, config: {} })), healthy.layers);
const elsewhere = layouts.skopeoOci({ image: other, tags: ['else:1'] });
const withLock = (tagged: Image, lock: string, asked: Asked = {}) =>
  verifiedMembers(layouts.skopeoOci({ image: tagged, tags: ['app:1'] }), lock, asked);
provokeByLock('lock-image-other', 'another image of the name', () => withLock(other, lockOfItem), {
  severity: 'error',
  data: { lock: 'the.lock', locked: 'app:1 (linux/amd64)', layers: [0, 1], reordered: false },
});
provokeByLock('lock-image-extra', 'an image of another name', () => verifiedMembers(elsewhere, lockOfItem), {
  severity: 'error',
  data: { digest: other.imageId },
});
provokeByLock(
  'lock-image-missing',
  'an image that is not here',
  () => verifiedMembers(elsewhere, lockOfItem),
  { severity: 'error', path: '', data: { locked: 'app:1 (linux/amd64)', digest: item.imageId } },
);
provokeByLock(
  'lock-grade-low',
  'the config where the manifest is asked for',
  () => verifiedMembers(save, lockOfItem, { least: 'manifest' }),
  { severity: 'error', data: { grade: 'config', least: 'manifest' } },
);
provokeByLock(
  'lock-field-lost',
  'without its health check',
  async () =>
    withLock(unhealthy, await lockOfMembers(layouts.dockerSave({ image: healthy, tags: ['app:1'] }))),
  { severity: 'warning', data: { fields: ['Healthcheck'] } },
);
provokeByLock(
  'lock-field-unlocked',
  'a health check that an OCI config has not',
  async () =>
    withLock(healthy, await lockOfMembers(layouts.skopeoOci({ image: unhealthy, tags: ['app:1'] }))),
  { severity: 'warning', data: { fields: ['Healthcheck'] } },
);
provokeByLock(
  'lock-attached-missing',
  'an attestation that was locked',
  async () => {
    const attested = layouts.buildxOci({ platforms: [item], tags: ['app:1'], attestations: true });
    return verifiedMembers(oci, await lockOfMembers(attested));
  },
  { severity: 'warning', data: { lock: 'the.lock' } },
);
provokeByLock(
  'lock-name-other',
  'another name',
  () => verifiedMembers(layouts.dockerSave({ image: item, tags: ['else:1'] }), lockOfItem),
  { severity: 'info', data: { expected: ['app:1'], actual: ['else:1'], taken: [] } },
);
provokeByLock(
  'lock-undecided',
  'a layer that is changed',
  () => {
    const layer = save.find(({ path }) => path.endsWith('layer.tar'))!;
    return verifiedMembers(layouts.flipByte(save, layer.path, 600), lockOfItem);
  },
  { severity: 'error', data: { lock: 'the.lock' } },
);
provokeByLock(
  'lock-file-other',
  'a file of another digest',
  async () => verifiedByLock(await toTar(oci), `${'0'.repeat(64)}  locked.tar\n`),
  { severity: 'error', path: '', data: { locked: 'locked.tar', expected: FAKE } },
);

test('every code has a case here', () => {
  assert.equal(
    Object.keys(rules).filter(code => !covered.has(code)),
    [],
  );
});

test.run();
