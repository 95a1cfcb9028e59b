// The recipes of engines that are not on this machine: their files keep to the published schemas, and their commands
// run as the engine starts them, a task for each shard with the variables that it sets. GitLab's pipeline runs as a
// whole.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { Job } from 'kubernetes-models/batch/v1';
import { ConfigMap, PersistentVolumeClaim } from 'kubernetes-models/v1';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse, parseAllDocuments } from 'yaml';
import { each } from '../support/cli.js';
import { hasCommand } from '../support/compression.js';
import { repositoryRoot, testWhen } from '../support/corpus.js';
import { temporary } from '../support/tmp.js';
import { assertMerged, RECIPES, recipeFleet, task, type Workplace, workplace } from './runs.js';

const text = (name: string) => readFileSync(join(RECIPES, name), 'utf8');
// biome-ignore lint/suspicious/noExplicitAny: documents of engines, which their schemas check
type Document = any;
const yaml = (name: string): Document => parse(text(name));

const { archives, whole, judged, policy } = recipeFleet('engines');
const INDEXES = [0, 1, 2, 3, 4, 5, 6, 7];

/** A workplace with the policy in it, and the results files that its tasks write. */
function policed(name: string, scripts: Readonly<Record<string, string>> = {}): Workplace {
  const place = workplace(name, scripts);
  cpSync(policy, join(place.folder, 'policy.yaml'));
  return place;
}

const shards = (folder: string, from: 0 | 1 = 0) =>
  INDEXES.map(index => join(folder, `shard-${index + from}.ndjson`));

/** Starts the task of each shard. The two with an archive that cannot be read fail, the others do not. */
async function eachShard(start: (index: number) => Promise<number>): Promise<void> {
  const statuses = await each(INDEXES, start, 2);
  assert.equal([...statuses].sort(), [0, 0, 0, 0, 0, 0, 1, 1], `${statuses}`);
}

const bash = (script: string) => ['bash', '-e', '-c', script];

const manifests = (name: string): Document[] =>
  parseAllDocuments(text(`kubernetes/${name}`)).map(document => document.toJS());
const [configMap, claim, scanJob] = manifests('scan.yaml');
const [mergeJob] = manifests('merge.yaml');

test('Kubernetes: the manifests keep to the published schemas', () => {
  new ConfigMap(configMap).validate();
  new PersistentVolumeClaim(claim).validate();
  new Job(scanJob).validate();
  new Job(mergeJob).validate();
  const wrong = { ...scanJob, spec: { ...scanJob.spec, completions: 'eight' } };
  assert.throws(() => new Job(wrong).validate());
});

/** The schemas allow properties that they do not name; the compiler refuses them. */
test('Kubernetes: the manifests have no property that is not known', () => {
  const project = temporary('kubernetes');
  symlinkSync(join(repositoryRoot, 'node_modules'), join(project, 'node_modules'));
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const check = (job: Document) => {
    const lines = [
      "import type { IConfigMap, IPersistentVolumeClaim } from 'kubernetes-models/v1';",
      "import type { IJob } from 'kubernetes-models/batch/v1';",
      `export const map: IConfigMap = ${JSON.stringify(configMap)};`,
      `export const claim: IPersistentVolumeClaim = ${JSON.stringify(claim)};`,
      `export const jobs: IJob[] = [${JSON.stringify(job)}, ${JSON.stringify(mergeJob)}];`,
    ];
    writeFileSync(join(project, 'manifests.ts'), lines.join('\n'));
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', 'manifests.ts'];
    const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    return spawnSync(process.execPath, [tsc, ...options], { cwd: project, encoding: 'utf8' });
  };
  const { status, stdout } = check(scanJob);
  assert.is(status, 0, stdout);
  assert.match(check({ ...scanJob, spec: { ...scanJob.spec, paralellism: 2 } }).stdout, 'paralellism');
});

