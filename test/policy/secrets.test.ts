// Secrets in images: in files of every layer, in the config and in the history; and in no output.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { matchHistory, parseDockerfile } from '../../src/analysis/dockerfile.js';
import { Check, checkReadOptions } from '../../src/commands/check/index.js';
import { type OutputFormat, piecesIn } from '../../src/format/outputs.js';
import { RULES } from '../../src/policy/rules.js';
import { Audit, type DockerfileMatcher } from '../../src/report/reported.js';
import { drawn, githubToken, PLANTED } from '../secrets/planted.js';
import { type EmptyStep, type ImageSpec, image, type LayerSpec } from '../support/image.js';
import * as layouts from '../support/layouts.js';
import { checked, NOW, policyOf } from '../support/policy.js';
import { readMembers } from '../support/reading.js';

const POLICY = 'extends: none@1\nrules: { no-secrets: on }\n';
const EMPTY: LayerSpec = { files: { 'app/run': 'x' }, createdBy: 'COPY run /app/ # buildkit' };

const membersOf = async (spec: Partial<ImageSpec>) =>
  layouts.skopeoOci({ image: await image({ layers: [EMPTY], ...spec }), tags: ['app:1'] });

async function secretsOf(spec: Partial<ImageSpec>, policy = POLICY) {
  const { report, exitCode } = await checked(await membersOf(spec), policy);
  return { report, exitCode, found: report.findings.filter(({ code }) => code === 'no-secrets') };
}

const step = (createdBy: string): EmptyStep => ({ emptyLayer: true, createdBy });
const whiteout = (path: string): LayerSpec => ({
  entries: [{ path: path.replace(/([^/]+)$/, '.wh.$1'), bytes: '' }],
  createdBy: `RUN rm /${path} # buildkit`,
});

for (const { kind, path, text, value, line = 1, variable } of PLANTED) {
  const planted: LayerSpec = { files: { [path]: text }, createdBy: 'COPY . / # buildkit' };

  test(`${kind} in /${path}, and in one that is deleted later`, async () => {
    const { found, exitCode } = await secretsOf({ layers: [EMPTY, planted] });
    const [there] = found;
    assert.equal([found.length, exitCode, there!.path, there!.layer], [1, 1, path, 1]);
    assert.is(there!.instruction, 'COPY . /');
    assert.ok(there!.message.endsWith(`in /${path}, line ${line}, layer 2`), there!.message);
    const gone = await secretsOf({ layers: [EMPTY, planted, whiteout(path)] });
    assert.equal([gone.found.length, gone.found[0]!.path, gone.found[0]!.layer], [1, path, 1]);
    assert.ok(gone.found[0]!.message.endsWith(', layer 2 (layer 3 deletes it)'), gone.found[0]!.message);
    const replaced = await secretsOf({ layers: [EMPTY, planted, { files: { [path]: 'nothing here' } }] });
    assert.ok(replaced.found[0]!.message.endsWith(', layer 2 (layer 3 replaces it)'));
    for (const { report } of [gone, replaced]) assert.not.ok(JSON.stringify(report).includes(value));
  });

  if (variable === undefined) continue;
  const [name, content] = variable;
  test(`${kind} in ENV, LABEL, ARG and the history`, async () => {
    const places: readonly [string, Partial<ImageSpec>][] = [
      [`ENV ${name}`, { config: { config: { Env: ['PATH=/bin', `${name}=${content}`] } } }],
      [`LABEL ${name}`, { config: { config: { Labels: { [name]: content } } } }],
      ['the history, step 2', { layers: [EMPTY, step(`ARG ${name}=${content}`)] }],
      [
        'the history, step 2, layer 2',
        { layers: [EMPTY, { ...EMPTY, createdBy: `RUN |1 ${name}=${content} /bin/sh -c make # buildkit` }] },
      ],
      ['the history, step 2', { layers: [EMPTY, step(`/bin/sh -c #(nop)  ENV ${name}=${content}`)] }],
    ];
    for (const [where, spec] of places) {
      const { found, report, exitCode } = await secretsOf(spec);
      assert.equal([found.length, exitCode], [1, 1], where);
      assert.ok(found[0]!.message.endsWith(` in ${where}`), found[0]!.message);
      assert.not.ok(JSON.stringify(report).includes(JSON.stringify(content).slice(1, -1)), where);
    }
  });
}

