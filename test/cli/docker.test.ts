// Docker's commands on the command line: every command and option, and the errors.
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot } from '../support/corpus.js';
import { digestOf } from '../support/digest.js';
import { plainImage } from '../support/image.js';
import { buildxOci, dockerSave25, without } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { type Said, said } from '../support/terminal.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('cli-docker');
const sample = (name: string) => join(repositoryRoot, 'samples', name);
const [SAVED, OLD, V1, MULTI, ZIP] = [
  'hello-docker-28.tar',
  'hello-docker-24.tar',
  'hello-docker-1.9.tar',
  'hello-oci.tar',
  'hello-oci.zip',
].map(sample) as [string, string, string, string, string];
const AMD64 = 'sha256:2e930d0c9519a6675903892658a5222b5bde8074728d2e751ff71661b3f67ed1';
/** The ID of the same image in containerd's store. */
const MANIFEST = 'sha256:83c10b8bf084802e5cb7159ea399903362ae65e09dfe1c8f31a87f6282b2d562';
const ARM64 = 'sha256:08781d826136';
const CLASSIC = ['--store', 'classic'];
const DOCKER28 = ['--docker', '28'];
const NOW = new Date('2026-11-21T00:00:00Z');

const path = (name: string) => join(folder, name);

function made(name: string, content: string | Uint8Array): string {
  writeFileSync(path(name), content);
  return path(name);
}

const say = (...args: readonly string[]): Promise<Said> => said(args, { now: NOW, lists: path('lists') });

/** Standard output; there must be no notes. */
async function told(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await say(...args);
  assert.equal([stderr, status], ['', 0], args.join(' '));
  return stdout;
}

/** Expects an empty standard output, and the reason on standard error. */
async function refused(args: readonly string[], status: 1 | 2, ...words: readonly (string | RegExp)[]) {
  const run = await say(...args);
  assert.equal([run.stdout, run.status], ['', status], `${args.join(' ')}: ${run.stderr}`);
  for (const word of words) assert.match(run.stderr, word);
}

test('every command gives the same answer under all its names', async () => {
  const same = async (...commands: readonly (readonly string[])[]) => {
    const [first, ...others] = await Promise.all(commands.map(command => told(...command)));
    assert.ok(first!.length > 100, commands[0]!.join(' '));
    for (const other of others) assert.is(other, first);
  };
  await same(['inspect', SAVED], ['image', 'inspect', SAVED], ['inspect', SAVED, 'hello:1.0']);
  await same(['history', SAVED], ['image', 'history', SAVED], ['history', SAVED, AMD64.slice(7, 19)]);
  await same(['images', SAVED], ['image', 'ls', SAVED], ['image', 'list', SAVED], ['images', SAVED, 'hello']);
  await same(['imagetools', 'inspect', MULTI], ['buildx', 'imagetools', 'inspect', MULTI]);
  await same(['manifest', 'inspect', MULTI], ['manifest', 'inspect', '--insecure', MULTI, 'hello:1.0']);
});

test('history', async () => {
  const [titles, top] = (await told('history', SAVED)).split('\n');
  assert.is(titles!.replace(/ +/g, ' '), 'IMAGE CREATED CREATED BY SIZE COMMENT');
  assert.match(top!, /^83c10b8bf084 +3 years ago +CMD \["world"\] +0B +buildkit/);
  const quiet = ['history', '-q', '--no-trunc', SAVED];
  assert.is(await told(...quiet), `${MANIFEST}\n${'<missing>\n'.repeat(8)}`);
  assert.is(await told(...quiet, ...CLASSIC), `${AMD64}\n${'<missing>\n'.repeat(8)}`);
  assert.is(await told(...quiet, ...DOCKER28), `${AMD64}\n${'<missing>\n'.repeat(8)}`);
  for (const human of ['--human=false', '-H=false']) {
    const whole = (await told('history', '--no-trunc', human, SAVED)).split('\n');
    assert.match(whole[1]!, /^sha256:83c1\w{60} +2023-11-14T22:13:20Z +CMD \["world"\] +0 +buildkit/);
    assert.not.match(whole.join('\n'), '…');
  }
  assert.is(await told('history', '--json', SAVED), await told('history', '--format', 'json', SAVED));
  assert.match(await told('history', '--format', 'table {{.ID}}\\t{{.Size}}', SAVED), /^IMAGE +SIZE\n83c1/);
  const sizes = async (store: string) => told('history', '--store', store, '--format', '{{.Size}}', SAVED);
  assert.is.not(await sizes('containerd'), await sizes('classic'));
  const arm = async (...more: readonly string[]) =>
    (await told('history', '-q', MULTI, '--platform', 'linux/arm64', ...more)).slice(0, 12);
  assert.is(await arm('--store', 'classic'), ARM64.slice(7));
  assert.is(`${await arm()}\n`, await told('images', '-q', MULTI), 'the ID of the index');
});

