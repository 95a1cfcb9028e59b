// What `npm run package` makes, each delivery in a root that has only what it says it needs, and no network.
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { librariesOf } from '../../bin/package/image.js';
import { canRun } from '../faults/harness.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

const isLinux = process.platform === 'linux' && process.arch === 'x64';
const canMake =
  isLinux && canRun('npm', '--version') && canRun('unshare', '-rn', 'true') && canRun('ldd', '--version');
const NOT_HERE = 'no Linux on x64 with npm, ldd and user namespaces';
const withDeliveries = testWhen(test, canMake, NOT_HERE);
const SAMPLES = join(repositoryRoot, 'samples');
const folder = temporary('deliveries');

const environment = {
  PATH: process.env.PATH,
  SOURCE_DATE_EPOCH: '1700000000',
};

/** Makes all deliveries of a checkout that is built. */
function made(name: string, checkout: string): string {
  const output = join(folder, name);
  const program = join(checkout, 'dist/bin/package/main.js');
  execFileSync(process.execPath, [program, '--output', output], { env: environment, stdio: 'pipe' });
  return output;
}

const deliveries = canMake ? made('first', repositoryRoot) : '';
const fileOf = (pattern: RegExp): string => {
  const [name, ...more] = readdirSync(deliveries).filter(file => pattern.test(file));
  assert.ok(name !== undefined && more.length === 0, String(pattern));
  return join(deliveries, name);
};

/** An empty root with files at their paths. */
function rootOf(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(source, join(root, path), { recursive: true, verbatimSymlinks: true });
  }
  return root;
}

/** Puts the shared libraries of a binary where it looks for them. */
function withLibraries(root: string, binary: string): string {
  for (const { path, content, mode } of librariesOf(binary)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content as Uint8Array, { mode });
  }
  return root;
}

/** A root with Node, and what else is named. */
const withNode = (name: string, files: Readonly<Record<string, string>>): string =>
  withLibraries(
    rootOf(name, { 'bin/node': realpathSync(process.execPath), ...files }),
    realpathSync(process.execPath),
  );

const run = (
  root: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): SpawnSyncReturns<string> =>
  spawnSync('unshare', ['-rn', 'chroot', root, ...command], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });

const SAMPLE = "samples with 'quotes' and spaces/hello.tar";
const WITH_SAMPLE = { [SAMPLE]: join(SAMPLES, 'hello-docker-28.tar') };

/** The main jobs of waybill, in a root. */
function checkJobs(root: string, program: readonly string[]): void {
  const job = (...args: readonly string[]) => run(root, [...program, ...args]);
  const verified = job('verify', SAMPLE);
  assert.is(verified.stderr, '');
  assert.match(verified.stdout, /^verdict {2}intact yes {3}complete yes {3}conformant yes/m);
  assert.match(job('sizes', SAMPLE).stdout, /^hello:1\.0/m);
  assert.match(job('check', SAMPLE).stdout, /^passed/m);
  const report = job('report', SAMPLE, '-o', 'page.html');
  assert.is(report.status, 0, report.stderr);
  assert.match(readFileSync(join(root, 'page.html'), 'utf8'), /d3-hierarchy[\s\S]*<\/html>/);
  const packed = job('verify', 'packed.tar.gz', 'layout.zip');
  assert.is(packed.status, 0, packed.stderr);
}

const MORE = {
  'packed.tar.gz': join(SAMPLES, 'hello-podman.tar.gz'),
  'layout.zip': join(SAMPLES, 'hello-oci.zip'),
};

