// One archive for each kind of refusal.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { engineReport } from '../../src/commands/ids/engines.js';
import { type EngineName, predictEngines, predictFile } from '../../src/engines/predict.js';
import { readArchive } from '../../src/report/read.js';
import type { Json } from '../../src/spec/json.js';
import { goJson, hexOf, textOf } from '../support/digest.js';
import { type ImageSpec, image, layer, plainImage } from '../support/image.js';
import {
  artifact,
  buildxOci,
  described,
  dockerV1,
  file,
  indexFile,
  indexOf,
  jib,
  layoutFile,
  type Member,
  manifestOf,
  memberJson,
  ociLayout,
  replaceBytes,
  skopeoDir,
  skopeoOci,
  without,
} from '../support/layouts.js';
import { toTar } from '../support/pack.js';

/** Asserts that an engine refuses a part, and that every refusal contains the words. */
async function refuses(
  engine: EngineName,
  members: readonly Member[] | Uint8Array,
  words: string,
): Promise<void> {
  const stream = async function* () {
    yield members instanceof Uint8Array ? members : await toTar(members);
  };
  const { parts } = await readArchive(stream());
  const answers = predictEngines(parts[0]!.scan, parts[0]!.graph, {
    container: 'tar',
    compression: 'none',
    inside: null,
    docker: 28,
  });
  const [list] = [...answers.values()];
  const answer = engineReport(list!.find(a => a.engine === engine)!);
  assert.is(answer.id, null, `${engine} takes it, where it should say: ${words}`);
  assert.ok(answer.refusal!.includes(words), `${engine} says: ${answer.refusal}\nnot: ${words}`);
}

type Item = Record<string, unknown>;
const app = await plainImage('app');
const tagged = { image: app, tags: ['app:1'] };

/** An archive with only manifest.json, whose items are changed. */
const docker = (change: (item: Item) => Item | Item[] | null = item => item, members = jib(tagged)) =>
  replaceBytes(members, 'manifest.json', () => {
    const [item] = memberJson(members, 'manifest.json') as [Item];
    const changed = change(item);
    return goJson(Array.isArray(changed) || changed === null ? changed : [changed]);
  });

const withConfig = async (config: ImageSpec['config'], spec: Partial<ImageSpec> = {}) =>
  jib({
    image: await image({ layers: [{ files: { a: 'a' } }], ...spec, ...(config && { config }) }),
    tags: ['app:1'],
  });

const [bottom] = app.layers as [(typeof app.layers)[0]];
const bottomPath = `${bottom.digest.slice(7)}.tar`;

test('docker, classic store: faults of manifest.json', async () => {
  const says = (words: string, members: readonly Member[]) => refuses('docker-classic', members, words);
  await says('json: cannot unmarshal object into Go value of type []tarexport.manifestItem', skopeoDir(app));
  await says(
    'invalid manifest, layers length mismatch: expected 1, got 2',
    docker(i => ({ ...i, Layers: [bottomPath] })),
  );
  await says(
    'open DIR/nope.json: no such file or directory',
    docker(i => ({ ...i, Config: 'nope.json' })),
  );
  await says(
    'read DIR: is a directory',
    docker(i => ({ ...i, Config: '' })),
  );
  await says(
    'evalSymlinksInScope: ',
    docker(i => ({ ...i, Layers: [`../${bottomPath}`, bottomPath] })),
  );
  await says(
    'invalid tag "app"',
    docker(i => ({ ...i, RepoTags: ['app'] })),
  );
  await says(
    'repository name (library/App) must be lowercase',
    docker(i => ({ ...i, RepoTags: ['App:1'] })),
  );
  await says(
    'invalid reference format',
    docker(i => ({ ...i, RepoTags: ['a b:1'] })),
  );
  const hex = 'a'.repeat(64);
  await says(
    'cannot specify 64-byte hexadecimal strings',
    docker(i => ({ ...i, RepoTags: [hex] })),
  );
});

