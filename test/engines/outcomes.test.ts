// The outcome of an image in an engine is a code with data; the words of the engine are additional.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engineReport } from '../../src/commands/ids/engines.js';
import { ids, idsReport, readArchive } from '../../src/commands.js';
import { attempt, cannotTell, type EngineStop, panic, refuse, within } from '../../src/decoding/refused.js';
import {
  type EngineName,
  type EngineVerdict,
  predictEngines,
  predictFile,
} from '../../src/engines/predict.js';
import { toText } from '../../src/format/text.js';
import type { Depth } from '../../src/scan/scan.js';
import { image, plainImage } from '../support/image.js';
import {
  buildxOci,
  cranePull,
  jib,
  type Member,
  ociLayout,
  replaceBytes,
  skopeoOci,
  without,
} from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { streamOf } from '../support/reading.js';

const DELIVERY = { container: 'tar', compression: 'none', inside: null, docker: 28 } as const;
const app = await plainImage('app');
const tagged = { image: app, tags: ['app:1'] };

const read = async (members: readonly Member[], depth: Depth = 'digests') =>
  readArchive(streamOf(await toTar(members)), { depth });

/** The verdicts of one engine, image by image; for a file without an image, the one for the file. */
async function verdicts(
  engine: EngineName,
  members: readonly Member[],
  depth?: Depth,
): Promise<EngineVerdict[]> {
  const { scan, graph } = (await read(members, depth)).parts[0]!;
  const lists = [...predictEngines(scan, graph, DELIVERY).values()];
  const all = lists.length === 0 ? [predictFile(scan, DELIVERY)] : lists;
  return all.map(list => list.find(verdict => verdict.engine === engine)!);
}

const stopOf = (step: () => void): EngineStop | null => attempt(step);
const wrapped = (step: () => never) => stopOf(() => within(message => `opening: ${message}`, step));

test('an error is wrapped by its caller; a crash and an unknown outcome are not', () => {
  assert.equal(
    wrapped(() => refuse('cannot be told: x')),
    {
      outcome: 'refused',
      message: 'opening: cannot be told: x',
    },
  );
  assert.equal(
    wrapped(() => refuse('panic: x')),
    { outcome: 'refused', message: 'opening: panic: x' },
  );
  assert.equal(
    wrapped(() => panic('x')),
    { outcome: 'refused', message: 'panic: x', panics: true },
  );
  const cause = { code: 'tar-or-zstd' } as const;
  assert.equal(
    wrapped(() => cannotTell(cause)),
    { outcome: 'unknown', cause },
  );
  assert.is(
    stopOf(() => {}),
    null,
  );
});

test('accepted: with the ID', async () => {
  const [verdict] = await verdicts('podman', jib(tagged));
  assert.equal(verdict, { engine: 'podman', outcome: 'accepted', id: app.imageId, notes: [] });
});

test('refused: in the words of the engine, even if these look like words of waybill', async () => {
  const named = (name: string) =>
    replaceBytes(jib(tagged), 'manifest.json', bytes => {
      const [item] = JSON.parse(Buffer.from(bytes).toString()) as [object];
      return JSON.stringify([{ ...item, Config: name }]);
    });
  for (const name of ['loads another image', 'cannot be told: x', 'creating temp', 'panic: x']) {
    const [verdict] = await verdicts('docker-classic', named(name));
    assert.is(verdict!.outcome, 'refused', name);
    assert.match(engineReport(verdict!).refusal!, name);
  }
});