/** A machine on which things are missing. */
function checkMisery(root: string, program: readonly string[]): void {
  const verify = (env: NodeJS.ProcessEnv, ...args: readonly string[]) =>
    run(root, [...program, 'verify', SAMPLE, ...args], env);
  for (const env of [
    { HOME: '/no/such/home', TMPDIR: '/no/such/tmp' },
    { HOME: '' },
    { TERM: 'dumb', LANG: 'C', LC_ALL: 'C' },
    { LC_ALL: 'de_DE.ISO-8859-1', TZ: 'Nowhere/None' },
  ]) {
    const { status, stdout, stderr } = verify(env);
    assert.equal([status, stderr], [0, ''], JSON.stringify(env));
    assert.match(stdout, /intact yes/);
  }
  const unwritable = verify({}, '-o', '/no/such/folder/report.html');
  assert.is(unwritable.status, 2);
  assert.match(unwritable.stderr, /^waybill: \/no\/such\/folder\/report\.html: /);
  // Node opens it in place of a closed descriptor.
  mkdirSync(join(root, 'dev'), { recursive: true });
  writeFileSync(join(root, 'dev/null'), '');
  const closed = spawnSync('sh', [
    '-c',
    'exec "$@" >&-',
    'sh',
    'unshare',
    '-rn',
    'chroot',
    root,
    ...program,
    'verify',
    SAMPLE,
  ]);
  assert.ok(closed.status === 0 || closed.status === 2, closed.stderr.toString());
  assert.not.match(closed.stderr.toString(), /^\s+at /m);
}

withDeliveries('every delivery is here, and SHA256SUMS has them', () => {
  const names = readdirSync(deliveries);
  const kinds = [
    /^THIRD-PARTY-LICENCES\.txt$/,
    /^waybill-[\d.]+-image-amd64\.tar$/,
    /^waybill-[\d.]+\.tgz$/,
    /^waybill-linux-x64$/,
    /^waybill\.1$/,
    /^waybill\.cdx\.json$/,
    /^waybill\.lock\.json$/,
    /^waybill\.mjs$/,
    /^waybill_[\d.]+_all\.deb$/,
  ];
  assert.equal(
    kinds.map(kind => names.filter(name => kind.test(name)).length),
    kinds.map(() => 1),
  );
  const lines = readFileSync(join(deliveries, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
  assert.is(lines.length, names.length - 1);
  for (const line of lines) {
    const [digest, name] = line.split('  ');
    const bytes = readFileSync(join(deliveries, name!));
    assert.is(createHash('sha256').update(bytes).digest('hex'), digest, name);
  }
});

withDeliveries('the executable runs in a root with nothing but its libraries', () => {
  const executable = fileOf(/^waybill-linux-x64$/);
  const files = { waybill: executable, ...WITH_SAMPLE, ...MORE };
  const root = withLibraries(rootOf('executable', files), executable);
  checkJobs(root, ['/waybill']);
  checkMisery(root, ['/waybill']);
});

withDeliveries('the single file runs in a root with nothing but Node', () => {
  const program = "tools of 'ours'/waybill.mjs";
  const root = withNode('single-file', { [program]: fileOf(/\.mjs$/), ...WITH_SAMPLE, ...MORE });
  checkJobs(root, ['/bin/node', program]);
  checkMisery(root, ['/bin/node', program]);
});

withDeliveries('the npm package is installed without a network and without a script', () => {
  const prefix = join(folder, 'npm');
  const home = join(folder, 'npm-home');
  for (const place of [prefix, home]) mkdirSync(place);
  const args = ['-rn', 'npm', 'install', '-g', '--prefix', prefix, fileOf(/\.tgz$/)];
  const { status, stderr } = spawnSync('unshare', args, {
    env: { PATH: process.env.PATH, HOME: home, npm_config_update_notifier: 'false' },
    encoding: 'utf8',
  });
  assert.equal([status, stderr], [0, '']);
  const root = withNode('installed', { usr: prefix, ...WITH_SAMPLE, ...MORE });
  assert.ok(existsSync(join(root, 'usr/bin/waybill')));
  checkJobs(root, ['/bin/node', '/usr/bin/waybill']);
  checkMisery(root, ['/bin/node', '/usr/bin/waybill']);
  const sample = '/usr/lib/node_modules/waybill/samples/hello-docker-28.tar';
  assert.is(run(root, ['/bin/node', '/usr/bin/waybill', 'verify', sample]).status, 0);
});

testWhen(
  test,
  canMake && canRun('dpkg-deb', '--version'),
  'no dpkg-deb',
)('the Debian package installs the program, its man page and its completions', () => {
  const file = fileOf(/\.deb$/);
  const field = (name: string) => execFileSync('dpkg-deb', ['-f', file, name], { encoding: 'utf8' }).trim();
  assert.equal([field('Package'), field('Architecture')], ['waybill', 'all']);
  assert.match(field('Depends'), /^nodejs \(>= [\d.]+\)$/);
  const tree = join(folder, 'debian-tree');
  execFileSync('dpkg-deb', ['-x', file, tree]);
  const root = withNode('debian', { usr: join(tree, 'usr'), ...WITH_SAMPLE, ...MORE });
  checkJobs(root, ['/bin/node', '/usr/bin/waybill']);
  const page = execFileSync('gzip', ['-dc', join(root, 'usr/share/man/man1/waybill.1.gz')], {
    encoding: 'utf8',
  });
  assert.match(page, /^\.SS waybill verify /m);
  assert.match(page, /^\.B \\-\\-require\\-signature$/m);
});

const image = canMake ? fileOf(/-image-amd64\.tar$/) : '';
const waybill = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(repositoryRoot, 'bin/waybill.js'), ...args], { encoding: 'utf8' });

