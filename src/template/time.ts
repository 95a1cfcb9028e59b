// Go's time.Time and its layouts: https://pkg.go.dev/time. A time is RFC 3339 text; empty text is the zero time.

/** A point in time and the offset it is told in; times without one are UTC's. */
export interface Moment {
  /** Since 1970, without leap seconds. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Seconds east of UTC. */
  readonly offset: number;
}

export const MONTHS = [
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
export const WEEKDAYS = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
] as const;

/** The first of January of the year 1, UTC. */
export const ZERO_TIME: Moment = { seconds: -62_135_596_800, nanoseconds: 0, offset: 0 };

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Reads RFC 3339 strictly, as Go's JSON decoder does; null where it is not that, or no such day or hour exists. */
export function parseTime(text: string): Moment | null {
  const parts = RFC3339.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [number, ...number[]];
  const date = new Date(0);
  date.setUTCFullYear(year, month! - 1, day);
  date.setUTCHours(hour!, minute, second);
  const exists = date.getUTCMonth() === month! - 1 && date.getUTCDate() === day;
  if (!exists || hour! > 23 || minute! > 59 || second! > 59) return null;
  const [, , , , , , , fraction = '', sign, hours = '0', minutes = '0'] = parts;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  return { seconds: date.getTime() / 1000 - offset, nanoseconds, offset: offset || 0 };
}

/** What text of a time means; what is not valid is the zero time. */
export const momentOf = (text: string): Moment => parseTime(text) ?? ZERO_TIME;

/** The RFC 3339 text of a moment, to the nanosecond and no longer than needed, as encoding/json writes it. */
export const timeJson = (text: string): string =>
  formatTime(momentOf(text), '2006-01-02T15:04:05.999999999Z07:00');

/** What time.Time's String method gives: `2023-11-14 22:13:20 +0000 UTC`. */
export const timeText = (text: string): string =>
  formatTime(momentOf(text), '2006-01-02 15:04:05.999999999 -0700 MST');

export interface Clock {
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
export function clockOf(moment: Moment): Clock {
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

/** What `%#v` prints. */
export function timeGoSyntax(text: string): string {
  const moment = momentOf(text);
  const { year, month, day, hour, minute, second } = clockOf(moment);
  const zone = moment.offset === 0 ? 'time.UTC' : 'time.Location("")';
  return `time.Date(${year}, time.${MONTHS[month - 1]}, ${day}, ${hour}, ${minute}, ${second}, ${moment.nanoseconds}, ${zone})`;
}
