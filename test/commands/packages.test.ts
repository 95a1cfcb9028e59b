// The packages of images: which layer brings them, ours and the base's, bills of materials, and bad input.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { basesIn } from '../../src/commands/base.js';
import {
  type PackagesOptions,
  packages,
  packagesReadOptions,
  packagesReport,
} from '../../src/commands/packages/index.js';
import { piecesIn } from '../../src/format/outputs.js';
import { recordedDatabase } from '../packages/recorded.js';
import { githubToken } from '../secrets/planted.js';
import { waybill } from '../support/cli.js';
import { testWhen } from '../support/corpus.js';
import { cyclonedx } from '../support/cyclonedx.js';
import { goExecutable } from '../support/go-executable.js';
import { type FileSpec, image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { file } from '../support/members.js';
import { toTar } from '../support/pack.js';
import { readMembers, saved } from '../support/reading.js';
import { rawEntry, rawTar } from '../support/tar-blocks.js';
import { temporary } from '../support/tmp.js';
import { toZip } from '../support/zip.js';

const stanza = (name: string, version: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;
const status = (...all: readonly (readonly [string, string])[]) => all.map(one => stanza(...one)).join('');
const npm = (name: string, version: string) => JSON.stringify({ name, version, license: 'MIT' });
const OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n';

const ROOT: LayerSpec = {
  files: {
    'usr/lib/os-release': OS_RELEASE,
    'etc/os-release': { link: '../usr/lib/os-release', type: 'symlink' },
    'var/lib/dpkg/status': status(['libc6', '2.36-9'], ['zlib1g', '1:1.2.13']),
  },
  createdBy: 'ADD rootfs.tar /',
};
const INSTALL: LayerSpec = {
  files: {
    'var/lib/dpkg/status': status(['libc6', '2.36-9'], ['zlib1g', '1:1.2.14'], ['python3-six', '1.16']),
    'var/lib/dpkg/info/python3-six.list': '/.\n/usr/lib/python3/dist-packages/six-1.16.0.egg-info\n',
    'usr/lib/python3/dist-packages/six-1.16.0.egg-info': 'Name: six\nVersion: 1.16.0\nLicense: MIT\n\n',
  },
  createdBy: 'RUN /bin/sh -c apt-get install -y python3-six # buildkit',
};
const TOKEN = githubToken();
const MODULES: LayerSpec = {
  files: {
    'app/node_modules/left-pad/package.json': npm('left-pad', '1.3.0'),
    'app/node_modules/@types/node/package.json': npm('@types/node', '20.1.0'),
    'app/node_modules/a/node_modules/left-pad/package.json': npm('left-pad', '1.3.0'),
  },
  createdBy: `RUN npm ci --token=${TOKEN}`,
};
const JAR = toZip([
  file('META-INF/maven/org.acme/tool/pom.properties', 'groupId=org.acme\nartifactId=tool\nversion=2.0\n'),
]);
const PROGRAMS: LayerSpec = {
  files: {
    'usr/bin/app': {
      bytes: goExecutable({ version: 'go1.22.3', modules: 'dep\tgithub.com/a/b\tv1.0.0\n' }),
      mode: 0o755,
    },
    'app/tool-2.0.jar': JAR,
    // Brought again with another owner, as by chown -R: the layer before stays the one that brought them.
    'app/node_modules/left-pad/package.json': { bytes: npm('left-pad', '1.3.0'), uid: 1000 },
  },
  createdBy: 'COPY . /',
};
const ALL = [ROOT, INSTALL, MODULES, PROGRAMS];

const archiveOf = async (...layers: readonly LayerSpec[]) =>
  layouts.dockerSave({
    image: await image({ layers, created: '2024-01-02T03:04:05.678Z' }),
    tags: ['app:1'],
  });
const readingOf = async (...layers: readonly LayerSpec[]) =>
  (await readMembers(await archiveOf(...layers), packagesReadOptions)).reading;

async function told(layers: readonly LayerSpec[], options: PackagesOptions = {}) {
  const [report] = packagesReport(await readingOf(...layers), options).images;
  const lines = report!.packages.map(
    ({ type, name, version, layer, ours, owner }) =>
      `${layer + 1} ${type} ${name} ${version}${ours === true ? ' ours' : ''}${owner === null ? '' : ` of ${owner}`}`,
  );
  return [...lines, ...report!.packageNotes.map(({ path, reason }) => `! ${path}: ${reason}`)];
}

test('each package with the first layer from which on the image has it', async () => {
  assert.equal(await told(ALL), [
    '1 deb libc6 2.36-9',
    '2 deb python3-six 1.16',
    '2 deb zlib1g 1:1.2.14',
    '4 golang github.com/a/b v1.0.0',
    '4 golang stdlib 1.22.3',
    '4 maven tool 2.0',
    '3 npm @types/node 20.1.0',
    '3 npm left-pad 1.3.0',
    '2 pypi six 1.16.0 of python3-six',
  ]);
});

test('removed packages are not listed, and those that come again are of the layer that brings them again', async () => {
  const gone: LayerSpec = {
    files: { 'var/lib/dpkg/status': status(['libc6', '2.36-9']), 'app/.wh.node_modules': '' },
  };
  assert.equal(
    await told([ROOT, INSTALL, MODULES, gone]),
    ['1 deb libc6 2.36-9', '2 pypi six 1.16.0 of python3-six']
      .filter(line => !line.includes('pypi'))
      .concat('2 pypi six 1.16.0'),
  );
  const again = await told([ROOT, MODULES, gone, MODULES]);
  assert.equal(again, ['1 deb libc6 2.36-9', '4 npm @types/node 20.1.0', '4 npm left-pad 1.3.0']);
  const replaced: LayerSpec = {
    files: { 'app/node_modules/left-pad/package.json': npm('left-pad', '1.4.0') },
  };
  assert.equal(
    (await told([MODULES, replaced])).filter(line => line.includes('left-pad')),
    ['1 npm left-pad 1.3.0', '2 npm left-pad 1.4.0'],
  );
});

test('ours apart from the base, and filters', async () => {
  const { bases } = basesIn((await readMembers(await archiveOf(ROOT), { depth: 'digests' })).reading);
  const ours = await told(ALL, { bases, types: ['deb'] });
  assert.equal(ours, ['1 deb libc6 2.36-9', '2 deb python3-six 1.16 ours', '2 deb zlib1g 1:1.2.14 ours']);
  assert.is((await told(ALL, { bases, ours: true })).length, 8);
  assert.equal(await told(ALL, { in: '3' }), ['3 npm @types/node 20.1.0', '3 npm left-pad 1.3.0']);
  assert.equal(await told(ALL, { named: ['@types/*', 'org.acme:*'] }), [
    '4 maven tool 2.0',
    '3 npm @types/node 20.1.0',
  ]);
  const [report] = packagesReport(await readingOf(...ALL), { bases, named: ['nothing'] }).images;
  assert.equal(
    [report!.packages.length, report!.basePackages, report!.packageCounts.npm],
    [0, { theirs: 1, ours: 8 }, 2],
  );
});

test('package URLs', async () => {
  const [report] = packagesReport(await readingOf(...ALL)).images;
  assert.equal(
    report!.packages.map(({ purl }) => purl),
    [
      'pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12',
      'pkg:deb/debian/python3-six@1.16?arch=amd64&distro=debian-12',
      'pkg:deb/debian/zlib1g@1:1.2.14?arch=amd64&distro=debian-12',
      'pkg:golang/github.com/a/b@v1.0.0',
      'pkg:golang/stdlib@1.22.3',
      'pkg:maven/org.acme/tool@2.0',
      'pkg:npm/%40types/node@20.1.0',
      'pkg:npm/left-pad@1.3.0',
      'pkg:pypi/six@1.16.0',
    ],
  );
  const apk = {
    files: {
      'etc/os-release': 'ID=alpine\nVERSION_ID=3.19.1\n',
      'lib/apk/db/installed': 'P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\n\n',
    },
  };
  const [alpine] = packagesReport(await readingOf(apk)).images;
  assert.equal(
    alpine!.packages.map(({ purl, license }) => [purl, license]),
    [['pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.19.1', 'MIT']],
  );
});

const text = { type: 'string' } as const;
const closed = (properties: object, required: readonly string[]) =>
  ({ type: 'object', properties, required, additionalProperties: false }) as const;
/** The part of SPDX 2.3 that is written, with the required fields and the values of its tables. */
const spdx = new Ajv.default({ strict: false, validateFormats: false }).compile(
  closed(
    {
      spdxVersion: { const: 'SPDX-2.3' },
      dataLicense: { const: 'CC0-1.0' },
      SPDXID: { const: 'SPDXRef-DOCUMENT' },
      name: text,
      comment: text,
      documentNamespace: { type: 'string', pattern: '^https?://[^#]+$' },
      creationInfo: closed(
        {
          created: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' },
          creators: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^Tool: ' } },
        },
        ['created', 'creators'],
      ),
      packages: {
        type: 'array',
        items: closed(
          {
            SPDXID: { type: 'string', pattern: '^SPDXRef-[a-zA-Z0-9.-]+$' },
            primaryPackagePurpose: { enum: ['CONTAINER', 'OPERATING_SYSTEM'] },
            filesAnalyzed: { const: false },
            downloadLocation: { const: 'NOASSERTION' },
            externalRefs: {
              type: 'array',
              items: closed(
                {
                  referenceCategory: { const: 'PACKAGE-MANAGER' },
                  referenceType: { const: 'purl' },
                  referenceLocator: { type: 'string', pattern: '^pkg:[a-z]+/\\S+$' },
                },
                ['referenceCategory', 'referenceType', 'referenceLocator'],
              ),
            },
            name: text,
            versionInfo: text,
            licenseConcluded: text,
            licenseDeclared: text,
            copyrightText: text,
            comment: text,
            description: text,
            sourceInfo: text,
          },
          ['SPDXID', 'downloadLocation', 'name'],
        ),
      },
      relationships: {
        type: 'array',
        items: closed(
          {
            spdxElementId: text,
            relatedSpdxElement: text,
            relationshipType: { enum: ['DESCRIBES', 'CONTAINS'] },
          },
          ['spdxElementId', 'relatedSpdxElement', 'relationshipType'],
        ),
      },
      hasExtractedLicensingInfos: {
        type: 'array',
        items: closed(
          {
            licenseId: { type: 'string', pattern: '^LicenseRef-[a-zA-Z0-9.-]+$' },
            name: text,
            extractedText: text,
          },
          ['licenseId', 'extractedText'],
        ),
      },
    },
    [
      'spdxVersion',
      'dataLicense',
      'SPDXID',
      'name',
      'creationInfo',
      'documentNamespace',
      'packages',
      'relationships',
    ],
  ),
);

/** Not a type guard, as ajv's own function is. */
const isValid = (validate: (value: unknown) => unknown, value: unknown): boolean => validate(value) === true;

async function bill(
  format: 'cyclonedx' | 'spdx',
  layers: readonly LayerSpec[],
  options: PackagesOptions = {},
) {
  const result = packages(await readingOf(...layers), { ...options, isBill: true });
  return [...piecesIn(format)(result)].join('');
}

const HOSTILE: LayerSpec = {
  files: {
    'app/node_modules/a/package.json': JSON.stringify({
      name: 'a b/c?d#e@f',
      version: '1 2@3',
      license: '(MIT',
    }),
    'app/node_modules/b/package.json': JSON.stringify({
      name: '\u202eevil',
      version: '',
      license: 'x'.repeat(190),
    }),
    'opt/b.dist-info/METADATA': 'Name: Zope.Interface_X\nVersion: 1!2+local\nLicense: Apache 2.0\n\n',
  },
  createdBy: '',
};

test('CycloneDX and SPDX are valid, also of hostile metadata', async () => {
  for (const layers of [ALL, [HOSTILE], [{ files: {} }]]) {
    const bom = JSON.parse(await bill('cyclonedx', layers));
    assert.ok(isValid(cyclonedx, bom), JSON.stringify(cyclonedx.errors));
    const document = JSON.parse(await bill('spdx', layers));
    assert.ok(isValid(spdx, document), JSON.stringify(spdx.errors));
    const ids = [...bom.components, bom.metadata.component].map(
      (one: { 'bom-ref': string }) => one['bom-ref'],
    );
    assert.is(new Set(ids).size, ids.length);
    const defined = (document.hasExtractedLicensingInfos ?? []).map(
      (one: { licenseId: string }) => one.licenseId,
    );
    for (const { licenseDeclared } of document.packages)
      if (licenseDeclared.startsWith('LicenseRef'))
        assert.ok(defined.includes(licenseDeclared), licenseDeclared);
  }
});

test('a bill has layers, instructions without secrets, licences, and the time of the image', async () => {
  const { bases } = basesIn((await readMembers(await archiveOf(ROOT), { depth: 'digests' })).reading);
  const whole = await bill('cyclonedx', ALL, { bases });
  assert.not.match(whole, TOKEN);
  const bom = JSON.parse(whole);
  const node = bom.components.find(({ group }: { group?: string }) => group === '@types');
  assert.equal(
    [node.name, node.licenses, node.purl],
    ['node', [{ expression: 'MIT' }], 'pkg:npm/%40types/node@20.1.0'],
  );
  const properties = Object.fromEntries(
    node.properties.map((one: { name: string; value: string }) => [one.name, one.value]),
  );
  assert.is(properties['waybill:layer'], '3');
  assert.is(properties['waybill:ours'], 'true');
  assert.match(properties['waybill:layer:instruction'], /^RUN npm ci/);
  assert.is(bom.metadata.timestamp, '2024-01-02T03:04:05Z');
  assert.is(bom.compositions[0].aggregate, 'unknown');
  const filtered = JSON.parse(await bill('cyclonedx', ALL, { types: ['npm'] }));
  assert.is(filtered.compositions[0].aggregate, 'incomplete');
  assert.is(filtered.components.length, 3, 'the distribution and two packages');
});

test('the same image gives the same document, and no clock', async () => {
  for (const format of ['cyclonedx', 'spdx'] as const) {
    assert.is(await bill(format, ALL), await bill(format, ALL));
    assert.match(await bill(format, ALL, { epoch: 0 }), '1970-01-01T00:00:00Z');
  }
  const number = async (layers: readonly LayerSpec[], options?: PackagesOptions) =>
    JSON.parse(await bill('cyclonedx', layers, options)).serialNumber;
  assert.match(
    await number(ALL),
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  assert.is.not(await number(ALL), await number([ROOT]));
  assert.is.not(await number(ALL), await number(ALL, { types: ['npm'] }), 'another list has another number');
});

test('databases and metadata that cannot be read: what can be is listed, with a note and exit code 1', async () => {
  const broken: LayerSpec = {
    files: {
      'lib/apk/db/installed': 'P:musl\nV:1\n\nP:\nV:2\n\n',
      'var/lib/rpm/rpmdb.sqlite': 'no database',
      'app/node_modules/x/package.json': '{',
      'app/a.jar': 'no zip',
      'etc/os-release': 'ID=alpine\n',
    },
  };
  const lines = await told([broken]);
  assert.is(lines[0], '1 apk musl 1');
  for (const path of [
    'lib/apk/db/installed',
    'var/lib/rpm/rpmdb.sqlite',
    'app/node_modules/x/package.json',
    'app/a.jar',
  ])
    assert.ok(
      lines.some(line => line.startsWith(`! ${path}: `)),
      `${path} in ${lines.join('\n')}`,
    );
  assert.is(packages(await readingOf(broken)).exitCode, 1);
  assert.is(packages(await readingOf(...ALL)).exitCode, 0);
});

test('a database behind a link', async () => {
  const link = (files: Readonly<Record<string, FileSpec>>): LayerSpec => ({ files });
  const usr = link({
    'usr/lib/apk/db/installed': 'P:musl\nV:1\n\n',
    lib: { link: 'usr/lib', type: 'symlink' },
  });
  assert.equal(await told([usr]), ['1 apk musl 1']);
  const odd = link({
    'opt/status': status(['a', '1']),
    'var/lib/dpkg/status': { link: '/opt/status', type: 'symlink' },
  });
  assert.equal(await told([odd]), ['! var/lib/dpkg/status: it was not read: it is a link to opt/status']);
});

test('a hundred thousand package.json, and a layer listed again and again', async () => {
  const entries = Array.from({ length: 100_000 }, (_, i) =>
    rawEntry({ name: `node_modules/p${i}/package.json` }, `{"name":"p${i}","version":"1"}`),
  );
  assert.is((await told([{ tar: rawTar(...entries) }])).length, 100_000);
  const many = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? ROOT : INSTALL));
  assert.equal((await told(many)).slice(0, 2), ['1 deb libc6 2.36-9', '60 deb python3-six 1.16']);
});

const admin = '/var/lib/dpkg/status';
testWhen(
  test,
  existsSync(admin),
  'no dpkg is here',
)('dpkg-query lists the same', async () => {
  const format = [
    '-W',
    '-f',
    '$' + '{db:Status-Status} $' + '{Package} $' + '{Version} $' + '{Architecture}\n',
  ];
  const listed = execFileSync('dpkg-query', format, { encoding: 'utf8', maxBuffer: 1e8 })
    .split('\n')
    .filter(line => line.startsWith('installed '))
    .map(line => line.slice('installed '.length));
  const reading = await readingOf({ files: { 'var/lib/dpkg/status': readFileSync(admin) } });
  const [report] = packagesReport(reading).images;
  const own = report!.packages.map(({ name, version, arch }) => `${name} ${version} ${arch}`);
  assert.equal(own.sort(), [...new Set(listed)].sort());
});

const hasRpm = spawnSync('rpm', ['--version']).status === 0;
testWhen(
  test,
  hasRpm,
  'no rpm is here',
)('rpm lists the same', async () => {
  const database = recordedDatabase('rpmdb.sqlite');
  const root = temporary('rpm');
  mkdirSync(join(root, 'usr/lib/sysimage/rpm'), { recursive: true });
  writeFileSync(join(root, 'usr/lib/sysimage/rpm/rpmdb.sqlite'), database);
  const format = '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH}\\n';
  const listed = execFileSync(
    'rpm',
    ['--dbpath', join(root, 'usr/lib/sysimage/rpm'), '-qa', '--qf', format],
    {
      encoding: 'utf8',
    },
  );
  const reading = await readingOf({ files: { 'usr/lib/sysimage/rpm/rpmdb.sqlite': database } });
  const [report] = packagesReport(reading).images;
  const own = report!.packages.map(({ name, version, arch }) => `${name} ${version} ${arch}`);
  assert.equal(own.sort(), listed.trimEnd().split('\n').sort());
});

test('the command: files by their endings, one image, and errors that list the choice', async () => {
  const archive = saved(await toTar(await archiveOf(...ALL)), 'packages.tar');
  const { stdout, status: code } = await waybill(['packages', archive]);
  assert.is(code, 0);
  assert.match(stdout, /layer 3 {2}RUN npm ci/);
  assert.match(stdout, /9 packages: 3 deb, 2 golang, 1 maven, 2 npm, 1 pypi/);
  const bom = await waybill(['packages', archive, '--format', 'cyclonedx'], {
    env: { SOURCE_DATE_EPOCH: '86400' },
  });
  assert.is(JSON.parse(bom.stdout).metadata.timestamp, '1970-01-02T00:00:00Z');
  const several = await waybill(['packages', archive, archive, '--format', 'spdx']);
  assert.equal([several.status, several.stdout], [2, '']);
  assert.match(several.stderr, /describe one image/);
  const missing = await waybill(['packages', 'no-such.tar', '--format', 'spdx']);
  assert.equal([missing.status, missing.stdout], [2, '']);
});

test.run();