test('image inspect', async () => {
  const format = (text: string, ...more: readonly string[]) => told('inspect', SAVED, '-f', text, ...more);
  assert.is(await format('{{.Id}} {{.Size}}', ...CLASSIC), `${AMD64} 385\n`);
  assert.is(await format('{{.Id}}', ...DOCKER28), `${AMD64}\n`);
  assert.is(await format('{{json .Config.Cmd}}', '-s', '--type', 'image'), '["world"]\n');
  assert.is(await format('{{.ID}}', '--format', '{{.Os}}'), 'linux\n', 'the last one counts');
  const manifest = await format('{{.Id}}');
  assert.is(manifest, `${MANIFEST}\n`);
  assert.is(manifest, await format('{{.Id}}', ...DOCKER28, '--store', 'containerd'));
  assert.is(`${digestOf(Buffer.from(await told('manifest', 'inspect', '--raw', SAVED)))}\n`, manifest);
  assert.is(await told('inspect', '--json', SAVED), await told('inspect', '--format', 'json', SAVED));
  const shape = async (api: string) => Object.keys(JSON.parse(await told('inspect', SAVED, '--api', api))[0]);
  assert.ok(
    (await shape('1.40')).includes('VirtualSize') && (await shape('v1.40')).includes('ContainerConfig'),
  );
  assert.not.ok((await shape('1.51')).includes('VirtualSize'));
  assert.ok((await shape('1.51')).includes('Author') && !(await shape('1.52')).includes('Author'));
  const several = (...more: readonly string[]) =>
    told('inspect', MULTI, '-f', '{{.Id}} {{.Architecture}}', ...CLASSIC, ...more);
  assert.match(await several('--platform', 'linux/arm64'), new RegExp(`^${ARM64}\\w+ arm64\n$`));
  assert.match(await several(), /^\S+ amd64\n\S+ arm64\n$/);
  assert.is(await told('inspect', MULTI, '-f', '{{.Architecture}}'), 'amd64\n', 'an index is one image');
});

test('of several references, those that exist are shown', async () => {
  const run = await say('inspect', SAVED, 'hello:1.0', 'nope', '-f', '{{.ID}}');
  assert.equal([run.stdout, run.status], [`${MANIFEST}\n`, 1]);
  assert.match(run.stderr, /no image "nope" .*in it\nIt holds:\n {2}sha256:2e93/);
});

