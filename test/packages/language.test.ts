// Metadata of language packages: npm, Python, jars and executables of Go; real, damaged and hostile.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GO_BLOCK_BYTES, GoBuildSearch } from '../../src/packages/go-build.js';
import { jarPackages } from '../../src/packages/jar.js';
import {
  type LanguageReading,
  metadataForm,
  npmPackage,
  pythonPackage,
} from '../../src/packages/language.js';
import { testWhen } from '../support/corpus.js';
import { type GoExecutable, goExecutable } from '../support/go-executable.js';
import { file } from '../support/members.js';
import { toZip } from '../support/zip.js';

const told = ({ packages, problems }: LanguageReading) => [
  ...packages.map(({ group, name, version, license, inside }) =>
    [group, name, version, license, inside].filter(part => part !== null).join(' '),
  ),
  ...problems.map(reason => `! ${reason}`),
];

test('files that state packages are told by their paths', () => {
  const forms = {
    'app/node_modules/left-pad/package.json': 'package.json',
    'node_modules/@types/node/package.json': 'package.json',
    'srv/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json': 'package.json',
    'app/package.json': null,
    'node_modules/a/dist/esm/package.json': null,
    'node_modules/package.json': null,
    'usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA': 'METADATA',
    'usr/lib/python3/dist-packages/six-1.16.0.egg-info': 'METADATA',
    'usr/lib/python3/dist-packages/six.egg-info/PKG-INFO': 'METADATA',
    'opt/six-1.16.0-py3.egg/EGG-INFO/PKG-INFO': 'METADATA',
    'usr/share/METADATA': null,
    'app/lib/a-1.0.jar': 'jar',
    'srv/APP.WAR': 'jar',
    'srv/.jar': null,
    'usr/bin/tool': null,
  };
  for (const [path, form] of Object.entries(forms)) assert.is(metadataForm(path), form, path);
});

const npm = (value: unknown) => told(npmPackage(Buffer.from(JSON.stringify(value))));

test('package.json: name, version, and licence in its three forms', () => {
  assert.equal(npm({ name: '@types/node', version: '20.1.0', license: 'MIT' }), ['@types/node 20.1.0 MIT']);
  assert.equal(npm({ name: 'a', license: { type: 'ISC', url: 'https://…' } }), ['a ISC']);
  assert.equal(npm({ name: 'a', version: '1', licenses: [{ type: 'MIT' }, { type: 'BSD' }] }), [
    'a 1 MIT OR BSD',
  ]);
  assert.equal(npm({ type: 'module' }), [], 'it sets the type of modules, and is no package');
  assert.equal(npm([]), []);
  assert.equal(told(npmPackage(Buffer.from('\ufeff{"name":"a","version":"1"}'))), ['a 1']);
});

test('hostile package.json are told, and nothing throws', () => {
  for (const text of ['', '{', 'null', '3', '{"name":', '['.repeat(100_000)])
    assert.is(npmPackage(Buffer.from(text)).problems.length, 1, text.slice(0, 10));
  assert.equal(npm({ name: 'x'.repeat(1000), version: '1' }), [
    '! its name or version is longer than 512 characters, or has control characters',
  ]);
  assert.equal(npm({ name: 'a\u001b[31m', version: '1' }).length, 1);
  assert.equal(npm({ name: 7, version: {} }), []);
  assert.equal(npm({ name: 'a', version: {}, license: ['', 7, null] }), ['a']);
  assert.equal(npm({ name: '__proto__', version: 'constructor' }), ['__proto__ constructor']);
});

const python = (text: string) => told(pythonPackage(Buffer.from(text)));

test('METADATA: the header alone, folded lines, and the best of three licences', () => {
  const body = '\n\nName: other\nVersion: 9\n';
  assert.equal(python(`Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.2\nLicense: BSD-3-Clause${body}`), [
    'Jinja2 3.1.2 BSD-3-Clause',
  ]);
  assert.equal(python('Name: a\r\nVersion: 1\r\nLicense-Expression: MIT\r\nLicense: a text\r\n'), [
    'a 1 MIT',
  ]);
  const classified =
    'Name: a\nVersion: 1\nLicense: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n';
  assert.equal(python(classified), ['a 1 MIT License']);
  assert.equal(python('Name: a\nVersion: 1\nLicense: Copyright\n        All rights\n        reserved\n'), [
    'a 1',
  ]);
});

test('hostile METADATA are told, and nothing throws', () => {
  assert.equal(python(''), ['! it has no field Name']);
  assert.equal(python('\0\0\0'), ['! it has no field Name']);
  assert.equal(python(' folded before any field\nName: a\n'), ['a']);
  assert.equal(python('Name:\nVersion: 1\n'), ['! it has no field Name']);
  assert.equal(python(`Name: a\nVersion: ${'1'.repeat(100_000)}\n`).length, 1);
  assert.is(python(`Name: a\n${' x\n'.repeat(50_000)}`).length, 1);
});

