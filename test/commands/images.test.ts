import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ImagesOptions, images, imagesDepth } from '../../src/commands/images.js';
import { UsageError } from '../../src/errors.js';
import { type ImageSpec, image, plainImage } from '../support/image.js';
import {
  buildxOci,
  dockerSave,
  dockerSave25,
  type Images,
  type Member,
  replaceBytes,
  skopeoOci,
  without,
} from '../support/layouts.js';
import { readMembers } from '../support/reading.js';

const DEFAULTS: ImagesOptions = {
  noTrunc: false,
  quiet: false,
  digests: false,
  filters: [],
  tree: false,
  docker: 28,
  store: 'classic',
  now: new Date('2026-11-20T00:00:00Z'),
};

type Options = Partial<ImagesOptions>;

async function answer(archives: readonly (readonly Member[])[], options: Options = {}) {
  const readings = [];
  for (const members of archives) readings.push((await readMembers(members, { depth: 'files' })).reading);
  return images(readings, { ...DEFAULTS, ...options });
}

async function lines(archives: readonly (readonly Member[])[], options: Options = {}): Promise<string[]> {
  const { stdout, notes, exitCode } = await answer(archives, options);
  assert.equal({ notes, exitCode }, { notes: [], exitCode: 0 });
  return (stdout as string).split('\n').slice(0, -1);
}

/** The tags of the images that pass the filters. */
async function left(saved: Images, filters: readonly string[], options: Options = {}): Promise<string> {
  return (
    await lines([dockerSave25(saved)], { ...options, filters, format: '{{.Repository}}:{{.Tag}}' })
  ).join(' ');
}

const dated = (created: string | undefined, more: Partial<ImageSpec> = {}) =>
  image({ layers: [{ files: { [created ?? 'none']: 'x' } }], config: { created }, ...more });

test('each name of an image is a row, the newest image first', async () => {
  const [old, young] = [await dated('2020-01-01T00:00:00Z'), await dated('2026-11-18T23:00:00Z')];
  const members = dockerSave25([
    { image: old, tags: ['old:1', 'old:2'] },
    { image: young, tags: ['young:1'] },
  ]);
  const [youngId, oldId] = [young, old].map(one => one.imageId.slice(7, 19));
  assert.equal(await lines([members]), [
    'REPOSITORY   TAG       IMAGE ID       CREATED        SIZE',
    `young        1         ${youngId}   25 hours ago   1B`,
    `old          1         ${oldId}   6 years ago    1B`,
    `old          2         ${oldId}   6 years ago    1B`,
  ]);
});

test('an image without a name is <none>, and one without a date is from 1970', async () => {
  const one = await dated(undefined);
  assert.equal(await lines([dockerSave25(one)], { noTrunc: true }), [
    `REPOSITORY   TAG       IMAGE ID${' '.repeat(66)}CREATED        SIZE`,
    `<none>       <none>    ${one.imageId}   56 years ago   1B`,
  ]);
});

test('several archives are one table, in which an image is listed once with all names', async () => {
  const one = await plainImage('one');
  const [a, b] = [['a:1'], ['b:1', 'a:1']].map(tags => dockerSave25({ image: one, tags }));
  assert.equal(await lines([a as Member[], b as Member[]], { format: '{{.Repository}}' }), ['a', 'b']);
});

test('a tag of two images belongs to the one that is loaded last', async () => {
  const [first, second] = [await plainImage('first'), await plainImage('second')];
  const members = dockerSave25([
    { image: first, tags: ['a:1'] },
    { image: second, tags: ['a:1', 'b:1'] },
  ]);
  const format = '{{.Repository}}:{{.Tag}} {{.ID}}';
  const [firstId, secondId] = [first, second].map(one => one.imageId.slice(7, 19));
  const rows = [`<none>:<none> ${firstId}`, `a:1 ${secondId}`, `b:1 ${secondId}`];
  assert.equal(await lines([members], { format }), rows);
  // containerd's store identifies images by name only.
  assert.is((await lines([members], { format, store: 'containerd' })).length, 2);
});

test('digests are known in the store that keeps manifests', async () => {
  const members = dockerSave25({ image: await plainImage(), tags: ['a:1'] });
  const format = '{{.Repository}} {{.Digest}}';
  assert.equal(await lines([members], { format }), ['a <none>']);
  const [row] = await lines([members], { format, store: 'containerd' });
  assert.match(row as string, /^a sha256:\w{64}$/);
  const [titles] = await lines([members], { digests: true, store: 'containerd' });
  assert.match(titles as string, /^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE$/);
});