test('refused: podman gives the error of each format, and wraps one in index.json', async () => {
  const damaged = replaceBytes(skopeoOci(tagged), 'index.json', () => '{"manifests":[]}');
  const [verdict] = await verdicts('podman', damaged);
  if (verdict?.outcome !== 'refused' || verdict.formats === undefined) throw new Error(verdict?.outcome);
  assert.equal(
    verdict.formats.errors.map(({ format, isConstant }) => [format, isConstant]),
    [
      ['oci', true],
      ['oci-archive', false],
      ['docker-archive', false],
      ['dir', true],
    ],
  );
  const [, archive] = verdict.formats.errors;
  assert.is(archive!.message, 'loading index: more than one image in oci, choose an image');
  for (const { format, message } of verdict.formats.errors)
    assert.ok(verdict.message.includes(` * ${format}: ${message}`), format);
  // A file that cannot be unpacked has no index to load.
  const outside = [...damaged, { path: 'x', type: 'symlink', link: '../../y' } as const];
  const [escaping] = await verdicts('podman', outside);
  assert.match(engineReport(escaping!).refusal!, /oci-archive: creating temp directory: untarring file/);
});

test("ids shows podman's errors about the file, and leaves out those that it prints for every file", async () => {
  const second = { image: await plainImage('second'), tags: ['second:1'] };
  const reading = await read(skopeoOci([tagged, second]));
  const text = toText(ids(reading, {}).doc, { color: false, width: 200 } as never);
  assert.match(text, 'oci-archive: loading index');
  assert.not.match(text, 'open FILE/index.json: not a directory');
});

test('loads-another: with the images that are loaded instead', async () => {
  const [arm, amd] = await Promise.all(
    ['arm64', 'amd64'].map(architecture =>
      image({ layers: [{ files: { arch: architecture } }], platform: { os: 'linux', architecture } }),
    ),
  );
  const [passed, taken] = await verdicts('podman', buildxOci({ platforms: [arm!, amd!], tags: ['multi:1'] }));
  const platform = { code: 'platform', os: 'linux', architecture: 'amd64', variant: '' } as const;
  assert.equal(passed, { engine: 'podman', outcome: 'loads-another', loads: platform, notes: [] });
  assert.is(taken!.outcome, 'accepted');
  const none = replaceBytes(jib(tagged), 'manifest.json', () => '[]');
  const [empty] = await verdicts('docker-classic', none);
  assert.equal(empty, {
    engine: 'docker-classic',
    outcome: 'loads-another',
    loads: { code: 'empty-list' },
    notes: [],
  });
});

test('loads-another: an item of manifest.json with the name of an earlier one', async () => {
  const [one, two] = [await plainImage('one'), await plainImage('two')];
  const twice = cranePull([
    { image: one, tags: ['same:1'] },
    { image: two, tags: ['same:1'] },
  ]);
  const [first, second] = await verdicts('podman', twice);
  assert.is(first!.outcome, 'accepted');
  assert.equal(second!.outcome === 'loads-another' && second!.loads, { code: 'same-name', item: 0 });
});

test('unknown: with the member that was not read', async () => {
  const packed = await plainImage('packed', 1, 'gzip');
  const [verdict] = await verdicts(
    'skopeo-docker-archive',
    jib({ image: packed, tags: ['p:1'] }),
    'metadata',
  );
  if (verdict?.outcome !== 'unknown') throw new Error(verdict?.outcome);
  assert.is(verdict.cause.code, 'unpacked-size-not-read');
  assert.match(engineReport(verdict).refusal!, /^cannot be told: the size of .* unpacked was not read$/);
});

test('ids --json has the outcome beside the words, and one of id and refusal', async () => {
  const archives = [
    jib(tagged),
    skopeoOci(tagged),
    ociLayout({ manifests: [] }),
    without(jib(tagged), 'config.json'),
  ];
  const seen = new Set<string>();
  for (const members of archives) {
    const { images, engines } = idsReport(await read(members));
    for (const { outcome, id, refusal } of [...images.flatMap(one => one.engines), ...engines]) {
      seen.add(outcome);
      assert.is(id !== null, outcome === 'accepted');
      assert.is(refusal === null, outcome === 'accepted');
      if (refusal !== null) assert.is(refusal.startsWith('loads '), outcome === 'loads-another');
    }
  }
  assert.ok(seen.has('accepted') && seen.has('refused'), [...seen].join());
});

test.run();