test('Kubernetes: pods do their shards, and the merge fails until all of them are done', async () => {
  const place = workplace('kubernetes');
  const results = join(place.folder, 'results');
  mkdirSync(results);
  const file = join(place.folder, 'policy.yaml');
  writeFileSync(file, configMap.data['policy.yaml']);
  const pod = (job: Document, index: number | null) => {
    const { args } = job.spec.template.spec.containers[0] as { args: readonly string[] };
    const words = args.map(word =>
      word
        .replace('$(JOB_COMPLETION_INDEX)', `${index}`)
        .replace(/^\/archives$/, archives)
        .replace('=/policy/policy.yaml', `=${file}`)
        .replace(/(^|=)\/results\//, `$1${results}/`),
    );
    return task(place, ['waybill', ...words], index === null ? {} : { JOB_COMPLETION_INDEX: `${index}` });
  };
  assert.is(await pod(mergeJob, null), 2);
  assert.not.ok(existsSync(join(results, 'fleet.html')));
  assert.is(scanJob.spec.completions, INDEXES.length);
  // Exit code 1 makes an index fail at once, without another try.
  const statuses = await each(INDEXES, index => pod(scanJob, index), 2);
  assert.is(statuses.filter(status => status === 2).length, 2);
  assert.is(await pod(mergeJob, null), 2);
  assert.ok(existsSync(join(results, 'fleet.html')));
  assertMerged(shards(results), judged);
});

interface WorkflowParser {
  readonly parseWorkflow: (
    file: { readonly name: string; readonly content: string },
    trace: object,
  ) => { readonly context: { readonly errors: { readonly getErrors: () => readonly Error[] } } };
  readonly NoOperationTraceWriter: new () => object;
}

/** GitHub's own parser. It imports JSON in a way that not every Node does, so it is bundled. */
function workflowParser(): WorkflowParser {
  const outfile = join(temporary('workflow'), 'parser.cjs');
  const contents = "export * from '@actions/workflow-parser'";
  const stdin = { contents, resolveDir: repositoryRoot };
  buildSync({ stdin, bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'silent' });
  return createRequire(import.meta.url)(outfile);
}

test('GitHub Actions: the workflow keeps to the schema, with its expressions', () => {
  const { parseWorkflow, NoOperationTraceWriter } = workflowParser();
  const errors = (content: string) =>
    parseWorkflow({ name: 'github.yml', content }, new NoOperationTraceWriter()).context.errors.getErrors();
  assert.equal(errors(text('github.yml')).map(String), []);
  assert.is(errors(text('github.yml').replace('matrix.shard', 'matrx.shard')).length, 1);
});

test('GitHub Actions: the matrix does the shards, and the merge is a summary, a page and SARIF', async () => {
  const place = policed('github');
  const { scan, merge } = yaml('github.yml').jobs;
  const command = ({ steps }: Document) =>
    steps.map(({ run = '' }: { run?: string }) => run).find((run: string) => run.startsWith('waybill'));
  const { shard: numbers } = scan.strategy.matrix;
  assert.equal(
    numbers,
    INDEXES.map(index => index + 1),
  );
  const run = (number: number) =>
    command(scan)
      .replace('/srv/archives', archives)
      .replaceAll(/\$\{\{ matrix\.shard \}\}/g, `${number}`)
      .replaceAll(/\$\{\{ strategy\.job-total \}\}/g, `${numbers.length}`);
  await eachShard(index => task(place, bash(run(index + 1))));
  assertMerged(shards(place.folder, 1), judged);
  const summary = join(place.folder, 'summary');
  assert.is(await task(place, bash(command(merge)), { GITHUB_STEP_SUMMARY: summary }), 2);
  for (const file of [summary, join(place.folder, 'fleet.html'), join(place.folder, 'fleet.sarif')])
    assert.ok(existsSync(file), file);
});

/** The program is built for Node 22; this is all of it that Node 20 lacks. */
const UNION = 'Set.prototype.union ??= function (other) { return new Set([...this, ...other]); }';
const PRELOAD = `data:text/javascript,${encodeURIComponent(UNION)}`;

function gitlab(place: Workplace, args: readonly string[]) {
  const program = join(repositoryRoot, 'node_modules/gitlab-ci-local/dist/index.js');
  const env = { ...place.env, GIT_CONFIG_GLOBAL: '/dev/null', HOME: place.folder, CI: undefined };
  const git = (...words: string[]) =>
    spawnSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...words], {
      cwd: place.folder,
      env,
    });
  for (const words of [
    ['init', '-q'],
    ['remote', 'add', 'origin', 'git@gitlab.com:example/fleet.git'],
    ['add', '.gitlab-ci.yml', 'policy.yaml'],
    ['commit', '-qm', 'fleet'],
  ])
    git(...words);
  return spawnSync(process.execPath, ['--import', PRELOAD, program, ...args], {
    cwd: place.folder,
    encoding: 'utf8',
    env,
  });
}

testWhen(
  test,
  hasCommand('git'),
  'no git is installed',
)('GitLab: the pipeline keeps to the schema, and `parallel` makes 8 jobs', () => {
  const place = policed('gitlab-list');
  const write = (content: string) => writeFileSync(join(place.folder, '.gitlab-ci.yml'), content);
  write(text('gitlab-ci.yml'));
  const { status, stdout, stderr } = gitlab(place, ['--list']);
  assert.is(status, 0, stderr);
  assert.is(stdout.match(/^scan: \[\d\/8\]/gm)?.length, 8, stdout);
  write(text('gitlab-ci.yml').replace('parallel: 8', 'parallel: many'));
  assert.is.not(gitlab(place, ['--list']).status, 0);
});

