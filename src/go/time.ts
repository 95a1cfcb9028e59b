/** Seconds in each of Go's units. https://pkg.go.dev/time#ParseDuration */
const SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/** `1h30m` in seconds; null if it is no duration. */
export function goDuration(text: string): number | null {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  const parts = [...body.matchAll(PART)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== body) return null;
  return sign * parts.reduce((sum, [, count, unit]) => sum + Number(count) * SECONDS[unit!]!, 0);
}

/**
 * The time that `--filter until=` names, in seconds since 1970: a duration before now, a date or time (in UTC where it
 * names no zone), or a Unix timestamp. moby api/types/time/timestamp.go
 * @param now  seconds since 1970
 */
export function timestamp(text: string, now: number): number | null {
  const duration = text === '0' ? null : goDuration(text);
  if (duration !== null) return Math.floor(now - duration);
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d(?:\.\d+)?))?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(
    text,
  );
  if (match === null) return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : null;
  const [, date, hour = '00', minute = '00', second = '00', zone = 'Z'] = match;
  const milliseconds = Date.parse(`${date}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}

/** A point in time and the offset it is told in; times without one are UTC's. */
export interface Moment {
  /** Since 1970, without leap seconds. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Seconds east of UTC. */
  readonly offset: number;
}

/** The first of January of the year 1, UTC: Go's zero time. */
export const ZERO_TIME: Moment = { seconds: -62_135_596_800, nanoseconds: 0, offset: 0 };

/** A time as it is written, field by field, none of them checked. */
export interface WrittenTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Digits behind the point. */
  readonly fraction: string;
  readonly isWest: boolean;
  readonly zoneHour: number;
  readonly zoneMinute: number;
  /** Whether it is RFC 3339 too, which has a point and hours of two digits only. */
  readonly isStrict: boolean;
}

/** RFC 3339, and what Go reads beside it: a comma for the point, an hour of one digit. */
const WRITTEN = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:([.,])(\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** The history of an image has one time in most of its entries, and each engine reads all of them. */
let latest: { readonly text: string; readonly time: WrittenTime | null } = { text: '', time: null };

/** A time as Go's layout RFC3339 reads it; null where the text has another form. */
export function writtenTime(text: string): WrittenTime | null {
  if (text !== latest.text) latest = { text, time: readTime(text) };
  return latest.time;
}

function readTime(text: string): WrittenTime | null {
  const parts = WRITTEN.exec(text);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [, , , , hourText, , , point, fraction = '', sign, zoneHour = '0', zoneMinute = '0'] = parts;
  return {
    ...{ year, month, day, hour, minute, second, fraction },
    isWest: sign === '-',
    zoneHour: Number(zoneHour),
    zoneMinute: Number(zoneMinute),
    isStrict: point !== ',' && hourText!.length === 2,
  };
}

/** Days of a month of the Gregorian calendar. @param month  from 1 */
export const daysIn = (year: number, month: number): number =>
  month === 2 ? 28 + Number(isLeap(year)) : [4, 6, 9, 11].includes(month) ? 30 : 31;

const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

/** Reads RFC 3339 strictly, as Go's JSON decoder does; null where it is not that, or no such day or hour exists. */
export function parseTime(text: string): Moment | null {
  const time = writtenTime(text);
  if (time === null || !time.isStrict) return null;
  const { year, month, day, hour, minute, second, fraction, isWest, zoneHour, zoneMinute } = time;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const offset = (zoneHour * 60 + zoneMinute) * (isWest ? -60 : 60);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  return { seconds: date.getTime() / 1000 - offset, nanoseconds, offset: offset || 0 };
}

/**
 * An RFC 3339 time as Go's RFC3339Nano writes it again: no zeros at the fraction's end, `Z` for UTC. null if it is
 * none.
 */
export function rfc3339Nano(text: string): string | null {
  const time = parseTime(text) === null ? null : writtenTime(text);
  if (time === null) return null;
  const short = time.fraction.slice(0, 9).replace(/0+$/, '');
  const zone = time.zoneHour === 0 && time.zoneMinute === 0 ? 'Z' : text.slice(-'+00:00'.length);
  return `${text.slice(0, '2006-01-02T15:04:05'.length)}${short === '' ? '' : `.${short}`}${zone}`;
}

/** Whole seconds since 1970, rounded down; null if it is no RFC 3339 time. */
export const unixSeconds = (text: string): number | null => parseTime(text)?.seconds ?? null;

/** `2023-11-14T22:13:20Z` */
export const rfc3339 = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** `2023-11-14 22:13:20 +0000 UTC`, as time.Time's String. */
export const timeString = (seconds: number) =>
  `${rfc3339(seconds).replace('T', ' ').replace('Z', '')} +0000 UTC`;
