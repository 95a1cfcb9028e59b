// Packages that were added, removed or changed version.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Package, packageChanges } from '../../src/packages/package.js';

const of = (...specs: string[]): Package[] =>
  specs.map(spec => {
    const [name, version, arch = 'amd64'] = spec.split(' ');
    return { manager: 'rpm', name: name!, version: version!, arch, files: null };
  });

const words = (a: Package[], b: Package[]) =>
  packageChanges(a, b).map(({ name, arch, a: x, b: y }) => `${name} ${arch}: ${x} > ${y}`);

test('changes are listed by name, in the order of names', () => {
  assert.equal(words(of('c 1', 'a 1', 'b 1', 'same 1'), of('same 1', 'b 2', 'd 1', 'a 1.0')), [
    'a amd64: 1 > 1.0',
    'b amd64: 1 > 2',
    'c amd64: 1 > ',
    'd amd64:  > 1',
  ]);
});

test('several versions and architectures of one package are distinguished', () => {
  assert.equal(words(of('kernel 1', 'kernel 2'), of('kernel 2', 'kernel 3')), ['kernel amd64: 1 > 3']);
  assert.equal(words(of('key 1', 'key 1'), of('key 1')), ['key amd64: 1 > ']);
  assert.equal(words(of('libc 1', 'libc 1 i386'), of('libc 1', 'libc 2 i386')), ['libc i386: 1 > 2']);
});

test('packages of different managers with one name are different', () => {
  const [bash] = of('bash 1');
  assert.is(packageChanges([bash!], [{ ...bash!, manager: 'apk' }]).length, 2);
  assert.equal(packageChanges(of('a 1', 'b 1'), of('b 1', 'a 1')), []);
});

test.run();