test('in any other text of the config, and in annotations', async () => {
  const token = githubToken();
  const texts: readonly [string, Partial<ImageSpec>][] = [
    [
      'the config, /config/Healthcheck/Test',
      {
        config: {
          config: { Healthcheck: { Test: ['CMD-SHELL', `curl -H 'Authorization: token ${token}' x`] } },
        },
      },
    ],
    [
      'the config, /config/OnBuild',
      { config: { config: { OnBuild: [`RUN git clone https://${token}@host/x`] } } },
    ],
    ['the config, /author', { config: { author: token } }],
    ['the config, /container_config/Env/0', { config: { container_config: { Env: [`GH=${token}`] } } }],
    ['the config, /x/0/1/y', { config: { x: [[1, { y: token }]] } }],
  ];
  for (const [where, spec] of texts) {
    const { found, report, exitCode } = await secretsOf(spec);
    assert.equal([found.length, exitCode], [1, 1], where);
    assert.ok(found[0]!.message.endsWith(` in ${where}`), found[0]!.message);
    assert.not.ok(JSON.stringify(report).includes(token), where);
  }
  const [named] = (
    await secretsOf({
      config: { config: { Healthcheck: { Test: ['CMD', 'mysql', '--password', 'Gh7kWq2mPz'] } } },
    })
  ).found;
  assert.ok(named!.message.endsWith(' in the config, /config/Healthcheck/Test'), named!.message);
});

test('one secret in several places is one finding with all of them', async () => {
  const token = githubToken();
  const file = (path: string): LayerSpec => ({ files: { [path]: `token: ${token}\n` } });
  const { found } = await secretsOf({
    layers: [file('a.yml'), file('b.yml'), whiteout('a.yml'), step(`ENV GH_TOKEN=${token}`)],
    config: { config: { Env: [`GH_TOKEN=${token}`] } },
  });
  assert.is(found.length, 1);
  assert.match(
    found[0]!.message,
    /^GitHub token \(fingerprint [0-9a-f]{16}\) in \/a\.yml, line 1, layer 1 \(layer 3 deletes it\); \/b\.yml, line 1, layer 2; ENV GH_TOKEN; the history, step 4$/,
  );
});

test('an exception about one file does not hide a secret that is elsewhere too', async () => {
  const token = githubToken();
  const text = 'rules: { no-secrets: on }\nexceptions: [{ rule: no-secrets, paths: [/srv], reason: x }]';
  const layers = [{ files: { 'srv/a.yml': `token: ${token}\n` } }];
  const found = async (spec: object) => (await secretsOf({ layers, ...spec }, text)).found.length;
  assert.is(await found({}), 0);
  assert.is(await found({ layers: [...layers, { files: { 'usr/b.yml': `token: ${token}\n` } }] }), 1);
  assert.is(await found({ config: { config: { Env: [`GH_TOKEN=${token}`] } } }), 1);
});

test('the variable with a URL is named once', async () => {
  const Env = ['URL=postgres://app:Gh7kWq2mPz@db/app'];
  const { found } = await secretsOf({ config: { config: { Env } } });
  assert.match(found[0]!.message, /^password in a URL \(fingerprint [0-9a-f]{16}\) in ENV URL$/);
});

test('an AWS key in two variables is one secret', async () => {
  const id = `${'AK'}IA${drawn(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`;
  const Env = [`AWS_ACCESS_KEY_ID=${id}`, `AWS_SECRET_ACCESS_KEY=${drawn(38)}/z`];
  const { found } = await secretsOf({ config: { config: { Env } } });
  assert.equal(
    found.map(({ data }) => (data as { kind: string }).kind),
    ['aws-secret-key'],
  );
});

test('what is known and wanted is left out: by path, kind and fingerprint', async () => {
  const token = githubToken();
  const spec = {
    layers: [{ files: { 'srv/a.yml': `token: ${token}\n`, 'srv/.env': 'DB_PASSWORD=Gh7kWq2mPz\n' } }],
  };
  const codes = async (options: string) =>
    (await secretsOf(spec, `extends: none@1\nrules: { no-secrets: { ${options} } }\n`)).found.map(
      ({ data }) => (data as { kind: string }).kind,
    );
  assert.equal(await codes('files: true'), ['github-token', 'password']);
  assert.equal(await codes('allow: /srv/a.yml'), ['password']);
  assert.equal(await codes('except: password'), ['github-token']);
  const { found } = await secretsOf(spec);
  assert.equal(await codes(`known: ["${found[0]!.key}"]`), ['password']);
  assert.equal(await codes('files: false'), []);
});

