import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ImageInspectOptions,
  type InspectSelection,
  imageInspect,
  imageInspectDepth,
} from '../../src/commands/image-inspect.js';
import type { ReadOptions } from '../../src/commands.js';
import { image, plainImage } from '../support/image.js';
import {
  buildxOci,
  cranePull,
  dockerSave,
  dockerSave25,
  dockerV1,
  type Member,
  without,
} from '../support/layouts.js';
import { readMembers, refusal } from '../support/reading.js';

type Options = Partial<ImageInspectOptions> & Pick<InspectSelection, 'refs' | 'platform'>;

async function inspect(
  members: readonly Member[],
  options: Options = {},
  depth: ReadOptions['depth'] = 'files',
) {
  const { refs, platform, ...more } = options;
  const { reading } = await readMembers(members, { depth });
  return imageInspect(reading, { refs, platform }, { docker: 28, store: 'classic', ...more });
}

async function inspected(members: readonly Member[], options: Options = {}) {
  const { stdout, notes, exitCode } = await inspect(members, options);
  assert.equal({ notes, exitCode }, { notes: [], exitCode: 0 });
  return JSON.parse(stdout as string)[0] as Record<string, unknown>;
}

const CONFIG = { Env: ['A=1'], Cmd: ['sh'], Labels: { b: '<x>' }, User: '1' };
const full = () =>
  image({
    layers: [{ files: { a: 'aaa', 'b/c': 'cc' }, createdBy: 'COPY' }, { files: { d: 'd' } }],
    config: {
      config: CONFIG,
      author: 'me',
      container: 'c0ffee',
      docker_version: '20.10',
      'os.version': '10.0',
    },
  });

test('the answer has the fields of the API in its order, the config last and sorted', async () => {
  const made = await full();
  const answer = await inspected(dockerSave25([{ image: made, tags: ['b:1', 'a:1'] }]));
  assert.equal(Object.keys(answer), [
    ...['Id', 'RepoTags', 'RepoDigests', 'Parent', 'Comment', 'Created', 'DockerVersion', 'Author'],
    ...['Architecture', 'Os', 'OsVersion', 'Size', 'GraphDriver', 'RootFS', 'Metadata', 'Config'],
  ]);
  assert.equal(answer.Id, made.imageId);
  assert.equal(answer.RepoTags, ['a:1', 'b:1']);
  assert.equal(answer.Size, 6);
  assert.equal(answer.Comment, 'buildkit.dockerfile.v0');
  assert.equal(answer.RootFS, { Type: 'layers', Layers: made.diffIds });
  assert.equal(answer.Metadata, { LastTagTime: '0001-01-01T00:00:00Z' });
  const config = { ...CONFIG, Entrypoint: null, OnBuild: null, Volumes: null, WorkingDir: '' };
  assert.equal(answer.Config, config);
  assert.equal(Object.keys(answer.Config as object), Object.keys(config).sort());
});

test('JSON is indented by four spaces and escaped for HTML, or on one line', async () => {
  const members = dockerSave25({ image: await full(), tags: ['a:1'] });
  const { stdout } = await inspect(members);
  assert.ok((stdout as string).startsWith('[\n    {\n        "Id": "sha256:'));
  assert.ok((stdout as string).includes('"b": "\\u003cx\\u003e"'));
  const { stdout: line } = await inspect(members, { format: 'json' });
  assert.equal((line as string).split('\n').length, 2);
  assert.equal(JSON.parse(line as string), JSON.parse(stdout as string));
});

/** Fields of each API version that the newest does not have. moby docs/api/version-history.md */
const SHAPES: readonly (readonly [api: string, fields: readonly string[], config: readonly string[]])[] = [
  ['1.50', [], []],
  ['1.49', [], ['AttachStderr', 'Domainname', 'Hostname', 'Image', 'Tty']],
  ['1.44', ['Container', 'ContainerConfig'], ['Hostname']],
  ['1.43', ['Container', 'ContainerConfig', 'VirtualSize'], ['Hostname']],
  ['1.24', ['Container', 'ContainerConfig', 'VirtualSize'], ['Hostname']],
];

