// action.yml and templates/check.yml: run as far as a machine without GitHub and GitLab can.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { canRun } from '../faults/harness.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

const withBash = testWhen(test, canRun('bash', '--version'), 'no bash');
const action = parse(readFileSync(join(repositoryRoot, 'action.yml'), 'utf8'));
const [step] = action.runs.steps;
const PROGRAM = join(repositoryRoot, 'bin/waybill.js');

/** A workspace of a job, with a good and a damaged archive, and a policy. */
function workspace(name: string): string {
  const folder = temporary(`action-${name}`);
  const sample = (file: string) => join(repositoryRoot, 'samples', file);
  copyFileSync(sample('hello-docker-28.tar'), join(folder, 'good image.tar'));
  copyFileSync(sample('broken-layer.tar'), join(folder, 'broken.tar'));
  copyFileSync(sample('policy.yaml'), join(folder, 'policy.yaml'));
  return folder;
}

interface Job {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputs: string;
  readonly summary: string;
}

/** Runs the step with inputs, of which those that are left out have their defaults, as a runner does. */
function act(folder: string, inputs: Readonly<Record<string, string>>): Job {
  const values = Object.fromEntries(
    Object.entries<string>(step.env).map(([variable, text]) => {
      const name = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(text)![1]!;
      assert.ok(name in action.inputs, name);
      return [variable, inputs[name] ?? action.inputs[name].default ?? ''];
    }),
  );
  const files = { GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary.md') };
  for (const file of Object.values(files)) writeFileSync(file, '');
  const { status, stdout, stderr } = spawnSync('bash', ['-c', step.run], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, GITHUB_ACTION_PATH: repositoryRoot, ...files, ...values },
  });
  const [outputs, summary] = Object.values(files).map(file => readFileSync(file, 'utf8'));
  return { status, stdout, stderr, outputs: outputs!, summary: summary! };
}

withBash('the action passes a good image, and writes a summary and SARIF', () => {
  const folder = workspace('good');
  const job = act(folder, { archives: 'good image.tar\n', args: '--verbose\n--color' });
  assert.is(job.status, 0, job.stdout + job.stderr);
  assert.match(job.summary, /passed/i);
  assert.is(job.outputs, 'exit-code=0\nsarif=waybill.sarif\n');
  assert.is(JSON.parse(readFileSync(join(folder, 'waybill.sarif'), 'utf8')).version, '2.1.0');
});

withBash('the action fails for a damaged image, with annotations, unless told otherwise', () => {
  const folder = workspace('broken');
  const inputs = { archives: 'good image.tar\n\nbroken.tar', sarif: 'found.sarif' };
  const job = act(folder, inputs);
  assert.is(job.status, 1, job.stderr);
  assert.match(job.stdout, /^::error /m);
  assert.match(job.outputs, /^exit-code=1$/m);
  assert.ok(existsSync(join(folder, 'found.sarif')));
  const strict = act(folder, { archives: 'good image.tar', policy: 'policy.yaml' });
  assert.is(strict.status, 1);
  const forgiving = act(folder, { ...inputs, fail: 'false' });
  assert.equal([forgiving.status, /^exit-code=1$/m.test(forgiving.outputs)], [0, true]);
});

withBash('the action reads no input as a part of its script', () => {
  const folder = workspace('hostile');
  const job = act(folder, {
    archives: '$(touch hacked).tar\n`touch hacked`\n; touch hacked',
    args: '$(touch hacked)',
  });
  assert.is(job.status, 2);
  assert.not.ok(existsSync(join(folder, 'hacked')));
});

withBash('the action reads no archive as an option or as a reference', () => {
  for (const archives of ['broken.tar\n--fail-on=never', 'broken.tar\n--help', 'broken.tar\nhello:1.0']) {
    const job = act(workspace('options'), { archives });
    assert.is(job.status, 2, `${archives}: ${job.stdout}`);
    assert.match(job.outputs, /^exit-code=2$/m);
  }
});

