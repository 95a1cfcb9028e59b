// Pairing sequences, and telling whether one is another in a different order.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isReordered, pairUp } from '../../../src/analysis/diff/changes.js';

const letters = (text: string) => text.split('').filter(Boolean);

/** `a-a b-. .-c`: elements side by side, a dot where one has none. */
const paired = (a: string, b: string) =>
  pairUp(letters(a), letters(b))
    .map(([i, j]) => `${i === null ? '.' : a[i]}${j === null ? '.' : b[j]}`)
    .join(' ');

test('what both have in one order belongs together', () => {
  assert.is(paired('abc', 'abc'), 'aa bb cc');
  assert.is(paired('abc', 'abxc'), 'aa bb .x cc');
  assert.is(paired('abxc', 'abc'), 'aa bb x. cc');
  assert.is(paired('axc', 'ayc'), 'aa x. .y cc');
  assert.is(paired('abcd', 'bxd'), 'a. bb c. .x dd');
  assert.is(paired('ab', 'ba'), 'a. bb .a');
  assert.is(paired('aab', 'ab'), 'aa a. bb');
  assert.is(paired('', 'ab'), '.a .b');
  assert.is(paired('', ''), '');
});

test('sequences too long to be compared are different, but for their ends', () => {
  const many = (name: string) => Array.from({ length: 3000 }, (_, i) => `${name}${i}`);
  const pairs = pairUp(['same', ...many('a'), 'end'], ['same', ...many('b'), 'a5', 'end']);
  assert.is(pairs.length, 6003);
  assert.equal(
    [pairs[0], pairs[1], pairs[3001], pairs.at(-1)],
    [
      [0, 0],
      [1, null],
      [null, 1],
      [3001, 3002],
    ],
  );
});

test('another order of what both have', () => {
  assert.is(isReordered(letters('abc'), letters('abc')), false);
  assert.is(isReordered(letters('abc'), letters('xaybzc')), false);
  assert.is(isReordered(letters('abc'), letters('acb')), true);
  assert.is(isReordered(letters('abab'), letters('ab')), false);
  assert.is(isReordered([], letters('ab')), false);
});

test.run();
