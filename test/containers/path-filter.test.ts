// Patterns for paths: what they match, and that matching is fast for any name.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pathFilter } from '../../src/containers/path-filter.js';

const CASES: readonly (readonly [pattern: string, matches: readonly string[], others: readonly string[]])[] =
  [
    ['etc/passwd', ['etc/passwd'], ['etc/passwd-', 'etc', 'x/etc/passwd']],
    ['/etc/', ['etc', 'etc/passwd', 'etc/a/b'], ['etcetera', 'usr/etc']],
    ['*.so', ['x.so', '.so', 'x.so/below', 'lib/x.so', 'a/b/x.so/below'], ['x.so.1', 'lib/x.so.1']],
    ['/*.so', ['x.so'], ['lib/x.so']],
    ['./*.so', ['x.so'], ['lib/x.so']],
    ['lib/*.so', ['lib/x.so'], ['usr/lib/x.so']],
    ['bin', ['bin', 'bin/x', 'usr/bin', 'usr/bin/x'], ['binary', 'usr/sbin']],
    ['bin//', ['bin/x', 'usr/bin/x'], ['sbin/x']],
    ['{*.so,etc/*}', ['lib/x.so', 'etc/y'], ['usr/etc/y']],
    ['**/*.so', ['x.so', 'lib/x.so', 'a/b/c/x.so'], ['x.so.1']],
    ['usr/**/bin', ['usr/bin', 'usr/local/bin', 'usr/local/bin/x', 'usr/bin/y'], ['bin', 'usr/binary']],
    ['usr/**', ['usr/x', 'usr/x/y'], ['usr', 'usrx']],
    ['**', ['a', 'a/b'], []],
    ['a?c', ['abc', 'aéc', 'a😀c'], ['ac', 'a/c', 'abbc']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x']],
    ['[!a-c]x', ['dx', '-x'], ['ax']],
    ['[]x]', [']', 'x'], ['y']],
    ['[ab', ['[ab'], ['a']],
    ['a\\*', ['a*'], ['ab']],
    ['{a,b/c}/x', ['a/x', 'b/c/x'], ['c/x', 'b/x']],
    ['{a,b}{1,2}', ['a1', 'b2'], ['a', 'ab']],
    ['a*b*c', ['abc', 'axbxc', 'abcbc'], ['abcb', 'a/b/c']],
    ['.hidden', ['.hidden'], ['hidden']],
    ['*', ['.x', 'y'], []],
    ['/', ['anything', 'a/b'], []],
    ['a.c', ['a.c'], ['abc']],
  ];

for (const [pattern, matches, others] of CASES) {
  test(`the pattern ${pattern}`, () => {
    const filter = pathFilter([pattern]);
    for (const path of matches) assert.ok(filter(path), path);
    for (const path of others) assert.not.ok(filter(path), path);
  });
}

test('of several patterns one must match', () => {
  const filter = pathFilter(['a', 'b/**']);
  assert.equal(['a', 'b', 'b/c', 'c'].map(filter), [true, false, true, false]);
});

test('without a pattern nothing matches', () => {
  assert.not.ok(pathFilter([])('a'));
});

test('braces that expand to too many patterns are refused', () => {
  const many = '{a,b}'.repeat(9);
  assert.ok(pathFilter([many])('abababbba'));
  for (const pattern of ['{a,b}'.repeat(30), `{${'a,'.repeat(1000)}}{b,c}`])
    assert.throws(() => pathFilter([pattern]), /: its braces stand for more than 1000 patterns$/);
});

test('hostile patterns and names are matched quickly', () => {
  const started = Date.now();
  pathFilter([`${'a*'.repeat(50)}b`])('a'.repeat(4000));
  pathFilter([`${'**/a/'.repeat(50)}b`])('a/'.repeat(4000));
  assert.ok(Date.now() - started < 1000);
});

test.run();
