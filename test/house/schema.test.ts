// The published JSON Schema, compared with every report of the corpus and the samples.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { basesIn } from '../../src/commands/base.js';
import { loadAgainst } from '../../src/commands/check/against.js';
import { mergeFiles } from '../../src/commands/merge/index.js';
import { judgementOf, readSignatures, requirementOf } from '../../src/commands/signatures/requirement.js';
import {
  attestationsReport,
  Check,
  filesReport,
  InputError,
  idsReport,
  overviewReadOptions,
  overviewReport,
  packagesReadOptions,
  packagesReport,
  readArchive,
  reportOf,
  showReport,
  signatures,
  sizesOf,
  verify,
  wasteReport,
} from '../../src/commands.js';
import { composePolicy } from '../../src/policy/compose.js';
import type { Verifier } from '../../src/signatures/survey.js';
import { refused, undecided, type VerifiedBy, verified } from '../../src/signatures/verify/verification.js';
import { waybill } from '../support/cli.js';
import { corpus, hasCorpus, NO_SHARED_FOLDER, repositoryRoot, testWhen } from '../support/corpus.js';
import { broken, finding, item, layer as layerOf, image as shared, writeResults } from '../support/fleet.js';
import { type FileSpec, image, type LayerSpec, plainImage } from '../support/image.js';
import {
  artifact,
  attestation,
  blobOf,
  blobPath,
  described as descriptorWith,
  file,
  manifestOf,
  ociLayout,
  platformManifest,
  replaceBytes,
  skopeoOci,
  without,
} from '../support/layouts.js';
import { lockOfMembers, verified as verifiedByLock } from '../support/locks.js';
import { toTar, toZip } from '../support/pack.js';
import { readMembers, saved } from '../support/reading.js';
import { cyclonedx } from '../support/sboms.js';
import { cosign2, cosign3, newSigner, tagFor, withKind, withTag } from '../support/signed.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';

interface Node {
  readonly $ref?: string;
  readonly allOf?: readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly $defs?: Readonly<Record<string, Node>>;
}

const schema = JSON.parse(readFileSync(join(repositoryRoot, 'docs/schema.json'), 'utf8')) as Node;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema);

/** Properties of the schema that a report has had, as JSON pointers into the schema. */
const seen = new Set<string>();
let reports = 0;

/** An archive that cannot be read, or an image without the requested layer, gives no report. */
async function valid(what: string, make: () => unknown): Promise<void> {
  const made = await unlessBadInput(async () => make());
  if (made === null) return;
  const report = JSON.parse(JSON.stringify(made)) as unknown;
  assert.ok(validate(report), `${what}: ${JSON.stringify(validate.errors?.slice(0, 20), null, 1)}`);
  note(schema, '#', report);
  reports++;
}

async function unlessBadInput<T>(make: () => Promise<T>): Promise<T | null> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return null;
  }
}

const nodeAt = (pointer: string): Node =>
  pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], schema) as Node;

/** Records the properties of a valid value. */
function note(node: Node, pointer: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (node.$ref !== undefined) note(nodeAt(node.$ref), node.$ref, value);
  for (const combined of ['allOf', 'anyOf'] as const)
    for (const [i, one] of (node[combined] ?? []).entries()) note(one, `${pointer}/${combined}/${i}`, value);
  if (Array.isArray(value)) {
    if (node.items !== undefined) for (const item of value) note(node.items, `${pointer}/items`, item);
    return;
  }
  const { properties } = node;
  if (properties === undefined) return;
  for (const [name, part] of Object.entries(value)) {
    const own = `${pointer}/properties/${name}`;
    seen.add(own);
    note(properties[name]!, own, part);
  }
}

/** Every property that the schema describes. */
function described(node: Node, pointer: string): string[] {
  const { properties = {}, $defs = {}, items } = node;
  const inProperties = Object.entries(properties).flatMap(([name, part]) => {
    const own = `${pointer}/properties/${name}`;
    return [own, ...described(part, own)];
  });
  const inDefinitions = Object.entries($defs).flatMap(([name, part]) =>
    described(part, `${pointer}/$defs/${name}`),
  );
  const inCombined = (['allOf', 'anyOf'] as const).flatMap(combined =>
    (node[combined] ?? []).flatMap((one, i) => described(one, `${pointer}/${combined}/${i}`)),
  );
  const inItems = items === undefined ? [] : described(items, `${pointer}/items`);
  return [...inProperties, ...inDefinitions, ...inCombined, ...inItems];
}