test('docker, classic store: faults of a config', async () => {
  const says = async (words: string, config: ImageSpec['config'], spec?: Partial<ImageSpec>) =>
    refuses('docker-classic', await withConfig(config, spec), words);
  await says('invalid image JSON, no RootFS key', { rootfs: undefined });
  await says('cannot load windows image on linux', { os: 'windows' });
  await says('parsing time "yesterday" as', { created: 'yesterday' });
  await says('too many non-empty layers in History section', undefined, { history: [{}, {}] });
  await says('invalid diffID for layer 0: expected "sha256:', {
    rootfs: { type: 'layers', diff_ids: [app.diffIds[0]!] },
  });
  const many = Array.from({ length: 126 }, () => ({ tar: new Uint8Array(1024) }));
  await says('max depth exceeded', undefined, { layers: many });
});

test('docker, classic store: faults of the tar, or a file that is not a tar', async () => {
  const says = (words: string, members: readonly Member[] | Uint8Array) =>
    refuses('docker-classic', members, words);
  await says('open DIR/blobs/json: no such file or directory', skopeoOci(tagged));
  await says('invalid entry name "../x"', [...docker(), file('../x', 'x')]);
  await says('linkat nope x: no such file or directory', [
    ...docker(),
    { path: 'x', link: 'nope', hard: true },
  ]);
  const tar = await toTar([...docker(), file('last', 'x'.repeat(2048))]);
  await says('unexpected EOF', tar.subarray(0, tar.length - 2048));
  const bad = Uint8Array.from(tar);
  bad[tar.length - 1024 - 2048 - 512] = 0xff;
  await says('archive/tar: invalid tar header', bad);
  const notTar = await image({ layers: [{ tar: new TextEncoder().encode('no tar '.repeat(100)) }] });
  await says('archive/tar: invalid tar header', jib({ image: notTar, tags: ['app:1'] }));
});

test('docker, classic store: archives before Docker 1.10', async () => {
  const members = dockerV1(tagged);
  const top = members.filter(({ path }) => path.endsWith('/layer.tar')).at(-1)!.path;
  const says = (words: string, changed: readonly Member[]) => refuses('docker-classic', changed, words);
  await says(`open DIR/${top}: no such file or directory`, without(members, top));
  const gone = replaceBytes(members, 'repositories', () => goJson({ app: { 1: 'c'.repeat(64) } }));
  await says(`invalid target ID: ${'c'.repeat(64)}`, gone);
});

test('docker, containerd store: faults of manifest.json', async () => {
  const says = (words: string, members: readonly Member[] | Uint8Array) =>
    refuses('docker-containerd', members, words);
  await says('untar manifest "manifest.json": json: cannot unmarshal object', skopeoDir(app));
  await says(
    'image config "nope" not found',
    docker(i => ({ ...i, Config: 'nope' })),
  );
  await says(
    'failed to resolve layers: layer "nope" not found',
    docker(i => ({ ...i, Layers: ['nope'] })),
  );
  await says(
    'normalize image ref "App:1": ',
    docker(i => ({ ...i, RepoTags: ['App:1'] })),
  );
  await says('no target for symlink layer from "x" to "nope"', [...docker(), { path: 'x', link: 'nope' }]);
  await says(
    'unable to resolve platform: ',
    replaceBytes(docker(), 'config.json', () => 'not JSON'),
  );
  await says('unrecognized image format', dockerV1(tagged));
  const tar = await toTar([...docker(), file('last', 'x'.repeat(2048))]);
  const cut = tar.subarray(0, tar.length - 2048);
  await says('failed to ingest "last": short read: expected 2048 bytes but got 1024: unexpected EOF', cut);
});

test('docker, containerd store: faults of index.json', async () => {
  const manifest = manifestOf(app);
  const says = (words: string, members: readonly Member[]) => refuses('docker-containerd', members, words);
  const layout = ociLayout({ manifests: [manifest] });
  const entry = (more: object) =>
    replaceBytes(layout, 'index.json', () => goJson({ manifests: [{ ...manifest.descriptor, ...more }] }));
  await says(
    'unsupported OCI version 2.0.0',
    ociLayout({ manifests: [manifest], imageLayoutVersion: '2.0.0' }),
  );
  await says(
    'untar oci layout "oci-layout": ',
    replaceBytes(layout, 'oci-layout', () => 'not JSON'),
  );
  await says('missing index.json in OCI layout 1.0.0', [...docker(), layoutFile()]);
  await says('image might be filtered out', [...docker(), layoutFile(), indexFile([])]);
  await says('Target.MediaType must be set', entry({ mediaType: undefined }));
  await says('Target.Size must be greater than zero', entry({ size: 0 }));
  const other = manifestOf(await plainImage('other'));
  const posing = described(other, { mediaType: 'application/vnd.oci.image.index.v1+json' });
  await says('expected index but found manifest', ociLayout({ manifests: [manifest, posing] }));
  const odd = replaceBytes(layout, 'index.json', () =>
    goJson({ manifests: [manifest.descriptor, { ...manifest.descriptor, digest: 'sha256:abc' }] }),
  );
  await says('InvalidArgument: "sha256:abc" failed validation', odd);
});

