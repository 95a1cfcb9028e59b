// Every limit, reached by an archive: the message, the flag that raises it, and that the rest is still reported.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultLimits, type LimitName, type ReadOptions, UsageError } from '../../src/commands.js';
import { ceilingOf, isLimitName, limitCeilings, limitsOf, limitText } from '../../src/limits.js';
import { assemble, image, type LayerSpec, plainImage } from '../support/image.js';
import type { Content } from '../support/layouts.js';
import * as layouts from '../support/layouts.js';
import { toTar, toZip } from '../support/pack.js';
import { type Reading, readInput, readMembers, refusal, saved, streamOf } from '../support/reading.js';
import { paxEntry, rawEntry, rawTar } from '../support/tar-blocks.js';

const good = await plainImage('good', 1, 'gzip');
const oci = layouts.skopeoOci({ image: good, tags: ['good:1'] });
const goodManifest = layouts.blobPath(layouts.manifestOf(good).descriptor.digest);

/** A layout of the sound image, followed by one with such a layer. */
async function withLayer(spec: LayerSpec) {
  const other = await image({ layers: [spec] });
  const members = layouts.skopeoOci([
    { image: good, tags: ['good:1'] },
    { image: other, tags: ['other:1'] },
  ]);
  return { read: of(() => members), members, path: layouts.blobPath(other.layers[0]!.digest) };
}

/** A layout of the sound image, and of an index with further entries. */
const withManifests = (...manifests: readonly layouts.Content[]) =>
  layouts.ociLayout({
    manifests: [
      layouts.described(layouts.manifestOf(good), { annotations: { [layouts.REF_ANNOTATION]: 'good:1' } }),
      ...manifests,
    ],
  });

const nested = (levels: number): layouts.Content =>
  Array.from({ length: levels }).reduce<layouts.Content>(
    inner => layouts.indexOf([inner]),
    layouts.manifestOf(good),
  );

const zeros = (size: number): LayerSpec => ({
  files: { zeros: new Uint8Array(size) },
  compression: 'gzip',
});
const many: LayerSpec = {
  files: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`file-${i}`, ''])),
  compression: 'gzip',
};
const longRecord: LayerSpec = {
  tar: rawTar(paxEntry([['comment', 'x'.repeat(5000)]]), rawEntry({ name: 'file' }, 'content')),
};
const longPath = 'directory/'.repeat(30);

interface Case {
  readonly limits: Partial<Record<LimitName, number>>;
  readonly read: (options: ReadOptions) => Promise<Reading>;
  readonly path: string;
  /** The limit in the report, if it is a different one. */
  readonly told?: LimitName;
  readonly seen?: number;
  readonly enough?: number;
  /** A limit on a list is a warning, because everything was still checked; a limit of a search is a note. */
  readonly severity?: 'warning' | 'info';
  readonly options?: ReadOptions;
}

const of =
  (make: () => readonly layouts.Member[] | Promise<readonly layouts.Member[]>) =>
  async (options: ReadOptions) =>
    readMembers(await make(), options);

/** An image whose config has additional fields. */
async function withConfig(more: object): Promise<Content> {
  const { configBytes, layers } = await plainImage('other', 1);
  const config = { ...JSON.parse(Buffer.from(configBytes).toString()), ...more };
  return layouts.manifestOf(assemble(Buffer.from(JSON.stringify(config)), layers));
}

const large = await withConfig({ more: 'x'.repeat(3000) });
const deep = await withConfig({ more: JSON.parse('['.repeat(30) + ']'.repeat(30)) });
const pathOf = ({ blobs }: Content, at: number) => layouts.blobPath(blobs[at]!.digest);