/** Digests for `waste`, and the databases for `sizes --by package`: one reading for all commands. */
const everything = {
  ...overviewReadOptions,
  files: { ...overviewReadOptions.files, ...packagesReadOptions.files },
};

/** Every property of a policy has a value. */
const POLICY = `extends: strict@1
rules:
  file-size: 1
  unreferenced-blobs: warning
exceptions:
  - { rule: no-latest, images: ["**"], platforms: [linux/amd64], paths: ["**"], reason: x, expires: 1971-01-01 }
  - { rule: user-not-root, reason: x }
`;
const { policy } = await composePolicy({ presets: [], files: ['-'], diveCi: null }, async () => ({
  text: POLICY,
}));

const samples = readdirSync(join(repositoryRoot, 'samples'))
  .filter(name => /\.(tar|gz|zip)$/.test(name))
  .map(name => ({ id: name, file: join(repositoryRoot, 'samples', name) }));

/** Rare content: sparse files, attributes, devices, damaged databases, links to nothing, several archives in one. */
async function rarities(): Promise<string> {
  const files = (mtime: number): Readonly<Record<string, FileSpec>> => ({
    'dev/null': { type: 'character-device', device: [1, 3], mtime },
    'bin/ping': { bytes: 'ping', mtime, pax: { 'SCHILY.xattr.security.capability': 'net_raw' } },
    'var/sparse': { bytes: 'x', mtime, pax: SPARSE },
    'var/log': { bytes: 'same', mtime },
    'var/log.1': { type: 'link', link: 'var/log', mtime },
    'var/lib/rpm/rpmdb.sqlite': { bytes: 'no database', mtime },
    'var/run': { type: 'link', link: 'run', mtime },
  });
  const odd = { tar: rawTar(rawEntry({ name: 'a\xff', flag: '2', link: 'b\xff' })) };
  const config = {
    Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9, Timeout: 1e9, StartPeriod: 1e9, Retries: 2 },
    ExposedPorts: { '80/tcp': {} },
    Volumes: { '/data': {} },
    StopSignal: 'SIGINT',
    Shell: ['/bin/sh', '-c'],
  };
  const made = await image({ layers: [{ files: files(1) }, { files: files(2) }, odd], config: { config } });
  const annotations = { 'containerd.io/distribution.source.docker.io': 'library/hello' };
  const layout = ociLayout({ manifests: [descriptorWith(platformManifest(made), { annotations })] });
  const tar = await toTar(layout);
  return saved(toZip([file('a.tar', tar), file('b.tar', tar)]), 'rarities.zip');
}

const SPARSE = {
  'GNU.sparse.major': '0',
  'GNU.sparse.minor': '1',
  'GNU.sparse.size': '4096',
  'GNU.sparse.numblocks': '1',
  'GNU.sparse.map': '0,1',
};

const rare = { id: 'rarities', file: await rarities() };

for (const { id, file } of [...samples, rare, ...corpus()]) {
  test(`schema: ${id}`, async () => {
    const reading = await unlessBadInput(() => readArchive(file));
    if (reading === null) return;
    await valid(`${id} verify`, () => reportOf(reading));
    await valid(`${id} ids`, () => idsReport(reading, { find: 'sha256:44136fa3' }));
    const brief = await readArchive(file, { depth: 'metadata' });
    await valid(`${id} show`, () => showReport(brief));
  });

  test(`schema, sizes: ${id}`, async () => {
    const reading = await unlessBadInput(() => readArchive(file, everything));
    if (reading === null) return;
    await valid(`${id} sizes`, () => sizesOf(reading));
    for (const by of ['layer', 'directory', 'extension', 'package'] as const)
      await valid(`${id} sizes --by ${by}`, () => sizesOf(reading, { by, top: 100 }));
    await valid(`${id} files`, () => filesReport(reading));
    await valid(`${id} files --in 1`, () => filesReport(reading, { in: '1' }));
    await valid(`${id} files --in 2`, () => filesReport(reading, { in: '2' }));
    await valid(`${id} files --tree`, () => filesReport(reading, { tree: true, top: 20 }));
    await valid(`${id} files --all-layers`, () => filesReport(reading, { allLayers: true }));
    await valid(`${id} waste`, () => wasteReport(reading));
    await valid(`${id} packages`, () => packagesReport(reading));
    await valid(`${id} attestations`, () => attestationsReport(reading, { compare: true }));
    await valid(`${id} report`, () => overviewReport(reading));
    const check = new Check({ policy, context: { now: 0, epoch: null }, failOn: 'error' });
    await valid(`${id} check`, () => check.alone(reading, {}).data);
  });
}