const properties = (group: string, name: string, version: string) =>
  file(
    `META-INF/maven/${group}/${name}/pom.properties`,
    `#x\r\nversion=${version}\r\ngroupId=${group}\r\nartifactId=${name}\r\n`,
  );
const manifest = (text: string) =>
  file('META-INF/MANIFEST.MF', `Manifest-Version: 1.0\r\n${text}\r\n\r\nName: a\r\n`);
const zip = (members: Parameters<typeof toZip>[0], deflate = true) =>
  Buffer.from(toZip(members, { deflate }));
const jar = (bytes: Buffer, name = 'a.jar', left = 1e9, most = 1e9) =>
  told(jarPackages(bytes, name, { left, most }));

test('jars: Maven metadata, else the file name and the manifest', () => {
  assert.equal(jar(zip([manifest('X: y'), properties('org.apache.commons', 'commons-lang3', '3.12.0')])), [
    'org.apache.commons commons-lang3 3.12.0',
  ]);
  const shaded = zip([properties('com.a', 'own', '1'), properties('com.b', 'other', '2')]);
  assert.equal(jar(shaded, 'own-1.jar'), ['com.a own 1', 'com.b other 2']);
  const bundle = manifest(
    'Bundle-SymbolicName: org.slf4j.api;singleton:=true\r\nBundle-Version: 2.0.7\r\nBundle-License: MIT',
  );
  assert.equal(jar(zip([bundle]), 'lib/slf4j-api-2.0.7.jar'), ['slf4j-api 2.0.7 MIT']);
  assert.equal(jar(zip([bundle]), 'lib/api.jar'), ['org.slf4j api 2.0.7 MIT']);
  const vendor = manifest('Implementation-Vendor-Id: com.\r\n acme\r\nImplementation-Version: 5');
  assert.equal(jar(zip([vendor]), 'tool.jar'), ['com.acme tool 5']);
  assert.equal(jar(zip([manifest('X: y')]), 'app.jar'), [], 'it states no version');
});

test('jars in jars, stored or deflated', () => {
  const inner = zip([properties('com.a', 'inner', '1')]);
  for (const deflate of [true, false]) {
    const outer = zip([manifest('X: y'), file('BOOT-INF/lib/inner-1.jar', inner)], deflate);
    const ear = zip([file('app.war', outer)], deflate);
    assert.equal(jar(outer, 'app.jar'), ['com.a inner 1 BOOT-INF/lib/inner-1.jar']);
    assert.equal(jar(ear, 'app.ear'), ['com.a inner 1 app.war!/BOOT-INF/lib/inner-1.jar']);
  }
  let deep = inner;
  for (let i = 0; i < 6; i++) deep = zip([file('x.jar', deep)]);
  assert.match(jar(deep).join(), /jars nest more than 4 deep/);
});

test('jar bombs and damaged jars are told, and what can be read is', () => {
  const bomb = zip([properties('com.a', 'own', '1'), file('big.jar', Buffer.alloc(20_000_000))]);
  assert.equal(jar(bomb, 'own-1.jar', 1_000_000), [
    'com.a own 1',
    '! big.jar: it was not unpacked: the jars of the layer unpack to more than is read',
  ]);
  assert.equal(jar(bomb, 'own-1.jar', 1e9, 1_000_000), [
    'com.a own 1',
    '! big.jar: it is longer than is read',
  ]);
  const long = zip([file('META-INF/MANIFEST.MF', Buffer.alloc(1_000_000, 'a'))]);
  assert.equal(jar(long), ['! META-INF/MANIFEST.MF: it is longer than is read']);
  assert.match(jar(Buffer.from('no zip')).join(), /^! expected a jar/);
  assert.match(jar(bomb.subarray(0, 500)).join(), /^! expected a jar/);
  const two = zip([properties('com.a', 'own', '1'), properties('com.b', 'two', '2')]);
  const headers = two.indexOf(Buffer.from('PK\x01\x02'));
  const second = two.indexOf(Buffer.from('PK\x01\x02'), headers + 4);
  two[second] = 0;
  assert.equal(jar(two), ['com.a own 1', '! its central directory is damaged']);
});

test('an entry whose size stands in the extra field of zip64', () => {
  const sound = zip([properties('com.a', 'own', '1')]);
  const at = sound.indexOf(Buffer.from('PK\x01\x02'));
  const [size, nameLength] = [sound.readUInt32LE(at + 20), sound.readUInt16LE(at + 28)];
  const extra = Buffer.alloc(20);
  extra.writeUInt16LE(1);
  extra.writeUInt16LE(16, 2);
  extra.writeBigUInt64LE(BigInt(sound.readUInt32LE(at + 24)), 4);
  extra.writeBigUInt64LE(BigInt(size), 12);
  const nameEnd = at + 46 + nameLength;
  const large = Buffer.concat([sound.subarray(0, nameEnd), extra, sound.subarray(nameEnd)]);
  large.writeUInt32LE(0xffffffff, at + 20);
  large.writeUInt32LE(0xffffffff, at + 24);
  large.writeUInt16LE(20, at + 30);
  const end = large.indexOf(Buffer.from('PK\x05\x06'));
  large.writeUInt32LE(large.readUInt32LE(end + 12) + 20, end + 12);
  assert.equal(jar(large, 'own-1.jar'), ['com.a own 1']);
});