/** Another path to the sound manifest, by a link. */
const FALSE = `sha256:${'1'.repeat(64)}`;
const link = { path: layouts.blobPath(FALSE), link: goodManifest.replace(/.*\//, '') };
const twenty = layouts.indexOf(Array.from({ length: 20 }, () => layouts.manifestOf(good)));
const files: ReadOptions = { depth: 'files' };

const bomb = await withLayer(zeros(2_000_000));
const crowd = await withLayer(many);
const record = await withLayer(longRecord);
const prose = await withLayer({ files: { 'srv/notes.txt': 'notes\n'.repeat(10_000) } });
const jar = await withLayer({ files: { 'app/lib.jar': 'x'.repeat(3000) } });
const leaks = await withLayer({
  files: Object.fromEntries([1, 2, 3].map(i => [`srv/${i}/.env`, `DB_PASSWORD=correct-horse-${i}\n`])),
});

const CASES: {
  readonly [N in Exclude<LimitName, 'findingsPerCode' | 'imageEntries' | 'seconds' | 'signatures'>]: Case;
} = {
  documentBytes: {
    limits: { documentBytes: 2500 },
    read: of(() => withManifests(large)),
    path: pathOf(large, 1),
    seen: large.blobs[1]!.bytes.length,
  },
  keptDocumentBytes: {
    limits: { keptDocumentBytes: 9000 },
    read: of(() => withManifests(large)),
    path: pathOf(large, 1),
  },
  documentDepth: {
    limits: { documentDepth: 20 },
    read: of(() => withManifests(deep)),
    path: pathOf(deep, 1),
  },
  indexDepth: {
    limits: { indexDepth: 3 },
    read: of(() => withManifests(nested(4))),
    path: pathOf(nested(2), 0),
  },
  manifests: { limits: { manifests: 1 }, read: of(() => withManifests(nested(1))), path: 'index.json' },
  descriptors: {
    limits: { descriptors: 10 },
    read: of(() => withManifests(twenty)),
    path: pathOf(twenty, 0),
  },
  names: {
    limits: { names: 1 },
    read: of(() =>
      withManifests(layouts.described(large, { annotations: { [layouts.REF_ANNOTATION]: 'large:1' } })),
    ),
    path: 'index.json',
  },
  linkedBytes: {
    limits: { linkedBytes: 100 },
    read: of(() => [
      ...withManifests({ descriptor: { ...layouts.manifestOf(good).descriptor, digest: FALSE }, blobs: [] }),
      link,
    ]),
    path: goodManifest,
  },
  members: {
    // A path of more than 32 bytes counts as several.
    limits: { members: Math.ceil(oci.reduce((sum, { path }) => sum + Math.max(1, path.length / 32), 0)) },
    read: of(() => [...oci, layouts.file('more', '')]),
    path: '',
  },
  pathBytes: {
    limits: { pathBytes: 200 },
    read: of(() => [...oci, layouts.file(`${longPath}file`, '')]),
    path: '',
    seen: longPath.length + 4,
  },
  tarMetadataBytes: {
    limits: { tarMetadataBytes: 100 },
    read: of(() => [...oci, layouts.file(`${longPath}file`, '')]),
    path: '',
  },
  paxBytes: { limits: { paxBytes: 4000 }, read: record.read, path: record.path },
  trailingBytes: {
    limits: { trailingBytes: 4096 },
    read: async options => readMembers(oci, options, { trailing: new Uint8Array(10_000) }),
    path: '',
    severity: 'warning',
  },
  unpackedFree: {
    limits: { unpackedFree: 100_000, unpackedRatio: 2 },
    read: bomb.read,
    path: bomb.path,
    told: 'unpackedRatio',
    enough: 1032,
  },
  unpackedRatio: {
    limits: { unpackedFree: 100_000, unpackedRatio: 10 },
    read: bomb.read,
    path: bomb.path,
    enough: 1032,
  },
  layerBytes: { limits: { layerBytes: 100_000 }, read: bomb.read, path: bomb.path },
  archiveBytes: {
    limits: { archiveBytes: 100_000 },
    // In a file the largest blobs are read first, and would leave nothing for the sound one.
    read: async options => readInput(streamOf(await toTar(bomb.members)), options),
    path: bomb.path,
  },
  layerEntries: {
    limits: { layerEntries: 30 },
    read: crowd.read,
    path: crowd.path,
    options: files,
  },
  layerEntryBytes: {
    limits: { layerEntryBytes: 100 },
    read: crowd.read,
    path: crowd.path,
    options: files,
    severity: 'warning',
  },
  archiveEntries: {
    limits: { archiveEntries: 30 },
    read: crowd.read,
    path: crowd.path,
    options: files,
    severity: 'warning',
  },
  keptContentBytes: {
    limits: { keptContentBytes: 1000 },
    read: bomb.read,
    path: bomb.path,
    options: { ...files, files: { keep: ['**'] } },
    severity: 'warning',
  },
  secretFileBytes: {
    limits: { secretFileBytes: 1000 },
    read: prose.read,
    path: prose.path,
    options: { ...files, files: { secrets: true } },
    severity: 'info',
  },
  layerSecrets: {
    limits: { layerSecrets: 2 },
    read: leaks.read,
    path: leaks.path,
    options: { ...files, files: { secrets: true } },
    severity: 'warning',
  },
  packageFileBytes: {
    limits: { packageFileBytes: 1000 },
    read: jar.read,
    path: jar.path,
    seen: 3000,
    options: { ...files, files: { packages: true } },
    severity: 'warning',
  },
};

for (const [name, at] of Object.entries(CASES) as [LimitName, Case][]) {
  test(`${name}: the finding names the undone work and the flag, and the rest is reported`, async () => {
    const { report, exitCode } = await at.read({ ...at.options, limits: at.limits });
    const limit = at.told ?? name;
    const told = report.findings.filter(({ code }) => code === 'limit-reached');
    assert.equal(
      told.map(({ severity, at: { path }, data }) => ({ severity, path, ...data })),
      [
        {
          severity: at.severity ?? 'error',
          path: at.path,
          limit,
          value: at.limits[limit],
          seen: at.seen ?? (told[0]?.data as { seen: number | null } | undefined)?.seen,
          ...(at.enough === undefined ? {} : { enough: at.enough }),
        },
      ],
      report.findings.map(({ code, message }) => `${code}: ${message}`).join('\n'),
    );
    const flag = new RegExp(` the limit ${limit} is .* \\(--limit ${limit}=\\d+([KMG]i)? allows more\\)$`);
    assert.match(told[0]!.message, flag);
    const image = report.images.find(({ names }) => names.includes('good:1'));
    assert.is(image?.imageId, good.imageId);
    assert.is(image!.layers[0]!.diffId, good.diffIds[0], 'its layer was read');
    if (at.severity !== undefined) return;
    assert.is(exitCode, 1);
    assert.is.not(report.verdicts.intact, true, 'what was not read is not judged');
  });

  test(`${name}: real archives stay far below the default`, async () => {
    const { report } = await at.read(at.options ?? {});
    assert.equal(
      report.findings.filter(({ code }) => code === 'limit-reached').map(({ message }) => message),
      [],
    );
  });
}

test('findingsPerCode: further findings are counted, and warnings do not displace an error', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `blobs/sha256/odd-${i}`);
  const read = (limits: ReadOptions['limits']) =>
    readMembers([...oci, ...names.map(name => layouts.file(name, ''))], { limits });
  const odd = (await read({ findingsPerCode: 10 })).report.findings.filter(f => f.code === 'blob-name-odd');
  assert.is(odd.length, 10);
  assert.match(odd.at(-1)!.message, /\(and 20 more like this: --limit findingsPerCode=… lists them\)$/);
  const all = (await read({})).report.findings.filter(f => f.code === 'blob-name-odd');
  assert.equal([all.length, all.some(({ message }) => / more like /.test(message))], [30, false]);

  // A missing size in a descriptor is an error; a platform without an architecture is not.
  const { digest, size } = layouts.manifestOf(good).descriptor;
  const entry = { mediaType: layouts.MEDIA.manifest, digest };
  const odd30 = Array.from({ length: 30 }, () => ({ ...entry, size, platform: { os: 'linux' } }));
  const index = { schemaVersion: 2, manifests: [entry, ...odd30] };
  const { report, exitCode } = await readMembers(
    layouts.replaceBytes(oci, 'index.json', () => JSON.stringify(index)),
    { limits: { findingsPerCode: 10 } },
  );
  const fields = report.findings.filter(({ code }) => code === 'field-invalid');
  assert.equal(
    fields.map(({ severity }) => severity),
    ['error', ...Array.from({ length: 10 }, () => 'warning')],
  );
  assert.is(exitCode, 1);
});