test('images, of several archives and of folders', async () => {
  assert.match(
    await told('images', SAVED),
    /^IMAGE +ID +DISK USAGE +CONTENT SIZE +EXTRA\nhello:1\.0 +83c10b8bf084 +87\.5kB +\S+ +\n$/,
  );
  assert.match(
    await told('images', SAVED, OLD, ZIP, ...DOCKER28),
    /^REPOSITORY .*\nhello +1\.0 +2e930d0c9519 +3 years ago +385B\n$/,
  );
  assert.is(await told('images', '-q', '--no-trunc', SAVED), `${MANIFEST}\n`);
  assert.match(
    await told('images', '-a', '--digests', SAVED),
    /DIGEST .*\nhello +1\.0 +sha256:83c1\w+ +83c1/,
  );
  const rows = async (...more: readonly string[]) =>
    (await told('images', SAVED, MULTI, V1, ...DOCKER28, '--format', '{{.ID}}', ...more)).split('\n').length -
    1;
  assert.is(await rows(), 3);
  assert.is(await rows('-f', 'reference=hel*', '--filter', 'dangling=false'), 3);
  assert.is(await rows('--filter', `since=${AMD64.slice(7, 19)}`), 0);
  assert.is(await rows('--format', '{{.ID}}{{.Tag}}', '--all'), 3);
  assert.match(
    await told('images', '--tree', '--store', 'containerd', MULTI),
    /hello:1\.0 [\s\S]*└─ linux\/arm64/,
  );
  assert.is(JSON.parse(await told('images', '--json', SAVED)).Repository, 'hello');
});

test('a folder with other files', async () => {
  const downloads = path('downloads');
  mkdirSync(join(downloads, 'empty'), { recursive: true });
  symlinkSync(MULTI, join(downloads, 'linked.tar'));
  writeFileSync(join(downloads, 'notes.txt'), 'not an archive\n');
  const run = await say('images', downloads, '-q');
  assert.equal([run.stdout.length, run.status], [13, 0]);
  assert.match(
    run.stderr,
    /^left out: .*notes\.txt: not an image archive but text, beginning "not an archive/,
  );
  writeFileSync(join(downloads, 'cut.tar'), readFileSync(MULTI).subarray(0, 3000));
  const damaged = await say('images', downloads, '-q');
  assert.equal([damaged.stdout, damaged.status], [run.stdout, 1]);
  assert.match(damaged.stderr, /cut\.tar: /);
});

test('manifest inspect, imagetools and config', async () => {
  const index = JSON.parse(await told('manifest', 'inspect', MULTI));
  assert.equal(index.manifests.length, 4);
  const [first] = JSON.parse(await told('manifest', 'inspect', '-v', MULTI));
  assert.equal(digestOf(Buffer.from(first.Raw, 'base64')), index.manifests[0].digest);
  const one = ['manifest', 'inspect', '--raw', MULTI, '--platform', 'linux/arm64'];
  assert.is(digestOf(Buffer.from(await told(...one))), index.manifests[1].digest);
  const buildx = (...args: readonly string[]) => told('imagetools', 'inspect', MULTI, ...args);
  assert.is(await buildx('--raw'), await told('manifest', 'inspect', '--raw', MULTI));
  assert.is(await buildx('--format', '{{range $p, $i := .Image}}{{$p}} {{end}}'), 'linux/amd64 linux/arm64 ');
  assert.is(JSON.parse(await buildx('--json')).name, 'docker.io/library/hello:1.0');
  assert.is(digestOf(Buffer.from(await told('config', '--raw', OLD))), AMD64);
  assert.match(await told('config', MULTI, '--platform', 'linux/arm64'), '"architecture":"arm64"');
});

test("for an archive without a registry manifest, containerd's is synthesised, and that is noted", async () => {
  const { stdout, stderr, status } = await say('manifest', 'inspect', OLD);
  assert.is(JSON.parse(stdout).config.digest, AMD64);
  assert.match(stderr, 'the archive holds no registry manifest');
  assert.is(status, 0);
  await refused(['manifest', 'inspect', '--raw', OLD], 2, '--raw prints stored bytes', 'Without --raw');
});

