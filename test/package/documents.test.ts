// What is written for other tools' rules: the Debian package and the bill of materials. They are made here without the
// programs, which takes seconds; test/package/deliveries.test.ts runs them.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { debianPackage } from '../../bin/package/debian.js';
import { librariesOf } from '../../bin/package/image.js';
import { billOfMaterials } from '../../bin/package/notices.js';
import { singleFile } from '../../bin/package/single-file.js';
import { recordsOf, systemPackagesOf } from '../../bin/package/system-packages.js';
import { canRun } from '../faults/harness.js';
import { testWhen } from '../support/corpus.js';
import { cyclonedx } from '../support/cyclonedx.js';
import { temporary } from '../support/tmp.js';

const folder = temporary('package-documents');
const program = await singleFile('module');

const libraries = librariesOf(process.execPath).map(({ path }) => `/${path}`);
const system = systemPackagesOf(libraries);

test('the bill of materials is valid, names each package once, and has the same number for the same content', () => {
  const bill = (node: string) =>
    JSON.parse(
      billOfMaterials({ version: '1.2.3', packages: program.packages, node, system, seconds: 1_700_000_000 }),
    );
  const made = bill('20.20.2');
  assert.is(cyclonedx(made as unknown), true, JSON.stringify(cyclonedx.errors, null, 2));
  assert.match(made.serialNumber, /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.is(bill('20.20.2').serialNumber, made.serialNumber);
  assert.is.not(bill('24.1.0').serialNumber, made.serialNumber);
});

testWhen(
  test,
  system !== null,
  'no dpkg',
)(
  'libraries of the system are in the bill of materials and in the image as packages, with their licences',
  () => {
    const bill = JSON.parse(
      billOfMaterials({ version: '1.2.3', packages: [], node: '20.20.2', system, seconds: 1_700_000_000 }),
    );
    const purls: readonly string[] = bill.components.map(({ purl }: { readonly purl: string }) => purl);
    const records = new Map(recordsOf(system!).map(({ path, content }) => [path, content]));
    for (const name of ['libc6', 'libgcc-s1', 'libstdc\\+\\+6']) {
      const plain = name.replaceAll('\\', '');
      const pattern = new RegExp(
        `^pkg:deb/\\w+/${encodeURIComponent(plain)}@[^?]+\\?arch=\\w+&distro=[\\w.-]+$`,
      );
      assert.ok(
        purls.some(purl => pattern.test(purl)),
        `${pattern} in ${purls.join(' ')}`,
      );
      assert.match(
        records.get(`var/lib/dpkg/status.d/${plain}`) as string,
        new RegExp(`^Package: ${name}\\nSource: \\S+\\nVersion: \\d`),
      );
      assert.match(records.get(`usr/share/doc/${plain}/copyright`) as string, /General Public License/i);
    }
    assert.throws(() => systemPackagesOf(['/no/such/library.so']), /no package has it/);
  },
);

const PARTS = {
  version: '1.2.3',
  program: program.text,
  manual: '.TH WAYBILL 1\n',
  completions: { bash: 'bash', zsh: 'zsh', fish: 'fish' },
  changes: '# Changes\n',
  licences: 'MIT\n',
  samples: [{ path: 'hello.tar', content: Buffer.from([0xff, 0xfe]) }],
  node: '20.17.0',
  seconds: 1_700_000_000,
} as const;

testWhen(
  test,
  canRun('dpkg-deb', '--version') && canRun('dpkg-parsechangelog', '--version'),
  'no dpkg-dev',
)('the Debian package keeps to the rules that its tools rely on', async () => {
  const file = join(folder, 'waybill.deb');
  writeFileSync(file, await debianPackage(PARTS));
  const tree = join(folder, 'tree');
  execFileSync('dpkg-deb', ['-R', file, tree]);
  const textOf = (path: string) => readFileSync(join(tree, path), 'utf8');
  // dpkg --verify
  const sums = textOf('DEBIAN/md5sums').trimEnd().split('\n');
  assert.is(sums.length, 9);
  for (const line of sums) {
    const [, digest, path] = /^([0-9a-f]{32}) {2}(usr\/.+)$/.exec(line)!;
    assert.is(
      createHash('md5')
        .update(readFileSync(join(tree, path!)))
        .digest('hex'),
      digest,
      path,
    );
  }
  // Another Node may come first in the PATH, such as that of a version manager.
  assert.match(textOf('usr/lib/waybill/waybill.mjs'), /^#!\/usr\/bin\/node\n/);
  const unpacked = (path: string) =>
    execFileSync('gzip', ['-dc', join(tree, 'usr/share/doc/waybill', path)], { encoding: 'utf8' });
  assert.is(unpacked('CHANGELOG.md.gz'), PARTS.changes);
  const parsed = execFileSync('dpkg-parsechangelog', ['-l', '-'], {
    input: unpacked('changelog.gz'),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  assert.match(parsed, /^Source: waybill\nVersion: 1\.2\.3\n[\s\S]*^Timestamp: 1700000000$/m);
  assert.match(textOf('usr/share/doc/waybill/copyright'), /common-licenses\/Apache-2\.0/);
  for (const line of textOf('DEBIAN/control').split('\n')) assert.ok(line.length <= 80, line);
});

test.run();
