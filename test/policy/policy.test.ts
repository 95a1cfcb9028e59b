// What a policy may say, what it may not, and what becomes of findings: scopes, severities, exceptions, extends.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { policySchemaText } from '../../docs/make.js';
import { rulesPage } from '../../docs/rules.js';
import { Check, type CheckReport } from '../../src/commands/check/index.js';
import { explain } from '../../src/commands.js';
import { toText } from '../../src/format/text.js';
import { POLICY_KEYS } from '../../src/policy/file.js';
import { parsePattern } from '../../src/policy/pattern.js';
import { PRESETS } from '../../src/policy/presets.js';
import { RULES } from '../../src/policy/rules.js';
import type { SourceNode } from '../../src/policy/source.js';
import { parseSource } from '../../src/policy/yaml.js';
import { repositoryRoot } from '../support/corpus.js';
import { image, plainImage } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { type CheckedOptions, checked, composed, type Files, NOW, policyOf } from '../support/policy.js';
import { readMembers } from '../support/reading.js';

/** Everything that is wrong with a policy, in the order in which it was noticed. */
const problems = async (text: string, files: Files = {}) => (await composed(text, files)).problems;

/** Files that examples name. */
const EXAMPLE_FILES: Files = {
  'tests/structure.yaml': 'schemaVersion: 2.0.0\nmetadataTest: { workdir: /app }',
};

