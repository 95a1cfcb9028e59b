import { type Moment, parseTime, ZERO_TIME } from '../time.js';
import {
  BOOL,
  FLOAT64,
  INT,
  INT64,
  pointerTo,
  STRING,
  struct,
  TIME,
  type Type,
  type Value,
  value,
} from './types.js';
import type { Func, Parameter } from './value.js';

// Go's time.Time and its layouts: https://pkg.go.dev/time. A time is RFC 3339 text; empty text is the zero time.

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;

/** Parses the text of a time; invalid text is the zero time. */
export const momentOf = (text: string): Moment => parseTime(text) ?? ZERO_TIME;

/** The RFC 3339 text of a moment, to the nanosecond and no longer than needed, as encoding/json writes it. */
export const timeJson = (text: string): string =>
  formatTime(momentOf(text), '2006-01-02T15:04:05.999999999Z07:00');

/** The result of time.Time's String method: `2023-11-14 22:13:20 +0000 UTC`. */
export const timeText = (text: string): string =>
  formatTime(momentOf(text), '2006-01-02 15:04:05.999999999 -0700 MST');

interface Clock {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** From Sunday, 0. */
  readonly weekday: number;
  /** From 1. */
  readonly yearDay: number;
}

/** The calendar and the clock at the moment's own offset. */
function clockOf(moment: Moment): Clock {
  const date = new Date((moment.seconds + moment.offset) * 1000);
  const newYear = new Date(0);
  newYear.setUTCFullYear(date.getUTCFullYear(), 0, 1);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - newYear.getTime()) / 86_400_000) + 1,
  };
}

/** Every piece that a layout may be made of, the longer before the shorter where one begins like the other. */
const PIECES =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|__2|_2(?!006)|2006|2|3|4|5|PM|pm|[-Z]07(?::00:00|0000|:00|00|)|[.,](?:0+|9+)(?![0-9])/g;

/** https://pkg.go.dev/time#pkg-constants: the reference time `Mon Jan 2 15:04:05 MST 2006` written as wanted. */
export function formatTime(moment: Moment, layout: string): string {
  const clock = clockOf(moment);
  return layout.replace(PIECES, piece => {
    if (/^[.,]/.test(piece)) return fraction(moment, piece);
    if (/^[-Z]07/.test(piece)) return offsetText(moment.offset, piece);
    return PIECE[piece]!(clock, moment);
  });
}

const two = (number: number): string => String(number).padStart(2, '0');
const half = (hour: number): number => hour % 12 || 12;

const PIECE: Readonly<Record<string, (clock: Clock, moment: Moment) => string>> = {
  January: ({ month }) => MONTHS[month - 1]!,
  Jan: ({ month }) => MONTHS[month - 1]!.slice(0, 3),
  1: ({ month }) => String(month),
  '01': ({ month }) => two(month),
  Monday: ({ weekday }) => WEEKDAYS[weekday]!,
  Mon: ({ weekday }) => WEEKDAYS[weekday]!.slice(0, 3),
  2: ({ day }) => String(day),
  _2: ({ day }) => String(day).padStart(2),
  '02': ({ day }) => two(day),
  __2: ({ yearDay }) => String(yearDay).padStart(3),
  '002': ({ yearDay }) => String(yearDay).padStart(3, '0'),
  15: ({ hour }) => two(hour),
  3: ({ hour }) => String(half(hour)),
  '03': ({ hour }) => two(half(hour)),
  4: ({ minute }) => String(minute),
  '04': ({ minute }) => two(minute),
  5: ({ second }) => String(second),
  '05': ({ second }) => two(second),
  2006: ({ year }) => (year < 0 ? `-${String(-year).padStart(4, '0')}` : String(year).padStart(4, '0')),
  '06': ({ year }) => two(Math.abs(year % 100)),
  PM: ({ hour }) => (hour >= 12 ? 'PM' : 'AM'),
  pm: ({ hour }) => (hour >= 12 ? 'pm' : 'am'),
  MST: (_, { offset }) => (offset === 0 ? 'UTC' : offsetText(offset, '-0700')),
};

/** `.000` keeps its zeros, `.999` loses those at the end. */
function fraction({ nanoseconds }: Moment, piece: string): string {
  const digits = String(nanoseconds)
    .padStart(9, '0')
    .slice(0, piece.length - 1);
  if (piece[1] === '0') return piece[0]! + digits;
  const kept = digits.replace(/0+$/, '');
  return kept === '' ? '' : piece[0]! + kept;
}

function offsetText(offset: number, piece: string): string {
  if (piece.startsWith('Z') && offset === 0) return 'Z';
  const size = Math.abs(offset);
  const colon = piece.includes(':') ? ':' : '';
  const fields = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60].map(two);
  const count = piece.replaceAll(/[-Z:]/g, '').length / 2;
  return (offset < 0 ? '-' : '+') + fields.slice(0, count).join(colon);
}

/** The output of `%#v`. */
export function timeGoSyntax(text: string): string {
  const moment = momentOf(text);
  const { year, month, day, hour, minute, second } = clockOf(moment);
  const zone = moment.offset === 0 ? 'time.UTC' : 'time.Location("")';
  return `time.Date(${year}, time.${MONTHS[month - 1]}, ${day}, ${hour}, ${minute}, ${second}, ${moment.nanoseconds}, ${zone})`;
}

// time.Duration, time.Month and time.Weekday: numbers that print as words.

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