test('skopeo, docker-archive', async () => {
  const says = (words: string, members: readonly Member[]) =>
    refuses('skopeo-docker-archive', members, words);
  await says('loading tar component "manifest.json": file does not exist', skopeoOci(tagged));
  await says(
    'Unexpected tar manifest.json: expected 1 item, got 2',
    docker(item => [item, item]),
  );
  await says(
    'Inconsistent layer count: 1 in manifest, 2 in config',
    docker(i => ({ ...i, Layers: [bottomPath] })),
  );
  await says(
    'Invalid image config (rootFS is not set): "config.json"',
    await withConfig({ rootfs: undefined }),
  );
  await says(
    'loading tar component "nope": file does not exist',
    docker(i => ({ ...i, Config: 'nope' })),
  );
  const twice = docker(i => ({ ...i, Layers: [bottomPath, bottomPath] }));
  await says(`Layer tarfile "${bottomPath}" used for two different DiffID values`, twice);
  await says(
    'Some layer tarfiles are missing in the tarball',
    docker(i => ({ ...i, Layers: ['a', 'b'] })),
  );
  const packed = await layer({ files: { a: 'a' }, compression: 'gzip' });
  const cut = replaceBytes(docker(), bottomPath, () => packed.blob.subarray(0, packed.size - 4));
  await says(`reading "${bottomPath}" to find its size: unexpected EOF`, cut);
});

test('podman, docker-archive', async () => {
  const says = (words: string, members: readonly Member[]) => refuses('podman', members, words);
  const tags = (...list: string[]) => docker(i => ({ ...i, RepoTags: list }));
  await says('payload does not match any of the supported image formats', skopeoDir(app));
  await says('Invalid tag "app" (docker.io/library/app): does not contain a tag', tags('app'));
  const digest = `app:1@sha256:${'0'.repeat(64)}`;
  await says("docker-archive doesn't support digest references", tags(digest));
  await says(
    'Digest did not match, expected sha256:',
    replaceBytes(docker(), bottomPath, () => 'x'.repeat(512)),
  );
  await says(
    'Can not check for a blob with invalid digest',
    await withConfig({ rootfs: { type: 'layers', diff_ids: ['sha256:zz'] } }),
  );
  const linked = [
    ...without(docker(), bottomPath),
    file('real', bottom.tar),
    { path: bottomPath, link: 'nope' },
  ];
  await says('file does not exist', linked);
});

test('containers/image, oci-archive: faults of the archive', async () => {
  const says = async (words: string, members: readonly Member[]) => {
    await refuses('skopeo-oci-archive', members, words);
    await refuses('podman', members, words);
  };
  await refuses('skopeo-oci-archive', docker(), 'open DIR/index.json: no such file or directory');
  await says('more than one image in oci, choose an image', skopeoOci([app, await plainImage('other')]));
  await says('"../x" is outside of "DIR"', [...skopeoOci(tagged), file('../x', 'x')]);
  await says('invalid symlink "DIR/x" -> "../y"', [...skopeoOci(tagged), { path: 'x', link: '../y' }]);
  const arm = await image({ layers: [], platform: { os: 'linux', architecture: 'arm64' } });
  const s390x = await image({ layers: [], platform: { os: 'linux', architecture: 's390x' } });
  const noneForUs = 'no image found in image index for architecture "amd64", variant "", OS "linux"';
  await says(noneForUs, buildxOci({ platforms: [arm, s390x] }));
  const sparse = ociLayout({ manifests: [indexOf([manifestOf(arm)])] });
  const gone = sparse.filter(({ path }) => !path.endsWith(arm.imageId.slice(7)));
  await says(`open DIR/blobs/sha256/${arm.imageId.slice(7)}: no such file or directory`, gone);
});