test('any bytes changed in a jar: nothing throws', () => {
  const sound = zip([
    manifest('Implementation-Version: 5'),
    file('lib/x.jar', zip([properties('com.a', 'own', '1')])),
  ]);
  for (let at = 0; at < sound.length; at++) {
    const changed = Buffer.from(sound);
    changed[at] = changed[at]! ^ 0xff;
    jar(changed, 'a.jar', 1_000_000);
  }
});

const MODULES = [
  'path\texample.org/app/cmd/tool',
  'mod\texample.org/app\t(devel)\t',
  'dep\tgithub.com/a/b/v2\tv2.1.0\th1:x=',
  'dep\tgithub.com/old/c\tv1.0.0',
  '=>\tgithub.com/new/c\tv1.0.1\th1:y=',
  'dep\tgithub.com/local/d\tv0.0.0',
  '=>\t./d\t(devel)',
  'build\t-ldflags="-X main.token=secret"',
  '',
].join('\n');
const EXPECTED = [
  'example.org/app',
  'github.com/a/b/v2 v2.1.0',
  'github.com/new/c v1.0.1',
  'github.com/local/d',
  'stdlib 1.17.13',
];

function search(bytes: Buffer, piece: number): string[] | null {
  const go = new GoBuildSearch(Buffer.alloc(GO_BLOCK_BYTES));
  for (let at = 0; at < bytes.length; at += piece) if (!go.write(bytes.subarray(at, at + piece))) break;
  const reading = go.end();
  return reading === null ? null : told(reading);
}

for (const form of ['inline', 'pointers'] as const)
  for (const bits of [64, 32] as const)
    for (const endian of ['little', 'big'] as const)
      test(`Go build information: ${form}, ${bits} bits, ${endian} endian, in any pieces`, () => {
        const options: GoExecutable = { version: 'go1.17.13', modules: MODULES, form, bits, endian };
        for (const code of [10, 5000, 600_000])
          for (const piece of [1_000_000, 65_536, 511, 97])
            assert.equal(search(goExecutable({ ...options, code }), piece), EXPECTED, `${code} ${piece}`);
      });

test('settings of the build, which may hold secrets, are not kept', () => {
  const go = new GoBuildSearch(Buffer.alloc(GO_BLOCK_BYTES));
  go.write(goExecutable({ version: 'go1.22.3', modules: MODULES }));
  assert.not.match(JSON.stringify(go.end()), /secret/);
});

test('executables that are not of Go, cut or damaged', () => {
  const sound = goExecutable({ version: 'go1.22.3', modules: MODULES, code: 10 });
  assert.is(search(Buffer.from('#!/bin/sh\n'), 100), null);
  assert.is(search(Buffer.from('\x7fELF'), 100), null);
  assert.is(search(sound.subarray(0, 4100), 100), null);
  const random = { next: 12345 };
  for (let i = 0; i < 300; i++) {
    const changed = Buffer.from(sound);
    for (let j = 0; j < 8; j++) {
      random.next = (random.next * 1103515245 + 12345) % 2 ** 31;
      changed[random.next % (j < 4 ? 200 : changed.length)] = random.next % 256;
    }
    search(changed, 4096);
  }
});

const real = [
  '/usr/bin/skopeo',
  '/usr/bin/podman',
  '/usr/bin/umoci',
  '/usr/lib/go/bin/go',
  '/usr/local/go/bin/go',
];
const [program] = real.filter(path => existsSync(path));
const go = ['/usr/local/go/bin/go', '/usr/bin/go'].find(path => existsSync(path));
testWhen(
  test,
  program !== undefined && go !== undefined,
  'no Go, or no program of it, is here',
)(`go version -m of ${program}`, () => {
  const printed = execFileSync(go!, ['version', '-m', program!], { encoding: 'utf8' }).split('\n');
  const lines = printed.slice(1).map(line => line.trim().split(/\t/));
  const modules = lines.flatMap(([word, name, version], i) => {
    if (word !== 'mod' && word !== 'dep') return [];
    const replaced = lines[i + 1]?.[0] === '=>' ? lines[i + 1]! : null;
    const shown = replaced?.[2] ? replaced : [word, name, version];
    return [`${shown[1]}${shown[2] && shown[2] !== '(devel)' ? ` ${shown[2]}` : ''}`];
  });
  const release = /go(\d\S*)/.exec(printed[0]!.slice(program!.length))![1];
  for (const piece of [1_000_000, 65_537])
    assert.equal(search(readFileSync(program!), piece), [...modules, `stdlib ${release}`]);
});

test.run();
