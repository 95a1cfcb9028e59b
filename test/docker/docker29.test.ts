// Differences of Docker 29, and images of several platforms and names, with made archives.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type HistoryCommandOptions, history } from '../../src/commands/history.js';
import { type ImageInspectOptions, imageInspect } from '../../src/commands/image-inspect.js';
import { type ImagesOptions, images } from '../../src/commands/images.js';
import { decode, encodeJson } from '../../src/go/template/index.js';
import { ANY, INT64, struct, value } from '../../src/go/template/types.js';
import type { Selection } from '../../src/report/select.js';
import { jsonOddities } from '../../src/spec/json-text.js';
import { assemble, image, type LayerSpec, plainImage } from '../support/image.js';
import {
  buildxOci,
  cranePull,
  dockerContainerd,
  dockerSave25,
  type Member,
  skopeoOci,
} from '../support/layouts.js';
import { readMembers } from '../support/reading.js';

const NOW = new Date('2026-11-20T00:00:00Z');
const LIST = { noTrunc: false, quiet: false, digests: false, filters: [], tree: false, now: NOW } as const;
const HISTORY = { noTrunc: false, quiet: false, human: true, now: NOW } as const;
const ARM = { os: 'linux', architecture: 'arm64' };
const ARM64 = { ...ARM, variant: null, osVersion: null };

const read = async (members: readonly Member[]) => (await readMembers(members, { depth: 'files' })).reading;

async function listed(members: readonly Member[], options: Partial<ImagesOptions> = {}): Promise<string[]> {
  const { stdout, notes } = images([await read(members)], { ...LIST, ...options });
  assert.equal(notes, []);
  return (stdout as string).split('\n').map(line => line.trimEnd());
}

async function inspected(
  members: readonly Member[],
  format: string,
  options: Partial<ImageInspectOptions> = {},
  selection: Selection = {},
): Promise<string> {
  const { stdout, notes } = imageInspect(await read(members), selection, { format, ...options });
  assert.equal(notes, []);
  return (stdout as string).trimEnd();
}

async function sizes(
  members: readonly Member[],
  options: Partial<HistoryCommandOptions> = {},
): Promise<string> {
  const selection = { platform: ARM64 };
  const format = '{{.Size}}';
  return (
    history(await read(members), selection, { ...HISTORY, format, ...options }).stdout as string
  ).trim();
}

const columns = (line: string) => line.split(/ {2,}/);

test('the table has a row for each name, sorted, and none for images without a name', async () => {
  const [one, other] = [await plainImage('one'), await plainImage('other')];
  const members = dockerSave25([{ image: one, tags: ['b:1', 'a:2'] }, { image: other }]);
  const [titles, ...rows] = await listed(members, { store: 'classic' });
  assert.equal(columns(titles!), ['IMAGE', 'ID', 'DISK USAGE', 'CONTENT SIZE', 'EXTRA']);
  assert.equal(
    rows.map(row => columns(row)[0]),
    ['a:2', 'b:1', ''],
  );
  const names = async (options: Partial<ImagesOptions>) =>
    (await listed(members, { store: 'classic', ...options })).slice(1, -1).map(row => columns(row)[0]);
  assert.equal(await names({ all: true }), ['a:2', 'b:1', '<untagged>']);
  assert.equal(await names({ filters: ['dangling=true'] }), ['<untagged>']);
  assert.equal(await listed(members, { store: 'classic', quiet: true }).then(lines => lines.length), 3);
  assert.equal(
    await listed(members, { store: 'classic', quiet: true, all: true }).then(lines => lines.length),
    4,
  );
});

test('the tree has no warning and no colours, and the names of an image above it', async () => {
  const arm = await image({ layers: [], platform: ARM });
  const members = buildxOci({ platforms: [await plainImage(), arm], tags: ['app:1', 'app:0'] });
  const rows = (await listed(members, { tree: true })).map(row => columns(row)[0]);
  assert.equal(rows, ['IMAGE', 'app:0', 'app:1', '├─ linux/amd64', '└─ linux/arm64', '', '']);
  const text = images([await read(members)], { ...LIST, tree: true }).stdout as string;
  assert.not.match(text, '\u001b');
});

test('JSON has no VirtualSize', async () => {
  const [row] = await listed(dockerSave25({ image: await plainImage(), tags: ['a:1'] }), { format: 'json' });
  assert.not.ok('VirtualSize' in JSON.parse(row!));
});