const WRONG: readonly (readonly [name: string, text: string, problem: RegExp])[] = [
  ['unknown key', 'rulez: {}', /^policy\.yaml:1:1: unknown key "rulez"; did you mean `rules`\?$/],
  [
    'unknown rule',
    'rules:\n  image-sise: 1MB',
    /^policy\.yaml:2:3: there is no rule "image-sise"; did you mean `image-size`\?$/,
  ],
  [
    'unknown option',
    'rules:\n  image-size:\n    unpakced: 1MB',
    /^policy\.yaml:3:5: unknown key "unpakced" of image-size; did you mean `unpacked`\?$/,
  ],
  [
    'a size',
    'rules: { image-size: [1] }',
    /^policy\.yaml:1:22: expected a size such as 250MB.*, found a list$/,
  ],
  [
    'an empty scope',
    'rules: { layer-count: { most: 1, images: [] } }',
    /^policy\.yaml:1:42: expected a list of names of images with at least one in it, found an empty list$/,
  ],
  [
    'an exception from nothing',
    'exceptions: [{ rule: [], reason: x }]',
    /^policy\.yaml:1:22: expected a rule, or a list of rules with at least one in it/,
  ],
  [
    'an exception for no paths',
    'exceptions: [{ rule: history, reason: x, paths: [] }]',
    /^policy\.yaml:1:49: expected a list of paths with at least one in it/,
  ],
  ['a size', 'rules: { image-size: much }', /^policy\.yaml:1:22: expected a size .*, found "much"$/],
  ['a number', 'rules: { layer-count: 0 }', /expected a whole number from 1, found 0$/],
  ['a share', 'rules: { waste-share: 120% }', /expected a share such as 5% or 0\.05, found "120%"$/],
  [
    'a severity',
    'rules: { image-size: { severity: eror } }',
    /expected error, warning, info or off, found "eror"; did you mean `error`\?$/,
  ],
  ['a choice', 'rules: { healthcheck: needed }', /expected required or forbidden, found "needed"/],
  [
    'no main option',
    'rules: { history: 3 }',
    /^policy\.yaml:1:19: expected on, off, error, warning or info, found 3$/,
  ],
  [
    'a regular expression',
    "rules: { image-tags: '(' }",
    /expected a regular expression \(RE2\), found "\(": missing closing \)/,
  ],
  ['lookaround', "rules: { image-tags: '(?=a)' }", /invalid or unsupported Perl syntax/],
  [
    'a platform',
    'rules: { platforms-allowed: [linux] }',
    /expected a platform such as linux\/amd64, found "linux"$/,
  ],
  ['a port', 'rules: { exposed-ports: [99999] }', /expected a port such as 8080.*, found 99999$/],
  [
    'braces',
    `rules: { volumes: ["${'{a,b}'.repeat(20)}"] }`,
    /its braces stand for more than 1000 patterns$/,
  ],
  ['no mapping', '- a', /^policy\.yaml:1:1: expected a policy: .*, found a list$/],
  ['no rules', 'rules: [a]', /^policy\.yaml:1:8: expected a mapping of rules, found a list$/],
  ['a finding has no options', 'rules: { unreferenced-blobs: 3 }', /findings of `verify` have no options$/],
  ['twice the same key', 'rules: {}\nrules: {}', /^policy\.yaml:2:1: the key is repeated in this mapping$/],
  ['YAML', 'rules: {', /^policy\.yaml:1:9: /],
  ['a tab', 'rules:\n\tlayer-count: 3', /^policy\.yaml:2:1: /],
  ['two texts', 'rules: {}\n---\nrules: {}', /expected one document, found a second behind ---$/],
  [
    'an exception without a reason',
    'exceptions:\n  - rule: history',
    /^policy\.yaml:2:5: reason is missing$/,
  ],
  ['an empty reason', 'exceptions:\n  - { rule: history, reason: "" }', /expected a reason, found ""$/],
  [
    'an exception from nothing',
    'exceptions: [{ rule: histori, reason: x }]',
    /there is no rule "histori"; did you mean `history`/,
  ],
  [
    'a day',
    'exceptions: [{ rule: history, reason: x, expires: 2027-02-30 }]',
    /expected a date such as 2026-12-31, found "2027-02-30"$/,
  ],
  ['a preset', 'extends: default@9', /there is no preset "default@9"; did you mean `default@1`\?$/],
  ['a file', 'extends: base.yaml', /^policy\.yaml:1:10: base\.yaml: there is no such file$/],
  [
    'set twice',
    'rules:\n  layer-count:\n    - most: 3\n    - most: 5',
    /^policy\.yaml:4:7: layer-count is set twice for all images, here and in line 3/,
  ],
  [
    'set twice for some',
    'rules:\n  layer-count:\n    - { most: 3, images: [a] }\n    - { most: 5, images: [a] }',
    /is set twice for the same images/,
  ],
  [
    'required and forbidden',
    'rules: { labels: { required: [a.b], forbidden: ["a.*"] } }',
    /labels: "a\.b" is required and forbidden$/,
  ],
  [
    'a port that is not allowed',
    'rules: { exposed-ports: { allowed: [80], required: [81] } }',
    /port 81\/tcp is required and is not among those allowed$/,
  ],
  [
    'no budget',
    'rules: { image-size: on }',
    /^policy\.yaml:1:10: image-size: no budget is set: expected unpacked, stored/,
  ],
  ['no budget', 'rules: { waste-share: { from: 1MB } }', /waste-share: no budget is set/],
  ['no labels', 'rules: { labels: warning }', /labels: nothing is asked for/],
  ['no required paths', 'rules: { paths-required: on }', /paths-required: no path is named/],
  ['no forbidden paths', 'rules: { paths-forbidden: [] }', /no path is named: expected a list of paths/],
  ['no file of tests', 'rules: { structure-test: on }', /structure-test: no file of tests is named/],
  ['no platforms', 'rules: { platforms-required: on }', /no platform is asked for/],
  [
    'platforms',
    'rules: { platforms-required: [linux/arm64], platforms-allowed: [linux/amd64] }',
    /^policy\.yaml:1:1: platforms-required and platforms-allowed contradict each other: linux\/arm64 is required/,
  ],
  [
    'latest',
    'rules:\n  no-latest: on\n  image-tags: ^latest$',
    /no-latest and image-tags contradict each other/,
  ],
];

