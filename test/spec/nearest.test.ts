// Suggestions for mistyped words.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { didYouMean, distance, nearest } from '../../src/spec/nearest.js';

test('the distance counts insertions, deletions, replacements and swaps', () => {
  const rows = [
    ['', 'abc', 3],
    ['verify', 'verify', 0],
    ['verfy', 'verify', 1],
    ['verifyy', 'verify', 1],
    ['vErify', 'verify', 1],
    ['vreify', 'verify', 1],
    ['kitten', 'sitting', 3],
  ] as const;
  for (const [a, b, far] of rows) {
    assert.is(distance(a, b), far, `${a} ${b}`);
    assert.is(distance(b, a), far, `${b} ${a}`);
  }
});

test('near words and common beginnings are suggested, and no others', () => {
  const words = ['verify', 'show', 'sizes', 'files', 'ids', 'manifest'];
  assert.equal(nearest('verfy', words), ['verify']);
  assert.equal(nearest('SHOW', words), ['show']);
  assert.equal(nearest('mani', words), ['manifest'], 'a beginning');
  assert.equal(nearest('sizess', words), ['sizes']);
  for (const word of ['', 'frobnicate', 'x', 'a'.repeat(100_000)])
    assert.equal(nearest(word, words), [], word.slice(0, 20));
  assert.is(didYouMean(['a', 'b']), '; did you mean `a` or `b`?');
  assert.is(didYouMean([]), '');
});

test.run();