test('for a platform that the host does not run, only shared layers are unpacked', async () => {
  const layers: LayerSpec[] = [{ files: { shared: 'x'.repeat(5000) } }, { files: { own: 'y'.repeat(9000) } }];
  const steps = { platform: ARM, layers };
  const [amd, same, foreign] = [
    await image({ layers }),
    await image(steps),
    await image({ ...steps, layers: [layers[0]!, { files: { arm: 'z'.repeat(9000) } }] }),
  ];
  const saved = (arm: typeof amd) => buildxOci({ platforms: [amd, arm], tags: ['app:1'] });
  for (const docker of [28, 29]) {
    const asked = { docker, store: 'containerd' } as const;
    assert.equal((await sizes(saved(same), asked)).split('\n'), ['16.4kB', '12.3kB'], 'all of it');
    assert.equal((await sizes(saved(foreign), asked)).split('\n'), ['0B', '12.3kB'], 'the first alone');
  }
  const alone = buildxOci({ platforms: [foreign], tags: ['app:1'] });
  assert.equal((await sizes(alone)).split('\n'), ['0B', '0B']);
});

test('a layer that does not match its diff_id is not unpacked, nor is any above it', async () => {
  const layers: LayerSpec[] = ['a', 'b', 'c'].map(name => ({ files: { [name]: name.repeat(5000) } }));
  const sound = await image({ layers });
  const other = await image({
    layers: layers.map((spec, i) => (i === 1 ? { files: { b: 'another' } } : spec)),
  });
  const wrong = assemble(sound.configBytes, other.layers);
  const reading = await read(buildxOci({ platforms: [wrong], tags: ['app:1'] }));
  for (const docker of [28, 29]) {
    const asked = { ...HISTORY, format: '{{.Size}}', docker, store: 'containerd' } as const;
    const { stdout, notes, exitCode } = history(reading, {}, asked);
    assert.equal((stdout as string).trim().split('\n'), ['0B', '0B', '12.3kB']);
    assert.match(notes.join('\n'), /layer 2 of 3 .* is not what the image names: expected the diff_id/);
    assert.is(exitCode, 1);
  }
});

test('Docker 28 lists a short name of an OCI layout twice, and without a digest', async () => {
  const members = skopeoOci({ image: await plainImage(), tags: ['app:1'] });
  const asked = { digests: true, store: 'containerd', docker: 28 } as const;
  const names = async (image: typeof members) =>
    (await listed(image, asked)).slice(1, -1).map(row => columns(row).slice(0, 3));
  assert.equal(await names(members), Array(2).fill(['app', '1', '<none>']));
  const [full] = await names(skopeoOci({ image: await plainImage(), tags: ['docker.io/library/app:1'] }));
  assert.match(full![2]!, /^sha256:/);
});

test('the history of a platform begins with the ID of the whole image', async () => {
  const arm = await image({ layers: [{ files: { a: 'b' } }], platform: ARM });
  const members = buildxOci({ platforms: [await plainImage(), arm], tags: ['app:1'] });
  const reading = await read(members);
  for (const docker of [28, 29]) {
    const asked = { ...HISTORY, docker, store: 'containerd', quiet: true, noTrunc: true } as const;
    const [first] = (history(reading, { platform: ARM64 }, asked).stdout as string).split('\n');
    assert.is(first, await inspected(members, '{{.Id}}', { docker, store: 'containerd' }));
  }
});

test('an absent platform is noted, and the rest is answered', async () => {
  const reading = await read(dockerSave25({ image: await plainImage(), tags: ['a:1'] }));
  for (const store of ['containerd', 'classic'] as const) {
    const selection = { ref: 'a:1', platform: ARM64 };
    for (const answer of [
      history(reading, selection, { ...HISTORY, store }),
      imageInspect(reading, selection, { store }),
    ]) {
      assert.equal([answer.stdout, answer.exitCode, answer.notes.length], ['', 1, 1]);
      assert.match(answer.notes[0]!, 'no image for linux/arm64');
    }
  }
});

test('the size of an image is that of its best platform, compressed and unpacked', async () => {
  const one = await image({ layers: [{ files: { a: 'x'.repeat(5000) } }] });
  const arm = await image({ layers: [{ files: { b: 'x'.repeat(50_000) } }], platform: ARM });
  const members = buildxOci({ platforms: [arm, one], tags: ['app:1'] });
  const [size, ofHost] = [
    Number(await inspected(members, '{{.Size}}')),
    Number(await inspected(members, '{{.Size}}', {}, { platform: { ...ARM64, architecture: 'amd64' } })),
  ];
  assert.is(size, ofHost);
  const packed = Number(await inspected(members, '{{.Size}}', { docker: 28, store: 'containerd' }));
  assert.ok(
    size > 12_288 && size < 12_288 + packed,
    'two blocks of the file, one of the directory, and its blobs',
  );
});

test('the classic store has the images of manifest.json, by the names in it', async () => {
  const arm = await image({ layers: [], platform: ARM });
  const amd = await plainImage();
  const members = dockerContainerd({ platforms: [amd, arm], tags: ['app:1'] });
  assert.equal(await listed(members, { store: 'classic', format: '{{.ID}} {{.Repository}}' }), [
    `${amd.imageId.slice(7, 19)} app`,
    '',
  ]);
});

