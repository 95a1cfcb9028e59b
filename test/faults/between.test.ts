// An archive that is replaced at any time before its second reading: nothing of it is written.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { each } from '../support/cli.js';
import { temporary } from '../support/tmp.js';
import { smallArchive } from './archives.js';
import { run } from './harness.js';
import type { Effect } from './preload.js';

const SMALL = await smallArchive();
const OTHER = join(temporary('faults'), 'other.tar');
const bytes = readFileSync(SMALL);
/** In the layer that contains the file; its size does not change. */
const at = bytes.indexOf('hello', 0, 'latin1');
writeFileSync(OTHER, Buffer.concat([bytes.subarray(0, at), Buffer.from('HELLO'), bytes.subarray(at + 5)]));

const COMMANDS: readonly (readonly string[])[] = [
  ['extract', 'small.tar', 'out'],
  ['extract', 'small.tar', '--layers', 'out'],
  ['cat', 'small.tar', 'etc/motd', '--in', '1'],
];

const CHANGES: readonly Effect[] = [
  { kind: 'replace', file: 'small.tar', by: 'other.tar' },
  { kind: 'overwrite', file: 'small.tar', at, text: 'HELLO' },
  { kind: 'truncate', file: 'small.tar', size: at },
  { kind: 'remove', file: 'small.tar' },
];

const before = (work: string) => {
  copyFileSync(SMALL, join(work, 'small.tar'));
  copyFileSync(OTHER, join(work, 'other.tar'));
};

const strike = (args: readonly string[], nth: number, does: Effect, onwards = false) =>
  run(args, { before, faults: [{ call: 'fs.openSync', path: 'small.tar', nth, onwards, does }] });

const ROWS = (
  await Promise.all(
    COMMANDS.map(async args => {
      const { struck } = await strike(args, 1, { kind: 'nothing' }, true);
      // The last calls are those of the second reading.
      return [1, struck >> 1, struck - 1, struck].map(nth => ({ args, nth }));
    }),
  )
).flat();

/** All messages: whether one says that the file has changed depends on where it is noticed. */
const told = new Map<Effect, string>();

for (const does of CHANGES) {
  test(`${does.kind}: bytes that differ in the second reading are not written`, async () => {
    await each(ROWS, async ({ args, nth }) => {
      const { status, stderr, files, struck } = await strike(args, nth, does);
      const said = `${args.join(' ')}, ${nth}: ${status} ${stderr}`;
      assert.equal([status, struck], [2, 1], said);
      assert.match(stderr, /^waybill: .*small\.tar/, said);
      assert.equal(
        files.filter(name => name.startsWith('out')),
        [],
        said,
      );
      told.set(does, (told.get(does) ?? '') + stderr);
    });
  });
}

test('a change of the file is reported', () => {
  const said = (i: number) => told.get(CHANGES[i]!)!;
  assert.match(said(0), /it has changed while it was read: expected inode \d+.*, found inode \d+/);
  assert.match(said(1), /it has changed while it was read: expected modified .*, found modified /);
  assert.match(said(2), /it has changed while it was read: expected \d+ bytes/);
  assert.match(said(3), /found no such file or directory\n.*make a copy, then try again/);
});

test.run();