for (const [name, text, problem] of WRONG) {
  test(`wrong: ${name}: ${JSON.stringify(text).slice(0, 60)}`, async () => {
    const found = await problems(text);
    assert.is(found.length, 1, found.join('\n'));
    assert.match(found[0]!, problem);
  });
}

test('everything that is wrong is said at once, each with its place', async () => {
  const found = await problems('rules:\n  layer-count: x\n  historie: on\nexceptions:\n  - rule: history\n');
  assert.equal(
    found.map(line => line.split(':').slice(0, 3).join(':')),
    ['policy.yaml:2:16', 'policy.yaml:3:3', 'policy.yaml:5:5'],
  );
});

test('JSON is read as YAML is', async () => {
  const { policy, problems: none } = await composed(
    '{\n\t"rules": {\n\t\t"layer-count": { "most": 3 }\n\t}\n}',
  );
  assert.equal(none, []);
  assert.equal(policy.rules[0]!.settings[0]!.options, { most: 3 });
});

test('an empty text is no policy: the command that should have written it may have failed', async () => {
  for (const text of ['', '\n', '# nothing\n', '---\n# nothing\n'])
    assert.match(
      (await composed(text)).problems.join(),
      /^policy\.yaml:1:\d: (?:the policy is empty|expected a policy)/,
    );
});

test('a policy without rules asks for nothing', async () => {
  for (const text of ['{}', 'rules:\n', 'rules:\nexceptions:\n'])
    assert.equal((await policyOf(text)).rules, []);
});