test('errors for things that do not exist', async () => {
  const words: readonly (readonly string[])[] = [
    ['inspect'],
    ['history'],
    ['manifest', 'inspect'],
    ['imagetools', 'inspect'],
    ['config'],
    ['extract', '--layers', path('never')],
  ];
  for (const word of words) {
    await refused([...word, path('absent.tar')], 2, /absent\.tar: no such file/);
    await refused([...word, made('notes', 'some notes')], 2, 'not an image archive but text');
    await refused(
      [...word, MULTI, 'other:1'],
      2,
      /hello-oci\.tar: no image "other:1"/,
      /It holds:\n {2}sha256:/,
    );
    await refused(
      [...word, MULTI, '--platform', 'linux/s390x'],
      word[0] === 'inspect' || word[0] === 'history' ? 1 : 2,
      'no image for linux/s390x',
      'linux/arm64',
    );
  }
  const two = made(
    'two.tar',
    await toTar(
      dockerSave25(
        await Promise.all(['a:1', 'b:1'].map(async tag => ({ image: await plainImage(tag), tags: [tag] }))),
      ),
    ),
  );
  for (const word of words.slice(1)) await refused([...word, two], 2, 'it holds', 'Say which one', 'b:1');
  assert.not.ok(existsSync(path('never')));
});

test('a template that fails', async () => {
  for (const [word, archive] of [
    ['inspect', SAVED],
    ['history', SAVED],
    ['images', SAVED],
    ['imagetools inspect', SAVED],
  ] as const) {
    const format = (text: string) => [...word.split(' '), archive, '--format', text];
    await refused(format('{{.Nope'), 1, 'template: :1: unclosed action');
    await refused(format('{{.Nope}}'), 1, /template: :1:2: executing "" at <\.Nope>: /);
    await refused(format('{{nope 1}}'), 1, 'function "nope" not defined');
    await refused(format('{{index (printf "a") 7}}'), 1, 'index out of range: 7');
  }
});

test('options that contradict each other, or have no meaning here, are refused', async () => {
  const usage = (args: readonly string[], ...words: readonly string[]) => refused(args, 2, ...words);
  await usage(['inspect', SAVED, '--api', '1.99'], '--api: expected 1.24 to 1.55, found "1.99"');
  await usage(['inspect', SAVED, ...DOCKER28, '--api', '1.55'], '--docker 28 and --api 1.55', 'up to 1.51');
  const unknown = 'the answers of Docker 17 are not known; known are 20, 23, 24, 25, 26, 27, 28, 29';
  for (const word of [['inspect'], ['history'], ['images'], ['ids'], ['manifest', 'inspect']])
    await usage([...word, MULTI, '--docker', '17'], unknown);
  await usage(
    ['imagetools', 'inspect', MULTI, '--docker', '17.06.1-ce'],
    'expected a release of Docker such as 29',
  );
  await usage(
    ['images', SAVED, '--docker', '23', '--store', 'containerd'],
    '--docker 23 and --store containerd contradict each other',
  );
  await usage(['inspect', SAVED, '--type', 'container'], 'only --type image');
  await usage(['inspect', SAVED, '--store', 'btrfs'], 'containerd');
  await usage(['inspect', SAVED, '--format'], 'format');
  await usage(
    ['inspect', SAVED, '--platform', 'a b'],
    '--platform: expected os/arch[/variant], or os(version)/arch of Windows, found "a b"',
  );
  await usage(['history', SAVED, '--nope'], 'nope');
  await usage(['images', SAVED, '--tree', '-q'], '--quiet is not supported with --tree');
  await usage(['images', SAVED, '--filter', 'size=1'], "invalid filter 'size'");
  await usage(['images', SAVED, '--context', 'x'], 'no daemon is asked');
  await usage(['buildx', 'imagetools', 'inspect', SAVED, '--builder', 'x'], 'no builder is asked');
  await usage(['imagetools', 'inspect', SAVED, '--raw', '--format', 'x'], '--format and --raw');
  await usage(['pull', 'hello'], 'needs a running Docker daemon');
  for (const group of ['image', 'manifest', 'imagetools', 'buildx']) await usage([group], 'which one?');
  await refused(['images', SAVED, '--filter', 'since=nope'], 1, 'No such image: nope');
});

