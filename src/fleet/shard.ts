import type { Shard } from './record.js';

/** The value of `--shard`, or why there is none. */
export type ShardChoice =
  | {
      readonly shard: Pick<Shard, 'number' | 'of'>;
      /** A file that must be created to tell Bazel that shards are known here; null without one. */
      readonly statusFile: string | null;
    }
  | { readonly error: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables in which an engine tells a task its index and the number of tasks. */
interface Engine {
  readonly name: string;
  readonly index: string;
  /** null where the engine sets none. */
  readonly total: string | null;
  /** The first index. */
  readonly from: 0 | 1;
}

/** Slurm is not among them: its index has a beginning and a step. */
const ENGINES: readonly Engine[] = [
  // https://docs.gitlab.com/ci/variables/predefined_variables/
  { name: 'GitLab', index: 'CI_NODE_INDEX', total: 'CI_NODE_TOTAL', from: 1 },
  // https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
  {
    name: 'AWS Batch',
    index: 'AWS_BATCH_JOB_ARRAY_INDEX',
    total: 'AWS_BATCH_JOB_ARRAY_SIZE',
    from: 0,
  },
  // https://cloud.google.com/run/docs/container-contract#jobs-env-vars
  { name: 'Cloud Run', index: 'CLOUD_RUN_TASK_INDEX', total: 'CLOUD_RUN_TASK_COUNT', from: 0 },
  // https://bazel.build/reference/test-encyclopedia#test-sharding
  { name: 'Bazel', index: 'TEST_SHARD_INDEX', total: 'TEST_TOTAL_SHARDS', from: 0 },
  // https://buildkite.com/docs/pipelines/configure/environment-variables
  { name: 'Buildkite', index: 'BUILDKITE_PARALLEL_JOB', total: 'BUILDKITE_PARALLEL_JOB_COUNT', from: 0 },
  // https://circleci.com/docs/parallelism-faster-jobs/
  { name: 'CircleCI', index: 'CIRCLE_NODE_INDEX', total: 'CIRCLE_NODE_TOTAL', from: 0 },
  // https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode
  { name: 'Kubernetes', index: 'JOB_COMPLETION_INDEX', total: null, from: 0 },
];

const MOST_SHARDS = 1_000_000;

/**
 * Reads the value of `--shard`: `K/N` from 1, `auto`, or `auto/N`.
 * @param environment  the variables of the process: `auto` reads those that engines set
 */
export function shardChoice(value: string, environment: Environment): ShardChoice {
  const [, number, of] = /^(\d+)\/(\d+)$/.exec(value) ?? [];
  if (number !== undefined) return numbered(value, Number(number), Number(of));
  const [isAuto, , given] = /^auto(\/(\d+))?$/.exec(value) ?? [];
  if (isAuto === undefined)
    return { error: `expected K/N, auto or auto/N, such as 3/10, found ${JSON.stringify(value)}` };
  if (given === undefined) return automatic(environment, null);
  const total = Number(given);
  if (total < 1 || total > MOST_SHARDS)
    return { error: `${value}: expected 1 to ${MOST_SHARDS} shards, found ${given}` };
  return automatic(environment, total);
}

function numbered(value: string, number: number, of: number): ShardChoice {
  if (of < 1 || of > MOST_SHARDS)
    return { error: `${value}: expected 1 to ${MOST_SHARDS} shards, found ${of}` };
  if (number === 0)
    return {
      error: `${value}: shards have numbers from 1 to ${of}. For an index from 0, as engines set it, use auto/${of}`,
    };
  if (number > of) return { error: `${value}: expected a shard from 1 to ${of}, found ${number}` };
  return { shard: { number, of }, statusFile: null };
}

/** The shard that the variables of one engine say, or why they say none. */
type EngineShard =
  | { readonly engine: string; readonly said: string; readonly number: number; readonly of: number }
  /** Only some of them are set. */
  | { readonly engine: string; readonly said: string; readonly missing: string }
  | { readonly engine: string; readonly said: string; readonly wrong: string };

type CompleteShard = Extract<EngineShard, { number: number }>;

function automatic(environment: Environment, given: number | null): ShardChoice {
  const found = [...ENGINES.map(engine => read(engine, environment, given)), slurm(environment)].filter(
    said => said !== null,
  );
  const wrong = found.find(said => 'wrong' in said);
  if (wrong !== undefined) return { error: `auto: ${wrong.engine} says ${wrong.said}: ${wrong.wrong}` };
  const complete = found.filter((said): said is CompleteShard => 'number' in said);
  const partial = found.filter(said => 'missing' in said);
  const [first] = complete;
  // A job of GitLab without `parallel` has this total and no index: it says that it is no part of several.
  const unclear = partial.find(({ said }) => first === undefined || said !== 'CI_NODE_TOTAL=1');
  if (unclear !== undefined)
    return {
      error: `auto: ${unclear.engine} says ${unclear.said}, but ${unclear.missing}. Use --shard K/N in place of auto`,
    };
  if (first === undefined) return { error: notFound() };
  const other = complete.find(({ number, of }) => number !== first.number || of !== first.of);
  if (other !== undefined)
    return { error: `auto: ${spoken(first)}, and ${spoken(other)}. Use --shard K/N to say which is meant` };
  if (given !== null && given !== first.of)
    return { error: `auto/${given}: expected ${given} shards, but ${spoken(first)}` };
  const { number, of } = first;
  return { shard: { number, of }, statusFile: environment.TEST_SHARD_STATUS_FILE || null };
}

const spoken = ({ engine, said, number, of }: CompleteShard) =>
  `${engine} says ${said}, which is shard ${number}/${of}`;

const notFound = () =>
  `auto: found none of the variables that engines set: ${[
    ...ENGINES.map(({ index, total }) =>
      total === null ? `${index} (with auto/N)` : `${index} and ${total}`,
    ),
    `${SLURM.join(', ')}`,
  ].join('; ')}. Use --shard K/N`;

/** A variable that is set to nothing counts as not set. */
const shownAs = (environment: Environment, names: readonly string[]) =>
  names
    .filter(name => environment[name])
    .map(name => `${name}=${environment[name]}`)
    .join(', ');

const numberIn = (text: string): number | null => (/^\d{1,9}$/.test(text) ? Number(text) : null);

/** null where none of an engine's variables is set. */
function read(
  { name, index, total, from }: Engine,
  env: Environment,
  given: number | null,
): EngineShard | null {
  const names = total === null ? [index] : [index, total];
  const said = { engine: name, said: shownAs(env, names) };
  if (said.said === '') return null;
  if (!env[index]) return { ...said, missing: `${index} is not set` };
  // The number of shards that the user gives is as good as the engine's.
  const of = total !== null && env[total] ? numberIn(env[total]!) : given;
  if (of === null && (total === null || !env[total]))
    return {
      ...said,
      missing: `${total === null ? 'no variable has the number of shards: use auto/N' : `${total} is not set`}`,
    };
  return inRange(said, numberIn(env[index]!), of, from);
}

function inRange(
  said: { readonly engine: string; readonly said: string },
  index: number | null,
  of: number | null,
  from: number,
): EngineShard {
  if (index === null || of === null) return { ...said, wrong: 'expected whole numbers' };
  if (of < 1 || of > MOST_SHARDS) return { ...said, wrong: `expected 1 to ${MOST_SHARDS} shards` };
  if (index < from || index >= of + from)
    return { ...said, wrong: `expected an index from ${from} to ${of + from - 1}` };
  return { ...said, number: index - from + 1, of };
}

/** Its step is 1 if SLURM_STEP is not set. https://slurm.schedmd.com/job_array.html */
const SLURM = [
  'SLURM_ARRAY_TASK_ID',
  'SLURM_ARRAY_TASK_MIN',
  'SLURM_ARRAY_TASK_MAX',
  'SLURM_ARRAY_TASK_COUNT',
] as const;
const SLURM_STEP = 'SLURM_ARRAY_TASK_STEP';

function slurm(env: Environment): EngineShard | null {
  const said = { engine: 'Slurm', said: shownAs(env, [...SLURM, SLURM_STEP]) };
  if (said.said === '') return null;
  const missing = SLURM.filter(name => !env[name]);
  if (missing.length > 0)
    return { ...said, missing: `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not set` };
  const numbers = [...SLURM.map(name => env[name]!), env[SLURM_STEP] || '1'].map(numberIn);
  if (numbers.includes(null)) return { ...said, wrong: 'expected whole numbers' };
  const [id, min, max, count, step] = numbers as number[];
  const position = (id! - min!) / step!;
  const isEven = step! > 0 && Math.floor((max! - min!) / step!) + 1 === count && Number.isInteger(position);
  if (!isEven)
    return { ...said, wrong: 'expected an array without gaps, such as --array=0-9 or --array=0-20:5' };
  return inRange(said, position, count!, 0);
}