test('seconds: unread parts are named, and read parts are reported', async () => {
  const tar = await toTar([...oci, layouts.file('blobs/sha256/late', new Uint8Array(1_000_000))]);
  async function* stalling() {
    yield tar.subarray(0, tar.length - 500_000);
    await new Promise(resolve => setTimeout(resolve, 1500));
    yield tar.subarray(tar.length - 500_000);
  }
  const { report, exitCode } = await readInput(stalling(), { limits: { seconds: 1 } });
  const told = report.findings.filter(({ code }) => code === 'limit-reached');
  assert.ok(told.length > 0);
  for (const { message } of told)
    assert.match(message, /the limit seconds is 1 s \(--limit seconds=2 allows more\)$/);
  assert.equal(
    report.images.map(({ imageId }) => imageId),
    [good.imageId],
  );
  assert.equal([exitCode, report.verdicts.intact === true], [1, false]);
  const patient = await readInput(stalling(), { limits: { seconds: 60 } });
  assert.is(patient.report.verdicts.intact, true);
});

test('a limit that is reached is reported equally at every depth and delivery', async () => {
  const members = withManifests(large);
  const options = { limits: { documentBytes: 2500 } };
  const tar = await toTar(members);
  const messages = ({ report }: Reading) =>
    report.findings.map(({ code, at, message }) => [code, at, message]);
  const seekable = messages(await readMembers(members, options));
  assert.equal(messages(await readInput(streamOf(tar), options)), seekable);
  const shown = messages(await readMembers(members, { ...options, depth: 'metadata' }));
  assert.ok(shown.some(([code]) => code === 'limit-reached'));
});

