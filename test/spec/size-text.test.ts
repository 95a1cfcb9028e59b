// Sizes as waybill's own reports write them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { binarySizeText, sizeText } from '../../src/spec/size-text.js';

const SIZES: readonly (readonly [bytes: number, decimal: string, binary: string])[] = [
  [0, '0 B', '0 B'],
  [999, '999 B', '999 B'],
  [1000, '1 kB', '1000 B'],
  [1024, '1.02 kB', '1 KiB'],
  [15_360, '15.4 kB', '15 KiB'],
  // Rounding never gives a thousand of a unit.
  [999_500, '1 MB', '976 KiB'],
  [1_048_575, '1.05 MB', '1 MiB'],
  [4_564_656, '4.56 MB', '4.35 MiB'],
  [7 * 10 ** 12, '7 TB', '6.37 TiB'],
  [5 * 10 ** 21, '5000 EB', '4337 EiB'],
];

for (const [bytes, decimal, binary] of SIZES) {
  test(`${bytes} bytes`, () => {
    assert.equal([sizeText(bytes), binarySizeText(bytes)], [decimal, binary]);
  });
}

test.run();
