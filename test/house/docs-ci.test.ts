// The recipes of docs/ci.md: the YAML is parsed, and each shell step is run, on a valid image and on a damaged one.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { repositoryRoot } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';

const page = readFileSync(join(repositoryRoot, 'docs/ci.md'), 'utf8');
const sample = (name: string) => join(repositoryRoot, 'samples', name);

const blocksOf = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block]) => block!,
  );

const [github, gitlab, buildkite, precommit] = blocksOf('yaml').map(block => parse(block));

/** Scripts, by the recipe that they stand in. */
const SCRIPTS: Readonly<Record<string, string>> = {
  'the three lines': blocksOf('sh')[0]!,
  'GitHub Actions': github.jobs.image.steps
    .map(({ run = '' }: { run?: string }) => run)
    .filter((run: string) => /docker/.test(run))
    .join('\n'),
  'GitLab CI': gitlab.image.script.join('\n'),
  Jenkins: /sh '''\n([\s\S]*?)'''/.exec(blocksOf('groovy')[0]!)![1]!,
  Buildkite: buildkite.steps[0].command.replaceAll('$$', '$'),
  'a shell': blocksOf('sh')[1]!,
};

/** The files that each recipe keeps, also if its step fails. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  'the three lines': ['summary.md', 'waybill.sarif', 'waybill.xml'],
  'GitHub Actions': ['step-summary', github.jobs.image.steps.at(-1).with.sarif_file],
  'GitLab CI': [
    ...gitlab.image.artifacts.paths,
    ...(Object.values(gitlab.image.artifacts.reports) as string[]),
  ],
  Jenkins: ['waybill.xml', 'waybill.sarif', 'report.html'],
  Buildkite: [...buildkite.steps[0].artifact_paths, 'annotation'],
  'a shell': ['findings.ndjson'],
};

/** Programs that recipes call, in the place of the real ones: an image is saved that lies here. */
function place(name: string, saved: string): { readonly folder: string; readonly env: NodeJS.ProcessEnv } {
  const folder = temporary(`ci-${name}`);
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const program = (called: string, script: string) => {
    writeFileSync(join(bin, called), `#!/bin/bash\n${script}\n`);
    chmodSync(join(bin, called), 0o755);
  };
  program('waybill', `exec "${process.execPath}" "${join(repositoryRoot, 'bin/waybill.js')}" "$@"`);
  program('docker', `case "$1 $3" in save*-o) cp "${saved}" "$4";; save*) cat "${saved}";; esac`);
  program('buildkite-agent', 'cat > annotation; echo "$@" >> annotation');
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\n');
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    GITHUB_STEP_SUMMARY: join(folder, 'step-summary'),
  };
  return { folder, env };
}

for (const [name, script] of Object.entries(SCRIPTS))
  test(`the recipe for ${name} runs, and keeps what was found when it fails`, () => {
    assert.match(script, 'waybill check');
    for (const [saved, status] of [
      ['hello-docker-28.tar', 0],
      ['broken-layer.tar', 1],
    ] as const) {
      const { folder, env } = place(`${name.replace(/\W/g, '')}-${status}`, sample(saved));
      const run = spawnSync('bash', ['-e', '-c', script], { cwd: folder, env, encoding: 'utf8' });
      assert.is(run.status, status, `${saved}: ${run.stderr}`);
      for (const file of KEPT[name]!) {
        assert.ok(existsSync(join(folder, file)), `${saved}: ${file}`);
        const text = readFileSync(join(folder, file), 'utf8');
        if (status === 1) assert.match(text, 'digest-mismatch', file);
        if (/summary|annotation/.test(file))
          assert.match(text, status === 0 ? /^✅ \*\*passed/ : /^❌ \*\*failed/, file);
      }
    }
  });

test('an image that is cut short on its way through the pipe fails the step', () => {
  const { folder, env } = place('cut', sample('truncated.tar'));
  const run = spawnSync('bash', ['-e', '-c', SCRIPTS['the three lines']!], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  assert.is(run.status, 1, run.stderr);
  assert.match(
    readFileSync(join(folder, 'summary.md'), 'utf8'),
    /^❌ \*\*failed: standard input: [\s\S]*tar-truncated/,
  );
});

test('the hook of pre-commit takes the files that are committed', () => {
  const [{ hooks }] = precommit.repos;
  const [{ entry, files, language }] = hooks;
  assert.is(language, 'system');
  assert.ok(new RegExp(files).test('images/app.tar.gz') && !new RegExp(files).test('tar.md'));
  const { folder, env } = place('hook', sample('hello-oci.tar'));
  const hook = (name: string) =>
    spawnSync('bash', ['-c', `${entry} "$@"`, 'hook', sample(name)], { cwd: folder, env });
  assert.equal([hook('hello-oci.tar').status, hook('broken-layer.tar').status], [0, 1]);
});

test('every format of the command line has a row', () => {
  const help = execFileSync(process.execPath, [join(repositoryRoot, 'bin/waybill.js'), 'verify', '--help'], {
    encoding: 'utf8',
  }).replace(/\s+/g, ' ');
  const choices = /--format .*?\[choices: ([^\]]*)\]/.exec(help)![1]!.match(/\w+/g)!;
  assert.ok(choices.length >= 10);
  for (const format of choices) assert.match(page, `\`${format}\``, format);
});

test.run();