test('containers/image, oci-archive: faults of a manifest', async () => {
  const says = async (words: string, members: readonly Member[]) => {
    await refuses('skopeo-oci-archive', members, words);
    await refuses('podman', members, words);
  };
  const manifest = manifestOf(app);
  const docker2 = 'application/vnd.docker.distribution.manifest.v2+json';
  const lying = ociLayout({ manifests: [described(manifest, { mediaType: docker2 })] });
  await says('unsupported docker v2s2 media type: "application/vnd.oci.image', lying);
  const both = JSON.parse(textOf(manifest.blobs[0]!.bytes)) as object;
  const path = `blobs/sha256/${manifest.descriptor.digest.slice(7)}`;
  const ambiguous = replaceBytes(ociLayout({ manifests: [manifest] }), path, () =>
    goJson({ ...both, manifests: [] }),
  );
  await says('rejecting ambiguous manifest, unexpected fields []string{"manifests"}', ambiguous);
  const config = `blobs/sha256/${app.imageId.slice(7)}`;
  const corrupt = replaceBytes(skopeoOci(tagged), config, bytes => `${textOf(bytes)} `);
  await says(`does not match expected ${app.imageId}`, corrupt);
  const chart = artifact({ type: 'application/x-chart' });
  await refuses(
    'skopeo-oci-archive',
    [...ociLayout({ manifests: [chart] }), ...docker()],
    'on artifact with type "application/x-chart"',
  );
});

test('podman, oci-archive: it also unpacks the layers', async () => {
  const says = (words: string, members: readonly Member[]) => refuses('podman', members, words);
  const path = `blobs/sha256/${bottom.digest.slice(7)}`;
  await says(
    'Digest did not match, expected',
    replaceBytes(skopeoOci(tagged), path, () => 'x'),
  );
  await says(`open DIR/${path}: no such file or directory`, without(skopeoOci(tagged), path));
  await says(
    'normalizing name "App:1": repository name must be lowercase',
    skopeoOci({ image: app, tags: ['App:1'] }),
  );
  const other = await plainImage('other');
  const wrong = await image({
    layers: [{ files: { a: 'a' } }],
    config: { rootfs: { type: 'layers', diff_ids: [other.diffIds[0]!] } },
  });
  await says(`does not match config's DiffID "${other.diffIds[0]}"`, skopeoOci(wrong));
  const few = await image({
    layers: [{ tar: bottom.tar }, { files: { b: 'b' } }],
    config: { rootfs: { type: 'layers', diff_ids: [bottom.diffId] } },
  });
  await says('image config has only 1 DiffID values, but a layer with index 1 exists', skopeoOci(few));
  const named = `docker.io/library/app@sha256:${'0'.repeat(64)}`;
  await says("Digest of source image's manifest would not match", skopeoOci({ image: app, tags: [named] }));
});

test('containers/image: documents that Go decodes, and that are not images', async () => {
  const manifest = manifestOf(app);
  const path = `blobs/sha256/${manifest.descriptor.digest.slice(7)}`;
  const document = JSON.parse(textOf(manifest.blobs[0]!.bytes)) as Record<string, Json>;
  const remade = (change: (copy: Record<string, Json>) => void, entry: object = {}) => {
    const copy = structuredClone(document);
    change(copy);
    const bytes = goJson(copy);
    const digest = `sha256:${hexOf(bytes)}`;
    const members = without(ociLayout({ manifests: [manifest] }), path);
    const listed = { ...manifest.descriptor, digest, size: bytes.length, ...entry };
    return [
      ...replaceBytes(members, 'index.json', () => goJson({ schemaVersion: 2, manifests: [listed] })),
      file(`blobs/sha256/${digest.slice(7)}`, bytes),
    ];
  };
  const bare = remade(copy => {
    delete copy.schemaVersion;
    delete copy.mediaType;
  });
  await refuses('podman', bare, 'parsing manifest: unsupported schema version 0');
  const size = remade(copy => {
    (copy.config as Record<string, Json>).size = '5';
  });
  await refuses(
    'podman',
    size,
    'json: cannot unmarshal string into Go struct field OCI1.config.size of type int64',
  );
  await refuses(
    'skopeo-oci-archive',
    size,
    'json: cannot unmarshal string into Go struct field Descriptor.Manifest.config.size of type int64',
  );
  await refuses('docker-containerd', size, 'Go struct field Descriptor.config.size of type int64');
  const nulls = remade(copy => {
    copy.manifests = null;
  });
  await refuses('docker-containerd', nulls, 'media-type: expected manifest but found index');
  const folded = remade(copy => {
    copy.FSLAYERS = [];
  });
  await refuses('podman', folded, 'unexpected fields []string{"fsLayers"} in supposedly');
  const untyped = remade(() => {}, { mediaType: undefined });
  await refuses('docker-containerd', untyped, 'Target.MediaType must be set');
});

