// time.Duration, time.Month and time.Weekday: numbers that print as words.
import { MONTHS, WEEKDAYS } from './time.js';
import { FLOAT64, INT64, STRING, type Type, value } from './types.js';

const inUnits = (nanoseconds: bigint) => (raw: number | bigint) =>
  value(FLOAT64, Number(BigInt(raw) / nanoseconds) + Number(BigInt(raw) % nanoseconds) / Number(nanoseconds));
const wholeUnits = (nanoseconds: bigint) => (raw: number | bigint) => value(INT64, BigInt(raw) / nanoseconds);

/** Nanoseconds. */
export const DURATION: Type = {
  kind: 'int',
  bits: 64,
  name: 'time.Duration',
  methods: {
    String: (raw: number | bigint) => value(STRING, durationText(BigInt(raw))),
    Hours: inUnits(3_600_000_000_000n),
    Minutes: inUnits(60_000_000_000n),
    Seconds: inUnits(1_000_000_000n),
    Milliseconds: wholeUnits(1_000_000n),
    Microseconds: wholeUnits(1000n),
    Nanoseconds: wholeUnits(1n),
  },
};

export const MONTH: Type = {
  kind: 'int',
  bits: 0,
  name: 'time.Month',
  methods: { String: (raw: number) => value(STRING, MONTHS[Number(raw) - 1] ?? `%!Month(${raw})`) },
};

export const WEEKDAY: Type = {
  kind: 'int',
  bits: 0,
  name: 'time.Weekday',
  methods: { String: (raw: number) => value(STRING, WEEKDAYS[Number(raw)] ?? `%!Weekday(${raw})`) },
};

/** `1h15m30.918s`; below a second in the largest unit that gives a whole number before the point. */
function durationText(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  const sign = nanoseconds < 0n ? '-' : '';
  if (size === 0n) return '0s';
  if (size < 1_000n) return `${sign}${size}ns`;
  if (size < 1_000_000n) return `${sign}${decimal(size, 3)}µs`;
  if (size < 1_000_000_000n) return `${sign}${decimal(size, 6)}ms`;
  const seconds = size / 1_000_000_000n;
  const rest = `${decimal(size - (seconds / 60n) * 60_000_000_000n, 9)}s`;
  const minutes = seconds < 60n ? '' : `${(seconds / 60n) % 60n}m`;
  const hours = seconds < 3600n ? '' : `${seconds / 3600n}h`;
  return sign + hours + minutes + rest;
}

function decimal(whole: bigint, places: number): string {
  const digits = whole.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`);
}