test('JSON has every column by name', async () => {
  const one = await dated('2023-11-14T22:13:20Z');
  const [row] = await lines([dockerSave25({ image: one, tags: ['a:1'] })], { format: 'json' });
  assert.equal(JSON.parse(row as string), {
    Containers: '0',
    CreatedAt: '2023-11-14 22:13:20 +0000 UTC',
    CreatedSince: '3 years ago',
    Digest: '<none>',
    ID: one.imageId.slice(7, 19),
    Repository: 'a',
    SharedSize: 'N/A',
    Size: '1B',
    Tag: '1',
    UniqueSize: 'N/A',
    VirtualSize: '1B',
  });
});

test('filters by name accept patterns, whose stars stop at slashes', async () => {
  const saved = { image: await plainImage(), tags: ['app:1', 'app:2', 'team/app:1', 'reg.test/app:1'] };
  assert.is(await left(saved, ['reference=app']), 'app:1 app:2');
  assert.is(await left(saved, ['reference=*:1']), 'app:1');
  assert.is(await left(saved, ['reference=*/app']), 'team/app:1 reg.test/app:1');
  assert.is(await left(saved, ['reference=app:2', 'reference=team/*']), 'app:2 team/app:1');
  assert.is(await left(saved, [], { ref: 'reg.test/*' }), 'reg.test/app:1');
  assert.is(await left(saved, ['reference=docker.io/library/app']), '');
});

const labelled = (label: string) =>
  dated(undefined, { config: { config: { Labels: { label, both: 'x' } } } });

test('filters by label accept names and values, all of which must match', async () => {
  const saved = [
    { image: await labelled('a'), tags: ['a:1'] },
    { image: await labelled('b'), tags: ['b:1'] },
    { image: await plainImage(), tags: ['none:1'] },
  ];
  assert.is(await left(saved, ['label=label']), 'a:1 b:1');
  assert.is(await left(saved, ['label=label=b', 'label=both']), 'b:1');
  assert.is(await left(saved, ['label=label=']), '');
  assert.is(await left(saved, ['label!=label'], { store: 'containerd' }), 'none:1');
  assert.is(await left(saved, ['label=label!=a'], { store: 'containerd' }), 'b:1');
});

test('filters by age use the date in the config', async () => {
  const saved = [
    { image: await dated('2022-01-01T00:00:00Z'), tags: ['new:1'] },
    { image: await dated('2021-01-01T00:00:00Z'), tags: ['mid:1'] },
    { image: await dated('1970-01-01T00:00:00Z'), tags: ['old:1'] },
    { image: await dated(undefined), tags: ['undated:1'] },
  ];
  assert.is(await left(saved, ['before=mid:1']), 'old:1');
  assert.is(await left(saved, ['since=mid:1']), 'new:1');
  assert.is(await left(saved, ['since=old:1', 'before=new:1']), 'mid:1');
  assert.is(await left(saved, ['until=2021-06-01']), 'mid:1 old:1');
  assert.is(await left(saved, ['until=24h']), 'new:1 mid:1 old:1');
  assert.is(await left(saved, ['since=undated:1']), 'new:1 mid:1 old:1 undated:1');
});

test('filters by whether an image has a name', async () => {
  const saved = [await plainImage('one'), { image: await plainImage('two'), tags: ['two:1'] }];
  assert.is(await left(saved, ['dangling=true']), '<none>:<none>');
  assert.is(await left(saved, ['dangling=0']), 'two:1');
});

test('an invalid filter is refused, and so is an image that does not exist', async () => {
  const members = dockerSave25({ image: await plainImage(), tags: ['a:1'] });
  for (const filter of ['nope=1', 'nope', 'label!=x']) {
    const error = await answer([members], { filters: [filter] }).catch((e: unknown) => e);
    assert.instance(error, UsageError);
  }
  for (const [filter, words] of [
    ['before=nope', 'No such image: nope'],
    ['dangling=x', "invalid filter 'dangling=[x]'"],
    ['until=x', 'failed to parse value as time or duration: "x"'],
    ['reference=[', 'syntax error in pattern'],
  ] as const) {
    assert.equal(await answer([members], { filters: [filter] }), { stdout: '', notes: [words], exitCode: 1 });
  }
});

test('images that are only parents of others are left out, except with --all', async () => {
  const [base, top] = [await plainImage('base', 1), await plainImage('top', 2)];
  const members = dockerSave([{ image: base }, { image: top, tags: ['top:1'], parent: base }]);
  assert.is((await lines([members], { quiet: true })).length, 1);
  assert.is((await lines([members], { quiet: true, all: true })).length, 2);
});

test("an index is one image in containerd's store, its platforms are images in the classic one", async () => {
  const arm = await image({ layers: [], platform: { os: 'linux', architecture: 'arm64' } });
  const members = buildxOci({ platforms: [await plainImage(), arm], tags: ['app:1'] });
  assert.is((await lines([members], { quiet: true })).length, 2);
  assert.is((await lines([members], { quiet: true, store: 'containerd' })).length, 1);
});

