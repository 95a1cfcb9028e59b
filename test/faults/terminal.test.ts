// On a terminal: the progress bar is removed at the end of every run, and never wider than the terminal.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { testWhen } from '../support/corpus.js';
import { image } from '../support/image.js';
import { dockerSave25 } from '../support/layouts.js';
import { toTar } from '../support/pack.js';
import { temporary } from '../support/tmp.js';
import { largeArchive } from './archives.js';
import { type Circumstances, canRun, run } from './harness.js';

const LARGE = await largeArchive();
const CLEAR = '\r\u001b[2K';

/** Runs the command line "$@" on a terminal of this width; typed text comes from standard input. */
const terminal = (columns: number) => {
  // script(1) takes a text, so the command line is passed in a file.
  return `printf "'%s' " "$@" > line; exec script -qefc "stty cols ${columns}; exec $(cat line)" /dev/null`;
};

/**
 * The same beside `feeder`, which writes into the FIFO of that name. It is a child of the shell, because script(1)
 * would wait for it too.
 */
const fed = (fifo: string, feeder: string) =>
  `mkfifo ${fifo}; ${feeder} & feeder=$!; ( ${terminal(80)} ); code=$?; kill $feeder; wait $feeder; exit $code`;

const hasTerminal = canRun('script', '-qefc', 'stty cols 20', '/dev/null');
const onTerminal = testWhen(test, hasTerminal, 'no script(1) as util-linux has it');

/** The clock runs fast, so that the bar is always due. */
const HURRY = { WAYBILL_TEST_HURRY: '600' };

onTerminal('the bar is drawn, and cleared before the report', async () => {
  const { stdout, status } = await run(['verify', LARGE], {
    shell: terminal(80),
    env: HURRY,
    stdin: () => {},
  });
  assert.is(status, 0, stdout);
  const [nothing, ...drawn] = stdout.split(CLEAR);
  const report = drawn.pop()!;
  assert.is(nothing, '');
  for (const line of drawn)
    assert.match(line, /^\[#*\.*\] \d+% {2}[\d.]+ [kM]?B of 35\.7 MB, [\d.]+ [kMG]?B\/s$/);
  assert.match(drawn.at(-1)!, /^\[#{30}\]/);
  assert.match(report, /archive[\s\S]*verdict/);
});

onTerminal('no line of it wraps on a narrow terminal', async () => {
  const { stdout } = await run(['verify', LARGE], { shell: terminal(20), env: HURRY, stdin: () => {} });
  const drawn = stdout.split(CLEAR).slice(1, -1);
  assert.ok(drawn.length > 0);
  for (const line of drawn) assert.ok(line.length < 20, JSON.stringify(line));
});

onTerminal('a dumb terminal gets no bar, because it cannot redraw a line', async () => {
  const env = { ...HURRY, TERM: 'dumb' };
  const { stdout, status } = await run(['verify', LARGE], { shell: terminal(80), env, stdin: () => {} });
  assert.equal([status, stdout.includes('\u001b'), stdout.includes('[#')], [0, false, false], stdout);
  assert.match(stdout, /verdict/);
});

/** Ctrl-C, typed when the bar is visible. */
function typed(): Circumstances {
  let done = false;
  return {
    stdin: () => {},
    watch(output, child) {
      if (!done && /\d+ [kM]?B/.test(output)) child.stdin!.write('\u0003');
      done ||= /\d+ [kM]?B/.test(output);
    },
  };
}

onTerminal('Ctrl-C clears it too', async () => {
  // The rest of the archive never comes, so the bar stays until the command is interrupted.
  const shell = fed('slow', 'exec 9<>slow; head -c 20000000 "$ARCHIVE" >&9');
  const { stdout, status } = await run(['verify', 'slow'], {
    ...typed(),
    shell,
    env: { ...HURRY, ARCHIVE: LARGE },
  });
  assert.is(status, 130, stdout);
  assert.ok(stdout.endsWith(CLEAR) || stdout.endsWith(`${CLEAR}^C`), JSON.stringify(stdout.slice(-80)));
});

onTerminal('an error is printed on a new line', async () => {
  const faults = [{ call: 'pipe.read', nth: 40, does: { kind: 'error', code: 'EIO' } }] as const;
  const { stdout, status } = await run(['verify', 'pipe'], {
    faults,
    stdin: () => {},
    shell: fed('pipe', 'cat "$ARCHIVE" > pipe'),
    env: { ...HURRY, ARCHIVE: LARGE },
  });
  assert.is(status, 2, stdout);
  assert.match(
    stdout.slice(stdout.lastIndexOf(CLEAR) + CLEAR.length),
    /^waybill: pipe: cannot be read: i\/o error\r?\n/,
  );
});

const EVIL = 'a\nFAKE\tb\u001b[1mc\u001b[0m\u202ed';
const LIE = join(temporary('faults'), 'lie.tar');
const history = [{ created_by: EVIL, comment: EVIL }];
const of = await image({
  layers: [{ files: { f: EVIL } }],
  config: { history, config: { Labels: { EVIL } } },
});
writeFileSync(LIE, await toTar(dockerSave25({ image: of, tags: ['lie:1'] })));
const SHOWN = /a\\nFAKE(?: |\\t)b\\u\{1b\}\[1mc\\u\{1b\}\[0m\\u\{202e\}d/;

onTerminal('nothing of an archive makes lines, columns or colours', async () => {
  const rows = [
    ['history', LIE, '--no-trunc'],
    ['history', LIE, '--format', '{{.CreatedBy}}'],
    ['inspect', LIE, '--format', '{{index .Config.Labels "EVIL"}}'],
    ['images', LIE, '--tree', '--docker', '28'],
  ];
  for (const args of rows) {
    const { stdout, status } = await run(args, { shell: terminal(200), stdin: () => {} });
    assert.is(status, 0, stdout);
    assert.not.match(stdout, /^FAKE|\u202e/m);
    // Docker replaces the tabs of an instruction by spaces.
    if (!args.includes('--tree')) assert.match(stdout, SHOWN, stdout);
    assert.is(stdout.includes('\u001b'), args.includes('--tree'), 'the titles are Docker’s');
  }
  const cat = await run(['cat', LIE, 'f'], { shell: terminal(200), stdin: () => {} });
  assert.is(cat.stdout, 'a\r\nFAKE\tb\\u{1b}[1mc\\u{1b}[0m\\u{202e}d');
});

test('output that does not go to a terminal is unchanged', async () => {
  assert.is((await run(['cat', LIE, 'f'])).stdout, EVIL);
  assert.is((await run(['inspect', LIE, '--format', '{{.Config.Labels.EVIL}}'])).stdout, `${EVIL}\n`);
});

test.run();
