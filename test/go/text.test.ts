// Small functions of Go's library. Expected values are Go's output.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { goPattern } from '../../src/go/pattern.js';
import { goDuration, rfc3339Nano, timeString, timestamp, unixSeconds } from '../../src/go/time.js';

const FITS: readonly (readonly [pattern: string, text: string, fits: boolean | null])[] = [
  ['app*', 'app:latest', true],
  ['*', 'team/app', false],
  ['*/app', 'team/app', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['[^a]', '/', true],
  ['[c-a]', 'b', false],
  ['\\*', '*', true],
  ['a.c', 'abc', false],
  ['[', 'a', null],
  ['[]a]', 'a', null],
  ['[a-]', 'a', null],
  ['a\\', 'a', null],
];

for (const [pattern, text, fits] of FITS) {
  test(`the pattern ${pattern} ${fits === null ? 'is malformed' : fits ? `fits ${text}` : `does not fit ${text}`}`, () => {
    assert.is(goPattern(pattern)?.test(text) ?? null, fits);
  });
}

test('times are parsed and written as Go writes them', () => {
  assert.is(rfc3339Nano('2023-11-14T22:13:20.120Z'), '2023-11-14T22:13:20.12Z');
  assert.is(rfc3339Nano('2023-11-14T22:13:20.000+00:00'), '2023-11-14T22:13:20Z');
  assert.is(rfc3339Nano('2023-11-14T22:13:20.1234567891+02:00'), '2023-11-14T22:13:20.123456789+02:00');
  for (const text of ['', 'now', '2023-02-30T00:00:00Z', '2023-11-14 22:13:20Z', '2023-11-14T25:00:00Z'])
    assert.is(rfc3339Nano(text), null);
});

test('seconds are counted from 1970, in the time zone of the text', () => {
  assert.is(unixSeconds('2023-11-15T00:13:20.9+02:00'), 1_700_000_000);
  assert.is(unixSeconds('0001-01-01T00:00:00Z'), -62_135_596_800);
  assert.is(unixSeconds('yesterday'), null);
  assert.is(timeString(1_700_000_000), '2023-11-14 22:13:20 +0000 UTC');
});

test('durations need units', () => {
  assert.is(goDuration('1h30m'), 5400);
  assert.is(goDuration('-1.5h'), -5400);
  assert.is(goDuration('.5s'), 0.5);
  assert.is(goDuration('0'), 0);
  for (const text of ['', '5', '1d', '1h30', 'h']) assert.is(goDuration(text), null);
});

test('a moment is a duration before now, a date, a time or a number of seconds', () => {
  assert.is(timestamp('24h', 1_700_000_000), 1_699_913_600);
  assert.is(timestamp('2023-11-14', 0), 1_699_920_000);
  assert.is(timestamp('2023-11-14T22:13', 0), 1_699_999_980);
  assert.is(timestamp('2023-11-14T22:13:20+02:00', 0), 1_699_992_800);
  assert.is(timestamp('1700000000.5', 0), 1_700_000_000.5);
  assert.is(timestamp('0', 99), 0);
  assert.is(timestamp('last year', 0), null);
});

test.run();