test('podman and skopeo compare the config of an OCI manifest with a sha256, whatever its digest is', async () => {
  const manifest = manifestOf(app);
  const document = JSON.parse(textOf(manifest.blobs[0]!.bytes)) as { config: { digest: string } };
  const config = manifest.blobs.find(({ bytes }) => hexOf(bytes) === app.imageId.slice(7))!;
  const sha512 = hexOf(config.bytes, 'sha512');
  const bytes = goJson({ ...document, config: { ...document.config, digest: `sha512:${sha512}` } });
  const digest = `sha256:${hexOf(bytes)}`;
  const members = [
    ...replaceBytes(ociLayout({ manifests: [manifest] }), 'index.json', () =>
      goJson({ schemaVersion: 2, manifests: [{ ...manifest.descriptor, digest, size: bytes.length }] }),
    ),
    file(`blobs/sha256/${digest.slice(7)}`, bytes),
    file(`blobs/sha512/${sha512}`, config.bytes),
  ];
  const words = `Download config.json digest ${app.imageId} does not match expected sha512:${sha512}`;
  await refuses('podman', members, words);
  await refuses('skopeo-oci-archive', members, words);
});

test('crane: a tarball with one image, whose members have exactly the listed names', async () => {
  const says = (words: string, members: readonly Member[]) => refuses('crane', members, words);
  const load = 'loading image from "FILE": ';
  await says(
    `${load}file manifest.json not found in tar`,
    docker().map(member => ({ ...member, path: `./${member.path}` })),
  );
  await says(
    `${load}tarball must contain only a single image to be used with tarball.Image`,
    docker(item => [item, item]),
  );
  await says(
    `${load}file nope not found in tar`,
    docker(item => ({ ...item, Layers: ['nope', bottomPath] })),
  );
  // A hard link is looked up in its own directory, while extraction resolves its target from the top.
  const linked = docker(item => ({ ...item, Config: 'd/c' }));
  await says(`${load}file d/config.json not found in tar`, [
    ...linked,
    { path: 'd/c', link: 'config.json', hard: true },
  ]);
  await says(
    `computing digest: cannot parse hash: "x"`,
    await withConfig({ rootfs: { type: 'layers', diff_ids: ['x'] } }),
  );
  await says(
    'computing digest: json: cannot unmarshal string into Go struct field ConfigFile.config.Cmd of type []string',
    await withConfig({ config: { Cmd: 'sh' as never } }),
  );
  await says(
    'panic: runtime error: index out of range [1] with length 1',
    docker(item => ({ ...item, Layers: [bottomPath] })),
  );
  await says(
    `${load}json: cannot unmarshal number into Go struct field .0.Config of type string`,
    docker(i => ({ ...i, Config: 5 })),
  );
});

test('a file without an image has one answer for the whole file', async () => {
  const answers = async (members: readonly Member[]) => {
    const stream = async function* () {
      yield await toTar(members);
    };
    const [part] = (await readArchive(stream())).parts;
    const found = predictFile(part!.scan, {
      container: 'tar',
      compression: 'none',
      inside: null,
      docker: 28,
    });
    return new Map(found.map(answer => [answer.engine, engineReport(answer)]));
  };
  const chart = artifact({ type: 'application/x-chart' });
  const charts = await answers(ociLayout({ manifests: [chart] }));
  assert.is(charts.get('docker-containerd')!.id, chart.descriptor.digest);
  assert.match(charts.get('podman')!.refusal!, 'on artifact with type "application/x-chart"');
  const none = await answers(docker(() => []));
  assert.is(none.get('docker-classic')!.refusal, 'loads no image: manifest.json lists none');
  assert.match(none.get('crane')!.refusal!, 'tarball must contain only a single image');
  const nothing = await answers(docker(() => null));
  assert.match(nothing.get('crane')!.refusal!, 'no valid manifest.json in tarball');
});

test.run();
