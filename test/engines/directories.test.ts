// The answers of engines for directories: `podman load -i DIR`, `skopeo oci:DIR`, `skopeo dir:DIR`, `umoci --image
// DIR:TAG`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EngineReport } from '../../src/commands/ids/engines.js';
import { idsReport } from '../../src/commands/ids/index.js';
import type { EngineName } from '../../src/engines/predict.js';
import { readArchive } from '../../src/report/read.js';
import { reportOf } from '../../src/report/report.js';
import {
  corpusFolder,
  hasCorpus,
  NO_SHARED_FOLDER,
  repositoryRoot,
  sharedFolder,
  testWhen,
} from '../support/corpus.js';
import { digestOf, encodedOf, goJson, textOf } from '../support/digest.js';
import { type Image, type ImageSpec, image, plainImage } from '../support/image.js';
import {
  blobOf,
  blobPath,
  type Content,
  type Descriptor,
  described,
  directory,
  dockerSave,
  dockerSave25,
  file,
  indexOf,
  MEDIA,
  type Member,
  manifestOf,
  memberBytes,
  ociLayout,
  REF_ANNOTATION,
  replaceBytes,
  skopeoDir,
  without,
} from '../support/layouts.js';
import { hasCommand, toDirectory } from '../support/pack.js';
import { temporary } from '../support/tmp.js';

const DIRECTORY_ENGINES = ['podman-directory', 'skopeo-oci', 'skopeo-dir', 'umoci'] as const;

async function listsOf(folder: string): Promise<readonly (readonly EngineReport[])[]> {
  const { images, engines } = idsReport(await readArchive(folder, { depth: 'digests' }));
  return images.length === 0 ? [engines] : images.map(one => one.engines);
}

const answersOf = (lists: Awaited<ReturnType<typeof listsOf>>, engine: EngineName): EngineReport[] =>
  lists.map(list => list.find(answer => answer.engine === engine)!);

/**
 * By directory, the answers of four commands in the order of `DIRECTORY_ENGINES`: IDs, or after a `!` the refusal. For
 * podman there are the answers for `oci:` and `dir:`, for umoci those for each tag and for `latest`. Recorded on
 * linux/amd64 with podman 5.8.6 (vfs), skopeo 1.22.0 and umoci 0.6.0. `c.` is a directory of the corpus, `u.` a tar of
 * it or of the faults as GNU tar unpacks it.
 */
const recorded = JSON.parse(
  readFileSync(join(repositoryRoot, 'test/engines/recorded-directories.json'), 'utf8'),
) as Readonly<Record<string, readonly string[]>>;

const run = testWhen(test, hasCorpus && hasCommand('tar'), NO_SHARED_FOLDER);
for (const [id, answers] of Object.entries(recorded)) {
  run(`directories: ${id}`, async () => {
    const folder = folderOf(id);
    const lists = await listsOf(folder).catch(() => null);
    // Without oci-layout it is not an image layout, and the engines refuse it.
    if (lists === null)
      return assert.ok(
        answers.every(answer => answer.startsWith('!')),
        id,
      );
    for (const [i, engine] of DIRECTORY_ENGINES.entries())
      compare(`${id} on ${engine}`, answersOf(lists, engine), answers[i]!);
  });
}

function folderOf(id: string): string {
  const name = id.slice(2);
  if (id.startsWith('c.')) return join(corpusFolder, 'archives', `${name}.d`);
  const folder = join(temporary('unpacked'), 'directory');
  mkdirSync(folder);
  for (const place of [join(corpusFolder, 'archives'), join(sharedFolder, 'faults')])
    spawnSync('tar', ['-xf', join(place, name), '-C', folder], { encoding: 'utf8' });
  return folder;
}

