// Headers with arbitrary numbers: Go's archive/tar, and so every engine, refuses the same ones as waybill's model.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { goHeaderFault } from '../../src/tar/entry.js';
import { hasValidChecksum } from '../../src/tar/header.js';
import { hasGo, readByGo } from '../scan/go-tar.js';
import { testWhen } from '../support/corpus.js';
import { type RawHeader, rawHeader, withChecksum } from '../support/tar-blocks.js';

const SEED = 20_261_205;

/** Offsets and lengths of numeric fields in the header formats. */
const FIELDS: readonly (readonly [at: number, length: number])[] = [
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [329, 8],
  [337, 8],
  [345, 12],
  [357, 12],
  [476, 12],
  [488, 12],
  [483, 12],
  [386, 12],
  [398, 12],
  [508, 4],
  [262, 3],
];

const byte = fc.constantFrom(
  ...[0, 0x20, 0x30, 0x31, 0x37, 0x38, 0x2b, 0x2d, 0x5f, 0x61, 0x7f, 0x80, 0xbf, 0xc0, 0xff],
);
const garbage = fc.array(byte, { minLength: 12, maxLength: 12 });
const number = fc.constantFrom('0000000\0', '       1', '7 7', '1\x009', ' \x00', '0000755 ', '');
const change = fc.record({
  field: fc.nat(FIELDS.length - 1),
  with: fc.oneof(
    garbage,
    number.map(text => [...Buffer.from(text.padEnd(12, '\0'), 'latin1')]),
  ),
});
const header = fc.record({
  format: fc.constantFrom<NonNullable<RawHeader['format']>>('ustar', 'gnu', 'v7', 'star'),
  flag: fc.constantFrom('0', '', '1', '2', '3', '5', '7', 'S', 'Z'),
  changes: fc.array(change, { maxLength: 3 }),
});

function blockOf({ format, flag, changes }: typeof header extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const block = rawHeader({ name: 'f', format, flag });
  for (const { field, with: bytes } of changes) {
    const [at, length] = FIELDS[field]!;
    block.set(bytes.slice(0, length), at);
  }
  return withChecksum(block);
}

const go = testWhen(test, hasGo, 'Go is not installed');

go('headers that Go refuses', () => {
  const samples = fc.sample(header, { seed: SEED, numRuns: 3000 });
  const blocks = samples.map(blockOf);
  let refused = 0;
  const answers = readByGo(blocks.map(block => Buffer.concat([block, Buffer.alloc(4096)])));
  for (const [i, { error }] of answers.entries()) {
    const fault = goHeaderFault(blocks[i]!);
    const isRefused = error === 'archive/tar: invalid tar header';
    if (isRefused) refused++;
    const what = `${JSON.stringify(samples[i])} ${fault}`;
    // Go also compares the positions of a sparse file's segments, which is not a fault of the header.
    if (samples[i]!.flag === 'S' && isRefused && fault === null) continue;
    assert.is(fault !== null, isRefused, what);
  }
  assert.ok(refused > 300 && refused < 2700, String(refused));
});

test('a checksum is parsed as Go parses numbers', () => {
  for (const [text, isRead] of [
    ['%\0 ', true],
    [' %\0 ', true],
    ['%\x009', true],
    ['%9\0', false],
    ['%\x01', false],
  ] as const) {
    const block = rawHeader({ name: 'f' });
    const sum = block.toString('latin1', 150, 154);
    block.fill(0, 148, 156);
    block.write(text.replace('%', sum), 148, 'latin1');
    assert.is(hasValidChecksum(block), isRead, JSON.stringify(text));
  }
});

test('the faulty field is named', () => {
  const fault = (patch: Partial<RawHeader>) => goHeaderFault(rawHeader({ name: 'f', ...patch }));
  const put = (text: string, at: number) => (block: Buffer) => void block.write(text, at, 'latin1');
  assert.is(fault({}), null);
  assert.is(fault({ mode: 'zzzzzzz\0' }), 'mode');
  assert.is(fault({ uid: 'root' }), 'uid');
  assert.is(fault({ gid: '-1' }), 'gid');
  assert.is(fault({ mtime: '9' }), 'mtime');
  assert.is(fault({ size: '\xff'.repeat(12) }), 'size');
  assert.is(fault({ size: '\xff'.repeat(12), flag: '2' }), null);
  assert.is(fault({ patch: put('x', 329) }), 'devmajor');
  assert.is(fault({ format: 'v7', patch: put('x', 329) }), null);
  assert.is(fault({ format: 'star', patch: put('x', 480) }), 'atime');
  assert.is(fault({ format: 'ustar', patch: put('x', 480) }), null);
  assert.is(fault({ format: 'gnu', patch: put('x', 345) }), null);
  assert.is(fault({ format: 'star', flag: 'S' }), 'type');
});

test.run();