test('schema: a lock', async () => {
  const lock = await lockOfMembers(skopeoOci({ image: await plainImage(), tags: ['a:1'] }));
  const { result } = await verifiedByLock(rare.file, lock);
  await valid('verify --lock', () => result.data);
});

/** An image of a base and two layers, and what it was before. */
async function compared(): Promise<{ readonly before: string; readonly base: string; readonly now: string }> {
  const root: LayerSpec = {
    files: { 'lib/apk/db/installed': 'P:musl\nV:1\nF:lib\nR:libc.so\n\n', 'lib/libc.so': 'l'.repeat(2000) },
  };
  const install: LayerSpec = {
    files: {
      'lib/apk/db/installed': 'P:musl\nV:2\nA:x86_64\nF:lib\nR:libc.so\n\n',
      'app/x': 'x'.repeat(5000),
      'bin/su': { bytes: 'x', mode: 0o4755 },
    },
  };
  const old = {
    Env: ['A=1', 'B=1'],
    ExposedPorts: { '80/tcp': {} },
    User: '1',
    Cmd: ['a'],
    Entrypoint: ['b'],
  };
  const own = { Env: ['A=2', 'C=1'], ExposedPorts: { '81/tcp': {} }, Cmd: ['c'], Entrypoint: ['d'] };
  const archive = async (
    name: string,
    layers: readonly LayerSpec[],
    config: Readonly<Record<string, unknown>>,
  ) => {
    const packed = layers.map((layer): LayerSpec => ({ ...layer, compression: 'gzip' }));
    const tagged = { image: await image({ layers: packed, config: { config } }), tags: ['app:1'] };
    return saved(await toTar(skopeoOci(tagged)), name);
  };
  return {
    before: await archive('before.tar', [root, { files: { 'srv/y': 'y'.repeat(3000) } }], old),
    base: await archive('base.tar', [root], old),
    now: await archive('now.tar', [root, install], own),
  };
}

test('bases, inventories and comparisons', async () => {
  const { before, base, now } = await compared();
  const bases = basesIn(await readArchive(base)).bases;
  const reading = await readArchive(now, everything);
  await valid('sizes --base', () => sizesOf(reading, { by: 'directory', bases }));
  await valid('waste --base', () => wasteReport(reading, { bases }));
  await valid('packages --base', () => packagesReport(reading, { bases, by: 'type' }));
  const against = await loadAgainst({ archive: before }, readArchive);
  const context = { now: 0, epoch: null, bases, against };
  const check = new Check({ policy, context, failOn: 'error', inventory: true });
  await valid('check --against', () => check.alone(reading, {}).data);
  const less = await readArchive(await withoutALayer(), everything);
  await valid('check --against, a layer missing', () => check.alone(less, {}).data);
});

async function withoutALayer(): Promise<string> {
  const made = await image({ layers: [{ files: { a: 'a' } }, { files: { b: 'b' } }] });
  const members = skopeoOci({ image: made, tags: ['app:1'] });
  return saved(await toTar(without(members, blobPath(made.layers[1]!.digest))), 'less.tar');
}

test('a secret in several places has all paths', async () => {
  const value = 'DB_PASSWORD=Gh7kWq2mPz';
  const made = await image({ layers: [{ files: { '.env': value } }], config: { config: { Env: [value] } } });
  const file = await saved(await toTar(skopeoOci({ image: made, tags: ['app:1'] })), 'secret.tar');
  const { stdout } = await waybill(['check', file, '--json']);
  await valid('check of a secret', () => JSON.parse(stdout));
});