test('a tag alone has no repository', async () => {
  const members = skopeoOci({ image: await plainImage(), tags: ['1.2'] });
  assert.equal(await lines([members], { format: '{{.Repository}} {{.Tag}}' }), ['<none> 1.2']);
  assert.equal(await lines([members], { format: '{{.Repository}} {{.Tag}}', store: 'containerd' }), []);
});

test('an unknown size is empty, which is noted', async () => {
  const one = await plainImage('gone', 1);
  const all = dockerSave25({ image: one, tags: ['a:1'] });
  const members = without(all, `blobs/sha256/${one.diffIds[0]?.slice(7)}`);
  const { stdout, notes, exitCode } = await answer([members], { format: '{{.Size}}' });
  assert.equal([stdout, exitCode], ['N/A\n', 1]);
  assert.match(notes[0] as string, /image\.tar: a:1: layer 1 of 1 .*: it is not in the archive$/);
});

test('a layer with other content than claimed has the size of its content, which is noted', async () => {
  const [one, other] = [await plainImage('one', 1), await plainImage('another', 2)];
  const [layer, content] = [one, other].map(({ layers }) => layers[0]!);
  const path = `blobs/sha256/${layer!.digest.slice(7)}`;
  const members = replaceBytes(dockerSave25({ image: one, tags: ['a:1'] }), path, () => content!.tar);
  const { stdout, notes, exitCode } = await answer([members], { format: '{{.Size}}' });
  assert.equal([stdout, exitCode], ['10B\n', 1]);
  assert.match(notes[0]!, `expected the digest ${layer!.digest}, found ${content!.digest}`);
});

test('of several copies of an image the most complete one is shown, and faults of the others are noted', async () => {
  const one = await plainImage('copy', 1);
  const whole = dockerSave25({ image: one, tags: ['a:1'] });
  const lacking = without(whole, `blobs/sha256/${one.diffIds[0]?.slice(7)}`);
  for (const archives of [
    [lacking, whole],
    [whole, lacking],
  ]) {
    const { stdout, notes, exitCode } = await answer(archives, { format: '{{.Size}}' });
    assert.equal([stdout, exitCode, notes.length], ['7B\n', 1, 1]);
    assert.match(notes[0]!, 'it is not in the archive');
  }
});

test('without a config the creation time is unknown', async () => {
  const one = await plainImage();
  const members = without(
    dockerSave25({ image: one, tags: ['a:1'] }),
    `blobs/sha256/${one.imageId.slice(7)}`,
  );
  const { stdout, notes } = await answer([members]);
  assert.match(stdout as string, /a +1 +\w{12} +N\/A +\d+B\n$/);
  assert.match(notes[0]!, /the config is not in the archive/);
});

test('a name or pattern without a match may be a mistyped file', async () => {
  const members = dockerSave25({ image: await plainImage(), tags: ['a:1'] });
  const { notes, exitCode } = await answer([members], { ref: 'b.tar' });
  assert.equal([notes, exitCode], [['b.tar: no file, and no image is called so'], 0]);
  assert.equal((await answer([members], { ref: 'a*' })).notes, []);
});

test('the tree has platforms below their image, including absent ones', async () => {
  const arm = (variant: string) => ({ os: 'linux', architecture: 'arm', variant });
  const members = buildxOci({
    platforms: [await plainImage(), await image({ layers: [], platform: arm('v7') })],
    missing: [await image({ layers: [], platform: arm('v6') })],
    tags: ['app:1', 'app:long'],
  });
  const shown = (await lines([members], { tree: true, store: 'containerd' })).map(line => line.trimEnd());
  assert.is(shown[1]?.length, ' Info ->  U In Use'.length + 61);
  assert.match(shown[3] as string, 'IMAGE');
  assert.equal(
    shown.slice(4).map(line => line.split(/ {2,}/)[0]),
    ['app:long', 'app:1', '├─ linux/amd64', '├─ linux/arm/v7', '└─ linux/arm/v6', ''],
  );
  assert.match(shown[8] as string, /0B +0B$/);
});

test('the tree is refused with options for another output', async () => {
  const members = dockerSave25({ image: await plainImage(), tags: ['a:1'] });
  for (const option of [{ quiet: true }, { noTrunc: true }, { digests: true }, { format: 'json' }]) {
    const error = await answer([members], { tree: true, ...option }).catch((e: unknown) => e);
    assert.instance(error, UsageError);
  }
});

test('layers are only read for sizes', () => {
  const depth = (options: Options) => imagesDepth({ ...DEFAULTS, ...options });
  const deep: Options[] = [
    {},
    { digests: true },
    { format: 'json' },
    { format: '{{.VirtualSize}}' },
    { tree: true },
  ];
  assert.equal(deep.map(depth), Array(5).fill('files'));
  assert.equal([{ quiet: true }, { format: '{{.ID}}' }].map(depth), Array(2).fill('metadata'));
});

test.run();
