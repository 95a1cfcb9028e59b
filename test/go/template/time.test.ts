import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatTime, momentOf, parseTime, timeJson, timeText } from '../../../src/go/template/index.js';

test('times are parsed strictly', () => {
  assert.equal(parseTime('1970-01-01T00:00:01.5Z'), { seconds: 1, nanoseconds: 500_000_000, offset: 0 });
  assert.equal(parseTime('1970-01-01T02:00:00+02:00'), { seconds: 0, nanoseconds: 0, offset: 7200 });
  const wrong = ['', '1970-01-01', '1970-02-30T00:00:00Z', '1970-01-01T24:00:00Z', '1970-01-01t00:00:00z'];
  for (const text of [...wrong, '1970-01-01T00:00:00', '1970-1-01T00:00:00Z', '1970-01-01T00:00:00+24:00']) {
    assert.is(parseTime(text), null, text);
  }
});

test('times are written as Go and JSON write them', () => {
  assert.is(timeText('2023-11-14T22:13:20.120Z'), '2023-11-14 22:13:20.12 +0000 UTC');
  assert.is(timeText('2023-11-14T22:13:20-03:30'), '2023-11-14 22:13:20 -0330 -0330');
  assert.is(timeText(''), '0001-01-01 00:00:00 +0000 UTC');
  assert.is(timeJson('2023-11-14T22:13:20.100+00:00'), '2023-11-14T22:13:20.1Z');
  assert.is(timeJson('no time'), '0001-01-01T00:00:00Z');
  assert.is(timeJson('0000-02-29T00:00:00Z'), '0000-02-29T00:00:00Z');
});

test('layouts of times', () => {
  const moment = momentOf('2024-02-05T15:04:09.012345678+05:30');
  const written = (layout: string) => formatTime(moment, layout);
  assert.is(written('Mon Jan _2 15:04:05 MST 2006'), 'Mon Feb  5 15:04:09 +0530 2024');
  assert.is(written('Monday, 02-January-06 03:04:05PM pm'), 'Monday, 05-February-24 03:04:09PM pm');
  assert.is(written('1/2 3:4:5 002 __2'), '2/5 3:4:9 036  36');
  assert.is(written('05.000 05.999999 05,00 .0001'), '09.012 09.012345 09,01 .0002');
  assert.is(written('-07 -0700 -07:00 Z07:00 -07:00:00'), '+05 +0530 +05:30 +05:30 +05:30:00');
  assert.is(written('Januaryx Janet Mondays _2006'), 'Februaryx Janet Mondays _2024');
});

test.run();
