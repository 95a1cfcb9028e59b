// Tests of container-structure-test, by its published semantics: README.md and schema versions 1.0.0 and 2.0.0.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { goModeText } from '../../src/policy/rules/structure.js';
import { parseStructureTest } from '../../src/policy/structure-test.js';
import { image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { checked, composed, policyOf } from '../support/policy.js';

const LAYER: LayerSpec = {
  files: {
    'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/bin/false\n',
    'etc/apt/sources.list': 'deb http://archive.example.org/debian stable main\n',
    'usr/lib/os-release': 'ID=debian\n',
  },
  entries: [
    { path: 'usr/bin/date', bytes: 'x', mode: 0o755 },
    { path: 'usr/bin/su', bytes: 'x', mode: 0o4755 },
    { path: 'root/secret', bytes: 'x', mode: 0o640, uid: 1000, gid: 50 },
    { path: 'tmp/', mode: 0o1777 },
    { path: 'bin', link: 'usr/bin' },
    { path: 'etc/os-release', link: '../usr/lib/os-release' },
    { path: 'etc/dangling', link: '/nowhere' },
  ],
};
const CONFIG = {
  Env: ['PATH=/usr/bin', 'EMPTY_VAR=', 'FOO_BAR=FOO\\:BAR=BAZ', 'REGEX_VAR=release-2.1.30', 'DIR=apt'],
  Labels: { 'com.example.vendor': 'ACME Incorporated', 'label-with-empty-val': '' },
  ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
  Volumes: { '/test': {} },
  Cmd: ['/bin/bash'],
  WorkingDir: '/app',
  User: 'luke',
};

const archive = async () =>
  layouts.skopeoOci({ image: await image({ layers: [LAYER], config: { config: CONFIG } }), tags: ['app:1'] });

/** The messages of the tests that fail, without the place of each. */
async function failures(text: string): Promise<string[]> {
  const policy = await policyOf('rules:\n  structure-test: t.yaml\n', { 't.yaml': text });
  const { report } = await checked(await archive(), policy);
  const own = report.findings.filter(
    ({ code, severity }) => code === 'structure-test' && severity !== 'info',
  );
  assert.equal(
    report.findings.filter(({ code }) => code === 'rule-not-checked').map(({ message }) => message),
    [],
  );
  return own.map(({ message }) => message.replace(/^t\.yaml:\d+ "[^"]*": /, ''));
}

const existence = (more: string, version = '2.0.0') =>
  failures(`schemaVersion: '${version}'\nfileExistenceTests:\n- {name: a, ${more}}\n`);
const content = (more: string, version = '2.0.0') =>
  failures(`schemaVersion: '${version}'\nfileContentTests:\n- {name: a, ${more}}\n`);
const metadata = (more: string) => failures(`schemaVersion: '2.0.0'\nmetadataTest: {${more}}\n`);

const CASES: readonly (readonly [
  run: (more: string) => Promise<string[]>,
  test: string,
  failures: readonly string[],
])[] = [
  [existence, 'path: /', []],
  [
    existence,
    "path: /, permissions: '-rw-r--r--'",
    ['permissions of /: expected -rw-r--r--, found drwxr-xr-x'],
  ],
  [existence, 'path: /etc/passwd', []],
  [existence, 'path: /etc/passwd, shouldExist: true, uid: 0, gid: 0', []],
  [existence, 'path: /etc/dummy, shouldExist: false', []],
  [existence, 'path: /etc/dummy', ['/etc/dummy should exist, and does not']],
  [existence, "path: /etc/dummy, shouldExist: false, permissions: '-rw-------'", []],
  [existence, 'path: /etc/passwd, shouldExist: false', ['/etc/passwd should not exist, and is a file']],
  [existence, 'path: /etc, shouldExist: false', ['/etc should not exist, and is a directory']],
  // Links on the way are followed, one at the end is what is looked at.
  [existence, 'path: /bin/date, isExecutableBy: owner', []],
  [existence, "path: /bin, permissions: 'Lrwxrwxrwx'", []],
  [existence, 'path: /etc/dangling', []],
  [existence, "path: /usr/bin/su, permissions: 'urwxr-xr-x'", []],
  [existence, "path: /tmp, permissions: 'dtrwxrwxrwx'", []],
  [
    existence,
    'path: /etc/passwd, isExecutableBy: any',
    ['permissions of /etc/passwd: expected executable by any, found -rw-r--r--'],
  ],
  [
    existence,
    'path: /root/secret, isExecutableBy: all',
    ['permissions of /root/secret: expected executable by all, found -rw-r-----'],
  ],
  [existence, 'path: /root/secret, uid: 1000, gid: 50', []],
  [existence, 'path: /root/secret, uid: 0', ['user ID of /root/secret: expected 0, found 1000']],
  [existence, 'path: /root/secret, uid: -1, gid: 0', ['group ID of /root/secret: expected 0, found 50']],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as Go expands it
  [existence, 'path: "/etc/$DIR/${DIR}s", shouldExist: false', []],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as Go expands it
  [existence, 'path: "/etc/${DIR}/sources.list"', []],
  [content, "path: /etc/passwd, expectedContents: ['root:x:0:0:root:/root:/bin/bash']", []],
  [content, "path: /etc/os-release, expectedContents: ['ID=debian']", []],
  [
    content,
    "path: /etc/apt/sources.list, excludedContents: ['.*gce_debian_mirror.*'], expectedContents: ['.*archive\\.example\\.org.*']",
    [],
  ],
  [content, "path: /etc/passwd, expectedContents: ['^daemon']", ['/etc/passwd does not match ^daemon']],
  [content, "path: /etc/passwd, expectedContents: ['(?m)^daemon']", []],
  [
    content,
    "path: /etc/passwd, excludedContents: ['root', 'bin/ba']",
    ['/etc/passwd matches root', '/etc/passwd matches bin/ba'],
  ],
  [content, "path: /etc/none, excludedContents: ['x']", ['/etc/none should be a file, and nothing is there']],
  [content, 'path: /etc', ['/etc should be a file, and is a directory']],
  [content, 'path: /etc/dangling', ['/etc/dangling should be a file, and nothing is there']],
  [metadata, "envVars: [{key: EMPTY_VAR, value: ''}, {key: FOO_BAR, value: 'FOO\\:BAR=BAZ'}]", []],
  [metadata, "env: [{key: REGEX_VAR, value: '[a-z]+-2\\.1\\.*', isRegex: true}]", []],
  [
    metadata,
    "env: [{key: REGEX_VAR, value: '^2', isRegex: true}, {key: NONE, value: x}]",
    [
      'the variable REGEX_VAR ("release-2.1.30") does not match ^2',
      'the image does not have the variable NONE',
    ],
  ],
  [metadata, 'unboundEnvVars: [{key: PATH}, {key: NONE}]', ['the image has the variable PATH']],
  [
    metadata,
    "labels: [{key: com.example.vendor, value: 'ACME .+'}]",
    ['the label com.example.vendor: expected "ACME .+", found "ACME Incorporated"'],
  ],
  [
    metadata,
    "labels: [{key: com.example.vendor, value: 'ACME .+', isRegex: true}, {key: label-with-empty-val, value: ''}]",
    [],
  ],
  [metadata, "exposedPorts: ['8080', 53], unexposedPorts: ['80', '8080']", ['the image has the port 8080']],
  [metadata, "exposedPorts: ['8080/tcp']", ['the image does not have the port 8080/tcp']],
  // As the tool compares it, this would be passed by every image.
  [metadata, "unexposedPorts: ['53/udp', '53/tcp']", ['the image has the port 53/udp']],
  [
    metadata,
    'volumes: [/test, /none], unmountedVolumes: [/root]',
    ['the image does not have the volume /none'],
  ],
  [metadata, 'entrypoint: [], cmd: [/bin/bash], workdir: /app, user: luke', []],
  [
    metadata,
    'entrypoint: [/bin/sh], cmd: [], workdir: /, user: root',
    [
      'entrypoint: expected ["/bin/sh"], found []',
      'cmd: expected [], found ["/bin/bash"]',
      'workdir: expected "/", found "/app"',
      'user: expected "root", found "luke"',
    ],
  ],
  [metadata, "entrypoint: null, workdir: '', user: '', volumes: [/test]", []],
];
for (const [run, text, expected] of CASES)
  test(`${run.name}: ${text}`, async () => {
    assert.equal((await run(text)).sort(), [...expected].sort());
  });

test('version 1.0.0 has no metadataTest, and paths without variables', async () => {
  assert.equal(await existence('path: "/etc/$DIR"', '1.0.0'), ['/etc/$DIR should exist, and does not']);
  const { test: parsed, notes } = parseStructureTest(
    '{"schemaVersion": "1.0.0", "metadataTest": {"cmd": []}, "fileExistenceTests": [{"name": "a", "path": "/a"}]}',
  );
  assert.is(parsed?.metadata, null);
  assert.equal(
    notes.map(({ at, message }) => [at.line, at.column, message]),
    [[1, 28, 'unknown key "metadataTest" is ignored']],
  );
});

test('what needs a container is reported as not run, and does not fail', async () => {
  const text = `schemaVersion: 2.0.0
commandTests: [{name: a, command: which}, {name: b, command: which}]
licenseTests: [{debian: true}]
globalEnvVars: [{key: A, value: b}]
fileContentTests: []
`;
  const policy = await policyOf('rules:\n  structure-test: t.yaml\n', { 't.yaml': text });
  const { report, exitCode } = await checked(await archive(), policy);
  assert.equal(
    report.findings.map(({ severity, message }) => `${severity} ${message}`),
    [
      'info t.yaml:2: commandTests (2) were not run: they need a container',
      'info t.yaml:3: licenseTests (1) were not run: they need a container',
      'info t.yaml:4: globalEnvVars (1) were not run: they need a container',
    ],
  );
  assert.is(exitCode, 0);
});

test('a port with a protocol is told: container-structure-test compares the number alone', () => {
  const { notes } = parseStructureTest(
    'schemaVersion: 2.0.0\nmetadataTest: { exposedPorts: [8080/tcp, 53] }\n',
  );
  assert.equal(
    notes.map(({ at, message }) => [at.line, at.column, message]),
    [
      [
        2,
        32,
        'exposedPorts: container-structure-test compares the number alone, and takes no port for "8080/tcp": write "8080"',
      ],
    ],
  );
});

const NOTHING = /t\.yaml:1:1: there is nothing to check: expected fileExistenceTests, /;
const BAD: Readonly<Record<string, readonly [text: string, problem: RegExp]>> = {
  'no test': ['schemaVersion: 2.0.0', NOTHING],
  'a misspelt key': ['schemaVersion: 2.0.0\nfileExistenceTest: [{name: a, path: /a}]', NOTHING],
  'a metadataTest without settings': ['schemaVersion: 2.0.0\nmetadataTest: { exposedPort: ["1"] }', NOTHING],
  'no version': [
    'fileContentTests: []',
    /t\.yaml:1:1: schemaVersion is missing: expected 1\.0\.0 or 2\.0\.0$/,
  ],
  'another version': ['schemaVersion: 3.0.0', /t\.yaml:1:16: schemaVersion: expected .*, found "3\.0\.0"$/],
  'an empty file': ['', /schemaVersion is missing/],
  'no path': ["schemaVersion: '2.0.0'\nfileContentTests:\n- name: a", /t\.yaml:3:3: path is missing$/],
  'a pattern that is none': [
    "schemaVersion: '2.0.0'\nfileContentTests:\n- {name: a, path: /a, expectedContents: ['(?=a)']}",
    /t\.yaml:3:\d+: expected a regular expression \(RE2\)/,
  ],
  'no list': [
    "schemaVersion: '2.0.0'\nfileExistenceTests: {a: b}",
    /t\.yaml:2:21: expected a list of fileExistenceTests, found a mapping$/,
  ],
  'no YAML': ['a: [', /t\.yaml:1/],
};
for (const [name, [text, problem]] of Object.entries(BAD))
  test(`a file with a fault: ${name}`, async () => {
    const { problems } = await composed('rules:\n  structure-test: [t.yaml]\n', { 't.yaml': text });
    assert.is(problems.length, 1, problems.join('\n'));
    assert.match(problems[0]!, problem);
  });

test('a file that is not there is named where the policy names it', async () => {
  const { problems } = await composed('rules:\n  structure-test:\n    files: none.yaml\n');
  assert.equal(problems, ['policy.yaml:3:12: none.yaml: there is no such file']);
});

test('unknown keys are told, with what was meant', async () => {
  const { policy } = await composed('rules:\n  structure-test: t.yaml\n', {
    't.yaml': "schemaVersion: '2.0.0'\nfileExistenceTests:\n- {name: a, path: /, shouldExists: false}\n",
  });
  assert.equal(policy.notes, [
    't.yaml:3:22: unknown key "shouldExists" is ignored; did you mean `shouldExist`?',
  ]);
});

test('modes are written as Go writes them', () => {
  assert.is(goModeText({ type: 'char', mode: 0o666 }), 'Dcrw-rw-rw-');
  assert.is(goModeText({ type: 'directory', mode: 0o3755 }), 'dgtrwxr-xr-x');
  assert.is(goModeText({ type: 'fifo', mode: 0o600 }), 'prw-------');
  assert.is(goModeText({ type: 'file', mode: 0o6711 }), 'ugrwx--x--x');
});

test.run();
