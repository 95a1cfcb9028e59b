// --shard: numbers, and the variables in which engines say which part of the work a task has.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { shardChoice } from '../../src/fleet/shard.js';

type Env = Readonly<Record<string, string>>;

function chosen(value: string, env: Env = {}): string {
  const choice = shardChoice(value, env);
  return 'error' in choice ? choice.error : `${choice.shard.number}/${choice.shard.of}`;
}

test('K/N counts from 1', () => {
  for (const value of ['1/1', '3/10', '10/10', '1/1000000']) assert.is(chosen(value), value);
  assert.is(chosen('03/10'), '3/10');
});

test('a shard outside its total is an error that says the range', () => {
  assert.match(chosen('0/10'), /^0\/10: shards have numbers from 1 to 10.* use auto\/10$/);
  assert.match(chosen('11/10'), /^11\/10: expected a shard from 1 to 10, found 11$/);
  assert.match(chosen('1/0'), /expected 1 to 1000000 shards, found 0/);
  assert.match(chosen('0/0'), /expected 1 to 1000000 shards, found 0/);
  assert.match(chosen('1/1000001'), /found 1000001/);
  assert.match(chosen('99999999999999999999/9'), /expected a shard from 1 to 9/);
});

test('anything else is an error with an example', () => {
  for (const value of [
    '',
    '3',
    '/',
    '3/',
    '/10',
    '-1/10',
    '1.5/3',
    'auto/',
    'auto/x',
    'AUTO',
    ' 1/2',
    '1/2\n',
    '１/２',
  ])
    assert.match(chosen(value), /^expected K\/N, auto or auto\/N, such as 3\/10, found "/, value);
});

/** The variables of the third of ten tasks. */
const THIRD: Readonly<Record<string, Env>> = {
  GitLab: { CI_NODE_INDEX: '3', CI_NODE_TOTAL: '10' },
  'AWS Batch': { AWS_BATCH_JOB_ARRAY_INDEX: '2', AWS_BATCH_JOB_ARRAY_SIZE: '10' },
  'Cloud Run': { CLOUD_RUN_TASK_INDEX: '2', CLOUD_RUN_TASK_COUNT: '10' },
  Bazel: { TEST_SHARD_INDEX: '2', TEST_TOTAL_SHARDS: '10' },
  Buildkite: { BUILDKITE_PARALLEL_JOB: '2', BUILDKITE_PARALLEL_JOB_COUNT: '10' },
  CircleCI: { CIRCLE_NODE_INDEX: '2', CIRCLE_NODE_TOTAL: '10' },
  Slurm: slurm(2, 0, 9, 10),
};

function slurm(id: number, min: number, max: number, count: number, step = 1): Env {
  return {
    SLURM_ARRAY_TASK_ID: `${id}`,
    SLURM_ARRAY_TASK_MIN: `${min}`,
    SLURM_ARRAY_TASK_MAX: `${max}`,
    SLURM_ARRAY_TASK_COUNT: `${count}`,
    SLURM_ARRAY_TASK_STEP: `${step}`,
  };
}

for (const [engine, env] of Object.entries(THIRD)) {
  test(`auto reads the variables of ${engine}`, () => {
    assert.is(chosen('auto', env), '3/10');
    assert.is(chosen('auto/10', env), '3/10');
  });

  test(`auto/N is an error if ${engine} says another N`, () => {
    assert.match(
      chosen('auto/8', env),
      new RegExp(`^auto/8: expected 8 shards, but ${engine} says .*shard 3/10$`),
    );
  });

  test(`auto is an error where a variable of ${engine} is not set, or is nothing`, () => {
    for (const missing of Object.keys(env)) {
      if (missing === 'SLURM_ARRAY_TASK_STEP') continue;
      const rest = Object.fromEntries(Object.entries(env).filter(([name]) => name !== missing));
      for (const partial of [rest, { ...rest, [missing]: '' }]) {
        const error = chosen('auto', partial);
        assert.match(
          error,
          new RegExp(`^auto: ${engine} says .*but ${missing} is not set\\. Use --shard K/N`),
        );
        for (const [name, value] of Object.entries(rest))
          assert.ok(error.includes(`${name}=${value}`), error);
      }
    }
  });

  test(`auto is an error where a variable of ${engine} is no number`, () => {
    for (const name of Object.keys(env))
      for (const wrong of ['x', '-1', '1.0', ' 2', '0x2', '1e1', '9999999999'])
        assert.match(
          chosen('auto', { ...env, [name]: wrong }),
          new RegExp(`^auto: ${engine} says .*: expected `),
          `${name}=${wrong}`,
        );
  });
}

test('every index of every engine is another shard', () => {
  const all = (make: (i: number) => Env) => Array.from({ length: 4 }, (_, i) => chosen('auto', make(i)));
  const expected = ['1/4', '2/4', '3/4', '4/4'];
  assert.equal(
    all(i => ({ CI_NODE_INDEX: `${i + 1}`, CI_NODE_TOTAL: '4' })),
    expected,
  );
  assert.equal(
    all(i => ({ CLOUD_RUN_TASK_INDEX: `${i}`, CLOUD_RUN_TASK_COUNT: '4' })),
    expected,
  );
  assert.equal(
    all(i => slurm(i + 1, 1, 4, 4)),
    expected,
  );
  assert.equal(
    all(i => slurm(5 * i, 0, 15, 4, 5)),
    expected,
  );
  // Slurm gives the last identifier of the range or of the array.
  assert.equal(
    all(i => slurm(5 * i, 0, 19, 4, 5)),
    expected,
  );
  assert.equal(
    Array.from({ length: 4 }, (_, i) => chosen('auto/4', { JOB_COMPLETION_INDEX: `${i}` })),
    expected,
  );
});

test('an index outside of its range is an error', () => {
  const gitlab = (index: number) => chosen('auto', { CI_NODE_INDEX: `${index}`, CI_NODE_TOTAL: '4' });
  assert.match(gitlab(0), /expected an index from 1 to 4$/);
  assert.match(gitlab(5), /expected an index from 1 to 4$/);
  assert.match(
    chosen('auto', { TEST_SHARD_INDEX: '4', TEST_TOTAL_SHARDS: '4' }),
    /expected an index from 0 to 3$/,
  );
  assert.match(
    chosen('auto', { TEST_SHARD_INDEX: '0', TEST_TOTAL_SHARDS: '0' }),
    /expected 1 to 1000000 shards$/,
  );
});

test('Kubernetes sets no number of tasks: it has to be given', () => {
  assert.match(
    chosen('auto', { JOB_COMPLETION_INDEX: '2' }),
    /JOB_COMPLETION_INDEX=2, but no variable has the number of shards: use auto\/N/,
  );
  assert.is(chosen('auto/10', { JOB_COMPLETION_INDEX: '2' }), '3/10');
  assert.match(chosen('auto/2', { JOB_COMPLETION_INDEX: '2' }), /expected an index from 0 to 1/);
  assert.match(chosen('auto/0', { JOB_COMPLETION_INDEX: '2' }), /expected 1 to 1000000 shards, found 0/);
});

test('an array of Slurm with gaps is an error: a part of the work would be missing', () => {
  // --array=1,3,7 and --array=0,4,9
  assert.match(chosen('auto', slurm(3, 1, 7, 3)), /without gaps, such as --array=0-9/);
  assert.match(chosen('auto', slurm(3, 0, 9, 3, 4)), /without gaps/);
  assert.match(chosen('auto', slurm(3, 0, 9, 10, 0)), /without gaps/);
  assert.match(chosen('auto', slurm(12, 0, 9, 10)), /expected an index/);
});

test('a step that Slurm does not set is 1', () => {
  const { SLURM_ARRAY_TASK_STEP: _, ...rest } = slurm(2, 0, 9, 10);
  assert.is(chosen('auto', rest), '3/10');
});

test('auto without an engine is an error that names what was looked for', () => {
  const error = chosen('auto');
  for (const name of [
    'CI_NODE_INDEX',
    'JOB_COMPLETION_INDEX (with auto/N)',
    'SLURM_ARRAY_TASK_COUNT',
    'CIRCLE_NODE_TOTAL',
  ])
    assert.ok(error.includes(name), error);
  assert.match(error, /^auto: found none of the variables/);
  assert.match(chosen('auto/10'), /^auto: found none of the variables/);
  assert.match(chosen('auto', { HOME: '/', SLURM_JOB_ID: '7' }), /^auto: found none/);
});

test('two engines that say the same agree, and others do not', () => {
  const gitlab = THIRD.GitLab!;
  assert.is(chosen('auto', { ...gitlab, ...THIRD.Slurm }), '3/10');
  assert.match(
    chosen('auto', { ...gitlab, ...slurm(4, 0, 9, 10) }),
    /^auto: GitLab says .* shard 3\/10, and Slurm says .* shard 5\/10\. Use --shard K\/N/,
  );
  assert.match(
    chosen('auto', { ...gitlab, TEST_SHARD_INDEX: '2' }),
    /Bazel says TEST_SHARD_INDEX=2, but TEST_TOTAL_SHARDS is not set/,
  );
});

test('a job of GitLab that is no part of several has a total of 1, which says nothing', () => {
  assert.is(chosen('auto', { CI_NODE_TOTAL: '1', ...THIRD.Slurm }), '3/10');
  assert.match(chosen('auto', { CI_NODE_TOTAL: '1' }), /but CI_NODE_INDEX is not set/);
  assert.match(chosen('auto', { CI_NODE_TOTAL: '4', ...THIRD.Slurm }), /but CI_NODE_INDEX is not set/);
});

test('Bazel wants a file that says that shards are known', () => {
  const env = { ...THIRD.Bazel, TEST_SHARD_STATUS_FILE: '/tmp/status' };
  assert.equal(shardChoice('auto', env), { shard: { number: 3, of: 10 }, statusFile: '/tmp/status' });
  assert.equal(shardChoice('3/10', env), { shard: { number: 3, of: 10 }, statusFile: null });
  assert.equal(shardChoice('auto', { ...THIRD.GitLab }), { shard: { number: 3, of: 10 }, statusFile: null });
});

test.run();