test('a text that stands for billions of values is refused', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(10)}]`);
  const { root, problems: found } = parseSource(lines.join('\n'));
  assert.is(root, null);
  assert.match(found[0]!.message, /more than 100000 values/);
});

test('a deep text is refused, not run out of stack with', () => {
  const { problems: found } = parseSource(`${'['.repeat(5000)}${']'.repeat(5000)}`);
  assert.ok(found.length > 0);
});

test('places count from one, in lines of any length', () => {
  const { root } = parseSource('a: 1\nb:\n  - { c: x }\n');
  const at = (node: SourceNode, ...path: readonly (string | number)[]): SourceNode =>
    path.reduce<SourceNode>((one, key) => {
      if (one.kind === 'sequence') return one.items[key as number]!;
      return one.kind === 'mapping' ? one.entries.find(entry => entry.key === key)!.value : one;
    }, node);
  assert.equal(at(root!, 'a').at, { line: 1, column: 4 });
  assert.equal(at(root!, 'b', 0, 'c').at, { line: 3, column: 10 });
});

test('a regular expression that would backtrack for ever ends', () => {
  // 2^50 steps for an engine that backtracks: this test would never end.
  const pattern = parsePattern('^(a+)+$');
  assert.ok(typeof pattern !== 'string');
  assert.is((pattern as Exclude<typeof pattern, string>).test(`${'a'.repeat(50_000)}b`), false);
});

test('of a long text too, in a rule', async () => {
  const label = `${'x'.repeat(20_000)}!`;
  const made = await image({
    layers: [{ files: { a: 'a' } }],
    config: { config: { Cmd: ['a'], Labels: { version: label } } },
  });
  const { report } = await checked(
    layouts.skopeoOci({ image: made, tags: ['app:1'] }),
    "rules:\n  labels:\n    required:\n      version: '^(x|xx|x*)*$'\n",
  );
  assert.equal(
    report.findings.map(({ code }) => code),
    ['labels'],
  );
});

const severities = async (text: string, files: Files = {}) => {
  const { rules } = await policyOf(text, files);
  return Object.fromEntries(
    rules.map(({ rule, settings }) => [rule.code, settings.map(({ severity }) => severity).join(' ')]),
  );
};

test('a rule by a severity, on, off and a value', async () => {
  assert.equal(
    await severities(
      'rules:\n  history: on\n  no-latest: warning\n  layer-count: 3\n  volumes: off\n  healthcheck: true\n  image-age: false\n  image-tags: { allowed: x, severity: info }',
    ),
    {
      'layer-count': 'error',
      healthcheck: 'error',
      'no-latest': 'warning',
      'image-tags': 'info',
      history: 'error',
    },
  );
});

test('a policy is put on top of what it extends, rule by rule', async () => {
  const files = {
    'base/main.yaml': 'extends: more.yaml\nrules:\n  layer-count: 3\n  history: on\n',
    'base/more.yaml': 'rules:\n  layer-count: 30\n  volumes: []\n  no-latest: on\n',
  };
  const text = 'extends: base/main.yaml\nrules:\n  layer-count: warning\n  no-latest: off\n';
  const { rules, sources } = await policyOf(text, files);
  assert.equal(sources, ['base/more.yaml', 'base/main.yaml', 'policy.yaml']);
  assert.equal(
    rules.flatMap(({ rule, settings }) =>
      settings.map(({ severity, options, origin }) => [rule.code, severity, options, origin]),
    ),
    [
      // A bare severity keeps the options that are inherited.
      ['layer-count', 'warning', { most: 3 }, { source: 'policy.yaml', isPreset: false, line: 3 }],
      ['volumes', 'error', { allowed: [] }, { source: 'base/more.yaml', isPreset: false, line: 3 }],
      ['history', 'error', {}, { source: 'base/main.yaml', isPreset: false, line: 4 }],
    ],
  );
});

test('a circle of extends is an error with the way round', async () => {
  const files = { 'a.yaml': 'extends: b.yaml', 'b.yaml': 'rules: {}\nextends: [./a.yaml]' };
  assert.equal(await problems('extends: a.yaml', files), [
    'b.yaml:2:11: the policy extends itself: a.yaml extends b.yaml extends a.yaml',
  ]);
  assert.match(
    (await problems('extends: policy.yaml'))[0]!,
    /^policy\.yaml:1:10: the policy extends itself: policy\.yaml extends policy\.yaml$/,
  );
});

test('a chain that is too long is one too', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, i) => [`p${i}.yaml`, `extends: p${i + 1}.yaml`]),
  );
  assert.match((await problems('extends: p0.yaml', files)).join(), /more than 32 files extend each other/);
});

const PARENTS = { 'a.yaml': 'rules:\n  layer-count: 3\n', 'b.yaml': 'rules:\n\n  layer-count: 5\n' };

test('two files that set a rule differently contradict each other, until the policy decides', async () => {
  assert.equal(await problems('extends: [a.yaml, b.yaml]', PARENTS), [
    'policy.yaml:1:11: what it extends contradicts itself: layer-count is set otherwise in a.yaml:2 and in b.yaml:3; set it here to decide',
  ]);
  assert.equal(await problems('extends: [a.yaml, b.yaml]\nrules: { layer-count: 4 }', PARENTS), []);
  assert.equal(await problems('extends: [a.yaml, b.yaml]', { ...PARENTS, 'b.yaml': PARENTS['a.yaml'] }), []);
});

test('a preset gives way to a file, wherever it stands', async () => {
  for (const text of ['extends: [default@1, a.yaml]', 'extends: [a.yaml, default@1]']) {
    const { rules } = await policyOf(text, PARENTS);
    assert.equal(rules.find(({ rule }) => rule.code === 'layer-count')!.settings[0]!.options, { most: 3 });
  }
});

test('every preset can be read', async () => {
  for (const name of PRESETS.keys()) assert.equal(await problems(`extends: ${name}`), []);
});

const PLAIN = await plainImage('plain', 2);
const APP = layouts.skopeoOci({ image: PLAIN, tags: ['ghcr.io/acme/app:1'] });
const told = async (text: string, options: CheckedOptions = {}) => {
  const { report, exitCode } = await checked(APP, text, options);
  return {
    exitCode,
    findings: report.findings.map(({ code, severity }) => `${severity} ${code}`),
    suppressed: report.suppressed.map(({ finding, reason, from }) => `${finding.code}: ${reason} (${from})`),
  };
};

test('a scope: names in every spelling, platforms, and the first that fits', async () => {
  const one = (scope: string) => told(`rules:\n  layer-count:\n    - { most: 1, ${scope} }\n    - most: 5\n`);
  for (const scope of [
    'images: ghcr.io/acme/app',
    'images: ["ghcr.io/acme/*"]',
    'images: ["ghcr.io/**"]',
    'images: ["ghcr.io/acme/app:1"]',
    'platforms: [linux/amd64]',
    'images: "**/app", platforms: linux/amd64',
  ])
    assert.equal((await one(scope)).findings, ['error layer-count'], scope);
  for (const scope of [
    'images: app',
    'images: "*/app"',
    'platforms: [linux/arm64]',
    'images: ["ghcr.io/acme/app:2"]',
  ])
    assert.equal((await one(scope)).findings, ['warning pattern-unused'], scope);
});

test('a scope may switch a rule off', async () => {
  const text = 'rules:\n  layer-count:\n    - { severity: off, images: ["ghcr.io/acme/*"] }\n    - most: 1\n';
  assert.equal((await told(text)).findings, []);
});

test('severity and --fail-on decide on the exit code', async () => {
  const text = (severity: string) => `rules:\n  layer-count: { most: 1, severity: ${severity} }\n`;
  assert.is((await told(text('error'))).exitCode, 1);
  assert.is((await told(text('warning'))).exitCode, 0);
  assert.is((await told(text('warning'), { failOn: 'warning' })).exitCode, 1);
  assert.is((await told(text('error'), { failOn: 'never' })).exitCode, 0);
});

test('findings of verify take a severity from the policy', async () => {
  const broken = layouts.without(APP, layouts.blobPath(PLAIN.layers[1]!.digest));
  const codes = async (rules: string) => {
    const { report, exitCode } = await checked(broken, `rules: { ${rules} }`);
    return [
      exitCode,
      report.findings.map(({ code, severity }) => `${severity} ${code}`),
      report.verdicts.complete,
    ];
  };
  assert.equal(await codes(''), [1, ['error layer-missing'], false]);
  assert.equal(await codes('layer-missing: warning'), [0, ['warning layer-missing'], false]);
  assert.equal(await codes('layer-missing: off'), [0, [], false]);
});

const EXCEPTION = (more: string) =>
  `rules:\n  layer-count: 1\nexceptions:\n  - { rule: layer-count, reason: it has to be, ${more} }\n`;

test('an exception hides what it matches, and is counted', async () => {
  for (const more of ['', 'images: ["ghcr.io/acme/*"]', 'expires: 2024-01-01', 'platforms: linux/amd64']) {
    const { findings, suppressed, exitCode } = await told(EXCEPTION(more));
    assert.equal(findings, [], more);
    assert.equal(suppressed, ['layer-count: it has to be (policy.yaml:4)']);
    assert.is(exitCode, 0);
  }
});

test('an exception that expired hides nothing, and is a finding', async () => {
  assert.equal(await told(EXCEPTION('expires: 2023-12-31')), {
    exitCode: 1,
    findings: ['error layer-count', 'error exception-expired'],
    suppressed: [],
  });
  // To the end of its last day.
  const context = { now: Date.parse('2024-01-01T23:59:59Z') / 1000 };
  assert.equal((await told(EXCEPTION('expires: 2024-01-01'), { context })).findings, []);
  const later = { now: Date.parse('2024-01-02T00:00:00Z') / 1000 };
  assert.is((await told(EXCEPTION('expires: 2024-01-01'), { context: later })).findings.length, 2);
});

test('an exception that hides nothing is a finding', async () => {
  for (const more of ['images: ["docker.io/**"]', 'paths: [usr]', 'platforms: linux/s390x'])
    assert.equal(
      (await told(EXCEPTION(more))).findings,
      ['error layer-count', 'warning exception-unused'],
      more,
    );
  const strict = `${EXCEPTION('paths: [usr]')}`.replace('rules:', 'rules:\n  exception-unused: off');
  assert.equal((await told(strict)).findings, ['error layer-count']);
});

test('an exception by path, for one file of several', async () => {
  const made = await image({ layers: [{ files: { 'var/a': 'x'.repeat(50), 'srv/b': 'x'.repeat(50) } }] });
  const { report } = await checked(
    layouts.skopeoOci({ image: made, tags: ['app:1'] }),
    'rules: { file-size: 10 }\nexceptions: [{ rule: file-size, paths: [/var], reason: x }]',
  );
  assert.equal(
    report.findings.map(({ path }) => path),
    ['srv/b'],
  );
  assert.equal(
    report.suppressed.map(({ finding }) => finding.path),
    ['var/a'],
  );
});

test('over several archives an exception counts once for all of them', async () => {
  const policy = await policyOf(
    'rules: { layer-count: 1 }\nexceptions:\n  - { rule: layer-count, images: [a], reason: x }\n  - { rule: layer-count, images: [c], reason: y }\n',
  );
  const check = new Check({ policy, context: { now: NOW, epoch: null }, failOn: 'error' });
  for (const tag of ['b:1', 'a:1']) {
    const { reading } = await readMembers(layouts.skopeoOci({ image: PLAIN, tags: [tag] }));
    check.archive(reading, {});
  }
  const closing = check.closing()!;
  const { findings } = closing.data as { findings: { code: string; message: string }[] };
  assert.equal(findings.length, 1);
  assert.match(findings[0]!.message, /policy\.yaml:4\) matches no finding/);
});

test('what cannot be measured has not been passed', async () => {
  assert.equal(await told('rules: { image-size: { compressed: 1GB } }'), {
    exitCode: 1,
    findings: ['error rule-not-checked'],
    suppressed: [],
  });
  const text = 'rules: { image-size: { compressed: 1GB, severity: warning } }';
  assert.equal((await told(text)).findings, ['warning rule-not-checked']);
  const off = 'rules: { image-size: { compressed: 1GB }, rule-not-checked: off }';
  assert.equal((await told(off)).findings, []);
});

test('a sum of which a part is not known fails where that part would not help it', async () => {
  const made = await plainImage('cut', 2);
  const cut = layouts.without(
    layouts.skopeoOci({ image: made, tags: ['app:1'] }),
    layouts.blobPath(made.layers[1]!.digest),
  );
  const found = async (most: string) => {
    const { report } = await checked(cut, `rules: { image-size: { unpacked: ${most} }, layer-missing: off }`);
    return report.findings.map(({ code }) => code);
  };
  assert.equal(await found('1kB'), ['image-size']);
  assert.equal(await found('1MB'), ['rule-not-checked']);
});

test('more findings of one rule than are listed are counted', async () => {
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`f${i}`, 'x'.repeat(20)]));
  const made = await image({ layers: [{ files }] });
  const policy = await policyOf('rules: { file-size: 10 }');
  const { reading } = await readMembers(layouts.skopeoOci({ image: made, tags: ['app:1'] }), {
    depth: 'files',
    limits: { findingsPerCode: 3 },
  });
  const check = new Check({ policy, context: { now: NOW, epoch: null }, failOn: 'error' });
  const { findings } = check.alone(reading, {}).data as { findings: { unlisted?: number }[] };
  assert.equal(
    findings.map(({ unlisted }) => unlisted ?? 0),
    [0, 0, 5],
  );
});

test('an exception about some files hides no others, however many there are', async () => {
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`opt/vendor/f${i}`, 'x'.repeat(20)]));
  const made = await image({ layers: [{ files: { ...files, 'usr/own': 'x'.repeat(20) } }] });
  const policy = await policyOf(
    'rules: { file-size: 10 }\nexceptions: [{ rule: file-size, paths: [/opt/vendor], reason: x }]',
  );
  const { reading } = await readMembers(layouts.skopeoOci({ image: made, tags: ['app:1'] }), {
    depth: 'files',
    limits: { findingsPerCode: 3 },
  });
  const check = new Check({ policy, context: { now: NOW, epoch: null }, failOn: 'error' });
  const { data, exitCode, doc } = check.alone(reading, {});
  const { findings, suppressed } = data as CheckReport;
  assert.is(exitCode, 1);
  assert.equal(
    findings.map(({ path }) => path),
    ['usr/own'],
  );
  assert.equal(
    suppressed.map(({ finding }) => finding.unlisted ?? 0),
    [0, 0, 5],
  );
  assert.match(
    toText(doc, { width: null, color: false }),
    'FAILED: 1 finding must be mended, 8 hidden by the policy',
  );
});

test('findings of verify that are not listed are not hidden by an exception about some paths', async () => {
  const odd = Array.from({ length: 8 }, (_, i) => layouts.file(`blobs/sha256/odd${i}`, 'x'));
  const found = async (exception: string) => {
    const policy = await policyOf(
      `rules: { blob-name-odd: error }\nexceptions: [{ rule: blob-name-odd, ${exception}reason: x }]`,
    );
    const { reading } = await readMembers([...APP, ...odd], { limits: { findingsPerCode: 3 } });
    const check = new Check({ policy, context: { now: NOW, epoch: null }, failOn: 'error' });
    const { findings } = check.alone(reading, {}).data as CheckReport;
    return findings.filter(({ code }) => code === 'blob-name-odd').map(({ unlisted }) => unlisted);
  };
  assert.equal(await found('paths: ["odd*"], '), [5]);
  assert.equal(await found(''), []);
});

test('a further name takes an image out of no scope, and into no exception', async () => {
  const codes = async (text: string, members: readonly layouts.Member[]) =>
    (await checked(members, text)).report.findings.map(({ code }) => code);
  const docker = layouts.dockerSave({ image: PLAIN, tags: ['ghcr.io/acme/app:1', 'legacy/app:1'] });
  const scoped = 'rules:\n  layer-count:\n    - { most: 9, images: ["legacy/*"] }\n    - most: 1\n';
  const excepted = `rules: { layer-count: 1 }\nexceptions: [{ rule: layer-count, images: ["legacy/*"], reason: x }]`;
  const both = excepted.replace('"legacy/*"', '"legacy/*", "ghcr.io/**"');
  assert.ok((await codes(scoped, docker)).includes('layer-count'));
  assert.equal(await codes(excepted, docker), ['layer-count', 'exception-unused']);
  assert.equal(await codes(both, docker), []);
});

test('an image whose platform is not known is in the scope of each platform, and in no exception for one', async () => {
  const made = await image({
    layers: [{ files: { a: 'a' } }, { files: { b: 'b' } }],
    config: { os: undefined, architecture: undefined },
  });
  const members = layouts.dockerSave({ image: made, tags: ['app:1'] });
  const found = async (text: string) =>
    (await checked(members, text)).report.findings
      .filter(({ code }) => code === 'layer-count')
      .map(({ data }) => (data as { most: number }).most);
  assert.equal(await found('rules: { layer-count: { most: 1, platforms: linux/amd64 } }'), [1]);
  const several = `rules:
  layer-count:
    - { most: 9, platforms: linux/arm64 }
    - { most: 1 }