test('--docker, --store and --api-version in every valid combination', async () => {
  const keys = async (...more: readonly string[]) =>
    Object.keys(JSON.parse(await told('inspect', SAVED, ...more))[0]);
  const old = await keys('--docker', '29', '--store', 'classic', '--api', '1.24');
  assert.equal(
    old.filter(key => /^(VirtualSize|ContainerConfig|Parent|Descriptor)$/.test(key)),
    ['ContainerConfig', 'Parent', 'VirtualSize'],
  );
  assert.equal(old, [...old].sort(), 'what is added makes a map of the answer');
  assert.equal(await keys('--docker', '27'), await keys(...DOCKER28, '--api', '1.47'));
  assert.equal(await keys('--docker', 'v28.5.2'), await keys(...DOCKER28));
  assert.equal(await keys('--docker', '29.8'), await keys());
  const names = (...more: readonly string[]) =>
    told('inspect', SAVED, '-f', '{{.GraphDriver.Name}}', ...more);
  assert.is(await names('--api', '1.51'), 'overlayfs\n', 'told until 1.52');
  await refused(['inspect', SAVED, '-f', '{{.GraphDriver.Name}}'], 1, 'GraphDriver');
  const sizes = async (...more: readonly string[]) =>
    (
      await told('history', sample('hello-docker-24.tar'), '--human=false', '--format', '{{.Size}}', ...more)
    ).split('\n');
  assert.equal(await sizes('--store', 'classic'), await sizes('--store', 'overlay2'));
  assert.equal(await sizes(...DOCKER28), await sizes('--store', 'vfs'));
});

test('with a missing or damaged layer everything else is printed, and the unknown is noted', async () => {
  const history = await say('history', sample('truncated.tar'), '--format', '{{.Size}}');
  assert.equal([history.stdout.split('\n')[5], history.status], ['N/A', 1]);
  assert.match(history.stderr, /^layer 3 of 3 \(sha256:\w+\) has no known size: it ends inside its entry 3$/);
  const inspect = await say('inspect', sample('truncated.tar'));
  assert.equal([JSON.parse(inspect.stdout)[0].Id, inspect.status], [MANIFEST, 1]);
  assert.is(
    await told('inspect', sample('truncated.tar'), '-f', '{{.Id}}'),
    `${MANIFEST}\n`,
    'no size is asked for',
  );
  const images = await say('images', sample('broken-layer.tar'));
  assert.equal([images.stdout.split('\n').length, images.status], [3, 1]);
  assert.match(
    images.stderr,
    /broken-layer\.tar: hello:1\.0: layer 2 of 3 .* is not what the image names: expected/,
  );
});