test('an invalid limit is refused before anything is read', () => {
  for (const [limits, words] of [
    [{ documentBites: 1 }, /documentBites.*documentBytes, keptDocumentBytes/],
    [{ documentBytes: -1 }, /documentBytes: expected a whole number from 0 to \d+, found -1/],
    [{ documentBytes: 1.5 }, /documentBytes/],
    [{ documentBytes: Number.NaN }, /documentBytes/],
    [{ documentBytes: Number.POSITIVE_INFINITY }, /documentBytes/],
    [{ documentDepth: ceilingOf('documentDepth') + 1 }, /documentDepth.* to 2000, found 2001/],
    [{ findingsPerCode: 0 }, /findingsPerCode: expected a whole number from 1/],
    [{ __proto__: null, constructor: 1 }, /constructor/],
    [{ documentBytes: '5' }, /documentBytes/],
  ] as const) {
    assert.throws(
      () => limitsOf(limits as ReadOptions['limits']),
      (error: unknown) => error instanceof UsageError && words.test(error.message),
    );
  }
  assert.equal(limitsOf({ documentBytes: undefined } as unknown as ReadOptions['limits']), defaultLimits);
  assert.equal(limitsOf({ members: 5 }), { ...defaultLimits, members: 5 });
});

test('every limit can be set to its highest value and to its lowest', () => {
  for (const name of Object.keys(defaultLimits) as LimitName[]) {
    assert.is(limitsOf({ [name]: ceilingOf(name) })[name], ceilingOf(name));
    assert.ok(ceilingOf(name) > defaultLimits[name], name);
  }
  assert.ok(Object.keys(limitCeilings).every(isLimitName));
});

test('the message about a limit names the flag that raises it, if it can be raised', () => {
  const text = (limit: LimitName, value: number, seen: number | null = null) =>
    limitText({ limit, value, seen });
  assert.match(
    text('documentBytes', 20 * 2 ** 20, 22 * 2 ** 20),
    /^the document has 22 MiB and was not read: the limit documentBytes is 20 MiB \(--limit documentBytes=40Mi allows more\)$/,
  );
  assert.match(
    text('documentBytes', 300, 5000),
    /has 4\.9 KiB .* is 300 bytes \(--limit documentBytes=5000 /,
  );
  assert.not.match(text('documentDepth', ceilingOf('documentDepth')), /--limit/);
  assert.match(text('documentDepth', ceilingOf('documentDepth') - 1), /--limit documentDepth=2000 /);
  assert.match(text('members', 0), /--limit members=1 /);
  for (const name of Object.keys(defaultLimits) as LimitName[]) {
    for (const seen of [null, 12_345]) assert.not.match(text(name, 10, seen), /undefined|null|NaN/);
  }
});

test('an archive whose image is beyond a limit is not mistaken for another kind of file', async () => {
  const all = [layouts.file('a', 'x'), layouts.file('b', 'x'), ...oci];
  const tar = await toTar(all);
  for (const members of [0, 2])
    for (const input of [saved(tar), streamOf(tar), saved(toZip(all))]) {
      const { what, damaged } = await refusal(readInput(input, { limits: { members } }));
      assert.is(what, limitText({ limit: 'members', value: members }));
      assert.ok(damaged);
    }
});

test.run();