test('no output of any rule has a secret', async () => {
  const secrets = Array.from({ length: 7 }, () => githubToken());
  const [file, env, label, command, health, argument, made] = secrets as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const members = await membersOf({
    layers: [
      {
        files: { 'srv/.env': `GH_TOKEN=${file}\n` },
        createdBy: `RUN |1 T_TOKEN=${made} /bin/sh -c make # buildkit`,
      },
      step(`ENV GH_TOKEN=${env}`),
      step(`CMD ["run", "--token=${command}"]`),
      step(`ARG A_TOKEN=${argument}`),
      step(`HEALTHCHECK CMD curl -H "Authorization: Bearer ${health}" localhost`),
    ],
    config: {
      config: {
        Env: [`GH_TOKEN=${env}`],
        Labels: { token: label },
        Cmd: ['run', `--token=${command}`],
        Healthcheck: { Test: ['CMD-SHELL', `curl -H "Authorization: Bearer ${health}" localhost`] },
      },
    },
  });
  const examples = RULES.filter(({ example, subject }) => example !== '' && subject !== 'policy')
    .map(({ example }) => example.split('\n# or')[0]!)
    .filter(example => !/from|bases|against|platforms-allowed|structure-test/.test(example));
  const policy = await policyOf(
    `extends: none@1\nrules:\n${[...new Map(examples.map(one => [one.split(':')[0], one])).values()]
      .join('\n')
      .replace(/^/gm, '  ')}\n`,
  );
  const { reading } = await readMembers(members, checkReadOptions(policy));
  // The setting of each step is found in the Dockerfile, though findings have asterisks for its secret.
  const dockerfile = parseDockerfile(
    `FROM base\nENV GH_TOKEN=${env}\nCMD ["run", "--token=${command}"]\nARG A_TOKEN=${argument}\nHEALTHCHECK CMD curl\n`,
  );
  const matcher: DockerfileMatcher = {
    file: 'Dockerfile',
    match: steps => matchHistory(dockerfile, 0, steps),
  };
  const audit = new Audit(null, matcher);
  const check = new Check({
    policy,
    context: { now: NOW, epoch: null },
    failOn: 'error',
    inventory: true,
    audit,
  });
  const result = check.alone(reading, {});
  assert.equal(audit.notes(), []);
  assert.ok(
    result.findings!.some(({ source, code }) => code === 'no-secrets' && source?.line === 2),
    'the line of ENV',
  );
  const formats: readonly OutputFormat[] = [
    ...(['text', 'markdown', 'html', 'json', 'ndjson'] as const),
    ...(['sarif', 'junit', 'github', 'gitlab', 'tap'] as const),
  ];
  const outputs = [JSON.stringify(result), ...formats.map(format => [...piecesIn(format)(result)].join(''))];
  for (const [i, secret] of secrets.entries())
    for (const output of outputs) {
      const at = output.indexOf(secret);
      assert.is(at, -1, `${i}: ${output.slice(Math.max(0, at - 300), at)}`);
    }
});

test('a file that exhausts the search does not hide the secrets after it: the rule is not checked', async () => {
  const policy = await policyOf('extends: none@1\nrules: { no-secrets: on }');
  const secret = githubToken();
  const codesOf = async (files: Record<string, string>) => {
    const { reading } = await readMembers(await membersOf({ layers: [{ files }] }), checkReadOptions(policy));
    const check = new Check({ policy, context: { now: NOW, epoch: null }, failOn: 'error' });
    const { data, exitCode } = check.alone(reading, {});
    const { findings } = data as { findings: { code: string; severity: string; message: string }[] };
    return { exitCode, errors: findings.filter(({ severity }) => severity === 'error') };
  };
  const flood = Object.fromEntries([0, 1].map(i => [`app/${i}.yaml`, 'PRIVATE KEY'.repeat(90_000)]));
  const hidden = await codesOf({ ...flood, 'srv/x.txt': `${secret}\n` });
  assert.is(hidden.exitCode, 1);
  assert.equal(
    hidden.errors.map(({ code }) => code),
    ['rule-not-checked'],
  );
  assert.match(
    hidden.errors[0]!.message,
    'the search of a layer ended early: the text in the layers costs more',
  );
  const few = await codesOf({ 'app/0.yaml': 'PRIVATE KEY'.repeat(1000) });
  assert.equal(few, { exitCode: 0, errors: [] });
});

test.run();