test('documents: an SBOM that differs, and one that cannot be read', async () => {
  const own = platformManifest(
    await image({ layers: [{ files: { 'lib/apk/db/installed': 'P:musl\nV:1\n\n' } }] }),
  );
  const attached = (document: string) => {
    const type = 'application/vnd.cyclonedx+json';
    return artifact({ type, layers: [blobOf(type, document)], subject: own });
  };
  const sbom = attached(JSON.stringify(cyclonedx([{ name: 'musl', purl: 'pkg:apk/alpine/musl@2' }])));
  const swapped = attached(JSON.stringify(cyclonedx([])));
  const { digest } = swapped.blobs.find(({ bytes }) => Buffer.from(bytes).includes('CycloneDX'))!;
  const members = replaceBytes(
    ociLayout({
      manifests: [own, sbom, swapped, attached('{'), attached(JSON.stringify({ x: 'x'.repeat(5000) }))],
    }),
    blobPath(digest),
    () => '{"bomFormat":"CycloneDX","components":[1]}',
  );
  const { reading } = await readMembers(members, everything);
  await valid('attestations --compare', () => attestationsReport(reading, { compare: true }));
  const { reading: small } = await readMembers(members, { ...everything, limits: { documentBytes: 4000 } });
  await valid('attestations within a limit', () => attestationsReport(small, { compare: true }));
});

test('for several archives each line has a report or an error', async () => {
  for (const command of ['show', 'verify', 'check', 'ids', 'sizes', 'waste', 'packages', 'attestations']) {
    const { stdout } = await waybill([command, join(repositoryRoot, 'samples'), 'no-such.tar', '--json']);
    const lines = stdout.trimEnd().split('\n');
    assert.is(lines.length, samples.length + 1);
    for (const line of lines) await valid(`${command} of several`, () => JSON.parse(line));
  }
});

test('what a baseline hides is counted', async () => {
  const baseline = join(temporary('schema'), 'baseline.json');
  for (const command of ['verify', 'check', 'report'])
    for (const more of [['--update-baseline'], []]) {
      const args = [
        command,
        join(repositoryRoot, 'samples/broken-layer.tar'),
        '--baseline',
        baseline,
        '--json',
      ];
      const { stdout } = await waybill([...args, ...more]);
      assert.is(JSON.parse(stdout).baseline.hidden, 2);
      await valid(`${command} with a baseline`, () => JSON.parse(stdout));
    }
});

/** One image with every kind of signature, signer and fault that the schema describes. */
test('schema: signatures, listed and required', async () => {
  const reading = await readArchive(await manySignatures());
  await valid('signatures', () => signatures(reading, { verifier: null }).data);
  const by: readonly VerifiedBy[] = [
    { kind: 'key', fingerprint: 'ab', log: null },
    {
      kind: 'certificate',
      identity: 'a',
      issuer: null,
      signedAt: '2026',
      log: { log: 'cd', index: '1', at: null },
    },
    { kind: 'notation', subject: 'CN=a', store: 'ca/a', signedAt: null },
  ];
  const verifiers: readonly Verifier[] = [
    ...by.map(one => () => verified(one)),
    () => refused('signature-invalid', { key: null }),
    () => undecided('no-trust', { needs: ['key'] }),
  ];
  for (const verifier of verifiers) {
    await valid('signatures, verified', () => signatures(reading, { verifier }).data);
    const requirement = requirementOf(
      (all, chosen) => judgementOf(all, readSignatures(all, chosen, verifier)),
      '',
    );
    await valid('verify --key', () => verify(reading, { failOn: 'error', requirements: [requirement] }).data);
  }
});

