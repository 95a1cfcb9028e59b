// docs/peers.md: each cell has a test, a run or a source, and what it says about the peers that are installed is so.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { plainImage } from '../support/image.js';
import { dockerSave } from '../support/layouts.js';
import { hasCommand, toTar } from '../support/pack.js';
import { saved } from '../support/reading.js';
import { temporary } from '../support/tmp.js';

const page = readFileSync(join(repositoryRoot, 'docs/peers.md'), 'utf8');
const sample = (name: string) => join(repositoryRoot, 'samples', name);

/** The rows of a table, as cells, without its head. */
const rowsBelow = (head: RegExp): string[][] =>
  page
    .slice(head.exec(page)!.index)
    .split('\n\n')[0]!
    .split('\n')
    .slice(2)
    .map(row => row.slice(2, -2).split(' | '));

test('each cell of the table is a link to a test, to a run, or to a document of the tool', () => {
  const rows = rowsBelow(/^\| \| waybill /m);
  const columns = /^\| \| (.*) \|$/m.exec(page)![1]!.split(' | ');
  assert.ok(rows.length >= 12 && columns.length >= 7);
  const runs = rowsBelow(/^\| run \| command /m).map(([number]) => number);
  const used = new Set<string>();
  for (const [about, ...cells] of rows) {
    assert.is(cells.length, columns.length, about);
    for (const [i, cell] of cells.entries()) {
      const [, reference, mark] = /^\[[^\]]+\]\[([\w-]+)\](?: \((t|\d+)\))?$/.exec(cell) ?? [];
      assert.ok(reference !== undefined, `${about}, ${columns[i]}: ${cell}`);
      const target = new RegExp(`^\\[${reference}\\]: (\\S+)$`, 'm').exec(page)?.[1] ?? 'nothing';
      const expected =
        mark === 't' ? /^\.\.\/test\/.*\.test\.ts$/ : mark === undefined ? /^https:/ : /^#runs$/;
      assert.match(target, expected, `${about}: ${cell}`);
      assert.ok(expected.source !== '^#runs$' || runs.includes(mark), `${about}: there is no run ${mark}`);
      assert.ok(i > 0 || mark === 't', `${about}: what waybill does needs a test`);
      used.add(reference);
    }
  }
  const defined = [...page.matchAll(/^\[([\w-]+)\]: /gm)].map(([, name]) => name!);
  assert.equal(defined.sort(), [...used].sort(), 'each source is used');
  const cited = [...page.matchAll(/ \((\d+)\) \|/g)].map(([, run]) => run!);
  assert.equal(
    runs.filter(run => !cited.includes(run!)),
    [],
    'each run is cited',
  );
});

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const peer =
  (command: string) =>
  (args: readonly string[], input: Uint8Array | string = ''): Outcome => {
    const { status, stdout, stderr } = spawnSync(command, args, { input });
    return { status, stdout: stdout.toString(), stderr: stderr.toString() };
  };

/** A command whose input comes through a pipe: Node's own is a socket, which cannot be opened by its path. */
const piped = (file: string, command: string): Outcome =>
  peer('sh')(['-c', `cat "$1" | ${command}`, 'sh', sample(file)]);

/** A folder with the files of a sample. */
function unpacked(name: string): string {
  const folder = temporary('peers');
  execFileSync('tar', ['-xf', sample(name), '-C', folder]);
  return folder;
}

const skopeo = peer('skopeo');
const withSkopeo = testWhen(test, hasCommand('skopeo'), 'no skopeo');

withSkopeo('skopeo reads docker save from 1.10 on, and OCI layouts as tar and directory', () => {
  const statusOf = (image: string) => skopeo(['inspect', image]).status;
  for (const name of ['hello-docker-24.tar', 'hello-docker-28.tar'])
    assert.is(statusOf(`docker-archive:${sample(name)}`), 0, name);
  const old = skopeo(['inspect', `docker-archive:${sample('hello-docker-1.9.tar')}`]);
  assert.is.not(old.status, 0);
  assert.match(old.stderr, /manifest\.json/);
  assert.is(statusOf(`oci-archive:${sample('hello-oci.tar')}`), 0);
  assert.is(statusOf(`oci:${unpacked('hello-oci.tar')}`), 0);
});

withSkopeo('skopeo copy compares digests and ends at the first fault, inspect does not', () => {
  const archive = `docker-archive:${sample('broken-layer.tar')}`;
  assert.is(skopeo(['inspect', archive]).status, 0);
  const copied = skopeo(['copy', archive, `dir:${temporary('skopeo')}`]);
  assert.is.not(copied.status, 0);
  assert.is(copied.stderr.match(/[Dd]igest did not match/g)?.length, 1);
});

/** An archive of `docker save` with two images. */
async function twoImages(): Promise<string> {
  const images = await Promise.all(
    ['one', 'two'].map(async name => ({ image: await plainImage(name), tags: [`${name}:1`] })),
  );
  return saved(await toTar(dockerSave(images)), 'two.tar');
}