function compare(where: string, answers: readonly EngineReport[], real: string): void {
  const [ids = '', ...words] = real.split('!');
  const found = new Set(answers.flatMap(({ id }) => id ?? []));
  if (words.length === 0) {
    assert.equal([...found].sort(), ids.split(' ').sort(), where);
    return;
  }
  assert.equal([...found], [], where);
  for (const { outcome, refusal } of answers) {
    // umoci takes the image that is called latest where the other one has no name.
    const isPassedOver = refusal!.startsWith('loads ');
    assert.is(outcome, isPassedOver ? 'loads-another' : 'refused', where);
    for (const line of linesOf(refusal!)) assert.ok(words.join('!').includes(line), `${where}: ${line}`);
  }
}

/** The lines of a refusal, without those that podman prints for every directory. */
function linesOf(refusal: string): string[] {
  if (refusal.startsWith('loads ')) return [];
  const lines = refusal.trim().split('\n');
  if (lines.length === 1) return lines;
  return lines.flatMap(line => /^ \* (?:oci|dir): (.*)$/.exec(line)?.[1] ?? []);
}

const app = await plainImage('app', 1, 'gzip');
const layer = app.layers[0]!;
const manifestDigest = manifestOf(app).descriptor.digest;

interface Changes {
  readonly of?: Image;
  /** Fields of the manifest's entry in index.json. */
  readonly entry?: Parameters<typeof described>[1];
  readonly manifest?: (manifest: ManifestJson) => object;
  readonly name?: string | null;
}

