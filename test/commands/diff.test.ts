// `waybill diff`: differences at every level, and "the same but for".
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  changedTexts,
  type DiffOptions,
  type DiffSide,
  diff,
  diffReadOptions,
  diffReport,
} from '../../src/commands/diff/index.js';
import type { DiffReport, ImageDiff } from '../../src/commands/diff/report.js';
import { InputError, type ReadOptions, readArchive, type Selection, UsageError } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { parsePlatform } from '../../src/spec/platform.js';
import { corpus, docker28, hasDocker28, NO_SHARED_FOLDER, testWhen } from '../support/corpus.js';
import { goJson } from '../support/digest.js';
import { type Image, type ImageSpec, image, type LayerSpec, layer } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import type { Member } from '../support/members.js';
import { toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { tarBytes } from '../support/tar.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';

let archives = 0;

async function side(
  members: readonly Member[],
  selection: Selection = {},
  options: ReadOptions = diffReadOptions(),
): Promise<DiffSide> {
  const file = saved(await toTar(members), `diff-${archives++}.tar`);
  return { reading: await readArchive(file, options), selection };
}

const savedAs = (made: Image, ...tags: string[]) => side(layouts.dockerSave({ image: made, tags }));

async function compare(a: Image, b: Image, options: DiffOptions = {}): Promise<DiffReport> {
  return diffReport(await savedAs(a, 'app:1'), await savedAs(b, 'app:1'), options);
}

const kinds = ({ differences }: Pick<DiffReport, 'differences'>) => differences.map(({ kind }) => kind);
const only = ({ images }: DiffReport): ImageDiff => {
  assert.is(images.length, 1);
  return images[0]!;
};
const wordsOf = (result: { doc: Parameters<typeof toText>[0] }) =>
  toText(result.doc, { width: null, color: false });

const spec = (...layers: LayerSpec[]): ImageSpec => ({ layers });

const BASE: LayerSpec = { files: { 'etc/os-release': 'ID=base\n', 'bin/sh': { mode: 0o755, bytes: 'sh' } } };
const APP: LayerSpec = { files: { 'app/run': 'run 1\n', 'app/data': 'data' }, createdBy: 'COPY app /app' };
const base = await image(spec(BASE, APP));

test('an image equals itself in every delivery', async () => {
  const a = await savedAs(base, 'app:1');
  for (const members of [
    layouts.dockerSave({ image: base, tags: ['app:1'] }),
    layouts.dockerSave25({ image: base, tags: ['docker.io/library/app:1'] }),
    layouts.podmanDockerArchive({ image: base, tags: ['docker.io/library/app:1'] }),
  ]) {
    const result = diff(a, await side(members));
    assert.is(result.exitCode, 0);
    const report = result.data as DiffReport;
    assert.equal([report.same, report.differences, report.ignored], [true, [], []]);
    assert.equal(only(report).layers, { shared: 2, same: 2, changes: [] });
    assert.match(wordsOf(result), 'the same');
  }
});

test('images that differ only in names', async () => {
  const result = diff(await savedAs(base, 'app:1', 'app:x'), await savedAs(base, 'app:2', 'app:x'));
  const { names } = only(result.data as DiffReport);
  assert.equal(names, { onlyA: ['docker.io/library/app:1'], onlyB: ['docker.io/library/app:2'] });
  assert.is(result.exitCode, 1);
  assert.match(wordsOf(result), 'the same but for names\n');
  const ignoring = diff(await savedAs(base, 'app:1'), await savedAs(base, 'app:2'), { ignore: ['names'] });
  assert.is(ignoring.exitCode, 0);
  assert.match(wordsOf(ignoring), 'the same but for what is ignored: names');
  assert.equal(only(ignoring.data as DiffReport).names, { onlyA: [], onlyB: [] });
});

test('images that differ only in compression', async () => {
  const packed = await image(spec({ ...BASE, compression: 'gzip' }, { ...APP, compression: 'gzip' }));
  const a = await side(layouts.buildxOci({ image: base, tags: ['app:1'] }));
  const b = await side(layouts.buildxOci({ image: packed, tags: ['app:1'] }));
  const result = diff(a, b);
  const report = result.data as DiffReport;
  assert.equal(report.differences, [{ kind: 'compression', count: 2 }]);
  assert.equal(
    only(report).layers.changes.map(({ state, a, b }) => [state, a?.compression, b?.compression]),
    [
      ['recompressed', 'none', 'gzip'],
      ['recompressed', 'none', 'gzip'],
    ],
  );
  assert.match(wordsOf(result), 'the same but for compression\n');
  assert.is(diff(a, b, { ignore: ['compression'] }).exitCode, 0);
});

test('a build at another time is the same except for times', async () => {
  const later = await image({ ...spec(BASE, APP), created: '2024-02-03T04:05:06Z' });
  const report = await compare(base, later);
  assert.equal(kinds(report), ['times']);
  const { files, config, history, layers, a, b } = only(report);
  assert.is.not(a.imageId, b.imageId);
  assert.equal([...new Set(files.changed.flatMap(({ aspects }) => aspects))], ['times']);
  assert.equal([config.length, history.length, layers.changes.length], [1, 2, 2]);
  const ignoring = diff(await savedAs(base, 'app:1'), await savedAs(later, 'app:1'), { ignore: ['times'] });
  assert.is(ignoring.exitCode, 0);
  const same = only(ignoring.data as DiffReport);
  assert.equal(
    [same.files.changed, same.config, same.history, same.layers.changes],
    [[], [], [], []],
    'what is ignored is not listed',
  );
  assert.match(wordsOf(ignoring), 'the same but for what is ignored: times');
});

/** An image of one layer with exactly these entries. */
const ofEntries = (entries: LayerSpec['entries'] & object) => image(spec({ entries }));

test('entries in another order, with other owners and modes, and in another tar format', async () => {
  const one = { path: 'one', bytes: '1', mtime: 5 };
  const two = { path: 'two', bytes: '2', mtime: 5 };
  const plain = await ofEntries([one, two]);
  assert.equal(kinds(await compare(plain, await ofEntries([two, one]))), ['order']);
  assert.equal(kinds(await compare(plain, await ofEntries([{ ...one, uid: 7 }, two]))), ['owner']);
  assert.equal(kinds(await compare(plain, await ofEntries([{ ...one, mode: 0o600 }, two]))), ['mode']);
  const both = await ofEntries([two, { ...one, gid: 7, mtime: 6 }]);
  assert.equal(kinds(await compare(plain, both)), ['owner', 'times', 'order']);
  assert.is((await compare(plain, both, { ignore: ['order', 'times', 'owner'] })).same, true);
  assert.equal(kinds(await compare(plain, await ofEntries([{ ...one, owner: 'root' }, two]))), ['encoding']);
  const padded = await tarBytes([one, two], { trailing: new Uint8Array(1024) });
  const result = await compare(plain, await image(spec({ tar: padded })));
  assert.equal(kinds(result), ['encoding']);
  assert.equal(only(result).layers.changes[0]!.differences, [{ kind: 'encoding', count: 1 }]);
});

test("a different order of a hard-linked file's names is an order, a missing name a difference", async () => {
  const file = (path: string) => ({ path, bytes: 'x', mtime: 5 });
  const link = (path: string, to: string) => ({ path, link: to, type: 'link' as const, mtime: 5 });
  const a = await ofEntries([file('a'), link('b', 'a')]);
  assert.equal(kinds(await compare(a, await ofEntries([file('b'), link('a', 'b')]))), ['order']);
  const apart = await compare(a, await ofEntries([file('a'), file('b')]));
  assert.equal(kinds(apart), ['layers.changed', 'files.links']);
});

test('files: added, removed, with other contents, types, targets and attributes', async () => {
  const cap = { pax: { 'SCHILY.xattr.security.capability': 'x' } };
  const a = await ofEntries([
    { path: 'gone', bytes: 'x' },
    { path: 'text', bytes: 'one' },
    { path: 'longer', bytes: 'one' },
    { path: 'turned', bytes: '' },
    { path: 'link', link: 'a' },
    { path: 'capable', bytes: 'x' },
    { path: 'device', type: 'character-device', device: [1, 2] },
    { path: 'same', bytes: 'same' },
    { path: 'dir/', mode: 0o755 },
  ]);
  const b = await ofEntries([
    { path: 'text', bytes: 'two' },
    { path: 'longer', bytes: 'three' },
    { path: 'turned/' },
    { path: 'link', link: 'b' },
    { path: 'capable', bytes: 'x', ...cap },
    { path: 'device', type: 'character-device', device: [1, 3] },
    { path: 'same', bytes: 'same' },
    { path: 'dir/', mode: 0o700, uid: 1 },
    { path: 'new', bytes: 'new' },
  ]);
  const { files } = only(await compare(a, b));
  assert.equal(
    [files.added.map(({ path }) => path), files.removed.map(({ path }) => path)],
    [['new'], ['gone']],
  );
  assert.equal(
    files.changed.map(({ path, aspects }) => [path, ...aspects]),
    [
      ['capable', 'xattrs'],
      ['device', 'device'],
      ['dir', 'mode', 'owner'],
      ['link', 'target'],
      ['longer', 'content'],
      ['text', 'content'],
      ['turned', 'type'],
    ],
  );
  const ignoring = only(await compare(a, b, { ignore: ['files.added', 'mode', 'files.content'] }));
  assert.equal([ignoring.files.added.length, ignoring.files.removed.length], [0, 1]);
  assert.equal(
    ignoring.files.changed.map(({ path, aspects }) => [path, ...aspects]),
    [
      ['capable', 'xattrs'],
      ['device', 'device'],
      ['dir', 'owner'],
      ['link', 'target'],
      ['turned', 'type'],
    ],
  );
});

test('names that are not UTF-8 are distinguished', async () => {
  const named = (name: string) => image(spec({ tar: rawTar(rawEntry({ name })) }));
  const { files } = only(await compare(await named('n\xe8'), await named('n\xe9')));
  assert.equal([files.removed[0]!.path, files.added[0]!.path], ['n\udce8', 'n\udce9']);
});

test('a file that a later layer hides is a difference of the layers, not of the files', async () => {
  const top: LayerSpec = { files: { 'app/data': 'the same' } };
  const a = await image(spec(BASE, APP, top));
  const b = await image(
    spec(BASE, { files: { 'app/run': 'run 1\n', 'app/data': 'hidden' }, createdBy: 'x' }, top),
  );
  const report = await compare(a, b, { ignore: ['history'] });
  assert.equal(kinds(report), ['layers.changed']);
  const { changes, shared, same } = only(report).layers;
  assert.equal([shared, same, changes.length], [1, 2, 1]);
  assert.equal(changes[0]!.differences, [{ kind: 'files.content', count: 1 }]);
  assert.equal(kinds(await compare(a, b, { ignore: ['history', 'layers'] })), []);
});

test('whiteouts that differ are a difference of the layers', async () => {
  const a = await image(spec(BASE, { entries: [{ path: 'etc/.wh.os-release' }] }));
  const b = await image(spec(BASE, { entries: [{ path: 'etc/.wh..wh..opq' }] }));
  const report = await compare(a, b);
  assert.equal(kinds(report), ['layers.changed']);
  assert.equal(only(report).layers.changes[0]!.differences, [{ kind: 'files.deleted', count: 2 }]);
});

test('the same files, divided into layers in another way', async () => {
  const a = await image(spec(BASE, APP));
  const squashed = await image(spec({ files: { ...BASE.files, ...APP.files } }));
  const report = await compare(a, squashed, { ignore: ['history'] });
  assert.equal(only(report).files, { added: [], removed: [], changed: [] });
  assert.equal(kinds(report), ['layers.changed', 'layers.removed']);
  assert.is((await compare(a, squashed, { ignore: ['history', 'layers'] })).same, true);
});

test('an inserted layer does not change the pairing of the others', async () => {
  const extra: LayerSpec = { files: { 'etc/extra': 'x' }, createdBy: 'RUN extra' };
  const report = await compare(base, await image(spec(BASE, extra, APP)));
  const { layers, files } = only(report);
  assert.equal(
    layers.changes.map(({ state, a, b }) => [state, a, b?.index, b?.createdBy]),
    [['added', null, 1, 'RUN extra']],
  );
  assert.equal([layers.shared, layers.same], [1, 2]);
  assert.equal(
    files.added.map(({ path }) => path),
    ['etc/extra'],
  );
});

test('config and history are compared by meaning', async () => {
  const config = { Env: ['PATH=/bin', 'B=2'], Labels: { version: '1' }, Cmd: ['sh'] };
  const other = { Env: ['B=2', 'PATH=/usr/bin'], Labels: { version: '2' }, Cmd: ['sh'], User: '1000' };
  const a = await image({ ...spec(BASE), config: { config } });
  const b = await image({ ...spec({ ...BASE, createdBy: 'COPY other' }), config: { config: other } });
  const result = diff(await savedAs(a, 'app:1'), await savedAs(b, 'app:1'));
  const report = result.data as DiffReport;
  assert.equal(kinds(report), [
    'config.env.PATH',
    'config.labels.version',
    'config.user',
    'history',
    'order',
  ]);
  assert.equal(
    only(report).history.map(({ a, b }) => [a === null, b === null]),
    [
      [false, true],
      [true, false],
    ],
  );
  assert.match(wordsOf(result), /different: config 3, history 2, order 1/);
  const ignore = ['config.labels', 'config.env.PATH', 'history', 'order'];
  assert.equal(kinds(await compare(a, b, { ignore })), ['config.user']);
});

test('a config with the same content in other bytes', async () => {
  const a = await image(spec(BASE));
  const b = await image({ ...spec(BASE), indent: 2 });
  assert.is.not(a.imageId, b.imageId);
  const report = await compare(a, b);
  assert.equal(kinds(report), ['encoding']);
  const named = diffReport(await savedAs(a, 'app:1'), await savedAs(b, 'app:2'), { ignore: ['names'] });
  assert.equal(kinds(named), ['encoding'], 'other differences do not hide it');
});

test('manifests: annotations and media types, and the same content in other bytes', async () => {
  const oci = (options: layouts.DocumentOptions) =>
    side(layouts.ociLayout({ manifests: [layouts.manifestOf(base, options)] }));
  const created = (year: number) => ({ 'org.opencontainers.image.created': `${year}-01-01T00:00:00Z` });
  const plain = await oci({});
  const annotated = diffReport(plain, await oci({ annotations: { a: 'b' } }));
  assert.equal(kinds(annotated), ['manifest.annotations.a']);
  const times = diffReport(
    await oci({ annotations: created(2020) }),
    await oci({ annotations: created(2021) }),
  );
  assert.equal(kinds(times), ['times']);
  assert.equal(kinds(diffReport(plain, await oci({ indent: 2 }))), ['encoding']);
  const docker = diffReport(plain, await oci({ docker: true }));
  assert.ok(
    kinds(docker).every(kind => kind.startsWith('manifest.')),
    kinds(docker).join(),
  );
});

test('images that differ only in attestations', async () => {
  const tags = ['app:1'];
  const a = await side(layouts.buildxOci({ platforms: [base], tags }));
  const b = await side(layouts.buildxOci({ platforms: [base], tags, attestations: true }));
  const result = diff(a, b);
  assert.equal(kinds(result.data as DiffReport), ['attestations']);
  assert.match(wordsOf(result), 'the same but for attestations\n');
});

const arm = await image({ ...spec(BASE, APP), platform: { os: 'linux', architecture: 'arm64' } });
const armNew = await image({
  ...spec(BASE, { files: { 'app/run': 'run 2\n', 'app/data': 'data' }, createdBy: 'COPY app /app' }),
  platform: { os: 'linux', architecture: 'arm64' },
});

test('several platforms: each is paired with its own, the others are listed', async () => {
  const tags = ['app:1'];
  const a = await side(layouts.buildxOci({ platforms: [base, arm], tags }));
  const b = await side(layouts.buildxOci({ platforms: [armNew, base], tags }));
  const report = diffReport(a, b);
  assert.equal(
    report.images.map(image => [image.a.platform, image.b.platform, image.same]),
    [
      ['linux/amd64', 'linux/amd64', true],
      ['linux/arm64', 'linux/arm64', false],
    ],
  );
  assert.equal(kinds(report), ['layers.changed', 'files.content']);
  const fewer = diffReport(a, await side(layouts.buildxOci({ platforms: [base], tags })));
  assert.equal(kinds(fewer), ['images']);
  assert.equal(
    fewer.onlyA.map(({ platform }) => platform),
    ['linux/arm64'],
  );
  const chosen = { ...a, selection: { platform: parsePlatform('linux/amd64')! } };
  assert.is(diffReport(chosen, await side(layouts.buildxOci({ platforms: [base], tags }))).same, true);
});

test('images of different platforms', async () => {
  const report = await compare(base, arm);
  assert.equal(kinds(report), ['platform.architecture']);
});

test('two images of one archive are compared', async () => {
  const members = layouts.dockerSave([
    { image: base, tags: ['app:1'] },
    { image: armNew, tags: ['app:2'] },
  ]);
  const { reading } = await side(members);
  const result = diff({ reading, selection: { ref: 'app:1' } }, { reading, selection: { ref: 'app:2' } });
  assert.equal(kinds(result.data as DiffReport), [
    'names',
    'platform.architecture',
    'layers.changed',
    'files.content',
  ]);
  assert.is(diff({ reading, selection: {} }, { reading, selection: {} }).exitCode, 0);
  assert.throws(
    () => diff({ reading, selection: { ref: 'nope' } }, { reading, selection: {} }),
    (error: unknown) => error instanceof InputError,
  );
});

test('several images are paired by name, then by repository, then the remaining ones', async () => {
  const other = await image(spec({ files: { other: 'x' } }));
  const pairs = (report: DiffReport) => report.images.map(({ a, b }) => `${a.names} ${b.names}`);
  const a = await side(
    layouts.dockerSave([
      { image: base, tags: ['app:1'] },
      { image: other, tags: ['db:1'] },
    ]),
  );
  const next = await image(spec(BASE, { files: { 'app/run': 'next' } }));
  const last = await image(spec({ files: { other: 'y' } }));
  const b = await side(
    layouts.dockerSave([
      { image: last, tags: ['db:2'] },
      { image: next, tags: ['app:1'] },
      { image: armNew, tags: ['app:3'] },
    ]),
  );
  const report = diffReport(a, b);
  assert.equal(pairs(report), ['app:1 app:1', 'db:1 db:2']);
  assert.equal(
    report.onlyB.map(({ names }) => names),
    [['app:3']],
  );
});

test('thousands of images are paired quickly', async () => {
  const names = Array.from({ length: 3000 }, (_, i) => `many:${i}`);
  const [a, b] = await Promise.all(
    [names, [...names].reverse()].map(tags => {
      const item = (tag: string) => ({ Config: `${tag.slice(5)}.json`, RepoTags: [tag], Layers: [] });
      const configs = tags.map(tag => layouts.file(`${tag.slice(5)}.json`, `{"os":"linux","x":"${tag}"}`));
      return side([...configs, layouts.file('manifest.json', goJson(tags.map(item)))]);
    }),
  );
  const start = performance.now();
  const report = diffReport(a!, b!);
  assert.equal([report.same, report.images.length], [true, 3000]);
  assert.ok(performance.now() - start < 10_000);
});

test('packages: added, removed and in other versions', async () => {
  const status = (...packages: string[]) =>
    packages
      .map(text => text.split(' '))
      .map(([name, version]) => `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\n\n`)
      .join('');
  const with_ = (text: string) => image(spec({ files: { 'var/lib/dpkg/status': text } }));
  const a = await with_(status('bash 5.1', 'gone 1', 'same 1'));
  const b = await with_(status('bash 5.2', 'new 1', 'same 1'));
  const result = diff(await savedAs(a, 'app:1'), await savedAs(b, 'app:1'));
  const { packages } = only(result.data as DiffReport);
  assert.equal(
    packages.map(({ name, a, b }) => [name, ...a, '>', ...b]),
    [
      ['bash', '5.1', '>', '5.2'],
      ['gone', '1', '>'],
      ['new', '>', '1'],
    ],
  );
  assert.match(wordsOf(result), /~ {2}bash +5\.1 +5\.2 +dpkg/);
  const damaged = await compare(a, await with_('Package: half\n'));
  assert.match(only(damaged).notes.join(), 'b: var/lib/dpkg/status: ');
});

test('text is compared line by line in a second reading', async () => {
  const texts = (more: string, blob: string) =>
    image(
      spec({
        files: {
          'etc/[app].conf': `1\n2\n3\n4\n${more}\n6\n`,
          binary: `\0${blob}`,
          big: blob.repeat(200_000),
          latin: Buffer.from(`\xe9${blob}`, 'latin1'),
          empty: blob === 'a' ? '' : 'now\n',
        },
      }),
    );
  const members = await Promise.all(
    [await texts('five', 'a'), await texts('FIVE', 'b')].map(made =>
      layouts.dockerSave({ image: made, tags: [] }),
    ),
  );
  const [a, b] = await Promise.all(members.map(archive => side(archive)));
  const first = diffReport(a!, b!, { text: true });
  assert.ok(only(first).files.changed.every(({ text }) => text === null || text.includes('now')));
  const paths = changedTexts(first);
  assert.equal([...paths].sort(), ['binary', 'empty', 'etc/\\[app\\].conf', 'latin']);
  const [x, y] = await Promise.all(members.map(archive => side(archive, {}, diffReadOptions(paths))));
  const result = diff(x!, y!, { text: true });
  const { changed } = only(result.data as DiffReport).files;
  const textOf = (path: string) => changed.find(file => file.path === path)!.text;
  assert.is(textOf('etc/[app].conf'), '@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-five\n+FIVE\n 6\n');
  assert.is(textOf('empty'), '@@ -0,0 +1,1 @@\n+now\n');
  assert.equal([textOf('binary'), textOf('big'), textOf('latin')], [null, null, null]);
  assert.match(wordsOf(result), '-five\n    +FIVE\n');
  assert.is(
    only(diffReport(x!, y!)).files.changed.every(({ text }) => text === null),
    true,
    'only when asked for',
  );
});

test('a layer that only one archive has is read from there', async () => {
  const packed = await image(spec(BASE, APP));
  const whole = layouts.ociLayout({ manifests: [layouts.manifestOf(packed)] });
  const top = packed.layers[1]!.digest;
  const part = layouts.ociLayout({
    manifests: [layouts.sparse(layouts.manifestOf(packed), digest => digest === top)],
  });
  const result = diff(await side(whole), await side(part));
  const report = result.data as DiffReport;
  assert.is(report.same, true);
  assert.match(wordsOf(result), 'the same, as far as it could be compared');
  assert.equal(only(report).notes, [
    'layer 2 of b is not in the archive: taken for what the config says it is',
  ]);
  const changed = await image(spec({ files: { new: 'x' } }, APP));
  const other = diffReport(
    await side(part),
    await side(layouts.ociLayout({ manifests: [layouts.manifestOf(changed)] })),
  );
  assert.equal(
    only(other).files.added.map(({ path }) => path),
    ['new'],
  );
  assert.ok(only(other).files.removed.every(({ path }) => !path.startsWith('app')));
});

test('a layer that cannot be unpacked does not equal the sound one', async () => {
  const packed = await layer({ ...APP, compression: 'gzip' });
  const sound = { ...base, layers: [base.layers[0]!, { ...packed }] };
  const blob = packed.blob.slice();
  blob[blob.length - 20]! ^= 0xff;
  const damaged = { ...base, layers: [base.layers[0]!, { ...packed, blob }] };
  const archive = (made: Image) => side(layouts.cranePull({ image: made, tags: ['app:1'] }));
  const result = diff(await archive(sound), await archive(damaged));
  const report = result.data as DiffReport;
  assert.is(result.exitCode, 1);
  assert.ok(kinds(report).includes('layers.changed'), kinds(report).join());
  assert.match(only(report).notes.join(), 'layer 2 of b cannot be unpacked to its end');
});

test('a layer that is not what its own image claims is named, with its side', async () => {
  const forged = { ...base, layers: [base.layers[0]!, await layer({ files: { 'app/run': 'run 2\n' } })] };
  const archive = (made: Image) => side(layouts.dockerSave({ image: made, tags: ['app:1'] }));
  const result = diff(await archive(base), await archive(forged));
  const { faults } = only(result.data as DiffReport);
  assert.equal(faults.a, []);
  assert.equal(
    faults.b.map(({ layer, kind }) => [layer, kind]),
    [[1, 'changed']],
  );
  assert.match(wordsOf(result), /changed {2}layer 2 of b: expected the diff_id sha256:\w+, found sha256:/);
  assert.is(result.exitCode, 1);
});

test('contents that were not read are not reported as equal', async () => {
  const a = await ofEntries([{ path: 'x', bytes: 'one' }]);
  const b = await ofEntries([{ path: 'x', bytes: 'two' }]);
  const read = (made: Image, options: ReadOptions) =>
    side(layouts.dockerSave({ image: made, tags: [] }), {}, options);
  const files = diffReport(await read(a, { depth: 'files' }), await read(b, { depth: 'files' }));
  assert.equal([files.same, kinds(files)], [false, ['layers.changed']]);
  assert.match(only(files).notes.join(), 'the contents of 1 file of the same size were not read');
  const digests = diffReport(await read(a, {}), await read(b, {}));
  assert.is(digests.same, false);
  assert.match(only(digests).notes.join(), 'the files of layer 1 of a were not read');
});

test('unread files that are not ignored may differ, so the exit code is not 0', async () => {
  const a = await ofEntries([{ path: 'x', bytes: 'one' }]);
  const b = await ofEntries([{ path: 'x', bytes: 'two' }]);
  const compared = async (reading: ReadOptions, ...ignore: string[]) => {
    const read = (made: Image) => side(layouts.dockerSave({ image: made, tags: [] }), {}, reading);
    return diff(await read(a), await read(b), { ignore: ['ids', 'layers', ...ignore] });
  };
  for (const reading of [{ depth: 'files' }, {}] as const) {
    const result = await compared(reading);
    const report = result.data as DiffReport;
    assert.equal([result.exitCode, kinds(report), report.same], [1, ['files.unread'], false]);
    assert.match(wordsOf(result), /the same but for what is ignored: layers, as far as it could be compared/);
    assert.is((await compared(reading, 'files')).exitCode, 0, 'files do not count');
  }
  assert.is((await compared({ depth: 'files' }, 'files.content')).exitCode, 0, 'contents do not count');
});

test('an encrypted layer is reported as encrypted', async () => {
  const [below, top] = base.layers as [(typeof base.layers)[0], (typeof base.layers)[0]];
  const sealed = (mark: string): Image => ({
    ...base,
    layers: [below, { ...top, blob: Buffer.from(mark.repeat(100)) }],
  });
  const read = (mark: string) =>
    side(layouts.ociLayout({ manifests: [layouts.manifestOf(sealed(mark), { encrypted: true })] }));
  const itself = diff(await read('sealed '), await read('sealed '));
  assert.is(itself.exitCode, 0);
  assert.equal(only(itself.data as DiffReport).notes, [
    'layer 2 of a is encrypted',
    'layer 2 of b is encrypted',
  ]);
});

test('an image without its config can be compared', async () => {
  const withoutConfig = (members: readonly Member[]) =>
    members.filter(({ path }) => !path.endsWith(base.imageId.slice(7)));
  const part = withoutConfig(layouts.ociLayout({ manifests: [layouts.manifestOf(base)] }));
  const report = diffReport(await side(part), await side(part));
  assert.is(report.same, true);
  const other = diffReport(await side(part), await savedAs(base));
  assert.ok(kinds(other).includes('config'), kinds(other).join());
});

test('artifacts that only one archive has are listed', async () => {
  const artifact = layouts.artifact({ type: 'application/x', layers: [layouts.blobOf('text/plain', 'x')] });
  const manifest = layouts.manifestOf(base);
  const a = await side(layouts.ociLayout({ manifests: [manifest] }));
  const b = await side(layouts.ociLayout({ manifests: [manifest, artifact] }));
  const report = diffReport(a, b);
  assert.equal(kinds(report), ['artifacts']);
  assert.equal(report.artifacts.onlyB, [artifact.descriptor.digest]);
});

test('differences in size are shown, and never counted', async () => {
  const report = await compare(
    base,
    await image(spec(BASE, { ...APP, files: { ...APP.files, more: 'x'.repeat(9) } })),
  );
  const { sizes } = only(report);
  assert.equal([sizes.a.content! + 9, sizes.a.docker! + 9], [sizes.b.content, sizes.b.docker]);
  assert.not(kinds(report).some(kind => kind === 'sizes' || kind === 'ids'));
});

test('IDs and sizes are left out on request', async () => {
  const [a, b] = [await savedAs(base, 'app:1'), await savedAs(armNew, 'app:1')];
  assert.match(wordsOf(diff(a, b)), 'image ID');
  const words = wordsOf(diff(a, b, { ignore: ['ids', 'sizes'] }));
  assert.not.match(words, 'image ID');
  assert.not.match(words, '\n  sizes');
});

test('an unknown kind of difference is refused', async () => {
  const a = await savedAs(base);
  assert.throws(
    () => diff(a, a, { ignore: ['times', 'tims'] }),
    (error: unknown) => error instanceof UsageError && /expected names, .*, found "tims"/.test(error.message),
  );
});

test('long lists are cut in text only, and hidden characters are escaped', async () => {
  const many = Array.from({ length: 50 }, (_, i) => ({ path: `f${i}\u001b[31m`, bytes: 'x'.repeat(i + 1) }));
  const result = diff(
    await savedAs(await ofEntries([]), 'app:1'),
    await savedAs(await ofEntries(many), 'app:1'),
    { rows: 5 },
  );
  assert.is(only(result.data as DiffReport).files.added.length, 50);
  const words = wordsOf(result);
  assert.match(words, 'and 45 more');
  assert.match(words, 'f49\\u{1b}[31m');
  assert.not.match(words, '\u001b[31m');
});

test('documents of any shape are compared', async () => {
  const members = (config: string) => [
    layouts.file('manifest.json', goJson([{ Config: 'c.json', RepoTags: null, Layers: [] }])),
    layouts.file('c.json', config),
  ];
  const odd = ['{}', '{"config":[],"history":{},"rootfs":7}', '{"history":[1,[],null]}', '[]', '{'];
  const sides = await Promise.all(odd.map(config => side(members(config))));
  for (const a of sides) for (const b of sides) assert.is(diff(a, b).exitCode === 0, diffReport(a, b).same);
});

testWhen(
  test,
  hasDocker28,
  NO_SHARED_FOLDER,
)('real archives of one image by many tools', async () => {
  const read = async (name: string): Promise<DiffSide> => ({
    reading: await readArchive(docker28(name), diffReadOptions()),
    selection: {},
  });
  const saved28 = await read('docker28-save.tar');
  const ignore = ['names', 'compression', 'manifest'];
  for (const name of ['podman-docker-archive.tar', 'skopeo-docker-archive.tar'])
    assert.equal(kinds(diffReport(saved28, await read(name), { ignore })), [], name);
  // OCI configs have no health check.
  const oci = kinds(diffReport(saved28, await read('skopeo-oci-archive.tar'), { ignore }));
  assert.equal([...new Set(oci.map(kind => kind.replace(/\.[A-Z].*/, '')))], ['config.healthcheck']);
  const twice = diffReport(saved28, await read('docker28c-save.tar'));
  assert.equal(
    kinds(twice).map(kind => kind.split('.')[0]),
    ['layers', 'times', 'compression', 'manifest'],
    'two builds of one Dockerfile',
  );
});

const items = corpus();
testWhen(
  test,
  items.length > 0,
  NO_SHARED_FOLDER,
)('every archive of the corpus is the same as itself', async () => {
  for (const { id, file } of items) {
    const reading = await readArchive(file, diffReadOptions()).catch((error: unknown) => {
      if (error instanceof InputError) return null;
      throw error;
    });
    if (reading === null) continue;
    const result = diff({ reading, selection: {} }, { reading, selection: {} });
    assert.is(result.exitCode, 0, id);
  }
});

test.run();
