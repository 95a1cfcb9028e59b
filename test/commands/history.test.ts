import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type HistoryCommandOptions, history, historyDepth } from '../../src/commands/history.js';
import { image, plainImage } from '../support/image.js';
import { buildxOci, dockerSave, dockerSave25, dockerV1, type Member } from '../support/layouts.js';
import { readMembers, refusal } from '../support/reading.js';

const DEFAULTS: HistoryCommandOptions = {
  noTrunc: false,
  quiet: false,
  human: true,
  docker: 28,
  store: 'classic',
  now: new Date('2026-11-20T00:00:00Z'),
};

type Options = Partial<HistoryCommandOptions> & { readonly ref?: string };

async function answer(members: readonly Member[], { ref, ...options }: Options = {}) {
  const { reading } = await readMembers(members, { depth: 'files' });
  return history(reading, { ref }, { ...DEFAULTS, ...options });
}

async function lines(members: readonly Member[], options: Options = {}): Promise<string[]> {
  const { stdout, notes, exitCode } = await answer(members, options);
  assert.equal({ notes, exitCode }, { notes: [], exitCode: 0 });
  return (stdout as string).trimEnd().split('\n');
}

const steps = [
  { created: '2023-11-14T22:13:20Z', created_by: 'COPY a', comment: 'buildkit' },
  { created: '1970-01-01T00:00:00Z', created_by: 'ENV\tA=1', empty_layer: true },
  { created_by: 'RUN x' },
];

const made = () => image({ layers: [{ files: { a: 'aaa' } }, { files: { b: 'b' } }], history: steps });

test('steps are listed newest first, each with the size of its layer', async () => {
  const { imageId, ...one } = await made();
  const members = dockerSave25({ image: { imageId, ...one }, tags: ['a:1'] });
  assert.equal(await lines(members), [
    'IMAGE          CREATED       CREATED BY   SIZE      COMMENT',
    `${imageId.slice(7, 19)}   N/A           RUN x        1B        `,
    '<missing>      N/A           ENV A=1      0B        ',
    '<missing>      3 years ago   COPY a       3B        buildkit',
  ]);
});

test('--human=false prints bytes and times', async () => {
  const members = dockerSave25({ image: await made(), tags: ['a:1'] });
  const [titles, top] = await lines(members, { human: false, noTrunc: true });
  assert.match(titles as string, /^IMAGE +CREATED AT +CREATED BY +SIZE +COMMENT$/);
  assert.match(top as string, /^sha256:\w{64} +1970-01-01T00:00:00Z +RUN x +1/);
});

test('long commands are cut, except with --no-trunc', async () => {
  const long = `RUN ${'x'.repeat(60)}`;
  const one = await image({ layers: [], history: [{ created_by: long, empty_layer: true }] });
  const members = dockerSave25({ image: one, tags: ['a:1'] });
  assert.equal(await lines(members, { format: '{{.CreatedBy}}' }), [`${long.slice(0, 44)}…`]);
  assert.equal(await lines(members, { format: '{{.CreatedBy}}', noTrunc: true }), [long]);
});

test('--quiet prints IDs only, unless a format is given', async () => {
  const members = dockerSave25({ image: await made(), tags: ['a:1'] });
  assert.match((await lines(members, { quiet: true })).join(), /^\w{12},<missing>,<missing>$/);
  assert.equal(await lines(members, { quiet: true, format: '{{.Size}}' }), ['1B', '0B', '3B']);
});

test('an image without a history has no rows', async () => {
  const one = await image({ layers: [{ files: { a: '' } }], history: [] });
  assert.equal(await lines(dockerSave25({ image: one, tags: ['a:1'] })), [
    'IMAGE     CREATED   CREATED BY   SIZE      COMMENT',
  ]);
});

test('steps without a layer for them have an unknown size, which is noted', async () => {
  const one = await image({ layers: [{ files: { a: 'a' } }], history: steps });
  const { stdout, notes, exitCode } = await answer(dockerSave25({ image: one, tags: ['a:1'] }), {
    format: '{{.Size}}',
  });
  assert.is(stdout, 'N/A\n0B\n1B\n');
  assert.equal(notes, ['the history has more steps with a layer than there are layers']);
  assert.is(exitCode, 1);
});

test('steps of parent images have their IDs', async () => {
  const [base, top] = [await plainImage('base', 1), await plainImage('top', 2)];
  const members = dockerSave([{ image: base }, { image: top, tags: ['top:1'], parent: base }]);
  assert.equal(await lines(members, { ref: 'top:1', noTrunc: true, format: '{{.ID}}' }), [
    top.imageId,
    base.imageId,
  ]);
});

test('a name of several platforms selects the one of the host', async () => {
  const arm = await image({ layers: [], platform: { os: 'linux', architecture: 'arm64' } });
  const members = buildxOci({ platforms: [arm, await plainImage('amd', 3)], tags: ['app:1'] });
  assert.is((await lines(members, { quiet: true })).length, 3);
  assert.is((await lines(members, { quiet: true, store: 'containerd' })).length, 3);
});

test('one of several images must be selected', async () => {
  const members = dockerSave25([
    { image: await plainImage('one'), tags: ['one:1'] },
    { image: await plainImage('two'), tags: ['two:1'] },
  ]);
  const { what } = await refusal(answer(members));
  assert.is(what, 'it holds 2 images');
});

test('before image IDs, every step was an image', async () => {
  const ids = await lines(dockerV1({ image: await plainImage('old', 3), tags: ['old:1'] }), { quiet: true });
  assert.is(ids.length, 3);
  assert.ok(ids.every(id => /^\w{12}$/.test(id)));
});

test('an error in the template is the only output', async () => {
  const members = dockerSave25({ image: await made(), tags: ['a:1'] });
  const { stdout, notes, exitCode } = await answer(members, { format: '{{.Id}}' });
  assert.is(stdout, '');
  assert.match(
    notes[0] as string,
    /^template parsing error: .*can't evaluate field Id in type \*image.historyContext$/,
  );
  assert.is(exitCode, 1);
});

test('layers are only read for sizes', () => {
  assert.is(historyDepth(DEFAULTS), 'files');
  assert.is(historyDepth({ ...DEFAULTS, quiet: true }), 'metadata');
  assert.is(historyDepth({ ...DEFAULTS, format: '{{.CreatedBy}}' }), 'metadata');
  assert.is(historyDepth({ ...DEFAULTS, format: 'json' }), 'files');
});

test.run();