async function manySignatures(): Promise<string> {
  const signer = newSigner();
  const manifest = platformManifest(await plainImage('signed'));
  const sbom = artifact({ type: 'application/spdx+json', subject: manifest });
  const signature = cosign2(manifest, signer);
  const evil = manifestOf(await plainImage('evil'));
  const lie = { ...evil, descriptor: { ...evil.descriptor, digest: `sha256:${'1'.repeat(64)}` } };
  const members = ociLayout({
    manifests: [
      manifest,
      sbom,
      attestation(manifest),
      lie,
      withKind(signature, 'sigs'),
      withTag(cosign2(manifest, signer, { annotations: { again: '1' } }), tagFor(manifest, '.sig')),
      cosign3(manifest, signer, {
        predicateType: 'https://slsa.dev/provenance/v1',
        more: [lie.descriptor.digest],
      }),
      cosign2(sbom, signer),
      withKind(artifact({ type: 'a/b', layers: [blobOf('a/b', 'x')] }), 'sigs'),
    ],
  });
  const falsely = file(blobPath(lie.descriptor.digest), evil.blobs[0]!.bytes);
  return saved(await toTar([...members, falsely]), 'signatures.tar');
}

test('each line of ndjson is a finding as the schema describes it', async () => {
  const folder = temporary('schema-lines');
  const steps = [
    'COPY rootfs/ /',
    'ENV GREETING=Hello',
    'COPY app/ /app/',
    'RUN rm /app/notes.txt && tidy /app/LICENSE',
  ];
  const settings = [
    'LABEL org.opencontainers.image.title=hello',
    'WORKDIR /app',
    'USER 1000:1000',
    'ENTRYPOINT ["/bin/hello"]',
    'CMD ["world"]',
  ];
  writeFileSync(join(folder, 'Dockerfile'), ['FROM scratch', ...steps, ...settings].join('\n'));
  const files = ['broken-layer.tar', 'truncated.tar', 'nowhere.tar'].map(name =>
    join(repositoryRoot, 'samples', name),
  );
  const pointer = '#/$defs/reportedFinding';
  const isLine = new Ajv({ allowUnionTypes: true })
    .addSchema(schema, 'schema')
    .getSchema(`schema${pointer}`)!;
  const how = ['--dockerfile', join(folder, 'Dockerfile'), '--format', 'ndjson'];
  const { stdout } = await waybill(['verify', ...files, ...how]);
  const lines: unknown[] = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.is(lines.length, 4);
  const links = Array.from({ length: 3 }, (_, i) => [`f${i}`, { bytes: 'x', mode: 0o666 }] as const);
  const open = await image({ layers: [{ files: Object.fromEntries(links) }] });
  const many = await saved(await toTar(skopeoOci({ image: open, tags: ['app:1'] })), 'many.tar');
  const limited = [
    'check',
    many,
    '--preset',
    'strict@1',
    '--limit',
    'findingsPerCode=1',
    '--format',
    'ndjson',
  ];
  for (const line of (await waybill(limited)).stdout.trimEnd().split('\n')) lines.push(JSON.parse(line));
  for (const line of lines) {
    assert.ok(isLine(line), JSON.stringify(isLine.errors));
    note(nodeAt(pointer), pointer, line);
  }
});

test('the schema refuses an incomplete line', async () => {
  const line = { file: 'a.tar', sha256: null, exitCode: 2, error: { what: 'no such file', remedy: null } };
  assert.ok(validate(line));
  const { sha256: _, ...without } = line;
  for (const wrong of [
    without,
    { ...line, schemaVersion: 1 },
    { ...line, exitCode: 3 },
    { ...line, sha256: 'x' },
  ])
    assert.not.ok(validate(wrong), JSON.stringify(wrong));
});

test('schema: findings beyond the limit', async () => {
  const many = Array.from({ length: 3 }, (_, i) => file(`blobs/sha256/odd${i}`, 'x'));
  const layout = [...ociLayout({ manifests: [] }), ...many];
  const reading = await readArchive(saved(await toTar(layout)), { limits: { findingsPerCode: 1 } });
  await valid('verify', () => reportOf(reading));
});