withBash('the action refuses inputs that it does not know', () => {
  const refused: readonly Readonly<Record<string, string>>[] = [
    { archives: '' },
    { archives: 'broken.tar', command: 'rm' },
    { archives: 'broken.tar', fail: 'maybe' },
    { archives: 'broken.tar', command: 'verify', policy: 'policy.yaml' },
    // A program that is not there does not pass the step, whatever `fail` says.
    { archives: 'broken.tar', program: 'absent', fail: 'false' },
    { archives: 'broken.tar', program: 'absent.mjs', fail: 'false' },
    // Neither a command of the runner, nor another output of the step.
    { archives: 'broken.tar', command: 'x\n::stop-commands::y%0A' },
    { archives: 'broken.tar', sarif: 'x\nexit-code=0', fail: 'false' },
    { archives: 'broken.tar', sarif: 'x\rexit-code=0', fail: 'false' },
  ];
  for (const inputs of refused) {
    const job = act(workspace('refused'), inputs);
    assert.is(job.status, 2, JSON.stringify(inputs));
    assert.match(job.stdout, /^::error title=waybill::\w+: [^\r\n]*\n$/);
    assert.is(job.outputs, '');
  }
});

test('each output of the action is one of its step, and each input is used', () => {
  const script = readFileSync(join(repositoryRoot, 'bin/action.sh'), 'utf8');
  for (const [name, { value }] of Object.entries<{ readonly value: string }>(action.outputs)) {
    assert.is(value, `\${{ steps.${step.id}.outputs.${name} }}`);
    assert.ok(script.includes(`echo "${name}=`), name);
  }
  assert.is(Object.keys(step.env).length, Object.keys(action.inputs).length);
  for (const variable of Object.keys(step.env)) assert.ok(script.includes(variable), variable);
});

const [spec, jobs] = readFileSync(join(repositoryRoot, 'templates/check.yml'), 'utf8').split(/^---$/m);

/** The component's job with inputs in their places, as GitLab makes it: they are put into the text. */
function component(inputs: Readonly<Record<string, string>>) {
  const { inputs: known } = parse(spec!).spec;
  const text = jobs!.replace(/\$\[\[ inputs\.([\w-]+) \]\]/g, (_, name: string) => {
    assert.ok(name in known, name);
    const value = inputs[name] ?? known[name].default;
    assert.type(value, 'string', name);
    return value;
  });
  return parse(text);
}

test('the fields of the GitLab component are text, whatever the inputs', () => {
  for (const text of ['', 'yes', '1.20', 'a: b.yaml', '# none', '{x}', '*.yaml', 'C:\\policy "x".yaml']) {
    const inputs = {
      archives: 'app.tar',
      program: 'waybill',
      policy: text,
      stage: text,
      job: text,
      image: text,
    };
    const { [text]: job } = component(inputs);
    assert.equal([job.stage, job.image.name, job.variables.WAYBILL_POLICY], [text, text, text]);
  }
});

withBash('the GitLab component writes the reports that its artifacts name', () => {
  const program = `${process.execPath} ${PROGRAM}`;
  // No default: waybill is not in the npm registry, and a package of that name there would be another one.
  assert.is(parse(spec!).spec.inputs.program.default, undefined);
  for (const [archives, policy, status] of [
    ["'good image.tar'", '', 0],
    ["'good image.tar'", 'policy.yaml', 1],
    ["'good image.tar' broken.tar", '', 1],
  ] as const) {
    const folder = workspace('gitlab');
    const { waybill: job } = component({ archives, policy, program });
    const ended = spawnSync('bash', ['-euo', 'pipefail', '-c', job.script.join('\n')], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...job.variables },
    });
    assert.is(ended.status, status, ended.stderr);
    const { paths, reports } = job.artifacts;
    for (const file of [...paths, ...Object.values<string>(reports)])
      assert.ok(existsSync(join(folder, file)), file);
  }
});

test.run();