testWhen(
  test,
  hasCommand('git') && hasCommand('rsync'),
  'no git or no rsync is installed',
)('GitLab: the pipeline runs, also if the job of a shard fails', () => {
  const place = policed('gitlab', { npm: '' });
  writeFileSync(join(place.folder, '.gitlab-ci.yml'), text('gitlab-ci.yml'));
  const run = gitlab(place, ['--force-shell-executor', '--variable', `ARCHIVES=${archives}`]);
  assert.is.not(run.status, 0, 'an archive cannot be read');
  assertMerged(shards(place.folder, 1), judged);
  for (const file of ['fleet.html', 'fleet.xml']) assert.ok(existsSync(join(place.folder, file)), run.stdout);
});

test('Buildkite: the parallel jobs do the shards, and the merge is an annotation', async () => {
  const place = policed('buildkite', { 'buildkite-agent': '[ "$1" = artifact ] || cat > annotation' });
  const [scan, merge] = yaml('buildkite.yml').steps;
  assert.is(scan.parallelism, INDEXES.length);
  const command = (step: Document) => step.command.replaceAll('$$', '$').replace('/srv/archives', archives);
  await eachShard(index =>
    task(place, bash(command(scan)), {
      BUILDKITE_PARALLEL_JOB: `${index}`,
      BUILDKITE_PARALLEL_JOB_COUNT: `${INDEXES.length}`,
    }),
  );
  assertMerged(shards(place.folder), judged);
  assert.is(await task(place, bash(command(merge))), 2);
  assert.ok(readFileSync(join(place.folder, 'annotation'), 'utf8').length > 100);
});

/** A folder as the one that tasks of a cloud share. */
function mounted(name: string) {
  const place = policed(name);
  return { place, results: place.folder, variables: { ARCHIVES: archives, RESULTS: place.folder } };
}

test('AWS Batch: the children of the array do the shards, and the merge job follows them', async () => {
  const { place, results, variables } = mounted('aws');
  const { containerProperties } = JSON.parse(text('aws-batch/scan.json'));
  const submit = text('aws-batch/submit.sh');
  assert.match(submit, `size=${INDEXES.length} `);
  await eachShard(index =>
    task(place, containerProperties.command, {
      ...variables,
      AWS_BATCH_JOB_ARRAY_INDEX: `${index}`,
      AWS_BATCH_JOB_ARRAY_SIZE: `${INDEXES.length}`,
    }),
  );
  assertMerged(shards(results), judged);
  const overrides = JSON.parse(/^ {2}'(\{.*\})'$/m.exec(submit)![1]!);
  assert.is(await task(place, overrides.command, variables), 2);
  assert.ok(existsSync(join(results, 'fleet.html')));
});

test('Cloud Run: the tasks do the shards', async () => {
  const { place, results, variables } = mounted('cloud-run');
  const { template: execution } = yaml('cloud-run.yaml').spec;
  assert.is(execution.spec.taskCount, INDEXES.length);
  const [{ command, args }] = execution.spec.template.spec.containers;
  await eachShard(index =>
    task(place, [...command, ...args], {
      ...variables,
      CLOUD_RUN_TASK_INDEX: `${index}`,
      CLOUD_RUN_TASK_COUNT: `${INDEXES.length}`,
    }),
  );
  assertMerged(shards(results), judged);
});

test('Bazel: each shard of the test touches its status file, and leaves its results', async () => {
  const place = workplace('bazel');
  assert.match(text('bazel/BUILD.bazel'), `shard_count = ${INDEXES.length},`);
  const outputs = (index: number) => join(place.folder, `shard_${index + 1}_of_${INDEXES.length}`);
  await each(
    INDEXES,
    async index => {
      mkdirSync(outputs(index));
      await task(place, [join(RECIPES, 'bazel/fleet.sh'), archives], {
        TEST_SHARD_INDEX: `${index}`,
        TEST_TOTAL_SHARDS: `${INDEXES.length}`,
        TEST_SHARD_STATUS_FILE: join(outputs(index), 'status'),
        TEST_UNDECLARED_OUTPUTS_DIR: outputs(index),
      });
      assert.ok(existsSync(join(outputs(index), 'status')));
    },
    2,
  );
  assertMerged(
    INDEXES.map(index => join(outputs(index), 'shard.ndjson')),
    whole,
  );
});

test.run();
