// --limit, --timeout, --jobs and --memory on the command line: every command that reads an archive accepts them.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parser } from '../../src/cli/parser.js';
import type { World } from '../../src/cli/terminal.js';
import { defaultLimits, type ReadOptions } from '../../src/commands.js';
import { each, waybill } from '../support/cli.js';
import { repositoryRoot } from '../support/corpus.js';
import { said } from '../support/terminal.js';
import { temporary } from '../support/tmp.js';

const hello = join(repositoryRoot, 'samples/hello-oci.tar');
const docker = join(repositoryRoot, 'samples/hello-docker-28.tar');
const folder = temporary('cli-limits');

/** Every command that reads an archive, without those that write. */
const COMMANDS: readonly (readonly string[])[] = [
  [hello],
  ['show', hello],
  ['verify', hello],
  ['ids', hello],
  ['report', hello],
  ['sizes', hello],
  ['waste', hello],
  ['files', hello, '--platform', 'linux/amd64'],
  ['cat', docker, '/etc/hello.conf'],
  ['diff', docker, hello],
  ['inspect', docker],
  ['image', 'inspect', docker],
  ['history', docker],
  ['image', 'history', docker],
  ['images', docker],
  ['image', 'ls', docker],
  ['image', 'list', docker],
  ['imagetools', 'inspect', hello],
  ['buildx', 'imagetools', 'inspect', hello],
  ['manifest', 'inspect', hello],
  ['config', docker],
];

/** Commands that write, each to its own place. */
const WRITERS: readonly ((place: string) => readonly string[])[] = [
  place => ['extract', docker, place],
  place => ['extract', docker, '--layers', place],
];

const name = (args: readonly string[]) => args.filter(arg => !arg.includes('/')).join(' ') || 'show';

for (const args of COMMANDS) {
  test(`${name(args)} obeys a lowered limit, and accepts a raised one`, async () => {
    const usual = await said(args);
    assert.ok(usual.status < 2, usual.stderr);
    const raised = [
      '--limit',
      'documentBytes=50M',
      '--limit',
      'members=2M',
      '--timeout',
      '1h',
      '--jobs',
      '1',
    ];
    assert.equal(await said([...args, ...raised, '--memory', '1G']), usual);
    const lowered = await said([...args, '--limit', 'documentBytes=10']);
    assert.is.not(lowered.stdout, usual.stdout);
  });
}

for (const [i, argsOf] of WRITERS.entries()) {
  test(`extract obeys a lowered limit, and accepts a raised one (${i})`, async () => {
    const usual = await said(argsOf(join(folder, `usual-${i}`)));
    assert.is(usual.status, 0, usual.stderr);
    const raised = ['--limit', 'documentBytes=50M', '--jobs', '1', '--memory', '1G'];
    assert.is((await said([...argsOf(join(folder, `raised-${i}`)), ...raised])).status, 0);
    const lowered = [...argsOf(join(folder, `lowered-${i}`)), '--limit', 'documentBytes=10'];
    assert.is.not((await said(lowered)).status, 0);
  });
}

test('manifest create and push obey limits', async () => {
  const lists = join(folder, 'lists');
  const create = ['manifest', 'create', 'app:1', docker];
  assert.is((await said([...create, '--limit', 'documentBytes=10'], { lists })).status, 2);
  assert.is((await said([...create, '--limit', 'documentBytes=50M', '--jobs', '1'], { lists })).status, 0);
  const push = (out: string) => ['manifest', 'push', 'app:1', '--output', join(folder, out)];
  assert.is((await said([...push('less'), '--limit', 'members=1'], { lists })).status, 2);
  assert.is((await said([...push('enough'), '--limit', 'members=1000'], { lists })).status, 0);
});

/** The read options that result from these arguments. */
async function told(...args: readonly string[]): Promise<Omit<ReadOptions, 'onProgress'>> {
  let options: ReadOptions | null = null;
  const unused = (): never => {
    throw assert.unreachable();
  };
  const world: World = {
    within: async () => {},
    read(_, given) {
      options = given;
      return Promise.reject(new Error('enough'));
    },
    print: unused,
    answer: unused,
    put: unused,
    exists: () => true,
    lists: () => '',
    now: () => new Date(0),
    progress: work => work(() => {}),
    width: () => null,
  };
  await parser(['show', hello, ...args], world)
    .parseAsync()
    .then(unused, error => assert.is(error.message, 'enough'));
  const { onProgress, ...rest } = options!;
  return rest;
}

test('limits on the command line reach the reader', async () => {
  const depth = 'metadata';
  assert.equal(await told(), { depth });
  assert.equal(await told('--jobs', '4', '--memory', '512M'), { depth, jobs: 4, memory: 512e6 });
  assert.equal(await told('--jobs=4', '--jobs=2'), { depth, jobs: 2 });
  for (const [text, seconds] of [
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    ['2h', 7200],
  ] as const) {
    assert.equal(await told('--timeout', text), { depth, limits: { seconds } });
  }
  assert.equal(await told('--limit', 'members=5', '--limit=indexDepth=3', '--limit', 'members=6'), {
    depth,
    limits: { members: 6, indexDepth: 3 },
  });
  assert.equal(await told('--limit', 'seconds=7', '--timeout', '9'), { depth, limits: { seconds: 9 } });
});