test('a manifest list, from create to rm', async () => {
  const out = path('list.tar');
  const list = (...args: readonly string[]) => say('manifest', ...args);
  const created = await list('create', 'team/app:1', MULTI, OLD);
  assert.is(created.stdout, 'Created manifest list docker.io/team/app:1\n');
  assert.match(created.stderr, /attestations .* are left out[\s\S]*holds no registry manifest/);
  await refused(
    ['manifest', 'create', 'team/app:1', SAVED],
    2,
    'no --amend flag',
    'waybill manifest rm team/app:1',
  );
  assert.is((await list('create', '--amend', 'team/app:1', `${SAVED}#hello:1.0`)).status, 0);
  assert.is((await list('annotate', 'team/app:1', OLD, '--arch', 'arm', '--variant', 'v7')).status, 0);
  await refused(
    ['manifest', 'annotate', 'team/app:1', MULTI, '--os', 'x'],
    2,
    'means 2 of its manifests',
    'linux/arm64',
  );
  await refused(
    ['manifest', 'annotate', 'team/app:1', OLD, '--arch', 'x'],
    2,
    'unsupported os/arch',
    'linux/arm64',
  );
  const raw = await told('manifest', 'inspect', '--raw', 'team/app:1');
  assert.is(await told('manifest', 'inspect', 'team/app:1'), `${raw}\n`);
  const platforms = (text: string) =>
    (JSON.parse(text).manifests as { platform: object }[]).map(m => Object.values(m.platform).join('/'));
  assert.equal(platforms(raw), ['amd64/linux', 'arm64/linux', 'arm/linux/v7', 'amd64/linux']);
  const pushed = await told('manifest', 'push', 'team/app:1', '--output', out);
  assert.match(pushed, /^(Pushed ref docker\.io\/team\/app@sha256:\w+ with digest: sha256:\w+\n){4}/);
  assert.ok(pushed.endsWith(`\n${digestOf(Buffer.from(raw))}\n`));
  assert.is(await told('manifest', 'inspect', '--raw', out), raw);
  assert.match(await told('verify', out), /intact yes {3}complete yes/);
  await refused(['manifest', 'push', 'team/app:1', '--output', out], 2, /list\.tar: exists/);
  await refused(['manifest', 'push', 'team/app:1'], 2, '--output');
  await refused(['manifest', 'push', 'team/app:1', '-o', 'x.tar.gz'], 2, 'ends in .tar');
  assert.is((await list('push', '-p', 'team/app:1', '-o', path('list'))).stdout, pushed);
  assert.is(readFileSync(join(path('list'), 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
  await refused(['manifest', 'rm', 'team/app:1'], 1, 'No such manifest: docker.io/team/app:1');
});

test('extract --layers writes tars named by their diff_ids, and reports those that failed', async () => {
  const lines = (await told('extract', OLD, '--layers', path('layers'))).trimEnd().split('\n');
  for (const [i, line] of lines.entries()) {
    const [file, size, diffId] = line.split(/ +/) as [string, string, string];
    assert.is(file, join(path('layers'), `0${i + 1}-${diffId.slice(7)}.tar`));
    const bytes = readFileSync(file);
    assert.equal([String(bytes.length), digestOf(bytes)], [size, diffId]);
  }
  await refused(['extract', OLD, '--layers', path('layers')], 2, 'the directory is not empty');
  await refused(
    ['extract', OLD, '--layers', join(SAVED, 'x')],
    2,
    /hello-docker-28\.tar.x: cannot be written/,
  );
  const broken = await say('extract', sample('broken-layer.tar'), '--layers', path('broken'));
  assert.is(broken.status, 1);
  assert.match(
    broken.stderr,
    /layer 2 \(sha256:\w+\) is not written: expected sha256:\w+, found sha256:\w+$/,
  );
  assert.equal(
    readdirSync(path('broken'))
      .map(name => name.slice(0, 2))
      .sort(),
    ['01', '03'],
  );
});

test('the blobs of a list are verified again when it is pushed', async () => {
  const members = buildxOci({ image: await plainImage('later'), tags: ['later:1'] });
  const archive = made('later.tar', await toTar(members));
  assert.is((await say('manifest', 'create', 'later:1', archive)).status, 0);
  const layer = `blobs/sha256/${(await plainImage('later')).layers[0]!.digest.slice(7)}`;
  writeFileSync(archive, await toTar(without(members, layer)));
  await refused(
    ['manifest', 'push', 'later:1', '-o', path('later-out.tar')],
    2,
    'cannot be copied: it is not there',
    'changed',
  );
  assert.not.ok(existsSync(path('later-out.tar')));
  assert.equal(
    readdirSync(folder).filter(name => name.includes('unfinished')),
    [],
  );
});

test('questions that a file cannot answer are refused with the reason', async () => {
  await refused(['image', 'rm', 'x'], 2, 'image rm', 'inspect, history, ls');
  await refused(['buildx', 'build', '.'], 2, 'imagetools inspect');
  await refused(['run', '--rm', 'alpine'], 2, '`run` needs a running Docker daemon');
  await refused(['images', SAVED, '--host', 'x'], 2, '--host');
  await refused(['imagetools', 'inspect', SAVED, '--builder', 'x'], 2, '--builder', 'no builder');
  await refused(['manifest', 'inspect', 'nosuch:1'], 2, 'nosuch:1', 'no manifest list');
});

test('names may follow --', async () => {
  assert.match(await told('history', '-q', '--', SAVED), '<missing>');
  await refused(['history', '--', '-q'], 2, './-q');
});

test.run();
