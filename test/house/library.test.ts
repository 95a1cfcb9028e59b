// The two doors of the library: docs/library.md compiles, runs and says what is printed; the names of both are listed
// in docs/api.md; and the command line uses nothing that they do not export.
import { randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { apiPage, publicNames } from '../../docs/api.js';
import { examplesIn, withExampleOutputs } from '../../docs/examples.js';
import {
  type Archive,
  compareImages,
  InputError,
  inspectImages,
  type ListedFile,
  listFiles,
  measureSizes,
  openArchive,
  readFile,
  streamFile,
  UsageError,
  verifyArchive,
} from '../../src/index.js';
import { canCompress } from '../support/compression.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import { dockerSave, skopeoOci } from '../support/layouts.js';
import { runNode } from '../support/nodes.js';
import { toTar } from '../support/pack.js';
import { hasNpm, installed, NO_NPM, packed } from '../support/package.js';
import { temporary } from '../support/tmp.js';

const page = (name: string) => readFileSync(join(repositoryRoot, name), 'utf8');
const source = join(repositoryRoot, 'src');
const folder = temporary('library');
const sample = (name: string) => join(repositoryRoot, 'samples', name);

testWhen(
  test,
  hasNpm,
  NO_NPM,
)('the examples of docs/library.md compile and print what stands there, installed', () => {
  const text = page('docs/library.md');
  const project = installed(packed().files.map(({ path }) => path));
  assert.is(text, withExampleOutputs(text, repositoryRoot, project), 'run `npm run docs`');
});

test('every example of docs/library.md has an output, and every name of the first door an example', () => {
  const text = page('docs/library.md');
  const examples = examplesIn(text);
  assert.is(examples.length, text.match(/```ts\n/g)!.length);
  const imported = examples.flatMap(example =>
    [...example.matchAll(/import \{([^}]*)\} from 'waybill';/g)].flatMap(([, list]) =>
      list!.split(',').map(name => name.trim().replace(/^type /, '')),
    ),
  );
  const names = publicNames(source, 'index')
    .filter(({ module }) => module !== 'library/parts')
    .map(({ name }) => name);
  assert.ok(names.length >= 20 && names.length <= 40, `${names.length} names`);
  assert.equal(
    names.filter(name => !imported.includes(name)),
    [],
  );
});

/** A program that keeps parts of results: a compiler that writes declarations has to name their types. */
const KEEPING_PARTS = `
import { type Archive, compareImages, findWaste, listFiles, listIds, measureSizes, verifyArchive } from 'waybill';
export const engines = async (a: Archive) => (await listIds(a)).images[0]!.engines;
export const sizes = async (a: Archive) => (await measureSizes(a)).sizes;
export const images = async (a: Archive) => (await measureSizes(a)).images;
export const wasted = async (a: Archive) => (await findWaste(a)).images.flatMap(image => image.waste.files);
export const differences = async (a: Archive) => (await compareImages(a, a)).images;
export const verified = async (a: Archive) => {
  const { absent, archive, findings } = await verifyArchive(a);
  return { absent, archive, data: findings.map(({ data }) => data) };
};
export const settings = (a: Archive) => a.images.map(({ healthcheck, history }) => ({ healthcheck, history }));
export const files = listFiles;
export const one = async (a: Archive) => {
  const [size] = (await measureSizes(a, { by: 'package' })).images;
  const [waste] = (await findWaste(a)).images;
  const report = await compareImages(a, a);
  const [different] = report.images;
  const [ids] = (await listIds(a, { find: 'sha256:2e' })).images;
  const { artifacts, findings } = await verifyArchive(a);
  return {
    size: { layers: size!.layers, breakdown: size!.breakdown, row: size!.breakdown?.rows[0], base: size!.base },
    waste: { waste, numbers: waste!.waste, dive: waste!.dive, file: waste!.waste.files[0]! },
    different: { ...different!, kinds: report },
    ids: { ids, digests: ids!.repoDigests },
    artifact: artifacts[0]!,
    severity: findings[0]!.severity,
    entry: async () => { for await (const { path, ...entry } of listFiles(a)) return { path, entry }; return null; },
  };
};
`;

test('parts of results can be kept by a program that writes declarations', () => {
  const project = temporary('declarations');
  mkdirSync(join(project, 'node_modules/@types'), { recursive: true });
  symlinkSync(repositoryRoot, join(project, 'node_modules/waybill'));
  symlinkSync(join(repositoryRoot, 'node_modules/@types/node'), join(project, 'node_modules/@types/node'));
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    declaration: true,
    strict: true,
    types: ['node'],
  };
  writeFileSync(join(project, 'package.json'), '{"type":"module"}');
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use.ts'] }));
  writeFileSync(join(project, 'use.ts'), KEEPING_PARTS);
  const compiler = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
  const { stdout, status } = runNode(process.execPath, [compiler, '-p', project]);
  assert.equal([stdout, status], ['', 0]);
});

/** A program that a bundler puts into one file, with the library in it. */
const BUNDLED = `
import { listFiles, openArchive, verifyArchive } from 'waybill';
const main = async () => {
  const archive = await openArchive(process.argv[2]);
  const { verdicts, findings } = await verifyArchive(archive);
  let files = 0;
  for await (const _ of await listFiles(archive)) files++;
  console.log(verdicts.intact, findings.length, files);
};
void main();
`;

for (const format of ['esm', 'cjs'] as const)
  test(`the library works in a program that a bundler makes of one file (${format}), without the files of threads`, async () => {
    const project = temporary(`bundled-${format}`);
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(repositoryRoot, join(project, 'node_modules/waybill'));
    writeFileSync(join(project, 'use.mjs'), BUNDLED);
    const program = join(project, 'out', `use.${format === 'esm' ? 'mjs' : 'cjs'}`);
    const made = await build({
      entryPoints: [join(project, 'use.mjs')],
      outfile: program,
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'error',
    });
    assert.is(made.errors.length, 0);
    // So large that threads would be started.
    const layers = [1, 2].map(n => ({ files: { [`data${n}`]: randomBytes(18 << 20) } }));
    const archive = join(project, 'large.tar');
    writeFileSync(archive, await toTar(skopeoOci({ image: await image({ layers }), tags: ['app:1'] })));
    const { stdout, stderr, status } = runNode(process.execPath, [program, archive]);
    assert.equal([stdout, stderr, status], ['true 0 2\n', '', 0]);
  });

test('docs/api.md lists the names of both doors as they are', () => {
  assert.is(
    page('docs/api.md'),
    apiPage(repositoryRoot),
    'run `npm run docs`, and say in CHANGELOG.md what changed',
  );
});

test('what a door lists is what it exports', async () => {
  for (const [door, module] of [
    ['index', await import('../../src/index.js')],
    ['commands', await import('../../src/commands.js')],
  ] as const) {
    const values = publicNames(source, door).filter(({ isType }) => !isType);
    assert.equal(Object.keys(module).sort(), values.map(({ name }) => name).sort());
  }
});

/** Names that a file imports from modules of other rooms, statically or when they are wanted. */
function importsOf(file: string): { readonly name: string; readonly module: string }[] {
  const text = readFileSync(join(source, file), 'utf8');
  const lists = [
    ...text.matchAll(/^import (?:type )?\{([^}]*)\} from '(\.[^']+)\.js';/gm),
    ...text.matchAll(/\b(?:const|let) \{([^}]*)\} = await import\(\s*'(\.[^']+)\.js'/g),
    ...[...text.matchAll(/\(await import\('(\.[^']+)\.js'\)\)\.(\w+)/g)].map(([all, module, name]) => [
      all,
      name,
      module,
    ]),
  ];
  return lists.flatMap(([, list, module]) =>
    list!
      .split(',')
      .map(item =>
        item
          .trim()
          .replace(/^type /, '')
          .replace(/( as |:).*$/, ''),
      )
      .filter(item => item !== '')
      .map(name => ({ name, module: posix.join(posix.dirname(file), module!) })),
  );
}

test('the command line uses nothing that the doors do not export', () => {
  const own = readdirSync(join(source, 'cli')).map(name => `cli/${name}`);
  const files = ['cli.ts', ...own];
  // inside.ts is about packages that the command line uses, permission.ts about Node: neither is about waybill.
  const isOwn = (module: string) =>
    module.startsWith('cli/') || ['progress', 'inside', 'permission'].includes(module);
  const used = files
    .flatMap(file => importsOf(file).map(one => ({ ...one, file })))
    .filter(({ module }) => !isOwn(module));
  assert.ok(used.length > 80, `${used.length} imports`);
  const exported = new Set(
    ['index', 'commands'].flatMap(door => publicNames(source, door).map(({ name }) => name)),
  );
  assert.equal(
    used
      .filter(({ name }) => !exported.has(name))
      .map(({ file, name, module }) => `${file}: ${name} of ${module}`),
    [],
  );
});

test('importing waybill loads little', () => {
  const bundle = join(repositoryRoot, 'dist/bundle');
  const loaded = new Set<string>();
  const load = (name: string) => {
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const [, other] of readFileSync(join(bundle, name), 'utf8').matchAll(/\bfrom\s*"\.\/([^"]+)"/g))
      load(other!);
  };
  load('index.js');
  const builtIn = [...loaded].flatMap(name =>
    [...readFileSync(join(bundle, name), 'utf8').matchAll(/\bfrom\s*["'](node:[^"']+)["']/g)].map(
      ([, module]) => module,
    ),
  );
  // What Node has loaded before any program: no thread, socket, compression or cryptography.
  assert.equal([...new Set(builtIn)].sort(), ['node:fs', 'node:path', 'node:util']);
  assert.ok(loaded.size <= 8, `${loaded.size} files`);
  const bytes = [...loaded].reduce((sum, name) => sum + readFileSync(join(bundle, name)).length, 0);
  assert.ok(bytes < 60_000, `${bytes} bytes in ${[...loaded].join()}`);
});

async function rejected(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return assert.unreachable('expected an error');
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function written(name: string, bytes: Uint8Array | Promise<Uint8Array>): Promise<string> {
  const file = join(folder, name);
  writeFileSync(file, await bytes);
  return file;
}

test('a stream answers every question but for the content of files', async () => {
  const archive = await openArchive(createReadStream(sample('hello-docker-28.tar')));
  assert.is(archive.container, 'stream');
  assert.is((await verifyArchive(archive)).verdicts.intact, true);
  assert.ok((await all(listFiles(archive))).length > 5);
  assert.is((await measureSizes(archive, { by: 'package' })).images.length, 1);
  assert.is((await compareImages(archive, archive)).same, true);
  const error = await rejected(() => readFile(archive, 'etc/os-release'));
  assert.instance(error, InputError);
  assert.match((error as InputError).what, 'stream that has passed');
});

test('images have the settings, the history and the config of their document', async () => {
  const made = await image({
    layers: [{ files: { a: 'a' }, createdBy: 'COPY a /' }],
    config: {
      config: {
        Env: ['PATH=/bin', 'MODE=test'],
        ExposedPorts: { '80/tcp': {}, '53/udp': {} },
        Healthcheck: { Test: ['CMD', '/bin/check'], Interval: 30_000_000_000 },
        Volumes: { '/data': {} },
        WorkingDir: '/srv',
        StopSignal: 'SIGINT',
      },
    },
  });
  const file = await written('settings.tar', toTar(dockerSave([{ image: made, tags: ['app:1'] }])));
  const archive = await openArchive(file);
  const verified = await verifyArchive(archive);
  for (const details of [archive.images[0]!, verified.images[0]!]) {
    assert.equal(details.env, ['PATH=/bin', 'MODE=test']);
    assert.equal(details.exposedPorts, ['80/tcp', '53/udp']);
    assert.equal(details.healthcheck?.test, ['CMD', '/bin/check']);
    assert.is(details.healthcheck?.interval, 30e9);
    assert.equal(details.volumes, ['/data']);
    assert.is(details.workingDir, '/srv');
    assert.is(details.stopSignal, 'SIGINT');
    assert.equal(
      details.history.map(({ createdBy }) => createdBy),
      ['COPY a /'],
    );
    assert.is(details.config?.architecture, 'amd64');
  }
  (archive.images[0]!.config as Record<string, unknown>).architecture = 'changed';
  assert.is((await verifyArchive(archive)).images[0]!.config?.architecture, 'amd64', 'it is a copy');
});

test('the same answers, whichever question is asked first', async () => {
  const file = sample('hello-docker-28.tar');
  const [one, other] = [await openArchive(file), await openArchive(file)];
  const [sizes, verified] = await Promise.all([measureSizes(one), verifyArchive(one)]);
  assert.equal(await verifyArchive(other), verified);
  assert.equal(await measureSizes(other), sizes);
});

testWhen(
  test,
  canCompress('zstd'),
  'there is no zstd',
)('the first calls of a process may come together, whatever they have to load', async () => {
  const made = await image({ layers: [{ files: { f: 'text' }, compression: 'zstd' }] });
  const file = await written('zstd.tar', toTar(skopeoOci({ image: made, tags: ['app:1'] })));
  const door = new URL('../../src/index.js', import.meta.url).href;
  const program = `
    const { openArchive, readFile, verifyArchive } = await import(${JSON.stringify(door)});
    const open = () => openArchive(${JSON.stringify(file)}, { jobs: 1 });
    const [a, b, c] = await Promise.all([open(), open(), open()]);
    const [text, { verdicts }, other] = await Promise.all([readFile(a, 'f'), verifyArchive(b), readFile(c, 'f')]);
    console.log(Buffer.from(text).toString(), verdicts.intact, Buffer.from(other).toString());`;
  const { stdout, stderr } = runNode(process.execPath, ['--input-type=module', '-e', program]);
  assert.is(stdout, 'text true text\n', stderr);
});

test('two images of one name are told apart by the objects in archive.images', async () => {
  const images = await Promise.all(
    ['one', 'two'].map(text => image({ layers: [{ files: { [text]: text } }] })),
  );
  const saved = dockerSave(images.map(made => ({ image: made, tags: ['app:1'] })));
  const archive = await openArchive(await written('same-name.tar', toTar(saved)));
  assert.is(archive.images.length, 2);
  const files: string[] = [];
  for (const one of archive.images)
    files.push(...(await all(listFiles(archive, { image: one }))).map(({ path }) => path));
  assert.equal(files, ['one', 'two']);
  const error = await rejected(() => all(listFiles(archive)));
  assert.match((error as InputError).what, 'it holds 2 images');
  for (const one of archive.images)
    assert.is(
      (await inspectImages(archive, { image: one, format: '{{.Id}}', docker: 28 })).text,
      `${one.imageId}\n`,
    );
});

test('a file of a damaged layer is an error, and its beginning is not given for the whole', async () => {
  const archive = await openArchive(sample('broken-layer.tar'));
  const error = await rejected(() => readFile(archive, 'app/greet', { platform: 'linux/amd64' }));
  assert.instance(error, InputError);
  assert.ok((error as InputError).damaged);
});

test('a large file comes in pieces, which may be left', async () => {
  const data = Buffer.alloc(5_000_000, 'waybill ');
  const made = await image({ layers: [{ files: { data: new Uint8Array(data) }, compression: 'gzip' }] });
  const archive = await openArchive(
    await written('large.tar', toTar(skopeoOci({ image: made, tags: ['app:1'] }))),
  );
  const pieces = await all(streamFile(archive, 'data'));
  assert.ok(pieces.length > 1);
  assert.ok(Buffer.concat(pieces).equals(data));
  for await (const piece of streamFile(archive, 'data')) {
    assert.ok(piece.length > 0);
    break;
  }
  assert.ok(Buffer.from(await readFile(archive, '/data', { layer: 1 })).equals(data));
});

test('pieces are neither a few bytes nor the whole file, however its layer is stored', async () => {
  const data = new Uint8Array(Buffer.alloc(1_000_000, 'waybill '));
  for (const compression of ['none', 'gzip'] as const) {
    const layer = { files: { data, empty: '', small: 'text' }, compression };
    const saved = skopeoOci({ image: await image({ layers: [layer] }), tags: ['app:1'] });
    const archive = await openArchive(await written('pieces.tar', toTar(saved)));
    const sizes = (await all(streamFile(archive, 'data'))).map(({ length }) => length);
    assert.ok(sizes.length > 1 && sizes.length <= 1_000_000 / 65_536 + 1, `${compression}: ${sizes}`);
    assert.ok(Math.max(...sizes) < 600_000, `${compression}: ${sizes}`);
    assert.equal(await all(streamFile(archive, 'empty')), []);
    assert.is(Buffer.concat(await all(streamFile(archive, 'small'))).toString(), 'text');
  }
});

test('an archive that changes between two questions is an error', async () => {
  const file = await written('changes.tar', readFileSync(sample('hello-docker-28.tar')));
  const archive = await openArchive(file);
  await written('changes.tar', readFileSync(sample('hello-oci.tar')));
  const error = await rejected(() => verifyArchive(archive));
  assert.instance(error, InputError);
  assert.match((error as InputError).what, 'changed');
});

test('arguments that make no sense are usage errors', async () => {
  const archive = await openArchive(sample('hello-oci.tar'));
  const copy: Archive = { ...archive };
  for (const work of [
    () => verifyArchive(copy),
    () => verifyArchive(archive, { image: { ...archive.images[0]! } }),
    () => verifyArchive(archive, { platform: 'linux/amd64/v1/x' }),
    () => compareImages(archive, archive, { ignore: ['colour'] }),
    () => openArchive(sample('hello-oci.tar'), { requireComplete: 'no/such/platform/x' }),
  ])
    assert.instance(await rejected(work), UsageError);
});

test('a file that a layer modifies is listed with what it was', async () => {
  const archive = await openArchive(sample('hello-docker-28.tar'));
  const files: readonly ListedFile[] = await all(listFiles(archive, { layer: 3 }));
  assert.equal(
    files.map(({ change, path, before }) => [change, path, before?.path, before?.layer]),
    [
      ['modified', 'app/LICENSE', 'app/LICENSE', 1],
      ['removed', 'app/notes.txt', undefined, undefined],
    ],
  );
});

test('platforms that are required are errors where they are absent', async () => {
  const archive = await openArchive(sample('hello-oci.tar'), { requireComplete: 'linux/s390x' });
  assert.is((await verifyArchive(archive)).verdicts.complete, false);
});

test.run();