for (const [api, fields, ofConfig] of SHAPES) {
  test(`API ${api} shows ${['nothing more', ...fields].at(-1)}`, async () => {
    const members = dockerSave25({ image: await full(), tags: ['a:1'] });
    const answer = await inspected(members, { api });
    const shown = ['Container', 'ContainerConfig', 'VirtualSize'].filter(field => field in answer);
    assert.equal(shown, fields);
    const config = answer.Config as Record<string, unknown>;
    assert.equal(
      ofConfig.filter(field => field in config),
      ofConfig,
    );
    assert.is('Hostname' in config, ofConfig.length > 0);
    if (api === '1.24') assert.is(answer.VirtualSize, 6);
  });
}

test('an image without a date has none, or in old releases the zero time', async () => {
  const undated = await image({ layers: [{ files: { a: '' } }], config: { created: undefined } });
  const members = dockerSave25({ image: undated, tags: ['a:1'] });
  assert.not('Created' in (await inspected(members)));
  assert.is((await inspected(members, { api: '1.43' })).Created, '0001-01-01T00:00:00Z');
});

test('templates use typed fields, and the raw answer for unknown fields', async () => {
  const members = dockerSave25({ image: await full(), tags: ['a:1'] });
  const say = async (format: string) => (await inspect(members, { format })).stdout;
  assert.is(await say('{{json .Config}}'), '{"User":"1","Env":["A=1"],"Cmd":["sh"],"Labels":{"b":"<x>"}}\n');
  assert.match(
    (await say('{{.Id}} {{json .Config}}')) as string,
    /^sha256:\w{64} \{"Cmd":\["sh"\],"Entrypoint":null/,
  );
  assert.is(await say('{{printf "%T" .Size}}'), 'int64\n');
  assert.match((await say('{{.Id}}{{printf "%T" .Size}}')) as string, /json.Number\n$/);
});

test("an unknown field is an error in Docker's words, and nothing is printed", async () => {
  const answer = await inspect(dockerSave25({ image: await full(), tags: ['a:1'] }), { format: '{{.Nope}}' });
  assert.equal(answer, {
    stdout: '',
    notes: [
      'template parsing error: template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"',
    ],
    exitCode: 1,
  });
});

test('an invalid template is an error before anything is looked up', async () => {
  const answer = await inspect(dockerSave25({ image: await full(), tags: ['a:1'] }), {
    format: '{{',
    refs: ['none'],
  });
  assert.equal(answer.notes, ['template parsing error: template: :1: unclosed action']);
  assert.is(answer.exitCode, 1);
});

test('several images are one list, or one line each with a template', async () => {
  const [one, two] = [await plainImage('one'), await plainImage('two')];
  const members = dockerSave25([
    { image: one, tags: ['one:1'] },
    { image: two, tags: ['two:1'] },
  ]);
  const ids = async (refs?: string[]) => (await inspect(members, { format: '{{.ID}}', refs })).stdout;
  assert.is(await ids(), `${one.imageId}\n${two.imageId}\n`);
  assert.is(await ids(['two:1', 'one:1']), `${two.imageId}\n${one.imageId}\n`);
  assert.is(await ids([two.imageId.slice(7, 19)]), `${two.imageId}\n`);
});

test('of several references those that match are shown, and the others reported', async () => {
  const one = await plainImage('one');
  const members = dockerSave25({ image: one, tags: ['one:1'] });
  const answer = await inspect(members, { format: '{{.ID}}', refs: ['nope', 'one:1'] });
  assert.is(answer.stdout, `${one.imageId}\n`);
  assert.match(answer.notes[0] as string, 'no image "nope"');
  assert.is(answer.exitCode, 1);
  await refusal(inspect(members, { refs: ['nope'] }));
});

test('the size is null if a layer is absent, which is noted; everything else is shown', async () => {
  const made = await full();
  const gone = dockerSave25({ image: made, tags: ['a:1'] });
  const members = without(gone, `blobs/sha256/${made.diffIds[1]?.slice(7)}`);
  const answer = await inspect(members);
  const [shown] = JSON.parse(answer.stdout as string);
  assert.is(shown.Size, null);
  assert.is(shown.Id, made.imageId);
  assert.equal(answer.notes.length, 1);
  assert.match(answer.notes[0] as string, /^layer 2 of 2 .* has no known size: it is not in the archive$/);
  assert.is(answer.exitCode, 1);
  assert.equal(await inspect(members, { format: '{{.ID}}' }), {
    stdout: `${made.imageId}\n`,
    notes: [],
    exitCode: 0,
  });
});

test('without its config an image still has its ID, names and size', async () => {
  const made = await full();
  const all = dockerSave25({ image: made, tags: ['a:1'] });
  const answer = await inspect(without(all, `blobs/sha256/${made.imageId.slice(7)}`));
  const [shown] = JSON.parse(answer.stdout as string);
  assert.equal([shown.Id, shown.RepoTags, shown.Size, shown.Config.Cmd], [made.imageId, ['a:1'], 6, null]);
  assert.is(answer.exitCode, 1);
});

test("containerd's store identifies an image by its manifest or index", async () => {
  const platforms = [
    await plainImage('amd'),
    await image({ layers: [], platform: { os: 'linux', architecture: 'arm64' } }),
  ];
  const members = buildxOci({ platforms, tags: ['app:1'] });
  const say = async (format: string, more: Options = {}) =>
    (await inspect(members, { store: 'containerd', format, ...more }, 'metadata')).stdout as string;
  const [type, id] = (await say('{{.Descriptor.MediaType}} {{.ID}} {{.Architecture}}')).split(' ');
  assert.is(type, 'application/vnd.oci.image.index.v1+json');
  const arm64 = { os: 'linux', architecture: 'arm64', variant: null, osVersion: null };
  const [platform, other] = (
    await say('{{.Descriptor.Platform.Architecture}} {{.ID}}', { platform: arm64 })
  ).split(' ');
  assert.is(platform, 'arm64');
  assert.is.not(other, id);
  assert.is(await say('{{.Architecture}} {{index .RepoTags 0}}'), 'amd64 app:1\n');
  assert.match(await say('{{index .RepoDigests 0}}'), `app@${id}`);
});

test("containerd's store synthesises a manifest for an archive without one, after every byte was read", async () => {
  const members = cranePull({ image: await plainImage('crane', 1, 'gzip'), tags: ['app:1'] });
  const options = { docker: 28, store: 'containerd', format: '{{.ID}}' } as const;
  assert.is(imageInspectDepth(options), 'metadata');
  const { reading } = await readMembers(members, { depth: 'metadata' });
  assert.is(imageInspectDepth(options, reading), 'digests');
  assert.is(imageInspect(reading, {}, options).exitCode, 1);
  const { stdout } = await inspect(members, options, 'digests');
  assert.match(stdout as string, /^sha256:\w{64}\n$/);
  // It is found by its former name.
  assert.is(
    (await inspect(members, { ...options, refs: [(stdout as string).trim()] }, 'digests')).stdout,
    stdout,
  );
});

test('layers are only read for sizes', () => {
  const depth = (format?: string) => imageInspectDepth({ docker: 28, store: 'classic', format });
  assert.equal([undefined, 'json', '{{json .}}', '{{.Id}}{{.Size}}'].map(depth), Array(4).fill('files'));
  assert.equal(['{{.Id}}', '{{json .Config}}', '{{'].map(depth), Array(3).fill('metadata'));
  assert.is(imageInspectDepth({ docker: 28, store: 'containerd' }), 'metadata');
});

test('the parent is shown if it is in the archive too', async () => {
  const [base, top] = [await plainImage('base', 1), await plainImage('top', 2)];
  const both = dockerSave([{ image: base }, { image: top, tags: ['top:1'], parent: base }]);
  assert.is((await inspect(both, { refs: ['top:1'], format: '{{.Parent}}' })).stdout, `${base.imageId}\n`);
  const alone = dockerSave([{ image: top, tags: ['top:1'], parent: base }]);
  assert.is((await inspect(alone, { format: '{{.Parent}}|' })).stdout, '|\n');
});

test('an image before image IDs has the ID of its top layer', async () => {
  const members = dockerV1({ image: await plainImage('old'), tags: ['old:1'] });
  const answer = await inspected(members);
  assert.match(answer.Id as string, /^\w{64}$/);
  assert.match(answer.Parent as string, /^\w{64}$/);
  assert.equal((answer.RootFS as { Layers: string[] }).Layers.length, 2);
});

test.run();