const MONTH: Type = {
  kind: 'int',
  bits: 0,
  name: 'time.Month',
  methods: { String: (raw: number) => value(STRING, MONTHS[Number(raw) - 1] ?? `%!Month(${raw})`) },
};

const WEEKDAY: Type = {
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

// The methods of time.Time with one result, as far as they need no location.

const MAX_DURATION = 2n ** 63n - 1n;

type Method = (moment: Moment, args: readonly Value[], text: string) => Value;

const method = (parameters: readonly Parameter[], run: Method) => ({ parameters, run });
const ofClock = (type: Type, field: keyof Clock) => method([], moment => value(type, clockOf(moment)[field]));
const since1970 = (perSecond: bigint) =>
  method([], m =>
    value(
      INT64,
      (nanoseconds(m) - modulo(nanoseconds(m), 1_000_000_000n / perSecond)) / (1_000_000_000n / perSecond),
    ),
  );
const compared = (type: Type, tell: (order: number) => unknown) =>
  method([TIME], (moment, [other]) => {
    const difference = nanoseconds(moment) - nanoseconds(momentOf(other!.raw as string));
    return value(type, tell(difference < 0n ? -1 : difference > 0n ? 1 : 0));
  });

const nanoseconds = ({ seconds, nanoseconds: rest }: Moment): bigint =>
  BigInt(seconds) * 1_000_000_000n + BigInt(rest);
const modulo = (a: bigint, n: bigint): bigint => ((a % n) + n) % n;

function momentAt(at: bigint, offset: number): Value {
  const rest = modulo(at, 1_000_000_000n);
  const moment = { seconds: Number((at - rest) / 1_000_000_000n), nanoseconds: Number(rest), offset };
  return value(TIME, formatTime(moment, '2006-01-02T15:04:05.999999999Z07:00'));
}

const METHODS: Readonly<Record<string, { readonly parameters: readonly Parameter[]; readonly run: Method }>> =
  {
    Format: method([STRING], (moment, [layout]) => value(STRING, formatTime(moment, layout!.raw as string))),
    String: method([], (_moment, _args, text) => value(STRING, timeText(text))),
    GoString: method([], (_moment, _args, text) => value(STRING, timeGoSyntax(text))),
    IsZero: method([], moment => value(BOOL, nanoseconds(moment) === nanoseconds(ZERO_TIME))),
    IsDST: method([], () => value(BOOL, false)),
    UTC: method([], moment => momentAt(nanoseconds(moment), 0)),
    Local: method([], moment => momentAt(nanoseconds(moment), 0)),
    Unix: since1970(1n),
    UnixMilli: since1970(1000n),
    UnixMicro: since1970(1_000_000n),
    UnixNano: since1970(1_000_000_000n),
    Year: ofClock(INT, 'year'),
    Month: ofClock(MONTH, 'month'),
    Day: ofClock(INT, 'day'),
    Weekday: ofClock(WEEKDAY, 'weekday'),
    YearDay: ofClock(INT, 'yearDay'),
    Hour: ofClock(INT, 'hour'),
    Minute: ofClock(INT, 'minute'),
    Second: ofClock(INT, 'second'),
    Nanosecond: method([], moment => value(INT, moment.nanoseconds)),
    Equal: compared(BOOL, order => order === 0),
    Before: compared(BOOL, order => order < 0),
    After: compared(BOOL, order => order > 0),
    Compare: compared(INT, order => order),
    Add: method([DURATION], (moment, [duration]) =>
      momentAt(nanoseconds(moment) + BigInt(duration!.raw as number), moment.offset),
    ),
    Sub: method([TIME], (moment, [other]) => {
      const difference = nanoseconds(moment) - nanoseconds(momentOf(other!.raw as string));
      const capped =
        difference > MAX_DURATION
          ? MAX_DURATION
          : difference < -MAX_DURATION
            ? -MAX_DURATION - 1n
            : difference;
      return value(DURATION, capped);
    }),
    AddDate: method([INT, INT, INT], (moment, [years, months, days]) => {
      const date = new Date((moment.seconds + moment.offset) * 1000);
      const whole = (number: Value | undefined) => Number(number!.raw);
      date.setUTCFullYear(
        date.getUTCFullYear() + whole(years),
        date.getUTCMonth() + whole(months),
        date.getUTCDate() + whole(days),
      );
      const seconds = BigInt(date.getTime() / 1000 - moment.offset);
      return momentAt(seconds * 1_000_000_000n + BigInt(moment.nanoseconds), moment.offset);
    }),
  };

/** A method of the time that the text tells, or null. */
export function timeMethod(text: string, name: string): Func | null {
  const found = Object.hasOwn(METHODS, name) ? METHODS[name]! : null;
  if (found === null) return null;
  const call: Func['call'] = args => found.run(momentOf(text), args as readonly Value[], text);
  return { parameters: found.parameters, call };
}

const PARTS = struct('time.Time', [
  { name: 'wall', type: { kind: 'uint', bits: 64 } },
  { name: 'ext', type: INT64 },
  { name: 'loc', type: pointerTo(struct('time.Location', [])) },
]);

/** The struct behind a time, which verbs that are not for text print. */
export function timeParts(text: string): Value {
  const { seconds, nanoseconds: wall, offset } = momentOf(text);
  return value(PARTS, { wall, ext: seconds - ZERO_TIME.seconds, loc: offset === 0 ? null : {} });
}