withDeliveries('the image is vouched for, is that of its lock, and runs as a user that is not root', () => {
  const verified = waybill('verify', image, '--lock', join(deliveries, 'waybill.lock.json'));
  assert.is(verified.status, 0, verified.stdout);
  assert.match(verified.stdout, /^verdict {2}intact yes {3}complete yes {3}conformant yes {3}locked yes/m);
  const strict = waybill('check', image);
  assert.match(strict.stdout, /^passed: nothing to report/m);
  const root = join(folder, 'image');
  assert.is(waybill('extract', image, root).status, 0);
  mkdirSync(join(root, dirname(SAMPLE)));
  for (const [path, file] of Object.entries({ ...WITH_SAMPLE, ...MORE })) cpSync(file, join(root, path));
  checkJobs(root, ['/usr/bin/waybill']);
  assert.match(JSON.parse(waybill('inspect', image).stdout)[0].Config.User, /^[1-9]\d*:[1-9]\d*$/);
});

for (const transport of ['oci-archive', 'docker-archive'])
  testWhen(
    test,
    canMake && canRun('skopeo', '--version'),
    'no skopeo',
  )(`skopeo loads the image as ${transport}`, () => {
    const to = join(folder, `skopeo-${transport}`);
    const args = ['copy', '--insecure-policy', '-q', `${transport}:${image}`, `dir:${to}`];
    execFileSync('skopeo', args, { stdio: 'pipe' });
    assert.ok(existsSync(join(to, 'manifest.json')));
  });

withDeliveries('the bill of materials names each package, and each has its licence', () => {
  const bill = JSON.parse(readFileSync(fileOf(/\.cdx\.json$/), 'utf8'));
  const notices = readFileSync(fileOf(/^THIRD/), 'utf8');
  const names: readonly string[] = bill.components.map(({ name }: { readonly name: string }) => name);
  for (const name of ['yargs', 'tar-stream', 'yauzl-promise', 'cli-table3', 'zstddec', 'node'])
    assert.ok(names.includes(name), name);
  for (const { name, version } of bill.components)
    assert.ok(
      name === 'node' ? notices.includes(`Node.js ${version}`) : notices.includes(`${name} ${version}`),
      name,
    );
});

const isClean =
  canMake &&
  execFileSync('git', ['status', '--porcelain'], { cwd: repositoryRoot, encoding: 'utf8' }).trim() === '';

testWhen(
  test,
  isClean,
  canMake ? 'the checkout has changes' : NOT_HERE,
)('another clone gives the same bytes', () => {
  const clone = join(folder, 'another place');
  execFileSync('git', ['clone', '-q', repositoryRoot, clone]);
  // Hard links: through a symbolic link, packages would have other paths.
  const copy = 'cp -al "$1" "$2" 2> /dev/null || cp -a "$1" "$2"';
  execFileSync('sh', ['-c', copy, 'sh', join(repositoryRoot, 'node_modules'), clone]);
  chmodSync(clone, 0o700);
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: clone, stdio: 'pipe' });
  const again = made('second', clone);
  assert.is(
    readFileSync(join(again, 'SHA256SUMS'), 'utf8'),
    readFileSync(join(deliveries, 'SHA256SUMS'), 'utf8'),
  );
});

test.run();
