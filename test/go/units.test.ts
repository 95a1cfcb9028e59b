import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { humanDuration, humanSize } from '../../src/go/units.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SIZES: readonly (readonly [bytes: number, digits: number, text: string])[] = [
  [0, 3, '0B'],
  [999, 3, '999B'],
  [1000, 3, '1kB'],
  [1234, 3, '1.23kB'],
  [4_564_656, 3, '4.56MB'],
  [4_564_656, 4, '4.565MB'],
  [600_031, 3, '600kB'],
  // Go's %.3g switches to exponents if rounding adds a digit.
  [999_600, 3, '1e+03kB'],
  [999_600, 4, '999.6kB'],
  [1e27, 3, '1e+03YB'],
];

for (const [bytes, digits, text] of SIZES) {
  test(`${bytes} bytes in ${digits} digits are ${text}`, () => {
    assert.is(humanSize(bytes, digits), text);
  });
}

const DURATIONS: readonly (readonly [seconds: number, text: string])[] = [
  [-DAY, 'Less than a second'],
  [0.9, 'Less than a second'],
  [1, '1 second'],
  [59, '59 seconds'],
  [MINUTE, 'About a minute'],
  [46 * MINUTE, '46 minutes'],
  [HOUR, 'About an hour'],
  // Rounded to hours, and truncated from there on.
  [1.5 * HOUR, '2 hours'],
  [47.4 * HOUR, '47 hours'],
  [2 * DAY, '2 days'],
  [13 * DAY, '13 days'],
  [14 * DAY, '2 weeks'],
  [59 * DAY, '8 weeks'],
  [60 * DAY, '2 months'],
  [729 * DAY, '24 months'],
  [730 * DAY, '2 years'],
  [56 * 365 * DAY, '56 years'],
];

for (const [seconds, text] of DURATIONS) {
  test(`${seconds} seconds are ${text}`, () => {
    assert.is(humanDuration(seconds), text);
  });
}

test.run();