`;
  assert.equal(await found(several), [1]);
  const exception = 'exceptions: [{ rule: layer-count, platforms: linux/amd64, reason: x }]';
  assert.equal(await found(`rules: { layer-count: 1 }\n${exception}`), [1]);
});

test('an exception by path is not about a setting of the config', async () => {
  const made = await image({ layers: [{ files: { a: 'a' } }], config: { config: { User: 'root' } } });
  const text =
    'rules: { user-not-root: on }\nexceptions: [{ rule: user-not-root, paths: ["*.json"], reason: x }]';
  const { report } = await checked(layouts.dockerSave({ image: made, tags: ['app:1'] }), text);
  assert.equal(
    report.findings.map(({ code }) => code),
    ['user-not-root', 'exception-unused'],
  );
});

const schema = JSON.parse(policySchemaText()) as object;
const validate = new Ajv({ allErrors: true, allowUnionTypes: true, formats: { regex: true } }).compile(
  schema,
);

test('a path cannot be required and forbidden', async () => {
  const both = (forbidden: string) =>
    problems(`rules:\n  paths-required: [/etc/ssl/key.pem]\n  paths-forbidden: ${forbidden}\n`);
  assert.equal(await both('["*.pem"]'), [
    'policy.yaml:3:1: paths-required and paths-forbidden contradict each other: /etc/ssl/key.pem is required, and forbidden (policy.yaml:2)',
  ]);
  assert.equal(await both('{ paths: [{ path: "*.pem", mode: 0777 }] }'), []);
});

test('a mapping of a path is checked key by key', async () => {
  assert.equal(
    await problems('rules:\n  paths-required:\n    paths:\n      - { path: /a, mod: 0644, uid: x }\n'),
    [
      'policy.yaml:4:21: unknown key "mod" of a path; did you mean `mode`?',
      'policy.yaml:4:37: expected a whole number from 0, found "x"',
    ],
  );
});

/** As a parser that knows no places gives it. */
function plain(node: SourceNode | null): unknown {
  if (node === null) return null;
  if (node.kind === 'sequence') return node.items.map(plain);
  if (node.kind === 'mapping')
    return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
  return node.value;
}

test('the published schema is made from the table, as docs/rules.md is', () => {
  const text = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
  assert.is(text('docs/policy.schema.json'), policySchemaText(), 'run `npm run docs`');
  assert.is(text('docs/rules.md'), rulesPage(), 'run `npm run docs`');
  assert.equal(Object.keys((schema as { properties: object }).properties), [...POLICY_KEYS]);
});

test('the schema takes every preset, and each example of a rule, which the parser takes too', async () => {
  const policies = [
    ...[...PRESETS.values()].map(({ text }) => text),
    ...[...rulesPage().matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!),
    ...RULES.flatMap(({ example }) =>
      example.split('# or').map(part => {
        const lines = part.split('\n').filter(line => !/^[,#]/.test(line) && line !== '');
        return lines.length === 0 || !/^[a-z-]+:/.test(lines[0]!)
          ? 'rules: {}'
          : `rules:\n${lines.map(line => `  ${line}\n`).join('')}`;
      }),
    ),
  ];
  assert.ok(policies.length > RULES.length, `${policies.length}`);
  for (const text of policies) {
    const { root } = parseSource(text);
    assert.ok(validate(plain(root)), `${text}\n${JSON.stringify(validate.errors?.slice(0, 3))}`);
    assert.equal(await problems(text, EXAMPLE_FILES), [], text);
  }
});

test('the schema refuses what the parser refuses', () => {
  const byMeaning = [
    'required and forbidden',
    'platforms',
    'latest',
    'twice',
    'a preset',
    'a file',
    'a day',
    'braces',
    'YAML',
    'a tab',
    'two texts',
    'regular',
    'lookaround',
    'a port',
    'nothing',
    'no budget',
    'no labels',
    'no required',
    'no forbidden',
    'no file',
  ];
  for (const [name, text] of WRONG) {
    if (byMeaning.some(word => name.includes(word))) continue;
    assert.not.ok(validate(plain(parseSource(text).root)), `${name}: ${text}`);
  }
});

test('explain tells of each rule', () => {
  for (const { code, what, why, mend } of RULES) {
    const { data, doc } = explain(code);
    const text = JSON.stringify(doc);
    for (const part of [what, why, mend]) assert.ok(text.includes(JSON.stringify(part).slice(1, -1)), code);
    assert.is((data as { explanation: string }).explanation, what);
  }
});

test.run();