test('sizes in every unit', async () => {
  for (const [text, value] of [
    ['1000', 1000],
    ['1k', 1e3],
    ['1K', 1e3],
    ['1kB', 1e3],
    ['50M', 50e6],
    ['1.5M', 1.5e6],
    ['2G', 2e9],
    ['1T', 1e12],
    ['1Ki', 1024],
    ['48Mi', 48 * 2 ** 20],
    ['64MiB', 64 * 2 ** 20],
    ['0.5Gi', 2 ** 29],
    ['2Ti', 2 * 2 ** 40],
    ['0', 0],
  ] as const) {
    assert.equal((await told('--limit', `layerBytes=${text}`)).limits, { layerBytes: value }, text);
  }
  for (const text of [
    '',
    'x',
    '-1',
    '1X',
    '1 M',
    '1e6',
    '0x10',
    '١',
    '1.',
    '1.5',
    '.5',
    'Infinity',
    'NaN',
    '99999999999999999',
  ]) {
    const { status, stderr } = await said(['show', hello, '--limit', `layerBytes=${text}`]);
    assert.is(status, 2, text);
    assert.match(
      stderr,
      /--limit layerBytes: expected a whole number, as in 50000000, 50M or 48Mi, found /,
      text,
    );
  }
});

for (const [args, words] of [
  [['--limit', 'x'], /--limit: expected NAME=VALUE, as in documentBytes=50M, found "x"/],
  [['--limit', 'x=1'], new RegExp(`there is no "x"; there are ${Object.keys(defaultLimits).join(', ')}`)],
  [['--limit', '__proto__=1'], /there is no "__proto__"/],
  [['--limit', 'constructor=1'], /there is no "constructor"/],
  [['--limit', 'documentDepth=5k'], /documentDepth: expected a whole number from 0 to 2000, found 5000/],
  [['--limit', 'findingsPerCode=0'], /findingsPerCode: expected a whole number from 1 /],
  [['--limit'], /--limit has no value: expected --limit VALUE/],
  [['--jobs', '0'], /--jobs: expected a number of threads from 1 to 256, found "0"/],
  [['--jobs', 'x'], /--jobs: expected .* found "x"/],
  [['--jobs', '-1'], /--jobs/],
  [['--jobs', '1.5'], /--jobs: expected .* found "1\.5"/],
  [['--jobs', '1000000'], /--jobs: expected .* to 256, found "1000000"/],
  [['--jobs', ''], /--jobs: expected .* found ""/],
  [['--memory', '1k'], /--memory: expected a size from \d+Mi, as in 512M or 1Gi, found "1k"/],
  [['--memory', '0'], /--memory: expected a size .* found "0"/],
  [['--memory', 'lots'], /--memory: expected a size .* found "lots"/],
  [['--timeout', '0'], /--timeout: expected a time from 1s, as in 90s, 5m or 1h, found "0"/],
  [['--timeout', 'soon'], /--timeout: expected a time .* found "soon"/],
  [['--timeout', '1.5h'], /--timeout: expected a time .* found "1\.5h"/],
] as const) {
  test(`${args.join(' ')} is refused by every command before anything is read`, async () => {
    for (const command of [
      ['verify', '/nowhere'],
      ['images', '/nowhere'],
      ['cat', '/nowhere', '/x'],
      ['diff', '/nowhere', '/nowhere'],
    ]) {
      const { status, stderr, stdout } = await said([...command, ...args]);
      assert.is(status, 2);
      assert.is(stdout, '');
      assert.match(stderr, words);
    }
  });
}

test('--help of every command that reads archives has the limits in one group, and no other help has them', async () => {
  const commands = COMMANDS.map(args => args.filter(arg => !arg.includes('/') && !arg.startsWith('-')));
  const written = [['extract'], ['manifest', 'create'], ['manifest', 'push']];
  const helps = await each(
    [...commands, ...written],
    async args => (await waybill([...args, '--help'])).stdout,
  );
  for (const help of helps)
    assert.match(
      help,
      /\nLimits:\n +--limit .*\n(.*\n)*? +--timeout .*\n(.*\n)*? +--jobs .*\n(.*\n)*? +--memory /,
    );
  const others = [['explain'], ['manifest', 'annotate'], ['manifest', 'rm']];
  for (const help of await each(others, async args => (await waybill([...args, '--help'])).stdout))
    assert.not.match(help, /--limit/);
});

test('a limit that was reached is reported with the flag that raises it', async () => {
  let flag = '--limit documentBytes=300';
  const flags: string[] = [];
  for (let tries = 0; tries < 10; tries++) {
    const { stdout, status } = await said(['verify', hello, ...flag.split(' ')]);
    const [, next] = / \((--limit documentBytes=\d+\w*) allows more\)/.exec(stdout) ?? [];
    assert.is(status, next === undefined ? 0 : 1);
    flags.push(flag);
    if (next === undefined) break;
    flag = next;
  }
  // The size that one document needs is known at once; a larger one after it is found only then.
  assert.ok(flags.length > 1 && flags.length < 5, flags.join());
});

test.run();