withSkopeo('skopeo reads one of several images of docker save, by its name or number', async () => {
  const archive = `docker-archive:${await twoImages()}`;
  assert.match(skopeo(['inspect', archive]).stderr, /expected 1 item, got 2/);
  for (const which of [':two:1', ':@1'])
    assert.is(skopeo(['inspect', `${archive}${which}`]).status, 0, which);
});

withSkopeo('skopeo does not read an oci-archive from a pipe', () => {
  assert.is.not(piped('hello-oci.tar', 'skopeo inspect oci-archive:/dev/stdin').status, 0);
});

withSkopeo(
  'skopeo inspect has one digest for a docker-archive that was packed again, and for a broken one',
  () => {
    const digests = ['hello-docker-24.tar', 'hello-docker-28.tar', 'broken-layer.tar'].map(
      name => JSON.parse(skopeo(['inspect', `docker-archive:${sample(name)}`]).stdout).Digest,
    );
    assert.match(digests[0], /^sha256:/);
    assert.is(new Set(digests).size, 1);
  },
);

const crane = peer('crane');
const withCrane = testWhen(test, hasCommand('crane'), 'no crane');

withCrane('crane reads docker save from 1.10 on, uncompressed', () => {
  const validate = (name: string) => crane(['validate', '--tarball', sample(name)]);
  for (const name of ['hello-docker-24.tar', 'hello-docker-28.tar']) assert.is(validate(name).status, 0);
  for (const name of ['hello-docker-1.9.tar', 'hello-oci.tar'])
    assert.match(validate(name).stderr, /manifest\.json not found/);
  assert.match(validate('hello-podman.tar.gz').stderr, /invalid tar header/);
});

withCrane('crane does not read docker save of several images', async () => {
  const { status, stderr } = crane(['validate', '--tarball', await twoImages()]);
  assert.is.not(status, 0);
  assert.match(stderr, /only a single image/);
});

withCrane('crane validate compares digests; export and digest do not', () => {
  const validated = crane(['validate', '--tarball', sample('broken-layer.tar')]);
  assert.is.not(validated.status, 0);
  assert.match(validated.stdout + validated.stderr, /mismatched layer\[1\] diffid/);
  const exported = piped('broken-layer.tar', 'crane export - - | tar -t');
  assert.is(exported.status, 0);
});

withCrane('crane export reads docker save from a pipe, and other commands do not', () => {
  const exported = piped('hello-docker-28.tar', 'crane export - - | tar -t');
  assert.match(exported.stdout, /^app\/greet$/m);
  assert.not.match(piped('hello-oci.tar', 'crane export - - | tar -t').stdout, /app/);
  assert.is.not(piped('hello-docker-28.tar', 'crane validate --tarball /dev/stdin').status, 0);
});

withCrane(
  'crane digest has one digest for docker save that was packed again, and another for a broken one',
  () => {
    const [a, b, broken] = ['hello-docker-24.tar', 'hello-docker-28.tar', 'broken-layer.tar'].map(
      name => crane(['digest', '--tarball', sample(name)]).stdout,
    );
    assert.match(a!, /^sha256:/);
    assert.is(a, b);
    assert.is.not(a, broken);
  },
);

testWhen(
  test,
  hasCommand('umoci'),
  'no umoci',
)('umoci unpack ends at a layer that is not what its digest says', () => {
  const layout = unpacked('broken-layer.tar');
  const ran = peer('umoci')([
    'unpack',
    '--rootless',
    '--image',
    `${layout}:1.0`,
    join(temporary('umoci'), 'bundle'),
  ]);
  assert.is.not(ran.status, 0);
  assert.match(ran.stdout + ran.stderr, /expected sha256:f9b6914b/);
});

testWhen(
  test,
  hasCommand('podman'),
  'no podman',
)('podman load ends at a layer that is not what its digest says', () => {
  const store = temporary('podman');
  const ran = peer('podman')([
    `--root=${join(store, 'root')}`,
    `--runroot=${join(store, 'run')}`,
    '--storage-driver=vfs',
    ...['load', '-i', sample('broken-layer.tar')],
  ]);
  assert.is.not(ran.status, 0);
  assert.match(ran.stderr, /[Dd]igest did not match/);
});

test('waybill cannot open a connection: no module for it is in the bundle', () => {
  const folder = join(repositoryRoot, 'dist/bundle');
  const asked = readdirSync(folder)
    .filter(name => name.endsWith('.js'))
    .flatMap(name => [
      ...readFileSync(join(folder, name), 'utf8').matchAll(
        /(?:from|import|require)\s*\(?\s*["'](?:node:)?(https?|http2|dns|tls|dgram|inspector)(?:\/promises)?["']/g,
      ),
    ])
    .map(([, module]) => module!);
  // The inspector of the same process ends a script at its deadline.
  assert.equal(
    [...new Set(asked)].filter(module => module !== 'inspector'),
    [],
  );
  const sources = readdirSync(join(repositoryRoot, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    name => name.endsWith('.ts'),
  );
  const connecting = sources.filter(name =>
    /\bfetch\(|\bnew WebSocket\b|\.connect\(|\bcreateConnection\b/.test(
      readFileSync(join(repositoryRoot, 'src', name), 'utf8'),
    ),
  );
  assert.equal(connecting, []);
});

test.run();
