// The text databases of apk and dpkg, and the owners of files.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageDatabases } from '../../src/packages/databases.js';
import { ownersOf } from '../../src/packages/package.js';
import { installed } from './recorded.js';

const APK = `C:Q1YlbV5TKkSL7e0XB3b5tVJ0vTkWo=
P:musl
V:1.1.22-r3
A:x86_64
T:the musl c library (libc) implementation
F:lib
R:libc.musl-x86_64.so.1
a:0:0:777
Z:Q17yJ3JFNypA4mxhJJr0ou6CzsJVI=
R:ld-musl-x86_64.so.1
a:0:0:755
F:
R:root-file
F:etc/caf\xe9

C:Q1
P:busybox
V:1.30.1-r2
A:noarch
F:bin
R:busybox
`;

test('apk: files belong to the directory line before them', () => {
  for (const path of ['lib/apk/db/installed', 'usr/lib/apk/db/installed']) {
    const { packages, notes } = installed({ [path]: Buffer.from(APK, 'latin1') });
    assert.equal(notes, []);
    assert.equal(packages, [
      {
        manager: 'apk',
        name: 'musl',
        version: '1.1.22-r3',
        arch: 'x86_64',
        files: ['lib', 'lib/libc.musl-x86_64.so.1', 'lib/ld-musl-x86_64.so.1', 'root-file', 'etc/caf\xe9'],
      },
      {
        manager: 'apk',
        name: 'busybox',
        version: '1.30.1-r2',
        arch: 'noarch',
        files: ['bin', 'bin/busybox'],
      },
    ]);
  }
});

test('apk: an entry cut in two, and one without a name', () => {
  const { packages, notes } = installed({
    'lib/apk/db/installed': `${APK.slice(0, 150)}\n\nV:1\nR:x\n\n${APK}`,
  });
  assert.equal(
    packages.map(({ name }) => name),
    ['musl', 'musl', 'busybox'],
  );
  assert.equal(notes, [{ path: 'lib/apk/db/installed', reason: 'an entry has no name or no version' }]);
});

test('apk: one directory with many files cannot fill the memory', () => {
  const database = `P:a\nV:1\nF:${'d'.repeat(4000)}\n${'R:f\n'.repeat(100_000)}`;
  const { packages, notes } = installed({ 'lib/apk/db/installed': database });
  assert.ok(packages[0]!.files!.length < 70_000);
  assert.equal(
    notes.map(({ reason }) => reason),
    ['it lists more files than are kept'],
  );
});

const STATUS = `Package: libc6
Status: install ok installed
Priority: optional
Architecture: amd64
Multi-Arch: same
Version: 2.36-9+deb12u4
Description: GNU C Library
 Package: not-a-package
 .
 Version: 0

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: never
Status: unknown ok not-installed

package: Bash
status: install ok half-configured
architecture: amd64
version: 5.2.15-2+b2
`;

const BASH = { manager: 'dpkg', name: 'Bash', version: '5.2.15-2+b2', arch: 'amd64' };
const LIBC = { manager: 'dpkg', name: 'libc6', version: '2.36-9+deb12u4', arch: 'amd64' };

test('dpkg: installed packages with their files', () => {
  const { packages, notes } = installed({
    'var/lib/dpkg/status': STATUS,
    'var/lib/dpkg/info/libc6:amd64.list': '/.\n/lib\n/lib/x86_64-linux-gnu/libc.so.6\n',
    'var/lib/dpkg/info/Bash.list': '/.\n/bin/bash\n/etc/caf\u00e9\n',
    'var/lib/dpkg/info/gone.list': '/etc/gone\n',
  });
  assert.equal(notes, []);
  assert.equal(packages, [
    { ...LIBC, files: ['lib', 'lib/x86_64-linux-gnu/libc.so.6'] },
    { ...BASH, files: ['bin/bash', 'etc/caf\u00c3\u00a9'] },
  ]);
});

test('dpkg: files come from the checksums if the list is absent, null if both are', () => {
  const { packages } = installed({
    'var/lib/dpkg/status': STATUS,
    'var/lib/dpkg/info/Bash.md5sums': `${'0'.repeat(32)}  bin/bash\n`,
  });
  assert.equal(
    packages.map(({ files }) => files),
    [null, ['bin/bash']],
  );
});

test('dpkg of distroless images has a file for each package', () => {
  const { packages, notes } = installed({
    'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n',
    'var/lib/dpkg/status.d/tzdata.md5sums': `${'0'.repeat(32)}  usr/share/zoneinfo/UTC\nnonsense\n`,
    'var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12.4\nArchitecture: amd64',
  });
  assert.equal(notes, []);
  assert.equal(packages, [
    {
      manager: 'dpkg',
      name: 'tzdata',
      version: '2024a-0+deb12u1',
      arch: 'all',
      files: ['usr/share/zoneinfo/UTC'],
    },
    { manager: 'dpkg', name: 'base-files', version: '12.4', arch: 'amd64', files: null },
  ]);
});

test('dpkg: noise and entries without a version are noted', () => {
  const { packages, notes } = installed({
    'var/lib/dpkg/status': `Package: cut\nStatus: install ok\n\n\0\xff`,
  });
  assert.equal(packages, []);
  assert.equal(notes, [{ path: 'var/lib/dpkg/status', reason: 'an entry has no name or no version' }]);
});

test('an image without a package manager', () => {
  assert.equal(installed({ 'bin/sh': 'x' }), { packages: [], notes: [] });
  assert.equal(installed({ 'lib/apk/db/installed': '' }), { packages: [], notes: [] });
});

test('a long line of spaces is read quickly', () => {
  const start = performance.now();
  const blanks = `Package:${' '.repeat(1_000_000)}x\nVersion: 1\n${' \t'.repeat(500_000)}x\n`;
  assert.is(installed({ 'var/lib/dpkg/status': blanks }).packages[0]!.name, 'x');
  assert.ok(performance.now() - start < 2000);
});

test('a database whose content was not kept is noted', () => {
  assert.ok(packageDatabases.includes('var/lib/dpkg/status'));
  const { notes } = installed({ 'var/lib/dpkg/status': undefined as never });
  assert.equal(
    notes.map(({ reason }) => reason),
    ['its content was not kept'],
  );
});

test('owners are found through links to directories, and the first of two is used', () => {
  const [libc, bash] = installed({
    'var/lib/dpkg/status': STATUS,
    'var/lib/dpkg/info/libc6.list': '/lib/libc.so.6\n/etc/shared\n/gone\n',
    'var/lib/dpkg/info/Bash.list': '/usr/bin/bash\n/etc/shared\n',
  }).packages;
  const owners = ownersOf([libc!, bash!], path =>
    path === 'gone' ? null : path.replace(/^lib\//, 'usr/lib/'),
  );
  assert.equal(
    [...owners].map(([path, { name }]) => [path, name]),
    [
      ['usr/lib/libc.so.6', 'libc6'],
      ['etc/shared', 'libc6'],
      ['usr/bin/bash', 'Bash'],
    ],
  );
});

test.run();