interface ManifestJson {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** A layout of one image with changes to the entry of index.json and the manifest. */
function layout({ of = app, entry = {}, manifest = m => m, name = 'latest' }: Changes = {}): Member[] {
  const made = manifestOf(of);
  const changed = manifest(JSON.parse(textOf(made.blobs[0]!.bytes)) as ManifestJson);
  const content = blobOf(MEDIA.manifest, goJson(changed));
  const annotations = name === null ? {} : { annotations: { [REF_ANNOTATION]: name } };
  const whole = { ...content, blobs: [...content.blobs, ...made.blobs.slice(1)] };
  return ociLayout({ manifests: [described(whole, { ...annotations, ...entry })] });
}

const changedLayer =
  (more: object) =>
  (manifest: ManifestJson): object => ({ ...manifest, layers: [{ ...manifest.layers[0]!, ...more }] });

const placed = (members: readonly Member[]) => toDirectory(members, join(temporary('directories'), 'layout'));

/** Asserts an engine's answer for the one image: its ID, or a refusal that contains the words. */
async function says(engine: EngineName, members: readonly Member[], words: string): Promise<EngineReport> {
  const [answer] = answersOf(await listsOf(placed(members)), engine);
  const text = answer!.id ?? answer!.refusal!;
  assert.ok(text.includes(words), `${engine} says: ${text}\nnot: ${words}`);
  return answer!;
}

test('directories: an OCI layout', async () => {
  await says('podman-directory', layout(), app.imageId);
  await says('skopeo-oci', layout(), manifestDigest);
  await says('umoci', layout(), manifestDigest);
  await says('skopeo-dir', layout(), 'open DIR/manifest.json: no such file or directory');
  // An engine that reads only tars is given one.
  assert.is((await says('podman', layout(), app.imageId)).note, 'as a tar of this directory');
  assert.is((await says('umoci', layout(), manifestDigest)).note, null);
});

test('directories: what skopeo writes as dir:, whose version no engine checks', async () => {
  const members = skopeoDir(app);
  await says('podman-directory', members, app.imageId);
  await says('podman-directory', without(members, 'version'), app.imageId);
  const digest = digestOf(memberBytes(members, 'manifest.json'));
  await says('skopeo-dir', members, digest);
  await says('skopeo-oci', members, 'open DIR/index.json: no such file or directory');
  await says('umoci', members, 'open CAS: validate: read oci-layout: invalid image detected');
  const hex = encodedOf(layer.digest);
  const missing = without(members, hex);
  await says('skopeo-dir', missing, digest);
  await says('podman-directory', missing, ` * dir: open DIR/${hex}: no such file or directory`);
  const config = without(members, encodedOf(app.imageId));
  await says('skopeo-dir', config, `open DIR/${encodedOf(app.imageId)}: no such file or directory`);
  const list = skopeoDir({ platforms: [app, await plainImage('other')], tags: [] });
  await says('skopeo-dir', list, digestOf(memberBytes(list, 'manifest.json')));
  const name = list.find(({ path }) => path.endsWith('.manifest.json'))!.path;
  await says('skopeo-dir', without(list, name), `open DIR/${name}: no such file or directory`);
});

test('directories: an unpacked docker save archive', async () => {
  const members = dockerSave({ image: app, tags: ['app:1'] });
  await says('skopeo-dir', members, 'json: cannot unmarshal array into Go value of type manifest.Schema1');
  await says('podman-directory', members, ' * oci: open DIR/index.json: no such file or directory');
  const hybrid = await listsOf(placed(dockerSave25({ image: app, tags: ['app:1'] })));
  assert.ok(answersOf(hybrid, 'skopeo-oci')[0]!.id !== null);
});

test('directories: names by which umoci finds an image', async () => {
  await says('umoci', layout({ name: 'docker.io/library/app:1' }), manifestDigest);
  const nameless = await says('umoci', layout({ name: null }), 'tag is not found: latest');
  assert.match(nameless.note!, 'index.json gives it no name');
  await says('umoci', layout({ name: 'a b' }), 'invalid --image: tag contains invalid characters: "a b"');
  const [one, two] = [manifestOf(app), manifestOf(await plainImage('two', 1, 'gzip'))];
  const named = (content: Content, name: string) =>
    described(content, { annotations: { [REF_ANNOTATION]: name } });
  const several = (...manifests: Content[]) => ociLayout({ manifests });
  await says('umoci', several(named(one, 'a'), named(two, 'a')), 'tag is ambiguous: a');
  const both = several(named(one, 'a'), named(two, 'b'));
  const ids = answersOf(await listsOf(placed(both)), 'umoci').map(({ id }) => id);
  assert.equal(ids, [one.descriptor.digest, two.descriptor.digest]);
  await says('skopeo-oci', both, 'more than one image in oci, choose an image');
  await says('umoci', several(named(one, 'latest'), two), one.descriptor.digest);
  await says('umoci', several(two, named(one, 'latest')), 'loads another image');
  await says('umoci', several(named(indexOf([one]), 'a')), one.descriptor.digest);
  await says('umoci', several(named(indexOf([one, two]), 'a')), 'tag is ambiguous: a');
});

test('directories: what umoci refuses in a layout and in documents', async () => {
  const version = (text: string) => replaceBytes(layout(), 'oci-layout', () => text);
  await says('umoci', version('{"imageLayoutVersion":"1.1.0"}'), 'layout version is not supported');
  await says('umoci', version('xx'), 'open CAS: validate: parse oci-layout: invalid character');
  await says('umoci', [...without(layout(), 'index.json'), directory('index.json')], 'index is a directory');
  await says(
    'skopeo-oci',
    [...without(layout(), 'index.json'), directory('index.json')],
    'read DIR/index.json: is a directory',
  );
  await says('umoci', layout({ entry: { size: 10 } }), 'verified reader digest mismatch');
  await says(
    'umoci',
    layout({ entry: { size: 9999 } }),
    'panic: parsing "application/vnd.oci.image.manifest.v1+json"',
  );
  const odd = (more: object) => layout({ manifest: m => ({ ...m, ...more }) });
  await says(
    'umoci',
    odd({ mediaType: MEDIA.dockerManifest }),
    'get manifest: parse application/vnd.oci.image.manifest.v1+json: malicious manifest detected: manifest contained incorrect mediaType',
  );
  await says('umoci', odd({ manifests: [] }), "manifest contained forbidden 'manifests' field");
  const docker = layout({ entry: { mediaType: MEDIA.dockerManifest } });
  await says('umoci', docker, 'not implemented: application/vnd.docker.distribution.manifest.v2+json');
  const config = (more: object) => layout({ manifest: m => ({ ...m, config: { ...m.config, ...more } }) });
  await says('umoci', config({ size: 9999 }), 'panic: parsing "application/vnd.oci.image.config.v1+json"');
  await says('umoci', config({ mediaType: MEDIA.dockerConfig }), 'config blob is not correct mediatype');
  await says(
    'umoci',
    layout({ entry: { digest: manifestDigest.toUpperCase() } }),
    'invalid checksum digest format',
  );
});

const withConfig = async (config: Partial<ImageSpec['config']>) =>
  layout({ of: await image({ layers: [{ files: { a: 'a' }, compression: 'gzip' }], config: config ?? {} }) });

test('directories: what umoci refuses in a config and in layers', async () => {
  await says('umoci', await withConfig({ os: 'windows' }), 'generate config.json: unsupported OS: windows');
  await says('umoci', await withConfig({ rootfs: undefined }), 'config: unsupported rootfs.type: ');
  const none = { rootfs: { type: 'layers' as const, diff_ids: [] } };
  await says('umoci', await withConfig(none), 'panic: runtime error: index out of range [0] with length 0');
  const wrong = { rootfs: { type: 'layers' as const, diff_ids: [app.imageId] } };
  await says('umoci', await withConfig(wrong), 'diffid mismatch: got sha256:');
  const user = await says('umoci', await withConfig({ config: { User: 'bob' } }), 'sha256:');
  assert.match(user.note!, '"bob"');
  const typed = (mediaType: string) => layout({ manifest: changedLayer({ mediaType }) });
  await says(
    'umoci',
    typed(MEDIA.dockerLayer),
    'layer data is an unsupported mediatype: application/vnd.docker',
  );
  await says('umoci', typed(MEDIA.layer), 'unpack layer: read next entry: ');
  await says('umoci', typed(`${MEDIA.layer}+xz`), 'compression method "xz" unsupported');
  await says('umoci', typed(`${MEDIA.layer}+zstd`), 'invalid input: magic number mismatch');
  await says('umoci', typed(`${MEDIA.foreignLayer}+gzip`), 'sha256:');
  const plain = await plainImage('plain', 1);
  const asGzip = layout({ of: plain, manifest: changedLayer({ mediaType: `${MEDIA.layer}+gzip` }) });
  await says('umoci', asGzip, 'create gzip reader: gzip: invalid header');
  await says(
    'umoci',
    layout({ manifest: changedLayer({ size: layer.size + 5 }) }),
    'verified reader size mismatch',
  );
  await says(
    'umoci',
    without(layout(), blobPath(layer.digest)),
    'get layer blob: get blob: open blob: open DIR/blobs/',
  );
});

test('directories: links on disk are followed as far as waybill follows them', async () => {
  const moved = (target: (path: string) => string) =>
    layout().flatMap((member): Member[] =>
      'bytes' in member && member.path.startsWith('blobs/')
        ? [
            file(`real/${member.path.slice('blobs/sha256/'.length)}`, member.bytes),
            { path: member.path, link: target(member.path.slice('blobs/sha256/'.length)) },
          ]
        : [member],
    );
  for (const engine of ['skopeo-oci', 'umoci'] as const) {
    await says(
      engine,
      moved(name => `../../real/${name}`),
      manifestDigest,
    );
    await says(
      engine,
      moved(name => `/real/${name}`),
      'cannot be told: blobs/sha256/',
    );
    await says(
      engine,
      moved(name => `../../../elsewhere/${name}`),
      'is behind a link that leads out',
    );
  }
  await says(
    'crane',
    moved(name => `/real/${name}`),
    'cannot be told: blobs/sha256/',
  );
  await says(
    'podman-directory',
    moved(name => `/real/${name}`),
    'cannot be told: blobs/sha256/',
  );
});

test('directories: an image that only one command finds is reported', async () => {
  const other = await plainImage('other', 1);
  const folder = placed([...layout(), ...skopeoDir(other)]);
  const { findings } = reportOf(await readArchive(folder, { depth: 'digests' }));
  const disagree = findings.filter(({ code }) => code === 'engines-disagree');
  assert.equal(
    disagree.map(({ data }) => data),
    [
      {
        engines: ['skopeo-dir'],
        config: other.imageId,
        layers: [other.diffIds[0]],
        shown: null,
      },
    ],
  );
});

test.run();