test('a descriptor has the annotations of the name that selected it', async () => {
  const name = '{{index .Descriptor.Annotations "io.containerd.image.name"}}';
  const tag = '{{index .Descriptor.Annotations "org.opencontainers.image.ref.name"}}';
  const one = { image: await plainImage('two', 1, 'gzip'), tags: ['z:2', 'reg.test/a:1'] };
  for (const members of [dockerSave25(one), cranePull(one)]) {
    for (const docker of [28, 29]) {
      const ask = (ref?: string) =>
        inspected(
          members,
          `${name} ${tag}`,
          { docker, store: 'containerd' },
          ref === undefined ? {} : { ref },
        );
      assert.is(await ask('z:2'), 'docker.io/library/z:2 2');
      assert.is(await ask('reg.test/a:1'), 'reg.test/a:1 1');
      assert.is(await ask(), 'docker.io/library/z:2 2', 'the first by its full name');
    }
  }
});

test("a digest has the methods of Go's type", async () => {
  const members = dockerSave25({ image: await plainImage(), tags: ['a:1'] });
  for (const docker of [28, 29]) {
    const parts = '{{.Descriptor.Digest.Algorithm}}:{{.Descriptor.Digest.Encoded}} {{.Id}}';
    const [made, id] = (
      await inspected(members, parts.replace('.Id', '.ID'), { docker, store: 'containerd' })
    ).split(' ');
    assert.is(made, id);
  }
});

test('a list shows the digest with the last name that passes the filters, and finds unnamed images by digest', async () => {
  const named = dockerSave25({ image: await plainImage(), tags: ['app:1', 'reg.test/app:1'] });
  const format = '{{.Repository}} {{.Digest}}';
  for (const docker of [28, 29]) {
    const asked = { docker, store: 'containerd', format } as const;
    const rows = async (filter?: string) => {
      const lines = await listed(named, { ...asked, filters: filter === undefined ? [] : [filter] });
      return lines.map(row => row.replace(/sha256:\w{64}/, 'DIGEST'));
    };
    assert.equal(await rows(), ['app <none>', 'reg.test/app DIGEST', '']);
    assert.equal(await rows('reference=app'), ['app DIGEST', '']);
    assert.equal(await rows('reference=app:1'), ['app DIGEST', '']);
  }
  const unnamed = dockerSave25({ image: await plainImage() });
  const found = async (pattern: string, docker: number) =>
    (
      await listed(unnamed, {
        docker,
        store: 'containerd',
        quiet: true,
        all: true,
        filters: [`reference=${pattern}`],
      })
    ).length - 1;
  assert.equal([await found('*', 28), await found('*', 29), await found('app', 28)], [1, 1, 0]);
});

test('a label may belong to any platform', async () => {
  const labelled = (label: string, more = {}) =>
    image({ layers: [], config: { config: { Labels: { label } } }, ...more });
  const platforms = [await labelled('amd'), await labelled('arm', { platform: ARM })];
  const members = buildxOci({ platforms, tags: ['app:1'] });
  const count = async (label: string, docker: number) =>
    (await listed(members, { docker, store: 'containerd', quiet: true, filters: [`label=label=${label}`] }))
      .length - 1;
  for (const docker of [28, 29])
    assert.equal(
      [await count('amd', docker), await count('arm', docker), await count('mips', docker)],
      [1, 1, 0],
    );
});

test('numbers keep their text where Go keeps it', () => {
  const text = '{"whole": 9007199254740993, "half": 12.50, "round": 12.0, "list": [1, 1e2]}';
  const texts = jsonOddities(text, 10)?.numbers;
  const dynamic = decode(ANY, JSON.parse(text), { numbers: 'json.Number', texts });
  assert.is(
    encodeJson(value(ANY, dynamic)),
    '{"half":12.50,"list":[1,1e2],"round":12.0,"whole":9007199254740993}',
  );
  const type = struct('T', [
    { name: 'whole', type: INT64 },
    { name: 'round', type: INT64 },
  ]);
  assert.equal(decode(type, JSON.parse(text), { texts }), { whole: 9007199254740993n, round: 0 });
});

test('a large interval is exact in every form of the answer', async () => {
  const made = await image({ layers: [], config: { config: { Healthcheck: { Interval: 1 } } } });
  // A number that JavaScript cannot hold is put into the text of the document.
  const text = Buffer.from(made.configBytes)
    .toString()
    .replace('"Interval":1', '"Interval":9007199254740993');
  const one = assemble(Buffer.from(text), made.layers);
  const members = dockerSave25({ image: one, tags: ['a:1'] });
  const interval = '{{.Config.Healthcheck.Interval}}';
  for (const store of ['containerd', 'classic'] as const) {
    assert.is(await inspected(members, `{{json ${interval.slice(2, -2)}}}`, { store }), '9007199254740993');
    assert.match(await inspected(members, `{{.Id}} ${interval}`, { store }), / 9007199254740993$/);
    assert.match(await inspected(members, 'json', { store }), '"Interval":9007199254740993');
  }
});

test.run();