test('schema: the report of a fleet', async () => {
  const validFleet = new Ajv({ allErrors: true, allowUnionTypes: true })
    .addSchema(schema, 'waybill')
    .getSchema('waybill#/$defs/fleet')!;
  const base = shared(['base:1'], [layerOf('base', 10, 20)]);
  const claim = { name: 'base:1', digest: base.manifestDigest };
  const app = shared(['app:1'], [layerOf('base', 10, 20), layerOf('app', 1, 2)], { base: claim });
  const sha256 = `sha256:${'0'.repeat(64)}`;
  const items = [
    item('a.tar', { images: [base], sha256, passed: true }),
    item('b.tar', { images: [app, shared(['app:1'], [layerOf('other', 1, 2)])], sha256 }),
    item('c.tar', { exitCode: 1, findings: [finding('digest-mismatch', 'error', true, 'wrong')] }),
    item('d\ufffd.tar', { pathBytes: Buffer.from('d\xff.tar', 'latin1').toString('base64') }),
    broken('e.tar', 'it is cut'),
  ];
  for (const files of [
    writeResults(temporary('fleet'), items, { shards: 2 }),
    writeResults(temporary('fleet'), items, { shards: 2 }).slice(1),
  ])
    await mergeFiles(
      {
        files,
        list: null,
        root: null,
        allowPartial: true,
        view: { units: 'si', top: 5 },
        exists: () => false,
        within: work => work(() => {}),
      },
      async ({ data }) => {
        const report = JSON.parse(JSON.stringify(data));
        assert.ok(validFleet(report), JSON.stringify(validFleet.errors?.slice(0, 9), null, 1));
        note(nodeAt('#/$defs/fleet'), '#/$defs/fleet', report);
      },
    );
});

test('schema: the lines of results of many archives', async () => {
  const isLine = new Ajv({ allErrors: true, allowUnionTypes: true })
    .addSchema(schema, 'waybill')
    .getSchema('waybill#/$defs/resultLine')!;
  const folder = temporary('many');
  const labels = { 'org.opencontainers.image.base.name': 'alpine:3' };
  const based = await image({ layers: [], config: { config: { Labels: labels } } });
  writeFileSync(join(folder, 'based.tar'), await toTar(skopeoOci([{ image: based }])));
  writeFileSync(join(folder, 'broken.tar'), new Uint8Array(1024));
  writeFileSync(join(folder, 'notes.txt'), 'no archive');
  const notUtf8 = (byte: number) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([byte])]);
  writeFileSync(notUtf8(0xff), readFileSync(join(folder, 'based.tar')));
  writeFileSync(notUtf8(0xfe), 'no archive');
  const args = [
    'scan',
    folder,
    join(repositoryRoot, 'samples'),
    '--preset',
    'default@1',
    '-o',
    '-',
    '--require-signature',
  ];
  const { stdout, stderr } = await waybill(args);
  const lines = stdout.trimEnd().split('\n');
  assert.ok(lines.length > 10, stderr);
  for (const line of lines) {
    const value = JSON.parse(line);
    assert.ok(isLine(value), `${line}: ${JSON.stringify(isLine.errors?.slice(0, 9), null, 1)}`);
    const pointer = `#/$defs/${value.kind}Record`;
    note(nodeAt(pointer), pointer, value);
  }
});

test('most archives give reports', () => {
  assert.ok(reports > 10 * samples.length, `${reports} reports`);
});

testWhen(
  test,
  hasCorpus,
  NO_SHARED_FOLDER,
)('every property that the schema describes is in some report', () => {
  assert.equal(
    described(schema, '#').filter(pointer => !seen.has(pointer)),
    [],
  );
});

test('the schema refuses data that is not a report', () => {
  assert.not.ok(validate({ schemaVersion: 2 }));
});

type Open = Record<string, unknown>;
type OpenReport = Open & {
  platforms: Open[];
  images: (Open & { sizes: Open; waste: Open; files: Open[]; layers: Open[] })[];
};

test('the schema refuses unknown properties', async () => {
  const reading = await readArchive(samples[0]!.file, everything);
  const report: OpenReport = JSON.parse(JSON.stringify(overviewReport(reading)));
  assert.ok(validate(report));
  const { platforms, images } = report;
  const { sizes, waste, files, layers } = images[0]!;
  for (const part of [report, images[0]!, sizes, waste, files[0]!, layers[0]!, platforms[0]!]) {
    part.another = 1;
    assert.not.ok(validate(report));
    delete part.another;
  }
});

test.run();
