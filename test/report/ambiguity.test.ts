// When several images are the platforms of one, and what is asked where they are not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ambiguous, arePlatformsOfOne, choiceList, type Variant } from '../../src/report/ambiguity.js';
import type { Platform } from '../../src/spec/platform.js';

const platform = (architecture: string, osVersion: string | null = null): Platform => ({
  os: 'linux',
  architecture,
  variant: null,
  osVersion,
});

const variant = (
  of: Platform | null,
  names: readonly string[],
  indexDigests: readonly string[] = [],
): Variant => ({
  platform: of,
  names,
  indexDigests,
});

const [AMD64, ARM64] = [platform('amd64'), platform('arm64')];

test('none and one are one', () => {
  assert.equal([arePlatformsOfOne([]), arePlatformsOfOne([variant(null, [])])], [true, true]);
});

test('an index makes its images one, whatever they are called', () => {
  const inIndex = (digest: string, name: string) => variant(null, [name], ['sha256:top', digest]);
  assert.ok(arePlatformsOfOne([inIndex('a', 'x'), inIndex('b', 'y')]));
  assert.not.ok(arePlatformsOfOne([variant(null, [], ['a']), variant(null, [], ['b'])]));
});

test('without an index each is of another platform under the same names, in full or short', () => {
  const rows: readonly (readonly [Variant, Variant, boolean])[] = [
    [variant(AMD64, ['app:1']), variant(ARM64, ['docker.io/library/app:1']), true],
    [variant(AMD64, ['a', 'b']), variant(ARM64, ['b', 'a']), true],
    [variant(AMD64, ['app:1']), variant(ARM64, ['app:2']), false],
    [variant(AMD64, ['app:1']), variant(AMD64, ['app:1']), false],
    [variant(platform('amd64', '10.1'), ['app']), variant(platform('amd64', '10.2'), ['app']), true],
    [variant(null, ['app']), variant(null, ['app']), false],
    [variant(null, ['app']), variant(AMD64, ['app']), true],
  ];
  for (const [a, b, expected] of rows) assert.is(arePlatformsOfOne([a, b]), expected, JSON.stringify([a, b]));
});

test('a name that was asked for is enough: other names may differ', () => {
  const both = [variant(AMD64, ['app:1', 'app:latest']), variant(ARM64, ['app:1'])];
  assert.equal([arePlatformsOfOne(both), arePlatformsOfOne(both, 'app:1')], [false, true]);
  assert.not.ok(arePlatformsOfOne(both, 'app:latest'));
});

test('the message lists what can be asked for, safe for a terminal', () => {
  const list = choiceList([
    { id: 'sha256:a', platform: AMD64, names: ['app:1', 'app:2'] },
    { id: '\u001b[31m', platform: null, names: [] },
    { id: 'sha256:c', platform: AMD64, names: ['x'], type: 'index' },
  ]);
  assert.is(list, '  sha256:a  linux/amd64  app:1, app:2\n  \\u{1b}[31m  (untagged)\n  sha256:c  index  x');
  const error = ambiguous('a.tar', 'it holds 3 images', list, ', by its digest');
  assert.is(error.message, `a.tar: it holds 3 images\nSay which one, by its digest:\n${list}`);
});

test.run();
