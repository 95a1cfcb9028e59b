// The help, and the man page that is made of it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manualPage } from '../../bin/package/manual.js';
import { COMMANDS } from '../../src/cli/command-words.js';
import { helpPage, valueName } from '../../src/cli/help.js';
import { parser } from '../../src/cli/parser.js';
import type { World } from '../../src/cli/terminal.js';
import { waybill } from '../support/cli.js';

/** As yargs writes it, before it is laid out. */
async function rawHelp(words: readonly string[]): Promise<string> {
  let help = '';
  const args = [...words, '--help'];
  const world = { exists: () => false } as unknown as World;
  await parser(args, world).parseAsync(args, {}, (_error, _given, output) => {
    help = output;
  });
  return help;
}

const SUBCOMMANDS = [
  ...['image inspect', 'image ls', 'image history', 'imagetools inspect', 'buildx imagetools inspect'],
  ...['inspect', 'create', 'annotate', 'push', 'rm'].map(word => `manifest ${word}`),
];
const ALL = [...COMMANDS, ...SUBCOMMANDS].map(words => words.split(' '));

test('every option that takes a value has a name for it, in the help and in the man page', async () => {
  const nameless: string[] = [];
  for (const words of ALL) {
    const raw = await rawHelp(words);
    const lines = raw
      .split('\n')
      .filter(line => /^ +(?:-\w, )?--[a-z]/.test(line) && !line.includes('[boolean]'));
    for (const line of lines) {
      const option = /--([a-z-]+)/.exec(line)![1]!;
      if (valueName(option) === null) nameless.push(`${words.join(' ')} --${option}`);
    }
    const page = helpPage(raw, 80);
    assert.not.match(page, /\[(?:string|array|boolean|required)\]/, words.join(' '));
  }
  assert.equal(nameless, []);
  const { stdout } = await waybill(['verify', '--help']);
  assert.match(stdout, /^ {6}--baseline FILE {2,}hide the findings/m);
  assert.match(stdout, /^ {2}-o, --output \[FORMAT=\]FILE {2,}write the report/m);
  assert.match(stdout, /^ {6}--require-complete\[=OS\/ARCH\] /m);
  assert.match((await waybill(['lock', '--help'])).stdout, /^ {2}-o, --output FILE {2,}write the lock/m);
  assert.match((await waybill(['images', '--help'])).stdout, /--format TEMPLATE {2,}a Go template/);
  const manual = await manualPage(new Date(0));
  assert.match(manual, /^\.B \\-\\-baseline FILE$/m);
  assert.match(manual, /^\.B \\-o, \\-\\-output \[FORMAT=\]FILE$/m);
});

const wordsOf = (text: string): readonly string[] => text.split(/\s+/).sort();

test('the help keeps to the width of the terminal', async () => {
  for (const words of ALL) {
    const raw = await rawHelp(words);
    for (const width of [40, 80, null]) {
      const lines = helpPage(raw, width).split('\n');
      // What cannot be broken has a line of its own.
      const long = lines.filter(line => line.length > (width ?? 100) && line.trim().includes('  '));
      assert.equal(long, [], `${words.join(' ')}, ${width}`);
      assert.equal(wordsOf(lines.join('\n')), wordsOf(helpPage(raw, 1000)), 'the same words');
    }
  }
});

test.run();
