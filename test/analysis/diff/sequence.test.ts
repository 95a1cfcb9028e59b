// Pairing the elements of sequences, and detecting a different order.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isReordered, pairUp } from '../../../src/analysis/diff/changes.js';

const letters = (text: string) => text.split('').filter(Boolean);

/** `a-a b-. .-c`: paired elements, with a dot for no counterpart. */
const paired = (a: string, b: string) =>
  pairUp(letters(a), letters(b))
    .map(([i, j]) => `${i === null ? '.' : a[i]}${j === null ? '.' : b[j]}`)
    .join(' ');

test('elements that both sequences have in the same order are paired', () => {
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

test('sequences that are too long to compare differ except for their ends', () => {
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

test('a different order of common elements is detected', () => {
  assert.is(isReordered(letters('abc'), letters('abc')), false);
  assert.is(isReordered(letters('abc'), letters('xaybzc')), false);
  assert.is(isReordered(letters('abc'), letters('acb')), true);
  assert.is(isReordered(letters('abab'), letters('ab')), false);
  assert.is(isReordered([], letters('ab')), false);
});

test.run();
