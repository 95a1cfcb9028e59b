// Bytes that are two formats at once, by their first block.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { beginsSkippable } from '../../src/codec/zstd.js';
import { isTarToo } from '../../src/containers/kind.js';
import { rawEntry, rawHeader } from '../support/tar-blocks.js';

const MAGICS: Readonly<Record<string, string>> = {
  'a gzip header with a file name': '\x1f\x8b\x08\x08',
  'a zstd data frame': '\x28\xb5\x2f\xfd',
  'a zstd skippable frame': '\x52\x2a\x4d\x18',
  bzip2: 'BZh91AY&SY',
  xz: '\xfd7zXZ\0',
};

for (const [what, magic] of Object.entries(MAGICS)) {
  test(`${what} whose first block is a valid tar header is a tar too`, () => {
    const block = rawHeader({ name: magic });
    assert.is(isTarToo(block), true);
    block[200]! ^= 1;
    assert.is(isTarToo(block), false, 'without the checksum it is none');
    assert.is(isTarToo(block.subarray(0, 511)), false, 'less than a block is none');
  });
}

test('a plain tar has one kind', () => {
  assert.is(isTarToo(rawEntry({ name: 'a' })), false);
});

test('every skippable frame is recognised, and no data frame', () => {
  for (let first = 0x50; first <= 0x5f; first++)
    assert.is(beginsSkippable(Uint8Array.of(first, 0x2a, 0x4d, 0x18, 0)), true);
  assert.is(beginsSkippable(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)), false);
  assert.is(beginsSkippable(Uint8Array.of(0x50, 0x2a, 0x4d)), false);
});

test.run();
